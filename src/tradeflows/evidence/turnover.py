"""Turkey's total trade as published."""

from __future__ import annotations

from tradeflows.errors import UnknownCode
from tradeflows.measure.intervals import Interval
from tradeflows.measure.published import published

__all__ = ["total_trade"]

_TOTAL = {2021: ("G001", "G002"), 2022: ("G003", "G004"), 2023: ("G005", "G006")}


def total_trade(year: int) -> tuple[Interval, str]:
    """Return Turkey's total exports plus imports of a year as published, USD, and the raw file.

    Never a sum of partners: confidential partners would be missing.

    Examples
    --------
    >>> before, after = total_trade(2021)[0], total_trade(2022)[0]
    >>> round(after.low / before.low - 1, 3)
    0.244
    """
    if year not in _TOTAL:
        raise UnknownCode(f"no total trade of {year}", f"one of {list(_TOTAL)}", "choose another")
    exports, imports = (published(figure) for figure in _TOTAL[year])
    return exports.value + imports.value, exports.origin
