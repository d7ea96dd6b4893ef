"""A figure: a chart with its words, the table behind it and the raw files under it."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any, TypedDict, Unpack

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text

from tradeflows import store
from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.plot import MIME
from tradeflows.plot.style import GREY, STYLE, TEXT, WIDTH, dressed, ruled, svg, wrapped
from tradeflows.plot.tables import fields, framed, table_html
from tradeflows.spreadsheets import csv_text
from tradeflows.words import number, period_text, span

_FILES_SHOWN = 15


class Words(TypedDict, total=False):
    """What every chart takes beside its data; `finish` says what each is."""

    name: str
    alt: str
    period: str
    note: str
    origins: Any


@dataclass(eq=False)
class Figure:
    """A chart that shows itself, with what it needs to travel.

    Until it is shown its axes may be changed: ``figure.ax.set_xlim(…)``.

    Attributes
    ----------
    name : str
        Slug: id in the page and name of the downloaded files.
    title : str
        The finding, in a sentence.
    alt : str
        What the chart shows, for those who do not see it.
    table : pandas.DataFrame
        The numbers behind the chart.
    origins : tuple of str
        Ids of the raw files under it.
    fig : matplotlib.figure.Figure
        The chart; `axes` lists its axes, `ax` is the first.
    unit, period, note, source : str
        For the caption; `base` is the unit of the table, where the chart is scaled.

    Examples
    --------
    >>> import tradeflows as tf
    >>> figure = tf.plot.bars({"energy": 34.2, "metals": 9.0}, "Energy leads", "bn USD", "made up")
    >>> print(figure.csv().splitlines()[1])
    energy,34.2
    """

    name: str
    title: str
    alt: str
    table: pd.DataFrame = field(repr=False)
    fig: Canvas = field(repr=False)
    unit: str = ""
    period: str = ""
    note: str = ""
    source: str = ""
    origins: tuple[str, ...] = ()
    base: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self.title.strip():
            raise SchemaMismatch(
                f"figure {self.name!r} without title", "one that states the finding", "pass title="
            )
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise SchemaMismatch(
                f"figure name {self.name!r}",
                "lower-case letters, digits and hyphens, beginning with a letter",
                "rename the figure: its name becomes an id and a file name",
            )

    @property
    def caption(self) -> str:
        """Unit · period · note · source and vintage."""
        return " · ".join(filter(None, (self._lead(), _plain(self._sources()))))

    @property
    def axes(self) -> list[Axes]:
        """All axes of the chart."""
        return list(self.fig.axes)

    @property
    def ax(self) -> Axes:
        """The first axes of the chart."""
        return self.fig.axes[0]

    def _lead(self) -> str:
        return " · ".join(filter(None, (self.unit, self.period, self.note)))

    def _sources(self) -> str:
        """Name publishers and vintages, with marks that a page makes links to raw files."""
        return "; ".join(filter(None, (escape(self.source), _sources(self.origins))))

    def csv(self) -> str:
        """Return the table behind the chart: ten significant digits, nothing a sheet would run."""
        return csv_text(self.table)

    def svg(self) -> str:
        """Return the chart as SVG, its ink in the colour of the text around it."""
        return svg(self.fig, self.name, self.alt)

    def png(self, path: str | Path | None = None, *, dpi: int = 200) -> bytes:
        """Return the chart between its words as PNG, and write it where a path is given."""
        picture, cited = io.BytesIO(), _plain(self._sources())
        made_up = any(raw and raw.query.get("generated") for raw in map(_raw, self.origins))
        foot = "Made-up trade, not a statistic. " * made_up + f"Source: {cited}. " * bool(cited)
        with rc_context(STYLE):
            wide, high = self.fig.get_size_inches()
            self.fig.draw_without_rendering()
            box = self.fig.get_tightbbox()
            lead = wrapped(self._lead(), int(13.5 * wide))
            over = box.y1 + 0.16 + 0.19 * (lead.count("\n") + 1)
            written: tuple[tuple[str, float, dict[str, Any]], ...] = (
                (lead, box.y1 + 0.1, {"va": "bottom"}),
                (wrapped(self.title, int(10.5 * wide)), over,
                 {"va": "bottom", "fontsize": 12, "fontweight": "bold"}),
                (wrapped(foot, int(15 * wide)), box.y0 - 0.1,
                 {"va": "top", "fontsize": 9, "color": GREY}),
            )  # fmt: skip
            texts = [self.fig.text(box.x0 / wide, y / high, t, None, **o) for t, y, o in written]
            try:
                self.fig.savefig(
                    picture, dpi=dpi, facecolor="white", metadata={"Software": None},
                    format="png", bbox_inches="tight", pad_inches=0.15,
                )  # fmt: skip
            finally:
                for text in texts:
                    text.remove()
        if path is not None:
            Path(path).write_bytes(picture.getvalue())
        return picture.getvalue()

    def _repr_html_(self) -> str:
        data, chart, name = base64.b64encode(self.csv().encode()).decode(), self.svg(), self.name
        scroll = ' style="overflow-x:auto" tabindex="0"' if "min-width" in chart else ""
        end = "" if self.title.rstrip().endswith((".", "?", "!")) else "."
        cited = f"Source: {cited}. " if (cited := self._sources()) else ""
        listed = table_html(self.table, label=f"Table: {self.title}", unit=self.base)
        return (
            f'<figure id="{name}" style="max-width:46rem;margin:1.6em 0">'
            f"<figcaption><b>{escape(self.title)}{end}</b> "
            f'<span class="unit">{escape(self._lead())}</span></figcaption>'
            f'<div class="chart"{scroll}>{chart}</div>'
            f'<div class="origin">{cited}<a download="{name}.csv" '
            f'href="data:text/csv;charset=utf-8;base64,{data}">Data as CSV'
            f"<span hidden> of {name}</span></a></div>"
            '<details class="as-table"><summary>Read this chart as a table</summary>'
            f"{listed}</details>{_trace(name, self.origins)}</figure>"
        )

    def parts(self) -> dict[str, Any]:
        """Return what a page carries of the figure beside its HTML."""
        return {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "alt": self.alt,
            "origins": list(self.origins),
            "csv": self.csv(),
            "png": base64.b64encode(self.png(dpi=150)).decode(),
            "fields": fields(self.table),
        }

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude  # everything is always offered
        return {
            "text/html": self._repr_html_(),
            "text/plain": f"{self.title} ({self.caption})",
            MIME: self.parts(),
        }


def finish(
    ax: Axes | np.ndarray,
    title: str,
    unit: str,
    source: str = "",
    *,
    table: Any,
    **words: Unpack[Words],
) -> Figure:
    """Turn any matplotlib axes into a figure that shows itself, in the look of all others.

    Draw with pandas or matplotlib, give the numbers a sentence, and end the cell with this call.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or array of them
        What ``frame.plot()`` returns; all axes of its figure are shown.
    title : str
        The finding, in a sentence.
    unit : str
        What the numbers are: ``"imports from Russia, bn USD"``.
    source : str
        Publishers that no `origins` name.
    table : pandas.DataFrame or Series
        The numbers that are drawn, as they can be read and downloaded beside the chart.
    name : str
        Slug: id in the page and name of the files; by default the first words of the title. Name a
        figure whose title changes with its numbers.
    alt : str
        What the chart shows; by default the title and the ends of each column.
    period : str
        For the caption; by default the span of the dates in the index or the first column.
    note : str
        Further words for the caption.
    origins : frame, series, result, str, or several of them
        What the chart rests on: frames with a column ``origin``, series of `tf.series`, results of
        measures, or ids of raw files. The page then names publisher, vintage and hash.

    Returns
    -------
    Figure
        Its axes stay within reach: ``figure.ax``, ``figure.axes``.

    Raises
    ------
    SchemaMismatch
        No title, or a name that is no slug.

    Examples
    --------
    >>> imports = pd.DataFrame({"imports": [17.8, 29.0]}, index=[2020, 2021])
    >>> figure = finish(imports.plot(), "Imports rose by 11 bn", "bn USD", "TÜİK", table=imports)
    >>> figure.name, figure.caption
    ('imports-rose-by-bn', 'bn USD · 2020 to 2021 · TÜİK')
    >>> figure.table["imports"].tolist()
    [17.8, 29.0]
    """
    canvas = np.ravel(np.array(ax, dtype=object))[0].get_figure(root=True)
    if canvas is None:
        raise SchemaMismatch("axes of no figure", "axes that are drawn", "plot first, then finish")
    assert isinstance(canvas, Canvas)  # noqa: S101 - the root of any axes
    plt.close(canvas)  # it shows itself, once
    frame = framed(table)
    rows = frame.set_index(frame.columns[0]) if isinstance(frame.index, pd.RangeIndex) else frame
    years = rows.index.map(lambda x: isinstance(x, int | np.integer) and 1900 <= x <= 2100)
    if isinstance(rows.index, pd.DatetimeIndex) or bool(years.all()):
        words.setdefault("period", span(rows.index))
    said = described(rows)
    dressed(canvas)
    if tuple(canvas.get_size_inches()) == tuple(rcParams["figure.figsize"]):
        canvas.set_size_inches(WIDTH, 3.4)
    for one in canvas.axes:
        lying = any(getattr(c, "orientation", "") == "horizontal" for c in one.containers)
        ruled(one, "x" if lying else "y")
        if legend := one.get_legend():
            legend.set_frame_on(False)
    for text in canvas.findobj(Text):
        text.set_fontsize(max(float(text.get_fontsize()), TEXT))
    if canvas.get_layout_engine() is None:
        canvas.set_layout_engine("constrained")
    if rows is frame:
        frame = frame.rename_axis(str(frame.index.name or "period")).reset_index()
    return made(canvas, frame, title, unit, source, said, table, **words)


def described(table: pd.DataFrame) -> str:
    """Say in words where each of the first columns of a table begins and ends."""
    said = []
    for name in list(table.select_dtypes("number"))[:6]:
        known = table[name].dropna()
        ends = [f"{number(known.iloc[i])} ({period_text(known.index[i])})" for i in (0, -1)
                if len(known)]  # fmt: skip
        said.append(f"{name}: {' to '.join(dict.fromkeys(ends))}")
    more = f"; and {table.shape[1] - 6} more" if table.shape[1] > 6 else ""
    return f"{'; '.join(said)}{more}."


def noted(words: Words, note: str, *, first: bool = False) -> None:
    """Add a note to the words of a figure."""
    notes = [words.get("note", ""), note]
    words["note"] = " · ".join(n for n in (notes[::-1] if first else notes) if n)


def made(
    canvas: Canvas, table: pd.DataFrame, title: str, unit: str, source: str, said: str,
    of: Any = (), *, name: str = "", alt: str = "", period: str = "", note: str = "",
    origins: Any = None, base: str = "",
) -> Figure:  # fmt: skip
    """Bind a chart to its words.

    ``said`` and ``of`` are its numbers in words and what it is drawn from, where the caller gives
    no alternative text or origins; ``base`` is the unit of the table where the chart is scaled.
    """
    canvas.draw_without_rendering()
    canvas.set_layout_engine("none")  # laid out once: however often it is shown, it stays
    return Figure(
        name=name or _slug(title),
        title=title,
        alt=alt or f"{title}. {said}",
        table=table.drop(columns="origin", errors="ignore").reset_index(drop=True),
        fig=canvas,
        unit=unit,
        period=period,
        note=note,
        source=source,
        origins=_origins(of if origins is None else origins, table),
        base="" if base == "share" else base,
    )


def _plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html))


def _slug(title: str) -> str:
    """Return a name of a title's first words, without their numbers."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z]+", plain)[:8]) or "figure"


