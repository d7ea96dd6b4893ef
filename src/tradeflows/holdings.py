"""What is stored: by table, publisher, pair and flow, from which period to which."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tradeflows import tables
from tradeflows.errors import SourceUnavailable
from tradeflows.load import rows

__all__ = ["catalogue"]

_BY = ("table", "source", "trade_system", "reporter", "partner", "flow", "series", "freq",
       "code_system")  # fmt: skip


def catalogue(table: str = "", **columns: Any) -> pd.DataFrame:
    """Return what `tf.load` can be asked for: snapshot and what a refresh brought.

    Parameters
    ----------
    table : {"trade", "prices", "volumes"}, optional
        One of the tables; all that have the columns asked for by default.
    **columns : str or list of str
        ``reporter``, ``partner``, ``source``, … as `tf.load` takes them: only such rows.

    Returns
    -------
    pandas.DataFrame
        A row for each table, publisher, pair, flow and system of codes, or series: ``first`` and
        ``last`` period, how many ``periods``, ``codes`` (a few by name) and ``rows``.

    Raises
    ------
    UnknownCode
        No table has such a column.
    SourceUnavailable
        Nothing of the kind is stored.

    Examples
    --------
    >>> held = catalogue("trade")
    >>> "RUS" in set(held["partner"][held["source"] == "UN Comtrade"])
    True
    >>> catalogue(reporter="Turkey", partner="KAZ", flow="X")["partner"].unique().tolist()
    ['KAZ']
    """
    fit = [n for n, t in tables.TABLES.items() if n != "published" and {*columns} <= {*t.names}]
    names = [table] if table else fit or ["trade"]  # of which `rows` says what it lacks
    every = [rows(name, **columns).assign(table=name) for name in names]
    found = pd.concat(every, ignore_index=True)
    if found.empty and columns:
        raise SourceUnavailable(
            f"nothing is stored of {', '.join(f'{c} {said}' for c, said in columns.items())}",
            "values of the catalogue; countries by name or ISO 3166 alpha-3",
            "look through tf.catalogue(), or bring it: tradeflows refresh --help",
        )
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
