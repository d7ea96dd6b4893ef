"""What is stored: by table, publisher, pair and flow, from which period to which."""

from __future__ import annotations

import pandas as pd

from tradeflows import tables
from tradeflows.load import rows

__all__ = ["catalogue"]

_BY = ("table", "source", "trade_system", "reporter", "partner", "flow", "series", "freq",
       "code_system")  # fmt: skip


def catalogue(table: str = "") -> pd.DataFrame:
    """Return what `tf.load` can be asked for: snapshot and what a refresh brought.

    Parameters
    ----------
    table : {"trade", "prices", "volumes"}, optional
        One of the tables; all by default.

    Returns
    -------
    pandas.DataFrame
        A row for each table, publisher, pair, flow and system of codes, or series: ``first`` and
        ``last`` period, how many ``periods``, ``codes`` (a few by name) and ``rows``.

    Examples
    --------
    >>> held = catalogue("trade")
    >>> "RUS" in set(held["partner"][held["source"] == "UN Comtrade"])
    True
    """
    names = [table] if table else [n for n in tables.TABLES if n != "published"]
    found = pd.concat([rows(name).assign(table=name) for name in names], ignore_index=True)
    by = [c for c in _BY if c in found]
    groups = found.groupby(by, dropna=False, sort=True)
    held = pd.DataFrame({
        "first": groups["period"].min().dt.strftime("%Y-%m"),
        "last": groups["period"].max().dt.strftime("%Y-%m"),
        "periods": groups["period"].nunique(),
        "rows": groups.size(),
    })  # fmt: skip
    if "code" in found:
        held.insert(3, "codes", groups["code"].agg(_few))
    return held.reset_index().fillna("")


def _few(codes: pd.Series) -> str:
    known = sorted(codes.dropna().unique())
    return ", ".join(known[:4]) + (f" and {len(known) - 4} more" if known[4:] else "")
