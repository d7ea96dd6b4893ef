"""What a refresh remembers between runs: the calls of the day, the last availability, a lock."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import filelock

from tradeflows import store
from tradeflows.errors import QuotaExhausted, SourceUnavailable, unwritable
from tradeflows.sources.comtrade.pull import replace_file

__all__ = ["Ledger", "folder", "locked", "recall", "remember"]


def folder() -> Path:
    """Return the folder of the refresh's own notes, beside the raw files.

    Raises
    ------
    SourceUnavailable
        The raw files are the snapshot inside the package, which stays as it is.
    """
    raw = store.folder()
    if raw.name != "raw":
        raise SourceUnavailable(
            "the only data folder is the snapshot inside the package",
            "a folder of your own to refresh into",
            "set TRADEFLOWS_DATA to a folder that holds raw/",
        )
    return raw.parent / "processed" / "refresh"


@contextmanager
def locked(wait: float = 0.0) -> Iterator[Path]:
    """Hold the lock of the data folder; a second refresh waits that long, then is refused."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(place / "refresh.lock")
        lock.acquire(timeout=wait)
    except OSError as error:
        if not isinstance(error, filelock.Timeout):  # a timeout of the lock is an OSError, too
            raise unwritable(str(place), error) from None
        raise SourceUnavailable(
            "another refresh of this data folder is running",
            "one at a time",
            "wait until it has finished, or give it another TRADEFLOWS_DATA",
        ) from None
    try:
        for left in place.glob("*.part"):
            left.unlink(missing_ok=True)
        yield place
    finally:
        lock.release()


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
    """Calls made today (UTC) at one publisher; it survives restarts.

    ``most`` refuses further calls of the day before they are made; none: the publisher decides,
    and once it said that the quota is used up, `close` refuses calls until it is renewed. ``who``
    names the address and whether a key is sent: another one has another quota.
    """

    publisher: str
    most: int | None = None
    who: str = ""
    calls: dict[str, int] = field(default_factory=dict)
    day: str = ""

    def __post_init__(self) -> None:
        known = recall(f"calls-{self.publisher}")
        calls = known.get("calls")
        self.day = _today()
        if known.get("day") == self.day and isinstance(calls, dict):
            self.calls = {str(k): v for k, v in calls.items() if isinstance(v, int)}

    @property
    def used(self) -> int:
        """Calls of today."""
        return sum(self.calls.values()) if self.day == _today() else 0

    def note(self, kind: str) -> None:
        """Write a call down before it is made."""
        if self.day != _today():
            self.day, self.calls = _today(), {}
        self._refuse_until_renewed()
        if self.most is not None and self.used >= self.most:
            raise QuotaExhausted(
                f"{self.publisher}: all {self.most} calls of {self.day} (UTC) are used",
                "calls left for today",
                "run `tradeflows refresh` again after midnight UTC: it goes on where it stopped",
            )
        self.calls[kind] = self.calls.get(kind, 0) + 1
        remember(f"calls-{self.publisher}", {"day": self.day, "calls": self.calls})

    def close(self, error: QuotaExhausted) -> None:
        """Write down that the quota is used up, and until when: as told, else until midnight."""
        now = datetime.now(UTC)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        until = midnight if error.wait is None else now + timedelta(seconds=error.wait)
        content = {"who": self.who, "until": until.isoformat(timespec="seconds")}
        remember(f"quota-{self.publisher}", content)

    def _refuse_until_renewed(self) -> None:
        known = recall(f"quota-{self.publisher}")
        if known.get("who") != self.who:
            return
        try:
            until = datetime.fromisoformat(str(known.get("until")))
            left = (until - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return
        if left > 0:
            file = folder() / f"quota-{self.publisher}.json"
            raise QuotaExhausted(
                f"{self.publisher}: the quota is used up until {until:%Y-%m-%d %H:%M} UTC, as it"
                " said at the last call; it was not asked again",
                "calls left for today",
                f"run `tradeflows refresh` again then; with another key, delete {file} first",
            )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
