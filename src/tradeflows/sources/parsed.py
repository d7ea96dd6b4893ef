"""Raw files as tables: parsed once, kept as Parquet beside the raw files, read again filtered.

What is kept is named for all that it rests on: sidecar, size and time of the file, exchange rates,
the code that parsed it. Where one of them changed another name is looked for, so nothing old is
ever read. Files are written whole under a name of their own: processes need not wait for each
other. Where the data folder cannot be written tables are kept in memory.
"""

from __future__ import annotations

import hashlib
import inspect
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tradeflows import store, tables
from tradeflows.periods import Window
from tradeflows.sources import snapshot
from tradeflows.sources.registry import reader

__all__ = ["column", "matching", "table"]

Keep = Mapping[str, Sequence[str]]
SMALL = 5_000  # rows; smaller tables stay in memory
_MOST = 2_000_000  # rows in memory, all tables together
_GROUP = 10_000  # rows that are skipped together where none is asked for
_held: OrderedDict[str, pd.DataFrame] = OrderedDict()


def table(raw: store.Raw, keep: Keep | None = None, within: Window | None = None) -> pd.DataFrame:
    """Return the rows of one raw file that have the values asked for.

    Parameters
    ----------
    raw : Raw
        Its sidecar.
    keep : mapping of str to sequence of str, optional
        Values to keep, by a column of text.
    within : Window, optional
        Months to keep.

    Returns
    -------
    pandas.DataFrame
        The table that the sidecar names, validated.

    Raises
    ------
    TradeflowsError
        As the reader of its publisher; the bytes are not those of the sidecar.
    """
    keep = keep or {}
    key = _key(raw)
    if key in _held:
        _held.move_to_end(key)
        return matching(_held[key], keep, within)
    place = _place(raw, key)
    if raw.rows > SMALL and (found := _kept(place, keep, within)) is not None:
        return found
    found = None if raw.rows > SMALL else _kept(place, {}, None)
    if found is None:
        found = _parsed(raw)
        if _write(found, place) and len(found) > SMALL:
            return matching(found, keep, within)
    _hold(key, found)
    return matching(found, keep, within)


def column(raw: store.Raw, name: str) -> set[str]:
    """Return the values of one column of a raw file, as text."""
    place = _place(raw, _key(raw))
    if raw.rows > SMALL and place is not None and place.is_file():
        try:
            values = pq.read_table(place, columns=[name]).column(0).unique().to_pandas()
            return set(values.dropna().astype(str))
        except (OSError, pa.ArrowException):
            pass
    return set(table(raw)[name].drop_duplicates().dropna().astype(str))


def matching(frame: pd.DataFrame, keep: Keep, within: Window | None = None) -> pd.DataFrame:
    """Return the rows of a frame that have the values asked for."""
    for name, values in keep.items():
        frame = frame[frame[name].astype(str).isin(values)]
    if within is not None:
        first, last = pd.Timestamp(within.month(0)), pd.Timestamp(within.month(-1))
        frame = frame[(frame["period"] >= first) & (frame["period"] <= last)]
    return frame.copy(deep=False)


def _parsed(raw: store.Raw) -> pd.DataFrame:
    if not raw.live:
        return snapshot.parse(store.read(raw.id), raw)
    parse = reader(raw.id.split("/")[0])
    found = parse(store.read(raw.id), raw)
    own = parse.__module__.startswith("tradeflows.")
    return found if own else tables.validate(found, raw.table, where=raw.id)


def _key(raw: store.Raw) -> str:
    """Return the name of all that a table rests on."""
    parts = [
        repr(replace(raw, path=Path(raw.id))),
        *_stamps([raw.path, store.folder() / snapshot.RATES]),
    ]
    parts.append(_code())
    if raw.live:
        parts.append(_source(raw.id.split("/")[0]))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _stamps(paths: Iterable[Path]) -> list[str]:
    """Return size and time of files, and of their sidecars."""
    found = []
    for path in (q for p in paths for q in (p, p.with_name(p.name + store.SIDECAR))):
        try:
            known = path.stat()
            found.append(f"{known.st_size} {known.st_mtime_ns}")
        except OSError:
            found.append("not there")
    return found


@lru_cache
def _code() -> str:
    """Return the hash of the code and lists that tables are made with."""
    package, whole = Path(__file__).parents[1], hashlib.sha256()
    for file in sorted([*(package / "sources").rglob("*"), *(package / "codes").rglob("*"),
                        package / "tables.py"]):  # fmt: skip
        if file.is_file() and file.suffix != ".pyc":
            whole.update(file.read_bytes())
    return whole.hexdigest()


def _source(publisher: str) -> str:
    """Return the hash of a reader of another package; what is in this one `_code` knows."""
    parse = reader(publisher)
    if parse.__module__.startswith("tradeflows."):
        return ""
    try:
        text = Path(inspect.getfile(parse)).read_bytes()
    except (OSError, TypeError):
        text = b""
    code = getattr(parse, "__code__", None)
    plain = [c for c in code.co_consts if isinstance(c, str | int | float)] if code else []
    return hashlib.sha256(text + repr(plain).encode()).hexdigest()


def _place(raw: store.Raw, key: str) -> Path | None:
    """Return where a table is kept; none beside the snapshot inside the package."""
    if store.folder().name != "raw":
        return None
    name = hashlib.sha256(raw.id.encode()).hexdigest()[:12]
    return store.processed() / "tables" / f"{name}-{key}.parquet"


def _kept(place: Path | None, keep: Keep, within: Window | None) -> pd.DataFrame | None:
    """Return what is kept, or nothing where it is not there or damaged."""
    if place is None:
        return None
    asked: list[tuple[str, str, object]] = [(n, "in", list(v)) for n, v in keep.items()]
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


def _hold(key: str, frame: pd.DataFrame) -> None:
    _held[key] = frame
    while len(_held) > 1 and sum(map(len, _held.values())) > _MOST:
        _held.popitem(last=False)
