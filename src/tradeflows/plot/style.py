"""One look for every chart: colours by meaning, text sizes, and SVG that can stand in any page."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from typing import Any, Final, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

INK: Final = "#000000"  # becomes currentColor, so that one SVG serves light and dark pages
GREY: Final = "#7d8590"
COLOUR: Final = {
    "value": "#8a6fd1",
    "total": "#8a6fd1",
    "price": "#d9612b",
    "volume": "#1c8a8a",
    "other": "#3b82c4",
    "expected": "#3b82c4",
    "plain": "#7d8590",
    "warm": "#b8568f",
    "earth": "#94793a",
    "rest": "#8b949e",
    "entry": "#8b949e",
    "exit": "#8b949e",
    "unpriced": "#8b949e",
    "unknown": "#b6bec8",
    "faint": "#e6a888",
}
# colour is never alone: a dash for lines, a hatch for areas
HATCH: Final = {"entry": "////", "exit": "\\\\\\\\", "unpriced": "xxx", "unknown": "...."}
DASH: Final[dict[str, Any]] = {
    "price": (0, (5, 1.6)),
    "volume": (0, (1.4, 1.2)),
    "expected": (0, (4, 1.5)),
    "plain": (0, (6, 1.5, 1.2, 1.5)),
    "warm": (0, (3, 1.2)),
    "earth": (0, (8, 2)),
}
_MEANING: Final = (("unpriced", "unpriced"), ("price", "price"), ("unit value", "price"),
                   ("volume", "volume"), ("value", "value"))  # fmt: skip
_CYCLE: Final = ("other", "plain", "warm", "earth", "price", "volume")

WIDTH: Final = 4.9  # inches: so wide, ten points are ten pixels on a phone
TEXT: Final = 10.0  # points: no text is smaller
PHONE: Final = 355  # points of width that a phone of 390 pixels shows with text of ten pixels

STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is no formula
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.color": INK,
    "hatch.linewidth": 0.6,
}


@contextmanager
def drawing(height: float = 1.0) -> Iterator[tuple[Canvas, Axes]]:
    """Draw on a new figure of some inches and its axes."""
    with rc_context(STYLE):
        canvas = Canvas(figsize=(WIDTH, height), layout="constrained")
        ax = canvas.subplots()
        dressed(canvas)
        yield canvas, ax


def dressed(canvas: Canvas) -> None:
    """Give the axes of anybody this look: no boxes, no ticks, nothing behind."""
    canvas.set_facecolor("none")
    for ax in canvas.axes:
        ax.set_frame_on(False)
        ax.tick_params(which="both", length=0)
        ax.set_axisbelow(True)


def ruled(ax: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Draw faint lines across axes."""
    ax.grid(axis=axis, color=INK, alpha=0.16, linewidth=0.7)


def colours(*kinds: str) -> list[str]:
    """Return the colours of meanings, for pandas' and matplotlib's ``color=``.

    Parameters
    ----------
    *kinds : str
        ``value``, ``total``, ``price``, ``volume``, ``rest``, ``unknown``, ``entry``, ``exit``,
        ``unpriced``, and for what has no meaning of its own ``other``, ``plain``, ``warm``,
        ``earth``.

    Examples
    --------
    >>> colours("price", "volume")
    ['#d9612b', '#1c8a8a']
    """
    if unknown := [kind for kind in kinds if kind not in COLOUR]:
        raise ValueError(f"colours of {unknown}: expected some of {', '.join(COLOUR)}")
    return [COLOUR[kind] for kind in kinds]


def kinds_of(names: Sequence[str], alone: str = "other") -> dict[str, str]:
    """Return what each column means, and so its colour, guessed from its name."""
    out: dict[str, str] = {}
    for name in names:
        guess = [kind for word, kind in _MEANING if word in name.lower()][:1]
        usual = [alone] if len(names) == 1 else _CYCLE
        free = [kind for kind in (*guess, *usual) if kind not in out.values()]
        out[name] = (free or _CYCLE)[0]
    return out


def wrapped(text: str, letters: int) -> str:
    """Break text into lines, where words allow."""
    parts = (" ".join(part.split()) for part in text.split("\n"))
    return "\n".join(textwrap.fill(part, letters, break_long_words=False) for part in parts)


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Move label centres so that none overlaps; all stay between low and high if they fit."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    out = [0.0] * len(wanted)
    for below, i in zip([None, *order], order, strict=False):
        out[i] = max(wanted[i], low, low if below is None else out[below] + apart)
    for above, i in zip([None, *order[::-1]], order[::-1], strict=False):
        out[i] = min(out[i], high if above is None else out[above] - apart)
    return out


def marked(canvas: Canvas, ax: Axes, marks: Sequence[tuple[float, str]]) -> None:
    """Draw vertical lines and name them above the axes, on as many levels as their words need."""
    if not marks:
        return
    for x, _ in marks:
        ax.axvline(x, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.7)
    canvas.draw_without_rendering()
    free = [-np.inf] * len(marks)
    for x, words in sorted(marks):
        at = ax.transData.transform((x, ax.get_ylim()[0]))[0]
        half = len(words) * 0.084 * canvas.dpi / 2 + 4  # of letters wider than most
        shift = max(0.0, half - at) - max(0.0, at + half - canvas.bbox.x1)
        level = next(i for i, end in enumerate(free) if at + shift - half > end)
        free[level] = at + shift + half
        ax.annotate(
            words, (x, 1), (shift * 72 / canvas.dpi, 4 + 14 * level), ha="center",
            xycoords=("data", "axes fraction"), textcoords="offset points", annotation_clip=False,
        )  # fmt: skip


_CLEANED = (
    ("<svg ", '<svg fill="currentColor" '),
    (r"\s*<metadata>.*?</metadata>|<!--.*?-->\s*", ""),
    (r"\s*<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", ""),
    (r' xmlns:xlink="[^"]*"| id="[a-zA-Z0-9.]+_\d+"', ""),  # ids that nothing refers to
    ("xlink:href", "href"),
    (INK, "currentColor"),
    ("#ffffff", "var(--bg,#fff)"),  # what is hollow shows the page
    (r"'DejaVu Sans'(?:, ?[^;\"]*)?", "system-ui,'DejaVu Sans',sans-serif"),
    (r"(?<=[\s\"(-])(\d+\.\d\d)\d+(?=[^<>]*>)", r"\1"),  # in tags alone: words keep their digits
    (r">\s+<", "><"),
)


def svg(canvas: Canvas, name: str, alt: str) -> str:
    """Write a chart as SVG: the same bytes for the same chart, ids of its own, text as text.

    Black becomes the colour of the text around it. It is as wide as its text reads well, and asks
    for room, by which a page scrolls it, where a phone would make it too small.
    """
    raw = io.StringIO()
    with rc_context({**STYLE, "svg.hashsalt": name}):
        canvas.savefig(
            raw, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.03
        )
    text = raw.getvalue()
    for found, instead in _CLEANED:
        text = re.sub(found, instead, text, flags=re.DOTALL)
    opening, rest = text[text.index("<svg") :].strip().split(">", 1)
    wide = float(re.findall(r' width="([\d.]+)pt"', opening)[0])
    style = f"width:100%;max-width:{wide * 5 / 3:.0f}px;height:auto"
    style += f";min-width:{wide:.0f}px" * (wide > PHONE)
    size = re.sub(r' (?:width|height)="[\d.]+pt"', "", opening)
    return f'{size} role="img" aria-label="{escape(alt)}" style="{style}">{rest}'
