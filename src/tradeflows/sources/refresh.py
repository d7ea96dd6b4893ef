"""A refresh: plan, fetch what is missing or revised, and say what is there.

It may be stopped at any moment. What is stored is whole; the next run goes on.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import spoken
from tradeflows.codes.groups import asked as asked_codes
from tradeflows.errors import SourceUnavailable, TradeflowsError, UnknownCode
from tradeflows.periods import Window
from tradeflows.progress import Told
from tradeflows.sources import baci, eurostat, state, worldbank
from tradeflows.sources.comtrade import client as comtrade
from tradeflows.sources.comtrade import holding, standard
from tradeflows.sources.comtrade import plan as plans
from tradeflows.sources.comtrade.client import Client, Release
from tradeflows.sources.comtrade.pull import Journal, Pull
from tradeflows.sources.comtrade.question import Part, remaining
from tradeflows.sources.comtrade.standard import pair
from tradeflows.sources.http import Manners, Session

__all__ = ["Outcome", "Status", "listed", "pair", "parts", "plan", "run", "status"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a refresh did: calls by publisher and kind, files stored.

    ``not_yet`` and ``held`` count months of a reporter that are not published, or stored already;
    ``absent`` says in words which months of whom are not published.
    """

    calls: dict[str, dict[str, int]]
    stored: tuple[str, ...]
    not_yet: int
    naive: int
    seconds: float
    held: int = 0
    rows: int = 0
    absent: tuple[str, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """Calls by publisher and kind."""
        rows = [(p, k, n) for p, kinds in self.calls.items() for k, n in sorted(kinds.items())]
        return pd.DataFrame(rows, columns=["publisher", "kind", "calls"])

    def sentence(self) -> str:
        """Say what was done."""
        made = "; ".join(
            f"{p}: " + ", ".join(f"{n} {k}" for k, n in sorted(kinds.items()))
            for p, kinds in self.calls.items()
        )
        data = self.calls.get("comtrade", {}).get("data", 0)
        ratio = (
            f" Month by month and flow by flow: {self.naive} data calls instead of {data}."
            if self.naive > data > 0
            else ""
        )
        files = f"{len(self.stored)} new files with {self.rows:,} rows"
        if self.stored and not self.rows:
            files += ": the publisher counts no trade of this kind in these months"
        if not self.stored:
            files = "Nothing new" + (": all that is published is stored" if self.held else "")
        notes = "".join(f"\n{note}" for note in self.absent)
        return f"{files} in {self.seconds:.0f} s (calls: {made or 'none'}).{ratio}{notes}"


@dataclass(frozen=True)
class Status:
    """What is stored and what is missing.

    ``grid`` has a row per part and a column per month: the share of published reporters that are
    whole, empty where nothing is published. ``files`` lists the replies with their proof.
    """

    grid: pd.DataFrame
    files: pd.DataFrame
    missing: pd.DataFrame
    asked: str
    calls: dict[str, int] = field(default_factory=dict)

    def sentence(self) -> str:
        """Say how complete the stored data are."""
        if self.files.empty:
            return "No live data are stored: run `tradeflows refresh`."
        proven = int(self.files["proven"].sum())
        oldest = int(self.files["age_days"].max())
        whole = (
            "all that is published is stored"
            if self.missing.empty
            else (f"{len(self.missing)} published months are missing")
        )
        return (
            f"{len(self.files)} files, {proven} of them proven complete by the publisher's count;"
            f" {whole}; the oldest is {oldest} days old;"
            f" availability asked {self.asked or 'never'}."
        )


def parts(codes: Sequence[str] | None = None) -> tuple[Part, ...]:
    """Return the standard pull; the high-priority codes are those of the package unless given."""
    return standard.standard(listed() if codes is None else codes)


def listed() -> list[str]:
    """Return every code that the groups of the high-priority list hold, in every HS revision."""
    return list(asked_codes())


def plan(
    asked: Sequence[Part] | None = None,
    *,
    start: str = standard.START,
    end: str | None = None,
    offline: bool = False,
    manners: Manners | None = None,
) -> plans.Plan:
    """Say what a refresh of UN Comtrade would ask; one call for availability, none if offline.

    Parameters
    ----------
    asked : sequence of Part, optional
        The standard pull by default; see `standard.pair` for any other.
    start, end : str
        First and last month, ``2021-03``, or year; up to what is published by default.
    offline : bool
        Do not ask availability: every month up to ``end`` counts as published.
    manners : Manners, optional
        Pace and patience.
    """
    client, ledger = _client(manners)
    wanted = tuple(asked if asked is not None else parts())
    span = _span(start, end)
    releases = _assumed(wanted, span) if offline else _available(client, wanted)
    if asked is not None:
        _require_published(wanted, releases, span, _absent(wanted, releases, span, end))
    under_way = _journal().read()
    return plans.draw(
        client, wanted, releases, span, under_way, known=not offline, used=ledger.used
    )


def run(
    asked: Sequence[Part] | None = None,
    *,
    sources: Sequence[str] = ("worldbank", "eurostat", "comtrade"),
    start: str = standard.START,
    end: str | None = None,
    wait: float = 0.0,
    manners: Manners | None = None,
    told: Told = lambda _source, _done, _left: None,
) -> Outcome:
    """Fetch what is published and not stored.

    Parameters
    ----------
    asked : sequence of Part, optional
        For UN Comtrade; the standard pull by default.
    sources : sequence of str
        ``comtrade``, ``worldbank``, ``eurostat``, ``baci``, in order.
    start, end : str
        First and last month, or year.
    wait : float
        Seconds to wait for another refresh before being refused.
    manners : Manners, optional
        Pace and patience.
    told : callable
        Told source, calls done, calls left.

    Returns
    -------
    Outcome

    Raises
    ------
    TradeflowsError
        The first error, after every source was tried; what was stored stays.
    """
    odd = sorted(set(sources) - set(_SOURCES))
    if odd:
        raise UnknownCode(f"no source {odd}", f"some of {sorted(_SOURCES)}", "correct the name")
    began = datetime.now(UTC)
    work = _Work(
        tuple(asked if asked is not None else ()),
        asked is None,
        _span(start, end),
        end,
        manners,
        told,
    )
    errors: list[TradeflowsError] = []
    with state.locked(wait):
        store.sweep()
        for source in sources:
            try:
                _SOURCES[source](work)
            except TradeflowsError as error:
                _log.error("%s: %s", source, error.found)
                errors.append(error)
    for other in errors[1:]:
        errors[0].add_note(f"also: {other.found}")
    if errors:
        raise errors[0]
    seconds = (datetime.now(UTC) - began).total_seconds()
    rows = sum(store.describe(file).rows for file in work.stored if not file.startswith("cepii/"))
    return Outcome(
        work.calls, tuple(work.stored), work.not_yet, work.naive, seconds, work.held, rows,
        tuple(work.absent),
    )  # fmt: skip


@dataclass
class _Work:
    """What a run was asked for and what it did so far."""

    asked: tuple[Part, ...]
    usual: bool
    span: tuple[str, str]
    end: str | None
    manners: Manners | None
    told: Told
    calls: dict[str, dict[str, int]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    not_yet: int = 0
    naive: int = 0
    held: int = 0
    absent: list[str] = field(default_factory=list)


def _comtrade(work: _Work) -> None:
    client, ledger = _client(work.manners)
    wanted = parts() if work.usual else work.asked
    journal = _journal()
    try:
        releases = _available(client, wanted)
        drawn = plans.draw(client, wanted, releases, work.span, journal.read(), used=ledger.used)
        work.not_yet, work.naive, work.held = drawn.not_yet, drawn.naive, drawn.held
        work.absent = _absent(wanted, releases, work.span, work.end)
        if not work.usual:
            _require_published(wanted, releases, work.span, work.absent)
        if not drawn.calls:
            journal.clear()
            return
        systems: dict[str, str] = {}
        for freq in sorted({c.freq for c in drawn.calls}):
            asked = sorted({r for c in drawn.calls for r in c.reporters if c.freq == freq})
            systems |= _systems(client, asked, freq, releases)
        pull = Pull(client, releases, systems, journal, lambda d, n: work.told("comtrade", d, n))
        try:
            pull.run(drawn.calls)
        finally:
            work.stored += pull.stored
    finally:
        work.calls["comtrade"] = dict(client.session.counts)


def _systems(
    client: Client, reporters: Sequence[int], freq: str, releases: Mapping[str, Release]
) -> dict[str, str]:
    """Return the trade systems; those told before of the same releases are not asked again."""
    known = state.recall(f"systems-{freq}")
    of = {}
    for number in reporters:
        mine = sorted((k, r.checksum) for k, r in releases.items() if k.startswith(f"{number}-"))
        of[str(number)] = hashlib.sha256(repr(mine).encode()).hexdigest()
    if lacking := [n for n in reporters if known.get(str(n), {}).get("of") != of[str(n)]]:
        told = client.systems(lacking, freq)
        for number in lacking:
            mine_ = {k: v for k, v in told.items() if k.startswith(f"{number}-")}
            known[str(number)] = {"of": of[str(number)] if mine_ else "", "systems": mine_}
        state.remember(f"systems-{freq}", known)
    return {k: v for n in reporters for k, v in known[str(n)]["systems"].items()}


def _client(manners: Manners | None) -> tuple[Client, state.Ledger]:
    client = comtrade.connect(manners)
    own = client.session.root == comtrade.ROOT
    who = f"{client.session.root}, {'with' if client.keyed else 'without'} a key"
    ledger = state.Ledger("comtrade", comtrade.DAILY if own and client.keyed else None, who)
    client.session.note, client.session.spent = ledger.note, ledger.close
    return client, ledger


def _journal() -> Journal:
    return Journal(state.folder() / "comtrade-journal.json")


def _available(client: Client, wanted: Sequence[Part]) -> dict[str, Release]:
    releases: dict[str, Release] = {}
    for freq in sorted({p.freq for p in wanted}):
        numbers = [n for p in wanted if p.freq == freq for n in p.numbers()]
        releases |= client.availability(numbers, freq)
    seen = {pair: [r.checksum, r.released] for pair, r in releases.items()}
    before = state.recall("availability").get("releases", {})
    asked = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    state.remember("availability", {"asked": asked, "releases": {**before, **seen}})
    return releases


def _absent(
    parts: Sequence[Part], releases: Mapping[str, Release], span: tuple[str, str], end: str | None
) -> list[str]:
    """Say of every reporter which of the months asked for it has not published.

    Where no last month is named, those after a reporter's newest are not missed.
    """
    asked: dict[str, set[str]] = {}
    for part in parts:
        for reporter in part.reporters:
            alone = replace(part, reporters=(reporter,))
            asked.setdefault(reporter, set()).update(plans.wanted(alone, span))
    notes = []
    for reporter, pairs in sorted(asked.items()):
        name, number = spoken(reporter), min(pairs).split("-")[0]
        known = sorted(k for k in releases if k.startswith(f"{number}-"))
        if not known:
            notes.append(f"{name} reports nothing to UN Comtrade; its partners may report it.")
            continue
        gone = sorted(pairs - set(known))
        if end is None and min(pairs) <= known[-1]:
            gone = [k for k in gone if k < known[-1]]
        if gone:
            shown = ", ".join(map(_spelled, gone[:6])) + f" and {len(gone) - 6} more" * bool(
                gone[6:]
            )
            notes.append(f"{name} has not published {shown}; its newest is {_spelled(known[-1])}.")
    return notes


def _spelled(pair_: str) -> str:
    """Write the period of ``792-202201`` as ``2022-01``."""
    period = pair_.split("-")[1]
    return "-".join(filter(None, (period[:4], period[4:])))


def _require_published(
    parts: Sequence[Part], releases: Mapping[str, Release], span: tuple[str, str], notes: list[str]
) -> None:
    """Raise where nothing of what was asked for is published."""
    if parts and not any(k in releases for p in parts for k in plans.wanted(p, span)):
        raise SourceUnavailable(
            f"UN Comtrade holds nothing of {span[0]} to {span[1]}: {' '.join(notes)}",
            "months that the reporter has published",
            "ask for other months, or for the trade as the partner reports it"
            " (swap --reporter and --partner, imports for exports)",
        )


def _assumed(wanted: Sequence[Part], span: tuple[str, str]) -> dict[str, Release]:
    return {
        f"{n}-{p}": Release("unknown", "2000-01-01")
        for part in wanted
        for n in part.numbers()
        for p in plans.months(*span)
    }


def _span(start: str, end: str | None) -> tuple[str, str]:
    """Return the first and the last month asked for: a year begins in January, ends in December."""
    first = Window.parse(start)
    last = Window.parse(end or _this_month())
    if first.first > last.last:
        raise UnknownCode(
            f"first month {start}, last month {end or _this_month()}",
            "the earlier month first" + (" (this month is the last unless named)" * (not end)),
            "swap --start and --end" if end else "start earlier",
        )
    return f"{first.month(0):%Y-%m}", f"{last.month(-1):%Y-%m}"


def _this_month() -> str:
    return datetime.now(UTC).strftime("%Y-%m")


def status(asked: Sequence[Part] | None = None, start: str = standard.START) -> Status:
    """Say what is stored of UN Comtrade, without going online.

    Parameters
    ----------
    asked : sequence of Part, optional
        The standard pull by default.
    start : str
        First month.
    """
    wanted = tuple(asked if asked is not None else parts())
    known = state.recall("availability")
    releases = {k: str(v[0]) for k, v in known.get("releases", {}).items()}
    leaves = holding.leaves()
    stored = holding.held(leaves, releases)
    rows: dict[str, dict[str, float]] = {}
    missing = []
    for part in (p for p in wanted if p.freq == "M"):
        box, row = part.box(), rows.setdefault(part.name, {})
        for period in plans.months(start, _this_month()):
            pairs = [f"{n}-{period}" for n in part.numbers() if f"{n}-{period}" in releases]
            lacking = [p for p in pairs if remaining(box, stored.get(p, []))]
            missing += [(part.name, pair, bool(stored.get(pair))) for pair in lacking]
            row[period] = 1 - len(lacking) / len(pairs) if pairs else float("nan")
    gaps = pd.DataFrame(missing, columns=["part", "reporter_period", "begun"])
    grid = pd.DataFrame.from_dict(rows, orient="index")
    calls = state.Ledger("comtrade").calls
    return Status(grid, _files(leaves), gaps, str(known.get("asked", "")), calls)


def _files(leaves: Sequence[holding.Leaf]) -> pd.DataFrame:
    now = datetime.now(UTC)
    columns = ["file", "part", "vintage", "rows", "counted", "proven", "age_days", "generated"]
    rows = []
    for leaf in leaves:
        proof = leaf.raw.query.get("proof", {})
        age = (now - datetime.fromisoformat(leaf.raw.accessed)).days
        rows.append(
            (
                leaf.raw.id,
                leaf.call.part,
                leaf.raw.vintage,
                proof.get("rows"),
                proof.get("count"),
                proof.get("rows") == proof.get("count"),
                age,
                bool(leaf.raw.query.get("generated")),
            )
        )
    return pd.DataFrame(rows, columns=columns)


def _plainly(
    work: _Work, source: str, session: Session, fetch: Callable[[Session], list[str]]
) -> None:
    """Fetch from a publisher that is asked a few times only."""
    ledger = state.Ledger(source, who=session.root)
    session.note, session.spent = ledger.note, ledger.close
    try:
        work.stored += fetch(session)
    finally:
        work.calls[source] = dict(session.counts)


def _worldbank(work: _Work) -> None:
    told = partial(work.told, "worldbank")
    session = worldbank.connect(work.manners)
    _plainly(work, "worldbank", session, lambda s: worldbank.fetch(s, told))


def _eurostat(work: _Work) -> None:
    try:
        eurostat.dollars()
        asked = eurostat.standard(listed())
    except TradeflowsError as error:  # energy comes in physical units and needs no rates
        _log.warning("EU exports are left out: %s", error.found)
        asked = eurostat.standard([])
    told = partial(work.told, "eurostat")
    session = eurostat.connect(work.manners)
    _plainly(work, "eurostat", session, lambda s: eurostat.fetch(s, asked, *work.span, told))


def _baci(work: _Work) -> None:
    told = partial(work.told, "baci")
    session = baci.connect(work.manners)
    _plainly(work, "baci", session, lambda s: baci.fetch(s, told=told))


_SOURCES: dict[str, Callable[[_Work], None]] = {
    "baci": _baci,
    "comtrade": _comtrade,
    "eurostat": _eurostat,
    "worldbank": _worldbank,
}
