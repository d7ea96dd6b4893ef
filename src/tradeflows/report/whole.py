"""The whole report as one file to pass on: ids made unique, links between pages turned inward."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tradeflows.report.page import Page, told_apart

__all__ = ["FILE", "chapters", "merged"]

FILE = "tradeflows.html"
_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_OWN = re.compile(r' (id|for|aria-labelledby|aria-describedby)="([^"]+)"')
_HREF = re.compile(r' href="([^"#:]*)(?:#([^"]*))?"')
_URL = re.compile(r"url\(#([^)]+)\)")
_PICTURE = re.compile(r' <span class="also">.*?</a></span>')  # a file beside the page, not in it


def chapters(pages: Sequence[Page]) -> list[Page]:
    """Return the pages as chapters of one file."""
    known = {p.file: p.file.removesuffix(".html") for p in pages}
    out = []
    for page in pages:
        stem = known[page.file]
        alone = _PICTURE.sub("", page.body)
        body = _TAG.sub(lambda tag: _inward(tag[0], stem, known), alone)  # noqa: B023
        contents = tuple((f"{stem}--{slug}", words) for slug, words in page.contents)
        out.append(replace(page, file=f"#{stem}", body=body, contents=contents))
    return out


def merged(pages: Sequence[Page]) -> str:
    """Return the bodies of all chapters, one after the other."""
    return told_apart(
        "\n".join(
            f'<article class="chapter" id="{p.file.removeprefix("#")}">\n{p.body}\n</article>'
            for p in pages
        )
    )


def _inward(tag: str, stem: str, known: dict[str, str]) -> str:
    tag = _OWN.sub(lambda m: f' {m[1]}="{stem}--{m[2]}"', tag)
    tag = _URL.sub(lambda m: f"url(#{stem}--{m[1]})", tag)

    def link(found: re.Match[str]) -> str:
        file, part = found[1], found[2]
        if file and file not in known:
            return found[0]
        chapter = known[file] if file else stem
        return f' href="#{chapter}--{part}"' if part else f' href="#{chapter}"'

    return _HREF.sub(link, tag)
