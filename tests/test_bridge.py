"""The bridge adds up, keeps entry out of price, and refuses what it cannot sum."""

import math
import warnings

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradeflows as tf
from measure_strategies import LAW, trades
from tradeflows.codes import hs
from tradeflows.errors import (
    ConfidentialValueWarning,
    DoubleCountedTotals,
    EstimatedQuantityWarning,
    RenumberedCodesWarning,
    SchemaMismatch,
)
from tradeflows.load import load
from tradeflows.measure import bridge, bridges
from tradeflows.measure.bridge import BARS

METHODS = ("bennet", "montgomery", "laspeyres", "paasche")
PATHS = ("monthly", "two-point")
WINDOWS = ("2021-01/2021-03", "2022-01/2022-03")


def frame(rows, **constants):
    """Build a trade frame from (period, code, value, weight)."""
    names = ["period", "code", "value_usd", "net_weight_kg"]
    out = pd.DataFrame(rows, columns=names).assign(**constants)
    return out.assign(period=pd.to_datetime(out["period"]))


@pytest.fixture
def handmade():
    """Two goods in both periods, one that goes, one that comes (exact fractions by hand)."""
    return frame(
        [
            ("2021-01", "A", 1000.0, 100.0),
            ("2022-01", "A", 1200.0, 80.0),
            ("2021-01", "B", 100.0, 50.0),
            ("2022-01", "B", 180.0, 60.0),
            ("2021-01", "C", 100.0, 25.0),
            ("2022-01", "D", 210.0, 30.0),
        ]
    )


def january(trade, **options):
    return bridge(trade, "2021-01", "2022-01", **options)


def scale(result):
    """Return the size against which a bar is exact: values, or bars where these are larger."""
    size = result.value_base + result.value_current
    return size + abs(result.price) + abs(result.volume)


def closes(result):
    bars = math.fsum(getattr(result, bar) for bar in BARS)
    return abs(bars - result.change) <= 1e-12 * scale(result)


@pytest.mark.parametrize("path", PATHS)
def test_handmade_bridge_by_hand(handmade, path):
    result = january(handmade, path=path)
    assert [getattr(result, bar) for bar in BARS] == pytest.approx(
        [505, -225, 210, -100, 0], rel=1e-12
    )
    table = result.table.set_index("code")
    assert table.loc["A", ["price", "volume"]].tolist() == pytest.approx([450, -250], rel=1e-12)
    assert table.loc["B", ["price", "volume"]].tolist() == pytest.approx([55, 25], rel=1e-12)
    assert table.loc["C", "exit"] == -100
    assert table.loc["D", "entry"] == 210
    assert result.priced_share == pytest.approx(1380 / 1590, rel=1e-12)


@pytest.mark.parametrize(
    ("method", "price", "volume"),
    [
        ("bennet", 450, -250),
        ("laspeyres", 500, -300),
        ("paasche", 400, -200),
        ("montgomery", 444.780217148309, -244.7802171483089),
    ],
)
def test_one_good_by_every_method(handmade, method, price, volume):
    good = january(handmade[handmade["code"] == "A"], method=method)
    assert (good.price, good.volume) == pytest.approx((price, volume), rel=1e-12)


def test_log_mean_where_value_does_not_change():
    trade = frame([("2021-01", "A", 100.0, 10.0), ("2022-01", "A", 100.0, 20.0)])
    result = january(trade, method="montgomery")
    assert result.price == pytest.approx(-100 * math.log(2), rel=1e-12)
    assert result.volume == pytest.approx(100 * math.log(2), rel=1e-12)


@LAW
@given(st.floats(-12, 12), st.floats(0.5, 2.0))
def test_log_mean_is_smooth_beside_equal_values(exponent, ratio):
    step = math.copysign(10.0 ** -abs(exponent), exponent)
    current = 1000.0 * (1 + step * 0.5)
    trade = frame([("2021-01", "A", 1000.0, 10.0), ("2022-01", "A", current, 10.0 * ratio)])
    x = (current - 1000) / 1000
    mean = 1000.0 * x / math.log1p(x) if x else 1000.0
    assert january(trade, method="montgomery").volume == pytest.approx(
        mean * math.log(ratio), rel=1e-11, abs=1e-11
    )


