"""Price and volume indices over time: fixed base, chained, previous-year average, seasonal."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.errors import PartialPeriodWarning, SchemaMismatch
from tradeflows.measure import queries
from tradeflows.measure.coding import coded
from tradeflows.measure.formulas import FORMULAS, TOTALS, aggregate
from tradeflows.measure.multilateral import MULTILATERAL
from tradeflows.measure.window import Published, require
from tradeflows.periods import Window
from tradeflows.quality.census import Census, census, unique
from tradeflows.quality.relation import CODED, Relation, keys, month, opened, too_large, usable
from tradeflows.result import Result
from tradeflows.words import Sentence, is_yearly, percent, period_text, span

__all__ = ["BASES", "PriceIndex", "index_sql", "price_index"]

BASES = ("fixed", "chained", "previous-period", "previous-year", "year-over-year")


@dataclass(frozen=True, eq=False)
class PriceIndex(Result):
    """A series of price and volume indices, and the value that both account for."""

    formula: str
    base: str
    table: pd.DataFrame = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())

    def sentence(self) -> Sentence:
        """Say where price and volume end."""
        last, shares = self.table.iloc[-1], self.table["matched_share"]
        least, most = shares.min(), shares.max()
        periods = pd.DatetimeIndex(self.table["period"])
        priced = f"{percent(least)} of the value is priced"
        if percent(least) != percent(most):  # a chain is as strong as its links
            when = periods[int(shares.to_numpy().argmin())]
            shown = period_text(when.year if is_yearly(periods) else when)
            priced = f"between {percent(least)} ({shown}) and {percent(most)} of the"
            priced += " value of a period is priced"
        name = self.formula.replace("_", "-").title()
        return Sentence(
            f"{span(periods)}: the {name} price index ends at"
            f" {last['price']:.3f} and the volume index at {last['volume']:.3f} ({self.base} base);"
            f" {priced}."
        )


def price_index(
    trade: Any,
    formula: str = "fisher",
    *,
    base: str = "previous-year",
    window: str | None = None,
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    published: Published = None,
) -> PriceIndex:
    """Compute a series of price and volume indices.

    Only goods with a usable quantity in both periods of a pair are matched; what the others are
    worth is the rest of ``matched_share``.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows with period, code, value_usd and the quantity, or the path of Parquet files.
    formula : str
        Laspeyres, paasche, fisher, tornqvist, walsh, sato_vartia, montgomery_vartia, … (all of
        `FORMULAS`), or over the full window geks_fisher, geks_tornqvist, geks_walsh,
        geary_khamis_multilateral, wtpd.
    base : str
        - ``previous-year``: each month against the average of the year before (its values over its
          quantities, not the mean of monthly unit values), the years chained; the first year is 1,
          and if its first months are absent a `PartialPeriodWarning` says so;
        - a window such as ``"2021"`` or ``"2021-01"``, or ``fixed``, the first period;
        - ``chained``: period on period, multiplied up; ``previous-period``: the links themselves;
        - ``year-over-year``: each month against the same month of the year before.
        A multilateral formula has its first period as base and takes no other.
    window : str, optional
        Months to use; by default all.
    quantity, estimated, published
        As in `bridge`.

    Returns
    -------
    PriceIndex
        Its ``table`` has period, price, volume, value, matched_share.

    Raises
    ------
    SchemaMismatch
        Months absent in between, from the table or from one of its reporters, keys that stand
        twice, several flows, or a period without a single match.

    References
    ----------
    Balk (2008), Price and Quantity Index Numbers; IMF et al. (2009), Export and Import Price Index
    Manual; Ivancic, Diewert and Fox (2011), Scanner data, time aggregation and the construction of
    price indexes.

    Examples
    --------
    >>> trade = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2021-02-01"] * 2),
    ...     "code": ["270900", "270900", "271121", "271121"],
    ...     "value_usd": [10.0, 20.0, 10.0, 30.0], "net_weight_kg": [10.0, 10.0, 10.0, 15.0]})
    >>> price_index(trade, "fisher", base="fixed").table["price"].round(6).tolist()
    [1.0, 2.0]
    """
    if formula not in [*FORMULAS, *MULTILATERAL]:
        known = ", ".join([*FORMULAS, *MULTILATERAL])
        raise ValueError(f"formula={formula!r}: expected one of {known}")
    if formula in MULTILATERAL and base not in ("previous-year", "fixed"):
        raise ValueError(f"base={base!r}: {formula} starts at the first period; leave base out")
    needed = ("period", "code", "value_usd", quantity)
    with opened(coded(trade, needed=needed)[0], needed) as relation:
        within = Window.parse(window).sql() if window else "TRUE"
        seen = census(relation, quantity, within, estimated=estimated)
        seen.require_one_flow()
        months = _months(seen, published)
        unique(relation, within, quantity, months, 12 if seen.annual else 1)
        ask = _Question(relation, seen, within, quantity, estimated, months, published)
        if formula in MULTILATERAL:
            base = "full window"
            links = MULTILATERAL[formula](ask)
        else:
            links = _series(ask, formula, base)
    return PriceIndex(formula, str(base), _table(links, seen), seen.origins)


@dataclass(frozen=True)
class _Question:
    """What is asked of which table: enough to write the SQL of any pair of periods."""

    relation: Relation
    seen: Census
    within: str
    quantity: str
    estimated: str
    months: list[int]
    published: Published

    @property
    def lag(self) -> int:
        return 12 if self.seen.annual else 1

    def links(self, formula: str, pairs: str, first: Window | None = None) -> pd.DataFrame:
        """Return price and volume of every pair of periods of one kind."""
        rows = self._rows(formula, pairs, first)
        indices = rows[_INDICES].to_numpy(float)
        if not (np.isfinite(indices) & (indices > 0)).all():
            raise too_large("an index is not a positive finite number")
        return rows.sort_values(["m0", "m"])

    def cells(self) -> pd.DataFrame:
        """Return value and quantity of every product and period that can be priced."""
        return self._rows("fisher", "cells", None)

    def _rows(self, formula: str, pairs: str, first: Window | None) -> pd.DataFrame:
        query = index_sql(
            self.relation.columns,
            formula,
            pairs,
            lag=self.lag,
            first=first,
            within=self.within,
            quantity=self.quantity,
            estimated=self.estimated,
        )
        return self.relation.frame(query)


def _months(seen: Census, published: Published) -> list[int]:
    months = sorted(_values(seen))
    if not months:
        raise SchemaMismatch("no rows", "at least one period", "widen the window")
    require(seen, [Window(months[0], months[-1])], published)
    return months


def _values(seen: Census) -> dict[int, float]:
    """Return the value of each period: of a month, whatever the day, or of a year."""
    values: dict[int, float] = {}
    for day, value in seen.value_of.items():
        m = 12 * day.year + (0 if seen.annual else day.month - 1)
        values[m] = values.get(m, 0.0) + value
    return values


_BASE_CELLS = "SELECT * FROM cell"
_BASE_YEARS = (
    "SELECT {keys}, {year} AS m, sum(v) / max(months) AS v, sum(q) / max(months) AS q"
    " FROM cell INNER JOIN calendar ON calendar.y = {year} GROUP BY {keys}, {year}"
)
_BASE_WINDOW = (
    "SELECT {keys}, {first} AS m, sum(v) / {length} AS v, sum(q) / {length} AS q"
    " FROM cell WHERE m BETWEEN {first} AND {last} GROUP BY {keys}"
)
_PAIRS = {
    "previous": (_BASE_CELLS, "cell", "b.m = c.m - {lag}"),
    "year-over-year": (_BASE_CELLS, "cell", "b.m = c.m - 12"),
    "window": (_BASE_WINDOW, "cell", "TRUE"),
    "month-to-year": (_BASE_YEARS, "cell", "b.m = {c_year} - 1"),
    "year-to-year": (_BASE_YEARS, "base", "b.m = c.m - 1"),
    "all": (_BASE_CELLS, "cell", "TRUE"),
    "cells": (_BASE_CELLS, "cell", "FALSE"),
}


def index_sql(
    columns: Sequence[str],
    formula: str = "fisher",
    pairs: str = "previous",
    *,
    lag: int = 1,
    first: Window | None = None,
    within: str = "TRUE",
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    select: str | None = None,
) -> str:
    """Return an index as DuckDB SQL over a table ``trade`` with these columns."""
    names = list(keys(columns, ()).values())
    names += [f"{quantity}_unit"] if f"{quantity}_unit" in columns else []
    base, current, match = _PAIRS[pairs]
    year = "CAST(floor(m / 12) AS INTEGER)"
    ends = {"first": 0, "last": 0, "length": 1}
    if first:
        first = first.whole(lag)
        ends = {"first": first.first, "last": first.last, "length": len(first) // lag}
    # A partner nobody names is one partner, as in sums; numbers for keys are never empty.
    equal = {n: "=" if CODED.format(n) in columns else "IS NOT DISTINCT FROM" for n in names}
    joined = [f"b.{name} {equal[name]} c.{name}" for name in names]
    joined.append(match.format(lag=lag, c_year=year.replace("m /", "c.m /")))
    return queries.text("index").format(
        keys=", ".join(names),
        pair_keys=", ".join(f"c.{name}" for name in names),
        month=month(columns, lag),
        year=year,
        match=pairs,
        quantity=usable(columns, quantity, estimated),
        within=within,
        base=base.format(keys=", ".join(names), year=year, **ends),
        current=current,
        on=" AND ".join(joined),
        totals=TOTALS.get(formula, ""),
        select=select or _select(formula, pairs, names),
    )


def _select(formula: str, pairs: str, names: Sequence[str]) -> str:
    if pairs == "cells":
        ranked = f"dense_rank() OVER (ORDER BY {', '.join(names)}) AS product"
        return f"SELECT {ranked}, m, v, q FROM cell"  # noqa: S608
    return (
        f"SELECT m0, m, {aggregate(formula, 'price')} AS price, "  # noqa: S608
        f"{aggregate(formula, 'volume')} AS volume, sum(v1) / sum(v0) AS value, "
        "sum(v0) AS matched_base, sum(v1) AS matched FROM pair GROUP BY m0, m"
    )


def _series(ask: _Question, formula: str, base: str) -> pd.DataFrame:
    if base == "previous-year":
        return _previous_year(ask, formula)
    if base == "year-over-year":
        return _whole(ask.links(formula, "year-over-year"), ask.months[12 // ask.lag :])
    if base in ("chained", "previous-period"):
        links = _whole(ask.links(formula, "previous"), ask.months[1:])
        if base == "previous-period":
            return links
        links[_INDICES] = links[_INDICES].cumprod()
        return _with_first(links, ask)
    first = Window(ask.months[0], ask.months[0]) if base == "fixed" else _window(base)
    require(ask.seen, [first], ask.published)
    return _whole(ask.links(formula, "window", first), ask.months)


_INDICES = ["price", "volume", "value"]


def _window(base: str) -> Window:
    try:
        return Window.parse(base)
    except ValueError:
        raise ValueError(f"base={base!r}: expected {', '.join(BASES)}, or a window") from None


def _previous_year(ask: _Question, formula: str) -> pd.DataFrame:
    """Link each month to the year before, and each year to the year before that."""
    first_year = ask.months[0] // 12
    if not ask.seen.annual and ask.months[0] % 12:
        warnings.warn(
            f"the first year begins with {Window(ask.months[0], ask.months[0])}: the average of a"
            " part of a year is the base, so seasons count as change; window= can begin in January",
            PartialPeriodWarning,
            stacklevel=4,
        )
    months = _whole(
        ask.links(formula, "month-to-year"), [m for m in ask.months if m // 12 > first_year]
    )
    years = ask.links(formula, "year-to-year").set_index("m")[_INDICES].cumprod()
    years.loc[first_year] = 1.0
    months[_INDICES] *= years.loc[months["m"] // 12 - 1, _INDICES].to_numpy()
    return months


def _whole(links: pd.DataFrame, wanted: Sequence[int]) -> pd.DataFrame:
    """Refuse a series with holes: a period without a match has no index."""
    absent = sorted(set(wanted) - set(links["m"]))
    if absent or not len(wanted):
        shown = ", ".join(str(Window(m, m)) for m in absent[:6])
        found = f"no product is priced in both {shown} and its base"
        raise unmatched(found if absent else "too few periods")
    return links.sort_values("m").reset_index(drop=True)


def unmatched(found: str) -> SchemaMismatch:
    """Return the error for periods in which no product is priced."""
    return SchemaMismatch(
        found,
        "at least one product with value and usable quantity in both periods",
        "choose another base, or a window in which weights are reported",
    )


def _with_first(links: pd.DataFrame, ask: _Question) -> pd.DataFrame:
    start = links.head(1).assign(m=ask.months[0], price=1.0, volume=1.0, value=1.0)
    start["matched"] = start["matched_base"]
    return pd.concat([start, links], ignore_index=True)


def _table(links: pd.DataFrame, seen: Census) -> pd.DataFrame:
    period = pd.to_datetime([f"{m // 12}-{m % 12 + 1:02d}-01" for m in links["m"]])
    return pd.DataFrame(
        {
            "period": period,
            **{name: links[name].to_numpy() for name in _INDICES},
            "matched_share": (links["matched"] / links["m"].map(_values(seen))).to_numpy(float),
        }
    )
