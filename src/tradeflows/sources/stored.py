"""Stored files as tables: parsed once, kept as Parquet beside the raw files, read again filtered.

What is kept is named for all that it rests on: sidecar, size and time of the file, exchange rates,
the code that parsed it. Where one of them changed another name is looked for, so nothing old is
ever read. Files are written whole under a name of their own: processes need not wait for each
other. Where the data folder cannot be written tables are kept in memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tradeflows import store, tables
from tradeflows.errors import TradeflowsError
from tradeflows.periods import Window
from tradeflows.sources import (  # noqa: F401 - they register
    Reader,
    baci,
    comtrade,
    eurostat,
    reader,
    snapshot,
    tuik,
    worldbank,
)
from tradeflows.sources.comtrade import question

Keep = Mapping[str, Sequence[str]]
SMALL = 5_000  # rows; smaller tables stay in memory
_GROUP = 10_000  # rows that are skipped together where none is asked for
_memory: dict[str, pd.DataFrame] = {}


def files(name: str | None = None) -> list[store.Raw]:
    """Return what refreshes and downloads have brought, of one table or of all."""
    return [r for r in store.catalogue() if r.live and name in (None, r.table)]


def is_generated(raws: Iterable[store.Raw] | None = None) -> bool:
    """Tell whether any of the files comes from a server that makes its data up."""
    return any(r.query.get("generated") for r in (files() if raws is None else raws))


def released(raws: Sequence[store.Raw], as_of: str | None = None) -> list[store.Raw]:
    """Return the files that hold something released by a day; all without a day."""
    days = {raw.id: {raw.vintage} for raw in raws}
    for raw in raws:
        if isinstance(told := raw.query.get("releases"), dict):
            days[raw.id] = {str(release["released"])[:10] for release in told.values()}
    return [raw for raw in raws if not as_of or min(days[raw.id]) <= as_of]


def key_of(name: str) -> list[str]:
    """Return the columns that tell the rows of a table apart, whatever their vintage."""
    return [k for k in tables.TABLES[name].key if k != "vintage"]


def refreshed(
    name: str,
    as_of: str | None = None,
    *,
    keep: Keep | None = None,
    within: Window | None = None,
    places: Collection[question.Slot] | None = None,
) -> pd.DataFrame:
    """Return the newest rows of everything refreshed; BACI is left to `baci.to_parquet`.

    ``as_of`` is a day: only what had been released by then. ``keep`` holds values by column of the
    table's key, ``places`` frequencies with reporters and periods of UN Comtrade. A file that
    cannot be read is left out with an `UnreadableFileWarning`; an older release of its months is
    read if one is stored.
    """
    raws = [r for r in files(name) if not r.id.startswith("cepii/")]
    raws = [r for r in raws if may_hold(r, keep or {}, within)]
    found: dict[str, pd.DataFrame | None] = {}

    def opened(raw: store.Raw) -> pd.DataFrame | None:
        if raw.id not in found:
            found[raw.id] = None
            try:
                found[raw.id] = table(raw, keep, within)
            except TradeflowsError as error:
                store.leave_out(raw.id, error)
        return found[raw.id]

    leaves = question.leaves(raws)
    while bad := [x for x, _ in question.newest(leaves, as_of, places) if opened(x.raw) is None]:
        leaves = [x for x in leaves if x not in bad]
    others = [r for r in raws if not r.id.startswith(question.FOLDER)]
    others = tuik.newest([r for r in others if as_of is None or r.vintage <= as_of])
    frames = [
        x.chosen(opened(x.raw), groups) for x, groups in question.newest(leaves, as_of, places)
    ]
    filled = [f for f in (*frames, *map(opened, others)) if f is not None and len(f)]
    if not filled:
        return tables.empty(name)
    key = key_of(name)
    whole = pd.concat(filled, ignore_index=True).sort_values([*key, "vintage"], kind="stable")
    return tables.validate(whole.drop_duplicates(key, keep="last"), name, where="refreshed files")


def table(raw: store.Raw, keep: Keep | None = None, within: Window | None = None) -> pd.DataFrame:
    """Return the rows of one raw file that have the values and months asked for.

    Raises what the reader of its publisher does, and where the bytes are not those of the sidecar.
    """
    keep, key = keep or {}, _key(raw)
    if key not in _memory:
        place, large = _place(raw, key), raw.rows > SMALL
        found = _kept(place, keep if large else {}, within if large else None)
        if found is None:
            found = _parsed(raw)
            large &= _write(found, place)
        if large:
            return matching(found, keep, within)
        _memory[key] = found
    return matching(_memory[key], keep, within)


def may_hold(raw: store.Raw, keep: Keep, within: Window | None = None) -> bool:
    """Tell from its sidecar alone whether a file may hold rows with the values asked for."""
    known = {"source": raw.publisher, **raw.constants}
    fits = all(str(known[c]) in values for c, values in keep.items() if c in known)
    return fits and question.may_hold(raw.query, keep, within)


def matching(frame: pd.DataFrame, keep: Keep, within: Window | None = None) -> pd.DataFrame:
    """Return the rows of a frame that have the values asked for."""
    fits = [frame[name].astype(str).isin(values) for name, values in keep.items()]
    if within is not None:
        first, last = pd.Timestamp(within.month(0)), pd.Timestamp(within.month(-1))
        fits += [frame["period"] >= first, frame["period"] <= last]
    return frame[np.logical_and.reduce(fits)] if fits else frame.copy(deep=False)


def _reader(raw: store.Raw) -> tuple[Reader, bool]:
    """Return the reader of a file, and whether it is one of this package."""
    read = reader(raw.id.split("/")[0]) if raw.live else snapshot.parse
    return read, read.__module__.startswith("tradeflows.")


def _parsed(raw: store.Raw) -> pd.DataFrame:
    read, own = _reader(raw)
    found = read(store.read(raw.id), raw)
    return found if own else tables.validate(found, raw.table, where=raw.id)


def _key(raw: store.Raw) -> str:
    """Return the name of all that a table rests on."""
    read, own = _reader(raw)
    parts = [replace(raw, path=Path(raw.id)), _code() if own else getattr(read, "__code__", read)]
    for path in (raw.path, store.place(snapshot.RATES)):
        for file in (path, path.with_name(path.name + store.SIDECAR)):
            with suppress(OSError):
                parts += [file.stat().st_size, file.stat().st_mtime_ns]
            parts.append("")
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


@lru_cache
def _code() -> str:
    """Return the hash of the code and lists that tables are made with."""
    package, whole = Path(__file__).parents[1], hashlib.sha256()
    made = [f for room in ("sources", "codes") for f in (package / room).rglob("*")]
    for file in sorted([*made, package / "tables.py"]):
        if file.is_file() and file.suffix != ".pyc":
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _place(raw: store.Raw, key: str) -> Path | None:
    """Return where a table is kept; none beside the package's snapshot, or of readers elsewhere."""
    if store.folder().name != "raw" or not _reader(raw)[1]:
        return None
    name = hashlib.sha256(raw.id.encode()).hexdigest()[:12]
    return store.processed() / "tables" / f"{name}-{key}.parquet"


