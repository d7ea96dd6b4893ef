"""Two sides of a trade: planted causes are found, nothing is found where nothing was planted."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.errors import EstimatedQuantityWarning, SchemaMismatch, UnknownCode
from tradeflows.measure import sql
from tradeflows.measure.mirror import CAUSES

FIXTURES = Path(__file__).parents[2] / "shared" / "fixtures"
DRAWS, GOODS, MONTHS, RATE = 60, 40, 12, 0.06
YEAR = "2021"
START = "2020-11-01"  # the month before the one before: what arrives in it


def drawn(seed, name, *, planted, lag=0.0, noise=0.02):
    """Draw what A sent and what B got in 40 goods, and what each cause is worth."""
    rng = np.random.default_rng(seed)
    codes = [f"{8400 + i}10" for i in range(GOODS)]
    kg = rng.lognormal(10, 1, GOODS)[:, None] * rng.lognormal(0, 0.3, (GOODS, MONTHS + 2))
    value = kg * rng.lognormal(2, 1, GOODS)[:, None] * rng.lognormal(0, 0.05, kg.shape)
    got_kg, got = kg.copy(), value.copy()
    for arrived, sent in ((got_kg, kg), (got, value)):
        arrived[:, 1:] = (1 - lag) * sent[:, 1:] + lag * sent[:, :-1]
    error = rng.lognormal(0, noise, kg.shape)
    rate = RATE if planted else 0.0
    got_kg, got = got_kg * error, got * (1 + rate) * error * rng.lognormal(0, noise, kg.shape)
    booked_again = np.zeros_like(value)
    sent_as, got_as = list(codes), list(codes)
    truth = dict.fromkeys(CAUSES, 0.0)
    both = np.ones(GOODS, dtype=bool)
    if planted:
        truth["price"] = -0.4 * got[0, 2:].sum()  # an invoice at 60 % of the price
        got[0] *= 0.6
        booked_again[1] = 0.3 * value[1]  # re-exports that B books under their origin
        truth["re-exports"] = -(1 + rate) * booked_again[1, 2:].sum()
        got_kg[1], got[1] = 0.7 * got_kg[1], 0.7 * got[1]
        got_as[2] = f"{codes[2][:4]}90"  # another code of the heading
        sent_as[3] = "999999"  # a code that hides the goods
        truth["confidential"] = (got[3] - value[3])[2:].sum()
        got[4] = 0.0  # goods that B does not report
        truth["one side only"] = -value[4, 2:].sum()
        truth["quantity"] = -(1 + rate) * 0.5 * value[5, 2:].sum()  # half of it arrives
        got_kg[5], got[5] = 0.5 * got_kg[5], 0.5 * got[5]
        both[[3, 4]] = False
    truth["freight"] = rate * value[both, 2:].sum()
    truth["timing"] = (1 + rate) * lag * (value[both, 1] - value[both, -1]).sum()
    a, b = f"A{name}", f"B{name}"
    sides = [rows(a, b, "X", sent_as, value, kg), rows(a, b, "RX", sent_as, booked_again, kg),
             rows(b, a, "M", got_as, got, got_kg)]  # fmt: skip
    return pd.concat(sides), truth


def rows(reporter, partner, flow, codes, value, kg):
    months = pd.date_range(START, periods=MONTHS + 2, freq="MS")
    good, month = (x.ravel() for x in np.indices((GOODS, MONTHS + 1)))
    found = pd.DataFrame(
        {
            "reporter": reporter, "partner": partner, "flow": flow, "freq": "M",
            "period": months[month + 1], "code": np.array(codes)[good],
            "value_usd": value[:, 1:].ravel(), "net_weight_kg": kg[:, 1:].ravel(),
        }
    )  # fmt: skip
    return found[found["value_usd"] > 0]


@pytest.fixture(scope="module")
def draws():
    """Plant all causes in sixty pairs of one table."""
    made = [drawn(seed, f"{seed:02d}", planted=True, lag=1 / 3) for seed in range(DRAWS)]
    truth = pd.DataFrame([t for _, t in made], index=[f"A{n:02d}" for n in range(DRAWS)])
    return pd.concat([r for r, _ in made], ignore_index=True), truth


@pytest.fixture(scope="module")
def found(draws):
    return tf.mirror(draws[0], window=YEAR)


def inside(found, truth):
    """Return by cause the share of pairs whose range holds the truth."""
    wide = found.table.set_index(["exporter", "cause"])
    low, high = (wide[end].unstack()[truth.columns].loc[truth.index] for end in ("low", "high"))  # noqa: PD010
    room = 1e-9 * found.pairs.set_index("exporter")["exports"].loc[truth.index]
    return (low.le(truth.add(room, axis=0)) & high.ge(truth.sub(room, axis=0))).mean()


def test_bars_add_up_to_the_difference_in_every_pair(found):
    sums = found.table.groupby("exporter")["value"].sum()
    pairs = found.pairs.set_index("exporter")
    gap = pairs["imports"] - pairs["exports"]
    np.testing.assert_allclose(sums, gap.loc[sums.index], rtol=1e-9, atol=1e-3)
    assert (found.table["low"] <= found.table["value"] + 1e-6).all()
    assert (found.table["high"] >= found.table["value"] - 1e-6).all()


def test_each_planted_cause_lies_in_its_range(draws, found):
    assert (inside(found, draws[1]) >= 0.95).all()


def test_ranges_are_narrow_enough_to_tell_a_cause_from_none(found):
    wide = found.table.set_index(["exporter", "cause"])
    told = (wide["low"].gt(0) | wide["high"].lt(0)).unstack().mean()  # noqa: PD010
    assert (told[["freight", "timing", "re-exports", "price"]] >= 0.9).all()
    assert told["quantity"] >= 0.8


def test_a_false_price_and_goods_under_another_code_are_named(found):
    goods = found.goods
    odd = goods[goods["odd"].abs() > 6].groupby("exporter")["code"].agg(list)
    assert sum(codes == ["840010"] for codes in odd) >= 0.95 * DRAWS
    recoded = goods[goods["class"] == "recoded"].groupby("exporter")["code"].agg(list)
    assert sum(codes == ["840210"] for codes in recoded) >= 0.95 * DRAWS
    causes = found.table.groupby(["exporter", "importer"])["cause"].agg(tuple)
    assert set(causes) == {tuple(CAUSES)}


def test_nothing_is_found_where_nothing_was_planted():
    made = [drawn(seed, f"{seed:02d}", planted=False)[0] for seed in range(500, 500 + DRAWS)]
    found = tf.mirror(pd.concat(made, ignore_index=True), window=YEAR)
    wide = found.table.set_index(["exporter", "cause"])
    assert (wide["low"].le(1e-6) & wide["high"].ge(-1e-6)).unstack().mean().min() >= 0.95  # noqa: PD010
    odd = found.goods["odd"].abs().gt(6).groupby(found.goods["exporter"]).any()
    assert odd.mean() <= 0.05


def test_what_does_not_arrive_of_any_good_is_no_usual_difference():
    sent, _ = drawn(7, "", planted=False)
    short = sent.assign(**{c: sent[c] * sent["flow"].eq("M").map({True: 0.25, False: 1.0})
                           for c in ("value_usd", "net_weight_kg")})  # fmt: skip
    result = tf.mirror(short, window=YEAR)
    missing = result.imports - result.exports
    assert result.bar("quantity").low < missing < result.bar("quantity").high < 0.9 * missing
    assert abs(result.bar("rest").middle) < 0.02 * abs(missing)


@pytest.mark.parametrize("kind", ["months", "years", "years with FOB"])
def test_the_text_for_spark_gives_the_same_bars(kind):
    """Spark's text, read back: what SQLGlot cannot carry over would be lost on the way."""
    sqlglot = pytest.importorskip("sqlglot", reason="sqlglot is in the extra 'spark'")
    import duckdb

    trade = pd.concat([drawn(n, f"{n}", planted=True, lag=1 / 3)[0] for n in range(2)])
    more = {}
    if kind != "months":
        trade = trade[trade["period"].dt.month == 1].reset_index(drop=True).assign(freq="A")
        more = {"annual": True, "known_before": False}
    if "FOB" in kind:
        trade["fob_usd"] = trade["value_usd"].where(trade["flow"] == "M") / 1.07
    ours = sql("mirror", columns=list(trade.columns), window=YEAR, **more)
    spark = sql("mirror", columns=list(trade.columns), window=YEAR, dialect="spark", **more)
    again = sqlglot.transpile(spark, read="spark", write="duckdb")[0]
    with duckdb.connect() as connection:
        connection.register("trade", trade)
        first, second = (connection.sql(text).df() for text in (ours, again))
    assert len(first) == 2
    pd.testing.assert_frame_equal(first, second, check_dtype=False, rtol=1e-9, atol=1e-6)


