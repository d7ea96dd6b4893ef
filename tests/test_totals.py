"""No measure adds what overlaps, whatever the publisher calls its totals; flags and months."""

from __future__ import annotations

import contextlib
import csv
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradeflows as tf
from tradeflows.codes.totals import is_world, one_inside_another
from tradeflows.counterfactual import growth_rank
from tradeflows.errors import (
    ConfidentialValueWarning,
    DoubleCountedTotals,
    EstimatedQuantityWarning,
    PartialPeriodWarning,
    SchemaMismatch,
    TradeflowsError,
)
from tradeflows.measure import contributions
from tradeflows.measure.bridge import BARS, bridge
from tradeflows.measure.index import price_index
from tradeflows.measure.screen import screen
from tradeflows.quality.census import census
from tradeflows.quality.relation import opened

with (
    files("tradeflows.codes").joinpath("totals.csv").open(encoding="utf-8") as handle  # type: ignore[call-arg]
):
    TOTALS = list(csv.DictReader(handle))
PLACES = [
    (row, name) for row in TOTALS if row["column"] == "place" for name in row["names"].split("|")
]
GROUPS = [(row, name) for row, name in PLACES if row["kind"] == "group"]
SPELLINGS = [str, str.lower, str.upper, lambda s: f" {s} ", lambda s: s.replace(" ", "_")]
LAW = settings(max_examples=20, deadline=None)


def rows(partners=("VNM", "CHN"), **constants):
    """Two months in which all values double and no weight changes."""
    table = [
        (f"{year}-06-01", name, 40.0 * k * grown, 40.0 * k)
        for year, grown in ((2022, 1), (2023, 2))
        for k, name in enumerate(partners, 1)
    ]
    frame = pd.DataFrame(table, columns=["period", "partner", "value_usd", "net_weight_kg"])
    constants = {"code": "030462", "flow": "M", "reporter": "TUR"} | constants
    return frame.assign(period=pd.to_datetime(frame["period"]), **constants)


def bars(trade, *args, **options):
    found = bridge(trade, *args, **options)
    return {bar: getattr(found, bar) for bar in ("value_base", "value_current", *BARS)}


def june(trade, **options):
    return bars(trade, "2022-06", "2023-06", **options)


MEASURES = {
    "bridge": june,
    "bridges": lambda t: tf.bridges(t, "2022-06", "2023-06"),
    "price_index": lambda t: price_index(t.assign(freq="A"), base="fixed"),
    "contributions": lambda t: contributions(t, "2022-06", "2023-06"),
    "screen": lambda t: screen(t, "2022-06", "2023-06", flow="M", goods=["0304"]),
    "expected": lambda t: tf.expected(
        pd.concat([t, t.assign(period=t["period"] + pd.DateOffset(months=1))]), event="2023-01"
    ),
}
summed = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def test_a_condition_with_or_is_one_condition():
    """Else what follows it would be asked of its last alternative alone."""
    trade = rows().assign(code=["30462", "030462", "030462", "030462"])
    either = "period = DATE '2022-06-01' AND code = '{}' OR FALSE".format
    with opened(trade, ("period", "code", "value_usd", "net_weight_kg")) as relation:
        with pytest.raises(SchemaMismatch, match="'30462', which were numbers"):
            census(relation, "net_weight_kg", either("30462"))
        seen = census(relation, "net_weight_kg", either("030462"))
    assert seen.value_of == {pd.Timestamp("2022-06-01"): 80.0}


@summed
@pytest.mark.parametrize("column", ["partner", "reporter"])
@pytest.mark.parametrize("name", ["wld", "Dünya"])
def test_the_world_beside_its_parts_is_refused_by_every_measure(measure, column, name):
    total = rows().groupby(["period", "code", "flow", "reporter"], as_index=False).sum()
    total = total.assign(**{"partner": "VNM", column: name})
    with pytest.raises(DoubleCountedTotals, match="stands beside"):
        measure(pd.concat([rows(), total], ignore_index=True))


@summed
def test_rows_that_stand_twice_are_refused_by_every_measure(measure):
    with pytest.raises(SchemaMismatch, match="share a key"):
        measure(pd.concat([rows(), rows().tail(1)]))


@given(
    st.sampled_from(PLACES), st.sampled_from(SPELLINGS), st.sampled_from(["partner", "reporter"])
)
@LAW
def test_a_total_in_any_spelling_stands_alone_and_not_beside_a_place_it_may_hold(
    total, spell, column
):
    row, name = total
    members = [m for m in row["members"].split("|") if m]
    inside = members[0] if row["kind"] == "group" else "JPN"
    assert one_inside_another(column, [spell(name)]) is None
    pair = one_inside_another(column, [spell(name), inside])
    if row["kind"] == "area" or (row["kind"] == "outside" and inside in members):
        assert pair is None
    else:
        assert pair == (spell(name), inside)
    if row["kind"] == "all":
        assert is_world(spell(name))


