"""The numbers that rules read, gathered from the evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from tradeflows.claims.rules import rules
from tradeflows.codes.groups import high_priority
from tradeflows.errors import TradeflowsError
from tradeflows.evidence.attribution import (
    Listed,
    NonEssential,
    listed_exports,
    non_essential,
)
from tradeflows.evidence.electronics import VolumeBounds, listed_months, volume_bounds
from tradeflows.evidence.energy_panel import EnergyPanel, energy_panel
from tradeflows.evidence.essential import essential
from tradeflows.evidence.panel import ABSENT, MARK, Panel, event_after, panel
from tradeflows.evidence.turnover import total_trade
from tradeflows.figures import amount, percent
from tradeflows.measure.intervals import Interval
from tradeflows.words import at_least, between

__all__ = [
    "GATHER",
    "Gathered",
    "panel_energy",
    "panel_event",
    "panel_listed",
    "panel_rise",
    "volumes",
]


_COMPUTERS = ("8471", "8486")  # and the machines that make chips


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


def _listed() -> Gathered:
    found = listed_months()
    least = rules().content["claims"]["a"]["tiers"]["snapshot"]["constants"]["musd_a_month"]
    months = found.months_above(least)
    best = found.best()
    headings = high_priority("2023-09")["hs2022"].str[:4]
    electronic = int((headings.str.startswith("85") | headings.isin(_COMPUTERS)).sum())
    words = f"at least {months.low:.0f} of {months.high:.0f} months"
    return Gathered(
        {"months_above": months},
        words,
        "From March 2022 to February 2023 exports of the listed goods to Russia were a million USD "
        f"or more in {words}, at least {amount(float(best.max()), 'USD')} in the largest. In "
        f"{found.by_gaps(least)} months the difference between Turkey's two statistics alone shows "
        f"it; larger sums are from newspapers that added up its figures. {electronic} of the "
        f"{len(headings)} listed codes are electronics, computers or machines that make chips; the "
        "others are bearings, aircraft parts, optics and instruments, and no print tells them "
        "apart.",
        found.origins,
        "03-electronics-volume.html",
        f"a million USD or more of goods of the kinds found in weapons went to Russia in {words} "
        "from March 2022",
    )


@lru_cache
def volumes() -> VolumeBounds:
    """Return the volume bounds under the deflators of the rules file.

    Examples
    --------
    >>> round(volumes().of("all exports to Russia")[1].low, 2)
    0.16
    """
    stated = rules().content["claims"]["c"]
    return volume_bounds(
        float(stated["deflators"]["largest_unit_value_premium"]["points"]),
        stated["tiers"]["snapshot"]["tests"]["c1_volume"]["at_least"],
    )


def _non_essential() -> Gathered:
    found, part = volumes(), essential()
    value, volume = found.of("all exports to Russia")
    deflator = (1 + value.low) / (1 + volume.low)
    return Gathered(
        {"value_growth": value, "volume_growth": volume},
        f"{_signed(value)} in value, all exports",
        f"{found.sentence()} {part.sentence(found.enough, deflator)}",
        tuple(sorted({*found.origins, *part.origins})),
        "03-electronics-volume.html",
        f"all exports grew by {between(value.low, value.high, percent)} in value, which leaves at "
        f"least {at_least(volume.low)} in volume if prices rose as US import prices of capital "
        f"goods and machinery did, plus a premium of {found.premium * 100:.0f} %",
    )


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
    return _of_panel(found.numbers, words, told, found.reasons, found, "03-electronics-volume.html")


def _panel_c() -> Gathered:
    found = panel_rise()
    words = "–" if found.value is None else _signed(found.value) + " in value"
    parts = (found.expectation, found.rank, found.products)
    told: list[str] = [found.sentence(), *(r.sentence() for r in parts if r)]
    if found.rank:
        told.append("Destinations are compared by chapters 84, 85, 88 and 90 without medical goods")
    return _of_panel(found.numbers, words, told, found.reasons, found, "04-rerouting.html")


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
    ("a", "snapshot"): _listed,
    ("c", "snapshot"): _non_essential,
    ("a", "panel"): _panel_a,
    ("b1", "panel"): partial(_panel_b, "b1", "turnover_growth", "01-the-data.html#The-boom-itself"),
    ("b2", "panel"): partial(_panel_b, "b2", "pi_turnover", "02-energy.html"),
    ("b3", "panel"): partial(_panel_b, "b3", "cost_ratio", "02-energy.html"),
    ("b4", "panel"): partial(_panel_b, "b4", "energy_share", "01-the-data.html"),
    ("c", "panel"): _panel_c,
}
