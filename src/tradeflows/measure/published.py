"""Published figures as ranges: a number in print stands for all that would round to it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.load import load
from tradeflows.measure.intervals import Interval

_SCALES = {
    "USD million": (1e6, "USD"),
    "USD billion": (1e9, "USD"),
    "million tonnes": (1e9, "kg"),
    "tonnes": (1e3, "kg"),
    "bcm": (1e9, "m3"),
    "%": (0.01, "share"),
    "ratio": (1.0, "ratio"),
}
_WRITTEN = {"USD million": "m USD", "USD billion": "bn USD"}  # as in every other table


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure: the range it stands for, its unit, and where it was printed."""

    id: str
    value: Interval
    unit: str
    text: str
    start: pd.Timestamp
    end: pd.Timestamp
    publisher: str
    url: str
    published: str
    origin: str

    @property
    def link(self) -> str:
        """Publisher and date as a Markdown link to the page."""
        return f"[{self.publisher}, {self.published}]({self.url})"


def rounded(text: str) -> tuple[float, float]:
    """Return the range of numbers that a printed number may stand for."""
    try:
        number = Decimal(text)
        if not number.is_finite():
            raise InvalidOperation
    except InvalidOperation:
        raise UnknownCode(
            f"{text!r} is not one number", "a printed number", "choose another figure"
        ) from None
    digits = number if "." in text else number.normalize()
    half = Decimal(5).scaleb(int(digits.as_tuple().exponent) - 1)
    return float(number - half), float(number + half)


def published(figure: str) -> PublishedFigure:
    """Return one published figure by its id.

    Parameters
    ----------
    figure : str
        Id in the table ``published``.

    Returns
    -------
    PublishedFigure
        ``value`` is an `Interval`. Values in USD, kg, m3, or as a share of one.

    Raises
    ------
    UnknownCode
        No such figure, or a unit that is no quantity.

    Examples
    --------
    >>> published("F007").value
    Interval(low=58852500000.0, high=58853500000.0)
    """
    row = load("published", id=figure).iloc[0]
    unit = next((u for u in _SCALES if row["unit"].startswith(u)), None)
    if unit is None:
        raise UnknownCode(
            f"figure {figure} is in {row['unit']!r}", f"one of {', '.join(_SCALES)}", "use its text"
        )
    scale, base = _SCALES[unit]
    low, high = (x * scale for x in rounded(row["value"]))
    text = f"{row['value']} {row['unit'].replace(unit, _WRITTEN.get(unit, unit))}"
    printed = {n: str(row[n]) for n in ("publisher", "url", "published", "origin")}
    return PublishedFigure(
        figure, Interval(low, high), base, text, row["period_start"], row["period_end"], **printed
    )
