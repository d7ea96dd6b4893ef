"""What is asked of UN Comtrade: boxes of flows, partners and codes, calls, and how they split.

Code tokens: ``TOTAL``, ``AG2``, ``AG4``, ``AG6`` (all codes of a level), ``AG6/84`` (those of one
prefix, asked as ``84*`` and filtered), or an HS code. Partner tokens: a number, or ``ALL``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from tradeflows.codes.countries import comtrade, countries
from tradeflows.errors import UnknownCode
from tradeflows.sources.http import encoded

__all__ = [
    "ALL",
    "LONGEST",
    "Box",
    "Call",
    "Part",
    "covers",
    "remaining",
    "shortened",
    "split",
]

_T = TypeVar("_T")
ALL = "ALL"
LONGEST = 1900  # characters of an address; 1,923 passed at the publisher, 2,436 did not
LISTED = 20  # a list of partners this long comes from splitting ALL
_LEVELS = {"TOTAL": 0, "AG2": 2, "AG4": 4, "AG6": 6}


@dataclass(frozen=True)
class Box:
    """Every row with one of these flows, partners and codes."""

    flows: tuple[str, ...]
    partners: tuple[str, ...]
    codes: tuple[str, ...]

    def levels(self) -> set[int]:
        """Return the digits of the codes asked for."""
        return {level(token) for token in self.codes}


@dataclass(frozen=True)
class Part:
    """A piece of a pull: who reports what about whom.

    ``guess`` is the number of rows to expect per reporter and period; it only sizes calls.
    """

    name: str
    reporters: tuple[str, ...]
    partners: tuple[str, ...]
    flows: tuple[str, ...]
    codes: tuple[str, ...]
    guess: int = 1000
    freq: str = "M"

    def box(self) -> Box:
        """Return the rows of one reporter and period."""
        partners = tuple(p if p == ALL else str(comtrade(p)) for p in self.partners)
        for token in self.codes:
            level(token)
        return Box(self.flows, partners, self.codes)

    def numbers(self) -> tuple[int, ...]:
        """Return the reporters' numbers."""
        return tuple(comtrade(r) for r in self.reporters)


