"""What the store holds of UN Comtrade: which rows of which release, and which are the newest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import from_comtrade
from tradeflows.errors import SchemaMismatch, TradeflowsError
from tradeflows.periods import Window
from tradeflows.sources import parsed
from tradeflows.sources.comtrade.question import ALL, Box, Call, covers, remaining
from tradeflows.sources.comtrade.reply import PUBLISHER

__all__ = [
    "FOLDER",
    "Leaf",
    "assemble",
    "complete",
    "differing",
    "held",
    "leaves",
    "may_hold",
    "months",
    "newest",
    "of_pairs",
    "path",
]

FOLDER = "un-comtrade/live"
_KEY = [k for k in tables.TABLES["trade"].key if k != "vintage"]


@dataclass(frozen=True)
class Leaf:
    """One stored reply: the question it answers and the releases it was read from."""

    raw: store.Raw
    call: Call

    def release(self, pair: str) -> tuple[str, str]:
        """Return checksum and date of release of a reporter and period."""
        told = self.raw.query["releases"][pair]
        return str(told["checksum"]), str(told["released"])

    def pairs(self) -> list[str]:
        """Return the reporters and periods it covers, as ``792-202201``."""
        return [f"{r}-{p}" for r in self.call.reporters for p in self.call.periods]

    def expired(self, today: date) -> bool:
        """Tell whether it says "no rows" and said so too long ago."""
        until = self.raw.query.get("expires")
        return bool(until) and date.fromisoformat(str(until)) < today


def path(call: Call, vintage: str, extra: str = "") -> str:
    """Return where the reply to a call is stored: the same call and release, the same place."""
    first, last = call.periods[0], call.periods[-1]
    span = first if first == last else f"{first}-{last}"
    return f"{FOLDER}/{call.part}-{span}@{vintage}-{call.identity()}{extra}.json.gz"


def leaves(raws: Iterable[store.Raw] | None = None) -> list[Leaf]:
    """Return every stored reply of UN Comtrade, sorted by id.

    One whose query cannot be read is left out with an `UnreadableFileWarning`.
    """
    known = store.catalogue() if raws is None else raws
    mine = [r for r in known if r.id.startswith(FOLDER + "/") and r.complete and _told(r.query)]
    found = []
    for raw in sorted(mine, key=lambda r: r.id):
        try:
            found.append(Leaf(raw, _asked(raw)))
        except SchemaMismatch as error:
            store.leave_out(raw.id, error)
    return found


def _told(query: Mapping[str, Any]) -> bool:
    return {"part", "freq", "reporters", "periods", "box", "releases"} <= set(query)


def _asked(raw: store.Raw) -> Call:
    """Return the call of a sidecar, or say that its query is damaged."""
    try:
        call = _call(raw.query)
        for pair in (f"{int(r)}-{int(p)}" for r in call.reporters for p in call.periods):
            str(raw.query["releases"][pair]["released"])
        until = raw.query.get("expires")
        date.fromisoformat(str(until) if until else "2000-01-01")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SchemaMismatch(
            f"{raw.id}: a query that cannot be read ({type(error).__name__})",
            "the question the reply answers, as a refresh wrote it",
            "delete file and sidecar, and refresh again",
        ) from None
    return call


def _call(query: Mapping[str, Any]) -> Call:
    plain = {k: query.get(k) for k in ("part", "freq", "reporters", "periods", "box", "whole")}
    return Call.from_dict(
        plain | {"releases": {k: str(v["checksum"]) for k, v in query["releases"].items()}}
    )


def held(
    known: Iterable[Leaf], releases: Mapping[str, str], freq: str = "M"
) -> dict[str, list[Box]]:
    """Return by reporter and period what is stored of the release the publisher now shows."""
    today = datetime.now(UTC).date()
    found: dict[str, list[Box]] = {}
    for leaf in known:
        if leaf.expired(today) or leaf.call.freq != freq:
            continue
        for pair in leaf.pairs():
            if pair in releases and leaf.release(pair)[0] == releases[pair]:
                found.setdefault(pair, []).append(leaf.call.box)
    return found


def months(wanted: Box, reporter: int, system: str | None = None) -> set[str]:
    """Return the months, as ``202201``, of which all in a box was asked of a reporter and stored.

    A code without a row there is no trade. With ``system`` only replies in that trade system count.
    """
    boxes: dict[str, list[Box]] = {}
    for leaf in leaves():
        if leaf.call.freq == "M" and reporter in leaf.call.reporters:
            for period in leaf.call.periods:
                known = leaf.raw.query.get("systems", {}).get(f"{reporter}-{period}", "unknown")
                if system in (None, known):
                    boxes.setdefault(period, []).append(leaf.call.box)
    return {period for period, held_ in boxes.items() if not remaining(wanted, held_)}


def newest(known: Iterable[Leaf], as_of: str | None = None) -> list[tuple[Leaf, list[str]]]:
    """Return the replies to read, each with the reporters and periods it is to be read for.

    Within a part, reporter and period the newest complete release counts, or the newest where
    none is complete; ``as_of`` leaves out what was released after that day.
    """
    boxes: dict[tuple[str, str, str], list[Box]] = {}
    slots: dict[tuple[str, str, str], dict[tuple[str, str], list[Leaf]]] = {}
    for leaf in known:
        for pair in leaf.pairs():
            if as_of is not None and leaf.release(pair)[1][:10] > as_of:
                continue
            slot = slots.setdefault((leaf.call.part, leaf.call.freq, pair), {})
            slot.setdefault(leaf.release(pair), []).append(leaf)
            place = (leaf.call.freq, pair, leaf.release(pair)[0])
            boxes.setdefault(place, []).append(leaf.call.box)
    chosen: dict[str, tuple[Leaf, list[str]]] = {}
    for (_, freq, pair), releases in slots.items():
        ranked = {
            release: (
                complete(mine, boxes[freq, pair, release[0]]),
                release[1],
                max(leaf.raw.accessed for leaf in mine),
            )
            for release, mine in releases.items()
        }
        for leaf in releases[max(ranked, key=lambda r: ranked[r])]:
            chosen.setdefault(leaf.raw.id, (leaf, []))[1].append(pair)
    return [chosen[file] for file in sorted(chosen)]


def complete(replies: Iterable[Leaf], boxes: Iterable[Box]) -> bool:
    """Tell whether boxes hold together all that the part of the replies asks for."""
    whole = max(replies, key=lambda x: x.raw.accessed).call.whole
    return whole is None or not remaining(whole, boxes)


def assemble(
    as_of: str | None = None,
    raws: Iterable[store.Raw] | None = None,
    *,
    keep: Mapping[str, Sequence[str]] | None = None,
    within: Window | None = None,
    places: Collection[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Return the newest rows of everything stored of UN Comtrade as one trade table.

    Rows that two pulls both asked for stand once. A reply that cannot be read is left out with an
    `UnreadableFileWarning`; an older release of its months is read if one is stored.

    Parameters
    ----------
    as_of : str, optional
        ``YYYY-MM-DD``: only what had been released by then.
    raws : iterable of Raw, optional
        Sidecars to choose among; all by default.
    keep : mapping, optional
        Values to keep, by column of the key of ``trade``.
    within : Window, optional
        Months to keep.
    places : collection of (str, str), optional
        Frequencies with reporters and periods to keep, as `differing` returns them.
    """
    known = leaves(raws)
    found: dict[str, pd.DataFrame] = {}
    keep = keep or {}
    while True:
        chosen = [(x, p) for x, p in newest(known, as_of) if may_hold(x.raw.query, keep, within)]
        if places is not None:
            kept = ((x, [k for k in p if (x.call.freq, k) in places]) for x, p in chosen)
            chosen = [(x, p) for x, p in kept if p]
        unread = [leaf for leaf, _ in chosen if leaf.raw.id not in found]
        if not unread:
            break
        for leaf in unread:
            try:
                found[leaf.raw.id] = parsed.table(leaf.raw, keep, within)
            except TradeflowsError as error:
                store.leave_out(leaf.raw.id, error)
                known = [x for x in known if x.raw.id != leaf.raw.id]
    frames = []
    for leaf, pairs in chosen:
        frame = found[leaf.raw.id]
        frames.append(of_pairs(frame, pairs) if len(pairs) < len(leaf.pairs()) else frame)
    filled = [f for f in frames if not f.empty]
    if not filled:
        return tables.empty("trade")
    return tables.validate(_once(pd.concat(filled, ignore_index=True)), "trade", where=PUBLISHER)


