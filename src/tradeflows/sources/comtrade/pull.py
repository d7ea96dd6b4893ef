"""A pull of UN Comtrade: planned, counted, fetched, proven whole, stored; it may stop any time."""

from __future__ import annotations

import gzip
import json
import logging
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from tradeflows.codes.countries import from_comtrade, spoken
from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    TruncatedReply,
)
from tradeflows.sources.comtrade.held import FOLDER, held, leaves
from tradeflows.sources.comtrade.question import ALL, LONGEST, Box, Call, Part, covered, split
from tradeflows.sources.comtrade.reply import CAPS, PUBLISHER, parse, records
from tradeflows.sources.http import GENERATED, AddressTooLong, Reply, Session, key_from, root_from
from tradeflows.sources.work import Ledger, Work, folder, recall, remember, replace_file

__all__ = ["Client", "Plan", "Release", "connect", "draw", "plan", "probe", "pull"]

_log = logging.getLogger(__name__)
ROOT = "https://comtradeapi.un.org"
VARIABLE = "TRADEFLOWS_COMTRADE_URL"
DAILY = 500  # calls a day with the free key
DECISIVE = ("2021", "2024")  # the months that decide the claims come first without a key
FILL = 0.8  # of a reply's rows that a call is sized for
MOST_ERRORS = 3  # bad replies in a row after which the publisher is left alone
EMPTY_FOR = timedelta(days=7)  # how long "no rows" is believed
_ABOUT: dict[str, Any] = {
    "publisher": PUBLISHER,
    "licence": "UN Comtrade policy on use and re-dissemination",
    "terms": "Internal use; passing the data on needs the UN Statistics Division's permission.",
    "obtained": "UN Comtrade API v1",
    "table": "trade",
    "traps": (
        "Chapter 27 holds what the HS6 rows hide: crude oil and pipeline gas are confidential.",
        "Headings and HS6 rows need not add up to their chapter.",
    ),
}


@dataclass(frozen=True)
class Release:
    """What the publisher holds of a reporter and period: a checksum that changes with revisions."""

    checksum: str
    released: str


Releases = Mapping[tuple[str, str], Release]  # by frequency, and reporter and period


