"""A trade table as DuckDB sees it: a frame in place, or Parquet files as a stream.

Everything a sum could get wrong in silence is looked for here, in one pass, before a measure runs:
totals beside their parts, absent months, values that are not numbers, two statistics in one frame.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradeflows.errors import (
    ConfidentialValueWarning,
    DoubleCountedTotals,
    EstimatedQuantityWarning,
    SchemaMismatch,
)

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = [
    "CODED",
    "LARGEST",
    "PAIR",
    "PREFIXES",
    "Relation",
    "census",
    "keys",
    "month",
    "opened",
    "too_large",
    "unique",
    "usable",
]

PAIR = ("reporter", "partner", "flow", "code")
LARGEST = "1.7976931348623157e308"  # NaN compares as larger in DuckDB and in Spark
WORLD = ("World", "WLD", "W00")
CODED = "{}__coded"  # column of integers that stand for the text of a key
PREFIXES = {"chapter": 2, "heading": 4, "subheading": 6}
MEMORY = "3GB"  # beyond it DuckDB spills to disk


@dataclass(frozen=True)
class Relation:
    """An open table named ``trade`` and the columns it has."""

    connection: duckdb.DuckDBPyConnection
    columns: tuple[str, ...]

    def frame(self, query: str) -> pd.DataFrame:
        """Run a query; numbers beyond float64 are an error, never infinity."""
        import duckdb

        try:
            rows: pd.DataFrame = self.connection.sql(query).df()
        except duckdb.OutOfRangeException as error:
            raise too_large(str(error).splitlines()[0]) from None
        return rows


def too_large(found: str) -> SchemaMismatch:
    """Return the error for numbers that leave the range of float64."""
    return SchemaMismatch(
        f"values or weights leave the range of 64-bit numbers ({found})",
        "USD and kg between 1e-300 and 1e300, with ratios in that range too",
        "look for unit errors in value_usd and the weight column, or rescale both",
    )


def keys(columns: Sequence[str], by: Sequence[str]) -> dict[str, str]:
    """Return the columns that tell one product from another, and their SQL."""
    unknown = [name for name in by if name not in columns and name not in PREFIXES]
    if unknown:
        raise SchemaMismatch(
            f"by={tuple(by)} names {unknown}, which the table does not have",
            f"columns of the table ({', '.join(columns)}) or {', '.join(PREFIXES)}",
            "add the column, or group by another",
        )
    found = {}
    for name in (*(pair for pair in PAIR if pair in columns), *by):
        text = name if name in columns else f"left(code, {PREFIXES[name]})"
        found[name] = CODED.format(name) if CODED.format(name) in columns else text
    return found


def month(columns: Sequence[str]) -> str:
    """Return the SQL of a row's month, counted from year 0."""
    name = CODED.format("month")
    return name if name in columns else "12 * year(period) + month(period) - 1"


@contextmanager
def opened(trade: Any, needed: Sequence[str]) -> Iterator[Relation]:
    """Open a frame, an Arrow table, or the path of Parquet files (a glob works) as ``trade``.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Frames are read in place; Parquet files stream and may be larger than memory.
    needed : sequence of str
        Columns without which the measure means nothing.

    Yields
    ------
    Relation
        Closed when the block ends.

    Raises
    ------
    SchemaMismatch
        A needed column is missing, codes are numbers, or periods are not dates.
    """
    with _database(os.environ.get("TRADEFLOWS_THREADS", "")).cursor() as connection:
        if isinstance(trade, str | Path):
            files = str(trade).replace("'", "''")
            scan = f"SELECT * FROM read_parquet('{files}', union_by_name = true)"  # noqa: S608
            connection.execute(f"CREATE TEMP VIEW trade AS {scan}")
        else:
            _refuse_periods(trade)
            connection.register("trade", trade)
        types = {str(r[0]): str(r[1]) for r in connection.sql("DESCRIBE trade").fetchall()}
        _check_columns(types, needed)
        yield Relation(connection, tuple(types))


