"""A refresh under way: what is asked, what is done, quotas, notes, a lock."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import pandas as pd

from tradeflows import store
from tradeflows.errors import QuotaExhausted, SourceUnavailable, TradeflowsError, unwritable
from tradeflows.progress import Told
from tradeflows.sources.http import Manners, Reply, Session

if TYPE_CHECKING:
    from tradeflows.sources.comtrade.question import Part

__all__ = ["Plan", "Work", "folder", "locked", "raise_first", "replace_file"]


@dataclass
class Work:
    """What a refresh was asked for, and what it did so far; every source works on it.

    ``usual``: the standard pull, in place of ``parts`` named by the user. ``span`` is the first and
    the last month; ``end`` the last that was named, if any. ``calls`` are counted by publisher and
    kind; ``notes`` say what is not published.
    ``options`` are for TÜİK's database: fields of `tuik.Question`, and ``browser``.
    """

    parts: tuple[Part, ...]
    usual: bool
    span: tuple[str, str]
    end: str | None = None
    manners: Manners | None = None
    told: Told = lambda _source, _done, _left: None
    calls: dict[str, Mapping[str, int]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    options: Mapping[str, Any] = field(default_factory=dict)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def sentence(self) -> str:
        """Say what was done."""
        made = "; ".join(
            f"{p}: " + ", ".join(f"{n} {k}" for k, n in sorted(kinds.items()))
            for p, kinds in self.calls.items()
        )
        rows = sum(store.describe(file).rows for file in self.stored)
        files = f"{len(self.stored)} new files with {rows:,} rows"
        if self.stored and not rows:
            files += ": the publisher counts no trade of this kind in these months"
        if not self.stored:
            files = "Nothing new: all that is published is stored"
        notes = "".join(f"\n{note}" for note in self.notes)
        took = (datetime.now(UTC) - self.began).total_seconds()
        return f"{files} in {took:.0f} s (calls: {made or 'none'}).{notes}"

    def session(self, source: str, publisher: str, root: str, **options: Any) -> Session:
        """Return a session whose calls are counted for this source, unless its quota is used up.

        Another address has another quota, and so has who asks without a key.
        """
        session = Session(publisher, root, self.manners or Manners(), **options)
        who, note = f"{root}, {'with' if session.key else 'without'} a key", f"calls-{source}.json"
        until, now = _closed(note).get(who, ""), datetime.now(UTC)
        if until > now.isoformat(timespec="seconds"):
            raise QuotaExhausted(
                f"{who}: the quota is used up until {until[:16].replace('T', ' ')} UTC, as the"
                " publisher said at the last call; it was not asked again",
                "calls left for today",
                f"run `tradeflows refresh` again then; with another key, delete {folder() / note}"
                " first",
            )

        def spent(error: QuotaExhausted) -> None:
            """Write down until when the quota is used up: as told, else until midnight."""
            now = datetime.now(UTC)
            ends = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            if error.wait is not None:
                ends = now + timedelta(seconds=error.wait)
            closed = {**_closed(note), who: ends.isoformat(timespec="seconds")}
            replace_file(folder() / note, json.dumps(closed, sort_keys=True))

        session.spent, self.calls[source] = spent, session.counts
        return session

    def store(self, file: str, data: bytes | Path, reply: Reply, **about: Any) -> None:
        """Store what a reply brought, unless it is stored; ``about`` is the rest of its sidecar.

        Other bytes of the same edition get a number.
        """
        stem, end = file[: file.index("@") + 11], file[file.index("@") + 11 :]
        digest = hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else ""
        editions = (f"{stem}{f'-{n}' * (n > 1)}{end}" for n in count(1))
        for place in editions:
            if not store.place(place).is_file():
                break
            if store.describe(place).sha256 == digest:
                return
        query = about.get("query", {}) | ({"generated": True} if reply.generated else {})
        store.put(place, data, {"url": reply.url, "accessed": reply.at, **about, "query": query})
        self.stored.append(place)


def folder() -> Path:
    """Return the folder of the refresh's own notes, beside the raw files."""
    raw = store.folder()
    if raw.name != "raw":
        raise SourceUnavailable(
            "the only data folder is the snapshot inside the package",
            "a folder of your own to refresh into",
            "set TRADEFLOWS_DATA to a folder that holds raw/",
        )
    return raw.parent / "processed" / "refresh"


@contextmanager
def locked() -> Iterator[None]:
    """Hold the lock of the data folder; a second refresh is refused."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(place / "refresh.lock")
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise SourceUnavailable(
            "another refresh of this data folder is running",
            "one at a time",
            "wait until it has finished, or give it another TRADEFLOWS_DATA",
        ) from None
    except OSError as error:
        raise unwritable(str(place), error) from None
    try:
        for left in place.rglob("*.part"):
            left.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def replace_file(file: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise unwritable(file.name, error) from None


def _closed(note: str) -> dict[str, str]:
    """Return until when quotas are used up; nothing where the note is not there or damaged."""
    try:
        told = json.loads((folder() / note).read_text(encoding="utf-8"))
    except (OSError, ValueError, SourceUnavailable):
        return {}
    return {k: str(v) for k, v in told.items()} if isinstance(told, dict) else {}


@dataclass(frozen=True)
class Plan:
    """What a pull would ask, in words and by part: `data_calls` and minutes, and its calls."""

    words: str
    table: pd.DataFrame
    calls: tuple[Any, ...] = ()


def raise_first(errors: Sequence[TradeflowsError]) -> None:
    """Raise the first of the errors, if any, with the others in its notes."""
    for other in errors[1:]:
        errors[0].add_note(f"also: {other.found}")
    if errors:
        raise errors[0]
