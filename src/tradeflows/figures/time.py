"""Charts over time: lines and fans, labelled directly, events named in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.text import OffsetFrom

from tradeflows.errors import SchemaMismatch
from tradeflows.figures.figure import Figure, figure
from tradeflows.figures.marks import draw_marks, stacked, tick_texts, ticks_between
from tradeflows.figures.style import (
    DASH,
    INK,
    MARKER,
    PALETTE,
    Page,
    canvas_of,
    kinds_of,
    spread,
    text_width,
)
from tradeflows.words import Scale, is_yearly, scale_for, span

__all__ = ["fan", "lines"]

Events = Iterable[tuple[Any, str]]
_HALF_YEAR = 182.0
_FAN = ("actual", "median", "low95", "high95", "low80", "high80")


def lines(
    table: pd.DataFrame,
    *,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
    events: Events = (),
    kinds: Mapping[str, str] | None = None,
    floors: bool = False,
) -> Figure:
    """Draw one line per column, labelled at its end; values of whole years stand at mid-year.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by dates or numbers; a missing value leaves a gap.
    name, title, unit, alt : str
        Slug; the finding; unit of all columns; what the chart shows.
    origins : iterable of str
        Ids of the raw files.
    period : str, optional
        Taken from the index where not given.
    note : str
        Further words for the caption.
    events : iterable of (date, words)
        Vertical lines, named in words.
    kinds : mapping, optional
        Column to ``value``, ``price``, ``volume`` or ``other``; guessed from the names otherwise.
    floors : bool
        The values are lower bounds: points with an arrow upward, which no line joins.

    Returns
    -------
    Figure

    Examples
    --------
    >>> table = pd.DataFrame({"imports": [17.8e9, 29.0e9]}, index=[2020, 2021])
    >>> lines(table, name="rise", title="Imports rose", unit="USD", alt="A rise").caption
    'bn USD · 2020 to 2021'
    """
    table = _checked(table)
    scale = scale_for(float(np.nanmax(np.abs(table.to_numpy(float)))), unit)
    draw = partial(
        _lines,
        table / scale.factor,
        scale,
        _marks(events),
        kinds_of([str(c) for c in table], kinds),
        floors,
    )
    return figure(
        draw,
        table.rename_axis(str(table.index.name or "period")).reset_index(),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period or span(table.index), note),
        origins=origins,
    )


def fan(
    table: pd.DataFrame,
    *,
    name: str,
    title: str,
    unit: str,
    alt: str,
    origins: Iterable[str] = (),
    period: str | None = None,
    note: str = "",
    events: Events = (),
) -> Figure:
    """Draw what happened against what was to be expected, with 80 % and 95 % bands.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by dates; columns actual, median, low95, high95, low80, high80.
    name, title, unit, alt, origins, period, note, events
        As for `lines`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> days = pd.date_range("2022-01-01", periods=2, freq="MS")
    >>> table = pd.DataFrame({"actual": [1.0, 9.0], "median": [1.0, 2.0], "low95": [0.5, 1.0],
    ...     "high95": [1.5, 3.0], "low80": [0.8, 1.5], "high80": [1.2, 2.5]}, index=days)
    >>> fan(table, name="fan", title="Above the band", unit="index", alt="Above").caption
    'index · Jan 2022 to Feb 2022'
    """
    lost = [c for c in _FAN if c not in table]
    if lost:
        raise SchemaMismatch(f"fan without columns {lost}", ", ".join(_FAN), "add the columns")
    table = _checked(table[list(_FAN)])
    scale = scale_for(float(np.nanmax(np.abs(table.to_numpy(float)))), unit)
    return figure(
        partial(_fan, table / scale.factor, scale, _marks(events)),
        table.rename_axis(str(table.index.name or "period")).reset_index(),
        name=name,
        title=title,
        alt=alt,
        unit=unit,
        caption=(scale.unit, period or span(table.index), note),
        origins=origins,
    )


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty or not table.notna().to_numpy().any():
        raise SchemaMismatch("a chart without numbers", "at least one number", "check the filter")
    out = table.copy()
    if isinstance(out.index, pd.PeriodIndex):
        out.index = out.index.to_timestamp()
    return out.sort_index().rename(columns=str).astype("float64")


def _marks(events: Events) -> list[tuple[float, str]]:
    return [(_place(when), words) for when, words in events]


def _place(when: Any) -> float:
    """Return where a date or number stands on the axis."""
    if isinstance(when, int | float | np.integer | np.floating):
        return float(when)
    return (pd.Timestamp(when) - pd.Timestamp(0)) / pd.Timedelta(days=1)


def _places(index: pd.Index) -> np.ndarray:
    """Return where values stand: those of whole years in their middle, as events have dates."""
    return np.array([_place(when) for when in index]) + (_HALF_YEAR if _yearly(index) else 0.0)


def _yearly(index: pd.Index) -> bool:
    return isinstance(index, pd.DatetimeIndex) and is_yearly(index)


@dataclass(frozen=True)
class _Label:
    """A label at the right end of the chart: its words and the height it belongs to."""

    text: str
    x: float
    y: float


def _lines(
    table: pd.DataFrame,
    scale: Scale,
    events: Sequence[tuple[float, str]],
    kinds: Mapping[str, str],
    floors: bool,
    page: Page,
) -> Canvas:
    xs, names = _places(table.index), [str(c) for c in table]
    ends = [_Label(page.wrap(c, page.width * 0.24), *_last(xs, table[c])) for c in names]
    axes = _frame(page, table, xs, scale, events, ends)
    for column in names:
        kind = kinds[column]
        look: dict[str, Any] = {"color": PALETTE[kind], "solid_capstyle": "round"}
        ys = table[column].to_numpy()
        if floors:
            _points_upward(axes, xs, ys, PALETTE[kind])
            continue
        axes.plot(xs, ys, linestyle=DASH.get(kind, "-"), linewidth=2.1, **look)
        alone = ~np.isnan(ys) & np.isnan(np.r_[np.nan, ys[:-1]]) & np.isnan(np.r_[ys[1:], np.nan])
        last = len(ys) - 1 - int(np.argmax(~np.isnan(ys[::-1])))
        alone[last] = True
        alone |= _yearly(table.index) & ~np.isnan(ys)  # one total a year: the line only joins them
        axes.plot(
            xs[alone], ys[alone], MARKER.get(kind, "o"), markersize=5.5, color=PALETTE[kind],
            markeredgewidth=0, clip_on=False,
        )  # fmt: skip
    _end_labels(axes, page, ends, xs)
    return canvas_of(axes)


def _points_upward(axes: Axes, xs: np.ndarray, ys: np.ndarray, color: str) -> None:
    """Draw lower bounds: a tick at each, and an arrow that leaves the upper end open."""
    axes.plot(xs, ys, "_", color=color, markersize=11, markeredgewidth=2.2, clip_on=False)
    for x, y in zip(xs[~np.isnan(ys)], ys[~np.isnan(ys)], strict=True):
        axes.annotate(
            "", (x, y), (0, 16), textcoords="offset points", annotation_clip=False,
            arrowprops={"arrowstyle": "<-", "color": color, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def _fan(
    table: pd.DataFrame, scale: Scale, events: Sequence[tuple[float, str]], page: Page
) -> Canvas:
    xs = _places(table.index)
    wanted = [
        _Label("actual", *_last(xs, table["actual"])),
        _Label("expected", *_last(xs, table["median"])),
        _Label(page.wrap("80 % band", page.width * 0.2), *_last(xs, table["high80"])),
        _Label(page.wrap("95 % band", page.width * 0.2), *_last(xs, table["high95"])),
    ]
    ends = [e for e in wanted if not np.isnan(e.y)]
    axes = _frame(page, table, xs, scale, events, ends)
    for band, alpha in (("95", 0.22), ("80", 0.32)):
        low, high = table[f"low{band}"].to_numpy(), table[f"high{band}"].to_numpy()
        axes.fill_between(xs, low, high, color=PALETTE["other"], alpha=alpha, linewidth=0)
    axes.plot(xs, table["median"], color=PALETTE["other"], linestyle=(0, (4, 1.5)), linewidth=1.8)
    axes.plot(xs, table["actual"], color=PALETTE["value"], linewidth=2.2)
    _end_labels(axes, page, ends, xs)
    return canvas_of(axes)


def _last(xs: np.ndarray, values: pd.Series) -> tuple[float, float]:
    """Return where a line ends."""
    known = np.flatnonzero(values.notna())
    return (xs[known[-1]], float(values.iloc[known[-1]])) if len(known) else (np.nan, np.nan)


def _frame(
    page: Page,
    table: pd.DataFrame,
    xs: np.ndarray,
    scale: Scale,
    events: Sequence[tuple[float, str]],
    ends: Sequence[_Label],
) -> Axes:
    """Return axes with grid, ticks, unit and events; margins fit the words around them."""
    ticks, (low, high) = _heights(table.to_numpy(float), 4 if page.narrow else 5)
    written = tick_texts(ticks)
    left = max(text_width(t, page.size) for t in written) + 7
    right = max((text_width(e.text, page.size, bold=True) for e in ends), default=0) + 16
    first, last = float(xs[0]), float(xs[-1])
    pad = (last - first or 1) * 0.015
    limits = (first - pad, last + pad)
    wide = page.width - left - right
    starts = "" if low <= 0 else f", axis starts at {written[0]}"
    unit = f"{scale.unit}{starts}"
    at = [left + (x - limits[0]) / (limits[1] - limits[0]) * wide for x, _ in events]
    stack = stacked(page, at, [w for _, w in events], text_width(unit, page.size))
    top = stack.height
    axes = page.axes(left, right, top, 22, page.height + top - 30)
    axes.set(xlim=limits, ylim=(low, high), yticks=ticks)
    axes.set_yticks(ticks, written, fontsize=page.size)
    axes.grid(axis="y")
    axes.axhline(max(low, 0), color=INK, linewidth=0.9)
    _time_ticks(axes, table.index, xs, page, wide)
    draw_marks(axes, page, left, stack, [x for x, _ in events], unit)
    return axes


def _heights(values: np.ndarray, steps: int) -> tuple[np.ndarray, tuple[float, float]]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low >= 0 and low < 0.6 * high:
        low = 0.0
    if low == high:
        low, high = min(low, 0.0), max(high, 0.0) or 1.0
    ticks = ticks_between(low, high, steps)
    if ticks[-2] >= high:
        ticks = ticks[:-1]
    return ticks, (float(ticks[0]), max(float(ticks[-1]), high))


def _time_ticks(axes: Axes, index: pd.Index, xs: np.ndarray, page: Page, wide: float) -> None:
    """Write years, or months with their year, as many as fit."""
    if not isinstance(index, pd.DatetimeIndex):
        at, words = xs, [f"{x:g}" for x in xs]
    elif _yearly(index):
        at, words = xs, [f"{t:%Y}" for t in index]
    elif (index[-1] - index[0]).days > 800:
        starts = pd.date_range(index[0], index[-1], freq="YS")
        at, words = np.array([_place(t) for t in starts]), [f"{t:%Y}" for t in starts]
    else:
        at, words = xs, [f"{t:%b} {t:%y}" for t in index]
    room = max(text_width(w, page.size) for w in words) + 9
    every = max(1, int(np.ceil(room * len(words) / max(wide, 1))))
    axes.set_xticks(at[::every], words[::every], fontsize=page.size)


def _end_labels(axes: Axes, page: Page, ends: Sequence[_Label], xs: np.ndarray) -> None:
    if not ends:
        return
    tall = axes.get_position().height * canvas_of(axes).get_figheight() * 72
    low, high = axes.get_ylim()
    wanted = [(e.y - low) / (high - low) * tall for e in ends]
    heights = [page.size * 1.25 * (1 + e.text.count("\n")) for e in ends]
    last = float(xs[-1])
    for end, y, home in zip(ends, spread(wanted, heights, -4, tall + 6), wanted, strict=True):
        axes.annotate(
            end.text, (last, low), (11, y), textcoords="offset points",
            fontsize=page.size, weight="bold", va="center", annotation_clip=False,
        )  # fmt: skip
        if abs(y - home) > page.size * 0.4 or end.x < last:
            axes.annotate(
                "", (end.x, end.y), (10, y), annotation_clip=False,
                textcoords=OffsetFrom(axes.transData, (last, low), "points"),
                arrowprops={"arrowstyle": "-", "linewidth": 0.7, "alpha": 0.6, "color": INK,
                            "shrinkA": 0, "shrinkB": 4},
            )  # fmt: skip
