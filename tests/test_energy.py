"""Energy from Russia: what is measured adds up, what is bounded stays inside its bounds."""

import pandas as pd
import pytest
import yaml

import tradeflows as tf
from tradeflows.claims.gathered import energy
from tradeflows.claims.rules import rules
from tradeflows.errors import Infeasible
from tradeflows.evidence.assumptions import left_out, without
from tradeflows.evidence.block import confidential
from tradeflows.evidence.corridors import crude_corridor, gas_corridor
from tradeflows.evidence.energy import energy_prices
from tradeflows.evidence.fuels import fuels, official_split
from tradeflows.figures import percent

STATED = rules().content["claims"]["b2"]
FUELS = {"source": "UN Comtrade", "code_system": "groups", "flow": "M", "partner": "RUS"}


def bn(x: float) -> float:
    return round(x / 1e9, 2)


def test_disclosed_oil_and_lpg_as_one_good():
    split = energy().disclosed
    annual, monthly = split["bennet", "two-point"], split["bennet", "monthly"]
    assert (bn(annual[0]), bn(annual[1])) == (2.45, 1.17)
    assert (bn(monthly[0]), bn(monthly[1])) == (2.39, 1.23)


def test_lines_of_the_comtrade_sums():
    trade = tf.load("trade", code="coal,lpg,oil_products", months="2021/2022", **FUELS)
    table = tf.bridge(trade, "2021", "2022", path="two-point").table.set_index("code")
    assert [bn(x) for x in table.loc["oil_products", ["price", "volume"]]] == [2.45, 1.02]
    assert [bn(x) for x in table.loc["coal", ["price", "volume"]]] == [1.59, 0.87]
    assert [bn(x) for x in table.loc["lpg", ["price", "volume"]]] == [0.0, 0.12]


def test_coal_per_tonne_and_tonnes():
    lines = fuels()
    assert round(lines.unit_value("coal", 2021)) == 110
    assert round(lines.unit_value("coal", 2022)) == 202
    weights = lines.table[lines.table["line"] == "coal"].set_index("year")["weight"]
    assert weights[2022] / weights[2021] - 1 == pytest.approx(0.38, abs=0.005)


def test_the_year_after_oil_fell_in_price_and_rose_in_volume():
    price, volume, _ = energy(2022, 2023).disclosed["bennet", "two-point"]
    assert price / 1e9 == pytest.approx(-2.2, abs=0.05)
    assert volume / 1e9 == pytest.approx(6.9, abs=0.05)


@pytest.mark.parametrize("years", [(2021, 2022), (2022, 2023)])
def test_bars_add_up_to_the_change(years):
    found = energy(*years)
    for split in (found.disclosed, found.coal):
        for price, volume, change in split.values():
            assert price + volume == pytest.approx(change, rel=1e-9)
    steps = found.figure().table
    totals = steps[steps["kind"] == "total"]["value"].tolist()
    moved = steps[steps["kind"] != "total"]["value"].sum()
    assert totals[0] + moved == pytest.approx(totals[1], rel=1e-9)


def test_gas_volume_fell_by_a_fifth():
    flows = confidential(STATED).quantities.iloc[0]
    assert flows["gas 2022"] / flows["gas 2021"] - 1 == pytest.approx(-0.19, abs=0.005)


def test_each_bound_narrows_and_none_widens():
    table = energy().table
    for name in ("block", "gas", "effect", "turnover", "imports"):
        assert table[f"{name}_low"].is_monotonic_increasing
        assert table[f"{name}_high"].is_monotonic_decreasing


def test_the_hidden_block_is_the_value_it_must_be():
    last = energy().block.last
    assert last.value(1).low / 1e9 == pytest.approx(30.37, abs=0.01)
    for base, current in last.scenarios.values():
        for block in (base, current):
            tight = block.tightened()
            low = sum(g.price.low * g.quantity for g in tight.goods)
            high = sum(g.price.high * g.quantity for g in tight.goods)
            assert low <= tight.value.high
            assert high >= tight.value.low


def test_solved_prices_stay_inside_the_corridors():
    last = energy().block.last
    rule = STATED["bounds"][2]
    for which, year in enumerate((2021, 2022)):
        monthly = gas_corridor(rule, year)
        gas, crude = last.price("gas", which), last.price("crude", which)
        corridor = crude_corridor(STATED["corridors"]["crude"], year)
        assert monthly["floor"].min() <= gas.low <= gas.high <= monthly["ceiling"].max()
        assert corridor.low <= crude.low <= crude.high <= corridor.high


