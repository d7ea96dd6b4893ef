"""HS codes, countries and numbers as files hold them: the right reading, or a refusal in words."""

import contextlib
import csv
import io
import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradeflows import bridge, store
from tradeflows.codes import countries, hs, totals
from tradeflows.codes.hs import hs_codes
from tradeflows.codes.totals import overlap
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.sources import comtrade
from tradeflows.sources.rows import amounts

chapters = st.integers(1, 97).map("{:02d}".format)
CODES = st.builds(
    lambda chapter, steps: chapter + "".join(steps),
    chapters,
    st.lists(st.integers(0, 99).map("{:02d}".format), min_size=0, max_size=5),
)


def dotted(code: str) -> str:
    parts = [code[:4], *(code[i : i + 2] for i in range(4, len(code), 2))]
    return ".".join(p for p in parts if p)


@given(st.lists(CODES, min_size=1, max_size=6))
def test_a_code_that_is_read_keeps_its_chapter(codes: list[str]) -> None:
    ways = [codes, [dotted(c) for c in codes], [f" {c} " for c in codes], [int(c) for c in codes],
            [float(c) for c in codes], [f"{int(c)}.0" for c in codes],
            pd.Series(codes).astype("category")]  # fmt: skip
    assert hs_codes(codes).tolist() == codes
    for way in ways:
        with contextlib.suppress(SchemaMismatch):
            assert hs_codes(way).tolist() == codes


@given(chapters.filter(lambda c: c.startswith("0")), st.integers(0, 9999))
def test_a_lost_zero_is_never_another_chapter(chapter: str, rest: int) -> None:
    code = f"{chapter}{rest:04d}"
    for lost in (code[1:], int(code), float(code), f"{int(code)}.0"):
        with pytest.raises(SchemaMismatch, match="odd length"):
            hs_codes([lost, "854231"])


@pytest.mark.parametrize(
    "bad",
    ["8105000.0", "80510.0", "805.0", 805.1, "805.1", 8542.3, "8542.310", "2709.00", "84.00",
     "854231.00", "", " ", None, float("nan"), "nan", "00854231", "1e6", "84-85", -84, -842, True,
     "٨٥٤٢٣١", "85 4231 1", "8542310000001", float("inf"), "84?", pd.Timestamp("2001-01-01")],
    ids=repr,
)  # fmt: skip
def test_what_would_have_to_be_guessed_is_refused_with_its_row(bad: object) -> None:
    with pytest.raises(SchemaMismatch) as error:
        hs_codes(pd.Series([bad], index=["seventh"], dtype=object))
    assert "seventh" in error.value.found
    assert "zeros" in error.value.todo


def test_a_column_decides_what_a_dot_means() -> None:
    assert hs_codes(["8542.31", "2709.00"]).tolist() == ["854231", "270900"]
    for column in (["8542.31", "2709.0"], [8542.31, 2709.0], [8542.31, 2709]):
        with pytest.raises(SchemaMismatch, match="a number, or"):
            hs_codes(column)


def test_every_country_has_its_turkish_name() -> None:
    file = Path(countries.__file__).with_name("countries.csv")
    with file.open(encoding="utf-8", newline="") as handle:
        rows = [r for r in csv.DictReader(handle) if re.fullmatch("[A-Z]{3}", r["code"])]
    without = [r["code"] for r in rows if r["current"] == "yes" and not r["turkish"]]
    assert without == ["ATB", "NTZ", "PUS"]  # areas that no list of countries has today
    for row in rows:
        names = [row["code"], *f"{row['turkish']}|{row['english']}".split("|")]
        assert {countries.from_name(name) for name in names if name} == {row["code"]}


