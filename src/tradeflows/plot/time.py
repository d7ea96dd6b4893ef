"""Charts over time with events named in words, and one case in a distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import MaxNLocator

from tradeflows.errors import SchemaMismatch
from tradeflows.plot.figure import Figure, Words, described, made, noted
from tradeflows.plot.style import (
    COLOUR,
    DASH,
    INK,
    drawing,
    kinds_of,
    marked,
    ruled,
    spread,
    wrapped,
)
from tradeflows.plot.tables import framed, known
from tradeflows.words import is_yearly, period_text, scale_for, span

_HIGH = 3.3  # inches
NUMBER = "{x:,.10g}"  # of a tick
# columns of a fan and what stands at their ends
_NAMES = {"actual": "actual", "median": "expected", "low95": "", "high95": "95 % band",
          "low80": "", "high80": "80 % band"}  # fmt: skip


def lines(
    table: Any,
    title: str,
    unit: str,
    source: str = "",
    *,
    events: Mapping[str, Any] | None = None,
    floors: bool = False,
    **words: Unpack[Words],
) -> Figure:
    """Draw one line a column, each named at its end; values of whole years stand at mid-year.

    Parameters
    ----------
    table : pandas.DataFrame or Series
        Indexed by dates, periods or numbers; a missing value leaves a gap.
    title, unit, source, **words
        As in `finish`; USD, EUR, TRY, kg and m3 are scaled.
    events : mapping of words to date, optional
        Vertical lines, named in words.
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
    frame = _indexed(table)
    kinds = kinds_of([str(c) for c in frame])
    named = {} if floors and len(kinds) == 1 else {name: name for name in kinds}
    return _over_time(frame, kinds, named, title, unit, source, events, table, words, floors=floors)