def test_effect_is_the_hull_over_formulas_and_paths():
    found = energy()
    whole = found.effect()
    for (method, path), (price, _, _) in found.disclosed.items():
        hidden = found.block.last.price_effect(method)
        seen = price + found.coal[method, path][0]
        assert whole.low <= hidden.low + seen
        assert hidden.high + seen <= whole.high


@pytest.mark.parametrize("years", [(2021, 2022), (2022, 2023)])
def test_whiskers_of_the_waterfall_span_every_formula_path_and_bound(years):
    found = energy(*years)
    steps = found.figure().table.set_index("step")
    whole, last = found.effect(), found.block.last
    price = steps[steps["kind"] == "price"]
    assert price["low"].sum() <= whole.low
    assert whole.high <= price["high"].sum()
    known = steps.dropna(subset="low")
    assert (known["low"] <= known["value"]).all()
    assert (known["value"] <= known["high"]).all()
    assert set(known["kind"]) == {"price", "volume", "unpriced"}
    low, high = price["low"], price["high"]
    for (method, path), split in found.disclosed.items():
        block, here = last.price_effect(method), split[0] + found.coal[method, path][0]
        assert low.iloc[0] <= block.low <= block.high <= high.iloc[0]
        assert low.iloc[1] <= here <= high.iloc[1]


def test_a_bound_left_out_never_narrows_the_range():
    found = energy()
    whole, relaxed = found.share(), found.block.relaxed
    assert set(relaxed) == {("1",), ("2",), ("3",), ("1", "3")}
    wide = {names: found.share(stage) for names, stage in relaxed.items()}
    for share in wide.values():
        assert share.low <= whole.low + 1e-12
        assert whole.high <= share.high + 1e-12
    assert wide["1", "3"].low <= min(wide["1",].low, wide["3",].low)
    assert energy(2022, 2023).block.relaxed == {}  # both values are known: nothing to leave out


def test_what_hangs_on_the_assumption_is_said():
    found = energy()
    words, block = without(found), found.block
    assert set(block.earlier) == {2019, 2020}
    assert max(block.earlier.values()) < block.asked  # else the words were wrong
    assert block.asked == found.energy.table["non_energy"].min()
    without_1, without_both = (found.share(block.relaxed[k]) for k in (("1",), ("1", "3")))
    assert f"{percent(without_1.low)} to {percent(without_1.high)}" in words
    assert f"{percent(without_both.low)} to {percent(without_both.high)}" in words
    mainly = STATED["tiers"]["snapshot"]["tests"]["mainly"]["low_at_least"]
    assert ("would then hang on that month" in words) == (
        without_1.low >= mainly > without_both.low
    )
    rows = left_out(found).table
    assert rows["left out"].tolist() == ["1", "2", "3", "1 and 3"]


def test_no_share_where_the_change_is_negative():
    after = energy(2022, 2023)
    assert after.share() is None
    assert after.share(of="imports") is None
    assert "would mislead" in after.sentence()


def test_share_of_energy_that_is_priced():
    found = energy()
    assert found.priced_share() == pytest.approx(1.0, abs=1e-9)
    assert found.priced_share(with_block=False) == pytest.approx(0.27, abs=0.01)


def test_contradictory_bounds_are_an_error_that_names_them():
    stated = yaml.safe_load(rules().text)["claims"]["b2"]
    stated["bounds"][2]["gas_floor"]["slope"] = 2.0
    with pytest.raises(Infeasible):
        energy_prices(stated).effect()


def test_b2_and_b3_by_the_rules():
    main, triple = tf.judge("b2"), tf.judge("b3")
    assert main.grade == "supported"
    assert main.numbers["pi_without_press"].low >= 0.5
    assert triple.grade == "supported"
    assert main.sentence().count("accounts for") == 1
    assert "caused" not in main.sentence()


def test_official_indices_of_2022():
    months = official_split().of_2022()
    assert len(months) == 7
    assert (months["price_share"] >= 0.945).all()
    assert ((months["price_share"] > 1) == (months["volume"] < 0)).all()


def test_missing_months_of_a_line_are_not_measured_rather_than_zero():
    coal = tf.load("trade", code="coal", months="2023", **FUELS)
    assert pd.Timestamp("2023-07-01") not in set(coal["period"])
    _, _, change = energy(2022, 2023).coal["bennet", "monthly"]
    july = tf.load("trade", code="coal", months="2022-07", **FUELS)["value_usd"].iloc[0]
    before = tf.load("trade", code="coal", months="2022", **FUELS)["value_usd"].sum() - july
    assert change == pytest.approx(coal["value_usd"].sum() - before, rel=1e-9)
