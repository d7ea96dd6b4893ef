"""Numbers on the pages, against figures in print and against each other."""

import pytest

import pages
import tradeflows as tf
from tradeflows.errors import SourceUnavailable, UnknownCode
from tradeflows.measure.published import published, rounded

NO_ASSUMPTION = ("coverage",)  # cells that read none


@pytest.fixture(scope="module")
def page(shown):
    return shown(pages.FOLDER / "01-the-data.ipynb")


def test_turnover_of_each_year(page):
    bn = {y: round(page["turnover"][y].low / 1e9, 1) for y in (2021, 2022, 2023)}
    assert bn == {2021: 34.7, 2022: 68.2, 2023: 56.5}


def test_exports_of_2021_agree_with_other_figures_in_print(page):
    coarse, exports = published("A036").value, page["exports"][2021]
    assert coarse.low <= exports.low <= exports.high <= coarse.high


def test_b1_and_b4_are_judged_by_the_rules_file(page):
    boom, share = page.statements["b1"], page.statements["b4"]
    assert (boom.grade, share.grade) == ("supported", "supported")
    assert boom.numbers["turnover_growth"].low == pytest.approx(0.963, abs=0.001)
    assert share.numbers["energy_share"].low == pytest.approx(0.613, abs=0.001)
    assert "press/published_figures.csv" in boom.origins
    assert set(page.figures["turnover-by-year"].origins) < set(share.origins)


def test_hs27_is_disclosed_plus_hidden_and_the_rest_is_not_energy(page):
    table = page["energy"].dropna(subset="HS 27")
    parts = table[[*page["LINES"], "hidden", "other goods"]].sum(axis=1)
    assert (parts / table["all goods"] - 1).drop(2025).abs().max() < 1e-12
    recorded = tf.load("trade", source="TÜİK", trade_system="special", flow="M", code="2799")
    assert table["hidden"][2025] == recorded["value_usd"].sum()  # not a residual of two systems
    assert table["hidden"][2022] / 1e9 == pytest.approx(30.4, abs=0.05)


def test_published_totals_beside_ours(page):
    assert (
        "Of 25 published totals 19 lie within 0.5 % of ours, 4 differ"
        in page.cell("agree-table").html
    )


def test_totals_of_three_publishers_are_one_statistic(page):
    bought, *others = page["bought"], page["wits"], page["comtrade"]
    years = bought.groupby(bought.index.year).sum()
    assert [s.index.year.tolist() for s in others] == [[2022, 2023], [2024]]
    for series in others:
        for month, usd in series.items():
            assert usd == pytest.approx(years[month.year], rel=1e-6)


def test_coverage_counts_what_is_missing(page):
    rows = {(row[0], row[1]): row[-1] for row in page["held_rows"]}
    assert rows["TÜİK", "TOTAL"] == 0
    assert rows["UN Comtrade", "lpg"] > 0


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ({"BASE": "2020"}, "exports to Russia of 2020 are not in the data"),
        ({"CURRENT": "2024"}, "total trade of 2024 is not in the data"),
        ({"CURRENT": "2021"}, "2021 does not follow 2021"),
        ({"HS27": "{2022: ('WITS', '28-28')}"}, "28-28"),
        ({"HS27": "{2023: HS27[2023]}"}, "HS27 lacks 2022"),
        ({"LINES": "{'coal': LINES['coal']}"}, "would count as hidden"),
    ],
)
def test_another_assumption_is_refused_in_words(lines, why):
    with pytest.raises((SourceUnavailable, UnknownCode), match=why):
        pages.run("01-the-data", **lines)


def test_another_year_and_other_lines_run():
    lines = {"oil products": "oil_products", "LPG": "lpg", "coal": "coal"}
    comtrade = {name: ("UN Comtrade", code) for name, code in lines.items()}
    asked = {"CURRENT": "2023", "LINES": repr(comtrade)}
    found = pages.run("01-the-data", without=NO_ASSUMPTION, **asked)
    assert "in 2021 to 56.5 bn in 2023" in found.cells[0].html
    assert not found.passed_on


def test_a_figure_of_the_year_in_place_of_a_monthly_mean(page):
    changed = {"PRINT": "tf.published('A036')"}
    year = pages.run("01-the-data", without=NO_ASSUMPTION, **changed)["exports"][2021]
    assert year.low < page["exports"][2021].middle < year.high


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
