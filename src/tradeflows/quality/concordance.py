"""Codes that changed between HS revisions, brought to groups that can be compared.

A code that splits in a new revision looks like a good that vanished and two that appeared. Here
such codes are summed to a group; no value is lost, and the table says how much was moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.codes.groups import harmonised
from tradeflows.errors import SchemaMismatch

__all__ = ["Harmonised", "harmonise"]

SYSTEM = "harmonised HS"
_SUMS = ("value_usd", "net_weight_kg", "quantity")


@dataclass(frozen=True)
class Harmonised:
    """A frame on harmonised codes, and what was moved.

    ``frame`` has the columns it came with; ``table`` gives, for each period, flow and revision, the
    value of all rows and of those that were moved to a group, USD.
    """

    frame: pd.DataFrame
    table: pd.DataFrame


def harmonise(trade: pd.DataFrame) -> Harmonised:
    """Bring HS6 rows of several revisions to codes that mean the same goods throughout.

    Codes that did not change keep their name; those of `tradeflows.codes.groups.harmonised` take
    the name of their group and are summed. A sum's weight is reported only if every part's is; a
    sum of different quantity units has no quantity.

    Parameters
    ----------
    trade : pandas.DataFrame
        Rows of six digits with code_system HS2012, HS2017 or HS2022.

    Returns
    -------
    Harmonised
        The total value of every period, flow and partner is what it was.

    Raises
    ------
    SchemaMismatch
        Rows that are not HS codes of six digits.

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
    table = (
        trade.assign(moved=moved)
        .groupby(["period", "flow", "code_system"], as_index=False)[["value_usd", "moved"]]
        .sum()
    )
    frame = trade.assign(code=named, code_system=SYSTEM)
    return Harmonised(_summed(frame), table)


def _refuse_others(trade: pd.DataFrame) -> None:
    odd = ~trade["code_system"].isin(["HS2012", "HS2017", "HS2022"]) | (
        trade["code"].str.len() != 6
    )
    if odd.any():
        first = trade.loc[odd, ["code_system", "code"]].iloc[0].tolist()
        raise SchemaMismatch(
            f"{int(odd.sum())} rows are not HS codes of six digits, such as {first}",
            "code_system HS2012, HS2017 or HS2022 and six digits",
            "select level 6 first",
        )


def _summed(frame: pd.DataFrame) -> pd.DataFrame:
    """Sum rows that now share a name; statuses are those of the weakest part."""
    sums = [c for c in _SUMS if c in frame]
    keys = [
        c for c in frame if c not in (*sums, "weight_status", "quantity_unit", "quantity_status")
    ]
    twice = frame.duplicated(keys, keep=False)
    if not twice.any():
        return frame.reset_index(drop=True)
    several = frame[twice].groupby(keys, dropna=False, sort=False)
    merged = several[sums].sum(min_count=1).reset_index()
    for amount, status in (("net_weight_kg", "weight_status"), ("quantity", "quantity_status")):
        if status in frame:
            merged[status] = several[status].agg(_weakest).to_numpy()
            merged.loc[merged[status] == "missing", amount] = float("nan")
    if "quantity_unit" in frame:
        units = several["quantity_unit"]
        merged["quantity_unit"] = units.first().to_numpy()
        mixed = (units.min() != units.max()).to_numpy()
        merged.loc[mixed, ["quantity", "quantity_unit"]] = [float("nan"), None]
        merged.loc[mixed, "quantity_status"] = "missing"
    return pd.concat([frame[~twice], merged], ignore_index=True)[list(frame.columns)]


def _weakest(statuses: pd.Series) -> str:
    found = set(statuses)
    return next(s for s in ("missing", "estimated", "reported") if s in found)
