"""Frames as text, and shown: CSV that a spreadsheet will not run, HTML tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
from pandas.io.json import build_table_schema

from tradeflows.errors import SchemaMismatch
from tradeflows.spreadsheets import disarmed
from tradeflows.words import NONE, html_text, is_yearly, period_text, scale_for

_ROWS_SHOWN = 40


def framed(table: Any) -> pd.DataFrame:
    """Return any table as a frame of pandas: Series, mapping, Polars, Arrow."""
    if hasattr(table, "to_pandas"):
        table = table.to_pandas()
    if isinstance(table, Mapping):
        table = pd.Series(table, dtype=float)
    if isinstance(table, pd.Series):
        return table.to_frame(table.name or "value")
    return pd.DataFrame(table)


def known(table: pd.DataFrame, what: str, columns: Sequence[str] = ()) -> None:
    """Refuse a table that lacks columns, or numbers to draw."""
    if lost := [c for c in columns if c not in table]:
        raise SchemaMismatch(f"{what} without columns {lost}", ", ".join(columns), "add them")
    if not table.select_dtypes("number").notna().to_numpy().any():
        raise SchemaMismatch(f"{what} without numbers", "at least one number", "check the filter")


def table_html(frame: pd.DataFrame, *, label: str, unit: str = "") -> str:
    """Write a frame as an HTML table for people: scaled, rounded, escaped.

    Parameters
    ----------
    frame : pandas.DataFrame
        The first column names the rows; numeric columns are in `unit`.
    label : str
        What the table holds: its caption.
    unit : str
        Unit of the numeric columns.

    Returns
    -------
    str
        A table; on a page it scrolls, by keyboard too.

    Examples
    --------
    >>> "58.8" in table_html(pd.DataFrame({"y": ["2022"], "USD": [58.8e9]}), label="x", unit="USD")
    True
    """
    numbers = [c for c in frame if pd.api.types.is_float_dtype(frame[c])]
    largest = max((float(frame[c].abs().max()) for c in numbers), default=0.0)
    scale = scale_for(largest if largest == largest else 0.0, unit)
    few = frame.head(_ROWS_SHOWN)
    left = [not pd.api.types.is_numeric_dtype(few[c]) for c in few]
    columns = [_texts(few[c], scale.factor) for c in few]
    head = "".join(_cell(str(c), "th", text) for c, text in zip(few, left, strict=True))
    rows = "".join(
        f"<tr>{''.join(map(_cell, row, ['th', *['td'] * (len(row) - 1)], left))}</tr>"
        for row in zip(*columns, strict=True)
    )
    more = len(frame) - len(few)
    foot = f"<p>{more} more rows are in the CSV.</p>" if more > 0 else ""
    words = " · ".join(escape(w) for w in (label, scale.unit) if w)
    return (
        f'<table class="dataframe"><caption>{words}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{foot}"
    )


def _cell(text: str, tag: str, left: bool) -> str:
    look = ' style="text-align:left"' if left else ""
    return f"<{tag}{look}>{html_text(text)}</{tag}>"


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


def fields(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return name and Frictionless type of every column, as the CSV has them."""
    schema: Any = build_table_schema(table, index=False, version=False)
    kinds = {"datetime": "date", "any": "string"}
    return [{"name": disarmed(str(f["name"])), "type": kinds.get(f["type"], f["type"])}
            for f in schema["fields"]]  # fmt: skip