@dataclass
class Client:
    """The calls that UN Comtrade answers, with or without a key."""

    session: Session

    @property
    def keyed(self) -> bool:
        """Whether a key is set."""
        return bool(self.session.key)

    @property
    def cap(self) -> int:
        """Rows at which a reply counts as cut."""
        return 100_000 if self.keyed else 500

    @property
    def most_periods(self) -> int:
        """Periods a call may name."""
        return 12 if self.keyed else 1

    def ask(self, call: Call, kind: str) -> Reply:
        """Return the rows of a call, or with ``count`` the reply that counts them."""
        path = "data/v1/get" if self.keyed else "public/v1/preview"
        path += f"/C/{call.freq}/{call.box.system}"
        query = call.query(**({"countOnly": "true"} if kind == "count" else {}))
        if len(self.session.root) + len(path) + len(query) + 2 > LONGEST:
            raise AddressTooLong("the address is too long", "a short one", "ask for less")
        return self.session.get(path, query, kind=kind)

    def availability(
        self, reporters: Iterable[int], freq: str = "M", system: str = "HS"
    ) -> dict[str, Release]:
        """Return what the publisher holds, by ``reporter-period``."""
        found: dict[str, list[Release]] = {}
        path = f"public/v1/getDA/C/{freq}/{system}"
        for record in self._listed(path, sorted(set(reporters)), "availability"):
            told = {k.lower(): v for k, v in record.items()}
            try:
                pair = f"{int(told['reportercode'])}-{int(told['period'])}"
                release = Release(str(told["datasetchecksum"]), str(told["lastreleased"]))
            except (KeyError, TypeError, ValueError, OverflowError):
                raise SchemaMismatch(
                    f"{PUBLISHER}: an availability record with {sorted(map(str, record))}",
                    "reporterCode, period, datasetChecksum, lastReleased",
                    "refresh again; if it stays, the publisher changed its format: report it",
                ) from None
            found.setdefault(pair, []).append(release)
        return {  # one release where a period is listed in several classifications
            pair: Release(
                "+".join(sorted({r.checksum for r in several})), max(r.released for r in several)
            )
            for pair, several in sorted(found.items())
        }

    def systems(self, reporters: Iterable[int], freq: str = "M") -> dict[str, str]:
        """Return the trade system by ``reporter-period``, where the publisher knows it."""
        path = f"public/v1/getMetadata/C/{freq}/HS"
        try:
            listed = self._listed(path, sorted(set(reporters)), "metadata")
        except QuotaExhausted:
            raise
        except TradeflowsError as error:  # rows matter more than notes about them
            _log.warning("trade systems stay unknown: %s", error.found)
            return {}
        notes: list[dict[str, Any]] = []
        for record in listed:
            under = record.get("notes")
            notes += [{**record, **n} for n in under if isinstance(n, dict)] if under else [record]
        notes.sort(key=lambda n: (str(n.get("publicationDate")), str(n.get("tradeSystem"))))
        found = {}
        for note in notes:
            word = str(note.get("tradeSystem", "")).strip().lower()
            system = next((s for s in ("general", "special") if word.startswith(s)), "unknown")
            found[f"{note.get('reporterCode')}-{note.get('period')}"] = system
        return found

    def _listed(self, path: str, reporters: list[int], kind: str) -> list[dict[str, Any]]:
        """Return the records of a list; one at a cap is asked for again in halves."""
        reply = self.session.get(path, f"reporterCode={','.join(map(str, reporters))}", kind=kind)
        found = records(reply.parsed, f"{PUBLISHER}, {kind}")
        if len(found) not in CAPS:
            return found
        if len(reporters) == 1:
            raise TruncatedReply(
                f"{PUBLISHER}: {kind} of reporter {reporters[0]} has exactly {len(found)} rows",
                "a reply below the caps",
                "try later",
            )
        middle = len(reporters) // 2
        halves = (reporters[:middle], reporters[middle:])
        return [r for half in halves for r in self._listed(path, half, kind)]


def connect(work: Work) -> Client:
    """Return a client, with the key of ``COMTRADE_API_KEY`` if there is one."""
    key, root = key_from("COMTRADE_API_KEY"), root_from(VARIABLE, ROOT)
    most = DAILY if key and root == ROOT else None
    session = work.session("comtrade", PUBLISHER, root, most=most, key=key)
    if work.manners is None and key:
        session.manners = replace(session.manners, interval=0.5)
    return Client(session)


def counted(reply: Reply) -> int:
    """Return how many rows a count reply counts, or raise where it counts none at all."""
    told = reply.parsed if isinstance(reply.parsed, dict) else {}
    count, error = told.get("count"), str(told.get("error") or "")[:200]
    if error or isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise SchemaMismatch(
            f"{PUBLISHER}: a count reply with {error or f'count {count!r}'}",
            "a number of rows",
            "try later",
        )
    return count


