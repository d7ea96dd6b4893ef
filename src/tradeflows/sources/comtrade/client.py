"""The calls UN Comtrade answers: availability, trade system, counts, rows."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tradeflows.errors import QuotaExhausted, SchemaMismatch, TradeflowsError, TruncatedReply
from tradeflows.sources.comtrade.question import LONGEST, Call
from tradeflows.sources.comtrade.reply import CAPS, PUBLISHER, records
from tradeflows.sources.http import Key, Manners, Reply, Session, encoded, root_from

__all__ = ["ROOT", "Client", "Release", "connect", "counted"]

_log = logging.getLogger(__name__)
ROOT = "https://comtradeapi.un.org"
DAILY = 500  # calls a day with the free key


@dataclass(frozen=True)
class Release:
    """What the publisher holds of a reporter and period: a checksum that changes with revisions."""

    checksum: str
    released: str
    records: int = 0


def connect(manners: Manners | None = None, key: str | None = None) -> Client:
    """Return a client; the key comes from ``COMTRADE_API_KEY`` unless given."""
    secret = Key(os.environ.get("COMTRADE_API_KEY", "") if key is None else key)
    pace = manners or Manners(interval=0.5 if secret else 1.0)
    root = root_from("TRADEFLOWS_COMTRADE_URL", ROOT)
    return Client(Session(PUBLISHER, root, pace, secret))


@dataclass
class Client:
    """UN Comtrade, with or without a key."""

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

    def _path(self, call: Call) -> str:
        where = "data/v1/get" if self.keyed else "public/v1/preview"
        return f"{where}/C/{call.freq}/HS"

    def fits(self, call: Call) -> bool:
        """Tell whether the address of a call is short enough."""
        query = call.query(countOnly="true")
        return len(self.session.root) + len(self._path(call)) + len(query) + 2 <= LONGEST

    def count(self, call: Call) -> tuple[int, Reply]:
        """Return how many rows the publisher has for a call, and the reply that says so."""
        reply = self.session.get(self._path(call), call.query(countOnly="true"), kind="count")
        return counted(reply), reply

    def rows(self, call: Call) -> Reply:
        """Return the reply to a call."""
        return self.session.get(self._path(call), call.query(), kind="data")

    def availability(self, reporters: Sequence[int], freq: str = "M") -> dict[str, Release]:
        """Return what the publisher holds, by ``reporter-period``."""
        path = f"public/v1/getDA/C/{freq}/HS"
        found: dict[str, list[Release]] = {}
        for record in self._listed(path, sorted(set(reporters)), "availability"):
            pair, release = _release(record)
            found.setdefault(pair, []).append(release)
        return {pair: _joined(found[pair]) for pair in sorted(found)}

    def systems(self, reporters: Sequence[int], freq: str = "M") -> dict[str, str]:
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
        query = encoded({"reporterCode": ",".join(map(str, reporters))})
        reply = self.session.get(path, query, kind=kind)
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


def _release(record: dict[str, Any]) -> tuple[str, Release]:
    """Return one line of the availability list."""
    told = {k.lower(): v for k, v in record.items()}
    try:
        pair = f"{int(told['reportercode'])}-{int(told['period'])}"
        checksum, released = told["datasetchecksum"], told["lastreleased"]
        records = int(told.get("totalrecords") or 0)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise SchemaMismatch(
            f"{PUBLISHER}: an availability record with {sorted(map(str, record))}",
            "reporterCode, period, datasetChecksum, lastReleased",
            "refresh again; if it stays, the publisher changed its format: report it",
        ) from None
    return pair, Release(str(checksum), str(released), records)


def _joined(releases: Iterable[Release]) -> Release:
    """Return one release where a period is listed in several classifications."""
    known = sorted(set(releases), key=lambda r: (r.released, r.checksum))
    return Release(
        "+".join(sorted({r.checksum for r in known})),
        known[-1].released,
        sum(r.records for r in known),
    )
