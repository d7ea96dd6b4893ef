"""How often the rules cry wolf, and how often they see a rise: simulations, stored."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pandas as pd

from tradeflows.result import Result
from tradeflows.words import Sentence


@dataclass(frozen=True)
class Validation(Result):
    """Rates at which each rule fired, without an effect and with a planted one.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per rule, truth and planted factor (1 is no effect): draws, hits, undetermined
        draws, rate with Wilson's 95 % interval, nominal level, seed. For a factor of 1 a hit is an
        alarm on any side the rule reads; for others it is a rise found. A ``foil`` is a method in
        common use that never decides. Rows of a truth under which no rule on a single series holds
        its level are marked ``stated_apart``. Which rate is too high is for the rules file to say.
    """

    table: pd.DataFrame

    @property
    def alarms(self) -> pd.DataFrame:
        """Rows without effect: how often the rule cried wolf."""
        return self.table[self.table["factor"] == 1].reset_index(drop=True)

    @property
    def power(self) -> pd.DataFrame:
        """Rates at which planted rises were found, by rule and truth, a column per factor."""
        planted = self.table[self.table["factor"] > 1]
        return planted.pivot_table(index=["rule", "truth"], columns="factor", values="rate")

    def sentence(self) -> Sentence:
        """Say how often rules that may decide fired where nothing had happened.

        Examples
        --------
        >>> str(Validation(pd.DataFrame()).sentence())
        'No simulation of the rules is stored; `make validate` makes it'
        """
        if self.table.empty:
            return Sentence("No simulation of the rules is stored; `make validate` makes it")
        alarms = self.alarms[~self.alarms["foil"] & ~self.alarms["stated_apart"]]
        low, high, draws = alarms["rate"].min(), alarms["rate"].max(), self.table["draws"].min()
        return Sentence(
            f"Where nothing had happened the rules fired in {low:.0%} to {high:.0%} of simulations"
            f" (at least {draws} draws each)"
        )


def validation() -> Validation:
    """Return the stored simulations of the rules; ``make validate`` makes them."""
    with (resources.files("tradeflows.counterfactual") / "validation.csv").open("rb") as file:
        return Validation(pd.read_csv(file))
