"""A figure: chart, words and the table behind it, shown as one piece of HTML."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context

from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.figures.style import NARROW, STYLE, WIDE, Draw, svg
from tradeflows.plot import MIME
from tradeflows.plot.tables import csv_text, disarmed, kind_of, table_html

__all__ = ["Figure", "figure"]

_FILES_SHOWN = 15


@dataclass(frozen=True)
class Figure:
    """A chart with its words and the table behind it.

    Attributes
    ----------
    name : str
        Slug: id in the page and name of the downloaded file.
    title : str
        The finding, in a sentence.
    caption : str
        Unit, period and notes.
    alt : str
        What the chart shows, for those who do not see it.
    table : pandas.DataFrame
        The numbers behind the chart.
    origins : tuple of str
        Ids of the raw files under it.
    svg : str
        The chart; `narrow` is the same chart drawn for a phone.
    """

    name: str
    title: str
    caption: str
    alt: str
    table: pd.DataFrame = field(repr=False, compare=False)
    origins: tuple[str, ...] = ()
    svg: str = field(default="", repr=False)
    narrow: str = field(default="", repr=False)
    unit: str = ""
    draw: Draw | None = field(default=None, repr=False, compare=False)

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

    def csv(self) -> str:
        """Return the table behind the chart as CSV text.

        Returns
        -------
        str
            Ten significant digits; text that a spreadsheet would run as a formula is quoted.
        """
        return csv_text(self.table)

    def png(self, path: str | Path, *, dpi: int = 200) -> Path:
        """Write the chart as a PNG file.

        Parameters
        ----------
        path : str or Path
        dpi : int

        Returns
        -------
        Path
        """
        if self.draw is None:
            raise SchemaMismatch(
                f"figure {self.name!r} holds no drawing", "a figure of this module", "draw it anew"
            )
        Path(path).write_bytes(self._picture(self.draw, dpi))
        return Path(path)

    def _picture(self, draw: Draw, dpi: int) -> bytes:
        """Draw the chart between its words: a picture travels without its page."""
        picture = io.BytesIO()
        made_up = any(raw and raw.query.get("generated") for raw in map(_raw, self.origins))
        source = unescape(re.sub(r"<[^>]+>", "", _sources(self.origins))).strip()
        foot = ("Made-up trade, not a statistic. " if made_up else "") + source
        with rc_context(STYLE):
            canvas = draw(WIDE)
            points = 1 / (72 * canvas.get_figheight())  # of the height
            size, caption = WIDE.size, WIDE.wrap(self.caption, WIDE.width)
            over = 1 + (10 + 1.3 * size * (caption.count("\n") + 1)) * points
            canvas.text(0, over, caption, va="top", fontsize=size)
            canvas.text(
                0, over + 4 * points, WIDE.wrap(self.title, 0.82 * WIDE.width),
                va="bottom", fontsize=size + 2, fontweight="bold",
            )  # fmt: skip
            canvas.text(0, -6 * points, WIDE.wrap(foot, WIDE.width), va="top", fontsize=size - 1)
            canvas.savefig(
                picture, dpi=dpi, facecolor="white", metadata={"Software": None}, format="png",
                bbox_inches="tight", pad_inches=0.15,
            )  # fmt: skip
        return picture.getvalue()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.csv().encode()).decode()
        sources = _sources(self.origins)
        charts = _labelled(self.svg, self.alt, "wide", "width:100%;height:auto")
        if self.narrow:
            charts += _labelled(self.narrow, self.alt, "narrow", "display:none")
        end = "" if self.title.rstrip().endswith((".", "?", "!")) else "."
        return (
            f'<figure id="{self.name}" style="max-width:46rem;margin:1.6em 0">'
            f"<figcaption><b>{escape(self.title)}{end}</b> "
            f'<span class="unit">{escape(self.caption)}</span></figcaption>'
            f'<div class="chart">{charts}</div>'
            f'<div class="origin">{sources}<a download="{self.name}.csv" '
            f'href="data:text/csv;charset=utf-8;base64,{data}">Data as CSV'
            f"<span hidden> of {escape(self.name)}</span></a></div>"
            f'<details class="as-table"><summary>Read this chart as a table</summary>'
            f"{table_html(self.table, label=f'Table: {self.title}', unit=self.unit)}"
            f"</details>{_trace(self.name, self.origins)}</figure>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the figure, and carry its parts for whoever builds pages."""
        del include, exclude  # everything is always offered
        parts = {
            "name": self.name,
            "title": self.title,
            "caption": self.caption,
            "alt": self.alt,
            "origins": list(self.origins),
            "csv": self.csv(),
            "png": base64.b64encode(self._picture(self.draw, 150)).decode() if self.draw else "",
            "fields": [
                {"name": disarmed(str(c)), "type": kind_of(self.table[c])} for c in self.table
            ],
        }
        return {
            "text/html": self._repr_html_(),
            "text/plain": f"{self.title} ({self.caption})",
            MIME: parts,
        }


def figure(
    draw: Draw, table: pd.DataFrame, *, name: str, title: str, alt: str, unit: str,
    caption: Iterable[str | None], origins: Iterable[str],
) -> Figure:  # fmt: skip
    """Draw a chart for screens and phones and bind it to its words and table."""
    return Figure(
        name=name,
        title=title,
        caption=" · ".join(c for c in caption if c),
        alt=alt,
        table=table,
        origins=tuple(origins),
        svg=svg(draw, WIDE, f"{name}-w"),
        narrow=svg(draw, NARROW, f"{name}-n"),
        unit=unit,
        draw=draw,
    )


def _labelled(chart: str, alt: str, css: str, inline: str) -> str:
    size = re.sub(r' (?:width|height)="[\d.]+pt"', "", chart[: chart.index(">")])
    label = f'<svg role="img" aria-label="{escape(alt)}" class="{css}" style="{inline}"'
    return size.replace("<svg", label, 1) + chart[chart.index(">") :]


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
    return f"Source: {'; '.join(words)}. " if words else ""


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


def _raw(origin: str) -> Any:
    """Return what the store says of a raw file, or None."""
    try:
        from tradeflows import store

        return store.describe(origin)
    except (ImportError, TradeflowsError, OSError):
        return None