def test_no_name_stands_for_two_countries() -> None:
    meaning: dict[str, set[str]] = {}
    for row in countries.countries():
        for name in (*row.others, row.code, *([row.name] if row.current else [])):
            meaning.setdefault(countries.plain(name), set()).add(row.code)
    assert [name for name, codes in meaning.items() if len(codes) > 1] == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("İtalya", "ITA"), ("Fransa", "FRA"), ("Birleşik Krallık", "GBR"), ("İNGİLTERE", "GBR"),
        ("Çin Halk Cumhuriyeti", "CHN"), ("Birleşik Arap Emirlikleri", "ARE"), ("B.A.E.", "ARE"),
        ("Güney Kore", "KOR"), ("Kuzey Kore", "PRK"), ("Nijer", "NER"), ("Nijerya", "NGA"),
        ("Dominika", "DMA"), ("Dominik Cumhuriyeti", "DOM"), ("Gine", "GIN"),
        ("Gine-Bissau", "GNB"), ("Kongo", "COG"), ("Kongo Demokratik Cumhuriyeti", "COD"),
        ("75-Rusya Federasyonu", "RUS"), ("Kuzey Kıbrıs Türk Cumhuriyeti", "Northern Cyprus"),
        ("KIBRIS", "CYP"), ("Sırbistan", "SRB"), ("Sırbistan ve Karadağ", "SCG"),
        ("Gizli Ülke", "Confidential country"), ("Serbest Bölgeler", "Free zones"),
        ("Ege Serb.Böl.", "Free zone: Ege Serb.Böl."), ("Bilinmeyen Ülke", "Areas nes"),
        ("Toplam", "World"), ("South Korea", "KOR"), ("Viet Nam", "VNM"), ("Monako", "MCO"),
        ("Trinidad & Tobago", "TTO"), ("Tanzania, United Republic of", "TZA"), ("Türkiye", "TUR"),
        ("UAE", "ARE"), ("Kyrgyz Republic", "KGZ"), ("Republic of Türkiye", "TUR"), ("DE", "DEU"),
        ("Turkey (Türkiye)", "TUR"), ("Korea", "KOR"), ("Holland", "NLD"), ("GB", "GBR"),
        ("RS", "SRB"), ("GR", "GRC"),
    ],
)  # fmt: skip
def test_names_as_the_office_writes_them(name: str, code: str) -> None:
    assert countries.from_name(name) == code


@pytest.mark.parametrize("name", ["Narnia", "75", "", "-", "Kore", "Ülke"])
def test_a_name_no_list_holds_is_no_country(name: str) -> None:
    with pytest.raises(UnknownCode, match="no country"):
        countries.from_name(name)


def test_a_union_is_none_of_its_successors() -> None:
    """No country begins with the trade of others: that would be a fall that nobody traded."""
    pairs = ((58, 56), (736, 729), (891, 688), (200, 203), (810, 643), (711, 710), (530, 531),
             (890, 688), (278, 276), (280, 276), (230, 231), (886, 887))  # fmt: skip
    for former, successor in pairs:
        assert countries.from_comtrade(former) != countries.from_comtrade(successor)
        code = countries.from_comtrade(former)
        assert countries.comtrade(code) == former, "a former country can be asked for"
    same = {842: "USA", 251: "FRA", 381: "ITA", 380: "ITA", 579: "NOR", 757: "CHE", 699: "IND"}
    assert {n: countries.from_comtrade(n) for n in same} == same


def test_letters_of_eurostat_mean_one_country_in_a_year() -> None:
    assert countries.from_eurostat("YU", 1990) == "YUG"
    assert countries.from_eurostat("YU", 2002) == "SCG"
    assert [countries.from_eurostat(x) for x in ("XS", "RS", "GB", "XU", "UK", "GR", "AN")] == [
        "SRB", "SRB", "GBR", "GBR", "GBR", "GRC", "ANT",
    ]  # fmt: skip


numbers = st.floats(0, 1e9).map(lambda x: round(x, 3))


def written(value: float, decimals: int, thousands: str, sign: str) -> str:
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", f"{thousands or '_'}{sign}"))


