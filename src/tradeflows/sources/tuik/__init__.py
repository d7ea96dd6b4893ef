"""TÜİK: its database, asked month by month with proof, and files that people hold."""

from tradeflows.sources.tuik.files import add, parse, read, read_tuik
from tradeflows.sources.tuik.pull import ALL, Office, Question, by_hand, newest, standard

__all__ = [
    "ALL",
    "Office",
    "Question",
    "add",
    "by_hand",
    "newest",
    "parse",
    "read",
    "read_tuik",
    "standard",
]