def differing(known: Sequence[Leaf], old: str, new: str) -> set[tuple[str, str]]:
    """Return the frequencies, reporters and periods that other replies answer on another day."""
    read: list[dict[tuple[str, str], set[str]]] = []
    for day in (old, new):
        found: dict[tuple[str, str], set[str]] = {}
        for leaf, pairs in newest(known, day):
            for pair in pairs:
                found.setdefault((leaf.call.freq, pair), set()).add(leaf.raw.id)
        read.append(found)
    return {k for k in read[0] | read[1] if read[0].get(k) != read[1].get(k)}


def may_hold(
    query: Mapping[str, Any], keep: Mapping[str, Sequence[str]], within: Window | None = None
) -> bool:
    """Tell from its question alone whether a reply may hold rows with the values asked for."""
    box = query.get("box")
    if not isinstance(box, dict):
        return True
    known = {
        "freq": [query["freq"]],
        "flow": box["flows"],
        "reporter": [from_comtrade(int(r)) for r in query["reporters"]],
        "source": [PUBLISHER],
    }
    if list(box["partners"]) != [ALL]:
        known["partner"] = [from_comtrade(int(p)) for p in box["partners"]]
    if not all(set(keep[c]) & set(values) for c, values in known.items() if c in keep):
        return False
    if not any(s.startswith("HS") for s in keep.get("code_system", ["HS"])):
        return False
    if within is not None and not any(_overlap(str(p), within) for p in query["periods"]):
        return False
    return "code" not in keep or any(covers(box["codes"], code) for code in keep["code"])


def _overlap(period: str, within: Window) -> bool:
    """Tell whether a period, ``202201`` or ``2022``, has its first day in a window."""
    return within.first <= 12 * int(period[:4]) + int(period[4:] or 1) - 1 <= within.last


def _once(whole: pd.DataFrame) -> pd.DataFrame:
    """Return rows that two pulls asked for once: the newer vintage, then the first file."""
    twice = whole.duplicated(_KEY, keep=False)
    if not twice.any():
        return whole
    ranked = whole[twice].sort_values("origin", kind="stable")
    ranked = ranked.sort_values("vintage", ascending=False, kind="stable")
    return pd.concat([whole[~twice], ranked.drop_duplicates(_KEY, keep="first")])


def of_pairs(frame: pd.DataFrame, pairs: Iterable[str]) -> pd.DataFrame:
    """Return the rows of some reporters and periods, written ``792-202201``."""
    pair = frame["reporter"] + "-" + frame["period"].dt.strftime("%Y%m")
    chosen: pd.DataFrame = frame[pair.isin(_spelled(pairs))]
    return chosen


def _spelled(pairs: Iterable[str]) -> set[str]:
    spelled = set()
    for pair in pairs:
        number, period = pair.split("-")
        spelled.add(f"{from_comtrade(int(number))}-{period if len(period) == 6 else period + '01'}")
    return spelled
