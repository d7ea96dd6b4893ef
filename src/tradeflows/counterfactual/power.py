"""The smallest rise that the rules would find."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.counterfactual.expectation import Expectation
from tradeflows.counterfactual.placebo import Placebo, placebo_destinations, placebo_products
from tradeflows.periods import month
from tradeflows.result import Result
from tradeflows.words import Sentence

__all__ = ["Power", "power", "smallest_effect"]

CHANCE = 0.80
LEVEL = 0.05


@dataclass(frozen=True)
class Power(Result):
    """The smallest rise each rule would find with 80 % chance, from the time before the event.

    Parameters
    ----------
    table : pandas.DataFrame
        By rule: smallest factor, and what it rests on.
    """

    table: pd.DataFrame

    def sentence(self) -> Sentence:
        """Say the smallest factor of each rule."""
        each = [
            f"{rule}: × {row.factor:.2f}"
            if np.isfinite(row.factor)
            else f"{rule}: not determined ({row.basis})"
            for rule, row in self.table.iterrows()
        ]
        return Sentence(f"Smallest rise found with 80 % chance: {'; '.join(each)}")


def smallest_effect(
    values: npt.ArrayLike, *, level: float = LEVEL, chance: float = CHANCE, sides: int = 2
) -> float:
    """Return the smallest effect that a placebo rule finds with some chance.

    Parameters
    ----------
    values : array-like
        Placebo estimates from a time without effect: the rule's critical value and the noise around
        an effect both come from them.
    level, chance : float
        Nominal level of the rule; chance of finding the effect.
    sides : int
        2 if the rule reads absolute values.

    Returns
    -------
    float
        In the unit of the values; NaN if there are none.

    Examples
    --------
    >>> round(smallest_effect(np.linspace(-1, 1, 201)), 2)
    1.55
    """
    known = np.asarray(values, dtype="float64")
    known = known[np.isfinite(known)]
    if not known.size:
        return np.nan
    critical = np.quantile(np.abs(known) if sides == 2 else known, 1 - level)
    return float(critical - np.quantile(known, 1 - chance))


def power(
    panel: pd.DataFrame,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    value: str = "value_usd",
    expectation: Expectation | None = None,
    draws: int = 199,
    rng: int = 0,
) -> Power:
    """Measure what the rules could see, on the twelve months before the event.

    The panel rules are run on an event pretended a year earlier; no month from the real event on is
    read, so that the table can stand before the result.

    Parameters
    ----------
    panel, listed, destination, event, value
        As in `tradeflows.counterfactual.difference.triple_difference`.
    expectation : Expectation, optional
        Adds the rule of both bands.
    draws : int
        Random product sets.
    rng : int
        Seed.

    Returns
    -------
    Power
    """
    first, last = month(event) - pd.DateOffset(months=12), month(event) - pd.DateOffset(months=1)
    early, window = f"{first:%Y-%m}", f"{first:%Y-%m}/{last:%Y-%m}"
    places = placebo_destinations(
        panel, listed=listed, destination=destination, event=early, window=window, value=value
    )
    sets = placebo_products(
        panel, listed=listed, destination=destination, event=early, window=window, value=value,
        draws=draws, rng=rng,
    )  # fmt: skip
    rows = {p.name: _row(p, early) for p in (places, sets)}
    if expectation is not None:
        basis = f"paths simulated from the fit before {event}"
        rows["both 95 % bands"] = {"factor": expectation.detectable, "basis": basis}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["factor", "basis"])
    return Power(table.rename_axis("rule"))


def _row(placebo: Placebo, event: str) -> dict[str, object]:
    effect = smallest_effect(placebo.values, sides=placebo.sides)
    basis = f"{len(placebo.values)} placebos, event pretended in {event}"
    return {"factor": float(np.exp(effect)), "basis": placebo.reason or basis}
