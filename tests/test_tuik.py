"""TÜİK's files: both languages, both decimal signs, both encodings, hidden energy kept."""

import gzip
import io
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin import others
from standin.harness import asked
from tradeflows import store
from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.sources import tuik

ABOUT = {"origin": "x", "vintage": "2026-01-01"}


def told(table: pd.DataFrame) -> list[tuple[str, float]]:
    return sorted(zip(table["code"], table["value_usd"].round(2), strict=True))


@pytest.mark.parametrize("language", ["tr", "en"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1254", "utf-8-sig"])
@pytest.mark.parametrize("comma", [True, False])
def test_all_styles_say_the_same(language: str, encoding: str, comma: bool) -> None:
    data, frame = others.tuik(language, encoding, comma)
    table = tuik.parse(data, ABOUT)
    said = frame.rename(columns={"value": "value_usd"})
    assert told(table) == told(said)
    assert set(table["partner"]) == {"RUS"}
    assert set(table["flow"]) == {"M", "X"}
    assert table["net_weight_kg"].sum() == pytest.approx(frame["kg"].sum())


def test_workbooks_and_gzip_are_read() -> None:
    data, _ = others.tuik(comma=False)
    expected = tuik.parse(data, ABOUT)
    assert tuik.parse(gzip.compress(data), ABOUT).equals(expected)
    book = openpyxl.Workbook()
    book.active.append(["Dış ticaret"])
    for line in data.decode().splitlines():
        cells = line.split(";")
        book.active.append([*cells[:5], *[float(c) if c[0].isdigit() else c for c in cells[5:]]])
    out = io.BytesIO()
    book.save(out)
    pd.testing.assert_frame_equal(tuik.parse(out.getvalue(), ABOUT), expected)


def test_the_pseudo_code_is_kept_and_flagged() -> None:
    table = tuik.parse(others.tuik()[0], ABOUT)
    hidden = table[table["code"] == "27999999"]
    assert hidden["confidential"].all()
    assert hidden["weight_status"].tolist() == ["missing"]
    assert hidden["value_usd"].tolist() == [1894617765.0]


def test_thousands_are_told_from_decimals() -> None:
    def values(*cells: str) -> list[float]:
        lines = [f"2025;{n + 1};Import;RUS;27099900;{c};1" for n, c in enumerate(cells)]
        text = "Year;Month;Flow;Country;HS8;Value USD;kg\n" + "\n".join(lines)
        return tuik.parse(text.encode(), ABOUT)["value_usd"].tolist()

    assert values("1.234.567,5", "10,25") == [1234567.5, 10.25]
    assert values("1,234,567.5", "10.25") == [1234567.5, 10.25]
    assert values("1234567.5", "10.25") == [1234567.5, 10.25]
    assert values("1.234.567", "999") == [1234567.0, 999.0]
    assert values("1 234 567,5", "2") == [1234567.5, 2.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "lines"),
        ("a;b\n1;2", "heading"),
        ("Yıl;Ay;Akım;GTİP;Değer (USD)\n2025;1;İthalat;2709;5", "lack"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Import;RUS;5040000;5;1", "5040000"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;13;Import;RUS;05040000;5;1", "2025-13"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Gift;RUS;05040000;5;1", "Gift"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Import;Narnia;05040000;5;1", "Narnia"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Import;RUS;05040000;five;1", "five"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Import;RUS;05040000;-5;1", "negative"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n2025;1;Import;RUS;05040000;5", "fields"),
        ("Year;Month;Flow;Country;HS8;Value USD;kg\n" + "2025;1;Import;RUS;05040000;5;1\n" * 2,
         "share a key"),
    ],
)  # fmt: skip
def test_wrong_tables_are_named(text: str, words: str) -> None:
    with pytest.raises(TradeflowsError, match=words):
        tuik.parse(text.encode(), ABOUT)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_no_bytes_escape_the_errors(data: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"\x1f\x8b", b"Year;Month;Flow;Country;HS8;Value USD;kg\n"):
        with pytest.raises(TradeflowsError):
            tuik.parse(start + data, ABOUT)


def test_a_download_is_stored_with_what_it_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data"):
        text = "period,flow,hs10,value_usd,netwgt_kg\n2024-01,M,2710121100,15230024,31022850\n"
        file = tmp_path / "Rusya İthalat.csv"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SchemaMismatch, match="partner"):
            tuik.add(file)
        raw = tuik.add(file, partner="RUS")
        assert raw.id.startswith("tuik/live/rusya-ithalat@")
        assert len(tuik.read(store.read(raw.id), raw)) == raw.rows == 1
        assert store.verify() == []
