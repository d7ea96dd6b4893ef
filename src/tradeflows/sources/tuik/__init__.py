"""TÜİK: its database, asked month by month with proof, and files that people hold."""

from tradeflows.sources.tuik.files import add, is_cube, parse, read, read_tuik
from tradeflows.sources.tuik.pull import (
    ALL,
    Office,
    Question,
    answers,
    by_hand,
    newest,
    plan,
    probe,
    pull,
    questions,
    standard,
)

__all__ = [
    "ALL", "Office", "Question", "add", "answers", "by_hand", "is_cube", "newest", "parse",
    "plan", "probe", "pull", "questions", "read", "read_tuik", "standard",
]  # fmt: skip
