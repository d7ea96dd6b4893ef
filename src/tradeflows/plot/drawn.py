"""What a chart shows, read off its axes: the table behind it, its span, and a sentence for alt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.container import BarContainer
from matplotlib.dates import DateConverter

from tradeflows.words import number, period_text, span

__all__ = ["Drawn", "described", "drawn"]

_NAMED = 6  # series that an alt text describes


@dataclass(frozen=True)
class Drawn:
    """The numbers of a chart, the dates they span, and what they say."""

    table: pd.DataFrame
    span: str
    words: str


def drawn(axes: Iterable[Axes]) -> Drawn:
    """Read lines, bars and points off axes: one column a series, one row a place on the axis.

    Examples
    --------
    >>> frame = pd.DataFrame({"price": [2.0, 3.0]}, index=["coal", "gas"])
    >>> drawn([frame.plot.bar()]).table.to_dict("list")
    {'category': ['coal', 'gas'], 'price': [2.0, 3.0]}
    """
    all_ = list(axes)
    tables = []
    for ax in all_:
        columns = {**_lines(ax), **_points(ax), **_bars(ax)}
        if columns:
            found = pd.DataFrame(columns)
            if len(all_) > 1 and (panel := ax.get_title() or ax.get_title("left")):
                found = found.add_prefix(f"{panel}: ")
            tables.append(found)
    if not tables:
        return Drawn(pd.DataFrame(), "", "")
    table = pd.concat(tables, axis=1) if len(tables) > 1 else tables[0]
    if table.index.dtype.kind in "ifM":
        table = table.sort_index(kind="stable")
    years = table.index.map(lambda x: isinstance(x, int | np.integer) and 1900 <= x <= 2100)
    dated = isinstance(table.index, pd.DatetimeIndex) or bool(years.all())
    kind = "period" if dated else "category" if table.index.dtype.kind not in "if" else "x"
    words, when = described(table), span(table.index) if dated else ""
    return Drawn(table.rename_axis(kind).reset_index(), when, words)


def described(table: pd.DataFrame) -> str:
    """Say in words where each column of a table begins and ends.

    Examples
    --------
    >>> described(pd.DataFrame({"price": [2.0, 3.0]}, index=[2021, 2022]))
    'price: 2 (2021) to 3 (2022).'
    """
    told = []
    for name in list(table)[:_NAMED]:
        known = table[name].dropna()
        if len(known):
            ends = [
                f"{number(float(known.iloc[i]))} ({period_text(known.index[i])})" for i in (0, -1)
            ]
            told.append(f"{name}: {' to '.join(dict.fromkeys(ends))}")
    more = f"; and {table.shape[1] - _NAMED} more" if table.shape[1] > _NAMED else ""
    return f"{'; '.join(told)}{more}." if told else ""


def _name(label: Any, taken: Iterable[str], what: str) -> str:
    """Return a label, or a number for what has none; twins are numbered too."""
    text = "" if label is None or str(label).startswith("_") else str(label).replace("\n", " ")
    known = set(taken)
    names = (f"{text or what}{f' {n}' if n > 1 or not text else ''}" for n in range(1, 1000))
    return next(n for n in names if n not in known)


def _lines(ax: Axes) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    named = ax.get_legend_handles_labels()[1]
    unnamed = all(str(line.get_label()).startswith("_") for line in ax.lines)
    labels = iter(named if unnamed and len(named) == len(ax.lines) else ())  # of stacked areas
    for line in ax.lines:
        if line.get_transform() != ax.transData or line.get_gid() == "mark":
            continue  # a line across the axes, or one of ours that carries no number
        ys: np.ndarray = np.ma.filled(
            np.ma.asarray(line.get_ydata(orig=False), dtype=float), np.nan
        )
        if len(ys):
            places = _places(ax, line.get_xdata(orig=True), line.get_xdata(orig=False))
            out[_name(next(labels, line.get_label()), out, "line")] = _series(ys, places)
    return out


def _points(ax: Axes) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    for cloud in ax.collections:
        if isinstance(cloud, PathCollection) and cloud.get_gid() != "mark":
            at: np.ndarray = np.ma.filled(np.ma.asarray(cloud.get_offsets(), dtype=float), np.nan)
            places = _places(ax, at[:, 0], at[:, 0])
            out[_name(cloud.get_label(), out, "points")] = _series(at[:, 1], places)
    return out


def _bars(ax: Axes) -> dict[str, pd.Series]:
    out: dict[str, pd.Series] = {}
    for bars in ax.containers:
        if not isinstance(bars, BarContainer):
            continue
        upright = bars.orientation != "horizontal"
        values = [bar.get_height() if upright else bar.get_width() for bar in bars]
        middles = [
            bar.get_x() + bar.get_width() / 2 if upright else bar.get_y() + bar.get_height() / 2
            for bar in bars
        ]
        axis = ax.xaxis if upright else ax.yaxis
        ticks = list(zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False))
        near = [min(ticks, key=lambda t, m=m: abs(t[0] - m), default=None) for m in middles]  # type: ignore[misc]
        named = [t[1].get_text().replace("\n", " ") if t else "" for t in near]
        index = named if all(named) and len(set(named)) == len(named) else middles
        out[_name(bars.get_label(), out, "bars")] = _series(np.asarray(values, dtype=float), index)
    return out


def _series(values: np.ndarray, places: Any) -> pd.Series:
    index = pd.Index(places)
    if index.dtype.kind == "f" and (index == index.astype(int)).all():
        index = index.astype(int)
    if index.dtype.kind not in "ifM" and all(str(i).isdigit() for i in index):
        index = index.astype(int)
    found = pd.Series(values, index)
    return found[~found.index.duplicated()]


def _places(ax: Axes, given: Any, numbers: Any) -> Any:
    """Return where points stand: as dates where the axis has dates."""
    first = next(iter(given), None)
    if isinstance(first, pd.Period):
        return pd.PeriodIndex(given).to_timestamp()
    if isinstance(first, np.datetime64 | pd.Timestamp):
        return pd.DatetimeIndex(given)
    frequency = getattr(ax, "freq", None)  # pandas draws regular dates as numbers of periods
    if frequency is not None:
        months = [pd.Period(ordinal=int(n), freq=frequency) for n in numbers]
        return pd.PeriodIndex(months).to_timestamp()
    if isinstance(ax.xaxis.get_converter(), DateConverter):
        return pd.DatetimeIndex(pd.to_datetime(np.asarray(numbers), unit="D").round("s"))
    return given
