"""TÜİK's files: both languages, both decimal signs, both encodings, hidden energy kept."""

import gzip
import io
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standin import others
from standin.harness import SNAPSHOT, asked
from tradeflows import bridge, store
from tradeflows.errors import SchemaMismatch, TradeflowsError, UnknownCode, UnknownColumnWarning
from tradeflows.readers import read
from tradeflows.sources import snapshot, tuik

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
        ("Yıl;Ay;Akım;GTİP;Değer (USD)\n2025;1;İthalat;2709;5", "no column for partner, weight"),
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


HEAD = "Yıl;Ay;Akım;Ülke;GTİP;Değer (USD);Net Ağırlık (KG)"


def parsed(*lines: str, head: str = HEAD, **constants: str) -> pd.DataFrame:
    text = "\n".join([head, *lines]) + "\n"
    return tuik.parse(text.encode(), ABOUT | {"constants": constants})


def book(*rows: list[object]) -> bytes:
    out = io.BytesIO()
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    workbook.save(out)
    return out.getvalue()


def test_notes_below_a_table_are_passed_over_and_cut_rows_are_not() -> None:
    row = "2022;1;X;Rusya;854231;10;5"
    for note in ("Kaynak: TÜİK, Dış Ticaret İstatistikleri", "Source: TurkStat;;;;;;",
                 "(1) 2022 yılı verileri geçicidir.", "*Not*"):  # fmt: skip
        assert len(parsed(row, "", note, "Not: veriler revize edilebilir")) == 1
        assert len(tuik.parse(book(HEAD.split(";"), row.split(";"), [note.strip(";")]), ABOUT)) == 1
    for cut in ("2022;2;X;Rusya;8542", "20", "Rus"):
        with pytest.raises(SchemaMismatch, match="line 3 has") as refused:
            parsed(row, cut)
        assert "download it again" in refused.value.todo


def test_months_of_a_workbook_may_be_floats_texts_or_days() -> None:
    for year, month in ((2022.0, 1.0), ("2022.0", "1.0"), (2022, "Ocak"), ("2022", "01")):
        cells: list[object] = [year, month, "İhracat", "Rusya", "854231", 1500.255, 1.234]
        table = tuik.parse(book(HEAD.split(";"), cells), ABOUT)
        assert table["period"].dt.strftime("%Y-%m").tolist() == ["2022-01"]
    head = ["Dönem", *HEAD.split(";")[2:]]
    for when in (
        202201.0,
        202201,
        pd.Timestamp("2022-01-31"),
        "01.2022",
    ):
        table = tuik.parse(book(head, [when, "İhracat", "Rusya", "854231", 1500.255, 1.234]), ABOUT)
        assert table["period"].dt.strftime("%Y-%m").tolist() == ["2022-01"]


def test_a_number_cell_is_that_number() -> None:
    head = [*HEAD.split(";"), "Miktar", "Birim"]
    rows: list[list[object]] = [
        [2022, 1, "İhracat", "Rusya", "854231", 1500.255, 1.234, 7.125, "kg"],
        [2022, 2, "İhracat", "Rusya", 854231, 90, 12.125, 8, "KG/ADET"],
        [2022.0, 3, "İhracat", "Rusya", 854231.0, 700, 250, 9, None],
    ]
    table = tuik.parse(book(head, *rows), ABOUT)
    assert table["net_weight_kg"].tolist() == [1.234, 12.125, 250.0]
    assert table["value_usd"].tolist() == [1500.255, 90.0, 700.0]
    assert table["quantity"].tolist()[:2] == [7.125, 8.0]
    assert table["quantity_unit"].tolist()[:2] == ["kg", "ADET"]
    assert (table["quantity"].isna().tolist()[2], table["quantity_status"].iloc[2]) == (
        True, "missing",
    )  # fmt: skip
    assert set(table["code"]) == {"854231"}


def test_three_decimals_are_no_thousands() -> None:
    before = parsed("2021;6;X;Rusya;854231;5000,00;1234,5", "2021;6;X;Rusya;854232;100,00;0,25")
    for rows in (
        ("2022;6;X;Rusya;854231;5000,00;1234,500", "2022;6;X;Rusya;854232;100,00;0,250"),
        ("2022;6;X;Rusya;854231;5000.00;1234.500", "2022;6;X;Rusya;854232;100.00;0.250"),
    ):
        after = parsed(*rows)
        assert after["net_weight_kg"].tolist() == [1234.5, 0.25]
        both = pd.concat([before, after]).assign(code_system="HS2022")
        bars = bridge(both, "2021-06", "2022-06")
        assert (bars.price, bars.volume, bars.entry, bars.exit) == (0, 0, 0, 0)