def _origins(*found: Any) -> tuple[str, ...]:
    """Return the ids of the raw files under frames, series, results, or named themselves."""
    ids: set[str] = set()
    for one in found:
        if isinstance(one, str):
            ids.add(one)
        elif isinstance(one, pd.DataFrame | pd.Series):
            ids.update(one.attrs.get("origins", ()))
            if isinstance(one, pd.DataFrame) and "origin" in one:
                ids.update(one["origin"].dropna().astype(str))
        elif hasattr(one, "origins"):
            ids.update(one.origins)
        elif hasattr(one, "origin"):
            ids.add(one.origin)
        elif isinstance(one, Iterable):
            ids.update(_origins(*(one.values() if isinstance(one, dict) else one)))
    return tuple(sorted(ids))


def _sources(origins: Iterable[str]) -> str:
    """Name the publishers, those of one vintage together."""
    cited: dict[str, list[tuple[str, str]]] = {}
    for origin in origins:
        raw = _raw(origin)
        publisher, vintage = (raw.publisher, raw.vintage or "") if raw else (origin, "")
        cited.setdefault(publisher, []).append((vintage, origin))
    groups: dict[str, list[str]] = {}
    for publisher, files in cited.items():
        first, last = min(files)[0], max(files)[0]
        when = f" (vintage {last})" if first == last else f" (vintages {first} to {last})"
        mark = f'<cite data-raw="{escape(files[0][1])}">{escape(publisher)}</cite>'
        groups.setdefault(when if last else "", []).append(mark)
    return "; ".join(f"{', '.join(marks)}{escape(when)}" for when, marks in groups.items())


