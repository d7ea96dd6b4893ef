"""No value is lost when codes change, and goods do not vanish because their number did."""

import gzip
import hashlib
import os
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import tradeflows as tf
from tradeflows.codes import hs
from tradeflows.codes.groups import asked, high_priority, listed
from tradeflows.errors import (
    DoubleCountedTotals,
    RenumberedCodesWarning,
    SchemaMismatch,
    UnknownCode,
)
from tradeflows.measure import contributions
from tradeflows.measure.bridge import bridge
from tradeflows.quality.concordance import concord
from tradeflows.sources import eurostat, refresh

SHARED = Path(os.environ.get("TRADEFLOWS_SHARED", Path(__file__).parents[2] / "shared"))
TUIK = SHARED / "fixtures" / "tuik" / "turkey_russia_hs8_monthly_2025.csv.gz"
TABLES = SHARED / "hs"
STEPS = [*pairwise(hs.REVISIONS), ("HS1992", "HS2022")]
FEW = [STEPS[0], STEPS[-2], STEPS[-1]]  # where every code is brought everywhere
DATA = files("tradeflows.codes")


def every_code(first: str, last: str) -> pd.DataFrame:
    """Return a month of every code of one revision and a month of every code of another."""
    rng = np.random.default_rng(0)
    months = zip(("2021-01-01", "2022-01-01"), (first, last), strict=True)
    frames = [
        pd.DataFrame({"period": pd.Timestamp(month), "code_system": name,
                      "code": sorted(hs.codes(name)), "partner": partner, "flow": flow})
        for month, name in months for partner in ("RUS", "KAZ") for flow in ("X", "M")
    ]  # fmt: skip
    rows = pd.concat(frames, ignore_index=True)
    return rows.assign(
        value_usd=rng.lognormal(9, 2, len(rows)),
        net_weight_kg=np.where(rng.random(len(rows)) < 0.2, np.nan, rng.lognormal(2, 1, len(rows))),
    )


def rows(*lines: tuple) -> pd.DataFrame:
    columns = ["period", "code_system", "code", "value_usd", "net_weight_kg"]
    frame = pd.DataFrame(lines, columns=columns)
    return frame.assign(flow="X", level=6, period=pd.to_datetime(frame["period"]))


def two(**columns) -> pd.DataFrame:
    """Return two codes that were one before 2022, beside the one they were, and other columns."""
    start = {
        "period": pd.Timestamp("2022-01-01"), "flow": "X", "partner": "RUS",
        "code_system": "HS2022", "code": ["854151", "854159"], "level": 6,
        "value_usd": [2.0, 3.0], "net_weight_kg": [1.0, 4.0], "weight_status": "reported",
    }  # fmt: skip
    return pd.DataFrame({**start, **columns})


def brought(trade: pd.DataFrame) -> pd.DataFrame:
    return concord(trade, to="HS2017-HS2022").frame


def panel(switch: str, seed: int = 0) -> pd.DataFrame:
    """Make monthly rows of every code of the list's groups, which change at `switch`."""
    rng = np.random.default_rng(seed)
    held = set(asked())
    lines = []
    for month in pd.date_range("2021-01-01", "2022-12-01", freq="MS"):
        name = "HS2022" if month >= pd.Timestamp(switch) else "HS2017"
        for code in sorted(held & hs.codes(name)):
            missing = rng.random() < 0.2
            weight = float(rng.lognormal())
            lines.append({
                "period": month, "flow": "X", "partner": "RUS", "code_system": name, "code": code,
                "level": 6, "value_usd": float(rng.lognormal(10)),
                "net_weight_kg": None if missing else weight,
                "weight_status": "missing" if missing else "reported",
                "quantity": weight, "quantity_unit": rng.choice(["u", "kg"]),
                "quantity_status": "reported",
            })  # fmt: skip
    return pd.DataFrame(lines)


# the tables


