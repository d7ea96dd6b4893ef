"""From notebooks to checked pages: run what changed, render, check, and only then replace."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradeflows.errors import SourceUnavailable, TradeflowsError
from tradeflows.report import keys

if TYPE_CHECKING:
    from tradeflows.report.page import Page

__all__ = ["Built", "build", "needed"]

CACHE = ".cache"
BUILT = "built.json"
NEEDED = ("nbconvert", "nbclient", "ipykernel", "latex2mathml", "jinja2")  # the extra `report`


@dataclass(frozen=True)
class Built:
    """What a build did: the notebooks it executed, and whether it wrote pages."""

    ran: tuple[str, ...] = ()
    wrote: bool = False


def needed() -> None:
    """Refuse to go on without the packages of the extra `report`."""
    if lacking := [name for name in NEEDED if not find_spec(name)]:
        raise TradeflowsError(
            f"a report needs {', '.join(lacking)}, which are not installed",
            "the packages of the extra `report`",
            "pip install 'tradeflows[report]'",
        )


def build(notebooks: Path, out: Path) -> Built:
    """Build the report; do nothing where nothing changed."""
    needed()
    found = _found(notebooks)
    cache = out / CACHE
    cache.mkdir(parents=True, exist_ok=True)
    common = keys.shared(_raw(notebooks))
    last = [p for p in found if keys.about(p).get("reads") == "statements"]
    first = _copies([p for p in found if p not in last], cache, common)
    copies = first | _copies(last, cache, common + keys.of_statements(first))
    key = _page_key(copies)
    if _is_built(out, key):
        os.utime(out / "index.html")
        return Built()
    todo = [p for p, copy in copies.items() if not copy.is_file()]
    sys.stderr.write(f"{len(todo)} of {len(found)} notebooks to run\n")  # before slow imports
    _refuse_generated(out)
    from tradeflows.report import runner

    runner.run({p: first[p] for p in todo if p in first})
    runner.pass_on({page: first[p] for p, page in _pages(found).items() if p in first})
    copies = first | _copies(last, cache, common + keys.of_statements(first))
    later = {p: copies[p] for p in last if not copies[p].is_file()}
    runner.run(later)
    todo = [*(p for p in todo if p in first), *later]
    key = _page_key(copies)
    files = _render({p: copies[p] for p in found})
    _checked(files)
    _publish(out, {n: t.encode() if isinstance(t, str) else t for n, t in files.items()}, key)
    _forget(cache, set(copies.values()))
    return Built(tuple(p.stem for p in todo), wrote=True)


def _copies(found: Sequence[Path], cache: Path, common: str) -> dict[Path, Path]:
    return {p: cache / f"{p.stem}-{keys.of_notebook(p, common)[:16]}.ipynb" for p in found}


def _pages(found: Sequence[Path]) -> dict[Path, str]:
    from tradeflows.report import page

    return {p: page.file_of(p.stem, found[0].stem) for p in found}


def _refuse_generated(out: Path) -> None:
    """Keep pages made from generated trade out of the folder of the real report."""
    from tradeflows.sources import stored

    if out.resolve().name == "reports" and stored.is_generated():
        raise SourceUnavailable(
            "the data folder holds generated trade",
            f"trade as published, for pages in {out}",
            "build into another folder: tradeflows report --reports trial",
        )


def _found(notebooks: Path) -> list[Path]:
    found = sorted(p for p in notebooks.glob("*.ipynb") if not p.name.startswith("."))
    if not found:
        raise TradeflowsError(
            f"no notebooks in {notebooks}", "at least one .ipynb", "name the folder: --notebooks"
        )
    return found


def _raw(notebooks: Path) -> Path:
    """Return the folder of raw files that the notebooks will read."""
    for parent in notebooks.resolve().parents:
        if not os.environ.get("TRADEFLOWS_DATA") and (parent / "data/raw/SNAPSHOT").is_file():
            return parent / "data" / "raw"
    from tradeflows import store

    return store.folder()


def _page_key(copies: Mapping[Path, Path]) -> str:
    parts = [copy.name for copy in copies.values()]
    parts += [keys.of_tree(keys.PACKAGE / "report"), *keys.rules(), _version()]
    return keys.of_bytes("\n".join(parts).encode())


def _version() -> str:
    return metadata.version("tradeflows")


def _last(out: Path) -> tuple[str, dict[str, str]]:
    """Return the key of the last build, and the hashes of the files that it wrote."""
    try:
        built = json.loads((out / CACHE / BUILT).read_text("utf-8"))
        return str(built["key"]), dict(built["files"])
    except (OSError, ValueError, KeyError):
        return "", {}


def _is_built(out: Path, key: str) -> bool:
    last, files = _last(out)
    there = ((out / name, digest) for name, digest in files.items())
    return last == key and all(f.is_file() and keys.of_bytes(f.read_bytes()) == d for f, d in there)


def _render(copies: Mapping[Path, Path]) -> dict[str, str | bytes]:
    """Return every file of the report: pages and tables as text, pictures as bytes."""
    from tradeflows.report import page, sources, tables
    from tradeflows.sources import stored
    from tradeflows.store import catalogue

    try:
        raw = stored.released(catalogue(), os.environ.get("AS_OF"))
    except SourceUnavailable:
        raw = []
    stems = [p.stem for p in copies]
    names = {stem: page.file_of(stem, stems[0]) for stem in stems}
    nbs = {p.stem: page.read(copy) for p, copy in copies.items()}
    anchors = {r.id: sources.anchor(r.id) for r in raw}
    pages = [page.render(nb, stem, names, anchors) for stem, nb in nbs.items()]
    files = tables.files(pages, raw, _version())
    return {**_framed([*pages, sources.page(raw)]), **files, **tables.pictures(pages)}


def _framed(pages: Sequence[Page]) -> dict[str, str]:
    """Put every page, and all of them together, into the frame."""
    from dataclasses import replace

    from tradeflows.report import page as single
    from tradeflows.report import sources, whole
    from tradeflows.sources import stored

    frame = single.template("page.j2")
    common: dict[str, Any] = {"rules": keys.rules(), "version": _version()}
    common["made_up"] = stored.is_generated()
    around = [None, *pages, None]
    out = {
        p.file: frame.render(
            common, page=p, pages=pages, body=p.body, whole=whole.FILE, home="index.html",
            sources=sources.FILE, errata=f"{sources.FILE}#errata",
            before=around[n], after=around[n + 2],
        )
        for n, p in enumerate(pages)
    }  # fmt: skip
    parts = whole.chapters(pages)
    out[whole.FILE] = frame.render(
        common, page=replace(parts[0], contents=()), pages=parts, body=whole.merged(parts),
        home=parts[0].file, sources=parts[-1].file, errata=f"{parts[-1].file}--errata",
    )  # fmt: skip
    return {name: text.rstrip() + "\n" for name, text in out.items()}


def _checked(files: Mapping[str, str | bytes]) -> None:
    from tradeflows.report import check

    wrong = check.problems({n: t if isinstance(t, str) else "" for n, t in files.items()})
    if wrong:
        raise TradeflowsError(
            "pages that break a rule:\n" + "\n".join(wrong[:20]),
            "pages that fetch nothing, with complete figures and working links",
            "mend the notebook named; the pages of the last build are untouched",
        )


def _publish(out: Path, files: Mapping[str, bytes], key: str) -> None:
    """Write everything beside its place, then move it there; the index last."""
    staged = out / CACHE / f"new-{os.getpid()}"
    old = {n for n in _last(out)[1] if ".." not in Path(n).parts and not Path(n).is_absolute()}
    try:
        for name, data in files.items():
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name in sorted(files, key=lambda n: n == "index.html"):
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (staged / name).replace(out / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    for name in old - set(files):
        (out / name).unlink(missing_ok=True)
    digests = {name: keys.of_bytes(data) for name, data in files.items()}
    part = out / CACHE / (BUILT + ".part")
    part.write_text(json.dumps({"key": key, "files": digests}, indent=1), "utf-8")
    part.replace(out / CACHE / BUILT)


def _forget(cache: Path, kept: set[Path]) -> None:
    for copy in cache.glob("*.ipynb"):
        if copy not in kept:
            copy.unlink()
