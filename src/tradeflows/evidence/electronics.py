"""Did exports of electronics to Russia grow in volume? Bounds from published values.

Unit values of electronics are not prices, so volume is bounded: how far prices alone would have had
to rise to explain a rise in value, and what is left after the largest rise on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.errors import SchemaMismatch
from tradeflows.evidence.essential import FOOD, exports_by_sector
from tradeflows.evidence.turnover import turnover
from tradeflows.figures import Figure, lines, number, percent, ranges
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.measure.intervals import Interval
from tradeflows.measure.published import PublishedFigure, published
from tradeflows.periods import span
from tradeflows.words import Sentence, at_least, between, period_text

__all__ = ["ListedMonths", "VolumeBounds", "contradictions", "listed_months", "volume_bounds"]

_PRICES = ("us_import_prices_capital_goods", "us_import_prices_machinery")  # as the rules say
_ALL_GOODS = "us_import_prices_all"  # shown beside them, decides nothing
_NAMED = "US import prices of capital goods and machinery"
_ALL = "all exports to Russia"
_FLAT = 5  # growth beyond which a bar would flatten the others
_MUSD = 1e6
_GAP = "gap"


@dataclass(frozen=True)
class VolumeBounds:
    """Growth in value of each indicator, and the smallest growth in volume it leaves.

    ``table``: indicator, statistic, base, current, value_low and value_high (growth, fractions;
    value_low is also how far prices alone would have had to rise), price (largest growth of the
    import price indices), all_goods (growth of that of all goods), volume_low and volume_high
    (growth left after price index and premium; the two ends add or multiply them), source,
    confidence. ``enough``: growth in volume that the rule asks for. ``food``: share of HS 01-24
    in all exports of 2022.
    """

    table: pd.DataFrame
    premium: float
    enough: float
    food: float
    origins: tuple[str, ...]

    def of(self, indicator: str) -> tuple[Interval, Interval]:
        """Return growth in value and smallest growth in volume of one indicator."""
        row = self.table.set_index("indicator")
        low, high, least, most = (
            float(row[c][indicator])
            for c in ("value_low", "value_high", "volume_low", "volume_high")
        )
        return Interval(low, high), Interval(least, most)

    def break_even(self, growth: float = 0.0, indicator: str = _ALL) -> float:
        """Return the largest growth of prices, beyond the premium, that leaves volume a growth."""
        return (1 + self.of(indicator)[0].low) / ((1 + self.premium) * (1 + growth)) - 1

    def sentence(self) -> Sentence:
        """Say what is left of the growth in all exports."""
        value, volume = self.of(_ALL)
        return Sentence(
            f"Exports to Russia grew by {between(value.low, value.high, percent)} in value from "
            f"2021 to 2022. Had prices risen as {_NAMED} did, and Russia paid the "
            f"largest premium in the literature on top, volume would still have grown by at least "
            f"{at_least(volume.low)}."
        )

    def how_far(self) -> Sentence:
        """Say how far prices could have risen, and what other prices would leave."""
        row = self.table.set_index("indicator")
        price, all_goods = (float(row[c][_ALL]) for c in ("price", "all_goods"))
        left = (1 + self.break_even()) / (1 + all_goods) - 1
        still, enough = self.break_even(), self.break_even(self.enough)
        return Sentence(
            f"On top of a premium of {percent(self.premium)}, prices could have risen by "
            f"{_fine(still)} before the volume of {_ALL} had stood still, and by {_fine(enough)} "
            f"before it had grown by less than the {percent(self.enough)} of the rule. {_NAMED} "
            f"rose by {_fine(price)} at most from {row['base'][_ALL]} to {row['current'][_ALL]}. "
            "US import prices of all goods, which the rule does not use, rose by "
            f"{_fine(all_goods)}: volume would have grown by {_fine(left)}. These are prices of "
            "US imports, not of Turkish exports, and those of machines are applied to everything "
            f"that went to Russia, {percent(self.food)} of it food (HS 01-24, in 2022)."
        )

    def shown(self) -> Shown:
        """Show the indicators for people."""
        t = self.table
        ends = zip(t["value_low"], t["value_high"], strict=True)
        shown = pd.DataFrame(
            {
                "indicator": t["indicator"],
                "statistic": t["statistic"],
                "from": t["base"].map(_spoken),
                "to": t["current"].map(_spoken),
                "growth in value": [_span(low, high) for low, high in ends],
                "growth in volume, at least": t["volume_low"].map(at_least),
                "source": t["source"],
                "confidence": t["confidence"],
            }
        )
        return Shown(shown, "Growth in value and the smallest growth in volume")

    def figure(self) -> Figure:
        """Draw growth in value and the smallest growth in volume of each indicator."""
        flat = self.table["value_low"] < _FLAT
        small, tall = self.table[flat], self.table[~flat]
        rows = pd.DataFrame(
            {
                "label": [_labelled(row) for _, row in small.iterrows()],
                "low": small["volume_low"] * 100,
                "high": small["value_low"] * 100,
                "open": small["value_high"] == float("inf"),
            }
        )
        left_out = [f"{_labelled(r)}, {percent(r['value_low'], sign=True)} in value or more"
                    for _, r in tall.iterrows()]  # fmt: skip
        return ranges(
            rows.reset_index(drop=True),
            marks={"no growth": 0.0, percent(self.enough): self.enough * 100},
            name="volume-bounds",
            title=self._finding(small),
            unit="%",
            alt="For each indicator a bar from the smallest growth in volume to the growth in "
            "value: "
            + "; ".join(
                f"{name}: {low:.0f} to {'over ' if more else ''}{high:.0f} %"
                for name, low, high, more in rows.itertuples(index=False)
            ),
            origins=self.origins,
            note=f"left end: growth left after {_NAMED} and the largest premium; right end: "
            "growth in value, at least; an arrow where print says only more than"
            + "".join(f"; not drawn: {words}" for words in left_out),
        )

    def _finding(self, drawn: pd.DataFrame) -> str:
        if not (drawn["volume_low"] > 0).all():
            return "Prices alone could explain the rise of some indicators"
        return (
            "With US import prices and the largest premium in the literature, volume grew in every "
            "indicator drawn, each between its own two years; all exports from 2021 to 2022 by at "
            f"least {at_least(self.of(_ALL)[1].low)}"
        )


def volume_bounds(premium: float, enough: float) -> VolumeBounds:
    """Bound the growth in volume of every indicator of exports to Russia.

    Parameters
    ----------
    premium : float
        The largest unit-value premium of the rules file, claim c; a fraction.
    enough : float
        Growth in volume that the rule asks for.

    Returns
    -------
    VolumeBounds

    Notes
    -----
    With growth in value g, growth of prices p and premium m, volume grew by at least
    (1 + g) / (1 + p + m) - 1 if the premium adds to the growth of prices, and by at least
    (1 + g) / ((1 + p)(1 + m)) - 1 if it comes on top of it. Both are given.
    """
    sectors, cited = exports_by_sector(2022)
    food = float(sectors[list(FOOD)].sum() / sectors["TOTAL"])
    rows, origins = [], set(cited)
    for stated in _stated()["indicators"]:
        growth, source, confidence, origin = _growth(stated)
        base, current = stated["windows"]
        price = max(_price_growth(series, base, current) for series in _PRICES)
        added, multiplied = 1 + price + premium, (1 + price) * (1 + premium)
        rows.append(
            {
                "indicator": stated["name"],
                "statistic": stated["statistic"],
                "base": base,
                "current": current,
                "value_low": growth.low,
                "value_high": growth.high,
                "price": price,
                "all_goods": _price_growth(_ALL_GOODS, base, current),
                "volume_low": (1 + growth.low) / max(added, multiplied) - 1,
                "volume_high": (1 + growth.low) / min(added, multiplied) - 1,
                "source": source,
                "confidence": confidence,
            }
        )
        origins |= {*origin, "bls/import_price_indices_monthly.csv"}
    return VolumeBounds(pd.DataFrame(rows), premium, enough, food, tuple(sorted(origins)))


def _growth(stated: Mapping[str, Any]) -> tuple[Interval, str, str, tuple[str, ...]]:
    """Return growth in value, its source, the confidence in it, and the raw files."""
    if stated.get("turnover"):
        trade = turnover()
        grown = trade.exports(2022) / trade.exports(2021) - 1
        return grown, "A011, WITS", "B", trade.origins
    if "values" in stated:
        before, after = (published(figure) for figure in stated["values"])
        return after.value / before.value - 1, *_cited(after)
    if "print" in stated:
        return _in_print(stated["print"])
    keys = {"code": "surge_basket"} if stated.get("basket") else {"source": "WITS", "code": "84-85"}
    found = snapshot("trade", reporter="TUR", partner="RUS", flow="X", freq="A", **keys)
    by_year = found.set_index(found["period"].dt.year)["value_usd"]
    base, current = (int(w[:4]) for w in stated["windows"])
    growth = float(by_year[current] / by_year[base]) - 1
    origin = tuple(sorted(set(found["origin"])))
    return Interval(growth, growth), found["source"].iloc[0], "B", origin


def _in_print(stated: Mapping[str, Any]) -> tuple[Interval, str, str, tuple[str, ...]]:
    figure = published(stated["figure"])
    comparison = snapshot("published", id=figure.id)["comparison"].iloc[0]
    if stated["words"] not in comparison:
        raise SchemaMismatch(
            f"figure {figure.id}: {comparison!r}", f"the words {stated['words']!r}", "look again"
        )
    if "at_least" in stated:
        return Interval(stated["at_least"], float("inf")), *_cited(figure)
    room = stated.get("rounding", 0.0005)
    return Interval(stated["growth"] - room, stated["growth"] + room), *_cited(figure)


def _cited(figure: PublishedFigure) -> tuple[str, str, tuple[str, ...]]:
    return figure.cite, figure.confidence, (figure.origin,)


@lru_cache
def _price_growth(series: str, base: str, current: str) -> float:
    """Return the growth of an import price index between two windows."""
    found = snapshot("prices", series=series)
    before, after = (
        float(found.loc[found["period"].isin(span(w)), "value"].mean()) for w in (base, current)
    )
    return after / before - 1


@dataclass(frozen=True)
class ListedMonths:
    """Lower bounds of monthly exports of the 45 listed goods to Russia.

    ``table``: month, at least (USD), how (printed, implied, gap between two statistics), source.
    The largest bound of a month counts.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def months_above(self, musd: float) -> Interval:
        """Return how many months of the window reached a value: at least, and at most."""
        best = self.best()
        surely = int((best >= musd * _MUSD).sum())
        return Interval(surely, len(best))

    def by_gaps(self, musd: float) -> int:
        """Return in how many months the gap between the two statistics alone reached a value."""
        gaps = self.table[self.table["how"].str.startswith(_GAP)]
        return int(gaps.loc[gaps["at_least"] >= musd * _MUSD, "month"].nunique())

    def best(self) -> pd.Series:
        """Return the largest lower bound of each month of the window, 0 where none is known."""
        months = span("2022-03/2023-02")
        return self.table.groupby("month")["at_least"].max().reindex(months, fill_value=0.0)

    def shown(self) -> Shown:
        """Show every bound."""
        shown = self.table.assign(
            month=[f"{m:%Y-%m}" for m in self.table["month"]],
            at_least=[f"{x:.1f}" for x in _down(self.table["at_least"])],
        )
        columns = ["month", "at least, m USD, rounded down", "how", "source"]
        return Shown(
            shown.set_axis(columns, axis=1), "Listed goods to Russia, lower bounds by month"
        )

    def figure(self) -> Figure:
        """Draw the largest lower bound of each month."""
        best = _down(self.best())
        surely = int(self.months_above(1.0).low)
        return lines(
            pd.DataFrame({"at least": best.where(best > 0)}),
            name="listed-goods-lower-bounds",
            title=f"Listed goods worth a million USD or more left for Russia in at least {surely} "
            f"of {len(best)} months",
            unit="million USD",
            alt="Lower bounds by month: "
            + "; ".join(f"{m:%Y-%m}: {x:.1f}" for m, x in best.items() if x > 0),
            origins=self.origins,
            note="45 codes, composition inferred; lower bounds of several kinds, rounded down: a "
            "step between two of them is no rise or fall; a month without a mark has no bound",
            floors=True,
        )


