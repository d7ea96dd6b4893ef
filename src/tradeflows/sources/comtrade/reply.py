"""Replies of UN Comtrade as the canonical trade table, whole or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes import hs
from tradeflows.codes.countries import from_comtrade
from tradeflows.codes.hs import hs_codes
from tradeflows.errors import SchemaMismatch, TruncatedReply
from tradeflows.sources import register, rows
from tradeflows.sources.comtrade.question import ALL, PUBLISHER, level
from tradeflows.sources.tabular import text_of
from tradeflows.sources.workbook import unpacked

CAPS = (500, 100_000, 250_000)
_LIMIT = 1024 * 1024 * 1024
_UNITS = {
    -1: None, 2: "m2", 3: "1000 kWh", 4: "m", 5: "u", 6: "2u", 7: "l", 8: "kg", 9: "1000u",
    10: "pack", 11: "12u", 12: "m3", 13: "carat", 14: "km", 15: "g", 16: "hive", 17: "1000 m3",
    18: "TJ", 19: "bbl", 20: "1000 l", 21: "1000 kg", 22: "kWh", 23: "l alc 100%", 24: "head",
}  # fmt: skip
_NOT_NAMED = "TOTAL|99[0-9A-Z]*"  # beside digits: 9999AA and its like
_TEXT = ("freqCode", "flowCode", "classificationCode", "cmdCode", "customsCode")
_WHOLE = ("reporterCode", "partnerCode", "partner2Code", "motCode", "qtyUnitCode", "period")
_NUMBER = ("qty", "netWgt", "cifvalue", "fobvalue", "legacyEstimationFlag", "mosCode")
_FLAG = ("isQtyEstimated", "isNetWgtEstimated")
_TOTALS = {"partner2Code": 0, "motCode": 0, "customsCode": "C00", "mosCode": 0,
           "qtyUnitCode": -1, "qty": None, "isQtyEstimated": False, "cifvalue": None,
           "fobvalue": None, "legacyEstimationFlag": 0}  # fmt: skip
_OTHERS = (  # columns that say nothing more about price and volume
    "datasetCode", "typeCode", "refPeriodId", "refYear", "refMonth", "reporterISO",
    "reporterDesc", "flowDesc", "partnerISO", "partnerDesc", "partner2ISO", "partner2Desc",
    "classificationSearchCode", "isOriginalClassification", "cmdDesc", "aggrLevel", "isLeaf",
    "customsDesc", "mosDesc", "motDesc", "qtyUnitAbbr", "altQtyUnitCode", "altQtyUnitAbbr",
    "altQty", "isAltQtyEstimated", "grossWgt", "isGrossWgtEstimated", "isReported",
    "isAggregate",
)  # fmt: skip
_KEY = ["reporterCode", "partnerCode", "flowCode", "freqCode", "period", "cmdCode"]
_ASK = "download it again; if it stays, the publisher changed its format: report it"
_BLANK = re.compile(r"\s*")
_LESS = "ask for fewer periods, partners or codes at a time"


@register("un-comtrade")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored file as the trade table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage, "query": raw.query})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn replies into the trade table: totals over breakdowns, one row per key, or an error.

    ``data`` is JSON as received, several replies one after the other, or the same gzipped; in
    ``about`` ``query`` says what was asked: ``box``, ``releases``, ``systems``, ``proof``.

    Examples
    --------
    >>> parse(b'{"count":0,"data":[],"error":""}', {}).empty
    True
    """
    origin, query = str(about.get("origin", "reply")), about.get("query", {})
    found: list[dict[str, Any]] = []
    for reply in _replies(data, origin):
        rows_ = records(reply, origin)
        _refuse_cut(len(rows_), reply.get("count"), origin)
        found += rows_
    proof = query.get("proof", {})
    _refuse_cut(len(found), proof.get("rows", proof.get("count")), origin, caps=())
    if not found:
        return tables.empty("trade")
    names = {name: None for name in found[0] if _letters(name) in _NAMES}
    known = pd.DataFrame({n: pd.Series([r.get(n) for r in found], dtype=object) for n in names})
    return _trade(_wanted(_columns(known, origin), query, origin), about, origin)


