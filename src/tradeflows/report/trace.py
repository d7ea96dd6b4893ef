"""From a figure back to the bytes: its table, the raw files under it, publisher, vintage, hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tradeflows import store
from tradeflows.errors import ChecksumMismatch, SchemaMismatch, SourceUnavailable, UnknownCode

__all__ = ["Origin", "Trace", "figures", "trace"]

PACKAGE = Path("data") / "datapackage.json"
INTACT, CHANGED, GONE = "as in the report", "changed since", "gone"


@dataclass(frozen=True)
class Origin:
    """A raw file under a figure; ``now`` compares what is stored now with what the report used.

    ``query`` is what was asked of the publisher, for data that a refresh brought.
    """

    id: str
    publisher: str
    title: str
    vintage: str
    accessed: str
    url: str
    sha256: str
    now: str
    query: dict[str, Any]


@dataclass(frozen=True)
class Trace:
    """Where a figure comes from: page, notebook and cell, table, raw files."""

    figure: str
    title: str
    page: str
    notebook: str
    cell: str
    table: str
    sha256: str
    now: str
    origins: tuple[Origin, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether table and raw files are still those of the report."""
        return all(found == INTACT for found in (self.now, *(o.now for o in self.origins)))

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        return asdict(self)


def figures(reports: Path) -> list[str]:
    """Return the names of the figures of a built report."""
    return [str(r["name"]) for r in _resources(reports)]


def trace(figure: str, reports: Path) -> Trace:
    """Walk from a figure to its raw files and compare every hash on the way."""
    name = figure.rpartition("#")[2].rpartition("/")[2].removesuffix(".csv").removesuffix(".png")
    known = {str(r["name"]): r for r in _resources(reports)}
    if name not in known:
        near = get_close_matches(name, known, 3, 0.4) or sorted(known)
        raise UnknownCode(
            f"the report in {reports} has no figure {name!r}",
            f"one of {', '.join(near)}",
            "name it as the page does: `tradeflows trace` without a name lists all",
        )
    found = known[name]
    table = reports / PACKAGE.parent / str(found["path"])
    return Trace(
        name,
        str(found["title"]),
        f"{found.get('page', '')}#{name}",
        str(found.get("notebook", "")),
        str(found.get("cell", "")),
        table.as_posix(),
        _digest(str(found["hash"])),
        _compared(table, _digest(str(found["hash"]))),
        tuple(_origin(source) for source in found.get("sources", ())),
    )


def _resources(reports: Path) -> list[dict[str, Any]]:
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
    return list(package["resources"])


def _digest(text: str) -> str:
    return text.removeprefix("sha256:")


def _compared(path: Path, digest: str) -> str:
    if not path.is_file():
        return GONE
    same = hashlib.sha256(path.read_bytes()).hexdigest() == digest
    return INTACT if same else CHANGED


def _origin(source: Mapping[str, Any]) -> Origin:
    """Return what the report noted of a raw file, beside what the store says now."""
    name, noted = str(source.get("raw", source["title"])), str(source.get("sha256", ""))
    try:
        raw = store.describe(name)
        store.read(name)
    except (UnknownCode, SchemaMismatch, SourceUnavailable):
        return Origin(
            name, str(source.get("publisher", "")), str(source["title"]),
            str(source.get("vintage", "")), "", str(source.get("path", "")), noted, GONE, {},
        )  # fmt: skip
    except ChecksumMismatch:
        now = CHANGED
    else:
        now = INTACT if raw.sha256 == noted else CHANGED
    return Origin(
        raw.id, raw.publisher, raw.title, raw.vintage, raw.accessed, raw.url, noted, now, raw.query
    )
