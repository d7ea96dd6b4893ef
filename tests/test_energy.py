"""The page on energy: what is measured adds up, what is bounded stays inside its bounds."""

from itertools import pairwise

import pytest

import pages
import tradeflows as tf
from tradeflows.errors import SourceUnavailable
from tradeflows.measure.intervals import Interval

FUELS = {"source": "UN Comtrade", "code_system": "groups", "flow": "M", "partner": "RUS"}
STEPS = slice(0, 4)


@pytest.fixture(scope="module")
def page(shown):
    return shown(pages.FOLDER / "02-energy.ipynb")


def changed(**lines):
    return pages.run("02-energy", **lines)


def bn(x: float) -> float:
    return round(x / 1e9, 2)


# what is measured


def test_disclosed_oil_and_lpg_as_one_good(page):
    split = page["split"].loc["oil products and LPG"]
    annual, monthly = split.loc["bennet", "two-point"], split.loc["bennet", "monthly"]
    assert (bn(annual.price), bn(annual.volume)) == (2.45, 1.17)
    assert (bn(monthly.price), bn(monthly.volume)) == (2.39, 1.23)


def test_lines_of_the_comtrade_sums():
    trade = tf.load("trade", code="coal,lpg,oil_products", months="2021/2022", **FUELS)
    table = tf.bridge(trade, "2021", "2022", path="two-point").table.set_index("code")
    assert [bn(x) for x in table.loc["oil_products", ["price", "volume"]]] == [2.45, 1.02]
    assert [bn(x) for x in table.loc["coal", ["price", "volume"]]] == [1.59, 0.87]
    assert [bn(x) for x in table.loc["lpg", ["price", "volume"]]] == [0.0, 0.12]


def test_most_of_what_counts_as_priced_is_bounded(page):
    assert sum(page["coverage"].values()) == pytest.approx(page["bill"], rel=1e-9)
    assert page["measured"] / page["bill"] == pytest.approx(0.27, abs=0.01)


# what is bounded


def test_gas_volume_fell_by_a_fifth(page):
    flow = page["gas_flow"]
    assert flow["2022"].sum() / flow["2021"].sum() - 1 == pytest.approx(-0.19, abs=0.005)
    assert page["sign"]["gas"] == "less"


@pytest.mark.parametrize("name", ["block", "gas", "crude", "effect", "of_turnover", "of_imports"])
def test_each_step_narrows_and_a_step_left_out_widens(page, name):
    left = page["left"][name]
    steps = left.iloc[STEPS].tolist()
    for wide, narrow in [*pairwise(steps), *((x, steps[3]) for x in left[4:])]:
        assert wide.low <= narrow.low + 1e-12 * abs(narrow.low)
        assert narrow.high <= wide.high + 1e-12 * abs(narrow.high)


def test_the_hidden_block_is_the_value_it_must_be(page):
    for base, current in page["pairs"].values():
        assert current.value.low / 1e9 == pytest.approx(30.37, abs=0.01)
        for block in (base, current):
            low = sum(good.price.low * good.quantity for good in block.goods)
            high = sum(good.price.high * good.quantity for good in block.goods)
            assert low <= block.value.high
            assert high >= block.value.low


def test_the_effect_is_the_hull_over_formulas_and_paths(page):
    whole, seen = page["effect"], page["split"].price.groupby(["formula", "path"]).sum()
    for (formula, _), price in seen.items():
        found = tf.hull(tf.price_effects(page["pairs"], formula).values()) + price
        assert whole.low <= found.low <= found.high <= whole.high


@pytest.mark.parametrize("years", ["2021-2022", "2022-2023"])
def test_bars_add_up_and_the_middle_lies_in_its_range(page, years):
    steps = page.figures[f"energy-waterfall-{years}"].table.set_index("step")
    parts = steps[steps.kind != "total"]
    totals = steps[steps.kind == "total"].value.tolist()
    assert totals[0] + parts.value.sum() == pytest.approx(totals[1], rel=1e-9)
    assert ((parts.low <= parts.value + 1) & (parts.value <= parts.high + 1)).all()


def test_a_month_that_one_year_lacks_is_not_measured_rather_than_zero():
    coal = tf.load("trade", code="coal", months="2023", **FUELS)
    july = tf.load("trade", code="coal", months="2022-07", **FUELS).value_usd.iloc[0]
    before = tf.load("trade", code="coal", months="2022", **FUELS).value_usd.sum() - july
    split = changed(BASE="2022", CURRENT="2023")["split"]
    assert split.change["coal", "bennet", "monthly"] == pytest.approx(
        coal.value_usd.sum() - before, rel=1e-9
    )


# what the page says


def test_the_claims_by_the_rules(page):
    main, triple = page.statements["b2"], page.statements["b3"]
    assert (main.grade, triple.grade) == ("supported", "supported")
    assert main.numbers["pi_without_press"].low >= 0.5
    assert main.of_the_claim
    assert triple.of_the_claim
    assert "caused" not in main.sentence()
    assert {"minfin/urals_price.csv", "tuik/imports_from_russia_monthly.csv"} <= set(main.origins)


def test_the_answer_and_its_picture_stand_on_the_first_screen(page):
    first = page.cells[0]
    assert f"{page['of']:.0%} of the rise" in first.html
    assert "energy-waterfall-2021-2022" in first.html


def test_earlier_years_do_not_speak_for_the_assumption(page):
    assert set(page["most"]) == {2019, 2020}
    assert max(page["most"].values()) < page["AT_LEAST"]  # else the words were wrong
    assert page["AT_LEAST"] == page["imports"]["other goods"].min()


def test_the_slope_from_which_bounds_contradict_is_found_and_named(page):
    slopes = page["results"]["slope of the gas contract"]
    assert [s for s, found in slopes.items() if found is None] == ["0.139", "0.140"]
    assert f"{slopes['0.138']:.1f}" == "60.7–83.0"
    said = page.cell("contradictions").text
    assert "0.139" in said
    assert "HS 27 of October 2021" in said


# another assumption runs, or is refused in words


def test_another_slope_runs():
    found = changed(SLOPE="0.12")
    assert f"{found['of'] * 100:.1f}" == "60.7–85.5"
    assert f"{found['of']:.0%} of the rise" in found.cells[0].html


def test_another_year_runs_and_is_not_passed_on():
    found = changed(CURRENT="2023")
    assert found["pairs"]
    assert not found.passed_on
    assert "From 2021 to 2023" in found.cells[0].html


def test_no_share_where_the_change_is_negative():
    after = changed(BASE="2022", CURRENT="2023")
    assert after["of"] is None
    assert after.statements["b2"].numbers["pi_turnover"] is None
    assert after["change"].high < 0
    assert isinstance(after["effect"], Interval)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({"BASE": "2020", "CURRENT": "2021"}, "exports of 2020: 0 of 12 months"),
        ({"CURRENT": "2024"}, "gas of 2024: 2 of 12 months"),
        ({"CURRENT": "2021"}, "2021 does not follow 2021"),
        ({"LINES": "{'coal': LINES['coal']}"}, "what it leaves out"),
        ({"OTHER": "[2019]"}, "neither USD nor years"),
        ({"SLOPE": "0.2"}, "share no number"),
        ({"SLOPE": "-1"}, "no number above zero"),
        ({"SLOPE": "'a tenth'"}, "no number above zero"),
        ({"METHODS": "['bennet']"}, "lacks paasche"),
        ({"HUBS": "['gas_mars']"}, "gas_mars"),
    ],
)
def test_another_assumption_is_refused_in_words(lines, why):
    with pytest.raises((SourceUnavailable, ValueError), match=why):
        changed(**lines)
