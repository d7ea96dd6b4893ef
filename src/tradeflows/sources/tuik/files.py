"""TÜİK: files that the user downloaded, in Turkish or English, CSV or workbook.

Nothing here goes online.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import from_name, plain
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch
from tradeflows.sources import rows, snapshot
from tradeflows.sources.registry import register
from tradeflows.sources.rows import EMPTY, amounts, currency, in_dollars
from tradeflows.sources.tuik import cubes
from tradeflows.sources.workbook import first_sheet, unpacked

__all__ = ["add", "parse", "read", "read_tuik"]

LIMIT = 512 * 1024 * 1024
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
_FLOWS = {"m": "M", "x": "X", "ithalat": "M", "ihracat": "X", "import": "M", "export": "X",
          "imports": "M", "exports": "X"}  # fmt: skip
_FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "y", "evet", "e", "x", "gizli"), True),
    **dict.fromkeys(("", "0", "false", "no", "n", "hayir", "h"), False),
}
_KILOGRAMS = {"": 1.0} | {w: rows.KILOGRAMS[unit] for unit, words in rows.WEIGHTS.items()
                          for w in words}  # fmt: skip
_STATUS = {word: word for word in ("", *tables.STATUS)}
_MONTHS = {name: n for n, names in enumerate(
    ("ocak january jan", "subat february feb", "mart march mar", "nisan april apr",
     "mayis may", "haziran june jun", "temmuz july jul", "agustos august aug",
     "eylul september sep", "ekim october oct", "kasim november nov", "aralik december dec"), 1)
    for name in names.split()}  # fmt: skip
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
    tradeflows.errors.SchemaMismatch: no.csv: no file, or more than 512 MB...
    """
    about = {"origin": Path(file).name, "constants": constants, "more": True}
    return parse(_bytes(Path(file)), about | {"vintage": datetime.now(UTC).date().isoformat()})


def _bytes(file: Path) -> bytes:
    if not file.is_file() or file.stat().st_size > LIMIT:
        raise SchemaMismatch(
            f"{file.name}: no file, or more than {LIMIT >> 20} MB", "a downloaded table", _HELP
        )
    return file.read_bytes()


def add(file: Path, **constants: str) -> store.Raw:
    """Store a file that `read_tuik` reads, after reading it whole."""
    data = _bytes(file)
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
    if cubes.is_cube(data):
        return cubes.parse(data, about)
    origin = str(about.get("origin", "file"))
    raw = _table(data, origin)
    constants = dict(about.get("constants", {}))
    columns = _named(raw, constants, origin)
    for name, said in about.get("unsaid", {}).items():
        columns.setdefault(name, pd.Series(said, index=raw.index))
    missing = [n for n in _NEEDED if n not in columns]
    if not ({"period"} <= set(columns) or {"year", "month"} <= set(columns)):
        missing += ["period", *(n for n in ("year", "month") if n not in columns)]
    if missing:
        said = [f"{n}={e!r}" for n, e in (("partner", "RUS"), ("flow", "M")) if n in missing]
        say = (
            f"say what the file does not: tf.read_tuik(file, {', '.join(said)}), or "
            if said
            else ""
        )
        raise SchemaMismatch(
            f"{origin}: no column for {', '.join(missing)} among"
            f" {', '.join(map(str, raw.columns[:12]))}",
            f"headings such as {_headings(missing)}",
            say + _HELP,
        )
    known = {name for names in (*_NAMES.values(), *_VALUES.values()) for name in names}
    more = raw[[c for c in raw if about.get("more") and plain(c) not in known]]
    return _trade(columns, about, constants, origin, more)


def _headings(meanings: Iterable[str]) -> str:
    """Return the headings that are read for these meanings."""
    every = {"value": [n for names in _VALUES.values() for n in names], **_NAMES}
    return "; ".join(f"{meaning}: {', '.join(every[meaning])}" for meaning in meanings)


def _table(data: bytes, origin: str) -> pd.DataFrame:
    if data[:4] == b"PK\x03\x04":
        grid = first_sheet(data, origin)
        cells = [["" if v is None else v for v in r] for r in grid]
        top = next((i for i, r in enumerate(cells) if sum(v != "" for v in r) >= 4), None)
        if top is None:
            raise SchemaMismatch(f"{origin}: no row with headings", "a downloaded table", _HELP)
        width = len(cells[top])
        body = [(r + [""] * width)[:width] for r in cells[top + 1 :] if any(v != "" for v in r)]
        return pd.DataFrame(body, columns=list(map(str, cells[top])), dtype=object)
    text = _text(unpacked(data, origin, LIMIT), origin)
    wide = (line for line in text.splitlines() if max(map(line.count, ";\t,")) >= 3)
    separator = max((";", "\t", ","), key=next(wide, text).count)
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise SchemaMismatch(f"{origin}: no CSV ({error})", "a downloaded table", _HELP) from None
    full = [line for line in lines if any(cell.strip() for cell in line)]
    titled = next((i for i, n in enumerate(full) if sum(c.strip() != "" for c in n) >= 4), 0)
    full = full[titled:]  # titles may stand above the headings
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


