"""Sentences and tables that show themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from tradeflows.figures.frames import html_text, table_html

__all__ = ["Sentence", "Shown", "between", "joined"]


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


@dataclass(frozen=True, eq=False)
class Shown:
    """A table that a notebook shows as the report does: scaled, rounded, reachable by keyboard.

    Examples
    --------
    >>> "1.5" in Shown(pd.DataFrame({"year": ["2022"], "x": [1.5]}), "an example")._repr_html_()
    True
    """

    table: pd.DataFrame
    label: str
    unit: str = ""

    def _repr_html_(self) -> str:
        return table_html(self.table, label=self.label, unit=self.unit)


def between(low: float, high: float, written: Callable[[float], str]) -> str:
    """Write a range, or one number where both ends read the same.

    Parameters
    ----------
    low, high : float
    written : callable
        Writes one number, such as `tradeflows.figures.percent`.

    Examples
    --------
    >>> from tradeflows.figures import percent
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
