"""A refresh under way: what is asked, what is done, the calls of the day, notes, a lock."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from tradeflows import store
from tradeflows.errors import QuotaExhausted, SourceUnavailable, unwritable
from tradeflows.progress import Told
from tradeflows.sources.http import Manners, Reply, Session

if TYPE_CHECKING:
    from tradeflows.sources.comtrade.question import Part

__all__ = ["Ledger", "Work", "folder", "locked", "recall", "remember", "replace_file"]


@dataclass
class Work:
    """What a refresh was asked for, and what it did so far; every source works on it.

    ``usual``: the standard pull, in place of ``parts`` named by the user. ``span`` is the first and
    the last month; ``end`` the last that was named, if any. ``notes`` say what is not published.
    ``options`` are for TÜİK's database: fields of `tuik.Question`, and ``browser``.
    """

    parts: tuple[Part, ...]
    usual: bool
    span: tuple[str, str]
    end: str | None = None
    manners: Manners | None = None
    told: Told = lambda _source, _done, _left: None
    calls: dict[str, Mapping[str, int]] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    held: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def session(
        self, source: str, publisher: str, root: str, *, most: int | None = None, **options: Any
    ) -> Session:
        """Return a session whose calls are counted for this source, at most so many a day."""
        session = Session(publisher, root, self.manners or Manners(), **options)
        who = f"{root}, {'with' if session.key else 'without'} a key"
        ledger = Ledger(source, most, who)
        session.note, session.spent = ledger.note, ledger.close
        self.sessions[source], self.calls[source] = session, session.counts
        return session

    def store(self, file: str, data: bytes | Path, reply: Reply, **about: Any) -> None:
        """Store what a reply brought; ``about`` is the rest of its sidecar."""
        query = about.get("query", {}) | ({"generated": True} if reply.generated else {})
        told = {"url": reply.url, "accessed": reply.at, **about, "query": query}
        store.put(file, data, told)
        self.stored.append(file)


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
def locked(wait: float = 0.0) -> Iterator[None]:
    """Hold the lock of the data folder; a second refresh waits that long, then is refused."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(place / "refresh.lock")
        lock.acquire(timeout=wait)
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


def remember(name: str, content: Mapping[str, Any]) -> None:
    """Write a note whole or not at all."""
    replace_file(folder() / f"{name}.json", json.dumps(content, sort_keys=True))


def recall(name: str) -> dict[str, Any]:
    """Return a note, or nothing where there is none or it is damaged."""
    try:
        content = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, SourceUnavailable):
        return {}
    return content if isinstance(content, dict) else {}


@dataclass
class Ledger:
    """Calls made today (UTC) for one source; they survive restarts.

    ``most`` refuses further calls of the day before they are made; none: the publisher decides,
    and once it said that the quota is used up, `close` refuses calls until it is renewed. ``who``
    names the address and whether a key is sent: another one has another quota.
    """

    source: str
    most: int | None = None
    who: str = ""

    @property
    def calls(self) -> dict[str, int]:
        """Calls of today by kind."""
        known = recall(f"calls-{self.source}")
        calls = known.get("calls") if known.get("day") == _today() else None
        found = calls if isinstance(calls, dict) else {}
        return {str(k): v for k, v in found.items() if isinstance(v, int)}

    @property
    def used(self) -> int:
        """Number of calls of today."""
        return sum(self.calls.values())

    def note(self, kind: str) -> None:
        """Write a call down before it is made, or refuse it."""
        calls = self.calls
        note = f"calls-{self.source}"
        closed = recall(note).get("closed")
        until = closed.get(self.who, "") if isinstance(closed, dict) else ""
        if until > _now().isoformat(timespec="seconds"):
            raise QuotaExhausted(
                f"{self.source}: the quota is used up until {until[:16].replace('T', ' ')} UTC, as"
                " the publisher said at the last call; it was not asked again",
                "calls left for today",
                "run `tradeflows refresh` again then; with another key, delete"
                f" {folder() / note}.json first",
            )
        if self.most is not None and sum(calls.values()) >= self.most:
            raise QuotaExhausted(
                f"{self.source}: all {self.most} calls of {_today()} (UTC) are used",
                "calls left for today",
                "run `tradeflows refresh` again after midnight UTC: it goes on where it stopped",
            )
        calls[kind] = calls.get(kind, 0) + 1
        remember(note, {"day": _today(), "calls": calls, "closed": closed or {}})

    def close(self, error: QuotaExhausted) -> None:
        """Write down that the quota is used up, and until when: as told, else until midnight."""
        now = _now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        until = midnight if error.wait is None else now + timedelta(seconds=error.wait)
        note = f"calls-{self.source}"
        known = recall(note)
        closed = {**known.get("closed", {}), self.who: until.isoformat(timespec="seconds")}
        remember(note, {**known, "closed": closed})


def _now() -> datetime:
    return datetime.now(UTC)


def _today() -> str:
    return _now().date().isoformat()