def _text(data: bytes, origin: str) -> str:
    for encoding in ("utf-8-sig", "cp1254"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise SchemaMismatch(f"{origin}: no text in UTF-8 or cp1254", "a CSV table", _HELP)


def _named(raw: pd.DataFrame, constants: Mapping[str, str], origin: str) -> dict[str, pd.Series]:
    """Return the columns by meaning, constants among them; the first heading that fits counts."""
    headings = [plain(c) for c in raw.columns]

    def first(names: tuple[str, ...]) -> pd.Series | None:
        hit = next((headings.index(n) for n in names if n in headings), None)
        return None if hit is None else raw.iloc[:, hit]

    found = {meaning: first(names) for meaning, names in _NAMES.items()}
    columns = {
        meaning: column if meaning in ("code", "weight", "quantity") else column.map(_text_of)
        for meaning, column in found.items()
        if column is not None
    }
    if not columns:
        known = _headings([*_NEEDED, "period", "year", "month"])
        raise SchemaMismatch(f"{origin}: no known heading", f"some of {known}", _HELP)
    if {"year", "month"} <= set(columns):
        columns.pop("period", None)
    for name in ("flow", "partner", "reporter"):
        if name in constants:
            _agree(columns.get(name), name, constants[name], origin)
            columns.setdefault(name, pd.Series(constants[name], index=raw.index))
    for code, names in _VALUES.items():
        value = first(names)
        if value is not None and "value" not in columns:
            columns["value"] = value
            columns["currency"] = _currencies(
                columns.get("currency"), code, constants, origin, value
            )
    return columns


def _text_of(cell: Any) -> str:
    """Return a cell as text: whole numbers without a point, days as their month."""
    if isinstance(cell, date):
        return f"{cell:%Y-%m}"
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    return str(cell).strip()


_MEANING = {"flow": lambda word: _FLOWS.get(plain(word).split(" ")[0], "?"), "partner": from_name,
            "reporter": from_name}  # fmt: skip


def _agree(column: pd.Series | None, name: str, said: str, origin: str) -> None:
    """Refuse a constant for a column that the file has and fills otherwise."""
    means = _MEANING[name]
    other = [] if column is None else [w for w in column.unique() if means(w) != means(said)]
    if other:
        raise SchemaMismatch(
            f"{origin}: {name}={said!r}, though the file says {', '.join(map(repr, other[:5]))}",
            f"{name}= for files that do not name it",
            f"leave {name}= out: the column of the file counts",
        )


def _currencies(
    column: pd.Series | None, heading: str, constants: Mapping[str, str], origin: str,
    value: pd.Series,
) -> pd.Series:  # fmt: skip
    """Return the currency of every value: what heading, column and constant agree on."""
    said = {"the heading": heading, "currency=": currency(constants.get("currency", "") or heading)}
    words = set() if column is None else set(column[~value.map(_text_of).isin(EMPTY)])
    known = {word: currency(word) for word in words}
    if unknown := [word for word, code in known.items() if not code]:
        raise SchemaMismatch(
            f"{origin}: values in {', '.join(map(repr, unknown[:5]))}",
            "values in USD, euro or Turkish lira",
            "download the table in US dollars",
        )
    one = {code for code in said.values() if code}
    if len(one) > 1 or (one and set(known.values()) - one):
        raise SchemaMismatch(
            f"{origin}: the column of currencies says {', '.join(sorted(words)) or 'nothing'},"
            f" {', '.join(f'{k} {v}' for k, v in said.items() if v)}",
            "one currency for one value",
            "download the table in US dollars, or correct currency=",
        )
    if column is not None and words:
        return column.map(known).fillna("USD")
    if not one:
        raise SchemaMismatch(
            f"{origin}: values whose currency neither a heading nor a column names",
            "a heading such as Değer (USD), or a column Para birimi",
            "pass currency='USD' if that is what the download says, or download it in US dollars",
        )
    return pd.Series(one.pop(), index=value.index)


def _months(columns: Mapping[str, pd.Series], origin: str) -> pd.Series:
    if "period" in columns:
        text = columns["period"].str.replace(r"[./]", "-", regex=True)
        text = text.str.replace(r"^(\d{4})(\d{2})$", r"\1-\2", regex=True)
        text = text.str.replace(r"^(\d{1,2})-(\d{4})$", r"\2-\1", regex=True)
        text = text.str.slice(0, 7)
    else:
        month = columns["month"].map(lambda m: str(_MONTHS.get(plain(m), m)))
        year = columns["year"].str.removesuffix(".0")
        text = year + "-" + month.str.removesuffix(".0").str.zfill(2)
    days = pd.to_datetime(text, format="%Y-%m", errors="coerce")
    if days.isna().any():
        odd = text[days.isna()].iloc[0]
        raise SchemaMismatch(f"{origin}: month {odd!r}", "months such as 2025-01", _HELP)
    return days


def _trade(
    columns: dict[str, pd.Series], about: Mapping[str, Any], constants: Mapping[str, Any],
    origin: str, more: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    code = hs_codes(columns["code"], where=origin, also="(?!)")
    flow = columns["flow"].map(_MEANING["flow"])
    if (flow == "?").any():
        raise SchemaMismatch(
            f"{origin}: {columns['flow'][flow == '?'].iloc[0]!r}",
            "İhracat/İthalat, Export/Import, X/M", _HELP,
        )  # fmt: skip
    decimal = str(constants.get("decimal", ""))
    number = {
        name: amounts(columns[name], f"{origin}: {name}", decimal=decimal)
        for name in ("value", "weight", *(["quantity"] if "unit" in columns else []))
        if name in columns
    }
    days = _months(columns, origin)
    kinds = columns["currency"]
    rates = snapshot.rates() if set(kinds) != {"USD"} else pd.DataFrame()
    value = in_dollars(number["value"], kinds, days, rates, origin)
    marked = _meant(columns, "weight status", _STATUS, origin)
    estimated = _meant(columns, "estimated", _FLAGS, origin) | (marked == "estimated")
    weight = number["weight"] * _meant(columns, "weight unit", _KILOGRAMS, origin)
    net, net_status = rows.measured(weight.mask(marked == "missing"), value, estimated)
    unit = columns.get("unit", pd.Series("", index=code.index)).str.rpartition("/")[2].str.strip()
    unit = unit.mask(unit.isin(EMPTY))
    amount = number.get("quantity", pd.Series(float("nan"), index=code.index)).where(unit.notna())
    quantity, quantity_status = rows.measured(amount, value, pd.Series(False, index=code.index))
    names = {n: from_name(n) for n in columns["partner"].unique()}
    reporters = {from_name(n) for n in columns.get("reporter", pd.Series(["TUR"])).unique()}
    if reporters != {"TUR"}:
        raise SchemaMismatch(
            f"{origin}: reporters {', '.join(sorted(reporters))}", "Turkey alone", _HELP
        )
    hidden = _meant(columns, "confidential", _FLAGS, origin)
    if "goods" in columns:
        hidden |= columns["goods"].map(plain) == "gizli veri"
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": cubes.PUBLISHER,
            "vintage": str(about.get("vintage", "unknown")),
            "trade_system": str(constants.get("trade_system", "special")),
            "reporter": "TUR",
            "partner": columns["partner"].map(names).astype("str"),
            "flow": flow.astype("str"),
            "freq": "M",
            "period": days,
            "code_system": rows.revision(days),
            "code": code,
            "level": code.str.len().astype("Int64"),
            "value_usd": value,
            "valuation": flow.map({"M": "CIF", "X": "FOB"}),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": quantity,
            "quantity_unit": unit.where(quantity.notna()).astype("str"),
            "quantity_status": quantity_status,
            "confidential": rows.confidential(code) | hidden,
        }
    )
    key = table[["partner", "flow", "period", "code"]]
    table = tables.validate(table, "trade", where=origin)
    if len(more.columns):
        table = rows.with_more(table, key, more, origin)
    table.attrs["converted"] = sorted(set(kinds) - {"USD"})
    return table


def _meant(
    columns: Mapping[str, pd.Series], name: str, known: Mapping[str, Any], origin: str
) -> pd.Series:
    """Return what the words of a column mean; a column that is not there holds empty words."""
    words = columns.get(name, pd.Series("", index=columns["code"].index)).map(plain)
    odd = ~words.isin(list(known))
    if odd.any():
        raise SchemaMismatch(
            f"{origin}: {name} holds {columns[name][odd].iloc[0]!r}", f"one of {list(known)}", _HELP
        )
    return words.map(known)
