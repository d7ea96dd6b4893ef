"""Eurostat: EU exports by HS6 (Comext) and Turkey's energy imports, as SDMX-CSV."""

from __future__ import annotations

import gzip
import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import eurostat as letters
from tradeflows.codes.groups import asked
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError, TruncatedReply
from tradeflows.sources import snapshot
from tradeflows.sources.http import AddressTooLong, Reply, Session, root_from
from tradeflows.sources.registry import register
from tradeflows.sources.sdmx import PUBLISHER, parse, table_of
from tradeflows.sources.work import Work
from tradeflows.sources.workbook import unpacked

__all__ = [
    "PUBLISHER",
    "Question",
    "parse",
    "probe",
    "pull",
    "read",
    "standard",
    "verdict",
]

_log = logging.getLogger(__name__)
ROOT = "https://ec.europa.eu"
NEIGHBOURS = ("TUR", "RUS", "KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
_COMEXT, _ENERGY = "comext/dissemination", "dissemination"
_HELP = "refresh again; if it stays, the publisher changed its format: report it"
_WAITS = 60


@dataclass(frozen=True)
class Question:
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
    day = _edition(table_of(reply.data, question.dataset)) or reply.day
    name = f"eurostat/live/{question.dataset.lower()}-{span[0]}-{span[1]}"
    known = [r for r in store.catalogue() if r.id.startswith(f"{name}@")]
    if any(r.vintage == day and unpacked(store.read(r.id), r.id) == reply.data for r in known):
        return
    number = sum(r.vintage == day for r in known)
    place = f"{name}@{day}{f'-{number + 1}' if number else ''}.csv.gz"
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
