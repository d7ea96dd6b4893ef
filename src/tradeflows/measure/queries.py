"""The SQL texts of the measures, one file each, and the formulas that go into them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

__all__ = ["PRICE", "VOLUME", "log_mean", "quoted", "text"]


def log_mean(v0: str, v1: str) -> str:
    """Return the SQL of (v1 - v0) / ln(v1 / v0) for positive numbers, which is v0 where v1 = v0.

    Near v1 = v0 the quotient is 0 / 0, so the series of x / ln(1 + x), x = (v1 - v0) / v0, takes
    over (Gregory's coefficients).
    """
    x = f"(({v1} - {v0}) / {v0})"
    series = f"{v0} * (1 + {x} * (1.0 / 2 - {x} * (1.0 / 12 - {x} * (1.0 / 24 - {x} * 19 / 720))))"
    return f"(CASE WHEN abs({x}) < 0.001 THEN {series} ELSE ({v1} - {v0}) / ln({v1} / {v0}) END)"


# Effects of one good, a = p1 q0 and b = p0 q1 (so a - v0 = q0 (p1 - p0), b - v0 = p0 (q1 - q0)).
PRICE = {
    "bennet": "0.5 * ((a - v0) + (v1 - b))",
    "laspeyres": "a - v0",
    "paasche": "v1 - b",
    "montgomery": f"{log_mean('v0', 'v1')} * ln(a / v0)",
}
VOLUME = {
    "bennet": "0.5 * ((v1 - a) + (b - v0))",
    "laspeyres": "v1 - a",
    "paasche": "b - v0",
    "montgomery": f"{log_mean('v0', 'v1')} * ln(q1 / q0)",
}


@cache
def text(name: str) -> str:
    """Return the SQL text of a measure with its slots open."""
    return files("tradeflows.measure").joinpath(f"{name}.sql").read_text("utf-8")


def quoted(*texts: str) -> str:
    """Return texts as SQL writes them, with commas between."""
    return ", ".join("'" + text.replace("'", "''") + "'" for text in texts)
