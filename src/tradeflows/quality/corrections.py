"""Corrections as data: what is changed in a raw file on loading, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import pandas as pd
import yaml

from tradeflows.errors import SchemaMismatch

__all__ = ["Correction", "corrected", "corrections"]


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
    """List all corrections.

    Examples
    --------
    >>> {c.action for c in corrections()}
    {'drop'}
    """
    text = files("tradeflows.quality").joinpath("corrections.yml").read_text("utf-8")
    return tuple(Correction(**entry) for entry in yaml.safe_load(text) or ())


def corrected(frame: pd.DataFrame, file: str) -> pd.DataFrame:
    """Apply the corrections of one raw file.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table read from the file.
    file : str
        Id of the raw file.

    Returns
    -------
    pandas.DataFrame
        Without the rows that are dropped.

    Raises
    ------
    SchemaMismatch
        A row that a correction names is gone or shows another value: the source has changed.
    """
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