@dataclass(frozen=True)
class Call:
    """One question for rows.

    ``releases`` are the checksums the publisher shows for each reporter and period; ``whole`` is
    what the part asks of them in all, so that holes are seen later.
    """

    part: str
    freq: str
    reporters: tuple[int, ...]
    periods: tuple[str, ...]
    box: Box
    releases: tuple[tuple[str, str], ...]
    whole: Box | None = field(default=None, compare=False)

    def query(self, **more: object) -> str:
        """Return the encoded query; breakdowns are always asked as totals."""
        asked: dict[str, object] = {"reporterCode": ",".join(map(str, self.reporters))}
        if self.box.partners != (ALL,):
            asked["partnerCode"] = ",".join(self.box.partners)
        asked |= {
            "partner2Code": 0,
            "customsCode": "C00",
            "motCode": 0,
            "period": ",".join(self.periods),
            "flowCode": ",".join(self.box.flows),
            "cmdCode": ",".join(_asked(token) for token in self.box.codes),
            "includeDesc": "false",
        }
        return encoded(asked | more)

    def identity(self) -> str:
        """Return eight characters that only the same question about the same data gives."""
        text = json.dumps({**self.as_dict(), "whole": None}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a journal or a sidecar."""
        plain = asdict(self)
        plain["releases"] = dict(self.releases)
        return json.loads(json.dumps(plain))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Call:
        """Return the call that `as_dict` described."""
        return cls(
            plain["part"],
            plain["freq"],
            tuple(plain["reporters"]),
            tuple(plain["periods"]),
            _box(plain["box"]),
            tuple(sorted(plain["releases"].items())),
            _box(plain["whole"]) if plain.get("whole") else None,
        )

    def narrowed(
        self, *, reporters: Sequence[int] = (), periods: Sequence[str] = (), box: Box | None = None
    ) -> Call:
        """Return the part of the call for fewer reporters, periods or rows."""
        who = tuple(reporters) or self.reporters
        when = tuple(periods) or self.periods
        asked = {f"{r}-{p}" for r in who for p in when}
        releases = tuple((k, v) for k, v in self.releases if k in asked)
        return replace(self, reporters=who, periods=when, box=box or self.box, releases=releases)


def _box(plain: dict[str, Any]) -> Box:
    return Box(**{k: tuple(v) for k, v in plain.items()})


def level(token: str) -> int:
    """Return the digits of the codes a token stands for.

    Examples
    --------
    >>> [level(t) for t in ("TOTAL", "AG6", "AG6/84", "8542", "854231")]
    [0, 6, 6, 4, 6]
    """
    head, slash, prefix = token.partition("/")
    digits = _LEVELS.get(head, len(head))
    known = head in _LEVELS or (_is_number(head) and digits in (2, 4, 6))
    if known and not slash:
        return digits
    if known and head.startswith("AG") and _is_number(prefix) and len(prefix) <= digits:
        return digits
    raise UnknownCode(
        f"no HS code {token!r}",
        "2, 4 or 6 digits as text, TOTAL, AG2, AG4, AG6 or codes by their first digits (AG6/84)",
        "keep leading zeros",
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def covers(have: Iterable[str], code: str) -> bool:
    """Tell whether one of the tokens holds a code; a name that is no HS code is held by none.

    Examples
    --------
    >>> covers(["AG6/84"], "847150"), covers(["TOTAL", "AG2"], "8471"), covers(["AG6"], "coal")
    (True, False, False)
    """
    try:
        return _covers(have, code)
    except UnknownCode:
        return False


def _asked(token: str) -> str:
    return token.split("/")[1] + "*" if "/" in token else token


def _covers(have: Iterable[str], token: str) -> bool:
    """Tell whether one of the tokens holds all rows of another."""
    held = set(have)
    if token in held:
        return True
    group = f"AG{level(token)}" if token not in (ALL, "TOTAL") else ""
    prefix = token.split("/")[-1] if "/" in token or token.isdigit() else ""
    return bool(group) and (
        group in held or any(f"{group}/{prefix[:n]}" in held for n in range(1, len(prefix) + 1))
    )


def _refined(tokens: tuple[str, ...], have: Iterable[str]) -> list[str]:
    """Return the tokens, those of which the other side holds a piece broken up."""
    out: list[str] = []
    for token in tokens:
        stem = token if "/" in token else token + "/"
        if token == ALL and ALL not in have and len(set(have)) >= LISTED:
            out += _everybody()
        elif token.startswith("AG") and any(h.startswith(stem) and h != token for h in have):
            out += _refined(tuple(_children(token)), have)
        else:
            out.append(token)
    return out


def _children(token: str) -> list[str]:
    stem = token if "/" in token else token + "/"
    return [f"{stem}{digit}" for digit in "0123456789"]


def _everybody() -> list[str]:
    return [str(c.comtrade) for c in countries()]


def remaining(box: Box, held: Iterable[Box]) -> list[Box]:
    """Return what of a box none of the others holds.

    Examples
    --------
    >>> whole = Box(("M", "X"), ("643",), ("AG2", "AG6"))
    >>> remaining(whole, [Box(("M",), ("643",), ("AG2", "AG6")), Box(("X",), ("643",), ("AG2",))])
    [Box(flows=('X',), partners=('643',), codes=('AG6',))]
    """
    rest = [box]
    for other in held:
        rest = [piece for b in rest for piece in _minus(b, other)]
    return rest


def _minus(box: Box, other: Box) -> list[Box]:
    flows = [f for f in box.flows if f in other.flows]
    partners_all = _refined(box.partners, other.partners)
    partners = [p for p in partners_all if _partner_in(p, other.partners)]
    codes_all = _refined(box.codes, other.codes)
    codes = [c for c in codes_all if _covers(other.codes, c)]
    if not (flows and partners and codes):
        return [box]
    pieces = [
        ([f for f in box.flows if f not in flows], box.partners, box.codes),
        (flows, [p for p in partners_all if p not in partners], box.codes),
        (flows, partners, [c for c in codes_all if c not in codes]),
    ]
    return [Box(tuple(f), tuple(p), tuple(c)) for f, p, c in pieces if f and p and c]


def _partner_in(partner: str, have: Iterable[str]) -> bool:
    return partner in have or ALL in have


def split(call: Call) -> tuple[list[Call], bool]:
    """Return smaller calls that together ask the same, and whether their counts add up exactly.

    Order: periods, reporters, flows, partners, codes. Prefixes return other levels too, so that
    only filtered rows add up. No calls: it cannot be split.

    Examples
    --------
    >>> call = Call("x", "M", (792,), ("202201", "202202"), Box(("M",), ("643",), ("AG6",)), ())
    >>> [c.periods for c in split(call)[0]]
    [('202201',), ('202202',)]
    >>> [c.box.codes for c in split(split(call)[0][0])[0]][:2]
    [('AG6/0',), ('AG6/1',)]
    """
    box = call.box
    if len(call.periods) > 1:
        return [call.narrowed(periods=half) for half in _halves(call.periods)], True
    if len(call.reporters) > 1:
        return [call.narrowed(reporters=half) for half in _halves(call.reporters)], True
    if len(box.flows) > 1:
        return [call.narrowed(box=replace(box, flows=(f,))) for f in box.flows], True
    partners = tuple(_everybody()) if box.partners == (ALL,) else box.partners
    if len(partners) > 1:
        return _by(call, "partners", partners), True
    exact = not any("/" in token for token in box.codes)
    if len(box.codes) > 1:
        return _by(call, "codes", box.codes), exact
    token = box.codes[0]
    if token.startswith("AG") and len(token.partition("/")[2]) < level(token):
        children = _children(token)
        return [call.narrowed(box=replace(box, codes=(c,))) for c in children], False
    return [], True


def shortened(call: Call) -> list[Call]:
    """Return two calls with shorter addresses: the longest list is halved."""
    box = call.box
    lists: list[tuple[int, list[Call]]] = [
        (len(",".join(box.codes)), _by(call, "codes", box.codes)),
        (len(",".join(box.partners)), _by(call, "partners", box.partners)),
        (len(call.reporters) * 4, [call.narrowed(reporters=h) for h in _halves(call.reporters)]),
        (len(call.periods) * 7, [call.narrowed(periods=h) for h in _halves(call.periods)]),
    ]
    return max(lists, key=lambda one: one[0])[1]


def _by(call: Call, name: str, items: tuple[str, ...]) -> list[Call]:
    return [call.narrowed(box=replace(call.box, **{name: half})) for half in _halves(items)]


def _halves(items: tuple[_T, ...]) -> tuple[tuple[_T, ...], tuple[_T, ...]]:
    middle = (len(items) + 1) // 2
    return items[:middle], items[middle:]
