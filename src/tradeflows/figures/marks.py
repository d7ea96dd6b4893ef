"""Words on charts: numbers along an axis, and vertical lines named in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tradeflows.figures.numbers import Scale
from tradeflows.figures.style import INK, Page, text_width

__all__ = ["Placed", "draw_marks", "stacked", "tick_texts", "ticks_between", "write"]


def ticks_between(low: float, high: float, steps: int) -> np.ndarray:
    """Return round numbers that enclose low and high.

    Parameters
    ----------
    low, high : float
    steps : int
        At most this many intervals.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> ticks_between(0, 58.8, 5).tolist()
    [0.0, 20.0, 40.0, 60.0]
    """
    return np.asarray(MaxNLocator(steps, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))


def tick_texts(ticks: np.ndarray) -> list[str]:
    """Write the numbers of an axis with the decimals their step needs.

    Parameters
    ----------
    ticks : numpy.ndarray

    Returns
    -------
    list of str

    Examples
    --------
    >>> tick_texts(np.array([-0.5, 0.0, 0.5]))
    ['−0.5', '0', '0.5']
    """
    step = float(ticks[1] - ticks[0])
    places = next((p for p in range(7) if abs(round(step, p) - step) < 1e-9 * step), 6)
    return [Scale(1, "", places).text(t) if abs(t) > 1e-12 * step else "0" for t in ticks]


def write(axes: Axes, page: Page, offset: tuple[float, float], words: str, **look: Any) -> None:
    """Write text at an offset in points from the upper left corner of the axes.

    Parameters
    ----------
    axes : Axes
    page : Page
    offset : tuple of float
    words : str
    **look
        Passed to matplotlib.
    """
    axes.annotate(
        words, (0, 1), offset, xycoords="axes fraction", textcoords="offset points",
        fontsize=page.size, va="bottom", annotation_clip=False, **look,
    )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Words beside a vertical line: left end and row in which they stand."""

    words: str
    left: float
    row: int
    wide: float


def stacked(
    page: Page, at: Sequence[float], words: Sequence[str], taken: float
) -> tuple[list[Placed], float]:
    """Give each vertical line's words a row above the axes in which nothing overlaps.

    Parameters
    ----------
    page : Page
    at : sequence of float
        Place of each line, in points from the left of the page.
    words : sequence of str
    taken : float
        Width of the unit, which stands in the lowest row on the left.

    Returns
    -------
    list of Placed, float
        In the order given, and the height above the axes that the rows need.
    """
    rows: list[list[tuple[float, float]]] = [[(0.0, taken + 6)]]
    out: dict[int, Placed] = {}
    for i in sorted(range(len(at)), key=lambda k: -at[k]):
        wide = text_width(words[i], page.size)
        left = at[i] + 4 if at[i] + 4 + wide <= page.width else max(0.0, at[i] - 4 - wide)
        left = max(0.0, min(left, page.width - wide))
        row = next(
            (
                r
                for r, cells in enumerate(rows)
                if all(left + wide + 6 < a or left - 6 > b for a, b in cells)
            ),
            len(rows),
        )
        if row == len(rows):
            rows.append([])
        rows[row].append((left, left + wide))
        out[i] = Placed(words[i], left, row, wide)
    return [out[i] for i in range(len(at))], 10 + len(rows) * page.size * 1.4


def draw_marks(
    axes: Axes, page: Page, left: float, placed: Sequence[Placed], at: Sequence[float]
) -> None:
    """Draw vertical lines up to the row of their words.

    Parameters
    ----------
    axes : Axes
    page : Page
    left : float
        Left margin in points.
    placed : sequence of Placed
    at : sequence of float
        Place of each line on the axis.
    """
    line: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (2, 2)), "alpha": 0.75}
    for label, x in zip(placed, at, strict=True):
        up = 6 + label.row * page.size * 1.4
        axes.axvline(x, **line)
        axes.annotate(
            "", (x, 1), (0, up + page.size), xycoords=("data", "axes fraction"),
            textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **line},
        )  # fmt: skip
        write(axes, page, (label.left - left, up), label.words)
