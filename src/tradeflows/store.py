"""Raw files: bytes as received, each beside a sidecar that says what they are.

A file is read only if its bytes are those the sidecar vouches for. Nothing stored is ever
overwritten: a new edition is a new file.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from contextlib import suppress
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

SIDECAR = ".yml"
MARKER = "SNAPSHOT"
LIVE = "live"


@dataclass(frozen=True)
class Raw:
    """A raw file and what its sidecar says of it.

    ``constants`` are columns that have one value in the whole file; ``query`` is what was asked of
    a publisher, without key.
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


_TYPES = {"rows": (int,), "bytes": (int,), "traps": (list, tuple), "constants": (dict,),
          "query": (dict,)}  # fmt: skip
_OPTIONAL = {"traps", "constants", "query"}
_MEND = "restore file and sidecar: `git checkout -- data/raw`, or install tradeflows again"
_AGAIN = "delete file and sidecar, then run `tradeflows refresh` again"


def folder() -> Path:
    """Return the folder of raw files: ``raw`` of ``TRADEFLOWS_DATA``, or `snapshot`."""
    chosen = os.environ.get("TRADEFLOWS_DATA")
    if not chosen:
        return snapshot()
    raw = Path(chosen) / "raw"
    if not raw.is_dir():
        raise SourceUnavailable(
            f"TRADEFLOWS_DATA names {chosen!r}, which has no folder raw",
            "a folder with raw/<publisher>/…",
            "correct the variable, or unset it to use the snapshot",
        )
    return raw


def snapshot() -> Path:
    """Return the snapshot: the nearest ``data/raw`` that holds ``SNAPSHOT``, else the package's."""
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


def _roots() -> list[Path]:
    """Return the folders that files are read from: `folder`, laid over the snapshot unless one."""
    own = folder()
    return [own] if (own / MARKER).is_file() else [own, snapshot()]


def place(file: str) -> Path:
    """Return where a file is read from: where it or its sidecar stands first, else `folder`."""
    paths = [_inside(root, file) for root in _roots()]
    there = (p for p in paths if p.is_file() or _beside(p).is_file())
    return next(there, paths[0])


def processed() -> Path:
    """Return the folder of what is built from the raw files, beside `folder`; it need not exist.

    Of the copy inside the package it is ``data/processed`` under the working folder.
    """
    raw = folder()
    return (raw.parent if raw.name == "raw" else Path.cwd() / "data") / "processed"


def _listed() -> dict[str, Path]:
    """Return files and sidecars by their path below the folders: of one, where it is read from."""
    owner: dict[str, Path] = {}
    found = {}
    for root in _roots():
        for path in sorted(p for p in root.rglob("*") if p.is_file()):
            file = path.relative_to(root).as_posix()
            if owner.setdefault(file.removesuffix(SIDECAR), root) == root:
                found[file] = path
    return found


def catalogue() -> list[Raw]:
    """List every raw file that has a sidecar, sorted by id.

    Of a refreshed file whose sidecar cannot be read an `UnreadableFileWarning` tells; one of the
    snapshot raises `SchemaMismatch`.

    Examples
    --------
    >>> {raw.publisher for raw in catalogue()} >= {"TÜİK", "World Bank"}
    True
    """
    found = []
    for file, beside in sorted(_listed().items()):
        if beside.suffix == SIDECAR:
            file = file.removesuffix(SIDECAR)
            try:
                found.append(_parsed(file, beside.with_suffix(""), beside.read_bytes()))
            except SchemaMismatch as error:
                if f"/{LIVE}/" not in file:
                    raise
                leave_out(file, error)
    return found


def leave_out(file: str, error: TradeflowsError) -> None:
    """Warn that a stored file is left out, why, and what mends it."""
    words = f"{file} is left out: it cannot be read: {error.found}\n  what to do: {_mend(file)}"
    warnings.warn(words, UnreadableFileWarning, stacklevel=2)


def _mend(file: str) -> str:
    return _AGAIN if f"/{LIVE}/" in file else _MEND


def describe(file: str) -> Raw:
    """Return what the sidecar says of one raw file, named by its path below the raw files."""
    path = place(file)
    if not path.is_file():
        raise UnknownCode(
            f"no raw file {file!r}", "a file that `tradeflows status` lists", "check the spelling"
        )
    beside = _beside(path)
    if not beside.is_file():
        raise SchemaMismatch(
            f"{file}: no sidecar {beside.name}", "a sidecar beside every raw file", _mend(file)
        )
    return _parsed(file, path, beside.read_bytes())


def read(file: str) -> bytes:
    """Return the bytes of a raw file, after comparing them with the sidecar."""
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


