"""One style and a few kinds of charts: data in, `Figure` out."""

from tradeflows.figures.figure import MIME, Figure, csv_text, table_html
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