def test_adding_an_entrant_leaves_price_and_volume_unchanged(handmade):
    for method in METHODS:
        more = frame([("2022-01", "E", 1e6, 5.0), ("2021-01", "F", 1e6, 5.0)])
        grown = january(pd.concat([handmade, more]), method=method)
        plain = january(handmade, method=method)
        assert (grown.price, grown.volume) == pytest.approx((plain.price, plain.volume), rel=1e-13)


@LAW
@given(trades(), st.sampled_from(METHODS), st.sampled_from(PATHS))
def test_bars_add_up_for_every_method_group_and_month(trade, method, path):
    result = bridge(trade, *WINDOWS, method=method, path=path, by=("code", "partner"))
    assert closes(result)
    for rows in (result.table, result.monthly):
        gap = rows[list(BARS)].sum(axis=1) - rows["change"]
        size = rows[["value_base", "value_current", "price", "volume"]].abs().max(axis=1)
        assert (gap.abs() <= 1e-9 * size).all()
    assert 0 <= result.priced_share <= 1 + 1e-12


@settings(LAW, max_examples=6)
@given(trades(products=(1, 3)), st.sampled_from(METHODS), st.sampled_from(PATHS))
def test_groups_and_months_partition_the_total(trade, method, path):
    options = {"method": method, "path": path}
    whole = bridge(trade, *WINDOWS, **options)
    size = 1e-9 * scale(whole)
    ways = ((), ("partner",), ("heading", "partner"))
    tables = {by: bridge(trade, *WINDOWS, by=by, **options).table for by in ways}
    for table in tables.values():
        parts = table[list(BARS)].sum()
        assert [parts[b] for b in BARS] == pytest.approx(
            [getattr(whole, b) for b in BARS], abs=size
        )
    if path == "monthly":
        months = [bridge(trade, f"2021-{m:02d}", f"2022-{m:02d}", **options) for m in range(1, 4)]
        for bar in BARS:
            total = math.fsum(getattr(m, bar) for m in months)
            assert total == pytest.approx(getattr(whole, bar), abs=size)
    prices = tables["partner",].set_index("partner")["price"]
    for partner, rows in trade.groupby("partner"):
        alone = bridge(rows, *WINDOWS, **options)
        assert alone.price == pytest.approx(prices[partner], abs=size)