def put(file: str, data: bytes | Path, about: dict[str, Any]) -> Raw:
    """Store bytes and their sidecar; never change what is stored already.

    Both are written beside their place, then moved there whole, the sidecar last: an interrupted
    call leaves no file that looks finished, and what it leaves is told from a lost sidecar. A path
    on the same disk is moved; ``about`` has every field of `Raw` but id, path, bytes and sha256.
    """
    path = _inside(folder(), file)
    beside = _beside(path)
    parts = [p.with_name(f"{p.name}.{os.getpid()}.part") for p in (path, beside)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            _write(parts[0], data)
        whole = parts[0] if isinstance(data, bytes) else data
        with whole.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if path.is_file() and beside.is_file() and describe(file).sha256 != digest:
            raise ChecksumMismatch(
                f"{file} is stored already with other bytes",
                "a new name for a new edition",
                "give the file another vintage",
            )
        raw = _raw(file, path, {**about, "bytes": whole.stat().st_size, "sha256": digest})
        _write(parts[1], _yaml(raw).encode())
        whole.replace(path)
        parts[1].replace(beside)
    except OSError as error:
        raise unwritable(file, error) from None
    finally:
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return raw


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def verify() -> list[Problem]:
    """Compare every raw file with its sidecar and name what differs; nothing if all is well."""
    found = (_problem(file, path) for file, path in _listed().items() if path.name != MARKER)
    return [problem for problem in found if problem]


def _problem(file: str, path: Path) -> Problem | None:
    if _unfinished(file, path):
        return None  # the next refresh takes it up or clears it away
    if path.name.endswith(".part"):
        return Problem(file, "left over by an interrupted write", "delete it")
    if path.suffix == SIDECAR:
        lost = not path.with_suffix("").is_file()
        return Problem(file, "a sidecar without its file", _mend(file)) if lost else None
    try:
        read(file)
    except (ChecksumMismatch, SchemaMismatch) as error:
        return Problem(file, error.found, error.todo)
    return None


def sweep() -> list[str]:
    """Clear away what interrupted refreshes left; only while holding the refresh lock."""
    root = folder()
    files = (p for p in root.rglob("*") if p.is_file())
    left = [p for p in files if _unfinished(p.relative_to(root).as_posix(), p)]
    for path in sorted(left, key=lambda p: p.name.endswith(".part")):  # the mark of it goes last
        path.unlink()
    return sorted(p.relative_to(root).as_posix() for p in left)


def _unfinished(file: str, path: Path) -> bool:
    """Tell what an interrupted `put` leaves in a live folder: parts, bytes not yet vouched for."""
    beside = _beside(path)
    return f"/{LIVE}/" in file and (
        path.name.endswith(".part")
        or (not beside.is_file() and any(path.parent.glob(f"{escape(beside.name)}.*.part")))
    )


def _inside(root: Path, file: str) -> Path:
    parts = PurePosixPath(file).parts
    if not parts or PurePosixPath(file).is_absolute() or ".." in parts or "\\" in file:
        raise UnknownCode(
            f"{file!r} is not a path below the data folder",
            "publisher/file, with forward slashes",
            "name the file as `tradeflows status` does",
        )
    return root.joinpath(*parts)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SIDECAR)


@lru_cache(maxsize=8192)
def _parsed(file: str, path: Path, text: bytes) -> Raw:
    return _raw(file, path, documents.parsed(text, f"{file}{SIDECAR}", _mend(file)))


def _raw(file: str, path: Path, loaded: Any) -> Raw:
    """Return what a sidecar says, or refuse one that lacks a field or has it in another type."""
    known = {f.name for f in fields(Raw)} - {"id", "path"}
    if not isinstance(loaded, dict) or not known - _OPTIONAL <= set(loaded) <= known:
        keys = sorted(map(str, loaded)) if isinstance(loaded, dict) else repr(loaded)[:80]
        raise SchemaMismatch(
            f"{file}{SIDECAR} has {keys}", f"the fields {', '.join(sorted(known))}", _mend(file)
        )
    odd = [k for k, v in loaded.items() if type(v) not in _TYPES.get(k, (str,))]
    odd += [k for k in ("rows", "bytes") if k not in odd and abs(loaded[k]) >> 63]
    if odd:
        raise SchemaMismatch(
            f"{file}{SIDECAR}: fields {odd} have the wrong type",
            "texts (dates quoted), rows and bytes as whole numbers, traps as a list",
            _mend(file),
        )
    return Raw(id=file, path=path, **{**loaded, "traps": tuple(loaded.get("traps", ()))})


def _yaml(raw: Raw) -> str:
    about = {k: v for k, v in asdict(raw).items() if v or k not in _OPTIONAL}
    del about["id"], about["path"]
    return yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=96)
