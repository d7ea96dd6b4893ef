"""BACI of CEPII: reconciled annual trade by HS6, streamed from its zip, never whole in memory."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tradeflows import store, tables
from tradeflows.codes import hs
from tradeflows.codes.countries import from_comtrade
from tradeflows.codes.hs import hs_codes
from tradeflows.errors import SchemaMismatch, SourceUnavailable
from tradeflows.sources import rows
from tradeflows.sources.work import Session, Work, root_from
from tradeflows.sources.workbook import DAMAGED, bounded_zip

PUBLISHER = "CEPII"
ROOT = "https://www.cepii.fr"
FOLDER = "DATA_DOWNLOAD/baci/data"
EDITION = "HS17_V202601"
MOST = 60 * 1024**3
LARGEST = 4 * 1024**3
STEP = 200_000
_COLUMNS = {**dict.fromkeys("tijk", "str"), "v": "float64", "q": "float64"}
_FORMS = {"t": r"(?:19|20)\d\d", "i": r"\d{1,6}", "j": r"\d{1,6}", "k": r"\d{5,6}"}
_HELP = "fetch the zip again from CEPII"


def _session(work: Work, limit: int) -> Session:
    session = work.session("baci", PUBLISHER, root_from("TRADEFLOWS_BACI_URL", ROOT))
    session.manners = replace(session.manners, limit=limit)
    return session


def probe(work: Work) -> tuple[int, str]:
    """Ask for the edition, and leave when it begins to come."""
    session = _session(work, 2)
    try:
        session.get(f"{FOLDER}/BACI_{EDITION}.zip", expect="any")
    except SchemaMismatch:  # more than two bytes
        if session.status == 200:
            return 1, f"the edition {EDITION} is there"
        raise SourceUnavailable(f"status {session.status}", "a zip", "look at the page") from None
    raise SchemaMismatch(f"{PUBLISHER}: hardly a byte", "a zip", "look at the page")


def pull(work: Work) -> None:
    """Store the edition unless it is stored."""
    session = _session(work, LARGEST)
    revision, _, version = EDITION.partition("_V")
    name, vintage = f"BACI_{EDITION}", f"{version[:4]}-{version[4:]}-01"
    place = f"cepii/live/{name}@{vintage}.zip"
    if store.place(place).is_file():
        return
    work.told("baci", 0, 1)
    # The suffix marks it as unfinished for `store.sweep`.
    arriving = store.folder() / "cepii" / "live" / f"{name}.zip.part"
    arriving.parent.mkdir(parents=True, exist_ok=True)
    try:
        reply = session.get(f"{FOLDER}/{name}.zip", into=arriving)
        with bounded_zip(arriving, place, MOST) as archive:
            years = sorted(year for *_, year in _members(archive, place))
        work.store(
            place, arriving, reply,
            publisher=PUBLISHER,
            title=f"BACI, {revision}, version {version}",
            licence="Etalab 2.0",
            terms="Attribution to CEPII, BACI.",
            vintage=vintage,
            coverage=f"{years[0]} to {years[-1]}",
            obtained="zip from CEPII",
            table="trade",
            rows=0,
            traps=["Reconciled, not reported: values and quantities are CEPII's estimates."],
        )  # fmt: skip
    finally:
        arriving.unlink(missing_ok=True)


def parse(
    source: BinaryIO | Path | bytes, about: Mapping[str, Any], **kept: Iterable[str]
) -> pd.DataFrame:
    """Return the trade table of a zip, in memory: of ``countries`` and ``codes``, see `stream`."""
    frames = list(stream(source, about, **kept))
    whole = pd.concat(frames) if frames else tables.empty("trade")
    return tables.validate(whole, "trade", where=str(about.get("origin", "zip")))


def stream(
    source: BinaryIO | Path | bytes, about: Mapping[str, Any], *,
    countries: Iterable[str] = (), codes: Iterable[str] = (),
) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Yield the trade table piece by piece: of these countries on both sides, and these codes."""
    origin = str(about.get("origin", "zip"))
    both, kept = frozenset(countries), frozenset(codes)
    with bounded_zip(source, origin, MOST) as archive:
        for name, revision, _ in _members(archive, origin):
            for piece in _pieces(archive, name, origin):
                frame = _trade(piece, revision, about, origin)
                if both:
                    frame = frame[frame["reporter"].isin(both) & frame["partner"].isin(both)]
                if kept:
                    frame = frame[frame["code"].isin(kept)]
                if len(frame):
                    yield frame


