"""Every code of a list on its own: which of them rose beyond other destinations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeflows.counterfactual.cube import Cube
from tradeflows.counterfactual.difference import as_cube
from tradeflows.counterfactual.family import corrected
from tradeflows.counterfactual.placebo import DESTINATIONS_NEEDED, placebo_destinations
from tradeflows.words import Sentence

__all__ = ["Scan", "scan"]


@dataclass(frozen=True)
class Scan:
    """Codes one by one, their p-values corrected for their number.

    Parameters
    ----------
    destination, window : str
    level : float
        Share of false finds that is accepted among the finds.
    table : pandas.DataFrame
        By code: effect (exp β − 1), p among placebo destinations, corrected p, whether it passes,
        and why it is undetermined.
    origins : tuple of str
    """

    destination: str
    window: str
    level: float
    table: pd.DataFrame
    origins: tuple[str, ...]

    def sentence(self) -> Sentence:
        """Say how many codes rose."""
        rose = self.table[self.table["passes"] & (self.table["effect"] > 0)]
        known = int(self.table["p"].notna().sum())
        return Sentence(
            f"{len(rose)} of {known} codes rose to {self.destination} beyond other destinations"
            f" (Benjamini–Hochberg at {self.level:.2f}; {len(self.table) - known} undetermined)"
        )


def scan(
    panel: pd.DataFrame | Cube,
    *,
    codes: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    value: str = "value_usd",
    level: float = 0.10,
    needed: int = DESTINATIONS_NEEDED,
) -> Scan:
    """Ask the placebo-destination rule about each code alone.

    Parameters
    ----------
    panel, destination, event, window, value
        As in `tradeflows.counterfactual.difference.triple_difference`.
    codes : collection of str
        HS6 codes; each is compared with all other goods of the panel.
    level : float
        Level of Benjamini and Hochberg's correction.
    needed : int
        Placebo destinations below which a code is undetermined.

    Returns
    -------
    Scan

    References
    ----------
    Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1).
    """
    data = as_cube(panel, event=event, window=window, value=value)
    found = {
        code: placebo_destinations(data, listed=[code], destination=destination, needed=needed)
        for code in sorted(codes)
    }
    table = corrected(
        {code: f.p for code, f in found.items()}, correction="benjamini-hochberg", level=level
    )
    table.insert(0, "effect", [float(np.expm1(f.estimate)) for f in found.values()])
    table["reason"] = [f.reason for f in found.values()]
    return Scan(destination, data.window, level, table.rename_axis("code"), data.origins)
