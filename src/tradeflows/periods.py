"""Months and windows of months, as everything here writes them: the one grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pandas as pd

from tradeflows.errors import UnknownCode

_END = r"((?!0000)\d{4})(?:-(0[1-9]|1[0-2]))?"
_SPELLING = re.compile(rf"{_END}(?:/{_END})?")
_KNOWN = "'2022', '2022-03' or '2022-02/2023-01', the earlier month first"


@dataclass(frozen=True, order=True)
class Window:
    """Consecutive months, counted from year 0: ``12 * year + month - 1``.

    Examples
    --------
    >>> Window.parse("2022-02/2023-01")
    Window(first=24265, last=24276)
    >>> len(Window.parse(2022)), str(Window.parse("2022-03")), str(Window.parse("2021/2022-06"))
    (12, '2022-03', '2021-01/2022-06')
    """

    first: int
    last: int

    @classmethod
    def parse(cls, asked: object) -> Window:
        """Read a window.

        Parameters
        ----------
        asked : str, int, date or pandas.Period
            ``"2022"`` or 2022, ``"2022-03"``, ``"2021-03/2022-02"``, whole years at its ends too
            (``"2021/2022"``); a month or year as a `pandas.Period`; a date or `pandas.Timestamp`
            that is the first day of its month.

        Raises
        ------
        UnknownCode
            Not a window of months, or one that ends before it starts.
        """
        found = _SPELLING.fullmatch(_spelled(asked))
        if not found:
            raise UnknownCode(
                f"window {_shown(asked)}", _KNOWN, "write it so; a quarter by its months"
            )
        start, end = found.group(1, 2), found.group(3, 4)
        end = end if end[0] else start
        first = 12 * int(start[0]) + (int(start[1]) - 1 if start[1] else 0)
        last = 12 * int(end[0]) + (int(end[1]) - 1 if end[1] else 11)
        if first > last:
            raise UnknownCode(
                f"window {_shown(asked)} ends before it starts", _KNOWN, "swap the two ends"
            )
        return cls(first, last)

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        if self.first % 12 == 0 and len(self) == 12:
            return f"{self.first // 12:04d}"
        ends = [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in (self.first, self.last)]
        return "/".join(dict.fromkeys(ends))

    def whole(self, lag: int) -> Window:
        """Return whole periods of ``lag`` months: with 12, the years that the window touches."""
        return Window(self.first - self.first % lag, self.last - self.last % lag + lag - 1)

    def month(self, offset: int) -> date:
        """Return the first day of a month of the window; -1 is its last month."""
        at = (self.first if offset >= 0 else self.last + 1) + offset
        return date(at // 12, at % 12 + 1, 1)

    def sql(self) -> str:
        """Return the condition that a period lies in the window."""
        return f"(period >= DATE '{self.month(0)}' AND period < DATE '{self.month(len(self))}')"


def either(*windows: Window) -> str:
    """Return the condition that a period lies in one of several windows."""
    return f"({' OR '.join(window.sql() for window in windows)})"


def month(asked: object, name: str = "") -> pd.Timestamp:
    """Return the first day of a month; of a day, of the month that holds it."""
    if isinstance(asked, date):
        text = f"{asked:%Y-%m}"
    else:
        text = re.sub(r"^(\d{4}-\d\d)-\d\d$", r"\1", _spelled(asked))
    window = Window.parse(text)
    if len(window) != 1:
        of = f"{name}={_shown(asked)}" if name else _shown(asked)
        raise UnknownCode(f"{of} is not one month", "'2022-02'", "name the month")
    return pd.Timestamp(window.month(0))


def span(window: object) -> pd.DatetimeIndex:
    """Return the first days of the months of a window."""
    found = window if isinstance(window, Window) else Window.parse(window)
    return pd.date_range(found.month(0), found.month(-1), freq="MS")


def _spelled(asked: object) -> str:
    """Return what was asked as text, or what no window looks like."""
    if isinstance(asked, pd.Period):
        return str(asked) if asked.freqstr[:1] in "MYA" else f"{asked} (period {asked.freqstr})"
    if isinstance(asked, date):  # a Timestamp is one
        whole = asked.day == 1 and asked == type(asked)(asked.year, asked.month, 1)
        return f"{asked:%Y-%m}" if whole else str(asked)
    known = isinstance(asked, str | int) and not isinstance(asked, bool)
    return str(asked).strip() if known else ""


def _shown(asked: object) -> str:
    return repr(asked)[:60]
