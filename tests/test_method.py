"""What the page on the method shows: its examples and its traps."""

import math
import sys
from types import SimpleNamespace

import duckdb
import pandas as pd
import pytest

import examples
import pages
import tradeflows as tf
from tradeflows import measure
from tradeflows.errors import SchemaMismatch
from tradeflows.measure import sql
from tradeflows.measure.bridge import log_mean

TWO = ["reporter", "partner", "period", "code", "value_usd", "net_weight_kg"]


def two_origins():
    """Crude of two origins in tonnes: dearer, and more of the cheap one."""
    return pd.DataFrame({"v0": [1000.0, 100.0], "q0": [100.0, 50.0],
                         "v1": [1200.0, 180.0], "q1": [80.0, 60.0]},
                        index=["light", "heavy"])  # fmt: skip


def test_an_index_shows_itself_as_two_lines():
    found = measure.price_index(examples.six_products(), "fisher", base="fixed")
    figure = tf.plot.show(found, title="What moved", name="mine")
    assert (figure.name, figure.title, figure.unit) == ("mine", "What moved", "index, 2018 = 1")
    assert figure.alt == found.sentence()
    assert list(figure.table)[-2:] == ["price", "volume"]
    shown = figure._repr_html_()
    assert "2018 to 2022" in shown
    last = found.table.iloc[-1]
    plain = tf.plot.show(found)
    ends = f"Prices end at {last['price']:.2f}, volume at {last['volume']:.2f} (2018 = 1)"
    assert (plain.name, plain.title) == ("price-index", ends)
    assert found.sentence() == (
        f"2018 to 2022: the Fisher price index ends at {last['price']:.3f} and the volume index at"
        f" {last['volume']:.3f} (fixed base); 100 % of the value is priced."
    )
    formula = measure.price_index(examples.stockpiling(), "geks_fisher").sentence()
    assert "the Geks-Fisher price index" in formula


PAGE = "80-method-price-and-volume"


def test_the_page_shows_each_trap_and_the_package_avoids_it(shown):
    page = shown(pages.FOLDER / f"{PAGE}.ipynb")
    entry = page["entry"]
    assert entry["mistake"].tolist() == pytest.approx([2, 2])
    grown = examples.six_products(entrant=True)
    right = measure.bridge(grown, "2018", "2022", path="two-point")
    assert page["grown"].price == right.price
    assert (entry["right"] * 1e6).tolist() == pytest.approx([right.price, right.volume])
    drift = page["every"]["drift"]
    assert (drift < -0.2).all()
    assert drift.is_monotonic_decreasing
    assert page["every"]["direct"].tolist() == pytest.approx([1, 1])
    path = page["path"]
    assert path.loc["price", "year by year"] != pytest.approx(path.loc["price", "in one step"])
    pd.testing.assert_frame_equal(
        page["trade"].sort_values(["period", "code"], ignore_index=True)[list(grown)],
        examples.six_products().sort_values(["period", "code"], ignore_index=True),
    )


@pytest.mark.parametrize("changed", [{"CURRENT": "2019"}, {"BASE": "2019"}])
def test_the_page_holds_for_other_years(changed):
    assert pages.run(PAGE, **changed)["whole"].change == pytest.approx(
        pages.run(PAGE, **changed)["by_method"].iloc[0].sum() * 1e6
    )


def test_mix_of_two_origins_adds_up_by_good():
    goods = two_origins()
    found = measure.volume_price_mix(goods)
    assert found.change == pytest.approx(280)
    assert found.volume + found.price + found.mix == pytest.approx(found.change)
    assert list(found.table) == [*goods, "price", "mix"]
    # by hand: shares 2/3 and 1/3, then 4/7 and 3/7, of 145 tonnes on average
    assert found.table["price"].tolist() == pytest.approx(
        [145 * (2 / 3 + 4 / 7) / 2 * 5, 145 * (1 / 3 + 3 / 7) / 2 * 1]
    )
    assert found.table["mix"].tolist() == pytest.approx(
        [145 * 12.5 * (4 / 7 - 2 / 3), 145 * 2.5 * (3 / 7 - 1 / 3)]
    )
    assert found.volume == pytest.approx((1100 / 150 + 1380 / 140) / 2 * -10)


@pytest.mark.parametrize("where", ["v0", "q0", "v1", "q1"])
def test_mix_needs_goods_traded_twice_in_one_unit(where):
    goods = two_origins()
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SchemaMismatch, match="use the bridge"):
            measure.volume_price_mix(goods.assign(**{where: [bad, 1.0]}))
    with pytest.raises(SchemaMismatch, match="kg"):
        measure.volume_price_mix(goods.assign(quantity_unit=["kg", "t"]))
    measure.volume_price_mix(goods.assign(quantity_unit="kg"))
    with pytest.raises(SchemaMismatch, match="unlike"):
        measure.volume_price_mix(goods.assign(what=["kg", "t"]), unit_column="what")
    measure.volume_price_mix(goods.assign(**{where: [0.5, 1.0]}))
    with pytest.raises(SchemaMismatch) as caught:
        measure.volume_price_mix(goods.head(0))
    assert caught.value.expected == (
        "goods traded in both periods in one unit: mix means nothing across unlike units"
    )
    assert caught.value.todo == "use the bridge, which keeps entry, exit and unpriced apart"


def test_sql_of_a_measure_is_that_of_its_definition():
    windows = {"base": "2021", "current": "2022"}
    whole = sql("bridge", **windows)
    assert "\"weight_status\" IN ('reported')" in whole
    assert "GROUPING SETS" in sql("bridge", columns=TWO, **windows)
    assert "weight_status" not in sql("bridge", columns=TWO, **windows)
    assert sql("index", columns=TWO, formula="fisher", pairs="previous") != whole
    screen = sql("screen", columns=TWO, goods=["8542"], **windows)
    assert "'8542'" in screen
    assert "re-exports" in sql("mirror", columns=[*TWO, "flow"], window="2021")
    with pytest.raises(
        ValueError, match="measure='mean': expected one of bridge, index, screen, mirror"
    ):
        sql("mean")


def test_another_dialect_is_asked_of_sqlglot(monkeypatch):
    def transpile(text, **asked):
        return [f"{text} {sorted(asked.items())}"]

    monkeypatch.setitem(sys.modules, "sqlglot", SimpleNamespace(transpile=transpile))
    settings = {"columns": TWO, "base": "2021", "current": "2022"}
    ours = sql("bridge", **settings)
    asked = [("pretty", True), ("read", "duckdb"), ("write", "spark")]
    assert sql("bridge", dialect="spark", **settings) == f"{ours} {asked}"


@pytest.mark.parametrize(("v0", "v1"), [(2.0, 3.0), (3.0, 2.0), (5.0, 5.0), (5.0, 5.5)])
def test_the_logarithmic_mean_in_sql(v0, v1):
    expected = (v1 - v0) / math.log(v1 / v0) if v1 != v0 else v0
    text, of = log_mean("a", "b"), f"SELECT {v0}::DOUBLE AS a, {v1}::DOUBLE AS b"
    found = duckdb.sql(f"SELECT {text} FROM ({of})")  # noqa: S608
    assert found.fetchall()[0][0] == pytest.approx(expected, rel=1e-12)


def test_bridges_in_the_words_of_spark():
    windows = {"base": "2021", "current": "2022"}
    pytest.importorskip("sqlglot", reason="sqlglot is part of the extra 'spark'")
    spark = sql("bridge", dialect="spark", columns=TWO, **windows)
    assert spark != sql("bridge", columns=TWO, **windows)
    assert "SELECT\n" in spark
