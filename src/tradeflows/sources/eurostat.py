"""Eurostat: EU exports by HS6 (Comext) and Turkey's energy imports, as SDMX-CSV."""

from __future__ import annotations

import gzip
import io
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import eurostat as letters
from tradeflows.codes.countries import from_eurostat
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError, TruncatedReply
from tradeflows.sources import published, rows
from tradeflows.sources.session import AddressTooLong, Manners, Reply, Session, root_from
from tradeflows.sources.workbook import bounded_zip, member_bytes

__all__ = ["PUBLISHER", "Question", "connect", "fetch", "parse", "read", "standard", "verdict"]

PUBLISHER = "Eurostat"
ROOT = "https://ec.europa.eu"
RATES = "ecb/exchange_rates_monthly.csv"
MOST_CELLS = 500_000  # at once; more is answered later, more than 5 million not at all
NEIGHBOURS = ("TUR", "RUS", "KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
_COMEXT, _ENERGY = "comext/dissemination", "dissemination"
_SERIES = {"G3000": "gas", "G3200": "lng", "O4100_TOT": "crude_oil", "O4100": "crude_oil",
           "O4600": "oil_products", "O4000XO4100": "oil_products", "C0100": "hard_coal",
           "C0000X0350-0370": "solid_fuels"}  # fmt: skip
_UNITS = {"MIO_M3": ("m3", 1e6), "THS_T": ("t", 1e3), "TJ_GCV": ("TJ", 1.0), "TJ": ("TJ", 1.0)}
_HELP = "refresh again; if it stays, the publisher changed its format: report it"
_WAITS = 60


@dataclass(frozen=True)
class Question:
    """One dataset with its key, and how many cells a month of it may have."""

    dataset: str
    service: str
    key: str
    cells: int
    table: str
    title: str


def standard(codes: Sequence[str]) -> list[Question]:
    """Return what the claims need: EU exports of the codes, and Turkey's energy imports.

    Examples
    --------
    >>> [q.dataset for q in standard(["854231"])]
    ['DS-045409', 'nrg_ti_gasm', 'nrg_ti_oilm', 'nrg_ti_sffm']
    """
    partners = "+".join(letters(c) for c in NEIGHBOURS)
    listed = sorted(set(codes))
    key = f"M.EU27_2020.{partners}.{'+'.join(listed)}.2.VALUE_IN_EUROS+QUANTITY_IN_100KG"
    comext = Question(
        "DS-045409", _COMEXT, key, len(NEIGHBOURS) * len(listed) * 2, "trade",
        "EU exports of listed goods to Turkey, Russia and the neighbours",
    )  # fmt: skip
    energy = [
        Question(name, _ENERGY, "M..RU+TOTAL..TR", 200, "volumes", f"Turkey: imports of {what}")
        for name, what in (
            ("nrg_ti_gasm", "natural gas"),
            ("nrg_ti_oilm", "oil and oil products"),
            ("nrg_ti_sffm", "solid fuels"),
        )
    ]
    return [comext, *energy] if listed else energy


def connect(manners: Manners | None = None) -> Session:
    """Return a session with Eurostat."""
    root = root_from("TRADEFLOWS_EUROSTAT_URL", ROOT)
    return Session(PUBLISHER, root, manners or Manners(), hosts=("europa.eu",))


def fetch(
    session: Session, questions: Sequence[Question], start: str, end: str,
    told: Callable[[int, int], None] = lambda _d, _n: None,
) -> list[str]:  # fmt: skip
    """Store the newest edition of every dataset asked for; return the ids of new files.

    Spans are cut so that no reply has more cells than are answered at once. A reply that says the
    same as the stored one of the same edition is not stored again.
    """
    last = min(end, _dollars().index.max().strftime("%Y-%m"))
    stored: list[str] = []
    for number, question in enumerate(questions):
        told(number, len(questions) - number)
        spans = _spans(start, last if question.table == "trade" else end, question.cells)
        while spans:
            span = spans.pop(0)
            try:
                reply = _answer(session, question, span)
            except AddressTooLong:
                spans = _halved(question, span) + spans
                continue
            stored += _stored(question, span, reply)
    return stored


def _spans(start: str, end: str, cells: int) -> list[tuple[str, str]]:
    months = pd.period_range(start, end, freq="M")
    size = max(1, int(MOST_CELLS * 0.9) // max(cells, 1))
    return [
        (str(months[i]), str(months[min(i + size, len(months)) - 1]))
        for i in range(0, len(months), size)
    ]


def _halved(question: Question, span: tuple[str, str]) -> list[tuple[str, str]]:
    months = pd.period_range(*span, freq="M")
    if len(months) < 2:
        raise TruncatedReply(
            f"{PUBLISHER}: {question.dataset} {span[0]} is too large for a reply",
            "one month that fits",
            "ask for fewer codes",
        )
    middle = len(months) // 2
    return [(str(months[0]), str(months[middle - 1])), (str(months[middle]), str(months[-1]))]


def _answer(session: Session, question: Question, span: tuple[str, str]) -> Reply:
    """Return data, after waiting where Eurostat says that it answers later."""
    base = f"eurostat/api/{question.service}"
    query = f"format=SDMX-CSV&compressed=false&startPeriod={span[0]}&endPeriod={span[1]}"
    path = f"{base}/sdmx/2.1/data/{question.dataset}/{question.key}"
    reply = session.get(path, query, kind="data", expect="any")
    kind = verdict(reply.data)
    if kind == "too big":
        raise AddressTooLong(f"{PUBLISHER}: the extraction is too big", "less", "ask for less")
    if kind == "data":
        return reply
    ticket = _ticket(reply.data)
    for _ in range(_WAITS):
        status = session.get(f"{base}/1.0/async/status/{ticket}", kind="status", expect="any")
        state = _state(status.data)
        if state == "AVAILABLE":
            return session.get(f"{base}/1.0/async/data/{ticket}", kind="data", expect="any")
        if state not in ("SUBMITTED", "PROCESSING"):
            break
        time.sleep(session.manners.backoff)
    raise SourceUnavailable(
        f"{PUBLISHER}: {question.dataset} was promised for later and did not come",
        "status AVAILABLE",
        "run `tradeflows refresh` again later",
    )


def verdict(data: bytes) -> str:
    """Say what a reply is: ``data``, ``later`` (fetch it by its ticket) or ``too big``.

    Examples
    --------
    >>> verdict(b"413\\nEXTRACTION_TOO_BIG: The requested extraction is too big")
    'too big'
    """
    if data[:2] in (b"PK", b"\x1f\x8b"):
        return "data"
    head = data[:20_000].decode("utf-8", "replace")
    if "EXTRACTION_TOO_BIG" in head or re.search(r'"status"\s*:\s*"?413', head):
        return "too big"
    if re.search(r'code="413"', head):  # the former service: a file at an address of its own
        return "too big"
    if re.search(r"SUBMITTED|PROCESSING|AVAILABLE", head) and not head.startswith("DATAFLOW"):
        return "later"
    return "data"


def _ticket(data: bytes) -> str:
    text = data[:20_000].decode("utf-8", "replace")
    found = re.search(r'<(?:\w+:)?id>\s*([\w-]{4,80})|"id"\s*:\s*"([\w-]{4,80})"', text)
    if not found:
        raise SchemaMismatch(f"{PUBLISHER}: a promise without an id", "an id", _HELP)
    return found.group(1) or found.group(2)


def _state(data: bytes) -> str:
    found = re.search(rb"SUBMITTED|PROCESSING|AVAILABLE|EXPIRED|UNKNOWN_REQUEST", data)
    return found.group(0).decode() if found else "nothing"


def _stored(question: Question, span: tuple[str, str], reply: Reply) -> list[str]:
    day = _edition(_csv(reply.data, question.dataset)) or reply.day
    name = f"eurostat/live/{question.dataset.lower()}-{span[0]}-{span[1]}"
    known = [r for r in store.catalogue() if r.id.startswith(f"{name}@")]
    if any(r.vintage == day and _plain(store.read(r.id), r.id) == reply.data for r in known):
        return []
    number = sum(r.vintage == day for r in known)
    place = f"{name}@{day}{f'-{number + 1}' if number else ''}.csv.gz"
    about = {"origin": place, "vintage": day}
    table = parse(reply.data, about)
    query: dict[str, Any] = {"key": question.key, "span": list(span)}
    if reply.generated:
        query["generated"] = True
    store.put(
        place,
        gzip.compress(_plain(reply.data, place), 6, mtime=0),
        {
            "publisher": PUBLISHER,
            "title": question.title,
            "url": reply.url,
            "licence": "reuse with attribution (Commission decision 2011/833/EU)",
            "terms": "Reuse is allowed if Eurostat is named as the source.",
            "accessed": reply.at,
            "vintage": day,
            "coverage": f"{span[0]} to {span[1]}",
            "obtained": f"Eurostat API, dataset {question.dataset}",
            "table": question.table,
            "rows": len(table),
            "query": query,
        },
    )
    return [place]


def _edition(frame: pd.DataFrame) -> str:
    """Return the day of the last update, written ``15/09/26`` or ``15/09/26 11:00:00``."""
    if "LAST UPDATE" not in frame or frame.empty:
        return ""
    text = str(frame["LAST UPDATE"].iloc[0]).split(" ")[0]
    for style in ("%d/%m/%y", "%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, style).replace(tzinfo=UTC).date().isoformat()
        except ValueError:
            continue
    return ""


def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored reply as the trade or volumes table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn SDMX-CSV into the trade table (Comext) or the volumes table (energy).

    Comext values in euro become USD at the month's mean rate, 100 kg become kg.

    Parameters
    ----------
    data : bytes
        CSV, or the same gzipped or zipped.
    about : mapping
        ``origin``, ``vintage``; ``rates``: USD per euro by month, else the ECB's.

    Raises
    ------
    SchemaMismatch
        Another table, words where numbers belong, a month without exchange rate.
    """
    origin = str(about.get("origin", "reply"))
    frame = _csv(data, origin)
    columns = {str(c).lower(): str(c) for c in frame.columns}
    frame = frame.rename(columns={v: k for k, v in columns.items()})
    constants = {
        "origin": origin, "source": PUBLISHER, "vintage": str(about.get("vintage", "unknown")),
    }  # fmt: skip
    if {"reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value"} <= set(
        frame.columns
    ):
        rates = about.get("rates")
        return _trade(frame, constants, _dollars() if rates is None else rates, origin)
    if {"siec", "partner", "unit", "geo", "time_period", "obs_value"} <= set(frame.columns):
        return _volumes(frame, constants, origin)
    raise SchemaMismatch(
        f"{origin}: columns {list(columns.values())[:12]}", "SDMX-CSV of Comext or energy", _HELP
    )


def _plain(data: bytes, origin: str) -> bytes:
    if data[:2] == b"PK":
        with bounded_zip(data, origin) as source:
            names = [n for n in source.namelist() if not n.endswith("/")]
            if len(names) != 1:
                raise SchemaMismatch(f"{origin}: {len(names)} files in a zip", "one table", _HELP)
            return member_bytes(source, names[0], origin)
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = stream.read(Manners.limit + 1)
    except (OSError, EOFError, ValueError):
        raise SchemaMismatch(f"{origin}: gzip that is cut", "a whole reply", _HELP) from None
    if len(plain) > Manners.limit:
        raise SchemaMismatch(f"{origin}: unpacks without end", "a table", _HELP)
    return plain


def _csv(data: bytes, origin: str) -> pd.DataFrame:
    plain = _plain(data, origin)
    if not plain.lstrip()[:8].upper().startswith(b"DATAFLOW"):
        raise SchemaMismatch(f"{origin}: no SDMX-CSV", "a table that starts with DATAFLOW", _HELP)
    try:
        return pd.read_csv(io.BytesIO(plain), dtype="str", keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise SchemaMismatch(f"{origin}: {error}", "a CSV table", _HELP) from None


def _values(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return the rows that have a value, with month and number."""
    text = frame["obs_value"].str.strip()
    frame = frame[~text.isin(["", ":", "NaN"])]
    number = pd.to_numeric(frame["obs_value"], errors="coerce").astype("float64")
    days = pd.to_datetime(frame["time_period"], format="%Y-%m", errors="coerce")
    for bad, name in ((number.isna(), "obs_value"), (days.isna(), "time_period")):
        if bad.any():
            odd = frame[name][bad].iloc[0]
            raise SchemaMismatch(f"{origin}: {name} holds {odd!r}", "numbers by month", _HELP)
    return frame.assign(number=number, period=days)


def _trade(
    frame: pd.DataFrame, constants: dict[str, str], rates: pd.Series, origin: str
) -> pd.DataFrame:
    frame = _values(frame, origin)
    if frame.empty:
        return tables.empty("trade")
    key = ["reporter", "partner", "product", "flow", "period"]
    twice = frame.duplicated([*key, "indicators"])
    odd = ~frame["flow"].isin(["1", "2"])
    if twice.any() or odd.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key, {int(odd.sum())} have another flow",
            "one row per key and indicator; flow 1 (import) or 2 (export)",
            _HELP,
        )
    wide = frame.pivot(index=key, columns="indicators", values="number").reset_index()
    for name in ("VALUE_IN_EUROS", "QUANTITY_IN_100KG", "SUPPLEMENTARY_QUANTITY"):
        if name not in wide:
            wide[name] = float("nan")
    wide = wide[wide["VALUE_IN_EUROS"].notna()].reset_index(drop=True)
    rate = wide["period"].map(rates)
    if rate.isna().any():
        month = wide["period"][rate.isna()].iloc[0]
        raise SchemaMismatch(
            f"{origin}: no exchange rate for {month:%Y-%m}", "a rate for every month",
            "ask up to the last month with a rate, or pass rates",
        )  # fmt: skip
    value = wide["VALUE_IN_EUROS"] * rate
    never = pd.Series(False, index=wide.index)
    net, net_status = rows.measured(wide["QUANTITY_IN_100KG"] * 100, value, never)
    extra, extra_status = rows.measured(wide["SUPPLEMENTARY_QUANTITY"], value, never)
    year = wide["period"].dt.year
    system = year.map(lambda y: "HS2022" if y >= 2022 else "HS2017" if y >= 2017 else "HS2012")
    table = pd.DataFrame(
        {
            "trade_system": "special",
            "reporter": wide["reporter"].map(_country).astype("str"),
            "partner": wide["partner"].map(_country).astype("str"),
            "flow": wide["flow"].map({"1": "M", "2": "X"}).astype("str"),
            "freq": "M",
            "period": wide["period"],
            "code_system": system.astype("str"),
            "code": wide["product"].astype("str"),
            "level": rows.level(wide["product"].astype("str")),
            "value_usd": value,
            "valuation": wide["flow"].map({"1": "CIF", "2": "FOB"}).astype("str"),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": extra,
            "quantity_unit": pd.Series("supplementary unit", index=wide.index).where(extra.notna()),
            "quantity_status": extra_status,
            "confidential": rows.confidential(wide["product"].astype("str")),
        }
    )
    return tables.validate(table.assign(**constants), "trade", where=origin)


def _volumes(frame: pd.DataFrame, constants: dict[str, str], origin: str) -> pd.DataFrame:
    frame = _values(frame, origin)
    if frame.empty:
        return tables.empty("volumes")
    unit = frame["unit"].map(lambda u: _UNITS.get(u, (u, 1.0)))
    table = pd.DataFrame(
        {
            "series": frame["siec"].map(lambda s: _SERIES.get(s, f"siec {s}")).astype("str"),
            "reporter": frame["geo"].map(_country).astype("str"),
            "partner": frame["partner"].map(_country).astype("str"),
            "freq": "M",
            "period": frame["period"],
            "value": frame["number"] * unit.map(lambda u: u[1]),
            "unit": unit.map(lambda u: u[0]).astype("str"),
        }
    )
    return tables.validate(table.assign(**constants), "volumes", where=origin)


def _country(name: str) -> str:
    return {"EU27_2020": "EU27", "TOTAL": "World"}.get(name) or from_eurostat(name)


def _dollars() -> pd.Series:
    """Return USD per euro by month, from the snapshot."""
    try:
        table = published.read(RATES)
    except TradeflowsError as error:
        raise SourceUnavailable(
            f"{PUBLISHER}: no exchange rates ({error.found})", f"the file {RATES}", "restore it"
        ) from None
    mine = table[table["series"] == "usd_per_eur"]
    rates: pd.Series = mine.set_index("period")["value"]
    return rates
