"""The server: 127.0.0.1 only, bounded, with faults on demand and a list of what was asked."""

from __future__ import annotations

import gzip
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from . import comtrade, trade

KEY = "Ocp-Apim-Subscription-Key"
LONGEST = 1923
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Fault:
    """Something that goes wrong with the next ``times`` replies of a kind."""

    name: str
    times: int = 1
    kind: str = "data"


@dataclass
class Site:
    """Everything the server can say, and what it was asked."""

    world: trade.World = field(default_factory=trade.World)
    comtrade: comtrade.Comtrade = None  # type: ignore[assignment]
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    others: dict[str, Callable[[str, dict[str, str]], Answer | None]] = field(default_factory=dict)
    silence: float = 3.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.comtrade = self.comtrade or comtrade.Comtrade(self.world)

    def counts(self) -> Counter[str]:
        """Return how many calls of each kind came."""
        return Counter(kind for kind, _ in self.asked)

    def fault(self, kind: str) -> str:
        """Return the fault due for a call, or nothing."""
        with self.lock:
            for fault in self.faults:
                if fault.kind == kind and fault.times > 0:
                    fault.times -= 1
                    return fault.name
        return ""

    def answer(self, path: str, query: str, key: str | None) -> tuple[str, Answer]:
        """Return the kind of a call and the reply to it."""
        asked = {k.lower(): v for k, v in parse_qsl(query)}
        parts = path.strip("/").split("/")
        if parts[:2] == ["standin", "revise"]:
            where = (int(asked["reporter"]), asked["period"])
            self.comtrade.revised[where] = self.comtrade.revised.get(where, 0) + 1
            return "standin", _json(200, {"revised": self.comtrade.revised[where]})
        if parts[:2] == ["standin", "truth"]:
            return "standin", _json(200, self.world.truth())
        for prefix, other in self.others.items():
            if path.startswith(prefix):
                found = other(path, asked)
                return prefix.strip("/").split("/")[0], found or _missing()
        return self._comtrade(parts, asked, key)

    def _comtrade(
        self, parts: list[str], asked: dict[str, str], key: str | None
    ) -> tuple[str, Answer]:
        verb = parts[2].lower() if len(parts) > 2 else ""
        if parts[:2] == ["data", "v1"] and key in (None, "", "wrong"):
            word = "missing" if not key else "invalid"
            text = f"Access denied due to {word} subscription key."
            return "refused", _json(401, {"statusCode": 401, "message": text})
        if verb in ("get", "preview", "getda", "getmetadata"):
            if not re.fullmatch(r"HS|H[0-6]", parts[-1]):
                return "unknown", _missing()
            asked = asked | {"freq": parts[-2], "system": parts[-1]}
        if verb in ("get", "preview"):
            kind = "count" if asked.get("countonly", "").lower() == "true" else "data"
            status, body = self.comtrade.answer(asked, keyed=verb == "get")
            return kind, _json(status, body)
        if verb == "getda":
            return "availability", _json(200, self.comtrade.availability(asked))
        if verb == "getmetadata":
            return "metadata", _json(200, self.comtrade.metadata(asked))
        if parts[:4] == ["files", "v1", "app", "reference"]:
            found = comtrade.reference(parts[-1], self.world)
            return "reference", _json(200, found) if found else _missing()
        return "unknown", _missing()


def _json(status: int, body: object) -> Answer:
    data = body if isinstance(body, bytes) else comtrade.dumped(body)
    return status, {"Content-Type": "application/json"}, data


def _missing() -> Answer:
    return _json(404, {"statusCode": 404, "message": "Resource not found"})


def _html(status: int, text: str) -> Answer:
    return status, {"Content-Type": "text/html"}, f"<html><body>{text}</body></html>".encode()


