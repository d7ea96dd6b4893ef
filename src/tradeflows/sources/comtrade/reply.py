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
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch, TruncatedReply
from tradeflows.sources import rows
from tradeflows.sources.comtrade.question import ALL, level
from tradeflows.sources.registry import register
from tradeflows.sources.workbook import unpacked

__all__ = ["CAPS", "PUBLISHER", "parse", "read", "records"]

PUBLISHER = "UN Comtrade"
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
_NUMBER = ("qty", "netWgt", "primaryValue")
_FLAG = ("isQtyEstimated", "isNetWgtEstimated")
_KEY = ["reporterCode", "partnerCode", "flowCode", "freqCode", "period", "cmdCode"]
_ASK = "refresh again; if it stays, the publisher changed its format: report it"
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
    found = [r for reply in _replies(data, origin) for r in _whole(reply, origin)]
    proof = query.get("proof", {})
    told = proof.get("rows", proof.get("count"))
    if isinstance(told, int) and told != len(found):
        raise TruncatedReply(
            f"{origin}: {len(found):,} rows, though {told:,} were counted",
            "as many rows as counted",
            _LESS,
        )
    if not found:
        return tables.empty("trade")
    return _trade(_wanted(_columns(found, origin), query, origin), about, origin)


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


def _whole(reply: Any, origin: str) -> list[dict[str, Any]]:
    """Return the records of a reply that is as long as it says and as no cap, or raise."""
    found, count = records(reply, origin), reply.get("count")
    if len(found) in CAPS or (isinstance(count, int) and count in CAPS):
        raise TruncatedReply(
            f"{origin}: {len(found)} rows (count {count}): exactly a row cap",
            f"a reply below the caps {', '.join(f'{c:,}' for c in CAPS)}",
            _LESS,
        )
    if isinstance(count, int) and count != len(found):
        raise TruncatedReply(
            f"{origin}: {len(found):,} rows, though the publisher counts {count:,}",
            "as many rows as counted",
            _LESS,
        )
    return found


def _columns(found: list[dict[str, Any]], origin: str) -> pd.DataFrame:
    """Return the columns of interest with their types; names are met whatever their case."""
    names = {name.lower(): name for name in reversed(found[0])}
    wanted = (*_TEXT, *_WHOLE, *_NUMBER, *_FLAG)
    if missing := [n for n in wanted if n.lower() not in names]:
        raise SchemaMismatch(f"{origin}: no columns {missing}", f"all of {wanted}", _ASK)

    def column(name: str, kind: str, *types: type) -> list[Any]:
        key = names.get(name.lower(), name)
        values = [record.get(key) for record in found]
        if not set(map(type, values)) <= set(types):
            odd = next(v for v in values if type(v) not in types)
            raise _mistyped(origin, name, odd, kind)
        return values

    nothing = type(None)
    data: dict[str, Any] = {}
    for n in _TEXT:
        data[n] = _series(column(n, "text", str), n, "str", origin).str.strip()
    for n in _WHOLE:
        values = column(n, "a whole number", int, str)
        known = {v: _whole_number(v, n, origin) for v in set(values)}
        data[n] = [known[v] for v in values]
    for n in (*_NUMBER, "cifvalue", "fobvalue"):
        data[n] = _series(column(n, "a number", int, float, nothing), n, "float64", origin)
        bad = (data[n].abs() > 10**18) | (data[n].isna() & (n == "primaryValue"))
        if bad.any():
            raise _mistyped(origin, n, data[n][bad].iloc[0], "a finite number")
    for n in _FLAG:
        flags = column(n, "true or false", bool, int, float, nothing)
        if odd := set(flags) - {True, False, None}:
            raise _mistyped(origin, n, odd, "true or false")
        data[n] = pd.Series([bool(v) for v in flags], dtype=bool)
    legacy = pd.Series([r.get("legacyEstimationFlag") for r in found], dtype=object)
    data["isQtyEstimated"] |= legacy.isin([2, 6])  # 2 quantity, 4 weight, 6 both
    data["isNetWgtEstimated"] |= legacy.isin([4, 6])
    data["mosCode"] = [str(r.get("mosCode")).strip() in ("0", "None", "") for r in found]
    return pd.DataFrame(data)


