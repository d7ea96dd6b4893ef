"""Series of months: one number a month, and which months are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tradeflows.errors import SchemaMismatch
from tradeflows.load import load

__all__ = ["months_by_year", "series"]


def series(table: str, **columns: Any) -> pd.Series:
    """Load one series as numbers by month.

    Parameters
    ----------
    table : {"trade", "prices", "volumes"}
    **columns
        As in `load`: ``source="TÜİK"``, ``code="TOTAL"``, ``months="2021/2022"``.

    Returns
    -------
    pandas.Series
        ``value_usd`` of trade, ``value`` of prices and volumes, indexed by period, sorted. Its
        ``attrs["origins"]`` names the raw files.

    Raises
    ------
    SchemaMismatch
        A period stands in several rows: the question leaves a column open.
    UnknownCode, DoubleCountedTotals
        As `load`.

    Examples
    --------
    >>> series("prices", series="brent", months="2022").round(1).iloc[0].item()
    85.5
    """
    frame = load(table, **columns).sort_values("period")
    if twice := frame["period"][frame["period"].duplicated()].tolist():
        rows = frame[frame["period"] == twice[0]]
        open_ = [c for c in rows if c not in ("origin", "vintage") and len(set(rows[c])) > 1]
        raise SchemaMismatch(
            f"{len(rows)} rows for {twice[0]:%Y-%m}, which differ in {', '.join(open_)}",
            "one row a period",
            f"name one of each: {', '.join(f'{c}=…' for c in open_[:3])}",
        )
    found = frame.set_index("period")["value_usd" if table == "trade" else "value"]
    found.attrs["origins"] = tuple(sorted(set(frame["origin"])))
    return found


def months_by_year(found: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Count the months of each series by year: what is there, before anything is summed.

    Parameters
    ----------
    found : mapping of str to Series
        Name to a series by month; missing values do not count.

    Returns
    -------
    pandas.DataFrame
        A row a year, a column a series.

    Examples
    --------
    >>> brent = series("prices", series="brent", months="2021-07/2022-12")
    >>> months_by_year({"Brent": brent})["Brent"].to_dict()
    {2021: 6, 2022: 12}
    """
    counts = {}
    for name, values in found.items():
        there = pd.DatetimeIndex(values.dropna().index)
        counts[name] = values.dropna().groupby(there.year).size()
    return pd.DataFrame(counts).fillna(0).astype(int).rename_axis("year")
