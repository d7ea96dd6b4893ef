"""The panel's pages on generated trade: what is not known is said, and nothing is made up."""

import json
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import pages
import tradeflows as tf
from generated import LAST, held, made
from standin import trade
from tradeflows.claims.judge import Verdict, silenced
from tradeflows.claims.rules import rules
from tradeflows.codes import hs
from tradeflows.codes.groups import high_priority
from tradeflows.counterfactual import expectation, validation
from tradeflows.errors import SourceUnavailable, UnknownCode
from tradeflows.report import runner

ENERGY, ELECTRONICS = "05-energy-in-the-panel", "06-electronics-in-the-panel"
SURE = "07-how-sure-in-the-panel"
PANEL = (ENERGY, ELECTRONICS, SURE)
QUICK = {"DRAWS": "19"}
# cells on which no statement rests
PICTURES = ("mix", "control", "quarters", "family", "mirror-rows", "mirror", "mirror-table",
            "sensitivity")  # fmt: skip
FANS = ("fans", "placebos", "answer")
FAMILIES = hs.families("HS2012", "HS2022")
FEW = set(FAMILIES["code"][FAMILIES["family"].isin(high_priority("2023-05")["group"])])


@pytest.fixture(scope="module")
def calm():
    """Rows of a world too small to rank destinations in, for what is not about them."""
    return made(trade.World(chapters=(85, 90), others=0, last=LAST.replace("-", "")), mirrors=())


@pytest.fixture
def shown_of(monkeypatch, tmp_path):
    """Run a page on the rows of a world, some of them changed."""

    def run(name, found, without=PICTURES, assumed=(), **changed):
        held(monkeypatch, tmp_path, found, **changed)
        quick = QUICK if name != ENERGY else {}
        return pages.run(name, without=without, **quick, **dict(assumed))

    return run


# without a panel


@pytest.mark.parametrize("claim", ["a", "b1", "b2", "b3", "b4", "c"])
def test_without_a_panel_nothing_is_determined_and_nothing_is_zero(claim):
    verdict = tf.judge(claim, tier="panel")
    assert verdict.grade == "cannot be determined"
    assert "tradeflows refresh" in verdict.say
    assert set(verdict.numbers.values()) == {None}
    assert set(verdict.outcomes.values()) == {"unknown"}


@pytest.mark.parametrize("name", PANEL)
def test_without_a_panel_a_page_says_what_it_needs(name):
    assert "tradeflows refresh" in runner.lacking(pages.FOLDER / f"{name}.ipynb")
    assert pages.run(name).cells == []


# verdicts


def test_a_rule_that_cries_wolf_decides_nothing_and_the_verdict_says_so(world):
    verdict = world("volume").verdicts["c"]
    assert set(silenced(validation(), rules().content["simulated"])) == {
        "destination_rank", "ddd_p", "p_destination",
    }  # fmt: skip
    assert verdict.numbers["ddd_p"].low <= 0.05  # it would have passed
    assert verdict.outcomes["c4_p"] == verdict.outcomes["c3"] == "unknown"
    assert "decides nothing" in verdict.detail
    assert "concentrated" not in verdict.say


def test_cards_of_both_tiers_on_one_page_have_names_of_their_own():
    numbers = dict.fromkeys(tf.rule("a", "snapshot").numbers)
    cards = tf.judge("a", **numbers).card() + tf.judge("a", "panel").card()
    assert re.findall(r'id="(claim-[^"]*)"', cards) == ["claim-a", "claim-a-panel"]


# energy


def test_energy_without_enough_weights_is_not_priced(shown_of, world):
    found = world("prices", hidden=False)
    detail = found["detail"]
    gone = np.random.default_rng(0).random(len(detail)) < 0.6
    detail = detail.assign(
        net_weight_kg=detail["net_weight_kg"].mask(gone),
        weight_status=detail["weight_status"].mask(gone, "missing"),
    )
    share = shown_of(ENERGY, found, detail=detail).statements["b2/panel"]
    assert share.grade == "cannot be determined"
    assert share.say == "too little of the energy value is priced"
    assert share.headline.endswith("of energy is priced")


# a month that is not published is no zero


