"""No value is lost when codes change, and listed goods do not vanish before 2022."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradeflows.codes.groups import harmonised, high_priority, is_essential
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.quality.concordance import harmonise

SHARED = Path(os.environ.get("TRADEFLOWS_SHARED", Path(__file__).parents[2] / "shared"))
TUIK = SHARED / "fixtures" / "tuik" / "turkey_russia_hs8_monthly_2025.csv.gz"


def panel(switch: str, seed: int = 0) -> pd.DataFrame:
    """Make monthly rows of every listed good that change from HS 2017 to HS 2022 at `switch`."""
    rng = np.random.default_rng(seed)
    known = high_priority()
    rows = []
    for month in pd.date_range("2021-01-01", "2022-12-01", freq="MS"):
        new = month >= pd.Timestamp(switch)
        for code in sorted(set(known["hs2022"] if new else known["hs2017"])):
            weight = float(rng.lognormal())
            missing = rng.random() < 0.2
            rows.append(
                {
                    "period": month,
                    "flow": "X",
                    "partner": "RUS",
                    "code_system": "HS2022" if new else "HS2017",
                    "code": code,
                    "level": 6,
                    "value_usd": float(rng.lognormal(10)),
                    "net_weight_kg": None if missing else weight,
                    "weight_status": "missing" if missing else "reported",
                    "quantity": weight,
                    "quantity_unit": rng.choice(["u", "kg"]),
                    "quantity_status": "reported",
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("switch", ["2022-01", "2022-07"])
def test_total_value_is_what_it_was_in_every_month(switch):
    trade = panel(switch)
    done = harmonise(trade)
    before = trade.groupby("period")["value_usd"].sum()
    after = done.frame.groupby("period")["value_usd"].sum()
    assert (after / before - 1).abs().max() < 1e-12
    assert done.table["value_usd"].sum() == pytest.approx(trade["value_usd"].sum(), rel=1e-12)


@pytest.mark.parametrize("switch", ["2022-01", "2022-07"])
def test_listed_goods_are_in_every_month_on_both_sides_of_the_change(switch):
    frame = harmonise(panel(switch)).frame
    wanted = set(high_priority()["group"])
    for _, month in frame.groupby("period"):
        assert set(month["code"]) == wanted


def test_a_plain_list_would_give_false_zeros():
    """The trap the groups exist for: six codes have no trade before the change."""
    trade = panel("2022-01")
    plain = trade[trade["code"].isin(high_priority()["hs2022"])]
    before = set(plain.loc[plain["period"] < "2022-01-01", "code"])
    assert len(set(high_priority()["hs2022"]) - before) == 6


def test_semiconductors_never_become_telephones():
    assert harmonised()["HS2022", "854151"] == harmonised()["HS2022", "854159"] == "g854150"
    assert "851712" not in {code for _, code in harmonised()}
    assert "851712" not in set(high_priority()["hs2017"])


def test_a_sum_has_a_weight_only_if_every_part_has():
    trade = panel("2022-01")
    frame = harmonise(trade).frame
    assert frame.loc[frame["weight_status"] == "reported", "net_weight_kg"].notna().all()
    pair = trade[trade["code"].isin(["854151", "854159"])].groupby("period")["weight_status"]
    whole = pair.agg(lambda s: (s == "reported").all())
    merged = frame[frame["code"] == "g854150"].set_index("period").loc[whole.index]
    assert ((merged["weight_status"] == "reported") == whole).all()


def test_mixed_units_have_no_quantity():
    trade = panel("2021-01")
    rows = trade[trade["code"].isin(["854151", "854159"])].head(2)
    merged = harmonise(rows.assign(quantity_unit=["u", "kg"])).frame
    assert merged["quantity"].isna().all()
    assert merged["quantity_status"].tolist() == ["missing"]


def test_order_of_rows_does_not_matter_and_once_is_enough():
    trade = panel("2022-07")
    one = harmonise(trade).frame
    other = harmonise(trade.sample(frac=1, random_state=1)).frame
    key = ["period", "code"]
    columns = [*key, "value_usd", "net_weight_kg", "weight_status"]
    pd.testing.assert_frame_equal(
        one.sort_values(key)[columns].reset_index(drop=True),
        other.sort_values(key)[columns].reset_index(drop=True),
    )


def test_rows_that_are_no_hs6_codes_are_refused():
    with pytest.raises(SchemaMismatch, match="six digits"):
        harmonise(panel("2022-01").assign(code="85"))


@pytest.mark.skipif(not TUIK.exists(), reason="the recorded TÜİK file is not in a user's clone")
def test_the_real_file_of_2025_keeps_every_dollar():
    raw = pd.read_csv(TUIK, dtype={"hs6": str})
    six = raw.groupby(["period", "flow", "hs6"], as_index=False)["value_usd"].sum()
    trade = six.rename(columns={"hs6": "code"}).assign(code_system="HS2022")
    done = harmonise(trade).frame
    before = trade.groupby(["period", "flow"])["value_usd"].sum()
    after = done.groupby(["period", "flow"])["value_usd"].sum()
    assert len(before) == 24
    assert (after / before - 1).abs().max() < 1e-12


def test_versions_of_the_list():
    assert [len(high_priority(v)) for v in ("2023-05", "2023-09", "2024-02")] == [9, 45, 50]
    with pytest.raises(UnknownCode, match="2023-07"):
        high_priority("2023-07")


def test_groups_that_cannot_be_compared_say_why():
    broken = high_priority()[lambda d: d["comparability"] == "break"]
    assert set(broken["hs2022"]) == {"854149", "901380"}
    assert (broken["why"].str.len() > 20).all()


@pytest.mark.parametrize(
    ("code", "essential"),
    [
        ("010121", True),
        ("240110", True),
        ("25", False),
        ("27", True),
        ("300210", True),
        ("901710", False),
        ("902290", True),
        ("902300", False),
    ],
)
def test_essential_goods(code, essential):
    assert is_essential(code) is essential
