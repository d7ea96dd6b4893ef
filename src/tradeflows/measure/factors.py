"""More than two factors by LMDI; volume, price and mix inside one physical unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeflows.errors import SchemaMismatch

__all__ = ["VolumePriceMix", "lmdi", "log_mean", "volume_price_mix"]


def log_mean(a: float, b: float) -> float:
    """Return L(a, b) = (a - b) / ln(a / b), which is a where a = b and 0 where one is 0."""
    if a <= 0 or b <= 0:
        return 0.0
    x = (a - b) / b
    if not x:
        return a
    return (a - b) / (math.log1p(x) if abs(x) < 0.5 else math.log(a / b))


def lmdi(factors0: Sequence[float], factors1: Sequence[float]) -> list[float]:
    """Split the change of a product of factors by the logarithmic mean (LMDI-I, Montgomery).

    Effect of factor j: L(v1, v0) ln(x1_j / x0_j). Where a factor is zero its limits hold: the
    factor that was or became zero takes the whole change, shared evenly if there are several.
    """
    n = _count(factors0, factors1)
    v0, v1 = math.prod(factors0), math.prod(factors1)
    if v0 > 0 and v1 > 0:
        mean = log_mean(v1, v0)
        return [mean * math.log(b / a) for a, b in zip(factors0, factors1, strict=True)]
    zero = factors0 if v1 > 0 else factors1
    switched = [j for j in range(n) if zero[j] == 0]
    share = (v1 - v0) / len(switched) if switched and v1 != v0 else 0.0
    return [share if j in switched else 0.0 for j in range(n)]


def _count(factors0: Sequence[float], factors1: Sequence[float]) -> int:
    if len(factors0) != len(factors1) or not len(factors0):
        raise ValueError(
            f"{len(factors0)} and {len(factors1)} factors: expected as many, at least 1"
        )
    if any(not 0 <= x < math.inf for x in [*factors0, *factors1]):
        raise ValueError("factors must be zero or more, and finite")
    return len(factors0)


@dataclass(frozen=True, eq=False)
class VolumePriceMix:
    """The change in value of goods in one physical unit: more of it, dearer, or another mix."""

    volume: float
    price: float
    mix: float
    change: float
    table: pd.DataFrame


def volume_price_mix(goods: pd.DataFrame, *, unit_column: str = "quantity_unit") -> VolumePriceMix:
    """Split the change in value of one group into volume, price and mix.

    With unit value U = V / Q, shares s = q / Q and bars for the means of both periods:
    change = Ubar dQ + Qbar sum(sbar dp) + Qbar sum(pbar ds), which is exact.

    Parameters
    ----------
    goods : pandas.DataFrame
        One row per good with v0, q0, v1, q1, all positive; a unit column must hold one unit.
    unit_column : str
        Column of the unit, if there is one.

    Returns
    -------
    VolumePriceMix
        The three effects and the price and mix effect of each good.

    Raises
    ------
    SchemaMismatch
        Unlike units, or a good that is absent in one period: its price is not defined.

    Examples
    --------
    >>> goods = pd.DataFrame({"v0": [1000.0, 100.0], "q0": [100.0, 50.0],
    ...                       "v1": [1200.0, 180.0], "q1": [80.0, 60.0]})
    >>> result = volume_price_mix(goods)
    >>> round(result.volume, 6), round(result.price, 6), round(result.mix, 6)
    (-85.952381, 504.047619, -138.095238)
    """
    units = set(goods[unit_column]) if unit_column in goods else {""}
    four = goods[["v0", "q0", "v1", "q1"]].to_numpy(float)
    if len(units) > 1 or not len(goods) or not (np.isfinite(four).all() and (four > 0).all()):
        raise SchemaMismatch(
            f"units {sorted(map(str, units))}, or a value or quantity that is not positive",
            "goods traded in both periods in one unit: mix means nothing across unlike units",
            "use the bridge, which keeps entry, exit and unpriced apart",
        )
    v0, q0, v1, q1 = four.T
    total0, total1 = q0.sum(), q1.sum()
    mean = (total0 + total1) / 2
    share0, share1, p0, p1 = q0 / total0, q1 / total1, v0 / q0, v1 / q1
    price = mean * (share0 + share1) / 2 * (p1 - p0)
    mix = mean * (p0 + p1) / 2 * (share1 - share0)
    volume = (v0.sum() / total0 + v1.sum() / total1) / 2 * (total1 - total0)
    return VolumePriceMix(
        volume=float(volume),
        price=math.fsum(price),
        mix=math.fsum(mix),
        change=math.fsum(v1) - math.fsum(v0),
        table=goods.assign(price=price, mix=mix),
    )
