"""What the parsers of customs rows share: pseudo-codes, and where a weight stands."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tradeflows.codes.hs import in_force
from tradeflows.errors import SchemaMismatch

__all__ = [
    "combined",
    "confidential",
    "level",
    "measured",
    "refuse_numbers_of_one_area",
    "revision",
]

_RANK = {"missing": 0, "estimated": 1, "reported": 2}  # the weakest first


def revision(days: pd.Series) -> pd.Series:
    """Return the HS revision in force in each month, for publishers that follow it at once.

    Examples
    --------
    >>> revision(pd.to_datetime(pd.Series(["1995-12-01", "2016-12-01", "2022-01-01"]))).tolist()
    ['HS1992', 'HS2012', 'HS2022']
    """
    systems: pd.Series = days.dt.year.map(in_force).astype("str")
    return systems


def combined(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Sum rows that share a key, such as the parts of a country; a sum has its weakest status.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns of the trade table.
    key : list of str
        Columns that tell the sums apart; of the others the first counts.

    Examples
    --------
    >>> parts = pd.DataFrame({"partner": "GBR", "value_usd": [950.0, 50.0],
    ...     "net_weight_kg": [9.0, None], "weight_status": ["reported", "missing"]})
    >>> combined(parts, ["partner"]).drop(columns="partner").values.tolist()
    [[1000.0, nan, 'missing']]
    """
    twice = table.duplicated(key, keep=False)
    if not twice.any():
        return table
    parts = table[twice]
    groups = parts.groupby(key, sort=False)
    summed = groups.first()
    summed["value_usd"] = groups["value_usd"].sum()
    for amount, status in (("net_weight_kg", "weight_status"), ("quantity", "quantity_status")):
        if amount in parts:
            valued = parts[status].where(parts["value_usd"] > 0, "reported")
            weakest = valued.map(_RANK).groupby([parts[k] for k in key], sort=False).min()
            summed[status] = weakest.map({rank: name for name, rank in _RANK.items()})
            summed[amount] = groups[amount].sum().where(summed[status] != "missing")
    if "confidential" in parts:
        summed["confidential"] = groups["confidential"].any()
    return pd.concat([table[~twice], summed.reset_index()[list(table)]], ignore_index=True)


def refuse_numbers_of_one_area(table: pd.DataFrame, numbers: pd.DataFrame, origin: str) -> None:
    """Refuse rows that share a key because a publisher gave one country two numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        The trade table.
    numbers : pandas.DataFrame
        The publisher's numbers of reporter and partner, row by row.
    origin : str
        File, for messages.

    Raises
    ------
    SchemaMismatch
        Both numbers are named: to keep one of them in some months only would make a fall.
    """
    key = ["source", "reporter", "partner", "flow", "freq", "period", "code_system", "code"]
    twice = table.duplicated(key, keep=False)
    if not twice.any():
        return
    first = table[twice].iloc[0]
    same = (table[key] == first[key]).all(axis=1)
    pairs = numbers[same.to_numpy()].drop_duplicates()
    if len(pairs) > 1:
        listed = " and ".join("–".join(map(str, pair)) for pair in pairs.to_numpy().tolist())
        raise SchemaMismatch(
            f"{origin}: {first['reporter']}–{first['partner']}, {first['period']:%Y-%m}, code"
            f" {first['code']} stands under the numbers {listed}",
            "one number for a country in a period",
            "ask the publisher's list of countries which number holds the other; keep that one in"
            " every period, or sum both in every period if they are parts",
        )


def confidential(codes: pd.Series) -> pd.Series:
    """Flag pseudo-codes, under which reporters book goods they do not name.

    2799 and 9999 with what follows, chapter 99, and Eurostat's letters S and M for secret and
    missing digits.

    Examples
    --------
    >>> confidential(pd.Series(["27", "2799", "27999999", "99", "271019", "85SSSSSS"])).tolist()
    [False, True, True, True, False, True]
    """
    return codes.str.fullmatch(r"(?:2799|9999)\w*|99|\d*(?:S+|M+)").fillna(False).astype(bool)


def level(codes: pd.Series) -> pd.Series:
    """Return the digits of HS codes, 0 for totals.

    Examples
    --------
    >>> level(pd.Series(["TOTAL", "27", "854231"])).tolist()
    [0, 2, 6]
    """
    return codes.str.len().where(codes != "TOTAL", 0).astype("Int64")


def measured(
    amount: pd.Series, value: pd.Series, estimated: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Return an amount, empty where it is missing, and whether it is reported or estimated.

    Zero or nothing beside a positive value is missing, whatever the flags say.

    Examples
    --------
    >>> got, status = measured(pd.Series([2.0, 0.0, None, 3.0]), pd.Series([9.0, 9.0, 9.0, 9.0]),
    ...     pd.Series([False, False, False, True]))
    >>> got.tolist(), status.tolist()
    ([2.0, nan, nan, 3.0], ['reported', 'missing', 'missing', 'estimated'])
    """
    number = amount.astype("float64")
    missing = number.isna() | ((number == 0) & (value > 0))
    status = np.where(missing, "missing", np.where(estimated, "estimated", "reported"))
    return number.mask(missing), pd.Series(status, index=amount.index, dtype="str")