def test_the_tables_are_those_that_were_published():
    about = yaml.safe_load(DATA.joinpath("hs.yml").read_text("utf-8"))
    data = DATA.joinpath("hs.csv.gz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == about["sha256"]["hs.csv.gz"]
    assert len(data) < 400_000


@pytest.mark.skipif(not TABLES.is_dir(), reason="UNSD's tables are not in a user's clone")
def test_the_tables_hold_every_pair_of_codes():
    about = yaml.safe_load(DATA.joinpath("hs.yml").read_text("utf-8"))
    with gzip.open(str(DATA.joinpath("hs.csv.gz")), "rt") as handle:
        ours = pd.read_csv(handle, dtype="str").set_index(["newer_revision", "newer", "older"])
    for name, column in (("conversion", "converts"), ("correlation", "correlates")):
        file = TABLES / f"hs_{name}.csv"
        assert hashlib.sha256(file.read_bytes()).hexdigest() == about["sha256"][name]
        theirs = pd.read_csv(file, dtype="str")
        theirs = theirs[theirs["newer"] != "999999"].set_index(list(ours.index.names)).index
        assert set(ours.index[ours[column] == "1"]) == set(theirs)


def test_every_mended_fault_is_one_of_the_tables_and_says_why():
    about = yaml.safe_load(DATA.joinpath("hs.yml").read_text("utf-8"))
    for entry in about["converts"] + about["links"]:
        assert len(entry["reason"]) > 40
        assert set(entry["newer"]) <= hs.codes(entry["revision"])
    for code in ("854151", "854159"):
        assert concord(two(code=[code, "010121"]), to="HS2017").frame["code"][0] == "854150"


# all codes of all revisions


@pytest.mark.parametrize(("first", "last"), FEW)
def test_no_value_is_lost_in_any_month_flow_and_pair_over_all_codes(first, last):
    trade = every_code(first, last)
    by = ["period", "flow", "partner"]
    before = trade.groupby(by)["value_usd"].sum()
    for to in ("families", "HS1992-HS2022", *hs.REVISIONS[::3]):
        done = concord(trade, to=to)
        assert (done.frame.groupby(by)["value_usd"].sum() / before - 1).abs().max() < 1e-12
        assert not done.frame.duplicated([*by, "code"]).any()
        assert set(done.frame["code_system"]) == {done.system}


@pytest.mark.parametrize(("first", "last"), STEPS)
def test_codes_that_did_not_change_keep_their_name_and_their_rows(first, last):
    known = hs.families(first, last)
    codes = known.drop_duplicates(["family", "code"])
    kept = known[~known["family"].isin(codes.loc[codes.duplicated("family"), "family"])]
    assert (kept["family"].str[:6] == kept["code"]).all()
    assert len(kept) > 0.6 * len(known)
    trade = every_code(first, last).query("code in @kept.code")
    frame = concord(trade).frame
    alike = frame["code"].isin(kept["code"])
    key = ["period", "flow", "partner", "code"]
    old, new = (f.set_index(key)[["value_usd", "net_weight_kg"]] for f in (trade, frame[alike]))
    pd.testing.assert_frame_equal(old.loc[new.index], new)


@pytest.mark.parametrize(("first", "last"), STEPS)
def test_few_families_mix_chapters_and_none_of_telephones(first, last):
    known = hs.families(first, last)
    chapters = known["code"].str[:2].groupby(known["family"]).nunique()
    mixed = chapters.index[chapters > 1]
    assert len(mixed) <= 25
    assert not mixed.str.startswith("8517").any()


@pytest.mark.parametrize(("first", "last"), STEPS)
def test_a_family_has_one_name_and_a_name_one_family(first, last):
    known = hs.families(first, last)
    assert not known.duplicated(["revision", "code"]).any()
    nothing_older = known[known["family"].str.contains(r"\(")]
    assert set(nothing_older["revision"]) <= set(hs.REVISIONS) - {first}
    # the largest were measured: 51 codes with the correlation alone as the second rule
    assert known.groupby(["family", "revision"]).size().max() <= 45


def test_families_over_more_revisions_are_unions_of_those_over_fewer():
    wide = hs.families("HS2007", "HS2022").set_index(["revision", "code"])["family"]
    fine = hs.families("HS2017", "HS2022").set_index(["revision", "code"])["family"]
    both = pd.DataFrame({"fine": fine, "wide": wide.reindex(fine.index)})
    assert not both.drop_duplicates().duplicated("fine").any()
    trade = every_code("HS2017", "HS2022")
    at_once = concord(trade, to="HS2007-HS2022").frame
    in_turn = concord(concord(trade), to="HS2007-HS2022").frame
    key = ["period", "flow", "partner", "code"]
    one, other = (f.set_index(key)["value_usd"].sort_index() for f in (at_once, in_turn))
    pd.testing.assert_series_equal(one, other)
    with pytest.raises(SchemaMismatch, match="which HS2017 divides"):
        concord(concord(trade), to="HS2017")


def test_waste_of_electronics_moves_nothing_and_is_named():
    known = hs.families("HS2017", "HS2022").set_index(["revision", "code"])
    assert known.loc[("HS2022", "854921"), "family"] == "854921"
    assert "8549" in known.loc[("HS2017", "854231"), "open_to"]
    trade = every_code("HS2017", "HS2022")
    done = concord(trade)
    left_open = done.frame["value_usd"].where(done.frame["open_to"] != "").sum()
    assert 0.1 < left_open / done.frame["value_usd"].sum() < 0.5
    assert done.frame["open_to"].str.contains("8549").any()
    assert done.frame.loc[done.frame["code"] == "010121", "open_to"].eq("").all()


# what a bridge then says


def test_telephones_that_were_renumbered_are_the_same_goods():
    phones = rows(("2021-06-01", "HS2017", "851712", 100.0, 10.0),
                  ("2022-06-01", "HS2022", "851713", 150.0, 12.0),
                  ("2022-06-01", "HS2022", "851714", 10.0, 1.0))  # fmt: skip
    with pytest.raises(SchemaMismatch, match=r"tf\.concord\(trade\)"):
        bridge(phones, "2021-06", "2022-06")
    for trade in (phones, phones.drop(columns="code_system")):
        found = bridge(tf.concord(trade), "2021-06", "2022-06")
        assert (found.price, found.volume) == pytest.approx((26.5385, 33.4615), abs=1e-4)
        assert (found.entry, found.exit, found.unpriced) == (0.0, 0.0, 0.0)
    known = hs.families("HS2017", "HS2022").set_index(["revision", "code"])["family"]
    assert known["HS2022", "851713"] == known["HS2022", "851714"] == known["HS2017", "851712"]


def test_tiles_whose_heading_was_deleted_are_the_same_goods():
    tiles = rows(("2016-06-01", "HS2012", "690890", 100.0, 100.0),
                 ("2017-06-01", "HS2017", "690721", 132.0, 120.0))  # fmt: skip
    found = bridge(tf.concord(tiles), "2016-06", "2017-06")
    assert (found.price, found.volume) == pytest.approx((11.0, 21.0))
    assert found.entry == found.exit == 0.0


def test_measures_take_a_concordance_and_point_to_it():
    trade = every_code("HS2017", "HS2022").query("flow == 'X' and partner == 'RUS'")
    with pytest.raises(SchemaMismatch, match=r"tf\.concord\(trade\)"):
        tf.price_index(trade)
    done = tf.concord(trade.assign(reporter="TUR"))
    with pytest.warns(RenumberedCodesWarning, match=r"tf\.concord\(trade\)"):
        unnamed = bridge(trade.drop(columns="code_system"), "2021-01", "2022-01")
    assert bridge(done, "2021-01", "2022-01").entry < unnamed.entry
    later = trade.assign(period=trade["period"] + pd.DateOffset(months=1))
    with pytest.raises(SchemaMismatch, match=r"tf\.concord\(trade\)"):
        tf.triple_difference(pd.concat([trade, later]), listed=["854231"], event="2022-01")


@pytest.mark.parametrize("code", ["270900", "8517", "TOTAL", "999999", "2709001000"])
def test_codes_that_no_revision_changes_need_no_concordance(code):
    """A file of crude oil over HS 2017 and HS 2022 is one series; one of telephones is not."""
    trade = pd.DataFrame({
        "period": pd.to_datetime(["2021-01-01", "2022-01-01"]), "code": code, "value_usd": 100.0,
        "code_system": ["HS2017", "HS2022"], "net_weight_kg": [10.0, 8.0],
    })  # fmt: skip
    found = bridge(trade, "2021-01", "2022-01")
    assert (found.entry, found.exit, found.unpriced) == (0, 0, 0)
    assert (found.price > 0) is (code != "999999")
    telephones = trade.assign(code=["851712", "851713"])
    for odd in (telephones, trade.assign(code_system=["HS2017", "groups"])):
        with pytest.raises(SchemaMismatch, match="follow each other"):
            bridge(odd, "2021-01", "2022-01")


RENUMBERED = pd.DataFrame({
    "period": pd.to_datetime(["2021-01-01", "2022-01-01"] * 2), "freq": "A", "flow": "X",
    "reporter": "TUR", "partner": "RUS", "code": ["880330", "880730", "270900", "270900"],
    "value_usd": 2e6, "net_weight_kg": 10.0, "weight_status": "reported", "quantity": 1.0,
    "quantity_unit": "u", "quantity_status": "reported",
})  # fmt: skip


@pytest.mark.parametrize("measure", [
    lambda rows: bridge(rows, 2021, 2022),
    lambda rows: tf.price_index(rows, base="fixed"),
    lambda rows: contributions(rows, 2021, 2022),
    lambda rows: tf.screen(rows, 2021, 2022, goods=["8803", "8807"]),
    lambda rows: tf.mirror(
        rows.iloc[[0, 3]].assign(period=pd.Timestamp("2022-01-01")),
        rows.iloc[[1, 3]].assign(flow="M", reporter="RUS", partner="TUR"), 2022),
    lambda rows: tf.passed_on(rows, rows, "2021", "2022"),
    lambda rows: tf.volume(
        *[rows.assign(freq="M")] * 2, "2021-01", "2022-01", complete=0.7),
], ids=["bridge", "index", "contributions", "screen", "mirror", "passed_on", "volume"])  # fmt: skip
def test_every_measure_warns_of_goods_that_only_changed_their_code(measure):
    for rows in (RENUMBERED, RENUMBERED.assign(code_system=None)):  # a column without a word
        with pytest.warns(RenumberedCodesWarning, match=r"880330 gives way to 880730.*concord"):
            measure(rows)


# which revision a row is in


@pytest.mark.parametrize(
    ("column", "names"),
    [("code_system", ["H5", "H6"]), ("classificationCode", ["H5", "H6"]),
     ("code_system", ["HS17", "HS22"]), ("code_system", ["HS 2017", "hs2022"])],
)  # fmt: skip
def test_a_revision_is_read_however_it_is_spelled(column, names):
    trade = every_code("HS2017", "HS2022")
    spelled = trade["code_system"].map(dict(zip(["HS2017", "HS2022"], names, strict=True)))
    other = trade.drop(columns="code_system").assign(**{column: spelled})
    frame = concord(other).frame
    assert frame["value_usd"].tolist() == concord(trade).frame["value_usd"].tolist()
    assert set(frame["code_system"]) == {"HS2017-HS2022"}


def test_the_first_revision_is_called_hs1992_and_its_old_name_is_read():
    assert hs.REVISIONS[0] == "HS1992"
    trade = every_code("HS1992", "HS1996")
    old = trade.assign(code_system=trade["code_system"].replace("HS1992", "HS1988"))
    assert concord(old).system == "HS1992-HS1996"


def test_without_a_column_code_and_year_tell_the_revision():
    late = rows(("2022-03-01", None, "851712", 1.0, 1.0), ("2022-03-01", None, "851762", 1.0, 1.0),
                ("2022-08-01", None, "851713", 1.0, 1.0))  # fmt: skip
    done = concord(late.drop(columns="code_system"))
    assert done.system == "HS2017-HS2022"
    mixed = concord(late.assign(code_system=[None, "H5", "HS"]))
    assert mixed.frame["value_usd"].tolist() == done.frame["value_usd"].tolist()
    both = rows(("2022-03-01", None, "851712", 1.0, 1.0), ("2022-03-01", None, "851713", 1.0, 1.0))
    with pytest.raises(SchemaMismatch, match="851712 are not in HS2022"):
        concord(both)
    assert len(concord(both.assign(reporter=["IND", "TUR"])).frame) == 2
    with pytest.raises(SchemaMismatch, match="whose periods are no dates"):
        concord(both.assign(period="2022"))


@pytest.mark.parametrize(
    ("code", "name"), [("851713", "HS2017"), ("123456", "HS2022"), ("851712", "HS2022")]
)
def test_codes_of_no_revision_are_named(code, name):
    with pytest.raises(UnknownCode, match=f"{code} in {name}"):
        concord(two(code=[code, "854231"], code_system=name))


@pytest.mark.parametrize("code", ["85415", "8541591", "854"])
def test_codes_of_an_odd_length_are_refused(code):
    with pytest.raises(SchemaMismatch, match="code of odd length"):
        concord(two(code=["854151", code]))


@pytest.mark.parametrize("code", [[854151, 10121], [854151.0, 10121.0], ["854151", None]])
def test_codes_that_lost_a_zero_or_are_none_are_refused(code):
    """A number whose digits are all there is that code, as in files."""
    with pytest.raises(SchemaMismatch, match="column 'code': 1 row with"):
        concord(two(code=code))
    assert concord(two(code=[854151, 854159])).frame["code"].tolist() == ["854151", "854159"]


def test_a_target_that_is_no_revision_or_leaves_rows_outside_is_refused():
    with pytest.raises(UnknownCode, match="HS1992"):
        concord(two(), to="SITC4")
    with pytest.raises(UnknownCode, match="pass to='HS2012-HS2022'"):
        concord(two(), to="HS2012-HS2017")
    with pytest.raises(SchemaMismatch, match="no column 'code', 'value_usd' among period"):
        concord(two().drop(columns=["code", "value_usd"]))


# rows beside the six digits


def test_codes_with_dots_are_read():
    assert brought(two(code=["8541.51", "8541.59"]))["code"].tolist() == ["854150"]


def test_tariff_lines_count_to_their_first_six_digits():
    lines = two(code=["85415100", "854159000019"], level=[8, 12], value_usd=[2.0, 3.0])
    frame = concord(two(code=["85415100", "85415900"], level=8)).frame
    assert frame["code"].tolist() == ["854151", "854159"]
    assert frame["level"].tolist() == [6, 6]
    assert brought(two(code=["85415100", "85415900"], level=8))["value_usd"].tolist() == [5.0]
    with pytest.raises(DoubleCountedTotals, match="854159000019"):
        brought(lines)
    with pytest.raises(DoubleCountedTotals, match="854151, 85415190 side by side"):
        concord(two(code=["854151", "85415190"], level=[6, 8]))


@pytest.mark.parametrize(
    "code", ["TOTAL", "85", "9999", "99", "2799", "999999", "99999999", "279999", "27SSSS",
             "27990000", "290000", "290000000000", "high_priority_45"]
)  # fmt: skip
def test_totals_and_pseudo_codes_are_carried_as_they_are(code):
    other = two(code=["854150", code], code_system=["HS2017", "HS2017"])
    trade = pd.concat([other.assign(period=pd.Timestamp("2021-01-01")), two()], ignore_index=True)
    done = concord(trade)
    row = done.frame[done.frame["code"] == code]
    assert row["value_usd"].tolist() == [3.0]
    assert row["level"].tolist() == [6]
    assert done.frame["value_usd"].sum() == trade["value_usd"].sum()


def test_a_heading_that_moved_keeps_its_revision_so_that_nothing_compares_it():
    def headings(old: str, new: str) -> pd.DataFrame:
        return rows(("2021-06-01", "HS2017", old, 1.0, 1.0), ("2022-06-01", "HS2022", new, 2.0, 2.0)
                    ).assign(level=4)  # fmt: skip

    moved = concord(headings("8803", "8807")).frame
    assert moved["code_system"].tolist() == ["HS2017", "HS2022"]
    with pytest.raises(SchemaMismatch, match="follow each other"):
        bridge(moved, "2021-06", "2022-06")
    same = concord(headings("8471", "8471")).frame
    assert set(same["code_system"]) == {"HS2017-HS2022"}
    assert bridge(same, "2021-06", "2022-06").volume == 1.0


def test_rows_of_other_classifications_stay_as_they_are():
    trade = two(code_system=["groups", "SITC4"], code=["coal", "7764"])
    pd.testing.assert_frame_equal(concord(trade).frame.drop(columns="open_to"), trade)


# sums


def test_a_sum_has_a_weight_only_if_every_part_has():
    trade = panel("2022-01")
    frame = brought(trade)
    assert frame.loc[frame["weight_status"] == "reported", "net_weight_kg"].notna().all()
    pair = trade[trade["code"].isin(["854151", "854159"])].groupby("period")["weight_status"]
    whole = pair.agg(lambda s: (s == "reported").all())
    merged = frame[frame["code"] == "854150"].set_index("period").loc[whole.index]
    assert ((merged["weight_status"] == "reported") == whole).all()


def test_codes_of_a_family_are_one_good_though_they_stand_in_two_files():
    lines = two(origin=["b.json", "a.json"], vintage=["2023-01-01", "2023-02-01"], source="x")
    frame = brought(lines)
    assert frame["value_usd"].tolist() == [5.0]
    assert frame["net_weight_kg"].tolist() == [5.0]
    assert frame["origin"].tolist() == ["a.json"]
    assert frame["vintage"].tolist() == ["2023-02-01"]
    before = two(period=pd.Timestamp("2021-01-01"), code_system="HS2017", code="854150").head(1)
    both = pd.concat([before.assign(origin="b.json", vintage="2023-01-01", source="x"), lines])
    found = bridge(concord(both), "2021-01", "2022-01")
    assert (found.change, found.entry) == (3.0, 0.0)


@pytest.mark.parametrize(
    "differing", [{"origin": ["a.json", "b.json"]}, {"vintage": ["2023-01-01", "2023-02-01"]}]
)
@pytest.mark.parametrize("code", ["854151", "010121"])
def test_one_code_from_two_files_is_not_summed(differing, code):
    with pytest.raises(DoubleCountedTotals, match="a code of two files or vintages side by side"):
        concord(two(code=code, **differing))
    with pytest.raises(DoubleCountedTotals, match="one code twice side by side"):
        concord(two(code=code))


def test_goods_in_two_revisions_of_one_month_are_not_summed():
    both = two(code_system=["HS2017", "HS2022"], code=["854150", "854151"])
    with pytest.raises(
        DoubleCountedTotals, match="codes of HS2017, HS2022 side by side in 854150 of 2022-01"
    ):
        concord(both)
    assert len(concord(both.assign(partner=["RUS", "KAZ"])).frame) == 2


@pytest.mark.parametrize(
    ("weight", "said"),
    [(0.0, {}), (None, {"weight_status": "reported"}), (0.0, {"weight_status": None})],
)
def test_a_part_with_a_value_and_no_weight_leaves_the_sum_without_one(weight, said):
    lines = two(net_weight_kg=[1.0, weight]).drop(columns="weight_status").assign(**said)
    merged = brought(lines)
    assert list(merged) == [*lines, "open_to"]
    assert merged["value_usd"].tolist() == [5.0]
    assert merged["net_weight_kg"].isna().all()
    assert "weight_status" not in merged or merged["weight_status"].tolist() == ["missing"]


def test_a_part_without_a_value_needs_no_weight():
    nothing = two(value_usd=[2.0, 0.0], net_weight_kg=[1.0, None])
    merged = brought(nothing.assign(weight_status=["reported", "missing"]))
    assert merged[["net_weight_kg", "weight_status"]].to_numpy().tolist() == [[1.0, "reported"]]
    plain = brought(nothing.drop(columns="weight_status"))
    assert plain["net_weight_kg"].tolist() == [1.0]
    guessed = brought(two(weight_status=["reported", "estimated"]))
    assert guessed[["net_weight_kg", "weight_status"]].to_numpy().tolist() == [[5.0, "estimated"]]


@pytest.mark.parametrize(
    ("units", "sums"),
    [(["kg", "kg"], True), ([None, "kg"], False), (["u", "kg"], False)],
)
@pytest.mark.parametrize("said", [{}, {"quantity_status": "reported"}])
def test_no_unit_is_a_unit_of_its_own(units, sums, said):
    merged = brought(two(quantity=1.0, quantity_unit=units, **said))
    assert merged["quantity"].fillna(-1.0).tolist() == [2.0 if sums else -1.0]
    assert merged["quantity_unit"].fillna("").tolist() == ["kg" if sums else ""]
    assert merged["net_weight_kg"].tolist() == [5.0]
    if said:
        assert merged["quantity_status"].tolist() == ["reported" if sums else "missing"]


def test_amounts_without_units_are_in_one_unit():
    for units in ({}, {"quantity_unit": None}):
        assert brought(two(quantity=1.0, **units))["quantity"].tolist() == [2.0]


def test_other_columns_are_kept_where_they_are_the_same_and_keep_rows_apart():
    words = {"cmdDesc": ["a", "b"], "fobvalue": [1.0, 2.0], "rate": 7.0, "mode": "sea"}
    merged = brought(two(**words))
    assert merged["cmdDesc"].isna().all()
    assert merged["fobvalue"].isna().all()
    assert merged[["rate", "mode"]].to_numpy().tolist() == [[7.0, "sea"]]
    assert len(brought(two(mode=["sea", "air"]))) == 2
    assert brought(two(confidential=[True, False]))["confidential"].tolist() == [True]


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_whatever_is_summed_no_value_is_lost_and_no_order_matters(data):
    codes = ["854151", "854159", "852581", "852589", "880621", "010121", "TOTAL", "999999", "8807"]
    drawn = data.draw(st.lists(st.tuples(
        st.sampled_from(codes), st.sampled_from(["2022-01-01", "2022-02-01"]),
        st.sampled_from(["a", "b"]), st.floats(0, 1e9), st.one_of(st.none(), st.floats(0, 1e6)),
        st.sampled_from(["reported", "estimated", "missing"]),
    ), min_size=1, max_size=12, unique_by=lambda r: r[:2]))  # fmt: skip
    names = ["code", "period", "origin", "value_usd", "net_weight_kg", "weight_status"]
    trade = pd.DataFrame(drawn, columns=names).assign(code_system="HS2022", level=6)
    trade["period"] = pd.to_datetime(trade["period"])
    trade["net_weight_kg"] = trade["net_weight_kg"].astype("float64")
    trade.index = [7] * len(trade)
    done = concord(trade, to="HS2017-HS2022")
    assert done.frame["value_usd"].sum() == pytest.approx(trade["value_usd"].sum())
    assert not done.frame.duplicated(["period", "code"]).any()
    key = ["period", "code"]
    turned = concord(trade[::-1], to="HS2017-HS2022").frame
    one, other = (f.sort_values(key).reset_index(drop=True) for f in (done.frame, turned))
    pd.testing.assert_frame_equal(one.drop(columns="origin"), other.drop(columns="origin"))
    pd.testing.assert_frame_equal(concord(done, to="HS2017-HS2022").frame, done.frame)


def test_a_table_without_rows_stays_one():
    frame = concord(two().head(0)).frame
    assert frame.empty
    assert list(frame) == [*two(), "open_to"]


@pytest.mark.skipif(not TUIK.exists(), reason="the recorded TÜİK file is not in a user's clone")
def test_the_real_file_of_2025_keeps_every_dollar():
    raw = pd.read_csv(TUIK, dtype={"hs6": str})
    six = raw.groupby(["period", "flow", "hs6"], as_index=False)["value_usd"].sum()
    trade = six.rename(columns={"hs6": "code"}).assign(code_system="HS2022")
    before = trade.groupby(["period", "flow"])["value_usd"].sum()
    assert len(before) == 24
    for to in ("families", "HS2012-HS2022", "HS2007"):
        after = concord(trade, to=to).frame.groupby(["period", "flow"])["value_usd"].sum()
        assert (after / before - 1).abs().max() < 1e-12


# the list, and what is asked for it


@pytest.mark.parametrize("switch", ["2022-01", "2022-07"])
def test_listed_goods_are_in_every_month_on_both_sides_of_the_change(switch):
    frame = brought(panel(switch))
    wanted = set(listed("2024-02", "HS2017-HS2022"))
    for _, month in frame.groupby("period"):
        assert set(month["code"]) == wanted


def test_the_columns_of_the_list_are_what_the_conversion_says():
    known = high_priority()
    for name in ("HS2017", "HS2012"):
        assert set(listed("2024-02", name)) == set(known[name.lower()])
    with pytest.raises(UnknownCode, match="'groups'"):
        listed("2024-02", "groups")


@pytest.mark.parametrize("name", ["HS2012", "HS2017", "HS2022"])
def test_what_a_group_needs_is_asked_of_every_publisher_in_every_revision(name):
    known = hs.families("HS2012", "HS2022")
    of_list = known[known["family"].isin(high_priority()["group"])]
    needed = set(of_list.loc[of_list["revision"] == name, "code"])
    pull = {code for part in refresh.parts() for code in part.codes}
    comext = eurostat.standard(list(asked()))[0].key.split(".")[3].split("+")
    assert needed <= pull
    assert needed <= set(comext)
    assert needed >= set(high_priority()[name.lower()])


def test_no_group_of_the_list_holds_goods_of_telephones():
    held = set(asked())
    assert {"852581", "852582", "852583", "852589"} <= held
    assert not held & {"851712", "851713", "851714"}


def test_versions_of_the_list():
    assert [len(high_priority(v)) for v in ("2023-05", "2023-09", "2024-02")] == [9, 45, 50]
    with pytest.raises(UnknownCode, match="2023-07"):
        high_priority("2023-07")


def test_groups_that_cannot_be_compared_say_why():
    broken = high_priority()[lambda d: d["comparability"] == "break"]
    assert set(broken["hs2022"]) == {"854149", "901380"}
    assert (broken["why"].str.len() > 20).all()
