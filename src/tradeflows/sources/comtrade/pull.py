"""A pull of UN Comtrade: planned, counted, fetched, proven whole, stored; it may stop any time."""

from __future__ import annotations

import gzip
import json
import logging
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd

from tradeflows.codes.countries import comtrade, from_comtrade, spoken
from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    TruncatedReply,
)
from tradeflows.sources.comtrade.question import (
    ALL,
    FOLDER,
    PUBLISHER,
    Box,
    Call,
    Part,
    covered,
    held,
    leaves,
    split,
)
from tradeflows.sources.comtrade.reply import CAPS, parse, records
from tradeflows.sources.work import (
    GENERATED,
    Plan,
    Reply,
    Session,
    Work,
    folder,
    key_from,
    raise_first,
    replace_file,
    root_from,
)
from tradeflows.words import few

_log = logging.getLogger(__name__)
ROOT = "https://comtradeapi.un.org"
VARIABLE = "TRADEFLOWS_COMTRADE_URL"
DAILY = 500  # calls a day with the free key
DECISIVE = ("2021", "2024")  # the months that decide the claims come first without a key
FILL = 0.8  # of a reply's rows that a call is sized for
MOST_CODES = 200  # in an address; one of 1,923 characters passed at the publisher, 2,436 did not
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


class Release(NamedTuple):
    """What the publisher holds of a reporter and period: a checksum that changes with revisions."""

    checksum: str
    released: str


Releases = Mapping[tuple[str, str], Release]  # by frequency, and reporter and period


