"""What must hold of every page: nothing is fetched, figures are whole, links lead somewhere."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

__all__ = ["folder", "problems"]

PAGE_BYTES = 400_000
WHOLE_BYTES = 2_000_000
WHOLE = "tradeflows.html"
_LOADS = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src",
    "audio": "src", "embed": "src", "object": "data", "link": "href", "image": "href",
    "use": "href", "track": "src", "input": "src",
}  # fmt: skip
_CSS_LOADS = re.compile(r"@import|url\(\s*['\"]?(?!#|data:)[^)]*\)", re.IGNORECASE)
_VOID = {"img", "br", "hr", "meta", "link", "input", "source", "col", "embed", "track", "wbr"}


@dataclass
class _Figure:
    """What was seen of a figure so far."""

    name: str
    label: bool = False
    caption: str = ""
    csv: bool = False
    table: bool = False


@dataclass
class _Seen(HTMLParser):
    """One page, read once."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    figures: list[_Figure] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    landmarks: list[str] = field(default_factory=list)
    has: set[str] = field(default_factory=set)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag is, loads and links to."""
        given = {k: v or "" for k, v in attrs}
        if tag not in _VOID:
            self.open.append(tag)
        self.has.add(tag if tag != "meta" else f"meta {given.get('name', '')}")
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "nav" or given.get("role") == "region":
            self.landmarks.append(given.get("aria-label", ""))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self._loads(tag, given)
        self._figure(tag, given)

    def _loads(self, tag: str, given: dict[str, str]) -> None:
        target = given.get(_LOADS.get(tag, ""), given.get("xlink:href", ""))
        if tag in _LOADS and target and not target.startswith(("data:", "#")):
            self.wrong.append(f"<{tag}> fetches {target}")
        if tag == "script":
            self.wrong.append("a script: pages must work without")
        if tag == "img" and not given.get("alt"):
            self.wrong.append("an image without alt text: finish it with tf.plot")
        if _CSS_LOADS.search(given.get("style", "")):
            self.wrong.append(f"a style fetches: {given['style'][:60]}")

    def _figure(self, tag: str, given: dict[str, str]) -> None:
        if tag == "figure":
            self.figures.append(_Figure(given.get("id", "")))
            if not given.get("id"):
                self.wrong.append("a figure without id")
        if "figure" not in self.open or not self.figures:
            return
        figure = self.figures[-1]
        if tag == "svg" and given.get("role") == "img" and given.get("aria-label", "").strip():
            figure.label = True
        if tag == "a" and "download" in given and given.get("href", "").startswith("data:text/csv"):
            figure.csv = True
        if tag == "table" and "details" in self.open:
            figure.table = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Treat `<path/>` as opened and closed."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the tag and whatever was left open inside it."""
        while tag in self.open:
            if self.open.pop() == tag:
                return

    def handle_data(self, data: str) -> None:
        """Read captions and styles."""
        if "figcaption" in self.open and self.figures:
            self.figures[-1].caption += data
        if self.open and self.open[-1] == "style" and _CSS_LOADS.search(data):
            self.wrong.append("a stylesheet fetches something")


def _read(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    seen.close()
    for figure in seen.figures:
        parts = {
            "a caption": figure.caption.strip(),
            "an svg with role=img and aria-label": figure.label,
            "its data as CSV": figure.csv,
            "its table": figure.table,
        }
        lost = [what for what, there in parts.items() if not there]
        if lost:
            seen.wrong.append(f"figure {figure.name or '(no id)'} lacks {', '.join(lost)}")
    for needed in ("title", "h1", "main", "meta description", "meta viewport"):
        if needed not in seen.has:
            seen.wrong.append(f"no {needed}")
    for what, names in (("ids", seen.ids), ("names of landmarks", seen.landmarks)):
        twice = [name for name, n in Counter(names).items() if n > 1]
        if twice:
            seen.wrong.append(f"{what} used twice: {', '.join(sorted(twice)[:5])}")
    return seen


def problems(files: Mapping[str, str]) -> list[str]:
    """Return what is wrong with a set of pages; nothing if all is well."""
    pages = {name: _read(text) for name, text in files.items() if name.endswith(".html")}
    out = []
    for name, seen in pages.items():
        wrong = [*seen.wrong, *_links(name, seen, pages, files), *_size(name, files[name])]
        out += [f"{name}: {w}" for w in dict.fromkeys(wrong)]
    return out


def _size(name: str, text: str) -> list[str]:
    size, limit = len(text.encode()), WHOLE_BYTES if name == WHOLE else PAGE_BYTES
    return [f"{size / 1000:,.0f} kB, more than {limit / 1000:,.0f} kB"] if size > limit else []


def _links(
    name: str, seen: _Seen, pages: Mapping[str, _Seen], files: Mapping[str, str]
) -> list[str]:
    wrong = []
    for link in seen.links:
        if re.match(r"(?:https?|mailto|data):", link):
            continue
        file, _, part = link.partition("#")
        target = unquote(file) or name
        if target not in files:
            wrong.append(f"link to {link}: no such file")
        elif part and target in pages and unquote(part) not in pages[target].ids:
            near = [i for i in pages[target].ids if i.lower() == unquote(part).lower()]
            hint = f"; there is #{near[0]}" if near else ""
            wrong.append(f"link to {link}: no such place{hint}")
    return wrong


def folder(out: Path) -> list[str]:
    """Return what is wrong with the pages in a folder."""
    found = [p for p in sorted(out.rglob("*")) if p.is_file() and ".cache" not in p.parts]
    texts = {
        p.relative_to(out).as_posix(): p.read_text("utf-8") if p.suffix == ".html" else ""
        for p in found
    }
    return problems(texts) if texts else [f"{out}: no pages; run `make report`"]