@settings(LAW, max_examples=6)
@given(trades(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(trade, random):
    order = random.sample(range(len(trade)), len(trade))
    straight, shuffled = bridge(trade, *WINDOWS), bridge(trade.iloc[order], *WINDOWS)
    for bar in BARS:
        wanted = pytest.approx(getattr(shuffled, bar), abs=1e-12 * scale(straight))
        assert getattr(straight, bar) == wanted


@settings(LAW, max_examples=8)
@given(trades(complete=True), st.floats(1e-3, 1e3), st.sampled_from(METHODS))
def test_tonnes_or_kilograms_give_the_same_bars(trade, factor, method):
    other = trade.assign(net_weight_kg=trade["net_weight_kg"] * factor)
    kg, other = (bridge(t, *WINDOWS, method=method) for t in (trade, other))
    assert kg.price == pytest.approx(other.price, abs=1e-11 * scale(kg))


@LAW
@given(trades(complete=True), st.sampled_from(["bennet", "montgomery"]))
def test_bennet_and_montgomery_are_symmetric_in_time(trade, method):
    there, back = (
        bridge(trade, *WINDOWS, method=method),
        bridge(trade, *WINDOWS[::-1], method=method),
    )
    assert there.price == pytest.approx(-back.price, abs=1e-11 * scale(there))


@settings(LAW, max_examples=6)
@given(trades(complete=True))
def test_laspeyres_and_paasche_bracket_bennet(trade):
    results = bridges(trade, *WINDOWS, paths=("monthly",))
    middle = (results["laspeyres", "monthly"].price + results["paasche", "monthly"].price) / 2
    bennet = results["bennet", "monthly"].price
    assert bennet == pytest.approx(middle, rel=1e-9, abs=1e-9 * (abs(bennet) + 1))
    low, high = results.range("price")
    assert low <= bennet <= high
    assert "range over methods" in results.sentence()


@pytest.mark.parametrize("weight", [0.0, None, float("nan"), float("inf")])
def test_no_weight_beside_a_value_is_unpriced_whatever_the_flag(handmade, weight):
    handmade["weight_status"] = "reported"
    handmade.loc[1, "net_weight_kg"] = weight
    result = january(handmade)
    assert (result.price, result.volume, result.unpriced) == pytest.approx((55, 25, 200))
    assert closes(result)


def test_one_month_without_weight_makes_a_two_point_pair_unpriced():
    trade = frame(
        [
            ("2021-01", "A", 10.0, 1.0),
            ("2021-02", "A", 10.0, None),
            ("2022-01", "A", 20.0, 1.0),
            ("2022-02", "A", 20.0, 1.0),
        ]
    )
    windows = ("2021-01/2021-02", "2022-01/2022-02")
    assert bridge(trade, *windows, path="two-point").unpriced == 20
    assert bridge(trade, *windows, path="monthly").price == 10


def test_all_weights_missing_is_all_unpriced(handmade):
    result = january(handmade.assign(net_weight_kg=None).astype({"net_weight_kg": float}))
    assert (result.price, result.volume, result.unpriced) == (0, 0, 280)
    assert result.priced_share == 0
    assert "without a usable quantity" in result.sentence()
    assert "price and volume cannot be told apart" in result.sentence()
    assert "price accounts for" not in result.sentence()


def test_estimated_weights_make_no_price_unless_accepted(handmade):
    handmade["weight_status"] = ["estimated", *["reported"] * 5]
    with pytest.warns(EstimatedQuantityWarning, match=r"35\.8%"):
        assert january(handmade).unpriced == 200
    accepted = january(handmade, estimated="accepted")
    assert accepted.price == pytest.approx(505)


def test_confidential_rows_stay_in_unpriced(handmade):
    handmade["confidential"] = handmade["code"] == "A"
    with pytest.warns(ConfidentialValueWarning, match="pseudo-codes"):
        result = january(handmade)
    assert (result.price, result.unpriced) == pytest.approx((55, 200))
    assert closes(result)


def test_a_unit_that_changes_makes_a_pair_unpriced(handmade):
    trade = handmade.rename(columns={"net_weight_kg": "quantity"})
    trade["quantity_unit"] = ["u", "kg", "u", "u", "u", "u"]
    result = january(trade, quantity="quantity")
    assert (result.price, result.volume, result.unpriced) == pytest.approx((55, 25, 200))


def test_absent_months_are_an_error_that_names_them(handmade):
    with pytest.raises(SchemaMismatch, match=r"no rows for 2021-02, 2021-03"):
        bridge(handmade, "2021-01/2021-03", "2022-01/2022-03")
    with pytest.raises(SchemaMismatch, match="windows of 1 and 3 months"):
        bridge(handmade, "2021-01", "2022-01/2022-03")


def test_annual_rows_need_the_two_point_path(handmade):
    trade = handmade.assign(freq="A")
    with pytest.raises(SchemaMismatch, match="annual"):
        bridge(trade, "2021", "2022", path="monthly")
    assert bridge(trade, "2021", "2022").price == pytest.approx(505)
    assert bridge(trade, "2021", "2022").path == "two-point"


def test_a_tariff_line_that_gives_way_to_another_of_its_six_digits_is_named():
    """Exit and entry of a renumbered line offset each other; six digits have price and volume."""
    lines = [("2021", "2710194300"), ("2022", "2710194400")]
    lines += [(year, "2701120000") for year in ("2021", "2022")]
    trade = frame([(f"{y}-{m:02d}", code, 100.0 * m, 10.0) for y, code in lines for m in (1, 2, 3)])
    for path in PATHS:
        found = bridge(trade, *WINDOWS, path=path)
        assert found.renumbered == (("2710194300", "2710194400", 600.0),)
        said = "2710194300 gives way to 2710194400 (600 USD); sum to six digits first."
        assert str(found).endswith(said)
        alone = trade[trade["code"] != "2710194400"]
        for other in (alone, trade.assign(code=trade["code"].str[:6])):
            assert bridge(other, *WINDOWS, path=path).renumbered == ()
    seasonal = frame([("2021-01", "2710194300", 1.0, 1.0), ("2022-02", "2710194300", 1.0, 1.0),
                      ("2021-02", "0101", 1.0, 1.0), ("2022-01", "0101", 1.0, 1.0)])  # fmt: skip
    assert bridge(seasonal, "2021-01/2021-02", "2022-01/2022-02").renumbered == ()


@pytest.mark.parametrize("year", [2012, 2017, 2022])
def test_goods_that_only_changed_their_code_are_named_where_no_row_says_its_revision(year):
    """The concordance knows them; with concorded rows nothing enters and nothing is gone."""
    old, new = hs.in_force(year - 1), hs.in_force(year)
    known = hs.families(old, new)
    known = known[known.groupby("family")["code"].transform("nunique") == 2]
    gone = known[(known["revision"] == old) & ~known["code"].isin(hs.codes(new))].iloc[0]
    same = known[(known["family"] == gone["family"]) & (known["revision"] == new)]
    come = same.loc[~same["code"].isin(hs.codes(old)), "code"].iloc[0]
    rows = pd.DataFrame({
        "period": pd.to_datetime([f"{year - 1}-01-01", f"{year}-01-01"] * 2), "freq": "A",
        "code": [gone["code"], come, "270900", "270900"], "value_usd": [100.0, 90.0, 9.0, 9.0],
        "net_weight_kg": 10.0,
    })  # fmt: skip
    windows = str(year - 1), str(year)
    with pytest.warns(
        RenumberedCodesWarning, match=rf"{gone['code']} gives way to {come}.*concord"
    ):
        found = bridge(rows, *windows)
    assert found.renumbered == ((gone["code"], come, 90.0),)
    assert f"{gone['code']} gives way to {come} (90 USD); tf.concord joins" in found.sentence()
    joined = bridge(tf.concord(rows), *windows)
    assert (joined.entry, joined.exit, joined.renumbered) == (0, 0, ())
    kept = rows.assign(code=["270111", "270112", "270900", "270900"])  # other goods
    assert bridge(kept, *windows).renumbered == ()


def test_keys_that_stand_twice(handmade):
    for path in PATHS:
        with pytest.raises(SchemaMismatch, match="share a key"):
            january(pd.concat([handmade, handmade.head(1)]), path=path)
    year = frame([(f"{y}-{m:02d}", "A", 1.0, 1.0) for y in (2021, 2022) for m in range(1, 13)])
    with pytest.raises(SchemaMismatch, match="share a key") as caught:
        bridge(pd.concat([year, year.head(1)]), path="two-point")
    assert caught.value.expected == "one row per (code, period)"
    assert caught.value.todo == "sum them first, or keep one of them"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("code", ["27", "27", "270900", "270900", "84", "84"]),
        ("code", ["TOTAL", "TOTAL", "270900", "270900", "840110", "840110"]),
        ("code", ["TOTAL", "TOTAL", "27", "27", "84", "84"]),
        ("code", ["TOTAL", "TOTAL", "33311", "33311", "71311", "71311"]),
        ("code", ["TOTAL", "TOTAL", "coal", "coal", "coal", "coal"]),
        ("code", ["oil_gas_disclosed"] * 2 + ["oil_products"] * 2 + ["coal"] * 2),
        ("code", ["high_priority_45"] * 3 + ["high_priority_50"] * 3),
        ("code", ["84", "84", "85", "85", "high_priority_45", "high_priority_45"]),
        ("partner", ["World", "World", "RUS", "RUS", "RUS", "RUS"]),
        ("flow", ["X", "X", "RX", "RX", "X", "X"]),
        ("trade_system", ["general", "general", "special", "special", "general", "general"]),
        ("code_system", ["HS2017", "HS2017", "energy", "energy", "HS2017", "HS2017"]),
    ],
)
def test_totals_beside_their_parts(handmade, column, values):
    trade = handmade.assign(code=[str(c) for c in range(100000, 100006)])
    twice = trade.assign(**{column: values})
    with pytest.raises(DoubleCountedTotals):
        january(pa.Table.from_pandas(twice))


