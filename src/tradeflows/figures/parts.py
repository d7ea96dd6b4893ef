"""Charts of parts and comparisons: waterfall, bars, ranges and histograms, all lying on their side.

Rows read from top to bottom, words stand on the left and numbers at the end of their bar, so that
nothing is turned, cut or far from what it names, on a phone either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from tradeflows.errors import SchemaMismatch
from tradeflows.figures.figure import Figure, figure
from tradeflows.figures.marks import draw_marks, stacked, tick_texts, ticks_between
from tradeflows.figures.numbers import Scale, scale_for
from tradeflows.figures.style import (
    HATCH,
    INK,
    MARKER,
    PALETTE,
    Page,
    canvas_of,
    kinds_of,
    text_width,
)

__all__ = ["bars", "chain", "histogram", "ranges", "waterfall"]

KINDS = ("total", "price", "volume", "entry", "exit", "unpriced")
_EDGE = {"edgecolor": INK, "linewidth": 0.5}


def chain(values: Sequence[float], kinds: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return where each bar of a waterfall starts and ends.

    Parameters
    ----------
    values : sequence of float
        Levels for totals, changes for everything else.
    kinds : sequence of str
        ``total`` stands on zero; every other bar starts where the last one ended.

    Returns
    -------
    starts, ends : numpy.ndarray

    Raises
    ------
    SchemaMismatch
        A later total is not the sum of what stands before it.

    Examples
    --------
    >>> starts, ends = chain([10, 4, -1, 13], ["total", "price", "volume", "total"])
    >>> starts.tolist(), ends.tolist()
    ([0.0, 10.0, 14.0, 0.0], [10.0, 14.0, 13.0, 13.0])
    """
    starts, ends = np.zeros(len(values)), np.zeros(len(values))
    reached, room = 0.0, 1e-6 * max((abs(v) for v in values), default=0.0)
    for i, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        total = kind == "total"
        if total and i and abs(value - reached) > room:
            raise SchemaMismatch(
                f"the bars reach {reached:.10g}, the total of bar {i + 1} says {value:.10g}",
                "parts that add up to the total",
                "carry what is left as a step of kind 'unpriced'",
            )
        starts[i] = 0.0 if total else reached
        reached = ends[i] = value if total else reached + value
    return starts, ends


def waterfall(
    table: pd.DataFrame,
    *,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
) -> Figure:
    """Draw how one total became another, part by part.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns step, value, kind (``total``, ``price``, ``volume``, ``entry``, ``exit`` or
        ``unpriced``) and, where methods differ, low and high of the value.
    name, title, unit, alt, origins, period, note
        As for `lines`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> table = pd.DataFrame({"step": ["2021", "price", "2022"], "value": [29e9, 30e9, 59e9],
    ...     "kind": ["total", "price", "total"]})
    >>> waterfall(table, name="bridge", title="Price did it", unit="USD", alt="Up").caption
    'bn USD'
    """
    _need(table, ("step", "value", "kind"))
    odd = sorted(set(table["kind"]) - set(KINDS))
    if odd:
        raise SchemaMismatch(f"kinds {odd}", f"one of {', '.join(KINDS)}", "rename the kind")
    starts, ends = chain(table["value"].astype(float).tolist(), table["kind"].tolist())
    scale = scale_for(float(np.abs(np.r_[starts, ends]).max()), unit)
    draw = partial(_waterfall, table, starts / scale.factor, ends / scale.factor, scale)
    has = "low" in table and "high" in table
    whisker = "whiskers: range over methods" if has else ""
    return figure(
        draw,
        table.reset_index(drop=True),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period, note, whisker),
        origins=origins,
    )


def bars(
    table: pd.DataFrame,
    *,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
    kinds: Mapping[str, str] | None = None,
) -> Figure:
    """Draw one row per category, one bar per column, each with its number.

    Parameters
    ----------
    table : pandas.DataFrame
        Index holds the categories.
    name, title, unit, alt, origins, period, note, kinds
        As for `lines`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> table = pd.DataFrame({"2022": [34.2e9, 9e9]}, index=["energy", "metals"])
    >>> bars(table, name="sectors", title="Energy leads", unit="USD", alt="Two bars").caption
    'bn USD'
    """
    numbers = table.rename(columns=str).astype("float64")
    if not numbers.notna().to_numpy().any():
        raise SchemaMismatch("bars without numbers", "at least one number", "check the filter")
    scale = scale_for(float(np.nanmax(np.abs(numbers.to_numpy()))), unit)
    draw = partial(_bars, numbers / scale.factor, scale, kinds_of([str(c) for c in numbers], kinds))
    return figure(
        draw,
        numbers.rename_axis(str(table.index.name or "category")).reset_index(),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period, note),
        origins=origins,
    )


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
        Columns label, low, high and optionally value.
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
    _need(table, ("label", "low", "high"))
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
        caption=(scale.unit, period, f"{len(known)} {counted}", note),
        origins=origins,
    )