@given(st.sampled_from(GROUPS), st.data())
@LAW
def test_a_group_is_refused_beside_its_members_only(total, data):
    row, name = total
    members = set(row["members"].split("|"))
    codes = {c for r, _ in GROUPS for c in r["members"].split("|") if len(c) == 3}
    others = data.draw(st.sets(st.sampled_from(sorted(codes - members)), max_size=4))
    assert one_inside_another("partner", [name, *others, "Areas nes", "Bunkers"]) is None
    member = data.draw(st.sampled_from(sorted(members)))
    assert one_inside_another("partner", [name, *others, member]) == (name, member)


@pytest.mark.parametrize(
    "group", ["EU27_2020", "eu-27", "97", "European Union", "EU28", "AB", "EA20"]
)
def test_members_are_known_by_every_name_a_publisher_gives_them(group):
    for member in ("DEU", "DE", "276", "Germany", "germany", "276.0"):
        assert one_inside_another("partner", [member, group]) == (group, member)
    assert one_inside_another("partner", ["RUS", group]) is None


@pytest.mark.parametrize(
    ("partners", "overlap"),
    [
        (["EU27_2020", "EXT_EU27_2020"], False),
        (["EXT_EU27_2020", "DEU"], False),
        (["EXT_EU27_2020", "RUS"], True),
        (["EXT_EU27_2020", "EXT_EU28"], True),
        (["EU27", "EU28"], True),
        (["EU27", "EA20"], True),
        (["EU27", "EFTA", "ASEAN", "Areas nes", "Bunkers", "Free zones", "QS", "UN 12345"], False),
        (["EU27", "QV"], True),
        (["EU27", "Nowhereland"], True),
        (["Africa", "Asia", "Europe"], False),
        (["Africa", "KEN"], True),
        (["SACU", "BWA"], True),
        (["Belgium-Luxembourg", "BEL"], True),
        (["CIS", "KAZ"], True),
        (["CIS", "Kırgızistan"], True),
        (["EU27", "Kırgızistan", "Free zone: Mersin"], False),
        (["World", "WLD"], True),
    ],
)
def test_groups_among_each_other(partners, overlap):
    assert (one_inside_another("partner", partners) is not None) == overlap


def test_names_in_other_letters_are_told_apart():
    assert is_world("Мир")
    assert not is_world("Россия")
    assert not is_world("")
    assert one_inside_another("partner", ["Россия", "Казахстан"]) is None
    assert one_inside_another("partner", ["Мир", "Казахстан"])


@pytest.mark.parametrize(
    ("flows", "overlap"),
    [
        (["X", "DX"], True),
        (["Export", "Re-Export"], True),
        (["export", "domestic export"], True),
        (["İhracat", "X"], True),
        (["x", "rx"], True),
        (["M", "FM"], True),
        (["Import", "Import of goods for inward processing"], True),
        (["X", "XOP"], True),
        (["DX", "XIP"], True),
        (["Total trade", "M"], True),
        (["Trade balance", "X"], True),
        (["DX", "RX"], False),
        (["Domestic Export", "Re-export"], False),
        (["X", "M"], False),
        (["XIP", "XOP"], False),
    ],
)
def test_flows_inside_flows(flows, overlap):
    assert (one_inside_another("flow", flows) is not None) == overlap


def test_flows_are_told_apart_where_none_holds_another():
    apart = pd.concat([rows(flow=flow) for flow in ("DX", "RX")])
    assert june(apart, by="flow")["price"] == 240.0
    with pytest.raises(DoubleCountedTotals, match="flow"):
        june(pd.concat([apart, rows(flow="x")]), by="flow")


@pytest.mark.parametrize(
    ("codes", "overlap"),
    [
        (["total", "85421"], True),
        (["Toplam", "854231"], True),
        (["AG6", "854231"], True),
        (["All commodities", "coal"], True),
        (["27", "2709SS"], True),
        (["84-85_MachElec", "8542"], True),
        (["27", "854231"], False),
        (["TOTAL"], False),
    ],
)
def test_totals_of_goods(codes, overlap):
    assert (one_inside_another("code", codes) is not None) == overlap


