"""Asking publishers, and a refresh under way: what is asked and done, quotas, notes, a lock.

Asking is paced, patient, bounded, and silent about the key: it travels in one header and stands in
no address, message, file or representation. A reply is handed over whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import filelock
import pandas as pd
import requests
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util import Retry

from tradeflows import store
from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    UnknownCode,
    unwritable,
)
from tradeflows.progress import Told
from tradeflows.sources.workbook import unpacked

if TYPE_CHECKING:
    from tradeflows.sources.comtrade.question import Part

_log = logging.getLogger(__name__)
KEY_HEADER = "Ocp-Apim-Subscription-Key"
GENERATED = "X-Tradeflows-Generated"
REDIRECTS = (301, 302, 303, 307, 308)
_LATER = "try later: what was stored stays; run `tradeflows refresh` again to go on"


class AddressTooLong(SourceUnavailable):
    """The query does not fit an address: ask for less at a time."""


class _Broken(Exception):
    """A reply worth asking for again; ``unheard`` where the publisher did not even listen."""

    def __init__(self, found: str, wait: float | None = None, *, unheard: bool = False) -> None:
        super().__init__(found)
        self.found, self.wait, self.unheard = found, wait, unheard


def key_from(variable: str) -> str:
    """Return the key that an environment variable holds, or nothing; an odd one is never shown."""
    text = os.environ.get(variable, "").strip()
    if text and not re.fullmatch(r"[\x21-\x7e]{1,256}", text):
        raise UnknownCode(
            f"{variable} holds blanks, line ends or other signs no key has",
            "the key as the publisher shows it",
            "set the variable again; its content is not shown here",
        )
    return text


def root_from(variable: str, default: str) -> str:
    """Return the root address that an environment variable names, or the publisher's own."""
    root = os.environ.get(variable, "").strip().rstrip("/") or default
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise UnknownCode(
            f"{variable} is not an address without credentials",
            f"such as {default}",
            "correct the variable, or unset it to ask the publisher",
        )
    return root


@dataclass(frozen=True)
class Manners:
    """How often, how long and how much: seconds between calls, patience, tries, most bytes."""

    interval: float = 1.0
    timeout: float = 60.0
    backoff: float = 2.0
    retries: int = 5
    limit: int = 512 * 1024 * 1024
    longest_wait: float = 120.0


