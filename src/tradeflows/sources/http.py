"""Asking publishers: paced, patient, bounded, and silent about the key.

A reply is handed over whole or not at all. The key travels in one header; it stands in no address,
message, file or representation.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util import Retry

from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    UnknownCode,
)
from tradeflows.sources.workbook import unpacked

__all__ = ["AddressTooLong", "Manners", "Reply", "Session", "key_from", "root_from"]

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

    The key goes to ``root`` only; redirects lead there or, without a key, to ``hosts``. ``spent``
    is told that the publisher says its quota is used up.
    """

    publisher: str
    root: str
    manners: Manners = field(default_factory=Manners)
    key: str = field(default="", repr=False)
    hosts: tuple[str, ...] = ()
    spent: Callable[[QuotaExhausted], None] = lambda _error: None
    counts: Counter[str] = field(default_factory=Counter)
    status: int = 0  # of the last reply
    slowness: float = 1.0  # grows where the publisher says that calls come too fast
    _last: float = field(default=0.0, repr=False)
    _http: requests.Session = field(default_factory=requests.Session, repr=False)

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
        error = QuotaExhausted(found, expected, _LATER)
        error.wait = wait
        self.spent(error)
        return error

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