def fan(
    table: Any,
    title: str,
    unit: str,
    source: str = "",
    *,
    events: Mapping[str, Any] | None = None,
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
    frame = _indexed(table)
    known(frame, "fan", list(_NAMES))
    kinds = {"actual": "value", "median": "expected"}
    return _over_time(frame[list(_NAMES)], kinds, _NAMES, title, unit, source, events, table, words)


def _over_time(
    frame: pd.DataFrame,
    kinds: Mapping[str, str],
    named: Mapping[str, str],
    title: str,
    unit: str,
    source: str,
    events: Mapping[str, Any] | None,
    of: Any,
    words: Words,
    *,
    floors: bool = False,
) -> Figure:
    """Draw lines by kind over bands, with names at their ends, axes and events."""
    scale = scale_for(float(np.nanmax(np.abs(frame.to_numpy()))), unit)
    scaled, xs, dated = frame / scale.factor, frame.index, isinstance(frame.index, pd.DatetimeIndex)
    if yearly := isinstance(xs, pd.DatetimeIndex) and is_yearly(xs):
        xs = xs + pd.Timedelta(days=182)
    with drawing(_HIGH) as (canvas, ax):
        for band, alpha in (("95", 0.22), ("80", 0.32)):
            if f"low{band}" in named:
                ends = scaled[f"low{band}"], scaled[f"high{band}"]
                ax.fill_between(xs, *ends, color=COLOUR["expected"], alpha=alpha, lw=0)
        for name, kind in kinds.items():
            _line(ax, xs, scaled[name].to_numpy(), kind, floors=floors)
        low, high = float(np.nanmin(scaled)), float(np.nanmax(scaled))
        ax.set_ylim(*((0, high * 1.1) if 0 <= low < 0.6 * high else (None, None)))
        if low < 0 < high or ax.get_ylim()[0] == 0:
            ax.axhline(0, color=INK, lw=0.9)
        ruled(ax)
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.yaxis.set_major_formatter(NUMBER)
        ax.margins(x=0.015)
        if yearly or not dated:
            every = max(1, math.ceil(len(xs) / 8))
            ax.set_xticks(xs[::every], [period_text(t) if not dated else f"{t:%Y}"
                                        for t in frame.index[::every]])  # fmt: skip
        else:
            where: Any = dates.AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
            form = dates.ConciseDateFormatter(where, show_offset=False)  # type: ignore[no-untyped-call]
            ax.xaxis.set_major_locator(where)
            ax.xaxis.set_major_formatter(form)
        marked(canvas, ax, [(_place(ax, when), name) for name, when in (events or {}).items()])
        last = [(name, scaled[c].set_axis(xs).dropna()) for c, name in named.items() if name]
        _named(canvas, ax, [(n, _place(ax, v.index[-1]), v.iloc[-1]) for n, v in last if len(v)])
    words.setdefault("period", span(frame.index))
    said = f"{described(scaled[list(kinds)])[:-1]}, {scale.unit}."
    shown = frame.rename_axis(str(frame.index.name or "period")).reset_index()
    return made(canvas, shown, title, scale.unit, source, said, of, base=unit, **words)


def _line(ax: Axes, xs: pd.Index, ys: np.ndarray, kind: str, *, floors: bool) -> None:
    """Draw one line; of lower bounds marks with an arrow upward, which no line joins."""
    look: dict[str, Any] = {"color": COLOUR[kind], "clip_on": False}
    if floors:
        up = 0.08 * np.ptp(ys[~np.isnan(ys)]) or 1.0
        ax.errorbar(xs, ys, up, fmt="_", ms=11, mew=2.2, lolims=True, **look)
    else:
        gone = np.isnan(np.r_[np.nan, ys, np.nan])
        seen = (gone[:-2] & gone[2:]) | (len(xs) <= 12)  # no line leads to a point alone
        ax.plot(xs, ys, "o", lw=2.1, ls=DASH.get(kind, "-"), ms=5, markevery=seen, **look)


def _place(ax: Axes, when: Any) -> float:
    """Return where a date or number stands on the axis."""
    given = pd.Timestamp(when) if isinstance(when, str) else when
    return float(ax.convert_xunits(given))  # type: ignore[no-untyped-call]


def _indexed(table: Any) -> pd.DataFrame:
    """Return numbers by date, sorted."""
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
    known(frame, "a chart")
    return frame


def _named(canvas: Canvas, ax: Axes, ends: Sequence[tuple[str, float, float]]) -> None:
    """Name each line at its end; names that would meet move apart, joined to their own."""
    edge: Any = ("axes fraction", "data")
    look: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
    ends = [(wrapped(n, 16), x, y) for n, x, y in ends]
    texts = [
        ax.annotate(n, (1, y), (9, 0), xycoords=edge, va="center", fontweight="bold", **look)
        for n, _, y in ends
    ]
    canvas.draw_without_rendering()
    box, points = ax.get_window_extent(), 72 / canvas.dpi
    homes = [float(ax.transData.transform((x, y))[1]) * points for _, x, y in ends]
    tall = 12.5 * max((n.count("\n") + 1 for n, _, _ in ends), default=1)
    places = spread(homes, tall, box.y0 * points, box.y1 * points)
    line = {"arrowstyle": "-", "lw": 0.7, "alpha": 0.6, "color": INK, "shrinkA": 0, "shrinkB": 0}
    for text, (_, x, y), home, place in zip(texts, ends, homes, places, strict=True):
        text.set_position((9, place - home))
        if x < ax.get_xlim()[1] - 0.03 * np.ptp(ax.get_xlim()):  # it ends before the others
            ax.annotate("", (x, y), (1, y), textcoords=edge, arrowprops=line)
        if abs(place - home) > 4:
            ax.annotate("", (1, y), (8, place - home), xycoords=edge, arrowprops=line, **look)


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
    cases = pd.Series(values, dtype=float).dropna()
    spots = np.r_[cases.to_numpy(), list(mark.values())]
    scale = scale_for(float(np.abs(spots).max()), unit)
    edges = np.asarray(MaxNLocator(24).tick_values(spots.min() / scale.factor,
                                                   spots.max() / scale.factor))  # fmt: skip
    counts, _ = np.histogram(cases / scale.factor, edges)
    if isinstance(cases.index, pd.RangeIndex):
        ends = {"from": edges[:-1] * scale.factor, "to": edges[1:] * scale.factor}
        table = pd.DataFrame({**ends, counted: counts})
    else:
        both = pd.concat([cases.rename(index=str), pd.Series(mark)])
        table = both[~both.index.duplicated("last")].rename_axis("case").reset_index(name="value")
        table = table.sort_values("value", ascending=False, kind="stable", ignore_index=True)
    named = [(x / scale.factor, f"{n} {scale.text(x / scale.factor)}") for n, x in mark.items()]
    with drawing(2.9) as (canvas, ax):
        ax.bar(edges[:-1], counts, np.diff(edges) * 0.92, align="edge", color=COLOUR["plain"])
        ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        ax.xaxis.set_major_locator(MaxNLocator(6))
        ax.xaxis.set_major_formatter(NUMBER)
        ruled(ax)
        ax.axhline(0, color=INK, lw=0.9)
        ax.set_xlabel(scale.unit, loc="right")
        ax.set_ylabel(f"number of {counted}")
        marked(canvas, ax, named)
    noted(words, f"{', '.join(mark)} and {len(cases)} {counted}", first=True)
    said = "; ".join(f"{n}: {scale.text(x / scale.factor)}" for n, x in mark.items())
    least, most = (scale.text(x / scale.factor) for x in (cases.min(), cases.max()))
    said += f"; {len(cases)} {counted} from {least} to {most} {scale.unit}."
    return made(canvas, table, title, scale.unit, source, said, values, base=unit, **words)