@dataclass(frozen=True)
class Reply:
    """A whole reply. ``url`` never holds a key; ``parsed`` is set where JSON was expected."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes
    at: str
    parsed: Any = None

    @property
    def day(self) -> str:
        """The day of the reply (UTC)."""
        return self.at[:10]

    @property
    def generated(self) -> bool:
        """Whether the server says that its data are made up."""
        mark = isinstance(self.parsed, dict) and self.parsed.get("generated")
        return bool(mark) or self.headers.get(GENERATED.lower()) == "true"


@dataclass
class Session:
    """Ask one publisher.

    The key goes to ``root`` only; redirects lead there or, without a key, to ``hosts``. ``source``
    names the note of quotas that are used up: until they are renewed no session is opened. Another
    address has another quota, and so has who asks without a key.
    """

    publisher: str
    root: str
    manners: Manners = field(default_factory=Manners)
    key: str = field(default="", repr=False)
    hosts: tuple[str, ...] = ()
    source: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    status: int = 0  # of the last reply
    slowness: float = 1.0  # grows where the publisher says that calls come too fast
    _last: float = field(default=0.0, repr=False)
    _http: requests.Session = field(default_factory=requests.Session, repr=False)

    def __post_init__(self) -> None:
        """Refuse to ask where the publisher said that the quota is used up."""
        until = self._closed().get(self._who, "")
        if until > datetime.now(UTC).isoformat(timespec="seconds"):
            raise QuotaExhausted(
                f"{self._who}: the quota is used up until {until[:16].replace('T', ' ')} UTC, as"
                " the publisher said at the last call; it was not asked again",
                "calls left for today",
                "run `tradeflows refresh` again then; with another key, delete"
                f" {folder() / self._note} first",
            )

    @property
    def _who(self) -> str:
        return f"{self.root}, {'with' if self.key else 'without'} a key"

    @property
    def _note(self) -> str:
        return f"calls-{self.source}.json"

    def _closed(self) -> dict[str, str]:
        """Return until when quotas are used up; nothing where the note is damaged or not there."""
        try:
            told = json.loads((folder() / self._note).read_text(encoding="utf-8"))
        except (OSError, ValueError, SourceUnavailable):
            return {}
        return {k: str(v) for k, v in told.items()} if isinstance(told, dict) else {}

    def get(
        self, path: str, query: str = "", *, kind: str = "data", expect: str = "json",
        into: Path | None = None,
    ) -> Reply:  # fmt: skip
        """Return a whole reply to one question; ask again where that may help.

        ``path`` is below the root, or a full address at one of the allowed hosts; ``kind`` is what
        is counted. With ``expect="json"`` the reply is parsed and must be whole; ``into`` streams
        it to a file. `AddressTooLong` says that the question must be split.
        """
        url = self.allowed(self.root + "/", path.lstrip("/")) + (f"?{query}" if query else "")
        most = self.manners.longest_wait
        tried = 0
        while True:
            tried += 1
            try:
                reply = self._whole(url, kind, into)
                return _as_json(reply) if expect == "json" and into is None else reply
            except _Broken as broken:
                _log.warning("%s: %s (try %d)", self.publisher, broken.found, tried)
                if tried > (1 if broken.unheard else self.manners.retries):
                    raise self._refused(f"{broken.found}, {tried} times", "a whole reply") from None
                usual = min(self.manners.backoff * 2 ** (tried - 1), most)
                wait = usual if broken.wait is None else broken.wait
            if wait > most:
                found = f"{self.publisher} asks for a pause of {wait:.0f} seconds"
                raise self._used_up(found, f"at most {most:.0f}", wait)
            time.sleep(wait)

    def _whole(self, url: str, kind: str, into: Path | None) -> Reply:
        """Return a reply with status 200, redirects followed as far as allowed."""
        for _ in range(4):
            reply = self._ask(url, kind, into)
            if reply.status not in REDIRECTS:
                break
            url = self.allowed(url, reply.headers.get("location", ""))
        else:
            raise self._refused("redirects without end", "a reply")
        if reply.status != 200:
            raise self._failure(reply)
        if self.key and self.key.encode() in reply.data:
            raise self._refused("the reply repeats the key", "data; nothing was stored")
        return reply

    def _ask(self, url: str, kind: str, into: Path | None) -> Reply:
        """Return one reply; of one streamed to a file the first bytes."""
        pace = self.manners.interval * self.slowness
        time.sleep(max(0.0, self._last + pace - time.monotonic()))
        self.counts[kind] += 1
        headers = {"Accept-Encoding": "identity" if into else "gzip", "User-Agent": "tradeflows"}
        if self.key and urlsplit(url).netloc == urlsplit(self.root).netloc:
            headers[KEY_HEADER] = self.key
        patience = (min(10.0, self.manners.timeout), self.manners.timeout)
        try:
            with (
                self._http.get(
                    url, headers=headers, timeout=patience, stream=True, allow_redirects=False
                ) as response,
                into.open("w+b") if into else io.BytesIO() as target,
            ):
                self.status = response.status_code
                self._receive(response, target, (60 if into else 10) * self.manners.timeout)
                target.seek(0)
                data = target.read(4000 if into else -1)
        except (requests.Timeout, ReadTimeoutError):
            raise _Broken(f"silence for {self.manners.timeout:g} seconds") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            unheard = any(word in repr(error) for word in ("NewConnection", "NameResolution"))
            found = f"the connection failed ({type(error).__name__})"
            raise _Broken(found, unheard=unheard) from None
        finally:
            self._last = time.monotonic()
        told = {k.lower(): v for k, v in response.headers.items()}
        if told.get("content-encoding", "").lower() == "gzip" and not into:
            try:
                data = unpacked(data, self.publisher, self.manners.limit)
            except SchemaMismatch as error:
                raise _Broken(f"the reply is no whole gzip ({error.found})") from None
        return Reply(url, self.status, told, data, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")

    def _receive(self, response: requests.Response, target: IO[bytes], seconds: float) -> None:
        """Write a body as it arrives, unless it is too large or too slow."""
        size, most = 0, self.manners.limit
        deadline = time.monotonic() + seconds
        claim = response.headers.get("Content-Length", "")
        if claim.isdecimal() and int(claim) > most:
            raise self._too_big(f"the reply claims {int(claim) / 1e6:,.0f} MB")
        while chunk := response.raw.read(1 << 16, decode_content=False):
            size += len(chunk)
            target.write(chunk)
            if size > most:
                raise self._too_big("the reply does not end")
            if time.monotonic() > deadline:
                raise _Broken("the reply trickles in too slowly")

    def allowed(self, url: str, location: str) -> str:
        """Return where a page leads: to the root or, without a key, to one of the hosts."""
        try:
            target = urljoin(url, location)
            host = urlsplit(target).netloc
        except ValueError:
            raise self._refused("a link to no address", "one at the publisher") from None
        own = host == urlsplit(self.root).netloc
        allowed = not self.key and any(host == h or host.endswith("." + h) for h in self.hosts)
        if not (own or allowed) or urlsplit(target).scheme not in ("http", "https"):
            raise self._refused(f"a link or redirect to {host!r}", "one at the publisher")
        return target

    def _failure(self, reply: Reply) -> TradeflowsError | _Broken:
        said = self._said(reply)
        if reply.status == 429:
            self.slowness = min(self.slowness * 2, 16.0)
        if reply.status in (408, 429, 500, 502, 503, 504):
            return _Broken(f"status {reply.status}: {said}", _asked_to_wait(reply, said))
        if reply.status == 403 and "quota" in said.lower():
            clock = re.search(r"(\d+):(\d\d):(\d\d)", said)
            hours, minutes, seconds = map(int, clock.groups()) if clock else (0, 0, 0)
            wait = 3600.0 * hours + 60 * minutes + seconds if clock else None
            return self._used_up(f"{self.publisher}: {said}", "calls left for today", wait)
        if reply.status in (413, 414):
            return AddressTooLong(f"{self.publisher}: status {reply.status}", "", "ask for less")
        if reply.status == 400:
            return UnknownCode(f"{self.publisher}: {said}", "known values", "correct the question")
        todo = {
            401: "check COMTRADE_API_KEY, or unset it to ask without a key",
            404: "check the address variables TRADEFLOWS_…_URL, and the codes asked for",
        }.get(reply.status, _LATER)
        return SourceUnavailable(f"{self.publisher}: status {reply.status}: {said}", "data", todo)

    def _used_up(self, found: str, expected: str, wait: float | None) -> QuotaExhausted:
        """Note until when the quota is used up: as told, else until midnight."""
        now = datetime.now(UTC)
        ends = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if wait is not None:
            ends = now + timedelta(seconds=wait)
        if self.source:
            closed = {**self._closed(), self._who: ends.isoformat(timespec="seconds")}
            replace_file(folder() / self._note, json.dumps(closed, sort_keys=True))
        return QuotaExhausted(found, expected, _LATER)

    def _said(self, reply: Reply) -> str:
        """Return the few words of an error body, without tags and without key."""
        text = reply.data[:4000].decode("utf-8", "replace")
        told = re.findall(r'"(?:message|error|errorMessage)"\s*:\s*"([^"]*)"', text, re.IGNORECASE)
        said = " ".join("; ".join(told or [re.sub(r"<[^>]*>", " ", text)]).split())[:300]
        return said.replace(self.key, "[key]") if self.key else said

    def _refused(self, found: str, expected: str) -> SourceUnavailable:
        return SourceUnavailable(f"{self.publisher}: {found}", expected, _LATER)

    def _too_big(self, found: str) -> SchemaMismatch:
        return SchemaMismatch(
            f"{self.publisher}: {found}",
            f"at most {self.manners.limit / 1e6:,.0f} MB; nothing was stored",
            "check the address, ask for less",
        )


def _asked_to_wait(reply: Reply, said: str) -> float | None:
    """Return the seconds that a reply asks to wait, in its header or in words."""
    with suppress(InvalidHeader, ValueError, TypeError, OverflowError):
        if sent := reply.headers.get("retry-after", "").strip():
            return float(Retry(retry_after_max=10**9).parse_retry_after(sent))
    found = re.search(r"try again in (\d{1,9}) second", said, re.IGNORECASE)
    return float(found.group(1)) if found else None


def _as_json(reply: Reply) -> Reply:
    if reply.data.lstrip()[:1] not in (b"{", b"["):
        raise _Broken("status 200 with a page instead of data")
    try:
        return replace(reply, parsed=json.loads(reply.data))
    except (ValueError, RecursionError):
        raise _Broken("the reply is cut or no JSON") from None


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
        """Return a session whose calls are counted for this source."""
        options |= {"source": source}
        session = Session(publisher, root, self.manners or Manners(), **options)
        self.calls[source] = session.counts
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
