"""Page 03: volume of electronics is bounded, never read off unit values; assumptions change it."""

import pandas as pd
import pytest

import pages
import tradeflows as tf
from tradeflows.errors import SourceUnavailable

PAGE = "03-electronics"


@pytest.fixture(scope="module")
def page(shown):
    return shown(pages.FOLDER / f"{PAGE}.ipynb")


def test_claims_a_and_c_by_the_rules(page):
    a, c = page.statements["a"], page.statements["c"]
    assert (a.grade, c.grade) == ("contradicted", "partly supported")
    assert a.numbers["months_above"] == tf.Interval(7, 12)
    assert "31 of the 45 listed codes" in a.detail
    assert c.numbers["volume_growth"].low == pytest.approx(0.158, abs=0.002)


def test_every_indicator_is_drawn_or_named_as_left_out(page):
    indicators = page["indicators"]
    figure = page.figures["volume-bounds"]
    assert len(indicators) == 9
    for label in indicators["label"]:
        assert label in set(figure.table["label"]) or label in figure.caption
    assert indicators["source"].str.len().gt(0).all()


def test_a_lower_bound_is_never_rounded_up(page):
    drawn = page.figures["listed-goods-lower-bounds"].table.set_index("period")["at least"]
    best = page["best"] / 1e6
    assert (drawn.dropna() <= best[drawn.dropna().index] + 1e-9).all()
    assert (best[drawn.dropna().index] - drawn.dropna() < 0.1).all()
    listed = page["listed"]
    november = listed[listed["month"] == "2022-11-01"]["at least, USD"]
    assert len(november) > 1
    assert page["best"]["2022-11-01"] == november.max()  # bounds are never added up


def test_one_statistic_to_a_line_and_none_of_its_figures_is_dropped(page):
    tuik, tim = (page.figures[f"exports-{slug}-total"].table for slug in ("tuik", "tim"))
    both = tuik.merge(tim, on="month").dropna(subset=["TÜİK", "TİM"])
    assert len(both)
    assert (both["TİM"] < both["TÜİK"]).all()  # TİM is the lower statistic
    for table, name in ((tuik, "TÜİK"), (tim, "TİM")):
        published = tf.load("published", partner="RUS", flow="X", codes="TOTAL")
        single = published[published["period_start"] == published["period_end"]]
        single = single[single["unit"] == "USD million"]
        named = single[single["statistic"].isin(page["STATISTICS"][name])]
        drawn = set(table.dropna(how="all", subset=table.columns[1:])["month"])
        assert set(named["period_start"]) <= drawn


def test_levels_of_the_latest_year_add_up_to_the_file(page):
    listed = tf.load("trade", source="TÜİK", trade_system="special", flow="X", level="6")
    assert set(listed["period"].dt.year) == {2025}
    assert page["levels"]["codes with exports"].sum() == listed["code"].nunique()
    total = page["levels"]["m USD"].sum() * 1e6
    assert total == pytest.approx(listed["value_usd"].sum())


@pytest.mark.parametrize("premium", ["0.0", "0.2", "0.5"])
def test_a_larger_premium_leaves_less_volume(page, premium):
    changed = pages.run(PAGE, PREMIUM=premium)
    least, value = (changed[n].low for n in ("volume", "value"))
    assert least <= value
    assert (least < page["volume"].low) == (float(premium) > page["PREMIUM"])


def test_at_the_break_even_volume_stands_still(page):
    prices = page["still"]
    left = (1 + page["value"].low) / ((1 + prices) * (1 + page["PREMIUM"])) - 1
    assert left == pytest.approx(0)


@pytest.mark.parametrize(
    ("changed", "graded"),
    [
        ({"BASE": "2022", "CURRENT": "2023"}, False),
        ({"MUSD": "10"}, True),
        ({"LIST": '"2024-02"'}, True),
        ({"PRICES": '{"all goods": "us_import_prices_all"}'}, True),
        ({"WINDOW": '"2022-09/2023-02"'}, True),
    ],
)
def test_other_assumptions_are_answered(changed, graded):
    found = pages.run(PAGE, **changed)
    assert found.statements["c"].of_the_claim is graded
    assert "Run all cells" not in found.cell("first-screen").text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"BASE": "2020"}, "exports to Russia of 2020 are not in the data"),
        ({"CURRENT": "2025"}, "exports to Russia of 2025 are not in the data"),
        ({"CURRENT": "2021"}, "does not follow"),
    ],
)
def test_a_year_that_is_not_there_is_refused_in_words(changed, said):
    with pytest.raises(SourceUnavailable, match=said):
        pages.run(PAGE, **changed)


def test_words_that_an_indicator_leans_on_stand_in_the_figure(page):
    rows = tf.load("published", id="B003")
    assert "+62.4% yoy" in rows["comparison"].iloc[0]
    assert isinstance(page["indicators"], pd.DataFrame)