@pytest.fixture(scope="module")
def one():
    """One pair, as two tables."""
    table, _ = drawn(3, "", planted=True, lag=1 / 3)
    return table[table["flow"] != "M"], table[table["flow"] == "M"]


def test_a_pair_alone_is_as_among_others_and_in_parquet(one, found, tmp_path):
    alone = tf.mirror(*one, YEAR)
    same = found.table[found.table["exporter"] == "A03"]["value"]
    np.testing.assert_allclose(alone.table["value"], same, rtol=1e-9, atol=1e-3)
    pd.concat(one).to_parquet(tmp_path / "both.parquet")
    stored = tf.mirror(str(tmp_path / "both.parquet"), window=YEAR)
    pd.testing.assert_frame_equal(stored.table, alone.table)


def test_it_says_what_it_found_and_shows_itself(one):
    result = tf.mirror(*one, YEAR)
    words = result.sentence()
    assert "Unit values are out of line in 840010." in words
    assert "freight and insurance" in words.split("Could be nothing")[0]
    steps = result.steps()
    assert steps["value"].iloc[:-1].sum() == pytest.approx(steps["value"].iloc[-1])
    figure = tf.plot.show(result)
    assert figure.title.startswith("B's imports are ")
    assert result._repr_mimebundle_()["text/html"].count("<table") >= 1
    with pytest.raises(UnknownCode, match="cause 'tariffs'"):
        result.bar("tariffs")


