"""The table behind every figure as CSV, its chart as PNG, and a Frictionless data package."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tradeflows.errors import SchemaMismatch
from tradeflows.report.page import Page
from tradeflows.store import Raw

__all__ = ["PACKAGE", "files"]

PACKAGE = "data/datapackage.json"


def files(
    pages: Iterable[Page], catalogue: Sequence[Raw], others: Iterable[str]
) -> dict[str, bytes]:
    """Return table and picture of every figure, and the package that lists all files."""
    known = {raw.id: raw for raw in catalogue}
    out: dict[str, bytes] = {}
    listed: dict[str, Any] = {}
    for page in pages:
        for figure in page.figures:
            name, table = f"data/{figure['name']}", figure["csv"].encode()
            if out.setdefault(f"{name}.csv", table) != table:
                raise SchemaMismatch(
                    f"{page.file}: a second figure named {figure['name']!r} with another table",
                    "one name, one table",
                    "give one of them another name=",
                )
            out[f"{name}.png"] = base64.b64decode(figure["png"])
            listed.setdefault(figure["name"], _resource(figure, page, known))
    package = {
        "profile": "tabular-data-package",
        "name": "tradeflows-figures",
        "title": "Tables behind the figures of the tradeflows report",
        "files": sorted([*others, *out, PACKAGE]),
        "resources": list(listed.values()),
    }
    return out | {PACKAGE: (json.dumps(package, indent=1, ensure_ascii=False) + "\n").encode()}


def _resource(figure: Mapping[str, Any], page: Page, known: Mapping[str, Raw]) -> dict[str, Any]:
    data = figure["csv"].encode()
    return {
        "profile": "tabular-data-resource",
        "name": figure["name"],
        "path": f"{figure['name']}.csv",
        "title": figure["title"],
        "description": f"{figure['caption']}. {figure['alt']} Shown in {page.file}.",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": {"fields": figure["fields"]},
        "sources": [_source(origin, known.get(origin)) for origin in figure["origins"]],
        "page": page.file,
        "notebook": f"{page.notebook}.ipynb",
        "cell": figure["cell"],
    }


def _source(origin: str, raw: Raw | None) -> dict[str, str]:
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
