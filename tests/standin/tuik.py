"""TÜİK's database as the contract has it: page, token, socket, engine, and all its traps."""

from __future__ import annotations

import asyncio
import json
import math
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from tornado import httpserver, netutil, web, websocket

from tradeflows.codes.countries import countries, from_comtrade

from . import trade

APPS = {
    "general": "bd4b4757-a3c9-45ba-b4fb-5c8d7e2d2c42",
    "special": "8db826a9-59f2-4a33-a91e-88ca417dddf9",
    "no quantities": "5c4bcee9-7cec-4c39-98b7-ab35ae0938fd",
}
NEW = {name: app.replace("-4", "-5", 1).replace("8", "9") for name, app in APPS.items()}
PAGE = "/extensions/tuik-mashup/index.html"
REFUSED = b"x" * 1214
SPECIAL = 0.96  # of general trade
CODES = {"FASIL": 2, "TARIFE4": 4, "TARIFE6": 6, "TARIFE8": 8, "ISTPOZ": 12}
COMMON = {"YIL", "AY", "IHRITH", "ULKE_KODU", "ULKE_ADI", "OLCU_ADI", "YAYIN_TARIHI", "DOLAR",
          "EURO", "TL", "MIKTAR_1", "MIKTAR_2", *CODES}  # fmt: skip
GENERAL = {"DOVIZ_KODU", "GUMRUK", "TASIMA_SEKLI"}
FLOWS = {"X": "İhracat", "M": "İthalat"}
NAMES = {"RUS": "Rusya Federasyonu", "DEU": "Almanya"}
Lines = Callable[[str, str], pd.DataFrame]
_BUNDLE = """
const settings = {VITE_APP_A1: "%s", VITE_APP_OZEL_TR: "%s", VITE_APP_GENEL_TR: "%s"};
const visit = async () => {
  const known = await fetch('/qps/csrftoken?xrfkey=0123456789abcdef',
    {headers: {'x-qlik-xrfkey': '0123456789abcdef'}});
  const app = settings[location.search.includes('report_type=2') ? 'VITE_APP_OZEL_TR'
    : 'VITE_APP_GENEL_TR'];
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/app/' + app
    + '?reloadUri=' + encodeURIComponent(location.href)
    + '&qlik-csrf-token=' + known.headers.get('qlik-csrf-token'));
  socket.onopen = () => socket.send(JSON.stringify({jsonrpc: '2.0', id: 1, method: 'OpenDoc',
    handle: -1, params: [app, '', '', '', false]}));
};
visit();
"""


def _number(partner: int) -> str:
    return {643: "75", 276: "4"}.get(partner, str(1000 + partner))


def _names() -> dict[int, str]:
    known = {c.code: c.name for c in countries() if c.current}
    return {n: NAMES.get(from_comtrade(n), known[from_comtrade(n)])
            for n in (trade.RUSSIA, *trade.TRANSIT, *trade.SUPPLIERS, *trade.OTHERS)}  # fmt: skip


def of_world(world: trade.World) -> Lines:
    """Return a world's trade as tariff lines: two to a six-digit code, which add up to it."""
    names = _names()

    def lines(period: str, flow: str) -> pd.DataFrame:
        rows = trade.month(world, trade.TURKEY, flow, period)
        code = rows["code"].replace(trade.HIDDEN, "279999").to_numpy()
        counted = (rows["unit"] == 5).to_numpy()
        amounts = {"DOLAR": rows["value"].to_numpy(), "MIKTAR_1": rows["kg"].to_numpy().copy(),
                   "MIKTAR_2": np.where(counted, rows["qty"], 0.0)}  # fmt: skip
        amounts["MIKTAR_1"][(rows["flag"] == "missing").to_numpy()] = 0.0
        parts = []
        for tail, currency, share in (("000011", "EUR", 0.6), ("000019", "USD", None)):
            some = {n: np.round(0.6 * v, 2) for n, v in amounts.items()}
            part = some if share else {n: amounts[n] - some[n] for n in amounts}
            parts.append(pd.DataFrame({
                "ULKE_KODU": [_number(p) for p in rows["partner"]],
                "ULKE_ADI": [names[p] for p in rows["partner"]],
                "ISTPOZ": pd.Series(code) + tail, "OLCU_ADI": np.where(counted, "KG/ADET", "KG"),
                "DOVIZ_KODU": currency, "GUMRUK": "Mersin", "TASIMA_SEKLI": "Denizyolu", **part,
            }))  # fmt: skip
        return pd.concat(parts, ignore_index=True)

    return lines