def test_freight_is_taken_as_stated_or_from_an_importer_who_reports_both(one):
    sent, got = one
    stated = tf.mirror(sent, got, YEAR, freight=0.05)
    rows_ = stated.table.set_index("cause").loc["freight"]
    assert rows_["low"] == rows_["high"] == pytest.approx(0.05 * rows_["exports"])
    fob = tf.mirror(sent, got.assign(fob_usd=got["value_usd"] / 1.08), YEAR).bar("freight")
    assert fob.low == fob.high
    as_sent = tf.mirror(sent, got.assign(valuation="FOB"), YEAR).bar("freight")
    assert (as_sent.low, as_sent.high) == (0.0, 0.0)


def annual(reporter, partner, flow, value, kg, code="120190", **more):
    return pd.DataFrame(
        {
            "reporter": reporter, "partner": partner, "flow": flow, "freq": "A",
            "period": pd.to_datetime(["2023-01-01"]), "code": code, "value_usd": [value],
            "net_weight_kg": [kg], "weight_status": "reported", **more,
        }
    )  # fmt: skip


def test_soybeans_from_brazil_to_china():
    """UN Comtrade, 2023: the gap is freight and timing, the gap in weights an estimate."""
    sent = annual("BRA", "CHN", "X", 38.918e9, 74.47e9)
    got = annual("CHN", "BRA", "M", 40.954e9, 59.67e9).assign(weight_status="estimated")
    with pytest.warns(EstimatedQuantityWarning):
        result = tf.mirror(sent, got, "2023")
    assert result.table["value"].sum() == pytest.approx(2.036e9)
    freight, timing, rest = (result.bar(c) for c in ("freight", "timing", "rest"))
    assert freight.low < 2.036e9 < freight.high
    assert timing.low < 0 < timing.high
    assert rest.contains(0)
    assert result.bar("quantity") == result.bar("price") == tf.Interval(0, 0)
    words = result.sentence()
    assert "74.5 Mt, the importer's 59.7 Mt; the importer's is estimated" in words
    assert "assumed to add 2–12 %" in words
    accepted = tf.mirror(sent, got, "2023", estimated="accepted")
    assert accepted.bar("quantity").high < 0  # what a reader who trusts the estimate would find


