"""What growth of all exports to Russia says of the non-essential part, which no print of 2021 has.

A total can grow while a part of it does not. The part of the later year is bounded by sectors; that
of the earlier year only by the total.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from tradeflows.evidence.turnover import turnover
from tradeflows.figures import amount, percent
from tradeflows.load import snapshot
from tradeflows.measure.intervals import Interval
from tradeflows.words import Sentence

__all__ = ["FOOD", "Essential", "essential", "exports_by_sector"]

FOOD = ("01-05", "06-15", "16-24")  # nothing else but tobacco, in 24
_SURE = (*FOOD, "27-27")
_MAY = ("28-38", "90-99")  # medicines and medical goods stand among others here


@dataclass(frozen=True)
class Essential:
    """Exports to Russia in two years, USD, and what of the later year's was essential.

    ``before`` and ``after`` are all exports; ``essential`` is food, fuel, medicine and medical
    goods of the later year, a range because the last two stand in sectors with other goods.
    """

    base: int
    current: int
    before: Interval
    after: float
    essential: Interval
    origins: tuple[str, ...]

    def least_growth(self) -> Interval:
        """Return the growth of the non-essential part if all exports of the base year were in it.

        The lower end counts all that may be essential in the later year, the upper food and fuel
        alone; both take the largest total that the base year may have had.
        """
        return (self.after - self.essential) / self.before.high - 1

    def needed(self, growth: float) -> Interval:
        """Return how much must have been essential in the base year for a growth of the rest.

        Parameters
        ----------
        growth : float
            Of the non-essential part, a fraction.

        Returns
        -------
        Interval
            USD, enough for any total that the base year may have had; the lower end counts food
            and fuel alone as essential in the later year.
        """
        return self.before.high - (self.after - self.essential) / (1 + growth)

    def sentence(self, volume: float, deflator: float) -> Sentence:
        """Say under which condition the non-essential part grew in volume.

        Parameters
        ----------
        volume : float
            Growth in volume that is asked about.
        deflator : float
            Growth of prices with the premium, one plus.
        """
        needed, least = self.needed((1 + volume) * deflator - 1), self.least_growth()
        return Sentence(
            f"Food and fuel are in this total, {amount(self.essential.low, 'USD')} of"
            f" {amount(self.after, 'USD')} in {self.current}; what they were in {self.base} is not"
            f" in print here. Had they been nothing then, the rest changed by"
            f" {percent(least.high, sign=True)} in value, or {percent(least.low, sign=True)} where"
            " every sector that holds medicine counts as essential. It grew by"
            f" {percent(volume)} in volume on the same terms if they were at least"
            f" {_up(needed.low)}, or {_up(needed.high)} on the wider count."
        )


def _up(usd: float) -> str:
    """Write what must at least have been, never rounded down."""
    return amount(math.ceil(usd / 1e7) * 1e7, "USD")


def essential(base: int = 2021, current: int = 2022) -> Essential:
    """Set the essential part of exports to Russia beside all of them.

    Examples
    --------
    >>> found = essential()
    >>> bool(found.essential.low < found.essential.high < found.after)
    True
    """
    sectors, origins = exports_by_sector(current)
    sure = float(sectors[list(_SURE)].sum())
    may = float(sectors[list(_MAY)].sum())
    trade = turnover()
    return Essential(
        base,
        current,
        trade.exports(base),
        float(sectors["TOTAL"]),
        Interval(sure, sure + may),
        tuple(sorted({*trade.origins, *origins})),
    )


def exports_by_sector(year: int) -> tuple[pd.Series, set[str]]:
    """Return Turkey's exports to Russia of a year by group of HS chapters, and the raw files.

    Parameters
    ----------
    year : int

    Returns
    -------
    pandas.Series, set of str
        USD, indexed by group such as ``"84-85"`` and ``"TOTAL"``.

    Examples
    --------
    >>> sectors, _ = exports_by_sector(2022)
    >>> bool(sectors.drop("TOTAL").sum() / sectors["TOTAL"] > 0.9)
    True
    """
    found = snapshot("trade", source="WITS", reporter="TUR", partner="RUS", flow="X", freq="A",
                     months=str(year))  # fmt: skip
    return found.set_index("code")["value_usd"], set(found["origin"])
