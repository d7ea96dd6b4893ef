"""Charts of rows: words on the left, bars or ranges beside them, each number at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.transforms import blended_transform_factory

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.intervals import Interval
from tradeflows.plot.figure import Figure, Words, made, noted
from tradeflows.plot.style import (
    COLOUR,
    HATCH,
    INK,
    WIDTH,
    drawing,
    kinds_of,
    marked,
    wrapped,
)
from tradeflows.plot.tables import framed, known
from tradeflows.words import Scale, scale_for

_ROW, _BAR = 0.31, 0.21  # inches: a row, a bar


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
    nothing = whole[["value", "low", "high"]].fillna(0).eq(0).all(axis=1)
    table = whole[~nothing | whole["kind"].isin(["total", "price", "volume"])]
    starts, ends = _chained(table)
    reach = np.column_stack([starts, ends, *(starts + table[c] for c in ("low", "high"))])
    scale = scale_for(float(np.nanmax(np.abs(reach))), unit)
    reach, texts = reach / scale.factor, [_text(row, scale) for row in table.itertuples()]
    with drawing() as (canvas, ax):
        ys = _rows(canvas, ax, table["step"])
        for y, kind, text, row in zip(ys, table["kind"], texts, reach, strict=True):
            start, end, low, high = row
            _bar(ax, y, start, end, kind, text, high, bold=kind == "total")
            if low < high:
                ax.plot([low, high], [y, y], color=INK, lw=1.3, marker="|", ms=8)
        for y, below, end in zip(ys, ys[1:], reach[:, 1], strict=False):
            ax.plot([end, end], [y + _BAR / 2, below - _BAR / 2], color=INK, lw=0.7, alpha=0.6)
        ax.axvline(0, color=INK, lw=0.9)
    said = "; ".join(f"{s} {t}" for s, t in zip(table["step"], texts, strict=True))
    shown = whole.dropna(axis="columns", how="all")
    if "low" in shown and "range" not in words.get("note", ""):
        noted(words, "lines: ranges")
    return made(canvas, shown, title, scale.unit, source, f"{said}.", base=unit, **words)


def _steps(steps: pd.DataFrame) -> pd.DataFrame:
    """Return step, value, kind, low and high of each bar."""
    table = steps if "step" in steps else steps.rename_axis("step").reset_index()
    known(table, "steps", ["value", "kind"])
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
    table = _found(found)
    canvas, scale, texts, limits = _drawn(table, unit, marks or {}, spec)
    said = "; ".join(f"{n}: {t}" for n, t in zip(table["label"], texts, strict=True))
    shown = table.dropna(axis="columns", how="all")
    return made(canvas, shown, title, scale.unit, source, f"{said}.{limits}", base=unit, **words)


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
    """Draw how an answer hangs on each assumption: rows under the name of each, on one scale.

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
    parts = [pd.DataFrame({"label": [None, *t["label"]], "assumption": p}).join(
        t.set_axis(t.index + 1)[["low", "high"]]) for p, t in rows.items()]  # fmt: skip
    table = pd.concat(parts, ignore_index=True)
    canvas, scale, _, limits = _drawn(table, unit, marks or {}, spec, chosen)
    table = table[["assumption", "label", "low", "high"]].rename(columns={"label": "value"})
    table = table.dropna(subset="value")
    if len(rows) == 1:
        table = table.drop(columns="assumption").rename(columns={"value": next(iter(rows))})
    lost = int(table["low"].isna().sum())
    broken = f", {lost} contradict themselves" if lost else ""
    ends = (scale.text(x / scale.factor) for x in (table["low"].min(), table["high"].max()))
    said = f"{len(rows)} assumptions in {len(table)} variants: from {' to '.join(ends)}"
    said += f" {scale.unit}{broken}.{limits}"
    return made(canvas, table, title, scale.unit, source, said, base=unit, **words)


def _found(found: Mapping[str, Interval | float | None] | pd.DataFrame) -> pd.DataFrame:
    """Return label, low, high, and value where it is given, of each row."""
    if isinstance(found, pd.DataFrame):
        table = found.reset_index(drop=True)
    else:
        ends = [
            (i.low, i.high) if isinstance(i, Interval) else (math.nan if i is None else i,) * 2
            for i in found.values()
        ]
        table = pd.DataFrame(ends, columns=["low", "high"])
        table.insert(0, "label", list(found))
    known(table, "ranges", ["label", "low", "high"])
    return table.astype({"label": str, "low": float, "high": float})