def _kept(place: Path | None, keep: Keep, within: Window | None) -> pd.DataFrame | None:
    """Return what is kept, or nothing where it is not there or damaged."""
    if place is None:
        return None
    asked: list[tuple[str, str, Any]] = [(n, "in", list(v)) for n, v in keep.items()]
    if within is not None:
        asked += [("period", ">=", pd.Timestamp(within.month(0)).to_datetime64())]
        asked += [("period", "<=", pd.Timestamp(within.month(-1)).to_datetime64())]
    try:
        found = pq.read_table(
            place, filters=asked or None, partitioning=None, use_threads=False,
            page_checksum_verification=True,
        )  # fmt: skip
        return pd.DataFrame(found.to_pandas())
    except (OSError, pa.ArrowException):
        return None


def _write(frame: pd.DataFrame, place: Path | None) -> bool:
    """Keep a table in place of what was kept of the same file; tell whether that went well."""
    if place is None:
        return False
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.Table.from_pandas(frame, preserve_index=False), part, row_group_size=_GROUP,
            compression="zstd", write_page_checksum=True,
        )  # fmt: skip
        part.replace(place)
        for other in place.parent.glob(f"{place.name.split('-')[0]}-*.parquet"):
            if other != place:
                other.unlink(missing_ok=True)
    except OSError:  # a full disk, a folder that may not be written
        with suppress(OSError):
            part.unlink(missing_ok=True)
        return False
    return True