def to_parquet(source: Path, target: Path, about: Mapping[str, Any]) -> int:
    """Write the trade table to a Parquet file, piece by piece; return its rows."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    schema = pa.Schema.from_pandas(tables.empty("trade"), preserve_index=False)
    count = 0
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for frame in stream(source, about):
                writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))
                count += len(frame)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return count


def _members(archive: zipfile.ZipFile, origin: str) -> list[tuple[str, str, str]]:
    """Return name, HS revision and year of the files in a zip."""
    found = []
    for name in sorted(archive.namelist()):
        hit = re.fullmatch(r"(?:.*/)?BACI_(HS\d\d)_Y(\d{4})_V\d{6}\w?\.csv", name)
        if hit and (revision := hs.revision(hit.group(1))):
            found.append((name, revision, hit.group(2)))
    if not found:
        raise SchemaMismatch(
            f"{origin}: {archive.namelist()[:5]}", "files such as BACI_HS17_Y2022_V202601.csv",
            _HELP,
        )  # fmt: skip
    return found


def _pieces(archive: zipfile.ZipFile, name: str, origin: str) -> Iterator[pd.DataFrame]:
    try:
        with archive.open(name) as raw:
            pieces = pd.read_csv(
                raw, dtype=_COLUMNS, na_values={"q": ["", "NA"]}, keep_default_na=False,
                skipinitialspace=True, chunksize=STEP, encoding="utf-8-sig",
            )  # fmt: skip
            for piece in pieces:
                if [*piece] != [*_COLUMNS]:
                    raise SchemaMismatch(
                        f"{origin}: {name} has {[*piece]}", f"{[*_COLUMNS]}", _HELP
                    )
                yield piece.reset_index(drop=True)
    except SchemaMismatch:
        raise
    except DAMAGED as error:  # ParserError is a ValueError
        raise SchemaMismatch(
            f"{origin}: {name} is damaged ({str(error)[:80]})",
            "year, two countries, code, two numbers",
            _HELP,
        ) from None


def _trade(
    piece: pd.DataFrame, revision: str, about: Mapping[str, Any], origin: str
) -> pd.DataFrame:
    fits = pd.DataFrame({name: piece[name].str.fullmatch(form) for name, form in _FORMS.items()})
    if not (fit := fits.all(axis=1)).all():
        raise SchemaMismatch(
            f"{origin}: {piece[~fit].iloc[0].tolist()}", "a year, two countries, a code", _HELP
        )
    names = {n: from_comtrade(int(n)) for n in {*piece["i"], *piece["j"]}}
    table = rows.trade(
        about, source=PUBLISHER, flow="X", freq="A", code_system=revision,
        code=hs_codes(piece["k"].str.zfill(6), where=origin),
        reporter=piece["i"].map(names).astype("str"), partner=piece["j"].map(names).astype("str"),
        period=pd.to_datetime(piece["t"] + "-01-01"),
        value=piece["v"] * 1000, weight=piece["q"] * 1000, estimated=True,
    )  # fmt: skip
    return tables.validate(table, "trade", where=origin)


def stored() -> Path:
    """Return the newest stored table of all pairs as one Parquet file, built once from its zip."""
    found = [raw for raw in store.catalogue() if raw.publisher == PUBLISHER]
    if not found:
        raise SourceUnavailable(
            "no table of all pairs of countries is stored",
            "BACI",
            "run `tradeflows refresh --source baci`",
        )
    raw = max(found, key=lambda one: (one.vintage, one.id))
    file = store.processed() / Path(raw.id).with_suffix(".parquet").name
    if not file.exists():
        to_parquet(raw.path, file, {"origin": raw.id, "vintage": raw.vintage})
    return file