def test_a_column_of_two_readings_is_refused_until_the_user_says_which() -> None:
    line = "2022;6;X;Rusya;854231;5000;12.250"
    with pytest.raises(SchemaMismatch, match=r"KG\)' holds '12.250', which is 12\.25 .* 12250 "):
        parsed(line)
    assert parsed(line, decimal=",")["net_weight_kg"].tolist() == [12250.0]
    assert parsed(line, decimal=".")["net_weight_kg"].tolist() == [12.25]
    with pytest.raises(SchemaMismatch, match="decimal="):
        parsed(line, decimal="x")


@pytest.mark.parametrize(
    "codes",
    [("8105000.0", "8081080.0"), ("80510.0",), ("805.0",), ("8105000",), ("805.1",), ("2709.00",),
     ("",), ("854231.0", "8542.32")],
)  # fmt: skip
def test_codes_that_became_numbers_are_refused(codes: tuple[str, ...]) -> None:
    with pytest.raises(SchemaMismatch, match="row"):
        parsed(*[f"2022;{n + 1};X;Rusya;{c};5000;1234" for n, c in enumerate(codes)])


def test_all_partners_by_their_turkish_names() -> None:
    names = ("Rusya Federasyonu", "İtalya", "Fransa", "Birleşik Krallık", "Gizli Ülke")
    lines = [f"2022;1;İhracat;{name};854231;5000;1234" for name in names]
    assert set(parsed(*lines)["partner"]) == {"RUS", "ITA", "FRA", "GBR", "Confidential country"}
    with pytest.raises(SchemaMismatch, match="'İtalya'") as error:
        parsed(*lines, partner="RUS")
    assert "leave partner= out" in error.value.todo
    assert parsed(lines[0], partner="RUS")["partner"].tolist() == ["RUS"]
    with pytest.raises(UnknownCode, match="numbers are each publisher's own"):
        parsed("2022;1;İhracat;75;854231;5000;1234")


RATE = float(snapshot.rates().loc["2022-01-01", "TRY"])


@pytest.mark.parametrize(
    ("head", "cells", "value"),
    [
        ("Değer;Para birimi", "5000;TL", 5000 * RATE),
        ("Value;Currency", "5000;USD", 5000.0),
        ("Değer (TL)", "5000", 5000 * RATE),
        ("Değer (USD);Değer (TL)", "5000;70000", 5000.0),
        ("Değer (USD);Döviz kodu", "5000;EUR", 5000.0),  # of the invoice
        ("Değer (Bin USD)", "5000", 5e6),
        ("İhracat Dolar", "5000", 5000.0),
        ("Birim Değer;Değer (ABD $)", "5;5000", 5000.0),
    ],
)
def test_values_are_in_the_currency_that_the_file_says(head: str, cells: str, value: float) -> None:
    table = parsed(
        f"2022;1;X;Rusya;854231;1234;{cells}", head=f"Yıl;Ay;Akım;Ülke;GTİP;Net Ağırlık (KG);{head}"
    )
    assert table["value_usd"].tolist() == pytest.approx([value])


@pytest.mark.parametrize(
    ("head", "cells", "words"),
    [
        ("Değer", "5000", "currency neither"),
        ("Değer;Para birimi", "5000;RUB", "values in RUB"),
        ("Değer;Para birimi", "5000;", "currency neither"),
        ("Değer (USD);Para birimi", "5000;TL", r"says TL, the heading says 'Değer \(USD\)'"),
        ("Değer (Rs)", "5000", "unit Rs is not known"),
        ("İhracat (USD);İthalat (USD)", "5000;1", "columns 'İhracat"),
    ],
)
def test_a_currency_that_is_not_what_the_column_says_is_refused(
    head: str, cells: str, words: str
) -> None:
    line, first = f"2022;1;X;Rusya;854231;1234;{cells}", "Yıl;Ay;Akım;Ülke;GTİP;Net Ağırlık (KG)"
    with pytest.raises(SchemaMismatch, match=words):
        parsed(line, head=f"{first};{head}")
    if words == "currency neither" and head == "Değer":
        assert parsed(line, head=f"{first};{head}", currency="USD")["value_usd"].item() == 5000.0
        with pytest.raises(SchemaMismatch, match="1990-01"):
            parsed(line.replace("2022", "1990"), head=f"{first};{head}", currency="TL")


