"""Frames for spreadsheets: CSV and workbooks in which no text is run as a formula."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 80  # letters of a column


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV of ten digits; an apostrophe stops text that begins like a formula.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"who": ["=cmd()", "Türkiye"], "x": [1 / 3, -2.0]})))
    who,x
    '=cmd(),0.3333333333
    Türkiye,-2
    <BLANKLINE>
    """
    out = pd.DataFrame({disarmed(str(c)): _plain(frame[c]) for c in frame})
    text = io.StringIO()
    out.to_csv(text, index=False, float_format="%.10g", lineterminator="\n")
    return text.getvalue()


def _plain(values: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.Series(values.dt.strftime("%Y-%m-%d"))
    return values if pd.api.types.is_numeric_dtype(values) else values.map(disarmed)


def disarmed(cell: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r", " ")  # unquoted in CSV, some readers would begin a new line there
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def workbook(path: str | Path, sheets: Mapping[str, Any]) -> None:
    """Write frames as the sheets of an Excel file; the index is not written.

    Numbers are shown with about three digits and thousands apart; the cells hold all digits.
    """
    with pd.ExcelWriter(path, engine="openpyxl", datetime_format="yyyy-mm-dd") as book:
        for name, frame in sheets.items():
            safe = pd.DataFrame(frame).rename(columns=lambda c: disarmed(str(c))).map(disarmed)
            safe.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
            page = book.sheets[name]
            for n, column in enumerate(safe, 1):
                letters = max(map(len, map(str, [column, *safe[column].head(100)])))
                letter = page.cell(1, n).column_letter
                page.column_dimensions[letter].width = min(letters + 2, _WIDEST)
                if pd.api.types.is_float_dtype(safe[column]):
                    large = safe[column].abs().max() >= 1000
                    for cell in page[letter][1:]:
                        cell.number_format = "#,##0" if large else "0.000"
