"""What must hold of every page: nothing is fetched or cut, links lead somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from tradeflows.report import whole
from tradeflows.report.page import tree

__all__ = ["problems"]

PAGE_BYTES = 300_000
WHOLE_BYTES = 2_000_000
_CUT = 50  # characters: longer words in a frame that is shown as it is are cut
_LOADS = ("src", "srcset", "data", "poster", "href", "xlink:href")  # but for links of a reader
_CSS_LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:)[^)]*\)", re.IGNORECASE)


def problems(files: Mapping[str, bytes]) -> list[str]:
    """Return what is wrong with a set of pages; nothing if all is well."""
    pages = {name: tree(data.decode()) for name, data in files.items() if name.endswith(".html")}
    ids = {name: [str(tag["id"]) for tag in page.find_all(id=True)] for name, page in pages.items()}
    out = []
    for name, page in pages.items():
        wrong = [*_fetched(page), *_incomplete(page), *_twice(page, ids[name])]
        wrong += [*_lost(name, page, ids, files), *_size(name, files[name])]
        out += [f"{name}: {w}" for w in dict.fromkeys(wrong)]
    return out


def _fetched(page: Any) -> list[str]:
    """Return what a page would fetch or run."""
    wrong = []
    for tag in page.find_all(lambda tag: tag.name != "a"):
        targets = [tag[name] for name in _LOADS if name in tag.attrs]
        wrong += [f"<{tag.name}> fetches {t}" for t in targets if not t.startswith(("data:", "#"))]
    wrong += ["a script: pages must work without" for _ in page.find_all("script")]
    styled = [str(tag["style"]) for tag in page.find_all(style=_CSS_LOADS)]
    wrong += [f"a style fetches: {style[:60]}" for style in styled]
    sheets = [sheet for sheet in page.find_all("style") if _CSS_LOADS.search(sheet.get_text())]
    return wrong + ["a stylesheet fetches something"] * bool(sheets)


def _incomplete(page: Any) -> list[str]:
    """Return pictures without words, and tables that pandas cut."""
    wrong = []
    if any(not image.get("alt") for image in page.find_all("img")):
        wrong.append("an image without alt text: finish it with tf.plot")
    cells = [cell.get_text() for cell in page.select("td, th")]
    cut = [text for text in cells if len(text) == _CUT and text.endswith("...")]
    wrong += [f"a cell of a table is cut by pandas, use .style: {text}" for text in cut]
    return wrong


def _twice(page: Any, ids: list[str]) -> list[str]:
    """Return ids and names of landmarks that stand twice."""
    regions = page.select("nav, [role=region]")
    named = {"ids": ids, "names of landmarks": [r.get("aria-label", "") for r in regions]}
    twice = {what: [n for n, k in Counter(names).items() if k > 1] for what, names in named.items()}
    return [f"{what} used twice: {', '.join(sorted(n)[:5])}" for what, n in twice.items() if n]


def _size(name: str, data: bytes) -> list[str]:
    size, limit = len(data), WHOLE_BYTES if name == whole.FILE else PAGE_BYTES
    return [f"{size / 1000:,.0f} kB, more than {limit / 1000:,.0f} kB"] if size > limit else []


def _lost(
    name: str, page: Any, ids: Mapping[str, list[str]], files: Mapping[str, bytes]
) -> list[str]:
    """Return links that lead nowhere."""
    wrong = []
    for link in (str(a["href"]) for a in page.find_all("a", href=True)):
        if re.match(r"(?:https?|mailto|data):", link):
            continue
        file, _, part = link.partition("#")
        target = unquote(file) or name
        if target not in files:
            wrong.append(f"link to {link}: no such file")
        elif part and target in ids and unquote(part) not in ids[target]:
            near = [i for i in ids[target] if i.lower() == unquote(part).lower()]
            hint = f"; there is #{near[0]}" if near else ""
            wrong.append(f"link to {link}: no such place{hint}")
    return wrong
