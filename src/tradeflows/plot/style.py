"""One look for every chart: colours by meaning, text sizes, and SVG that can stand in any page."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from cycler import cycler
from matplotlib import colors, rc_context, rcParams, rcParamsDefault
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogFormatter, LogLocator, NullFormatter

__all__ = [
    "COLOUR",
    "GREY",
    "INK",
    "STYLE",
    "WIDTH",
    "colours",
    "drawing",
    "dressed",
    "kinds_of",
    "least_text",
    "marked",
    "plain_number",
    "ratios",
    "spread",
    "svg",
    "wrapped",
]

INK: Final = "#0a0b0c"  # becomes currentColor, so that one SVG serves light and dark pages
GREY: Final = "#7d8590"
COLOUR: Final = {
    "value": "#8a6fd1",
    "total": "#8a6fd1",
    "price": "#d9612b",
    "volume": "#1c8a8a",
    "other": "#3b82c4",
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
    "plain": (0, (6, 1.5, 1.2, 1.5)),
    "warm": (0, (3, 1.2)),
    "earth": (0, (8, 2)),
}
_MEANING: Final = (("unpriced", "unpriced"), ("price", "price"), ("unit value", "price"),
                   ("volume", "volume"), ("value", "value"))  # fmt: skip
_CYCLE: Final = ("other", "plain", "warm", "earth", "price", "volume")

WIDTH: Final = 4.9  # inches: so wide, ten points are ten pixels on a phone
TEXT: Final = 10.0  # points: no text is smaller

STYLE: Final[dict[Any, Any]] = {
    "svg.hashsalt": "tradeflows",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is no formula
    "font.family": "DejaVu Sans",
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
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
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.spines.bottom": False,
    "axes.prop_cycle": cycler(color=[COLOUR[kind] for kind in _CYCLE]),
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "legend.frameon": False,
}


def drawing(height: float, width: float = WIDTH, **options: Any) -> tuple[Canvas, Any]:
    """Return a new figure of some inches and its axes; call it, and draw, under `STYLE`."""
    canvas = Canvas(figsize=(width, height), layout="constrained")
    return canvas, canvas.subplots(**options)


def plain_number(x: float, _: Any = None) -> str:
    """Write the number of a tick.

    Examples
    --------
    >>> plain_number(-1500.0), plain_number(0.30000000000000004)
    ('−1,500', '0.3')
    """
    return f"{x:,.10g}".replace("-", "−")


def ratios(axis: Axis) -> None:
    """Write the ticks of a log scale as numbers, 1, 2 and 5 of each power where there is room."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1.0,) if high > 1000 * low else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(plain_number))
    axis.set_minor_formatter(NullFormatter())


def dressed(canvas: Canvas) -> None:
    """Give a chart of anybody's this look: ink, sizes, no boxes; what has a colour keeps it."""
    default = tuple(rcParamsDefault["figure.figsize"])
    if tuple(canvas.get_size_inches()) in (default, tuple(rcParams["figure.figsize"])):
        canvas.set_size_inches(WIDTH, 3.4)
    canvas.patch.set_alpha(0)
    for ax in canvas.axes:
        ax.patch.set_alpha(0)
        for side in ("top", "right", "left", "bottom"):
            if side in ax.spines:
                ax.spines[side].set_visible(False)
        ax.tick_params(which="both", length=0)
        ax.set_axisbelow(True)
        bars = [c for c in ax.containers if isinstance(c, BarContainer)]
        lying = any(c.orientation == "horizontal" for c in bars)
        ax.grid(axis="x" if lying else "y", color=INK, alpha=0.16, linewidth=0.7)
        for axis in (ax.xaxis, ax.yaxis):
            if axis.get_scale() == "log" and isinstance(axis.get_major_formatter(), LogFormatter):
                ratios(axis)
        if legend := ax.get_legend():
            legend.set_frame_on(False)
    for artist in canvas.findobj():
        _inked(artist)
    if canvas.get_layout_engine() is None:
        canvas.set_layout_engine("constrained")


def _inked(artist: Any) -> None:
    if isinstance(artist, Text):
        artist.set_fontsize(max(float(artist.get_fontsize()), TEXT))
        artist.set_fontfamily("DejaVu Sans")
        if colors.to_hex(artist.get_color()) == "#000000":
            artist.set_color(INK)
    elif isinstance(artist, Line2D) and colors.to_hex(artist.get_color()) == "#000000":
        artist.set_color(INK)


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


def kinds_of(names: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what each column means, and so its colour: as given, or guessed from its name.

    Examples
    --------
    >>> kinds_of(["unit value", "value", "gas", "coal"])
    {'unit value': 'price', 'value': 'value', 'gas': 'other', 'coal': 'plain'}
    """
    out: dict[str, str] = {}
    for name in names:
        guess = next((kind for word, kind in _MEANING if word in name.lower()), None)
        free = [kind for kind in (*([guess] if guess else []), *_CYCLE) if kind not in out.values()]
        out[name] = (given or {}).get(name) or (free or _CYCLE)[0]
    return out


def wrapped(text: str, letters: int) -> str:
    """Break text into lines, where words allow."""
    parts = (" ".join(part.split()) for part in text.split("\n"))
    return "\n".join(textwrap.fill(part, letters, break_long_words=False) for part in parts)


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Move label centres so that none overlaps; all stay between low and high if they fit.

    Examples
    --------
    >>> spread([10, 11, 50], 6, 0, 52)
    [10, 16, 50]
    """
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
        ax.axvline(x, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.7, gid="mark")
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


def least_text(canvas: Canvas) -> float:
    """Return the size of the smallest text that is seen, in points."""
    texts = [t for t in canvas.findobj(Text) if isinstance(t, Text) and t.get_text().strip()]
    return min((float(t.get_fontsize()) for t in texts if t.get_visible()), default=TEXT)


_ID = re.compile(r' id="([^"]+)"')
_REFERENCE = re.compile(r"""(?:url\(#|href="#)([^)"]+)""")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_TAG = re.compile(r"<[^>]*>")


def _short(found: re.Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


def svg(canvas: Canvas, prefix: str) -> str:
    """Write a chart as SVG: the same bytes for the same chart, ids under a prefix, text as text.

    Ink becomes the colour of the page around it.
    """
    raw = io.StringIO()
    with rc_context(STYLE):
        canvas.savefig(
            raw, format="svg", metadata={"Date": None}, bbox_inches="tight", pad_inches=0.03
        )
    text = raw.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*<defs>\s*<style type=\"text/css\">.*?</style>\s*</defs>", "", text)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    text = text.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    text = text.replace("xlink:href", "href").replace(INK, "currentColor")
    text = re.sub(r"'DejaVu Sans'(?:, ?[^;\"]*)?", "system-ui,'DejaVu Sans',sans-serif", text)
    text = _TAG.sub(lambda tag: _NUMBER.sub(_short, tag[0]), text)  # words keep their digits
    return _with_ids(re.sub(r">\s+<", "><", text), prefix)


def _with_ids(text: str, prefix: str) -> str:
    """Keep only the ids that something refers to, short and under the prefix."""
    used = dict.fromkeys(_REFERENCE.findall(text))
    short = {old: f"{prefix}-{n}" for n, old in enumerate(used, 1)}
    text = _ID.sub(lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", text)
    return _REFERENCE.sub(lambda m: m[0].replace(m[1], short[m[1]]), text)
