"""Generated trade from the rows that a refresh brings to the verdicts.

Five worlds, each with one thing planted. What was planted is found, every verdict is the right
one, and where weights are missing nothing is made up.
"""

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from generated import HELD, judged, judged_by_tuik, refreshed
from standin import trade
from tradeflows.codes.countries import SPECIAL
from tradeflows.codes.groups import high_priority
from tradeflows.counterfactual import EXCLUDED
from tradeflows.measure import bridge, bridges, price_index
from tradeflows.periods import span
from tradeflows.sources.comtrade.question import TRANSIT

AFTER, BEFORE = "2022-03/2022-12", "2021-03/2021-12"
LISTED = set(high_priority("2024-02").query("comparability != 'break'")["group"])
NO_MORE, MORE = "no rise beyond expectation was found", "rose beyond expectation"
SHORT, RISE = "growth is short of the thresholds", "unusual by its own past"
UNPRICED = "too little of the energy value is priced"
YES, PARTLY, OPEN = "supported", "partly supported", "cannot be determined"
# Weights of energy are whole where nothing is hidden: only there can its price be judged.
WORLDS = {
    "nothing": ({}, {"a": NO_MORE, "c": (OPEN, SHORT), "b2": (OPEN, UNPRICED)}),
    "prices": ({"hidden": False}, {"a": NO_MORE, "c": (OPEN, SHORT), "b2": (YES, "mainly")}),
    "volume": ({}, {"a": MORE, "c": (PARTLY, RISE), "b2": (OPEN, UNPRICED)}),
    "entry": ({}, {"a": MORE, "c": (PARTLY, RISE), "b2": (OPEN, UNPRICED)}),
    "rerouting": ({}, {"a": NO_MORE, "c": (OPEN, SHORT), "b2": (OPEN, UNPRICED)}),
}


def fuels(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["code"].str.startswith("27")]


def listed(rows: pd.DataFrame, partner: str = "RUS") -> pd.DataFrame:
    return rows[(rows["partner"] == partner) & rows["code"].isin(LISTED)]


def volume(found):
    """Return the volume of listed goods to Russia after the event against a year before."""
    exports = found["exports"]
    elsewhere = exports[~exports["partner"].isin(["RUS", *EXCLUDED, *SPECIAL.values()])]
    return tf.volume(listed(exports), elsewhere, BEFORE, AFTER, complete=0.7)


def test_there_is_a_test_for_every_scenario():
    assert set(WORLDS) == set(trade.SCENARIOS)


def test_a_refresh_brings_what_was_published_and_pages_judge_it_alike(tmp_path):
    """Worlds that are not refreshed hand pages these rows."""
    world = trade.World("rerouting", chapters=(39, 90), others=0, last="202212")
    few = {"first": "2021-01", "chapters": ("88", "90"), "mirrors": ("KAZ", "DEU")}
    found = refreshed(tmp_path / "refreshed", world, **few)
    handed = judged(tmp_path / "handed", world, **few)
    key = ["reporter", "flow", "period", "partner", "level", "code"]
    for name in HELD:
        brought = found[name][found[name]["partner"] != "World"]
        one, other = (f.sort_values(key, ignore_index=True) for f in (brought, handed[name]))
        seen = [
            c for c in other if c not in ("origin", "obtained") and not c.startswith("quantity")
        ]
        pd.testing.assert_frame_equal(one[seen], other[seen], check_dtype=False)
    assert set(found["neighbours"].dropna().index) == {"KAZ"}
    for name in ("neighbours", "supply"):
        pd.testing.assert_frame_equal(found[name], handed[name])
    assert found.reasons == handed.reasons
    for claim, verdict in found.verdicts.items():
        assert verdict.numbers == pytest.approx(handed.verdicts[claim].numbers), claim
        assert verdict.say == handed.verdicts[claim].say


def test_tuik_s_own_database_and_un_comtrade_lead_to_the_same_verdicts(tmp_path):
    """One world in twelve digits and in six: pages state the same numbers."""
    first = "2021-01"
    world = trade.World("entry", chapters=(85, 90), others=0, last="202212")
    six = judged(tmp_path / "comtrade", world, first=first, mirrors=())
    twelve = judged_by_tuik(tmp_path / "tuik", six, first)
    assert set(twelve["rows"]["source"]) == {"TÜİK"}
    for claim, verdict in six.verdicts.items():
        other = twelve.verdicts[claim]
        assert (other.grade, other.say) == (verdict.grade, verdict.say)
        assert {n for n, x in other.numbers.items() if x} == {
            n for n, x in verdict.numbers.items() if x
        }
        for name, number in verdict.numbers.items():
            if number:
                found = other.numbers[name]
                assert (found.low, found.high) == pytest.approx((number.low, number.high), rel=1e-6)
    assert sum(bool(x) for v in six.verdicts.values() for x in v.numbers.values()) > 8


@pytest.mark.parametrize("scenario", WORLDS)
def test_every_verdict_is_the_right_one(world, scenario):
    options, expected = WORLDS[scenario]
    verdicts = world(scenario, **options).verdicts
    assert verdicts["a"].grade == "contradicted"  # listed goods are exported in every world
    assert expected["a"] in verdicts["a"].say
    for claim in ("b2", "c"):
        grade, say = expected[claim]
        assert verdicts[claim].grade == grade
        assert say in verdicts[claim].say
    assert (verdicts["b3"].grade, verdicts["b4"].grade) == ("contradicted", "contradicted")


