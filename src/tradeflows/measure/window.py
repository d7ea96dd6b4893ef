"""Windows of months: ``"2022"``, ``"2022-03"`` or ``"2022-02/2023-01"``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tradeflows.errors import SchemaMismatch
from tradeflows.quality.census import Census

__all__ = ["Window", "require"]

_SPELLING = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2]))?(?:/(\d{4})-(0[1-9]|1[0-2]))?")


@dataclass(frozen=True, order=True)
class Window:
    """Consecutive months, counted from year 0: ``12 * year + month - 1``.

    Examples
    --------
    >>> Window.parse("2022-02/2023-01")
    Window(first=24265, last=24276)
    >>> len(Window.parse("2022")), str(Window.parse("2022-03"))
    (12, '2022-03')
    """

    first: int
    last: int

    @classmethod
    def parse(cls, text: str | int) -> Window:
        """Read a window as written, or a year; anything else is a ``ValueError``."""
        found = _SPELLING.fullmatch(str(text))
        if found and not (found[3] and not found[2]):
            first = 12 * int(found[1]) + (int(found[2]) - 1 if found[2] else 0)
            last = first + (0 if found[2] else 11)
            if found[3]:
                last = 12 * int(found[3]) + int(found[4]) - 1
            if first <= last:
                return cls(first, last)
        raise ValueError(f"window {text!r}: expected '2022', '2022-03' or '2022-02/2023-01'")

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __str__(self) -> str:
        if self.first % 12 == 0 and len(self) == 12:
            return f"{self.first // 12}"
        ends = [f"{m // 12}-{m % 12 + 1:02d}" for m in (self.first, self.last)]
        return "/".join(dict.fromkeys(ends))

    def whole(self, lag: int) -> Window:
        """Return whole periods of ``lag`` months: with 12, the years that the window touches."""
        return Window(self.first - self.first % lag, self.last - self.last % lag + lag - 1)

    def month(self, offset: int) -> date:
        """Return the first day of a month of the window."""
        return date((self.first + offset) // 12, (self.first + offset) % 12 + 1, 1)

    def sql(self) -> str:
        """Return the condition that a period lies in the window."""
        return f"(period >= DATE '{self.month(0)}' AND period < DATE '{self.month(len(self))}')"

    def require(self, present: Iterable[Any], *, annual: bool, of: str = "") -> None:
        """Raise unless every month (or year) of the window exists in the table.

        An absent month is not published yet; taking it for zero would make a fall of it.
        """
        have = {12 * p.year + p.month - 1 for p in present}
        if annual:
            have = {m // 12 for m in have}
            absent = [str(y) for y in range(self.first // 12, self.last // 12 + 1) if y not in have]
        else:
            months = (self.month(i) for i in range(len(self)))
            absent = [f"{m:%Y-%m}" for m in months if 12 * m.year + m.month - 1 not in have]
        if absent:
            shown = ", ".join(absent[:6]) + (f" and {len(absent) - 6} more" if absent[6:] else "")
            raise SchemaMismatch(
                f"no rows{of and f' of reporter {of}'} for {shown} of window {self}",
                "every month of the window (annual rows need a column freq = 'A')",
                "choose a window that ends where the data end, or fetch the months"
                + (of and f", or leave {of} out"),
            )


def require(seen: Census, *windows: Window) -> None:
    """Raise unless the table has every month of the windows, and so has each of its reporters.

    Reporters publish at their own pace: a month that one of them has not published yet is no
    month without trade.
    """
    for window in windows:
        window.require(seen.value_of, annual=seen.annual)
        for reporter, months in seen.published.items():
            window.require(months, annual=seen.annual, of=reporter)
