"""The canonical tables: every column's name, type, unit and meaning, as `tables.csv` lists them.

`validate` turns a frame into the table or says which row breaks which promise.
"""

from __future__ import annotations

import csv
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from tradeflows.errors import SchemaMismatch

STATUS = ("reported", "estimated", "missing")


@dataclass(frozen=True)
class Column:
    """One column of a table: what it holds, in which unit, and what may not stand in it."""

    name: str
    dtype: str  # str, float, int, bool or period
    key: bool  # values of all key columns together are unique
    nullable: bool
    signed: bool
    allowed: tuple[str, ...]
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A table: its columns in order."""

    name: str
    columns: tuple[Column, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns."""
        return tuple(c.name for c in self.columns)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Return the names of the columns whose values together are unique."""
        return tuple(c.name for c in self.columns if c.key)


def _column(row: dict[str, str]) -> Column:
    key, nullable, signed = (row[name] == "yes" for name in ("key", "nullable", "signed"))
    allowed = tuple(filter(None, row["allowed"].split("|")))
    return Column(
        row["name"], row["dtype"], key, nullable, signed, allowed, row["unit"], row["meaning"]
    )


with Path(__file__).with_name("tables.csv").open(encoding="utf-8", newline="") as _handle:
    _listed = list(csv.DictReader(_handle))
TABLES = {
    name: Table(name, tuple(_column(row) for row in _listed if row["table"] == name))
    for name in dict.fromkeys(row["table"] for row in _listed)
}

_TOO_LARGE = 2.0**53  # from here on floats skip whole numbers
_PANDAS = {"str": "str", "float": "float64", "int": "Int64", "bool": "bool"}


def empty(name: str) -> pd.DataFrame:
    """Return the table without rows: all columns, all types."""
    nothing = pd.Series([], dtype=object)
    return pd.DataFrame({c.name: _cast(nothing, c) for c in TABLES[name].columns})


def validate(
    frame: pd.DataFrame, name: str, *, where: str = "frame", more: Sequence[Hashable] = ()
) -> pd.DataFrame:
    """Check a frame against a table and return it with the table's columns, types and order.

    ``more`` names columns that follow as they are.
    """
    table = TABLES[name]
    _check_columns(frame.drop(columns=list(more)), table, where)
    data = {c.name: _checked(frame[c.name], c, frame, where) for c in table.columns}
    out = pd.DataFrame(data | {c: frame[c] for c in more}, index=frame.index)
    twice = out.duplicated(list(table.key), keep=False)
    if twice.any():
        alike = out[twice].groupby(list(table.key), dropna=False).nunique(dropna=False).le(1).all()
        apart = ", ".join(alike.index[~alike]) or "nothing"
        raise SchemaMismatch(
            f"{where}: {int(twice.sum())} rows share a key; they differ in {apart}"
            f"\n{_show(out, twice, table.key)}",
            f"one row per ({', '.join(table.key)})",
            "drop rows that are the same, frame.drop_duplicates(); sum parts, such as customs"
            " regimes or ports: frame.groupby([…the columns of the key…], as_index=False).sum()",
        )
    return out.sort_values(list(table.key), kind="stable").reset_index(drop=True)


def _check_columns(frame: pd.DataFrame, table: Table, where: str) -> None:
    missing = [n for n in table.names if n not in frame.columns]
    unknown = [str(n) for n in frame.columns if n not in table.names]
    if missing or unknown:
        parts = [f"missing {missing}"] * bool(missing) + [f"unknown {unknown}"] * bool(unknown)
        raise SchemaMismatch(
            f"{where}: columns {' and '.join(parts)}",
            f"the columns of table {table.name!r}: {', '.join(table.names)}",
            "rename or add them; tradeflows.tables.TABLES says what each means",
        )


def _checked(values: pd.Series, column: Column, frame: pd.DataFrame, where: str) -> pd.Series:
    try:
        cast = _cast(values, column)
    except (ValueError, TypeError) as error:
        raise SchemaMismatch(
            f"{where}: column {column.name!r} holds {values.dtype} such as {values.iloc[0]!r}"
            f" ({error})",
            f"{column.dtype}: {column.meaning}",
            "read codes as text (dtype=str) and numbers as numbers",
        ) from None
    odd = cast.notna() & ~cast.isin(column.allowed) if column.allowed else cast.isna() & False
    promises = [
        (cast.isna() & (not column.nullable), "empty", "a value in every row"),
        (odd, "not allowed", f"one of {', '.join(column.allowed)}"),
    ]
    if column.dtype == "float":
        endless = pd.Series(np.isinf(cast), index=cast.index)
        promises += [
            (endless, "not finite", "finite numbers"),
            ((cast < 0) & (not column.signed), "negative", f"zero or more ({column.unit})"),
        ]
    for bad, found, expected in promises:
        if bad.any():
            raise SchemaMismatch(
                f"{where}: column {column.name!r}, {int(bad.sum())} rows are {found}\n"
                f"{_show(frame, bad, tuple(frame.columns))}",
                expected,
                "correct the source file, or state the correction in corrections.yml",
            )
    return cast


def _cast(values: pd.Series, column: Column) -> pd.Series:
    if column.dtype == "period":
        days = values
        if days.dtype != "datetime64[us]":
            days = pd.to_datetime(values, format="ISO8601").dt.as_unit("us").dt.tz_localize(None)
        if (days.dt.year < 1).any():
            msg = "a year before 1, which no calendar of Python knows"
            raise ValueError(msg)
        return days
    if column.dtype == "str" and pd.api.types.is_numeric_dtype(values) and values.notna().any():
        msg = "numbers where text belongs: leading zeros would be lost"
        raise TypeError(msg)
    if column.dtype == "bool" and not (
        values.empty or pd.api.types.is_bool_dtype(values) or values.isin([True, False]).all()
    ):
        msg = "neither true nor false"
        raise TypeError(msg)
    if column.dtype == "int" and (values.astype("float64").abs() >= _TOO_LARGE).any():
        msg = "numbers larger than a whole number may be"
        raise ValueError(msg)
    if values.dtype == _PANDAS[column.dtype]:
        return values
    return values.astype(_PANDAS[column.dtype])  # type: ignore[call-overload,no-any-return]


def _show(frame: pd.DataFrame, rows: pd.Series, columns: tuple[str, ...]) -> str:
    """Return the first offending rows as text, with their line in the frame."""
    few = frame.loc[rows.to_numpy(), list(columns)].head(3)
    return few.to_string(max_colwidth=40)