def test_totals_beside_their_parts_say_what_to_keep(handmade):
    codes = ["27", "27", "270900", "270900", "840110", "840110"]
    with pytest.raises(DoubleCountedTotals, match="code 27 stands beside 270900") as error:
        january(handmade.assign(code=codes))
    assert error.value.todo == "keep one of the two, or one level"
    flows = handmade.assign(flow=["M", "M", "RM", "RM", "M", "M"])
    with pytest.raises(DoubleCountedTotals, match="flow RM stands beside M") as error:
        january(flows)
    assert error.value.todo.endswith("trade[trade['flow'] == 'M']")


def test_levels_of_which_none_holds_another_are_summed(handmade):
    codes = ["48", "48", "4901", "4901", "271019", "27090010"]
    found = january(handmade.assign(code=codes, level=[2, 2, 4, 4, 6, 8]))
    assert found.change == january(handmade).change


@pytest.mark.parametrize("codes", ["coal,crude_oil,lpg,oil_products", "TOTAL"])
def test_goods_that_add_up_are_summed(codes, handmade):
    named = codes.split(",")
    goods = [named[i // 2 % len(named)] for i in range(6)]
    trade = handmade.assign(code=goods).drop_duplicates(["period", "code"])
    for level in ({}, {"level": None}):
        assert closes(january(trade.assign(**level), path="two-point"))


def test_totals_of_the_snapshot_are_not_summed_with_their_parts():
    asked = {"partner": "RUS", "flow": "M", "source": "TÜİK", "trade_system": "general"}
    trade = load("trade", **asked)
    with pytest.raises(DoubleCountedTotals, match="TOTAL stands beside oil_gas_disclosed"):
        bridge(trade, "2021", "2022")
    total = bridge(trade[trade["code"] == "TOTAL"], "2021", "2022")
    assert round(total.value_current / 1e9, 2) == 58.85
    gaps = load("trade", code_system="positive gaps")
    with pytest.raises(DoubleCountedTotals, match="holds goods of it"):
        bridge(gaps, "2022", "2023", path="two-point")


def test_a_new_revision_needs_a_concordance(handmade):
    revision = ["HS2017" if p.year == 2021 else "HS2022" for p in handmade["period"]]
    with pytest.raises(SchemaMismatch, match="concord"):
        january(handmade.assign(code_system=revision))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, None])