def _series(values: list[Any], name: str, kind: str, origin: str) -> pd.Series:
    try:
        return pd.Series(values, dtype=kind)
    except (UnicodeEncodeError, OverflowError):
        odd = "half a letter" if kind == "str" else "a number without end"
        raise _mistyped(origin, name, odd, "values") from None


def _whole_number(value: int | str, name: str, origin: str) -> int:
    text = str(value).strip() if isinstance(value, int) or len(value) < 16 else ""
    if not text.lstrip("-").isdecimal() or len(text) > 11 or abs(int(text)) > 10**9:
        raise _mistyped(origin, name, value, "a whole number")
    return int(text)


def _mistyped(origin: str, name: str, value: Any, kind: str) -> SchemaMismatch:
    shown = repr(value)[:60]
    return SchemaMismatch(f"{origin}: column {name} holds {shown}", f"{kind} in every row", _ASK)


def _wanted(frame: pd.DataFrame, query: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """Return the totals over breakdowns at the levels asked for; refuse what nobody asked."""
    frame = frame[
        (frame["partner2Code"] == 0)
        & (frame["customsCode"] == "C00")
        & (frame["motCode"] == 0)
        & frame["mosCode"]
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
        frame = frame[rows.level(frame["cmdCode"]).isin({level(t) for t in box["codes"]})]
    twice = frame.duplicated(_KEY, keep=False)
    if twice.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key\n"
            + frame.loc[twice, [*_KEY, "primaryValue"]].head(4).to_string(index=False),
            "one row per reporter, partner, flow, period and code",
            _ASK,
        )
    return frame.reset_index(drop=True)


def _trade(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    if frame.empty:
        return tables.empty("trade")
    query = about.get("query", {})
    pair = frame["reporterCode"].astype("str") + "-" + frame["period"].astype("str")
    released = {k: str(v["released"])[:10] for k, v in query.get("releases", {}).items()}
    value, digits = frame["primaryValue"], rows.level(frame["cmdCode"])
    # A sum over goods has no unit value: totals and chapters never give a weight.
    weight = frame["netWgt"].mask(digits < 4)
    quantity = frame["qty"].mask((digits < 4) | (frame["qtyUnitCode"] == -1))
    net, net_status = rows.measured(weight, value, frame["isNetWgtEstimated"])
    quantity, quantity_status = rows.measured(quantity, value, frame["isQtyEstimated"])
    harmonised = frame["classificationCode"].str.startswith("H")  # other systems have odd lengths
    code = frame["cmdCode"].copy()
    code[harmonised] = hs_codes(code[harmonised], where=origin, also=_NOT_NAMED)
    imports = frame["flowCode"].isin(["M", "RM"])
    fob = imports & ~(frame["cifvalue"] > 0) & (frame["fobvalue"] == value) & (value > 0)
    period = frame["period"].astype("str")
    period = period.where(period.str.len() == 6, period + "01")
    days = pd.to_datetime(period, format="%Y%m", errors="coerce")
    if days.isna().any():
        raise _mistyped(origin, "period", period[days.isna()].iloc[0], "a month or a year")
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": _told(pair, released, str(about.get("vintage", "unknown"))),
            "trade_system": _told(pair, query.get("systems", {}), "unknown"),
            "reporter": frame["reporterCode"].map(from_comtrade),
            "partner": frame["partnerCode"].map(from_comtrade),
            "flow": frame["flowCode"],
            "freq": frame["freqCode"],
            "period": days,
            "code_system": frame["classificationCode"].map(lambda c: hs.revision(c) or c),
            "code": code,
            "level": digits,
            "value_usd": value,
            "valuation": (imports & ~fob).map({True: "CIF", False: "FOB"}),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": quantity,
            "quantity_unit": _told(frame["qtyUnitCode"], _UNITS, "unit {}"),
            "quantity_status": quantity_status,
            "confidential": rows.confidential(code),
        }
    )
    rows.refuse_numbers_of_one_area(table, frame[["reporterCode", "partnerCode"]], origin)
    return tables.validate(table, "trade", where=origin)


def _told(keys: pd.Series, known: Mapping[Any, Any], otherwise: str) -> pd.Series:
    found = [known.get(key, otherwise.format(key)) for key in keys]
    return pd.Series(found, index=keys.index, dtype="str")
