"""TÜİK: files that the user downloaded, in Turkish or English, CSV or workbook.

Nothing here goes online: the institute's interfaces do not answer anonymous calls.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import countries
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.sources import rows
from tradeflows.sources.workbook import first_sheet

__all__ = ["PUBLISHER", "add", "parse", "read"]

PUBLISHER = "TÜİK"
LIMIT = 512 * 1024 * 1024
_NAMES = {
    "period": ("period", "donem", "tarih", "date", "month", "ay yil"),
    "year": ("year", "yil"),
    "month": ("month", "ay", "month no", "ay no"),
    "flow": ("flow", "akim", "ihracat ithalat", "islem", "trade flow", "type"),
    "partner": ("partner", "country", "ulke", "ulke adi", "country name", "ulke kodu"),
    "code": ("hs12", "gtip", "gtip12", "hs10", "hs8", "hs6", "code", "cn8", "gtip kodu", "hs code"),
    "value": ("value usd", "deger usd", "usd", "dolar", "dollar", "value", "deger", "us dollar"),
    "weight": ("netwgt kg", "net kg", "kilogram", "net weight kg", "miktar kg", "net agirlik kg",
               "net agirlik", "net weight", "kg"),
    "quantity": ("suppl qty", "quantity", "miktar", "miktar 2", "supplementary quantity",
                 "tamamlayici miktar", "quantity 2", "olcu miktari"),
    "unit": ("suppl unit", "unit", "birim", "olcu birimi", "olcu birim", "quantity unit"),
    "reporter": ("reporter",),
}  # fmt: skip
_FLOWS = {"m": "M", "x": "X", "ithalat": "M", "ihracat": "X", "import": "M", "export": "X",
          "imports": "M", "exports": "X"}  # fmt: skip
_COUNTRIES = {"rusya federasyonu": "RUS", "rusya": "RUS", "russia": "RUS", "almanya": "DEU",
              "kazakistan": "KAZ", "kirgizistan": "KGZ", "ozbekistan": "UZB", "gurcistan": "GEO",
              "azerbaycan": "AZE", "azerbaycan nahcivan": "AZE", "ermenistan": "ARM",
              "abd": "USA", "cin": "CHN", "gizli ulke": "Confidential country"}  # fmt: skip
_MONTHS = {name: n for n, names in enumerate(
    ("ocak january jan", "subat february feb", "mart march mar", "nisan april apr",
     "mayis may", "haziran june jun", "temmuz july jul", "agustos august aug",
     "eylul september sep", "ekim october oct", "kasim november nov", "aralik december dec"), 1)
    for name in names.split()}  # fmt: skip
_HELP = "download the table again with product code, month, flow, value in USD and net kilograms"


def add(file: Path, **constants: str) -> store.Raw:
    """Store a file the user downloaded, after reading it whole.

    Parameters
    ----------
    file : Path
        CSV (plain or gzipped) or XLSX, as downloaded.
    **constants : str
        What the file does not say: ``partner`` (ISO alpha-3), ``flow``, ``trade_system``.

    Returns
    -------
    Raw
    """
    if not file.is_file() or file.stat().st_size > LIMIT:
        raise SchemaMismatch(
            f"{file.name}: no file, or more than {LIMIT >> 20} MB", "a downloaded table", _HELP
        )
    data = file.read_bytes()
    today = datetime.now(UTC).date().isoformat()
    name = re.sub(r"[^a-z0-9._-]+", "-", _plain(file.stem)).strip("-.") or "table"
    suffix = "".join(s for s in file.suffixes if s in (".csv", ".xlsx", ".gz", ".txt")) or ".csv"
    place = f"tuik/live/{name.removesuffix('.csv')}@{today}{suffix}"
    about = {"origin": place, "vintage": today, "constants": constants}
    table = parse(data, about)
    return store.put(
        place,
        data,
        {
            "publisher": PUBLISHER,
            "title": f"Foreign trade by product and month ({file.name})",
            "url": "https://data.tuik.gov.tr",
            "licence": "TÜİK: free use with attribution",
            "terms": "Cite the Turkish Statistical Institute as the source.",
            "accessed": today,
            "vintage": today,
            "coverage": f"{table['period'].min():%Y-%m} to {table['period'].max():%Y-%m}",
            "obtained": "downloaded by the user",
            "table": "trade",
            "rows": len(table),
            "constants": constants,
        },
    )


def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored file as the trade table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage, "constants": raw.constants})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    r"""Turn a downloaded table into the trade table.

    Headings in Turkish or English, ``;``, ``,`` or tabs between fields, decimal comma or point,
    cp1254 or UTF-8, codes of 2 to 12 digits.

    Parameters
    ----------
    data : bytes
        CSV, gzipped CSV or XLSX.
    about : mapping
        ``origin``, ``vintage`` and ``constants`` for what the file does not say.

    Raises
    ------
    SchemaMismatch
        Not a table, or without the columns a trade table needs.

    Examples
    --------
    >>> text = "Yıl;Ay;Akım;Ülke;GTİP;Değer (USD);Net Ağırlık (KG)\n"
    >>> text += "2025;1;İthalat;Rusya Federasyonu;27.99.99.99.00.00;1.894.617.765,00;0\n"
    >>> table = parse(text.encode("cp1254"), {"origin": "x", "vintage": "2026-01-01"})
    >>> table["code"].item(), table["weight_status"].item(), table["value_usd"].item()
    ('279999990000', 'missing', 1894617765.0)
    """
    origin = str(about.get("origin", "file"))
    raw = _table(data, origin)
    columns = _named(raw, origin)
    constants = dict(about.get("constants", {}))
    for name in ("flow", "partner", "reporter"):
        if name not in columns and name in constants:
            columns[name] = pd.Series(constants[name], index=raw.index)
    missing = [n for n in ("flow", "partner", "code", "value", "weight") if n not in columns]
    if missing or not ({"period"} <= set(columns) or {"year", "month"} <= set(columns)):
        raise SchemaMismatch(
            f"{origin}: {[str(c) for c in raw.columns][:12]} lack {missing or 'the month'}",
            f"columns for {', '.join(n for n in _NAMES if n not in ('unit', 'reporter'))}",
            _HELP,
        )
    return _trade(columns, about, constants, origin)


def _table(data: bytes, origin: str) -> pd.DataFrame:
    if data[:4] == b"PK\x03\x04":
        grid = first_sheet(data, origin)
        cells = [["" if v is None else str(v).strip() for v in r] for r in grid]
        top = next((i for i, r in enumerate(cells) if sum(map(bool, r)) >= 4), None)
        if top is None:
            raise SchemaMismatch(f"{origin}: no row with headings", "a downloaded table", _HELP)
        width = len(cells[top])
        body = [(r + [""] * width)[:width] for r in cells[top + 1 :] if any(r)]
        return pd.DataFrame(body, columns=cells[top], dtype="str")
    text = _text(_unzipped(data, origin), origin)
    head, _, _ = text.partition("\n")
    separator = max((";", "\t", ","), key=head.count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise SchemaMismatch(f"{origin}: no CSV ({error})", "a downloaded table", _HELP) from None
    full = [line for line in lines if any(cell.strip() for cell in line)]
    if len(full) < 2:
        raise SchemaMismatch(f"{origin}: {len(full)} lines", "headings and rows", _HELP)
    odd = next((i for i, line in enumerate(full) if len(line) != len(full[0])), None)
    if odd is not None:
        raise SchemaMismatch(
            f"{origin}: line {odd + 1} has {len(full[odd])} fields",
            f"{len(full[0])} as in the headings",
            _HELP,
        )
    return pd.DataFrame(full[1:], columns=full[0])


def _unzipped(data: bytes, origin: str) -> bytes:
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            plain = stream.read(LIMIT + 1)
    except (OSError, EOFError, zlib.error):
        raise SchemaMismatch(f"{origin}: gzip that is cut", "a whole file", _HELP) from None
    if len(plain) > LIMIT:
        raise SchemaMismatch(
            f"{origin}: unpacks to more than {LIMIT >> 20} MB", "a downloaded table", _HELP
        )
    return plain


def _text(data: bytes, origin: str) -> str:
    for encoding in ("utf-8-sig", "cp1254"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SchemaMismatch(f"{origin}: no text in UTF-8 or cp1254", "a CSV table", _HELP)


def _plain(text: str) -> str:
    """Return lower-case letters and digits: ``Değer (USD)`` becomes ``deger usd``."""
    text = str(text).replace("ı", "i").replace("İ", "I").replace("_", " ")
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", folded).split())


def _named(raw: pd.DataFrame, origin: str) -> dict[str, pd.Series]:
    """Return the columns by meaning; the first heading that fits counts."""
    plain = [_plain(c) for c in raw.columns]
    found = {}
    for meaning, names in _NAMES.items():
        hit = next((plain.index(n) for n in names if n in plain), None)
        if hit is not None and not (meaning == "period" and "year" in found):
            found[meaning] = raw.iloc[:, hit].str.strip()
    if "year" in found and "month" in found:
        found.pop("period", None)
    if not found:
        raise SchemaMismatch(f"{origin}: no known heading", "a table of TÜİK", _HELP)
    return found


def _numbers(values: pd.Series, name: str, origin: str) -> pd.Series:
    """Return numbers; a comma is the decimal sign where one stands behind points or alone."""
    text = values.str.replace("[\\s\u00a0]", "", regex=True)
    comma = text.str.contains(",", regex=False).any()
    many = text.str.fullmatch(r"-?\d{1,3}(?:\.\d{3})+").any() and not text.str.contains(
        r"\.\d{1,2}$|\.\d{4,}$|e", regex=True, case=False
    ).any()  # fmt: skip
    english = text.str.contains(r",\d{3}(?:\.|,|$)", regex=True).any() and not (
        text.str.contains(r"\.\d{3}(?:\.|,)|,\d{1,2}$", regex=True).any()
    )
    if comma and english:
        text = text.str.replace(",", "", regex=False)
    elif comma or many:
        text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    number = pd.to_numeric(text.where(~text.isin(["", "-"])), errors="coerce").astype("float64")
    odd = number.isna() & ~text.isin(["", "-"])
    if odd.any():
        raise SchemaMismatch(
            f"{origin}: {name} holds {values[odd].iloc[0]!r}", "numbers in every row", _HELP
        )
    return number


def _months(columns: Mapping[str, pd.Series], origin: str) -> pd.Series:
    if "period" in columns:
        text = columns["period"].str.replace(r"[./]", "-", regex=True)
        text = text.str.replace(r"^(\d{4})(\d{2})$", r"\1-\2", regex=True)
        text = text.str.replace(r"^(\d{1,2})-(\d{4})$", r"\2-\1", regex=True)
        text = text.str.slice(0, 7)
    else:
        month = columns["month"].map(lambda m: str(_MONTHS.get(_plain(m), m)))
        text = columns["year"].str.slice(0, 4) + "-" + month.str.removesuffix(".0").str.zfill(2)
    days = pd.to_datetime(text, format="%Y-%m", errors="coerce")
    if days.isna().any():
        odd = text[days.isna()].iloc[0]
        raise SchemaMismatch(f"{origin}: month {odd!r}", "months such as 2025-01", _HELP)
    return days


def _partner(name: str) -> str:
    known = {c.code: c.code for c in countries()}
    if name.upper() in known:
        return name.upper()
    english = {_plain(c.name): c.code for c in countries()} | {"russian federation": "RUS"}
    found = (_COUNTRIES | english).get(_plain(re.sub(r"^\d+\s*-?\s*", "", name)))
    if not found:
        raise UnknownCode(
            f"no country {name!r}", "a country's ISO code, English or usual Turkish name",
            "pass partner=\"RUS\" or correct the file",
        )  # fmt: skip
    return found


def _trade(
    columns: dict[str, pd.Series], about: Mapping[str, Any], constants: Mapping[str, Any],
    origin: str,
) -> pd.DataFrame:  # fmt: skip
    code = columns["code"].str.replace(r"[.\s]", "", regex=True)
    odd = ~code.str.fullmatch(r"\d{2}|\d{4}|\d{6}|\d{8}|\d{10}|\d{12}")
    flow = columns["flow"].map(lambda f: _FLOWS.get(_plain(f).split(" ")[0], "?"))
    for bad, what, expected in (
        (odd, columns["code"], "HS codes of 2 to 12 digits, leading zeros kept"),
        (flow == "?", columns["flow"], "İhracat/İthalat, Export/Import, X/M"),
    ):
        if bad.any():
            raise SchemaMismatch(f"{origin}: {what[bad].iloc[0]!r}", expected, _HELP)
    value = _numbers(columns["value"], "value", origin)
    weight = _numbers(columns["weight"], "net weight", origin)
    none = pd.Series(float("nan"), index=code.index)
    amount = _numbers(columns["quantity"], "quantity", origin) if "quantity" in columns else none
    never = pd.Series(False, index=code.index)
    net, net_status = rows.measured(weight, value, never)
    quantity, quantity_status = rows.measured(amount, value, never)
    names = {n: _partner(n) for n in columns["partner"].unique()}
    days = _months(columns, origin)
    unit = columns.get("unit", pd.Series("supplementary unit", index=code.index))
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": str(about.get("vintage", "unknown")),
            "trade_system": str(constants.get("trade_system", "special")),
            "reporter": "TUR",
            "partner": columns["partner"].map(names).astype("str"),
            "flow": flow.astype("str"),
            "freq": "M",
            "period": days,
            "code_system": (days.dt.year >= 2022).map({True: "HS2022", False: "HS2017"}),
            "code": code.astype("str"),
            "level": code.str.len().astype("Int64"),
            "value_usd": value,
            "valuation": flow.map({"M": "CIF", "X": "FOB"}),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": quantity,
            "quantity_unit": unit.where(quantity.notna()).astype("str"),
            "quantity_status": quantity_status,
            "confidential": rows.confidential(code),
        }
    )
    return tables.validate(table, "trade", where=origin)
