"""The engine behind TÜİK's database: ways to it, questions as messages, replies read strictly.

We visit as a guest: cookies of the page, a token, one connection under our own name, or that of a
real browser. Where the office refuses a program or an address this says so and stops. No address,
cookie or token gets into a message. A reply is rows whose number the engine itself counted, or an
error. Codes are text without leading zeros there and unknown values are ignored in silence: filters
stand in the measure, and who asks proves them by sums (`tradeflows.sources.tuik.pull`).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, TypeVar
from urllib.parse import quote, urljoin

import requests
from tornado import httpclient, websocket

from tradeflows.errors import SchemaMismatch, SourceUnavailable, TruncatedReply, UnknownCode
from tradeflows.sources.work import root_from

LEVELS = {2: "FASIL", 4: "TARIFE4", 6: "TARIFE6", 8: "TARIFE8", 12: "ISTPOZ"}
BREAKDOWNS = {"currency": "DOVIZ_KODU", "customs": "GUMRUK", "transport": "TASIMA_SEKLI"}
MEASURES = ("DOLAR", "MIKTAR_1", "MIKTAR_2")
NUMERIC = ("YIL", "AY")
PAGE = 8_000  # cells; beyond about 10,000 pages come back empty
ABORTED = 15  # "Request aborted": the engine was not ready
FIRST = 1_000_000  # a page's own messages count 1, 2, 3 …
Row = tuple[str | float | None, ...]  # the null bucket is None
T = TypeVar("T")
ROOT = "https://bi.tuik.gov.tr"
START = "/extensions/tuik-mashup/index.html"
LIMIT = 64 * 1024 * 1024  # bytes of one message
_HAND = "bring the data by hand: `tradeflows refresh --source tuik --by-hand` says how"
_BROWSER = (
    "from a home or office connection try `--browser`, your own Chromium doing what the page"
    f" does; or {_HAND}"
)
_NAMED = r"(VITE_APP_\w+)[\"']?\s*[:=]\s*[\"']([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
# Kept in the page: its own socket, what came over it for us, and when it closed.
_HOOK = """
(() => { const Own = window.WebSocket; const kept = window.tradeflows = {came: [], shut: false};
window.WebSocket = class extends Own { constructor(...how) { super(...how); kept.socket = this;
kept.shut = false; this.addEventListener('close', () => { kept.shut = true; });
this.addEventListener('message', e => { try { if (JSON.parse(e.data).id > 1000000)
kept.came.push(e.data); } catch {} }); } }; })()
"""
_NEXT = """
seconds => new Promise((done, fail) => { const until = Date.now() + 1000 * seconds;
const look = () => { const kept = window.tradeflows; if (kept.came.length)
return done(kept.came.shift()); if (kept.shut) return done('shut'); if (Date.now() > until)
return done(''); setTimeout(look, 5); }; look(); })
"""


class NoSuchApp(SourceUnavailable):
    """The office does not know the application: its number has changed."""


def root() -> str:
    """Return the address that is asked: TÜİK's, or that of ``TRADEFLOWS_TUIK_URL``."""
    return root_from("TRADEFLOWS_TUIK_URL", ROOT)


def _page(system: str) -> str:
    return f"{root()}{START}?report_type={2 if system == 'special' else 1}&lang=tr"


def refused(status: int, size: int = 0, *, page: str = "page") -> SourceUnavailable:
    """Return the error for a refusal, by its kind."""
    later = f"try later, from another connection, or {_HAND}"
    kinds = {
        (404, 1214): ("it turns programs away, with 1,214 bytes", _BROWSER),
        (401,): ("it refuses this program or this address", _BROWSER),
        (403,): ("it refuses this program or this address", _BROWSER),
        (404,): ("it has moved", f"look for a newer tradeflows, or {_HAND}"),
        (503,): ("it is down, or refuses addresses of data centres", later),
    }
    why, todo = kinds.get((status, size)) or kinds.get(
        (status,), ("without what was asked for", later)
    )
    found = f"TÜİK answers its {page} with status {status}: {why}"
    return SourceUnavailable(found, "an open door: nobody goes round a refusal", todo)


