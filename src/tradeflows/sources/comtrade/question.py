"""What is asked of UN Comtrade: parts of a pull, calls and how they split, and what is stored.

Code tokens: ``TOTAL``, ``AG2``, ``AG4``, ``AG6`` (all codes of a level), ``AG6/84`` (those of one
prefix, asked as ``84*`` and filtered), or an HS code. Partner tokens: a number, or ``ALL``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import (
    EU27,
    SPECIAL,
    comtrade,
    countries,
    from_comtrade,
    from_name,
    plain,
)
from tradeflows.codes.hs import revision
from tradeflows.codes.totals import is_world, members
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.periods import Window

PUBLISHER = "UN Comtrade"
FOLDER = "un-comtrade/live"
ALL = "ALL"
START = "2017-01"
TRANSIT = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
SUPPLIERS = (*sorted({*EU27, "USA", "CAN", "JPN", "GBR"}),)
CHAPTERS = ("84", "85", "88", "90")
SYSTEMS = {f"H{n}": name for n in range(7) if (name := revision(f"H{n}"))}
_TOKEN = re.compile(r"TOTAL|AG[246](?:/(\d+))?|(?:\d\d){1,3}", re.ASCII)
_LEVELS = {"TOT": 0, "AG2": 2, "AG4": 4, "AG6": 6}
_OTHERWISE = {"eu": "EU27", "x": "Areas nes", "not specified": "Areas nes"}  # than any list

Slot = tuple[str, str]  # frequency; reporter and period, as 792-202201


class Box(NamedTuple):
    """Every row with one of these flows, partners and codes, in a nomenclature or as reported."""

    flows: tuple[str, ...]
    partners: tuple[str, ...]
    codes: tuple[str, ...]
    system: str = "HS"

    def holds(self, rows: pd.DataFrame) -> pd.Series:
        """Tell which rows of the trade table were asked for."""
        level = "AG" + rows["level"].astype("str")
        asked = rows["code"].isin(self.codes) | level.isin(self.codes)
        for group, _, prefix in (token.partition("/") for token in self.codes if "/" in token):
            asked |= (level == group) & rows["code"].str.startswith(prefix)
        if ALL not in self.partners:
            asked &= rows["partner"].isin([from_comtrade(int(p)) for p in self.partners])
        return asked & rows["flow"].isin(self.flows)


@dataclass(frozen=True)
class Part:
    """A piece of a pull: who reports what about whom, by ISO code or name.

    ``guess`` is the number of rows to expect per reporter and period; it only sizes calls.
    """

    name: str
    reporters: tuple[str, ...]
    partners: tuple[str, ...]
    flows: tuple[str, ...]
    codes: tuple[str, ...]
    guess: int = 1000
    freq: str = "M"
    system: str = "HS"

    def box(self) -> Box:
        """Return the rows of one reporter and period."""
        partners = tuple(p if p == ALL else str(comtrade(p)) for p in self.partners)
        return Box(self.flows, partners, self.codes, self.system)

    def pairs(self, span: tuple[str, str]) -> list[str]:
        """Return the reporters and periods from a month to a month, as ``792-202201``."""
        months = pd.period_range(*span, freq="M").strftime("%Y%m")
        periods = months if self.freq == "M" else sorted({m[:4] for m in months})
        return [f"{comtrade(r)}-{p}" for r in self.reporters for p in periods]


@dataclass(frozen=True)
class Call:
    """One question for rows; ``releases`` are the checksums shown for each reporter and period."""

    part: str
    freq: str
    reporters: tuple[int, ...]
    periods: tuple[str, ...]
    box: Box
    releases: tuple[tuple[str, str], ...]

    def pairs(self) -> list[str]:
        """Return the reporters and periods it covers, as ``792-202201``."""
        return [f"{r}-{p}" for r in self.reporters for p in self.periods]

    def query(self, **more: object) -> str:
        """Return the query, short by plain commas; breakdowns are always asked as totals."""
        asked: dict[str, object] = {"reporterCode": ",".join(map(str, self.reporters))}
        if ALL not in self.box.partners:
            asked["partnerCode"] = ",".join(self.box.partners)
        asked |= {
            "partner2Code": 0,
            "customsCode": "C00",
            "motCode": 0,
            "period": ",".join(self.periods),
            "flowCode": ",".join(self.box.flows),
            "cmdCode": ",".join(c.split("/")[1] + "*" if "/" in c else c for c in self.box.codes),
            "includeDesc": "false",
        }
        return urlencode(asked | more, safe=",*", quote_via=quote)

    def identity(self) -> str:
        """Return eight characters that only the same question about the same data gives."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:8]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a sidecar."""
        return vars(self) | {"box": self.box._asdict(), "releases": dict(self.releases)}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Call:
        """Return the call that `as_dict` described."""
        box: dict[str, Any] = {k: v if k == "system" else tuple(v) for k, v in plain["box"].items()}
        return cls(
            plain["part"], plain["freq"], tuple(plain["reporters"]), tuple(plain["periods"]),
            Box(**box), tuple(sorted(plain["releases"].items())),
        )  # fmt: skip

    def narrowed(self, name: str, items: tuple[Any, ...]) -> Call:
        """Return the part of the call for fewer reporters, periods, flows, partners or codes."""
        changed: dict[str, Any] = {name: items}
        if name in Box._fields:
            return replace(self, box=self.box._replace(**changed))
        found = replace(self, **changed)
        asked = set(found.pairs())
        return replace(found, releases=tuple((k, v) for k, v in self.releases if k in asked))


