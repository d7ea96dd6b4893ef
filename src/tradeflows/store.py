"""Raw files: bytes as received, each beside a sidecar that says what they are.

A file is read only if its bytes are those the sidecar vouches for. Nothing stored is ever
overwritten: a new edition is a new file.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tradeflows import documents
from tradeflows.errors import (
    ChecksumMismatch,
    SchemaMismatch,
    SourceUnavailable,
    TradeflowsError,
    UnknownCode,
    UnreadableFileWarning,
    unwritable,
)

__all__ = [
    "Problem",
    "Raw",
    "adopt",
    "catalogue",
    "describe",
    "folder",
    "leave_out",
    "put",
    "read",
    "sweep",
    "unread",
    "verify",
]

SIDECAR = ".yml"
MARKER = "SNAPSHOT"
LIVE = "live"


@dataclass(frozen=True)
class Raw:
    """A raw file and what its sidecar says of it.

    ``constants`` are columns that have one value in the whole file; ``query`` is what was asked of
    a publisher, without key; ``complete`` is false where a refresh was interrupted.
    """

    id: str
    path: Path
    publisher: str
    title: str
    url: str
    licence: str
    terms: str
    accessed: str
    vintage: str
    coverage: str
    obtained: str
    table: str
    rows: int
    bytes: int
    sha256: str
    traps: tuple[str, ...] = ()
    constants: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    complete: bool = True

    @property
    def live(self) -> bool:
        """Whether a refresh brought it."""
        return f"/{LIVE}/" in self.id


@dataclass(frozen=True)
class Problem:
    """What is wrong with a stored file and how to mend it."""

    id: str
    found: str
    todo: str


_OWN = {"id", "path", "bytes", "sha256"}
_NEEDED = {f.name for f in fields(Raw)} - _OWN - {"traps", "constants", "query", "complete"}
_MEND = "restore file and sidecar: `git checkout -- data/raw`, or install tradeflows again"
_AGAIN = "delete file and sidecar, then run `tradeflows refresh` again"


def folder() -> Path:
    """Return the folder of raw files.

    ``TRADEFLOWS_DATA`` names the data folder; else it is the nearest parent of the working folder,
    then of this package, that holds ``data/raw/SNAPSHOT``; else the copy inside the package.

    Returns
    -------
    pathlib.Path
        ``…/raw``.

    Raises
    ------
    SourceUnavailable
        No such folder.
    """
    chosen = os.environ.get("TRADEFLOWS_DATA")
    if chosen:
        raw = Path(chosen) / "raw"
        if raw.is_dir():
            return raw
        raise SourceUnavailable(
            f"TRADEFLOWS_DATA names {chosen!r}, which has no folder raw",
            "a folder with raw/<publisher>/…",
            "correct the variable, or unset it to use the snapshot",
        )
    here = Path(__file__).resolve().parent
    for parent in (Path.cwd(), *Path.cwd().parents, *here.parents):
        if (parent / "data" / "raw" / MARKER).is_file():
            return parent / "data" / "raw"
    inside = here / "snapshot"
    if (inside / MARKER).is_file():
        return inside
    raise SourceUnavailable(
        "no data folder: no parent has data/raw/SNAPSHOT and the package carries no snapshot",
        "the snapshot that comes with tradeflows",
        "install tradeflows again, or set TRADEFLOWS_DATA",
    )


def processed() -> Path:
    """Return the folder of what is built from the raw files, beside theirs.

    Of the copy inside the package it is ``data/processed`` under the working folder.

    Returns
    -------
    pathlib.Path
        It need not exist.
    """
    raw = folder()
    return (raw.parent if raw.name == "raw" else Path.cwd() / "data") / "processed"


def catalogue() -> list[Raw]:
    """List every raw file that has a sidecar, sorted by id.

    Of a refreshed file whose sidecar cannot be read an `UnreadableFileWarning` tells.

    Raises
    ------
    SchemaMismatch
        A sidecar of the snapshot cannot be read.

    Examples
    --------
    >>> {raw.publisher for raw in catalogue()} >= {"TÜİK", "World Bank"}
    True
    """
    root, found = folder(), []
    for beside in sorted(root.rglob("*" + SIDECAR)):
        try:
            found.append(_sidecar(root, beside))
        except SchemaMismatch as error:
            file = beside.with_suffix("").relative_to(root)
            if LIVE not in file.parts:
                raise
            leave_out(file.as_posix(), error)
    return found


def leave_out(file: str, error: TradeflowsError) -> None:
    """Warn that a stored file is left out, why, and what mends it."""
    problem = unread(file, error)
    words = f"{file} is left out: {problem.found}\n  what to do: {problem.todo}"
    warnings.warn(words, UnreadableFileWarning, stacklevel=2)


def unread(file: str, error: TradeflowsError) -> Problem:
    """Return what is wrong with a stored file that its parser refuses."""
    return Problem(file, f"it cannot be read: {error.found}", _mend(file))


def _mend(file: str) -> str:
    return _AGAIN if f"/{LIVE}/" in file else _MEND


def describe(file: str) -> Raw:
    """Return what the sidecar says of one raw file.

    Parameters
    ----------
    file : str
        Path below the folder of raw files, with forward slashes.

    Raises
    ------
    UnknownCode
        No such file.
    SchemaMismatch
        The sidecar is missing or cannot be read.
    """
    root = folder()
    path = _inside(root, file)
    if not path.is_file():
        raise UnknownCode(
            f"no raw file {file!r}", "a file that `tradeflows status` lists", "check the spelling"
        )
    beside = path.with_name(path.name + SIDECAR)
    if not beside.is_file():
        raise SchemaMismatch(
            f"{file}: no sidecar {beside.name}", "a sidecar beside every raw file", _mend(file)
        )
    return _sidecar(root, beside)


def read(file: str) -> bytes:
    """Return the bytes of a raw file, after comparing them with the sidecar.

    Parameters
    ----------
    file : str
        Path below the folder of raw files.

    Raises
    ------
    ChecksumMismatch
        The bytes are not those that were stored.
    UnknownCode, SchemaMismatch
        As `describe`.
    """
    raw = describe(file)
    data = raw.path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != raw.sha256:
        raise ChecksumMismatch(
            f"{file}: sha256 {digest[:16]}… ({len(data)} bytes)",
            f"sha256 {raw.sha256[:16]}… ({raw.bytes} bytes), as its sidecar says",
            _mend(file),
        )
    return data


def put(file: str, data: bytes, about: dict[str, Any]) -> Raw:
    """Store bytes and their sidecar; never change what is stored already.

    Both are written beside their place, then moved there whole, the sidecar last: an interrupted
    call leaves no file that looks finished, and what it leaves is told from a lost sidecar.

    Parameters
    ----------
    file : str
        Path below the folder of raw files.
    data : bytes
        The file as received.
    about : dict
        The sidecar: every field of `Raw` but id, path, bytes and sha256.

    Returns
    -------
    Raw

    Raises
    ------
    ChecksumMismatch
        Other bytes stand there already.
    SchemaMismatch
        The sidecar lacks a field or has an unknown one.
    SourceUnavailable
        The disk is full or the folder read-only.
    """
    root = folder()
    path = _inside(root, file)
    digest = hashlib.sha256(data).hexdigest()
    beside = path.with_name(path.name + SIDECAR)
    if path.is_file() and beside.is_file() and _sidecar(root, beside).sha256 != digest:
        raise ChecksumMismatch(
            f"{file} is stored already with other bytes",
            "a new name for a new edition",
            "give the file another vintage",
        )
    raw = _raw(file, path, {**about, "bytes": len(data), "sha256": digest})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write({path: data, beside: _yaml(raw).encode()})
    except OSError as error:
        raise unwritable(file, error) from None
    return raw


def adopt(file: str, source: Path, about: dict[str, Any]) -> Raw:
    """Move a large file from the same disk into the store, as `put`, but never into memory."""
    root = folder()
    path = _inside(root, file)
    if path.exists():
        raise ChecksumMismatch(f"{file} is stored already", "a new name", "give another vintage")
    with source.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    raw = _raw(file, path, {**about, "bytes": source.stat().st_size, "sha256": digest})
    beside = path.with_name(path.name + SIDECAR)
    part = beside.with_name(f"{beside.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(_yaml(raw), encoding="utf-8")
        source.replace(path)
        part.replace(beside)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise unwritable(file, error) from None
    return raw


def verify() -> list[Problem]:
    """Compare every raw file with its sidecar and name what differs.

    Returns
    -------
    list of Problem
        Empty if all is well.

    Examples
    --------
    >>> verify()
    []
    """
    root = folder()
    problems = []
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.name != MARKER):
        file = path.relative_to(root).as_posix()
        if _unfinished(path.relative_to(root), path):
            continue  # the next refresh takes it up or clears it away
        if path.name.endswith(".part"):
            problems.append(Problem(file, "left over by an interrupted write", "delete it"))
        elif path.suffix == SIDECAR:
            if not path.with_suffix("").is_file():
                problems.append(Problem(file, "a sidecar without its file", _mend(file)))
        else:
            problems += _differs(file)
    return problems


def sweep() -> list[str]:
    """Clear away what interrupted refreshes left in the live folders; return what it was.

    Call it only while holding the refresh lock.
    """
    root = folder()
    left = [p for p in root.rglob("*") if p.is_file() and _unfinished(p.relative_to(root), p)]
    for path in sorted(left, key=lambda p: p.name.endswith(".part")):  # the mark of it goes last
        path.unlink()
    return sorted(p.relative_to(root).as_posix() for p in left)


def _unfinished(file: Path, path: Path) -> bool:
    """Tell what an interrupted `put` leaves in a live folder: parts, bytes not yet vouched for."""
    if LIVE not in file.parts:
        return False
    beside = path.name + SIDECAR
    return path.name.endswith(".part") or (
        not path.with_name(beside).is_file() and any(path.parent.glob(f"{escape(beside)}.*.part"))
    )


def _differs(file: str) -> list[Problem]:
    try:
        read(file)
    except (ChecksumMismatch, SchemaMismatch) as error:
        return [Problem(file, error.found, error.todo)]
    return []


def _inside(root: Path, file: str) -> Path:
    parts = PurePosixPath(file).parts
    if not parts or PurePosixPath(file).is_absolute() or ".." in parts or "\\" in file:
        raise UnknownCode(
            f"{file!r} is not a path below the data folder",
            "publisher/file, with forward slashes",
            "name the file as `tradeflows status` does",
        )
    return root.joinpath(*parts)


def _sidecar(root: Path, beside: Path) -> Raw:
    path = beside.with_suffix("")
    return _parsed(path.relative_to(root).as_posix(), path, beside.read_bytes())


@lru_cache(maxsize=8192)
def _parsed(file: str, path: Path, text: bytes) -> Raw:
    return _raw(file, path, documents.parsed(text, f"{file}{SIDECAR}", _mend(file)))


def _raw(file: str, path: Path, loaded: Any) -> Raw:
    known = {f.name for f in fields(Raw)} - {"id", "path"}
    if not isinstance(loaded, dict) or not (_NEEDED | {"bytes", "sha256"}) <= set(loaded) <= known:
        keys = sorted(map(str, loaded)) if isinstance(loaded, dict) else repr(loaded)[:80]
        raise SchemaMismatch(
            f"{file}{SIDECAR} has {keys}", f"the fields {', '.join(sorted(known))}", _mend(file)
        )
    texts = {k: v for k, v in loaded.items() if k in _NEEDED - {"rows"} or k == "sha256"}
    odd = [k for k, v in texts.items() if not isinstance(v, str)]
    odd += [k for k in ("rows", "bytes") if type(loaded[k]) is not int or abs(loaded[k]) >> 63]
    odd += [k for k in ("constants", "query") if not isinstance(loaded.get(k, {}), dict)]
    odd += [k for k in ("traps",) if not isinstance(loaded.get(k, []), list | tuple)]
    if odd:
        raise SchemaMismatch(
            f"{file}{SIDECAR}: fields {odd} have the wrong type",
            "texts (dates quoted), rows and bytes as whole numbers, traps as a list",
            _mend(file),
        )
    return Raw(id=file, path=path, **{**loaded, "traps": tuple(loaded.get("traps", ()))})


def _yaml(raw: Raw) -> str:
    about = {k: v for k, v in asdict(raw).items() if k not in ("id", "path")}
    about["traps"] = list(raw.traps)
    empty = [k for k in ("traps", "constants", "query") if not about[k]]
    about = {k: v for k, v in about.items() if k not in empty and (k != "complete" or not v)}
    return yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=96)


def _write(files: dict[Path, bytes]) -> None:
    parts = {path: path.with_name(f"{path.name}.{os.getpid()}.part") for path in files}
    try:
        for path, data in files.items():
            with parts[path].open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
        for path, part in parts.items():
            part.replace(path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
