"""Which parts a section shows, in which order, and what each was asked; parts made up here."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tradeflows.claims import sections
from tradeflows.claims.verdict import Verdicts
from tradeflows.evidence.panel import Section, goods
from tradeflows.plot import Shown
from tradeflows.words import Sentence

BASE, CURRENT, EVENT = "2021", "2022", "2022-02"
GIVEN = SimpleNamespace(reason="", generated=True)


def part(name, **more):
    """Make a result that shows each of its parts by its name."""
    names = ("sentence", "shown", "figure", "mixed")
    return SimpleNamespace(**{n: lambda n=n: f"{name}.{n}" for n in names} | more)


@pytest.fixture
def whole(monkeypatch):
    """Put made-up parts where sections look; return how to change them."""

    def put(**made):
        for name, value in made.items():
            monkeypatch.setattr(sections, name, value if callable(value) else lambda v=value: v)

    rise = part(
        "rise", volume=part("whole"), expectation=part("fan2"), rank=part("rank"),
        products=part("products"), difference=part("ddd"), with_control=part("steered"),
    )  # fmt: skip
    put(
        panel=GIVEN,
        panel_energy=part("energy", reason=""),
        panel_listed=part("listed", expectation=part("fan1"), placebo=part("placebo")),
        panel_rise=rise,
        judge=lambda claim, tier: part(f"{claim} by the {tier}"),
        volume=lambda *given: part(f"volume of {given[1]}", given=given),
    )
    return put


@pytest.mark.parametrize("name", ["energy", "electronics", "rerouting", "certainty"])
def test_what_is_missing_is_said_alone(whole, name):
    whole(panel=SimpleNamespace(reason="there is no Panel yet", generated=True))
    found = getattr(sections, name)()
    assert found.parts == ("There is no Panel yet.",)
    assert isinstance(found.parts[0], Sentence)
    assert not found.generated


def claims_of(cards):
    assert isinstance(cards, Verdicts)
    return [v.sentence() for v in cards]


def test_energy(whole):
    cards, *rest = sections.energy().parts
    assert claims_of(cards) == ["b2 by the panel.sentence", "b3 by the panel.sentence"]
    assert rest == ["energy.figure", "energy.shown"]
    assert sections.energy().generated
    whole(panel_energy=part("energy", reason="a month is missing"))
    short = sections.energy()
    assert short.parts == ("energy.sentence",)
    assert short.generated


def test_electronics(whole):
    heard = []

    def volume(*given):
        heard.append(given)
        return part("volume")

    whole(volume=volume)
    found = sections.electronics()
    cards, *rest = found.parts
    assert heard == [(GIVEN, "listed goods", goods(), BASE, CURRENT)]
    assert claims_of(cards) == ["a by the panel.sentence", "c by the panel.sentence"]
    assert rest == [
        "volume.figure", "volume.shown", "volume.mixed",
        "whole.figure", "whole.shown", "whole.mixed", "fan1.sentence", "fan2.sentence",
    ]  # fmt: skip
    assert found.generated
    whole(
        panel_rise=part("rise", volume=None, expectation=None),
        panel_listed=part("listed", expectation=None),
    )
    assert sections.electronics().parts[1:] == ("volume.figure", "volume.shown", "volume.mixed")


def test_rerouting(whole):
    heard = {}

    def note(name):
        def answer(*given, **named):
            heard[name] = (*given, *named.items())
            return part(name)

        return answer

    whole(panel_cube=note("cube"), event_study=note("study"), transit=note("transit"))
    found = sections.rerouting()
    assert found.parts == (
        "ddd.sentence", "rank.sentence", "placebo.sentence", "products.sentence", "study.sentence",
        "transit.sentence", "transit.shown",
    )  # fmt: skip
    assert heard["cube"] == (GIVEN, EVENT, CURRENT)
    assert heard["study"][1:] == (("listed", goods()),)
    assert heard["transit"] == (GIVEN, BASE, CURRENT)
    assert found.generated
    whole(
        panel_rise=part("rise", difference=None, rank=None, products=None),
        panel_listed=part("listed", placebo=None),
    )
    assert sections.rerouting().parts == ("study.sentence", "transit.sentence", "transit.shown")


def test_certainty(whole):
    listed, rise = sections.panel_listed(), sections.panel_rise()
    whole(
        detectable=lambda *given: ("detectable", *given),
        pretended=lambda *given: ("pretended", *given),
        robustness=lambda *given: part(str(given[1:])),
        family=lambda *given: ("family", *given),
        _mute=lambda: ["c4"],
    )
    found = sections.certainty()
    assert found.parts == (
        ("detectable", GIVEN, listed, EVENT),
        "steered.sentence",
        ("pretended", GIVEN, EVENT),
        f"{(EVENT, CURRENT)}.figure",
        f"{(EVENT, CURRENT)}.shown",
        ("family", listed, rise, "holm", 0.05, ["c4"]),
    )
    assert found.generated
    whole(panel_rise=part("rise", with_control=None))
    assert len(sections.certainty().parts) == 5


def simulated(**more):
    return SimpleNamespace(table=pd.DataFrame({"x": [1]}), sentence=lambda: "run it", **more)


def test_false_alarms_for_people():
    alarms = pd.DataFrame(
        {
            "rule": ["one", "other"], "truth": ["calm", "drift"], "stated_apart": [False, True],
            "draws": [500, 400], "rate": [0.05, 0.5], "low": [0.03, 0.4], "high": [0.07, 0.6],
            "verdict": ["decides", "decides nothing"],
        }
    )  # fmt: skip
    found = sections.alarms(simulated(alarms=alarms))
    assert found.label == "False alarms of every rule"
    assert found.table.to_dict("list") == {
        "rule": ["one", "other"],
        "world without effect": ["calm", "drift (stated apart)"],
        "draws": ["500", "400"],
        "fired": ["5.0 %", "50 %"],
        "95 % interval": ["3.0 % to 7.0 %", "40 % to 60 %"],
        "what it may do": ["decides", "decides nothing"],
    }
    none = SimpleNamespace(table=pd.DataFrame(), sentence=lambda: "run it")
    assert sections.alarms(none) == sections.chances(none) == "run it"


def test_chances_for_people():
    columns = [1.5, 2.0, 3.0, 4.0]
    power = pd.DataFrame([[0.2, 0.5, np.nan, 1.0]], pd.Index(["calm"], name="truth"), columns)
    found = sections.chances(simulated(power=power))
    assert isinstance(found, Shown)
    assert found.label == "How often a planted rise was found"
    assert found.table.to_dict("list") == {
        "world": ["calm"], "a rise by half": ["20 %"], "a doubling": ["50 %"],
        "a tripling": ["–"], "× 4.0": ["100 %"],
    }  # fmt: skip


def test_tests_that_decide_nothing(monkeypatch):
    for quiet, muted in (
        ({}, []),
        ({"ddd_p": ""}, ["c4"]),
        ({"p_destination": "", "destination_rank": ""}, ["a2", "c3"]),
        ({"excess_both": ""}, ["a2", "c2"]),
    ):
        monkeypatch.setattr(sections, "silenced", lambda *_, q=quiet: q)
        assert sections._mute() == muted


def test_a_section_shows_what_has_no_html_as_text():
    assert Section(("a < b",))._repr_html_() == "<p>a &lt; b</p>"