@pytest.mark.parametrize(("name", "part"), [(ENERGY, "detail"), (ELECTRONICS, "rows")])
def test_a_month_of_the_windows_that_is_not_published(shown_of, calm, monkeypatch, name, part):
    rows = calm[part]
    late = {part: rows[rows["period"] != "2022-06-01"]}
    assert shown_of(name, calm, **late).cells == []
    said = runner.lacking(pages.FOLDER / f"{name}.ipynb")
    assert "not published yet: 2022-06." in said
    assert "`tradeflows refresh`" in said
    monkeypatch.setattr(runner, "lacking", lambda _: "")  # in JupyterLab nothing stands before it
    with pytest.raises(SourceUnavailable, match="2022-06 is not published"):
        shown_of(name, calm, **late)


def test_a_late_month_of_the_window_leaves_the_upper_ends_open(shown_of, calm):
    rows = calm["rows"]
    page = shown_of(ELECTRONICS, calm, rows=rows[rows["period"] != "2023-02-01"])
    exported = page.statements["a/panel"]
    assert exported.numbers["value_musd"].high == np.inf
    months, codes = exported.numbers["months"], exported.numbers["codes"]
    assert (months.low, months.high) == (11, 12)
    assert codes.high == len(page["few"]) >= codes.low
    assert "hold at least" in exported.detail
    assert "Not determined: not published: 2023-02." in exported.detail
    assert exported.grade == "contradicted"  # as with every month


# what is not determined is said


def test_fewer_than_thirty_six_months_before(shown_of, calm):
    rows = calm["rows"]
    page = shown_of(ELECTRONICS, calm, rows=rows[rows["period"] >= "2020-01-01"])
    exported = page.statements["a/panel"]
    for number in ("excess_both", "p_destination"):
        assert exported.numbers[number] is None
        assert "36 are needed" in page["why_a"][number]
    assert exported.numbers["value_musd"].low > 1
    assert page["why_a"]["excess_both"] in exported.detail


def test_a_destination_without_a_past(shown_of, calm):
    rows = calm["rows"]
    new = rows[(rows["partner"] != "RUS") | (rows["period"] >= "2022-02-01")]
    page = shown_of(ELECTRONICS, calm, rows=new)
    exported, rise = page.statements["a/panel"], page.statements["c/panel"]
    assert exported.numbers["p_destination"] is exported.numbers["excess_both"] is None
    assert "RUS has no exports before 2022-02" in page["why_a"]["p_destination"]
    assert rise.numbers["value_growth"] is None
    assert set(page["why_c"]) == {n for n, value in rise.numbers.items() if value is None}
    assert "no exports in 2021" in rise.detail


def test_goods_with_zeros_in_a_third_of_the_months(shown_of, calm):
    rows = calm["rows"]
    third = rows["period"].dt.month % 3 == 0
    gone = (rows["partner"] == "RUS") & rows["code"].isin(FEW) & third
    page = shown_of(ELECTRONICS, calm, rows=rows[~gone])
    assert page.statements["a/panel"].numbers["months"].low == 8
    assert page["plain"]["listed"].steps == "quarter"


def test_models_that_do_not_converge(shown_of, calm, monkeypatch):
    monkeypatch.setattr(expectation, "_fit", lambda *_: (None, "powell", ("singular",)))
    page = shown_of(ELECTRONICS, calm)
    exported, rise = page.statements["a/panel"], page.statements["c/panel"]
    for verdict in (exported, rise):
        assert verdict.numbers["excess_both"] is None
        assert "SARIMAX and unobserved components did not converge" in verdict.detail
    assert "beyond expectation is not determined" in exported.say  # nor do placebos decide
    assert (rise.outcomes["c2"], rise.grade) == ("unknown", "cannot be determined")


# how sure


def test_choices_made_again(shown_of, world):
    page = shown_of(SURE, world("volume"), without=())
    found = page["found"]
    assert set(found.index) == {f"{n}, {m}" for n in page["LISTS"] for m in page["MEASURES"]}
    assert (found["low"] <= found["effect"]).all()
    assert (found["effect"] <= found["high"]).all()
    assert found["low"].min() > 0.2  # what was planted is there whichever code is left out
    assert page.figures["specifications"].table["label"].tolist() == found.index.tolist()
    assert {told[2] for told in page["told"] if told[1] == "both bands"} == {"undetermined"}
    assert "36 are needed" in page.cell("dates").html
    bounds = list(page["bounds"].values())
    assert all(wide.low <= b.low <= b.high <= wide.high for b, wide in pairwise(bounds))
    assert bounds[0].low == bounds[0].high > 0.2
    assert page["entry"].rank > 1  # more was sold of what was sold before


