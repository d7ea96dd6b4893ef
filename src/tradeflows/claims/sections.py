"""Sections of the pages that the panel fills, and the tables of simulated rules."""

from __future__ import annotations

import pandas as pd

from tradeflows.claims.gathered import (
    panel_energy,
    panel_event,
    panel_listed,
    panel_rise,
)
from tradeflows.claims.judge import judge, silenced
from tradeflows.claims.rules import rules
from tradeflows.claims.verdict import Verdicts
from tradeflows.counterfactual import Validation, event_study, validation
from tradeflows.evidence.attribution import family, panel_cube
from tradeflows.evidence.electronics_volume import volume
from tradeflows.evidence.panel import Panel, Section, goods, panel
from tradeflows.evidence.robustness import detectable, pretended, robustness
from tradeflows.evidence.transit import transit
from tradeflows.plot import Shown
from tradeflows.plot.results import show
from tradeflows.words import Sentence, percent

__all__ = [
    "alarms",
    "certainty",
    "chances",
    "electronics",
    "energy",
    "rerouting",
]


def energy() -> Section:
    """Show price and volume of disclosed fuels and the panel's verdicts, or what is missing.

    Examples
    --------
    >>> "<p>" in energy()._repr_html_()
    True
    """
    data = panel()
    if data.reason:
        return _missing(data)
    found = panel_energy()
    if found.reason:
        return Section((found.sentence(),), data.generated)
    cards = Verdicts((judge("b2", "panel"), judge("b3", "panel")))
    return Section((cards, found.figure(), found.shown()), data.generated)


def electronics() -> Section:
    """Show volume by three measures and the panel's verdicts, or what is missing.

    Examples
    --------
    >>> "<p>" in electronics()._repr_html_()
    True
    """
    data = panel()
    if data.reason:
        return _missing(data)
    main = rules().content["windows"]["main"]
    listed = volume(data, "listed goods", goods(), main["base"], main["current"])
    rise, exported = panel_rise(), panel_listed()
    whole = rise.volume
    parts = [Verdicts((judge("a", "panel"), judge("c", "panel")))]
    measured = [v for v in (listed, whole) if v is not None]
    shown = [part for v in measured for part in (v.figure(), v.shown(), v.mixed())]
    fans = [show(e) for e in (exported.expectation, rise.expectation) if e]
    return Section((*parts, *shown, *fans), data.generated)


def rerouting() -> Section:
    """Show Russia among destinations, the list among sets, and mirrors, or what is missing.

    Examples
    --------
    >>> "<p>" in rerouting()._repr_html_()
    True
    """
    data = panel()
    if data.reason:
        return _missing(data)
    rise, exported = panel_rise(), panel_listed()
    main = rules().content["windows"]["main"]
    cube = panel_cube(data, panel_event(), main["current"])
    study = event_study(cube, listed=goods())
    placebos = [show(p) for p in (rise.rank, exported.placebo, rise.products) if p]
    told = [rise.difference.sentence()] if rise.difference else []
    mirrors = transit(data, main["base"], main["current"])
    return Section(
        (*told, *placebos, show(study), mirrors.sentence(), mirrors.shown()), data.generated
    )


def certainty() -> Section:
    """Show what the panel's answers hang on, or what is missing.

    Examples
    --------
    >>> "<p>" in certainty()._repr_html_()
    True
    """
    data = panel()
    if data.reason:
        return _missing(data)
    rise, exported, event = panel_rise(), panel_listed(), panel_event()
    steered = [rise.with_control.sentence()] if rise.with_control else []
    asked = rules().content["families"]["primary"]
    found = robustness(data, event, rules().content["windows"]["main"]["current"])
    return Section(
        (
            detectable(data, exported, event),
            *steered,
            pretended(data, event),
            found.figure(),
            found.shown(),
            family(exported, rise, asked["correction"], asked["level"], _mute()),
        ),
        data.generated,
    )


def alarms(simulated: Validation) -> Shown | Sentence:
    """Show how often each rule fired though nothing had happened.

    Parameters
    ----------
    simulated : Validation
    """
    if simulated.table.empty:
        return simulated.sentence()
    t = simulated.alarms
    shown = pd.DataFrame(
        {
            "rule": t["rule"],
            "world without effect": t["truth"]
            + t["stated_apart"].map({True: " (stated apart)", False: ""}),
            "draws": t["draws"].astype(str),
            "fired": [percent(x) for x in t["rate"]],
            "95 % interval": [
                f"{percent(a)} to {percent(b)}" for a, b in zip(t["low"], t["high"], strict=True)
            ],
            "what it may do": t["verdict"],
        }
    )
    return Shown(shown, "False alarms of every rule")


def chances(simulated: Validation) -> Shown | Sentence:
    """Show how often each rule found a planted rise.

    Parameters
    ----------
    simulated : Validation
    """
    if simulated.table.empty:
        return simulated.sentence()
    rates = simulated.power
    names = {1.5: "a rise by half", 2.0: "a doubling", 3.0: "a tripling"}
    shown = pd.DataFrame(
        {
            names.get(float(str(factor)), f"× {factor}"): [
                "–" if pd.isna(x) else percent(float(x)) for x in rates[factor]
            ]
            for factor in rates
        },
        index=rates.index,
    ).reset_index()
    return Shown(shown.rename(columns={"truth": "world"}), "How often a planted rise was found")


def _mute() -> list[str]:
    """Return the tests of the primary family that decide nothing."""
    names = {"p_destination": "a2", "destination_rank": "c3", "ddd_p": "c4"}
    quiet = silenced(validation(), rules().content.simulated)
    return [names[n] for n in quiet if n in names] + ["a2", "c2"] * ("excess_both" in quiet)


def _missing(data: Panel) -> Section:
    return Section((Sentence(f"{data.reason[0].upper()}{data.reason[1:]}."),))
