"""Ordinary mistakes in what a measure is given: one clear error, the same for every measure."""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, TradeflowsError
from tradeflows.measure import bridge, bridges, contributions, price_index, sql
from tradeflows.measure.index import MULTILATERAL
from tradeflows.measure.screen import screen

MEASURES = {
    "bridge": lambda t: bridge(t, "2021-01", "2022-01"),
    "two-point": lambda t: bridge(t, "2021-01", "2022-01", path="two-point"),
    "bridges": lambda t: bridges(t, "2021-01", "2022-01"),
    "price_index": lambda t: price_index(t, base="2021-01"),
    "contributions": lambda t: contributions(t, "2021-01", "2022-01"),
    "screen": lambda t: screen(t, base="2021-01", current="2022-01", goods=["27"]),
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
    with pytest.raises(ValueError, match="expected: '2022', '2022-03' or"):
        bridge(trade, window, "2022")
    with pytest.raises(ValueError, match="expected: '2022', '2022-03' or"):
        contributions(trade, "2021", window)
    with pytest.raises(ValueError, match="or a window"):
        price_index(trade.assign(freq="A"), base=window)


@every
@pytest.mark.parametrize("column", ["period", "code", "value_usd", "net_weight_kg"])
def test_a_missing_column_is_set_beside_the_readers_own(measure, trade, column, request):
    if column == "net_weight_kg" and request.node.callspec.id.endswith("screen"):
        pytest.skip("a screen judges value and needs no weights")
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
    windows = {"base": "2021", "current": "2022", "columns": list(trade)}
    goods = sql("screen", goods="8542", **windows)
    assert goods == sql("screen", goods=["8542"], **windows)


def test_flows_are_not_summed_unseen(trade):
    both = pd.concat([trade, trade.assign(flow="M", value_usd=trade["value_usd"] * 2)])
    for name in (
        "bridge",
        "two-point",
        "bridges",
        "price_index",
        "contributions",
    ):
        with pytest.raises(SchemaMismatch, match="flows M, X in one table") as error:
            MEASURES[name](both)
        assert "flow" in error.value.todo
    apart = bridge(both, "2021-01", "2022-01", by=["flow"])
    alone = bridge(trade, "2021-01", "2022-01")
    assert apart.table.set_index("flow").loc["X", "change"] == alone.change
    assert apart.change == 3 * alone.change


@every
def test_rows_without_a_period_are_refused(measure, trade):
    nameless = trade.tail(1).assign(code="270900", period=pd.NaT)
    with pytest.raises(SchemaMismatch, match="1 rows without a period"):
        measure(pd.concat([trade, nameless]))


@every
@pytest.mark.parametrize("zone", ["Europe/Istanbul", "UTC"])
def test_a_period_with_a_time_zone_is_refused(measure, trade, zone, tmp_path):
    zoned = trade.assign(period=trade["period"].dt.tz_localize(zone))
    zoned.to_parquet(tmp_path / "zoned.parquet", index=False)
    for table in (zoned, tmp_path / "zoned.parquet"):
        with pytest.raises(SchemaMismatch, match=r"'period' is of type .* TIME ZONE") as error:
            measure(table)
        assert "tz_localize(None)" in error.value.todo


@every
def test_a_status_that_no_table_knows_is_named(measure, trade):
    with pytest.raises(SchemaMismatch, match="'weight_status' holds 'Reported'") as error:
        measure(trade.assign(weight_status=["Reported", "reported", "estimated", None]))
    assert error.value.expected == "reported, estimated, missing, or nothing"


@every
@pytest.mark.parametrize(
    "flags",
    [
        pd.array([False, None, True, False], dtype="boolean"),
        np.array([False, None, False, False], dtype=object),
        [np.nan] * 4,
        [None] * 4,
        [0, 1, 2, 0],
    ],
    ids=str,
)
def test_confidential_is_true_or_false_in_every_row(measure, trade, flags):
    with pytest.raises(SchemaMismatch, match="'confidential' holds empty cells"):
        measure(trade.assign(confidential=flags))


@every
def test_the_world_beside_reporters_is_refused(measure, trade):
    world = pd.concat([trade, trade.assign(reporter="World")])
    with pytest.raises(DoubleCountedTotals, match="reporter World stands beside reporters"):
        measure(world)
    with pytest.raises(DoubleCountedTotals, match="DEU stands beside EU27"):
        measure(pd.concat([trade.assign(reporter="EU27"), trade.assign(reporter="DEU")]))


def test_a_partner_nobody_names_is_not_the_world(trade):
    some = trade.assign(partner=[None, None, "RUS", "RUS"])
    assert bridge(some, "2021-01", "2022-01").price == bridge(trade, "2021-01", "2022-01").price
    assert len(contributions(some, "2021-01", "2022-01")) == 2


@pytest.mark.parametrize("formula", ["fisher", "geks_fisher"])
@pytest.mark.parametrize("column", ["partner", "reporter", "net_weight_kg_unit"])
def test_goods_whose_partner_or_unit_nobody_names_are_priced(trade, formula, column, tmp_path):
    base = {"base": "fixed"}
    trade = trade.assign(freq="A")
    wanted = price_index(trade, formula, **base).table
    for values in ([None] * 4, [None, None, "RUS", "RUS"]):
        nameless = trade.assign(**{column: pd.array(values, dtype="string")})
        nameless.to_parquet(tmp_path / "rows.parquet", index=False)
        for table in (nameless, tmp_path / "rows.parquet"):
            found = price_index(table, formula, **base).table
            pd.testing.assert_frame_equal(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["Net weight (kg)", "order", "1kg", 'of "it"', "{now}", "a; b"])
def test_a_column_may_have_any_name(trade, name, tmp_path):
    trade = trade.assign(freq="A")
    renamed = trade.rename(columns={"net_weight_kg": name})
    renamed.to_parquet(tmp_path / "rows.parquet", index=False)
    for ask in (bridge, contributions, price_index):
        windows = ("fisher",) if ask is price_index else ("2021", "2022")
        wanted, *found = (
            ask(rows, *windows, quantity=quantity)
            for rows, quantity in (
                (trade, "net_weight_kg"), (renamed, name), (tmp_path / "rows.parquet", name))
        )  # fmt: skip
        for one in found:
            pd.testing.assert_frame_equal(*(getattr(x, "table", x) for x in (wanted, one)))
    grouped = bridge(trade.assign(**{name: "a"}), 2021, 2022, by=name)
    assert grouped.table[name].tolist() == ["a"]


@pytest.mark.parametrize("path", ["monthly", "two-point"])
def test_a_group_is_summed_whatever_its_name_or_refused(trade, path):
    """Names inside the SQL of the bridge once took the place of the reader's column."""
    asked = {"base": "2021-01", "current": "2022-01", "path": path}
    wanted = bridge(trade.assign(group_=trade["code"]), by="group_", **asked).table
    for name in ("side", "cell", "effect", "trade", "value", "m", "a_b", "class", "çeşit"):
        found = bridge(trade.assign(**{name: trade["code"]}), by=name, **asked).table
        pd.testing.assert_frame_equal(found.rename(columns={name: "group_"}), wanted)
    for name in ("v", "Q", "now", "step", "unit", "price", "exit", "change", "month", "period"):
        with pytest.raises(SchemaMismatch, match="a name inside the bridge itself"):
            bridge(trade.assign(**{} if name == "period" else {name: trade["code"]}), by=name,
                   **asked)  # fmt: skip


def test_groups_that_are_no_names(trade):
    for by in (5, [5], [["code"]]):
        with pytest.raises(TypeError, match="expected a name as text, or several"):
            bridge(trade, "2021-01", "2022-01", by=by)
    with pytest.raises(SchemaMismatch, match="names a column twice"):
        bridge(trade, "2021-01", "2022-01", by=["code", "code"])


@every
def test_a_column_or_a_query_is_no_table(measure, trade):
    for wrong in (trade["value_usd"], duckdb.connect().from_df(trade)):
        with pytest.raises(SchemaMismatch, match="cannot be read as a table") as error:
            measure(wrong)
        assert "pandas DataFrame" in error.value.expected


def test_a_polars_frame_is_a_table(trade):
    polars = pytest.importorskip("polars")
    wanted = bridge(trade, "2021-01", "2022-01").table
    pd.testing.assert_frame_equal(
        bridge(polars.from_pandas(trade), "2021-01", "2022-01").table, wanted
    )


def test_text_deep_among_numbers_is_a_stated_error(trade):
    many = [trade.assign(code=f"{100000 + i}") for i in range(2000)]
    long = pd.concat(many, ignore_index=True).drop_duplicates(["code", "period"])
    long = pd.concat([long] * 40, ignore_index=True).astype({"value_usd": object})
    long.loc[len(long) - 5, "value_usd"] = "n/a"
    for measure in MEASURES.values():
        with pytest.raises(SchemaMismatch, match=r"cannot be read \(.*'n/a'") as error:
            measure(long)
        assert "pandas.to_numeric" in error.value.todo


@every
def test_a_file_whose_inside_is_broken_is_a_stated_error(measure, trade, tmp_path):
    file = tmp_path / "rows.parquet"
    pd.concat([trade] * 100).to_parquet(file, index=False)
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + b"\xff" * 300 + whole[304:])
    with pytest.raises(SchemaMismatch, match="cannot be read"):
        measure(file)


