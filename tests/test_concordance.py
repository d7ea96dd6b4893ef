"""No value is lost when codes change, and listed goods do not vanish before 2022."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeflows.codes.groups import harmonised, high_priority, is_essential
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch, UnknownCode
from tradeflows.measure import bridge
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


def two(**columns) -> pd.DataFrame:
    """Return the two codes that were one before 2022, with a weight each, and other columns."""
    start = {
        "period": pd.Timestamp("2022-01-01"), "flow": "X", "partner": "RUS",
        "code_system": "HS2022", "code": ["854151", "854159"], "level": 6,
        "value_usd": [2.0, 3.0], "net_weight_kg": [1.0, 4.0], "weight_status": "reported",
    }  # fmt: skip
    return pd.DataFrame({**start, **columns})


def test_codes_of_a_group_are_one_good_though_they_stand_in_two_files():
    rows = two(origin=["b.json", "a.json"], vintage=["2023-01-01", "2023-02-01"], source="x")
    frame = harmonise(rows).frame
    assert frame["value_usd"].tolist() == [5.0]
    assert frame["net_weight_kg"].tolist() == [5.0]
    assert frame["origin"].tolist() == ["a.json"]
    assert frame["vintage"].tolist() == ["2023-02-01"]
    before = two(period=pd.Timestamp("2021-01-01"), code_system="HS2017", code="854150").head(1)
    both = pd.concat([before.assign(origin="b.json", vintage="2023-01-01", source="x"), rows])
    found = bridge(harmonise(both).frame, "2021-01", "2022-01")
    assert (found.change, found.entry) == (3.0, 0.0)


@pytest.mark.parametrize(
    "differing", [{"origin": ["a.json", "b.json"]}, {"vintage": ["2023-01-01", "2023-02-01"]}]
)
@pytest.mark.parametrize("code", ["854151", "010121"])
def test_one_code_from_two_files_is_not_summed(differing, code):
    with pytest.raises(DoubleCountedTotals, match="a code of two files or vintages side by side"):
        harmonise(two(code=code, **differing))


def test_goods_in_two_revisions_of_one_month_are_not_summed():
    rows = two(code_system=["HS2017", "HS2022"], code=["854150", "854151"])
    with pytest.raises(
        DoubleCountedTotals, match="codes of HS2017, HS2022 side by side in g854150 of 2022-01"
    ):
        harmonise(rows)
    assert len(harmonise(rows.assign(partner=["RUS", "KAZ"])).frame) == 2


@pytest.mark.parametrize("weight", [0.0, None])
@pytest.mark.parametrize("said", [{}, {"weight_status": "reported"}, {"weight_status": None}])
def test_a_part_with_a_value_and_no_weight_leaves_the_sum_without_one(weight, said):
    rows = two(net_weight_kg=[1.0, weight]).drop(columns="weight_status").assign(**said)
    merged = harmonise(rows).frame
    assert list(merged) == list(rows)
    assert merged["value_usd"].tolist() == [5.0]
    assert merged["net_weight_kg"].isna().all()
    assert "weight_status" not in merged or merged["weight_status"].tolist() == ["missing"]


def test_a_part_without_a_value_needs_no_weight():
    nothing = two(value_usd=[2.0, 0.0], net_weight_kg=[1.0, None])
    merged = harmonise(nothing.assign(weight_status=["reported", "missing"])).frame
    assert merged[["net_weight_kg", "weight_status"]].to_numpy().tolist() == [[1.0, "reported"]]
    plain = harmonise(nothing.drop(columns="weight_status")).frame
    assert plain["net_weight_kg"].tolist() == [1.0]
    guessed = harmonise(two(weight_status=["reported", "estimated"])).frame
    assert guessed[["net_weight_kg", "weight_status"]].to_numpy().tolist() == [[5.0, "estimated"]]


@pytest.mark.parametrize(
    ("units", "sums"),
    [(["kg", "kg"], True), ([None, "kg"], False), (["kg", None], False), (["u", "kg"], False)],
)
@pytest.mark.parametrize("said", [{}, {"quantity_status": "reported"}])
def test_no_unit_is_a_unit_of_its_own(units, sums, said):
    merged = harmonise(two(quantity=1.0, quantity_unit=units, **said)).frame
    assert merged["quantity"].fillna(-1.0).tolist() == [2.0 if sums else -1.0]
    assert merged["quantity_unit"].fillna("").tolist() == ["kg" if sums else ""]
    assert merged["net_weight_kg"].tolist() == [5.0]
    if said:
        assert merged["quantity_status"].tolist() == ["reported" if sums else "missing"]


def test_amounts_without_units_are_in_one_unit():
    for units in ({}, {"quantity_unit": None}):
        assert harmonise(two(quantity=1.0, **units)).frame["quantity"].tolist() == [2.0]


def test_rows_need_no_flow_but_a_code_and_a_value():
    done = harmonise(two().drop(columns="flow"))
    assert done.table.to_numpy().tolist() == [[pd.Timestamp("2022-01-01"), "HS2022", 5.0, 5.0]]
    with pytest.raises(SchemaMismatch, match="no column 'code_system', 'value_usd' among period"):
        harmonise(two().drop(columns=["code_system", "value_usd"]))


@pytest.mark.parametrize("switch", ["2022-01", "2022-07"])
def test_harmonising_twice_changes_nothing(switch):
    trade = panel(switch).assign(origin=lambda d: "file " + d["code"].str[-1], vintage="2023-01-01")
    once = harmonise(trade).frame
    pd.testing.assert_frame_equal(harmonise(once).frame, once)
    shown = once.assign(code=once["code"].str.removeprefix("g"))  # as the panel writes them
    pd.testing.assert_frame_equal(harmonise(shown).frame, shown)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_summed_no_value_is_lost(data):
    codes = ["854151", "854159", "852581", "852589", "010121"]
    drawn = data.draw(st.lists(st.tuples(
        st.sampled_from(codes), st.sampled_from(["2022-01-01", "2022-02-01"]),
        st.sampled_from(["a", "b"]), st.floats(0, 1e9), st.one_of(st.none(), st.floats(0, 1e6)),
        st.sampled_from(["reported", "estimated", "missing"]),
    ), min_size=1, max_size=12, unique_by=lambda r: r[:2]))  # fmt: skip
    names = ["code", "period", "origin", "value_usd", "net_weight_kg", "weight_status"]
    rows = pd.DataFrame(drawn, columns=names).assign(code_system="HS2022", level=6)
    rows["period"] = pd.to_datetime(rows["period"])
    rows["net_weight_kg"] = rows["net_weight_kg"].astype("float64")
    rows.index = [7] * len(rows)
    done = harmonise(rows)
    assert done.frame["value_usd"].sum() == pytest.approx(rows["value_usd"].sum())
    assert done.table["value_usd"].sum() == pytest.approx(rows["value_usd"].sum())
    assert not done.frame.duplicated(["period", "code"]).any()
    pd.testing.assert_frame_equal(harmonise(done.frame).frame, done.frame)


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
