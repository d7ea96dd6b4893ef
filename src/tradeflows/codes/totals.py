"""Names of totals: the world, groups of countries, flows and products that hold others.

`totals.csv` beside this module lists them as publishers write them. `one_inside_another` is asked
before anything is summed: areas that are no country (Areas nes, bunkers, free zones) are partners
like any other.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

from tradeflows.codes.countries import SPECIAL, countries, plain

_FILE = Path(__file__).with_name("totals.csv")
_COLUMN = {"partner": "place", "reporter": "place", "flow": "flow", "code": "code"}


@dataclass(frozen=True)
class _Total:
    """What a name stands for: ``all``, a ``group``, what lies ``outside`` one, ``some``, a flow."""

    kind: str
    members: frozenset[str]


def _plain(name: Any) -> str:
    """Return a name without case, accents, spaces and punctuation, a number without its ``.0``."""
    text = re.sub(r"\.0+$", "", str(name).strip())
    return plain(text).replace(" ", "") or text.casefold()  # Мир has no letter of ours


@cache
def _totals() -> dict[tuple[str, str], _Total]:
    with _FILE.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    found: dict[tuple[str, str], _Total] = {}
    for row in rows:
        place = row["column"] == "place"
        members = frozenset(_plain(m) if place else m for m in row["members"].split("|") if m)
        for name in row["names"].split("|"):
            found.setdefault((row["column"], _plain(name)), _Total(row["kind"], members))
    return found


@cache
def _places() -> dict[str, str]:
    """Map every plain name, number and letter code of a country to its ISO code."""
    found: dict[str, str] = {}
    for country in sorted(countries(), key=lambda c: not c.current):
        names = (country.code, country.name, str(country.comtrade), *country.others)
        for name in (*names, *re.findall("[A-Z]+", country.eurostat)):
            if name:
                found.setdefault(_plain(name), country.code)
    more = {"gr": "GRC", "uk": "GBR", "xi": "GBR", "xu": "GBR", "xs": "SRB"}
    areas = [name for (_, name), total in _totals().items() if total.kind == "area"]
    return found | more | {name: name for name in [*map(_plain, SPECIAL.values()), *areas]}


def is_world(name: Any) -> bool:
    """Say whether a partner or reporter is the world, as any publisher writes it."""
    total = _totals().get(("place", _plain(name)))
    return total is not None and total.kind == "all"


def members(name: Any) -> tuple[str, ...]:
    """Return the countries of a group, as any publisher writes it; none of what is no group.

    Examples
    --------
    >>> members("Avrasya Ekonomik Birliği"), members("Kazakhstan")
    (('ARM', 'BLR', 'KAZ', 'KGZ', 'RUS'), ())
    """
    total = _totals().get(("place", _plain(name)))
    found = (_places().get(m, m) for m in total.members) if total and total.kind == "group" else ()
    return tuple(sorted(code for code in found if len(code) == 3))


def one_inside_another(column: str, names: Iterable[Any]) -> tuple[str, str] | None:
    """Return two names of a column of which one holds trade of the other, or nothing."""
    found = sorted({str(name) for name in names if name == name and name is not None})  # NaN
    if column == "code":
        return _goods(found)
    kind = _COLUMN.get(column, "other")
    known = {name: _totals().get((kind, _plain(name))) for name in found}
    totals = {name: total for name, total in known.items() if total and total.kind != "area"}
    if kind == "flow":
        larger = sorted(totals, key=lambda name: -len(totals[name].members))
        for a, b in combinations(larger, 2):  # the flow that holds the other first
            x, y = totals[a], totals[b]
            if x.kind == y.kind or y.kind in x.members or x.kind in y.members:
                return a, b
        return None
    for name, total in totals.items():
        for other in found:
            if other != name and _holds(total, totals.get(other), other):
                return name, other
    return None


def _holds(total: _Total, other: _Total | None, name: str) -> bool:
    """Say whether a total and a place (or a second total) share trade."""
    if total.kind == "all" or (other and other.kind == "all"):
        return True
    if other is None:
        plain_ = _plain(name)
        place = _plain(_places().get(plain_, plain_))  # as `totals.csv` names it
        if total.kind.startswith("some"):
            return True
        if not (
            plain_ in _places() or place in total.members or re.match("UN [0-9]|Free zone", name)
        ):
            return True
        return (place in total.members) != (total.kind == "outside")
    kinds = {total.kind, other.kind}
    if any(kind.startswith("some") for kind in kinds):
        return total.kind != other.kind or ":" not in total.kind
    if kinds == {"group"}:
        return bool(total.members & other.members)
    if kinds == {"outside"}:
        return True
    group, outside = (total, other) if total.kind == "group" else (other, total)
    return not group.members <= outside.members


def overlap(one: str, other: str) -> bool:
    """Say whether two codes, groups or totals hold the same goods."""
    return any(a.startswith(b) or b.startswith(a) for a in _held(one) for b in _held(other))


def _held(code: str) -> Collection[str]:
    """Return the beginnings of the codes that a code, a range of chapters or a sum holds."""
    if code.isdigit():
        return (code,)
    if chapters := re.fullmatch(r"(\d\d)-(\d\d)(?:_\w+)?", code):
        return [f"{n:02d}" for n in range(int(chapters[1]), int(chapters[2]) + 1)]
    total = _totals().get(("code", _plain(code)))
    return () if total is None else total.members or ("",)


def _goods(codes: list[str]) -> tuple[str, str] | None:
    if len({len(c) for c in codes}) == 1 and all(c.isdigit() for c in codes):
        return None
    totals = {c: _totals().get(("code", _plain(c))) for c in codes}
    everything = [c for c, total in totals.items() if total and total.kind == "all"]
    if everything and len(codes) > 1:
        return everything[0], next(c for c in codes if c != everything[0])
    known = set(codes)
    sums = [c for c in codes if (totals[c] or not c[:3].isdigit()) and _held(c)]
    for code in codes:
        for n in range(1, len(code)):
            if not code[:n].isdigit():
                break
            if code[:n] in known:
                return code[:n], code
        for name in sums:
            if name != code and overlap(name, code):
                return name, code
    return None
