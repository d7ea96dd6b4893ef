"""Unit values with their status, units that change, and flags for unit values that look wrong.

A flag lists, it never deletes: what is flagged stays in the table until the reader moves it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import (
    PREFIXES,
    keys,
    one_or_more,
    opened,
    status_column,
    usable,
)

__all__ = ["flags", "outliers", "relatives", "unit_values"]


def unit_values(
    trade: Any, *, quantity: str = "net_weight_kg", estimated: str = "unpriced"
) -> pd.DataFrame:
    """Return value over quantity with the status of the quantity.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows, or the path of Parquet files.
    quantity : str
        Column of the quantity.
    estimated : {"unpriced", "accepted"}
        Whether quantities that the publisher estimated make a unit value.

    Returns
    -------
    pandas.DataFrame
        Product and period, value, quantity, ``status`` (a quantity of zero or none beside a value,
        or of a confidential row, is missing whatever its flag) and ``unit_value``, empty where the
        quantity makes no price.

    Examples
    --------
    >>> trade = pd.DataFrame({"period": pd.to_datetime(["2022-01-01"] * 2),
    ...     "code": ["270900", "271121"], "value_usd": [60.0, 50.0],
    ...     "net_weight_kg": [100.0, 0.0], "weight_status": ["reported", "reported"]})
    >>> unit_values(trade)[["code", "status", "unit_value"]]
         code    status  unit_value
    0  270900  reported         0.6
    1  271121   missing         NaN
    """
    with opened(trade, ("period", "code", "value_usd", quantity)) as relation:
        columns = relation.columns
        seen = census(relation, quantity, estimated=estimated)
        unique(relation, "TRUE", quantity, 12 if seen.annual else 1)
        flag = status_column(quantity)
        reported = flag if flag in columns else "'reported'"
        any_usable = usable(columns, quantity, "accepted")
        names = list(keys(columns, ()))
        units = [f"{quantity}_unit"] if f"{quantity}_unit" in columns else []
        rows = relation.frame(
            f"SELECT {', '.join(names)}, period, value_usd, {', '.join([quantity, *units])}, "  # noqa: S608
            f"CASE WHEN value_usd > 0 AND {any_usable} IS NULL THEN 'missing' "
            f"ELSE {reported} END AS status, "
            f"value_usd / {usable(columns, quantity, estimated)} AS unit_value FROM trade"
        )
    return rows.sort_values([*names, "period"], kind="stable").reset_index(drop=True)


def relatives(
    trade: Any, *, lag: int = 12, quantity: str = "net_weight_kg", estimated: str = "unpriced"
) -> pd.DataFrame:
    """Return each unit value over the same product's ``lag`` months before; pairs with both only.

    Product, period, both unit values, both values and ``relative``.
    """
    now = unit_values(trade, quantity=quantity, estimated=estimated).dropna(subset="unit_value")
    product = [n for n in now.columns if n in ("reporter", "partner", "flow", "code")]
    product += [n for n in now.columns if n == f"{quantity}_unit"]
    then = now[[*product, "period", "unit_value", "value_usd"]].copy()
    then["period"] = then["period"] + pd.DateOffset(months=lag)
    pairs: pd.DataFrame = now.merge(then, on=[*product, "period"], suffixes=("", "_before"))
    return pairs.assign(relative=pairs["unit_value"] / pairs["unit_value_before"])


def flags(
    trade: Any,
    *,
    within: str | Sequence[str] = ("chapter", "flow"),
    lag: int = 12,
    factor: float = 5.0,
    least: int = 20,
) -> pd.DataFrame:
    """List the unit values whose change over a year looks like an error.

    A pair is listed if the log of its relative lies more than 3.5 robust standard deviations (at
    least 0.02 each) from the median of its group *and* the unit value moved by more than
    ``factor``. Groups of fewer than ``least`` pairs are pooled.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows.
    within : str or sequence of str
        Groups: columns, or ``chapter`` and ``heading`` of the code; absent columns are ignored.
    lag : int
        Months between the two unit values.
    factor : float
        Least movement worth a flag, up or down; 1 leaves the decision to the deviation.
    least : int
        Smallest group that is judged by itself.

    Returns
    -------
    pandas.DataFrame
        The flagged pairs, largest movement first; the table itself is not changed.

    References
    ----------
    IMF et al. (2020), Consumer Price Index Manual, 5.113-5.135.
    """
    pairs = relatives(trade, lag=lag)
    codes = {name: pairs["code"].str[:n] for name, n in PREFIXES.items()}
    group = pd.Series("all", index=pairs.index)
    for name in one_or_more(within):
        part = codes.get(name, pairs.get(name))
        group = group if part is None else group + " " + part.astype(str)
    group = group.mask(group.map(group.value_counts()) < least, "pooled")
    moved = np.log(pairs["relative"])
    odd = moved.groupby(group).transform(outliers, cutoff=3.5, floor=0.02).astype(bool)
    listed = pairs[odd & (moved.abs() >= np.log(factor))]
    order = moved[listed.index].abs().sort_values(ascending=False).index
    ordered: pd.DataFrame = listed.loc[order].reset_index(drop=True)
    return ordered


def outliers(x: pd.Series, cutoff: float = 2.5, floor: float = 0.0) -> pd.Series:
    """Tell numbers that lie far from the median, in robust standard deviations (1.4826 MAD)."""
    distance = (x - x.median()).abs()
    return distance > cutoff * max(1.4826 * distance.median(), floor)
