"""How far the panel's answers hang on one choice: a code left out, a date, a method, a list."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeflows.counterfactual import (
    placebo_dates,
    placebo_destinations,
    placebo_events,
    power,
    triple_difference,
)
from tradeflows.evidence.attribution import Listed, panel_cube
from tradeflows.evidence.panel import Panel, broken, goods
from tradeflows.plot import Figure, Shown, ranges
from tradeflows.words import Sentence, percent

__all__ = ["Robustness", "detectable", "pretended", "robustness"]

LISTS = {"tiers 1 and 2": "2023-05", "45 codes": "2023-09", "50 codes": "2024-02"}


@dataclass(frozen=True, eq=False)
class Robustness:
    """The triple difference under every list and measure, and with one code left out.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a specification: list, measure, effect, p among destinations, smallest and largest
        effect with one listed code left out, the code that matters most, reason.
    reason : str
    """

    table: pd.DataFrame = field(repr=False)
    window: str = ""
    reason: str = ""
    generated: bool = False
    origins: tuple[str, ...] = field(repr=False, default=())

    def sentence(self) -> Sentence:
        """Say the range over specifications."""
        known = self.table.dropna(subset="effect") if len(self.table) else self.table
        if self.reason or known.empty:
            return Sentence(f"Range over methods: cannot be determined ({self.why()})")
        low, high = known["low"].min(), known["high"].max()
        return Sentence(
            f"Over {len(known)} specifications and every listed code left out in turn, listed goods"
            f" to Russia changed by {percent(low, sign=True)} to {percent(high, sign=True)} against"
            " what other goods and destinations explain: a range over methods, not a confidence"
            " interval"
        )

    def why(self) -> str:
        """Say why nothing is determined."""
        return self.reason or "; ".join(sorted(set(self.table["reason"])))

    def shown(self) -> Shown:
        """Show the specifications for people."""
        t = self.table
        shown = pd.DataFrame(
            {
                "list": t["list"],
                "measure": t["measure"],
                "effect": [_share(x) for x in t["effect"]],
                "p among destinations": ["–" if np.isnan(x) else f"{x:.3f}" for x in t["p"]],
                "one code left out": [
                    f"{_share(a)} to {_share(b)}" for a, b in zip(t["low"], t["high"], strict=True)
                ],
                "code that matters most": t["code"],
                "why not": t["reason"],
            }
        )
        return Shown(shown, "The triple difference by list, measure and code left out")

    def figure(self) -> Figure | Sentence:
        """Draw the range of each specification."""
        known = self.table.dropna(subset="effect") if len(self.table) else self.table
        if known.empty:
            return self.sentence()
        rows = pd.DataFrame(
            {
                "label": known["list"] + ", " + known["measure"],
                "low": 100 * known["low"],
                "high": 100 * known["high"],
                "value": 100 * known["effect"],
            }
        ).reset_index(drop=True)
        return ranges(
            rows,
            marks={"no effect": 0.0},
            name="specifications",
            title=str(self.sentence()),
            unit="%",
            alt="For each list and measure the effect, and its range with one code left out",
            origins=self.origins,
            period=self.window,
            note="point: all codes; bar: one listed code left out"
            + (", generated trade" if self.generated else ""),
        )


def robustness(panel: Panel, event: str, window: str) -> Robustness:
    """Repeat the triple difference under other lists and measures, and without each code.

    Parameters
    ----------
    panel : Panel
    event, window : str

    Returns
    -------
    Robustness
    """
    if panel.reason:
        return Robustness(pd.DataFrame(), reason=panel.reason)
    rows, words = [], ""
    for measure, column in (("value", "value_usd"), ("net weight", "net_weight_kg")):
        data = panel_cube(panel, event, window, column)
        words = data.window
        for name, version in LISTS.items():
            listed = goods(version)
            whole = triple_difference(data, listed=listed)
            left = {
                code: triple_difference(data, listed=[c for c in whole.listed if c != code]).effect
                for code in whole.listed
                if len(whole.listed) > 1
            }
            found = pd.Series(left, dtype="float64").dropna()
            moved = (found - whole.effect).abs()
            rows.append(
                {
                    "list": name,
                    "measure": measure,
                    "effect": whole.effect,
                    "p": placebo_destinations(data, listed=listed).p,
                    "low": min([*found, whole.effect]),
                    "high": max([*found, whole.effect]),
                    "code": str(moved.idxmax()) if len(moved) else "–",
                    "reason": whole.reason,
                }
            )
    table = pd.DataFrame(rows)
    return Robustness(table, words, generated=panel.generated, origins=panel.origins())


def pretended(panel: Panel, event: str) -> Shown | Sentence:
    """Ask both rules about dates on which nothing happened.

    Parameters
    ----------
    panel : Panel
    event : str
        The real event.
    """
    if panel.reason:
        return Sentence(f"Placebo dates: cannot be determined ({panel.reason})")
    listed = goods()
    series = panel.series(panel.to_russia(listed), "Listed goods to Russia")
    rows = panel.exports[~panel.exports["code"].isin(broken())]
    told = [
        (e.event, "both 95 % bands", e.outcome, e.reason)
        for e in placebo_dates(series, event=event)
    ]
    told += [
        (t.event, "triple difference", _share(t.effect), t.reason)
        for t in placebo_events(rows, listed=listed, event=event)
    ]
    columns = ["pretended event", "rule", "outcome", "why"]
    return Shown(pd.DataFrame(told, columns=columns), "Placebo dates: nothing happened then")


def detectable(panel: Panel, found: Listed, event: str) -> Sentence:
    """Say the smallest rise the rules could see, from the time before the event only.

    Parameters
    ----------
    panel : Panel
    found : Listed
    event : str
    """
    if panel.reason:
        return Sentence(f"Smallest rise the rules would find: not determined ({panel.reason})")
    rows = panel.exports[~panel.exports["code"].isin(broken())]
    seen = power(rows, listed=goods("2023-05"), event=event, expectation=found.expectation)
    return seen.sentence()


def _share(x: float) -> str:
    return percent(x, sign=True) if np.isfinite(x) else "–"