def _need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    lost = [c for c in columns if c not in table]
    if lost or table.empty:
        raise SchemaMismatch(
            f"columns {list(table.columns)}, {len(table)} rows",
            f"columns {', '.join(columns)} and at least one row",
            "add what is missing",
        )


def _rows(
    page: Page, labels: Sequence[str], per_row: float, limits: tuple[float, float],
    ends: Sequence[float], top: float = 4, bottom: float = 4,
) -> tuple[Axes, float]:  # fmt: skip
    """Return axes with a row per label; `ends` is the room for numbers on either side."""
    wrapped = [page.wrap(t, page.width * (0.3 if page.narrow else 0.34)) for t in labels]
    left = max(text_width(t, page.size) for t in wrapped) + 8
    tall = [max(per_row, page.size * 1.25 * (1 + t.count("\n")) + 7) for t in wrapped]
    row = max(tall)
    axes = page.axes(left, 1, top, bottom, top + bottom + row * len(labels))
    wide = page.width - left - 1
    low, high = limits
    room = max(wide - ends[0] - ends[1], 40)
    unit = (high - low or 1.0) / room
    axes.set_xlim(low - ends[0] * unit, high + ends[1] * unit)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_yticks(range(len(labels)), wrapped, fontsize=page.size, ha="right")
    axes.tick_params(axis="y", pad=5)
    axes.set_xticks([])
    return axes, left


def _look(kind: str) -> dict[str, Any]:
    hatch = HATCH.get(kind)
    return {"color": PALETTE[kind], "linewidth": 0} if hatch is None else {
        "facecolor": PALETTE[kind], "alpha": 0.75, "hatch": hatch, **_EDGE
    }  # fmt: skip


def _number(
    axes: Axes, page: Page, x: float, y: float, words: str, *, left: bool, bold: bool
) -> None:
    axes.annotate(
        words, (x, y), (-5 if left else 5, 0), textcoords="offset points", va="center",
        ha="right" if left else "left", fontsize=page.size, weight="bold" if bold else "normal",
        annotation_clip=False,
    )  # fmt: skip


def _waterfall(
    table: pd.DataFrame, starts: np.ndarray, ends: np.ndarray, scale: Scale, page: Page
) -> Canvas:
    kinds = table["kind"].tolist()
    words = [
        scale.text(float(v) / scale.factor, sign=k != "total")
        for v, k in zip(table["value"], kinds, strict=True)
    ]
    lows, highs = _whiskers(table, starts, scale)
    reach = np.c_[starts, ends, lows, highs]
    limits = (min(0.0, float(np.nanmin(reach))), max(0.0, float(np.nanmax(reach))))
    room = max(text_width(w, page.size, bold=True) for w in words) + 10
    negative = limits[0] < 0
    axes, _ = _rows(page, table["step"].astype(str).tolist(), 25, limits, (room * negative, room))
    for i, kind in enumerate(kinds):
        axes.barh(i, ends[i] - starts[i], left=starts[i], height=0.66, **_look(kind))
        if i + 1 < len(kinds):
            axes.plot([ends[i]] * 2, [i - 0.33, i + 1.33], color=INK, linewidth=0.7, alpha=0.6)
        side = float(np.nanmax(reach[i]))
        if not np.isnan(lows[i]):
            axes.plot([lows[i], highs[i]], [i, i], color=INK, linewidth=1.3)
            axes.plot([lows[i], highs[i]], [i, i], "|", color=INK, markersize=8)
        _number(axes, page, side, i, words[i], left=False, bold=kind == "total")
    axes.axvline(0, color=INK, linewidth=0.9)
    return canvas_of(axes)


def _whiskers(
    table: pd.DataFrame, starts: np.ndarray, scale: Scale
) -> tuple[np.ndarray, np.ndarray]:
    if "low" not in table or "high" not in table:
        nothing = np.full(len(table), np.nan)
        return nothing, nothing
    low, high = (table[c].to_numpy(dtype=float, na_value=np.nan) for c in ("low", "high"))
    return starts + low / scale.factor, starts + high / scale.factor


