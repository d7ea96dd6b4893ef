"""Frames as text, and shown: CSV that a spreadsheet will not run, HTML tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from tradeflows.words import NONE, html_text, is_yearly, period_text, scale_for

__all__ = ["framed", "kind_of", "table_html"]

_ROWS_SHOWN = 40
_SHORT, _LONG = 14, 28  # letters: a cell of one line, and of several


def framed(table: Any) -> pd.DataFrame:
    """Return any table as a frame of pandas: Series, mapping, Polars, Arrow.

    Examples
    --------
    >>> framed({"gas": 1.0}).to_dict()
    {'value': {'gas': 1.0}}
    """
    if hasattr(table, "to_pandas"):
        table = table.to_pandas()
    if isinstance(table, Mapping):
        table = pd.Series(table, dtype=float)
    if isinstance(table, pd.Series):
        return table.to_frame(table.name or "value")
    return pd.DataFrame(table)


def table_html(frame: pd.DataFrame, *, label: str, unit: str = "") -> str:
    """Write a frame as an HTML table for people: scaled, rounded, escaped.

    Parameters
    ----------
    frame : pandas.DataFrame
        The first column names the rows; numeric columns are in `unit`.
    label : str
        What the table holds: its caption, and its name for screen readers.
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
    words = " · ".join(escape(w) for w in (label, scale.unit) if w)
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{escape(label)}">'
        f'<table class="data"><caption>{words}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        f"{foot}</div>"
    )


def _look(cells: list[str], left: bool) -> str:
    """Return the class of a column: text on the left, broken into lines where it is long."""
    if not left:
        return ""
    longest = max(map(len, cells), default=0)
    if longest > _LONG:
        return "text long"
    if longest > _SHORT:
        return "text wrap"
    return "text" if any(" " in cell for cell in cells) else "text word"


def _cell(text: str, tag: str, scope: str, look: str) -> str:
    kind = f' scope="{scope}"' if scope else ""
    css = f' class="{look}"' if look else ""
    return f"<{tag}{kind}{css}>{html_text(text)}</{tag}>"


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


def kind_of(values: pd.Series) -> str:
    """Return the Frictionless type of a column."""
    kinds = pd.api.types
    if kinds.is_bool_dtype(values):
        return "boolean"
    if kinds.is_integer_dtype(values):
        return "integer"
    if kinds.is_numeric_dtype(values):
        return "number"
    return "date" if kinds.is_datetime64_any_dtype(values) else "string"