def test_values_that_are_not_amounts(handmade, value):
    handmade.loc[0, "value_usd"] = value
    with pytest.raises(SchemaMismatch, match="value_usd"):
        january(handmade)


def test_a_negative_weight_is_refused_as_a_negative_value_is(handmade):
    for status in ("reported", "missing"):
        handmade.loc[0, "net_weight_kg"] = -5.0
        with pytest.raises(SchemaMismatch, match="1 rows have a negative net_weight_kg"):
            january(handmade.assign(weight_status=status))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("old", "new", "refused"),
    [
        ((1e-300, 1.0), (2e-300, 1.0), ()),
        ((1e300, 1e300), (2e300, 1e300), ()),
        ((1e300, 1e-300), (1e300, 2e-300), ()),
        ((1e-300, 1e-300), (1e300, 1e300), ("bennet", "montgomery", "paasche")),
        ((1.0, 1e300), (1.0, 1e-300), ("bennet", "montgomery", "laspeyres")),
    ],
)
def test_extreme_numbers_are_defined_or_refused(method, old, new, refused):
    trade = frame([("2021-01", "A", *old), ("2022-01", "A", *new)])
    if method in refused:
        with pytest.raises(SchemaMismatch, match="range of 64-bit numbers"):
            january(trade, method=method)
    else:
        assert closes(january(trade, method=method))


def test_nothing_traded_is_a_defined_result():
    trade = frame([("2021-01", "A", 0.0, 0.0), ("2022-01", "A", 0.0, None)])
    result = january(trade)
    assert (result.change, result.price, result.priced_share) == (0, 0, 0)
    assert "did not change" in result.sentence()


def test_shares_only_where_they_mean_something(handmade):
    result = january(handmade)
    assert result.share("price") == pytest.approx(505 / 390)
    assert result.share("volume") is None
    flat = january(frame([("2021-01", "A", 100.0, 1.0), ("2022-01", "A", 105.0, 1.0)]))
    assert flat.share("price") is None
    assert "%" not in flat.sentence()
    assert "caused" not in result.sentence()