def _trace(name: str, origins: Sequence[str]) -> str:
    """Lead from the figure to every raw file under it: publisher, vintage, hash."""
    if not origins:
        return ""
    items = []
    for origin, raw in ((origin, _raw(origin)) for origin in origins[:_FILES_SHOWN]):
        of = f"{raw.publisher}, vintage {raw.vintage}" if raw else ""
        known = f", sha256 {raw.sha256[:12]}…: {of}" if raw else ""
        mark = f'<cite data-raw="{escape(origin)}">{escape(origin)}</cite>'
        items.append(f"<li>{mark}{escape(known)}</li>")
    if (more := len(origins) - len(items)) > 0:
        items.append(f"<li>and {more} more, which the command below lists</li>")
    return (
        '<details class="trace"><summary>Trace this chart to the raw files</summary>'
        f"<p>The chart is drawn from the table {name}.csv, the table comes from:</p>"
        f'<ul class="raw">{"".join(items)}</ul>'
        f"<p><code>tradeflows trace {name}</code> names notebook, cell and query too, and compares "
        "every hash with the stored bytes.</p></details>"
    )


def _raw(origin: str) -> store.Raw | None:
    """Return what the store says of a raw file, or None."""
    try:
        return store.describe(origin)
    except (TradeflowsError, OSError):
        return None
