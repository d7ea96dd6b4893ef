"""One number a month, or an error that says which columns are open."""

import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.errors import SchemaMismatch, SourceUnavailable


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
