"""The boom and its energy part as the panel holds them: totals, HS 27, and what is confidential."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tradeflows.evidence.panel import Panel
from tradeflows.measure import bridges
from tradeflows.measure.envelope import Envelope
from tradeflows.measure.intervals import Interval
from tradeflows.periods import span
from tradeflows.plot import Figure, Shown, waterfall
from tradeflows.words import Sentence, amount, between, percent

__all__ = ["EnergyPanel", "energy_panel"]

FUEL = "27"
NAMES = {
    "2701": "coal",
    "2702": "lignite",
    "2704": "coke",
    "2709": "crude oil",
    "2710": "oil products",
    "2711": "LPG and gas",
    "2713": "petroleum coke and bitumen",
    "2716": "electricity",
}
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
    split : Envelope or None
        Bridges of disclosed energy by heading, over all formulas and paths.
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
    split: Envelope | None = field(repr=False, default=None)
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

    def bill(self) -> Sentence:
        """Say what energy cost, and its part of the turnover."""
        if self.reason:
            return self.sentence()
        first, last = (between(*_ends(e), _usd) for e in self.energy)
        share = self.energy[1] / self.turnover[1]
        return Sentence(
            f"Energy from Russia cost {first} in {self.base} and {last} in {self.current},"
            f" {between(*_ends(share), percent)} of the turnover"
        )

    def figure(self) -> Figure | Sentence:
        """Draw energy imports from one window to the other: what is priced, and what is not."""
        if self.split is None:
            return self.sentence()
        steps = self._steps(self.split)
        moved = float(steps["value"].iloc[-1] - steps["value"].iloc[0])
        told = zip(steps["step"], steps["value"], strict=True)
        said = "; ".join(f"{step}: {_usd(float(value))}" for step, value in told)
        return waterfall(
            steps,
            name="energy-panel",
            title=f"From {self.base} to {self.current} the price of disclosed fuels accounts for"
            f" {between(self.price.low, self.price.high, _usd)} of a change in energy imports from"
            f" Russia of {_usd(moved)}",
            unit="USD",
            alt=f"Waterfall of energy imports from Russia. {said}",
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note="six-digit codes, Bennet, months summed"
            + (", generated trade" if self.generated else ""),
        )

    def shown(self) -> Shown | Sentence:
        """Show price and volume of each disclosed heading, and what is hidden, for people."""
        if self.split is None:
            return self.sentence()
        rows = []
        for heading, sums in self._lines(self.split).items():
            usable = float(sums["price"].abs().max() + sums["volume"].abs().max()) > 0
            parts = [_over(sums[bar]) if usable else "–" for bar in ("price", "volume")]
            name = NAMES.get(heading, "other fuels")
            ends = (float(sums[c].iloc[0]) for c in ("value_base", "value_current"))
            rest = float(sums[["entry", "exit", "unpriced"]].iloc[0].sum())
            rows.append((f"{name} ({heading})", *map(_usd, ends), *parts, _usd(rest)))
        hidden = self._hidden(self.split)
        rows.append(("confidential", *map(_usd, hidden), "–", "–", _usd(hidden[1] - hidden[0])))
        columns = ["fuel", self.base, self.current, "price accounts for", "volume accounts for",
                   "new, gone, not priced"]  # fmt: skip
        return Shown(pd.DataFrame(rows, columns=columns), "Energy from Russia by heading, panel")

    def _lines(self, split: Envelope) -> dict[str, pd.DataFrame]:
        tables = pd.concat([b.table for b in split.results.values()])
        lines = {str(heading): t for heading, t in tables.groupby("heading")}
        return dict(sorted(lines.items(), key=lambda i: -float(i[1]["value_current"].iloc[0])))

    def _hidden(self, split: Envelope) -> tuple[float, float]:
        """Return what the chapter and the pseudo-codes hold beyond disclosed codes."""
        known = next(iter(split.results.values()))
        first, last = (float(e.high) for e in self.energy)
        return first - known.value_base, last - known.value_current

    def _steps(self, split: Envelope) -> pd.DataFrame:
        (before, after), first = self._hidden(split), next(iter(split.results.values()))
        rows = [
            (f"energy {self.base}", self.energy[0].high, "total"),
            ("price of disclosed fuels", first.price, "price"),
            ("volume of disclosed fuels", first.volume, "volume"),
            ("fuels without trade a year before", first.entry, "entry"),
            ("fuels without trade a year after", first.exit, "exit"),
            ("disclosed, without a usable weight", first.unpriced, "unpriced"),
            ("confidential, no weight", after - before, "unpriced"),
            (f"energy {self.current}", self.energy[1].high, "total"),
        ]
        table = pd.DataFrame(rows, columns=["step", "value", "kind"])
        ends = {bar: split.range(bar) for bar in ("price", "volume")}
        nothing = (float("nan"), float("nan"))
        table[["low", "high"]] = [ends.get(kind, nothing) for kind in table["kind"]]
        return table[(table["value"] != 0) | (table["kind"] == "price")].reset_index(drop=True)


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
    found = bridges(
        fuels, base, current, methods=methods["formulas"], paths=methods["paths"], by=["heading"]
    )
    weighed = found[methods["formulas"][0], methods["paths"][0]].priced_share * known[1]
    return EnergyPanel(
        base, current, sums["X"], sums["M"], (energy[0], energy[1]),
        Interval(weighed / energy[1].high, weighed / energy[1].low),
        Interval(*found.range("price")),
        found,
        origins=panel.origins(panel.imports), generated=panel.generated,
    )  # fmt: skip


def _both(rows: pd.DataFrame, base: str, current: str) -> tuple[float, float]:
    first, last = (
        float(rows.loc[rows["period"].isin(span(w)), "value_usd"].sum()) for w in (base, current)
    )
    return first, last


def _ends(interval: Interval) -> tuple[float, float]:
    return float(interval.low), float(interval.high)


def _over(sums: pd.Series) -> str:
    return between(float(sums.min()), float(sums.max()), _usd)


def _usd(x: float) -> str:
    return amount(x, "USD")