class Plain:
    """A socket of our own: cookies, a token, one connection, under our own name."""

    def __init__(self, system: str, seconds: float = 60.0) -> None:
        self._seconds, self.app, self.generated = seconds, "", False
        self._web = requests.Session()
        self._web.headers["User-Agent"] = _name()
        self._page = _page(system)
        self._text = self.get(self._page).text

    def connect(self, app: str) -> Plain:
        """Open the socket of an application, with a token of its own."""
        key = secrets.token_hex(8)
        told = self.get(f"{root()}/qps/csrftoken?xrfkey={key}", {"x-qlik-xrfkey": key})
        token = told.headers.get("qlik-csrf-token", "")
        if not token:
            raise refused(200, page="token")
        asked = f"reloadUri={quote(self._page, safe='')}&qlik-csrf-token={quote(token)}"
        url = f"{re.sub('^http', 'ws', root())}/app/{app}?{asked}"
        self.app, self._runner = app, asyncio.Runner()
        try:
            self._socket = self._runner.run(self._opened(url))
        except httpclient.HTTPClientError as error:
            self._runner.close()
            if error.code == 404:
                raise NoSuchApp("TÜİK knows no such application", "its number", _HAND) from None
            raise refused(error.code, page="socket") from None
        except (OSError, TimeoutError, websocket.WebSocketError):
            self._runner.close()
            raise ConnectionError from None
        return self

    def apps(self, system: str) -> list[str]:
        """Return the numbers of applications in the page's bundle, likeliest first."""
        found: dict[str, str] = {}
        for script in re.findall(r"src=[\"']([^\"']*index-[^\"']*\.js)", self._text):
            named = re.findall(_NAMED, self.get(urljoin(self._page, script)).text)
            found |= {app: name.upper() for name, app in named}
        words = ("SPECIAL", "OZEL") if system == "special" else ("GENERAL", "GENEL")
        return sorted(found, key=lambda app: not any(w in found[app] for w in words))

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Return a page; redirects keep to the cookies."""
        try:
            reply = self._web.get(url, headers=headers, timeout=self._seconds)
        except requests.RequestException:
            raise SourceUnavailable(
                "TÜİK cannot be reached", "an answer", f"look at the connection, or {_HAND}"
            ) from None
        if reply.status_code != 200:
            raise refused(reply.status_code, len(reply.content))
        self.generated |= reply.headers.get("X-Tradeflows-Generated") == "true"
        return reply

    async def _opened(self, url: str) -> websocket.WebSocketClientConnection:
        """Open the socket; no pings, which the engine does not answer while it computes."""
        cookies = "; ".join(f"{c.name}={c.value}" for c in self._web.cookies)
        headers = {"Cookie": cookies, "User-Agent": _name(), "Origin": root()}
        asked = httpclient.HTTPRequest(url, headers=headers, connect_timeout=self._seconds)
        connecting = websocket.websocket_connect(asked, max_message_size=LIMIT)
        return await asyncio.wait_for(connecting, self._seconds)

    def send(self, text: str) -> None:
        """Send one message."""
        self._runner.run(self._sent(text))

    async def _sent(self, text: str) -> None:
        try:
            await self._socket.write_message(text)
        except websocket.WebSocketClosedError:
            raise ConnectionError from None

    def receive(self, seconds: float) -> str:
        """Return the next message."""
        found = self._runner.run(self._received(seconds))
        if found is None:
            raise ConnectionError
        return str(found)

    async def _received(self, seconds: float) -> str | bytes | None:
        return await asyncio.wait_for(self._socket.read_message(), seconds)

    def close(self) -> None:
        """Leave."""
        with suppress(TimeoutError):
            self._runner.run(asyncio.wait_for(self._left(), 1.0))
        self._runner.close()

    async def _left(self) -> None:
        self._socket.close()
        while await self._socket.read_message() is not None:
            pass


class Browser:
    """The page's own socket in a real browser: the user's choice, on the user's machine.

    ``TRADEFLOWS_BROWSER`` names a browser to use in place of Playwright's own.
    """

    def __init__(self, system: str, seconds: float = 60.0) -> None:
        try:
            from playwright import sync_api
        except ImportError:
            raise SourceUnavailable(
                "Playwright is not installed", "the extra `browser`",
                f"pip install 'tradeflows[browser]'; `playwright install chromium`; or {_HAND}",
            ) from None  # fmt: skip
        self._api, self._started = sync_api, sync_api.sync_playwright().start()
        chosen = os.environ.get("TRADEFLOWS_BROWSER")
        try:
            self._browser = self._started.chromium.launch(
                executable_path=chosen,
                headless=not os.environ.get("DISPLAY"),
                args=["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else [],
            )
            self._tab = self._browser.new_page()
            self._tab.add_init_script(_HOOK)
            answer = self._tab.goto(_page(system), timeout=1000 * seconds)
            if answer is None or answer.status != 200:
                status, size = (answer.status, len(answer.body())) if answer else (0, 0)
                raise refused(status, size)
            self.generated = answer.header_value("X-Tradeflows-Generated") == "true"
            ready = "() => window.tradeflows.socket && window.tradeflows.socket.readyState === 1"
            self._tab.wait_for_function(ready, timeout=1000 * seconds)
            address = str(self._tab.evaluate("() => window.tradeflows.socket.url"))
            self.app = address.partition("/app/")[2].partition("?")[0]
        except sync_api.Error as error:
            self.close()
            raise SourceUnavailable(
                f"the browser opened no socket of TÜİK's page ({type(error).__name__})",
                "the page at work in a browser", f"open the page yourself, or {_HAND}",
            ) from None  # fmt: skip
        except SourceUnavailable:
            self.close()
            raise

    def send(self, text: str) -> None:
        """Send one message."""
        try:
            self._tab.evaluate("text => window.tradeflows.socket.send(text)", text)
        except self._api.Error:
            raise ConnectionError from None

    def receive(self, seconds: float) -> str:
        """Return the next message."""
        try:
            found = str(self._tab.evaluate(_NEXT, seconds))
        except self._api.Error:
            raise ConnectionError from None
        if found == "shut":
            raise ConnectionError
        if not found:
            raise TimeoutError
        return found

    def close(self) -> None:
        """Leave."""
        if hasattr(self, "_browser"):
            self._browser.close()
        self._started.stop()


def _in_a_loop() -> bool:
    with suppress(RuntimeError):
        return asyncio.get_running_loop().is_running()
    return False


def _name() -> str:
    return f"Mozilla/5.0 (compatible; tradeflows/{metadata.version('tradeflows')})"


def sum_of(
    measure: str, filters: Mapping[str, Sequence[str | int]], codes: Sequence[str] = ()
) -> str:
    """Return a sum with its filters inside, so that no selection has to be trusted.

    Numeric fields are matched by number, all others by text; codes lose their leading zeros, as
    the database writes them, and several lengths of code are joined.

    Examples
    --------
    >>> sum_of("DOLAR", {"YIL": [2022], "ULKE_KODU": ["75"]}, ["0704", "85"])
    "Sum({<YIL={2022},ULKE_KODU={'75'},FASIL={'85'}>+<YIL={2022},ULKE_KODU={'75'},TARIFE4={'704'}>} DOLAR)"
    """  # noqa: E501
    several: dict[str, list[str | int]] = {}
    for code in sorted(codes, key=lambda c: (len(c), c)):
        if len(code) not in LEVELS or not code.isdecimal():
            raise UnknownCode(f"code {code!r}", "2, 4, 6, 8 or 12 digits", "correct it")
        several.setdefault(LEVELS[len(code)], []).append(code.lstrip("0"))
    sets = [{**filters, name: values} for name, values in several.items()] or [dict(filters)]
    texts = ["<" + ",".join(f"{k}={{{_literals(k, v)}}}" for k, v in s.items()) + ">" for s in sets]
    return f"Sum({{{'+'.join(texts)}}} {measure})"


def _literals(name: str, values: Sequence[str | int]) -> str:
    if name in NUMERIC:
        return ",".join(str(int(v)) for v in values)
    return ",".join("'" + str(v).replace("'", "''") + "'" for v in values)


@dataclass
class Engine:
    """A visit for one trade system: questions one by one over a socket, again where it drops.

    ``interval`` are seconds between questions, ``patience`` those to wait for a reply, ``pause``
    those before a question is asked again.
    """

    interval: float = 1.0
    patience: float = 300.0
    pause: float = 1.0
    tries: int = 4
    system: str = "general"
    browser: bool = False
    app: str = ""
    fields: frozenset[str] = frozenset()
    asked: int = 0
    _socket: Browser | Plain | None = None
    _document: int = -1
    _id: int = FIRST
    _last: float = field(default=0.0, repr=False)

    @property
    def generated(self) -> bool:
        """Whether the other side says that its data are made up."""
        return self._socket is not None and self._socket.generated

    def open(self, app: str) -> frozenset[str]:
        """Open an application and return the names of its fields."""
        self.close()
        self.app = app
        return self._again(lambda: self.fields)

    def close(self) -> None:
        """Leave; the next question opens the application again."""
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    def cube(self, dimensions: Sequence[str], measures: Sequence[str]) -> list[Row]:
        """Return all rows of a question, as many as the engine counts: text, then numbers."""
        if missing := sorted(set(dimensions) - self.fields):
            raise SchemaMismatch(
                f"TÜİK's application has no {', '.join(missing)}",
                "the fields that the question needs",
                "ask without them; currency, customs and transport stand in general trade only",
            )
        time.sleep(max(0.0, self._last + self.interval - time.monotonic()))
        try:
            return self._again(lambda: self._cube(dimensions, measures))
        finally:
            self._last = time.monotonic()

    def _again(self, act: Callable[[], T]) -> T:
        """Do something over a socket; where it drops, is silent or not ready, over a new one."""
        for attempt in range(self.tries):
            try:
                self._socket = self._socket or self._opened()
                return act()
            except (ConnectionError, TimeoutError) as error:
                self.close()
                what = "stayed silent" if isinstance(error, TimeoutError) else "was dropped"
                time.sleep(self.pause * 2**attempt if attempt < self.tries - 1 else 0)
            except (KeyError, TypeError, AttributeError) as error:
                raise SchemaMismatch(
                    f"TÜİK's engine answers in another form ({error!r:.60})", "its usual replies",
                    "look for a newer tradeflows, or bring the data --by-hand",
                ) from None  # fmt: skip
        raise SourceUnavailable(
            f"TÜİK: the connection {what}, {self.tries} times",
            "a reply",
            "try later: what was stored stays, the next run goes on; or bring it --by-hand",
        )

    def _opened(self) -> Browser | Plain:
        """Return a socket over which the application is open and its fields are known."""
        if _in_a_loop():
            raise SourceUnavailable(
                "a loop of asyncio is running, as in a cell of Jupyter", "a process of its own",
                "write `!tradeflows refresh --source tuik …` in the cell, or ask in a shell",
            )  # fmt: skip
        way = Browser(self.system) if self.browser else Plain(self.system).connect(self.app)
        self._socket = way
        opened = self._ask("OpenDoc", -1, [way.app, "", "", "", False])
        self._document = int(opened["qReturn"]["qHandle"])
        known = self._ask(
            "GetTablesAndKeys", self._document,
            [{"qcx": 10000, "qcy": 10000}, {"qcx": 0, "qcy": 0}, 20, False, True],
        )  # fmt: skip
        self.fields = frozenset(f["qName"] for table in known["qtr"] for f in table["qFields"])
        return way

    def _cube(self, dimensions: Sequence[str], measures: Sequence[str]) -> list[Row]:
        made = self._ask("CreateSessionObject", self._document, [_definition(dimensions, measures)])
        handle = int(made["qReturn"]["qHandle"])
        size = self._ask("GetLayout", handle, [])["qLayout"]["qHyperCube"]["qSize"]
        counted, width = int(size["qcy"]), len(dimensions) + len(measures)
        rows: list[Row] = []
        while len(rows) < counted:
            height = min(PAGE // width, counted - len(rows))
            page = {"qTop": len(rows), "qLeft": 0, "qWidth": width, "qHeight": height}
            found = self._ask("GetHyperCubeData", handle, ["/qHyperCubeDef", [page]])
            matrix = [line for p in found["qDataPages"] for line in p["qMatrix"]]
            if len(matrix) != height:
                raise TruncatedReply(
                    f"TÜİK: a page holds {len(matrix)} rows",
                    f"{height}: the engine counts {counted} rows",
                    "run it again: nothing of this month was stored",
                )
            rows += [_row(line, dimensions, width) for line in matrix]
        self._ask("DestroySessionObject", self._document, [made["qReturn"].get("qGenericId", "")])
        return rows

    def _ask(self, method: str, handle: int, params: list[Any]) -> dict[str, Any]:
        """Return the result of one message; ask again where the engine was not ready."""
        for _ in range(self.tries):
            self._id += 1
            self.asked += 1
            text = {"jsonrpc": "2.0", "id": self._id, "method": method, "handle": handle,
                    "params": params, "delta": False}  # fmt: skip
            reply = self._answer(json.dumps(text, ensure_ascii=False))
            if not (error := reply.get("error") or {}):
                return dict(reply["result"])
            if error.get("code") != ABORTED:
                break
            time.sleep(self.pause)
        kind = NoSuchApp if method == "OpenDoc" else SourceUnavailable
        raise kind(
            f"TÜİK's engine refuses {method}: {error.get('code')}"
            f" {str(error.get('message', ''))[:100]}",
            "a result",
            "try later, or bring the data --by-hand: what was stored stays",
        )

    def _answer(self, text: str) -> dict[str, Any]:
        """Return the reply to a message; what the engine tells unasked is passed over."""
        socket = self._socket
        if socket is None:
            raise ConnectionError
        socket.send(text)
        until = time.monotonic() + self.patience
        while (left := until - time.monotonic()) > 0:
            try:
                message = json.loads(socket.receive(left))
            except ValueError:
                continue
            if isinstance(message, dict) and message.get("id") == self._id:
                return message
        raise TimeoutError


def _definition(dimensions: Sequence[str], measures: Sequence[str]) -> dict[str, Any]:
    """Return a cube; the null bucket is kept, for it may carry value."""
    return {
        "qInfo": {"qType": "tradeflows"},
        "qHyperCubeDef": {
            "qDimensions": [
                {"qDef": {"qFieldDefs": [name]}, "qNullSuppression": False} for name in dimensions
            ],
            "qMeasures": [{"qDef": {"qDef": text}} for text in measures],
            "qSuppressZero": True,
            "qInitialDataFetch": [],
        },
    }


def _row(cells: Sequence[Mapping[str, Any]], dimensions: Sequence[str], width: int) -> Row:
    if len(cells) != width:
        raise SchemaMismatch(f"TÜİK: a row of {len(cells)} cells", f"{width}", "run it again")
    return (
        *map(_value, dimensions, cells),
        *map(_number, cells[len(dimensions) :]),
    )


def _value(name: str, cell: Mapping[str, Any]) -> str | float | None:
    """Return what a dimension says, a number or text; None of the null bucket."""
    if cell.get("qIsNull") or int(cell.get("qElemNumber", 0)) < 0:
        return None
    return _number(cell) if name in NUMERIC else str(cell["qText"]).strip()


def _number(cell: Mapping[str, Any]) -> float:
    """Return the number of a cell: its text is written for people, and never read."""
    number, text = cell.get("qNum"), str(cell.get("qText", ""))
    if isinstance(number, int | float) and math.isfinite(number):
        return float(number)
    if cell.get("qIsNull") or not text:
        return 0.0
    raise SchemaMismatch(
        f"TÜİK: a cell reads {text[:40]!r} and holds no number", "a number beside its text",
        "run it again; if it stays, the publisher changed its format: report it",
    )  # fmt: skip
