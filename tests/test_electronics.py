"""Page 03: volume of electronics is bounded, never read off unit values; assumptions change it."""

from importlib.resources import files

import pytest

import pages
import tradeflows as tf
from tradeflows.errors import SourceUnavailable, UnknownCode

PAGE = "03-electronics"


@pytest.fixture(scope="module")
def page(shown):
    return shown(pages.FOLDER / f"{PAGE}.ipynb")


def test_claims_a_and_c_by_the_rules(page):
    a, c = page.statements["a"], page.statements["c"]
    assert (a.grade, c.grade) == ("contradicted", "partly supported")
    assert a.numbers["months_above"] == tf.Interval(7, 12)
    assert "electronic 7, HS 85 6, tiers 1 and 2 5, integrated circuits 1 months" in a.detail
    assert c.numbers["volume_growth"].low >= 0.10
    assert page["volume"].low < page["value"].low  # dearer goods leave less volume


def test_version_4_gives_what_it_gave(page):
    (old,) = page.under(tf.rules(files("tradeflows.claims") / "rules-4.yml"))
    value, volume = old.numbers["value_growth"], old.numbers["volume_growth"]
    assert (value.low, volume.low) == (pytest.approx(0.616960124), pytest.approx(0.157999243))
    assert old.grade == "partly supported"


def test_part_of_the_list_never_shows_more_than_the_whole(page):
    usd = page["usd"].fillna(0.0)
    whole = usd["all"]
    for name in usd:
        assert (usd[name] <= whole + 0.5).all()
    counts = [page["by_part"][name] for name in usd]
    assert counts == sorted(counts, reverse=True)


def test_sizes_of_parts_of_the_list_are_counted_and_a_bound_stands_once(page):
    assert page.cell("which").text.count(" 31 ") == 1
    assert [len(part) for _, part in page["PARTS"].values()] == [45, 31, 26, 9, 4]
    assert page.cell("listed-months").text.count("8.3") == 1


def test_what_is_taken_off_is_no_more_than_there_is(page):
    for year in (2021, 2022):
        assert 0 < page["food"][year] < page["exports"][year].low
        assert page["fuel"][year].low >= 0
    assert page["claimed"].low < page["value"].low <= page["value"].high < page["claimed"].high


def test_missing_months_of_own_prices_lie_between_the_others(page):
    months = [m.value for m in page["in_print"]]
    assert len(months) == 11
    own = page["own"] - 1
    assert min(m.low for m in months) < own.low < own.high < max(m.high for m in months)


def test_a_lower_bound_is_never_rounded_up(page):
    drawn = page.figures["listed-goods-lower-bounds"].table.set_index("period")["at least"]
    best = page["every"] / 1e6
    assert (drawn.dropna() <= best[drawn.dropna().index] + 1e-9).all()
    assert (best[drawn.dropna().index] - drawn.dropna() < 0.1001).all()
    listed = page["listed"]
    november = listed[listed["month"] == "2022-11-01"]["usd"]
    assert len(november) > 1
    assert page["best"]["2022-11-01"] == november.max()  # bounds are never added up


@pytest.mark.parametrize("premium", ["tf.Interval(0, 0)", "tf.Interval(0.9, 0.9)"])
def test_a_larger_premium_leaves_less_volume(page, premium):
    changed = pages.run(PAGE, PREMIUM_LISTED=premium)
    assert (changed["volume"].low < page["volume"].low) == ("9" in premium)
    assert changed["value"] == page["value"]


def test_at_the_break_even_premium_volume_stands_still(page):
    for left, premium in page["breakeven_premium"].items():
        alike = [tf.Interval(premium, premium)] * 2
        found = page_volume(page, *alike)
        assert found.low == pytest.approx(left)


def page_volume(page, listed, other):
    machines, worth = page["sectors"][2022]["84-85"], page["nonfood_nonfuel"][2022]
    real = machines / (1 + listed) + (worth - machines) / (1 + other)
    return real / page["own"] / page["nonfood_nonfuel"][2021] - 1


@pytest.mark.parametrize(
    ("changed", "graded"),
    [
        ({"BASE": "2022", "CURRENT": "2023"}, False),
        ({"MUSD": "10"}, True),
        ({"MEDICINE": "0"}, True),
        ({"WINDOW": '"2022-09/2023-02"'}, True),
        ({"BASE": '"2021"'}, True),
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
        ({"CURRENT": "2024"}, "exports to Russia of 2024 are not in the data"),
        ({"CURRENT": "2021"}, "does not follow"),
        ({"WINDOW": '"2019"'}, "no rows .* months=2019"),
    ],
)
def test_a_year_that_is_not_there_is_refused_in_words(changed, said):
    with pytest.raises((SourceUnavailable, UnknownCode), match=said):
        pages.run(PAGE, **changed)
