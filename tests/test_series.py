"""One number a month, or an error that says which columns are open."""

import sys

import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, SourceUnavailable, UnknownCode


def test_a_series_is_the_values_of_its_rows_in_order():
    asked = {"source": "TÜİK", "code": "TOTAL", "flow": "M", "partner": "RUS", "months": "2022"}
    found = tf.series("trade", **asked)
    assert found.sum() == tf.load("trade", **asked)["value_usd"].sum()
    assert found.index.is_monotonic_increasing
    assert found.attrs["origins"]


def test_two_rows_a_month_are_refused_and_the_open_column_is_named():
    with pytest.raises(SchemaMismatch, match="code=") as caught:
        tf.series("trade", source="TÜİK", flow="M", partner="RUS", months="2022")
    assert "differ in" in str(caught.value)


def test_months_that_lack_a_value_do_not_count():
    months = pd.date_range("2021-01-01", periods=14, freq="MS")
    values = pd.Series(1.0, months).where(months != "2021-05-01")
    assert tf.months_by_year({"x": values})["x"].tolist() == [11, 2]


def test_everything_that_is_wrong_is_said_at_once():
    tf.require({"never said": True}, "nothing")
    with pytest.raises(SourceUnavailable) as caught:
        tf.require({"no coal": False, "no gas": False, "no oil": True}, "choose other years")
    shown = "\n".join(caught.value._render_traceback_())
    assert "no coal\n  - no gas\n" in shown
    assert "no oil" not in shown


def stored(**months):
    """Return rows of trade, the months of each system given as a window."""
    rows = [("TUR", "X", system, m) for system, (first, last) in months.items()
            for m in pd.date_range(first, last, freq="MS")]  # fmt: skip
    found = pd.DataFrame(rows, columns=["reporter", "flow", "trade_system", "period"])
    return found.assign(source="x")


@pytest.fixture
def held(monkeypatch):
    """Let `load` answer from rows made here, and refuse two systems as it does."""

    def put(kept):
        def rows(table, **columns):
            assert table == "trade"
            found = kept
            for name, value in columns.items():
                found = found[found[name] == value]
            return found

        def load(table, **columns):
            found = rows(table, **columns)
            if found.empty:
                raise UnknownCode("no rows", "rows", "bring them")
            if len(set(found["trade_system"])) > 1:
                raise DoubleCountedTotals("two statistics", "one", "name one")
            return found

        monkeypatch.setattr(sys.modules["tradeflows.series"], "load", load)
        monkeypatch.setattr(sys.modules["tradeflows.series"], "rows", rows)

    return put


def test_two_trade_systems_are_never_mixed_and_what_is_left_out_is_said(held):
    rows = stored(special=("2019-01", "2021-06"), general=("2021-01", "2022-12"))
    held(rows)
    found = tf.on_one_system(reporter="TUR")
    assert set(found["trade_system"]) == {"general"}
    assert found["period"].min() == pd.Timestamp("2021-01-01")
    assert found.attrs["trade_system"] == "general trade; 24 more months are of special trade"
    held(rows[rows["trade_system"] == "special"])
    alone = tf.on_one_system(reporter="TUR")
    assert (len(alone), alone.attrs["trade_system"]) == (30, "special trade")


def test_each_reporter_and_flow_stands_on_its_own_system(held):
    turkey = stored(general=("2021-01", "2021-12"))
    others = stored(special=("2021-01", "2021-12")).assign(reporter="KAZ")
    imports = stored(general=("2020-01", "2020-12"), unknown=("2021-01", "2021-06"))
    held(pd.concat([turkey, others, imports.assign(flow="M")]))
    found = tf.on_one_system()
    systems = found.groupby(["reporter", "flow"])["trade_system"].agg(set)
    assert systems.to_dict() == {("TUR", "X"): {"general"}, ("KAZ", "X"): {"special"},
                                 ("TUR", "M"): {"unknown"}}  # fmt: skip
    assert not found.duplicated().any()


def test_systems_that_end_in_one_month_are_told_apart_by_their_length(held):
    rows = stored(special=("2020-01", "2022-12"), general=("2021-01", "2022-12"))
    held(rows)
    assert set(tf.on_one_system()["trade_system"]) == {"special"}


def test_several_sources_are_no_matter_of_systems(held):
    with pytest.raises(DoubleCountedTotals, match="several statistics"):
        tf.on_one_system(flow="X", partner="RUS", code="TOTAL", reporter="TUR", freq="A")
    held(stored(general=("2021-01", "2021-12")))
    with pytest.raises(UnknownCode):
        tf.on_one_system(reporter="DEU")