def table(frame: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn a frame or file with UN Comtrade's columns, however spelled, into the trade table.

    Columns that are not its own are kept at the end.
    """
    origin = str(about.get("origin", "frame"))
    _refuse_cut(len(frame), None, origin)
    frame = frame.reset_index(drop=True)
    more = frame[[c for c in frame if _letters(c) not in _NAMES]]
    cells = frame.astype(object).where(frame.notna(), None)
    for name in (c for c in frame if _NAMES.get(_letters(c)) in _TEXT):
        cells[name] = frame[name].map(text_of)  # a code that lost a zero shows by its length
    totals = _wanted(_columns(cells, origin), {}, origin)
    if totals.empty:
        raise SchemaMismatch(
            f"{origin}: {len(frame)} rows, none of them a total over means of transport, customs"
            " procedures and second partners",
            "rows with motCode 0, customsCode C00, partner2Code 0, mosCode 0",
            "download the totals, or all codes of a breakdown with their total",
        )
    return _trade(totals, about, origin, more)


def is_table(frame: pd.DataFrame) -> bool:
    """Tell whether a frame has UN Comtrade's columns."""
    return {"cmdcode", "primaryvalue"} <= {_letters(c) for c in frame}


def _replies(data: bytes, origin: str) -> list[Any]:
    """Return the JSON documents that stand one after the other."""
    found, at = [], 0
    try:
        text = unpacked(data, origin, _LIMIT).decode().strip()
        while at < len(text):
            reply, end = json.JSONDecoder().raw_decode(text, at)
            at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
            found.append(reply)
    except (ValueError, RecursionError):
        found = []
    if not found:
        raise SchemaMismatch(f"{origin}: no whole JSON", "replies of UN Comtrade", _ASK)
    return found


def records(reply: Any, origin: str) -> list[dict[str, Any]]:
    """Return the records of a parsed reply, none where it counts none, or raise.

    Count replies carry one object in place of the list, all of its values null, zero or false.

    Examples
    --------
    >>> records({"count": 0, "data": {"period": None, "refYear": 0}, "error": ""}, "reply")
    []
    """
    told = reply if isinstance(reply, dict) else {}
    found, count = told.get("data"), told.get("count")
    if told.get("error") or (isinstance(count, int) and count < 0):
        said = str(told.get("error") or f"count {count}")[:200]
        raise SchemaMismatch(f"{origin}: the reply is an error: {said}", "records", _ASK)
    if isinstance(found, dict) and count == 0 and not any(found.values()):
        return []
    if isinstance(found, list) and all(isinstance(r, dict) for r in found):
        return found
    words = f"JSON with {sorted(map(str, told)) or type(reply).__name__}"
    if isinstance(found, dict) and "count" in told:
        words = f"a count of {str(count)[:20]} rows, without the rows"
    raise SchemaMismatch(f"{origin}: {words}", "a list of records in `data`", _ASK)


def _refuse_cut(rows_: int, count: Any, origin: str, caps: tuple[int, ...] = CAPS) -> None:
    """Refuse a reply that is as long as a cap, or not as long as the publisher counts."""
    if rows_ in caps or (isinstance(count, int) and count != rows_):
        raise TruncatedReply(
            f"{origin}: {rows_:,} rows" + f", though {count} are counted" * (count is not None),
            f"as many as counted, and not exactly {', '.join(f'{c:,}' for c in CAPS)}: a row cap",
            _LESS,
        )


def _letters(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _columns(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return the columns of interest with their types; names are met however they are spelled."""
    names = {_NAMES.get(_letters(c), ""): c for c in reversed(frame.columns)}
    if missing := [n for n in _READ if n not in names and n not in _TOTALS]:
        raise SchemaMismatch(f"{origin}: no columns {missing}", f"all of {[*_READ]}", _ASK)
    data: dict[str, pd.Series] = {}
    for name, kind in _READ.items():
        there = frame[names[name]] if name in names else _TOTALS[name]
        cells = pd.Series(there, frame.index, dtype=object)
        try:
            data[name] = _column(cells, kind, f"{origin}: column {name}")
        except SchemaMismatch:
            raise
        except (ValueError, TypeError, OverflowError) as error:
            raise _mistyped(f"{origin}: column {name}", kind, error) from None
    data["isQtyEstimated"] |= data["legacyEstimationFlag"].isin([2, 6])  # 2 quantity, 4 weight
    data["isNetWgtEstimated"] |= data["legacyEstimationFlag"].isin([4, 6])
    return pd.DataFrame(data)


def _column(cells: pd.Series, kind: str, where: str) -> pd.Series:
    """Return a column as one of the kinds."""
    if kind == "text":  # a code that is a number may have lost a zero
        found = cells.map({c: c.strip() if isinstance(c, str) else None for c in set(cells)})
        bad, dtype = found.isna(), "str"
    elif kind == "true or false":
        found = cells.map({c: rows.FLAGS.get(text_of(c).lower()) for c in set(cells)})
        bad, dtype = found.isna(), "bool"
    else:
        found = rows.amounts(cells, where, decimal=".")
        bad, dtype = found.abs() > 1e18, "float64"
        if kind == "a whole number":
            bad, dtype = ~((found % 1 == 0) & (found.abs() <= 1e9)), "int64"
    if bad.any():
        raise _mistyped(where, kind, cells[bad].iloc[0])
    return found.astype(dtype)  # type: ignore[call-overload,no-any-return]


_READ = {
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_WHOLE, "a whole number"),
    **dict.fromkeys((*_NUMBER, "primaryValue"), "a number"),
    **dict.fromkeys(_FLAG, "true or false"),
}
_NAMES = {_letters(name): name for name in (*_READ, *_OTHERS)}


def _mistyped(where: str, kind: str, value: Any) -> SchemaMismatch:
    return SchemaMismatch(f"{where} holds {str(value)[:60]!r}", f"{kind} in every row", _ASK)


def _wanted(frame: pd.DataFrame, query: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """Return the totals over breakdowns at the levels asked for; refuse what nobody asked."""
    frame = frame[
        (frame["partner2Code"] == 0)
        & (frame["customsCode"] == "C00")
        & (frame["motCode"] == 0)
        & (frame["mosCode"].fillna(0) == 0)
    ]
    if box := query.get("box"):
        asked = {
            "reporterCode": set(query["reporters"]),
            "period": {int(p) for p in query["periods"]},
            "flowCode": set(box["flows"]),
        }
        if ALL not in box["partners"]:
            asked["partnerCode"] = {int(p) for p in box["partners"]}
        if (system := box.get("system", "HS")) != "HS":
            asked["classificationCode"] = {system}
        for column, known in asked.items():
            odd = ~frame[column].isin(known)
            if odd.any():
                raise SchemaMismatch(
                    f"{origin}: {int(odd.sum())} rows with {column} {frame[column][odd].iloc[0]}",
                    f"{column} in {sorted(known)}, as asked",
                    _ASK,
                )
        digits = rows.level(frame["cmdCode"])
        odd = digits % 2 == 1  # no level: refused with its rows, never left out
        frame = frame[digits.isin({level(t) for t in box["codes"]}) | odd]
    twice = frame.duplicated(_KEY, keep=False)
    if twice.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key\n"
            + frame.loc[twice, [*_KEY, "primaryValue"]].head(4).to_string(index=False),
            "one row per reporter, partner, flow, period and code",
            "drop rows that stand twice, pandas.DataFrame.drop_duplicates; if they differ, " + _ASK,
        )
    return frame


def _trade(
    frame: pd.DataFrame, about: Mapping[str, Any], origin: str, more: pd.DataFrame | None = None
) -> pd.DataFrame:
    if frame.empty:
        return tables.empty("trade")
    query = about.get("query", {})
    pair = frame["reporterCode"].astype("str") + "-" + frame["period"].astype("str")
    released = {k: str(v["released"])[:10] for k, v in query.get("releases", {}).items()}
    value, digits = frame["primaryValue"], rows.level(frame["cmdCode"])
    # A sum over goods has no unit value: totals and chapters never give a weight.
    groups = frame["classificationCode"].str.startswith("S").map({True: 3, False: 4})  # SITC
    weight = frame["netWgt"].mask(digits < groups)
    quantity = frame["qty"].mask((digits < 4) | (frame["qtyUnitCode"] == -1))
    harmonised = frame["classificationCode"].str.startswith("H")  # other systems have odd lengths
    code = frame["cmdCode"].copy()
    code[harmonised] = hs_codes(code[harmonised], where=origin, also=_NOT_NAMED)
    imports = frame["flowCode"].isin(["M", "RM"])
    fob = imports & ~(frame["cifvalue"] > 0) & (frame["fobvalue"] == value) & (value > 0)
    period = frame["period"].astype("str")
    period = period.where(period.str.len() == 6, period + "01")
    days = pd.to_datetime(period, format="%Y%m", errors="coerce")
    if days.isna().any():
        raise _mistyped(
            f"{origin}: column period", "a month or a year", period[days.isna()].iloc[0]
        )
    table = rows.trade(
        about, origin=origin, source=PUBLISHER,
        vintage=_told(pair, released, str(about.get("vintage", "unknown"))),
        trade_system=_told(pair, query.get("systems", {}), "unknown"),
        reporter=frame["reporterCode"].map(from_comtrade),
        partner=frame["partnerCode"].map(from_comtrade),
        flow=frame["flowCode"], freq=frame["freqCode"], period=days,
        code_system=frame["classificationCode"].map(lambda c: hs.revision(c) or c), code=code,
        value=value, valuation=(imports & ~fob).map({True: "CIF", False: "FOB"}),
        weight=weight, estimated=frame["isNetWgtEstimated"], quantity=quantity,
        unit=_told(frame["qtyUnitCode"], _UNITS, "unit {}"), guessed=frame["isQtyEstimated"],
    )  # fmt: skip
    return rows.with_more(table, None if more is None else more.loc[frame.index], origin)


def _told(keys: pd.Series, known: Mapping[Any, Any], otherwise: str) -> pd.Series:
    found = [known.get(key, otherwise.format(key)) for key in keys]
    return pd.Series(found, index=keys.index, dtype="str")
