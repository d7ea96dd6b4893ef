"""Eurostat: EU exports by HS6 (Comext) and Turkey's energy imports, as SDMX-CSV."""

from __future__ import annotations

import gzip
import io
import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import eurostat as letters
from tradeflows.codes.countries import from_eurostat
from tradeflows.codes.groups import asked
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError, TruncatedReply
from tradeflows.sources import rows, snapshot
from tradeflows.sources.http import AddressTooLong, Manners, Reply, Session, root_from
from tradeflows.sources.registry import register
from tradeflows.sources.work import Work
from tradeflows.sources.workbook import unpacked

__all__ = ["PUBLISHER", "Question", "parse", "probe", "pull", "read", "standard", "verdict"]

_log = logging.getLogger(__name__)
PUBLISHER = "Eurostat"
ROOT = "https://ec.europa.eu"
NEIGHBOURS = ("TUR", "RUS", "KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
_COMEXT, _ENERGY = "comext/dissemination", "dissemination"
_HELP = "refresh again; if it stays, the publisher changed its format: report it"
_WAITS = 60
_DATASETS = ("ds-045409", "nrg_ti_gasm", "nrg_ti_oilm", "nrg_ti_sffm")
_KEY = ["reporter", "partner", "product", "flow", "period"]
_TRADE = {"reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value"}
_VOLUMES = {"siec", "partner", "unit", "geo", "time_period", "obs_value"}
_ABOUT = {"dataflow", "last update", "freq", "obs_flag", "conf_status"}
_EURO, _KILOS = "VALUE_IN_EUROS", "QUANTITY_IN_100KG"
_ESTIMATED, _SECRET = "eis", "c"  # letters of OBS_FLAG
_CODES = r"TOTAL|[0-9]{2,8}[SM]+|[SM]+"  # beside digits: goods whose code is kept secret
_SERIES = {"G3000": "gas", "G3200": "lng", "O4100_TOT": "crude_oil", "O4100": "crude_oil",
           "O4600": "oil_products", "O4000XO4100": "oil_products", "C0100": "hard_coal",
           "C0000X0350-0370": "solid_fuels"}  # fmt: skip
_UNITS = {"MIO_M3": ("m3", 1e6), "THS_T": ("t", 1e3), "TJ_GCV": ("TJ", 1.0), "TJ": ("TJ", 1.0)}


class Question(NamedTuple):
    """One dataset with its key."""

    dataset: str
    service: str
    key: str
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
        "DS-045409", _COMEXT, key, "trade",
        "EU exports of listed goods to Turkey, Russia and the neighbours",
    )  # fmt: skip
    energy = [
        Question(name, _ENERGY, "M..RU+TOTAL..TR", "volumes", f"Turkey: imports of {what}")
        for name, what in (
            ("nrg_ti_gasm", "natural gas"),
            ("nrg_ti_oilm", "oil and oil products"),
            ("nrg_ti_sffm", "solid fuels"),
        )
    ]
    return [comext, *energy] if listed else energy


def _session(work: Work) -> Session:
    root = root_from("TRADEFLOWS_EUROSTAT_URL", ROOT)
    return work.session("eurostat", PUBLISHER, root, hosts=("europa.eu",))


def probe(work: Work) -> tuple[int, str]:
    """Ask for a month of Turkey's gas from Russia."""
    question = Question("nrg_ti_gasm", _ENERGY, "M.G3000.RU.MIO_M3.TR", "volumes", "gas")
    reply = _answer(_session(work), question, ("2022-02", "2022-02"))
    found = parse(reply.data, {})
    said = " and ".join(f"{v / 1e9:.2f} bn m3" for v in found["value"]) or "nothing"
    return len(found), f"Turkey's gas from Russia in February 2022: {said}"