# another assumption runs, or is refused in words

TRIES = [  # the page, what is changed in its cell of assumptions, what is then said
    (ENERGY, {"BASE": '"2020"', "CURRENT": '"2021"'}, "from 2020 to 2021"),
    (ENERGY, {"BASE": '"2021-03/2022-02"', "CURRENT": '"2022-03/2023-02"'}, "to 2022-03/2023-02"),
    (ENERGY, {"BASE": "2021", "CURRENT": "2022"}, "from 2021 to 2022"),
    (ENERGY, {"CURRENT": '"2023"'}, "2023-03 is not published for exports"),
    (ENERGY, {"BASE": '"2022"'}, "2022 does not follow 2022"),
    (ENERGY, {"CURRENT": '"next year"'}, "window 'next year'"),
    (ENERGY, {"FUEL": '"99"'}, "no imports of chapter 99 in 2021"),
    (ENERGY, {"METHODS": '["paasche"]'}, "can be priced from the panel alone"),
    (ENERGY, {"PATHS": '["two-point"]'}, "can be priced from the panel alone"),
    (ENERGY, {"METHODS": '["fisher"]'}, "method='fisher': expected one of"),
    (ENERGY, {"LITTLE": "9.0"}, "too little changed for a share"),
    (ENERGY, {"PARTNER": '"XYZ"'}, "no rows"),
    (ELECTRONICS, {"BASE": '"2020"', "CURRENT": '"2021"'}, "Non-essential exports to Russia"),
    (ELECTRONICS, {"CURRENT": '"2023"'}, "2023-03 is not published"),
    (ELECTRONICS, {"WINDOW": '"2030"'}, "no month of 2030 is published"),
    (ELECTRONICS, {"WINDOW": '"2022-06/2022-12"'}, "months, Jun 2022 to Dec 2022"),
    (ELECTRONICS, {"LIST": '"1999"'}, "no high-priority list '1999'"),
    (ELECTRONICS, {"FIT_UNTIL": '"soon"'}, "'soon'"),
    (ELECTRONICS, {"MONTHS": "60"}, "60 are needed"),
    (ELECTRONICS, {"PARTNER": '"XYZ"'}, "no exports to XYZ"),
]


@pytest.mark.parametrize(("name", "changed", "said"), TRIES)
def test_another_assumption_is_answered_or_refused_in_words(shown_of, calm, name, changed, said):
    try:
        page = shown_of(name, calm, PICTURES + FANS * (name != ENERGY), assumed=changed)
    except (SourceUnavailable, UnknownCode, ValueError) as error:
        words = str(error)
    else:
        stated = " ".join(
            v.detail for cell in page.cells for v in cell.shown if isinstance(v, Verdict)
        )
        words = stated + " ".join(cell.text for cell in page.cells)
    assert said in words


# what a page needs


def needs(tmp_path, **need):
    file = tmp_path / "09-page.ipynb"
    asked = {"table": "trade", "source": "TÜİK", "flow": "M", "code": "TOTAL", "freq": "M"}
    about = {"requires": [asked | {"bring": "Bring it."} | need]}
    file.write_text(json.dumps({"cells": [], "metadata": {"tradeflows": about}}))
    return runner.lacking(file)


def test_what_a_page_needs_is_asked_of_the_data(tmp_path):
    assert needs(tmp_path) == ""
    assert needs(tmp_path, months="2022", whole=True) == ""
    last = (
        f"{tf.load('trade', source='TÜİK', flow='M', code='TOTAL', freq='M')['period'].max():%Y-%m}"
    )
    after = f"{pd.Period(last, 'M') + 1}"
    assert needs(tmp_path, months=f"{last}/{after}") == ""
    said = needs(tmp_path, months=f"{last}/{after}", whole=True)
    assert said == f"This page needs months that are not published yet: {after}. Bring it."
    assert "not there yet" in needs(tmp_path, code="270900")
