"""A table says which row breaks which promise."""

import pandas as pd
import pytest

from tradeflows import tables
from tradeflows.errors import SchemaMismatch


@pytest.fixture
def trade() -> pd.DataFrame:
    row = {
        "origin": "x.csv",
        "source": "TÜİK",
        "vintage": "2026-01-01",
        "trade_system": "general",
        "reporter": "TUR",
        "partner": "RUS",
        "flow": "M",
        "freq": "M",
        "period": "2022-01",
        "code_system": "HS2022",
        "code": "010121",
        "level": 6,
        "value_usd": 10.0,
        "valuation": "CIF",
        "net_weight_kg": 2.0,
        "weight_status": "reported",
        "quantity": None,
        "quantity_unit": None,
        "quantity_status": "missing",
        "confidential": False,
    }
    return pd.DataFrame([row, {**row, "period": "2022-02"}])


def test_valid_rows_come_back_typed_and_sorted(trade):
    out = tables.validate(trade.iloc[::-1], "trade")
    assert out["code"].tolist() == ["010121", "010121"]
    assert out["period"].is_monotonic_increasing
    assert list(out.columns) == list(tables.TABLES["trade"].names)


def test_validating_twice_changes_nothing(trade):
    once = tables.validate(trade, "trade")
    pd.testing.assert_frame_equal(tables.validate(once, "trade"), once)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("value_usd", -1.0, "negative"),
        ("value_usd", float("inf"), "not finite"),
        ("value_usd", None, "empty"),
        ("net_weight_kg", -5.0, "negative"),
        ("flow", "import", "not allowed"),
        ("weight_status", "guessed", "not allowed"),
        ("partner", None, "empty"),
    ],
)
def test_a_broken_promise_names_column_and_row(trade, column, value, words):
    trade.loc[1, column] = value
    with pytest.raises(SchemaMismatch, match=words) as error:
        tables.validate(trade, "trade", where="some.csv")
    assert "some.csv" in str(error.value)
    assert column in str(error.value)
    assert "2022-02" in str(error.value)


def test_codes_read_as_numbers_are_refused(trade):
    with pytest.raises(SchemaMismatch, match="leading zeros"):
        tables.validate(trade.assign(code=10121), "trade")


def test_a_month_twice_is_refused(trade):
    with pytest.raises(SchemaMismatch, match="share a key"):
        tables.validate(trade.assign(period="2022-01"), "trade")


def test_missing_and_unknown_columns_are_named(trade):
    with pytest.raises(SchemaMismatch, match=r"missing \['flow'\] and unknown \['richtung'\]"):
        tables.validate(trade.rename(columns={"flow": "richtung"}), "trade")


def test_a_text_that_is_no_date_is_refused(trade):
    with pytest.raises(SchemaMismatch, match="period"):
        tables.validate(trade.assign(period="January"), "trade")


@pytest.mark.parametrize("name", tables.TABLES)
def test_an_empty_table_is_valid(name):
    assert tables.validate(tables.empty(name), name).empty
