"""Tables that people hold, in files and frames, as the table of trade.

`table_of` reads the table in a file, `trade_of` what stands in columns whose meaning is known:
periods, flows, amounts, currencies and units as people write them, where one reading is possible.
A word beside the noun of a column that is no unit known here is refused by name: read at face
value, barrels would be kilograms and rupees dollars.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from itertools import islice
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from tradeflows import tables
from tradeflows.codes.countries import from_name, plain
from tradeflows.codes.groups import ALL_GOODS
from tradeflows.codes.hs import hs_codes
from tradeflows.errors import SchemaMismatch, UnknownColumnWarning
from tradeflows.sources import rows, snapshot
from tradeflows.sources.workbook import is_workbook, sheet, unpacked


class Unit(NamedTuple):
    """A currency or kg, how many of it one is, and whether the text itself says so."""

    name: str
    size: float
    said: bool


NO_WEIGHT = "a quantity need not be a weight"
OPTIONS = {"value": "currency", "weight": "weight_unit"}
_USUAL = {"value": Unit("USD", 1.0, False), "weight": Unit("kg", 1.0, False)}
_SCALES = {
    1e3: "000 000s 1000 1000s k thousand thousands bin тыс тысяч тысячи",
    1e5: "lakh lakhs",
    1e6: "m mn mio mln million millions milyon млн миллион миллионов",
    1e7: "cr crore crores",
    1e9: "bn mrd billion billions milyar млрд миллиард миллиардов",
}
_UNITS = {
    "value": {
        ("USD", 1.0): "usd $ dollar dollars dolar dolari долл доллар доллара долларов долларах",
        ("EUR", 1.0): "eur euro euros avro € евро",
        ("TRY", 1.0): "try tl trl lira lirasi liras ₺",
    },
    "weight": {
        ("kg", 1.0): "kg kgs kilo kilos kilogram kilograms кг килограмм килограммов",
        ("kg", 1e3): "t MT ton tons tonne tonnes т тонн тонна тонны тоннах",
        ("kg", 1e6): "kt kilotonne kilotonnes",
        ("kg", 1e9): "Mt",  # mt may be either of two, and is no unit
        ("kg", 1e-3): "g gr gram grams г грамм",
        ("kg", 0.45359237): "lb lbs pound pounds",
    },
}
_QUANTITY = "quantity qty volume miktar miktari объем количество"  # which need not be weights
# Words of a heading that say nothing of the unit; some are halves of one: US dollars, metric tons.
_SILENT = {
    "value": "value values deger degeri tutar tutari стоимость amount fobvalue cifvalue",
    "weight": f"weight weights wgt netweight netwgt agirlik agirligi вес масса mass {_QUANTITY}",
    "": "of in the by for total net primary trade statistical customs fob cif нетто в import"
    " imports export exports ithalat ihracat ithalati ihracati импорт экспорт us s united states"
    " american abd amerikan сша metric turk turkish",
}

LIMIT = 4 << 30  # bytes of an unpacked file
STATED = {"value": "currency", "weight": "weight unit"}  # columns of units, by what they are of
_STATING = {
    "value": {"currency", "ccy", "para", "валюта"},
    "weight": {"unit", "units", "uom", "uqc", "edizm", "birim", "birimi", "единица", "изм"},
}
_NO_UNIT = {"value": set[str](), "weight": _STATING["value"] | {"value", "price", "deger", "fiyat"}}
_QUANTITIES = {"quantity", "qty", "miktar"}
_FLOWS = {"x": "X", "m": "M", "rx": "RX", "rm": "RM", "export": "X", "exports": "X", "import": "M",
          "imports": "M", "ihracat": "X", "ithalat": "M"}  # fmt: skip
_SUMS = ("total", "grand total", "all", "sum", "toplam", "genel toplam", "all products")
_NOTE = re.compile(r"(kaynak|source|not|note|aciklama|veri|guncelleme|son guncelleme)\b")
_HELP = "save it again as CSV or as a workbook, headings in one row and a line for each row"


def bytes_of(path: Path) -> bytes:
    """Return what a file of the user holds, unpacked."""
    if not path.is_file():
        raise SchemaMismatch(f"{path.name}: no such file", "a file of trade", "correct its name")
    return unpacked(path.read_bytes(), path.name, LIMIT)


def table_of(data: bytes, origin: str, page: str = "") -> pd.DataFrame:
    """Return the table in a CSV, a TSV or a sheet of a workbook.

    Titles above its headings are in its ``attrs``; notes below it are passed over.
    """
    if book := is_workbook(data):
        lines = [["" if v is None else v for v in line] for line in sheet(data, origin, page)]
    else:
        lines = _lines(data, origin)
    while lines and (not any(lines[-1]) or _is_note(lines[-1])):
        lines.pop()
    filled = [sum(str(c).strip() != "" for c in line) for line in lines[:60]]
    top = next((n for n, cells in enumerate(filled) if cells >= min(4, max(filled))), 0)
    if len(lines) - top < 2:
        raise SchemaMismatch(f"{origin}: {len(lines)} lines", "headings and rows", _HELP)
    width, body = len(lines[top]), []
    for n, line in enumerate(lines[top + 1 :], top + 2):
        if len(line) > width and not any(line[width:]):  # a separator more than headings
            del line[width:]
        if book:
            line += [""] * (width - len(line))
        if len(line) == width:
            body.append(line)
        elif any(line):
            raise SchemaMismatch(
                f"{origin}: line {n} has {len(line)} fields", f"{width} as in the headings",
                "delete it if it is no row of the table; if rows are cut, download it again",
            )  # fmt: skip
    table = pd.DataFrame([line for line in body if any(line)], columns=[*map(str, lines[top])],
                         dtype=object)  # fmt: skip
    table.attrs["titles"] = [" ".join(map(str, filter(None, line))) for line in lines[:top]]
    return table


def _lines(data: bytes, origin: str) -> list[list[Any]]:
    if data[:4] == b"\xd0\xcf\x11\xe0" or data.lstrip()[:5].lower() in (
        b"<html",
        b"<!doc",
        b"<tabl",
    ):
        kind = "a web page" if data.lstrip()[:1] == b"<" else "a workbook of Excel 97 (.xls)"
        raise SchemaMismatch(
            f"{origin}: {kind}", "a workbook of today (.xlsx), or CSV",
            "open it in Excel or LibreOffice and save it as .xlsx",
        )  # fmt: skip
    for encoding in ("utf-8-sig", "cp1254"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            break
    else:
        raise SchemaMismatch(f"{origin}: no text in UTF-8 or cp1254", "a CSV table", _HELP)
    first = list(islice(io.StringIO(text), 60))
    wide = (line for line in first if max(map(line.count, ";\t,")) >= 3)
    separator = max((";", "\t", ","), key=next(wide, "".join(first)).count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise SchemaMismatch(f"{origin}: no CSV ({error})", "a CSV table", _HELP) from None


def _is_note(line: list[Any]) -> bool:
    """Tell whether a line names sources or explains; a row that was cut does neither."""
    cells = [str(c).strip() for c in line if str(c).strip()]
    return len(cells) == 1 and (cells[0][0] in "*†(" or bool(_NOTE.match(plain(cells[0]))))


def trade_of(
    columns: Mapping[str, pd.Series], about: Mapping[str, Any], *, freq: Any = None,
    more: pd.DataFrame | None = None, **known: Any,
) -> pd.DataFrame:  # fmt: skip
    """Return the table of trade of columns by meaning.

    ``code``, ``value``, and ``period``, or ``year`` and ``month``, are needed; ``currency`` and
    ``weight unit`` say the unit of each row. ``about`` holds origin, vintage, the ``decimal`` sign,
    what the user says of units (see `OPTIONS`) and the titles of the table; ``known`` has columns
    of the table that stand in none, and ``more`` those that are kept as they are.
    """
    origin, index = str(about.get("origin", "file")), columns["code"].index

    def where(name: str) -> str:
        return f"{origin}: column {columns[name].name!r}"

    def meant(name: str, means: Mapping[str, Any]) -> pd.Series:
        said = columns.get(name, pd.Series("", index=index)).map(lambda v: plain(text_of(v)))
        if (odd := ~said.isin(list(means))).any():
            raise SchemaMismatch(
                f"{where(name)}, {name}: {columns[name][odd].iloc[0]!r}", f"one of {[*means]}",
                "correct these cells",
            )  # fmt: skip
        return said.map(means)

    nothing = pd.Series(float("nan"), index=index)
    for name in ("period", "year", "code"):
        for row, cell in columns.get(name, nothing).items():
            if plain(cell) in _SUMS and str(cell) != ALL_GOODS:
                raise SchemaMismatch(
                    f"{where(name)} holds {cell!r}: row {row} is a sum of others",
                    "rows of single codes and periods", "delete the rows of totals",
                )  # fmt: skip
    days, rhythm = _periods(columns, freq, origin)
    code = hs_codes(columns["code"], where=where("code"))
    number = {
        name: rows.amounts(columns[name], where(name), decimal=str(about.get("decimal", "")))
        for name in ("value", "weight", "quantity") if name in columns
    }  # fmt: skip
    unit_of_row = {kind: _units(columns, kind, about) for kind in OPTIONS if kind in columns}
    for kind, found in unit_of_row.items():
        number[kind] *= found.map(lambda u: u.size if u else float("nan")).astype(float)
    value, kinds = number["value"], unit_of_row["value"].map(lambda u: u.name)
    if converted := sorted({*kinds} - {"USD"}):
        value = rows.in_dollars(value, kinds, days, snapshot.rates(), where("value"))
    marked = meant("weight status", {word: word for word in ("", *tables.STATUS)})
    unit = columns.get("unit", pd.Series("", index=index)).map(text_of).str.rpartition("/")[2]
    unit = unit.str.strip().mask(unit.isin(rows.EMPTY))
    hidden = meant("confidential", rows.FLAGS)
    if "goods" in columns:
        hidden |= columns["goods"].map(plain) == "gizli veri"
    sides = {name: columns[name].map({w: read(w) for w in columns[name].unique()}).astype("str")
             for name, read in (("reporter", country), ("partner", country), ("flow", flow))
             if name in columns}  # fmt: skip
    table = rows.trade(
        about, period=days, code=code, value=value,
        weight=number.get("weight", nothing).mask(marked == "missing"),
        estimated=meant("estimated", rows.FLAGS) | (marked == "estimated"),
        quantity=number.get("quantity", nothing).where(unit.notna()), unit=unit, hidden=hidden,
        **{"freq": rhythm, **known, **sides},
    )  # fmt: skip
    table = rows.with_more(table, more, origin)
    table.attrs["converted"] = converted
    return table


def _units(columns: Mapping[str, pd.Series], kind: str, about: Mapping[str, Any]) -> pd.Series:
    """Return the unit of each row of values or weights, of weights None where it is no weight.

    Heading, titles, the user and a column that states units have to agree.
    """
    column, stated, origin = columns[kind], columns.get(STATED[kind]), about.get("origin", "file")
    said = str(about.get(OPTIONS[kind], ""))
    empty = stated is None or stated.map(text_of).isin(rows.EMPTY).any()
    try:
        own = unit_of(column.name, kind, said)
    except SchemaMismatch as error:
        if empty or not error.found.endswith(NO_WEIGHT):
            raise
        own = None
    if own and not said:
        _refuse_titles(about.get("titles", ()), kind, column.name, own)
    if stated is None:
        return pd.Series([own] * len(column), index=column.index, dtype=object)
    found: dict[str, Unit | None] = dict.fromkeys(rows.EMPTY, own)
    for word in sorted(set(stated.map(text_of)) - {*rows.EMPTY}):
        try:
            found[word] = unit_of("", kind, word)
        except SchemaMismatch as error:
            if kind == "value":
                where = f"{origin}: column {stated.name!r}: values in {word}"
                raise SchemaMismatch(where, error.expected, error.todo) from None
            found[word] = None
        if own and own.said and found[word] not in (None, own):
            by = f"{OPTIONS[kind]}= says {said!r}" if said else f"the heading says {column.name!r}"
            raise SchemaMismatch(
                f"{origin}: column {stated.name!r} says {word}, {by}",
                "one unit for one number",
                f"leave out what is wrong: {OPTIONS[kind]}=, or the column {stated.name!r}",
            )
    lost = stated.map(text_of).map(lambda word: found[word] is None)
    if lost.any():
        names = ", ".join(sorted({text_of(word) for word in stated[lost]}))
        warnings.warn(
            f"{origin}: {int(lost.sum())} of {len(column)} rows have no weight: column"
            f" {stated.name!r} says {names}, which is no unit of weight",
            UnknownColumnWarning, stacklevel=4,
        )  # fmt: skip
    return stated.map(lambda word: found[text_of(word)]).astype(object)


def unit_column(frame: pd.DataFrame, kind: str, number: str) -> pd.Series | None:
    """Return the column of a frame that states units of weights, or currencies, if one does.

    A column of units beside another column of quantities is of those.
    """
    told = {column: {*map(str.lower, words(str(column)))} for column in frame if column != number}
    stating = [c for c, said in told.items() if said & _STATING[kind] and not said & _NO_UNIT[kind]]
    if kind == "weight":
        named = [c for c in stating if told[c] & {"weight", "agirlik", "wgt"}]
        quantity = any(said & _QUANTITIES for c, said in told.items() if c not in stating)
        stating = named or ([] if quantity else stating)
    if len(stating) > 1:
        raise SchemaMismatch(
            f"columns {' and '.join(map(repr, stating))} both state a unit", "one",
            "leave out what is not of these numbers",
        )  # fmt: skip
    return frame[stating[0]] if stating else None


@cache
def words(text: str) -> tuple[str, ...]:
    """Return the words and signs of currencies in a text, accents left off."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.replace("ı", "i").replace("İ", "I"))
    text = re.sub(r"(?<!\d)1[ .,\u00a0]000(?!\d)", "1000", text)
    text = re.sub(r"\bu\.s\.?", "us ", text, flags=re.IGNORECASE)
    letters = [c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)]
    apart = (f" {c} " if unicodedata.category(c) == "Sc" else c for c in letters)
    return tuple(re.findall(r"[^\W_]+|[^\w\s.,;:()\[\]/'’`´\"*&+–-]", "".join(apart)))