class Client:
    """The calls that UN Comtrade answers, with or without a key.

    ``cap``: rows at which a reply counts as cut; ``most_periods`` a call may name.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.keyed = session, bool(session.key)
        self.cap, self.most_periods = (100_000, 12) if self.keyed else (500, 1)

    def ask(self, call: Call, kind: str) -> Reply:
        """Return the rows of a call, or with ``count`` the reply that counts them."""
        path = "data/v1/get" if self.keyed else "public/v1/preview"
        path += f"/C/{call.freq}/{call.box.system}"
        query = call.query(**({"countOnly": "true"} if kind == "count" else {}))
        return self.session.get(path, query, kind=kind)

    def availability(
        self, reporters: Iterable[int], freq: str = "M", system: str = "HS"
    ) -> dict[str, Release]:
        """Return what the publisher holds, by ``reporter-period``."""
        found: dict[str, Release] = {}
        path = f"public/v1/getDA/C/{freq}/{system}"
        for record in self._listed(path, sorted(set(reporters)), "availability"):
            told = {k.lower(): v for k, v in record.items()}
            try:
                pair = f"{int(told['reportercode'])}-{int(told['period'])}"
                new = Release(str(told["datasetchecksum"]), str(told["lastreleased"]))
            except (KeyError, TypeError, ValueError, OverflowError):
                raise SchemaMismatch(
                    f"{PUBLISHER}: an availability record with {sorted(map(str, record))}",
                    "reporterCode, period, datasetChecksum, lastReleased",
                    "refresh again; if it stays, the publisher changed its format: report it",
                ) from None
            # one release where a period is listed in several classifications
            old = found.get(pair, new)
            sums = "+".join(sorted({*old.checksum.split("+"), new.checksum}))
            found[pair] = Release(sums, max(old.released, new.released))
        return dict(sorted(found.items()))

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
            under = record.get("notes") or [record]
            notes += [{**record, **n} for n in under if isinstance(n, dict)]
        notes.sort(key=lambda n: (str(n.get("publicationDate")), str(n.get("tradeSystem"))))
        found = {}
        for note in notes:
            word = str(note.get("tradeSystem", "")).strip().lower()[:7]
            system = {"general": "general", "special": "special"}.get(word, "unknown")
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
                "a reply below the caps", "try later",
            )  # fmt: skip
        middle = len(reporters) // 2
        halves = (reporters[:middle], reporters[middle:])
        return [r for half in halves for r in self._listed(path, half, kind)]


def connect(work: Work) -> Client:
    """Return a client, with the key of ``COMTRADE_API_KEY`` if there is one."""
    key = key_from("COMTRADE_API_KEY")
    session = work.session("comtrade", PUBLISHER, root_from(VARIABLE, ROOT), key=key)
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
            "a number of rows", "try later",
        )  # fmt: skip
    return count


def draw(
    client: Client, parts: Sequence[Part], releases: Releases, span: tuple[str, str]
) -> list[Call]:
    """Return the calls for what is published and not stored.

    With a key in the order of the parts. Without one, totals, chapters and listed codes come before
    long lists of codes, and the months that decide the claims before the others.
    """
    stored = held(leaves(), {slot: r.checksum for slot, r in releases.items()})
    calls: list[tuple[tuple[bool, int, bool, str], Call]] = []
    asked = [(long, n, box) for n, part in enumerate(parts)
             for long, box in _boxes(part.box(), client.keyed)]  # fmt: skip
    for long, n, box in sorted(asked, key=lambda one: one[0]):
        slots = [(parts[n].freq, pair) for pair in parts[n].pairs(span)]
        missing = [s for s in slots
                   if s in releases and not covered(box, stored.get(s, frozenset()))]  # fmt: skip
        stored |= {slot: stored.get(slot, frozenset()) | {box} for slot in missing}
        for call in _packed(client, parts[n], box, [pair for _, pair in missing], releases):
            first = call.periods[0]
            decisive = client.keyed or DECISIVE[0] <= first < DECISIVE[1]
            calls.append(((long, n, not decisive, first), call))
    return [call for _, call in sorted(calls, key=lambda one: one[0])]


def _boxes(box: Box, keyed: bool) -> list[tuple[bool, Box]]:
    """Return what fits an address; without a key long lists of codes stand alone, and say so."""
    long = () if keyed else tuple(c for c in box.codes if c.startswith(("AG4", "AG6")))
    short = tuple(c for c in box.codes if c not in long)
    pieces = [short[n : n + MOST_CODES] for n in range(0, len(short), MOST_CODES)]
    return [(c is long, box._replace(codes=c)) for c in (*pieces, long) if c]


def _packed(
    client: Client, part: Part, box: Box, pairs: Sequence[str], releases: Releases
) -> list[Call]:
    """Join reporters and months into calls that are expected to stay below the cap.

    Months fall in the same blocks whatever else is missing, so that an interrupted pull goes on
    with the same calls.
    """
    by_period: dict[str, list[int]] = {}
    for number, period in (pair.split("-") for pair in pairs):
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
    client = connect(work)
    calls = draw(client, work.parts, _available(client, work), work.span)
    guess, room = {part.name: part.guess for part in work.parts}, client.cap * FILL
    rows = []
    for call in calls:
        wide = "AG6" in call.box.codes or ALL in call.box.partners
        each = len(call.releases) * (guess[call.part] if wide else 200)
        rows.append((call.part, call.periods[0], call.periods[-1], max(1, math.ceil(each / room))))
    table = pd.DataFrame(rows, columns=["part", "from", "to", "data_calls"])
    how = {"from": "min", "to": "max", "data_calls": "sum"}
    table = table.groupby("part", sort=False, as_index=False).agg(how)
    if not calls:
        return Plan("Nothing to fetch: all that is published is stored.", table)
    data = int(table["data_calls"].sum())
    mode = "with a key" if client.keyed else "without a key (one period and 500 rows a call)"
    minutes, days = 2 * data / 60, math.ceil(2 * data / DAILY)
    took = f"{max(1, round(minutes))} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
    words = f"{data} data calls and about as many counts {mode}, about {took}"
    if days > 1:
        words += f", {days} days at {DAILY} calls a day"
    if days > 1 and not client.keyed:
        words += (
            " (as with the free key; without one no number is published): what the claims need"
            " first comes first, each run goes on where the last one stopped"
        )
    return Plan(f"{words}.", table, tuple(calls))


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
    """Fetch what is published and not stored; one bad reply does not stop the others."""
    client = connect(work)
    releases = _available(client, work)
    calls = draw(client, work.parts, releases, work.span)
    systems: dict[tuple[str, str], str] = {}
    for freq in sorted({c.freq for c in calls}):
        reporters = {r for c in calls for r in c.reporters if c.freq == freq}
        systems |= {(freq, k): v for k, v in client.systems(reporters, freq).items()}
    fetch, errors, in_a_row = _Fetch(client, releases, systems), [], 0
    for number, call in enumerate(calls, 1):
        try:
            fetch.store(call, work)
            in_a_row = 0
        except (SchemaMismatch, TruncatedReply) as error:
            errors.append(error)
            in_a_row += 1
            fetch.forget()
        work.told("comtrade", number, len(calls) - number)
        if in_a_row == MOST_ERRORS:
            break
    raise_first(errors)


def _available(client: Client, work: Work) -> Releases:
    """Return what is published of what is asked for, or say that nothing is."""
    releases: dict[tuple[str, str], Release] = {}
    for freq, system in sorted({(p.freq, p.system) for p in work.parts}):
        asked = [p for p in work.parts if (p.freq, p.system) == (freq, system)]
        numbers = [comtrade(reporter) for part in asked for reporter in part.reporters]
        found = client.availability(numbers, freq, system)
        releases |= {(freq, pair): r for pair, r in found.items()}
    work.notes = list(dict.fromkeys(
        note for part in work.parts for reporter in part.reporters
        if (note := _absent(replace(part, reporters=(reporter,)), work, releases))
    ))  # fmt: skip
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


def _absent(part: Part, work: Work, releases: Releases) -> str:
    """Say which of the periods asked for a part's one reporter has not published, if any.

    Where no last month is named, those after its newest are not missed.
    """
    pairs, name = part.pairs(work.span), spoken(part.reporters[0])
    number = pairs[0].split("-")[0]
    known = sorted(k for f, k in releases if f == part.freq and k.startswith(f"{number}-"))
    where = "" if part.system == "HS" else f" in {part.system}"
    if not known:
        return f"{name} reports nothing{where} to UN Comtrade; its partners may report."
    early = work.end is None and pairs[0] <= known[-1]
    gone = [_spelled(k) for k in pairs if k not in known and not (early and k > known[-1])]
    said = f"{name} has not published {few(gone, 6)}{where};"
    return f"{said} its newest is {_spelled(known[-1])}." if gone else ""


def _spelled(pair: str) -> str:
    """Write the period of ``792-202201`` as ``2022-01``."""
    period = pair.split("-")[1]
    return "-".join(filter(None, (period[:4], period[4:])))


@dataclass
class _Fetch:
    """Fetch calls; each is stored as one file, with all replies it took.

    Replies are kept beside the state of the refresh until their call is stored, so that after a
    kill none is asked for twice.
    """

    client: Client
    releases: Releases
    systems: Mapping[tuple[str, str], str]

    def store(self, call: Call, work: Work) -> None:
        """Fetch a call and store its replies as one file."""
        replies = self._answers(call)
        query, rows = self._query(call), sum(len(records(r.parsed, call.part)) for r in replies)
        table, data = self._table(call, replies)
        query["proof"] = {"count": rows, "rows": rows, "kept": len(table), "replies": len(replies)}
        if not rows:
            query["expires"] = (_today() + EMPTY_FOR).isoformat()
        vintage = max(r["released"][:10] for r in query["releases"].values())
        span = "-".join(dict.fromkeys((call.periods[0], call.periods[-1])))
        empty = "" if rows else f"-empty-{_today():%Y%m%d}"
        who = ", ".join(from_comtrade(r) for r in call.reporters[:8])
        work.store(
            f"{FOLDER}/{call.part}-{span}@{vintage}-{call.identity()}{empty}.json.gz",
            gzip.compress(data, 6, mtime=0), replies[0],
            **_ABOUT,
            title=f"{call.part}: {'/'.join(call.box.flows)} reported by {who}",
            accessed=max(r.at for r in replies),
            vintage=vintage,
            coverage=f"{call.periods[0]} to {call.periods[-1]}",
            rows=len(table),
            query=query,
        )  # fmt: skip
        self.forget()

    def _answers(self, call: Call) -> list[Reply]:
        """Return the replies that together hold the rows of a call, each as long as counted."""
        counting = self._kept(call, "count")
        count = counted(counting)
        if count == 0:
            return [counting]
        if count < self.client.cap and count not in CAPS:
            reply = self._kept(call, "data")
            if len(records(reply.parsed, call.part)) == count:
                return [reply]
            _log.warning("%s: not the %d rows counted: asking for less", call.part, count)
        found = [r for piece in split(call) for r in self._answers(piece)]
        prefixes = any("/" in c for c in call.box.codes)  # they count other levels, too
        came = count if found and prefixes else len(self._table(call, found)[0]) if found else 0
        if came != count:
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {count:,} rows are counted,"
                f" {came:,} come",
                f"a whole reply of fewer than {self.client.cap:,} rows, or pieces that add up; one"
                " period, partner and code cannot be split",
                "refresh again: the publisher may be changing the data; a key (COMTRADE_API_KEY)"
                " allows more rows a call",
            )
        return found

    def _kept(self, call: Call, kind: str) -> Reply:
        """Return a reply as an interrupted pull kept it, or ask and keep it."""
        file = folder() / "replies" / f"{call.identity()}-{kind}.json"
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            headers = {GENERATED.lower(): "true"} if told["generated"] else {}
            parsed = json.loads(told["data"])
            return Reply(told["url"], 200, headers, told["data"].encode(), told["at"], parsed)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        reply = self.client.ask(call, kind)
        kept = {"url": reply.url, "at": reply.at, "data": reply.data.decode()}
        replace_file(file, json.dumps(kept | {"generated": reply.generated}))
        return reply

    def forget(self) -> None:
        """Drop the replies that were kept."""
        shutil.rmtree(folder() / "replies", ignore_errors=True)

    def _table(self, call: Call, replies: Sequence[Reply]) -> tuple[pd.DataFrame, bytes]:
        data = b"\n".join(r.data for r in replies)
        return parse(data, {"origin": call.part, "query": self._query(call)}), data

    def _query(self, call: Call) -> dict[str, Any]:
        slots = {pair: (call.freq, pair) for pair in call.pairs()}
        return call.as_dict() | {
            "releases": {p: self.releases[slot]._asdict() for p, slot in slots.items()},
            "systems": {p: self.systems[s] for p, s in slots.items() if s in self.systems},
        }


def _today() -> date:
    return datetime.now(UTC).date()
