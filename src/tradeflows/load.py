"""From raw files to one validated table: the newest vintage, corrected, of one statistic."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import from_comtrade
from tradeflows.errors import DoubleCountedTotals, SourceUnavailable, UnknownCode
from tradeflows.quality.corrections import corrected
from tradeflows.sources import live, published

__all__ = ["load", "refuse_generated", "rows", "snapshot", "window"]

_FEW = 20  # values listed in a message


def load(table: str, *, months: str | None = None, **columns: str) -> pd.DataFrame:
    """Load a table: raw files read, checked against their sidecars, corrected, validated.

    The embedded snapshot and what a refresh brought are read together: of two vintages of a row
    the newer one. ``AS_OF=YYYY-MM-DD`` leaves out what was released later.

    Parameters
    ----------
    table : str
        ``trade``, ``prices``, ``volumes`` or ``published``.
    months : str, optional
        A window such as ``"2022"`` or ``"2021-03/2022-02"``.
    **columns : str
        Values to keep, by column: ``reporter="TUR"``, ``flow="M"``, ``series="brent"``. A comma
        separates alternatives: ``code="coal,lpg"``.

    Returns
    -------
    pandas.DataFrame
        The table's columns. ``trade`` holds one source and one trade system.

    Raises
    ------
    UnknownCode
        No such table, column or row; the message lists what there is.
    DoubleCountedTotals
        Several sources or trade systems report the trade asked for: choose one.
    ChecksumMismatch, SchemaMismatch
        A raw file changed or breaks a promise of its table.
    SourceUnavailable
        Generated trade in a data folder that ``TRADEFLOWS_DATA`` does not name.

    Examples
    --------
    >>> total = load("trade", partner="RUS", flow="M", code="TOTAL", source="TÜİK", months="2022")
    >>> round(float(total["value_usd"].sum()) / 1e9, 2)
    58.85
    """
    return _loaded(table, months, columns, refreshed=True)


def snapshot(table: str, *, months: str | None = None, **columns: str) -> pd.DataFrame:
    """Load a table from the embedded snapshot alone: what rests on it stays as it is.

    Parameters
    ----------
    table, months, **columns
        As in `load`.

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> snapshot("prices", series="brent", months="2022").shape[0]
    12
    """
    return _loaded(table, months, columns, refreshed=False)


def rows(table: str, *, months: str | None = None, **columns: str) -> pd.DataFrame:
    """Return the rows of every statistic that `load` would choose from; none where there are none.

    Examples
    --------
    >>> sorted(set(rows("trade", reporter="TUR", partner="KAZ", flow="X", code="TOTAL")["source"]))
    ['UN Comtrade', 'WITS']
    >>> len(rows("prices", series="frankincense"))
    0
    """
    return _rows(table, months, columns, refreshed=True)


def _loaded(
    table: str, months: str | None, columns: dict[str, str], *, refreshed: bool
) -> pd.DataFrame:
    found = _rows(table, months, columns, refreshed=refreshed)
    if found.empty:
        raise _nothing(table, columns, months)
    if table == "trade":
        _one_statistic(found)
    return tables.validate(found, table, where="load")


def _rows(
    table: str, months: str | None, columns: dict[str, str], *, refreshed: bool
) -> pd.DataFrame:
    if table not in tables.TABLES:
        raise UnknownCode(f"no table {table!r}", f"one of {', '.join(tables.TABLES)}", "name one")
    unknown = [c for c in columns if c not in tables.TABLES[table].names]
    if unknown:
        names = ", ".join(tables.TABLES[table].names)
        raise UnknownCode(f"table {table!r} has no columns {unknown}", names, "name one of them")
    within = window(months) if months else None
    found = _embedded(table, columns)
    if refreshed:
        found = _merged(table, found, _live(table, columns))
    return found[found["period"].between(*within)] if within else found


def _embedded(table: str, columns: dict[str, str]) -> pd.DataFrame:
    files = [raw for raw in _editions(table) if _may_hold(raw, columns)]
    frames = [_selected(corrected(published.read(raw.id), raw.id), columns) for raw in files]
    return pd.concat(frames, ignore_index=True) if frames else tables.empty(table)


def window(months: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first day of the first and of the last month of a window.

    Parameters
    ----------
    months : str
        ``"2022"``, ``"2022-03"`` or ``"2021-03/2022-02"``.

    Raises
    ------
    UnknownCode
        Not a window.

    Examples
    --------
    >>> [str(day.date()) for day in window("2022")]
    ['2022-01-01', '2022-12-01']
    """
    first, _, last = months.partition("/")
    try:
        if not all(re.fullmatch(r"\d{4}(-\d{2})?", part) for part in (first, last or first)):
            raise ValueError
        start = pd.Period(first, freq="M" if "-" in first else "Y").start_time
        end = pd.Period(last or first, freq="M" if "-" in (last or first) else "Y").end_time
    except ValueError:
        start, end = pd.Timestamp.max, pd.Timestamp.min
    if start > end:
        raise UnknownCode(
            f"{months!r} is not a window of months",
            "'2022', '2022-03' or '2021-03/2022-02', the earlier month first",
            "write it like one of these",
        )
    return start, end.normalize().replace(day=1)