@cache
def _means(kind: str) -> dict[str, Any]:
    """Return what words mean: the size of a scale, name and size of a unit, None for nothing."""
    listed = [*_SCALES.items(), *_UNITS[kind].items(), (None, _SILENT[kind]), (None, _SILENT[""])]
    return {w: means for means, text in listed for word in text.split() for w in words(word)}


def _meanings(text: str, kind: str) -> list[tuple[str, Any]]:
    """Return each word of a text with what it means, "" where that is not known."""
    means = _means(kind)
    return [(word, means.get(word, means.get(word.lower(), ""))) for word in words(text)]


def unit_of(heading: object, kind: str, said: str = "") -> Unit:
    """Return the unit of a column: what the user says, else its name, else USD or kg.

    Raises
    ------
    SchemaMismatch
        A word that is no unit known, two units, a scale without a unit, or a heading that counts in
        thousands where the user says single ones.

    Examples
    --------
    >>> unit_of("Value (EUR)", "value"), unit_of("Ağırlık (bin ton)", "weight")
    (Unit(name='EUR', size=1.0, said=True), Unit(name='kg', size=1000000.0, said=True))
    """
    option, pairs = OPTIONS[kind], _meanings(said or str(heading), kind)
    unknown = " ".join(word for word, means in pairs if means == "")
    scales = [means for _, means in pairs if isinstance(means, float)]
    found = list(dict.fromkeys(means for _, means in pairs if isinstance(means, tuple)))
    size = scales[0] if scales else 1.0
    above = {m for _, m in _meanings(str(heading), kind) if isinstance(m, float)} - {*scales}
    reasons = {
        f"unit {unknown} is not known": unknown,
        "it names two units": len(found) > 1 or len(scales) > 1,
        "it counts in thousands, or more, and does not say of what": scales and not found,
        NO_WEIGHT: not found and any(word.lower() in _QUANTITY.split() for word, _ in pairs),
        "it names no unit": said and not found,
        f"the heading {str(heading)!r} counts in thousands, or more": said and above,
    }
    if wrong := next((reason for reason, holds in reasons.items() if holds), ""):
        units = ", ".join(words.split()[0] for words in _UNITS[kind].values())
        raise SchemaMismatch(
            f"{option}={said!r}: {wrong}" if said else f"column {str(heading)!r}: {wrong}",
            f"{units}, or thousand, million or billion of one",
            f"pass {option}= with what the numbers are in, such as {option}='thousand"
            f" {_USUAL[kind].name}'; turn others into one of these first",
        )
    return Unit(found[0][0], size * found[0][1], True) if found else _USUAL[kind]


