"""Did the volume of exports to Russia grow? Three measures; two of three must agree.

Unit values of electronics are no prices, so no single measure decides. Value is deflated by what a
kilogram cost, by what a piece (the tariff's own unit) cost, and by what Turkey charged elsewhere
for the same goods.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from statistics import median

import numpy as np
import pandas as pd

from tradeflows.counterfactual.cube import EXCLUDED, destinations
from tradeflows.evidence.panel import Panel
from tradeflows.measure.factors import VolumePriceMix, volume_price_mix
from tradeflows.measure.index import price_index
from tradeflows.measure.intervals import Interval
from tradeflows.periods import span
from tradeflows.plot import Figure, Shown, ranges
from tradeflows.words import Sentence, between, percent

__all__ = ["COMPLETE", "Volume", "volume"]

COMPLETE = 0.70  # of the value must have a reported quantity in both windows
_WEIGHT = ("net_weight_kg", "weight_status")
_UNITS = ("quantity", "quantity_status")
_YEARS = pd.to_datetime(["2000-01-01", "2001-01-01"])  # two windows as two steps of an index


@dataclass(frozen=True, eq=False)
class Volume:
    """Growth of value, price and volume of some goods to Russia, by three measures.

    Parameters
    ----------
    name, base, current : str
        Goods, and the windows compared.
    value : float
        Growth in value; NaN where a month is not published or nothing was traded before.
    table : pandas.DataFrame
        By measure: price and volume (growth), covered (share of value with a reported quantity, the
        smaller of both windows), matched (share of value in goods traded in both), reason.
    premium : float
        Growth of unit values to Russia over that of the same goods elsewhere, in kilograms.
    mix : VolumePriceMix or None
        Volume, price and mix of the goods weighed in both windows, USD.
    reason : str
        Why nothing can be said, else empty.
    generated : bool
    origins : tuple of str
    """

    name: str
    base: str
    current: str
    value: float
    table: pd.DataFrame = field(repr=False)
    premium: float = np.nan
    mix: VolumePriceMix | None = field(repr=False, default=None)
    reason: str = ""
    generated: bool = False
    origins: tuple[str, ...] = field(repr=False, default=())

    @property
    def growth(self) -> Interval | None:
        """Growth on which two measures agree: the middle of three, the range of two, else none."""
        known = sorted(self.table["volume"].dropna())
        if len(known) == 3:
            return Interval(median(known), median(known))
        return Interval(known[0], known[-1]) if len(known) == 2 else None

    def sentence(self) -> Sentence:
        """Say how much the volume grew, or why that cannot be determined."""
        head = f"Volume of {self.name} to Russia, {self.current} against {self.base}"
        found = self.growth
        if found is None:
            return Sentence(f"{head}: cannot be determined ({self.why()})")
        written = between(found.low, found.high, lambda x: percent(x, sign=True))
        many = int(self.table["volume"].notna().sum())
        return Sentence(
            f"{head}: {written} by {'the middle of three' if many == 3 else 'two'} measures;"
            f" value {percent(self.value, sign=True)}"
        )

    def why(self) -> str:
        """Say why measures are missing."""
        if self.reason:
            return self.reason
        missing = self.table[self.table["volume"].isna()]
        return "; ".join(f"{name}: {row['reason']}" for name, row in missing.iterrows())

    def shown(self) -> Shown:
        """Show the measures for people."""
        t = self.table
        shown = pd.DataFrame(
            {
                "value deflated by": t.index,
                "price": [_written(x) for x in t["price"]],
                "volume": [_written(x) for x in t["volume"]],
                "value with a quantity": [_written(x, sign=False) for x in t["covered"]],
                "value in goods of both windows": [_written(x, sign=False) for x in t["matched"]],
                "why not": t["reason"],
            }
        )
        return Shown(shown, f"Three measures of the volume of {self.name}")

    def figure(self) -> Figure | Sentence:
        """Draw the growth of volume by each measure beside that of value."""
        known = self.table.dropna(subset="volume")
        if known.empty or not np.isfinite(self.value):
            return self.sentence()
        low, high = known["volume"].clip(upper=self.value), known["volume"].clip(lower=self.value)
        rows = pd.DataFrame({"label": known.index, "low": 100 * low, "high": 100 * high})
        return ranges(
            rows.reset_index(drop=True),
            marks={"no growth": 0.0, "value": 100 * self.value},
            name=f"volume-of-{'-'.join(self.name.lower().replace(',', '').split())}",
            title=str(self.sentence()),
            unit="%",
            alt="Growth of volume by measure: "
            + "; ".join(f"{n}: {percent(v, sign=True)}" for n, v in known["volume"].items()),
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note="from the growth in volume to the growth in value"
            + (", generated trade" if self.generated else ""),
        )

    def mixed(self) -> Sentence:
        """Say what volume, price and mix account for among goods weighed in both windows."""
        if self.mix is None:
            return Sentence(f"Volume, price and mix of {self.name}: no goods weighed in both")
        total = self.mix.change
        parts = (
            ("volume accounts", self.mix.volume),
            ("price", self.mix.price),
            ("mix", self.mix.mix),
        )
        shares = ", ".join(f"{name} for {percent(x / total)}" for name, x in parts if total)
        return Sentence(f"Of the change in value of {self.name} weighed in both windows {shares}")


def volume(
    panel: Panel,
    name: str,
    codes: Collection[str],
    base: str = "2021",
    current: str = "2022",
    complete: float = COMPLETE,
) -> Volume:
    """Measure the growth in volume of exports of some goods to Russia in three ways.

    Each measure is value over a Fisher price index. The index compares, good by good, what a unit
    cost in both windows: a kilogram to Russia, a tariff unit to Russia, a kilogram elsewhere
    (neither Russia nor places goods may pass through on their way there). Goods new to the trade
    count as volume at the prices of the others.

    Parameters
    ----------
    panel : Panel
    name : str
        The goods in words.
    codes : collection of str
    base, current : str
        Windows.
    complete : float
        Share of value that must have a reported quantity in both windows.

    Returns
    -------
    Volume
    """
    gone = panel.unpublished(base) + panel.unpublished(current) if not panel.reason else []
    reason = panel.reason or (f"not published: {', '.join(gone)}" if gone else "")
    rows = panel.to_russia(codes)
    two = None if reason else _windows(rows, base, current, _WEIGHT)
    if two is not None and not two["v0"].sum() > 0:
        reason, two = f"no exports in {base}", None
    if two is None:
        blank = pd.DataFrame(
            {c: [np.nan] * 3 for c in ("price", "volume", "covered", "matched")}, index=_NAMES
        )
        return Volume(
            name, base, current, np.nan, blank.assign(reason=reason), reason=reason,
            generated=panel.generated,
        )  # fmt: skip
    units = _windows(rows, base, current, _UNITS)
    abroad = _elsewhere(panel, two, base, current, complete)
    value = float(two["v1"].sum() / two["v0"].sum()) - 1
    table = pd.DataFrame(
        [_measure(two, complete), _measure(units, complete), _measure(abroad, complete)],
        index=pd.Index(_NAMES, name="measure"),
    )
    table.insert(1, "volume", (1 + value) / (1 + table["price"]) - 1)
    own, other = table["price"].iloc[[0, 2]]
    return Volume(
        name, base, current, value, table, (1 + own) / (1 + other) - 1, _mix(two),
        generated=panel.generated, origins=panel.origins(rows),
    )  # fmt: skip


_NAMES = ["price of a kilogram", "price of a tariff unit", "price of a kilogram elsewhere"]


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
    return both.rename_axis("code").assign(reason="")


def _elsewhere(
    panel: Panel, here: pd.DataFrame, base: str, current: str, complete: float
) -> pd.DataFrame:
    """Return Russia's values with quantities at the prices of other destinations."""
    rows = panel.exports
    rows = rows[rows["code"].isin(here.index) & ~rows["partner"].isin(["RUS", *EXCLUDED])]
    rows = destinations(rows, "net_weight_kg", ("code",))
    there = _windows(rows, base, current, _WEIGHT).reindex(here.index).fillna({"reason": ""})
    out = here.copy()
    for i in ("0", "1"):
        weighed = (there[f"m{i}"] >= complete * there[f"v{i}"]) & (there[f"q{i}"] > 0)
        out[f"m{i}"] = out[f"v{i}"].where(weighed, 0.0)
        out[f"q{i}"] = (out[f"v{i}"] * there[f"q{i}"] / there[f"m{i}"]).where(weighed, 0.0)
    return out


def _measure(two: pd.DataFrame, complete: float) -> dict[str, object]:
    """Return the growth of prices by Fisher's index over goods measured in both windows."""
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
    steps = [
        pd.DataFrame(
            {
                "period": year,
                "code": both.index,
                "value_usd": both[f"v{i}"].to_numpy(),
                "q": (both[f"v{i}"] * both[f"q{i}"] / both[f"m{i}"]).to_numpy(),
                "freq": "A",
            }
        )
        for i, year in zip("01", _YEARS, strict=True)
    ]
    index = price_index(pd.concat(steps), "fisher", base="fixed", quantity="q")
    return found | {"price": float(index.table["price"].iloc[-1]) - 1, "reason": ""}


def _mix(two: pd.DataFrame) -> VolumePriceMix | None:
    both = two[(two["q0"] > 0) & (two["q1"] > 0)]
    goods = both.assign(v0=both["m0"], v1=both["m1"])[["v0", "q0", "v1", "q1"]]
    return volume_price_mix(goods) if len(goods) else None


def _written(x: float, *, sign: bool = True) -> str:
    return "–" if np.isnan(x) else percent(x, sign=sign)
