"""Rows summed to one: it has the weakest status of its parts, and no amount where one lacks."""

from __future__ import annotations

import pandas as pd

from tradeflows.tables import STATUS

AMOUNTS = {"net_weight_kg": "weight_status", "quantity": "quantity_status"}
ABOUT = {"origin": "min", "vintage": "max"}  # which of several stands for a sum
_WEAKEST = STATUS[::-1]


def summed(frame: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Return one row for each number in `group`, in the place of the first that has it.

    Zero or no amount beside a value is missing, whatever its status says; quantities in unequal
    units are not summed, and no unit is a unit of its own. Any other column is kept where all parts
    say the same, and empty where they do not.

    >>> parts = pd.DataFrame({"partner": "GBR", "value_usd": [950.0, 50.0],
    ...     "net_weight_kg": [9.0, None], "weight_status": ["reported", "missing"]})
    >>> summed(parts, pd.Series([0, 0])).values.tolist()
    [['GBR', 1000.0, nan, 'missing']]
    """
    several = group.duplicated(keep=False)
    if not several.any():
        return frame
    parts, number = frame[several], group[several]
    grouped = parts.groupby(number, sort=False)
    sums = {"value_usd": grouped["value_usd"].sum(min_count=1)}
    mixed = pd.Series(False, sums["value_usd"].index)
    if "quantity_unit" in parts:
        units = parts["quantity_unit"].astype("str").fillna("").groupby(number, sort=False)
        mixed = units.min() != units.max()
        sums["quantity_unit"] = units.first().mask(mixed | (units.first() == ""))
    for amount, status in AMOUNTS.items():
        if amount in parts:
            weakest = _weakest(parts, amount, status, number)
            if amount == "quantity":
                weakest = weakest.mask(mixed, "missing")
            sums[amount] = grouped[amount].sum(min_count=1).mask(weakest == "missing")
            if status in parts:
                sums[status] = weakest
    sums |= {name: grouped[name].agg(how) for name, how in ABOUT.items() if name in parts}
    if "confidential" in parts:
        sums["confidential"] = grouped["confidential"].max()
    for name in parts.columns.difference(list(sums)):
        same = grouped[name].nunique(dropna=False) < 2
        if not same.all():
            sums[name] = grouped[name].first().where(same)
    first = parts[~number.duplicated()]
    totals = first.assign(**{str(n): c.set_axis(first.index) for n, c in sums.items()})
    return pd.concat([frame[~several], totals]).sort_index(ignore_index=True)


def _weakest(parts: pd.DataFrame, amount: str, status: str, number: pd.Series) -> pd.Series:
    """Return the status of each sum: that of its weakest part with a value or an amount."""
    there, valued = parts[amount] > 0, parts["value_usd"] > 0
    words = parts[status] if status in parts else pd.Series("reported", parts.index)
    rank = words.map({name: i for i, name in enumerate(_WEAKEST)}).astype("float64").fillna(0)
    rank = rank.where(there | ~valued, 0)
    counts = (there | valued).groupby(number, sort=False).transform("any")
    weakest = rank.where(there | valued | ~counts).groupby(number, sort=False).min()
    return weakest.map(dict(enumerate(_WEAKEST))).astype("str")
