"""Numbers on the pages, against figures in print and against each other."""

import re

import pytest

import tradeflows as tf
from tradeflows.errors import UnknownCode
from tradeflows.evidence.agreement import published_totals, side_by_side
from tradeflows.evidence.coverage import coverage
from tradeflows.evidence.disclosure import disclosure
from tradeflows.evidence.essential import essential
from tradeflows.evidence.turnover import imports_between, total_trade, turnover
from tradeflows.measure.published import published, rounded


def test_turnover_of_each_year():
    trade = turnover()
    bn = {y: round(trade.of(y).low / 1e9, 1) for y in (2021, 2022, 2023)}
    assert bn == {2021: 34.7, 2022: 68.2, 2023: 56.5}
    with pytest.raises(UnknownCode, match="1999"):
        trade.of(1999)


def test_turnover_is_exports_plus_imports_and_growth_is_change_over_base():
    trade = turnover()
    sums = trade.table["exports"] + trade.table["imports"]
    assert (sums - trade.table["turnover"]).abs().max() < 1
    growth, change = trade.growth(2021, 2022), trade.change(2021, 2022)
    assert change.low / trade.of(2021).high == pytest.approx(growth.low)


def test_exports_of_2021_agree_with_other_prints():
    low, high = (trade := turnover()).table.loc[
        2021, ["turnover_low", "turnover_high"]
    ] - trade.table.loc[2021, "imports"]
    coarse = published("A036").value
    assert coarse.low <= low <= high <= coarse.high


def test_total_trade_grew_by_a_quarter():
    before, after = total_trade(2021)[0], total_trade(2022)[0]
    assert after.low / before.high - 1 == pytest.approx(0.24, abs=0.005)


def test_b1_and_b4_are_judged_by_the_rules_file():
    boom, share = tf.judge("b1"), tf.judge("b4")
    assert (boom.grade, share.grade) == ("supported", "supported")
    assert boom.numbers["turnover_growth"].low == pytest.approx(0.963, abs=0.001)
    assert share.numbers["energy_share"].low == pytest.approx(0.613, abs=0.001)
    assert boom.origins
    assert share.origins


def test_hs27_is_disclosed_plus_hidden_and_the_rest_is_not_energy():
    table = disclosure().table.dropna(subset="hs27")
    parts = table["oil_gas"] + table["coal"] + table["hidden"] + table["non_energy"]
    assert (parts / table["total"] - 1).drop(2025).abs().max() < 1e-12
    recorded = tf.load("trade", source="TÜİK", trade_system="special", flow="M", code="2799")
    assert table["hidden"][2025] == recorded["value_usd"].sum()  # not a residual of two systems
    assert table["hidden"][2022] / 1e9 == pytest.approx(30.4, abs=0.05)


def test_published_totals_beside_ours():
    table = published_totals().table
    tuik = table[table["statistic"].str.startswith("TUIK")]
    assert (len(table), len(tuik)) == (24, 22)
    assert int((tuik["difference"].abs() <= 0.005).sum()) == 19
    assert (table.loc[table["verdict"] != "agrees", "why"].str.len() > 10).all()


def test_totals_of_three_publishers_are_one_statistic():
    table = side_by_side().table
    totals = table[table["what"] == "imports from Russia"]
    assert set(totals["year"]) == {2022, 2023, 2024}
    assert totals["difference"].abs().max() < 1e-6


def test_coverage_counts_what_is_missing():
    table = coverage().table.set_index("series")
    assert table.loc["TOTAL", "missing"] == 0
    assert table.loc["lpg", "missing"] > 0


def test_other_windows_come_from_the_series():
    pair = {"base": "2021-02/2022-01", "current": "2022-02/2023-01", "why": "x"}
    row = imports_between([pair]).table.iloc[0]
    year = tf.load(
        "trade",
        source="TÜİK",
        trade_system="general",
        partner="RUS",
        flow="M",
        code="TOTAL",
        months=pair["current"],
    )
    assert row["imports after"] == year["value_usd"].sum()


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("481", (480.5, 481.5)),
        ("9300", (9250, 9350)),
        ("0.079", (0.0785, 0.0795)),
        ("-50", (-55, -45)),
    ],
)
def test_a_printed_number_is_a_range(text, ends):
    assert rounded(text) == pytest.approx(ends)


@pytest.mark.parametrize("text", ["5-20", "about 3", "NaN", "", "NLD 1480; DEU 856"])
def test_a_text_that_is_no_number_is_refused(text):
    with pytest.raises(UnknownCode, match="number"):
        rounded(text)


def test_units_of_prints_are_brought_to_one():
    assert published("G004").value.low == pytest.approx(363.65e9)
    assert published("F020").unit == "m3"
    with pytest.raises(UnknownCode, match="thousand barrels"):
        published("F054")


def test_growth_of_a_total_bounds_its_part_only_under_a_condition():
    found = essential()
    assert found.after == pytest.approx(9.3428e9, rel=1e-4)
    sectors = tf.load(
        "trade", source="WITS", reporter="TUR", partner="RUS", flow="X", months="2022"
    )
    total = sectors.loc[sectors["code"] == "TOTAL", "value_usd"].sum()
    assert sectors["value_usd"].sum() == pytest.approx(2 * total, rel=1e-6)  # sectors are whole
    for growth in (0.0, 0.2, 0.54):
        needed = found.needed(growth)
        assert needed.low < needed.high
        for enough, essential_now in (
            (needed.low, found.essential.low),
            (needed.high, found.essential.high),
        ):
            for total in (found.before.low, found.before.high):  # whatever the total was
                grown = (found.after - essential_now) / (total - enough) - 1
                assert grown >= growth - 1e-12
    least = found.least_growth()
    assert least.high == pytest.approx((found.after - found.essential.low) / found.before.high - 1)
    assert found.needed(least.high).low == pytest.approx(0, abs=1)
    words = found.sentence(0.1, 1.4)
    assert "2.44 bn USD of 9.34 bn USD in 2022" in words
    assert "+19 % in value, or −0.6 % where every sector that holds medicine" in words
    needed = found.needed(1.1 * 1.4 - 1)
    told = re.findall(r"([\d.]+) bn USD(?:, or| on)", words)
    for amount, exact in zip(told, (needed.low, needed.high), strict=True):
        assert 0 <= float(amount) * 1e9 - exact < 1e7  # never rounded down
    assert "by 10 % in volume" in words
