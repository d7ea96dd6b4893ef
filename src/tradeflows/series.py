"""Series of months: one number a month, and which months are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.load import load, rows


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
        same = frame[frame["period"] == twice[0]]
        open_ = [c for c in same if c not in ("origin", "vintage") and len(set(same[c])) > 1]
        raise SchemaMismatch(
            f"{len(same)} rows for {twice[0]:%Y-%m}, which differ in {', '.join(open_)}",
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
    years = {
        name: pd.Series(pd.DatetimeIndex(values.dropna().index).year).value_counts()
        for name, values in found.items()
    }
    return pd.DataFrame(years).sort_index().fillna(0).astype(int).rename_axis("year")


def on_one_system(**columns: Any) -> pd.DataFrame:
    """Load trade, each reporter's flow on one trade system: two are never mixed or added.

    A publisher may hold some months as general trade and others as special. The system is the one
    in which the newest month of the flow stands; months that are stored as another only are left
    out.

    Parameters
    ----------
    **columns
        As in `load`: ``source="UN Comtrade"``, ``reporter="TUR"``, ``freq="M"``, ``level=6``.

    Returns
    -------
    pandas.DataFrame
        Rows of the table ``trade``. Its ``attrs["trade_system"]`` names the system, and how many
        months are left out.

    Raises
    ------
    UnknownCode, DoubleCountedTotals
        As `load`.

    Examples
    --------
    >>> rows = on_one_system(source="TÜİK", flow="M", code="TOTAL", freq="M", months="2022")
    >>> rows.attrs["trade_system"]
    'general trade'
    """
    stored = rows("trade", **columns)
    several = sorted(set(stored["trade_system"]))
    if len(several) < 2 or len(set(stored["source"])) > 1:
        every = load("trade", **columns)
    else:
        parts = [load("trade", **{**columns, "trade_system": system}) for system in several]
        every = pd.concat(parts, ignore_index=True)
    keys = ["reporter", "flow", "trade_system"]  # of equal ones the first: general trade
    months = every.groupby(keys)["period"].agg(["max", "nunique"]).reset_index()
    months = months.sort_values(["max", "nunique"], ascending=False, kind="stable")
    chosen = months.drop_duplicates(["reporter", "flow"])
    kept = pd.MultiIndex.from_frame(every[keys]).isin(pd.MultiIndex.from_frame(chosen[keys]))
    found = every[kept].reset_index(drop=True)
    other = every[~every["period"].isin(found["period"])].groupby("trade_system")["period"]
    left = [f"; {n} more months are of {name} trade" for name, n in other.nunique().items()]
    found.attrs["trade_system"] = (
        f"{', '.join(sorted(set(chosen['trade_system'])))} trade" + "".join(left)
    )
    return found


def fullest(
    sources: Sequence[Mapping[str, str]], windows: Sequence[object], **columns: Any
) -> dict[str, str]:
    """Return the statistic that holds most months of some windows; of equals the first.

    Parameters
    ----------
    sources : sequence of mapping
        Statistics, the preferred one first: ``{"source": "TÜİK", "trade_system": "general"}``.
    windows : sequence
        Windows of months, see `tradeflows.periods.Window`.
    **columns
        As in `load`; of several partners a month counts where all of them have rows.

    Raises
    ------
    UnknownCode
        No source holds any; the message is that of the last.

    Examples
    --------
    >>> two = [{"source": "UN Comtrade"}, {"source": "TÜİK", "trade_system": "general"}]
    >>> fullest(two, ["2022"], partner="RUS", flow="M", code="TOTAL", freq="M")["source"]
    'TÜİK'
    """
    asked = columns.get("partner", "")
    partners = 1 if isinstance(asked, str) else len({*asked})
    held = [0] * len(sources)
    for n, source in enumerate(sources):
        for window in windows:
            try:
                found = on_one_system(months=window, **source, **columns)
            except UnknownCode as error:
                failed = error
            else:
                held[n] += int((found.groupby("period")["partner"].nunique() >= partners).sum())
    if not any(held):
        raise failed
    return dict(sources[held.index(max(held))])
