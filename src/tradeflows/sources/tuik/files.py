"""Files of TÜİK: what its database answered, with the proof that it is whole, and downloads.

The database's: a line that says what this is, a line of JSON with question, count and totals, then
CSV as the engine gives it; `by_hand.js` writes the same in a browser. Downloads: Turkish or
English, CSV or workbook. Nothing here goes online.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import from_name, plain
from tradeflows.codes.hs import codes as codes_of
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.sources import register, rows
from tradeflows.sources.tabular import (
    Unit,
    bytes_of,
    country,
    flow,
    table_of,
    text_of,
    trade_of,
    unit_of,
    words,
)
from tradeflows.sources.tuik.engine import BREAKDOWNS, LEVELS, MEASURES
from tradeflows.sources.workbook import unpacked
from tradeflows.sums import summed

FIRST = "#tradeflows: TÜİK's database, 1"
PUBLISHER = "TÜİK"
TERMS = {
    "publisher": PUBLISHER,
    "licence": "TÜİK: free use with attribution",
    "terms": "Cite the Turkish Statistical Institute as the source.",
}
COLUMNS = ("YIL", "AY", "IHRITH", "ULKE_KODU", "ULKE_ADI", "KOD", "KIRILIM", "OLCU_ADI", *MEASURES)
_HEAD = {"system": str, "digits": int, "codes": list, "by": str, "months": list, "counted": int,
         "totals": dict}  # fmt: skip
_AGAIN = "bring it again with `tradeflows refresh --source tuik`; nothing is read from this file"
_FLAGS = {"1": "X", "2": "M"}
_HIDDEN = ("", "gizli veri", "confidential data", "confidential")
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
LIMIT = 512 * 1024 * 1024
_NAMES = {
    "period": ("period", "donem", "tarih", "date", "ay yil"),
    "year": ("year", "yil"),
    "month": ("month", "ay", "month no", "ay no"),
    "flow": ("flow", "akim", "ihracat ithalat", "ihrith", "islem", "trade flow", "type"),
    "partner": ("ulke adi", "country name", "partner", "country", "ulke", "ulke kodu"),
    "code": ("hs12", "gtip", "gtip12", "hs10", "hs8", "hs6", "code", "cn8", "gtip kodu", "hs code",
             "istpoz"),
    "weight": ("miktar 1",),  # kg, as TÜİK says
    "quantity": ("suppl qty", "quantity", "miktar", "miktar 2", "supplementary quantity",
                 "tamamlayici miktar", "quantity 2", "olcu miktari"),
    "unit": ("suppl unit", "unit", "birim", "olcu birimi", "olcu birim", "olcu adi",
             "quantity unit"),
    "reporter": ("reporter",),
    "system": ("ticaret sistemi", "trade system"),
    "currency": ("para birimi", "para birimi kodu", "currency", "currency code"),
    "weight unit": ("agirlik birimi", "weight unit"),
    "weight status": ("weight status", "agirlik durumu"),
    "estimated": ("isnetwgtestimated", "is net weight estimated", "estimated", "tahmini"),
    "confidential": ("confidential", "gizli", "gizlilik"),
    "goods": ("description", "description en", "istpoz adi", "gtip adi", "madde adi", "urun adi"),
}  # fmt: skip
_NUMBERS = {"value": {"value", "deger", "tutar"}, "weight": {"weight", "agirlik", "netwgt"}}
_LIKE = {"value": "Değer (USD), Value USD", "weight": "Net Ağırlık (KG), net weight kg, kilo"}
_FIRST = {"USD": 0, "EUR": 1, "TRY": 2}
_FLOWS = ("ithalat", "ihracat", "import", "imports", "export", "exports")
_SYSTEMS = {"genel": "general", "general": "general", "ozel": "special", "special": "special",
            "unknown": "unknown"}  # fmt: skip
_TITLE = "ticaret sistem|trade system"
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
        What a downloaded file does not say: ``partner`` (ISO alpha-3), ``flow``, ``trade_system``
        (``"general"`` or ``"special"``), ``currency`` of the values and ``weight_unit`` as in
        `tidy`, ``sheet`` of a workbook with several tables, and ``decimal``, the decimal sign,
        where a column of numbers reads in two ways.

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
    today = datetime.now(UTC).date().isoformat()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain(file.stem)).strip("-.") or "table"
    suffix = "".join(s for s in file.suffixes if s in (".csv", ".xlsx", ".gz", ".txt")) or ".csv"
    place = f"tuik/live/{name.removesuffix('.csv')}@{today}{suffix}"
    about = {"origin": place, "vintage": today, "constants": constants}
    table = parse(bytes_of(file), about)
    return store.put(
        place,
        file.read_bytes(),
        {
            **TERMS,
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
    data = unpacked(data, origin)
    if is_cube(data):
        return _parse_cube(data, about)
    raw = table_of(data, origin, constants.get("sheet", ""))
    columns, more = _columns(raw, constants, origin)
    _add_said(columns, raw, constants, origin)
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
    system = columns.pop("system", pd.Series("unknown", index=raw.index)).map(_system)
    return trade_of(
        columns, {**about, **constants, "titles": raw.attrs["titles"], "origin": origin},
        freq="M", more=raw[more] if about.get("more") else None, source=PUBLISHER,
        reporter="TUR", trade_system=system,
    )  # fmt: skip


def _headings(meanings: Iterable[str]) -> str:
    """Return the headings that are read for these meanings."""
    names = {m: ", ".join(words) for m, words in _NAMES.items()} | _LIKE
    return "; ".join(f"{meaning}: {names[meaning]}" for meaning in meanings)


def _system(word: str) -> str:
    """Return general or special trade as either language says it."""
    if (said := plain(word).split(" ")[0]) not in _SYSTEMS:
        raise SchemaMismatch(f"trade system {word!r}", "general or special", "correct it")
    return _SYSTEMS[said]


_READ = {"flow": flow, "partner": country, "reporter": country, "system": _system}


def _meaning(heading: str) -> tuple[str, int, Unit | None]:
    """Return what a heading is of, its rank among others of that, the unit of value or weight."""
    for meaning, names in _NAMES.items():
        if plain(heading) in names:
            return meaning, 9 + names.index(plain(heading)), None
    said = {word.lower() for word in words(heading)}
    for kind, nouns in _NUMBERS.items():
        try:
            unit = unit_of(heading, kind)
        except SchemaMismatch:
            if said & nouns and not said & {"unit", "birim", "price"}:
                raise
            continue
        if unit.said or said & nouns:
            return kind, _FIRST.get(unit.name, 0) if unit.said else 3, unit
    return "", 0, None


def _columns(
    raw: pd.DataFrame, constants: dict[str, str], origin: str
) -> tuple[dict[str, pd.Series], list[str]]:
    """Return the columns by meaning, and the headings that mean nothing here.

    Of several of one meaning the first by rank counts: values in USD where there is a choice.
    """
    meant = [_meaning(str(heading)) for heading in raw]
    best: dict[str, int] = {}
    for n in sorted(range(len(meant)), key=lambda n: meant[n][1]):
        best.setdefault(meant[n][0], n)
    columns = {meaning: raw.iloc[:, n] for meaning, n in best.items() if meaning}
    if "month" in columns and "year" not in columns:
        month = columns.pop("month")
        columns.setdefault("period", month)
    if "weight" in best and meant[best["weight"]][2] is None:
        constants.setdefault("weight_unit", "kg")  # as TÜİK says of its first quantity
    if "value" in best:
        unit = meant[best["value"]][2]
        cells = columns["currency"].map(text_of) if "currency" in columns else [""]
        if not constants.get("currency") and not (unit and unit.said) and "" in set(cells):
            raise SchemaMismatch(
                f"{origin}: values whose currency neither a heading nor a column names",
                "a heading such as Değer (USD), or a column Para birimi",
                "pass currency='USD' if that is what the download says, or download it in dollars",
            )
        values = [heading for heading, means in zip(raw, meant, strict=True) if means[0] == "value"]
        flows = {c: w for c in values for w in plain(c).split(" ") if w in _FLOWS}
        ways = {*flows.values(), *(columns.get("flow", []) if flows else [])}
        if len({*map(flow, ways)}) > 1:
            raise SchemaMismatch(
                f"{origin}: columns {', '.join(map(repr, flows))}: {', '.join(map(str, ways))}",
                "one flow in a column of values",
                "make a file of each, without the other's column, and read both",
            )  # fmt: skip
        if way := flows.get(raw.columns[best["value"]]):
            columns.setdefault("flow", pd.Series(way, index=raw.index))
    return columns, [str(c) for c, means in zip(raw, meant, strict=True) if not means[0]]


def _add_said(
    columns: dict[str, pd.Series], raw: pd.DataFrame, constants: Mapping[str, str], origin: str
) -> None:
    """Add what the user and a title say of flow, partners and trade system, if the file agrees."""
    titles = [t for t in map(plain, raw.attrs["titles"]) if re.search(_TITLE, t)]
    for name, read in _READ.items():
        option = "trade_system" if name == "system" else name
        said = [constants[option]] if option in constants else []
        if name == "system":
            said += [word for title in titles for word in title.split(" ") if word in _SYSTEMS]
        if not said:
            continue
        there = columns.setdefault(name, pd.Series(said[0], index=raw.index))
        if other := [w for w in [*said, *there.unique()] if read(w) != read(said[0])]:
            raise SchemaMismatch(
                f"{origin}: {option} {said[0]!r}, though the file says"
                f" {', '.join(map(repr, other[:5]))}",
                f"{option} said once, or alike", f"leave {option}= out: the file's column counts",
            )  # fmt: skip


def flow_of(word: object) -> str:
    """Return X or M for a flow as either language, or its flag, says it.

    Examples
    --------
    >>> flow_of("İhracat"), flow_of("2")
    ('X', 'M')
    """
    return _FLAGS.get(str(word)) or flow(word)


def place_of(name: str) -> str:
    """Return a partner; one that no list holds keeps its name, so that its value is not lost.

    Examples
    --------
    >>> place_of("Rusya Federasyonu"), place_of("Atlantis"), place_of("")
    ('RUS', 'Unlisted: Atlantis', 'Areas nes')
    """
    try:
        return from_name(name) if name else "Areas nes"
    except UnknownCode:
        return f"Unlisted: {name}"


def written(head: Mapping[str, Any], lines: Sequence[Sequence[Any]]) -> bytes:
    """Return the bytes of a file: the same for the same rows, in whatever order they came."""
    out = io.StringIO()
    out.write(f"{FIRST}\n#{json.dumps(head, ensure_ascii=False, sort_keys=True)}\n")
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted([_cell(v) for v in line] for line in lines))
    return gzip.compress(out.getvalue().encode(), mtime=0)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    return "" if value is None else str(value)


def is_cube(data: bytes) -> bool:
    """Tell whether unpacked bytes are such a file."""
    return data.removeprefix(b"\xef\xbb\xbf").startswith(FIRST.encode())


def _parse_cube(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Return a file as the trade table, or as breakdowns, after checking its proof.

    Codes stand at the digits asked for and, where all goods below them are there, at six and two
    digits and as a total. A sum has the weakest status of its parts, chapters and totals no weight.
    """
    head, table = checked(data, about)
    digits, least = int(head["digits"]), max(map(len, head["codes"]), default=0)
    levels = sorted({digits, *(n for n in (6, 2, 0) if least <= n <= digits)})
    found = pd.concat([_at(table, level, digits) for level in levels], ignore_index=True)
    name = "breakdowns" if head["by"] else "trade"
    names = list(tables.TABLES[name].names)
    return tables.validate(found[names], name, where=str(about.get("origin", "file")))


