"""How often the rules cry wolf, and how often they see a rise: simulations, stored."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from tradeflows.result import Result
from tradeflows.words import Sentence

__all__ = ["LIMIT", "Validation", "validation", "wilson"]

LIMIT = 0.07  # a lower bound above it, at a nominal 5 %: the rule decides nothing


@dataclass(frozen=True)
class Validation(Result):
    """Rates at which each rule fired, without an effect and with a planted one.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per rule, truth and planted factor (1 is no effect): draws, hits, undetermined
        draws, rate with Wilson's 95 % interval, nominal level, seed, verdict. For a factor of 1 a
        hit is an alarm on any side the rule reads; for others it is a rise found. Rows of a truth
        under which no rule on a single series holds its level are marked ``stated_apart``.
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

    @property
    def silent(self) -> tuple[str, ...]:
        """Rules that decide nothing: they cry wolf too often."""
        loud = self.table.loc[self.table["verdict"] == "decides nothing", "rule"]
        return tuple(dict.fromkeys(loud))

    def sentence(self) -> Sentence:
        """Say which rules decide nothing.

        Examples
        --------
        >>> str(Validation(pd.DataFrame()).sentence())
        'No simulation of the rules is stored; `make validate` makes it'
        """
        if self.table.empty:
            return Sentence("No simulation of the rules is stored; `make validate` makes it")
        draws = int(self.table["draws"].min())
        if not self.silent:
            return Sentence(f"No deciding rule cries wolf more often than it may ({draws} draws)")
        rules = "; ".join(self.silent)
        return Sentence(f"Too many false alarms to decide anything: {rules} ({draws} draws)")


def validation() -> Validation:
    """Return the stored simulations of the rules.

    Returns
    -------
    Validation
        With an empty table where none is stored; ``make validate`` makes it.

    Examples
    --------
    >>> validation().silent == () or isinstance(validation().silent[0], str)
    True
    """
    file = resources.files("tradeflows.counterfactual") / "validation.csv"
    if not file.is_file():
        return Validation(pd.DataFrame())
    with file.open("r", encoding="utf-8") as text:
        return Validation(pd.read_csv(text))


def wilson(hits: int, draws: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a rate.

    Parameters
    ----------
    hits, draws : int

    Returns
    -------
    tuple of float

    References
    ----------
    Wilson (1927), Journal of the American Statistical Association 22(158).

    Examples
    --------
    >>> [round(x, 3) for x in wilson(25, 500)]
    [0.034, 0.073]
    """
    low, high = proportion_confint(hits, draws, alpha=0.05, method="wilson")
    return float(low), float(high)