def _refuse_titles(titles: Iterable[str], kind: str, heading: object, known: Unit) -> None:
    """Refuse a unit in the titles above a table that its heading does not say as well."""
    other = next(k for k in OPTIONS if k != kind)
    for title in titles:
        for phrase in re.split(r"[,;()]| and | ve | и ", title):
            means = [m for w, m in _meanings(phrase, kind) if len(w) > 1 or w in "$€₺"]
            scales = [m for m in means if isinstance(m, float)]
            named = {m for m in means if isinstance(m, tuple)}
            if named:
                agrees = {(n, size * (scales or [1.0])[0]) for n, size in named} == {known[:2]}
                fits = agrees or (known.said and not scales)
            else:  # a scale alone is of weights where a unit of them is beside it
                beside = any(isinstance(m, tuple) for _, m in _meanings(phrase, other))
                said = known.said and (kind == "weight" or known.size in scales)
                fits = not scales or beside or said
            if not fits:
                raise SchemaMismatch(
                    f"the title {title[:80]!r} says {phrase!r}, the heading {heading!r} does not",
                    "a title and headings that agree",
                    f"pass {OPTIONS[kind]}= with what the numbers are in, such as"
                    f" {OPTIONS[kind]}='thousand {_USUAL[kind].name}' or '{_USUAL[kind].name}'",
                )


