"""Charts of rows: words on the left, bars or ranges beside them, each number at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.intervals import Interval
from tradeflows.plot.figure import Figure, Words, made, noted
from tradeflows.plot.style import (
    COLOUR,
    HATCH,
    INK,
    STYLE,
    WIDTH,
    drawing,
    kinds_of,
    marked,
    wrapped,
)
from tradeflows.plot.tables import framed
from tradeflows.words import Scale, scale_for

__all__ = ["bars", "ranges", "scan", "waterfall"]

_ROW, _BAR = 0.31, 0.21  # inches: a row, a bar
_LETTERS = 26  # of a line of words on the left


def waterfall(
    steps: pd.DataFrame,
    title: str,
    unit: str = "USD",
    source: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw how one total became another, part by part, from top to bottom.

    Parameters
    ----------
    steps : pandas.DataFrame
        A row a total or part with its name (column ``step``, or the index), its ``value``, its
        ``kind`` (``total``, ``price``, ``volume``, ``entry``, ``exit``, ``unpriced``, ``rest``,
        ``unknown``), and, where it is uncertain, its ``range`` (`Interval`) or ``low`` and
        ``high``.
    title : str
        The finding.
    unit : str
        Of all values; USD, EUR, TRY, kg and m3 are scaled to bn, m, Mt.
    source, **words
        As in `finish`.

    Returns
    -------
    Figure

    A part of nothing stands in the table and not in the picture.

    Raises
    ------
    SchemaMismatch
        A total is not the sum of what stands before it, or a kind is unknown.

    Examples
    --------
    >>> steps = pd.DataFrame({"value": [29e9, 30e9, -1e9, 58e9],
    ...                       "kind": ["total", "price", "volume", "total"]},
    ...                      index=["2021", "dearer", "less", "2022"])
    >>> waterfall(steps, "Price did it", "USD", "made up").caption
    'bn USD · made up'
    """
    whole = _steps(steps)
    _chained(whole)
    nothing = whole[["value", "low", "high"]].fillna(0).eq(0).all(axis=1)
    table = whole[~nothing | whole["kind"].isin(["total", "price", "volume"])]
    starts, ends = _chained(table)
    reach = np.column_stack([starts, ends, *(starts + table[c] for c in ("low", "high"))])
    scale = scale_for(float(np.nanmax(np.abs(reach))), unit)
    reach, texts = reach / scale.factor, [_text(row, scale) for row in table.itertuples()]
    with rc_context(STYLE):
        canvas, ax = drawing()
        ys = _rows(ax, table["step"], 0.15)
        for y, kind, text, row in zip(ys, table["kind"], texts, reach, strict=True):
            start, end, low, high = row
            ax.barh(y, end - start, _BAR, left=start, **_look(kind))
            if low < high:
                _plain(ax, [low, high], [y, y], lw=1.3, marker="|", ms=8)
            _number(ax, np.nanmax([start, end, high]), y, text, bold=kind == "total")
        for y, below, end in zip(ys, ys[1:], reach[:, 1], strict=False):
            _plain(ax, [end, end], [y - _BAR / 2, below + _BAR / 2], lw=0.7, alpha=0.6)
        ax.axvline(0, color=INK, lw=0.9)
    said = "; ".join(f"{s} {t}" for s, t in zip(table["step"], texts, strict=True))
    shown = whole.dropna(axis="columns", how="all")
    if "low" in shown and "range" not in words.get("note", ""):
        noted(words, "lines: ranges")
    return made(canvas, shown, title, scale.unit, source, f"{said}.", base=unit, **words)


def _steps(steps: pd.DataFrame) -> pd.DataFrame:
    """Return step, value, kind, low and high of each bar."""
    table = steps if "step" in steps else steps.rename_axis("step").reset_index()
    if lost := [c for c in ("value", "kind") if c not in table]:
        raise SchemaMismatch(f"steps without {lost}", "columns value and kind", "add them")
    if "range" in table:
        low, high = ([getattr(i, end) for i in table["range"]] for end in ("low", "high"))
        table = table.assign(low=low, high=high)
    if odd := sorted(set(table["kind"]) - set(COLOUR)):
        raise SchemaMismatch(f"kinds {odd}", f"some of {', '.join(COLOUR)}", "rename the kind")
    columns = ["step", "value", "kind", "low", "high", *({"origin"} & set(table))]
    whole = table.reindex(columns=columns)
    return whole.astype({"step": str, "value": float, "low": float, "high": float})


