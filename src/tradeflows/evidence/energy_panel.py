"""The boom and its energy part as the panel holds them: totals, HS 27, and what is confidential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tradeflows.counterfactual.months import span
from tradeflows.evidence.panel import Panel
from tradeflows.figures import amount, percent
from tradeflows.figures.words import Sentence, between
from tradeflows.measure import bridges
from tradeflows.measure.intervals import Interval

__all__ = ["EnergyPanel", "energy_panel"]

FUEL = "27"
_NONE = Interval(0, 0)


@dataclass(frozen=True, eq=False)
class EnergyPanel:
    """Trade with Russia in two windows, USD.

    Parameters
    ----------
    base, current : str
    exports, imports : tuple of float
        Totals in both windows.
    energy : tuple of Interval
        HS 27 in both windows; the upper end also counts rows under pseudo-codes outside it.
    priced : Interval
        Share of energy of the current window with a reported weight in both windows.
    price : Interval
        Price effect of disclosed energy over all formulas and paths.
    reason : str
        Why nothing is known, else empty.
    """

    base: str
    current: str
    exports: tuple[float, float] = (0.0, 0.0)
    imports: tuple[float, float] = (0.0, 0.0)
    energy: tuple[Interval, Interval] = (_NONE, _NONE)
    priced: Interval = _NONE
    price: Interval = _NONE
    reason: str = ""
    origins: tuple[str, ...] = field(repr=False, default=())
    generated: bool = False

    @property
    def turnover(self) -> tuple[float, float]:
        """Exports plus imports in both windows."""
        return self.exports[0] + self.imports[0], self.exports[1] + self.imports[1]

    def of(self, what: str) -> Interval | None:
        """Return growth, ratio or share by the name the rules use, or None."""
        if self.reason:
            return None
        before, after = self.turnover
        change = after - before
        match what:
            case "turnover_growth" | "turnover_change_rel":
                return Interval(change / before, change / before)
            case "priced_share":
                return self.priced
            case "cost_ratio":
                ends = sorted(b / a for a, b in zip(*map(_ends, self.energy), strict=True) if a > 0)
                return Interval(ends[0], ends[-1]) if ends else None
            case "energy_share":
                return self.energy[1] / after
            case "pi_turnover" | "pi_without_press":
                return self.price / change if change > 0.1 * before else None
            case "pi_imports":
                grown = self.imports[1] - self.imports[0]
                return self.price / grown if grown > 0.1 * self.imports[0] else None
        return None

    def sentence(self) -> Sentence:
        """Say what is known of energy."""
        if self.reason:
            return Sentence(f"Trade with Russia: cannot be determined ({self.reason})")
        low, high = self.priced.low, self.priced.high
        before, after = self.turnover
        return Sentence(
            f"Turnover with Russia changed by {percent(after / before - 1, sign=True)}"
            f" from {self.base} to {self.current}; {between(low, high, percent)} of energy imports"
            f" can be priced from the panel alone, where price accounts for"
            f" {between(self.price.low, self.price.high, _usd)}"
        )


def energy_panel(
    panel: Panel, stated: Mapping[str, Any], base: str = "2021", current: str = "2022"
) -> EnergyPanel:
    """Gather what the rules about the boom read from the panel.

    Parameters
    ----------
    panel : Panel
    stated : mapping
        Formulas and paths of claim b2 in the rules file.
    base, current : str

    Returns
    -------
    EnergyPanel
    """
    gone = [f"{m} ({f})" for f in "XM" for w in (base, current) for m in panel.unpublished(w, f)]
    totals = panel.totals
    reason = panel.reason or (f"not published: {', '.join(gone)}" if gone else "")
    if not reason and totals.empty:
        reason = "the panel holds no totals with Russia"
    if reason:
        return EnergyPanel(base, current, reason=reason, generated=panel.generated)
    fuels = panel.imports[panel.imports["code"].str.startswith(FUEL)]
    hidden = panel.imports[panel.imports["confidential"] & ~panel.imports.index.isin(fuels.index)]
    sums = {
        flow: _both(totals[(totals["flow"] == flow) & (totals["code"] == "TOTAL")], base, current)
        for flow in ("X", "M")
    }
    chapter = _both(totals[(totals["flow"] == "M") & (totals["code"] == FUEL)], base, current)
    block = _both(hidden, base, current)
    known = _both(fuels, base, current)
    # The chapter may hold what its codes hide; only what is hidden beyond that may come on top.
    energy = [
        Interval(c, c + max(0.0, b - (c - k)))
        for c, b, k in zip(chapter, block, known, strict=True)
    ]
    methods = stated["methods"]
    if fuels.empty or not chapter[1] > 0:
        return EnergyPanel(base, current, reason="the panel holds no energy imports from Russia")
    found = bridges(fuels, base, current, methods=methods["formulas"], paths=methods["paths"])
    weighed = found[methods["formulas"][0], methods["paths"][0]].priced_share * known[1]
    return EnergyPanel(
        base, current, sums["X"], sums["M"], (energy[0], energy[1]),
        Interval(weighed / energy[1].high, weighed / energy[1].low),
        Interval(*found.range("price")),
        origins=panel.origins(panel.imports), generated=panel.generated,
    )  # fmt: skip


def _both(rows: pd.DataFrame, base: str, current: str) -> tuple[float, float]:
    first, last = (
        float(rows.loc[rows["period"].isin(span(w)), "value_usd"].sum()) for w in (base, current)
    )
    return first, last


def _ends(interval: Interval) -> tuple[float, float]:
    return float(interval.low), float(interval.high)


def _usd(x: float) -> str:
    return amount(x, "USD")
