"""Charts of rows: words on the left, bars or ranges beside them, each number at its end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from tradeflows.errors import SchemaMismatch
from tradeflows.measure.bridge import BARS, Bridge
from tradeflows.measure.envelope import Envelope
from tradeflows.measure.intervals import Interval
from tradeflows.plot.figure import Figure, Words, made
from tradeflows.plot.style import COLOUR, HATCH, INK, STYLE, drawing, kinds_of, marked, wrapped
from tradeflows.plot.tables import framed
from tradeflows.words import Scale, amount, scale_for

__all__ = ["bars", "ranges", "scan", "waterfall"]

_ROW, _SMALL, _BAR = 0.31, 0.25, 0.21  # inches: rows of a chart and of a panel, a bar
_LETTERS = 26  # of a line of words on the left


def waterfall(
    steps: Any,
    totals: Mapping[str, Interval | float] | None = None,
    title: str = "",
    unit: str = "USD",
    source: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw how one total became another, part by part, from top to bottom.

    Parameters
    ----------
    steps : Bridge, Envelope or pandas.DataFrame
        A result; or a row a part with its name (column ``step``, or the index), its ``value``, its
        ``kind`` (``total``, ``price``, ``volume``, ``entry``, ``exit``, ``unpriced``, ``rest``,
        ``unknown``), and, where it is uncertain, its ``range`` (`Interval`) or ``low`` and
        ``high``.
    totals : mapping of str to number or Interval, optional
        The total before and the total after, under their names, where `steps` has only the parts;
        of an interval the middle is drawn.
    title : str
        The finding; a result says its own sentence.
    unit : str
        Of all values; USD, EUR, TRY, kg and m3 are scaled to bn, m, Mt.
    source, **words
        As in `finish`.

    Returns
    -------
    Figure

    Raises
    ------
    SchemaMismatch
        A total is not the sum of what stands before it, or a kind is unknown.

    Examples
    --------
    >>> steps = pd.DataFrame({"value": [30e9, -1e9], "kind": ["price", "volume"]},
    ...                      index=["dearer", "less"])
    >>> figure = waterfall(steps, {"2021": 29e9, "2022": 58e9}, "Price did it", "USD", "made up")
    >>> figure.caption, figure.table["value"].tolist()
    ('bn USD · made up', [29000000000.0, 30000000000.0, -1000000000.0, 58000000000.0])
    """
    table = _steps(steps, totals)
    if isinstance(steps, Envelope):
        title, first = title or str(steps.sentence()).rstrip("."), steps.first
        words.setdefault("name", "bridges")
        words.setdefault("alt", f"{first.sentence()} {steps.sentence()}")
    elif isinstance(steps, Bridge):
        first = steps
        words.setdefault("alt", str(steps.sentence()))
        words.setdefault("name", "bridge")
        title = title or _finding(steps)
    if isinstance(steps, Bridge | Envelope):
        words.setdefault("origins", first.origins)
        words.setdefault("period", f"{first.base} to {first.current}")
        if first.per_month:
            words["note"] = " · ".join(["per month", *filter(None, [words.get("note")])])
    starts, ends = _chained(table["value"].tolist(), table["kind"].tolist())
    low, high = (starts + table[c].to_numpy() for c in ("low", "high"))
    scale = scale_for(float(np.nanmax(np.abs([starts, ends, low, high]))), unit)
    texts = [_text(row, scale) for row in table.itertuples()]
    with rc_context(STYLE):
        ys, high_ = _places(table["step"])
        canvas, ax = drawing(high_ + 0.15)
        for i, (y, kind) in enumerate(zip(ys, table["kind"], strict=True)):
            span = (ends[i] - starts[i]) / scale.factor
            ax.barh(y, span, _BAR, left=starts[i] / scale.factor, **_look(kind))
            if i + 1 < len(table):
                joint = [y - _BAR / 2, ys[i + 1] + _BAR / 2]
                _plain(ax, [ends[i] / scale.factor] * 2, joint, lw=0.7, alpha=0.6)
            edge = np.nanmax([starts[i], ends[i], high[i]]) / scale.factor
            if low[i] < high[i]:
                xs = [low[i] / scale.factor, high[i] / scale.factor]
                _plain(ax, xs, [y, y], lw=1.3, marker="|", ms=8)
            _number(ax, edge, y, texts[i], bold=kind == "total")
        _plain(ax, [0, 0], [0, high_], lw=0.9)
        _named(ax, table["step"])
    shown = table.dropna(axis="columns", how="all")
    alt = f"{title}. {'; '.join(f'{s} {t}' for s, t in zip(table['step'], texts, strict=True))}."
    if "low" in shown and "range" not in words.get("note", ""):
        words["note"] = " · ".join(n for n in (words.get("note"), "lines: ranges") if n)
    words.setdefault("alt", alt)
    return made(canvas, shown, title, scale.unit, source, base=unit, **words)