def _editions(table: str) -> list[store.Raw]:
    """Return the snapshot's files of a table, the newest vintage of each, as of AS_OF if set."""
    as_of = os.environ.get("AS_OF", "9999")
    editions: dict[str, store.Raw] = {}
    for raw in store.catalogue():
        if raw.live or raw.table != table:
            continue
        if raw.complete and raw.vintage <= as_of:
            name = raw.id.split("@")[0]
            editions[name] = max(editions.get(name, raw), raw, key=lambda r: r.vintage)
    return list(editions.values())


def _may_hold(raw: store.Raw, columns: dict[str, str]) -> bool:
    """Skip files whose constants contradict the question before they are read."""
    known = {"source": raw.publisher, **raw.constants}
    return all(c not in known or str(known[c]) in _wanted(v) for c, v in columns.items())


def refuse_generated(raws: Iterable[store.Raw]) -> None:
    """Raise where files hold generated trade and ``TRADEFLOWS_DATA`` does not name their folder.

    Raises
    ------
    SourceUnavailable

    Examples
    --------
    >>> refuse_generated([])
    """
    if live.is_generated(raws) and not os.environ.get("TRADEFLOWS_DATA"):
        raise SourceUnavailable(
            "the data folder holds generated trade",
            "generated trade only in a folder of its own",
            "name that folder in TRADEFLOWS_DATA, and delete the live folders here",
        )


def _live(table: str, columns: dict[str, str]) -> pd.DataFrame:
    """Return the rows of refreshed files that may hold what is asked for."""
    able = _able(table, columns)
    if not able:
        return tables.empty(table)
    refuse_generated(able)
    known = {_dataset(r) for r in able}  # all files of a dataset: they say which release is whole
    found = live.table(table, os.environ.get("AS_OF"), keep=lambda r: _dataset(r) in known)
    return _selected(found, columns)


def _able(table: str, columns: dict[str, str]) -> list[store.Raw]:
    return [r for r in live.files(table) if _may_hold(r, columns) and _may_answer(r, columns)]


def _dataset(raw: store.Raw) -> str:
    return str(raw.query.get("part", raw.id.split("@")[0]))


def _may_answer(raw: store.Raw, columns: dict[str, str]) -> bool:
    """Skip replies of UN Comtrade to other questions, before they are read."""
    box = raw.query.get("box")
    if not isinstance(box, dict):
        return True
    partners = box["partners"]
    known = {
        "freq": [raw.query["freq"]],
        "flow": box["flows"],
        "reporter": [from_comtrade(int(r)) for r in raw.query["reporters"]],
    }
    if list(partners) != ["ALL"]:
        known["partner"] = [from_comtrade(int(p)) for p in partners]
    systems = columns.get("code_system", "HS")
    return any(s.startswith("HS") for s in _wanted(systems)) and all(
        set(_wanted(columns[c])) & set(values) for c, values in known.items() if c in columns
    )


def _merged(table: str, old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return both, a row that stands in both once: the newer vintage."""
    if new.empty:
        return old
    if old.empty:
        return new
    key = [k for k in tables.TABLES[table].key if k != "vintage"]
    both = pd.concat([old, new], ignore_index=True).sort_values("vintage", kind="stable")
    return both.drop_duplicates(key, keep="last").sort_index()


def _wanted(values: str) -> list[str]:
    return [v.strip() for v in values.split(",")]


def _selected(frame: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    for column, values in columns.items():
        frame = frame[frame[column].astype(str).isin(_wanted(values))]
    return frame


def _one_statistic(found: pd.DataFrame) -> None:
    kinds = found[["source", "trade_system"]].drop_duplicates()
    if len(kinds) > 1:
        listed = "; ".join(f"{s}, {t} trade" for s, t in kinds.itertuples(index=False))
        raise DoubleCountedTotals(
            f"several statistics hold this trade: {listed}",
            "one source and one trade system",
            "pass source= and, where one source has both, trade_system=",
        )


def _nothing(table: str, columns: dict[str, str], months: str | None) -> UnknownCode:
    """Name the first value that no row has, and what there is instead."""
    part = _embedded(table, {})
    for column, values in columns.items():
        there = sorted(set(part[column].dropna().astype(str)))
        if not set(_wanted(values)) & set(there) and not _able(table, {column: values}):
            few = ", ".join(there[:_FEW]) + (f" and {len(there) - _FEW} more" * bool(there[_FEW:]))
            return UnknownCode(
                f"table {table!r} has no rows with {column}={values}",
                f"one of {few}",
                "check the spelling, or bring it with `make refresh`",
            )
    asked = ", ".join(f"{k}={v}" for k, v in {**columns, "months": months}.items() if v)
    part = _selected(part, columns)
    span = f"{part['period'].min():%Y-%m} to {part['period'].max():%Y-%m}" if len(part) else ""
    return UnknownCode(
        f"table {table!r} has no rows with {asked}",
        f"months from {span}" if span else "values that stand in one row",
        "ask for what is there, or bring it with `make refresh`",
    )