def level(token: str) -> int:
    """Return the digits of the codes a token stands for, or refuse what is no token."""
    if found := _TOKEN.fullmatch(token):
        digits = _LEVELS.get(token[:3], len(token))
        if len(found[1] or "") <= digits:
            return digits
    service = re.fullmatch(r"(EB\d*|BOP|S[A-Z0-9]{0,3})", token)
    raise UnknownCode(
        f"no HS code {token!r}" + ": services are not read here" * bool(service),
        "2, 4 or 6 digits as text, TOTAL, AG2, AG4, AG6 or codes by their first digits (AG6/84)",
        "ask for goods: services have no weights, so no prices" if service
        else "keep leading zeros",
    )  # fmt: skip


def covers(tokens: Iterable[str], code: str) -> bool:
    """Tell whether tokens ask for all that another asks for; a name that is no code is in none."""
    held = set(tokens)
    try:
        group = f"AG{level(code)}"
    except UnknownCode:
        return False
    prefix = code.partition("/")[2] if code.startswith("AG") else code
    wider = {group, *(f"{group}/{prefix[:n]}" for n in range(1, 7))}
    return code in held or (code != "TOTAL" and not held.isdisjoint(wider))


@lru_cache(maxsize=4096)
def covered(box: Box, held: frozenset[Box]) -> bool:
    """Tell whether every row of a box lies in one of the others."""
    others = [h for h in held if h.system == box.system]
    return box in held or all(
        any(f in h.flows and (p in h.partners or ALL in h.partners) and covers(h.codes, c)
            for h in others)
        for f in box.flows for p in box.partners for c in box.codes
    )  # fmt: skip


def split(call: Call) -> list[Call]:
    """Return smaller calls that together ask the same; none where it cannot be split.

    Halves in this order, periods, reporters, flows, partners, codes; then codes by their next
    digit, which return other levels too, so that only filtered rows add up.
    """
    box = call.box
    every = tuple(str(c.comtrade) for c in countries())
    lists: dict[str, tuple[Any, ...]] = {
        "periods": call.periods, "reporters": call.reporters, "flows": box.flows,
        "partners": every if ALL in box.partners else box.partners, "codes": box.codes,
    }  # fmt: skip
    for name, items in lists.items():
        if len(items) > 1:
            middle = (len(items) + 1) // 2
            return [call.narrowed(name, half) for half in (items[:middle], items[middle:])]
    token = box.codes[0]
    if not token.startswith("AG") or len(token.partition("/")[2]) >= level(token):
        return []
    stem = token if "/" in token else token + "/"
    return [call.narrowed("codes", (stem + digit,)) for digit in "0123456789"]


def standard(codes: Sequence[str]) -> tuple[Part, ...]:
    """Return the standard pull: what the claims about Turkey and Russia need, that first.

    ``codes`` are the high-priority ones, of every HS revision that the months cover.
    """
    listed = tuple(sorted(set(codes)))
    for code in listed:
        level(code)
    chapters = tuple(f"AG6/{c}" for c in CHAPTERS)
    parts = [
        Part("turkey-russia", ("TUR",), ("RUS",), ("M", "X"), ("TOTAL", "AG2", "AG6"), 6500),
        Part("russia-priority", ("TUR",), ("RUS",), ("X",), listed, 60),
        Part("turkey-priority", ("TUR",), (ALL,), ("X",), listed, 2500),
        Part("transit-priority", TRANSIT, ("TUR",), ("M",), listed, 40),
        Part("supply-priority", SUPPLIERS, ("TUR",), ("X",), listed, 40),
        Part("transit-onward", TRANSIT, ("RUS",), ("X",), listed, 40),
        Part("turkey-controls", ("TUR",), (ALL,), ("X",), chapters, 40000),
    ]
    return tuple(p for p in parts if p.codes)


