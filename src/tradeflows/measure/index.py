"""Price and volume indices over time, and which product moved them.

With v0 = p0 q0, v1 = p1 q1, a = p1 q0 and b = p0 q1, every formula is written for prices; swapping
prices and quantities swaps a and b, so the volume index is the same text with a and b exchanged.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.errors import PartialPeriodWarning, SchemaMismatch
from tradeflows.measure.bridge import log_mean
from tradeflows.measure.window import Published, renumbered, require
from tradeflows.periods import Window, either
from tradeflows.quality.census import Census, census, unique
from tradeflows.quality.relation import Relation, keys, month, named, opened, too_large, usable
from tradeflows.result import Result
from tradeflows.words import Sentence, is_yearly, percent, period_text, span

BASES = ("fixed", "chained", "previous-year", "year-over-year")
_SQL = files("tradeflows.measure").joinpath("index.sql").read_text("utf-8")
_INDICES = ["price", "volume", "value"]
_LASPEYRES = "(sum([a]) / sum(v0))"
_PAASCHE = "(sum(v1) / sum([b]))"
_SHARES = log_mean("(v0 / total0)", "(v1 / total1)")
FORMULAS = {
    "laspeyres": _LASPEYRES,
    "paasche": _PAASCHE,
    "fisher": f"sqrt({_LASPEYRES} * {_PAASCHE})",
    "tornqvist": "exp((sum(v0 * ln([a] / v0)) / sum(v0) + sum(v1 * ln([a] / v0)) / sum(v1)) / 2)",
    "walsh": "(sum(sqrt(v1) * sqrt([a])) / sum(sqrt(v0) * sqrt([b])))",
    "sato_vartia": f"exp(sum({_SHARES} * ln([a] / v0)) / sum({_SHARES}))",
    "montgomery_vartia": (
        f"exp(sum({log_mean('v0', 'v1')} * ln([a] / v0)) / {log_mean('sum(v0)', 'sum(v1)')})"
    ),
    "geometric_laspeyres": "exp(sum(v0 * ln([a] / v0)) / sum(v0))",
    "geometric_paasche": "exp(sum(v1 * ln([a] / v0)) / sum(v1))",
    "geary_khamis": "(sum(v1 * (v0 / (v0 + [b]))) / sum(v0 * ([b] / (v0 + [b]))))",
}
MULTILATERAL = ("geks_fisher", "geks_tornqvist", "geks_walsh")


@dataclass(frozen=True, eq=False)
class PriceIndex(Result):
    """A series of price and volume indices, and the value that both account for.

    ``table`` has one row per period: price, volume and value (index of the value of matched goods),
    and ``matched_share``, the share of the period's value that the formula could use.
    """

    formula: str
    base: str
    table: pd.DataFrame = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())

    @property
    def one(self) -> str:
        """When the indices are 1, by the base."""
        first = self.table["period"].iloc[0]
        starts = {
            "previous-year": str(first.year),
            "year-over-year": "the same month a year before",
        }
        if self.base in ("fixed", "chained", "full window"):
            years = is_yearly(pd.DatetimeIndex(self.table["period"]))
            return f"{first.year if years else period_text(first)} = 1"
        return f"{starts.get(self.base, self.base)} = 1"

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
    base: str | int = "previous-year",
    window: str | int | None = None,
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
        Laspeyres, paasche, fisher, tornqvist, walsh, sato_vartia, montgomery_vartia,
        geometric_laspeyres, geometric_paasche, geary_khamis, or over the full window geks_fisher,
        geks_tornqvist, geks_walsh.
    base : str
        - ``previous-year``: each month against the average of the year before (its values over its
          quantities, not the mean of monthly unit values), the years chained; the first year is 1,
          and if its first months are absent a `PartialPeriodWarning` says so;
        - a window such as ``"2021"`` or ``"2021-01"``, or ``fixed``, the first period;
        - ``chained``: period on period, multiplied up;
        - ``year-over-year``: each month against the same month of the year before.

        A multilateral formula has its first period as base and takes no other.
    window : str or int, optional
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
    if formula not in (*FORMULAS, *MULTILATERAL):
        known = ", ".join((*FORMULAS, *MULTILATERAL))
        raise ValueError(f"formula={formula!r}: expected one of {known}")
    if formula in MULTILATERAL and base not in ("previous-year", "fixed"):
        raise ValueError(f"base={base!r}: {formula} starts at the first period; leave base out")
    base, needed = str(base), ("period", "code", "value_usd", quantity)
    with opened(trade, needed) as relation:
        within = Window.parse(window).sql() if window else "TRUE"
        seen = census(relation, quantity, within, estimated=estimated)
        months = sorted(_values(seen))
        if not months:
            raise SchemaMismatch("no rows", "at least one period", "widen the window")
        require(seen, [Window(months[0], months[-1])], published)
        lag = seen.lag
        unique(relation, within, quantity, lag)
        if n := min(len(months) // 2, 12 // lag):
            ends = Window(months[0], months[n - 1]), Window(months[-n], months[-1]).whole(lag)
            renumbered(relation, ends, f"{within} AND {either(*ends)}")
        settings = {"lag": lag, "within": within, "quantity": quantity, "estimated": estimated}
        links = partial(_links, relation, settings)
        if formula in MULTILATERAL:
            base, rows = "full window", _full_window(links, formula, months)
        else:
            first = _window(base, months)
            require(seen, [first] if first else [], published)
            if base == "previous-year" and not seen.annual and months[0] % 12:
                warnings.warn(
                    f"the first year begins with {Window(months[0], months[0])}: the average of a"
                    " part of a year is the base, so seasons count as change; window= can begin in"
                    " January",
                    PartialPeriodWarning,
                    stacklevel=2,
                )
            rows = _series(partial(links, formula), base, first, months, lag)
    return PriceIndex(formula, base, _table(rows, seen), seen.origins)


def _links(
    relation: Relation, settings: dict[str, Any], formula: str, pairs: str, **more: Any
) -> pd.DataFrame:
    """Return price and volume of every pair of periods of one kind."""
    rows = relation.frame(index_sql(relation.columns, formula, pairs, **settings, **more))
    indices = rows[_INDICES].to_numpy(float)
    if not (np.isfinite(indices) & (indices > 0)).all():
        raise too_large("an index is not a positive finite number")
    return rows.sort_values(["m0", "m"])


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
    """Return an index as DuckDB SQL over a table ``trade``; ``pairs`` says which periods meet."""
    names = list(keys(columns, ()).values())
    names += [named(f"{quantity}_unit")] if f"{quantity}_unit" in columns else []
    base, current, match = _PAIRS[pairs]
    year = "CAST(floor(m / 12) AS INTEGER)"
    ends = {"first": 0, "last": 0, "length": 1}
    if first:
        first = first.whole(lag)
        ends = {"first": first.first, "last": first.last, "length": len(first) // lag}
    # A partner nobody names is one partner, as in sums.
    joined = [f"b.{name} IS NOT DISTINCT FROM c.{name}" for name in names]
    joined.append(match.format(lag=lag, c_year=year.replace("m /", "c.m /")))
    total = "sum({0}.v) OVER (PARTITION BY b.m, c.m) AS total{1},"  # for shares, before sums
    return _SQL.format(
        keys=", ".join(names),
        pair_keys=", ".join(f"c.{name}" for name in names),
        month=month(lag),
        year=year,
        match=pairs,
        quantity=usable(columns, quantity, estimated),
        within=within,
        base=base.format(keys=", ".join(names), year=year, **ends),
        current=current,
        on=" AND ".join(joined),
        totals=total.format("b", 0) + total.format("c", 1) if formula == "sato_vartia" else "",
        select=select or _select(formula),
    )


def _select(formula: str) -> str:
    if formula not in FORMULAS:
        raise ValueError(f"formula={formula!r}: expected one of {', '.join(FORMULAS)}")
    price, volume = (FORMULAS[formula].replace("[a]", a).replace("[b]", b) for a, b in ("ab", "ba"))
    return (
        f"SELECT m0, m, {price} AS price, {volume} AS volume, sum(v1) / sum(v0) AS value, "  # noqa: S608
        "sum(v0) AS matched_base, sum(v1) AS matched FROM pair GROUP BY m0, m"
    )


def _window(base: str, months: Sequence[int]) -> Window | None:
    """Return the window that is the base, if one is."""
    if base in ("chained", "previous-year", "year-over-year"):
        return None
    try:
        return Window(months[0], months[0]) if base == "fixed" else Window.parse(base)
    except ValueError:
        raise ValueError(f"base={base!r}: expected {', '.join(BASES)}, or a window") from None


def _series(
    links: Callable[..., pd.DataFrame], base: str, first: Window | None, months: list[int], lag: int
) -> pd.DataFrame:
    if first:
        return _whole(links("window", first=first), months)
    if base == "previous-year":
        return _previous_year(links, months)
    if base == "year-over-year":
        return _whole(links("year-over-year"), months[12 // lag :])
    rows = _whole(links("previous"), months[1:])
    rows[_INDICES] = rows[_INDICES].cumprod()
    start = rows.head(1).assign(m=months[0], **dict.fromkeys(_INDICES, 1.0))
    start["matched"] = start["matched_base"]
    return pd.concat([start, rows], ignore_index=True)


def _previous_year(links: Callable[..., pd.DataFrame], months: list[int]) -> pd.DataFrame:
    """Link each month to the year before, and each year to the year before that."""
    first_year = months[0] // 12
    rows = _whole(links("month-to-year"), [m for m in months if m // 12 > first_year])
    years = links("year-to-year").set_index("m")[_INDICES].cumprod()
    years.loc[first_year] = 1.0
    rows[_INDICES] *= years.loc[rows["m"] // 12 - 1, _INDICES].to_numpy()
    return rows


def _full_window(
    links: Callable[..., pd.DataFrame], formula: str, months: list[int]
) -> pd.DataFrame:
    """Return the geometric mean of all paths from the first period over one other (EKS).

    ln P(0, t) = mean over k of ln P(0, k) + ln P(k, t), from the bilateral indices of all pairs.
    """
    pairs = links(formula.removeprefix("geks_"), "all").set_index(["m0", "m"])
    square = pairs["price"].unstack("m").reindex(index=months, columns=months)  # noqa: PD010
    logs = np.log(square.to_numpy(float))
    if np.isnan(logs).any():
        raise SchemaMismatch(
            "periods that share no priced product",
            "products that link each period of the window with every other",
            "choose a shorter window, or a bilateral formula",
        )
    price = np.exp((logs[0][:, None] + logs).mean(axis=0))
    total = np.array([pairs.loc[(m, m), "matched"] for m in months], dtype=float)
    value = total / total[0]
    columns = {"price": price, "volume": value / price, "value": value, "matched": total}
    return pd.DataFrame({"m": months, **columns})


def _whole(links: pd.DataFrame, wanted: Sequence[int]) -> pd.DataFrame:
    """Refuse a series with holes: a period without a match has no index."""
    absent = sorted(set(wanted) - set(links["m"]))
    if absent or not len(wanted):
        shown = ", ".join(str(Window(m, m)) for m in absent[:6])
        found = f"no product is priced in both {shown} and its base"
        raise _unmatched(found if absent else "too few periods")
    return links.sort_values("m").reset_index(drop=True)


def _unmatched(found: str) -> SchemaMismatch:
    return SchemaMismatch(
        found,
        "at least one product with value and usable quantity in both periods",
        "choose another base, or a window in which weights are reported",
    )


def _table(links: pd.DataFrame, seen: Census) -> pd.DataFrame:
    period = pd.to_datetime([f"{m // 12}-{m % 12 + 1:02d}-01" for m in links["m"]])
    return pd.DataFrame(
        {
            "period": period,
            **{name: links[name].to_numpy() for name in _INDICES},
            "matched_share": (links["matched"] / links["m"].map(_values(seen))).to_numpy(float),
        }
    )


def contributions(
    trade: Any,
    base: str | int,
    current: str | int,
    *,
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    published: Published = None,
) -> pd.DataFrame:
    """Split Fisher's price index minus one into the contribution of each product.

    Parameters
    ----------
    trade, quantity, estimated, published
        As in `price_index`.
    base, current : str or int
        Two windows of one period each: a month, or a year of annual rows.

    Returns
    -------
    pandas.DataFrame
        Products with ``relative`` (p1 / p0) and ``contribution``, largest first; the
        contributions sum to the index minus one.

    Raises
    ------
    SchemaMismatch
        As `price_index`; windows of several periods.

    References
    ----------
    van IJzeren (1952); Reinsdorf, Diewert and Ehemann (2002), Additive decompositions for Fisher,
    Törnqvist and geometric mean indexes.
    """
    old, new = Window.parse(base), Window.parse(current)
    with opened(trade, ("period", "code", "value_usd", quantity)) as relation:
        within = either(old, new)
        seen = census(relation, quantity, within, estimated=estimated)
        lag = seen.lag
        old, new = (window.whole(lag) for window in (old, new))
        if odd := [window for window in (old, new) if len(window) > lag]:
            raise SchemaMismatch(
                f"window {odd[0]} of several periods",
                "one period on each side: a month, or a year of annual rows (freq = 'A')",
                "choose one month, or sum the rows to years first",
            )
        require(seen, (old, new), published)
        renumbered(relation, (old, new), within)
        unique(relation, within, quantity, lag)
        names = list(keys(relation.columns, ()))
        select = (
            f"SELECT {', '.join(names)}, v0, v1, a, b FROM pair "  # noqa: S608
            f"WHERE m BETWEEN {new.first} AND {new.last}"
        )
        query = index_sql(
            relation.columns, pairs="window", lag=lag, first=old, within=within,
            quantity=quantity, estimated=estimated, select=select,
        )  # fmt: skip
        rows = relation.frame(query).sort_values(names)
    if rows.empty:
        raise _unmatched(f"no product is priced in both {new} and {old}")
    v0, v1, a, b = (rows[name].to_numpy(float) for name in ("v0", "v1", "a", "b"))
    laspeyres = b.sum() / v0.sum()  # of quantities
    fisher = np.sqrt(laspeyres * (v1.sum() / a.sum()))
    weight = (fisher * v0 / v0.sum() + laspeyres * b / b.sum()) / (fisher + laspeyres)
    table = rows[names].assign(relative=a / v0, contribution=weight * (a / v0 - 1))
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
