"""What a page depends on, as hashes: the same key means nothing needs to be done.

Only the standard library is imported here, so that finding nothing to do is quick.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
_LARGE = 4_000_000  # bytes from which size and time stand for the content
_NOT_RUN = ("report", "cli.py", "cli", "snapshot", "__pycache__")
STATEMENT = "application/vnd.tradeflows.statement+json"  # as in claims.verdict
SETTINGS = ("TRADEFLOWS_DATA", "AS_OF")


def of_bytes(data: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def of_tree(folder: Path, *, without: Iterable[str] = ()) -> str:
    """Return a hash over all files below a folder: their names and what is in them."""
    skipped, lines = set(without), []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if here == folder:
            folders[:] = [f for f in folders if f not in skipped]
            files = [f for f in files if f not in skipped]
        folders[:] = sorted(f for f in folders if f != "__pycache__")
        for name in sorted(files):
            path = here / name
            lines.append(f"{path.relative_to(folder).as_posix()} {_content(path)}")
    return of_bytes("\n".join(lines).encode())


def _content(path: Path) -> str:
    stat = path.stat()
    if stat.st_size > _LARGE:
        return f"{stat.st_size} {stat.st_mtime_ns}"
    return of_bytes(path.read_bytes())


def of_environment() -> str:
    """Return a hash over the interpreter, the packages we depend on and our settings."""
    needs = metadata.requires("tradeflows") or []
    names = sorted(re.split(r"[^\w.-]", n, maxsplit=1)[0] for n in needs if "extra ==" not in n)
    parts = [sys.version, *(f"{n} {_version(n)}" for n in names)]
    parts += [f"{name}={os.environ.get(name, '')}" for name in SETTINGS]
    return of_bytes("\n".join(parts).encode())


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def shared(raw: Path) -> str:
    """Return the part of every notebook's key that does not depend on the notebook."""
    parts = (of_tree(PACKAGE, without=_NOT_RUN), of_tree(raw), of_environment())
    return of_bytes("\n".join(parts).encode())


def of_notebook(path: Path, common: str) -> str:
    """Return the key of an executed notebook."""
    whole = json.loads(path.read_bytes())
    cells = whole["cells"]
    told = [(c["cell_type"], c["source"], c["metadata"].get("tags")) for c in cells]
    parts = (
        common,
        json.dumps([told, whole["metadata"].get("tradeflows")]),
        str(path.stat().st_mtime_ns),
    )
    return of_bytes("\n".join(parts).encode())


def about(path: Path) -> dict[str, Any]:
    """Return what a notebook says of itself under ``tradeflows`` in its metadata."""
    found = json.loads(path.read_bytes())["metadata"].get("tradeflows", {})
    return dict(found)


def of_statements(copies: Mapping[Path, Path]) -> str:
    """Return a hash of what executed notebooks state, or nothing where one is not executed yet."""
    if not all(copy.is_file() for copy in copies.values()):
        return ""
    return of_bytes(json.dumps([stated(copy) for copy in copies.values()]).encode())


def stated(copy: Path) -> list[dict[str, Any]]:
    """Return the statements among the outputs of an executed notebook, in order."""
    cells = json.loads(copy.read_bytes())["cells"]
    shown = [o.get("data", {}) for c in cells for o in c.get("outputs", ())]
    return [data[STATEMENT] for data in shown if STATEMENT in data]


def rules() -> tuple[str, str]:
    """Return sha256 and version of the rules that decide the claims."""
    data = (PACKAGE / "claims" / "rules.yml").read_bytes()
    found = re.search(rb"^version: *(\S+)", data, re.MULTILINE)
    return of_bytes(data), found[1].decode() if found else "unknown"