@dataclass(frozen=True)
class Plan:
    """The calls of a pull, in order, and what they rest on.

    ``not_yet`` counts months the publisher has not published, ``held`` those stored already;
    ``used`` the calls made today.
    """

    calls: tuple[Call, ...]
    parts: tuple[Part, ...]
    not_yet: int
    held: int
    keyed: bool
    cap: int
    used: int = 0

    @property
    def table(self) -> pd.DataFrame:
        """One row per part: calls, rows expected, span, minutes at a call a second."""
        found = []
        for part in self.parts:
            mine = [c for c in self.calls if c.part == part.name]
            months = sorted({p for c in mine for p in c.periods})
            data = sum(self._replies(c, part.guess) for c in mine)
            found.append(
                {
                    "part": part.name,
                    "reporters": len(part.reporters),
                    "from": months[0] if months else "",
                    "to": months[-1] if months else "",
                    "data_calls": data,
                    "count_calls": data,
                    "rows_expected": sum(len(c.releases) for c in mine) * part.guess,
                    "minutes": round(2 * data / 60, 1),
                }
            )
        return pd.DataFrame(found)

    def _replies(self, call: Call, guess: int) -> int:
        wide = "AG6" in call.box.codes or ALL in call.box.partners
        return max(1, math.ceil(len(call.releases) * (guess if wide else 200) / (self.cap * FILL)))

    def sentence(self) -> str:
        """Say what will be asked, and how long that takes."""
        if not self.calls:
            return (
                f"Nothing to fetch: {self.held} months are stored as published,"
                f" {self.not_yet} are not published yet."
            )
        data = int(self.table["data_calls"].sum())
        mode = "with a key" if self.keyed else "without a key (one period and 500 rows a call)"
        hours = 2 * data / 3600
        took = f"{max(1, round(60 * hours))} minutes" if hours < 2 else f"{hours:.0f} hours"
        days = math.ceil((2 * data + self.used) / DAILY)
        long = f", {days} days at {DAILY} calls a day" if days > 1 else ""
        if days > 1 and not self.keyed:
            long += (
                " (as with the free key; without one no number is published, and it stops earlier"
                " or later): what the claims need first comes first, each run goes on where the"
                " last one stopped"
            )
        quota = f"; {self.used} of {DAILY} calls of today are used" if self.keyed else ""
        return (
            f"{data} data calls and about as many counts {mode}, about {took}{long}{quota}."
            f" Counted by reporter, {self.held} months are stored already,"
            f" {self.not_yet} are not published yet."
        )


def draw(
    client: Client, parts: Sequence[Part], releases: Releases, span: tuple[str, str], used: int = 0
) -> Plan:
    """Draw a plan: what is published and not stored, packed into as few calls as may be.

    With a key in the order of the parts. Without one, totals, chapters and listed codes come before
    long lists of codes, and the months that decide the claims before the others.
    """
    stored = held(leaves(), {slot: r.checksum for slot, r in releases.items()})
    slots = {p.name: [(p.freq, pair) for pair in p.pairs(span)] for p in parts}
    there = [(p.box(), s) for p in parts for s in slots[p.name] if s in releases]
    have = sum(covered(box, stored.get(slot, frozenset())) for box, slot in there)
    calls: list[tuple[bool, int, bool, Call]] = []
    asked = [(p, box) for p in parts for box in _boxes(p.box(), keyed=client.keyed)]
    if not client.keyed:
        asked.sort(key=lambda one: _is_long(one[1]))
    for part, box in asked:
        missing = [
            slot for slot in slots[part.name]
            if slot in releases and not covered(box, stored.get(slot, frozenset()))
        ]  # fmt: skip
        stored |= {slot: stored.get(slot, frozenset()) | {box} for slot in missing}
        for call in _packed(client, part, box, [pair for _, pair in missing], releases):
            decisive = client.keyed or DECISIVE[0] <= call.periods[0] < DECISIVE[1]
            long = not client.keyed and _is_long(box)
            calls.append((long, parts.index(part), not decisive, call))
    calls.sort(key=lambda one: (*one[:3], one[3].periods[0]))
    not_yet = sum(map(len, slots.values())) - len(there)
    ordered = tuple(call for *_, call in calls)
    return Plan(ordered, tuple(parts), not_yet, have, client.keyed, client.cap, used)


def _is_long(box: Box) -> bool:
    """Tell whether all codes of a level are asked for, or all with a prefix."""
    return any(c.startswith(("AG4", "AG6")) for c in box.codes)


def _boxes(box: Box, *, keyed: bool) -> list[Box]:
    """Return what is asked together: without a key long lists of codes stand alone."""
    long = tuple(c for c in box.codes if _is_long(box._replace(codes=(c,))))
    short = tuple(c for c in box.codes if c not in long)
    return [box] if keyed else [box._replace(codes=c) for c in (short, long) if c]


