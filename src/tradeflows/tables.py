"""The canonical tables: every column's name, type, unit and meaning, defined once.

`validate` turns a frame into the table or says which row breaks which promise.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeflows.errors import SchemaMismatch

__all__ = ["TABLES", "Column", "Table", "empty", "validate"]

STATUS = ("reported", "estimated", "missing")


@dataclass(frozen=True)
class Column:
    """One column of a table: what it holds, in which unit, and what may not stand in it."""

    name: str
    dtype: str  # str, float, int, bool or period
    meaning: str
    unit: str = ""
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    signed: bool = False


@dataclass(frozen=True)
class Table:
    """A table: its columns in order and the columns whose values together are unique."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(c.name for c in self.columns))


_ORIGIN = Column("origin", "str", "id of the raw file the row was read from")
_PERIOD = Column("period", "period", "first day of the month or year")
_SOURCE = Column("source", "str", "publisher of the statistic")
_VINTAGE = Column("vintage", "str", "date on which the publisher's data were taken, YYYY-MM-DD")

TRADE = Table(
    "trade",
    "merchandise trade between a reporter and a partner",
    (
        _ORIGIN,
        _SOURCE,
        _VINTAGE,
        Column("trade_system", "str", "trade system", allowed=("general", "special", "unknown")),
        Column("reporter", "str", "country that reports, ISO 3166 alpha-3"),
        Column("partner", "str", "partner country, ISO 3166 alpha-3 or a publisher's special area"),
        Column(
            "flow",
            "str",
            "X exports, M imports, RX re-exports, RM re-imports",
            allowed=("X", "M", "RX", "RM"),
        ),
        Column("freq", "str", "M monthly, A annual", allowed=("M", "A")),
        _PERIOD,
        Column(
            "code_system",
            "str",
            "HS2022, families over some revisions (HS2017-HS2022), or a grouping",
        ),
        Column("code", "str", "code as text, leading zeros kept"),
        Column("level", "int", "digits of the HS code, 0 for totals", nullable=True),
        Column("value_usd", "float", "value of the flow", "USD"),
        Column("valuation", "str", "FOB or CIF", allowed=("FOB", "CIF")),
        Column("net_weight_kg", "float", "net weight", "kg", nullable=True),
        Column("weight_status", "str", "how the weight came about", allowed=STATUS),
        Column("quantity", "float", "supplementary quantity", "see quantity_unit", nullable=True),
        Column("quantity_unit", "str", "unit of quantity", nullable=True),
        Column("quantity_status", "str", "how the quantity came about", allowed=STATUS),
        Column("confidential", "bool", "a pseudo-code that hides the product"),
    ),
    (
        "source",
        "vintage",
        "trade_system",
        "reporter",
        "partner",
        "flow",
        "freq",
        "period",
        "code_system",
        "code",
    ),
)

PRICES = Table(
    "prices",
    "prices, exchange rates and price indices of others",
    (
        _ORIGIN,
        _SOURCE,
        _VINTAGE,
        Column("series", "str", "name of the series"),
        Column("freq", "str", "M monthly, A annual, P other span", allowed=("M", "A", "P")),
        _PERIOD,
        Column("period_end", "period", "first day of the last month covered"),
        Column("value", "float", "price, index or growth", "see unit", signed=True),
        Column("unit", "str", "unit of value"),
    ),
    ("source", "vintage", "series", "freq", "period", "period_end"),
)

VOLUMES = Table(
    "volumes",
    "physical volumes that do not come with a customs value",
    (
        _ORIGIN,
        _SOURCE,
        _VINTAGE,
        Column("series", "str", "what is measured"),
        Column("reporter", "str", "country that reports, ISO 3166 alpha-3"),
        Column("partner", "str", "origin, ISO 3166 alpha-3 or World"),
        Column("freq", "str", "M monthly, A annual", allowed=("M", "A")),
        _PERIOD,
        Column("value", "float", "volume", "see unit"),
        Column("unit", "str", "unit of value"),
    ),
    ("source", "vintage", "series", "reporter", "partner", "freq", "period", "unit"),
)