@dataclass
class Office:
    """The database, what it was asked, and what goes wrong: ``faults`` by name and times."""

    lines: Lines
    months: list[str]
    faults: Counter[str] = field(default_factory=Counter)
    moved: bool = False
    ignored: str = ""  # a field whose filter does nothing
    null_usd: float = 0.0  # value without a code
    flag: bool = False  # whether there is IHRITH_FLAG
    dated: bool = True  # whether there is YAYIN_TARIHI
    revised: Counter[str] = field(default_factory=Counter)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    tokens: dict[str, str] = field(default_factory=dict)
    kept: dict[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)

    def fault(self, name: str) -> bool:
        """Tell whether a fault is due, and count it."""
        due = self.faults[name] > 0
        self.faults[name] -= due
        return due

    @property
    def apps(self) -> dict[str, str]:
        """The numbers of the applications."""
        return NEW if self.moved else APPS

    def fields(self, system: str) -> set[str]:
        """Return the fields of an application."""
        found = COMMON | (GENERAL if system != "special" else set())
        found = found - (set() if self.dated else {"YAYIN_TARIHI"})
        found |= {"IHRITH_FLAG"} if self.flag else set()
        return found - ({"MIKTAR_1", "MIKTAR_2"} if system == "no quantities" else set())

    def month(self, period: str, flow: str, system: str) -> pd.DataFrame:
        """Return the lines of a month with every field."""
        rows = self.lines(period, flow).assign(
            YIL=int(period[:4]), AY=int(period[4:]), IHRITH=FLOWS[flow],
            IHRITH_FLAG={"X": "1", "M": "2"}[flow],
        )  # fmt: skip
        if self.null_usd:
            empty = rows.iloc[:1].assign(ISTPOZ="", DOLAR=self.null_usd, MIKTAR_1=0.0, MIKTAR_2=0.0)
            rows = pd.concat([rows, empty], ignore_index=True)
        rows["DOLAR"] *= (SPECIAL if system == "special" else 1) * 1.001 ** self.revised[period]
        for name, digits in CODES.items():
            rows[name] = rows["ISTPOZ"].str[:digits].str.lstrip("0") if digits < 12 else rows[name]
        rows["ISTPOZ"] = rows["ISTPOZ"].str.lstrip("0")
        return rows

    def cube(self, system: str, dimensions: list[str], texts: list[str]) -> list[list[Any]]:
        """Return rows: values of dimensions, then measures; filters as written, none checked."""
        sets = [_filters(part) for part in re.search(r"\{(.*)\}", texts[0])[1].split("+")]
        sets = [{k: v for k, v in s.items() if k != self.ignored} for s in sets]
        sums = [found[1] for t in texts if (found := re.fullmatch(r"Sum\(\{.*\} (\w+)\)", t))]
        named = {*dimensions, *(k for s in sets for k in s)}
        coarse = not named & {*CODES, *GENERAL, "OLCU_ADI"}
        whole = [
            part.groupby(dimensions, sort=False)[sums].sum()
            for period in self.months
            for flow in FLOWS
            for part in [self._chosen(period, flow, system, sets, coarse=coarse)]
            if len(part)
        ]
        if not whole:
            return []
        found = pd.concat(whole).groupby(level=dimensions, sort=False).sum().reset_index()
        if len(sums) < len(texts):  # Alt(Max(YAYIN_TARIHI),0)
            found["YAYIN_TARIHI"] = [
                _serial(y, m) + 10 * self.revised[f"{y}{m:02d}"]
                for y, m in zip(found["YIL"], found["AY"], strict=True)
            ]
        if {"YIL", "ULKE_KODU"} <= set(dimensions) and self.fault("wrong total"):
            found["DOLAR"] += 5.0
        measures = list(found.columns[len(dimensions) :])
        found = found[(found[measures] != 0).any(axis=1)]
        if set(dimensions) & set(CODES) and self.fault("lost row"):
            found = found.iloc[1:]
        order = np.random.default_rng(len(self.asked)).permutation(len(found))
        return found[[*dimensions, *measures]].iloc[order].to_numpy().tolist()

    def _chosen(
        self, period: str, flow: str, system: str, sets: list[dict[str, set[Any]]], *, coarse: bool
    ) -> pd.DataFrame:
        """Return what the filters leave of a month; of those that contradict it nothing is made."""
        here = {"YIL": int(period[:4]), "AY": int(period[4:]), "IHRITH": FLOWS[flow]}
        sets = [s for s in sets if all(value in s.get(k, {value}) for k, value in here.items())]
        if not sets:
            return pd.DataFrame()
        rows = (self._sums if coarse else self.month)(period, flow, system)
        kept = np.zeros(len(rows), dtype=bool)
        for one in sets:
            kept |= np.logical_and.reduce(
                [np.ones(len(rows), dtype=bool), *(rows[n].isin(v) for n, v in one.items())]
            )
        return rows[kept]

    def _sums(self, period: str, flow: str, system: str) -> pd.DataFrame:
        key = (f"{period}-{self.revised[period]}", flow, system)
        if key not in self.kept:
            where = ["YIL", "AY", "IHRITH", "IHRITH_FLAG", "ULKE_KODU", "ULKE_ADI"]
            rows = self.month(period, flow, system).groupby(where, as_index=False)
            self.kept[key] = rows[["DOLAR", "MIKTAR_1", "MIKTAR_2"]].sum()
        return self.kept[key]