def _bars(table: pd.DataFrame, scale: Scale, kinds: Mapping[str, str], page: Page) -> Canvas:
    columns = [str(c) for c in table]
    words = table.map(scale.text)
    named = [f"{c}: {w}" for w, c in zip(words.iloc[0], columns, strict=True)]
    apart = max(text_width(n, page.size) for n in named) > 0.36 * page.width
    if len(columns) > 1 and not apart:  # the first row says which bar is which
        words.iloc[0] = named
    top = 4 + page.size * 1.5 * len(columns) * (apart and len(columns) > 1)
    limits = (min(0.0, float(np.nanmin(table))), max(0.0, float(np.nanmax(table))))
    right = _reach(page, table, words, limits, 1)
    left = _reach(page, table, words, limits, -1)
    rows = max(24.0, len(columns) * page.size * 1.45 + 10)
    axes, _ = _rows(page, [str(i) for i in table.index], rows, limits, (left, right), top)
    thick = (0.62 if len(columns) == 1 else 0.84) / len(columns)
    for k, column in enumerate(columns):
        offset = (k - (len(columns) - 1) / 2) * thick
        ys = np.arange(len(table)) + offset
        values = table[column].to_numpy()
        kind = "value" if len(columns) == 1 and kinds[column] == "other" else kinds[column]
        axes.barh(ys, np.nan_to_num(values), height=thick * 0.9, **_look(kind))
        if top > 4:
            _named(axes, page, column, kind, k)
        for x, y, text in zip(np.nan_to_num(values), ys, words[column], strict=True):
            _number(axes, page, x, y, text, left=x < 0, bold=False)
    axes.axvline(0, color=INK, linewidth=0.9)
    return canvas_of(axes)


def _named(axes: Axes, page: Page, words: str, kind: str, row: int) -> None:
    """Name a series above the rows, where its name would leave no room for the bars."""
    canvas = canvas_of(axes)
    high = canvas.get_figheight() * 72
    y = high - page.size * (1.5 * row + 1.1)
    size = (page.size * 1.6 / page.width, page.size * 0.8 / high)
    canvas.add_artist(
        Rectangle((0, y / high), *size, transform=canvas.transSubfigure, **_look(kind))
    )
    canvas.text(
        page.size * 2.1 / page.width, y / high + size[1] / 2, words,
        fontsize=page.size, va="center_baseline",
    )  # fmt: skip


def _reach(
    page: Page, table: pd.DataFrame, words: pd.DataFrame, limits: tuple[float, float], sign: int
) -> float:
    """Return the room that numbers need beyond the longest bar on one side, in points."""
    if sign < 0 and limits[0] >= 0:
        return 0.0
    wide = page.width * 0.5
    far = limits[1] if sign > 0 else -limits[0]
    total = limits[1] - limits[0] or 1.0
    need = 0.0
    for column in table:
        for x, text in zip(np.nan_to_num(table[column]), words[column], strict=True):
            if (x >= 0) == (sign > 0):
                spare = (far - abs(x)) / total * wide
                need = max(need, text_width(text, page.size) + 10 - spare)
    return need


def _ranges(
    labels: Sequence[str], table: pd.DataFrame, scale: Scale, marks: Mapping[str, float], page: Page
) -> Canvas:
    words = [
        scale.text(a) if scale.text(a) == scale.text(b) else f"{scale.text(a)} to {scale.text(b)}"
        for a, b in zip(table["low"], table["high"], strict=True)
    ]
    spots = [*table.to_numpy().ravel(), *marks.values()]
    limits = (float(np.nanmin(spots)), float(np.nanmax(spots)))
    if limits[0] > 0 and limits[0] < 0.5 * limits[1]:
        limits = (0.0, limits[1])
    room = max(text_width(w, page.size) for w in words) + 10
    axes, left = _rows(page, labels, 28, limits, (6, room), 6, 22)
    if marks:
        (low, high), wide = axes.get_xlim(), page.width - left - 1
        at = [left + (x - low) / (high - low) * wide for x in marks.values()]
        stack = stacked(page, at, list(marks), 0)
        axes, _ = _rows(page, labels, 28, limits, (6, room), stack.height, 22)
        draw_marks(axes, page, left, stack, list(marks.values()))
    for i, (low, high, text) in enumerate(zip(table["low"], table["high"], words, strict=True)):
        axes.plot([low, high], [i, i], color=PALETTE["other"], linewidth=7, solid_capstyle="butt")
        axes.plot([low, high], [i, i], "|", color=INK, markersize=11, markeredgewidth=1.2)
        if "value" in table:
            axes.plot(table["value"].iloc[i], i, "o", color=INK, markersize=5)
        _number(axes, page, high, i, text, left=False, bold=False)
    _foot(axes, page, limits)
    return canvas_of(axes)


def _foot(axes: Axes, page: Page, limits: tuple[float, float]) -> None:
    """Write an axis of numbers below the rows."""
    ticks = ticks_between(*limits, 3 if page.narrow else 5)
    low, high = axes.get_xlim()
    kept = [(x, t) for x, t in zip(ticks, tick_texts(ticks), strict=True) if low <= x <= high]
    axes.set_xticks([x for x, _ in kept], [t for _, t in kept], fontsize=page.size)
    axes.grid(axis="x")


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
