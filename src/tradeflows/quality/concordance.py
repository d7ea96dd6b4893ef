"""Codes that changed between HS revisions, brought to groups that can be compared.

A code that splits in a new revision looks like a good that vanished and two that appeared. Here
such codes are summed to a group; no value is lost, and the table says how much was moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from tradeflows.codes.groups import REVISIONS, harmonised
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch
from tradeflows.tables import STATUS

__all__ = ["Harmonised", "harmonise"]

SYSTEM = "harmonised HS"
_NEEDED = ("period", "code_system", "code", "value_usd")
_STATUS = STATUS[::-1]  # the weakest first
_AMOUNTS = {"net_weight_kg": "weight_status", "quantity": "quantity_status"}
_ABOUT = {"origin": "min", "vintage": "max"}
# What stands for a column that a table has not: see `usable`, which takes the same view.
_ABSENT: dict[str, Any] = {
    "net_weight_kg": float("nan"),
    "weight_status": "reported",
    "quantity": float("nan"),
    "quantity_unit": "",
    "quantity_status": "reported",
    "origin": "",
    "vintage": "",
}


@dataclass(frozen=True)
class Harmonised:
    """A frame on harmonised codes, and what was moved.

    ``frame`` has the columns it came with; ``table`` gives the value of all rows and of those that
    were moved to a group, USD, for each period, revision and, where rows name one, flow.
    """

    frame: pd.DataFrame
    table: pd.DataFrame


def harmonise(trade: pd.DataFrame) -> Harmonised:
    """Bring HS6 rows of several revisions to codes that mean the same goods throughout.

    Codes that did not change keep their name; those of `tradeflows.codes.groups.harmonised` take
    the name of their group and are summed, from whichever files they came. A sum has a weight only
    if every part with a value has one, and it is reported only if every part's is; a sum of
    different quantity units has no quantity. It names the first of its files, in order, and the
    newest of their vintages.

    Parameters
    ----------
    trade : pandas.DataFrame
        Rows of six digits with code_system HS2012, HS2017 or HS2022. What was harmonised before
        stays as it is.

    Returns
    -------
    Harmonised
        The total value of every period, flow and partner is what it was.

    Raises
    ------
    SchemaMismatch
        Rows that are not HS codes of six digits, or no column for the period, the revision, the
        code or the value.
    DoubleCountedTotals
        One code in two files or vintages, or goods in two revisions, in one period.

    Examples
    --------
    >>> rows = pd.DataFrame({"period": pd.Timestamp("2022-01-01"), "flow": "X",
    ...     "code_system": "HS2022", "code": ["854151", "854159"], "level": 6,
    ...     "value_usd": [2.0, 3.0], "net_weight_kg": [1.0, None],
    ...     "weight_status": ["reported", "missing"]})
    >>> harmonise(rows).frame[["code", "value_usd", "weight_status"]].values.tolist()
    [['g854150', 5.0, 'missing']]
    """
    _refuse_others(trade)
    known = harmonised()
    pairs = list(zip(trade["code_system"], trade["code"], strict=True))
    named = pd.Series([known.get(pair, pair[1]) for pair in pairs], index=trade.index, dtype="str")
    moved = trade["value_usd"] * [float(pair in known) for pair in pairs]
    by = [name for name in ("period", "flow", "code_system") if name in trade]
    table = (
        trade.assign(moved=moved)
        .groupby(by, as_index=False, dropna=False)[["value_usd", "moved"]]
        .sum()
    )
    # Rows are told apart by their number below, whatever index they came with.
    was = trade[["code_system", "code"]].reset_index(drop=True)
    frame = trade.assign(code=named, code_system=SYSTEM).reset_index(drop=True)
    return Harmonised(_summed(frame, was), table)


def _refuse_others(trade: pd.DataFrame) -> None:
    if missing := [name for name in _NEEDED if name not in trade]:
        raise SchemaMismatch(
            f"no column {', '.join(map(repr, missing))} among {', '.join(map(str, trade))}",
            f"at least {', '.join(_NEEDED)}",
            "rename or add them; tradeflows.tables.TABLES['trade'] says what each means",
        )
    system, six = trade["code_system"], trade["code"].str.len() == 6
    done = (system == SYSTEM) & (six | trade["code"].isin(set(harmonised().values())))
    odd = ~(done | (system.isin(REVISIONS) & six))
    if odd.any():
        first = trade.loc[odd, ["code_system", "code"]].iloc[0].tolist()
        raise SchemaMismatch(
            f"{int(odd.sum())} rows are not HS codes of six digits, such as {first}",
            "code_system HS2012, HS2017 or HS2022 and six digits",
            "select level 6 first",
        )


def _summed(frame: pd.DataFrame, was: pd.DataFrame) -> pd.DataFrame:
    """Sum rows that now share a name; `was` holds the revision and the code they came with."""
    # Where a row was read says nothing about which goods it holds: a group may fill two files.
    keys = [c for c in frame if c != "value_usd" and c not in _ABSENT]
    twice = frame.duplicated(keys, keep=False)
    if not twice.any():
        return frame
    parts = frame[twice].assign(**{c: v for c, v in _ABSENT.items() if c not in frame})
    several = parts.groupby(keys, dropna=False, sort=False)
    group = several.ngroup()
    _refuse_doubles(parts, group, was[twice])
    merged = several[["value_usd", *_AMOUNTS]].sum(min_count=1)
    for name, how in _ABOUT.items():
        merged[name] = several[name].agg(how)
    for amount, status in _AMOUNTS.items():
        merged[status] = _weakest(parts, amount, status, group).to_numpy()
        merged[amount] = merged[amount].where(merged[status] != "missing")
    units = parts["quantity_unit"].fillna("").groupby(group)  # no unit is a unit of its own
    mixed = (units.min() != units.max()).to_numpy()
    merged["quantity_unit"] = several["quantity_unit"].first().mask(mixed)
    merged["quantity"] = merged["quantity"].mask(mixed)
    merged["quantity_status"] = merged["quantity_status"].mask(mixed, "missing")
    return pd.concat([frame[~twice], merged.reset_index()], ignore_index=True)[list(frame.columns)]


def _refuse_doubles(parts: pd.DataFrame, group: pd.Series, was: pd.DataFrame) -> None:
    """Refuse to sum one trade twice: a code from two files, or the goods in two revisions."""
    named = was.assign(group=group).join(parts[[*_ABOUT]]).drop_duplicates()
    again = named.loc[named.duplicated(["group", *was]), "group"]
    systems = named.groupby("group")["code_system"].nunique()
    if len(again):
        raise _double(parts[group == again.iloc[0]], "a code of two files or vintages")
    if (systems > 1).any():
        rows = group == systems.idxmax()
        found = ", ".join(sorted(set(was.loc[rows, "code_system"])))
        raise _double(parts[rows], f"codes of {found}")


def _double(rows: pd.DataFrame, found: str) -> DoubleCountedTotals:
    first = rows.iloc[0]
    return DoubleCountedTotals(
        f"{found} side by side in {first['code']} of {str(first['period'])[:7]}",
        "rows that add up without counting anything twice",
        "keep one of them in each period",
    )


def _weakest(parts: pd.DataFrame, amount: str, status: str, group: pd.Series) -> pd.Series:
    """Return the status of each sum: that of its weakest part with a value or an amount.

    Zero or nothing beside a value is missing, whatever the status says.
    """
    there, valued = parts[amount] > 0, parts["value_usd"] > 0
    rank = (
        parts[status]
        .map({name: i for i, name in enumerate(_STATUS)})
        .fillna(0)
        .where(there | ~valued, 0)
    )
    counts = (there | valued).groupby(group).transform("any")
    weakest = rank.where(there | valued | ~counts).groupby(group).min()
    return weakest.map(dict(enumerate(_STATUS)))