def checked(data: bytes, about: Mapping[str, Any]) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return what a file says of itself and its lines as trade, after checking its proof."""
    origin = str(about.get("origin", "file"))
    head, lines = _opened(data, origin)
    _proven(head, lines, origin)
    digits = int(head["digits"])
    code = _padded(lines["KOD"], digits, origin)
    unit = lines["OLCU_ADI"].str.rpartition("/")[2].str.strip()
    alone = ~lines["OLCU_ADI"].str.contains("/")
    amount = lines["MIKTAR_2"].mask(alone & (unit == "KG"), lines["MIKTAR_1"])
    amount = amount.mask(unit == "", float("nan"))
    days = pd.to_datetime(lines["month"], format="%Y-%m")
    table = rows.trade(
        about, source=PUBLISHER, trade_system=str(head["system"]), reporter="TUR",
        partner=lines["ULKE_ADI"].map({n: place_of(n) for n in set(lines["ULKE_ADI"])}),
        flow=lines["flow"], period=days,
        code_system=_revisions(days, code), code=code, value=lines["DOLAR"],
        weight=lines["MIKTAR_1"], quantity=amount, unit=unit,
    )  # fmt: skip
    if head["by"]:
        table = table.assign(by=head["by"], category=lines["KIRILIM"].replace("", "not stated"))
    return head, table


def _opened(data: bytes, origin: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return what a file says of itself, and its lines."""
    try:
        _, told, rest = unpacked(data, origin, LIMIT).decode("utf-8-sig").split("\n", 2)
        head = json.loads(told.removeprefix("#"))
        lines = pd.read_csv(io.StringIO(rest), sep=";", dtype="str", keep_default_na=False)
        month = lines["YIL"] + "-" + lines["AY"].str.zfill(2)
        fits = (
            tuple(lines) == COLUMNS,
            all(isinstance(head[name], kind) for name, kind in _HEAD.items()),
            head["digits"] in LEVELS and head["by"] in ("", *BREAKDOWNS),
            all(re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", m) for m in head["months"]),
            {*month} <= {*head["months"]},
        )
        if not all(fits):
            raise ValueError("other columns, or another question")
        flows = {f: flow_of(f) for f in {*lines["IHRITH"]}}
        lines = lines.astype(dict.fromkeys(MEASURES, "float64"))
        lines = lines.assign(month=month, flow=lines["IHRITH"].map(flows))
        head["codes"] = [c + "" for c in head["codes"]]
        head["totals"] = {
            (month, flow): (float(usd), float(kg))
            for month, flows in head["totals"].items()
            for flow, (usd, kg) in flows.items()
        }
    except _UNREADABLE as error:
        raise SchemaMismatch(
            f"{origin}: no whole file of TÜİK's database ({str(error)[:80]})",
            "a file as a refresh or the script writes it", _AGAIN,
        ) from None  # fmt: skip
    return head, lines


def _proven(head: Mapping[str, Any], lines: pd.DataFrame, origin: str) -> None:
    """Refuse lines that are fewer or more than counted, or whose sums are not the totals."""
    if len(lines) != head["counted"]:
        raise SchemaMismatch(
            f"{origin}: {len(lines)} rows", f"{head['counted']}, as the engine counts", _AGAIN
        )
    sums = lines.groupby(["month", "flow"])[["DOLAR", "MIKTAR_1"]].sum()
    asked = head["totals"]
    for at in {*sums.index, *asked}:
        found = sums.loc[at].tolist() if at in sums.index else [0.0, 0.0]
        for what, one, other in zip(("USD", "kg"), found, asked.get(at, (0.0, 0.0)), strict=True):
            if abs(one - other) > max(0.5, 1e-11 * abs(other)):
                raise SchemaMismatch(
                    f"{origin}: {at[0]}, flow {at[1]}: the rows sum to {one:,.0f} {what}",
                    f"{other:,.0f}, the same question without codes",
                    "run it again; if it stays, a filter was ignored or rows are missing: nothing"
                    " of this month is stored or read",
                )


def _padded(text: pd.Series, digits: int, origin: str) -> pd.Series:
    """Return codes with their leading zeros; what has no code is a pseudo-code, never dropped."""
    named = {t: t.zfill(digits) for t in set(text)}
    named |= {t: ("99" * 6)[:digits] for t in named if plain(t) in _HIDDEN}
    odd = [t for t, code in named.items() if not code.isdecimal() or len(code) > digits]
    if odd:
        raise SchemaMismatch(f"{origin}: code {odd[0]!r}", f"up to {digits} digits", _AGAIN)
    return text.map(named)


def _revisions(days: pd.Series, code: pd.Series) -> pd.Series:
    """Return the HS revision of each month: that of the year, unless more codes say another."""
    found: dict[Any, str] = {}
    for day, codes in code.str[:6].groupby(days):
        usual = str(rows.revision(pd.Series([day])).iloc[0])
        there = {c for c in codes if len(c) == 6}
        near = [usual, *(r for r in ("HS2012", "HS2017", "HS2022") if r != usual)]
        found[day] = max(near, key=lambda r: len(there & codes_of(r)))
    return days.map(found)


def _at(table: pd.DataFrame, level: int, digits: int) -> pd.DataFrame:
    """Return the sums of a level; rows of one code whose units differ have no quantity."""
    key = list(tables.TABLES["trade"].key)
    key += [k for k in ("by", "category") if k in table]
    table = table.assign(level=level, code=table["code"].str[:level])
    if level == 0:  # as the snapshot writes totals, which newer ones take the place of
        table = table.assign(code="TOTAL", code_system="groups")
    if level in (0, 2) and level < digits:
        table = table.assign(
            net_weight_kg=float("nan"), weight_status="missing", quantity=float("nan"),
            quantity_unit=None, quantity_status="missing", confidential=False,
        )  # fmt: skip
    return summed(table, table.groupby(key, sort=False).ngroup())
