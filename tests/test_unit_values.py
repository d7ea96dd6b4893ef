"""Quantities carry their status; odd unit values are listed, never deleted."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradeflows.errors import EstimatedQuantityWarning
from tradeflows.quality.unit_values import flags, outliers, relatives, unit_values

ORACLE = pd.read_csv(Path(__file__).parent / "oracles" / "outliers.csv")
RELATIVE = ORACLE["relative"].to_numpy()


@pytest.mark.parametrize(
    ("column", "relative"), [("robust_z", RELATIVE), ("robust_z_log", np.log(RELATIVE))]
)
def test_outliers_are_those_of_gpindex(column, relative):
    assert outliers(pd.Series(relative)).tolist() == ORACLE[column].tolist()
    assert not outliers(pd.Series([1.0] * 5)).any()


def trade(codes=30, wrong=()):
    """Build two Januaries of one chapter; codes in ``wrong`` are in grams the second time."""
    rng = np.random.default_rng(1)
    rows = []
    for year in (2021, 2022):
        for i in range(codes):
            value = float(rng.lognormal(10, 1))
            weight = value / (5 + i) * float(rng.lognormal(0, 0.05))
            if year == 2022 and i in wrong:
                weight *= 1000
            rows.append((f"{year}-01-01", f"85{4000 + i}", value, weight, "reported"))
    names = ["period", "code", "value_usd", "net_weight_kg", "weight_status"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(period=pd.to_datetime(frame["period"]))


def test_unit_errors_are_listed_and_the_table_is_untouched():
    rows = trade(wrong=(3, 7))
    before = rows.copy()
    listed = flags(rows)
    assert sorted(listed["code"]) == ["854003", "854007"]
    pd.testing.assert_frame_equal(rows, before)


def test_small_groups_are_pooled_and_sound_trade_is_not_flagged():
    assert flags(trade(codes=5)).empty
    assert flags(trade()).empty
    assert flags(trade().head(30)).empty


@pytest.mark.parametrize("weight", [0.0, np.nan])
def test_status_of_a_weight_that_is_not_there(weight):
    rows = trade(codes=2)
    rows.loc[0, "net_weight_kg"] = weight
    rows.loc[1, "weight_status"] = "estimated"
    with pytest.warns(EstimatedQuantityWarning):
        out = unit_values(rows).set_index(["code", "period"])
    january = pd.Timestamp("2021-01-01")
    assert out.loc[("854000", january), "status"] == "missing"
    assert out.loc[("854001", january), "status"] == "estimated"
    assert out["unit_value"].isna().sum() == 2
    accepted = unit_values(rows, estimated="accepted")
    assert accepted["unit_value"].isna().sum() == 1


def test_relatives_pair_the_same_month_and_unit():
    rows = trade(codes=3)
    rows = rows.rename(columns={"net_weight_kg": "quantity"}).drop(columns="weight_status")
    rows["quantity_unit"] = ["u", "u", "u", "kg", "u", "u"]
    pairs = relatives(rows, quantity="quantity")
    assert pairs["code"].tolist() == ["854001", "854002"]
