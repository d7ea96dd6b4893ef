"""From raw files to one validated table: the newest vintage, corrected, of one statistic."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import countries
from tradeflows.codes.hs import REVISIONS, revision
from tradeflows.errors import DoubleCountedTotals, SourceUnavailable, UnknownCode
from tradeflows.periods import Window
from tradeflows.quality.corrections import corrected
from tradeflows.sources import stored
from tradeflows.sources.tabular import country
from tradeflows.words import few

_BY = ("table", "source", "trade_system", "reporter", "partner", "flow", "series", "freq",
       "code_system")  # fmt: skip
_Months = str | int | date | pd.Period | None
_Asked = str | int | list[str] | list[int] | tuple[str | int, ...]


def load(table: str, *, months: _Months = None, **columns: _Asked) -> pd.DataFrame:
    """Load a table: raw files read, checked against their sidecars, corrected, validated.

    The embedded snapshot and what a refresh brought are read together: of two vintages of a row
    the newer one. ``AS_OF=YYYY-MM-DD`` leaves out what was released later.

    Parameters
    ----------
    table : str
        ``trade``, ``prices``, ``volumes`` or ``published``.
    months : str, int, pandas.Period or pandas.Timestamp, optional
        A window such as ``"2022"`` or ``"2021-03/2022-02"``, see `tradeflows.periods.Window`; of
        ``published`` the figures whose months all lie in it.
    **columns : str, int, bool, or a list or tuple of them
        Values to keep, by column: ``reporter="TUR"`` or ``"Turkey"``, ``level=6``,
        ``series="brent"``. A list or a comma separates alternatives: ``code="coal,lpg"``. Each must
        stand somewhere in the table, or be a country or an HS revision: of a misspelt one no rows
        would be missed.

    Returns
    -------
    pandas.DataFrame
        The table's columns. ``trade`` holds one source and one trade system.

    Raises
    ------
    UnknownCode
        No such table, column or row, or ``AS_OF`` is no day; the message lists what there is.
    DoubleCountedTotals
        Several sources, trade systems or nomenclatures hold the trade asked for: choose one.
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
    asked = _spelled(table, columns)
    found = _found(table, months, asked)
    for column, values in asked.items():
        if found.empty or len(values) > 1:
            _require_somewhere(table, column, values, found, bring=_bring(table, asked))
    if found.empty:
        spelled = {k: ",".join(v) for k, v in asked.items()}
        spelled |= {} if months is None else {"months": str(months)}
        part = _embedded(table, asked)
        raise UnknownCode(
            f"table {table!r} has no rows with {', '.join(f'{k}={v}' for k, v in spelled.items())}",
            _span(part) if len(part) else "values that stand in one row",
            f"ask for what is there, or bring it: {_bring(table, asked)}",
        )
    if table == "trade":
        _one_statistic(found)
    return tables.validate(found, table, where="load")


def rows(table: str, *, months: _Months = None, **columns: _Asked) -> pd.DataFrame:
    """Return the rows of every statistic that `load` would choose from; none where there are none.

    Examples
    --------
    >>> sorted(set(rows("trade", reporter="TUR", partner="KAZ", flow="X", code="TOTAL")["source"]))
    ['UN Comtrade', 'WITS']
    >>> len(rows("prices", series="frankincense"))
    0
    """
    return _found(table, months, _spelled(table, columns))


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
        held.insert(3, "codes", groups["code"].agg(lambda x: few(sorted(x.dropna().unique()), 4)))
    return held.reset_index().fillna("")


def _spelled(table: str, columns: Mapping[str, _Asked]) -> dict[str, list[str]]:
    """Return the alternatives asked for as text, by column, or say what cannot be asked."""
    if not isinstance(table, str) or table not in tables.TABLES:
        raise UnknownCode(f"no table {table!r}", f"one of {', '.join(tables.TABLES)}", "name one")
    unknown = [c for c in columns if c not in tables.TABLES[table].names]
    if unknown:
        names = ", ".join(tables.TABLES[table].names)
        raise UnknownCode(f"table {table!r} has no columns {unknown}", names, "name one of them")
    return {column: _alternatives(column, asked) for column, asked in columns.items()}


def _alternatives(column: str, asked: object) -> list[str]:
    several = asked if isinstance(asked, list | tuple) else [asked]
    if not several or not all(isinstance(value, str | int) for value in several):
        raise UnknownCode(
            f"{column}={asked!r}",
            "text, a whole number, True or False, or a list of them",
            f"write it so, or leave {column} out to keep every row",
        )
    texts = [part.strip() for value in several for part in str(value).split(",")]
    if column in ("reporter", "partner"):
        return [_place(text) for text in texts]
    if column == "code_system":  # HS1988 and H0 are HS1992
        return [revision(text) or text for text in texts]
    return texts


def _place(text: str) -> str:
    """Return the code of a country by its name too; what no list holds as it is."""
    try:
        return country(text)
    except UnknownCode:
        return text