@pytest.mark.parametrize(
    ("column", "total"), [("customs", "C00"), ("transport", "Total"), ("motCode", "0")]
)
def test_a_further_column_has_totals_too(column, total):
    trade = pd.concat([rows(**{column: "a"}), rows(**{column: total})])
    with pytest.raises(DoubleCountedTotals, match=column):
        june(trade, by=column)


@given(
    st.lists(st.sampled_from(["VNM", "CHN", "DEU", "FRA", "RUS"]), min_size=2, unique=True),
    st.data(),
)
@LAW
def test_a_table_split_into_parts_that_overlap_is_refused_or_unchanged(partners, data):
    """A part of the rows, summed under the name of a total, never adds to a bar."""
    trade = rows(partners)
    some = data.draw(st.lists(st.sampled_from(partners), min_size=1, unique=True))
    row, name = data.draw(st.sampled_from(PLACES))
    part = trade[trade["partner"].isin(some)]
    part = part.groupby(["period", "code", "flow", "reporter"], as_index=False)[
        ["value_usd", "net_weight_kg"]
    ].sum()
    both = pd.concat([trade, part.assign(partner=name)])
    members = set(row["members"].split("|"))
    held = {"group": members, "outside": set(partners) - members}.get(row["kind"], set(partners))
    if row["kind"] != "area" and held & set(partners):
        with pytest.raises(DoubleCountedTotals):
            june(both)
    with pytest.raises(TradeflowsError):
        june(pd.concat([trade, part.assign(partner=some[0])]))


def panel():
    months = pd.date_range("2019-01-01", "2022-12-01", freq="MS")
    table = [
        (
            p,
            c,
            t,
            size * (3 if (p, c) == ("RUS", "854231") and t >= pd.Timestamp("2022-02-01") else 1),
        )
        for p, size in (("RUS", 50.0), ("DEU", 10.0), ("FRA", 10.0), ("ITA", 10.0))
        for c in ("854231", "841810")
        for t in months
    ]
    return pd.DataFrame(table, columns=["partner", "code", "period", "value_usd"])


def effect(trade):
    found = tf.triple_difference(trade, listed=["854231"], window="2022-02/2022-12")
    return found.effect


@pytest.mark.parametrize("name", ["World", "WORLD", "wld", "W00", "0", "Toplam"])
def test_a_triple_difference_leaves_the_world_out_whatever_its_name(name):
    trade = panel()
    total = trade.groupby(["code", "period"], as_index=False)["value_usd"].sum()
    assert effect(pd.concat([trade, total.assign(partner=name)])) == pytest.approx(2.0)


def test_a_triple_difference_counts_nothing_twice():
    trade = panel()
    total = trade.groupby(["code", "period"], as_index=False)["value_usd"].sum()
    for name in ("EXT_EU27_2020", "EU27", "G7", "OECD"):
        with pytest.raises(DoubleCountedTotals):
            effect(pd.concat([trade, total.assign(partner=name)]))
    twice = trade["partner"].eq("RUS") & (trade["period"] >= "2022-06-01")
    with pytest.raises(SchemaMismatch, match="share a key"):
        effect(pd.concat([trade, trade[twice]]))
    later = trade[twice].assign(period=trade["period"] + pd.Timedelta(days=14))
    with pytest.raises(SchemaMismatch, match="share a key"):
        effect(pd.concat([trade, later]))
    for column in ("partner", "code", "period"):
        with pytest.raises(SchemaMismatch, match=f"without {column}"):
            effect(trade.assign(**{column: trade[column].where(trade.index != 3)}))
    with pytest.raises(SchemaMismatch, match="negative"):
        effect(trade.assign(value_usd=-trade["value_usd"]))


def test_growth_is_ranked_over_as_many_months_and_no_totals():
    trade = panel().query("code == '854231'").drop(columns="code")
    options = {"at_least": 1.0}
    found = growth_rank(trade, **options)
    assert found.estimate == pytest.approx((50 + 11 * 150) / 600 - 1)
    total = trade.groupby("period", as_index=False)["value_usd"].sum().assign(partner="WLD")
    whole = growth_rank(pd.concat([trade, total]), **options)
    pd.testing.assert_series_equal(whole.values, found.values)
    with pytest.raises(SchemaMismatch, match="12 published months in 2021, 6 in 2022"):
        growth_rank(trade[trade["period"] < "2022-07-01"], **options)
    with pytest.raises(SchemaMismatch, match="share a key"):
        growth_rank(pd.concat([trade, trade]), **options)