def _serial(year: int, month: int) -> int:
    """Return the day of publication as the engine numbers days."""
    return (date(year, month, 1) - date(1899, 12, 30)).days + 60


def _filters(text: str) -> dict[str, set[Any]]:
    found: dict[str, set[Any]] = {}
    for name, values in re.findall(r"(\w+)=\{([^}]*)\}", text):
        words = re.findall(r"'((?:[^']|'')*)'|(-?\d+)", values)
        numeric = name in ("YIL", "AY")
        found[name] = {int(n or w) if numeric else (w or n).replace("''", "'") for w, n in words}
    return found


class _Web(web.RequestHandler):
    def initialize(self, office: Office) -> None:
        self.office = office

    def prepare(self) -> None:
        self.set_header("X-Tradeflows-Generated", "true")
        agent = self.request.headers.get("User-Agent", "")
        for status in (403, 503):
            if self.office.fault(f"page {status}"):
                self._say(status, b"<html>no</html>")
        if not agent.startswith("Mozilla/5.0") or self.office.fault("page 404"):
            self._say(404, REFUSED)

    def _say(self, status: int, body: bytes) -> None:
        self.set_status(status)
        self.finish(body)


class _Page(_Web):
    def get(self) -> None:
        self.office.asked.append(("page", self.request.headers["User-Agent"]))
        self.set_cookie("X-Qlik-Session", secrets.token_hex(16))
        self.finish('<html><script type="module" src="assets/index-4f2a.js"></script></html>')


class _Script(_Web):
    def get(self) -> None:
        apps = self.office.apps
        self.set_header("Content-Type", "text/javascript")
        self.finish(_BUNDLE % (apps["no quantities"], apps["special"], apps["general"]))


class _Token(_Web):
    def get(self) -> None:
        cookie, key = self.get_cookie("X-Qlik-Session"), self.get_argument("xrfkey", "")
        if not cookie or len(key) != 16 or self.request.headers.get("x-qlik-xrfkey") != key:
            self._say(403, b"")
            return
        self.office.tokens[cookie] = secrets.token_hex(16)
        self.set_header("qlik-csrf-token", self.office.tokens[cookie])
        self.finish(b"")


