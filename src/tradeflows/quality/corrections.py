"""Corrections as data: what is changed in a raw file on loading, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd

from tradeflows import documents
from tradeflows.errors import SchemaMismatch

__all__ = ["Correction", "corrected", "corrections", "read"]

ACTIONS = ("drop",)
_HELP = "see the corrections that are there"
STATUSES = ("open", "reported", "fixed upstream")


@dataclass(frozen=True)
class Correction:
    """One correction: the rows, what happens to them, and the values they must still show."""

    file: str
    where: dict[str, Any]
    action: str
    expect: dict[str, float]
    reason: str
    status: str


@lru_cache
def corrections() -> tuple[Correction, ...]:
    """List all corrections."""
    return read(files("tradeflows.quality").joinpath("corrections.yml").read_bytes())


def read(text: bytes) -> tuple[Correction, ...]:
    """Return the corrections of a YAML text; anything but a list of whole entries is refused."""
    loaded = documents.parsed(text, "corrections.yml", _HELP)
    if not isinstance(loaded, list):
        raise _unreadable("no list")
    return tuple(_one(entry) for entry in loaded)


def _one(entry: Any) -> Correction:
    names = {f.name for f in fields(Correction)}
    if not isinstance(entry, dict) or set(entry) != names:
        raise _unreadable(f"an entry {repr(entry)[:80]}")
    texts = all(isinstance(entry[n], str) for n in ("file", "reason", "status"))
    maps = isinstance(entry["where"], dict) and isinstance(entry["expect"], dict)
    if not (texts and maps and entry["where"] and entry["expect"]):
        raise _unreadable(f"an entry for {repr(entry['file'])[:80]}")
    if entry["action"] not in ACTIONS or entry["status"] not in STATUSES:
        raise _unreadable(f"action {repr(entry['action'])[:20]}, {repr(entry['status'])[:20]}")
    return Correction(**entry)


def _unreadable(found: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"corrections.yml: {found}",
        f"a list of {', '.join(f.name for f in fields(Correction))}; action {' or '.join(ACTIONS)},"
        f" status {', '.join(STATUSES)}",
        _HELP,
    )


def corrected(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return a raw file's table, corrected; a row that is gone or says another thing is refused."""
    for correction in (c for c in corrections() if c.file == file):
        rows = pd.Series(True, index=frame.index)
        for column, value in correction.where.items():
            wanted = pd.Timestamp(value) if column == "period" else value
            rows &= frame[column] == wanted
        _guard(frame[rows], correction)
        frame = frame[~rows]
    return frame.reset_index(drop=True)


def _guard(rows: pd.DataFrame, correction: Correction) -> None:
    for column, value in correction.expect.items():
        if len(rows) != 1 or rows[column].iloc[0] != value:
            raise SchemaMismatch(
                f"{correction.file}, {correction.where}: {column} is {rows[column].tolist()}",
                f"{value}, as when the correction was written",
                "the source may have repaired itself: look, then remove the correction",
            )
