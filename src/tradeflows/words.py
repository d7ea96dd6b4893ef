"""Numbers, periods, lists and sentences as people write them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

__all__ = [
    "NONE",
    "Scale",
    "Sentence",
    "amount",
    "at_least",
    "between",
    "html_text",
    "is_yearly",
    "joined",
    "number",
    "percent",
    "period_text",
    "scale_for",
    "span",
]

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
    """Write a number with about three digits, thousands apart, and a true minus sign.

    Parameters
    ----------
    x : float
        NaN is written as a dash.
    sign : bool
        Write a plus before positive numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> number(1234.5), number(-3.14159), number(58.849), number(7)
    ('1,234', '−3.14', '58.8', '7')
    """
    if math.isnan(x):
        return NONE
    whole = isinstance(x, int) or (float(x).is_integer() and abs(x) < 1e15)
    return _written(float(x), 0 if whole else _places(abs(x)), sign=sign)


def percent(fraction: float, *, sign: bool = False) -> str:
    """Write a fraction in per cent: one decimal below ten, none above.

    Parameters
    ----------
    fraction : float
        0.24 is 24 %.
    sign : bool
        Write a plus before positive numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.24, sign=True), percent(-0.034), percent(1.481)
    ('+24 %', '−3.4 %', '148 %')
    """
    return amount(fraction * 100, "%", sign=sign)


def at_least(fraction: float) -> str:
    """Write a lower bound in per cent, rounded down to a tenth.

    Parameters
    ----------
    fraction : float

    Returns
    -------
    str

    Examples
    --------
    >>> at_least(0.15799), at_least(-0.0041)
    ('15.7 %', '−0.5 %')
    """
    return f"{_written(math.floor(fraction * 1000) / 10, 1)} %"


def amount(x: float, unit: str = "", *, sign: bool = False) -> str:
    """Write an amount with its unit, scaled to bn or m where that reads better.

    Parameters
    ----------
    x : float
        In the unit given.
    unit : str
        Currencies and kg are scaled; a unit that is scaled already ("bn USD") is left as it is.
    sign : bool
        Write a plus before positive numbers.

    Returns
    -------
    str

    Examples
    --------
    >>> amount(58.81e9, "USD"), amount(412.3e6, "USD"), amount(-2.5e9, "USD", sign=True)
    ('58.8 bn USD', '412 m USD', '−2.50 bn USD')
    >>> amount(24, "%", sign=True), amount(1.2e9, "kg"), amount(999.9e6, "USD")
    ('+24 %', '1.20 Mt', '1.00 bn USD')
    """
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
        """Write one number of the chart, already divided by `factor`.

        Parameters
        ----------
        x : float
            A number that would round to nothing keeps a digit, down to a millionth.
        sign : bool
            Write a plus before positive numbers.

        Returns
        -------
        str

        Examples
        --------
        >>> scale = scale_for(58.8e9, "USD")
        >>> scale.text(58.81), scale.text(-1.04, sign=True), scale.text(0.004), scale.text(-1e-17)
        ('58.8', '−1.0', '0.004', '0.0')
        """
        if math.isnan(x):
            return NONE
        if 5e-7 <= abs(x) < 0.5 * 10**-self.places:
            return _written(x, min(6, 1 - math.floor(math.log10(abs(x)) + 1)), sign=sign)
        return _written(x, self.places, sign=sign)


def scale_for(largest: float, unit: str) -> Scale:
    """Return the scale for numbers up to `largest` in `unit`.

    Parameters
    ----------
    largest : float
        Largest absolute number to be written.
    unit : str
        Currencies, m3 and kg are scaled, anything else is kept.

    Returns
    -------
    Scale

    Examples
    --------
    >>> [scale_for(x, u).unit for x, u in ((3e9, "USD"), (3e9, "m3"), (3e6, "kg"), (3e9, "index"))]
    ['bn USD', 'bn m³', 't', 'index']
    """
    factor, shown = 1.0, unit
    if unit in (*_MONEY, "m3") and largest >= 999.5e3:
        word = unit.replace("m3", "m³")
        factor, shown = (1e9, f"bn {word}") if largest >= 999.5e6 else (1e6, f"m {word}")
    elif unit == "kg" and largest >= 1e4:
        factor, shown = (1e9, "Mt") if largest >= 1e9 else (1e3, "t")
    return Scale(factor, shown, _places(largest / factor) if math.isfinite(largest) else 1)


def period_text(when: Any) -> str:
    """Write a month, year or number as a period.

    Parameters
    ----------
    when : datetime-like or number

    Returns
    -------
    str

    Examples
    --------
    >>> period_text(pd.Timestamp("2022-02-01")), period_text(2022), period_text("2022")
    ('Feb 2022', '2022', '2022')
    """
    if isinstance(when, pd.Timestamp):
        return f"{when:%b %Y}" if when.day == 1 else f"{when.day} {when:%b %Y}"
    if isinstance(when, float) and when.is_integer():
        return str(int(when))
    return str(when)


def span(index: pd.Index) -> str:
    """Write the span an index covers, years alone where every entry is a year.

    Parameters
    ----------
    index : pandas.Index

    Returns
    -------
    str

    Examples
    --------
    >>> span(pd.to_datetime(["2019-01-01", "2020-01-01"])), span(pd.Index([2019, 2024]))
    ('2019 to 2020', '2019 to 2024')
    >>> span(pd.to_datetime(["2019-01-01", "2019-03-01"]))
    'Jan 2019 to Mar 2019'
    """
    if isinstance(index, pd.DatetimeIndex) and is_yearly(index):
        index = pd.Index(index.year)
    first, last = period_text(index[0]), period_text(index[-1])
    return first if first == last else f"{first} to {last}"


def is_yearly(index: pd.DatetimeIndex) -> bool:
    """Tell whether every entry is the first day of a year, each year once.

    Parameters
    ----------
    index : pandas.DatetimeIndex

    Returns
    -------
    bool

    Examples
    --------
    >>> is_yearly(pd.to_datetime(["2019-01-01", "2020-01-01"]))
    True
    """
    return bool(((index.month == 1) & (index.day == 1)).all() and index.is_unique)


def between(low: float, high: float, written: Callable[[float], str]) -> str:
    """Write a range, or one number where both ends read the same.

    Parameters
    ----------
    low, high : float
    written : callable
        Writes one number, such as `tradeflows.words.percent`.

    Examples
    --------
    >>> between(0.24, 0.41, percent), between(0.241, 0.242, percent)
    ('24 % to 41 %', '24 %')
    """
    one, other = written(low), written(high)
    return one if one == other else f"{one} to {other}"


def joined(words: Iterable[str]) -> str:
    """Write a list as a sentence does.

    Parameters
    ----------
    words : iterable of str

    Examples
    --------
    >>> joined("ABC"), joined(["A"]), joined([])
    ('A, B and C', 'A', '')
    """
    known = list(words)
    return " and ".join([", ".join(known[:-1]), *known[-1:]] if len(known) > 1 else known)


def html_text(text: str) -> str:
    """Escape text; what stands between backticks is code.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> html_text("1 < 2: `make refresh`")
    '1 &lt; 2: <code>make refresh</code>'
    """
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
