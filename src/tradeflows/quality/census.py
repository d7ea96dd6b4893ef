"""What a sum could get wrong in silence, looked for in one pass before a measure runs.

Totals beside their parts, values that are not numbers, two statistics in one frame.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.codes.totals import is_world, one_inside_another
from tradeflows.errors import (
    ConfidentialValueWarning,
    DoubleCountedTotals,
    EstimatedQuantityWarning,
    SchemaMismatch,
)
from tradeflows.quality.concordance import alike
from tradeflows.quality.relation import (
    LARGEST,
    PAIR,
    PREFIXES,
    Relation,
    hidden,
    month,
    named,
    status_column,
)
from tradeflows.tables import STATUS


@dataclass(frozen=True)
class Census:
    """What one pass over the rows of some months found: a row for all that tells them apart."""

    rows: pd.DataFrame = field(repr=False)

    @cached_property
    def value_of(self) -> dict[Any, float]:
        """The value of each month."""
        return dict(self.rows.groupby("period")["value"].sum())

    @cached_property
    def published(self) -> dict[str, set[Any]]:
        """The months of each reporter."""
        who = self.rows.groupby("reporter", observed=True) if "reporter" in self.rows else ()
        return {str(reporter): set(part["period"]) for reporter, part in who}

    @property
    def origins(self) -> tuple[str, ...]:
        """The raw files."""
        return _distinct(self.rows, "origin")

    @property
    def annual(self) -> bool:
        """Whether all rows are annual."""
        return _distinct(self.rows, "freq") == ("A",)

    @property
    def lag(self) -> int:
        """Months of a period: 12 where rows are annual, else 1."""
        return 12 if self.annual else 1

    def of(self, flow: str) -> Census:
        """Return what was found in one flow."""
        return Census(self.rows[self.rows["flow"] == flow])


# Codes that became numbers: without their zero they are goods of another chapter.
_LOST = "length(code) IN (3, 5, 7, 9, 11) AND regexp_full_match(code, '[0-9]+') OR code LIKE '%.0'"
_GROUPS = ("source", "trade_system", "freq", "code_system", "reporter", "flow", "origin")


def census(
    relation: Relation,
    quantity: str,
    within: str = "TRUE",
    *,
    by: Sequence[str] = (),
    estimated: str = "unpriced",
    apart: bool = False,
) -> Census:
    """Look once at all rows and refuse what would be summed wrongly.

    ``within`` is an SQL condition on the rows; ``by`` names further columns that tell rows apart,
    in which totals may stand too. Refused: values that are empty, negative or not finite, rows
    without a period, a status that no table knows, two statistics in one table, and totals beside
    their parts as `tradeflows.codes.totals` knows them; two flows too, unless ``by`` has them or
    they stay ``apart``, each of a source and trade system of its own. Estimated weights that are
    left out (``estimated``, as in `usable`) are worth a warning.
    """
    columns, within = relation.columns, f"({within})"  # an OR in it binds less than what follows
    groups = {name: name for name in _GROUPS if name in columns}
    groups["hidden"] = hidden(columns)
    number, status = named(quantity), status_column(quantity)
    word = named(status) if status in columns else "'reported'"
    listed = ", ".join(f"{sql} AS {name}" for name, sql in groups.items())
    rows = relation.frame(
        f"SELECT CAST(period AS DATE) AS period, {listed}, sum(value_usd) AS value, "  # noqa: S608
        f"count(*) - count(CASE WHEN value_usd >= 0 AND value_usd <= {LARGEST} THEN 1 END) AS bad, "
        f"count(CASE WHEN {number} < 0 THEN 1 END) AS below, "
        f"sum(CASE WHEN {word} = 'estimated' AND value_usd > 0 THEN value_usd ELSE 0 END)"
        " AS guessed "
        f"FROM trade WHERE {within} GROUP BY ALL"
    )
    names = [n for n in dict.fromkeys((*PAIR, *by)) if n in columns and n not in PREFIXES]
    hs = "AND code_system LIKE 'H%'" if "code_system" in columns else ""  # others may be odd
    # as text: of categories DuckDB would list the numbers behind them
    listed = "".join(f", list(DISTINCT CAST({q} AS VARCHAR)) AS {q}" for q in map(named, names))
    there = relation.frame(
        "SELECT (SELECT count(*) - count(period) FROM trade) AS undated, "  # noqa: S608
        f"list(DISTINCT {word}) AS words_, list(DISTINCT CAST(code AS VARCHAR)) FILTER "
        f"(({_LOST}) {hs}) AS lost_{listed} FROM trade WHERE {within}"
    ).iloc[0]
    listed_of = {n: there[n] if isinstance(there[n], np.ndarray) else () for n in there.index[1:]}
    words = sorted(set(listed_of["words_"]) - {*STATUS, None})
    bad, below = (int(rows[name].sum()) for name in ("bad", "below"))
    for wrong, found, expected, todo in (
        (there["undated"] > 0, f"{there['undated']} rows without a period",
         "a period in every row", "correct the source file, or drop these rows"),
        (bad, f"{bad} rows have a value_usd that is empty, negative or not finite",
         "a value of zero or more in every row",
         "correct the source file; a net flow is two flows"),
        (below, f"{below} rows have a negative {quantity}",
         "a quantity of zero or more, or none where it is not known",
         "correct the source file, or empty the quantity of these rows"),
        (words, f"column {status!r} holds {', '.join(map(repr, words[:6]))}",
         f"{', '.join(STATUS)}, or nothing",
         f"translate them, e.g. trade[{status!r}].str.lower()"),
        (not rows["hidden"].isin([0, 1]).all(),
         "column 'confidential' holds empty cells, or numbers other than 0 and 1",
         "True or False in every row",
         "say what they stand for, e.g. trade['confidential'].fillna(False)"),
    ):  # fmt: skip
        if wrong:
            raise SchemaMismatch(found, expected, todo)
    _check_single(rows, ("freq",))
    for part in (part for _, part in rows.groupby("flow")) if apart else (rows,):
        _check_single(part, ("source", "trade_system"))
    for name in names:
        if name != "flow" or not apart:
            _refuse_totals(name, listed_of[name])
    flows = _distinct(rows, "flow")
    if len(flows) > 1 and not apart and "flow" not in by:
        raise SchemaMismatch(
            f"flows {', '.join(flows)} in one table",
            "one flow: exports and imports together are turnover, which has no price",
            f"keep one, e.g. trade[trade['flow'] == {flows[0]!r}]; a bridge of turnover"
            " needs flow in by=",
        )
    _check_systems(relation, rows, within)
    if len(listed_of["lost_"]):
        raise SchemaMismatch(
            f"codes such as {', '.join(map(repr, sorted(listed_of['lost_'])[:5]))}, which were"
            " numbers",
            "HS codes as text, two digits for each step, leading zeros kept",
            "read the file with dtype={'code': str}; where all codes had one length, such as 6,"
            " trade['code'].str.zfill(6) puts the zeros back;"
            " codes of another system than the HS need a column code_system that names it",
        )
    _warn(rows, columns, estimated)
    return Census(rows)


def _distinct(rows: pd.DataFrame, name: str) -> tuple[str, ...]:
    return tuple(sorted(rows[name].dropna().astype(str).unique())) if name in rows else ()


def unique(relation: Relation, within: str, quantity: str, lag: int = 1) -> None:
    """Refuse a product that stands twice in one period."""
    names = named(*(n for n in (*PAIR, f"{quantity}_unit") if n in relation.columns))
    twice = relation.frame(
        f"SELECT {names} FROM trade WHERE ({within}) GROUP BY {names} "  # noqa: S608
        f"HAVING count(*) > count(DISTINCT {month(lag)}) ORDER BY ALL LIMIT 3"
    )
    if len(twice):
        raise SchemaMismatch(
            f"rows share a key, among them {twice.to_dict('records')}",
            f"one row per ({', '.join(map(str, twice))}, period)",
            "sum them first, or keep one of them",
        )


def _check_single(rows: pd.DataFrame, names: Sequence[str]) -> None:
    for name in names:
        if len(found := _distinct(rows, name)) > 1:
            raise DoubleCountedTotals(
                f"column {name!r} holds {', '.join(found)}",
                f"one {name}: each describes the same trade",
                f"keep one, e.g. trade[trade[{name!r}] == {found[0]!r}]",
            )


def _refuse_totals(column: str, names: Iterable[Any]) -> None:
    """Refuse names of a column, such as partner, of which one holds trade of the other."""
    if (found := one_inside_another(column, names)) is None:
        return
    total, part = found
    if column == "code":
        todo = "keep one of the two, or one level"
        raise _double(f"code {total} stands beside {part} and holds goods of it", todo)
    sign = "==" if column == "flow" else "!="  # a flow is wanted whole, a world without its parts
    todo = f"keep {total} or what it holds, e.g. trade[trade[{column!r}] {sign} {total!r}]"
    if column in ("partner", "reporter") and is_world(total):
        raise _double(f"{column} {total} stands beside {column}s, {part} among them", todo)
    raise _double(f"{column} {part} stands beside {total}, which includes it", todo)


def _check_systems(relation: Relation, rows: pd.DataFrame, within: str) -> None:
    """Refuse codes of several systems, unless each holds the same goods in all of them."""
    found = dict(list(rows.groupby("code_system"))) if "code_system" in rows else {}
    if len(found) < 2:
        return
    codes = pd.Series(relation.distinct("code", within), dtype="str")
    if alike(codes, systems := sorted(map(str, found))):
        return
    months = [set(part["period"]) for part in found.values()]
    if len(set.union(*months)) < sum(map(len, months)):
        raise _double(f"code systems {', '.join(systems)} in one month", "keep one code_system")
    raise SchemaMismatch(
        f"code systems {', '.join(systems)} follow each other",
        "one HS revision throughout: a code that splits makes false entry and exit",
        "tf.concord(trade) brings them to codes that hold the same goods throughout",
    )


def _double(found: str, todo: str) -> DoubleCountedTotals:
    return DoubleCountedTotals(found, "rows that add up without counting anything twice", todo)


def _warn(rows: pd.DataFrame, columns: Sequence[str], estimated: str) -> None:
    value = float(rows["value"].sum())
    guessed = float(rows["guessed"].sum())
    if guessed > 0 and estimated == "unpriced":
        warnings.warn(
            f"weights estimated by the publisher stand beside {guessed / value:.1%} of the value; "
            "they make no price",
            EstimatedQuantityWarning,
            stacklevel=4,
        )
    if "confidential" not in columns:  # known by their codes alone
        return
    unnamed = float(rows.loc[rows["hidden"].astype(bool), "value"].sum())
    if unnamed > 0:
        warnings.warn(
            f"{unnamed / value:.1%} of the value stands in pseudo-codes that hide the product; "
            "it stays in, unpriced",
            ConfidentialValueWarning,
            stacklevel=4,
        )
