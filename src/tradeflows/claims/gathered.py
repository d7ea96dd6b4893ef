"""The numbers that rules read, gathered from the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tradeflows.claims.rules import document
from tradeflows.evidence.disclosure import disclosure
from tradeflows.evidence.electronics import VolumeBounds, listed_months, volume_bounds
from tradeflows.evidence.energy import EnergyPrices, energy_prices
from tradeflows.evidence.turnover import total_trade, turnover
from tradeflows.figures import amount, percent
from tradeflows.figures.words import between
from tradeflows.measure.intervals import Interval

__all__ = ["GATHER", "Gathered", "energy", "volumes"]


@dataclass(frozen=True)
class Gathered:
    """Numbers for a rule, words for people, raw files, and the page that shows it."""

    numbers: dict[str, Interval | None]
    headline: str
    detail: str
    origins: tuple[str, ...]
    page: str
    clause: str = ""  # for the one sentence that opens the report


@lru_cache
def energy(base: int = 2021, current: int = 2022) -> EnergyPrices:
    """Return price and volume of energy under the bounds of the rules file.

    Examples
    --------
    >>> round(energy().priced_share(), 2)
    1.0
    """
    return energy_prices(document()["claims"]["b2"], base, current)


def _boom() -> Gathered:
    trade = turnover()
    growth = trade.growth(2021, 2022)
    (before, origin), (after, _) = total_trade(2021), total_trade(2022)
    total = after / before - 1
    return Gathered(
        {"turnover_growth": growth, "growth_gap": growth - total},
        percent(growth.low, sign=True),
        f"Turnover with Russia grew by {between(growth.low, growth.high, percent)} from 2021 to "
        f"2022, Turkey's total trade by {between(total.low, total.high, percent)}.",
        (*trade.origins, origin),
        "index.html#The-boom-itself",
        f"trade with Russia grew by {between(growth.low, growth.high, percent)} in a year",
    )


def _prices() -> Gathered:
    found = energy()
    share, imports = found.share(), found.share(of="imports")
    change = found.trade.change(2021, 2022) / found.trade.of(2021)
    priced = found.priced_share()
    numbers = {
        "priced_share": Interval(priced, priced),
        "turnover_change_rel": change,
        "pi_turnover": share,
        "pi_imports": imports,
        "pi_without_press": found.share(found.block.without_press),
    }
    words = "–" if share is None else between(share.low, share.high, percent)
    return Gathered(
        numbers,
        words,
        f"{found.sentence()} The range is over formulas, paths and bounds.",
        found.origins,
        "02-energy-price-or-volume.html",
        f"the price of energy accounts for {words} of that",
    )


def _tripled() -> Gathered:
    found = energy()
    cost, gas = found.hs27_ratio(), found.gas_price_ratio()
    return Gathered(
        {"cost_ratio": cost, "gas_price_ratio": gas},
        f"× {cost.low:.1f} to {cost.high:.1f}",
        f"The cost of energy from Russia in 2022 was {cost.low:.1f} to {cost.high:.1f} times that "
        f"of 2021, the price of gas {gas.low:.1f} to {gas.high:.1f} times.",
        found.origins,
        "02-energy-price-or-volume.html",
    )


def _share_of_energy() -> Gathered:
    fuels, trade = disclosure(), turnover()
    share = fuels.of("hs27", 2022) / trade.of(2022)
    return Gathered(
        {"energy_share": share},
        between(share.low, share.high, percent),
        f"HS 27 from Russia, {amount(fuels.of('hs27', 2022), 'USD')}, was "
        f"{between(share.low, share.high, percent)} of exports plus imports in 2022.",
        tuple(sorted({*trade.origins, *fuels.origins})),
        "01-the-data.html",
    )


def _listed() -> Gathered:
    found = listed_months()
    least = document()["claims"]["a"]["tiers"]["snapshot"]["constants"]["musd_a_month"]
    months = found.months_above(least)
    best = found.best()
    words = f"at least {months.low:.0f} of {months.high:.0f} months"
    return Gathered(
        {"months_above": months},
        words,
        f"Turkey's own statistics hold exports of the listed goods to Russia of a million USD or "
        f"more in {words}, at least "
        f"{amount(float(best.max()), 'USD')} in the largest.",
        found.origins,
        "03-electronics-volume.html",
        f"goods of the kinds found in weapons went to Russia in {words}",
    )


@lru_cache
def volumes() -> VolumeBounds:
    """Return the volume bounds under the deflators of the rules file.

    Examples
    --------
    >>> round(volumes().of("all exports to Russia")[1].low, 2)
    0.16
    """
    return volume_bounds(document()["claims"]["c"]["deflators"])


def _non_essential() -> Gathered:
    found = volumes()
    value, volume = found.of("all exports to Russia")
    return Gathered(
        {"value_growth": value, "volume_growth": volume},
        f"{between(value.low, value.high, lambda x: percent(x, sign=True))} in value",
        f"{found.sentence()} The total is the narrowest published sum that holds all "
        "non-essential goods; food and fuel are in it.",
        found.origins,
        "03-electronics-volume.html",
        f"exports grew by {between(value.low, value.high, percent)} in value and by at least "
        f"{percent(volume.low)} in volume",
    )


GATHER: dict[tuple[str, str], Callable[[], Gathered]] = {
    ("a", "snapshot"): _listed,
    ("b1", "snapshot"): _boom,
    ("b2", "snapshot"): _prices,
    ("b3", "snapshot"): _tripled,
    ("b4", "snapshot"): _share_of_energy,
    ("c", "snapshot"): _non_essential,
}