def spoiled(name: str, answer: Answer) -> Answer:
    """Return what a fault makes of a reply."""
    status, headers, body = answer
    said = {
        "401": (401, "Access denied due to invalid subscription key."),
        "403": (403, "Out of call volume quota. Quota will be replenished in 03:14:17."),
        "403-bare": (403, "Out of call volume quota."),
        "policy": (403, "All calls are rejected by policy."),
        "404": (404, "Resource not found"),
        "429": (429, "Rate limit is exceeded. Try again in 1 seconds."),
        "429-bare": (429, "Rate limit is exceeded."),
        "429-long": (429, "Rate limit is exceeded."),
        "500": (500, "Internal server error"),
        "503": (503, "Service unavailable"),
    }
    if name in said:
        code, text = said[name]
        reply = _json(code, {"statusCode": code, "message": text})
        retry = {"429": "1", "429-long": "40000", "503": "0"}.get(name)
        return (code, reply[1] | ({"Retry-After": retry} if retry else {}), reply[2])
    if name in ("414", "html", "500-html"):
        return _html({"414": 414, "html": 200, "500-html": 500}[name], "Request URL Too Long")
    swaps: dict[str, Callable[[bytes], bytes]] = {
        "no-data": lambda _: b'{"elapsedTime":"0 secs","count":3,"error":""}',
        "types": lambda b: b.replace(b'"primaryValue":', b'"primaryValue":"x","was":'),
        "numbers": lambda b: b.replace(b'"cmdCode":"TOTAL"', b'"cmdCode":10391'),
        "extra": lambda b: b.replace(b'"typeCode":', b'"newColumn":[1],"typeCode":'),
        "column": lambda b: b.replace(b'"netWgt":', b'"weightNow":'),
        "negative": lambda b: b.replace(b'"primaryValue":', b'"primaryValue":-', 1),
        "nonsense": lambda b: b.replace(b'"reporterCode":792', b'"reporterCode":36', 1),
        "cut-json": lambda b: b[: len(b) // 2],
        "dropped": _dropped,
        "doubled": _doubled,
    }
    return status, headers, swaps[name](body) if name in swaps else body


def _dropped(body: bytes) -> bytes:
    """Leave the first record out, though the count stays honest about what came."""
    start, end = body.find(b'[{"typeCode"') + 1, body.find(b'},{"typeCode"') + 2
    if end == 1:  # there is but one
        return b'{"count":1,"data":[],"error":""}'
    return body[:start] + body[end:]


def _doubled(body: bytes) -> bytes:
    """Give the first record twice, in place of the second."""
    start = body.index(b'[{"typeCode"') + 1
    first = body[start : body.index(b'},{"typeCode"') + 1]
    rest = body[start + len(first) + 1 :]
    second = rest[: rest.index(b'},{"typeCode"') + 1]
    return body.replace(second, first, 1)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    site: Site
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if len(self.path) > LONGEST:
            self._send(_html(414, "Request URL Too Long"), "")
            return
        kind, answer = self.site.answer(parts.path, parts.query, self.headers.get(KEY))
        with self.site.lock:
            self.site.asked.append((kind, self.path))
        self._send(answer, self.site.fault(kind))

    def _send(self, answer: Answer, fault: str) -> None:
        if fault == "silence":
            time.sleep(self.site.silence)
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        status, headers, body = spoiled(fault, answer)
        if "gzip" in self.headers.get("Accept-Encoding", "") and len(body) > 200:
            body, headers = gzip.compress(body, 1), headers | {"Content-Encoding": "gzip"}
        claimed = len(body)
        if fault == "cut-gzip":
            body = body[: len(body) // 2]
            claimed = len(body)
        if fault == "cut":
            body = body[: len(body) // 2]
        if fault == "claim":
            claimed = 10 * 1024**3
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(claimed))
        self.send_header("X-Tradeflows-Generated", "true")
        self.end_headers()
        self.wfile.write(body)
        if fault in ("cut", "claim"):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: tests read `Site.asked`."""


class Server(ThreadingHTTPServer):
    """A server for one site; usable as a context, with the address in `url`."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, site: Site, port: int = 0) -> None:
        handler = type("Bound", (Handler,), {"site": site})
        super().__init__(("127.0.0.1", port), handler)
        self.site = site
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that leaves is part of the tests."""

    def __enter__(self) -> Server:
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.shutdown()
        self.server_close()
