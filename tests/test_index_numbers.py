"""Index numbers against other software, and against the laws they must keep.

Inputs and expected numbers in ``oracles/``: balk6 is Balk (2008), tables 3.1 and 3.2, computed by
gpindex 0.6.3; ces is a simulated panel computed by IndexNumR 0.6.0; LMDI by LMDIR; the bridge by
hand. Montgomery at balk6 period 3 is 0/0 there and is given here by its limit.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measure_strategies import FACTOR, LAW, price_panels
from tradeflows.errors import PartialPeriodWarning, SchemaMismatch
from tradeflows.measure import bridge, contributions, price_index, volume_price_mix
from tradeflows.measure.index import FORMULAS, MULTILATERAL

ORACLES = Path(__file__).parent / "oracles"
BALK = "balk6_expected_gpindex"
CES = "ces_sigma2_expected_IndexNumR"

# formula of ours: its name in balk6 (gpindex) and in ces (IndexNumR)
BILATERAL = {
    "laspeyres": ("laspeyres", "laspeyres"),
    "paasche": ("paasche", "paasche"),
    "fisher": ("fisher", "fisher"),
    "tornqvist": ("tornqvist", "tornqvist"),
    "walsh": ("walsh", "walsh"),
    "sato_vartia": ("sato_vartia", "satovartia"),
    "montgomery_vartia": ("montgomery_vartia", None),
    "geometric_laspeyres": ("geometric_laspeyres", "geomLaspeyres"),
    "geometric_paasche": ("geometric_paasche", "geomPaasche"),
    "geary_khamis": ("geary_khamis_bilateral", "gk"),
}
FULL_WINDOW = {
    "geks_fisher": ("geks_fisher", "geks_fisher_full", 1e-12),
    "geks_tornqvist": ("geks_tornqvist", "geks_tornqvist_full", 1e-12),
    "geks_walsh": ("geks_walsh", "geks_walsh_full", 1e-12),
}
BASES = {
    "fixed": ("fixed_base", "fixedbase"),
    "chained": ("chained", "chained"),
}


def panel(name):
    """Read prices and quantities as a trade frame, one month per period."""
    rows = pd.read_csv(ORACLES / f"{name}_prices_quantities.csv")
    return pd.DataFrame(
        {
            "period": pd.to_datetime([f"2021-{p:02d}-01" for p in rows["period"]]),
            "code": rows["product"].astype(str),
            "value_usd": rows["price"] * rows["quantity"],
            "net_weight_kg": rows["quantity"],
        }
    )


def test_every_formula_has_an_oracle():
    assert set(BILATERAL) == set(FORMULAS)
    assert set(FULL_WINDOW) == set(MULTILATERAL)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("formula", BILATERAL)
@pytest.mark.parametrize("oracle", ["balk6", "ces_sigma2"])
def test_bilateral(oracle, formula, base):
    which = oracle != "balk6"
    column, basis = BILATERAL[formula][which], BASES[base][which]
    if column is None or basis is None:
        assert BILATERAL[formula][0] is not None  # covered by balk6
        return
    expected = pd.read_csv(ORACLES / f"{CES if which else BALK}.csv")
    table = price_index(panel(oracle), formula, base=base).table
    for of, ours in (("price", "price"), ("quantity", "volume")):
        rows = expected[(expected["index_of"] == of) & (expected["basis"] == basis)]
        wanted = rows[column].to_numpy()[-len(table) :]
        np.testing.assert_allclose(table[ours], wanted, rtol=1e-12)


@pytest.mark.parametrize("formula", FULL_WINDOW)
@pytest.mark.parametrize("oracle", ["balk6", "ces_sigma2"])
def test_multilateral(oracle, formula):
    which = oracle != "balk6"
    file = "ces_sigma2_multilateral_IndexNumR" if which else "balk6_multilateral"
    wanted = pd.read_csv(ORACLES / f"{file}.csv")[FULL_WINDOW[formula][which]]
    table = price_index(panel(oracle), formula).table
    np.testing.assert_allclose(table["price"], wanted, rtol=FULL_WINDOW[formula][2])
    np.testing.assert_allclose(table["price"] * table["volume"], table["value"], rtol=1e-12)


@pytest.mark.parametrize("period", [2, 3, 4, 5])
def test_contributions(period):
    expected = pd.read_csv(ORACLES / "balk6_contributions_gpindex.csv")
    rows = expected[expected["period"] == period].set_index("product")["fisher_vanijzeren"]
    ours = contributions(panel("balk6"), "2021-01", f"2021-{period:02d}")
    ours = ours.set_index(ours["code"].astype(int))["contribution"].sort_index()
    np.testing.assert_allclose(ours, rows, rtol=1e-12, atol=1e-15)
    index = price_index(panel("balk6"), "fisher", base="fixed").table["price"][period - 1]
    assert math.fsum(ours) == pytest.approx(index - 1, rel=1e-12)


@pytest.mark.parametrize("method", ["laspeyres", "paasche", "bennet", "montgomery"])
@pytest.mark.parametrize(("oracle", "periods"), [("balk6", 5), ("ces_sigma2", 12)])
def test_indicators(oracle, periods, method):
    expected = pd.read_csv(ORACLES / f"{oracle}_indicators_IndexNumR.csv")
    expected = expected[expected["method"] == method].set_index("period")
    trade = panel(oracle)
    for period in range(2, periods + 1):
        ours = bridge(trade, f"2021-{period - 1:02d}", f"2021-{period:02d}", method=method)
        wanted = expected.loc[period, ["price_effect", "quantity_effect"]].tolist()
        if (oracle, method, period) == ("balk6", "montgomery", 3):
            assert all(math.isnan(w) for w in wanted)  # 0/0 there
            assert (ours.price, ours.volume) == pytest.approx(
                (-0.845855837, 2.025855837), abs=5e-10
            )
            continue
        size = 1e-12 * (ours.value_base + ours.value_current)
        assert [ours.price, ours.volume] == pytest.approx(wanted, rel=1e-12, abs=size)


def test_montgomery_where_one_value_stands_still():
    """The limit L(v, v) = v, in full precision, for the good that makes 0/0 elsewhere."""
    prices, quantities = (1.0, 2.0), (6.0, 3.0)
    values = [p * q for p, q in zip(prices, quantities, strict=True)]
    trade = pd.DataFrame(
        {
            "period": pd.to_datetime(["2021-01-01", "2021-02-01"]),
            "code": "1",
            "value_usd": values,
            "net_weight_kg": quantities,
        }
    )
    ours = bridge(trade, "2021-01", "2021-02", method="montgomery")
    assert ours.price == pytest.approx(6 * math.log(2), rel=1e-14)


def test_mix_by_hand():
    oracle = json.loads((ORACLES / "additive_bridge_handmade.json").read_text())
    mix = oracle["three_way_volume_price_mix"]
    goods = pd.DataFrame({"v0": [1e3, 1e2], "q0": [100, 50], "v1": [1200, 180], "q1": [80, 60]})
    ours = volume_price_mix(goods)
    for bar in ("volume", "price", "mix"):
        assert getattr(ours, bar) == pytest.approx(mix[bar], rel=1e-12)
    assert ours.volume + ours.price + ours.mix == pytest.approx(ours.change, rel=1e-12)
    with pytest.raises(SchemaMismatch, match="units"):
        volume_price_mix(goods.assign(quantity_unit=["kg", "u"]))
    with pytest.raises(SchemaMismatch, match="not positive"):
        volume_price_mix(goods.assign(q1=[0, 60]))


REVERSIBLE = [
    "fisher",
    "tornqvist",
    "walsh",
    "sato_vartia",
    "montgomery_vartia",
    "geary_khamis",
]
FACTORS = ["fisher", "sato_vartia", "montgomery_vartia"]


def prices(trade, formula, base="fixed"):
    return price_index(trade, formula, base=base).table["price"].to_numpy()


def repriced(trade, factor):
    """Multiply the price of every good after the first period by a factor, from first prices."""
    first = trade[trade["period"] == trade["period"].min()].set_index("code")["price"]
    later = trade["period"] > trade["period"].min()
    price = trade["code"].map(first) * np.where(later, factor, 1.0)
    return trade.assign(value_usd=price * trade["net_weight_kg"])


@LAW
@given(price_panels(), FACTOR, st.sampled_from(list(FORMULAS)))
def test_identity_and_proportionality(trade, factor, formula):
    assert prices(repriced(trade, 1.0), formula) == pytest.approx(1.0, rel=1e-10)
    if formula != "montgomery_vartia":  # which is not proportional
        assert prices(repriced(trade, factor), formula)[1:] == pytest.approx(factor, rel=1e-10)


@LAW
@given(price_panels(), st.floats(1e-3, 1e3), st.sampled_from([*FORMULAS, *MULTILATERAL]))
def test_units_do_not_matter(trade, factor, formula):
    tonnes = trade["code"] == "100000"
    weight = trade["net_weight_kg"] * np.where(tonnes, factor, 1.0)
    other = prices(trade.assign(net_weight_kg=weight), formula)
    assert prices(trade, formula) == pytest.approx(other, rel=1e-9)


@LAW
@given(price_panels(periods=(2, 2)), st.sampled_from(REVERSIBLE))
def test_time_reversal(trade, formula):
    months = sorted(trade["period"].unique())
    back = trade.assign(period=trade["period"].map(dict(zip(months, months[::-1], strict=True))))
    assert prices(trade, formula)[1] * prices(back, formula)[1] == pytest.approx(1, rel=1e-10)


@LAW
@given(price_panels(), st.sampled_from(FACTORS), st.sampled_from(["fixed", "chained"]))
def test_factor_reversal(trade, formula, base):
    table = price_index(trade, formula, base=base).table
    product = (table["price"] * table["volume"]).to_numpy()
    assert product == pytest.approx(table["value"].to_numpy(), rel=1e-10)


@settings(LAW, max_examples=6)
@given(price_panels(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(trade, random):
    order = random.sample(range(len(trade)), len(trade))
    for formula in ("fisher", "geks_walsh"):
        shuffled = prices(trade.iloc[order], formula)
        assert prices(trade, formula) == pytest.approx(shuffled, rel=1e-11)


@settings(LAW, max_examples=8)
@given(price_panels(periods=(3, 4)), st.sampled_from(list(MULTILATERAL)))
def test_multilateral_indices_are_transitive(trade, formula):
    """Any period may be the base: from the last one the series is the same, up to scale."""
    months = sorted(trade["period"].unique())
    back = trade.assign(period=trade["period"].map(dict(zip(months, months[::-1], strict=True))))
    there, other = prices(trade, formula), prices(back, formula)[::-1]
    assert there == pytest.approx(other / other[0], rel=1e-8)


@LAW
@given(price_panels(periods=(2, 2)), st.sampled_from(list(FORMULAS)))
def test_entrants_leave_the_price_index_unchanged(trade, formula):
    new = trade.tail(1).assign(code="999999")
    grown, plain = prices(pd.concat([trade, new]), formula), prices(trade, formula)
    assert grown[1] == pytest.approx(plain[1], rel=1e-13)


@LAW
@given(price_panels(products=(1, 1)), st.sampled_from([*FORMULAS, *MULTILATERAL]))
def test_one_product_is_its_own_index(trade, formula):
    relative = (trade["price"] / trade["price"].iloc[0]).to_numpy()
    assert prices(trade, formula) == pytest.approx(relative, rel=1e-9)


def years(seed=3, codes=4, count=3):
    """Draw monthly rows of a few years."""
    rng = np.random.default_rng(seed)
    months = pd.date_range("2020-01-01", periods=12 * count, freq="MS")
    rows = pd.DataFrame(
        [(m, f"{100000 + i}") for m in months for i in range(codes)], columns=["period", "code"]
    )
    weight, price = rng.lognormal(3, 0.5, len(rows)), rng.lognormal(1, 0.4, len(rows))
    return rows.assign(net_weight_kg=weight, value_usd=weight * price)


def test_previous_year_base_by_definition():
    trade = years()
    trade["year"] = trade["period"].dt.year
    annual = trade.groupby(["code", "year"])[["value_usd", "net_weight_kg"]].sum() / 12

    def fisher(v0, q0, v1, q1):
        return math.sqrt((v1 / q1 @ q0) / v0.sum() * v1.sum() / (v0 / q0 @ q1))

    def cells(rows):
        return rows["value_usd"].to_numpy(), rows["net_weight_kg"].to_numpy()

    year = {y: cells(annual.xs(y, level="year")) for y in (2020, 2021, 2022)}
    table = price_index(trade, "fisher", base="previous-year").table.set_index("period")["price"]
    for month in ("2021-05-01", "2022-11-01"):
        period = pd.Timestamp(month)
        direct = fisher(*year[period.year - 1], *cells(trade[trade["period"] == period]))
        link = fisher(*year[2020], *year[2021]) if period.year == 2022 else 1.0
        assert table[period] == pytest.approx(direct * link, rel=1e-12)
    assert len(table) == 24


def test_year_over_year_sets_a_month_against_the_same_month():
    trade = years(count=2)
    seasonal = price_index(trade, "fisher", base="year-over-year").table
    assert len(seasonal) == 12
    pair = trade[trade["period"].isin(pd.to_datetime(["2020-03-01", "2021-03-01"]))]
    pair = pair.assign(period=pair["period"].map(lambda p: pd.Timestamp(p.year, 1, 1)), freq="A")
    assert seasonal["price"][2] == pytest.approx(prices(pair, "fisher")[1], rel=1e-12)


def test_drift_of_a_bouncing_price_is_shown():
    """Sale and stockpiling: the chain does not come back to one, the direct index does."""
    price, weight = [2.0, 1.0, 2.0, 2.0] * 4, [10.0, 50.0, 2.0, 10.0] * 4
    months = pd.date_range("2021-01-01", periods=16, freq="MS")
    goods = [(m, "1", p * w, w) for m, p, w in zip(months, price, weight, strict=True)]
    goods += [(m, "2", 20.0, 10.0) for m in months]
    names = ["period", "code", "value_usd", "net_weight_kg"]
    trade = pd.DataFrame(goods, columns=names)
    assert prices(trade, "fisher", base="fixed")[-1] == pytest.approx(1)
    assert abs(prices(trade, "fisher", base="chained")[-1] - 1) > 0.2


def test_annual_rows_and_windows():
    trade = years(count=4)
    annual = trade.assign(period=trade["period"].dt.to_period("Y").dt.to_timestamp(), freq="A")
    annual = annual.groupby(["period", "code", "freq"], as_index=False).sum()
    chained = price_index(annual, base="chained")
    assert len(chained.table) == 4
    by_year = price_index(trade, base="previous-year", window="2020-01/2022-12").table
    assert by_year["period"].max() == pd.Timestamp("2022-12-01")
    assert "price index ends at" in chained.sentence()
    fixed = price_index(trade, base="2021").table
    assert fixed.loc[fixed["period"].dt.year == 2021, "price"].mean() == pytest.approx(1, abs=0.2)


def test_what_cannot_be_matched_is_an_error_and_never_nan():
    trade = years(count=1)
    with pytest.raises(SchemaMismatch, match="no product is priced"):
        price_index(trade.assign(net_weight_kg=np.nan), base="fixed")
    dark = trade["net_weight_kg"].mask(trade["period"] == pd.Timestamp("2020-05-01"))
    with pytest.raises(SchemaMismatch, match="no product is priced in both 2020-05"):
        price_index(trade.assign(net_weight_kg=dark), base="chained")
    with pytest.raises(SchemaMismatch, match="too few periods"):
        price_index(trade.head(4), base="chained")
    assert prices(trade.head(4), "fisher") == pytest.approx([1.0])
    with pytest.raises(SchemaMismatch, match="no rows for 2020-02"):
        price_index(trade[trade["period"] != pd.Timestamp("2020-02-01")], base="chained")
    with pytest.raises(SchemaMismatch, match="share a key"):
        price_index(pd.concat([trade, trade.head(1)]), base="fixed")
    with pytest.raises(ValueError, match="formula"):
        price_index(trade, "quetelet", base="fixed")
    with pytest.raises(ValueError, match="base"):
        price_index(trade, base="last-year")


def test_periods_that_nothing_links_have_no_multilateral_index():
    trade = years(count=1)
    apart = trade.assign(code=trade["period"].dt.month.astype(str).str.zfill(6))
    dark = trade["net_weight_kg"].mask(trade["period"] == pd.Timestamp("2020-05-01"))
    for broken in (
        apart.drop_duplicates(["period", "code"]),
        trade.assign(net_weight_kg=dark),
        trade.assign(net_weight_kg=np.nan),
    ):
        with pytest.raises(SchemaMismatch) as caught:
            price_index(broken, "geks_fisher")
        assert str(caught.value) == (
            "periods that share no priced product\n"
            "  expected: products that link each period of the window with every other\n"
            "  what to do: choose a shorter window, or a bilateral formula"
        )


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_extreme_numbers_are_defined_or_refused(formula, size):
    trade = years(count=1, codes=1).head(2)
    trade["value_usd"] = [size, size * 2]
    assert prices(trade, formula)[1] > 0
    trade["value_usd"] = [1 / size, size]
    with pytest.raises(SchemaMismatch):
        price_index(trade, formula, base="fixed")


def test_a_unit_change_breaks_the_match():
    trade = years(count=1, codes=2).head(4).rename(columns={"net_weight_kg": "quantity"})
    trade["quantity_unit"] = ["u", "u", "u", "kg"]
    table = price_index(trade, quantity="quantity", base="fixed").table
    alone = trade[trade["code"] == "100000"]
    assert (
        table["price"][1]
        == prices(alone.rename(columns={"quantity": "net_weight_kg"}), "fisher")[1]
    )
    assert table["matched_share"][1] < 1


ANNUAL = ["period", "code", "freq"]


def annual_and_monthly(day="01-01"):
    """Return monthly rows, and the same summed to years that are dated on one day."""
    trade = years(count=3)
    rows = trade.assign(period=pd.to_datetime(trade["period"].dt.year.astype(str) + f"-{day}"))
    return trade, rows.assign(freq="A").groupby(ANNUAL, as_index=False).sum()


@pytest.mark.parametrize("formula", ["fisher", "sato_vartia"])
def test_a_window_of_annual_rows_is_counted_in_years(formula):
    _, annual = annual_and_monthly()
    fixed = price_index(annual, formula, base="fixed").table
    for base in ("2020", "2020-01", "2020-05"):
        found = price_index(annual, formula, base=base).table
        pd.testing.assert_frame_equal(found, fixed, rtol=1e-12)
    both = price_index(annual, formula, base="2020-01/2021-12").table
    assert both["value"].iloc[:2].mean() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("formula", ["fisher", "walsh", "geks_fisher"])
def test_the_day_of_a_period_does_not_matter(formula):
    monthly, annual = annual_and_monthly()
    _, last_day = annual_and_monthly("12-31")
    base = {} if formula in MULTILATERAL else {"base": "chained"}
    wanted = price_index(annual, formula, **base).table
    pd.testing.assert_frame_equal(price_index(last_day, formula, **base).table, wanted)
    assert wanted["matched_share"].tolist() == pytest.approx([1, 1, 1])
    days = pd.to_timedelta(monthly["code"].astype(int) % 4, unit="D")
    found = price_index(monthly.assign(period=monthly["period"] + days), formula, **base).table
    pd.testing.assert_frame_equal(found, price_index(monthly, formula, **base).table, rtol=1e-12)
    assert contributions(last_day, "2020", "2021").equals(contributions(annual, "2020", "2021"))


def test_a_product_stands_once_in_a_year():
    _, annual = annual_and_monthly()
    twice = pd.concat([annual, annual.head(1).assign(period=pd.Timestamp("2020-12-31"))])
    for measure in (
        lambda t: price_index(t, base="fixed"),
        lambda t: contributions(t, "2020", "2021"),
        lambda t: bridge(t, "2020", "2021", path="two-point"),
    ):
        measure(annual)
        with pytest.raises(SchemaMismatch, match="share a key"):
            measure(twice)


def test_contributions_are_of_one_period_each():
    monthly, annual = annual_and_monthly()
    for windows in (("2020", "2021"), ("2020-01", "2021"), ("2020-01/2020-02", "2021-01")):
        with pytest.raises(SchemaMismatch, match="of several periods"):
            contributions(monthly, *windows)
    with pytest.raises(SchemaMismatch, match="of several periods"):
        contributions(annual, "2020-01/2021-12", "2022")
    with pytest.raises(SchemaMismatch, match="no product is priced in both 2021 and 2020"):
        contributions(annual.assign(net_weight_kg=np.nan), "2020", "2021")
    with pytest.raises(SchemaMismatch, match="no product is priced in both 2021-01 and 2020-01"):
        contributions(monthly.assign(net_weight_kg=np.nan), "2020-01", "2021-01")


def test_a_first_year_that_is_not_whole_is_worth_a_warning():
    trade = years(count=3)
    late = trade[trade["period"] >= pd.Timestamp("2020-07-01")]
    with pytest.warns(PartialPeriodWarning, match="begins with 2020-07") as caught:
        price_index(late)
    assert caught[0].filename == __file__
    price_index(late, window="2021-01/2022-12")
    price_index(late, base="chained")
    price_index(trade)


def test_a_base_year_half_published_by_a_reporter_is_refused():
    trade = years(count=2)
    late = trade[trade["period"] >= pd.Timestamp("2020-07-01")]
    both = pd.concat([trade.assign(reporter="TUR"), late.assign(reporter="KAZ")])
    with pytest.raises(SchemaMismatch, match="no rows of reporter KAZ for 2020-01, 2020-02"):
        price_index(both)


def test_the_share_that_is_priced_speaks_of_every_link() -> None:
    rows = [
        ("2022-01", "a", 100.0, 10.0), ("2022-01", "b", 100.0, 10.0),
        ("2022-02", "a", 100.0, 10.0), ("2022-02", "c", 300.0, 10.0),
        ("2022-03", "a", 120.0, 10.0), ("2022-03", "c", 300.0, 10.0),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["period", "code", "value_usd", "net_weight_kg"])
    table["period"] = pd.to_datetime(table["period"])
    chained = price_index(table, base="chained").sentence()
    assert "between 25 % (Feb 2022) and 100 % of the value of a period is priced" in chained