@settings(max_examples=300)
@given(
    st.lists(numbers, min_size=1, max_size=5), st.sampled_from([0, 1, 2, 3]),
    st.sampled_from([(".", ","), (",", "."), ("", ","), ("", "."), (" ", ",")]),
)  # fmt: skip
def test_a_column_is_read_as_it_was_written_or_refused(
    values: list[float], decimals: int, style: tuple[str, str]
) -> None:
    thousands, sign = style
    column = pd.Series([written(v, decimals, thousands, sign).replace("_", "") for v in values])
    right = [round(v, decimals) for v in values]
    assert amounts(column, "x", decimal=sign).tolist() == pytest.approx(right, abs=1e-3)
    with contextlib.suppress(SchemaMismatch):
        assert amounts(column, "x").tolist() == pytest.approx(right, abs=1e-3)


@pytest.mark.parametrize(
    "column",
    [["12.250"], ["1,234", "2"], ["1.234", "12.125"], ["1.5", "1,5"], ["1.234.5"], ["five"],
     ["1.23.4"], ["0.123.456"], ["(5)"], ["5 kg"], [True], [pd.Timestamp("2022-01-01")], ["1/2"]],
    ids=repr,
)  # fmt: skip
def test_a_column_that_reads_in_two_ways_or_none_is_refused(column: list[object]) -> None:
    with pytest.raises(SchemaMismatch):
        amounts(pd.Series(column, dtype=object), "x")


def test_both_readings_are_shown_with_the_way_to_choose() -> None:
    with pytest.raises(SchemaMismatch, match=r"12\.25 with a decimal point and 12250 ") as error:
        amounts(pd.Series(["12.250"]), "x")
    assert "decimal=','" in error.value.todo


def test_number_cells_are_numbers_beside_text() -> None:
    cells = pd.Series([1.234, "1.234,5", None, 12, "-", float("nan")], dtype=object)
    found = amounts(cells, "x")
    assert found.tolist()[:2] == [1.234, 1234.5]
    assert found.isna().tolist() == [False, False, True, False, True, True]


def reply(**values: object) -> bytes:
    """Return two rows of UN Comtrade, the second changed."""
    row = {
        "freqCode": "M", "flowCode": "X", "classificationCode": "H6", "cmdCode": "854231",
        "customsCode": "C00", "reporterCode": 792, "partnerCode": 643, "partner2Code": 0,
        "motCode": 0, "qtyUnitCode": -1, "period": 202201, "qty": None, "netWgt": 5.0,
        "primaryValue": 9.0, "isQtyEstimated": False, "isNetWgtEstimated": False,
        "legacyEstimationFlag": 0, "cifvalue": None, "fobvalue": 9.0, "mosCode": "0",
    }  # fmt: skip
    rows = [row | {"partnerCode": 398}, row | values]
    return json.dumps({"count": 2, "data": rows, "error": ""}).encode()


@pytest.mark.parametrize(("flag", "boolean"), [(4, False), (6, None), (0, True)])
def test_either_mark_of_an_estimated_weight_counts(flag: int, boolean: bool | None) -> None:
    table = comtrade.parse(reply(legacyEstimationFlag=flag, isNetWgtEstimated=boolean), {})
    assert table.set_index("partner")["weight_status"].to_dict() == {
        "KAZ": "reported", "RUS": "estimated",
    }  # fmt: skip


def test_codes_and_countries_of_comtrade_follow_the_same_rules() -> None:
    for code in ("85423", "80510.0", "", "00854231"):
        with pytest.raises(SchemaMismatch):
            comtrade.parse(reply(cmdCode=code), {})
    assert set(comtrade.parse(reply(cmdCode="9999AA"), {})["code"]) == {"854231", "9999AA"}
    sitc = comtrade.parse(reply(cmdCode="776", classificationCode="S4"), {})
    assert "776" in set(sitc["code"]), "other classifications have odd lengths"
    usa = json.loads(reply(partnerCode=842))
    usa["data"][0]["partnerCode"] = 841
    with pytest.raises(SchemaMismatch, match="2 rows share a key"):
        comtrade.parse(json.dumps(usa).encode(), {})


