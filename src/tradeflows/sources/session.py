"""A polite HTTP session: paced, patient, bounded, and silent about the key.

A reply is handed over whole or not at all. The key travels in one header; it stands in no address,
message, file or representation.
"""

from __future__ import annotations

import io
import json
import logging
import re
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    UnknownCode,
)
from tradeflows.sources.address import Key

__all__ = ["AddressTooLong", "Manners", "Reply", "Session"]

_log = logging.getLogger(__name__)
GENERATED = "X-Tradeflows-Generated"
REDIRECTS = (301, 302, 303, 307, 308)
_LATER = "what was stored stays; run `tradeflows refresh` again to go on"


class AddressTooLong(SourceUnavailable):
    """The query does not fit an address: ask for less at a time."""


class _Broken(Exception):
    """A reply worth asking for again."""

    def __init__(self, found: str, wait: float | None = None, *, hopeless: bool = False) -> None:
        super().__init__(found)
        self.found, self.wait, self.hopeless = found, wait, hopeless


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

    Parameters
    ----------
    publisher : str
        Name, for messages.
    root : str
        Scheme and host; paths below are the publisher's.
    manners : Manners
        Pace and patience.
    key : Key
        Sent in a header to this root only.
    hosts : tuple of str
        Further hosts that redirects may lead to (never with a key).
    note : callable
        Told the kind of every call before it is made; it may refuse.
    spent : callable
        Told that the publisher says its quota is used up.
    """

    publisher: str
    root: str
    manners: Manners = field(default_factory=Manners)
    key: Key = field(default_factory=lambda: Key(""))
    hosts: tuple[str, ...] = ()
    note: Callable[[str], None] = lambda _kind: None
    spent: Callable[[QuotaExhausted], None] = lambda _error: None
    counts: Counter[str] = field(default_factory=Counter)
    slowness: float = 1.0  # grows where the publisher says that calls come too fast
    _last: float = field(default=0.0, repr=False)
    _http: requests.Session = field(default_factory=requests.Session, repr=False)

    def get(self, path: str, query: str = "", *, kind: str = "data", expect: str = "json") -> Reply:
        """Return a whole reply to one question; ask again where that may help.

        Parameters
        ----------
        path : str
            Below the root, or a full address at one of the allowed hosts.
        query : str
            Already encoded.
        kind : str
            What is counted: ``data``, ``count``, ``availability``, …
        expect : {"json", "any"}
            JSON is parsed and must be whole.

        Raises
        ------
        SourceUnavailable
            No good reply after all tries, or the publisher refuses.
        QuotaExhausted
            The publisher says so.
        AddressTooLong
            The query must be split.
        """
        url = urljoin(self.root + "/", path.lstrip("/")) + (f"?{query}" if query else "")
        failure = _Broken("no try was made")
        for attempt in range(self.manners.retries + 1):
            if attempt:
                self._pause(failure, attempt)
            try:
                return self._once(url, kind, expect)
            except _Broken as broken:
                failure = broken
                _log.warning("%s: %s (try %d)", self.publisher, broken.found, attempt + 1)
                if broken.hopeless and attempt:
                    break
        raise SourceUnavailable(
            f"{self.publisher}: {failure.found}, {attempt + 1} times",
            "a whole reply",
            f"try later: {_LATER}",
        )

    def save(self, path: str, target: Path, *, kind: str = "data") -> Reply:
        """Stream a large file to disk, whole or not at all; the reply's data are empty.

        Raises
        ------
        SourceUnavailable, SchemaMismatch
            As `get`.
        """
        url = urljoin(self.root + "/", path.lstrip("/"))
        failure = _Broken("no try was made")
        for attempt in range(self.manners.retries + 1):
            if attempt:
                self._pause(failure, attempt)
            try:
                with target.open("wb") as handle:
                    reply = self._ask(url, kind, handle)
                if reply.status in REDIRECTS:
                    url = self._redirected(url, reply.headers.get("location", ""))
                    raise _Broken("redirected", 0.0)
                if reply.status != 200:
                    raise self._failure(replace(reply, data=target.read_bytes()[:4000]))
                return reply
            except _Broken as broken:
                failure = broken
                _log.warning("%s: %s (try %d)", self.publisher, broken.found, attempt + 1)
                if broken.hopeless and attempt:
                    break
        raise SourceUnavailable(
            f"{self.publisher}: {failure.found}, {attempt + 1} times",
            "a whole file",
            f"try later: {_LATER}",
        )

    def _pause(self, failure: _Broken, attempt: int) -> None:
        wait = self.manners.backoff * 2 ** (attempt - 1) if failure.wait is None else failure.wait
        if wait > self.manners.longest_wait and failure.wait is not None:
            raise self._used_up(
                f"{self.publisher} asks for a pause of {wait:.0f} seconds",
                f"at most {self.manners.longest_wait:.0f}",
                wait,
            )
        time.sleep(min(wait, self.manners.longest_wait))

    def _once(self, url: str, kind: str, expect: str) -> Reply:
        for _ in range(4):
            reply = self._ask(url, kind)
            if reply.status not in REDIRECTS:
                break
            url = self._redirected(url, reply.headers.get("location", ""))
        else:
            raise self._refused("redirects without end", "a reply")
        if reply.status != 200:
            raise self._failure(reply)
        if self.key.within(reply.data):
            raise self._refused("the reply repeats the key", "data; nothing was stored")
        return self._as_json(reply) if expect == "json" else reply

    def _ask(self, url: str, kind: str, target: BinaryIO | None = None) -> Reply:
        pace = self.manners.interval * self.slowness
        time.sleep(max(0.0, self._last + pace - time.monotonic()))
        self.note(kind)
        self.counts[kind] += 1
        headers = {"Accept-Encoding": "identity" if target else "gzip", "User-Agent": "tradeflows"}
        if urlsplit(url).netloc == urlsplit(self.root).netloc:
            headers |= self.key.header()
        patience = (min(10.0, self.manners.timeout), self.manners.timeout)
        try:
            with self._http.get(
                url, headers=headers, timeout=patience, stream=True, allow_redirects=False
            ) as response:
                data = self._body(response, target)
                found = {k.lower(): v for k, v in response.headers.items()}
                return Reply(url, response.status_code, found, data, _now())
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise _Broken(f"silence for {self.manners.timeout:g} seconds") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            unheard = isinstance(error, requests.ConnectionError) and "NewConnection" in repr(error)
            unheard = unheard or "NameResolution" in repr(error)
            name = type(error).__name__
            raise _Broken(f"the connection failed ({name})", hopeless=unheard) from None
        finally:
            self._last = time.monotonic()

    def _body(self, response: requests.Response, target: BinaryIO | None) -> bytes:
        claim = response.headers.get("Content-Length", "")
        if claim.isdecimal() and int(claim) > self.manners.limit:
            raise self._too_big(f"the reply claims {int(claim) / 1e6:,.0f} MB")
        deadline = time.monotonic() + (60 if target else 10) * self.manners.timeout
        into, size = target or io.BytesIO(), 0
        while chunk := response.raw.read(1 << 16, decode_content=False):
            size += len(chunk)
            into.write(chunk)
            if size > self.manners.limit:
                raise self._too_big("the reply does not end")
            if time.monotonic() > deadline:
                raise _Broken("the reply trickles in too slowly")
        if claim.isdecimal() and size != int(claim):
            raise _Broken(f"{size} of {claim} bytes came")
        body = into.getvalue() if isinstance(into, io.BytesIO) else b""
        zipped = response.headers.get("Content-Encoding", "").lower() == "gzip" and not target
        return self._gunzip(body) if zipped else body

    def _gunzip(self, data: bytes) -> bytes:
        stream = zlib.decompressobj(31)
        try:
            plain = stream.decompress(data, self.manners.limit + 1)
        except zlib.error:
            raise _Broken("the reply is not whole gzip") from None
        if len(plain) > self.manners.limit:
            raise self._too_big("the reply unpacks without end")
        if not stream.eof:
            raise _Broken("the reply is cut gzip")
        return plain

    def _as_json(self, reply: Reply) -> Reply:
        start = reply.data.lstrip()[:1]
        if start not in (b"{", b"["):
            raise _Broken("status 200 with a page instead of data")
        try:
            parsed = json.loads(reply.data)
        except (ValueError, RecursionError):
            raise _Broken("the reply is cut or no JSON") from None
        return Reply(reply.url, reply.status, reply.headers, reply.data, reply.at, parsed)

    def _redirected(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            host = urlsplit(target).netloc
        except ValueError:
            raise self._refused("a redirect to no address", "a reply from the publisher") from None
        own = host == urlsplit(self.root).netloc
        allowed = not self.key and any(host == h or host.endswith("." + h) for h in self.hosts)
        if not (own or allowed) or urlsplit(target).scheme not in ("http", "https"):
            raise self._refused(f"a redirect to {host!r}", "a reply from the publisher")
        return target

    def _failure(self, reply: Reply) -> TradeflowsError | _Broken:
        said = self._said(reply)
        if reply.status == 429:
            self.slowness = min(self.slowness * 2, 16.0)
            return _Broken(f"status 429: {said}", _retry_after(reply, said))
        if reply.status in (408, 500, 502, 503, 504):
            return _Broken(f"status {reply.status}: {said}", _retry_after(reply, ""))
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
            403: f"try later: {_LATER}",
            404: "check the address variables TRADEFLOWS_…_URL, and the codes asked for",
        }.get(reply.status, f"try later: {_LATER}")
        return SourceUnavailable(f"{self.publisher}: status {reply.status}: {said}", "data", todo)

    def _used_up(self, found: str, expected: str, wait: float | None) -> QuotaExhausted:
        error = QuotaExhausted(found, expected, f"wait: {_LATER}")
        error.wait = wait
        self.spent(error)
        return error

    def _said(self, reply: Reply) -> str:
        """Return the few words of an error body, without tags and without key."""
        text = reply.data[:4000].decode("utf-8", "replace")
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            body = {"message": re.sub(r"<[^>]*>", " ", text)}
        if isinstance(body, dict):
            details = body.get("errorObject") or []
            parts = [body.get("message") or body.get("error") or ""]
            parts += [
                value
                for one in (details if isinstance(details, list) else [details])
                if isinstance(one, dict)
                for name, value in one.items()
                if name.lower() == "errormessage"
            ]
            text = "; ".join(str(p) for p in parts if p)
        return self.key.hide(" ".join(text.split())[:300])

    def _refused(self, found: str, expected: str) -> SourceUnavailable:
        return SourceUnavailable(f"{self.publisher}: {found}", expected, f"try later: {_LATER}")

    def _too_big(self, found: str) -> SchemaMismatch:
        return SchemaMismatch(
            f"{self.publisher}: {found}",
            f"at most {self.manners.limit / 1e6:,.0f} MB; nothing was stored",
            "check the address, ask for less",
        )


def _retry_after(reply: Reply, said: str) -> float | None:
    sent = reply.headers.get("retry-after", "").strip()
    if sent.isdecimal():
        return float(sent)
    if sent:
        try:
            when = parsedate_to_datetime(sent)
            return max(0.0, (when - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    found = re.search(r"try again in (\d+) second", said, re.IGNORECASE)
    return float(found.group(1)) if found else None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