def listed_months() -> ListedMonths:
    """Collect what is known of monthly exports of the 45 listed goods to Russia.

    Returns
    -------
    ListedMonths
        March 2022 to February 2023.

    Examples
    --------
    >>> listed_months().months_above(1.0).low
    7
    """
    rows = []
    for stated in _stated()["listed_months"]:
        figure = published(stated["figure"])
        implied = stated.get("implies")
        how = f"implied: {implied}" if implied else f"printed as {figure.text}"
        start, end = stated.get("from"), stated.get("to")
        months = pd.date_range(start, end, freq="MS") if start else [figure.start]
        rows += [(month, figure.value.low, how, figure.cite) for month in months]
    gaps = snapshot("trade", code_system="positive gaps", code="high_priority_45")
    rows += [
        (
            month,
            value,
            f"{_GAP}: general trade less special trade, by code",
            "UN Comtrade minus TÜİK",
        )
        for month, value in zip(gaps["period"], gaps["value_usd"], strict=True)
    ]
    table = pd.DataFrame(rows, columns=["month", "at_least", "how", "source"])
    inside = table["month"].isin(span("2022-03/2023-02"))
    origins = tuple(sorted({*gaps["origin"], "press/published_figures.csv"}))
    return ListedMonths(table[inside].sort_values(["month", "how"]).reset_index(drop=True), origins)


