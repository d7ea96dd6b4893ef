"""Charts over time with events named in words, and one case in a distribution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.index import PriceIndex
from tradeflows.plot.drawn import described
from tradeflows.plot.figure import Figure, Words, made, origins_of
from tradeflows.plot.style import (
    COLOUR,
    DASH,
    INK,
    STYLE,
    drawing,
    kinds_of,
    marked,
    plain_number,
    ratios,
    spread,
    wrapped,
)
from tradeflows.plot.tables import framed
from tradeflows.words import is_yearly, number, period_text, scale_for, span

__all__ = ["fan", "histogram", "lines"]

Events = Mapping[str, Any] | Iterable[tuple[Any, str]]
_BANDS = ("actual", "median", "low95", "high95", "low80", "high80")
_HIGH = 3.3  # inches


def lines(
    table: Any,
    title: str = "",
    unit: str = "",
    source: str = "",
    *,
    events: Events = (),
    log: bool = False,
    kinds: Mapping[str, str] | None = None,
    floors: bool = False,
    **words: Unpack[Words],
) -> Figure:
    """Draw one line a column, each named at its end; values of whole years stand at mid-year.

    Parameters
    ----------
    table : pandas.DataFrame, Series or PriceIndex
        Indexed by dates, periods or numbers; a missing value leaves a gap.
    title, unit, source, **words
        As in `finish`; USD, EUR, TRY, kg and m3 are scaled.
    events : mapping of words to date, optional
        Vertical lines, named in words.
    log : bool
        Equal distances are equal ratios.
    kinds : mapping, optional
        Column to its meaning (`colours`); else guessed from its name.
    floors : bool
        The values are lower bounds: marks with an arrow upward, which no line joins.

    Returns
    -------
    Figure

    Examples
    --------
    >>> table = pd.DataFrame({"imports": [17.8e9, 29.0e9]}, index=[2020, 2021])
    >>> lines(table, "Imports rose", "USD", "made up", events={"war": 2020.5}).caption
    'bn USD · 2020 to 2021 · made up'
    """
    if isinstance(table, PriceIndex):
        last = table.table.iloc[-1]
        ends = f"{last['price']:.2f}, volume at {last['volume']:.2f}"
        title, unit = title or f"Prices end at {ends}", unit or "index"
        words.setdefault("name", "price-index")
        words.setdefault("alt", str(table.sentence()))
        words.setdefault("origins", table.origins)
        table = table.table.set_index("period")[["price", "volume"]]
    frame, words = _indexed(table, words)
    if log and not bool((frame.dropna() > 0).to_numpy().all()):
        raise SchemaMismatch("values of zero or less on a log scale", "positive ones", "log=False")
    scale = scale_for(float(np.nanmax(np.abs(frame.to_numpy()))), unit)
    scaled, xs = frame / scale.factor, _places(frame.index)
    columns = [str(c) for c in frame]
    means = kinds_of(columns, kinds)
    with rc_context(STYLE):
        canvas, ax = drawing(_HIGH)
        for column in columns:
            ys, colour = scaled[column].to_numpy(), COLOUR[means[column]]
            if floors:
                _upward(ax, xs, ys, colour, column)
                continue
            few = len(xs) <= 12
            ax.plot(xs, ys, label=column, color=colour, lw=2.1, ls=DASH.get(means[column], "-"),
                    marker="o" if few else None, ms=5, clip_on=False)  # fmt: skip
            alone = (
                ~np.isnan(ys) & np.isnan(np.r_[np.nan, ys[:-1]]) & np.isnan(np.r_[ys[1:], np.nan])
            )
            if alone.any():
                ax.plot(xs[alone], ys[alone], "o", color=colour, ms=5, clip_on=False, gid="mark")
        if log:
            ax.set_yscale("log")
            ratios(ax.yaxis)
        _framed(ax, frame.index, xs, scaled, events, log)
        _ends(
            canvas,
            ax,
            [(c, *_last(xs, scaled[c])) for c in columns]
            if not floors or scaled.shape[1] > 1
            else [],
        )
    log_words = " · ".join(n for n in (words.get("note"), "log scale" if log else "") if n)
    if log_words:
        words["note"] = log_words
    words.setdefault("period", span(frame.index))
    words.setdefault("alt", f"{title}. {described(scaled)[:-1]}, {scale.unit}.")
    words.setdefault("origins", origins_of(table))
    return made(canvas, _listed(frame), title, scale.unit, source, base=unit, **words)


def fan(
    table: Any,
    title: str = "",
    unit: str = "",
    source: str = "",
    *,
    events: Events = (),
    **words: Unpack[Words],
) -> Figure:
    """Draw what happened against what was to be expected, with 80 % and 95 % bands.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by dates; columns actual, median, low95, high95, low80, high80.
    title, unit, source, events, **words
        As in `lines`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> days = pd.date_range("2022-01-01", periods=2, freq="MS")
    >>> table = pd.DataFrame({"actual": [1.0, 9.0], "median": [1.0, 2.0], "low95": [0.5, 1.0],
    ...     "high95": [1.5, 3.0], "low80": [0.8, 1.5], "high80": [1.2, 2.5]}, index=days)
    >>> fan(table, "Above the band", "index").caption
    'index · Jan 2022 to Feb 2022'
    """
    frame, words = _indexed(table, words)
    if lost := [c for c in _BANDS if c not in frame]:
        raise SchemaMismatch(f"fan without columns {lost}", ", ".join(_BANDS), "add the columns")
    frame = frame[list(_BANDS)]
    scale = scale_for(float(np.nanmax(np.abs(frame.to_numpy()))), unit)
    scaled, xs = frame / scale.factor, _places(frame.index)
    with rc_context(STYLE):
        canvas, ax = drawing(_HIGH)
        for band, alpha in (("95", 0.22), ("80", 0.32)):
            ax.fill_between(xs, scaled[f"low{band}"], scaled[f"high{band}"], color=COLOUR["other"],
                            alpha=alpha, lw=0)  # fmt: skip
        ax.plot(xs, scaled["median"], color=COLOUR["other"], ls=(0, (4, 1.5)), lw=1.8)
        ax.plot(xs, scaled["actual"], color=COLOUR["value"], lw=2.2)
        _framed(ax, frame.index, xs, scaled, events)
        names = {
            "actual": "actual",
            "median": "expected",
            "high80": "80 % band",
            "high95": "95 % band",
        }
        _ends(canvas, ax, [(names[c], *_last(xs, scaled[c])) for c in names])
    words.setdefault("period", span(frame.index))
    words.setdefault(
        "alt", f"{title}. {described(scaled[['actual', 'median']])[:-1]}, {scale.unit}."
    )
    words.setdefault("origins", origins_of(table))
    return made(canvas, _listed(frame), title, scale.unit, source, base=unit, **words)


def histogram(
    values: pd.Series | Sequence[float],
    mark: Mapping[str, float],
    title: str,
    unit: str,
    source: str = "",
    *,
    counted: str = "placebos",
    **words: Unpack[Words],
) -> Figure:
    """Draw a distribution, say of placebos, and mark a case in it.

    Parameters
    ----------
    values : pandas.Series or sequence of float
        A Series whose index names the cases lists them in the table behind the chart.
    mark : mapping of str to float
        The case in question, by name.
    title, unit, source, **words
        As in `finish`.
    counted : str
        What is counted.

    Returns
    -------
    Figure

    Examples
    --------
    >>> figure = histogram([1.0, 2, 2, 3], {"Russia": 9.0}, "Russia stands apart", "%")
    >>> figure.table["placebos"].sum(), figure.caption
    (np.int64(4), '% · Russia and 4 placebos')
    """
    known = pd.Series(values, dtype=float).dropna()
    spots = np.r_[known.to_numpy(), list(mark.values())]
    scale = scale_for(float(np.abs(spots).max()), unit)
    numbers = known.to_numpy() / scale.factor
    low, high = spots.min() / scale.factor, spots.max() / scale.factor
    edges = np.asarray(MaxNLocator(24).tick_values(low, high), dtype=float)
    counts, _ = np.histogram(numbers, edges)
    if isinstance(known.index, pd.RangeIndex):
        ends = {"from": edges[:-1] * scale.factor, "to": edges[1:] * scale.factor}
        table = pd.DataFrame({**ends, counted: counts})
    else:
        cases = {**dict(zip(known.index.astype(str), known, strict=True)), **mark}
        table = pd.DataFrame({"case": list(cases), "value": list(cases.values())})
        table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    with rc_context(STYLE):
        canvas, ax = drawing(2.9)
        ax.bar(edges[:-1], counts, np.diff(edges) * 0.92, align="edge", color=COLOUR["plain"])
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.xaxis.set_major_formatter(FuncFormatter(plain_number))
        ax.grid(axis="y")
        ax.axhline(0, color=INK, lw=0.9, gid="mark")
        ax.set_xlabel(scale.unit, loc="right")
        ax.set_ylabel(f"number of {counted}")
        marked(canvas, ax, [(x / scale.factor, f"{n} {scale.text(x / scale.factor)}")
                            for n, x in mark.items()])  # fmt: skip
    who = ", ".join(mark)
    words["note"] = " · ".join(
        n for n in (f"{who} and {len(known)} {counted}", words.get("note")) if n
    )
    told = "; ".join(f"{n}: {scale.text(x / scale.factor)}" for n, x in mark.items())
    told += f"; {len(known)} {counted} from {scale.text(numbers.min())} to"
    words.setdefault("alt", f"{title}. {told} "
                            f"{scale.text(numbers.max())} {scale.unit}.")  # fmt: skip
    words.setdefault("origins", origins_of(values))
    return made(canvas, table, title, scale.unit, source, base=unit, **words)


def _indexed(table: Any, words: Words) -> tuple[pd.DataFrame, Words]:
    """Return numbers by date, sorted, and the words with the origins of the numbers."""
    words.setdefault("origins", origins_of(table))
    frame = framed(table)
    if "period" in frame:
        frame = frame.set_index("period")
    if isinstance(frame.index, pd.PeriodIndex):
        frame.index = frame.index.to_timestamp()
    if frame.index.dtype.kind not in "ifM":
        frame.index = pd.to_datetime(frame.index)
    if twice := frame.index[frame.index.duplicated()].tolist():
        raise SchemaMismatch(
            f"several rows for {period_text(twice[0])}",
            "a row a period and a column a line",
            'turn names into columns: frame.pivot_table("value_usd", "period", "code")',
        )
    frame = frame.drop(columns="origin", errors="ignore").select_dtypes("number")
    frame = frame.sort_index().rename(columns=str).astype(float)
    if frame.empty or not frame.notna().to_numpy().any():
        raise SchemaMismatch("a chart without numbers", "at least one number", "check the filter")
    return frame, words


def _listed(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename_axis(str(frame.index.name or "period")).reset_index()


def _yearly(index: pd.Index) -> bool:
    return isinstance(index, pd.DatetimeIndex) and is_yearly(index)


def _place(when: Any) -> float:
    """Return where a date or number stands on the axis."""
    if isinstance(when, int | float | np.integer | np.floating):
        return float(when)
    return (pd.Timestamp(when) - pd.Timestamp(0)) / pd.Timedelta(days=1)


def _places(index: pd.Index) -> np.ndarray:
    """Return where values stand: those of whole years in their middle, as events have dates."""
    return np.array([_place(when) for when in index]) + (182.0 if _yearly(index) else 0.0)


def _last(xs: np.ndarray, values: pd.Series) -> tuple[float, float]:
    known = np.flatnonzero(values.notna())
    return (xs[known[-1]], float(values.iloc[known[-1]])) if len(known) else (np.nan, np.nan)


def _upward(ax: Axes, xs: np.ndarray, ys: np.ndarray, colour: str, name: str) -> None:
    """Draw lower bounds: a tick at each, and an arrow that leaves the upper end open."""
    ax.plot(xs, ys, "_", color=colour, ms=11, mew=2.2, clip_on=False, label=name)
    for x, y in zip(xs[~np.isnan(ys)], ys[~np.isnan(ys)], strict=True):
        arrow = {"arrowstyle": "<-", "color": colour, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (x, y), (0, 16), textcoords="offset points", arrowprops=arrow)


def _framed(
    ax: Axes, index: pd.Index, xs: np.ndarray, values: pd.DataFrame, events: Events,
    log: bool = False,
) -> None:  # fmt: skip
    """Set limits, grid, ticks and events."""
    if not log:
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        ax.set_ylim(*((0, high * 1.1) if 0 <= low < 0.6 * high else (None, None)))
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_formatter(FuncFormatter(plain_number))
        if low < 0 < high or ax.get_ylim()[0] == 0:
            ax.axhline(0, color=INK, lw=0.9, gid="mark")
    ax.grid(axis="y")
    pad = (xs[-1] - xs[0] or 1) * 0.015
    ax.set_xlim(xs[0] - pad, xs[-1] + pad)
    if not isinstance(index, pd.DatetimeIndex):
        at, words = xs, [number(x) if abs(x) > 9999 else f"{x:g}" for x in xs]
    elif _yearly(index):
        at, words = xs, [f"{t:%Y}" for t in index]
    elif (index[-1] - index[0]).days > 800:
        starts = pd.date_range(index[0], index[-1], freq="YS")
        at, words = np.array([_place(t) for t in starts]), [f"{t:%Y}" for t in starts]
    else:
        at, words = xs, [period_text(t) for t in index]
    every = max(1, int(np.ceil(len(words) * (max(map(len, words)) + 1.5) / 46)))
    ax.set_xticks(at[::every], words[::every])
    named = [(w, n) for n, w in events.items()] if isinstance(events, Mapping) else list(events)
    canvas = ax.get_figure(root=True)
    assert isinstance(canvas, Canvas)  # noqa: S101 - made by drawing()
    marked(canvas, ax, [(_place(when), name) for when, name in named])


def _ends(canvas: Canvas, ax: Axes, ends: Sequence[tuple[str, float, float]]) -> None:
    """Name each line at its end; names that would meet move apart, joined to their own."""
    known = [(wrapped(n, 16), x, y) for n, x, y in ends if not np.isnan(y)]
    edge: Any = ("axes fraction", "data")
    look: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    texts = [
        ax.annotate(n, (1, y), (9, 0), xycoords=edge, va="center", fontweight="bold", **look)
        for n, _, y in known
    ]
    canvas.draw_without_rendering()
    box, points = ax.get_window_extent(), 72 / canvas.dpi
    homes = [float(ax.transData.transform((x, y))[1]) * points for _, x, y in known]
    tall = 12.5 * max((n.count("\n") + 1 for n, _, _ in known), default=1)
    places = spread(homes, tall, box.y0 * points, box.y1 * points)
    line = {"arrowstyle": "-", "lw": 0.7, "alpha": 0.6, "color": INK, "shrinkA": 0, "shrinkB": 0}
    for text, (_, x, y), home, place in zip(texts, known, homes, places, strict=True):
        text.set_position((9, place - home))
        if x < ax.get_xlim()[1] - 0.03 * np.ptp(ax.get_xlim()):  # it ends before the others
            ax.annotate("", (x, y), (1, y), textcoords=edge, arrowprops=line)
        if abs(place - home) > 4:
            ax.annotate("", (1, y), (8, place - home), xycoords=edge, arrowprops=line, **look)
