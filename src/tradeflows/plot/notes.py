"""Words on axes of anybody's drawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import BarContainer

from tradeflows.errors import SchemaMismatch

__all__ = ["label_parts", "note"]


def note(ax: Axes, text: str, x: Any, y: float, **look: Any) -> None:
    """Write words at a place of the axes; lines behind them do not cross the words.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    text : str
    x, y
        In the axes' own units, dates included.
    **look
        As in ``Axes.annotate``, such as ``ha="left"``.
    """
    ax.annotate(text, (x, y), zorder=5, **{"ha": "center", "va": "center", **look})


def label_parts(ax: Axes, at: Mapping[str, Any] | None = None) -> None:
    """Write the name of each stacked part beside a bar: right of the last one, or within another.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of ``frame.plot.bar(stacked=True, legend=False)``.
    at : mapping of str to category, optional
        Part to the bar in which its name stands; by default the last bar that has the part.

    Examples
    --------
    >>> import pandas as pd
    >>> parts = pd.DataFrame({"gas": [1, 2], "coal": [3, 0]}, index=[2021, 2022])
    >>> ax = parts.plot.bar(stacked=True)
    >>> label_parts(ax)
    >>> [text.get_text() for text in ax.texts]
    ['gas', 'coal']
    """
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    for bars in ax.containers:
        if not isinstance(bars, BarContainer):
            continue
        name = str(bars.get_label())
        seen = [i for i, bar in enumerate(bars) if bar.get_height()]
        if not seen:
            continue
        if at and name in at and str(at[name]) not in ticks:
            raise SchemaMismatch(f"no bar {at[name]!r}", f"one of {', '.join(ticks)}", "change at=")
        spot = ticks.index(str(at[name])) if at and name in at else seen[-1]
        bar, last = bars[spot], spot == len(bars) - 1
        x = bar.get_x() + bar.get_width() * (1.0 if last else 0.5)
        ax.annotate(
            name, (x, bar.get_y() + bar.get_height() / 2), (7 * last, 0), va="center",
            textcoords="offset points", ha="left" if last else "center", annotation_clip=False,
        )  # fmt: skip
    if legend := ax.get_legend():
        legend.remove()