def pull(work: Work) -> None:
    """Store the newest edition of every dataset of the standard pull.

    A span that is too large for a reply is halved. A reply that says the same as the stored one of
    the same edition is not stored again.
    """
    session = _session(work)
    last = start, end = work.span
    try:
        last = start, min(end, f"{snapshot.rates().index.max():%Y-%m}")
        questions = standard(list(asked()))
    except TradeflowsError as error:  # energy comes in physical units and needs no rates
        _log.warning("EU exports are left out: %s", error.found)
        questions = standard([])
    for number, question in enumerate(questions):
        work.told("eurostat", number, len(questions) - number)
        spans = [last if question.table == "trade" else work.span]
        while spans:
            span = spans.pop(0)
            try:
                _store(work, question, span, _answer(session, question, span))
            except AddressTooLong:
                spans = _halved(question, span) + spans


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
    r"""Say what a reply is: ``data``, ``later`` (fetch it by its ticket) or ``too big``.

    Examples
    --------
    >>> verdict(b"413\nEXTRACTION_TOO_BIG: The requested extraction is too big")
    'too big'
    """
    if data[:2] in (b"PK", b"\x1f\x8b"):
        return "data"
    head = data[:20_000].decode("utf-8", "replace")
    if "EXTRACTION_TOO_BIG" in head or re.search(r'"status"\s*:\s*"?413|code="413"', head):
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


