"""The whole report as one file to pass on: ids made unique, links between pages turned inward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tradeflows.report.page import Page, told_apart, tree

__all__ = ["FILE", "chapters", "merged"]

FILE = "tradeflows.html"


def chapters(pages: Sequence[Page]) -> list[Page]:
    """Return the pages as chapters of one file."""
    known = {p.file: p.file.removesuffix(".html") for p in pages}
    return [_chapter(page, known) for page in pages]


def merged(pages: Sequence[Page]) -> str:
    """Return the bodies of all chapters, one after the other."""
    whole = tree(
        "\n".join(
            f'<article class="chapter" id="{p.file.removeprefix("#")}">\n{p.body}\n</article>'
            for p in pages
        )
    )
    told_apart(whole)
    return str(whole)


def _chapter(page: Page, known: dict[str, str]) -> Page:
    stem, body = known[page.file], tree(page.body)
    for beside in body.select(".also"):  # a file beside the page, not in it
        beside.decompose()
    for tag in body.find_all(True):
        for name, value in tag.attrs.items():
            if name == "id":
                tag[name] = f"{stem}--{value}"
            elif name == "href":
                tag[name] = _inward(value, stem, known)
            elif "url(#" in value:
                tag[name] = str(value).replace("url(#", f"url(#{stem}--")
    contents = tuple((f"{stem}--{slug}", words) for slug, words in page.contents)
    return replace(page, file=f"#{stem}", body=str(body), contents=contents)


def _inward(link: Any, stem: str, known: dict[str, str]) -> str:
    """Turn a link to a page, or to a place of one, into a link within the file."""
    file, _, part = link.partition("#")
    if file and file not in known:
        return str(link)
    chapter = known[file] if file else stem
    return f"#{chapter}--{part}" if part else f"#{chapter}"
