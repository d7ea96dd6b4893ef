"""Volume of electronics is bounded, never read off unit values; every number has a source."""

import re

import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.claims.gathered import volumes
from tradeflows.claims.rules import rules
from tradeflows.codes.countries import spoken
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.evidence import electronics, timelines
from tradeflows.evidence.electronics import contradictions, listed_months, volume_bounds
from tradeflows.evidence.rerouting import (
    destinations,
    eu_neighbours,
    levels_2025,
    mirror,
    statistics_gap,
)
from tradeflows.evidence.timelines import timeline
from tradeflows.figures import amount, between, number, percent
from tradeflows.measure.published import published


def test_smallest_volume_growth_of_all_exports():
    value, volume = volumes().of("all exports to Russia")
    assert value.low == pytest.approx(0.618, abs=0.002)
    assert volume.low == pytest.approx(0.158, abs=0.002)


def test_without_premium_or_price_the_bound_is_the_growth_in_value():
    for _, row in volume_bounds(0.0, 0.1).table.iterrows():
        left = (1 + row["value_low"]) / (1 + row["price"]) - 1
        assert row["volume_low"] == row["volume_high"] == pytest.approx(left)


def test_a_larger_premium_leaves_less_volume():
    low = volume_bounds(0.1, 0.1).table["volume_low"]
    high = volume_bounds(0.5, 0.1).table["volume_low"]
    assert (high < low).all()


@pytest.mark.parametrize("growth", [0.0, 0.1, 0.3])
def test_at_the_break_even_volume_has_just_that_growth(growth):
    found = volumes()
    price = found.break_even(growth)
    value, volume = found.of("all exports to Russia")
    left = (1 + value.low) / ((1 + price) * (1 + found.premium)) - 1
    assert left == pytest.approx(growth)
    row = found.table.set_index("indicator").loc["all exports to Russia"]
    assert (volume.low > growth) == (row["price"] < price)


def test_what_the_all_goods_index_leaves_is_said_and_decides_nothing():
    found = volumes()
    stated = rules().content["claims"]["c"]
    assert stated["tiers"]["snapshot"]["tests"]["c1_volume"]["at_least"] == found.enough
    row = found.table.set_index("indicator").loc["all exports to Russia"]
    assert row["all_goods"] > row["price"]
    left = (1 + found.break_even()) / (1 + row["all_goods"]) - 1
    words = found.how_far()
    for share in (found.break_even(), found.break_even(0.1), row["price"], row["all_goods"], left):
        assert f"{number(share * 100)} %" in words
    assert f"{percent(found.food)} of it food" in words
    for text in (words, found.sentence(), found.figure().caption):
        assert "US import prices of capital goods and machinery" in text


def test_every_indicator_is_drawn_with_its_years_or_named_as_left_out():
    found = volumes()
    figure = found.figure()
    for _, row in found.table.iterrows():
        label = f"{row['indicator']}, {row['base'][:4]} to {row['current'][:4]}"
        assert any(figure.table["label"].str.startswith(label)) or label in figure.caption
    unended = found.table[found.table["value_high"] == float("inf")]["indicator"]
    assert figure.table["open"].sum() == len(unended) > 0
    for label, more in zip(figure.table["label"], figure.table["open"], strict=True):
        assert label.startswith(tuple(unended)) == more


def test_price_growth_of_machinery_is_what_the_rules_expect():
    table = volumes().table.set_index("indicator")
    assert 0.03 <= table.loc["all exports to Russia", "price"] <= 0.04


def test_words_that_an_indicator_leans_on_stand_in_the_print():
    stated = {"figure": "B003", "words": "+99 % yoy", "growth": 0.99}
    with pytest.raises(SchemaMismatch, match="99"):
        electronics._in_print(stated)


def test_every_indicator_names_statistic_source_and_confidence():
    table = volumes().table
    for column in ("statistic", "source", "confidence"):
        assert table[column].str.len().gt(0).all()
    assert table["statistic"].nunique() > 4


def test_months_of_listed_goods():
    found = listed_months()
    assert found.months_above(1.0).low == 7
    assert found.months_above(1.0).high == 12
    best = found.best() / 1e6
    assert best["2022-11-01"] == pytest.approx(12.25)
    assert best["2023-01-01"] == pytest.approx(8.35)  # implied by "lowest since August 2022"
    assert best["2022-04-01"] == 0


def test_bounds_are_never_added_up():
    found = listed_months()
    month = found.table[found.table["month"] == "2022-11-01"]
    assert len(month) > 1
    assert found.best()["2022-11-01"] == month["at_least"].max()


def test_a_lower_bound_is_never_rounded_up_and_is_no_line():
    found = listed_months()
    written = found.shown().table["at least, m USD, rounded down"].astype(float) * 1e6
    assert (written <= found.table["at_least"]).all()
    assert (found.table["at_least"] - written < 0.1e6).all()
    figure = found.figure()
    drawn = figure.table.set_index("period")["at least"].dropna() * 1e6
    assert (drawn <= found.best()[drawn.index] + 1e-3).all()
    assert len(drawn) == found.months_above(1.0).low
    for figure_id in ("D005", "D007"):
        assert published(figure_id).text in " ".join(found.shown().table["how"])


def test_claims_a_and_c_by_the_rules():
    exported, rise = tf.judge("a"), tf.judge("c")
    assert exported.grade == "contradicted"
    assert "end use" in exported.say
    assert rise.grade == "partly supported"
    assert "needs the panel" in rise.say


def test_contradictory_prints_are_resolved_with_a_reason():
    table = contradictions().table
    assert any("158" in t and "900" in t for t in table["in print"])
    assert (table["why"].str.len() > 30).all()