def text_of(cell: Any) -> str:
    """Return a cell as text: nothing as nothing, whole numbers without a point, days as months."""
    if isinstance(cell, date) and not pd.isna(cell):
        return f"{cell:%Y-%m}"
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    text = str(cell).strip()
    return "" if text.lower() in rows.NOTHING else text


def country(word: Any) -> str:
    """Return the code of a country by code or name; groups and what no list holds by name stay."""
    text = str(word).strip()
    return text if re.match(r"EU\d*$|UN \d|Free zone", text) else from_name(text)


def flow(word: Any) -> str:
    """Return X, M, RX or RM as English, Turkish or a letter says it."""
    said = plain(word).split(" ")
    found = {_FLOWS[one] for one in said if one in _FLOWS}
    if len(found) != 1 or said[0] not in _FLOWS:
        raise SchemaMismatch(
            f"flow {word!r}", "X, M, RX, RM, export, import, İhracat or İthalat", "rename it"
        )
    return found.pop()


_FORMS = {  # of months, in M, and of days
    r"(?P<y>\d{4})[-/.M]?(?P<m>0[1-9]|1[0-2])": "M",
    r"(?P<m>0?[1-9]|1[0-2])[-/.](?P<y>\d{4})": "M",
    r"(?P<m>[a-z]+) ?(?P<y>\d{4}|\d\d)": "M",  # Jan-21
    r"(?P<y>\d{4}) ?(?P<m>[a-z]+)": "M",
    r"(?P<y>\d{4})[-/.]?(?P<m>0[1-9]|1[0-2])[-/.]?[0-3]\d(?:[T ].*)?": "",
    r"[0-3]?\d\.(?P<m>0?[1-9]|1[0-2])\.(?P<y>\d{4})": "",  # the day first
    r"(?:1[3-9]|2\d|3[01])/(?P<m>0?[1-9]|1[0-2])/(?P<y>\d{4})": "",  # can be no month
    r"(?P<m>0?[1-9]|1[0-2])/(?:1[3-9]|2\d|3[01])/(?P<y>\d{4})": "",
}
_NAMES = {name: n for n, names in enumerate(
    ("ocak january jan", "subat february feb", "mart march mar", "nisan april apr",
     "mayis may", "haziran june jun", "temmuz july jul", "agustos august aug",
     "eylul september sep", "ekim october oct", "kasim november nov", "aralik december dec"), 1)
    for name in names.split()}  # fmt: skip


