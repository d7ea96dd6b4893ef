"""Months that a table must have before windows of it are compared."""

from __future__ import annotations

from tradeflows.periods import Window
from tradeflows.quality.census import Census

__all__ = ["require"]


def require(seen: Census, *windows: Window) -> None:
    """Raise unless the table has every month of the windows, and so has each of its reporters.

    Reporters publish at their own pace: a month that one of them has not published yet is no
    month without trade.
    """
    for window in windows:
        window.require(seen.value_of, annual=seen.annual)
        for reporter, months in seen.published.items():
            window.require(months, annual=seen.annual, of=reporter)
