"""The numbers that rules read, gathered from the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from tradeflows.claims.rules import rules
from tradeflows.errors import TradeflowsError
from tradeflows.evidence.attribution import (
    Listed,
    NonEssential,
    listed_exports,
    non_essential,
)
from tradeflows.evidence.energy_panel import EnergyPanel, energy_panel
from tradeflows.evidence.panel import ABSENT, MARK, Panel, event_after, panel
from tradeflows.evidence.turnover import total_trade
from tradeflows.measure.intervals import Interval
from tradeflows.words import amount, between, percent

__all__ = [
    "GATHER",
    "Gathered",
    "panel_energy",
    "panel_event",
    "panel_listed",
    "panel_rise",
]


@dataclass(frozen=True)
class Gathered:
    """Numbers for a rule, words for people, raw files, and the page that shows it.

    ``missing`` says why the tier has nothing at all.
    """

    numbers: dict[str, Interval | None]
    headline: str
    detail: str
    origins: tuple[str, ...]
    page: str
    clause: str = ""  # for the one sentence that opens the report
    missing: str = ""


def panel_listed() -> Listed:
    """Return what the panel says about the listed goods, by the windows of the rules file.

    Examples
    --------
    >>> panel_listed().window
    '2022-03/2023-02'
    """
    return _listed_of(panel())


def panel_rise() -> NonEssential:
    """Return what the panel says about non-essential exports, by the windows of the rules file.

    Examples
    --------
    >>> panel_rise().base, panel_rise().current
    ('2021', '2022')
    """
    return _rise_of(panel())


def panel_energy() -> EnergyPanel:
    """Return what the panel says about turnover and energy.

    Examples
    --------
    >>> panel_energy().current
    '2022'
    """
    return _energy_of(panel())


@lru_cache(maxsize=2)
def _listed_of(data: Panel) -> Listed:
    return listed_exports(data, rules().content["claims"]["a"]["period"][0], panel_event())


@lru_cache(maxsize=2)
def _rise_of(data: Panel) -> NonEssential:
    main = rules().content["windows"]["main"]
    return non_essential(data, main["base"], main["current"], panel_event(), complete=_complete())


@lru_cache(maxsize=2)
def _energy_of(data: Panel) -> EnergyPanel:
    main = rules().content["windows"]["main"]
    return energy_panel(data, rules().content["claims"]["b2"], main["base"], main["current"])


def panel_event() -> str:
    """Return the first month that the models do not see.

    Examples
    --------
    >>> panel_event()
    '2022-02'
    """
    return event_after(rules().content["windows"]["fit_until"])


def _complete() -> float:
    """Return the share of value that must be priced, the same for every claim."""
    tests = rules().content["claims"]["b2"]["tiers"]["panel"]["tests"]
    return float(tests["priced"]["at_least"])


def _panel_a() -> Gathered:
    found = panel_listed()
    value = found.value
    words = "–" if value is None else f"{amount(value.low * 1e6, 'USD')} in the window"
    parts = (found.expectation, found.placebo)
    told: list[str] = [found.sentence(), *(r.sentence() for r in parts if r)]
    return _of_panel(
        found.numbers, words, told, found.reasons, found, "06-electronics-in-the-panel.html"
    )


def _panel_c() -> Gathered:
    found = panel_rise()
    words = "–" if found.value is None else _signed(found.value) + " in value"
    parts = (found.expectation, found.rank, found.products)
    told: list[str] = [found.sentence(), *(r.sentence() for r in parts if r)]
    if found.rank:
        told.append("Destinations are compared by chapters 84, 85, 88 and 90 without medical goods")
    return _of_panel(
        found.numbers, words, told, found.reasons, found, "06-electronics-in-the-panel.html"
    )


def _panel_b(claim: str, leading: str, page: str) -> Gathered:
    found = panel_energy()
    names = rules().content["claims"][claim]["tiers"]["panel"]["numbers"]
    numbers = {name: found.of(name) for name in names}
    reasons = {"panel": found.reason} if found.reason else {}
    if claim == "b1" and not found.reason:
        numbers["growth_gap"], reason = _gap(found)
        reasons |= {"growth_gap": reason} if reason else {}
    lead = numbers[leading]
    words = "–" if lead is None else between(lead.low, lead.high, percent)
    if claim == "b2" and not found.reason and found.priced.low < _complete():
        low, high = found.priced.low, found.priced.high
        words = f"{between(low, high, percent)} of energy is priced"
    if claim == "b3" and lead is not None:
        words = f"× {between(lead.low, lead.high, lambda x: f'{x:.1f}')}"
    told: list[str] = [found.bill() if claim in ("b3", "b4") else found.sentence()]
    if claim in ("b2", "b3") and not found.reason:
        told.append(
            "Goods under pseudo-codes have a value and no weight here; the snapshot tier bounds"
            " them with outside volumes"
        )
    return _of_panel(numbers, words, told, reasons, found, page)


def _gap(found: EnergyPanel) -> tuple[Interval | None, str]:
    """Return growth of turnover less growth of Turkey's total trade as published."""
    growth = found.of("turnover_growth")
    if found.generated or growth is None:
        return None, "published totals do not describe generated trade"
    try:
        before, after = (total_trade(int(year))[0] for year in (found.base, found.current))
    except TradeflowsError as error:
        return None, error.found
    return growth - (after / before - 1), ""


def _of_panel(
    numbers: dict[str, Interval | None],
    headline: str,
    told: list[str],
    reasons: dict[str, str],
    found: Listed | NonEssential | EnergyPanel,
    page: str,
) -> Gathered:
    if ABSENT in reasons.values():
        detail = f"{ABSENT[0].upper()}{ABSENT[1:]}."
        return Gathered(dict.fromkeys(numbers), "–", detail, (), page, missing=ABSENT)
    open_ = {r for name, r in reasons.items() if name in numbers}
    said = [*told, *(f"Not determined: {r}" for r in sorted(open_) if r not in " ".join(told))]
    marked = [MARK] if found.generated else []
    detail = " ".join(f"{str(s).rstrip('.')}." for s in (*marked, *said))
    return Gathered(numbers, headline, detail, found.origins, page)


def _signed(interval: Interval) -> str:
    return between(interval.low, interval.high, lambda x: percent(x, sign=True))


GATHER: dict[tuple[str, str], Callable[[], Gathered]] = {
    ("a", "panel"): _panel_a,
    ("b1", "panel"): partial(_panel_b, "b1", "turnover_growth", "01-the-data.html#The-boom-itself"),
    ("b2", "panel"): partial(_panel_b, "b2", "pi_turnover", "02-energy.html"),
    ("b3", "panel"): partial(_panel_b, "b3", "cost_ratio", "02-energy.html"),
    ("b4", "panel"): partial(_panel_b, "b4", "energy_share", "01-the-data.html"),
    ("c", "panel"): _panel_c,
}