@pytest.mark.parametrize("choice", ["quetelet", ["fisher"], None])
def test_choices_are_listed(trade, choice):
    months = ("2021-01", "2022-01")
    with pytest.raises(ValueError, match=r"expected one of .*laspeyres"):
        bridge(trade, *months, method=choice)
    with pytest.raises(ValueError, match=r"one of laspeyres, .*, geks_fisher, .*geks_walsh"):
        price_index(trade, choice)


def test_a_range_over_nothing_is_refused(trade):
    for name, known in (("methods", "bennet"), ("paths", "monthly")):
        with pytest.raises(ValueError, match=rf"{name}=\[\]: expected at least one of {known}"):
            bridges(trade, "2021-01", "2022-01", **{name: []})


def test_annual_rows_have_bridges_by_the_one_path_they_have(trade):
    annual = bridges(trade.assign(freq="A"), "2021", "2022")
    assert {path for _, path in annual.results} == {"two-point"}
    assert len(annual.results) == 4
    assert {path for _, path in bridges(trade, "2021-01", "2022-01").results} == {
        "monthly",
        "two-point",
    }


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_a_multilateral_formula_has_no_other_base_and_no_chain(trade, formula):
    monthly = trade.assign(period=trade["period"].where(trade["period"].dt.year == 2021,
                                                        pd.Timestamp("2021-02-01")))  # fmt: skip
    for base in ("nonsense", "2021-01", "chained", "year-over-year"):
        with pytest.raises(ValueError, match="starts at the first period; leave base out"):
            price_index(monthly, formula, base=base)
