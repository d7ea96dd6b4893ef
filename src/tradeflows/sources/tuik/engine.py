"""The engine behind TÜİK's database: questions to it as messages, and its replies read strictly.

A reply is rows whose number the engine itself counted, or an error. Codes are text without leading
zeros there and unknown values are ignored in silence: filters stand in the measure, and who asks
proves them by sums (`tradeflows.sources.tuik.pull`).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tradeflows.errors import SchemaMismatch, SourceUnavailable, TruncatedReply, UnknownCode
from tradeflows.sources.tuik.transport import Browser, NoSuchApp, Plain

__all__ = ["BREAKDOWNS", "LEVELS", "MEASURES", "Engine", "sum_of"]

LEVELS = {2: "FASIL", 4: "TARIFE4", 6: "TARIFE6", 8: "TARIFE8", 12: "ISTPOZ"}
BREAKDOWNS = {"currency": "DOVIZ_KODU", "customs": "GUMRUK", "transport": "TASIMA_SEKLI"}
MEASURES = ("DOLAR", "MIKTAR_1", "MIKTAR_2")
NUMERIC = ("YIL", "AY")
PAGE = 8_000  # cells; beyond about 10,000 pages come back empty
ABORTED = 15  # "Request aborted": the engine was not ready
FIRST = 1_000_000  # a page's own messages count 1, 2, 3 …
Row = tuple[str | float | None, ...]  # the null bucket is None
T = TypeVar("T")


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
