"""Ways to TÜİK's engine: a socket under our own name, or that of a real browser.

We visit as a guest: cookies of the page, a token, one connection. Where the office refuses a
program or an address this says so and stops. No address, cookie or token gets into a message.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from urllib.parse import quote, urljoin

import requests
from tornado import httpclient, websocket

from tradeflows.errors import SourceUnavailable
from tradeflows.sources.http import root_from

__all__ = ["Browser", "NoSuchApp", "Plain", "root"]

ROOT = "https://bi.tuik.gov.tr"
PAGE = "/extensions/tuik-mashup/index.html"
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
    return f"{root()}{PAGE}?report_type={2 if system == 'special' else 1}&lang=tr"


def refused(status: int, size: int = 0, *, page: str = "page") -> SourceUnavailable:
    """Return the error for a refusal, by its kind."""
    found, todo = f"TÜİK answers its {page} with status {status}", f"try later, or {_HAND}"
    if status == 404 and size == 1214:
        found, todo = f"{found} and 1,214 bytes: it turns programs away", _BROWSER
    elif status in (401, 403):
        found, todo = f"{found}: it refuses this program or this address", _BROWSER
    elif status == 503:
        found = f"{found}: it is down, or refuses addresses of data centres"
        todo = f"try later, from another connection, or {_HAND}"
    elif status == 404:
        found, todo = f"{found}: it has moved", f"look for a newer tradeflows, or {_HAND}"
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
            self._runner.run(self._left())
        self._runner.close()

    async def _left(self) -> None:
        self._socket.close()
        while await self._received(1.0) is not None:
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


def _name() -> str:
    return f"Mozilla/5.0 (compatible; tradeflows/{metadata.version('tradeflows')})"