def _drawn(
    table: pd.DataFrame, unit: str, marks: Mapping[str, float], spec: str,
    chosen: Interval | None = None,
) -> tuple[Canvas, Scale, list[str], str]:  # fmt: skip
    """Draw rows of ranges and marks; say how numbers are scaled, what is written, what is marked.

    With a column ``assumption`` a row without label is the heading of the next ones, and those that
    are not the ``chosen`` range are faint.
    """
    grouped = "assumption" in table
    numbers = table.reindex(columns=["low", "high", "value"]).to_numpy(float)
    scale = _scale([*numbers[:, :2].ravel(), *marks.values()], unit)
    same = [chosen is not None and (low, high) == (chosen.low, chosen.high)
            for low, high, _ in numbers.tolist()]  # fmt: skip
    numbers, texts = numbers / scale.factor, []
    least, most = float(np.nanmin(numbers[:, 0])), float(np.nanmax(numbers[:, 1]))
    with drawing() as (canvas, ax):
        room = 0.15 + 0.25 * bool(marks)
        ys = _rows(canvas, ax, table["label"].fillna(""), room, 0.26 if grouped else _ROW)
        names = table[["label", "assumption" if grouped else "label"]].to_numpy()
        for n, (y, (low, high, point)) in enumerate(zip(ys, numbers.tolist(), strict=True)):
            label, heading = names[n]
            if pd.isna(label):
                ax.annotate(wrapped(heading, 40), (0, y), (5, 0), textcoords="offset points",
                            xycoords=("axes fraction", "data"), va="center", fontweight="bold",
                            annotation_clip=False)  # fmt: skip
            elif math.isnan(low):
                texts.append("bounds contradict")
                ax.text((least + most) / 2, y, texts[-1], color=COLOUR["price"], style="italic",
                        ha="center", va="center")  # fmt: skip
            else:
                texts.append(format(Interval(low, high), spec or f",.{scale.places}f"))
                kind = "faint" if grouped and not same[n] else "price"
                _bar(ax, y, low, high, kind, texts[-1], bold=same[n])
                ax.plot([low, high], [y, y], color=INK, lw=0, marker="|", ms=10)
                ax.plot(point, y, color=INK, marker="o", ms=5)
                ax.get_yticklabels()[n].set_fontweight("bold" if same[n] else "normal")
        at = [(x / scale.factor, name) for name, x in marks.items()]
        low = 0.0 if 0 < least < 0.5 * most else least  # zero, unless it is far away
        room = 0.01 * (most - low) or 1.0  # where all is one point
        ends = [low - room, most + room, *(x for x, _ in at)]
        ax.set_xlim(min(ends), max(ends))
        if min(ends) < 0 < max(ends):
            ax.axvline(0, color=INK, lw=0.9)
        marked(canvas, ax, at)
    limits = "; ".join(f"{name} at {scale.text(x)}" for x, name in at)
    return canvas, scale, texts, f" Marked: {limits}." if limits else ""


def _scale(numbers: Iterable[float], unit: str) -> Scale:
    """Return how numbers are written: shares in per cent, others by their largest."""
    largest = float(np.abs([x for x in numbers if math.isfinite(x)]).max(initial=0.0))
    if unit == "share":
        return Scale(0.01, "%", 0 if largest >= 0.1 else 1)
    return scale_for(largest, unit)


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
    known(frame, "bars")
    numbers = frame.rename(columns=str).astype(float)
    columns, names, many = [*map(str, numbers)], numbers.index.map(str), numbers.shape[1]
    scale = _scale(numbers.to_numpy().ravel(), unit)
    scaled, means = numbers / scale.factor, kinds_of(columns, alone="value")
    with drawing() as (canvas, ax):
        centres = _rows(canvas, ax, names, 0.15 + 0.3 * (many > 1), 0.1 + _BAR * many)
        for k, column in enumerate(columns):
            for y, x in zip(centres, scaled[column], strict=True):
                at = y + (k - (many - 1) / 2) * _BAR
                _bar(ax, at, 0.0, 0.0 if math.isnan(x) else x, means[column], scale.text(x))
            ax.containers[-1].set_label(column)
        ax.axvline(0, color=INK, lw=0.9)
        if many > 1:
            left = blended_transform_factory(canvas.transFigure, ax.transAxes)
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), bbox_transform=left, ncols=3,
                      borderaxespad=0, frameon=False)  # fmt: skip
    said = "; ".join(
        f"{i}: {', '.join(map(scale.text, row))}"
        for i, row in zip(names[:12], scaled.to_numpy(), strict=False)
    )
    said = f"{', '.join(columns)}: {said} {scale.unit}."
    shown = numbers.rename_axis(str(frame.index.name or "category")).reset_index()
    return made(canvas, shown, title, scale.unit, source, said, table, base=unit, **words)


def _bar(
    ax: Axes, y: float, left: float, right: float, kind: str, text: str, reach: float = math.nan,
    *, bold: bool = False,
) -> None:  # fmt: skip
    """Draw a bar, and its number right of it and of what reaches further."""
    look: dict[str, Any] = {
        "color": COLOUR[kind],
        "hatch": HATCH.get(kind),
        "edgecolor": INK,
        "linewidth": 0,
    }
    ax.barh(y, right - left, 0.92 * _BAR, left=left, **look)
    ax.annotate(
        text, (np.nanmax([left, right, reach]), y), (5, 0), textcoords="offset points", va="center",
        fontweight="bold" if bold else "normal", annotation_clip=False,
    )  # fmt: skip


def _rows(
    canvas: Canvas, ax: Axes, names: Iterable[str], room: float = 0.15, least: float = _ROW
) -> list[float]:
    """Name rows from top to bottom, size the chart, and return their middles, in inches.

    Names may take several lines; the values have no ticks, for each is written.
    """
    texts = [wrapped(name, 26) for name in names]
    tall = np.array([max(least, 0.165 * (t.count("\n") + 1) + 0.09) for t in texts])
    ys: list[float] = (np.cumsum(tall) - tall / 2).tolist()
    ax.set_yticks(ys, texts)
    ax.set_ylim(tall.sum(), 0)
    ax.set_xticks([])
    ax.margins(x=0.01)
    canvas.set_size_inches(WIDTH, tall.sum() + room)
    return ys