def contradictions() -> Shown:
    """Show prints that contradict each other, which one is used, and why.

    Examples
    --------
    >>> contradictions().table["used"].tolist()
    ['D001', 'D003', 'D007', 'A016', 'F007']
    """
    rows = []
    for stated in _stated()["contradictions"]:
        texts = [f"{published(f).text} ({f}: {note})" for f, note in stated["prints"].items()]
        rows.append((stated["what"], "; ".join(texts), stated["used"], stated["why"]))
    columns = ["what", "in print", "used", "why"]
    return Shown(pd.DataFrame(rows, columns=columns), "Prints that contradict each other")


@lru_cache
def _stated() -> dict[str, Any]:
    text = files("tradeflows.evidence").joinpath("electronics.yml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def _down(usd: pd.Series) -> pd.Series:
    """Return lower bounds in million USD with one decimal, never rounded up."""
    return (usd.round() // 1e5) / 10


def _span(low: float, high: float) -> str:
    if high == float("inf"):
        return f"over {percent(low)}"
    return between(low, high, percent)


def _labelled(row: pd.Series) -> str:
    """Name an indicator with the years it compares and its statistic."""
    return f"{row['indicator']}, {row['base'][:4]} to {row['current'][:4]} ({row['statistic']})"


def _spoken(months: str) -> str:
    """Write a window as people do; a year stays a year."""
    ends = [w if len(w) == 4 else period_text(pd.Timestamp(w)) for w in months.split("/")]
    return " to ".join(ends)


def _fine(x: float) -> str:
    """Write a fraction in per cent with three digits: near a threshold one more than usual."""
    return f"{number(x * 100)} %"
