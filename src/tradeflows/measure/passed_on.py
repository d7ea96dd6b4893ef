"""Three countries: how much of a rise from one to the second can have gone on to a third."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.measure.mirror import on_one_revision
from tradeflows.measure.window import Published, renumbered, require, same_length
from tradeflows.periods import Window, either
from tradeflows.quality.census import Census, census, unique
from tradeflows.quality.relation import month, opened, usable
from tradeflows.result import Result
from tradeflows.words import Sentence, amount

_ASKED = "asked about"


@dataclass(frozen=True, eq=False)
class PassedOn(Result):
    """How much of a rise into a country may have gone on from it, USD and kilograms.

    ``table`` has a row a code and step (month of the window, or year): ``rise_in`` and ``rise_out``
    against the same step of the base, ``at_least`` and ``at_most`` of what went on, and the same
    with ``_kg`` where weights are usable on both legs. ``share`` is at_most over what went out in
    the current window; ``placebos`` has the same of other destinations and of other goods.
    """

    base: str
    current: str
    table: pd.DataFrame
    share: float
    placebos: dict[str, pd.Series] = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())

    @property
    def p(self) -> dict[str, float]:
        """Share of placebos of each kind, this case counted, that reach its share."""
        return {
            kind: (1 + int((shares >= self.share).sum())) / (1 + len(shares))
            for kind, shares in self.placebos.items()
        }

    def sentence(self) -> Sentence:
        """Say between what bounds the rise was passed on."""
        sums = self.table.drop(columns=["code", "step"]).clip(lower=0).sum()
        usd = {str(name): amount(float(x), "USD") for name, x in sums.items()}
        weights = ""
        if self.table["rise_in_kg"].notna().any():
            ends = (amount(float(sums[f"at_{end}_kg"]), "kg") for end in ("least", "most"))
            weights = f", by weight {' to '.join(ends)}"
        among = "".join(
            f" That is at most {self.share:.0%} of what went out, and"
            f" {int((shares >= self.share).sum())} of {len(shares)} other {kind} could have taken"
            f" as large a share (p = {self.p[kind]:.3f})."
            for kind, shares in self.placebos.items()
        )
        return Sentence(
            f"From {self.base} to {self.current}, in the goods and months in which they rose, what"
            f" came in rose by {usd['rise_in']} and what went out by"
            f" {usd['rise_out']}; at least {usd['at_least']} and at most"
            f" {usd['at_most']} of the rise can have gone on{weights}.{among} Bounds of what is"
            " possible, not a finding that it happened."
        )


def passed_on(
    into: pd.DataFrame,
    onward: pd.DataFrame,
    base: str = "2021",
    current: str = "2022",
    *,
    goods: Collection[str] = (),
    others: pd.DataFrame | None = None,
    destinations: pd.DataFrame | None = None,
    estimated: str = "unpriced",
    published: Published = None,
) -> PassedOn:
    """Bound how much of a rise from A to B can have gone on from B to C.

    Good by good: no more can have gone on than trade from B to C rose, nor more than came in beyond
    the base by then and has not gone on yet. At least what the rise to C exceeds the rise of all
    other supply went on: that takes B's imports from elsewhere, ``others``, and goods that B does
    not make; without them the least is nothing.

    Parameters
    ----------
    into, onward : pandas.DataFrame
        Rows of the table ``trade`` from A to B and from B to C, of one statistic each; who reports
        them does not matter, `mirror` says how far two disagree.
    base, current : str
        Windows of one length; each step is set against the same step of the base.
    goods : collection of str, optional
        Codes asked about, or beginnings of codes; the other goods of the rows are placebos, chapter
        by chapter. By default all goods are asked about.
    others : pandas.DataFrame, optional
        B's imports of the same goods from all other countries.
    destinations : pandas.DataFrame, optional
        Placebos too: B's exports of the same goods to other destinations, with ``partner``; months
        without rows are months without trade.
    estimated, published
        As in `bridge`.

    Returns
    -------
    PassedOn
        Its ``p``, by kind of placebo, is below a level no more often than the level says if C is a
        destination, and the goods asked about are a chapter, like the others (in 300 generated
        worlds: 10.3 % at 10 %, 5.7 % at 5 %).

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `bridge`.
    UnknownCode
        None of the goods is traded on both legs.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2022-01-01"]),
    ...     "code": "854231", "value_usd": [10.0, 50.0], "net_weight_kg": [1.0, 4.0]})
    >>> found = passed_on(rows, rows.assign(value_usd=[0.0, 30.0]), "2021-01", "2022-01")
    >>> found.table[["rise_in", "rise_out", "at_least", "at_most"]].values.tolist()
    [[40.0, 30.0, 0.0, 30.0]]
    """
    windows = Window.parse(base), Window.parse(current)
    named = {"in": into, "out": onward, "other": others, "placebo": destinations}
    given = {name: getattr(t, "frame", t) for name, t in named.items() if t is not None}
    given = dict(zip(given, on_one_revision(list(given.values())), strict=True))
    apart = given.pop("placebo", None)
    read = {n: _rises(t, windows, estimated, published) for n, t in given.items()}
    legs = {name: rises for name, (rises, _) in read.items()}
    table, placebos = _table(legs), {}
    if wanted := tuple(goods):
        groups = _groups(table, wanted)
        for leg in ("in", "out"):
            if not _codes(legs[leg]).str.startswith(wanted).any():
                raise UnknownCode(
                    f"none of the goods {', '.join(wanted[:5])} in what goes {leg}",
                    "codes as the rows write them, or their beginnings",
                    "check goods=",
                )
        both = set.intersection(*({code[:2] for code in _codes(legs[n])} for n in ("in", "out")))
        shares = _share(table, groups).drop(_ASKED)
        placebos["chapters"] = shares[shares.index.isin(both)]
        table = table[groups == _ASKED]
    if apart is not None:
        every, _ = _rises(apart, windows, estimated, [base, current], ("partner",))
        found = {}
        for name, rises in every.groupby(level="partner"):
            one = _table({"in": legs["in"], "out": rises.droplevel("partner")})
            found[str(name)] = _share(one, _groups(one, wanted)).get(_ASKED)
        placebos["destinations"] = pd.Series(found, dtype=float)
    share = float(_share(table, _groups(table, ())).get(_ASKED, np.nan))
    origins = tuple(sorted({origin for _, seen in read.values() for origin in seen.origins}))
    moved = table["rise_in"].ne(0) | table["rise_out"].ne(0)
    table = table[moved].drop(columns="now").reset_index(drop=True)
    placebos = {kind: shares.dropna() for kind, shares in placebos.items()}
    return PassedOn(str(windows[0]), str(windows[1]), table, share, placebos, origins)


def _codes(rises: pd.DataFrame) -> pd.Index[str]:
    return rises.index.get_level_values("code").astype(str)


def _groups(table: pd.DataFrame, wanted: tuple[str, ...]) -> Any:
    """Return of each row whether its good is asked about, or its chapter; none asked, all are."""
    codes = table["code"].astype(str).str
    return np.where(codes.startswith(wanted or ""), _ASKED, codes[:2])


def _share(table: pd.DataFrame, groups: Any) -> pd.Series:
    """Return the most that went on as a share of what went out, by group of goods."""
    sums = table.groupby(groups)[["at_most", "now"]].sum()
    return sums["at_most"] / sums["now"].where(sums["now"] > 0)


def _table(legs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return rises, bounds and what goes out now, by good and step."""
    square = pd.concat(legs, axis=1).unstack("step").fillna(0.0)  # noqa: PD010 - no rows, no rise
    blind = sum((square[leg, "blind"] for leg in legs), square["in", "blind"]) > 0
    found: dict[str, Any] = {}
    for name, unit in (("value", ""), ("kg", "_kg")):
        rises = [square[leg, name] for leg in legs]
        least, most = _bounds(*(rise.to_numpy(float) for rise in rises))
        bounds = {"rise_in": rises[0], "rise_out": rises[1], "at_least": least, "at_most": most}
        for label, values in bounds.items():
            frame = pd.DataFrame(values, index=square.index, columns=rises[0].columns)
            found[label + unit] = frame.mask(blind) if unit else frame
    found["now"] = square["out", "now"]
    return pd.DataFrame({n: t.stack(future_stack=True) for n, t in found.items()}).reset_index()  # noqa: PD013


