"""Which product moved a price index: contributions that sum to the index minus one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.factors import log_mean
from tradeflows.measure.index import index_sql, unmatched
from tradeflows.measure.window import Published, require
from tradeflows.periods import Window
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import keys, opened

__all__ = ["contributions"]


def contributions(
    trade: Any,
    base: str,
    current: str,
    formula: str = "fisher",
    *,
    quantity: str = "net_weight_kg",
    estimated: str = "unpriced",
    published: Published = None,
) -> pd.DataFrame:
    """Split a price index minus one into the contribution of each product.

    Parameters
    ----------
    trade, quantity, estimated, published
        As in `price_index`.
    base, current : str
        Two windows of one period each: a month, or a year of annual rows.
    formula : {"laspeyres", "paasche", "fisher", "tornqvist"}
        Fisher by van IJzeren's weights.

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
    Reinsdorf, Diewert and Ehemann (2002), Additive decompositions for Fisher, Törnqvist and
    geometric mean indexes; Dikhanov (1997); van IJzeren (1952).
    """
    if formula not in list(_WEIGHTS):
        raise ValueError(f"formula={formula!r}: expected one of {', '.join(_WEIGHTS)}")
    old, new = Window.parse(base), Window.parse(current)
    with opened(trade, ("period", "code", "value_usd", quantity)) as relation:
        within = f"({old.sql()} OR {new.sql()})"
        seen = census(relation, quantity, within, estimated=estimated)
        seen.require_one_flow()
        lag = 12 if seen.annual else 1
        old, new = _one_period(old, lag), _one_period(new, lag)
        require(seen, (old, new), published)
        months = [min(old.first, new.first), max(old.last, new.last)]
        unique(relation, within, quantity, months, lag)
        names = list(keys(relation.columns, ()))
        select = (
            f"SELECT {', '.join(names)}, v0, v1, a, b FROM pair "  # noqa: S608
            f"WHERE m BETWEEN {new.first} AND {new.last}"
        )
        query = index_sql(
            relation.columns,
            pairs="window",
            lag=lag,
            first=old,
            within=within,
            quantity=quantity,
            estimated=estimated,
            select=select,
        )
        rows = relation.frame(query).sort_values(names)
    if rows.empty:
        raise unmatched(f"no product is priced in both {new} and {old}")
    relative = rows["a"] / rows["v0"]
    part = _WEIGHTS[formula](*(rows[n].to_numpy(float) for n in ("v0", "v1", "a", "b")))
    table = rows[names].assign(relative=relative, contribution=part * (relative - 1))
    order = table["contribution"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _one_period(window: Window, lag: int) -> Window:
    whole = window.whole(lag)
    if len(whole) > lag:
        raise SchemaMismatch(
            f"window {window} of several periods",
            "one period on each side: a month, or a year of annual rows (freq = 'A')",
            "choose one month, or sum the rows to years first",
        )
    return whole


Numbers = NDArray[np.float64]


def _van_ijzeren(v0: Numbers, v1: Numbers, a: Numbers, b: Numbers) -> Numbers:
    laspeyres = b.sum() / v0.sum()
    fisher = np.sqrt(laspeyres * (v1.sum() / a.sum()))
    base, now = v0 / v0.sum(), b / b.sum()
    return np.asarray((fisher * base + laspeyres * now) / (fisher + laspeyres), dtype=float)


def _tornqvist(v0: Numbers, v1: Numbers, a: Numbers, b: Numbers) -> Numbers:  # noqa: ARG001
    """Turn geometric weights into arithmetic ones: w / L(r, P), scaled to one."""
    share = (v0 / v0.sum() + v1 / v1.sum()) / 2
    relative = a / v0
    index = float(np.exp((share * np.log(relative)).sum()))
    weight = share / np.array([log_mean(r, index) for r in relative])
    return np.asarray(weight / weight.sum(), dtype=float)


_WEIGHTS: dict[str, Callable[..., Numbers]] = {
    "laspeyres": lambda v0, v1, a, b: v0 / v0.sum(),  # noqa: ARG005
    "paasche": lambda v0, v1, a, b: b / b.sum(),  # noqa: ARG005
    "fisher": _van_ijzeren,
    "tornqvist": _tornqvist,
}
