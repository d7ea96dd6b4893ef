"""The panel tier on generated trade: what was planted is found, what is not known is said."""

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from generated import panel_of
from tradeflows.claims import gathered, sections
from tradeflows.claims.judge import silenced, tiers
from tradeflows.claims.rules import document
from tradeflows.counterfactual import validation
from tradeflows.evidence import live_checks
from tradeflows.evidence.attribution import listed_exports, non_essential, panel_cube
from tradeflows.evidence.electronics_volume import volume
from tradeflows.evidence.energy_panel import energy_panel
from tradeflows.evidence.panel import ABSENT, MARK, Panel, generated, goods, panel
from tradeflows.evidence.robustness import pretended, robustness
from tradeflows.evidence.transit import transit
from tradeflows.measure import bridge, bridges, price_index

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


def listed_to_russia(data: Panel) -> pd.DataFrame:
    return data.to_russia(goods("2024-02"))


# without a panel


@pytest.mark.parametrize("claim", ["a", "b1", "b2", "b3", "b4", "c"])
def test_without_a_panel_nothing_is_determined_and_nothing_is_zero(claim):
    verdict = tf.judge(claim, tier="panel")
    assert verdict.grade == "cannot be determined"
    assert verdict.say == ABSENT
    assert "make refresh" in verdict.sentence()
    assert set(verdict.numbers.values()) == {None}
    assert set(verdict.outcomes.values()) == {"unknown"}
    assert "to come" not in verdict._repr_html_()


def test_without_a_panel_every_section_says_what_is_missing():
    for section in (sections.electronics(), sections.rerouting(), sections.certainty()):
        assert section._repr_html_().count("<p>") == 1
        assert "make refresh" in section._repr_html_()
    found = live_checks.run()
    assert found.count("not comparable") == len(found.table) == 53
    assert "make refresh" in found.sentence()
    assert not generated()
    assert all("make refresh" in w for w in tiers().table["by the panel"])


# what was planted


def test_planted_prices_are_found_by_index_and_bridge():
    old, new = panel_of("nothing"), panel_of("prices")
    fuels = [p.imports[p.imports["code"].str.startswith("27")] for p in (old, new)]
    index = [price_index(f, "fisher", base=BEFORE).table for f in fuels]
    after = index[0]["period"] >= "2022-03-01"
    ratio = index[1].loc[after, "price"] / index[0].loc[after, "price"]
    assert ratio.to_numpy() == pytest.approx(2.0, rel=0.01)
    planted = fuels[1]["value_usd"].sum() - fuels[0]["value_usd"].sum()
    found = [bridge(f, "2021", "2022", method="paasche").price for f in fuels]
    window = fuels[1]["period"].dt.year == 2022
    planted = float((fuels[1][window]["value_usd"].sum()) - fuels[0][window]["value_usd"].sum())
    assert found[1] - found[0] == pytest.approx(planted, rel=0.01)
    assert [bridge(f, "2021", "2022").entry for f in fuels] == [0.0, 0.0]


def test_planted_volume_is_found_by_all_measures():
    old, new = (volume(panel_of(s), "listed", goods("2024-02"), BEFORE, AFTER)
                for s in ("nothing", "volume"))  # fmt: skip
    ratio = (1 + new.table["volume"]) / (1 + old.table["volume"])
    assert ratio.to_numpy() == pytest.approx(3.0, rel=0.01)
    assert new.growth is not None
    assert new.growth.low == pytest.approx(2.1, abs=0.2)
    assert abs(new.premium) < 0.02
    bars = [bridge(listed_to_russia(panel_of(s)), BEFORE, AFTER, method="laspeyres")
            for s in ("nothing", "volume")]  # fmt: skip
    planted = bars[1].value_current - bars[0].value_current
    assert bars[1].volume - bars[0].volume == pytest.approx(planted, rel=0.01)


def test_planted_entry_is_entry_and_touches_no_price():
    old, new = (bridge(listed_to_russia(panel_of(s)), "2021", "2022") for s in ("nothing", "entry"))
    assert new.entry - old.entry == pytest.approx(new.value_current - old.value_current, rel=0.01)
    assert new.entry > 0
    assert new.price == pytest.approx(old.price, rel=1e-9)