def test_weights_have_the_unit_and_the_flag_that_the_file_says() -> None:
    head = "Yıl;Ay;Akım;Ülke;GTİP;Değer (USD);Net Ağırlık;Ağırlık birimi;Tahmini;Gizli;Miktar"
    table = parsed(
        "2022;1;X;Rusya;854231;10;5;kg;H;H;3", "2022;2;X;Rusya;854231;10;5;ton;Evet;E;3", head=head
    )
    assert table["net_weight_kg"].tolist() == [5.0, 5000.0]
    assert table["weight_status"].tolist() == ["reported", "estimated"]
    assert table["confidential"].tolist() == [False, True]
    assert table["quantity"].isna().all(), "a quantity without a unit is no quantity"
    with pytest.warns(UnknownColumnWarning, match="says varil, which is no unit of weight"):
        barrels = parsed("2022;1;X;Rusya;854231;10;5;varil;H;H;3", head=head)
    assert barrels["weight_status"].tolist() == ["missing"]
    with pytest.raises(SchemaMismatch, match="'perhaps'"):
        parsed("2022;1;X;Rusya;854231;10;5;kg;perhaps;H;3", head=head)


def test_other_reporters_and_years_are_not_taken_for_turkey_of_today() -> None:
    with pytest.raises(SchemaMismatch, match="reporters DEU"):
        parsed("2022;1;X;Rusya;854231;10;5;Almanya", head=f"{HEAD};Reporter")
    years = parsed(*[f"{y};1;X;Rusya;854231;10;5" for y in (2013, 2016, 2017, 2022)])
    assert years["code_system"].tolist() == ["HS2012", "HS2012", "HS2017", "HS2022"]
    hidden = parsed("2022;1;M;Rusya;27101943;10;5;Gizli veri", head=f"{HEAD};Madde adı")
    assert hidden["confidential"].tolist() == [True]


def test_what_a_table_lacks_is_named_first_and_headings_of_that_alone(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("Yıl;Ay;Akım;GTİP;Değer (USD);Kilo\n2025;1;İthalat;270900;10;5\n", "utf-8")
    with pytest.raises(SchemaMismatch) as refused:
        tuik.read_tuik(file)
    assert "no column for partner" in str(refused.value)
    assert "tf.read_tuik(file, partner='RUS')" in refused.value.todo
    assert "net weight" not in str(refused.value)
    assert tuik.read_tuik(file, partner="RUS")["net_weight_kg"].item() == 5
    asked = read(file, partner="RUS", flow="X").iloc[0]  # the file itself says the flow
    assert (asked["partner"], asked["flow"]) == ("RUS", "M")


def test_the_sidecar_says_that_values_were_converted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with asked(monkeypatch, tmp_path / "data"):
        (tmp_path / "data" / "raw" / "ecb").mkdir(parents=True, exist_ok=True)
        for name in (snapshot.RATES, f"{snapshot.RATES}.yml"):
            shutil.copy(SNAPSHOT / name, tmp_path / "data" / "raw" / name)
        file = tmp_path / "lira.csv"
        file.write_text(
            f"{HEAD.replace('USD', 'TL')}\n2022;1;X;Rusya;854231;5000;12.250\n", "utf-8"
        )
        raw = tuik.add(file, decimal=",")
        assert "TRY" in raw.traps[0]
        stored = tuik.read(store.read(raw.id), raw)
        assert stored["net_weight_kg"].tolist() == [12250.0]
        assert stored["value_usd"].tolist() == pytest.approx([5000 * RATE])


@pytest.mark.parametrize(
    ("title", "cells", "said", "system"),
    [
        ("", "", "", "unknown"), ("Genel Ticaret Sistemi", "", "", "general"),
        ("", "Özel", "", "special"), ("Özel ticaret sistemi", "Özel", "special", "special"),
        ("", "", "general", "general"), ("Genel Ticaret Sistemi", "Özel", "", None),
        ("Genel Ticaret Sistemi", "", "special", None), ("", "Başka", "", None),
    ],
)  # fmt: skip
def test_the_trade_system_is_that_of_the_file(title, cells, said, system) -> None:
    head = [*HEAD.split(";"), *(["Ticaret Sistemi"] if cells else [])]
    row: list[object] = [
        2022,
        1,
        "İhracat",
        "Rusya",
        "854231",
        1.0,
        2.0,
        *([cells] if cells else []),
    ]
    data = book([title], head, row)
    about = ABOUT | {"constants": {"trade_system": said} if said else {}}
    if system is None:
        with pytest.raises(SchemaMismatch, match=r"trade.system"):
            tuik.parse(data, about)
    else:
        assert tuik.parse(data, about)["trade_system"].tolist() == [system]


def test_a_heading_of_values_may_say_the_flow() -> None:
    head = "Yıl;Ay;Ülke;GTİP;İthalat Dolar;Miktar 1"
    table = parsed("2022;1;Rusya;854231;10;5", head=head)
    assert table[["flow", "value_usd", "net_weight_kg"]].iloc[0].tolist() == ["M", 10, 5]
    with pytest.raises(SchemaMismatch, match="'Toplam': row 1 is a sum"):
        parsed("2022;1;Rusya;854231;10;5", "Toplam;;;;10;5", head=head)