def test_a_good_absent_in_one_month_is_not_called_new_or_gone():
    months = [f"{y}-{m:02d}" for y in (2021, 2022) for m in (1, 2)]
    rows = [(m, "A", 100.0, 1.0) for m in months]
    rows += [(m, "B", 100.0, 1.0) for m in months if m != "2021-01"]
    rows += [(m, "C", 100.0, 1.0) for m in months if m != "2022-02"]
    windows = ("2021-01/2021-02", "2022-01/2022-02")
    monthly = bridge(frame(rows), *windows)
    assert (monthly.entry, monthly.exit) == (100, -100)
    words = "goods without trade in the matching month of"
    assert f"{words} 2021-01/2021-02 for 100 USD" in monthly.sentence()
    assert f"{words} 2022-01/2022-02 for −100 USD" in monthly.sentence()
    assert "new to the trade" not in monthly.sentence()
    assert "gone from" not in monthly.sentence()
    summed = bridge(frame(rows), *windows, path="two-point")
    assert (summed.entry, summed.exit) == (0, 0)


@pytest.mark.parametrize("path", PATHS)
def test_in_windows_of_one_month_goods_are_new_or_gone(handmade, path):
    words = january(handmade, path=path).sentence()
    assert "goods new to the trade for 210 USD" in words
    assert "goods gone from it for −100 USD" in words


def test_parquet_streams_through_the_same_text(tmp_path, handmade):
    for year in (2021, 2022):
        rows = handmade[handmade["period"].dt.year == year]
        rows.to_parquet(tmp_path / f"{year}.parquet", index=False)
    from_files = january(f"{tmp_path}/*.parquet")
    pd.testing.assert_frame_equal(from_files.table, january(handmade).table)


def test_origins_are_carried(handmade):
    trade = handmade.assign(origin=["b", "a"] * 3)
    assert january(trade).origins == ("a", "b")


def test_a_sound_frame_raises_no_warning(handmade):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        january(handmade.assign(weight_status="reported", confidential=False))


def test_figures_show_the_bars_and_the_range(handmade):
    figure = tf.plot.show(january(handmade.assign(origin="file")), name="hand")
    assert figure.table["kind"].tolist() == ["total", *BARS, "total"]
    envelope = bridges(handmade, "2021-01", "2022-01")
    whiskers = tf.plot.show(envelope, name="range").table.set_index("kind").loc["price"]
    assert (whiskers["low"], whiskers["high"]) == envelope.range("price")
    assert envelope.table.set_index("bar").loc["price", "low"] == whiskers["low"]
    assert len(envelope.by_method) == 8


def months_of(years, **constants):
    rows = [(f"{y}-{m:02d}", "A", 1.0, 1.0) for y in years for m in range(1, 13)]
    return frame(rows, **constants)


def test_a_product_stands_once_in_a_month_whatever_the_day():
    trade = months_of(range(2020, 2023))
    windows = "2020-01/2021-12", "2022"
    options = {"path": "two-point", "per_month": True}
    assert closes(bridge(trade, *windows, **options))
    twice = pd.concat([trade, trade.tail(1).assign(period=pd.Timestamp("2022-12-15"))])
    with pytest.raises(SchemaMismatch, match="share a key"):
        bridge(twice, *windows, **options)
    moved = trade.assign(period=trade["period"] + pd.Timedelta(days=14))
    assert bridge(moved, *windows, **options).price == bridge(trade, *windows, **options).price


@pytest.mark.parametrize("path", PATHS)
def test_a_month_that_one_reporter_has_not_published_is_no_exit(path, tmp_path):
    turkey = months_of((2021, 2022), reporter="TUR", partner="RUS", flow="X")
    late = turkey["period"] < pd.Timestamp("2022-07-01")
    both = pd.concat([turkey, turkey[late].assign(reporter="KAZ")])
    both.to_parquet(tmp_path / "rows.parquet", index=False)
    for table in (both, tmp_path / "rows.parquet"):
        with pytest.raises(SchemaMismatch, match="no rows of reporter KAZ for 2022-07") as error:
            bridge(table, by="reporter", path=path)
        assert "leave KAZ out" in error.value.todo
        assert (
            bridge(table, "2021-01/2021-06", "2022-01/2022-06", by="reporter", path=path).exit == 0
        )