def test_an_expectation_sums_rows_as_a_bridge_does():
    trade = panel().assign(reporter="TUR", flow="X")
    sums = trade.groupby("period")["value_usd"].sum()
    short = {"event": "2022-02"}
    assert tf.expected(trade, **short).actual == tf.expected(sums, **short).actual
    with pytest.raises(SchemaMismatch, match="flows"):
        tf.expected(pd.concat([trade, trade.assign(flow="M")]), **short)
    late = trade[trade["period"] < "2022-06-01"].assign(reporter="KAZ")
    with pytest.raises(SchemaMismatch, match="KAZ has no rows for 2022-06"):
        tf.expected(pd.concat([trade, late]), **short)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("weight_status", ["estimated", "reported"]),
        ("confidential", [True, False]),
        ("code", ["999999", "030462"]),
        ("code", ["27999999", "27101225"]),
    ],
)
def test_what_is_estimated_or_hidden_makes_no_price(column, values, tmp_path):
    trade = rows()
    trade[column] = trade["partner"].map(dict(zip(["VNM", "CHN"], values, strict=True)))
    trade.to_parquet(tmp_path / "rows.parquet", index=False)
    hidden = ConfidentialValueWarning, EstimatedQuantityWarning
    with pytest.warns(hidden) if column != "code" else contextlib.nullcontext():
        for table in (trade, tmp_path / "rows.parquet"):
            found = june(table)
            assert (found["price"], found["unpriced"]) == (80.0, 40.0)


@pytest.mark.parametrize("flag", ["isNetWgtEstimated", "legacyEstimationFlag", "OBS_FLAG", "CONF"])
def test_a_flag_of_a_publisher_is_never_passed_over(flag):
    trade = rows().assign(weight_status="reported", **{flag: False})
    with pytest.raises(SchemaMismatch, match=f"columns '{flag}', in which a publisher") as error:
        june(trade)
    assert "tf.tidy(trade, estimated=" in error.value.todo
    read = tf.tidy(rows().assign(mark=[True, False] * 2), estimated="mark", freq="M")
    with pytest.warns(EstimatedQuantityWarning):
        assert june(read)["unpriced"] == 40.0


def test_a_month_that_is_estimated_makes_the_sum_of_a_window_estimated():
    year = pd.concat(
        [rows().assign(period=rows()["period"] - pd.DateOffset(months=k)) for k in (0, 1)]
    )
    odd = (year["partner"] == "VNM") & (year["period"].dt.month == 5)
    year["weight_status"] = np.where(odd, "estimated", "reported")
    with pytest.warns(UserWarning, match="estimated"):
        found = bars(year, "2022-05/2022-06", "2023-05/2023-06", path="two-point")
    assert (found["price"], found["unpriced"]) == (160.0, 80.0)


def test_a_quantity_without_a_unit_is_no_quantity():
    trade = rows().rename(columns={"net_weight_kg": "quantity"})
    with pytest.raises(SchemaMismatch, match="numbers of what"):
        june(trade, quantity="quantity")
    assert june(trade.assign(quantity_unit="u"), quantity="quantity")["price"] == 120.0
    for none in ("", "N/A", None, "-1"):
        half = trade.assign(quantity_unit=np.where(trade["partner"] == "VNM", none, "u"))
        found = june(half, quantity="quantity")
        assert (found["price"], found["unpriced"]) == (80.0, 40.0)


def monthly(reporter="KAZ", first="2021-01", last="2022-12", value=100.0, **constants):
    months = pd.date_range(first, last, freq="MS")
    constants = {"reporter": reporter, "partner": "RUS", "flow": "X", "code": "854231"} | constants
    return pd.DataFrame({"period": months, "value_usd": value, "net_weight_kg": 10.0}).assign(
        **constants
    )


def test_windows_of_unequal_length_are_refused_or_compared_per_month():
    """Nothing changed: twelve months against six are no fall."""
    trade = monthly()
    with pytest.raises(SchemaMismatch, match="windows of 12 and 6 months") as error:
        bridge(trade, "2021", "2022-01/2022-06", path="two-point")
    assert "per_month=True" in error.value.todo
    found = bridge(trade, "2021", "2022-01/2022-06", path="two-point", per_month=True)
    assert (found.value_base, found.value_current, found.change) == (100.0, 100.0, 0.0)
    assert "the value per month did not change" in str(found.sentence())
    dearer = trade.assign(value_usd=trade["value_usd"].where(trade["period"] < "2022-01-01", 130.0))
    ranges = tf.bridges(dearer, "2021", "2022-01/2022-06", paths="two-point", per_month=True)
    assert ranges.range("price") == pytest.approx((30.0, 30.0))
    with pytest.raises(SchemaMismatch, match="windows of 12 and 6 months"):
        screen(trade, "2021", "2022-01/2022-06")
    years = pd.concat(
        [monthly(first=f"{y}-01", last=f"{y}-01", freq="A") for y in (2020, 2021, 2022)]
    )
    with pytest.raises(SchemaMismatch, match="windows of 24 and 12 months"):
        bridge(years, "2020-01/2021-12", "2022", path="two-point")
    annual = bridge(years, "2020-01/2021-12", "2022", path="two-point", per_month=True)
    assert annual.change == pytest.approx(0.0, abs=1e-12)


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.2, 5))
@LAW
def test_per_month_a_constant_price_and_volume_do_not_depend_on_the_months(n, m, price):
    now = {"first": "2022-01", "last": f"2022-{m:02d}", "value": 100.0 * price}
    trade = pd.concat([monthly(last=f"2021-{n:02d}"), monthly(**now)])
    windows = f"2021-01/2021-{n:02d}", f"2022-01/2022-{m:02d}"
    found = bridge(trade, *windows, path="two-point", per_month=True)
    assert found.price == pytest.approx(100 * (price - 1))
    assert found.volume == pytest.approx(0, abs=1e-9)