def test_russia_among_destinations():
    near, far = destinations(2022, 2023), destinations(2022, 2024)
    assert near.rank() == (4, 58)
    assert far.rank() == (39, 58)
    assert near.table["base"].min() >= near.least
    assert set(near.table["rank"]) <= set(range(1, 59))


def test_eu_exports_leave_out_codes_of_one_revision():
    found = eu_neighbours()
    assert (found.goods, found.months_before) == (15, 26)
    assert set(found.left_out) == {"854151", "854159", "880730", "901380"}
    assert "too few" in found.sentence()
    table = found.table.set_index("partner")
    assert table.loc["RUS", "growth"] < 0.05
    assert table.loc["KGZ", "growth"] > 3
    assert (table["rank"] <= table["chapters"]).all()


def test_the_gap_between_statistics():
    gap = statistics_gap()
    assert round(gap.of(2021) / 1e6) == 57
    assert round(gap.of(2022) / 1e6) == 279
    assert "inference" in gap.sentence()


def test_every_chapter_of_the_gap_is_drawn_and_bounds_show_no_rise():
    gap = statistics_gap()
    figure = gap.figure()
    drawn = figure.table.set_index("year").sum(axis=1)
    for year, total in drawn.items():
        assert total == pytest.approx(gap.of(year))
    for words in (figure.title, gap.sentence()):
        assert not re.search(r"\b(rose|grew|increased)\b", words)
        assert words.count("at least") == 2
    assert all(chapter in gap.sentence() for chapter in gap.chapters)


def test_gains_of_neighbours_never_stand_without_the_losses():
    found = eu_neighbours()
    near = found.change.drop("RUS")
    words = found.sentence()
    for total in (near[near > 0].sum(), near.sum()):
        assert percent(total / -found.change["RUS"]) in words
    for partner in near.index[near < 0]:
        assert f"{amount(-near[partner], 'USD')} less to {spoken(partner)}" in words


def test_the_chart_of_destinations_speaks_of_countries_and_counts_them():
    near = destinations(2022, 2023)
    figure = near.figure()
    names = set(figure.table["case"])
    assert names == {spoken(p) for p in near.table["partner"]}
    _, many = near.rank()
    assert f"Russia and {many - 1} other destinations" in figure.caption


def test_levels_of_2025_add_up_to_the_file():
    listed = tf.load("trade", source="TÜİK", trade_system="special", flow="X", level="6")
    assert set(listed["period"].dt.year) == {2025}
    table = levels_2025().table
    assert table["codes with exports"].astype(int).sum() == listed["code"].nunique()


def test_the_mirror_says_what_part_arrived():
    sent, seen = published("D003").value, published("D004").value
    share = [seen.low / sent.high, seen.high / sent.low]
    assert between(*share, percent) in mirror()


def test_deflators_come_from_the_rules():
    premium = rules().content["claims"]["c"]["deflators"]["largest_unit_value_premium"]["points"]
    assert volumes().premium == premium
    assert isinstance(volumes().table, pd.DataFrame)


def test_one_statistic_to_a_line():
    office, assembly = timeline("TÜİK"), timeline("TİM")
    assert not set(office.table["source"]) & set(assembly.table["source"])
    both = office.table.merge(assembly.table, on="month")
    assert (both["value_y"] < both["value_x"]).all()  # TİM is the lower statistic


def test_every_print_of_a_timeline_names_publisher_date_and_link():
    for goods in ("TOTAL", "CHPL45", "84", "85"):
        table = timeline("TÜİK", goods).table
        assert table["source"].str.contains(r"\d{4}.*\([A-Z]\d+\)").all()
        assert table["url"].str.startswith("http").all()


@pytest.mark.parametrize("statistic", ["TÜİK", "TİM"])
def test_no_print_of_a_month_is_dropped_and_the_less_sure_stand_apart(statistic):
    found = timeline(statistic)
    prints = tf.load("published", partner="RUS", flow="X", codes="TOTAL")
    single = prints[
        (prints["period_start"] == prints["period_end"])
        & prints["unit"].eq("USD million")
        & prints["statistic"].isin(timelines._STATISTICS[statistic])
    ]
    ids = found.table["source"].str.extract(r"\(([A-Z]\d+)\)")[0]
    assert set(single["id"]) <= set(ids)
    figure = found.figure()
    sure = found.table[found.table["confidence"] == "B"]
    assert figure.table[statistic].count() == sure["month"].nunique()
    unsure = found.table[found.table["confidence"] == "C"]
    assert figure.table[f"{statistic}, confidence C"].count() == unsure["month"].nunique() > 0


def test_the_finest_print_of_a_month_is_drawn_and_no_mean_of_two():
    found = timeline("TÜİK")
    drawn = found.figure().table.set_index("month")["TÜİK"].dropna()
    sure = found.table[found.table["confidence"] == "B"]
    twice = sure[sure.duplicated("month", keep=False)]
    assert len(twice)
    for month, prints in sure.groupby("month"):
        finest = prints[prints["room"] == prints["room"].min()]
        assert drawn[month] in set(finest["value"])


def test_gaps_between_two_statistics_alone_show_months_of_listed_goods():
    found = listed_months()
    assert found.by_gaps(1.0) <= found.months_above(1.0).low
    assert found.by_gaps(0.0) >= found.by_gaps(5.0)
    assert found.by_gaps(1e9) == 0


def test_nothing_in_print_is_an_error():
    with pytest.raises(UnknownCode, match="in print"):
        timeline("TİM", "84")