def _bounds(into: Any, out: Any, other: Any = None) -> tuple[Any, Any]:
    """Return the least and the most that went on: a row a good, a column a step."""
    least, most = np.zeros_like(into), np.zeros_like(into)
    held, spare = np.zeros(len(into)), np.full(len(into), np.inf if other is None else 0.0)
    for k in range(into.shape[1]):
        risen = np.maximum(out[:, k], 0)
        held += np.maximum(into[:, k], 0)
        spare += 0.0 if other is None else np.maximum(other[:, k], 0)
        most[:, k] = np.minimum(held, risen)
        fed = np.minimum(spare, risen)
        least[:, k] = np.minimum(risen - fed, most[:, k])
        held, spare = held - most[:, k], spare - fed
    return least, most


def _rises(
    trade: Any,
    windows: tuple[Window, Window],
    estimated: str,
    published: Published,
    by: tuple[str, ...] = (),
) -> tuple[pd.DataFrame, Census]:
    """Return the rise of each good in each step over the same step of the base."""
    old, new = windows
    with opened(trade, (*by, "period", "code", "value_usd", "net_weight_kg")) as relation:
        within = either(old, new)
        seen = census(relation, "net_weight_kg", within, by=by, estimated=estimated)
        same_length(old, new, seen.lag)
        require(seen, windows, published)
        renumbered(relation, windows, within)
        lag = seen.lag
        unique(relation, within, "net_weight_kg", lag)
        sign = f"CASE WHEN {new.sql()} THEN 1 ELSE -1 END"
        start = f"CASE WHEN {new.sql()} THEN {new.first} ELSE {old.first} END"
        quantity = usable(relation.columns, "net_weight_kg", estimated)
        rows = relation.frame(
            f"SELECT {', '.join([*by, 'code'])}, {month(lag)} - {start} AS step,"  # noqa: S608
            f" sum({sign} * CAST(value_usd AS DOUBLE)) AS value, sum({sign} * {quantity}) AS kg,"
            f" sum(CASE WHEN {new.sql()} THEN value_usd ELSE 0 END) AS now,"
            f" max(CASE WHEN value_usd > 0 AND {quantity} IS NULL THEN 1 ELSE 0 END) AS blind"
            f" FROM trade WHERE {within} GROUP BY ALL ORDER BY ALL"
        )
    return rows.set_index([*by, "code", "step"]), seen
