"""One style and a few kinds of charts: data in, `Figure` out.

Names are imported when first asked for: whoever only writes numbers does not wait for matplotlib.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradeflows.figures.figure import Figure, csv_text, table_html
    from tradeflows.figures.numbers import amount, number, percent
    from tradeflows.figures.parts import bars, histogram, ranges, waterfall
    from tradeflows.figures.time import fan, lines

__all__ = [
    "MIME",
    "Figure",
    "amount",
    "bars",
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

MIME = "application/vnd.tradeflows.figure+json"  # under it a figure carries its parts to the report

_ROOMS = {
    "figure": ("Figure", "csv_text", "table_html"),
    "numbers": ("amount", "number", "percent"),
    "parts": ("bars", "histogram", "ranges", "waterfall"),
    "time": ("fan", "lines"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module 'tradeflows.figures' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(f"tradeflows.figures.{_HOME[name]}"), name)