@pytest.mark.parametrize("path", PATHS)
def test_a_month_without_trade_of_one_pair_is_exit_where_others_report(path):
    """A reporter has published a month if any row of it is there."""
    russia = months_of((2021, 2022), reporter="TUR", partner="RUS", flow="X")
    gone = russia["period"] < pd.Timestamp("2022-07-01")
    both = pd.concat([russia, russia[gone].assign(partner="KAZ")])
    result = bridge(both, by="partner", path=path)
    assert result.exit == (-6 if path == "monthly" else 0)
    with pytest.raises(SchemaMismatch, match="no rows for 2022-07"):
        bridge(both[both["partner"] == "KAZ"], path=path)


def year_and_year(months=6, **constants):
    """Two goods in the same months of two years, prices and quantities of their own."""
    rows = [
        (f"{year}-{m:02d}", code, (100.0 + 10 * m) * grown * size, 10.0 * size + m)
        for year, grown in ((2021, 1.0), (2022, 1.7))
        for m in range(1, months + 1)
        for code, size in (("A", 1.0), ("B", 3.0))
    ]
    return frame(rows, **constants)


@pytest.mark.parametrize("method", ["bennet", "montgomery"])
def test_months_of_a_bridge_sum_to_its_bars_and_stand_in_order(method):
    trade = year_and_year()
    found = bridge(trade, "2021-01/2021-06", "2022-01/2022-06", method=method)
    assert found.monthly["period"].tolist() == list(pd.date_range("2022-01", periods=6, freq="MS"))
    assert found.monthly.index.tolist() == list(range(6))
    for bar in (*BARS, "value_base", "value_current", "change"):
        assert found.monthly[bar].sum() == pytest.approx(getattr(found, bar))
    for m in (1, 6):
        alone = bridge(trade, f"2021-{m:02d}", f"2022-{m:02d}", method=method)
        row = found.monthly.iloc[m - 1]
        assert [row[bar] for bar in BARS] == pytest.approx([getattr(alone, bar) for bar in BARS])
    whole = bridge(trade, "2021-01/2021-06", "2022-01/2022-06", method=method, path="two-point")
    assert whole.monthly.empty
    assert list(whole.monthly) == list(found.monthly)


def test_windows_that_touch_are_two_and_windows_that_share_a_month_are_refused():
    trade = year_and_year(12)
    for base, current in (
        ("2021-01/2021-06", "2021-07/2021-12"),
        ("2021-07/2021-12", "2021-01/2021-06"),
    ):
        touching = bridge(trade, base, current, path="two-point")
        sums = [
            trade[trade["period"].between(*w.split("/"))]["value_usd"].sum()
            for w in (base, current)
        ]
        assert [touching.value_base, touching.value_current] == pytest.approx(sums)
    for base, current in (
        ("2021-01/2021-06", "2021-06/2021-11"),
        ("2021-06/2021-11", "2021-01/2021-06"),
    ):
        with pytest.raises(ValueError, match="share months: a bridge needs two sides"):
            bridge(trade, base, current)
    apart = bridge(trade, "2021-01/2021-02", "2021-04/2021-05", path="two-point")
    inside = trade["period"].isin(pd.to_datetime(["2021-04", "2021-05"]))
    assert apart.value_current == pytest.approx(trade[inside]["value_usd"].sum())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"base": "2021-01/2021-02", "current": "2022-01/2022-03"},
            SchemaMismatch,
            "windows of 2 and 3 months (2021-01/2021-02 and 2022-01/2022-03)\n"
            "  expected: as many months on both sides\n"
            "  what to do: choose windows of one length; a bridge by path='two-point' with"
            " per_month=True compares averages per month",
        ),
        ({"path": "chained"}, ValueError, "path='chained': expected one of monthly, two-point"),
        (
            {"freq": "A", "base": "2021", "current": "2022", "path": "monthly"},
            SchemaMismatch,
            "annual rows with path='monthly'\n"
            "  expected: months\n"
            "  what to do: use path='two-point'",
        ),
    ],
)
def test_a_refusal_of_the_bridge_says_what_to_do(options, error, words):
    options = {"base": "2021-01/2021-06", "current": "2022-01/2022-06"} | options
    trade = year_and_year()
    if "freq" in options:
        trade = year_and_year(1).assign(freq=options.pop("freq"))
    with pytest.raises(error) as caught:
        bridge(trade, **options)
    assert str(caught.value) == words