def _finding(bridge: Bridge) -> str:
    """Say which bar is the largest, and of what."""
    bar = max(BARS, key=lambda bar: abs(getattr(bridge, bar)))
    part, change = amount(getattr(bridge, bar), "USD"), amount(bridge.change, "USD", sign=True)
    when = f"from {bridge.base} to {bridge.current}"
    return f"{bar.capitalize()} accounts for {part} of a change of {change} {when}"


def _steps(steps: Any, totals: Mapping[str, Interval | float] | None) -> pd.DataFrame:
    frame = steps.steps() if isinstance(steps, Bridge | Envelope) else steps
    table = frame if "step" in frame else frame.rename_axis("step").reset_index()
    if lost := [c for c in ("value", "kind") if c not in table]:
        raise SchemaMismatch(f"steps without {lost}", "columns value and kind", "add them")
    if "range" in table:
        table = table.assign(
            low=[i.low for i in table["range"]], high=[i.high for i in table["range"]]
        ).drop(columns="range")
    if totals is not None:
        if len(totals) != 2:
            raise SchemaMismatch(f"{len(totals)} totals", "two: before and after", "name both")
        rows = []
        for name, total in totals.items():
            known = total if isinstance(total, Interval) else Interval(total, total)
            ends = (known.low, known.high) if known.low < known.high else (np.nan, np.nan)
            rows.append((name, known.middle, "total", *ends))
        ends_of = pd.DataFrame(rows, columns=["step", "value", "kind", "low", "high"])
        table = pd.concat([ends_of[:1], table, ends_of[1:]], ignore_index=True)
    if odd := sorted(set(table["kind"]) - set(COLOUR)):
        raise SchemaMismatch(f"kinds {odd}", f"some of {', '.join(COLOUR)}", "rename the kind")
    columns = ["step", "value", "kind", "low", "high", "origin"]
    whole = pd.DataFrame(
        table.reindex(columns=[c for c in columns if c in {*table, "low", "high"}])
    )
    return whole.astype({"step": str, "value": float, "low": float, "high": float})


