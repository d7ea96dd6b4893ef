"""Files of TÜİK's database: what the engine answered, with the proof that it is whole.

A line that says what this is, a line of JSON with question, count and totals, then CSV as the
engine gives it. `by_hand.js` writes the same in a browser.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tradeflows import tables
from tradeflows.codes.countries import from_name, plain
from tradeflows.codes.hs import codes as codes_of
from tradeflows.errors import SchemaMismatch, UnknownCode
from tradeflows.sources import rows
from tradeflows.sources.tabular import flow
from tradeflows.sources.tuik.engine import BREAKDOWNS, LEVELS, MEASURES
from tradeflows.sources.workbook import unpacked
from tradeflows.sums import summed

__all__ = [
    "COLUMNS",
    "PUBLISHER",
    "TERMS",
    "checked",
    "flow_of",
    "is_cube",
    "parse",
    "place_of",
    "written",
]

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


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
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
    days = pd.to_datetime(lines["YIL"] + "-" + lines["AY"].str.zfill(2), format="%Y-%m")
    table = rows.trade(
        about, source=PUBLISHER, trade_system=str(head["system"]), reporter="TUR",
        partner=lines["ULKE_ADI"].map({n: place_of(n) for n in set(lines["ULKE_ADI"])}),
        flow=lines["IHRITH"].map({f: flow_of(f) for f in set(lines["IHRITH"])}), period=days,
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
        if tuple(lines.columns) != COLUMNS:
            raise ValueError("other columns")
        lines = lines.astype(dict.fromkeys(MEASURES, "float64"))
        if not all(isinstance(head[name], kind) for name, kind in _HEAD.items()):
            raise ValueError("another question")
        if head["digits"] not in LEVELS or head["by"] not in ("", *BREAKDOWNS):
            raise ValueError("another question")
        if not all(re.fullmatch(r"(19|20)\d\d-(0[1-9]|1[0-2])", m) for m in head["months"]):
            raise ValueError("months that are none")
        if not set(lines["YIL"] + "-" + lines["AY"].str.zfill(2)) <= set(head["months"]):
            raise ValueError("months that were not asked for")
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
    month = lines["YIL"] + "-" + lines["AY"].str.zfill(2)
    flow = lines["IHRITH"].map({f: flow_of(f) for f in set(lines["IHRITH"])})
    sums = lines[["DOLAR", "MIKTAR_1"]].groupby([month, flow]).sum()
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
