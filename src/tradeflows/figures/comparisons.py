"""Charts that set cases side by side: ranges against thresholds, and one case in a distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from tradeflows.figures.figure import Figure, figure
from tradeflows.figures.marks import draw_marks, stacked, tick_texts, ticks_between
from tradeflows.figures.rows import foot, need, rows_of, write_number
from tradeflows.figures.style import INK, MARKER, PALETTE, Page, canvas_of, text_width
from tradeflows.words import Scale, between, scale_for

__all__ = ["histogram", "ranges"]


def ranges(
    table: pd.DataFrame,
    *,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """Draw intervals against thresholds that are named in words.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns label, low, high and optionally value, and open: true where the range has no upper
        end and ``high`` is only what it reaches at least.
    name, title, unit, alt, origins, period, note
        As for `lines`.
    marks : mapping, optional
        Words to place on the axis: vertical lines.

    Returns
    -------
    Figure

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["annual"], "low": [0.3], "high": [0.6]})
    >>> ranges(table, name="r", title="Above", unit="share", alt="x", marks={"rule": 0.1}).name
    'r'
    """
    need(table, ("label", "low", "high"))
    marks = dict(marks or {})
    numbers = table[[c for c in ("low", "high", "value") if c in table]].astype("float64")
    largest = float(np.nanmax(np.abs(np.r_[numbers.to_numpy().ravel(), list(marks.values())])))
    scale = scale_for(largest, unit)
    draw = partial(
        _ranges,
        table["label"].astype(str).tolist(),
        numbers / scale.factor,
        scale,
        {words: x / scale.factor for words, x in marks.items()},
        table["open"].tolist() if "open" in table else [False] * len(table),
    )
    return figure(
        draw,
        table.reset_index(drop=True),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period, note),
        origins=origins,
    )


def histogram(
    values: pd.Series | Sequence[float],
    *,
    mark: float,
    mark_label: str,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
    counted: str = "placebos",
) -> Figure:
    """Draw a distribution, say of placebos, and mark one case in it.

    Parameters
    ----------
    values : pandas.Series or sequence of float
        A Series whose index names the cases lists them in the table behind the chart.
    mark : float
        The case in question.
    mark_label : str
        Its name.
    name, title, unit, alt, origins, period, note
        As for `lines`.
    counted : str
        What is counted.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = histogram([1.0, 2, 2, 3], mark=9.0, mark_label="Russia", name="placebo",
    ...     title="Russia stands apart", unit="%", alt="Four placebos, Russia far to the right")
    >>> figure.table["placebos"].sum()
    np.int64(4)
    """
    known = pd.Series(values, dtype="float64").dropna()
    scale = scale_for(float(np.abs(np.r_[known.to_numpy(), mark]).max()), unit)
    numbers, at = known.to_numpy() / scale.factor, mark / scale.factor
    edges = ticks_between(min(numbers.min(), at), max(numbers.max(), at), 24)
    counts, _ = np.histogram(numbers, edges)
    if isinstance(known.index, pd.RangeIndex):
        table = pd.DataFrame(
            {"from": edges[:-1] * scale.factor, "to": edges[1:] * scale.factor, counted: counts}
        )
    else:
        cases = [*known.index.astype(str), mark_label]
        table = pd.DataFrame({"case": cases, "value": [*known, mark]})
        table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    return figure(
        partial(_histogram, edges, counts, at, mark_label, scale, counted),
        table,
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period, f"{mark_label} and {len(known)} {counted}", note),
        origins=origins,
    )


def _ranges(
    labels: Sequence[str], table: pd.DataFrame, scale: Scale, marks: Mapping[str, float],
    unended: Sequence[bool], page: Page,
) -> Canvas:  # fmt: skip
    words = [
        f" {scale.text(a)} to over {scale.text(b)}" if more else between(a, b, scale.text)
        for a, b, more in zip(table["low"], table["high"], unended, strict=True)
    ]
    spots = [*table.to_numpy().ravel(), *marks.values()]
    limits = (float(np.nanmin(spots)), float(np.nanmax(spots)))
    if limits[0] > 0 and limits[0] < 0.5 * limits[1]:
        limits = (0.0, limits[1])
    room = max(text_width(w, page.size) for w in words) + 10
    axes, left = rows_of(page, labels, 28, limits, (6, room), 6, 22)
    if marks:
        (low, high), wide = axes.get_xlim(), page.width - left - 1
        at = [left + (x - low) / (high - low) * wide for x in marks.values()]
        stack = stacked(page, at, list(marks), 0)
        axes, _ = rows_of(page, labels, 28, limits, (6, room), stack.height, 22)
        draw_marks(axes, page, left, stack, list(marks.values()))
    for i, (low, high, text) in enumerate(zip(table["low"], table["high"], words, strict=True)):
        axes.plot([low, high], [i, i], color=PALETTE["other"], linewidth=7, solid_capstyle="butt")
        ends = [low] if unended[i] else [low, high]
        axes.plot(ends, [i] * len(ends), "|", color=INK, markersize=11, markeredgewidth=1.2)
        if unended[i]:
            axes.plot(high, i, ">", color=PALETTE["other"], markersize=11, markeredgewidth=0)
        if "value" in table:
            axes.plot(table["value"].iloc[i], i, "o", color=INK, markersize=5)
        write_number(axes, page, high, i, text, left=False, bold=False)
    foot(axes, page, limits)
    return canvas_of(axes)


def _histogram(
    edges: np.ndarray, counts: np.ndarray, at: float, label: str, scale: Scale, counted: str,
    page: Page,
) -> Canvas:  # fmt: skip
    ticks = np.asarray(MaxNLocator(4, integer=True).tick_values(0, max(int(counts.max()), 1)))
    left = max(text_width(f"{t:.0f}", page.size) for t in ticks) + 7
    wide = page.width - left - 8
    low, high = float(edges[0]), float(edges[-1])
    unit = f"number of {counted}"
    spot = left + (at - low) / (high - low) * wide
    words = f"{label} {scale.text(at)}"
    stack = stacked(page, [spot], [words], text_width(unit, page.size))
    top = stack.height
    axes = page.axes(left, 8, top, 38, page.height * 0.8 + top)
    axes.bar(edges[:-1], counts, np.diff(edges) * 0.92, align="edge", color=PALETTE["plain"])
    axes.set(xlim=(low, high), ylim=(0, max(float(ticks[-1]), counts.max() * 1.02)))
    axes.set_yticks(ticks, [f"{t:.0f}" for t in ticks], fontsize=page.size)
    axes.grid(axis="y")
    axes.axhline(0, color=INK, linewidth=0.9)
    along = ticks_between(low, high, 4 if page.narrow else 7)
    kept = [(x, t) for x, t in zip(along, tick_texts(along), strict=True) if low <= x <= high]
    axes.set_xticks([x for x, _ in kept], [t for _, t in kept], fontsize=page.size)
    axes.set_xlabel(scale.unit, fontsize=page.size, loc="right", labelpad=3)
    draw_marks(axes, page, left, stack, [at], unit)
    axes.plot(at, 0, MARKER["other"], color=PALETTE["price"], markersize=8, clip_on=False)
    return canvas_of(axes)