def _packed(
    client: Client, part: Part, box: Box, pairs: Sequence[str], releases: Releases
) -> list[Call]:
    """Join reporters and months into calls that are expected to stay below the cap.

    Months fall in the same blocks whatever else is missing, so that an interrupted pull goes on
    with the same calls.
    """
    by_period: dict[str, list[int]] = {}
    for pair in pairs:
        number, period = pair.split("-")
        by_period.setdefault(period, []).append(int(number))
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for period, reporters in sorted(by_period.items()):
        who = tuple(sorted(reporters))
        fits = min(int(client.cap * FILL // (part.guess * len(who))), client.most_periods)
        size = max(n for n in (1, 2, 3, 4, 6, 12) if n <= max(1, fits))
        year, month = int(period[:4]), int(period[4:] or 0)
        block = f"{year}-{(month - 1) // size}" if month else f"{year // size}"
        groups.setdefault((block, who), []).append(period)
    calls = []
    for (_, who), periods in groups.items():
        asked = sorted(f"{r}-{p}" for r in who for p in periods)
        told = tuple((pair, releases[part.freq, pair].checksum) for pair in asked)
        calls.append(Call(part.name, part.freq, who, tuple(periods), box, told))
    return calls


def plan(work: Work) -> Plan:
    """Say what a pull would ask, after one call for availability."""
    client, used = connect(work), Ledger("comtrade").used
    return draw(client, work.parts, _available(client, work), work.span, used)


def probe(work: Work) -> tuple[int, str]:
    """Ask what Turkey published, and its total trade with Russia in the newest month of it."""
    client = connect(work)
    months = client.availability([792])
    newest = max(months, default="792-202512")
    box = Box(("M", "X"), ("643",), ("TOTAL",))
    call = Call("probe", "M", (792,), (newest.split("-")[1],), box, ())
    count, reply = counted(client.ask(call, "count")), client.ask(call, "data")
    rows = len(parse(reply.data, {}))
    return rows, (
        f"{'with' if client.keyed else 'without'} a key: {len(months)} months of Turkey, the newest"
        f" {_spelled(newest)}; trade with Russia in it: {rows} rows, {count} counted"
    )


def pull(work: Work) -> None:
    """Fetch what is published and not stored."""
    client = connect(work)
    releases = _available(client, work)
    drawn = draw(client, work.parts, releases, work.span)
    work.held = drawn.held
    systems: dict[tuple[str, str], str] = {}
    for freq in sorted({c.freq for c in drawn.calls}):
        reporters = {r for c in drawn.calls for r in c.reporters if c.freq == freq}
        systems |= {(freq, k): v for k, v in client.systems(reporters, freq).items()}
    _Pull(client, work, releases, systems).run(drawn.calls)


def _available(client: Client, work: Work) -> Releases:
    """Return what is published of what is asked for, or say that nothing is."""
    releases: dict[tuple[str, str], Release] = {}
    for freq, system in sorted({(p.freq, p.system) for p in work.parts}):
        asked = [p for p in work.parts if (p.freq, p.system) == (freq, system)]
        numbers = [int(pair.split("-")[0]) for p in asked for pair in p.pairs(work.span)]
        found = client.availability(numbers, freq, system)
        releases |= {(freq, pair): r for pair, r in found.items()}
        if system == "HS":
            seen = {f"{freq}-{pair}": [r.checksum, r.released] for pair, r in found.items()}
            before = recall("availability").get("releases", {})
            at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            remember("availability", {"asked": at, "releases": {**before, **seen}})
    work.notes = _absent(work, releases)
    wanted = [(p.freq, pair) for p in work.parts for pair in p.pairs(work.span)]
    if not work.usual and not any(slot in releases for slot in wanted):
        raise SourceUnavailable(
            f"UN Comtrade holds nothing of {work.span[0]} to {work.span[1]}:"
            f" {' '.join(work.notes)}",
            "months that the reporter has published",
            "ask for other months, or for the trade as the partner reports it"
            " (swap --reporter and --partner, imports for exports)"
            + ", or as reported, without a nomenclature (`tf.concord` joins them)"
            * any(p.system != "HS" for p in work.parts),
        )
    return releases


def _absent(work: Work, releases: Releases) -> list[str]:
    """Say of every reporter which of the periods asked for it has not published.

    Where no last month is named, those after a reporter's newest are not missed.
    """
    asked: dict[tuple[str, str, str], set[str]] = {}
    for part in work.parts:
        for reporter in part.reporters:
            alone = replace(part, reporters=(reporter,)).pairs(work.span)
            asked.setdefault((reporter, part.freq, part.system), set()).update(alone)
    notes = []
    for (reporter, freq, system), pairs in sorted(asked.items()):
        name, number = spoken(reporter), min(pairs).split("-")[0]
        known = sorted(k for f, k in releases if f == freq and k.startswith(f"{number}-"))
        where = "" if system == "HS" else f" in {system}"
        if not known:
            notes.append(f"{name} reports nothing{where} to UN Comtrade; its partners may report.")
            continue
        gone = sorted(pairs - set(known))
        if work.end is None and min(pairs) <= known[-1]:
            gone = [k for k in gone if k < known[-1]]
        if gone:
            shown = ", ".join(map(_spelled, gone[:6])) + f" and {len(gone) - 6} more" * bool(
                gone[6:]
            )
            notes.append(
                f"{name} has not published {shown}{where}; its newest is {_spelled(known[-1])}."
            )
    return notes


def _spelled(pair: str) -> str:
    """Write the period of ``792-202201`` as ``2022-01``."""
    period = pair.split("-")[1]
    return "-".join(filter(None, (period[:4], period[4:])))


@dataclass
class _Pull:
    """Fetch calls one after the other; each is stored as one file, with all replies it took.

    Replies to a call that has to be split are kept beside the state of the refresh until the call
    is stored, so that none is asked for twice.
    """

    client: Client
    work: Work
    releases: Releases
    systems: Mapping[tuple[str, str], str]
    cap: int = field(init=False)

    def run(self, calls: Sequence[Call]) -> None:
        """Work through the calls; one bad reply does not stop the others."""
        self.cap, in_a_row = self.client.cap, 0
        errors: list[TradeflowsError] = []
        for number, call in enumerate(calls):
            if in_a_row == MOST_ERRORS:
                break
            try:
                self._store(call)
                in_a_row = 0
            except (SchemaMismatch, TruncatedReply, AddressTooLong) as error:
                errors.append(error)
                in_a_row += 1
            self.work.told("comtrade", number + 1, len(calls) - number - 1)
        for other in errors[1:]:
            errors[0].add_note(f"also: {other.found}")
        if errors:
            raise errors[0]
        shutil.rmtree(folder() / "replies", ignore_errors=True)

    def _answers(self, call: Call, *, apart: bool = False) -> list[Reply]:
        """Return the replies that together hold the rows of a call, each as long as counted."""
        try:
            counting = self._kept(call, "count")
            count = counted(counting)
            if count == 0 and _is_empty(counting):
                return [counting]
            if count < self.cap and count not in CAPS:
                reply = self._rows(call, count, apart=apart)
                if reply is not None:
                    return [reply]
        except AddressTooLong:
            if not (smaller := split(call, longest=True)):
                raise
            return [r for piece in smaller for r in self._answers(piece, apart=True)]
        if not (smaller := split(call)):
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {count:,} rows are counted, fewer"
                " come, and one period, partner and code cannot be split",
                f"a whole reply of fewer than {self.cap:,} rows",
                "get a key (COMTRADE_API_KEY), which allows more rows a call",
            )
        found = [r for piece in smaller for r in self._answers(piece, apart=True)]
        if any("/" in c for c in call.box.codes):  # prefixes count other levels, too
            return found
        came = len(self._table(call, found))
        if came != count:
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {count:,} rows in all,"
                f" {came:,} in pieces",
                "pieces that add up",
                "a partner or code is in no list: report it",
            )
        return found

    def _rows(self, call: Call, count: int, *, apart: bool) -> Reply | None:
        """Return a reply with as many rows as counted; none where it is cut."""
        for again in (False, True):
            reply = self._kept(call, "data") if apart else self.client.ask(call, "data")
            found = len(records(reply.parsed, call.part))
            if found in CAPS or (found < count and again):
                _log.warning("%s: %d of %d rows came: asking for less", call.part, found, count)
                self.cap = min(self.cap, found) if found in CAPS else self.cap
                return None
            if found != count:
                self._file(call, "data").unlink(missing_ok=True)
                count = counted(self.client.ask(call, "count"))
            if found == count:
                return reply
        raise SchemaMismatch(
            f"{PUBLISHER}: {found:,} rows of {call.part}, counted {count:,}",
            "as many rows as counted",
            "the publisher is changing the data: refresh again later",
        )

    def _file(self, call: Call, kind: str) -> Any:
        return folder() / "replies" / f"{call.identity()}-{kind}.json"

    def _kept(self, call: Call, kind: str) -> Reply:
        """Return a reply as an interrupted pull kept it, or ask and keep it; a bad one is not."""
        try:
            told = json.loads(self._file(call, kind).read_text(encoding="utf-8"))
            headers = {GENERATED.lower(): "true"} if told["generated"] else {}
            parsed = json.loads(told["data"])
            return Reply(told["url"], 200, headers, told["data"].encode(), told["at"], parsed)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        reply = self.client.ask(call, kind)
        try:
            if kind == "data":
                self._table(call, [reply])
        except TruncatedReply:  # it is asked for in pieces
            return reply
        kept = {"url": reply.url, "at": reply.at, "data": reply.data.decode()}
        replace_file(self._file(call, kind), json.dumps(kept | {"generated": reply.generated}))
        return reply

    def _table(self, call: Call, replies: Sequence[Reply]) -> pd.DataFrame:
        return parse(_joined(replies), {"origin": call.part, "query": self._query(call)})

    def _query(self, call: Call) -> dict[str, Any]:
        told = {pair: self.releases[call.freq, pair] for pair in call.pairs()}
        return call.as_dict() | {
            "releases": {
                p: {"checksum": r.checksum, "released": r.released} for p, r in told.items()
            },
            "systems": {
                p: self.systems[call.freq, p] for p in told if (call.freq, p) in self.systems
            },
        }

    def _store(self, call: Call) -> None:
        """Fetch a call and store its replies as one file."""
        replies = self._answers(call)
        query, rows = self._query(call), sum(len(records(r.parsed, call.part)) for r in replies)
        table = self._table(call, replies)
        query["proof"] = {"count": rows, "rows": rows, "kept": len(table), "replies": len(replies)}
        if not rows:
            query["expires"] = (_today() + EMPTY_FOR).isoformat()
        vintage = max(r["released"][:10] for r in query["releases"].values())
        span = "-".join(dict.fromkeys((call.periods[0], call.periods[-1])))
        empty = "" if rows else f"-empty-{_today():%Y%m%d}"
        who = ", ".join(from_comtrade(r) for r in call.reporters[:8])
        file = f"{FOLDER}/{call.part}-{span}@{vintage}-{call.identity()}{empty}.json.gz"
        self.work.store(
            file, gzip.compress(_joined(replies), 6, mtime=0), replies[0],
            **_ABOUT,
            title=f"{call.part}: {'/'.join(call.box.flows)} reported by {who}",
            accessed=max(r.at for r in replies),
            vintage=vintage,
            coverage=f"{call.periods[0]} to {call.periods[-1]}",
            rows=len(table),
            query=query,
        )  # fmt: skip
        shutil.rmtree(folder() / "replies", ignore_errors=True)
        _log.info("%s: %d rows", file, rows)


def _joined(replies: Sequence[Reply]) -> bytes:
    return b"\n".join(r.data for r in replies)


def _is_empty(reply: Reply) -> bool:
    """Tell whether a count reply reads as a reply without rows, as what is stored must."""
    try:
        return not records(reply.parsed, PUBLISHER)
    except SchemaMismatch:
        return False


def _today() -> date:
    return datetime.now(UTC).date()
