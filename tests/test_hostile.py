"""Hostile input: only errors of ours come out of a parser, within bounds of memory and time."""

import csv
import gzip
import io
import re
import resource
import subprocess
import sys
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "soak"))

import hostile  # noqa: E402

from tradeflows import store, tables  # noqa: E402
from tradeflows.errors import (  # noqa: E402
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    UnreadableFileWarning,
)
from tradeflows.load import load  # noqa: E402
from tradeflows.plot import table_html  # noqa: E402
from tradeflows.sources import baci, eurostat, tuik, worldbank  # noqa: E402
from tradeflows.sources.comtrade import question  # noqa: E402
from tradeflows.sources.work import Reply, Session  # noqa: E402
from tradeflows.spreadsheets import csv_text  # noqa: E402

PARSERS = hostile.parsers()
ABOUT = hostile.ABOUT


@pytest.mark.parametrize("name", PARSERS)
def test_what_parsers_usually_read_is_read(name: str) -> None:
    parser = PARSERS[name]
    assert "read" in {hostile.attempt(parser, parser.pack(seed)) for seed in parser.seeds}


@pytest.mark.parametrize("name", PARSERS)
def test_changed_input_is_read_or_refused(name: str) -> None:
    tally = hostile.fuzz(PARSERS[name], 150, seed=2022)
    assert tally.defects == []
    assert tally.tries == 150


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    plain = data.draw(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
    start = data.draw(st.sampled_from([b"", *(s[: len(s) // 2] for s in parser.seeds)]))
    hostile.attempt(parser, parser.pack(start + plain))
    hostile.attempt(parser, plain)


# What the fuzzers found, each kept as one example.

SCALARS = (b"!!int ''", b"!!float ''", b"!!bool x", b"!!timestamp x", b"[" * 3000, b"? [1]\n: 2")


@pytest.mark.parametrize("text", SCALARS)
def test_bad_yaml_scalars_are_refused(text: bytes) -> None:
    with pytest.raises(SchemaMismatch):
        PARSERS["sidecar-yaml"].read(b"publisher: " + text)


def test_yaml_that_unfolds_without_end_is_refused() -> None:
    bomb = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghij"
    bomb += [f"{n}: &{n} [{', '.join([f'*{m}'] * 9)}]" for m, n in pairwise(names)]
    with pytest.raises(SchemaMismatch):
        PARSERS["sidecar-yaml"].read("\n".join(bomb).encode())


@pytest.mark.parametrize(
    "query",
    [
        {"releases": 3},
        {"releases": {}},
        {"periods": 5},
        {"box": {"codes": []}},
        {"expires": "soon"},
    ],
)
def test_a_damaged_query_in_a_sidecar_is_named(query: dict[str, object]) -> None:
    raw = store._parsed(f"{question.FOLDER}/x", Path("x"), PARSERS["sidecar-yaml"].seeds[0])
    raw = type(raw)(**{**vars(raw), "query": {**raw.query, **query}})
    with pytest.warns(UnreadableFileWarning, match=r"(?s)query.*tradeflows refresh"):
        assert question.leaves([raw]) == []


def test_damaged_gzip_of_eurostat_is_refused() -> None:
    packed = bytearray(gzip.compress(b"DATAFLOW," * 500))
    for at in range(10, len(packed)):
        spoiled = bytes(packed[:at]) + bytes([packed[at] ^ 0x55]) + bytes(packed[at + 1 :])
        with pytest.raises(SchemaMismatch):
            eurostat.parse(spoiled, ABOUT)


def test_a_zip_with_wrong_offsets_is_refused() -> None:
    whole = PARSERS["baci-zip"].pack(PARSERS["baci-zip"].seeds[0])
    for gone in (2, 8, 60):
        with pytest.raises(SchemaMismatch):
            baci.parse(whole[:10] + whole[10 + gone :], ABOUT)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", ["9" * 25, "1e30", str(2**60), "1e999", "9" * 500, "-1e400"])
def test_levels_that_no_integer_holds_are_refused(number: str) -> None:
    parser = PARSERS["snapshot-csv"]
    head = b"period,code,level,value_usd,net_weight_kg,weight_status"
    row = f"2019-01,TOTAL,{number},1759273000,,missing".encode()
    assert head in {seed.split(b"\n")[0] for seed in parser.seeds}
    with pytest.raises(SchemaMismatch, match="level"):
        parser.read(head + b"\n" + row + b"\n")


def test_half_a_letter_is_refused() -> None:
    parser = PARSERS["comtrade-json"]
    with pytest.raises(SchemaMismatch, match="cmdCode"):
        parser.read(parser.seeds[1].replace(b'"TOTAL"', b'"\\ud800"'))


def test_numbers_too_long_for_an_integer_are_refused() -> None:
    parser = PARSERS["comtrade-json"]
    spoiled = re.sub(rb'"period": "?\d+"?', b'"period": "' + b"1" * 5000 + b'"', parser.seeds[1])
    with pytest.raises(SchemaMismatch, match="period"):
        parser.read(spoiled)
    lists = PARSERS["comtrade-lists"]
    with pytest.raises(SchemaMismatch, match="availability"):
        lists.read(re.sub(rb'"period": \d+', b'"period": 1e999', lists.seeds[0]))


def test_a_year_zero_is_refused() -> None:
    parser = PARSERS["eurostat-csv"]
    with pytest.raises(SchemaMismatch, match="0000-01"):
        parser.read(re.sub(rb"2022-\d\d", b"0000-01", parser.seeds[0]))
    old = load("trade", source="WITS").head(1).assign(period="0000-01-01")
    with pytest.raises(SchemaMismatch, match="before 1"):
        tables.validate(old, "trade")


@pytest.mark.parametrize("country", ["1e999", "inf", "792.5", "-4", "9" * 400])
def test_countries_that_are_no_number_are_refused(country: str) -> None:
    pack = PARSERS["baci-zip"].pack
    with pytest.raises(SchemaMismatch, match="two countries"):
        baci.parse(pack(f"t,i,j,k,v,q\n2022,{country},643,10121,1,1\n".encode()), ABOUT)


@pytest.mark.parametrize("sent", ["\xb2", "Mon, 01 Jan 2024 00:00:00 -0000", "x", "-1", "9" * 400])
def test_odd_headers_are_no_crash(sent: str) -> None:
    told = Reply("http://localhost", 429, {"retry-after": sent}, b"{}", "")
    assert "429" in str(Session("x", "http://localhost")._failure(told))


def test_an_error_body_nested_without_end_is_no_crash() -> None:
    deep = b'{"error": ' + b"[" * 3000
    failure = Session("x", "http://localhost")._failure(
        Reply("http://localhost", 500, {}, deep, "")
    )
    assert "500" in str(failure)


@pytest.mark.parametrize("address", ["https://[].worldbank.org/", "http://[/x"])
def test_addresses_that_are_none_are_refused(address: str) -> None:
    session = Session("x", "https://www.worldbank.org", hosts=worldbank.HOSTS)
    with pytest.raises(SourceUnavailable):
        session.allowed("https://www.worldbank.org", address)
    with pytest.raises(SourceUnavailable):
        worldbank.link(
            f'<a href="{address}CMO-Historical-Data-Monthly.xlsx">', "https://x.org", session
        )


# Bounds, paths, formulas.


def _xlsx_bomb() -> bytes:
    entities = "".join(
        f'<!ENTITY {n} "{f"&{m};" * 10}">' for m, n in zip("abcdefgh", "bcdefghi", strict=True)
    )
    head = f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{entities}]>'
    book = hostile._book("<sheetData><row><c t='str'><v>&i;</v></c></row></sheetData>")
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, (head.encode() if name == "xl/s.xml" else b"") + old.read(name))
    return out.getvalue()


def _zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("BACI_HS17_Y2022_V202601.csv", b"t,i,j,k,v,q\n" + bytes(60 << 20))
    return out.getvalue()


def _gzip_bomb() -> bytes:
    """Return 600 MB of nothing: one packed megabyte, over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * 600 + packer.flush()


BOMBS = {
    "gzip to TÜİK": lambda: tuik.parse(_gzip_bomb(), ABOUT),
    "gzip to Eurostat": lambda: eurostat.parse(_gzip_bomb(), ABOUT),
    "zip to BACI": lambda: baci.parse(_zip_bomb(), ABOUT),
    "zip to the workbook": lambda: worldbank.parse(_zip_bomb(), ABOUT),
    "entities in a workbook": lambda: worldbank.parse(_xlsx_bomb(), ABOUT),
    "entities in TÜİK's": lambda: tuik.parse(_xlsx_bomb(), ABOUT),
}


def _burst() -> None:
    for name, bomb in BOMBS.items():
        with pytest.raises(SchemaMismatch):
            bomb()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        assert peak < 2500, f"{name}: {peak} MB"


def test_bombs_are_refused_within_bounds_of_memory_and_time() -> None:
    code = "import test_hostile as t; t._burst()"
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-500:]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began < 60


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    root = Path("/somewhere/raw")
    try:
        path = store._inside(root, name)
    except TradeflowsError:
        return
    assert root in path.parents
    assert ".." not in path.parts


@settings(max_examples=150)
@given(
    st.sampled_from("=+-@\t"),
    st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=20),
)
def test_no_formula_reaches_a_spreadsheet(sign: str, rest: str) -> None:
    frame = pd.DataFrame({"name": [sign + rest], sign + "x": [1.0]})
    cells = [cell for line in csv.reader(io.StringIO(csv_text(frame))) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


@settings(max_examples=150)
@given(st.text(alphabet="<>&\"'/ abscript=on", max_size=40))
def test_no_html_reaches_a_page(text: str) -> None:
    shown = table_html(pd.DataFrame({text: [text]}, index=[text]), label=text)
    tags = set(re.findall(r"<\s*/?\s*([a-z]+)", shown))
    assert tags <= {"table", "thead", "tbody", "tr", "th", "td", "caption", "div", "span", "p"}
