"""One style: palette, page sizes, text measured in points, and SVG that can be inlined anywhere."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

INK: Final = "#0a0b0c"  # becomes currentColor, so that one SVG serves light and dark pages
PALETTE: Final = {
    "value": "#8a6fd1",
    "price": "#d9612b",
    "volume": "#1c8a8a",
    "other": "#3b82c4",
    "entry": "#8b949e",
    "exit": "#8b949e",
    "unpriced": "#8b949e",
    "total": "#8a6fd1",
    "plain": "#7d8590",
    "warm": "#b8568f",
    "earth": "#94793a",
}
# colour is never alone: a dash for lines, a marker for ends, a hatch for areas
HATCH: Final = {"entry": "////", "exit": "\\\\\\\\", "unpriced": "xxx", "plain": "////"}
DASH: Final[dict[str, Any]] = {
    "price": (0, (5, 1.6)),
    "volume": (0, (1.4, 1.2)),
    "plain": (0, (6, 1.5, 1.2, 1.5)),
    "warm": (0, (3, 1.2)),
    "earth": (0, (8, 2)),
}
MARKER: Final = {"price": "s", "volume": "^", "other": "D", "plain": "v", "warm": "P", "earth": "X"}
# "unit value" before "value": it is a price
_MEANING: Final = (
    ("unpriced", "unpriced"),
    ("price", "price"),
    ("unit value", "price"),
    ("volume", "volume"),
    ("value", "value"),
)
CYCLE: Final = ("other", "plain", "warm", "earth")

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "tradeflows",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.color": INK,
    "hatch.linewidth": 0.6,
    "grid.color": INK,
    "grid.alpha": 0.16,
    "grid.linewidth": 0.7,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.spines.bottom": False,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}


@dataclass(frozen=True)
class Page:
    """The paper a chart is drawn on: its width and height in points and the size of its text."""

    width: float
    height: float
    size: float
    narrow: bool

    def axes(self, left: float, right: float, top: float, bottom: float, height: float) -> Axes:
        """Return axes on a new canvas, all margins in points."""
        canvas = Canvas(figsize=(self.width / 72, height / 72))
        box = (
            left / self.width,
            bottom / height,
            (self.width - left - right) / self.width,
            (height - top - bottom) / height,
        )
        return canvas.add_axes(box)

    def wrap(self, text: str, points: float) -> str:
        """Break text into lines no wider than `points`, where words allow."""
        letters = max(8, int(points / (self.size * 0.58)))
        return "\n".join(textwrap.wrap(text, letters, break_long_words=False)) or text


WIDE: Final = Page(518, 285, 10, narrow=False)
NARROW: Final = Page(281, 270, 10, narrow=True)

Draw = Callable[[Page], Canvas]


def canvas_of(axes: Axes) -> Canvas:
    """Return the canvas that holds the axes."""
    canvas = axes.get_figure(root=True)
    assert isinstance(canvas, Canvas)  # noqa: S101 - axes made by Page.axes always have one
    return canvas


@lru_cache(maxsize=2)
def _font(bold: bool) -> Any:
    chosen = font_manager.FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return font_manager.get_font(font_manager.findfont(chosen))


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of the widest line in points, in a font wider than most browsers' own.

    Parameters
    ----------
    text : str
    size : float
    bold : bool

    Returns
    -------
    float

    Examples
    --------
    >>> text_width("mm", 10) > text_width("ii", 10)
    True
    """
    font = _font(bold)
    font.set_size(size, 72)
    widest = 0.0
    for line in text.split("\n"):
        font.set_text(line)
        widest = max(widest, font.get_width_height()[0] / 64)
    return widest