def _periods(
    columns: Mapping[str, pd.Series], freq: Any, origin: str
) -> tuple[pd.Series, pd.Series]:
    """Return first days and M or A of periods as people write them."""
    if "month" in columns:
        month = columns["month"].map(lambda m: str(_NAMES.get(plain(m), text_of(m))))
        month = month.str.removesuffix(".0").str.zfill(2)
        values = columns["year"].map(text_of).str.removesuffix(".0") + "-" + month
    else:
        values = columns["period"]
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.astype(str)
    ends = [re.fullmatch(r"(\d{4})[-/](\d\d)", str(value)) for value in values.unique()]
    fiscal = [end for end in ends if end and (int(end[1]) + 1) % 100 == int(end[2])]
    if freq is None and len(fiscal) == len(ends) and (len(ends) > 1 or int(fiscal[0][2]) > 12):
        raise SchemaMismatch(
            f"{origin}: column {values.name!r} holds fiscal years: {values.iloc[0]!r}",
            "calendar months or years",
            "take the monthly table; freq='M' if these are months of the years named first",
        )
    read = {value: _period(value, origin) for value in values.unique()}
    kinds = {kind for _, kind in read.values()}
    months = {day.month for day, kind in read.values() if kind == ""}
    years = {day.year for day, kind in read.values() if kind == ""}
    if "" in kinds and freq is None and months == {1} and len(years) > 1:
        raise SchemaMismatch(
            f"column {values.name!r}: dates of January alone, {min(years)} to {max(years)}",
            "months, or years",
            "pass freq='A' if a row is a year, freq='M' if it is a January",
        )
    days = values.map({value: day for value, (day, _) in read.items()})
    rhythm = values.map({value: kind for value, (_, kind) in read.items()})
    rhythm = rhythm.mask(rhythm == "", "M" if freq is None else freq)
    return pd.to_datetime(days), rhythm


