"""Growth in volume of goods whose unit values are no prices: three measures, two must agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import pandas as pd

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.intervals import Interval
from tradeflows.measure.window import renumbered, require, same_length
from tradeflows.periods import Window, either, span
from tradeflows.quality.census import Census, census
from tradeflows.quality.relation import opened
from tradeflows.result import Result
from tradeflows.words import Sentence, percent

_WEIGHT = ("net_weight_kg", "weight_status")
_UNITS = ("quantity", "quantity_status")
_NEEDED = ("period", "code", "value_usd", "net_weight_kg")
_NAMES = ["price of a kilogram", "price of a tariff unit", "price of a kilogram elsewhere"]


@dataclass(frozen=True, eq=False)
class VolumePriceMix:
    """The change in value of goods in one physical unit: more of it, dearer, or another mix."""

    volume: float
    price: float
    mix: float
    change: float
    table: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Volume(Result):
    """Growth of value, price and volume of some goods, by three measures."""

    base: str
    current: str
    value: float
    table: pd.DataFrame = field(repr=False)
    premium: float = np.nan
    mix: VolumePriceMix | None = field(repr=False, default=None)
    origins: tuple[str, ...] = field(repr=False, default=())

    @property
    def growth(self) -> Interval | None:
        """Growth on which two measures agree: the middle of three, the range of two, else none."""
        known = sorted(self.table["volume"].dropna())
        if len(known) == 3:
            return Interval(median(known), median(known))
        return Interval(known[0], known[-1]) if len(known) == 2 else None

    @property
    def reason(self) -> str:
        """Why two measures are not there, else empty."""
        missing = self.table[self.table["volume"].isna()]
        each = dict.fromkeys(f"{name}: {row['reason']}" for name, row in missing.iterrows())
        return "" if self.growth else "; ".join(each)

    def sentence(self) -> Sentence:
        """Say how much the volume grew, or why that cannot be determined."""
        head = f"Volume, {self.current} against {self.base}"
        if self.growth is None:
            return Sentence(f"{head}: cannot be determined ({self.reason})")
        many = {3: "the middle of three", 2: "two"}[int(self.table["volume"].notna().sum())]
        return Sentence(
            f"{head}: {self.growth:+.1%} by {many} measures; value {percent(self.value, sign=True)}"
        )


def volume(
    trade: pd.DataFrame,
    elsewhere: pd.DataFrame,
    base: str | int = "2021",
    current: str | int = "2022",
    *,
    complete: float,
) -> Volume:
    """Measure the growth in volume of a trade in three ways.

    Each measure is value over a Fisher price index. The index compares, good by good, what a unit
    cost in both windows: a kilogram in this trade, a tariff unit in this trade, a kilogram in the
    trade elsewhere. Goods new to the trade count as volume at the prices of the others. Unit values
    of goods such as electronics mix grades and models, so no single measure decides.

    Parameters
    ----------
    trade : pandas.DataFrame
        The goods in question in one flow: code, period, value_usd, net_weight_kg, weight_status,
        quantity, quantity_unit, quantity_status.
    elsewhere : pandas.DataFrame
        Other trade of the same reporter, such as its exports of these goods to other destinations,
        of which goods not in `trade` are left out. A month in which either has rows is published.
    base, current : str or int
        Windows of months.
    complete : float
        Share of value that must have a reported quantity in both windows.

    Returns
    -------
    Volume

    Raises
    ------
    SchemaMismatch
        A month of a window is not published, windows of unequal length, a column is missing.
    DoubleCountedTotals
        Totals beside their parts.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2022-01-01"]),
    ...     "code": "854231", "value_usd": [100.0, 300.0], "net_weight_kg": [10.0, 20.0],
    ...     "weight_status": "reported", "quantity": [5.0, 10.0], "quantity_unit": "u",
    ...     "quantity_status": "reported"})
    >>> found = volume(rows, rows.assign(net_weight_kg=[10.0, 24.0]), "2021-01", "2022-01",
    ...     complete=0.7)
    >>> found.table["volume"].round(6).tolist(), found.growth
    ([1.0, 1.0, 1.4], Interval(low=1.0, high=1.0))
    """
    windows = old, new = Window.parse(base), Window.parse(current)
    base, current, within = str(old), str(new), either(old, new)
    found = []
    for rows in (trade, elsewhere):
        with opened(rows, _NEEDED) as relation:
            found.append(census(relation, "net_weight_kg", within, estimated="accepted").rows)
            renumbered(relation, windows, within)
    same_length(*windows, 1)
    require(Census(pd.concat(found)), windows)
    two = _windows(trade, base, current, _WEIGHT)
    origins = tuple(sorted(trade["origin"].unique())) if "origin" in trade else ()
    units = _windows(trade, base, current, _UNITS)
    before = float(two["v0"].sum())
    value = float(two["v1"].sum()) / before - 1 if before else np.nan
    table = pd.DataFrame(
        [
            _measure(of, complete)
            for of in (two, units, _priced(two, elsewhere, complete, base, current))
        ],
        index=pd.Index(_NAMES, name="measure"),
    )
    table.insert(1, "volume", (1 + value) / (1 + table["price"]) - 1)
    own, other = table["price"].iloc[[0, 2]]
    both = two[(two["q0"] > 0) & (two["q1"] > 0)]
    goods = both.assign(v0=both["m0"], v1=both["m1"])
    return Volume(
        base,
        current,
        value,
        table,
        (1 + own) / (1 + other) - 1,
        volume_price_mix(goods[["v0", "q0", "v1", "q1"]]) if len(goods) else None,
        origins,
    )


def _windows(rows: pd.DataFrame, base: str, current: str, columns: tuple[str, str]) -> pd.DataFrame:
    """Return value, measured value and quantity of each good in both windows; one unit a good."""
    quantity, status = columns
    good = rows[status].eq("reported") & (rows[quantity] > 0) & (rows["value_usd"] > 0)
    if quantity == "quantity":
        inside = rows["period"].isin(span(base).union(span(current)))
        many = rows[inside & good].groupby("code")["quantity_unit"].nunique()
        good &= ~rows["code"].isin(many.index[many > 1])
    measured = rows.assign(
        v=rows["value_usd"],
        m=rows["value_usd"].where(good, 0.0),
        q=rows[quantity].where(good, 0.0),
    )
    sums = [
        measured[measured["period"].isin(span(w))].groupby("code")[["v", "m", "q"]].sum()
        for w in (base, current)
    ]
    both = pd.concat([s.add_suffix(str(i)) for i, s in enumerate(sums)], axis=1).fillna(0.0)
    return both.rename_axis("code")


def _priced(
    here: pd.DataFrame, elsewhere: pd.DataFrame, complete: float, base: str, current: str
) -> pd.DataFrame:
    """Return the values of this trade with quantities at the prices of the other."""
    rows = elsewhere[elsewhere["code"].isin(here.index)]
    there = _windows(rows, base, current, _WEIGHT).reindex(here.index)
    out = here.copy()
    for i in ("0", "1"):
        weighed = (there[f"m{i}"] >= complete * there[f"v{i}"]) & (there[f"q{i}"] > 0)
        out[f"m{i}"] = out[f"v{i}"].where(weighed, 0.0)
        out[f"q{i}"] = (out[f"v{i}"] * there[f"q{i}"] / there[f"m{i}"]).where(weighed, 0.0)
    return out


def _measure(two: pd.DataFrame, complete: float) -> dict[str, object]:
    """Return the growth of prices by Fisher's index over goods measured in both windows."""
    if not two["v0"].sum():
        nothing = dict.fromkeys(("price", "covered", "matched"), np.nan)
        return nothing | {"reason": "no trade in the first window"}
    shares = [float(two[f"m{i}"].sum() / two[f"v{i}"].sum()) if two[f"v{i}"].sum() else 0.0
              for i in "01"]  # fmt: skip
    both = two[(two["q0"] > 0) & (two["q1"] > 0)]
    matched = float((both["v0"] + both["v1"]).sum() / (two["v0"] + two["v1"]).sum())
    found: dict[str, object] = {"price": np.nan, "covered": min(shares), "matched": matched}
    if min(shares) < complete:
        lack = f"{percent(min(shares))} of the value can be measured so"
        return found | {"reason": f"{lack}, {percent(complete)} are needed"}
    if both.empty:
        return found | {"reason": "no good is measured in both windows"}
    v0, v1 = both["v0"], both["v1"]
    r = both["q0"] / both["m0"] * v0 / (both["q1"] / both["m1"] * v1)  # q0 / q1
    fisher = np.sqrt((v1 * r).sum() / v0.sum() * v1.sum() / (v0 / r).sum())
    return found | {"price": float(fisher) - 1, "reason": ""}


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