def entrant():
    return pd.concat([monthly(), monthly("KGZ", "2022-04", value=900.0)], ignore_index=True)


@pytest.mark.parametrize("path", ["monthly", "two-point"])
def test_a_reporter_new_to_a_good_is_entry_and_zeros_are_said_to_be_assumed(path):
    with pytest.warns(PartialPeriodWarning, match="reporter KGZ has no rows for 2021-01"):
        found = bridge(entrant(), path=path)
    assert (found.value_base, found.value_current, found.entry) == (1200.0, 9300.0, 8100.0)
    assert (
        "Taken for no trade, having no rows: Kyrgyzstan (2021-01 and 14 more)" in found.sentence()
    )
    for published in ("2021-01/2022-12", ["2021", "2022"], {"KGZ": ["2021", "2022-01/2022-12"]}):
        stated = bridge(entrant(), path=path, published=published)
        assert (stated.entry, stated.new) == (8100.0, {})
        assert "Taken for" not in stated.sentence()


def test_true_zeros_of_sparse_reporters_are_stated_not_guessed():
    sparse = pd.concat(
        [monthly(), *(monthly("KGZ", m, m) for m in ("2021-03", "2021-11", "2022-02", "2022-12"))]
    )
    with pytest.raises(SchemaMismatch, match="no rows of reporter KGZ for 2021-01") as error:
        bridge(sparse)
    assert "published='2021'" in error.value.todo
    for path in ("monthly", "two-point"):
        found = bridge(sparse, published=["2021", "2022"], path=path, by="reporter")
        assert (found.value_base, found.value_current) == (1400.0, 1400.0)
    with pytest.raises(SchemaMismatch, match="KGZ for 2022-01"):
        bridge(sparse, published={"KGZ": "2021"})
    alone = bridge(
        sparse[sparse["reporter"] == "KGZ"], published=["2021", "2022"], path="two-point"
    )
    assert alone.change == 0
    assert price_index(sparse, published="2021-01/2022-12", base="fixed").table["price"].eq(1).all()


def test_a_screen_keeps_who_is_new_to_the_goods():
    rng = np.random.default_rng(2)
    codes = ["854231", *(f"{c}0100" for c in range(60, 84))]
    table = [
        (pd.Timestamp(year, 1, 1), r, p, c, 1e7 * rng.lognormal(0, 0.1))
        for year in (2021, 2022)
        for r in ("TUR", "GEO", "KGZ")
        for p in ("RUS", *"ABCDEFGHI")
        for c in codes
        if r != "KGZ" or year == 2022
    ]
    trade = pd.DataFrame(table, columns=["period", "reporter", "partner", "code", "value_usd"])
    trade = trade.assign(net_weight_kg=1.0, freq="A")
    found = screen(trade, "2021", "2022", target="RUS", goods=["8542"])
    assert "KGZ" in set(found.table["reporter"])
    assert (found.late, found.new) == ({}, {"KGZ": ("2021",)})
    assert "Taken for no trade, having no rows: Kyrgyzstan" in found.sentence()
    assert found.table.set_index("reporter")["entry"]["KGZ"] > 0
    stated = screen(trade, "2021", "2022", target="RUS", goods=["8542"], published=["2021", "2022"])
    assert stated.new == {}
    pd.testing.assert_frame_equal(stated.table, found.table)
    gone = trade[(trade["period"].dt.year == 2021) == (trade["reporter"] != "KGZ")]
    with pytest.raises(SchemaMismatch, match="no rows of reporter"):
        screen(gone, "2021", "2022", target="RUS", goods=["8542"])