def spread(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> list[float]:
    """Move label centres apart so that none overlaps and all stay between low and high.

    Parameters
    ----------
    wanted : sequence of float
        Where each centre would like to be.
    heights : sequence of float
        Height of each label.
    low, high : float
        Ends of the space; labels that need more start at `low` and run over `high`.

    Returns
    -------
    list of float

    Examples
    --------
    >>> spread([10, 11], [6, 6], 0, 100)
    [7.5, 13.5]
    >>> spread([1, 50], [6, 6], 0, 100)
    [3.0, 50.0]
    """
    groups: list[tuple[list[int], float]] = []  # members in order, centre of the group
    for i in sorted(range(len(wanted)), key=lambda k: wanted[k]):
        members, centre = [i], _inside(wanted[i], heights[i], low, high)
        while groups and _end(groups[-1], heights) > centre - _tall(members, heights) / 2:
            members = groups.pop()[0] + members
            middle = sum(wanted[k] - _offset(members, k, heights) for k in members) / len(members)
            centre = _inside(middle, _tall(members, heights), low, high)
        groups.append((members, centre))
    out = [0.0] * len(wanted)
    for members, centre in groups:
        for k in members:
            out[k] = centre + _offset(members, k, heights)
    return out


def _tall(members: Sequence[int], heights: Sequence[float]) -> float:
    return sum(heights[k] for k in members)


def _end(group: tuple[list[int], float], heights: Sequence[float]) -> float:
    return group[1] + _tall(group[0], heights) / 2


def _offset(members: list[int], k: int, heights: Sequence[float]) -> float:
    """Return how far the centre of member k lies from the centre of its group."""
    before = sum(heights[j] for j in members[: members.index(k)])
    return before + heights[k] / 2 - _tall(members, heights) / 2


def _inside(centre: float, tall: float, low: float, high: float) -> float:
    return max(low + tall / 2, min(centre, high - tall / 2))


def kinds_of(names: Sequence[str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Return what each column means, and so its colour, dash and marker.

    Parameters
    ----------
    names : sequence of str
    given : mapping or None
        Column to word of the palette; columns not named are guessed from their own name.

    Returns
    -------
    dict

    Examples
    --------
    >>> kinds_of(["unit value", "value", "gas", "coal"], None)
    {'unit value': 'price', 'value': 'value', 'gas': 'other', 'coal': 'plain'}
    """
    out: dict[str, str] = {}
    rest = iter(CYCLE * (1 + len(names) // len(CYCLE)))
    for name in names:
        words = name.lower()
        guess = next((kind for word, kind in _MEANING if word in words), None)
        taken = guess in out.values()
        out[name] = (given or {}).get(name) or (guess if guess and not taken else next(rest))
    return out


_ID = re.compile(r' id="([^"]+)"')
_REFERENCE = re.compile(r"""(?:url\(#|href="#)([^)"]+)""")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_TAG = re.compile(r"<[^>]*>")


def _short(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def svg(draw: Draw, page: Page, prefix: str) -> str:
    """Draw a chart as an SVG whose ids all begin with `prefix`.

    Parameters
    ----------
    draw : callable
        Takes a `Page` and returns a matplotlib figure.
    page : Page
    prefix : str
        Unique on the page that will hold the chart.

    Returns
    -------
    str
        The same bytes for the same input; text stays text, ink follows the page's colour.
    """
    raw = io.StringIO()
    with rc_context(STYLE):
        draw(page).savefig(raw, format="svg", metadata={"Date": None})
    text = raw.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", "", text)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = text.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    text = text.replace("xlink:href", "href").replace(INK, "currentColor")
    text = text.replace("'DejaVu Sans'", "system-ui,'DejaVu Sans',sans-serif")
    text = _TAG.sub(lambda tag: _NUMBER.sub(_short, tag[0]), text)  # words keep their digits
    return _with_ids(re.sub(r">\s+<", "><", text), prefix)


def _with_ids(text: str, prefix: str) -> str:
    """Keep only the ids that something refers to, short and under the prefix."""
    used = dict.fromkeys(_REFERENCE.findall(text))
    short = {old: f"{prefix}-{n}" for n, old in enumerate(used, 1)}
    text = _ID.sub(lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", text)
    return _REFERENCE.sub(lambda m: m[0].replace(m[1], short[m[1]]), text)