def test_the_one_printed_gap_of_the_snapshot_is_wider_than_its_totals_say():
    """Listed goods, January to September 2023, as Turkey and as Kazakhstan recorded them."""
    sent, got = (tf.published(name).value.middle for name in ("D003", "D004"))
    whole = [annual("TUR", "KAZ", "X", sent, np.nan, code="TOTAL"),
             annual("KAZ", "TUR", "M", got, np.nan, code="TOTAL")]  # fmt: skip
    result = tf.mirror(pd.concat(whole).assign(weight_status="missing"), window="2023")
    assert result.imports / result.exports == pytest.approx(6.1 / 66)
    freight, rest = result.bar("freight"), result.bar("rest")
    assert 0 < freight.low < freight.high
    assert rest.middle < got - sent < 0  # freight widens what is not explained
    assert result.bar("quantity") == result.bar("price") == tf.Interval(0, 0)  # nothing tells them
    assert rest.middle + freight.middle == pytest.approx(got - sent, rel=0.05)


def test_parts_of_an_import_beside_the_whole_are_refused():
    """China from Angola in 2017: rows by country of consignment add up to the row of all."""
    file = FIXTURES / "api/cipf-comtrade/china_angola_2017_partner2_double_count.json"
    if not file.is_file():
        pytest.skip("the recorded replies are not here")
    values = [row["primaryValue"] for row in json.loads(file.read_text())["rows"]]
    sent = annual("AGO", "CHN", "X", 19e9, 5e10, code="TOTAL")
    every = pd.concat([annual("CHN", "AGO", "M", float(v), 1.0, code="TOTAL") for v in values])
    with pytest.raises(SchemaMismatch, match="share a key"):
        tf.mirror(sent, every, "2023")
    whole = tf.mirror(sent, every.head(1), "2023")
    assert whole.imports == values[0] == sum(values[1:])


def test_two_revisions_are_brought_to_codes_of_the_same_goods():
    sent = annual("KOR", "TUR", "X", 100.0, 10.0, code="851712", code_system="HS2017")
    got = [annual("TUR", "KOR", "M", v, kg, code=c, code_system="HS2022")
           for c, v, kg in (("851713", 95.0, 9.0), ("851714", 11.0, 1.0))]  # fmt: skip
    result = tf.mirror(sent, pd.concat(got), "2023", freight=0.06)
    assert result.goods["class"].tolist() == ["weighed"]
    assert result.table.set_index("cause")["value"].loc["freight"] == pytest.approx(6.0)
    assert result.table["value"].abs().sum() == pytest.approx(6.0)


def test_two_trade_systems_are_named():
    sent = annual("TUR", "DEU", "X", 100.0, 10.0, trade_system="special")
    got = annual("DEU", "TUR", "M", 106.0, 10.0, trade_system="general")
    words = "The exporter counts special trade, the importer general"
    assert words in tf.mirror(sent, got, "2023").sentence()
    same = tf.mirror(sent, got.assign(trade_system="special"), "2023")
    assert words not in same.sentence()


def test_who_lacks_a_month_is_left_out_and_a_pair_alone_is_refused(one, draws):
    few = draws[0][draws[0]["reporter"].isin(["A00", "B00", "A01", "B01"])]
    gone = few[~((few["reporter"] == "B01") & (few["period"] == "2021-05-01"))]
    result = tf.mirror(gone, window=YEAR)
    assert list(result.late) == ["B01"]
    assert set(result.pairs["importer"]) == {"B00", "B01"}
    assert "Left out" in result.sentence()
    sent, got = one
    with pytest.raises(SchemaMismatch, match="2021-05"):
        tf.mirror(sent, got[got["period"] != "2021-05-01"], YEAR)


