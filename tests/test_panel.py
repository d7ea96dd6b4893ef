"""The panel tier on generated trade: what is not known is said, and how it is shown."""

import re

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.claims import gathered, sections
from tradeflows.claims.judge import silenced, tiers
from tradeflows.claims.rules import rules
from tradeflows.counterfactual import statespace, validation
from tradeflows.evidence import live_checks
from tradeflows.evidence import panel as panel_module
from tradeflows.evidence.attribution import listed_exports, non_essential
from tradeflows.evidence.electronics_volume import volume
from tradeflows.evidence.panel import ABSENT, MARK, Panel, generated, goods, panel
from tradeflows.evidence.robustness import pretended, robustness
from tradeflows.evidence.transit import transit

AFTER = "2022-03/2022-12"
BEFORE = "2021-03/2021-12"
EVENT = "2022-02"


def changed(calm: Panel, **frames: pd.DataFrame) -> Panel:
    parts = {n: frames.get(n, getattr(calm, n)) for n in ("exports", "imports", "totals", "mirror")}
    return Panel(**parts, generated=True)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch):
    """Put a panel where judges look."""

    def put(data: Panel) -> None:
        monkeypatch.setattr(gathered, "panel", lambda: data)
        monkeypatch.setattr(sections, "panel", lambda: data)

    return put


@pytest.fixture
def calm(world) -> Panel:
    return world("nothing").panel


# without a panel


@pytest.mark.parametrize("claim", ["a", "b1", "b2", "b3", "b4", "c"])
def test_without_a_panel_nothing_is_determined_and_nothing_is_zero(claim):
    verdict = tf.judge(claim, tier="panel")
    assert verdict.grade == "cannot be determined"
    assert verdict.say == ABSENT
    assert "tradeflows refresh" in verdict.sentence()
    assert set(verdict.numbers.values()) == {None}
    assert set(verdict.outcomes.values()) == {"unknown"}
    assert "to come" not in verdict.card()


def test_without_a_panel_every_section_says_what_is_missing():
    for section in (
        sections.energy(),
        sections.electronics(),
        sections.rerouting(),
        sections.certainty(),
    ):
        assert section._repr_html_().count("<p>") == 1
        assert "tradeflows refresh" in section._repr_html_()
    found = live_checks.run()
    assert found.count("not comparable") == len(found.table) == 53
    assert "tradeflows refresh" in found.sentence()
    assert not generated()
    assert all("tradeflows refresh" in w for w in tiers().table["by the panel"])


# verdicts


def test_a_rule_that_cries_wolf_decides_nothing_and_the_verdict_says_so(world):
    verdict = world("volume").verdicts["c"]
    assert set(silenced(validation(), rules().content["simulated"])) == {"ddd_p"}
    assert verdict.numbers["ddd_p"].low <= 0.05  # it would have passed
    assert verdict.outcomes["c4_p"] == "unknown"
    assert "decides nothing" in verdict.detail
    assert "concentrated" not in verdict.say


# pages


def test_cards_of_both_tiers_on_one_page_have_names_of_their_own():
    cards = "".join(tf.judge("a", tier).card() for tier in ("snapshot", "panel"))
    assert re.findall(r'id="(claim-[^"]*)"', cards) == ["claim-a", "claim-a-panel"]


def test_sections_of_generated_trade_carry_the_mark(given, world):
    data = world("volume").panel
    given(data)
    priced = sections.energy()._repr_html_()
    assert priced.index(MARK) < 400
    assert "<figure" in priced
    assert "confidential" in priced
    shown = sections.electronics()._repr_html_()
    assert shown.index(MARK) < 400
    assert 'role="alert"' in shown
    assert "<figure" in shown
    around = sections.rerouting()._repr_html_()
    assert MARK in around
    assert "placebo" in around
    sure = sections.certainty()._repr_html_()
    assert MARK in sure
    assert "holm" in sure
    assert MARK in sections.side_by_side()._repr_html_()
    assert MARK in live_checks.run(data).sentence()


# energy


