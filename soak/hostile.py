"""Hostile input for every parser: seeds, a mutator, and what a parser may do with the result.

A parser may return, or raise an error of `tradeflows.errors`. Anything else is a defect.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import sys
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from standin import others, trade  # noqa: E402
from standin.comtrade import Comtrade  # noqa: E402
from tradeflows import store  # noqa: E402
from tradeflows.claims import rules  # noqa: E402
from tradeflows.errors import TradeflowsError, UnreadableFileWarning  # noqa: E402
from tradeflows.sources import baci, eurostat, snapshot, tuik, worldbank  # noqa: E402
from tradeflows.sources.comtrade import pull, question, reply  # noqa: E402
from tradeflows.sources.comtrade.question import Call  # noqa: E402
from tradeflows.sources.tuik.files import written  # noqa: E402
from tradeflows.sources.work import (  # noqa: E402
    Manners,
    Reply,
    Session,
    _Broken,
)

ABOUT = {"origin": "hostile", "vintage": "2026-01-01"}
SECONDS = 30.0  # of processor time that one input may cost on a busy machine
NASTY = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1", b"9" * 25, b"1" * 5000, b"null", b"true",
    b"[]", b"{}", b'""', b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"'", b"=cmd()",
    b"<script>", b"../../etc/passwd", b"\r\n", b"\r", b";", b",", b"\t", b":", b"- ", b"&a ", b"*a",
    "\u0661\u0662".encode(), "\u202e".encode(), "\u00b2".encode(), b"2022-13", b"202213", b"0000",
    b"[" * 3000, b"{" * 3000, b"0x1F", b"1.5.5", b"!!python/object/apply:os.system [id]",
    b"!!int ", b"!!float ", b"!!bool x", b"!!timestamp x", b"<<: *a", b"%", b"\x1f\x8b",
    b"PK\x03\x04", b'"\\ud800"', b"\\x00",
)  # fmt: skip
_TOKEN = re.compile(rb"[A-Za-z_]+|-?\d+(?:\.\d+)?|\"[^\"]*\"|[;,\t\n:]")


@dataclass(frozen=True)
class Parser:
    """One parser: how it reads bytes, what it usually reads, and how that is packed."""

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    pack: Callable[[bytes], bytes] = bytes


@dataclass
class Tally:
    """What became of the inputs of one parser."""

    parser: str
    way: str
    tries: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak_mb: int = 0
    defects: list[str] = field(default_factory=list)


def attempt(parser: Parser, data: bytes) -> str:
    """Read hostile bytes; return ``read`` or the name of the error of ours, or raise."""
    try:
        parser.read(data)
    except (TradeflowsError, _Broken) as error:  # `_Broken` becomes SourceUnavailable after retries
        return type(error).__name__
    return "read"


def mutants(parser: Parser, seed: int) -> Iterator[bytes]:
    """Yield changed inputs without end; the same seed gives the same inputs."""
    draw = random.Random(seed)  # noqa: S311 - inputs, not secrets
    while True:
        plain = changed(draw.choice(parser.seeds), draw, parser.seeds)
        data = parser.pack(plain)
        yield changed(data, draw, (data,)) if draw.random() < 0.15 else data


def changed(data: bytes, draw: random.Random, others_: tuple[bytes, ...]) -> bytes:
    """Return bytes after one to four small changes."""
    for _ in range(draw.choice((1, 1, 1, 2, 3, 4))):
        data = _CHANGES[draw.randrange(len(_CHANGES))](data, draw, others_)
    return data


def _place(data: bytes, draw: random.Random) -> tuple[int, int]:
    start = draw.randrange(len(data) + 1)
    return start, min(len(data), start + draw.choice((1, 1, 2, 8, 64)))


def _flip(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    if not data:
        return data
    at = draw.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << draw.randrange(8))]) + data[at + 1 :]


def _insert(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    start, _end = _place(data, draw)
    return data[:start] + draw.choice(NASTY) + data[start:]


def _token(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    """Put something nasty in place of a word or number."""
    hit = _TOKEN.search(data, draw.randrange(len(data) + 1))
    return data[: hit.start()] + draw.choice(NASTY) + data[hit.end() :] if hit else data


def _cut(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    start, end = _place(data, draw)
    return data[:start] + data[end:]


def _end(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    return data[: draw.randrange(len(data) + 1)]


def _repeat(data: bytes, draw: random.Random, _: tuple[bytes, ...]) -> bytes:
    start, end = _place(data, draw)
    return data[:end] + data[start:end] * draw.choice((1, 2, 50)) + data[end:]


def _splice(data: bytes, draw: random.Random, others_: tuple[bytes, ...]) -> bytes:
    other = draw.choice(others_)
    return data[: draw.randrange(len(data) + 1)] + other[draw.randrange(len(other) + 1) :]


_CHANGES = (_flip, _insert, _token, _token, _token, _cut, _end, _repeat, _splice)


def fuzz(parser: Parser, tries: int, seed: int = 1) -> Tally:
    """Feed changed inputs to a parser and count what comes of them."""
    tally = Tally(parser.name, "mutation")
    for data, _ in zip(mutants(parser, seed), range(tries), strict=False):
        began = time.process_time()
        try:
            tally.outcomes[attempt(parser, data)] += 1
        except Exception as error:
            tally.outcomes["DEFECT"] += 1
            if len(tally.defects) < 20:
                tally.defects.append(f"{type(error).__name__}: {error!s:.200} for {data[:300]!r}")
        took = time.process_time() - began
        tally.slowest = max(tally.slowest, took)
        tally.tries += 1
        if took > SECONDS:
            tally.defects.append(f"{took:.0f} s for {data[:300]!r}")
    return tally


# The parsers.


@cache
def parsers() -> dict[str, Parser]:
    """Return every parser of input that comes from outside."""
    made = (
        Parser("comtrade-json", _comtrade, _comtrade_seeds(), _gzip_some),
        Parser("comtrade-lists", _lists, _list_seeds()),
        Parser("eurostat-csv", lambda b: eurostat.parse(b, _RATES), _eurostat_seeds()),
        Parser("eurostat-words", _words, _word_seeds()),
        Parser("workbook", lambda b: worldbank.parse(b, ABOUT), *_workbook_seeds()),
        Parser("tuik-csv", lambda b: tuik.parse(b, ABOUT), _tuik_seeds(), _tuik_pack),
        Parser("baci-zip", lambda b: baci.parse(b, ABOUT), _baci_seeds(), _baci_pack),
        Parser("sidecar-yaml", _sidecar, _sidecar_seeds()),
        Parser("snapshot-csv", _snapshot, _snapshot_seeds()),
        Parser("rules-yaml", rules.read, (_text("claims", "rules.yml"),)),
    )
    return {p.name: p for p in made}


_ASKED = {
    "freqCode": "M", "reportercode": "792", "partnercode": "643", "partner2code": "0",
    "motcode": "0", "customscode": "C00", "period": "202201,202202", "flowcode": "M,X",
    "cmdcode": "TOTAL,AG2",
}  # fmt: skip
_PAIRS = ("792-202201", "792-202202")
_QUERY = {
    "part": "p", "freq": "M", "reporters": [792], "periods": ["202201", "202202"],
    "box": {"flows": ["M", "X"], "partners": ["643"], "codes": ["TOTAL", "AG2"]},
    "releases": {p: {"checksum": "1", "released": "2022-10-11T09:00:00"} for p in _PAIRS},
    "systems": dict.fromkeys(_PAIRS, "general"),
}  # fmt: skip


def _comtrade(data: bytes) -> object:
    return reply.parse(data, ABOUT | {"query": _QUERY})


def _comtrade_seeds() -> tuple[bytes, ...]:
    status, body = Comtrade(trade.World(breadth=0)).answer(_ASKED, keyed=True)
    if status != 200 or not isinstance(body, bytes):
        raise ValueError(f"the stand-in refuses: {body!r}")
    whole = json.loads(body)
    few = json.dumps({**whole, "count": 4, "data": whole["data"][:4]}).encode()
    one = json.dumps({**whole, "count": 1, "data": whole["data"][:1]}).encode()
    return few, one, b'{"count":0,"data":[],"error":""}'


def _gzip_some(data: bytes) -> bytes:
    return gzip.compress(data, 1) if len(data) % 8 == 0 else data


class _Told(Session):
    """A session that is told its reply instead of asking."""

    told = b""

    def _ask(self, url: str, kind: str, into: Path | None) -> Reply:
        del kind, into
        return Reply(url, 200, {}, self.told, "2026-01-01T00:00:00Z")


def _lists(data: bytes) -> object:
    session = _Told("x", "http://localhost", Manners(interval=0, retries=0))
    session.told = data
    asked = pull.Client(session)
    session._failure(Reply("http://localhost", data[0] if data else 500, {}, data, ""))
    call = Call.from_dict(_QUERY | {"releases": dict.fromkeys(_PAIRS, "1")})
    asked.systems([792])
    with suppress(TradeflowsError):
        pull.counted(asked.ask(call, "count"))
    return asked.availability([792])


def _list_seeds() -> tuple[bytes, ...]:
    site = Comtrade(trade.World(breadth=0))
    asked = {"reportercode": "792", "period": "202201,202202"}
    made = [site.availability(asked), site.metadata(asked), {"count": 12, "data": [], "error": ""}]
    made.append({"statusCode": 429, "message": "Rate limit. Try again in 3 seconds."})
    made.append({"error": "x", "errorObject": [{"errorMessage": "bad period"}]})
    return tuple(json.dumps(m).encode() for m in made)


_RATES = ABOUT | {"rates": pd.Series(1.1, pd.date_range("2020-01-01", "2026-12-01", freq="MS"))}


def _eurostat_seeds() -> tuple[bytes, ...]:
    site = others.Eurostat(trade.World(breadth=0))
    months = pd.period_range("2022-01", "2022-02", freq="M")
    key = "M.EU27_2020.TR+RU.854231+271019.2.VALUE_IN_EUROS+QUANTITY_IN_100KG"
    tables = [site._comext(key, months), others.energy("nrg_ti_gasm", months)]
    plain = [t.to_csv(index=False).encode() for t in tables]
    return (*plain, gzip.compress(plain[0], 1))


def _words(data: bytes) -> object:
    put_off = eurostat.is_put_off(data)
    session = Session("x", "https://www.worldbank.org", hosts=worldbank.HOSTS)
    worldbank.link(data.decode("utf-8", "replace"), "https://www.worldbank.org/x", session)
    session.allowed("https://www.worldbank.org", data.decode("latin-1"))
    return put_off


def _word_seeds() -> tuple[bytes, ...]:
    return (
        others.PROMISE,
        b'{"id":"ticket-1234","status":"PROCESSING"}',
        b"413\nEXTRACTION_TOO_BIG: The requested extraction is too big, max is 500000",
        b'<a href="https://thedocs.worldbank.org/en/doc/1/CMO-Historical-Data-Monthly.xlsx">',
    )


def _workbook_seeds() -> tuple[tuple[bytes, ...], Callable[[bytes], bytes]]:
    """Return members of a workbook, the first byte telling which, and how to put one back."""
    with zipfile.ZipFile(io.BytesIO(others.workbook(months=3))) as book:
        members = {n: book.read(n) for n in book.namelist()}
    names = sorted(members)

    def pack(data: bytes) -> bytes:
        name = names[data[0] % len(names)] if data else names[0]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for one, body in members.items():
                archive.writestr(one, data[1:] if one == name else body)
        return out.getvalue()

    sheets = [n for n in names if "sheet2" in n or "sharedStrings" in n]
    return tuple(bytes([names.index(n)]) + members[n] for n in (*names, *sheets, *sheets)), pack


def _tuik_seeds() -> tuple[bytes, ...]:
    files = [others.tuik("tr", "cp1254", rows=6)[0], others.tuik("en", comma=False, rows=6)[0]]
    period = b"period,flow,partner,hs10,value_usd,netwgt_kg,suppl_qty,suppl_unit\n"
    files.append(period + b"2024-01,M,RUS,2710121100,15230024,31022850,5,kg\n")
    head = {
        "system": "general", "partner": "RUS", "digits": 6, "codes": [], "by": "",
        "months": ["2024-01"], "counted": 1, "totals": {"2024-01": {"M": [9.0, 4.0]}},
    }  # fmt: skip
    line = ["2024", "01", "2", "75", "Rusya Federasyonu", "854231", "", "KG/ADET", 9.0, 4.0, 6.0]
    files.append(gzip.decompress(written(head, [line])))
    return (*files, gzip.compress(files[1], 1), b"\x01" + files[1])


def _tuik_pack(data: bytes) -> bytes:
    """Make a workbook of a table that begins with 1."""
    if data[:1] != b"\x01":
        return data
    cells = [line.split(";") for line in data[1:].decode("utf-8", "replace").splitlines()]
    rows = "".join(
        "<row>"
        + "".join(f'<c t="inlineStr"><is><t>{_xml(c)}</t></is></c>' for c in line)
        + "</row>"
        for line in cells
    )
    return _book(f"<sheetData>{rows}</sheetData>")


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _book(body: str) -> bytes:
    space = "http://schemas.openxmlformats.org/"
    main = f'xmlns="{space}spreadsheetml/2006/main"'
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    rel = f'xmlns="{space}package/2006/relationships"'
    office = f"{space}officeDocument/2006/relationships"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{space}package/2006/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
        f'<Override PartName="/xl/s.xml" ContentType="{kinds}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships {rel}><Relationship Id="a" Type="{office}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="b"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships {rel}><Relationship Id="b"'
        f' Type="{office}/worksheet" Target="s.xml"/></Relationships>',
        "xl/s.xml": f"<worksheet {main}>{body}</worksheet>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def _baci_seeds() -> tuple[bytes, ...]:
    rows = b"t,i,j,k,v,q\n2022,792,643,10121,   1.500,   0.250\n2022,842,490,854231,2,NA\n"
    return rows, rows.replace(b"\n", b"\r\n"), b"t,i,j,k,v,q\n"


def _baci_pack(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("BACI_HS17_Y2022_V202601.csv", data)
    return out.getvalue()


def _sidecar(data: bytes) -> object:
    raw = store._parsed.__wrapped__(f"{question.FOLDER}/x", Path("x"), data)
    repr(raw)
    with warnings.catch_warnings():  # a query that cannot be read is named and left out
        warnings.simplefilter("ignore", UnreadableFileWarning)
        return raw, store._yaml(raw), question.leaves([raw]) if raw.query else None


def _sidecar_seeds() -> tuple[bytes, ...]:
    words = ("publisher", "title", "url", "licence", "terms", "accessed", "vintage", "coverage")
    about = {**{w: w for w in (*words, "obtained")}, "table": "trade", "rows": 2, "bytes": 1}
    about |= {"sha256": "0" * 64, "traps": ["beware"], "constants": {"flow": "M"}, "query": _QUERY}
    raw = store._raw("x", Path("x"), about)
    first = next(iter(sorted((ROOT / "data" / "raw").rglob("*.yml"))))
    return store._yaml(raw).encode(), first.read_bytes()


def _snapshot(data: bytes) -> object:
    raw = _described("tuik/imports_from_russia_monthly.csv")
    frame = snapshot._csv(data, raw.id)
    return len(frame), snapshot.parse(data, replace(raw, rows=len(frame)))


@cache
def _described(file: str) -> store.Raw:
    return store.describe(file)


def _snapshot_seeds() -> tuple[bytes, ...]:
    whole = store.read("tuik/imports_from_russia_monthly.csv")
    return (b"\n".join(whole.split(b"\n")[:5]) + b"\n",)


def _text(*place: str) -> bytes:
    return ROOT.joinpath("src", "tradeflows", *place).read_bytes()
