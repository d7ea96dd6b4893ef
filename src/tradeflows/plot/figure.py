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
from typing import Any, TypedDict

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from tradeflows import store
from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.plot import MIME
from tradeflows.plot.drawn import drawn
from tradeflows.plot.style import GREY, STYLE, dressed, least_text, svg, wrapped
from tradeflows.plot.tables import csv_text, disarmed, kind_of, table_html

__all__ = ["Figure", "Words", "finish", "made", "origins_of"]

_FILES_SHOWN = 15
_PHONE = 354  # pixels that a phone of 390 leaves a chart
_LEGIBLE = 10.0  # pixels of the smallest text there; below it the chart scrolls


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
    phone : matplotlib.figure.Figure, optional
        Another form for a phone, for a chart that cannot serve one.
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
    phone: Canvas | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", self.name):
            raise SchemaMismatch(
                f"figure name {self.name!r}",
                "lower-case letters, digits and hyphens, beginning with a letter",
                "rename the figure: its name becomes an id and a file name",
            )
        missing = [w for w in ("title", "alt") if not getattr(self, w).strip()]
        if missing:
            raise SchemaMismatch(
                f"figure {self.name!r} without {' and '.join(missing)}",
                "a title that states the finding and a text that says what the chart shows",
                f"pass {missing[0]}=",
            )

    @property
    def caption(self) -> str:
        """Unit · period · note · source · vintage."""
        files = [raw for raw in map(_raw, self.origins) if raw]
        source = self.source or ", ".join(dict.fromkeys(raw.publisher for raw in files))
        dates = sorted({raw.vintage for raw in files if raw.vintage})
        vintage = " to ".join(dict.fromkeys([*dates[:1], *dates[-1:]]))
        vintage = f"vintage{'s' * (len(dates) > 1)} {vintage}" if vintage else ""
        return " · ".join(c for c in (*self._lead(), source, vintage) if c)

    def _lead(self) -> tuple[str, ...]:
        return tuple(c for c in (self.unit, self.period, self.note) if c)

    @property
    def axes(self) -> list[Axes]:
        """All axes of the chart."""
        return list(self.fig.axes)

    @property
    def ax(self) -> Axes:
        """The first axes of the chart."""
        return self.fig.axes[0]

    def csv(self) -> str:
        """Return the table behind the chart: ten significant digits, nothing a sheet would run."""
        return csv_text(self.table)

    def svg(self) -> str:
        """Return the chart as SVG, its ink in the colour of the text around it."""
        return svg(self.fig, f"{self.name}-w")

    def png(self, path: str | Path | None = None, *, dpi: int = 200) -> bytes:
        """Return the chart between its words as PNG, and write it where a path is given."""
        picture, texts = io.BytesIO(), []
        made_up = any(raw and raw.query.get("generated") for raw in map(_raw, self.origins))
        foot = "Made-up trade, not a statistic. " if made_up else ""
        foot += unescape(re.sub(r"<[^>]+>", "", self._cited()))
        with rc_context(STYLE):
            wide, high = self.fig.get_size_inches()
            self.fig.draw_without_rendering()
            box = self.fig.get_tightbbox()
            lead = wrapped(" · ".join(self._lead()), int(13.5 * wide))
            over = box.y1 + 0.16 + 0.19 * (lead.count("\n") + 1)
            for text, y, look in (
                (lead, box.y1 + 0.1, {"va": "bottom"}),
                (wrapped(self.title, int(10.5 * wide)), over,
                 {"va": "bottom", "fontsize": 12, "fontweight": "bold"}),
                (wrapped(foot, int(15 * wide)), box.y0 - 0.1,
                 {"va": "top", "fontsize": 9, "color": GREY}),
            ):  # fmt: skip
                texts.append(self.fig.text(box.x0 / wide, y / high, text, None, **look))
            try:
                self.fig.savefig(
                    picture, dpi=dpi, facecolor="white", metadata={"Software": None},
                    format="png", bbox_inches="tight", pad_inches=0.15,
                )  # fmt: skip
            finally:
                for written in texts:
                    written.remove()
        if path is not None:
            Path(path).write_bytes(picture.getvalue())
        return picture.getvalue()

    def _cited(self) -> str:
        """Name the publishers, with a mark that a page makes a link to the raw file."""
        named = "; ".join(part for part in (escape(self.source), _sources(self.origins)) if part)
        return f"Source: {named}. " if named else ""

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.csv().encode()).decode()
        charts = _labelled(self.svg(), self.alt, self.fig, "wide" if self.phone else "")
        if self.phone:
            small = svg(self.phone, f"{self.name}-n")
            charts += _labelled(small, self.alt, self.phone, "narrow")
        scroll = ' style="overflow-x:auto" tabindex="0"' if "min-width" in charts else ""
        end = "" if self.title.rstrip().endswith((".", "?", "!")) else "."
        return (
            f'<figure id="{self.name}" style="max-width:46rem;margin:1.6em 0">'
            f"<figcaption><b>{escape(self.title)}{end}</b> "
            f'<span class="unit">{escape(" · ".join(self._lead()))}</span></figcaption>'
            f'<div class="chart"{scroll}>{charts}</div>'
            f'<div class="origin">{self._cited()}<a download="{self.name}.csv" '
            f'href="data:text/csv;charset=utf-8;base64,{data}">Data as CSV'
            f"<span hidden> of {escape(self.name)}</span></a></div>"
            f'<details class="as-table"><summary>Read this chart as a table</summary>'
            f"{table_html(self.table, label=f'Table: {self.title}', unit=self.base)}"
            f"</details>{_trace(self.name, self.origins)}</figure>"
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
            "fields": [
                {"name": disarmed(str(c)), "type": kind_of(self.table[c])} for c in self.table
            ],
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
    name: str = "",
    alt: str = "",
    period: str = "",
    note: str = "",
    table: pd.DataFrame | None = None,
    origins: Any = (),
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
    name : str
        Slug: id in the page and name of the files; by default the first words of the title. Name a
        figure whose title changes with its numbers.
    alt : str
        What the chart shows; by default the title and the ends of each series.
    period : str
        For the caption; by default the span of the dates drawn.
    note : str
        Further words for the caption.
    table : pandas.DataFrame, optional
        The numbers behind the chart; by default what is drawn: lines, bars and points.
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
        No title, a name that is no slug, or nothing drawn and no `table`.

    Examples
    --------
    >>> imports = pd.DataFrame({"imports": [17.8, 29.0]}, index=[2020, 2021])
    >>> figure = finish(imports.plot(), "Imports rose by 11 bn USD", "bn USD", "TÜİK")
    >>> figure.name, figure.caption
    ('imports-rose-by-bn-usd', 'bn USD · 2020 to 2021 · TÜİK')
    >>> figure.table["imports"].tolist()
    [17.8, 29.0]
    """
    canvas = np.ravel(np.array(ax, dtype=object))[0].get_figure(root=True)
    if canvas is None:
        raise SchemaMismatch("axes of no figure", "axes that are drawn", "plot first, then finish")
    assert isinstance(canvas, Canvas)  # noqa: S101 - the root of any axes
    plt.close(canvas)  # it shows itself, once
    shown = drawn(canvas.axes)
    if table is None and shown.table.empty:
        raise SchemaMismatch(
            "a chart without lines, bars or points", "numbers that are drawn", "pass table="
        )
    with rc_context(STYLE):
        dressed(canvas)
    return made(
        canvas, shown.table if table is None else table, title, unit, source,
        name=name, alt=alt or f"{title}. {shown.words}", period=period or shown.span, note=note,
        origins=origins,
    )  # fmt: skip


def made(
    canvas: Canvas, table: pd.DataFrame, title: str, unit: str, source: str, *, name: str = "",
    alt: str = "", period: str = "", note: str = "", origins: Any = (), base: str = "",
    phone: Canvas | None = None,
) -> Figure:  # fmt: skip
    """Bind a chart to its words; `base` is the unit of the table where the chart is scaled."""
    for form in (canvas, phone):
        if form is not None:
            form.draw_without_rendering()
            form.set_layout_engine("none")  # laid out once: however often it is shown, it stays
    return Figure(
        name=name or _slug(title),
        title=title,
        alt=alt or title,
        table=table.drop(columns="origin", errors="ignore").reset_index(drop=True),
        fig=canvas,
        unit=unit,
        period=period,
        note=note,
        source=source,
        origins=origins_of(origins, table),
        base=base,
        phone=phone,
    )


def _slug(title: str) -> str:
    """Return a name of a title's first words, without their numbers."""
    plain = unicodedata.normalize("NFKD", title.lower()).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z]+", plain)[:8]) or "figure"