@pytest.mark.parametrize("flow", ["X", "M", "RX"])
@pytest.mark.parametrize(
    ("freq", "window"), [("A", "2001/2002"), ("A", "2001/2023"), ("M", "2001-01/2002-01")]
)
def test_a_good_that_stands_twice_in_any_period_is_refused(freq, window, flow):
    year = [annual("A", "B", "X", 100.0, 10.0), annual("B", "A", "M", 106.0, 10.0),
            annual("A", "B", "RX", 9.0, 1.0)]  # fmt: skip
    days = pd.to_datetime(["2001-01-01", "2002-01-01"])
    whole = pd.concat([pd.concat(year).assign(period=day, freq=freq) for day in days])
    stated = dict.fromkeys("AB", "2001/2023")
    assert tf.mirror(whole, window=window, published=stated).exports == 200.0
    for day in days:
        again = whole[(whole["flow"] == flow) & (whole["period"] == day)]
        with pytest.raises(SchemaMismatch, match=r"share a key.*120190"):
            tf.mirror(pd.concat([whole, again]), window=window, published=stated)


def test_files_of_two_revisions_or_of_months_beside_years_are_refused(tmp_path):
    sent, got = annual("A", "B", "X", 100.0, 10.0), annual("B", "A", "M", 106.0, 10.0)
    for name, word in (
        ("code_system", "code systems HS2017, HS2022"),
        ("freq", "column 'freq' holds A, M"),
    ):
        values = ("HS2017", "HS2022") if name == "code_system" else ("A", "M")
        both = [rows_.assign(**{name: v}, code="851712")
                for rows_, v in zip((sent, got), values, strict=True)]  # fmt: skip
        pd.concat(both).to_parquet(tmp_path / "both.parquet")
        with pytest.raises(ValueError, match=word):
            tf.mirror(tmp_path / "both.parquet", window="2023")


# three countries