@cache
def _database(threads: str) -> duckdb.DuckDBPyConnection:
    """Return the one database in memory; each cursor on it sees its own tables only."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": tempfile.gettempdir(),
    }
    if threads:
        config["threads"] = int(threads)
    return duckdb.connect(config=config)


def _refuse_periods(trade: Any) -> None:
    dtype = str(getattr(trade, "dtypes", {}).get("period", ""))
    if dtype.startswith("period"):
        raise SchemaMismatch(
            f"column 'period' is of type {dtype}",
            "the first day of each month, as a date",
            "use trade.assign(period=trade['period'].dt.to_timestamp())",
        )


def _check_columns(types: dict[str, str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in types]
    if missing:
        raise SchemaMismatch(
            f"no column {', '.join(map(repr, missing))} among {', '.join(types)}",
            f"at least {', '.join(needed)}",
            "rename or add them; tradeflows.tables.TABLES['trade'] says what each means",
        )
    if not (types["period"].startswith("TIMESTAMP") or types["period"] == "DATE"):
        raise SchemaMismatch(
            f"column 'period' is of type {types['period']}",
            "the first day of each month, as a date",
            "use pandas.to_datetime, or CAST(period AS DATE) when writing the file",
        )
    if types["code"] not in ("VARCHAR", "ENUM") and not types["code"].startswith("ENUM"):
        raise SchemaMismatch(
            f"column 'code' is of type {types['code']}: leading zeros are lost",
            "codes as text",
            "read the file with dtype={'code': str}",
        )


def usable(columns: Sequence[str], quantity: str, estimated: str = "unpriced") -> str:
    """Return the SQL of a usable quantity: the number, or NULL where it makes no price.

    A quantity counts if value and quantity are positive, the row is not confidential, and the
    publisher reports it (or estimated it, with ``estimated="accepted"``). Zero or null beside a
    positive value is missing, whatever the flags say.

    Parameters
    ----------
    columns : sequence of str
        Columns of the table; what is absent is taken as reported and open.
    quantity : str
        Column of the quantity.
    estimated : {"unpriced", "accepted"}
        What to do with quantities that the publisher estimated.

    Returns
    -------
    str
        One SQL expression.

    Examples
    --------
    >>> usable(["net_weight_kg"], "net_weight_kg")[:48]
    'CASE WHEN value_usd > 0 AND net_weight_kg > 0 AN'
    """
    if estimated not in ("unpriced", "accepted"):
        raise ValueError(f"estimated={estimated!r}: expected 'unpriced' or 'accepted'")
    rules = ["value_usd > 0", f"{quantity} > 0", f"{quantity} <= {LARGEST}"]
    status = status_column(quantity)
    if status in columns:
        fits = "('reported')" if estimated == "unpriced" else "('reported', 'estimated')"
        rules.append(f"{status} IN {fits}")
    if "confidential" in columns:
        rules.append("NOT confidential")
    return f"CASE WHEN {' AND '.join(rules)} THEN CAST({quantity} AS DOUBLE) END"


def status_column(quantity: str) -> str:
    """Return the name of the column that says how a quantity came about."""
    return "weight_status" if quantity == "net_weight_kg" else f"{quantity}_status"


@dataclass(frozen=True)
class Census:
    """What one pass over the rows of some months found."""

    value_of: dict[Any, float]  # value of each month
    origins: tuple[str, ...]
    annual: bool


_GROUPS = ("freq", "source", "trade_system", "code_system", "flow", "origin", "confidential")


def census(
    relation: Relation, quantity: str, within: str = "TRUE", *, estimated: str = "unpriced"
) -> Census:
    """Look once at all rows and refuse what would be summed wrongly.

    Parameters
    ----------
    relation : Relation
        The open table.
    quantity : str
        Column of the quantity.
    within : str
        SQL condition on ``period``.
    estimated : {"unpriced", "accepted"}
        As in `usable`; estimated weights that are left out are worth a warning.

    Returns
    -------
    Census
        Value of each month that exists, raw files under the rows, whether the rows are annual.

    Raises
    ------
    SchemaMismatch
        Values that are empty, negative or not finite; two statistics in one table.
    DoubleCountedTotals
        Totals beside their parts: levels of the HS, World beside partners, re-exports beside
        exports.
    """
    columns = relation.columns
    groups = {name: name for name in _GROUPS if name in columns}
    length = CODED.format("length")
    groups["level"] = next((n for n in ("level", length) if n in columns), "length(code)")
    if "partner" in columns:
        groups["world"] = f"partner IN {WORLD}"
    status = status_column(quantity)
    guess = f"{status} = 'estimated' AND value_usd > 0" if status in columns else "FALSE"
    listed = ", ".join(f"{sql} AS {name}" for name, sql in groups.items())
    rows = relation.connection.sql(
        f"SELECT CAST(period AS DATE) AS period, {listed}, sum(value_usd) AS value, "  # noqa: S608
        f"count(*) - count(CASE WHEN value_usd >= 0 AND value_usd <= {LARGEST} THEN 1 END) AS bad, "
        f"sum(CASE WHEN {guess} THEN value_usd ELSE 0 END) AS guessed "
        f"FROM trade WHERE {within} GROUP BY ALL"
    ).df()
    _check_numbers(rows)
    _check_single(rows)
    _check_totals(relation, rows, within)
    _warn(rows, estimated)
    return Census(
        rows.groupby("period")["value"].sum().to_dict(),
        tuple(sorted(rows["origin"].dropna().astype(str).unique())) if "origin" in rows else (),
        "freq" in rows and set(rows["freq"]) == {"A"},
    )


def unique(relation: Relation, within: str, quantity: str, months: Sequence[int]) -> None:
    """Refuse a product that stands twice in one period; a bit for each period finds it."""
    columns = relation.columns
    found = keys(columns, ()) | {n: n for n in (f"{quantity}_unit",) if n in columns}
    bits = f"bit_count(bitstring_agg({month(columns)}, {months[0]}, {months[-1] + 11}))"
    query = (
        "SELECT {0} FROM trade WHERE "  # noqa: S608
        f"{within} GROUP BY {{0}} HAVING count(*) > {bits} ORDER BY ALL LIMIT 3"
    )
    names = ", ".join(found)
    if relation.connection.sql(query.format(", ".join(found.values()))).fetchall():
        twice = relation.connection.sql(query.format(names)).df()
        raise SchemaMismatch(
            f"rows share a key, among them {twice.to_dict('records')}",
            f"one row per ({names}, period)",
            "sum them first, or keep one of them",
        )


def _check_numbers(rows: pd.DataFrame) -> None:
    bad = int(rows["bad"].sum())
    if bad or rows["period"].isna().any():
        raise SchemaMismatch(
            f"{bad} rows have a value_usd that is empty, negative or not finite"
            if bad
            else "rows without a period",
            "a value of zero or more and a period in every row",
            "correct the source file; a net flow is two flows",
        )


def _check_single(rows: pd.DataFrame) -> None:
    for name in ("source", "trade_system", "freq"):
        found = sorted(rows[name].dropna().astype(str).unique()) if name in rows else []
        if len(found) > 1:
            raise DoubleCountedTotals(
                f"column {name!r} holds {', '.join(found)}",
                f"one {name}: each describes the same trade",
                f"keep one, e.g. trade[trade[{name!r}] == {found[0]!r}]",
            )


def _check_totals(relation: Relation, rows: pd.DataFrame, within: str) -> None:
    flows = set(rows["flow"].dropna()) if "flow" in rows else set()
    for whole, part in (("X", "RX"), ("M", "RM")):
        if {whole, part} <= flows:
            raise _double(f"flow {part} stands beside {whole}, which includes it", "flow")
    if "world" in rows and len(rows["world"].unique()) > 1:
        raise _double("partner World stands beside its partners", "partner")
    _check_systems(rows)
    hidden = rows["confidential"] if "confidential" in rows else rows["bad"] > 0
    if (
        "level" in relation.columns
        and len(rows.loc[~hidden.astype(bool), "level"].dropna().unique()) > 1
    ):
        found = sorted(rows["level"].dropna().unique().tolist())
        raise _double(f"levels {found} of the HS stand side by side", "level")
    if len(rows["level"].unique()) > 1:
        _check_prefixes(relation, within)


def _check_systems(rows: pd.DataFrame) -> None:
    if "code_system" not in rows:
        return
    months = {str(n): set(g["period"]) for n, g in rows.groupby("code_system")}
    if len(months) > 1:
        if len(set.union(*months.values())) < sum(map(len, months.values())):
            raise _double(f"code systems {', '.join(months)} in one month", "code_system")
        raise SchemaMismatch(
            f"code systems {', '.join(months)} follow each other",
            "one HS revision throughout: a code that splits makes false entry and exit",
            "concord the codes to one revision first",
        )


def _check_prefixes(relation: Relation, within: str) -> None:
    query = f"SELECT DISTINCT code FROM trade WHERE {within}"  # noqa: S608
    codes = {str(r[0]) for r in relation.connection.sql(query).fetchall()}
    for code in sorted(codes):
        parents = [code[:n] for n in range(1, len(code)) if code[:n] in codes]
        if code.isdigit() and parents:
            raise _double(f"code {parents[0]} stands beside {code}, its own part", "level")


def _double(found: str, column: str) -> DoubleCountedTotals:
    wanted = "rows that add up without counting anything twice"
    return DoubleCountedTotals(found, wanted, f"keep one {column} or one level")


def _warn(rows: pd.DataFrame, estimated: str) -> None:
    value = float(rows["value"].sum())
    guessed = float(rows["guessed"].sum())
    if guessed > 0 and estimated == "unpriced":
        warnings.warn(
            f"weights estimated by the publisher stand beside {guessed / value:.1%} of the value; "
            "they make no price",
            EstimatedQuantityWarning,
            stacklevel=4,
        )
    if "confidential" not in rows:
        return
    hidden = float(rows.loc[rows["confidential"].astype(bool), "value"].sum())
    if hidden > 0:
        warnings.warn(
            f"{hidden / value:.1%} of the value stands in pseudo-codes that hide the product; "
            "it stays in, unpriced",
            ConfidentialValueWarning,
            stacklevel=4,
        )
