"""Rows that read from top to bottom: words on the left, numbers at the end of what they measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from tradeflows.errors import SchemaMismatch
from tradeflows.figures.marks import tick_texts, ticks_between
from tradeflows.figures.style import HATCH, INK, PALETTE, Page, text_width

__all__ = ["foot", "look", "need", "rows_of", "write_number"]

_EDGE = {"edgecolor": INK, "linewidth": 0.5}


def need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks columns or rows."""
    lost = [c for c in columns if c not in table]
    if lost or table.empty:
        raise SchemaMismatch(
            f"columns {list(table.columns)}, {len(table)} rows",
            f"columns {', '.join(columns)} and at least one row",
            "add what is missing",
        )


def rows_of(
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


def look(kind: str) -> dict[str, Any]:
    """Return how a bar of this kind is filled."""
    hatch = HATCH.get(kind)
    return {"color": PALETTE[kind], "linewidth": 0} if hatch is None else {
        "facecolor": PALETTE[kind], "alpha": 0.75, "hatch": hatch, **_EDGE
    }  # fmt: skip


def write_number(
    axes: Axes, page: Page, x: float, y: float, words: str, *, left: bool, bold: bool
) -> None:
    """Write a number beside the point it belongs to."""
    axes.annotate(
        words, (x, y), (-5 if left else 5, 0), textcoords="offset points", va="center",
        ha="right" if left else "left", fontsize=page.size, weight="bold" if bold else "normal",
        annotation_clip=False,
    )  # fmt: skip


def foot(axes: Axes, page: Page, limits: tuple[float, float]) -> None:
    """Write an axis of numbers below the rows."""
    ticks = ticks_between(*limits, 3 if page.narrow else 5)
    low, high = axes.get_xlim()
    kept = [(x, t) for x, t in zip(ticks, tick_texts(ticks), strict=True) if low <= x <= high]
    axes.set_xticks([x for x, _ in kept], [t for _, t in kept], fontsize=page.size)
    axes.grid(axis="x")
