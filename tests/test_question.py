"""Any pair, codes and months: answered where stored, else one line with the command."""

import shutil

import pandas as pd
import pytest

import tradeflows as tf
from standin import trade as generated
from standin.harness import QUICK, SNAPSHOT, asked
from tradeflows.evidence.question import ask
from tradeflows.figures import Figure, Sentence
from tradeflows.measure import bridge
from tradeflows.sources import refresh

SHOWS = ("sentence", "figure", "shown", "unit_values", "methods", "statistics", "missing")


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Refresh Turkish exports to Kazakhstan of two years, all of chapter 85, from the stand-in."""
    folder = tmp_path_factory.mktemp("own")
    part = refresh.pair("TUR", "KAZ", ["X"], ["85", "AG6/85", "27", "AG6/27"])
    with pytest.MonkeyPatch.context() as patch:
        with asked(patch, folder, generated.World("volume")):
            # A store as users have it: the snapshot is there too.
            shutil.copytree(SNAPSHOT, folder / "raw", dirs_exist_ok=True)
            refresh.run([part], sources=["comtrade"], start="2021-01", end="2022-12", manners=QUICK)
        patch.setenv("TRADEFLOWS_DATA", str(folder))
        yield


def test_the_snapshot_answers_the_question_of_the_notebook():
    answer = ask()
    assert {p.statistic for p in answer.parts} == {
        "TÜİK, general trade",
        "UN Comtrade, general trade",
    }
    assert answer.missing() == "Everything asked for is stored."
    assert isinstance(answer.figure(), Figure)
    bars = answer.by_method
    parts = bars[["price", "volume", "entry", "exit", "unpriced"]].sum(axis=1)
    assert ((parts - bars["change"]).abs() < 1e-6 * bars["change"].abs()).all()
    assert "price accounts for" in answer.sentence()
    assert "GENERATED" not in answer.sentence()


def test_the_numbers_are_those_of_the_bridge():
    answer = ask(codes=["coal"])
    same = bridge(answer.parts[0].rows, "2021", "2022", method="paasche", path="monthly")
    row = answer.by_method.set_index(["method", "path"]).loc[("paasche", "monthly")]
    assert row["price"] == pytest.approx(same.price)
    assert answer.range("price")[0] <= same.price <= answer.range("price")[1]


def test_what_is_not_there_is_one_line_with_the_command():
    answer = ask("TUR", "KAZ", ["8542"], "2021-03/2022-02", "2022-03/2023-02", "X")
    assert not answer
    for name in SHOWS:
        shown = getattr(answer, name)()
        assert isinstance(shown, Sentence)
        assert "\n" not in shown
    assert answer.sentence().endswith(
        "`tradeflows refresh --reporter TUR --partner KAZ --flows X --codes 8542,AG6/8542 "
        "--start 2021-03 --end 2023-02` brings it."
    )


def test_groups_apart_may_be_asked_together():
    together, alone = ask(codes=["coal", "oil_products"]), ask(codes="coal")
    assert [p.code for p in together.parts] == ["coal", "oil_products"]
    assert [p.code for p in alone.parts] == ["coal"]


@pytest.mark.usefixtures("stored")
def test_what_was_refreshed_is_seen_beside_the_snapshot():
    found = tf.load("trade", source="UN Comtrade", reporter="TUR", partner="KAZ", flow="X")
    live = found["origin"].str.contains("/live/")
    assert live.any()
    assert not live.all()
    assert ask("TUR", "KAZ", ["854231"], "2021", "2022", "X").parts


def test_a_missing_month_is_no_zero():
    answer = ask(codes=["oil_gas_disclosed", "coal"], base="2022", current="2023")
    assert [p.code for p in answer.parts] == ["oil_gas_disclosed"]
    assert "2023-07 not stored" in answer.missing()


def test_totals_without_weights_are_unpriced_and_say_so():
    answer = ask(codes=["TOTAL"])
    assert answer.range("price") == (0.0, 0.0)
    assert "comes without weights" in answer.missing()
    assert "AG6" in answer.missing()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"partner": "XXX"}, "no country 'XXX'"),
        ({"base": "21"}, "window '21'"),
        ({"base": "2022"}, "share months"),
        ({"flow": "Q"}, "flow 'Q'"),
        ({"codes": ["27", "2709"]}, "none holds another"),
        ({"codes": []}, "(none)"),
        ({"codes": ["TOTAL", "coal"]}, "none holds another"),
        ({"codes": ["coal", "oil_products", "oil_gas_disclosed"]}, "none holds another"),
        ({"codes": ["coal", "2701"]}, "none holds another"),
        ({"codes": ["surge_basket", "84"]}, "none holds another"),
        ({"codes": [2709]}, "codes as text"),
        ({"codes": ["coals"]}, "no HS code 'coals'"),
    ],
)
def test_a_wrong_spelling_is_said_not_raised(wrong, said):
    answer = ask(**wrong)
    assert not answer
    assert said in answer.sentence()


@pytest.mark.usefixtures("stored")
def test_a_chapter_is_priced_by_its_six_digit_codes():
    answer = ask("TUR", "KAZ", ["85"], "2021", "2022", "X")
    assert answer.sentence().startswith("GENERATED TRADE, NOT DATA. Exports of ")
    rows = answer.parts[0].rows
    assert set(rows["code"].str.removeprefix("g").str[:2]) == {"85"}
    assert rows["code"].str.len().min() >= 6
    assert len(answer.unit_values().table) == min(20, rows["code"].nunique())
    assert answer.range("entry") == (0.0, 0.0)  # one revision: no false entry at its change


@pytest.mark.usefixtures("stored")
def test_months_that_were_asked_and_hold_nothing_are_told_from_missing_ones():
    empty = ask("TUR", "KAZ", ["27"], "2021", "2022", "X")
    assert empty.missing() == "27: every month is stored, and none has trade in it."
    later = ask("TUR", "KAZ", ["85"], "2022", "2023", "X")
    assert "--start 2022-01 --end 2023-12" in later.missing()


@pytest.mark.usefixtures("stored")
def test_windows_of_unequal_length_use_one_path():
    answer = ask("TUR", "KAZ", ["854231"], "2021", "2022-01/2022-06", "X")
    assert set(answer.by_method["path"]) == {"two-point"}
    assert isinstance(answer.shown().table, pd.DataFrame)