def test_rerouting_shows_at_the_neighbours_and_in_no_number_about_russia():
    old, new = panel_of("nothing"), panel_of("rerouting")
    listed = goods("2024-02")
    near = [p.exports[(p.exports["partner"] == "KAZ") & p.exports["code"].isin(listed)]
            for p in (old, new)]  # fmt: skip
    late = [n[n["period"] >= "2022-03-01"]["value_usd"].sum() for n in near]
    assert late[1] / late[0] == pytest.approx(4.0, rel=0.01)
    assert panel_cube(new, EVENT, "2022").total == pytest.approx(
        panel_cube(old, EVENT, "2022").total
    )


# verdicts


@pytest.mark.parametrize(
    ("scenario", "missing", "a", "c"),
    [
        ("nothing", 0.0, "no more than before", "cannot be determined"),
        ("volume", 0.6, "rose beyond expectation", "cannot be determined"),
        ("volume", 0.0, "rose beyond expectation", "supported"),
    ],
)
def test_verdicts_of_generated_worlds(given, scenario, missing, a, c):
    given(panel_of(scenario, missing))
    exported, rise = tf.judge("a", tier="panel"), tf.judge("c", tier="panel")
    assert exported.grade == "contradicted"
    assert a in exported.say
    assert rise.grade == c
    for verdict in (exported, rise):
        assert MARK in verdict.detail
    if missing:
        assert rise.numbers["volume_growth"] is None
        assert "70 % are needed" in rise.detail


def test_a_rule_that_cries_wolf_decides_nothing_and_the_verdict_says_so(given):
    given(panel_of("volume"))
    verdict = tf.judge("c", tier="panel")
    assert set(silenced(validation())) == {"ddd_p"}
    assert verdict.numbers["ddd_p"].low <= 0.05  # it would have passed
    assert verdict.outcomes["c4_p"] == "unknown"
    assert "decides nothing" in verdict.detail
    assert "concentrated" not in verdict.say


# pages


def test_sections_of_generated_trade_carry_the_mark(given):
    data = panel_of("volume")
    given(data)
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


def test_energy_of_a_world_of_prices(given):
    given(panel_of("prices"))
    cost, share = tf.judge("b3", tier="panel"), tf.judge("b2", tier="panel")
    assert cost.numbers["cost_ratio"].low == pytest.approx(1.9, abs=0.1)
    assert share.grade == "cannot be determined"  # most energy has no weight
    assert share.say == "too little of the energy value is priced"
    assert tf.judge("b1", tier="panel").numbers["growth_gap"] is None


def test_energy_whose_weights_are_known_is_priced():
    data = panel_of("prices")
    open_ = data.imports[~data.imports["confidential"]]
    fuel = open_[open_["code"].str.startswith("27")]
    chapter = fuel.groupby("period")["value_usd"].sum().reset_index()
    whole = open_.groupby("period")["value_usd"].sum().reset_index()
    sold = data.totals[data.totals["flow"] == "X"]
    totals = pd.concat([sold, chapter.assign(flow="M", code="27"),
                        whole.assign(flow="M", code="TOTAL")])  # fmt: skip
    stated = document()["claims"]["b2"]
    found = energy_panel(changed(data, imports=open_, totals=totals), stated)
    assert found.priced.low == pytest.approx(1.0)
    low, high = bridges(fuel, "2021", "2022").range("price")
    change = found.turnover[1] - found.turnover[0]
    assert found.of("pi_turnover").low == pytest.approx(low / change)
    assert found.of("pi_turnover").high == pytest.approx(high / change)


# what is not determined is said


def test_a_month_that_is_not_published():
    calm = panel_of("nothing")
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


def test_fewer_than_thirty_six_months_before():
    calm = panel_of("nothing")
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


def test_a_destination_without_a_past():
    calm = panel_of("nothing")
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


def test_goods_with_zeros_in_a_third_of_the_months():
    calm = panel_of("nothing")
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


def test_a_window_that_nobody_published():
    calm = panel_of("nothing")
    exported = listed_exports(calm, "2024-01/2024-12", EVENT)
    assert set(exported.numbers.values()) == {None}
    assert "no month of the window is published" in exported.sentence()


# print


def test_live_checks_on_numbers_that_fit_and_do_not():
    calm = panel_of("nothing")
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
