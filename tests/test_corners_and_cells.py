"""Laws at the edges: logarithmic means, shares of a change, other quantities, other frequencies."""

from decimal import Decimal, getcontext

import numpy as np
import pandas as pd
import pytest

import examples
from tradeflows import measure
from tradeflows.errors import EstimatedQuantityWarning
from tradeflows.measure import montgomery

MULTILATERAL = ["geks_fisher", "geks_tornqvist", "geks_walsh"]


@pytest.fixture(scope="module")
def trade():
    return examples.six_products()


@pytest.mark.parametrize(
    ("v0", "v1"), [(2.0, 3.0), (3.0, 2.0), (5.0, 5.0), (1e-3, 1e3), (1.0, 1.000098), (7.0, 6.9998)]
)
def test_the_logarithmic_mean_and_its_slopes_to_many_digits(v0, v1):
    getcontext().prec = 60
    found = montgomery.log_means(np.array([v0]), np.array([v1]))
    a, b = Decimal(v0), Decimal(v1)
    if v0 == v1:
        expected = (v0, 0.5, 0.5, 1 / 6 / v1)
    else:
        log = (b / a).ln()
        mean = (b - a) / log
        by_a = (mean / a - 1) / log
        mixed = (mean / a - 2 * by_a) / log / b
        expected = (float(mean), float(by_a), float((1 - mean / b) / log), float(mixed))
    for one, other, rel in zip(found, expected, (1e-13, 1e-12, 1e-12, 1e-5), strict=True):
        assert one[0] == pytest.approx(other, rel=rel)


def test_contributions_are_named_ordered_and_add_up(trade):
    found = measure.contributions(trade, "2018", "2022")
    index = measure.price_index(trade, "fisher", base="fixed").table["price"]
    assert list(found) == ["code", "relative", "contribution"]
    assert found.index.tolist() == list(range(6))
    assert found["contribution"].sum() == pytest.approx(index.iloc[-1] - 1, rel=1e-12)
    assert found["contribution"].abs().is_monotonic_decreasing
    prices = found.set_index("code")["relative"]
    assert prices.loc[["services", "electronics", "energy"]].tolist() == pytest.approx([2, 0.1, 1])
    next_year = measure.contributions(trade, "2018", "2019").set_index("code")["relative"]
    assert next_year["energy"] == pytest.approx(3)


def test_contributions_of_many_pairs_keep_them_apart(trade):
    both = pd.concat([trade.assign(partner=p, value_usd=trade["value_usd"] * n)
                      for p, n in (("RUS", 1), ("KAZ", 2))])  # fmt: skip
    found = measure.contributions(both, "2018", "2022")
    assert list(found) == ["partner", "code", "relative", "contribution"]
    assert len(found) == 12
    alone = measure.contributions(trade, "2018", "2022")["contribution"].sum()
    assert found["contribution"].sum() == pytest.approx(alone, rel=1e-9)


def test_contributions_leave_out_what_the_publisher_estimated(trade):
    guessed = trade.assign(
        weight_status=np.where(trade["code"] == "energy", "estimated", "reported")
    )
    with pytest.warns(EstimatedQuantityWarning):
        found = measure.contributions(guessed, "2018", "2022")
    assert set(trade["code"]) - set(found["code"]) == {"energy"}
    accepted = measure.contributions(guessed, "2018", "2022", estimated="accepted")
    pd.testing.assert_frame_equal(accepted, measure.contributions(trade, "2018", "2022"))


@pytest.mark.parametrize("formula", [*MULTILATERAL, "fisher", "tornqvist"])
def test_any_column_may_be_the_quantity(trade, formula):
    base = {} if formula in MULTILATERAL else {"base": "fixed"}
    whole = measure.price_index(trade, formula, **base).table
    pieces = trade.assign(pieces=trade["net_weight_kg"], net_weight_kg=1.0)
    found = measure.price_index(pieces, formula, quantity="pieces", **base).table
    pd.testing.assert_frame_equal(found, whole)
    assert measure.contributions(pieces, "2018", "2022", quantity="pieces").equals(
        measure.contributions(trade, "2018", "2022")
    )


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_a_multilateral_index_starts_at_one_and_knows_estimates(trade, formula):
    found = measure.price_index(trade, formula).table
    assert found[["price", "volume", "value"]].iloc[0].tolist() == pytest.approx([1, 1, 1])
    assert found["period"].dt.year.tolist() == [2018, 2019, 2020, 2021, 2022]
    value = trade.groupby("period")["value_usd"].sum()
    assert found["value"].tolist() == pytest.approx((value / value.iloc[0]).tolist())
    assert (found["price"] * found["volume"]).tolist() == pytest.approx(found["value"].tolist())
    known = trade["code"] != "energy"
    guessed = trade.assign(weight_status=np.where(known, "reported", "estimated"))
    with pytest.warns(EstimatedQuantityWarning):
        less = measure.price_index(guessed, formula).table
    only = measure.price_index(trade[known], formula).table
    assert less["price"].tolist() == pytest.approx(only["price"].tolist())
    accepted = measure.price_index(guessed, formula, estimated="accepted").table
    assert accepted["price"].tolist() == pytest.approx(found["price"].tolist())


@pytest.mark.parametrize("base", ["chained", "fixed"])
def test_a_bilateral_series_starts_at_one_in_the_first_period(trade, base):
    found = measure.price_index(trade, "fisher", base=base).table
    assert found["period"].iloc[0] == pd.Timestamp("2018-01-01")
    assert found[["price", "volume", "value"]].iloc[0].tolist() == [1, 1, 1]
    assert found["matched_share"].tolist() == pytest.approx([1] * 5)
    assert found.index.tolist() == list(range(5))


def two(v0, v1, q0, q1, **more):
    return pd.DataFrame(
        {
            "period": pd.to_datetime(["2021-01-01", "2022-01-01"] * len(v0)),
            "code": np.repeat([f"{27 + i}0900" for i in range(len(v0))], 2),
            "value_usd": np.column_stack([v0, v1]).ravel().astype(float),
            "net_weight_kg": np.column_stack([q0, q1]).ravel().astype(float),
            **more,
        }
    )


def test_a_share_is_given_only_where_it_means_something():
    found = measure.bridge(two([1000.0], [1101.0], [10], [10]), "2021-01", "2022-01")
    assert found.share("price") == pytest.approx(1)
    assert found.share("volume") is None  # nothing of the change
    assert found.share("entry") is None
    edge = measure.bridge(two([1000.0], [1100.0], [10], [10]), "2021-01", "2022-01")
    assert edge.share("price") is None  # a tenth of the base is still too little
    small = measure.bridge(two([0.4], [0.8], [10], [10]), "2021-01", "2022-01")
    assert small.share("price") == pytest.approx(1)  # whatever the unit of value
    against = measure.bridge(two([1000.0], [2000.0], [10], [5]), "2021-01", "2022-01")
    assert against.share("volume") is None
    assert against.share("price") == pytest.approx(7.5 * 300 / 1000)