def _period(value: Any, origin: str) -> tuple[pd.Timestamp, str]:
    """Return the first day of a month or year, and M or A, or nothing where it is a date."""
    if isinstance(value, date) and not pd.isna(value):
        return pd.Timestamp(value.year, value.month, 1), ""
    text = text_of(value)
    if re.fullmatch(r"(1[89]|2[01])\d\d", text):
        return pd.Timestamp(int(text), 1, 1), "A"
    forms = {} if isinstance(value, Real) and "." in text else _FORMS  # 1.2020 is 1.202 there
    for form, kind in forms.items():
        found = re.fullmatch(form, text) or re.fullmatch(form, plain(text))
        if found and (month := _NAMES.get(found["m"], found["m"])) and str(month).isdigit():
            year = int(found["y"]) + 2000 * (len(found["y"]) == 2)
            return pd.Timestamp(max(year, 1), int(month), 1), kind
    raise SchemaMismatch(
        f"{origin}: period {text!r}",
        "months or years: 202101, '2021-01', '2021M01', '01/2021', 2021, or dates",
        "read months as text, dtype=str; sum quarters to years, or take the monthly table;"
        " pandas.to_datetime(frame[…], format=…)"
        " reads dates of any form, with unit='D', origin='1899-12-30' days as Excel counts; months"
        " beside years: frame['year'].astype(int) * 100 + frame['month'].astype(int)",
    )