PUBLISHED = Table(
    "published",
    "figures in print, for cross-checks",
    (
        _ORIGIN,
        Column("id", "str", "id of the figure"),
        Column("topic", "str", "group of figures"),
        Column("indicator", "str", "what the figure says it measures"),
        Column("reporter", "str", "country whose statistics it is", nullable=True),
        Column("statistic", "str", "statistic it is quoted from"),
        Column("partner", "str", "partner as printed", nullable=True),
        Column("flow", "str", "flow as printed", nullable=True),
        Column("scope", "str", "products as printed", nullable=True),
        Column("codes", "str", "HS codes as printed or inferred", nullable=True),
        Column("period_start", "period", "first month"),
        Column("period_end", "period", "last month"),
        Column("value", "str", "figure as printed"),
        Column("unit", "str", "unit as printed"),
        Column("comparison", "str", "growth or context as printed", nullable=True),
        Column("publisher", "str", "who printed it"),
        Column("url", "str", "where", nullable=True),
        Column("published", "str", "when, as far as known", nullable=True),
        Column("note", "str", "what to beware of", nullable=True),
        Column(
            "confidence",
            "str",
            "A official text, B names the statistic, C ambiguous, D passage not seen",
            allowed=("A", "B", "C", "D"),
        ),
    ),
    ("id",),
)

_NOT_DIVIDED = ("quantity", "quantity_unit", "quantity_status")
BREAKDOWNS = Table(
    "breakdowns",
    "trade divided by currency of the invoice, customs office or means of transport",
    (
        *(c for c in TRADE.columns if c.name not in _NOT_DIVIDED),
        Column("by", "str", "what divides it", allowed=("currency", "customs", "transport")),
        Column("category", "str", "the part, in the publisher's own words"),
    ),
    (*TRADE.key, "by", "category"),
)

TABLES: dict[str, Table] = {t.name: t for t in (TRADE, PRICES, VOLUMES, PUBLISHED, BREAKDOWNS)}

_TOO_LARGE = 2.0**53  # from here on floats skip whole numbers
_PANDAS = {"str": "str", "float": "float64", "int": "Int64", "bool": "bool"}


def empty(name: str) -> pd.DataFrame:
    """Return the table without rows: all columns, all types."""
    return pd.DataFrame(
        {c.name: _cast(pd.Series([], dtype=object), c) for c in TABLES[name].columns}
    )


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
        raise SchemaMismatch(
            f"{where}: {int(twice.sum())} rows share a key\n{_show(out, twice, table.key)}",
            f"one row per ({', '.join(table.key)})",
            "keep one of them, or give them different sources or vintages",
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
    for bad, rule in _broken_promises(cast, column):
        if bad.any():
            raise SchemaMismatch(
                f"{where}: column {column.name!r}, {int(bad.sum())} rows are {rule[0]}\n"
                f"{_show(frame, bad, tuple(frame.columns))}",
                rule[1],
                "correct the source file, or state the correction in corrections.yml",
            )
    return cast


def _broken_promises(values: pd.Series, column: Column) -> list[tuple[pd.Series, tuple[str, str]]]:
    checks: list[tuple[pd.Series, tuple[str, str]]] = []
    if not column.nullable:
        checks.append((values.isna(), ("empty", "a value in every row")))
    if column.dtype == "float":
        number = values.astype("float64")
        infinite = pd.Series(np.isinf(number), index=values.index)
        checks.append((infinite, ("not finite", "finite numbers")))
        if not column.signed:
            checks.append((number < 0, ("negative", f"zero or more ({column.unit})")))
    if column.allowed:
        odd = ~values.isin(column.allowed) & values.notna()
        checks.append((odd, ("not allowed", f"one of {', '.join(column.allowed)}")))
    return checks


def _cast(values: pd.Series, column: Column) -> pd.Series:
    if column.dtype == "period":
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
    return values.astype(_PANDAS[column.dtype])  # type: ignore[call-overload,no-any-return]


def _show(frame: pd.DataFrame, rows: pd.Series, columns: tuple[str, ...]) -> str:
    """Return the first offending rows as text, with their line in the frame."""
    few = frame.loc[rows.to_numpy(), list(columns)].head(3)
    return few.to_string(max_colwidth=40)
