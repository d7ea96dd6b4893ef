"""Packed files and workbooks read with bounds: what unpacks without end is refused."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO, Any

import openpyxl

from tradeflows.errors import SchemaMismatch

MOST_BYTES = 400 * 1024 * 1024
MOST_RATIO = 200
MOST_CELLS = 20_000_000
_NAME = "name one of its sheets, or download the file again"
_HELP = "download the file again from the publisher"
# what reading a damaged zip may raise
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError,
           RuntimeError, ValueError)  # fmt: skip


@contextmanager
def bounded_zip(data: Any, origin: str, most: int = MOST_BYTES) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose members have a believable size, or refuse it; none is written to disk."""
    try:
        source = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    except DAMAGED:
        raise SchemaMismatch(f"{origin}: no whole zip", "a zip file", _HELP) from None
    with source:
        total = 0
        for member in source.infolist():
            total += member.file_size
            ratio = member.file_size / max(member.compress_size, 1)
            if total > most or (ratio > MOST_RATIO and member.file_size > 50_000_000):
                raise SchemaMismatch(
                    f"{origin}: unpacks to {total / 1e6:,.0f} MB or more",
                    f"at most {most / 1e6:,.0f} MB",
                    "do not open it: it looks like a zip bomb",
                )
        yield source


def is_workbook(data: bytes) -> bool:
    """Tell an Excel workbook from other zips."""
    return data[:4] == b"PK\x03\x04" and b"[Content_Types].xml" in data


def sheet(data: bytes, origin: str, name: str = "") -> list[tuple[Any, ...]]:
    """Return the rows of the one sheet that holds a table, or of that named."""
    found = _sheets(data, origin, name)
    tables = [page for page, rows in found.items() if sum(map(_is_wide, rows)) > 1]
    if len(tables) > 1 and not name:
        raise SchemaMismatch(
            f"{origin}: tables in the sheets {', '.join(map(repr, tables))}", "one table",
            f"name its sheet: sheet={tables[0]!r}; of parts read each, and pandas.concat them",
        )  # fmt: skip
    return found[tables[0]] if tables else next((rows for rows in found.values() if rows), [])


def _is_wide(row: tuple[Any, ...]) -> bool:
    """Tell whether a row may be of a table of trade: code, period and value at least."""
    return sum(cell is not None for cell in row) > 2


def _sheets(data: bytes, origin: str, name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of every sheet, or of that named."""
    with bounded_zip(data, origin):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what a workbook holds beside its cells
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            with closing(book):
                if name and name not in book.sheetnames:
                    names = ", ".join(map(repr, book.sheetnames))
                    raise SchemaMismatch(f"{origin}: sheets {names}", f"a sheet {name!r}", _NAME)
                pages = [name] if name else book.sheetnames
                return {page: _rows(book[page], origin) for page in pages}
    except SchemaMismatch:
        raise
    except Exception as error:  # openpyxl lets many kinds through on bad bytes
        raise SchemaMismatch(
            f"{origin}: no readable workbook ({type(error).__name__})", "an XLSX file", _HELP
        ) from None


def _rows(page: Any, origin: str) -> list[tuple[Any, ...]]:
    rows, cells = [], 0
    for row in page.iter_rows(values_only=True):
        cells += len(row)
        if cells > MOST_CELLS:
            raise SchemaMismatch(
                f"{origin}: more than {MOST_CELLS:,} cells", "a table of statistics", _HELP
            )
        rows.append(tuple(row))
    return rows if any(v is not None for row in rows for v in row) else []


def _read(stream: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    """Read up to a piece more than `most`; one large read would take all its memory at once."""
    whole = bytearray()
    while len(whole) <= most and (piece := stream.read(1 << 20)):
        whole += piece
    return bytes(whole)


def unpacked(data: bytes, origin: str, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a gzip or of the one file in a zip; others come back as they are."""
    if data[:2] not in (b"PK", b"\x1f\x8b") or is_workbook(data):
        return data
    try:
        if data[:2] != b"PK":
            with gzip.open(io.BytesIO(data)) as stream:
                plain = _read(stream, most)
        else:
            with bounded_zip(data, origin, most) as source:
                names = [n for n in source.namelist() if not n.endswith("/")]
                if len(names) != 1:
                    raise SchemaMismatch(f"{origin}: {len(names)} files in a zip", "one", _HELP)
                with source.open(names[0]) as stream:
                    plain = _read(stream, most)
    except SchemaMismatch:
        raise
    except DAMAGED:
        raise SchemaMismatch(f"{origin}: cut or damaged", "a whole file", _HELP) from None
    if len(plain) > most:
        raise SchemaMismatch(
            f"{origin}: unpacks to more than {most >> 20} MB", "a table of statistics", _HELP
        )
    return plain