def _chained(values: Sequence[float], kinds: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return where bars start and end: totals at zero, others where the last one ended."""
    starts, ends = np.zeros(len(values)), np.zeros(len(values))
    reached, room = 0.0, 1e-6 * max((abs(v) for v in values), default=0.0)
    for i, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        total = kind == "total"
        if total and i and abs(value - reached) > room:
            raise SchemaMismatch(
                f"the bars reach {reached:.10g}, the total of bar {i + 1} says {value:.10g}",
                "parts that add up to the total",
                "carry what is left as a step of kind 'unpriced' or 'rest'",
            )
        starts[i] = 0.0 if total else reached
        reached = ends[i] = value if total else reached + value
    return starts, ends


def _text(row: Any, scale: Scale) -> str:
    ends = [scale.text(end / scale.factor) for end in (row.low, row.high)]
    if math.isnan(row.low) or ends[0] == ends[1]:
        return scale.text(row.value / scale.factor, sign=row.kind != "total")
    return format(Interval(row.low, row.high) / scale.factor, f",.{scale.places}f")


def ranges(
    found: Mapping[str, Interval | float | None] | pd.DataFrame,
    title: str,
    unit: str,
    source: str = "",
    *,
    marks: Mapping[str, float] | None = None,
    chosen: str | None = None,
    spec: str = "",
    **words: Unpack[Words],
) -> Figure:
    """Draw what is known of one number under several labels, from top to bottom.

    Parameters
    ----------
    found : mapping of str to Interval, or pandas.DataFrame
        None stands for bounds that contradict each other, which is written. A frame has columns
        ``label``, ``low``, ``high``, optionally ``value`` (a point) and ``open`` (true where the
        range has no upper end and ``high`` is only what it reaches at least).
    title, unit, source, **words
        As in `finish`; of unit ``"share"`` per cent are written.
    marks : mapping of str to number, optional
        Thresholds, named in words: vertical lines.
    chosen : str, optional
        The label that matters: dark among light ones.
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
    table = _frame(found)
    scale = _scale(table, unit, marks)
    with rc_context(STYLE):
        canvas, ax = drawing(_places(table["label"])[1] + 0.15 + 0.25 * bool(marks))
        texts = _ranges(ax, table, scale, spec, [chosen] if chosen else None)
        at = [(x / scale.factor, n) for n, x in (marks or {}).items()]
        left, right = ax.get_xlim()
        ax.set_xlim(min([left, *(x for x, _ in at)]), max([right, *(x for x, _ in at)]))
        marked(canvas, ax, at)
    said = "; ".join(f"{n}: {t}" for n, t in zip(table["label"], texts, strict=True))
    limits = "; ".join(f"{n} at {scale.text(x / scale.factor)}" for n, x in (marks or {}).items())
    words.setdefault("alt", f"{title}. {said}.{f' Marked: {limits}.' if limits else ''}")
    shown = table.dropna(axis="columns", how="all")
    base = "" if unit == "share" else unit
    return made(canvas, shown, title, scale.unit, source, base=base, **words)


def scan(
    panels: Mapping[str, Mapping[str, Interval | None]],
    chosen: Interval | None,
    title: str,
    unit: str,
    source: str = "",
    *,
    marks: Mapping[str, float] | None = None,
    columns: int = 3,
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
    columns : int
        Panels beside each other; on a phone they stand below each other.

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
    rows = [(panel, _frame(found)) for panel, found in panels.items()]
    table = pd.concat([t.assign(assumption=panel) for panel, t in rows], ignore_index=True)
    scale = _scale(table, unit, marks)
    forms = [_panels(rows, scale, spec, chosen, marks or {}, n) for n in (columns, 1)]
    table = table[["assumption", "label", "low", "high"]].rename(columns={"label": "value"})
    if len(rows) == 1:
        table = table.drop(columns="assumption").rename(columns={"value": rows[0][0]})
    told = [t for t in table.to_numpy().tolist() if not math.isnan(t[-1])]
    ends = (min(t[-2] for t in told), max(t[-1] for t in told)) if told else (math.nan, math.nan)
    within = " to ".join(scale.text(e / scale.factor) for e in ends)
    broken = f", {len(table) - len(told)} contradict themselves" if len(table) > len(told) else ""
    words.setdefault("alt", f"{title}. {len(rows)} assumptions in {len(table)} variants: from "
                            f"{within} {scale.unit}{broken}.")  # fmt: skip
    base = "" if unit == "share" else unit
    return made(forms[0], table, title, scale.unit, source, base=base, phone=forms[1], **words)


def _panels(
    rows: Sequence[tuple[str, pd.DataFrame]], scale: Scale, spec: str, chosen: Interval | None,
    marks: Mapping[str, float], columns: int,
) -> Canvas:  # fmt: skip
    columns = min(columns, len(rows))
    lines = [rows[i : i + columns] for i in range(0, len(rows), columns)]
    high_ = [[_places(t["label"], 16, _SMALL)[1] for _, t in line] for line in lines]
    heights = [max(line) for line in high_]
    numbers = pd.concat([t[["low", "high"]] for _, t in rows]).to_numpy() / scale.factor
    low, high = min(0.0, float(np.nanmin(numbers))), max(0.0, float(np.nanmax(numbers)))
    with rc_context(STYLE):
        canvas, axes = drawing(
            sum(h + 0.5 for h in heights), 4.0 if columns == 1 else 2.6 * columns,
            nrows=len(lines), ncols=columns, squeeze=False, sharex=True,
            gridspec_kw={"height_ratios": heights},
        )  # fmt: skip
        for places, line, tallest in zip(axes, lines, heights, strict=True):
            for ax in places[len(line) :]:
                ax.axis("off")
            for ax, (panel, table) in zip(places, line, strict=False):
                same = [
                    chosen is not None and (r.low, r.high) == (chosen.low, chosen.high)
                    for r in table.itertuples()
                ]
                _ranges(ax, table, scale, spec, table["label"][same].tolist(), thick=6)
                ax.set_ylim(tallest, 0)
                ax.set_title(panel, loc="left", fontsize=10, fontweight="bold", pad=5)
                ax.set_xlim(low, high)
                for x in marks.values():
                    end = _places(table["label"], 16, _SMALL)[1]
                    _plain(ax, [x / scale.factor] * 2, [0, end], lw=0.8, ls="--")
                ax.set_xticks([])
    return canvas


def _frame(found: Mapping[str, Interval | float | None] | pd.DataFrame) -> pd.DataFrame:
    """Return label, low, high, value, open of each row."""
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


def _scale(table: pd.DataFrame, unit: str, marks: Mapping[str, float] | None) -> Scale:
    numbers = np.abs([*table[["low", "high"]].to_numpy().ravel(), *(marks or {}).values()])
    largest = float(np.nanmax(numbers[np.isfinite(numbers)], initial=0.0))
    if unit == "share":
        return Scale(0.01, "%", 0)
    return scale_for(largest, unit)


def _ranges(
    ax: Axes,
    table: pd.DataFrame,
    scale: Scale,
    spec: str,
    dark: Sequence[str] | None,
    thick: float = 10,
) -> list[str]:
    """Draw rows of ranges on axes and return their numbers as written."""
    texts, labels = [], table["label"].tolist()
    ends = table[["low", "high"]].to_numpy(float) / scale.factor
    points = (
        table["value"].to_numpy(float) if "value" in table else ends[:, 0] * np.nan
    ) / scale.factor
    centre = float(np.nanmean(ends))
    open_ = table["open"].tolist() if "open" in table else [False] * len(table)
    panel: dict[str, Any] = {"letters": 16, "least": _SMALL} if thick < 10 else {}
    ys, tall = _places(labels, **panel)
    for i, (y, (low, high)) in enumerate(zip(ys, ends.tolist(), strict=True)):
        if math.isnan(low):
            texts.append("bounds contradict")
            ax.text(centre, y, texts[-1], color=COLOUR["price"], style="italic", ha="center",
                    va="center")  # fmt: skip
            continue
        text = format(Interval(low, high), spec or f",.{scale.places}f")
        texts.append(f"over {text}" if open_[i] else text)
        colour = COLOUR["price" if dark is None or labels[i] in dark else "faint"]
        ax.plot([low, high], [y, y], color=colour, lw=thick, solid_capstyle="butt", gid="mark")
        at = [low] if open_[i] else [low, high]
        _plain(ax, at, [y] * len(at), lw=0, marker="|", ms=thick)
        if open_[i]:
            ax.plot(high, y, ">", color=colour, ms=thick, gid="mark")
        if not math.isnan(points[i]):
            _plain(ax, [points[i]], [y], marker="o", ms=5)
        _number(ax, high, y, texts[-1], bold=labels[i] in (dark or ()), far=5 * open_[i])
    _named(ax, labels, **panel)
    for label, name in zip(ax.get_yticklabels(), labels, strict=True):
        label.set_fontweight("bold" if name in (dark or ()) else "normal")
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    if 0 < low < 0.5 * high:
        low = 0.0
    if low == 0 and thick > 6:
        _plain(ax, [0, 0], [0, tall], lw=0.9)
    room = 0.01 * (high - low) or 1.0  # where all is one point
    ax.set_xlim(low - room, high + room)
    return texts


def bars(
    table: pd.DataFrame | pd.Series | Mapping[str, float],
    title: str,
    unit: str,
    source: str = "",
    *,
    kinds: Mapping[str, str] | None = None,
    **words: Unpack[Words],
) -> Figure:
    """Draw one row a category, one bar a column, each with its number.

    Parameters
    ----------
    table : pandas.DataFrame, Series or mapping
        The index, or the one column of text, holds the categories, from top to bottom.
    title, unit, source, **words
        As in `finish`; USD, EUR, TRY, kg and m3 are scaled, ``"share"`` is written in per cent.
    kinds : mapping, optional
        Column to its meaning (`colours`); else guessed from its name.

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
    if not numbers.notna().to_numpy().any():
        raise SchemaMismatch("bars without numbers", "at least one number", "check the filter")
    words.setdefault("origins", table)
    largest = float(np.nanmax(np.abs(numbers.to_numpy())))
    scale = (
        Scale(0.01, "%", 0 if largest >= 0.1 else 1)
        if unit == "share"
        else scale_for(largest, unit)
    )
    columns = [str(c) for c in numbers]
    means = kinds_of(columns, kinds)
    with rc_context(STYLE):
        many = numbers.shape[1]
        names, row = [str(i) for i in numbers.index], 0.1 + _BAR * many
        centres, tall = _places(names, least=row)
        canvas, ax = drawing(tall + 0.15 + 0.3 * (many > 1))
        for k, column in enumerate(columns):
            ys = np.array(centres) + (k - (many - 1) / 2) * _BAR
            xs = numbers[column].to_numpy() / scale.factor
            kind = "value" if many == 1 and means[column] == "other" else means[column]
            ax.barh(ys, np.nan_to_num(xs), _BAR * 0.92, label=column, **_look(kind))
            for x, y in zip(xs, ys, strict=True):
                _number(ax, 0.0 if math.isnan(x) else x, y, scale.text(x), left=x < 0)
        _plain(ax, [0, 0], [0, tall], lw=0.9)
        _named(ax, names, least=row)
        if (numbers.to_numpy() < 0).any():  # room for numbers left of their bars
            low, high = ax.get_xlim()
            ax.set_xlim(low - 0.12 * (high - low), high)
        if many > 1:
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0)
    said = "; ".join(
        f"{i}: {', '.join(scale.text(x / scale.factor) for x in row)}"
        for i, row in zip(numbers.index[:12], numbers.to_numpy(), strict=False)
    )
    words.setdefault("alt", f"{title}. {', '.join(columns)}: {said} {scale.unit}.")
    shown = numbers.rename_axis(str(frame.index.name or "category")).reset_index()
    base = "" if unit == "share" else unit
    return made(canvas, shown, title, scale.unit, source, base=base, **words)


def _look(kind: str) -> dict[str, Any]:
    return {"color": COLOUR[kind], "hatch": HATCH.get(kind), "edgecolor": INK, "linewidth": 0}


def _plain(ax: Axes, xs: Sequence[float], ys: Sequence[float], **look: Any) -> None:
    """Draw a line that carries no number of its own."""
    ax.plot(xs, ys, color=INK, gid="mark", **look)


def _number(
    ax: Axes, x: float, y: float, text: str, *, bold: bool = False, left: bool = False,
    far: float = 0.0,
) -> None:  # fmt: skip
    """Write a number beside the end of its bar."""
    ax.annotate(
        text, (x, y), (-5 if left else 5 + far, 0), textcoords="offset points", va="center",
        ha="right" if left else "left", fontweight="bold" if bold else "normal",
        annotation_clip=False,
    )  # fmt: skip


def _places(
    names: Iterable[str], letters: int = _LETTERS, least: float = _ROW
) -> tuple[list[float], float]:
    """Return the middle of each row and the end of the last, in inches: names may take lines."""
    lines = [wrapped(name, letters).count("\n") + 1 for name in names]
    tall = np.array([max(least, 0.165 * n + 0.09) for n in lines])
    return (np.cumsum(tall) - tall / 2).tolist(), float(tall.sum())


def _named(ax: Axes, names: Iterable[str], letters: int = _LETTERS, least: float = _ROW) -> None:
    """Name the rows, top to bottom, and leave the values without ticks: each is written."""
    known = list(names)
    ys, tall = _places(known, letters, least)
    ax.set_yticks(ys, [wrapped(name, letters) for name in known])
    ax.set_ylim(tall, 0)
    ax.set_xticks([])
    ax.margins(x=0.01)