def origins_of(*found: Any) -> tuple[str, ...]:
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
            ids.update(origins_of(*(one.values() if isinstance(one, dict) else one)))
    return tuple(sorted(ids))


def _labelled(chart: str, alt: str, canvas: Canvas, css: str) -> str:
    """Label a chart: as wide as its text reads well, and scrolled where it would be too small."""
    opening, rest = chart.split(">", 1)
    wide = float(re.findall(r' width="([\d.]+)pt"', opening)[0]) * 96 / 72
    readable = _LEGIBLE / (least_text(canvas) * 96 / 72) * wide
    style = f"width:100%;max-width:{wide * 1.25:.0f}px;height:auto"
    if readable > _PHONE + 1:
        style += f";min-width:{readable:.0f}px"
    size = re.sub(r' (?:width|height)="[\d.]+pt"', "", opening)
    kind = f' class="{css}"' if css else ""
    if css == "narrow":
        style = "display:none"
    label = f'<svg role="img" aria-label="{escape(alt)}"{kind} style="{style}"'
    return size.replace("<svg", label, 1) + ">" + rest


def _sources(origins: Iterable[str]) -> str:
    """Name the publishers, those of one vintage together."""
    cited: dict[str, list[tuple[str, str]]] = {}
    for origin in origins:
        raw = _raw(origin)
        publisher, vintage = (raw.publisher, raw.vintage or "") if raw else (origin, "")
        cited.setdefault(publisher, []).append((vintage, origin))
    groups: dict[str, list[str]] = {}
    for publisher, files in cited.items():
        first, last = min(v for v, _ in files), max(v for v, _ in files)
        when = f"vintage {last}" if first == last else f"vintages {first} to {last}"
        mark = f'<cite data-raw="{escape(files[0][1])}">{escape(publisher)}</cite>'
        groups.setdefault(when if last else "", []).append(mark)
    words = [
        ", ".join(marks) + (f" ({escape(when)})" if when else "") for when, marks in groups.items()
    ]
    return "; ".join(words)