def test_energy_without_enough_weights_is_not_priced(given, world):
    data = world("prices", hidden=False).panel
    gone = np.random.default_rng(0).random(len(data.imports)) < 0.6
    rows = data.imports.assign(
        net_weight_kg=data.imports["net_weight_kg"].mask(gone),
        weight_status=data.imports["weight_status"].mask(gone, "missing"),
    )
    given(changed(data, imports=rows))
    share = tf.judge("b2", tier="panel")
    assert share.grade == "cannot be determined"
    assert share.say == "too little of the energy value is priced"
    assert share.headline.endswith("of energy is priced")
    assert tf.judge("b1", tier="panel").numbers["growth_gap"] is None


def test_energy_of_a_month_that_is_not_published(given, calm):
    given(changed(calm, imports=calm.imports[calm.imports["period"] != "2021-05-01"]))
    shown = sections.energy()._repr_html_()
    assert "cannot be determined (not published: 2021-05 (M))" in shown
    assert "<figure" not in shown
    assert tf.judge("b3", tier="panel").grade == "cannot be determined"


# what is not determined is said


def test_early_months_of_another_trade_system_are_not_mixed_and_the_reason_names_it(
    calm, monkeypatch
):
    rows = calm.exports.assign(source="UN Comtrade", freq="M")
    early = rows["period"] < "2021-01-01"
    rows["trade_system"] = np.where(early, "special", "general")
    twice = rows[rows["period"].between("2021-01-01", "2021-06-01")].assign(trade_system="special")
    stored = pd.concat([rows, twice, calm.imports.assign(trade_system="general")])
    none = panel_module._absent("").exports
    monkeypatch.setattr(
        panel_module, "_rows", lambda reporter, **_: stored if reporter == "TUR" else none
    )
    frames = panel_module._frames()
    exports = frames["exports"]
    assert set(exports["trade_system"]) == {"general"}
    assert exports["period"].min() == pd.Timestamp("2021-01-01")
    left = rows.loc[early, "period"].nunique()
    assert (
        exports.attrs["trade_system"] == f"general trade; {left} more months are of special trade"
    )
    assert frames["imports"].attrs["trade_system"] == "general trade"
    short = changed(calm, exports=exports)
    exported = listed_exports(short, "2022-03/2022-12", EVENT)
    words = f"13 published months before 2022-02 (general trade; {left} more months are of special"
    for name in ("excess_both", "p_destination"):
        assert exported.reasons[name].startswith(words)


def test_a_month_that_is_not_published(calm):
    late = changed(calm, exports=calm.exports[calm.exports["period"] != "2022-06-01"])
    found = volume(late, "listed", goods())
    assert found.growth is None
    assert "not published: 2022-06" in found.sentence()
    assert found.figure() == found.sentence()
    rise = non_essential(late, "2021", "2022", EVENT, draws=19)
    assert rise.value is None
    assert "2022-06" in rise.sentence()
    assert rise.reasons["destination_rank"] == "not published: 2022-06"
    exported = listed_exports(late, "2022-03/2023-02", EVENT)
    assert exported.value.high == np.inf
    assert exported.months.high == exported.months.low + 1 == 12
    assert "at least" in exported.sentence()
    assert "2022-06" in transit(late).sentence()


def test_fewer_than_thirty_six_months_before(calm):
    short = changed(calm, exports=calm.exports[calm.exports["period"] >= "2020-01-01"])
    exported = listed_exports(short, "2022-03/2023-02", EVENT)
    assert exported.numbers["excess_both"] is None
    assert exported.numbers["p_destination"] is None
    assert "36 are needed" in exported.reasons["excess_both"]
    assert "36 are needed" in exported.reasons["p_destination"]
    assert exported.value.low > 1
    assert "36 are needed" in robustness(short, EVENT, "2022").sentence()
    dates = pretended(short, EVENT).table
    assert set(dates.loc[dates["rule"] == "both 95 % bands", "outcome"]) == {"undetermined"}


