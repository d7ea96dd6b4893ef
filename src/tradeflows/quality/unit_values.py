"""Unit values with their status, units that change, and flags for unit values that look wrong.

A flag lists, it never deletes: what is flagged stays in the table until the reader moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from tradeflows.errors import SchemaMismatch
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import keys, one_or_more, opened, status_column, usable

__all__ = [
    "RULES",
    "flags",
    "hidiroglou_berthelot",
    "outliers",
    "relatives",
    "unit_values",
]

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


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
        months = sorted(12 * day.year + day.month - 1 for day in seen.value_of)
        if months:
            unique(relation, "TRUE", quantity, months, 12 if seen.annual else 1)
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
    rule: str = "robust z",
    *,
    within: str | Sequence[str] = ("chapter", "flow"),
    lag: int = 12,
    factor: float = 5.0,
    least: int = 20,
    **cutoffs: float,
) -> pd.DataFrame:
    """List the unit values whose change over a year looks like an error.

    A pair is listed if the rule flags it among its group *and* the unit value moved by more than
    ``factor``. Groups of fewer than ``least`` pairs are pooled.

    Parameters
    ----------
    trade : pandas.DataFrame, pyarrow.Table, str or pathlib.Path
        Rows.
    rule : str
        A name of `RULES`, or ``"hidiroglou-berthelot"``.
    within : str or sequence of str
        Groups: columns, or ``chapter`` and ``heading`` of the code; absent columns are ignored.
    lag : int
        Months between the two unit values.
    factor : float
        Least movement worth a flag, up or down; 1 leaves the decision to the rule.
    least : int
        Smallest group that is judged by itself.
    **cutoffs : float
        Passed to the rule.

    Returns
    -------
    pandas.DataFrame
        The flagged pairs, largest movement first, with ``rule``; the table itself is not changed.
    """
    pairs = relatives(trade, lag=lag)
    prefixes = {"chapter": pairs["code"].str[:2], "heading": pairs["code"].str[:4]}
    found = [prefixes.get(n, pairs.get(n)) for n in one_or_more(within)]
    group = pd.Series("all", index=pairs.index)
    for part in found:
        group = group if part is None else group + " " + part.astype(str)
    small = group.map(group.value_counts()) < least
    group = group.where(~small, "pooled")
    odd = pd.Series(False, index=pairs.index)
    for _, rows in pairs.groupby(group):
        odd.loc[rows.index] = _judged(rows, rule, cutoffs)
    moved = np.abs(np.log(pairs["relative"]))
    listed = pairs[odd & (moved >= np.log(factor))].assign(rule=rule)
    order = moved[listed.index].sort_values(ascending=False).index
    ordered: pd.DataFrame = listed.loc[order].reset_index(drop=True)
    return ordered


def _judged(rows: pd.DataFrame, rule: str, cutoffs: dict[str, float]) -> Flags:
    relative = rows["relative"].to_numpy(float)
    if rule == "hidiroglou-berthelot":
        size = rows[["value_usd", "value_usd_before"]].max(axis=1).to_numpy(float)
        return hidiroglou_berthelot(relative, size, **cutoffs)
    if rule == "robust z":
        return outliers(np.log(relative), rule, **{"cutoff": 3.5, "floor": 0.02, **cutoffs})
    return outliers(relative, rule, **cutoffs)


def outliers(relative: ArrayLike, rule: str = "robust z", **cutoffs: float) -> Flags:
    """Flag the relatives, or their logs, that a rule of `RULES` finds odd; nothing is removed.

    IMF et al. (2020), Consumer Price Index Manual, 5.113-5.135; Rais (2008), Outlier detection for
    the consumer price index.
    """
    x = np.asarray(relative, dtype=float)
    if not np.isfinite(x).all():
        raise SchemaMismatch(
            f"{int((~np.isfinite(x)).sum())} relatives are not finite",
            "numbers only",
            "drop pairs without a unit value first; `relatives` does",
        )
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: expected one of {', '.join(RULES)}")
    return RULES[rule](x, **cutoffs) if len(x) else np.zeros(0, dtype=bool)


def _quartiles(x: Numbers) -> tuple[float, float, float]:
    low, middle, high = np.quantile(x, [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def _robust_z(x: Numbers, *, cutoff: float = 2.5, floor: float = 0.0) -> Flags:
    middle = float(np.median(x))
    spread = 1.4826 * float(np.median(np.abs(x - middle)))
    return np.asarray(np.abs(x - middle) > cutoff * max(spread, floor), dtype=bool)


def _quartile(x: Numbers, *, cutoff: float = 2.5, floor: float = 0.0) -> Flags:
    low, middle, high = _quartiles(x)
    least = abs(floor * middle)
    up, down = max(high - middle, least), max(middle - low, least)
    return (x - middle > cutoff * up) | (middle - x > cutoff * down)


def _tukey(x: Numbers, *, cutoff: float = 2.5) -> Flags:
    low, high = np.quantile(x, [0.05, 0.95])
    tail = np.asarray((x < low) | (x > high), dtype=bool)
    kept = x[(x != 1) & ~tail]
    if not len(kept):
        return tail
    middle = kept.mean()
    up, down = kept[kept >= middle].mean() - middle, middle - kept[kept <= middle].mean()
    odd = (x - middle > cutoff * up) | (middle - x > cutoff * down)
    return np.asarray(tail | odd, dtype=bool)


RULES: dict[str, Callable[..., Flags]] = {
    "robust z": _robust_z,
    "quartile": _quartile,
    "tukey": _tukey,
}


def symmetric(relative: ArrayLike) -> Numbers:
    """Return Hidiroglou and Berthelot's transform: r / median - 1, or 1 - median / r below it."""
    r = np.asarray(relative, dtype=float)
    middle = np.median(r)
    return np.asarray(np.where(r < middle, 1 - middle / r, r / middle - 1), dtype=float)


def hidiroglou_berthelot(
    relative: ArrayLike,
    size: ArrayLike,
    *,
    power: float = 0.4,
    floor: float = 0.05,
    cutoff: float = 4.0,
) -> Flags:
    """Flag positive relatives, the larger the trade the sooner; U, A and C of the paper.

    Hidiroglou and Berthelot (1986), Statistical editing and imputation for periodic business
    surveys, Survey Methodology 12.
    """
    effect = symmetric(relative) * np.asarray(size, dtype=float) ** power
    low, middle, high = _quartiles(effect)
    least = abs(floor * middle)
    up, down = max(high - middle, least), max(middle - low, least)
    return (effect > middle + cutoff * up) | (effect < middle - cutoff * down)
