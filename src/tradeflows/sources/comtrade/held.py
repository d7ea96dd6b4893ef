"""What the store holds of UN Comtrade: which rows of which release, and which are the newest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import from_comtrade
from tradeflows.errors import SchemaMismatch
from tradeflows.periods import Window
from tradeflows.sources.comtrade.question import ALL, Box, Call, covered, covers
from tradeflows.sources.comtrade.reply import PUBLISHER

__all__ = ["FOLDER", "Leaf", "held", "leaves", "may_hold", "months", "newest"]

FOLDER = "un-comtrade/live"
Slot = tuple[str, str]  # frequency; reporter and period, as 792-202201
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
        if raw.id.startswith(FOLDER + "/") and raw.complete and needed <= set(raw.query):
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