def months(values, code="854231", kg=None):
    """Rows of a good: the base year, then the current one."""
    period = pd.to_datetime([f"{y}-{m:02d}-01" for y in (2021, 2022)
                             for m in range(1, len(values) // 2 + 1)])  # fmt: skip
    kg = values if kg is None else kg
    return pd.DataFrame({"period": period, "code": code, "value_usd": np.array(values, float),
                         "net_weight_kg": np.array(kg, float)})  # fmt: skip


WINDOWS = ("2021-01/2021-03", "2022-01/2022-03")


def test_no_more_goes_on_than_came_in_by_then():
    into = months([10, 10, 10, 40, 10, 10])
    onward = months([0, 0, 0, 5, 20, 20])
    table = tf.passed_on(into, onward, *WINDOWS).table
    assert table["at_most"].tolist() == [5, 20, 5]  # 30 came in more, in the first month
    assert table["at_least"].tolist() == [0, 0, 0]
    assert table["at_most_kg"].tolist() == [5, 20, 5]
    later = tf.passed_on(onward, into, *WINDOWS).table
    assert later["at_most"].sum() == 5  # what comes in later cannot have gone on before


def test_what_no_other_supply_can_have_fed_went_on_at_least():
    into, onward = months([0, 0, 0, 30, 30, 30]), months([0, 0, 0, 25, 25, 25])
    others = months([50, 50, 50, 60, 50, 50])
    found = tf.passed_on(into, onward, *WINDOWS, others=others)
    assert found.table["at_least"].tolist() == [15, 25, 25]
    assert "at least 65 USD and at most 75 USD" in found.sentence()


def test_goods_without_a_weight_have_no_bound_in_kilograms():
    into, onward = months([0, 0, 0, 30, 30, 30]), months([0, 0, 0, 25, 25, 25], kg=[0] * 6)
    table = tf.passed_on(into, onward, *WINDOWS).table
    assert table["at_most"].tolist() == [25, 25, 25]
    assert table["at_most_kg"].isna().all()
    with pytest.raises(SchemaMismatch, match="no rows for 2022-03"):
        tf.passed_on(into.head(5), onward, *WINDOWS)


def test_bounds_of_many_goods_keep_their_order():
    rng = np.random.default_rng(2)
    three = [pd.concat([months(rng.integers(1, 90, 6), code=f"8542{n}") for n in range(10, 40)])
             for _ in range(3)]  # fmt: skip
    table = tf.passed_on(*three[:2], *WINDOWS, others=three[2]).table
    assert (table["at_least"] <= table["at_most"]).all()
    assert (table["at_most"] <= table["rise_out"].clip(lower=0)).all()
    by_code = table.groupby("code")[["at_most", "rise_in"]].agg(lambda x: x.clip(lower=0).sum())
    assert (by_code["at_most"] <= by_code["rise_in"] + 1e-9).all()
    assert 0 < table["at_least"].sum() < table["at_most"].sum()


def destinations(rng, count):
    """Return exports of B to destinations that are alike, and one month's rise of what comes in."""
    found = []
    for n in range(count):
        base = rng.lognormal(3, 1, 3)
        rows_ = months([*base, *(base * rng.lognormal(0, 0.5, 3))])
        found.append(rows_.assign(partner=f"D{n:02d}"))
    return found


def test_a_destination_like_the_others_stands_out_no_more_often_than_the_level_says():
    rng = np.random.default_rng(4)
    into, every = months([10, 10, 10, 5000, 10, 10]), destinations(rng, 12)
    p = []
    for n in range(5):
        rest = pd.concat(every[:n] + every[n + 1 :])
        alone = every[n].drop(columns="partner")
        p.append(tf.passed_on(into, alone, *WINDOWS, destinations=rest).p["destinations"])
    assert 0.2 < np.mean(p) < 0.8
    surge = months([1, 1, 1, 900, 900, 900])
    found = tf.passed_on(into, surge, *WINDOWS, destinations=pd.concat(every))
    assert found.p == {"destinations": pytest.approx(1 / 13)}
    assert (
        "0 of 12 other destinations could have taken as large a share (p = 0.077)"
        in found.sentence()
    )


def chapters(rng, count=19, passed=0.0):
    """Return trade from A to B and from B to C in chapters that are alike, the first asked about.

    A share of the rise into B, which doubles in the first, goes on to C.
    """
    into, onward = [], []
    for n in range(count + 1):
        for k in range(3):
            base, sent = rng.lognormal(3, 1, 3), rng.lognormal(2, 1, 3)
            now = base * rng.lognormal(0, 0.4, 3) * (1 + (passed > 0 and n == 0))
            rise = passed * (now - base).clip(0) if n == 0 else 0.0
            then = sent * rng.lognormal(0, 0.4, 3) + rise
            code = f"{60 + n}010{k}"
            into.append(months([*base, *now], code=code))
            onward.append(months([*sent, *then], code=code))
    return pd.concat(into), pd.concat(onward)


def p_of(draws, passed=0.0):
    """Return p of the goods asked about in so many worlds."""
    worlds = [chapters(np.random.default_rng(seed), passed=passed) for seed in range(draws)]
    found = [tf.passed_on(*world, *WINDOWS, goods=["60"]) for world in worlds]
    return np.array([one.p["chapters"] for one in found])


def test_goods_like_the_others_stand_out_no_more_often_than_the_level_says():
    assert (p_of(30) <= 0.1).mean() <= 0.25  # 3 expected of 30; 8 or more once in 100
    assert (p_of(8, passed=0.9) <= 0.1).mean() >= 0.8
    found = tf.passed_on(*chapters(np.random.default_rng(1)), *WINDOWS, goods=["60", "610101"])
    assert set(found.table["code"]) == {"600100", "600101", "600102", "610101"}
    assert list(found.placebos["chapters"].index) == [str(n) for n in range(61, 80)]
    with pytest.raises(UnknownCode, match="none of the goods 99"):
        tf.passed_on(*chapters(np.random.default_rng(1)), *WINDOWS, goods=["99"])