@pytest.mark.parametrize("scenario", WORLDS)
def test_totals_and_codes_hold_what_was_planted(world, scenario):
    found = world(scenario, **WORLDS[scenario][0])
    truth, totals = found.world.truth(), found["totals"]
    year = totals[(totals["code"] == "TOTAL") & (totals["period"].dt.year == 2022)]
    sums = year.groupby("flow")["value_usd"].sum()
    planted = {flow: truth[f"{flow}-2022-without"] + truth[f"{flow}_effect"] for flow in "MX"}
    assert sums.to_dict() == pytest.approx(planted, rel=1e-6)
    moved = {flow for flow in "MX" if abs(truth[f"{flow}_effect"]) > 1}
    assert moved == {"prices": {"M"}, "volume": {"X"}, "entry": {"X"}}.get(scenario, set())


def test_planted_prices_are_found(world):
    found = world("prices", hidden=False)
    new, old = fuels(found["imports"]), fuels(found.calm("M"))
    ratio = [price_index(f, "fisher", base=BEFORE).table.set_index("period")["price"]["2022-03":]
             for f in (new, old)]  # fmt: skip
    assert (ratio[0] / ratio[1]).to_numpy() == pytest.approx(trade.PRICE, rel=0.01)
    bars = [bridge(f, "2021", "2022", method="paasche") for f in (new, old)]
    planted = found.world.truth()["M_effect"]
    assert bars[0].price - bars[1].price == pytest.approx(planted, rel=0.01)
    assert bars[0].volume == pytest.approx(bars[1].volume, rel=0.01)
    assert (bars[0].entry, bars[0].exit, bars[0].unpriced) == (0.0, 0.0, 0.0)
    before, after = found["turnover"]["turnover"]
    low, high = bridges(new, "2021", "2022").range("price")
    assert found["priced"].low == pytest.approx(1.0)
    share = found.verdicts["b2"].numbers["pi_turnover"]
    assert (share.low, share.high) == pytest.approx(
        (low / (after - before), high / (after - before))
    )


def test_planted_volume_is_found(world):
    found = world("volume")
    measured = volume(found)
    rows = listed(found.calm("X"))
    sums = [rows.loc[rows["period"].isin(span(w)), "value_usd"].sum() for w in (BEFORE, AFTER)]
    calm = volume(world("nothing"))
    assert 1 + measured.value == pytest.approx(trade.VOLUME * sums[1] / sums[0], rel=0.01)
    ratio = (1 + measured.table["volume"]) / (1 + calm.table["volume"])
    assert ratio.to_numpy() == pytest.approx(trade.VOLUME, rel=0.01)
    assert abs(measured.premium) < 0.02
    bars = [bridge(listed(rows), "2021", "2022", method="laspeyres")
            for rows in (found["exports"], found.calm("X"))]  # fmt: skip
    planted = found.world.truth()["X_effect"]
    elsewhere = bars[0].change - bars[1].change  # some listed codes cannot be compared over time
    assert elsewhere == pytest.approx(planted, rel=0.1)
    assert bars[0].volume - bars[1].volume == pytest.approx(elsewhere, rel=0.01)
    assert bars[0].price == pytest.approx(bars[1].price, rel=0.01)


def test_planted_entry_is_entry_and_touches_no_price(world):
    found = world("entry")
    new, old = (bridge(listed(rows), "2021", "2022")
                for rows in (found["exports"], found.calm("X")))  # fmt: skip
    assert (new.entry > 0, old.entry) == (True, 0.0)
    assert new.entry == pytest.approx(new.value_current - old.value_current, rel=0.01)
    assert new.price == pytest.approx(old.price, rel=1e-6)
    assert new.volume == pytest.approx(old.volume, rel=1e-6)


def test_rerouting_shows_at_the_neighbours_and_in_no_number_about_russia(world):
    found, calm = world("rerouting"), world("nothing")
    goods = high_priority("2023-09").query("comparability != 'break'")["group"]
    sent = calm["exports"][calm["exports"]["code"].isin(goods)]
    planted = sent["value_usd"] * np.where(sent["period"] < "2022-03-01", 1, trade.TRANSIT_VOLUME)
    planted = planted[sent["period"].dt.year == 2022].groupby(sent["partner"]).sum()
    shown = found["neighbours"]
    for state in TRANSIT:
        assert shown.loc[state, "sent1"] == pytest.approx(planted[state], rel=0.01)
        assert shown.loc[state, "gap"] > np.log(3)  # what is rerouted does not arrive
    assert calm["neighbours"]["gap"].isna().all()  # what nobody reports is not known
    sold = found["supply"].sum()
    assert sold.iloc[1] / sold.iloc[0] == pytest.approx(1.9, abs=0.1)  # doubled in March
    numbers = [w.verdicts["c"].numbers for w in (found, calm)]
    for name in ("value_growth", "volume_growth", "excess_both", "ddd_effect"):
        assert numbers[0][name] == numbers[1][name]


def test_where_weights_are_missing_nothing_is_made_up(world):
    verdicts = world("volume", missing=0.6).verdicts
    assert verdicts["c"].grade == "cannot be determined"
    assert verdicts["c"].numbers["volume_growth"] is None
    assert "70 % are needed" in verdicts["c"].detail
    assert MORE in verdicts["a"].say  # a claim about values
    assert (verdicts["b2"].grade, verdicts["b2"].say) == (OPEN, UNPRICED)
