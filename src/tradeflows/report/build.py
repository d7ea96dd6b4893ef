"""From notebooks to checked pages: run, render, check, and only then replace the old ones."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tradeflows import __version__
from tradeflows.claims.rules import rules
from tradeflows.errors import SourceUnavailable, TradeflowsError
from tradeflows.report import check, page, runner, trace
from tradeflows.sources import stored
from tradeflows.store import catalogue


def build(notebooks: Path, out: Path) -> None:
    """Run every notebook, those that read what others state last, and write the checked pages."""
    found = sorted(p for p in notebooks.glob("*.ipynb") if not p.name.startswith("."))
    if not found:
        raise TradeflowsError(
            f"no notebooks in {notebooks}", "at least one .ipynb", "name the folder: --notebooks"
        )
    if out.resolve().name == "reports" and stored.is_generated():
        raise SourceUnavailable(
            "the data folder holds generated trade",
            f"trade as published, for pages in {out}",
            "build into another folder: tradeflows report --reports trial",
        )
    names = {p.stem: page.file_of(p.stem, found[0].stem) for p in found}
    last = [p for p in found if runner.about(p).get("reads") == "statements"]
    done = runner.run([p for p in found if p not in last])
    runner.pass_on({names[stem]: nb for stem, nb in done.items()})
    done |= runner.run(last)
    files = _files({stem: done[stem] for stem in names}, names)
    if wrong := check.problems(files):
        raise TradeflowsError(
            "pages that break a rule:\n" + "\n".join(wrong[:20]),
            "pages that fetch nothing, with whole tables and working links",
            "mend the notebook named; the pages of the last build are untouched",
        )
    _publish(out, files)


def _files(executed: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, bytes]:
    """Return every file of the report: pages, tables, pictures."""
    raw = stored.released(catalogue(), os.environ.get("AS_OF"))
    anchors = {r.id: page.anchor(r.id) for r in raw}
    pages = [page.render(nb, stem, names, anchors) for stem, nb in executed.items()]
    framed = _framed([*pages, page.sources(raw, page.errata())])
    return framed | trace.files(pages, raw, framed)


def _framed(pages: Sequence[page.Page]) -> dict[str, bytes]:
    """Put every page, and all of them together, into the frame."""
    frame = page.template("page.j2")
    common = {"rules": rules(), "version": __version__, "made_up": stored.is_generated()}
    around = [None, *pages, None]
    out = {
        p.file: frame.render(
            common, page=p, pages=pages, body=p.body, whole=check.WHOLE, home="index.html",
            sources=page.SOURCES, errata=f"{page.SOURCES}#errata",
            before=around[n], after=around[n + 2],
        )
        for n, p in enumerate(pages)
    }  # fmt: skip
    chapters = {p.file: p.file.removesuffix(".html") for p in pages}
    parts = [_chapter(p, chapters) for p in pages]
    merged = page.tree("\n".join(p.body for p in parts))
    page.told_apart(merged)
    out[check.WHOLE] = frame.render(
        common, page=replace(parts[0], contents=()), pages=parts, body=str(merged),
        home=parts[0].file, sources=parts[-1].file, errata=f"{parts[-1].file}--errata",
    )  # fmt: skip
    return {name: (text.rstrip() + "\n").encode() for name, text in out.items()}


def _publish(out: Path, files: Mapping[str, bytes]) -> None:
    """Write everything beside its place, then move it there, the index last; old files go."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        old = set(json.loads((out / trace.PACKAGE).read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError):
        old = set()
    with tempfile.TemporaryDirectory(prefix=".new-", dir=out) as staged:
        for folder in (Path(staged), out):
            (folder / trace.PACKAGE).parent.mkdir(exist_ok=True)
        for name, data in files.items():
            (Path(staged) / name).write_bytes(data)
        for name in sorted(files, key=lambda n: n == "index.html"):
            (Path(staged) / name).replace(out / name)
    for name in old - set(files):
        if (out / name).resolve().is_relative_to(out.resolve()):
            (out / name).unlink(missing_ok=True)


def _chapter(one: page.Page, chapters: Mapping[str, str]) -> page.Page:
    """Return a page as a chapter of the one file: its ids unique, its links turned inward."""
    stem = chapters[one.file]
    body = page.tree(f'<article class="chapter" id="{stem}">\n{one.body}\n</article>')
    for beside in body.select(".also"):  # a file beside the page, not in it
        beside.decompose()
    for tag in body.select("article.chapter *"):
        for name, value in tag.attrs.items():
            if name == "id":
                tag[name] = f"{stem}--{value}"
            elif name == "href":
                file, _, part = str(value).partition("#")
                if not file or file in chapters:
                    tag[name] = f"#{chapters.get(file, stem)}{f'--{part}' if part else ''}"
            elif "url(#" in value:
                tag[name] = str(value).replace("url(#", f"url(#{stem}--")
    contents = tuple((f"{stem}--{slug}", words) for slug, words in one.contents)
    return replace(one, file=f"#{stem}", body=str(body), contents=contents)
