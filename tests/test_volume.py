"""Volume by three measures: what prices explain, what cannot be measured, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch

MONTHS = pd.date_range("2021-01-01", "2022-12-01", freq="MS")
CODES = ("854231", "854232", "847130")


def trade(price=1.0, amount=1.0, partner="RUS", codes=CODES):
    """Return rows of two years in which the second has other prices and amounts."""
    keys = pd.MultiIndex.from_product([MONTHS, codes], names=["period", "code"])
    rows = keys.to_frame(index=False)
    later = rows["period"] >= "2022-01-01"
    number = rows["code"].map({c: n for n, c in enumerate(CODES, 1)})
    pieces = 10.0 * number * np.where(later, amount, 1.0)
    return rows.assign(
        partner=partner, flow="X", value_usd=pieces * 5 * number * np.where(later, price, 1.0),
        net_weight_kg=2 * pieces, weight_status="reported",
        quantity=pieces, quantity_unit="u", quantity_status="reported",
    )  # fmt: skip


def volume(rows, elsewhere, complete=0.7, base="2021", current="2022"):
    return tf.volume(rows, elsewhere, base, current, complete=complete)


@pytest.mark.parametrize(("price", "amount"), [(1.0, 2.0), (3.0, 1.0), (1.5, 0.5)])
def test_price_and_volume_are_told_apart(price, amount):
    found = volume(trade(price, amount), trade(price, partner="DEU"))
    assert found.value == pytest.approx(price * amount - 1)
    assert found.table["price"].to_numpy() == pytest.approx(price - 1)
    assert found.table["volume"].to_numpy() == pytest.approx(amount - 1)
    assert found.growth.low == found.growth.high == pytest.approx(amount - 1)
    assert found.premium == pytest.approx(0)
    assert found.mix.change == pytest.approx(found.mix.volume + found.mix.price + found.mix.mix)


def test_a_premium_is_what_unit_values_rose_more_here_than_elsewhere():
    found = volume(trade(price=1.5), trade(price=1.2, partner="DEU"))
    assert found.premium == pytest.approx(1.5 / 1.2 - 1)
    assert found.growth.low == pytest.approx(0)  # the middle of three, two of which agree


def test_two_of_three_are_a_range_and_one_is_no_answer():
    pieces = trade(amount=2.0).assign(net_weight_kg=np.nan, weight_status="missing")
    two = volume(pieces, trade(price=1.25, partner="DEU"))
    assert (two.growth.low, two.growth.high) == pytest.approx((2 / 1.25 - 1, 1.0))
    none = pieces.assign(quantity=np.nan, quantity_status="missing")
    one = volume(none, trade(partner="DEU"))
    assert one.table["volume"].notna().sum() == 1
    assert one.growth is None
    assert "70 % are needed" in one.reason
    assert "cannot be determined" in one.sentence()
    assert one.reason in one.sentence()


def test_an_estimated_weight_makes_no_price():
    rows = trade(amount=2.0)
    guessed = rows.assign(weight_status="estimated", net_weight_kg=1.0)
    found = volume(guessed, trade(partner="DEU")).table
    assert np.isnan(found.loc["price of a kilogram", "price"])
    assert found.loc["price of a tariff unit", "volume"] == pytest.approx(1.0)


def test_how_much_must_be_seen_is_what_the_caller_says():
    rows = trade(amount=2.0)
    unseen = rows["code"].eq("847130")  # the largest part of the value
    rows.loc[unseen, ["net_weight_kg", "weight_status"]] = [np.nan, "missing"]
    share = 1 - rows["value_usd"][unseen].sum() / rows["value_usd"].sum()
    for complete, known in ((share - 0.01, True), (share + 0.01, False)):
        table = volume(rows, trade(partner="DEU"), complete).table
        assert np.isfinite(table.loc["price of a kilogram", "price"]) == known


def test_goods_in_two_tariff_units_have_no_price_by_unit():
    rows = trade(amount=2.0)
    rows.loc[rows["period"].eq("2022-03-01"), "quantity_unit"] = "kg"
    table = volume(rows, trade(partner="DEU")).table
    assert np.isnan(table.loc["price of a tariff unit", "price"])


def test_new_goods_are_volume():
    rows = trade()
    new = rows["code"].eq("854232") & (rows["period"] < "2022-01-01")
    found = volume(rows[~new], trade(partner="DEU"))
    assert found.table["price"].to_numpy() == pytest.approx(0)
    assert found.growth.low == pytest.approx(found.value)


def test_a_month_in_neither_trade_is_refused_and_a_month_in_one_is_zero():
    rows, others = trade(), trade(partner="DEU")
    may = rows["period"].eq("2022-05-01")
    assert volume(rows[~may], others).value < 0
    with pytest.raises(SchemaMismatch, match="no rows for 2022-05"):
        volume(rows[~may], others[~may])


def test_what_is_refused():
    rows, others = trade(), trade(partner="DEU")
    with pytest.raises(SchemaMismatch, match="windows"):
        volume(rows, others, base="2021-01/2021-06", current="2022")
    with pytest.raises(SchemaMismatch, match="one flow"):
        volume(pd.concat([rows, rows.assign(flow="M")]), others)
    chapter = rows.assign(code="85", level=2)
    with pytest.raises(DoubleCountedTotals):
        volume(pd.concat([rows.assign(level=6), chapter]), others)


def test_nothing_before():
    found = volume(trade().query("period >= '2022'"), trade(partner="DEU"))
    assert found.growth is None
    assert "no trade in the first window" in found.reason


def test_it_shows_itself():
    found = volume(trade(amount=2.0), trade(partner="DEU"))
    assert "+100" in found._repr_html_()
    assert tf.plot.show(found).table["label"].tolist() == list(found.table.index)
    none = volume(trade().query("period >= '2022'"), trade(partner="DEU"))
    assert tf.plot.show(none) == none.sentence()
