"""Corrections as data: what is changed in a raw file on loading, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.errors import SchemaMismatch


@dataclass(frozen=True)
class Correction:
    """One correction: the rows, what happens to them, and the values they must still show."""

    file: str
    where: dict[str, Any]
    action: str  # drop
    expect: dict[str, float]
    reason: str
    status: str  # open, reported, or fixed upstream


@lru_cache
def corrections() -> tuple[Correction, ...]:
    """List all corrections."""
    text = files("tradeflows.quality").joinpath("corrections.yml").read_bytes()
    return tuple(Correction(**entry) for entry in yaml.safe_load(text))


def corrected(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Return a raw file's table, corrected; a row that is gone or says another thing is refused."""
    for correction in (c for c in corrections() if c.file == file):
        rows = pd.Series(True, index=frame.index)
        for column, value in correction.where.items():
            wanted = pd.Timestamp(value) if column == "period" else value
            rows &= frame[column] == wanted
        for column, value in correction.expect.items():
            found = frame.loc[rows, column].tolist()
            if found != [value]:
                raise SchemaMismatch(
                    f"{correction.file}, {correction.where}: {column} is {found}",
                    f"{value}, as when the correction was written",
                    "the source may have repaired itself: look, then remove the correction",
                )
        frame = frame[~rows]
    return frame.reset_index(drop=True)
