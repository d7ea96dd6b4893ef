"""What must hold of every page: nothing is fetched or cut, links lead somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from tradeflows.report.page import tree

WHOLE = "tradeflows.html"  # the whole report as one file to pass on
PAGE_BYTES = 300_000
WHOLE_BYTES = 2_000_000
_CUT = 50  # characters: longer words in a frame that is shown as it is are cut
_LOADS = ("src", "srcset", "data", "poster", "href", "xlink:href")  # but for links of a reader
_CSS_LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:)[^)]*\)", re.IGNORECASE)


def problems(files: Mapping[str, bytes]) -> list[str]:
    """Return what is wrong with a set of pages; nothing if all is well."""
    pages = {name: tree(data.decode()) for name, data in files.items() if name.endswith(".html")}
    ids = {name: [str(tag["id"]) for tag in page.find_all(id=True)] for name, page in pages.items()}
    places = {name: set(ids.get(name, ())) for name in files}
    out = []
    for name, page in pages.items():
        wrong = [*_fetched(page), *_incomplete(page, ids[name]), *_lost(name, page, places)]
        size, limit = len(files[name]), WHOLE_BYTES if name == WHOLE else PAGE_BYTES
        if size > limit:
            wrong.append(f"{size / 1000:,.0f} kB, more than {limit / 1000:,.0f} kB")
        out += [f"{name}: {w}" for w in dict.fromkeys(wrong)]
    return out


def _fetched(page: Any) -> Iterator[str]:
    """Name what a page would fetch or run."""
    for tag in page.find_all(lambda tag: tag.name != "a"):
        targets = [tag[name] for name in _LOADS if name in tag.attrs]
        yield from (
            f"<{tag.name}> fetches {t}" for t in targets if not t.startswith(("data:", "#"))
        )
    yield from ("a script: pages must work without" for _ in page.find_all("script"))
    yield from (f"a style fetches: {t['style'][:60]}" for t in page.find_all(style=_CSS_LOADS))
    sheets = (sheet.get_text() for sheet in page.find_all("style"))
    yield from ("a stylesheet fetches something" for text in sheets if _CSS_LOADS.search(text))


def _incomplete(page: Any, ids: list[str]) -> Iterator[str]:
    """Name pictures without words, tables that pandas cut, ids and landmarks that stand twice."""
    if any(not image.get("alt") for image in page.find_all("img")):
        yield "an image without alt text: finish it with tf.plot"
    for text in (cell.get_text() for cell in page.select("td, th")):
        if len(text) == _CUT and text.endswith("..."):
            yield f"a cell of a table is cut by pandas, use .style: {text}"
    regions = [tag.get("aria-label", "") for tag in page.select("nav, [role=region]")]
    for what, names in (("ids", ids), ("names of landmarks", regions)):
        if twice := sorted(name for name, many in Counter(names).items() if many > 1):
            yield f"{what} used twice: {', '.join(twice[:5])}"


def _lost(name: str, page: Any, places: Mapping[str, set[str]]) -> Iterator[str]:
    """Name links that lead nowhere."""
    for link in (str(a["href"]) for a in page.find_all("a", href=True)):
        file, _, part = map(unquote, link.partition("#"))
        if re.match(r"(?:https?|mailto|data):", link):
            continue
        if (file or name) not in places:
            yield f"link to {link}: no such file"
        elif part and (file or name).endswith(".html") and part not in places[file or name]:
            near = [i for i in places[file or name] if i.lower() == part.lower()]
            yield f"link to {link}: no such place{f'; there is #{near[0]}' if near else ''}"