def _trace(name: str, origins: Sequence[str]) -> str:
    """Lead from the figure to every raw file under it: publisher, vintage, hash."""
    if not origins:
        return ""
    items = []
    for origin in origins[:_FILES_SHOWN]:
        raw = _raw(origin)
        mark = f'<cite data-raw="{escape(origin)}">{escape(origin)}</cite>'
        items.append(
            f"<li>{mark}, sha256 {escape(raw.sha256[:12])}…: {escape(raw.publisher)}, "
            f"vintage {escape(raw.vintage)}</li>"
            if raw
            else f"<li>{mark}</li>"
        )
    more = len(origins) - len(items)
    rest = f"<li>and {more} more, which the command below lists</li>" if more > 0 else ""
    return (
        '<details class="trace"><summary>Trace this chart to the raw files</summary>'
        f"<p>The chart is drawn from the table {name}.csv, the table comes from:</p>"
        f'<ul class="raw">{"".join(items)}{rest}</ul>'
        f"<p><code>tradeflows trace {name}</code> names notebook, cell and query too, and compares "
        "every hash with the stored bytes.</p></details>"
    )


def _raw(origin: str) -> store.Raw | None:
    """Return what the store says of a raw file, or None."""
    try:
        return store.describe(origin)
    except (TradeflowsError, OSError):
        return None
