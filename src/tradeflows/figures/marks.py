"""Words on charts: numbers along an axis, and vertical lines named in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tradeflows.figures.style import INK, Page, text_width
from tradeflows.words import Scale

ROW = 1.4  # height of a row of words, in sizes of text

__all__ = ["Placed", "Stack", "draw_marks", "stacked", "tick_texts", "ticks_between", "write"]


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
    """Words beside a vertical line: left end and lowest row in which they stand."""

    words: str
    left: float
    row: int
    wide: float


@dataclass(frozen=True)
class Stack:
    """Rows of words above the axes: who stands where, and how high they reach."""

    placed: tuple[Placed, ...]
    unit_row: int
    height: float


def stacked(page: Page, at: Sequence[float], words: Sequence[str], unit: float) -> Stack:
    """Give each vertical line's words, and the unit, rows above the axes in which nothing overlaps.

    Parameters
    ----------
    page : Page
    at : sequence of float
        Place of each line, in points from the left of the page.
    words : sequence of str
    unit : float
        Width of the unit, which stands on the left: in the lowest row, or in the highest if a line
        would cross it.

    Returns
    -------
    Stack
        Words in the order given.
    """
    crossed = any(x < unit + 6 for x in at)
    rows: list[list[tuple[float, float]]] = [] if crossed else [[(0.0, unit)]]
    out: dict[int, Placed] = {}
    for i in sorted(range(len(at)), key=lambda k: -at[k]):
        text = page.wrap(words[i], page.width)
        wide = text_width(text, page.size)
        left = at[i] + 4 if at[i] + 4 + wide <= page.width else at[i] - 4 - wide
        left = max(0.0, min(left, page.width - wide))
        tall = 1 + text.count("\n")
        row = next(r for r in range(len(rows) + 1) if _free(rows[r : r + tall], left, left + wide))
        rows += [[] for _ in range(row + tall - len(rows))]
        for taken in rows[row : row + tall]:
            taken.append((left, left + wide))
        out[i] = Placed(text, left, row, wide)
    unit_row = len(rows) if crossed else 0
    high = max(len(rows), unit_row + 1)
    placed = tuple(out[i] for i in range(len(at)))
    return Stack(placed, unit_row, 10 + high * page.size * ROW)


def _free(rows: Sequence[Sequence[tuple[float, float]]], left: float, right: float) -> bool:
    return all(right + 6 < a or left - 6 > b for cells in rows for a, b in cells)


def draw_marks(
    axes: Axes, page: Page, left: float, stack: Stack, at: Sequence[float], unit: str = ""
) -> None:
    """Draw vertical lines up to their words, and write the unit.

    Parameters
    ----------
    axes : Axes
    page : Page
    left : float
        Left margin in points.
    stack : Stack
    at : sequence of float
        Place of each line on the axis.
    unit : str
    """
    line: dict[str, Any] = {"color": INK, "linewidth": 0.9, "linestyle": (0, (2, 2)), "alpha": 0.75}
    rise = page.size * ROW
    for label, x in zip(stack.placed, at, strict=True):
        axes.axvline(x, **line)
        axes.annotate(
            "", (x, 1), (0, 6 + label.row * rise + page.size), xycoords=("data", "axes fraction"),
            textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **line},
        )  # fmt: skip
    for label in stack.placed:
        write(axes, page, (label.left - left, 6 + label.row * rise), label.words)
    if unit:
        write(axes, page, (-left, 6 + stack.unit_row * rise), unit)
