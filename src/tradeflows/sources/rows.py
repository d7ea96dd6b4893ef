"""What the parsers of customs rows share: pseudo-codes, and where a weight stands."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["confidential", "level", "measured"]


def confidential(codes: pd.Series) -> pd.Series:
    """Flag pseudo-codes, under which reporters book goods they do not name.

    Examples
    --------
    >>> confidential(pd.Series(["27", "2799", "27999999", "99", "999999", "271019"])).tolist()
    [False, True, True, True, True, False]
    """
    return codes.str.fullmatch(r"(?:2799|9999)\d*|99").fillna(False).astype(bool)


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
