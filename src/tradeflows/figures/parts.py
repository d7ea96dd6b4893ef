"""Charts of parts: a waterfall from one total to another, and bars, all lying on their side.

Rows read from top to bottom, words stand on the left and numbers at the end of their bar, so that
nothing is turned, cut or far from what it names, on a phone either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Rectangle

from tradeflows.errors import SchemaMismatch
from tradeflows.figures.figure import Figure, figure
from tradeflows.figures.rows import look, need, rows_of, write_number
from tradeflows.figures.style import INK, Page, canvas_of, kinds_of, text_width
from tradeflows.words import Scale, scale_for

__all__ = ["bars", "chain", "waterfall"]

KINDS = ("total", "price", "volume", "entry", "exit", "unpriced")


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
    whiskers: str = "whiskers: range over methods",
) -> Figure:
    """Draw how one total became another, part by part.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns step, value, kind (``total``, ``price``, ``volume``, ``entry``, ``exit`` or
        ``unpriced``) and, where methods differ, low and high of the value.
    name, title, unit, alt, origins, period, note
        As for `lines`.
    whiskers : str
        What low and high are, for the caption.

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
    need(table, ("step", "value", "kind"))
    odd = sorted(set(table["kind"]) - set(KINDS))
    if odd:
        raise SchemaMismatch(f"kinds {odd}", f"one of {', '.join(KINDS)}", "rename the kind")
    starts, ends = chain(table["value"].astype(float).tolist(), table["kind"].tolist())
    scale = scale_for(float(np.abs(np.r_[starts, ends]).max()), unit)
    draw = partial(_waterfall, table, starts / scale.factor, ends / scale.factor, scale)
    has = "low" in table and "high" in table
    return figure(
        draw,
        table.reset_index(drop=True),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period, note, whiskers if has else ""),
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
    axes, _ = rows_of(page, table["step"].astype(str).tolist(), 25, limits, (room * negative, room))
    for i, kind in enumerate(kinds):
        axes.barh(i, ends[i] - starts[i], left=starts[i], height=0.66, **look(kind))
        if i + 1 < len(kinds):
            axes.plot([ends[i]] * 2, [i - 0.33, i + 1.33], color=INK, linewidth=0.7, alpha=0.6)
        side = float(np.nanmax(reach[i]))
        if not np.isnan(lows[i]):
            axes.plot([lows[i], highs[i]], [i, i], color=INK, linewidth=1.3)
            axes.plot([lows[i], highs[i]], [i, i], "|", color=INK, markersize=8)
        write_number(axes, page, side, i, words[i], left=False, bold=kind == "total")
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
    axes, _ = rows_of(page, [str(i) for i in table.index], rows, limits, (left, right), top)
    thick = (0.62 if len(columns) == 1 else 0.84) / len(columns)
    for k, column in enumerate(columns):
        offset = (k - (len(columns) - 1) / 2) * thick
        ys = np.arange(len(table)) + offset
        values = table[column].to_numpy()
        kind = "value" if len(columns) == 1 and kinds[column] == "other" else kinds[column]
        axes.barh(ys, np.nan_to_num(values), height=thick * 0.9, **look(kind))
        if top > 4:
            _named(axes, page, column, kind, k)
        for x, y, text in zip(np.nan_to_num(values), ys, words[column], strict=True):
            write_number(axes, page, x, y, text, left=x < 0, bold=False)
    axes.axvline(0, color=INK, linewidth=0.9)
    return canvas_of(axes)


def _named(axes: Axes, page: Page, words: str, kind: str, row: int) -> None:
    """Name a series above the rows, where its name would leave no room for the bars."""
    canvas = canvas_of(axes)
    high = canvas.get_figheight() * 72
    y = high - page.size * (1.5 * row + 1.1)
    size = (page.size * 1.6 / page.width, page.size * 0.8 / high)
    canvas.add_artist(
        Rectangle((0, y / high), *size, transform=canvas.transSubfigure, **look(kind))
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
