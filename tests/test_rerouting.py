"""Page 04: places asked about, all other destinations, and traces that observe no re-export."""

import pytest

import pages
import tradeflows as tf
from tradeflows.codes.countries import spoken
from tradeflows.errors import SourceUnavailable

PAGE = "04-rerouting"


@pytest.fixture(scope="module")
def page(shown):
    return shown(pages.FOLDER / f"{PAGE}.ipynb")


def test_russia_stands_where_its_p_says(page):
    found, others = page["found"], page["others"]
    above = int((others >= found.growth["RUS"]).sum())
    assert found.p["RUS"] == pytest.approx((1 + above) / (1 + len(others)))
    assert not set(found.index) & set(others.index)
    cases = set(page.figures["who-else-2022-2024"].table["case"])
    assert {"Russia", "Germany"} <= cases


def test_the_cases_that_are_the_finding_are_marked(page):
    found = page["found"]
    out = found.index[found["stands out"]]
    assert len(out)
    for figure in ("who-else-2022-2024", "who-else-2022-2023"):
        cases = set(page.figures[figure].table["case"])
        assert {spoken(p) for p in out} <= cases


def test_everyone_is_asked_about_or_among_the_others_or_named(page):
    words = page.cell("asked").text
    for place in page["ASKED"]:
        assert place in page["found"].index or spoken(place) in words
    assert f"The {len(page['others'])} other destinations" in words


def test_bars_of_the_gap_add_up_to_the_rows(page):
    gap = page.figures["general-minus-special"].table.set_index("category")
    rows = tf.load("trade", code_system="positive gaps", code=list(page["CHAPTERS"]))
    assert gap.sum().sum() == pytest.approx(rows["value_usd"].sum())


def test_gains_of_neighbours_never_stand_without_the_losses(page):
    around, words = page["around"], page.cell("eu-sentence").text
    assert f"{around.sum() / 1e6:+.0f} m" in words
    assert (around < 0).any()
    goods = page["goods"]
    assert (goods["rank"] <= goods["of"]).all()
    assert len(page["stable"]) == 15  # codes of one revision only would be false zeros


@pytest.mark.parametrize(
    "changed",
    [
        {"CURRENT": "2023", "SOONER": "2024"},
        {"LEAST": "100e6"},
        {"MAY_PASS": '("KAZ", "KGZ")'},
        {"AFTER": '"2022-06/2022-11"'},
        {"CHAPTERS": '("84", "85")'},
        {"LEVEL": "0.01"},
    ],
)
def test_other_assumptions_are_answered(changed):
    assert "Run all cells" not in pages.run(PAGE, **changed).cell("first-screen").text


def test_other_goods_are_called_by_their_code():
    first = pages.run(PAGE, GOODS="'TOTAL'").cell("first-screen").text
    assert "goods under HS TOTAL" in first
    assert "machinery" not in first


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"BASE": "2021"}, "exports by destination of 2021 are not in the data"),
        ({"CURRENT": "2022"}, "2022 does not follow 2022"),
        ({"ASKED": "('RUS', 'Kirgisia')"}, "'Kirgisia' is no code of a country"),
        ({"LEAST": "1e12"}, "Russia bought .* less than LEAST"),
        ({"AFTER": "'2023-01/2023-06'"}, "exports of the EU in 2023-06 are not in the data"),
    ],
)
def test_what_is_not_there_is_refused_in_words(changed, said):
    with pytest.raises(SourceUnavailable, match=said):
        pages.run(PAGE, **changed)
