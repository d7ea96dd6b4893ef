"""World Bank prices: a workbook whose address and headings drift."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin import others
from standin.harness import QUICK, asked, live
from tradeflows import store
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError
from tradeflows.sources import refresh, worldbank

ABOUT = {"origin": "x", "vintage": "2026-06-02"}


def test_names_stay_though_headings_drift() -> None:
    plain = worldbank.parse(others.workbook("plain"), ABOUT)
    drifted = worldbank.parse(others.workbook("drifted"), ABOUT)
    assert plain.equals(drifted)
    assert set(plain["series"]) >= {"brent", "coal_australia", "coal_south_africa", "gas_europe"}
    assert set(plain["unit"]) == {"USD/bbl", "USD/t", "USD/MMBtu"}
    assert (plain["series"] == "urea").sum() == (plain["series"] == "brent").sum() - 3


def test_series_keep_their_names_over_the_editions() -> None:
    folder = Path(__file__).parents[2] / "shared" / "fixtures" / "worldbank"
    books = sorted(folder.glob("*.xlsx")) if folder.exists() else []
    if not books:
        pytest.skip("no recorded workbooks")
    units = {}
    for book in books:
        table = worldbank.parse(book.read_bytes(), ABOUT)
        units[book.name] = table.groupby("series")["unit"].unique().map(list).to_dict()
    first, *others = units.values()
    assert all(other == first for other in others)
    assert {"chicken", "lamb", "beef", "rubber_rss3", "rubber_tsr20", "gas_europe"} <= set(first)


def test_a_series_without_a_unit_is_refused() -> None:
    book = openpyxl.load_workbook(io.BytesIO(others.workbook()))
    book["Monthly Prices"]["C6"] = None
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(SchemaMismatch, match="no unit under 'Crude oil, Brent'"):
        worldbank.parse(out.getvalue(), ABOUT)


def test_the_address_is_found_from_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data") as site:
        usual = {"sources": ("worldbank",), "manners": QUICK}
        assert refresh.run(**usual).stored == [
            "world-bank/live/CMO-Historical-Data-Monthly@2026-06-02.xlsx"
        ]
        assert refresh.run(**usual).stored == []
        bank = site.others["/en/"]
        bank.hash, bank.data = "moved-0050012027", others.workbook("drifted", "July 02, 2026", 61)
        assert refresh.run(**usual).stored[0].endswith("@2026-07-02.xlsx")
        raw = live()[-1]
        assert raw.query["generated"]
        assert len(worldbank.read(store.read(raw.id), raw)) == raw.rows
        bank.address = "https://example.org/{hash}/{name}"
        with pytest.raises(SourceUnavailable, match=r"example\.org"):
            refresh.run(**usual)
        bank.address = "https://thedocs.worldbank.org/elsewhere.pdf"
        with pytest.raises(SourceUnavailable, match="links to no"):
            refresh.run(**usual)
        assert store.verify() == []


def test_other_workbooks_are_refused() -> None:
    book = openpyxl.Workbook()
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(SchemaMismatch, match="Monthly Prices"):
        worldbank.parse(out.getvalue(), ABOUT)
    book = openpyxl.load_workbook(io.BytesIO(others.workbook()))
    book["Monthly Prices"]["C9"] = "many"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(SchemaMismatch, match="many"):
        worldbank.parse(out.getvalue(), ABOUT)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300))
def test_no_bytes_escape_the_errors(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04"):
        with pytest.raises(TradeflowsError):
            worldbank.parse(start + data, ABOUT)


def test_damaged_workbooks_are_refused() -> None:
    whole = others.workbook(months=12)
    for cut in range(0, len(whole) - 1, 700):
        with pytest.raises(TradeflowsError):
            worldbank.parse(whole[:cut], ABOUT)
    for place in range(30, len(whole), 900):
        spoiled = bytearray(whole)
        spoiled[place] ^= 0xFF
        try:
            worldbank.parse(bytes(spoiled), ABOUT)
        except TradeflowsError:
            continue


def test_bombs_are_refused() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    with pytest.raises(SchemaMismatch, match="bomb"):
        worldbank.parse(bomb.getvalue(), ABOUT)
