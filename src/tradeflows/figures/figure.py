"""A figure: chart, words and the table behind it, shown as one piece of HTML."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib import rc_context

from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.figures import MIME
from tradeflows.figures.numbers import NONE, is_yearly, period_text, scale_for
from tradeflows.figures.style import NARROW, STYLE, WIDE, Draw, svg

__all__ = ["Figure", "csv_text", "table_html"]

_ROWS_SHOWN = 80
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        with rc_context(STYLE):
            self.draw(WIDE).savefig(
                path, dpi=dpi, facecolor="white", metadata={"Software": None}, format="png"
            )
        return Path(path)

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
            f"{_files(self.origins)}</details></figure>"
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
            "fields": [
                {"name": _disarmed(str(c)), "type": _type(self.table[c])} for c in self.table
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
    cited: dict[str, dict[str, str]] = {}
    for origin in origins:
        publisher, vintage = _known(origin)
        cited.setdefault(vintage, {}).setdefault(publisher, origin)
    groups = []
    for vintage, publishers in cited.items():
        marks = [
            f'<cite data-raw="{escape(raw)}">{escape(publisher)}</cite>'
            for publisher, raw in publishers.items()
        ]
        groups.append(", ".join(marks) + (f" (vintage {escape(vintage)})" if vintage else ""))
    return f"Source: {'; '.join(groups)}. " if groups else ""


def _files(origins: Iterable[str]) -> str:
    """Name every raw file under a figure, with the beginning of its hash."""
    marks = []
    for origin in origins:
        raw = _raw(origin)
        digest = f", sha256 {escape(raw.sha256[:12])}…" if raw else ""
        marks.append(f'<cite data-raw="{escape(origin)}">{escape(origin)}</cite>{digest}')
    return f'<p class="raw">Raw files: {"; ".join(marks)}.</p>' if marks else ""


def _known(origin: str) -> tuple[str, str]:
    """Return publisher and vintage of a raw file, or its id where nothing is known of it."""
    raw = _raw(origin)
    return (str(raw.publisher), str(raw.vintage or "")) if raw else (origin, "")


def _raw(origin: str) -> Any:
    """Return what the store says of a raw file, or None."""
    try:
        from tradeflows import store

        return store.describe(origin)
    except (ImportError, TradeflowsError, OSError):
        return None


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV that a spreadsheet will not run.

    Parameters
    ----------
    frame : pandas.DataFrame
        The index is not written.

    Returns
    -------
    str
        Ten significant digits; text that begins like a formula gets an apostrophe before it.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"who": ["=cmd()", "Türkiye"], "x": [1 / 3, -2.0]})))
    who,x
    '=cmd(),0.3333333333
    Türkiye,-2
    <BLANKLINE>
    """
    out = pd.DataFrame({_disarmed(str(c)): _plain(frame[c]) for c in frame})
    text = io.StringIO()
    out.to_csv(text, index=False, float_format="%.10g", lineterminator="\n")
    return text.getvalue()


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(values.dt.strftime("%Y-%m-%d"))
    return values if pd.api.types.is_numeric_dtype(values) else values.map(_disarmed)


def _disarmed(cell: Any) -> Any:
    dangerous = isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA)
    return f"'{cell}" if dangerous else cell


def table_html(frame: pd.DataFrame, *, label: str, unit: str = "") -> str:
    """Write a frame as an HTML table for people: scaled, rounded, escaped.

    Parameters
    ----------
    frame : pandas.DataFrame
        The first column names the rows; numeric columns are in `unit`.
    label : str
        What the table holds, for screen readers.
    unit : str
        Unit of the numeric columns.

    Returns
    -------
    str
        A table in a wrapper that scrolls by keyboard.

    Examples
    --------
    >>> "58.8" in table_html(pd.DataFrame({"y": ["2022"], "USD": [58.8e9]}), label="x", unit="USD")
    True
    """
    numbers = [c for c in frame if pd.api.types.is_float_dtype(frame[c])]
    largest = max((float(frame[c].abs().max()) for c in numbers), default=0.0)
    scale = scale_for(largest if largest == largest else 0.0, unit)
    few = frame.head(_ROWS_SHOWN)
    columns = [_texts(few[c], scale.factor) for c in few]
    left = [not pd.api.types.is_numeric_dtype(few[c]) for c in few]
    looks = [_look(cells, text) for cells, text in zip(columns, left, strict=True)]
    head = "".join(_cell(str(c), "th", "col", look) for c, look in zip(few, looks, strict=True))
    rows = "".join(
        "<tr>"
        + "".join(
            _cell(cell, "td" if k else "th", "" if k else "row", looks[k])
            for k, cell in enumerate(row)
        )
        + "</tr>"
        for row in zip(*columns, strict=True)
    )
    more = len(frame) - len(few)
    foot = f"<p>{more} more rows are in the CSV.</p>" if more > 0 else ""
    words = f"<caption>{escape(scale.unit)}</caption>" if scale.unit else ""
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{escape(label)}">'
        f'<table class="data">{words}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f"{foot}</div>"
    )


def _look(cells: list[str], left: bool) -> str:
    """Return the class of a column: text on the left, long text in a wide column."""
    if not left:
        return ""
    return "text long" if max(map(len, cells), default=0) > 28 else "text"


def _cell(text: str, tag: str, scope: str, look: str) -> str:
    kind = f' scope="{scope}"' if scope else ""
    css = f' class="{look}"' if look else ""
    return f"<{tag}{kind}{css}>{escape(text)}</{tag}>"


def _texts(values: pd.Series, factor: float) -> list[str]:
    """Return a column's cells as people write them."""
    if pd.api.types.is_datetime64_any_dtype(values):
        yearly = is_yearly(pd.DatetimeIndex(values))
        return [f"{t:%Y}" if yearly else period_text(t) for t in values]
    if pd.api.types.is_float_dtype(values):
        largest = float(values.abs().max()) / factor
        scale = scale_for(largest if largest == largest else 0.0, "")
        return [scale.text(float(v) / factor) for v in values.astype("float64")]
    return [NONE if pd.isna(v) else str(v) for v in values]


def _type(values: pd.Series) -> str:
    """Return the Frictionless type of a column."""
    kinds = pd.api.types
    if kinds.is_bool_dtype(values):
        return "boolean"
    if kinds.is_integer_dtype(values):
        return "integer"
    if kinds.is_numeric_dtype(values):
        return "number"
    return "date" if kinds.is_datetime64_any_dtype(values) else "string"
