"""From a figure to the bytes: its table and picture as files, the raw files under it, hashes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradeflows import store
from tradeflows.errors import ChecksumMismatch, SchemaMismatch, SourceUnavailable, UnknownCode

if TYPE_CHECKING:
    from tradeflows.report.page import Page  # `tradeflows trace` needs none of its packages

PACKAGE = "data/datapackage.json"
INTACT, CHANGED, GONE = "as in the report", "changed since", "gone"
_OF_RAW = ("id", "publisher", "title", "vintage", "accessed", "url", "query")


def files(
    pages: Iterable[Page], catalogue: Sequence[store.Raw], others: Iterable[str]
) -> dict[str, bytes]:
    """Return table and picture of every figure, and a Frictionless package that lists all files."""
    known = {raw.id: raw for raw in catalogue}
    out: dict[str, bytes] = {}
    listed: dict[str, Any] = {}
    for page, figure in [(one, figure) for one in pages for figure in one.figures]:
        name, table = figure["name"], figure["csv"].encode()
        if out.setdefault(f"data/{name}.csv", table) != table:
            raise SchemaMismatch(
                f"{page.file}: a second figure named {name!r} with another table",
                "one name, one table",
                "give one of them another name=",
            )
        out[f"data/{name}.png"] = base64.b64decode(figure["png"])
        resource = {
            "profile": "tabular-data-resource",
            "name": name,
            "path": f"{name}.csv",
            "title": figure["title"],
            "description": f"{figure['caption']}. {figure['alt']} Shown in {page.file}.",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": len(table),
            "hash": f"sha256:{hashlib.sha256(table).hexdigest()}",
            "schema": {"fields": figure["fields"]},
            "sources": [_source(origin, known.get(origin)) for origin in figure["origins"]],
            "page": page.file,
            "notebook": f"{page.notebook}.ipynb",
            "cell": figure["cell"],
        }
        listed.setdefault(name, resource)
    package = {
        "profile": "tabular-data-package",
        "name": "tradeflows-figures",
        "title": "Tables behind the figures of the tradeflows report",
        "files": sorted([*others, *out, PACKAGE]),
        "resources": list(listed.values()),
    }
    return out | {PACKAGE: (json.dumps(package, indent=1, ensure_ascii=False) + "\n").encode()}


def _source(origin: str, raw: store.Raw | None) -> dict[str, str]:
    if raw is None:
        return {"title": origin}
    return {
        "title": f"{raw.publisher}: {raw.title}, vintage {raw.vintage}",
        "path": raw.url or origin,
        "raw": raw.id,
        "publisher": raw.publisher,
        "vintage": raw.vintage,
        "sha256": raw.sha256,
    }


def figures(reports: Path) -> dict[str, Any]:
    """Return what a built report notes of each figure, by name."""
    try:
        package = json.loads((reports / PACKAGE).read_text("utf-8"))
    except OSError:
        raise SourceUnavailable(
            f"no report in {reports}",
            f"{reports / PACKAGE}",
            "run `make report`, or name --reports",
        ) from None
    except ValueError:
        raise SchemaMismatch(
            f"{reports / PACKAGE} is not JSON", "a data package", "run `make report` again"
        ) from None
    return {str(found["name"]): found for found in package["resources"]}


def trace(figure: str, reports: Path) -> dict[str, Any]:
    """Walk from a figure, named as in its address, to its raw files; compare every hash.

    Page, notebook, cell, table and ``origins``; ``now`` of the table and of each raw file compares
    what is there with what the report used.
    """
    name = figure.rpartition("#")[2].rpartition("/")[2].removesuffix(".csv").removesuffix(".png")
    known = figures(reports)
    if name not in known:
        near = get_close_matches(name, known, 3, 0.4) or sorted(known)
        raise UnknownCode(
            f"the report in {reports} has no figure {name!r}",
            f"one of {', '.join(near)}",
            "name it as the page does: `tradeflows trace` without a name lists all",
        )
    found = known[name]
    table, digest = reports / Path(PACKAGE).parent / found["path"], found["hash"].split(":")[-1]
    now = GONE
    if table.is_file():
        same = hashlib.sha256(table.read_bytes()).hexdigest() == digest
        now = INTACT if same else CHANGED
    return {
        "figure": name,
        "title": found["title"],
        "page": f"{found['page']}#{name}",
        "notebook": found["notebook"],
        "cell": found["cell"],
        "table": table.as_posix(),
        "sha256": digest,
        "now": now,
        "origins": [_origin(source) for source in found["sources"]],
    }


def _origin(noted: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the report noted of a raw file, beside what the store says now."""
    name, digest = noted.get("raw", noted["title"]), noted.get("sha256", "")
    known, now = {"id": name, **noted}, GONE
    try:
        raw = store.describe(name)
        known, now = {n: getattr(raw, n) for n in _OF_RAW}, CHANGED
        store.read(name)
        now = INTACT if raw.sha256 == digest else CHANGED
    except ChecksumMismatch:
        pass
    except (UnknownCode, SchemaMismatch, SourceUnavailable):
        now = GONE
    return {**known, "sha256": digest, "now": now}