@pytest.mark.parametrize("code", ["80510", "854231.0", "8105000", "805"])
def test_a_measure_refuses_codes_that_were_numbers(code: str) -> None:
    trade = pd.DataFrame(
        {
            "period": pd.to_datetime(["2021-01-01", "2022-01-01"] * 2),
            "code": [code, code, "854232", "854232"], "value_usd": 1.0, "net_weight_kg": 1.0,
        }
    )  # fmt: skip
    with pytest.raises(SchemaMismatch, match="which were numbers"):
        bridge(trade, "2021-01", "2022-01")
    other = trade.assign(code=code.partition(".")[0], code_system="S4").iloc[:2]
    assert bridge(other, "2021-01", "2022-01").price == 0, "SITC has odd lengths"


@pytest.mark.parametrize(
    ("read", "given", "meant"),
    [
        (countries.from_comtrade, (792, 643, 842, 251, 490, 899, 12345),
         ["TUR", "RUS", "USA", "FRA", "TWN", "Areas nes", "UN 12345"]),
        (countries.from_comtrade, (58, 56, 736, 729, 891, 688),
         ["Belgium-Luxembourg (...1998)", "BEL", "Sudan (...2011)", "SDN", "SCG", "SRB"]),
        (countries.comtrade, ("TUR", "USA", "FRA", "IND", "CHE", "World", "SCG"),
         [792, 842, 251, 699, 757, 0, 891]),
        (countries.eurostat, ("TUR", "GRC", "KAZ", "SRB", "GBR"),
         ["TR", "EL", "KZ", "XS", "GB+XI+XU"]),
        (countries.from_eurostat, ("TR", "EL", "UK", "XU", "XS", "EU27_2020"),
         ["TUR", "GRC", "GBR", "GBR", "SRB", "EU27_2020"]),
        (lambda year: countries.from_eurostat("CS", year), (1991, 2004), ["CSK", "SCG"]),
        (hs.revision, ("H5", "HS17", "HS 2017", "hs2017", "HS1988", "SITC4"),
         ["HS2017", "HS2017", "HS2017", "HS2017", "HS1992", None]),
        (hs.in_force, (1990, 2016, 2017, 2026), ["HS1992", "HS2012", "HS2017", "HS2022"]),
        (hs.span, ("HS2012-HS2022", "H6", "groups"),
         [("HS2012", "HS2022"), ("HS2022", "HS2022"), None]),
        (totals.is_world, ("World", "WLD", "w00", "0", "TOPLAM", "Areas nes", "RUS"),
         [True, True, True, True, True, False, False]),
    ],
)  # fmt: skip
def test_what_publishers_write_has_one_meaning(read, given, meant) -> None:
    assert [read(one) for one in given] == meant


def test_families_join_what_a_revision_divided() -> None:
    of = hs.families("HS2017", "HS2022").set_index(["revision", "code"])["family"]
    assert of["HS2022", "851713"] == of["HS2022", "851714"] == of["HS2017", "851712"] == "851712"
    to = hs.families("HS2017", "HS2022", "HS2022").set_index(["revision", "code"])["family"]
    assert to["HS2017", "851712"] == "851713+851714"
    assert (to["HS2017", "880330"], to["HS2022", "854231"]) == ("880730", "854231")
    assert hs.related("854151", "HS2017", "HS2022") == {"854150": ("854150", "854151", "854159")}
    assert {"8517", "8803", "6908"} & hs.stable("HS2012", "HS2022") == {"8517"}


def test_every_sum_in_the_snapshot_is_known_to_the_census():
    """A sum whose goods nobody knows could be added to its own parts."""
    files = [raw for raw in store.catalogue() if raw.table == "trade" and not raw.live]
    codes = {raw.constants["code"] for raw in files if "code" in raw.constants}
    for raw in files:
        table = pd.read_csv(io.BytesIO(store.read(raw.id)), dtype=str)
        codes |= set(table.get("code", ()))
    assert len(codes) > 100
    assert {c for c in codes if not overlap(c, c)} == set()
