"""A pull: every call counted, fetched, proven whole and stored, so that it can stop at any time."""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from tradeflows import store
from tradeflows.codes.countries import from_comtrade
from tradeflows.errors import SchemaMismatch, TradeflowsError, TruncatedReply, unwritable
from tradeflows.sources.comtrade.client import Client, Release, counted
from tradeflows.sources.comtrade.holding import path
from tradeflows.sources.comtrade.question import Call, shortened, split
from tradeflows.sources.comtrade.reply import CAPS, PUBLISHER, parse, records
from tradeflows.sources.http import GENERATED, AddressTooLong, Reply

__all__ = ["Journal", "Pull"]

_log = logging.getLogger(__name__)
Counted = tuple[int, Reply]
Task = tuple[Call, Counted | None]
MOST_ERRORS = 3  # bad replies in a row after which the publisher is left alone
EMPTY_FOR = timedelta(days=7)  # how long "no rows" is believed
_LICENCE = "UN Comtrade policy on use and re-dissemination"
_TERMS = "Internal use; passing the data on needs the permission of the UN Statistics Division."
_TRAPS = (
    "Chapter 27 holds what the HS6 rows hide: crude oil and pipeline gas are confidential.",
    "Headings and HS6 rows need not add up to their chapter.",
)


@dataclass
class Journal:
    """The calls of a pull that is under way; what an interrupted one leaves for the next.

    Beside the list lie replies that no stored file holds yet: counts, and pieces of what is stored
    together. They are named for the call and the releases it was made for.
    """

    file: Path

    def read(self) -> list[Call]:
        """Return the calls, or none where the file is not whole."""
        try:
            return [Call.from_dict(c) for c in json.loads(self.file.read_text())["calls"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return []

    def write(self, calls: Iterable[Call]) -> None:
        """Replace the list at one stroke."""
        replace_file(self.file, json.dumps({"calls": [c.as_dict() for c in calls]}))

    def clear(self) -> None:
        """Forget the calls: all are stored."""
        self.file.unlink(missing_ok=True)
        shutil.rmtree(self._place("").parent, ignore_errors=True)

    def keep(self, name: str, reply: Reply) -> None:
        """Keep a reply until what it answers is stored."""
        told = {"url": reply.url, "at": reply.at, "data": reply.data.decode()}
        replace_file(self._place(name), json.dumps(told | {"generated": reply.generated}))

    def kept(self, name: str) -> Reply | None:
        """Return a reply that an interrupted pull kept, or nothing."""
        try:
            told = json.loads(self._place(name).read_text(encoding="utf-8"))
            parsed = json.loads(told["data"])
            headers = {GENERATED.lower(): "true"} if told["generated"] else {}
            return Reply(told["url"], 200, headers, told["data"].encode(), told["at"], parsed)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def forget(self, name: str) -> None:
        """Drop a reply: what it answers is stored."""
        self._place(name).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        return self.file.with_suffix("") / f"{name}.json"


@dataclass
class Pull:
    """Fetch calls and store the replies.

    ``told`` is called with the number of calls done and still to do.
    """

    client: Client
    releases: dict[str, Release]
    systems: dict[str, str]
    journal: Journal
    told: Callable[[int, int], None] = lambda _done, _left: None
    stored: list[str] = field(default_factory=list)
    cap: int = 0

    def run(self, calls: Iterable[Call]) -> list[str]:
        """Work through the calls; return the ids of the files stored."""
        self.cap = self.client.cap
        queue: deque[Task] = deque((c, None) for c in calls)
        errors: list[TradeflowsError] = []
        in_a_row = 0
        self._note(queue)
        while queue and in_a_row < MOST_ERRORS:
            call, known = queue.popleft()
            if not self._is_stored(call):
                try:
                    smaller = self._work(call, known)
                except (SchemaMismatch, TruncatedReply) as error:  # one bad reply: others may do
                    errors.append(error)
                    in_a_row += 1
                    continue
                queue.extendleft(reversed(smaller))
                if smaller:
                    self._note(queue)
            in_a_row = 0
            self.told(len(self.stored), len(queue))
        if errors:
            for other in errors[1:]:
                errors[0].add_note(f"also: {other.found}")
            raise errors[0]
        self.journal.clear()
        return self.stored

    def _note(self, queue: Iterable[Task]) -> None:
        self.journal.write(call for call, _ in queue)

    def _work(self, call: Call, known: Counted | None) -> list[Task]:
        """Store the reply to a call, or return smaller calls with their counts."""
        try:
            if not self.client.fits(call):
                raise AddressTooLong("the address is too long", "", "")
            count, empty = known or self._count(call)
            if count < self.cap and count not in CAPS:
                got = self._rows(call, count, empty)
                if got is not None:
                    self._store([(call, *got)])
                    return []
            return self._split(call, count)
        except AddressTooLong:
            return [(c, None) for c in self._shorter(call)]

    def _count(self, call: Call, *, again: bool = False) -> Counted:
        """Return how many rows there are, as counted before a pull was interrupted or now."""
        name = f"{call.identity()}-count"
        kept = None if again else self.journal.kept(name)
        if kept is not None:
            return counted(kept), kept
        count, reply = self.client.count(call)
        self.journal.keep(name, reply)
        return count, reply

    def _shorter(self, call: Call) -> list[Call]:
        pieces = shortened(call)
        if any(not (p.box.codes and p.box.partners and p.reporters and p.periods) for p in pieces):
            raise AddressTooLong(
                f"{PUBLISHER}: the address is refused as too long", "a short one", "ask for less"
            )
        return pieces

    def _rows(self, call: Call, count: int, empty: Reply) -> Counted | None:
        """Return a reply with as many rows as counted, and the count; none where it is cut."""
        if count == 0 and _is_empty(empty):
            return 0, empty
        for again in (False, True):
            reply = self.client.rows(call)
            found = len(records(reply.parsed, call.part))
            if found in CAPS or (found < count and again):
                _log.warning("%s: %d of %d rows came: asking for less", call.part, found, count)
                self.cap = min(self.cap, found) if found in CAPS else self.cap
                return None
            if found != count:
                count = self._count(call, again=True)[0]
            if found == count:
                return count, reply
        raise SchemaMismatch(
            f"{PUBLISHER}: {found:,} rows of {call.part}, counted {count:,}",
            "as many rows as counted",
            "the publisher is changing the data: refresh again later",
        )

    def _split(self, call: Call, count: int) -> list[Task]:
        children, exact = split(call)
        if not children:
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {count:,} rows are counted, fewer"
                " come, and one period, partner and code cannot be split",
                f"a whole reply of fewer than {self.cap:,} rows",
                "get a key (COMTRADE_API_KEY), which allows more rows a call",
            )
        if not exact:
            self._store(self._gathered(call, count), instead=call)
            return []
        counts = [self._count(c) if self.client.fits(c) else None for c in children]
        known = [c[0] for c in counts if c]
        if len(known) == len(counts) and sum(known) != count:
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {count:,} rows in all,"
                f" {sum(known):,} in pieces",
                "pieces that add up",
                "a partner or code is in no list: report it",
            )
        return list(zip(children, counts, strict=True))

    def _gathered(self, call: Call, count: int) -> list[tuple[Call, int, Reply]]:
        """Fetch by prefixes; all pieces are kept in memory until their rows add up."""
        pieces = self._prefixed(call)
        found = sum(len(self._table(c, r, n)) for c, n, r in pieces)
        if not any("/" in token for token in call.box.codes) and found != count:
            raise TruncatedReply(
                f"{PUBLISHER}: {call.part} {call.periods[0]}: {found:,} rows by prefixes,"
                f" {count:,} in all",
                "prefixes that add up",
                "get a key (COMTRADE_API_KEY), which allows more rows a call",
            )
        return pieces

    def _prefixed(self, call: Call) -> list[tuple[Call, int, Reply]]:
        pieces = []
        for child in split(call)[0]:
            count, empty = self._count(child)
            name = f"{child.identity()}-data"
            kept = self.journal.kept(name)
            got = (len(records(kept.parsed, child.part)), kept) if kept else None
            if got is None and count < self.cap:
                got = self._rows(child, count, empty)
            if got is not None:
                self.journal.keep(name, got[1])
                pieces.append((child, *got))
            elif split(child)[0]:
                pieces += self._prefixed(child)
            else:
                self._split(child, count)
        return pieces

    def _table(self, call: Call, reply: Reply, count: int) -> Any:
        return parse(
            reply.data,
            {"origin": self._place(call, count), "query": self._query(call, count, 0)},
        )

    def _store(self, pieces: list[tuple[Call, int, Reply]], instead: Call | None = None) -> None:
        if instead:
            rest = [c for c in self.journal.read() if c != instead]
            self.journal.write([*(c for c, _, _ in pieces), *rest])
        for call, count, reply in pieces:
            file = self._place(call, count)
            about = self._about(call, count, reply, len(self._table(call, reply, count)))
            store.put(file, gzip.compress(reply.data, 6, mtime=0), about)
            self.stored.append(file)
            for kind in ("count", "data"):
                self.journal.forget(f"{call.identity()}-{kind}")
            _log.info("%s: %d rows", file, count)

    def _vintage(self, call: Call) -> str:
        return max(self.releases[pair].released[:10] for pair, _ in call.releases)

    def _place(self, call: Call, count: int) -> str:
        extra = "" if count else f"-empty-{_today():%Y%m%d}"
        return path(call, self._vintage(call), extra)

    def _is_stored(self, call: Call) -> bool:
        root = store.folder()
        return any(
            (root / place).is_file() and (root / (place + store.SIDECAR)).is_file()
            for place in (self._place(call, 1), self._place(call, 0))
        )

    def _query(self, call: Call, count: int, found: int) -> dict[str, Any]:
        pairs = [pair for pair, _ in call.releases]
        query = call.as_dict() | {
            "releases": {
                p: {"checksum": self.releases[p].checksum, "released": self.releases[p].released}
                for p in pairs
            },
            "systems": {p: self.systems[p] for p in pairs if p in self.systems},
            "proof": {"count": count, "rows": count, "kept": found},
        }
        if not count:
            query["expires"] = (_today() + EMPTY_FOR).isoformat()
        return query

    def _about(self, call: Call, count: int, reply: Reply, found: int) -> dict[str, Any]:
        who = ", ".join(from_comtrade(r) for r in call.reporters[:8])
        query = self._query(call, count, found)
        if reply.generated:
            query["generated"] = True
        return {
            "publisher": PUBLISHER,
            "title": f"{call.part}: {'/'.join(call.box.flows)} reported by {who}",
            "url": reply.url,
            "licence": _LICENCE,
            "terms": _TERMS,
            "accessed": reply.at,
            "vintage": self._vintage(call),
            "coverage": f"{call.periods[0]} to {call.periods[-1]}",
            "obtained": "UN Comtrade API v1",
            "table": "trade",
            "rows": found,
            "traps": _TRAPS,
            "query": query,
        }


def _is_empty(reply: Reply) -> bool:
    """Tell whether a count reply reads as a reply without rows, as what is stored must."""
    try:
        return not records(reply.parsed, PUBLISHER)
    except SchemaMismatch:
        return False


def _today() -> date:
    return datetime.now(UTC).date()


def replace_file(file: Path, text: str) -> None:
    """Write a small state file whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise unwritable(file.name, error) from None