def test_a_destination_without_a_past(calm):
    rows = calm.exports
    russia = rows["partner"] == "RUS"
    new = changed(calm, exports=rows[~russia | (rows["period"] >= "2022-02-01")])
    exported = listed_exports(new, "2022-03/2023-02", EVENT)
    assert exported.numbers["p_destination"] is None
    assert "RUS has no exports before 2022-02" in exported.reasons["p_destination"]
    assert exported.numbers["excess_both"] is None
    rise = non_essential(new, "2021", "2022", EVENT, draws=19)
    assert rise.value is None
    assert set(rise.reasons) == set(rise.numbers)
    assert "no exports in 2021" in rise.sentence()


def test_goods_with_zeros_in_a_third_of_the_months(calm):
    rows = calm.exports
    gone = (
        (rows["partner"] == "RUS")
        & rows["code"].isin(goods("2023-05"))
        & (rows["period"].dt.month % 3 == 0)
    )
    sparse = changed(calm, exports=rows[~gone])
    exported = listed_exports(sparse, "2022-03/2023-02", EVENT)
    assert exported.months.low == 8
    assert exported.expectation.steps == "quarter"
    assert "in quarters" in exported.expectation.sentence() or exported.reasons


def test_a_window_that_nobody_published(calm):
    exported = listed_exports(calm, "2024-01/2024-12", EVENT)
    assert set(exported.numbers.values()) == {None}
    assert "no month of the window is published" in exported.sentence()


def test_models_that_do_not_converge(given, calm, monkeypatch):
    monkeypatch.setattr(statespace, "_fit", lambda *_: (None, "powell", ("singular",)))
    given(changed(calm))
    exported, rise = tf.judge("a", tier="panel"), tf.judge("c", tier="panel")
    for verdict in (exported, rise):
        assert verdict.numbers["excess_both"] is None
        assert "SARIMAX and unobserved components did not converge" in verdict.detail
    assert "no rise beyond expectation" in exported.say  # the placebo destinations still say no
    assert (rise.outcomes["c2"], rise.grade) == ("unknown", "cannot be determined")
    shown = sections.electronics()._repr_html_() + sections.certainty()._repr_html_()
    assert "did not converge" in shown
    assert "nan" not in shown.lower().replace("finan", "")


# print


def test_live_checks_on_numbers_that_fit_and_do_not(calm):
    prints = live_checks.run(calm)
    table = prints.table
    assert (table.loc[table["tolerance"] == "direction only", "verdict"] == "not comparable").all()
    assert table["why"][table["verdict"] == "not comparable"].str.len().gt(0).all()
    total = calm.totals["code"].eq("TOTAL") & calm.totals["flow"].eq("X")
    may = total & calm.totals["period"].eq("2022-05-01")
    fits = calm.totals.copy()
    fits.loc[may, "value_usd"] = 519e6 * 1.009
    one = live_checks.run(changed(calm, totals=fits)).table.set_index(["what", "period"])
    assert one.loc[("TOTAL, exports to RUS", "2022-05"), "verdict"] == "agree"
    fits.loc[may, "value_usd"] = 519e6 * 1.011
    two = live_checks.run(changed(calm, totals=fits)).table.set_index(["what", "period"])
    assert two.loc[("TOTAL, exports to RUS", "2022-05"), "verdict"] == "disagree"


def test_there_is_no_panel_in_the_snapshot():
    assert panel().reason == ABSENT
    assert panel() is panel()


def test_frames_built_by_other_code_are_built_anew(tmp_path, monkeypatch):
    made = []

    def frames():
        made.append(panel_module._code())
        return {part: pd.DataFrame({"x": [len(made)]}) for part in panel_module._PARTS}

    monkeypatch.setattr(panel_module, "_frames", frames)
    asked = (tmp_path / "raw", "2030-01-01", ("a file",))
    built = panel_module._panel.__wrapped__
    for code in ("old", "old", "new"):
        monkeypatch.setattr(panel_module, "_code", lambda code=code: code)
        found = built(*asked)
    assert made == ["old", "new"]
    assert found.exports["x"].tolist() == [2]
