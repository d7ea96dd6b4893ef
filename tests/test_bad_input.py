"""Ordinary mistakes in what a measure is given: one clear error, the same for every measure."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.measure import bridge, bridges, chain, contributions, drift, price_index, sql
from tradeflows.measure.screen import screen
from tradeflows.quality.unit_values import flags, relatives, unit_values

MEASURES = {
    "bridge": lambda t: bridge(t, "2021-01", "2022-01"),
    "two-point": lambda t: bridge(t, "2021-01", "2022-01", path="two-point"),
    "bridges": lambda t: bridges(t, "2021-01", "2022-01"),
    "chain": lambda t: chain(t, ["2021-01", "2022-01"]),
    "price_index": lambda t: price_index(t, base="2021-01"),
    "drift": drift,
    "contributions": lambda t: contributions(t, "2021-01", "2022-01"),
    "screen": lambda t: screen(t, base="2021-01", current="2022-01", goods=["27"]),
    "unit_values": unit_values,
    "relatives": relatives,
    "flags": flags,
}
every = pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))


@pytest.fixture
def trade():
    """Two goods of one pair, in one month of two years."""
    return pd.DataFrame(
        {
            "reporter": "TUR",
            "partner": "RUS",
            "flow": "X",
            "period": pd.to_datetime(["2021-01-01", "2022-01-01"] * 2),
            "code": ["270900", "270900", "840110", "840110"],
            "value_usd": [1000.0, 1200.0, 100.0, 180.0],
            "net_weight_kg": [100.0, 80.0, 50.0, 60.0],
        }
    )


@every
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("value_usd", ["1000", "1200", "100", "180"]),
        ("value_usd", ["1,000", 1200.0, 100.0, 180.0]),
        ("value_usd", [True, True, False, True]),
        ("net_weight_kg", ["100", "80", "50", "60"]),
        ("net_weight_kg", ["", None, "50", "60"]),
        ("partner", [643, 643, 643, 643]),
        ("weight_status", [0, 0, 0, 1]),
        ("confidential", ["no", "no", "no", "yes"]),
    ],
)
def test_a_column_of_another_kind_is_named(measure, trade, column, values):
    with pytest.raises(SchemaMismatch, match=f"column '{column}' is of type") as error:
        measure(trade.assign(**{column: values}))
    assert "convert it with" in error.value.todo


@every
@pytest.mark.parametrize(
    "nothing",
    [[1, 2], None, 5, np.datetime64, "no/such.parquet", __file__, pd.DataFrame()],
    ids=str,
)
def test_what_is_no_table_is_refused(measure, nothing):
    with pytest.raises(SchemaMismatch, match="cannot be read as a table") as error:
        measure(nothing)
    assert "pandas DataFrame" in error.value.expected


@every
def test_rows_as_a_list_of_dictionaries_are_refused(measure, trade):
    with pytest.raises(TradeflowsError, match="type list cannot be read as a table"):
        measure(trade.to_dict("records"))


def test_other_kinds_of_numbers_are_numbers(trade):
    wanted = bridge(trade, "2021-01", "2022-01").price
    for kind in (int, "Int64", "Float64", "float32", object):
        same = trade.astype({"value_usd": kind, "net_weight_kg": kind})
        assert bridge(same, "2021-01", "2022-01").price == wanted
    table = pa.Table.from_pandas(trade.assign(confidential=0, weight_status="reported"))
    assert bridge(table, "2021-01", "2022-01").price == wanted


def test_a_year_may_be_a_number(trade):
    annual = trade.assign(freq="A")
    told = bridge(annual, "2021", "2022", path="two-point").sentence()
    assert bridge(annual, 2021, 2022, path="two-point").sentence() == told
    index = price_index(annual, base=2021)
    assert index.base == "2021"
    assert index.table.equals(price_index(annual, base="2021").table)
    assert contributions(annual, 2021, 2022).equals(contributions(annual, "2021", "2022"))


@pytest.mark.parametrize("window", [None, 20.21, 21, ["2021"]])
def test_what_is_no_window_is_named(trade, window):
    with pytest.raises(ValueError, match="expected '2022', '2022-03' or"):
        bridge(trade, window, "2022")
    with pytest.raises(ValueError, match="expected '2022', '2022-03' or"):
        contributions(trade, "2021", window)
    with pytest.raises(ValueError, match="or a window"):
        price_index(trade.assign(freq="A"), base=window)


@every
@pytest.mark.parametrize("column", ["period", "code", "value_usd", "net_weight_kg"])
def test_a_missing_column_is_set_beside_the_readers_own(measure, trade, column):
    left = trade.drop(columns=column).assign(note="as it came", weight_status="reported")
    with pytest.raises(SchemaMismatch, match=f"no column '{column}' among") as error:
        measure(left)
    assert error.value.found.endswith(f"among {', '.join(left)}")


def test_an_unknown_group_is_set_beside_the_readers_own(trade):
    with pytest.raises(SchemaMismatch, match="region") as error:
        bridge(trade, "2021-01", "2022-01", by=["code", "region"])
    assert f"({', '.join(trade)})" in error.value.expected


@pytest.mark.parametrize("name", ["code", "partner", "chapter"])
def test_one_name_may_stand_without_a_list(trade, name):
    alone = bridge(trade, "2021-01", "2022-01", by=name)
    assert alone.by == (name,)
    assert alone.table.equals(bridge(trade, "2021-01", "2022-01", by=[name]).table)
    assert sql("bridge", by=name) == sql("bridge", by=[name])
    with pytest.raises(SchemaMismatch, match=r"by=\('region',\) names \['region'\]"):
        bridge(trade, "2021-01", "2022-01", by="region")


def test_one_method_one_group_one_code_without_a_list(trade):
    asked = {"methods": "paasche", "paths": "monthly"}
    assert list(bridges(trade, "2021-01", "2022-01", **asked).results) == [("paasche", "monthly")]
    factor = {"factor": 1, "least": 1, "rule": "fixed"}
    many = pd.concat([trade, trade.assign(partner="KAZ", value_usd=trade["value_usd"] * 3)])
    assert flags(many, within="code", **factor).equals(flags(many, within=["code"], **factor))
    windows = {"base": "2021", "current": "2022", "columns": list(trade)}
    goods = sql("screen", goods={"chips": "8542"}, placebo={"metals": "72"}, **windows)
    assert goods == sql("screen", goods={"chips": ["8542"]}, placebo={"metals": ["72"]}, **windows)


def test_flows_are_not_summed_unseen(trade):
    both = pd.concat([trade, trade.assign(flow="M", value_usd=trade["value_usd"] * 2)])
    for name in (
        "bridge",
        "two-point",
        "bridges",
        "chain",
        "price_index",
        "drift",
        "contributions",
    ):
        with pytest.raises(SchemaMismatch, match="flows M, X in one table") as error:
            MEASURES[name](both)
        assert "flow" in error.value.todo
    apart = bridge(both, "2021-01", "2022-01", by=["flow"])
    alone = bridge(trade, "2021-01", "2022-01")
    assert apart.table.set_index("flow").loc["X", "change"] == alone.change
    assert apart.change == 3 * alone.change
    assert len(unit_values(both)) == 8