def _found(table: str, months: _Months, columns: dict[str, list[str]]) -> pd.DataFrame:
    """Return the rows asked for, one that stands in two files once: the newer vintage.

    No row of the snapshot stands beside generated rows of the same source.
    """
    within = None if months is None else Window.parse(months)
    key = stored.key_of(table)
    keep = {c: v for c, v in columns.items() if c in key and c != "period"}
    new = stored.matching(stored.refreshed(table, _as_of(), keep=keep, within=within), columns)
    old = _embedded(table, columns)
    if len(new) and stored.is_generated(map(store.describe, set(new["origin"]))):
        if not os.environ.get("TRADEFLOWS_DATA"):
            raise SourceUnavailable(
                "the data folder holds generated trade",
                "generated trade only in a folder of its own",
                "name that folder in TRADEFLOWS_DATA, and delete the live folders here",
            )
        old = old[~old["source"].isin(new["source"].unique())]
    found = old if new.empty else new
    if len(old) and len(new):
        both = pd.concat([old, new], ignore_index=True).sort_values("vintage", kind="stable")
        found = both.drop_duplicates(key, keep="last").sort_index()
    if within:
        first, last = pd.Timestamp(within.month(0)), pd.Timestamp(within.month(-1))
        start, end = _ends(found)
        found = found[(start >= first) & (end <= last)]
    return found


def _ends(found: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the first month of every row and, of figures in print, the last."""
    if "period_start" in found:
        return found["period_start"], found["period_end"]
    return found["period"], found["period"]


def _embedded(table: str, columns: dict[str, list[str]]) -> pd.DataFrame:
    """Return rows of the snapshot: of each file the newest vintage, as of AS_OF if set."""
    as_of = _as_of()
    editions: dict[str, store.Raw] = {}
    for raw in store.catalogue():
        released = as_of is None or raw.vintage <= as_of
        if released and raw.table == table and not raw.live:
            name = raw.id.split("@")[0]
            editions[name] = max(editions.get(name, raw), raw, key=lambda r: r.vintage)
    files = [raw for raw in editions.values() if stored.may_hold(raw, columns)]
    frames = [stored.matching(corrected(stored.table(raw), raw.id), columns) for raw in files]
    return pd.concat(frames, ignore_index=True) if frames else tables.empty(table)


def _as_of() -> str | None:
    """Return the day of ``AS_OF``, or None where it is not set."""
    told = os.environ.get("AS_OF")
    if not told:
        return None
    try:
        if date.fromisoformat(told).isoformat() != told:  # 20261130 would sort elsewhere
            raise ValueError
    except ValueError:
        raise UnknownCode(
            f"AS_OF={told} is no day", "YYYY-MM-DD, such as 2026-11-30", "correct it, or unset it"
        ) from None
    return told


def _one_statistic(found: pd.DataFrame) -> None:
    kinds = found[["source", "trade_system"]].drop_duplicates()
    if len(kinds) > 1:
        listed = "; ".join(f"{s}, {t} trade" for s, t in kinds.itertuples(index=False))
        raise DoubleCountedTotals(
            f"several statistics hold this trade: {listed}",
            "one source and one trade system",
            "pass source= and, where one source has both, trade_system=",
        )
    coded = found[found["code_system"].isin(REVISIONS)]
    month = [coded[c] for c in ("reporter", "flow", "freq", "period")]
    systems = coded["code_system"].groupby(month).unique()
    if twice := next((list(s) for s in systems if len(s) > 1), None):
        raise DoubleCountedTotals(
            f"the same trade stands in several nomenclatures: {', '.join(sorted(twice))}",
            "one nomenclature in a month",
            "pass code_system=",
        )


def _require_somewhere(
    table: str, column: str, values: Sequence[str], found: pd.DataFrame, bring: str
) -> None:
    """Refuse alternatives that no row of the table has; of countries some row must be found."""
    left = set(values) - (_vocabulary(table, column) if len(found) else set())
    left -= set(found[column].astype(str))
    if left and len(found):
        left -= set(_found(table, None, {column: [*left]})[column].astype(str))
    there = sorted(set(_embedded(table, {})[column].dropna().astype(str))) if left else []
    live = stored.files(table) if left else []  # of these the sidecars will do
    left = {v for v in left - {*there} if not any(stored.may_hold(r, {column: [v]}) for r in live)}
    if not left:
        return
    day = f" by {_as_of()}" if _as_of() else ""
    raise UnknownCode(
        f"table {table!r} has no rows with {column}={','.join(v for v in values if v in left)}",
        f"one of {few(there, 20)}" if there else f"rows that had been released{day}",
        f"check the spelling, or bring it: {bring}",
    )


def _vocabulary(table: str, column: str) -> set[str]:
    """Return values that mean something in a column even where no row has them."""
    if column in ("reporter", "partner"):
        return {c.code for c in countries()}
    if column == "code_system":
        return set(REVISIONS)
    kind = next(c for c in tables.TABLES[table].columns if c.name == column)
    return {"True", "False"} if kind.dtype == "bool" else set(kind.allowed)


def _bring(table: str, columns: Mapping[str, Sequence[str]]) -> str:
    """Return the command that brings what is missing."""
    sources = {"prices": " --source worldbank", "volumes": " --source eurostat"}
    pair = {"reporter": "--reporter", "partner": "--partner"}
    if table != "trade" or not set(pair) <= set(columns):
        more = ", or `--help` for any pair" if table == "trade" else ""
        return f"`tradeflows refresh{sources.get(table, '')}`{more}"
    codes = [c for c in columns.get("code", ()) if c == "TOTAL" or c.isdecimal()]
    asked = {option: columns[column] for column, option in pair.items()}
    asked |= {"--flows": columns.get("flow", ()), "--codes": codes}
    words = [f"{option} {shlex.quote(','.join(v))}" for option, v in asked.items() if v]
    return f"`tradeflows refresh {' '.join(words)}`"


def _span(part: pd.DataFrame) -> str:
    start, end = _ends(part)
    if "freq" in part and set(part["freq"]) == {"A"}:
        return f"years from {start.min():%Y} to {end.max():%Y}: the rows are annual"
    return f"months from {start.min():%Y-%m} to {end.max():%Y-%m}"
