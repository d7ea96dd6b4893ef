"""How the results of a measure show themselves: sentences and figures, to the word."""

import numpy as np
import pandas as pd
import pytest

import examples
import tradeflows as tf
from tradeflows import measure
from tradeflows.measure.intervals import Block, Good, Interval, volume_effects
from tradeflows.measure.screen import Screen

ROWS = [  # reporter, partner, score, p, q, stands_out
    ("TUR", "RUS", 4.0, 0.01, 0.02, True),
    ("KAZ", "RUS", 3.0, 0.02, 0.03, True),
    ("GEO", "RUS", 1.0, 0.4, 0.5, False),
    ("ARM", "RUS", np.nan, np.nan, np.nan, False),
]


def cases(rows=ROWS, target="RUS", **settings):
    names = ["reporter", "partner", "score", "p", "q", "stands_out"]
    table = pd.DataFrame(rows, columns=names).assign(growth_percent=620.0)
    table["unjudged"] = np.where(table["p"].isna(), "3 other groups of goods, 8 needed", "")
    known = (1e6, 0.1, 0.257, 0.01, (49, 50), table, ("a/b.csv",))
    return Screen("2021", "2022", target, *known, **settings)


@pytest.fixture(scope="module")
def trade():
    return examples.six_products()


def test_a_bridge_says_what_accounts_for_the_change(trade):
    found = measure.bridge(trade, "2018", "2022", path="two-point")
    words = (
        "From 2018 to 2022 the value rose by 10 m USD, from 10 m USD to 20 m USD: price accounts"
        " for −350,000 USD, volume for 10.3 m USD (103 % of the change)."
    )
    assert found.sentence() == words
    figure = tf.plot.show(found)
    assert (figure.name, figure.unit, figure.alt) == ("bridge", "m USD", words)
    assert figure.title == (
        "Change of +10 m USD from 2018 to 2022: volume accounts for +10.3 m USD, price for"
        " −350,000 USD"
    )
    assert "2018 to 2022" in figure.caption
    steps = ["2018", "price", "volume", "entry", "exit", "unpriced", "2022"]
    assert figure.table["step"].tolist() == steps
    drawn = [label.get_text() for label in figure.ax.get_yticklabels()]
    assert drawn == ["2018", "price", "volume", "2022"]  # parts of nothing stand in the table alone
    named = tf.plot.show(found, title="Volume did it", name="mine")
    assert (named.name, named.title) == ("mine", "Volume did it")
    back = measure.bridge(trade, "2022", "2018", path="two-point").sentence()
    assert "the value fell by 10 m USD, from 20 m USD to 10 m USD" in back


def test_a_bridge_names_its_raw_files(trade):
    found = measure.bridge(trade.assign(origin="x/y.csv"), "2018", "2022", path="two-point")
    assert tf.plot.show(found).origins == ("x/y.csv",)
    several = measure.bridges(trade.assign(origin="x/y.csv"), "2018", "2022", paths=("two-point",))
    assert tf.plot.show(several).origins == ("x/y.csv",)


def test_an_envelope_shows_the_range_over_methods(trade):
    found = measure.bridges(trade, "2018", "2022", paths=("two-point",))
    words = "Price accounts for −5.10 m USD to 4.40 m USD (range over methods: 4 formulas, 1 path)."
    assert found.sentence() == words
    first = found["bennet", "two-point"]
    figure = tf.plot.show(found)
    assert (figure.name, figure.unit) == ("bridges", "m USD")
    assert f"{figure.title}." == words
    assert figure.alt == f"{first.sentence()} {words}"
    assert "2018 to 2022" in figure.caption
    table = figure.table.set_index("step")
    assert tuple(table.loc["price", ["low", "high"]]) == found.range("price")
    assert table.loc[["2018", "2022"], ["low", "high"]].isna().all(axis=None)
    named = tf.plot.show(found, title="It depends", name="mine")
    assert (named.name, named.title) == ("mine", "It depends")


def test_a_screen_says_who_stands_out():
    found = cases()
    unjudged = (
        " Not judged, which is not cleared: Armenia (+620 %; 3 other groups of goods, 8 needed)."
    )
    assert found.sentence() == (
        "From 2021 to 2022, listed goods grew out of step in 2 of 3 cases, false finds held to"
        " 10 %: Turkey, Kazakhstan. One case alone out of step could reach a corrected p of 0.03"
        f" at best.{unjudged} The table holds 49 of 50 listed codes. Weights make a price for"
        " 26 % of the current value."
    )
    many = cases([(f"R{i}", "RUS", 9.0 - i, 0.01, 0.02, True) for i in range(7)])
    assert ": R0, R1, R2, R3, R4 and 2 more. One" in many.sentence()
    assert "Not judged" not in many.sentence()
    none = cases([(*r[:-1], False) for r in ROWS])
    assert "0 of 3 cases, false finds held to 10 %. One" in none.sentence()
    every = cases([*ROWS, ("GEO", "ARM", 5.0, 0.01, 0.02, True)], target=None)
    words = every.sentence()
    for pair in ("Turkey to Russia, ", "Georgia to Armenia. One", "Armenia to Russia (+620 %;"):
        assert pair in words
    nobody = cases([(*r[:3], np.nan, np.nan, False) for r in ROWS])
    assert nobody.sentence().startswith(
        "From 2021 to 2022, whether listed goods grew out of step cannot be determined: none of 4"
        " cases can be judged. Not judged, which is not cleared: Turkey"
    )