def places(text: str) -> tuple[str, ...]:
    """Return the countries and areas that a text names, as the trade table writes them.

    ISO codes or names, several with commas; groups such as ``EU27`` and ``EAEU`` stand for their
    members, ``ALL`` for every partner.
    """
    if whole := _named(_OTHERWISE.get(plain(text), text.strip())):
        return whole
    parts = [t for t in text.split(",") if t.strip()]
    if len(parts) < 2:
        raise UnknownCode(
            f"no country or area {text!r}",
            "ISO 3166 alpha-3 such as TUR, a name such as Turkey, EU27, EAEU, ALL, or one of "
            + ", ".join(SPECIAL.values()),
            "correct it; several are separated by commas",
        )
    return tuple(dict.fromkeys(place for t in parts for place in places(t)))


def _named(text: str) -> tuple[str, ...]:
    """Return what one name or code of a country, area or group stands for, or nothing."""
    if text.upper() == ALL:
        return (ALL,)
    if is_world(text):
        return (SPECIAL[0],)
    if found := members(text):
        return found
    try:
        place = from_name(text)
        comtrade(place)
    except UnknownCode:
        return ()
    return (place,)


def pair(
    reporter: str, partner: str, flows: Sequence[str] = ("M", "X"), codes: Sequence[str] = (),
    *, freq: str = "M", system: str = "HS",
) -> Part:  # fmt: skip
    """Return a part for any pair of countries, areas or groups, as `places` reads them.

    Only a partner may be ``ALL``, World or another area. Codes are totals, chapters and HS6 unless
    named; ``freq`` is M or A, which reporters send separately; ``system`` is ``HS``, each row in
    the revision it was reported in, or one of ``H0`` to ``H6``.
    """
    reporters, partners = places(reporter), places(partner)
    written = {"HS": "HS", **{v: k for k, v in SYSTEMS.items()}}.get(revision(system) or system, "")
    if not written and system.startswith(("EB", "BOP")):
        level(system)
    names = ", ".join(f"{k} ({v})" for k, v in SYSTEMS.items())
    odd = sorted(set(flows) - {"M", "X", "RM", "RX"})
    for wrong, found, expected in (
        ({ALL, *SPECIAL.values()} & {*reporters}, f"reporter {reporter!r}",
         "a country: areas and the world do not report"),
        (odd or not flows, f"flows {odd}", "M, X, RM or RX"),
        (freq not in ("M", "A"), f"frequency {freq!r}", "M, months, or A, years"),
        (not written, f"nomenclature {system!r}", f"HS, as reported, or {names}"),
    ):  # fmt: skip
        if wrong:
            raise UnknownCode(found, expected, "correct it")
    asked = tuple(dict.fromkeys(codes)) or ("TOTAL", "AG2", "AG6")
    for code in asked:
        level(code)
    guess = sum({"AG6": 6300, "AG4": 2500}.get(c, 150) for c in asked)
    words = [p[0] if len(p) == 1 else t for p, t in ((reporters, reporter), (partners, partner))]
    words = [re.sub(r"[^a-z0-9]+", "-", w.lower()).strip("-")[:40] for w in words]
    words += [c.lower().replace("/", "-") for c in (asked[:3] if codes else ())]
    words += ["a"] * (freq == "A") + [written.lower()] * (written != "HS")
    words += [str(len(asked))] * (len(asked) > 3)
    whom = len(partners) if partners != (ALL,) else 50
    flowed = tuple(dict.fromkeys(flows))
    return Part("-".join(words), reporters, partners, flowed, asked, guess * whom, freq, written)


Newest = list[tuple["Leaf", dict[tuple[Box, ...], list[str]]]]


@dataclass(frozen=True)
class Leaf:
    """One stored file: the question it answers and the releases it was read from."""

    raw: store.Raw
    call: Call
    released: Mapping[str, str]  # by reporter and period
    expires: date | None  # of "no rows", which is believed for some days

    def chosen(self, table: Any, groups: Mapping[tuple[Box, ...], list[str]]) -> pd.DataFrame:
        """Return its rows of the reporters and periods, without those of newer questions."""
        if list(groups) == [()] and len(groups[()]) == len(self.call.pairs()):
            return pd.DataFrame(table)
        pair = table["reporter"] + "-" + table["period"].dt.strftime("%Y%m")
        parts = []
        for newer, pairs in groups.items():
            named = [(from_comtrade(int(p.split("-")[0])), p.split("-")[1]) for p in pairs]
            part: pd.DataFrame = table[pair.isin([f"{r}-{(p + '01')[:6]}" for r, p in named])]
            for box in newer:
                part = part[~box.holds(part)]
            parts.append(part)
        return pd.concat(parts)


def leaves(raws: Iterable[store.Raw] | None = None) -> list[Leaf]:
    """Return every stored file of UN Comtrade, sorted by id.

    One whose query cannot be read is left out with an `UnreadableFileWarning`.
    """
    needed = {"part", "freq", "reporters", "periods", "box", "releases"}
    found = []
    for raw in sorted(store.catalogue() if raws is None else raws, key=lambda r: r.id):
        if raw.id.startswith(FOLDER + "/") and needed <= set(raw.query):
            try:
                found.append(_leaf(raw))
            except SchemaMismatch as error:
                store.leave_out(raw.id, error)
    return found