class _Engine(websocket.WebSocketHandler):
    def initialize(self, office: Office) -> None:
        self.office = office

    async def get(self, *args: Any, **kwargs: Any) -> None:
        self.app = args[0]
        token = self.office.tokens.get(self.get_cookie("X-Qlik-Session", ""))
        if token is None or self.get_argument("qlik-csrf-token", "") != token:
            self.set_status(403)
            self.finish()
            return
        if self.office.fault("socket 403"):
            self.set_status(403)
            self.finish()
            return
        await super().get(*args, **kwargs)

    def open(self, *_: str) -> None:
        self.office.open += 1
        self.office.most_open = max(self.office.most_open, self.office.open)
        self.cubes: dict[int, Any] = {}
        self.system, self.ready = "", False
        self.set_nodelay(True)  # two small messages would wait for each other
        self.write_message('{"jsonrpc":"2.0","method":"OnConnected","params":{}}')

    def on_close(self) -> None:
        self.office.open -= 1

    async def on_message(self, message: str | bytes) -> None:
        asked = json.loads(message)
        method, office = asked["method"], self.office
        office.asked.append((method, asked["params"]))
        if office.fault(f"drop {method}"):
            self.close()
            return
        if office.fault(f"silence {method}"):
            return
        await asyncio.sleep(0)
        body = self._answer(method, asked["handle"], asked["params"])
        self.write_message('{"jsonrpc":"2.0","id":7,"result":{},"delta":true}')  # the page's own
        self.write_message(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **body}))

    def _answer(self, method: str, handle: int, params: list[Any]) -> dict[str, Any]:
        office = self.office
        if method == "OpenDoc":
            self.system = next((s for s, a in office.apps.items() if a == params[0]), "")
            if not self.system:
                return {"error": {"code": 1003, "message": "App not found"}}
            return {"result": {"qReturn": {"qType": "Doc", "qHandle": 1}}}
        if not self.ready or office.fault("aborted"):  # right after OpenDoc
            self.ready = True
            return {"error": {"code": 15, "message": "Request aborted"}}
        if method == "GetTablesAndKeys":
            known = [{"qName": name} for name in sorted(office.fields(self.system))]
            return {"result": {"qtr": [{"qFields": known, "qNoOfRows": 100}]}}
        if method == "CreateSessionObject":
            text = params[0]["qHyperCubeDef"]
            dimensions = [d["qDef"]["qFieldDefs"][0] for d in text["qDimensions"]]
            texts = [m["qDef"]["qDef"] for m in text["qMeasures"]]
            name = 2 + len(self.cubes)
            rows = office.cube(self.system, dimensions, texts)
            self.cubes[name] = (dimensions, rows, text["qInitialDataFetch"] != [])
            return {"result": {"qReturn": {"qHandle": name, "qGenericId": f"c{name}"}}}
        if method == "GetLayout":
            size = {"qcx": 0, "qcy": len(self.cubes[handle][1])}
            return {"result": {"qLayout": {"qHyperCube": {"qSize": size}}}}
        if method == "GetHyperCubeData":
            return {"result": {"qDataPages": [{"qMatrix": self._page(handle, params[1][0])}]}}
        if method == "DestroySessionObject":
            return {"result": {"qSuccess": True}}
        return {"error": {"code": -32601, "message": "Method not found"}}

    def _page(self, handle: int, page: dict[str, int]) -> list[list[dict[str, Any]]]:
        dimensions, rows, spoiled = self.cubes[handle]
        goods = bool(set(dimensions) & set(CODES))
        if spoiled or page["qWidth"] * page["qHeight"] > 10_000:
            return []
        if goods and self.office.fault("empty page"):
            return []
        some = rows[page["qTop"] : page["qTop"] + page["qHeight"]]
        if goods and self.office.fault("short page"):
            some = some[:-1]
        found = [_cells(row, dimensions) for row in some]
        if goods and self.office.fault("no number"):
            found[0][-1] = {"qText": "1.234,5", "qNum": "NaN", "qElemNumber": 0}
        return found


def _cells(row: list[Any], dimensions: list[str]) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = []
    for name, value in zip(dimensions, row, strict=False):
        if value == "":
            cells.append({"qText": "-", "qNum": "NaN", "qElemNumber": -2, "qIsNull": True})
        elif name in ("YIL", "AY"):
            text = f"{value:,}".replace(",", ".")
            cells.append({"qText": text, "qNum": value, "qElemNumber": value})
        else:
            cells.append({"qText": value, "qNum": "NaN", "qElemNumber": abs(hash(value)) % 9999})
    for value in row[len(dimensions) :]:
        text = f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
        cells.append({"qText": text, "qNum": float(value), "qElemNumber": 0})
    return cells


@contextmanager
def serving(office: Office, port: int = 0) -> Iterator[str]:
    """Serve an office at 127.0.0.1 and give its address."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    sockets = netutil.bind_sockets(port, "127.0.0.1")
    known = {"office": office}

    async def begin() -> httpserver.HTTPServer:
        routes = [(PAGE, _Page, known), (r".*/assets/index-.*\.js", _Script, known),
                  ("/qps/csrftoken", _Token, known), (r"/app/([^/]+)", _Engine, known)]  # fmt: skip
        server = httpserver.HTTPServer(web.Application(routes, log_function=lambda _: None))
        server.add_sockets(sockets)
        started.set()
        return server

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    started.wait()
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(server.stop)
        loop.call_soon_threadsafe(loop.call_later, 0.05, loop.stop)
        thread.join(2)


def office_of(world: trade.World, **changed: Any) -> Office:
    """Return the office of a world."""
    return Office(of_world(world), world.months, **changed)


def typed(rows: list[tuple[str, str, str, float, float, float, str]]) -> Lines:
    """Return lines typed in a test: period, flow, code, USD, kg, second quantity, unit."""
    frame = pd.DataFrame(
        rows, columns=["period", "flow", "ISTPOZ", "DOLAR", "MIKTAR_1", "MIKTAR_2", "OLCU_ADI"]
    ).assign(ULKE_KODU="75", ULKE_ADI="Rusya Federasyonu", DOVIZ_KODU="EUR", GUMRUK="Mersin",
             TASIMA_SEKLI="Denizyolu")  # fmt: skip
    assert math.isfinite(frame["DOLAR"].sum())
    return lambda period, flow: frame[(frame["period"] == period) & (frame["flow"] == flow)]
