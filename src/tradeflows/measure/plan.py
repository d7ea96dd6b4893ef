"""What a screen of a far larger table would take, from rates measured on smaller ones.

The rates beside this file are written by ``bench/screen.py``: seconds by the clock, processor
seconds, peak memory and bytes of Parquet for generated worlds of several sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.words import Sentence, number

__all__ = ["Plan", "plan", "rates"]

MACHINES = 16  # of the cluster on paper
CORES = 16  # of each of them


@dataclass(frozen=True, eq=False)
class Plan:
    """Hours and disk for a table of so many rows.

    ``table``: engine, cores, hours, core_hours, measured_rows (the largest table the rate was
    measured on). ``gigabytes`` is the table as Parquet; ``memory`` the largest peak measured, GB.
    """

    rows: int
    gigabytes: float
    memory: float
    table: pd.DataFrame

    def sentence(self) -> Sentence:
        """Say what one machine takes and what a cluster takes."""
        named = self.table.set_index("engine")
        one = named.iloc[0]
        many = named.iloc[-1]
        return Sentence(
            f"{self.rows:,} rows are about {number(self.gigabytes)} GB as Parquet; one machine with"
            f" {int(one['cores'])} cores takes at least {_lasting(one['hours'])}."
            f" A cluster with {int(many['cores'])} cores would take at least"
            f" {_lasting(many['hours'])}, {number(many['core_hours'])} core hours, if it shared the"
            " work evenly."
        )

    def listed(self) -> pd.DataFrame:
        """Return the table in words: where, cores, time, core hours, largest table measured."""
        clock = [_lasting(h) for h in self.table["hours"]]
        spent = [number(h) for h in self.table["core_hours"]]
        measured = [f"{int(n):,}" for n in self.table["measured_rows"]]
        names = self.table["engine"].tolist()
        cores = self.table["cores"].astype(str).tolist()
        columns = {"where": names, "cores": cores, "time": clock, "core hours": spent}
        return pd.DataFrame({**columns, "measured up to (rows)": measured})


def rates() -> pd.DataFrame:
    """Return the measured rates: engine, rows, cores, seconds, processor_seconds, peak_gb, bytes.

    Examples
    --------
    >>> set(rates()["engine"]) >= {"DuckDB", "Polars"}
    True
    """
    with files("tradeflows.measure").joinpath("screen_rates.csv").open("rb") as handle:
        return pd.read_csv(handle)


def plan(rows: int = 1_000_000_000) -> Plan:
    """Extend the straight line through the measured seconds to a larger table.

    The default is about the size of a full monthly UN Comtrade. A screen reads two windows, so a
    real one reads less; the plan is for one pass over every row. Beyond memory the engine spills to
    disk, which the measured sizes hardly did: take the hours as a floor.

    Parameters
    ----------
    rows : int

    Returns
    -------
    Plan

    Examples
    --------
    >>> small, large = plan(10_000_000), plan()
    >>> bool(small.table["hours"].iloc[0] < large.table["hours"].iloc[0])
    True
    """
    measured = rates()
    engines = [e for e in ("DuckDB", "Spark") if (measured["engine"] == e).any()]
    found = [_line(measured, engine, rows) for engine in engines]
    cores = MACHINES * CORES
    where = f"{MACHINES} machines, at the rate of {engines[-1]}"
    shared = {"engine": where, "cores": cores, "hours": found[-1]["core_hours"] / cores}
    found.append({**found[-1], **shared})
    ours = measured[measured["engine"] == "DuckDB"]
    gigabytes = float(ours["bytes"].max() / ours["rows"].max() * rows / 1e9)
    return Plan(rows, gigabytes, float(ours["peak_gb"].max()), pd.DataFrame(found))


def _lasting(hours: float) -> str:
    """Write a time in the largest unit of which it holds one."""
    size, unit = next(
        ((n, u) for n, u in ((1, "hours"), (60, "minutes")) if hours * n >= 1), (3600, "seconds")
    )
    return f"{number(hours * size)} {unit}"


def _line(measured: pd.DataFrame, engine: str, rows: int) -> dict[str, Any]:
    runs = measured[measured["engine"] == engine]
    slope, start = np.polyfit(runs["rows"], runs["seconds"], 1)
    cores, hours = int(runs["cores"].iloc[0]), float(start + slope * rows) / 3600
    return {
        "engine": "DuckDB on one machine" if engine == "DuckDB" else f"{engine} on one machine",
        "cores": cores,
        "hours": hours,
        "core_hours": hours * cores,
        "measured_rows": int(runs["rows"].max()),
    }
