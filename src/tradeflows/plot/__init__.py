"""Charts that show themselves: draw with pandas or matplotlib, end with `finish`.

==================================================== =============================================
`finish` (ax, title, unit, source, table=frame)      any matplotlib axes: the main door
`waterfall` (steps, title, unit)                     from one total to the other, part by part
`ranges` (intervals by label, title, unit)           what is known of a number, thresholds named
`scan` (panels, answer, title, unit)                 the answer under each assumption's values
`lines` (frame, title, unit)                         over time, named at their ends, events
`bars` (frame, title, unit)                          a row a category, a bar a column
`fan` (frame, title, unit)                           what happened against what was expected
`histogram` (values, {name: value}, title, unit)     one case among placebos
`show` (result)                                      the chart that a result shows of itself
==================================================== =============================================

Each returns a `Figure`: last in a cell it shows itself in JupyterLab and on the report's page, with
title (the finding), caption (unit · period · source · vintage), alt text, the table behind it and
the raw files under it. Its axes stay within reach until then: ``figure.ax``, ``figure.axes``,
``figure.fig``. ``figure.png(path)``, ``figure.svg()`` and ``figure.csv()`` are for other places.

All take ``source`` (publishers in words) or ``origins`` (frames with a column ``origin``, series
of `tf.series`, results, published figures, ids of raw files; several in a list), and ``name``,
``alt``, ``period``, ``note`` as `finish` says. Name a figure whose title changes with its numbers:
the name is its id and the name of its files.

`colours` ("price", "volume", …) gives the colours of meanings to pandas and matplotlib; `GREY` and
`INK` are the colours of what is not data.

Charts are 4.9 inches wide with text of ten points or more, so that one drawing serves a page and a
phone; wider ones scroll there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tradeflows.plot.figure import Figure, finish
    from tradeflows.plot.results import show
    from tradeflows.plot.rows import bars, ranges, scan, waterfall
    from tradeflows.plot.style import GREY, INK, colours
    from tradeflows.plot.tables import table_html
    from tradeflows.plot.time import fan, histogram, lines

__all__ = [
    "GREY",
    "INK",
    "MIME",
    "Figure",
    "bars",
    "colours",
    "fan",
    "finish",
    "histogram",
    "lines",
    "ranges",
    "scan",
    "show",
    "table_html",
    "waterfall",
]

MIME = "application/vnd.tradeflows.figure+json"  # under it a figure carries its parts to the report

# Whoever only imports the package does not wait for matplotlib; the last room needs statsmodels.
_ROOMS = ("style", "tables", "figure", "rows", "time", "results")


def __getattr__(name: str) -> Any:
    for room in _ROOMS if name in __all__ else ():
        found = import_module(f"tradeflows.plot.{room}")
        if hasattr(found, name):
            return getattr(found, name)
    raise AttributeError(f"module 'tradeflows.plot' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
