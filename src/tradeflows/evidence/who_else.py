"""Who else: Russia among Turkey's destinations, and every pair of the world."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from tradeflows import store
from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import EXCLUDED
from tradeflows.errors import EstimatedQuantityWarning
from tradeflows.evidence.rerouting import destinations
from tradeflows.figures import Figure, amount, histogram, percent
from tradeflows.figures.words import Shown
from tradeflows.measure.screen import LEVEL, Goods, Screen, screen
from tradeflows.sources import baci
from tradeflows.words import Sentence, joined

__all__ = ["Standing", "every_pair", "standing"]

ASKED = ("RUS", *EXCLUDED)  # the places that the triple difference, too, leaves out of its controls
# by land; of those asked about, too
_BORDERS = ("NOR", "FIN", "EST", "LVA", "LTU", "POL", "BLR", "UKR", "GEO", "AZE", "KAZ", "CHN",
            "MNG", "PRK")  # fmt: skip
BRING = "tradeflows refresh --source baci"


@dataclass(frozen=True, eq=False)
class Standing:
    """Where a few destinations stand in the distribution of growth over all others.

    ``table``: partner, base, current (USD), growth (log points), excess (over the median of the
    other destinations), rank, p (share of destinations not asked about that grew at least as much,
    itself counted), q (p corrected by Benjamini and Hochberg), stands_out. ``others``: growth of
    the placebos, log points. Places that would be asked about are not where their base year is
    below ``least`` (``small``, USD) or has no figure (``absent``).
    """

    base: int
    current: int
    least: float
    others: pd.Series
    table: pd.DataFrame
    small: pd.Series
    absent: tuple[str, ...]
    origins: tuple[str, ...]

    def _russia(self, column: str) -> float:
        return float(self.table.set_index("partner")[column]["RUS"])

    def sentence(self) -> Sentence:
        """Say who stands out."""
        names = _named(self.table.loc[self.table["stands_out"], "partner"])
        who = f"{names or 'none of them'} grew"
        return Sentence(
            f"From {self.base} to {self.current}, {percent(self._russia('p'))} of"
            f" {len(self.others) + 1} destinations grew at least as much as Russia, itself counted."
            f" Of {len(self.table)} places asked about together, {who} beyond the other"
            f" destinations (false finds held to {percent(LEVEL)})."
        )

    @property
    def bordering(self) -> pd.Series:
        """Growth of the placebos that border Russia by land, log points, largest first."""
        near = self.others[self.others.index.isin(_BORDERS)]
        return near.sort_values(ascending=False, kind="stable")

    def asked(self) -> Sentence:
        """Say who is asked about, who cannot be, and who serves as a placebo."""
        near = [
            f"{spoken(str(p))} ({percent(float(np.expm1(g)), sign=True)})"
            for p, g in self.bordering.items()
        ]
        small = [f"{spoken(str(p))} ({amount(x, 'USD')} in {self.base}, less than"
                 f" {amount(self.least, 'USD')})" for p, x in self.small.items()]  # fmt: skip
        absent = [f"{spoken(p)} (no figure for {self.base})" for p in self.absent]
        not_asked = f" Not asked about: {joined(small + absent)}." if small + absent else ""
        return Sentence(
            f"Asked about: {_named(sorted(self.table['partner'], key=spoken))}.{not_asked}"
            f" The {len(self.others)} other destinations with at least"
            f" {amount(self.least, 'USD')} in {self.base} are the placebos. Those that border"
            f" Russia by land are among them: {joined(near)}."
        )

    def shown(self) -> Shown:
        """Show the places asked about."""
        t = self.table
        shown = pd.DataFrame(
            {
                "destination": [spoken(p) for p in t["partner"]],
                "growth": [percent(float(np.expm1(g)), sign=True) for g in t["growth"]],
                "beyond the usual": [percent(float(np.expm1(g)), sign=True) for g in t["excess"]],
                "p": [f"{p:.3f}" for p in t["p"]],
                "corrected": [f"{q:.3f}" for q in t["q"]],
                "stands out": ["yes" if s else "no" for s in t["stands_out"]],
            }
        )
        return Shown(shown, "The places asked about among Turkey's destinations")

    def figure(self) -> Figure:
        """Draw the other destinations with Russia marked."""
        share = percent(self._russia("p"))
        growth = pd.Series(np.expm1(self.others) * 100, name="growth")
        return histogram(
            growth.set_axis([spoken(p) for p in growth.index]),
            mark=float(np.expm1(self._russia("growth")) * 100),
            mark_label="Russia",
            name=f"who-else-{self.base}-{self.current}",
            title=f"{share} of destinations grew at least as much as Russia from {self.base} to"
            f" {self.current}",
            unit="% growth in value",
            alt=f"Histogram of growth of {len(growth)} placebo destinations, Russia marked.",
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note=f"without {_named(p for p in self.table['partner'] if p != 'RUS')}; value, not"
            " volume",
            counted="placebo destinations",
        )


def standing(base: int = 2022, current: int = 2024, least: float = 10e6) -> Standing:
    """Place Russia and the places goods for it may pass through among Turkey's destinations.

    The null hypothesis is that a place grew like any destination that is not asked about. The
    base year already holds most of the first rise: the question is who went on growing.

    Parameters
    ----------
    base, current : int
        2022, 2023 or 2024. The snapshot has no 2021 by destination.
    least : float
        Smallest value in the base year, USD.

    Examples
    --------
    >>> found = standing()
    >>> "RUS" in set(found.table["partner"]), bool(found.table["p"].between(0, 1).all())
    (True, True)
    """
    found = destinations(base, current, least)
    rows = found.table.set_index("partner")
    with np.errstate(divide="ignore"):
        growth = np.log(rows["growth"])
    asked = [partner for partner in ASKED if partner in rows.index]
    small = found.small[found.small.index.isin(ASKED)]
    others = growth.drop(asked)
    table = rows.loc[asked, ["base", "current", "rank"]].assign(
        growth=growth[asked], excess=growth[asked] - float(others.median())
    )
    table["p"] = [(1 + int((others >= g).sum())) / (1 + len(others)) for g in table["growth"]]
    table["q"] = false_discovery_control(table["p"].to_numpy("float64"))
    table["stands_out"] = table["q"] <= LEVEL
    return Standing(
        base,
        current,
        least,
        others[np.isfinite(others)],
        table.sort_values("p", kind="stable").reset_index(),
        small,
        tuple(p for p in ASKED if p not in rows.index and p not in small.index),
        found.origins,
    )


def _named(partners: Iterable[str]) -> str:
    return joined(spoken(p) for p in partners)


def every_pair(
    target: str | None = "RUS",
    base: str = "2021",
    current: str = "2023",
    *,
    goods: Goods = "2024-02",
) -> Screen | Sentence:
    """Screen every pair in the newest stored BACI; say what brings it where there is none.

    The zip becomes one Parquet file in the folder of processed data, once. BACI's weights are its
    own estimates and make no price: what is in both windows is unpriced.

    Parameters
    ----------
    target : str, optional
        Partner whose pairs are judged; every pair if None.
    base, current : str
        Years.
    goods
        As in `tradeflows.measure.screen.screen`.
    """
    stored = [raw for raw in store.catalogue() if raw.publisher == baci.PUBLISHER and raw.complete]
    if not stored:
        return Sentence(
            f"No table of all pairs is stored: `{BRING}` brings BACI, and"
            f" `tradeflows screen --target {target or 'all'}` screens it."
        )
    raw = max(stored, key=lambda found: (found.vintage, found.id))
    file = store.folder().parent / "processed" / Path(raw.id).with_suffix(".parquet").name
    if not file.exists():
        baci.to_parquet(raw.path, file, {"origin": raw.id, "vintage": raw.vintage})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EstimatedQuantityWarning)
        return screen(file, base=base, current=current, target=target, goods=goods)