def test_a_screen_marks_one_case_among_all():
    found = cases()
    figure = tf.plot.show(found)
    assert figure.title == (
        "Turkey stands out by growth of listed goods against other goods: rank 1 of 3,"
        " corrected p 0.02"
    )
    assert figure.alt.startswith(f"{figure.title}. Turkey: 4")
    assert (figure.name, figure.origins) == ("screen", ("a/b.csv",))
    assert figure.unit == "excess growth over what is usual for its size"
    for words in ("2021 to 2022", "2 cases", "p = 0.0100"):
        assert words in figure.caption
    assert figure.table.to_dict("list") == {
        "case": ["Turkey", "Kazakhstan", "Georgia"],
        "value": [4.0, 3.0, 1.0],
    }
    for n, named in ((500, True), (501, False)):
        fewer = cases([("TUR", "RUS", 500.0 - i, 0.1, 0.2, False) for i in range(n)])
        assert (list(tf.plot.show(fewer).table) == ["case", "value"]) == named


def test_volume_effects_by_method():
    base = Block(20.0, (Good("gas", Interval(1, 4), 10),))
    current = Block(32.0, (Good("gas", Interval(1, 9), 8),))
    # one good: the values fix the prices at 2 and 4
    expected = {"laspeyres": -8, "paasche": -4, "bennet": -6}
    for method, volume in expected.items():
        found = volume_effects(base, current, method)["gas"]
        assert (found.low, found.high) == pytest.approx((volume, volume))
    found = volume_effects(base, current, "montgomery")["gas"]
    mean = 12 / np.log(32 / 20)
    assert (found.low, found.high) == pytest.approx((mean * np.log(0.8),) * 2)
    two = (Good("gas", Interval(1, 3), 10), Good("oil", Interval(0, 2), 10))
    later = (Good("gas", Interval(1, 3), 12), Good("oil", Interval(0, 2), 10))
    ranges = volume_effects(Block(30.0, two), Block(36.0, later))
    assert (ranges["gas"].low, ranges["gas"].high) == pytest.approx((2 * (1 + 4 / 3) / 2, 2 * 3))
    assert (ranges["oil"].low, ranges["oil"].high) == (0, 0)
    logs = volume_effects(Block(30.0, two), Block(36.0, later), "montgomery")
    assert logs["gas"].low < logs["gas"].high
    assert logs["gas"].low > 0
    with pytest.raises(ValueError, match="walsh"):
        volume_effects(base, current, "walsh")


def test_a_bridge_names_every_bar_that_is_not_nothing():
    rows = [
        ("2021", "kept", 10e6, 1e6), ("2022", "kept", 10e6, 1e6),
        ("2021", "gone", 4e6, 1e6), ("2022", "new", 3e6, 1e6),
        ("2021", "bare", 2e6, None), ("2022", "bare", 5e6, None),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["period", "code", "value_usd", "net_weight_kg"])
    table["period"] = pd.to_datetime(table["period"] + "-01-01")
    table["net_weight_kg"] = table["net_weight_kg"].astype(float)
    found = measure.bridge(table.assign(freq="A"), "2021", "2022", path="two-point")
    assert found.sentence() == (
        "From 2021 to 2022 the value rose by 2 m USD, from 16 m USD to 18 m USD: price accounts"
        " for 0 USD, goods new to the trade for 3 m USD (150 % of the change), goods gone from it"
        " for −4 m USD, goods without a usable quantity for 3 m USD (150 % of the change)."
    )
    still = measure.bridge(
        table[table["code"] == "kept"].assign(freq="A"), "2021", "2022", path="two-point"
    )
    assert still.sentence() == (
        "From 2021 to 2022 the value did not change, from 10 m USD to 10 m USD: price accounts for"
        " 0 USD."
    )


@pytest.mark.parametrize("formula", ["geks_fisher", "geks_walsh"])
def test_a_multilateral_index_sees_its_window_only(trade, formula):
    whole = measure.price_index(trade, formula, window="2019-01/2021-12").table
    part = trade[trade["period"].dt.year.isin([2019, 2020, 2021])]
    pd.testing.assert_frame_equal(whole, measure.price_index(part, formula).table)