def _leaf(raw: store.Raw) -> Leaf:
    """Return a stored file by its sidecar, or say that its query is damaged."""
    try:
        told, until = raw.query["releases"], raw.query.get("expires")
        checksums = {pair: str(release["checksum"]) for pair, release in told.items()}
        call = Call.from_dict(raw.query | {"releases": checksums})
        pairs = [f"{int(r)}-{int(p)}" for r in call.reporters for p in call.periods]
        days = {pair: str(told[pair]["released"]) for pair in pairs}
        hash(call.box)
        return Leaf(raw, call, days, date.fromisoformat(str(until)) if until else None)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SchemaMismatch(
            f"a query that cannot be read ({type(error).__name__})",
            "the question the reply answers, as a refresh wrote it",
            "delete file and sidecar, and refresh again",
        ) from None


def held(known: Iterable[Leaf], releases: Mapping[Slot, str]) -> dict[Slot, frozenset[Box]]:
    """Return by frequency, reporter and period what is stored of the releases now shown."""
    today = datetime.now(UTC).date()
    found: dict[Slot, set[Box]] = {}
    for leaf in (x for x in known if x.expires is None or x.expires >= today):
        for pair, checksum in leaf.call.releases:
            slot = (leaf.call.freq, pair)
            if releases.get(slot) == checksum:
                found.setdefault(slot, set()).add(leaf.call.box)
    return {slot: frozenset(boxes) for slot, boxes in found.items()}


def months(wanted: Box, reporter: int, system: str | None = None) -> set[str]:
    """Return the months, as ``202201``, of which all in a box was asked of a reporter and stored.

    A code without a row there is no trade. With ``system`` only replies in that trade system count.
    """
    boxes: dict[str, set[Box]] = {}
    for leaf in leaves():
        if leaf.call.freq == "M" and reporter in leaf.call.reporters:
            for period in leaf.call.periods:
                known = leaf.raw.query.get("systems", {}).get(f"{reporter}-{period}", "unknown")
                if system in (None, known):
                    boxes.setdefault(period, set()).add(leaf.call.box)
    return {period for period, have in boxes.items() if covered(wanted, frozenset(have))}


def newest(
    known: Sequence[Leaf], as_of: str | None = None, places: Collection[Slot] | None = None
) -> Newest:
    """Return the files to read, and by newer questions the reporters and periods to read them for.

    Of every reporter, period, flow, partner and code the newest release that was asked counts;
    ``as_of`` leaves out what was released after that day; ``places`` names what to keep.
    """
    slots: dict[Slot, list[tuple[str, str, str]]] = {}
    by_id = {leaf.raw.id: leaf for leaf in known}
    for leaf in known:
        for pair in leaf.call.pairs():
            released = leaf.released[pair]
            wanted = places is None or (leaf.call.freq, pair) in places
            if wanted and (as_of is None or released[:10] <= as_of):
                ranked = (released, leaf.raw.accessed, leaf.raw.id)
                slots.setdefault((leaf.call.freq, pair), []).append(ranked)
    found: dict[str, dict[tuple[Box, ...], list[str]]] = {}
    for (_, pair), ranks in slots.items():
        newer: tuple[Box, ...] = ()
        for _, _, file in sorted(ranks, reverse=True):
            box = by_id[file].call.box
            if box not in newer:
                mine = tuple(b for b in newer if b.system == box.system)
                found.setdefault(file, {}).setdefault(mine, []).append(pair)
                newer = (*newer, box)
    return [(by_id[file], groups) for file, groups in sorted(found.items())]


def may_hold(
    query: Mapping[str, Any], keep: Mapping[str, Sequence[str]], within: Window | None = None
) -> bool:
    """Tell from its question alone whether a file may hold rows with the values asked for."""
    box = query.get("box")
    if not isinstance(box, dict):
        return True
    known = {
        "freq": [query["freq"]],
        "flow": box["flows"],
        "reporter": [from_comtrade(int(r)) for r in query["reporters"]],
        "source": [PUBLISHER],
    }
    if ALL not in box["partners"]:
        known["partner"] = [from_comtrade(int(p)) for p in box["partners"]]
    if not all(set(keep[c]) & set(values) for c, values in known.items() if c in keep):
        return False
    if not any(s.startswith("HS") for s in keep.get("code_system", ["HS"])):
        return False
    starts = [12 * int(p[:4]) + int(p[4:] or 1) - 1 for p in map(str, query["periods"])]
    if within is not None and not any(within.first <= s <= within.last for s in starts):
        return False
    return "code" not in keep or any(covers(box["codes"], code) for code in keep["code"])
