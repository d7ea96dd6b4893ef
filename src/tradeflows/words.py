"""Numbers, periods, lists and sentences as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

NONE = "–"
_MONEY = ("USD", "EUR", "TRY", "RUB", "GBP")
_SIGNS = str.maketrans({"-": "\N{MINUS SIGN}"})


def _written(x: float, places: int, *, sign: bool = False) -> str:
    text = f"{x:+,.{places}f}" if sign else f"{x:,.{places}f}"
    if not any(c in "123456789" for c in text):
        text = text.lstrip("+-")
    return text.translate(_SIGNS)


def _places(size: float) -> int:
    """Return how many decimals a number of this size deserves."""
    if size == 0 or size >= 99.95:
        return 0
    if size >= 9.995:
        return 1
    return 2 if size >= 0.1 else min(4, 1 - math.floor(math.log10(size)))


def number(x: float, *, sign: bool = False) -> str:
    """Write a number with about three digits, thousands apart, and a true minus sign."""
    if math.isnan(x):
        return NONE
    whole = isinstance(x, int) or (float(x).is_integer() and abs(x) < 1e15)
    return _written(float(x), 0 if whole else _places(abs(x)), sign=sign)


def percent(fraction: float, *, sign: bool = False) -> str:
    """Write a fraction in per cent: one decimal below ten, none above."""
    return amount(fraction * 100, "%", sign=sign)


def amount(x: float, unit: str = "", *, sign: bool = False) -> str:
    """Write an amount with its unit, scaled to bn or m where that reads better."""
    if math.isnan(x):
        return NONE
    if unit == "%":
        return f"{_written(x, 1 if abs(x) < 9.95 and x != 0 else 0, sign=sign)} %"
    scale = scale_for(abs(x), unit)
    return f"{number(x / scale.factor, sign=sign)} {scale.unit}".rstrip()


@dataclass(frozen=True)
class Scale:
    """How the numbers of one chart are written: divided by `factor`, in `unit`."""

    factor: float
    unit: str
    places: int = 1

    def text(self, x: float, *, sign: bool = False) -> str:
        """Write one number of the chart, already divided by `factor`."""
        if math.isnan(x):
            return NONE
        if 5e-7 <= abs(x) < 0.5 * 10**-self.places:
            return _written(x, min(6, 1 - math.floor(math.log10(abs(x)) + 1)), sign=sign)
        return _written(x, self.places, sign=sign)


def scale_for(largest: float, unit: str) -> Scale:
    """Return the scale for numbers up to `largest` in `unit`."""
    factor, shown = 1.0, unit
    if unit in (*_MONEY, "m3") and largest >= 999.5e3:
        word = unit.replace("m3", "m³")
        factor, shown = (1e9, f"bn {word}") if largest >= 999.5e6 else (1e6, f"m {word}")
    elif unit == "kg" and largest >= 1e4:
        factor, shown = (1e9, "Mt") if largest >= 1e9 else (1e3, "t")
    return Scale(factor, shown, _places(largest / factor) if math.isfinite(largest) else 1)


def period_text(when: Any) -> str:
    """Write a month, year or number as a period."""
    if isinstance(when, pd.Timestamp):
        return f"{when:%b %Y}" if when.day == 1 else f"{when.day} {when:%b %Y}"
    if isinstance(when, float) and when.is_integer():
        return str(int(when))
    return str(when)


def span(index: pd.Index) -> str:
    """Write the span an index covers, years alone where every entry is a year."""
    if isinstance(index, pd.DatetimeIndex) and is_yearly(index):
        index = pd.Index(index.year)
    first, last = period_text(index[0]), period_text(index[-1])
    return first if first == last else f"{first} to {last}"


def is_yearly(index: pd.DatetimeIndex) -> bool:
    """Tell whether every entry is the first day of a year, each year once."""
    return bool(((index.month == 1) & (index.day == 1)).all() and index.is_unique)


def between(low: float, high: float, written: Callable[[float], str]) -> str:
    """Write a range, or one number where both ends read the same."""
    one, other = written(low), written(high)
    return one if one == other else f"{one} to {other}"


def joined(words: Iterable[str]) -> str:
    """Write a list as a sentence does."""
    known = list(words)
    return " and ".join([", ".join(known[:-1]), *known[-1:]] if len(known) > 1 else known)


def few(words: Iterable[str], most: int = 5) -> str:
    """Write the first of a list, and how many more there are."""
    known = list(words)
    more = f" and {len(known) - most} more" if known[most:] else ""
    return ", ".join(known[:most]) + more


def html_text(text: str) -> str:
    """Escape text; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


class Sentence(str):
    """Text whose numbers come from results; a notebook shows it as a paragraph.

    Examples
    --------
    >>> Sentence("Imports rose <twice>.")._repr_html_()
    '<p>Imports rose &lt;twice&gt;.</p>'
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f"<p>{html_text(self)}</p>"