def _chained(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return where bars start and end: totals at zero, others where the last one ended."""
    values, total = table["value"].to_numpy(), (table["kind"] == "total").to_numpy()
    ends = np.cumsum(np.where(total & (np.arange(len(values)) > 0), 0.0, values))
    if (apart := total & (np.abs(values - ends) > 1e-6 * np.abs(values).max())).any():
        i = int(np.argmax(apart))
        raise SchemaMismatch(
            f"the bars reach {ends[i]:.10g}, the total of bar {i + 1} says {values[i]:.10g}",
            "parts that add up to the total",
            "carry what is left as a step of kind 'unpriced' or 'rest'",
        )
    return np.where(total, 0.0, ends - values), ends


def _text(row: Any, scale: Scale) -> str:
    """Write the number of a step: its range, where both ends do not read the same."""
    low, high = row.low / scale.factor, row.high / scale.factor
    if math.isnan(low) or scale.text(low) == scale.text(high):
        return scale.text(row.value / scale.factor, sign=row.kind != "total")
    return format(Interval(low, high), f",.{scale.places}f")


def ranges(
    found: Mapping[str, Interval | float | None] | pd.DataFrame,
    title: str,
    unit: str,
    source: str = "",
    *,
    marks: Mapping[str, float] | None = None,
    spec: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw what is known of one number under several labels, from top to bottom.

    Parameters
    ----------
    found : mapping of str to Interval, or pandas.DataFrame
        None stands for bounds that contradict each other, which is written. A frame has columns
        ``label``, ``low``, ``high`` and optionally ``value`` (a point).
    title, unit, source, **words
        As in `finish`; of unit ``"share"`` per cent are written.
    marks : mapping of str to number, optional
        Thresholds, named in words: vertical lines.
    spec : str
        How the numbers are written, such as ``".1f"``; by default as the size of the largest asks.

    Returns
    -------
    Figure

    Examples
    --------
    >>> known = {"record": Interval(0.2, 0.95), "corridors": Interval(0.61, 0.88)}
    >>> figure = ranges(known, "At least 61 %", "share", "made up", marks={"mainly": 0.5})
    >>> figure.caption, figure.table["low"].tolist()
    ('% · made up', [0.2, 0.61])
    """
    table, marks = _found(found), marks or {}
    scale = _scale([*table[["low", "high"]].to_numpy().ravel(), *marks.values()], unit)
    at = [(x / scale.factor, n) for n, x in marks.items()]
    with rc_context(STYLE):
        canvas, ax = drawing()
        ys = _rows(ax, table["label"], 0.15 + 0.25 * bool(marks))
        texts = _ranges(ax, ys, table, scale, spec)
        _limited(ax, table[["low", "high"]].to_numpy() / scale.factor, [x for x, _ in at])
        if min(ax.get_xlim()) < 0 < max(ax.get_xlim()):
            ax.axvline(0, color=INK, lw=0.9)
        marked(canvas, ax, at)
    said = "; ".join(f"{n}: {t}" for n, t in zip(table["label"], texts, strict=True))
    limits = "; ".join(f"{n} at {scale.text(x)}" for x, n in at)
    said += f". Marked: {limits}." if limits else "."
    shown = table.dropna(axis="columns", how="all")
    return made(canvas, shown, title, scale.unit, source, said, base=unit, **words)


def scan(
    panels: Mapping[str, Mapping[str, Interval | None]],
    chosen: Interval | None,
    title: str,
    unit: str,
    source: str = "",
    *,
    marks: Mapping[str, float] | None = None,
    spec: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw how an answer hangs on each assumption: one small panel each, all on one scale.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Interval
        Assumption to the answer under each of its values; None where bounds contradict each other.
    chosen : Interval or None
        The answer of the page, dark wherever it stands.
    title, unit, source, **words
        As in `finish`.
    marks, spec
        As in `ranges`.

    Returns
    -------
    Figure

    Examples
    --------
    >>> answer = Interval(0.61, 0.88)
    >>> slopes = {"0.10": answer, "0.138": Interval(0.61, 0.83), "0.139": None}
    >>> scan({"slope": slopes}, answer, "It holds up to 0.138", "share").table["slope"].tolist()
    ['0.10', '0.138', '0.139']
    """
    rows = {panel: _found(found) for panel, found in panels.items()}
    table = pd.concat([t.assign(assumption=p) for p, t in rows.items()], ignore_index=True)
    numbers, marks = table[["low", "high"]].to_numpy(), marks or {}
    scale = _scale([*numbers.ravel(), *marks.values()], unit)
    low, high = np.nanmin(numbers) / scale.factor, np.nanmax(numbers) / scale.factor
    columns = min(2, len(rows))
    with rc_context(STYLE):
        canvas, axes = drawing(
            nrows=-(-len(rows) // columns), ncols=columns, sharex=True, squeeze=False
        )
        talls, lines = np.zeros((2, *axes.shape))
        for ax in axes.flat[len(rows) :]:
            ax.axis("off")
        for n, (ax, (panel, part)) in enumerate(zip(axes.flat, rows.items(), strict=False)):
            same = [
                chosen is not None and (r.low, r.high) == (chosen.low, chosen.high)
                for r in part.itertuples()
            ]
            ys = _rows(ax, part["label"], letters=14, least=0.25)
            talls.flat[n] = ax.get_ylim()[0]
            _ranges(ax, ys, part, scale, spec, same, thick=6)
            heading = wrapped(panel, 18 if n % 2 else 30)  # the right one ends at the edge
            lines.flat[n] = heading.count("\n")
            ax.set_title(heading, loc="left", fontsize=10, fontweight="bold", pad=5)
            for x in marks.values():
                _plain(ax, [x / scale.factor] * 2, [0, talls.flat[n]], lw=0.8, ls="--")
            _limited(ax, numbers / scale.factor, [x / scale.factor for x in marks.values()])
        heights = talls.max(axis=1)
        for ax, tallest in zip(axes.flat, np.repeat(heights, columns), strict=True):
            ax.set_ylim(tallest, 0)
        axes.flat[0].get_gridspec().set_height_ratios(heights)
        canvas.set_size_inches(WIDTH, sum(heights + 0.5 + 0.17 * lines.max(axis=1)))
    table = table[["assumption", "label", "low", "high"]].rename(columns={"label": "value"})
    if len(rows) == 1:
        table = table.drop(columns="assumption").rename(columns={"value": next(iter(rows))})
    lost = int(np.isnan(numbers[:, 0]).sum())
    broken = f", {lost} contradict themselves" if lost else ""
    within = f"from {scale.text(low)} to {scale.text(high)} {scale.unit}{broken}"
    variants = f"{len(rows)} assumptions in {len(table)} variants"
    return made(canvas, table, title, scale.unit, source, f"{variants}: {within}.", base=unit,
                **words)  # fmt: skip


def _found(found: Mapping[str, Interval | float | None] | pd.DataFrame) -> pd.DataFrame:
    """Return label, low, high, and value where it is given, of each row."""
    if isinstance(found, pd.DataFrame):
        if lost := [c for c in ("label", "low", "high") if c not in found]:
            raise SchemaMismatch(f"ranges without {lost}", "label, low and high", "add them")
        table = found.reset_index(drop=True)
    else:
        ends = [
            (i.low, i.high) if isinstance(i, Interval) else (math.nan if i is None else i,) * 2
            for i in found.values()
        ]
        table = pd.DataFrame(ends, columns=["low", "high"])
        table.insert(0, "label", list(found))
    if table[["low", "high"]].isna().to_numpy().all():
        raise SchemaMismatch("ranges without numbers", "at least one range", "check the bounds")
    return table.astype({"label": str, "low": float, "high": float})


def _limited(ax: Axes, ends: np.ndarray, marks: Sequence[float]) -> None:
    """Let the axis hold all ranges and marks, and begin at zero unless zero is far away."""
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    low = 0.0 if 0 < low < 0.5 * high else low
    room = 0.01 * (high - low) or 1.0  # where all is one point
    ax.set_xlim(min([low - room, *marks]), max([high + room, *marks]))


def _scale(numbers: Iterable[float], unit: str) -> Scale:
    """Return how numbers are written: shares in per cent, others by their largest."""
    known = np.abs([x for x in numbers if math.isfinite(x)])
    largest = float(known.max(initial=0.0))
    if unit == "share":
        return Scale(0.01, "%", 0 if largest >= 0.1 else 1)
    return scale_for(largest, unit)


def _ranges(
    ax: Axes,
    ys: Sequence[float],
    table: pd.DataFrame,
    scale: Scale,
    spec: str,
    dark: Sequence[bool | None] | None = None,
    thick: float = 10,
) -> list[str]:
    """Draw rows of ranges on axes and return their numbers as written."""
    texts = []
    numbers = table.reindex(columns=["low", "high", "value"]).to_numpy(float) / scale.factor
    centre = float(np.nanmean(numbers[:, :2]))
    dark = [None] * len(table) if dark is None else dark
    rows = zip(ys, numbers.tolist(), dark, ax.get_yticklabels(), strict=True)
    for y, (low, high, point), chosen, name in rows:
        if math.isnan(low):
            texts.append("bounds contradict")
            ax.text(centre, y, texts[-1], color=COLOUR["price"], style="italic", ha="center",
                    va="center")  # fmt: skip
            continue
        texts.append(format(Interval(low, high), spec or f",.{scale.places}f"))
        colour = COLOUR["faint" if chosen is False else "price"]
        ax.plot([low, high], [y, y], color=colour, lw=thick, solid_capstyle="butt")
        _plain(ax, [low, high], [y, y], lw=0, marker="|", ms=thick)
        _plain(ax, [point], [y], marker="o", ms=5)
        _number(ax, high, y, texts[-1], bold=bool(chosen))
        name.set_fontweight("bold" if chosen else "normal")
    return texts


def bars(
    table: pd.DataFrame | pd.Series | Mapping[str, float],
    title: str,
    unit: str,
    source: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw one row a category, one bar a column, each with its number.

    Parameters
    ----------
    table : pandas.DataFrame, Series or mapping
        The index, or the one column of text, holds the categories, from top to bottom.
    title, unit, source, **words
        As in `finish`; USD, EUR, TRY, kg and m3 are scaled, ``"share"`` is written in per cent.

    Returns
    -------
    Figure

    Examples
    --------
    >>> bars({"energy": 34.2e9, "metals": 9e9}, "Energy leads", "USD", "made up").caption
    'bn USD · made up'
    """
    frame = framed(table).drop(columns="origin", errors="ignore")
    texts = [c for c in frame if not pd.api.types.is_numeric_dtype(frame[c])]
    if len(texts) == 1 and isinstance(frame.index, pd.RangeIndex):
        frame = frame.set_index(texts.pop())
    if texts:
        raise SchemaMismatch(
            f"columns {texts} hold no numbers", "one column of names beside numbers", "drop them"
        )
    numbers = frame.rename(columns=str).astype(float)
    columns = [str(c) for c in numbers]
    if not numbers.notna().to_numpy().any():
        raise SchemaMismatch("bars without numbers", "at least one number", "check the filter")
    scale = _scale(numbers.to_numpy().ravel(), unit)
    scaled, many = numbers / scale.factor, numbers.shape[1]
    means = kinds_of(columns, alone="value")
    with rc_context(STYLE):
        canvas, ax = drawing()
        names = numbers.index.map(str)
        centres = _rows(ax, names, 0.15 + 0.3 * (many > 1), least=0.1 + _BAR * many)
        for k, column in enumerate(columns):
            ys = np.array(centres) + (k - (many - 1) / 2) * _BAR
            xs = scaled[column]
            drawn = ax.barh(ys, xs.fillna(0), _BAR * 0.92, label=column, **_look(means[column]))
            ax.bar_label(drawn, [scale.text(x) for x in xs], padding=5)
        ax.axvline(0, color=INK, lw=0.9)
        low, high = ax.get_xlim()
        if (numbers.to_numpy() < 0).any():  # room for numbers left of their bars
            ax.set_xlim(low - 0.12 * (high - low), high)
        if many > 1:
            left = blended_transform_factory(canvas.transFigure, ax.transAxes)
            ax.legend(
                loc="lower left",
                bbox_to_anchor=(0, 1),
                bbox_transform=left,
                ncols=3,
                borderaxespad=0,
                frameon=False,
            )
    said = "; ".join(
        f"{i}: {', '.join(map(scale.text, row))}"
        for i, row in zip(names[:12], scaled.to_numpy(), strict=False)
    )
    said = f"{', '.join(columns)}: {said} {scale.unit}."
    shown = numbers.rename_axis(str(frame.index.name or "category")).reset_index()
    return made(canvas, shown, title, scale.unit, source, said, table, base=unit, **words)


def _look(kind: str) -> dict[str, Any]:
    return {"color": COLOUR[kind], "hatch": HATCH.get(kind), "edgecolor": INK, "linewidth": 0}


def _plain(ax: Axes, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    """Draw a line that carries no number of its own."""
    ax.plot(xs, ys, color=INK, **look)


def _number(ax: Axes, x: float, y: float, text: str, *, bold: bool) -> None:
    """Write a number right of the end of its bar."""
    ax.annotate(
        text, (x, y), (5, 0), textcoords="offset points", va="center",
        fontweight="bold" if bold else "normal", annotation_clip=False,
    )  # fmt: skip


def _rows(
    ax: Axes, names: Iterable[str], room: float = 0.0, letters: int = _LETTERS, least: float = _ROW
) -> list[float]:
    """Name rows from top to bottom and return their middles, in inches; size a chart of one axes.

    Names may take several lines; the values have no ticks, for each is written.
    """
    texts = [wrapped(name, letters) for name in names]
    tall = np.array([max(least, 0.165 * (t.count("\n") + 1) + 0.09) for t in texts])
    ys: list[float] = (np.cumsum(tall) - tall / 2).tolist()
    ax.set_yticks(ys, texts)
    ax.set_ylim(tall.sum(), 0)
    ax.set_xticks([])
    ax.margins(x=0.01)
    canvas = ax.get_figure(root=True)
    if canvas is not None:
        canvas.set_size_inches(WIDTH, tall.sum() + room)
    return ys
