"""A pair as it was published: India's listed goods to Russia, monthly values by six-digit code."""

import os
from pathlib import Path

import pandas as pd
import pytest

import tradeflows as tf
from tradeflows.codes import hs

SHARED = Path(os.environ.get("TRADEFLOWS_SHARED", Path(__file__).parents[2] / "shared"))
FILE = SHARED / "fixtures/india/india_exports_to_russia_high_priority_hs6_monthly.csv"
MUSD = {"2021": 55.9, "2022": 62.0, "2023": 185.9, "2024": 567.5}
WITHOUT_COMPUTERS = {"2021": 55.9, "2022": 50.9, "2023": 152.0, "2024": 137.7}  # 847150


pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the file is not in a user's clone")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    found = pd.read_csv(FILE, dtype={"hs6": "str"}).rename(columns={"hs6": "code"})
    found["period"] = pd.to_datetime(found["month"] + "-01")
    return found[["period", "code", "value_usd"]].assign(reporter="IND", partner="RUS", flow="X")


def musd(rows: pd.DataFrame) -> dict[str, float]:
    years = (rows.groupby(rows["period"].dt.year)["value_usd"].sum() / 1e6).round(1)
    return {year: years[int(year)] for year in MUSD}


def test_one_code_makes_most_of_the_growth(rows):
    others = rows[rows["code"] != "847150"]
    assert musd(rows) == MUSD
    assert musd(others) == WITHOUT_COMPUTERS
    bare = tf.concord(rows.assign(net_weight_kg=float("nan")))
    found = tf.bridge(bare, "2021", "2024", path="two-point", published=["2021", "2024"])
    assert found.change / 1e6 == pytest.approx(MUSD["2024"] - MUSD["2021"], abs=0.1)
    assert found.price == found.volume == 0.0  # without weights nothing is priced


def test_codes_of_2022_alone_are_no_zeros_before_it(rows):
    """What stood under other numbers was not asked for: no entry may be made of it."""
    done = tf.concord(rows)
    assert done.system == "HS2017-HS2022"
    assert musd(done.frame) == MUSD
    new = hs.codes("HS2022") - hs.codes("HS2017")
    late = set(rows["code"]) & new
    assert len(late) == 6
    assert not set(done.frame["code"]) & late
    there, known = set(rows["code"]), hs.families("HS2017", "HS2022")
    held = known.groupby(["family", "revision"])["code"].agg(set).unstack().dropna()  # noqa: PD010
    several = held[[len(a | b) > 1 for a, b in zip(held["HS2017"], held["HS2022"], strict=True)]]
    told = {name for name, older in several["HS2017"].items() if not older & there}
    of_late = done.frame[done.frame["code"].isin(told)]
    assert of_late["period"].min() >= pd.Timestamp("2022-01-01")
    assert late <= set().union(*several.loc[sorted(told), "HS2022"])


def test_an_expectation_on_few_noisy_months_says_how_little_it_can_see(rows):
    monthly = rows.groupby("period")["value_usd"].sum()
    months = pd.date_range("2017-01-01", "2024-12-01", freq="MS")
    series = monthly.reindex(months, fill_value=0.0).rename("listed goods from India")
    found = tf.expected(series, event="2022-02", window="2024")
    assert found.actual / 1e6 == pytest.approx(MUSD["2024"], abs=0.05)
    assert found.outcome == "inside"  # ten times 2021, and no rise beyond what its past allows
    assert found.detectable > 10
