"""TÜİK: its database, asked month by month with proof, and files that people hold."""

from tradeflows.sources.tuik.files import add, parse, read
from tradeflows.sources.tuik.pull import ALL, Office, Question, newest, standard

__all__ = ["ALL", "Office", "Question", "add", "newest", "parse", "read", "standard"]
