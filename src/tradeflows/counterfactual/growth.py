"""A destination's growth among the growth of others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeflows.counterfactual.cube import destinations, once, origins_of
from tradeflows.counterfactual.placebo import Placebo
from tradeflows.errors import SchemaMismatch
from tradeflows.periods import span

__all__ = ["growth_rank"]


def growth_rank(
    exports: pd.DataFrame,
    *,
    destination: str = "RUS",
    base: str = "2021",
    current: str = "2022",
    value: str = "value_usd",
    at_least: float = 100e6,
    needed: int = 20,
) -> Placebo:
    """Rank a destination's growth among destinations of some size.

    Parameters
    ----------
    exports : pandas.DataFrame
        Columns partner, period and the value.
    destination : str
    base, current : str
        Windows, such as ``2021``.
    value : str
        Column.
    at_least : float
        Exports in the base window from which a destination counts.
    needed : int
        Destinations below which a share of 5 % cannot be reached.

    Returns
    -------
    Placebo
        ``p`` is the share of destinations that grew at least as much, the destination counted.

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `tradeflows.counterfactual.cube.destinations`; keys that stand twice; windows with
        unequal numbers of months.

    Examples
    --------
    >>> rows = [(f"D{i}", t, 1.0 + i * t) for i in range(30) for t in (0, 1)]
    >>> rows = pd.DataFrame(rows, columns=["partner", "t", "value_usd"])
    >>> rows["period"] = pd.to_datetime(rows["t"].map({0: "2021-01-01", 1: "2022-01-01"}))
    >>> rank = growth_rank(rows, destination="D29", base="2021-01", current="2022-01", at_least=1)
    >>> str(rank.sentence())
    'D29 ranks 1 of 30 among destinations by growth (p = 0.033)'
    """
    exports = once(destinations(exports, value), value)
    windows = [exports[exports["period"].isin(span(w))] for w in (base, current)]
    months = [part["period"].nunique() for part in windows]
    if months[0] != months[1]:
        raise SchemaMismatch(
            f"{months[0]} published months in {base}, {months[1]} in {current}",
            "as many months on both sides",
            "choose windows of one length that end where the data end",
        )
    sums = [part.groupby("partner")[value].sum() for part in windows]
    both = pd.concat(sums, axis=1, keys=["base", "current"]).fillna(0.0)
    grown = (both["current"] / both["base"] - 1)[both["base"] >= at_least].astype("float64")
    window = f"{current} against {base}"
    reason = ""
    if len(grown) < needed:
        reason = f"{len(grown)} destinations of that size, {needed} are needed"
    if destination not in grown.index:
        reason = f"exports to {destination} were below the size that counts in {base}"
    found = float(grown.get(destination, np.nan))
    values = grown.drop(destination, errors="ignore")
    larger = int((values >= found).sum())
    p = np.nan if reason else (1 + larger) / (len(values) + 1)
    return Placebo(
        "destinations by growth", destination, found, values, p, np.nan, reason, 1, "share",
        window, origins_of(exports),
    )  # fmt: skip
