"""One style and a few kinds of charts: data in, `Figure` out.

Names are imported when first asked for: whoever only writes numbers does not wait for matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradeflows.figures.comparisons import histogram, ranges
    from tradeflows.figures.figure import Figure
    from tradeflows.figures.parts import bars, waterfall
    from tradeflows.figures.time import fan, lines
    from tradeflows.figures.words import Shown
    from tradeflows.plot.tables import csv_text, table_html
    from tradeflows.words import Sentence, amount, between, number, percent

__all__ = [
    "Figure",
    "Sentence",
    "Shown",
    "amount",
    "bars",
    "between",
    "csv_text",
    "fan",
    "histogram",
    "lines",
    "number",
    "percent",
    "ranges",
    "table_html",
    "waterfall",
]

_ROOMS = {
    "figures.comparisons": ("histogram", "ranges"),
    "figures.figure": ("Figure",),
    "plot.tables": ("csv_text", "table_html"),
    "figures.parts": ("bars", "waterfall"),
    "figures.time": ("fan", "lines"),
    "figures.words": ("Shown",),
    "words": ("Sentence", "amount", "between", "number", "percent"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'tradeflows.figures' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f"tradeflows.{_HOME[name]}"), name)