def _store(work: Work, question: Question, span: tuple[str, str], reply: Reply) -> None:
    day = _edition(_table(reply.data, question.dataset)) or reply.day
    place = f"eurostat/live/{question.dataset.lower()}-{span[0]}-{span[1]}@{day}.csv.gz"
    table = parse(reply.data, {"origin": place, "vintage": day})
    work.store(
        place, gzip.compress(unpacked(reply.data, place), 6, mtime=0), reply,
        publisher=PUBLISHER,
        title=question.title,
        licence="reuse with attribution (Commission decision 2011/833/EU)",
        terms="Reuse is allowed if Eurostat is named as the source.",
        vintage=day,
        coverage=f"{span[0]} to {span[1]}",
        obtained=f"Eurostat API, dataset {question.dataset}",
        table=question.table,
        rows=len(table),
        query={"key": question.key, "span": list(span)},
    )  # fmt: skip


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn SDMX-CSV, plain or packed, into the trade table (Comext) or the volumes table (energy).

    Comext values in euro become USD at the month's mean rate, 100 kg become kg. ``about`` holds
    ``origin``, ``vintage`` and, if not the ECB's, ``rates``: USD per euro by month.
    """
    origin = str(about.get("origin", "reply"))
    frame = _table(data, origin).rename(columns=str.lower)
    found = set(frame.columns)
    needed = next((n for n in (_TRADE, _VOLUMES) if n <= found <= n | _ABOUT), None)
    if needed is None:
        raise SchemaMismatch(
            f"{origin}: columns {', '.join(frame.columns[:16])}",
            f"{', '.join(sorted(_TRADE))} (Comext) or {', '.join(sorted(_VOLUMES))} (energy)",
            "ask for a dataset without further dimensions, as SDMX-CSV without labels",
        )
    # Other datasets share the columns, not the meaning: SITC codes, exports of energy.
    names = frame["dataflow"].str.lower().str.extract(r"([a-z]+[-_][a-z0-9_]+)", expand=False)
    if odd := sorted(set(frame["dataflow"][~names.isin(_DATASETS)])):
        raise SchemaMismatch(f"{origin}: dataset {odd[0]}", f"one of {_DATASETS}", "ask for one")
    text = frame["obs_value"].str.strip()
    frame = frame[~text.isin(["", ":", "NaN"])]
    number = pd.to_numeric(frame["obs_value"], errors="coerce").astype("float64")
    days = pd.to_datetime(frame["time_period"], format="%Y-%m", errors="coerce")
    undated = days.isna() | (days.dt.year < 1)  # pandas has a year 0, Python has none
    for bad, name in ((number.isna(), "obs_value"), (undated, "time_period")):
        if bad.any():
            value = frame[name][bad].iloc[0]
            raise SchemaMismatch(f"{origin}: {name} holds {value!r}", "numbers by month", _HELP)
    frame = frame.assign(number=number, period=days)
    return (_trade if needed is _TRADE else _volumes)(frame, about, origin)


def _table(data: bytes, origin: str) -> pd.DataFrame:
    """Return a reply as text columns."""
    text = unpacked(data, origin, Manners.limit)
    if not text.lstrip()[:8].upper().startswith(b"DATAFLOW"):
        raise SchemaMismatch(f"{origin}: no SDMX-CSV", "a table that starts with DATAFLOW", _HELP)
    try:
        return pd.read_csv(io.BytesIO(text), dtype="str", keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise SchemaMismatch(f"{origin}: {error}", "a CSV table", _HELP) from None


def _trade(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """Return one row for each key that has a value in euro, with its kilograms."""
    odd = ~frame["flow"].isin(["1", "2"]) | ~frame["indicators"].isin([_EURO, _KILOS])
    twice = frame.duplicated([*_KEY, "indicators"])
    if twice.any() or odd.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key, {int(odd.sum())} have another flow or"
            f" indicator, such as {frame['indicators'][twice | odd].iloc[0]}",
            f"one row per key and indicator; flow 1 or 2; {_EURO} and {_KILOS}", _HELP,
        )  # fmt: skip
    flags = frame.get("obs_flag", pd.Series("", index=frame.index)).str.lower()
    secret = frame.get("conf_status", pd.Series("", index=frame.index))
    frame = frame.assign(
        guessed=flags.str.contains(f"[{_ESTIMATED}]"),
        secret=flags.str.contains(_SECRET) | ~secret.isin(["", "F"]),
    )
    columns = [*_KEY, "number", "guessed", "secret"]
    euro, kilos = (frame.loc[frame["indicators"] == i, columns] for i in (_EURO, _KILOS))
    wide = euro.merge(kilos, how="left", on=_KEY, suffixes=("", " kilos"))
    if len(frame) and wide.empty:
        raise SchemaMismatch(f"{origin}: no {_EURO}, so no values", "values too", "ask for them")
    rates = about.get("rates")
    table = rows.trade(
        about, source=PUBLISHER, trade_system="special", period=wide["period"],
        code=hs_codes(wide["product"], where=origin, also=_CODES),
        reporter=_countries(wide["reporter"], wide), partner=_countries(wide["partner"], wide),
        flow=wide["flow"].map({"1": "M", "2": "X"}),
        value=rows.in_dollars(
            wide["number"], pd.Series("EUR", index=wide.index), wide["period"],
            snapshot.rates() if rates is None else pd.DataFrame({"EUR": rates}), origin,
        ),
        weight=wide["number kilos"] * 100, estimated=wide["guessed kilos"].eq(True),
        hidden=wide["secret"] | wide["secret kilos"].eq(True),
    )  # fmt: skip
    return tables.validate(table, "trade", where=origin)


def _volumes(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    unit = frame["unit"].map(lambda u: _UNITS.get(u, (u, 1.0)))
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": str(about.get("vintage", "unknown")),
            "series": frame["siec"].map(lambda s: _SERIES.get(s, f"siec {s}")),
            "reporter": _countries(frame["geo"], frame),
            "partner": _countries(frame["partner"], frame),
            "freq": "M",
            "period": frame["period"],
            "value": frame["number"] * unit.map(lambda u: u[1]).astype("float64"),
            "unit": unit.map(lambda u: u[0]),
        }
    )
    return tables.validate(table, "volumes", where=origin)


def _countries(places: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """Return countries by their letters, which change their meaning over the years."""
    groups = {"EU27_2020": "EU27", "TOTAL": "World", "WORLD": "World"}
    found = places.combine(
        frame["period"].dt.year,
        lambda letter, year: groups.get(letter) or from_eurostat(letter, year),
    )
    return found.astype("str")


def _edition(frame: pd.DataFrame) -> str:
    """Return the day of the last update, written ``15/09/26`` or ``15/09/26 11:00:00``."""
    if "LAST UPDATE" not in frame or frame.empty:
        return ""
    text = str(frame["LAST UPDATE"].iloc[0]).split(" ")[0]
    days = [pd.to_datetime(text, format=f, errors="coerce") for f in ("%d/%m/%y", "%Y-%m-%d")]
    return next((f"{day:%Y-%m-%d}" for day in days if not pd.isna(day)), "")


@register("eurostat")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored reply as the trade or volumes table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage})
