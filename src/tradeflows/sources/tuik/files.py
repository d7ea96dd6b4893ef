"""TÜİK: files that the user downloaded, in Turkish or English, CSV or workbook.

Nothing here goes online.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store
from tradeflows.codes.countries import plain
from tradeflows.errors import SchemaMismatch
from tradeflows.sources.registry import register
from tradeflows.sources.tabular import (
    bytes_of,
    country,
    currencies,
    flow,
    table_of,
    text_of,
    trade_of,
)
from tradeflows.sources.tuik import cubes
from tradeflows.sources.workbook import is_workbook, unpacked

__all__ = ["add", "parse", "read", "read_tuik"]

_VALUES = {
    "USD": ("value usd", "deger usd", "deger dolar", "deger abd dolari", "usd", "dolar", "dollar",
            "us dollar", "value us", "value us dollar"),
    "EUR": ("value eur", "deger eur", "deger euro", "eur", "euro", "avro", "value euro"),
    "TRY": ("value try", "deger try", "deger tl", "tl", "try", "value tl", "deger turk lirasi"),
    "": ("value", "deger"),
}  # fmt: skip
_NAMES = {
    "period": ("period", "donem", "tarih", "date", "month", "ay yil"),
    "year": ("year", "yil"),
    "month": ("month", "ay", "month no", "ay no"),
    "flow": ("flow", "akim", "ihracat ithalat", "ihrith", "islem", "trade flow", "type"),
    "partner": ("ulke adi", "country name", "partner", "country", "ulke", "ulke kodu"),
    "code": ("hs12", "gtip", "gtip12", "hs10", "hs8", "hs6", "code", "cn8", "gtip kodu", "hs code",
             "istpoz"),
    "weight": ("netwgt kg", "net kg", "kilogram", "kilo", "net weight kg", "miktar kg",
               "net agirlik kg", "net agirlik", "net weight", "kg", "miktar 1"),
    "quantity": ("suppl qty", "quantity", "miktar", "miktar 2", "supplementary quantity",
                 "tamamlayici miktar", "quantity 2", "olcu miktari"),
    "unit": ("suppl unit", "unit", "birim", "olcu birimi", "olcu birim", "olcu adi",
             "quantity unit"),
    "reporter": ("reporter",),
    "currency": ("para birimi", "para birimi kodu", "currency", "currency code"),
    "weight unit": ("agirlik birimi", "weight unit"),
    "weight status": ("weight status", "agirlik durumu"),
    "estimated": ("isnetwgtestimated", "is net weight estimated", "estimated", "tahmini"),
    "confidential": ("confidential", "gizli", "gizlilik"),
    "goods": ("description", "description en", "istpoz adi", "gtip adi", "madde adi", "urun adi"),
}  # fmt: skip
_NEEDED = ("flow", "partner", "code", "value", "weight")
_HELP = "download the table again with product code, month, flow, value in USD and net kilograms"


def read_tuik(file: str | Path, **constants: str) -> pd.DataFrame:
    """Read a file of TÜİK: one downloaded, or one that the script for a browser saved.

    Of the latter count and sums are checked; ``tradeflows refresh --source tuik --by-hand`` prints
    the script.

    Parameters
    ----------
    file : str or Path
        CSV (plain or gzipped) or XLSX, as downloaded.
    **constants : str
        What a downloaded file does not say: ``partner`` (ISO alpha-3), ``flow``, ``trade_system``,
        ``currency`` of the values, and ``decimal``, the decimal sign, where a column of numbers
        reads in two ways.

    Returns
    -------
    pandas.DataFrame
        The table ``trade``: values in USD, weights in kg.

    Raises
    ------
    SchemaMismatch, UnknownCode
        As `parse`; no such file.

    Examples
    --------
    >>> read_tuik("no.csv")
    Traceback (most recent call last):
    tradeflows.errors.SchemaMismatch: no.csv: no such file...
    """
    about = {"origin": Path(file).name, "constants": constants, "more": True}
    return parse(bytes_of(Path(file)), about | {"vintage": datetime.now(UTC).date().isoformat()})


def add(file: Path, **constants: str) -> store.Raw:
    """Store a file that `read_tuik` reads, after reading it whole."""
    data = bytes_of(file)
    today = datetime.now(UTC).date().isoformat()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain(file.stem)).strip("-.") or "table"
    suffix = "".join(s for s in file.suffixes if s in (".csv", ".xlsx", ".gz", ".txt")) or ".csv"
    place = f"tuik/live/{name.removesuffix('.csv')}@{today}{suffix}"
    about = {"origin": place, "vintage": today, "constants": constants}
    table = parse(data, about)
    return store.put(
        place,
        data,
        {
            **cubes.TERMS,
            "title": f"Foreign trade by product and month ({file.name})",
            "url": "https://data.tuik.gov.tr",
            "accessed": today,
            "vintage": today,
            "coverage": f"{table['period'].min():%Y-%m} to {table['period'].max():%Y-%m}",
            "obtained": "downloaded by the user",
            "table": "trade",
            "rows": len(table),
            "constants": constants,
            "traps": [f"Values were in {name}: in USD at each month's mean rate of the ECB."
                      for name in table.attrs.get("converted", [])],
        },
    )  # fmt: skip


@register("tuik")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored file as the trade table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage, "constants": raw.constants})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    r"""Turn a downloaded table, or what the database answered, into the trade table.

    Headings in Turkish or English, ``;``, ``,`` or tabs between fields, decimal comma or point,
    cp1254 or UTF-8, codes of 2 to 12 digits. Values in lira or euro become USD at the mean rate of
    the month. A quantity without a unit is none.

    >>> text = "Yıl;Ay;Akım;Ülke;GTİP;Değer (USD);Net Ağırlık (KG)\n"
    >>> text += "2025;1;İthalat;Rusya Federasyonu;27.99.99.99.00.00;1.894.617.765,00;0\n"
    >>> table = parse(text.encode("cp1254"), {"origin": "x", "vintage": "2026-01-01"})
    >>> table["code"].item(), table["weight_status"].item(), table["value_usd"].item()
    ('279999990000', 'missing', 1894617765.0)
    """
    origin, constants = str(about.get("origin", "file")), dict(about.get("constants", {}))
    data = data if is_workbook(data) else unpacked(data, origin)
    if cubes.is_cube(data):
        return cubes.parse(data, about)
    raw = table_of(data, origin)
    columns = _named(raw, constants, origin)
    for name, said in about.get("unsaid", {}).items():
        columns.setdefault(name, pd.Series(said, index=raw.index))
    missing = [n for n in _NEEDED if n not in columns]
    if not ({"period"} <= set(columns) or {"year", "month"} <= set(columns)):
        missing += ["period", *(n for n in ("year", "month") if n not in columns)]
    if missing:
        said = [f"{n}={e!r}" for n, e in (("partner", "RUS"), ("flow", "M")) if n in missing]
        say = f"say what the file does not: tf.read_tuik(file, {', '.join(said)}), or "
        raise SchemaMismatch(
            f"{origin}: no column for {', '.join(missing)} among"
            f" {', '.join(map(str, raw.columns[:12]))}",
            f"headings such as {_headings(missing)}",
            say * bool(said) + _HELP,
        )
    if odd := {country(n) for n in columns.pop("reporter", pd.Series(["TUR"])).unique()} - {"TUR"}:
        raise SchemaMismatch(f"{origin}: reporters {', '.join(sorted(odd))}", "Turkey alone", _HELP)
    known = {name for names in (*_NAMES.values(), *_VALUES.values()) for name in names}
    more = raw[[c for c in raw if about.get("more") and plain(c) not in known]]
    table = trade_of(
        columns, {**about, "origin": origin, "decimal": constants.get("decimal", "")}, freq="M",
        more=more, source=cubes.PUBLISHER, reporter="TUR",
        trade_system=str(constants.get("trade_system", "special")),
    )  # fmt: skip
    table.attrs["converted"] = sorted(set(columns["currency"]) - {"USD"})
    return table


def _headings(meanings: Iterable[str]) -> str:
    """Return the headings that are read for these meanings."""
    every = {"value": [n for names in _VALUES.values() for n in names], **_NAMES}
    return "; ".join(f"{meaning}: {', '.join(every[meaning])}" for meaning in meanings)


def _named(raw: pd.DataFrame, constants: Mapping[str, str], origin: str) -> dict[str, pd.Series]:
    """Return the columns by meaning, constants among them; the first heading that fits counts."""
    headings = [plain(c) for c in raw.columns]

    def first(names: Iterable[str]) -> pd.Series | None:
        hit = next((headings.index(n) for n in names if n in headings), None)
        return None if hit is None else raw.iloc[:, hit]

    columns = {m: column for m, names in _NAMES.items() if (column := first(names)) is not None}
    if not columns:
        known = _headings([*_NEEDED, "period", "year", "month"])
        raise SchemaMismatch(f"{origin}: no known heading", f"some of {known}", _HELP)
    if "period" in columns and "year" not in columns:
        columns.pop("month", None)
    for name, read in (("flow", flow), ("partner", country), ("reporter", country)):
        if name in constants:
            said = constants[name]
            there = columns.get(name, pd.Series(said, index=raw.index))
            if other := [w for w in there.unique() if read(w) != read(said)]:
                raise SchemaMismatch(
                    f"{origin}: {name}={said!r}, though the file says"
                    f" {', '.join(map(repr, other[:5]))}",
                    f"{name}= for files that do not name it",
                    f"leave {name}= out: the column of the file counts",
                )
            columns[name] = there
    said, stated = constants.get("currency", ""), columns.pop("currency", None)
    for money, names in _VALUES.items():
        value = first(names)
        if value is not None and "value" not in columns:
            texts = None if stated is None else stated.map(text_of)
            columns |= {"value": value, "currency": currencies(value, money, said, texts, origin)}
    return columns
