"""Replies of UN Comtrade as the canonical trade table, whole or refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes import hs
from tradeflows.codes.countries import from_comtrade
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch, TruncatedReply
from tradeflows.sources import rows
from tradeflows.sources.comtrade.question import level
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


@register("un-comtrade")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored reply as the trade table.

    Parameters
    ----------
    data : bytes
        The stored file.
    raw : Raw
        Its sidecar.

    Returns
    -------
    pandas.DataFrame
        The canonical ``trade`` table.
    """
    return parse(data, {"origin": raw.id, "vintage": raw.vintage, "query": raw.query})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn a reply into the trade table: totals over breakdowns, one row per key, or an error.

    Parameters
    ----------
    data : bytes
        JSON as received, or the same gzipped.
    about : mapping
        ``origin`` and ``vintage``; in ``query`` what was asked: ``box``, ``releases`` (checksum
        and date by reporter and month), ``systems``, ``proof``.

    Returns
    -------
    pandas.DataFrame
        The canonical ``trade`` table; no rows if the reply has none.

    Raises
    ------
    TruncatedReply
        As many rows as a known cap, or fewer than the publisher counts.
    SchemaMismatch
        No JSON, no ``data``, a missing column, a wrong type, a key that stands twice, rows nobody
        asked for.

    Examples
    --------
    >>> parse(b'{"count":0,"data":[],"error":""}', {}).empty
    True
    """
    origin = str(about.get("origin", "reply"))
    records = _records(data, origin, about.get("query", {}))
    if not records:
        return tables.empty("trade")
    frame = _columns(records, origin)
    return _trade(_wanted(frame, about, origin), about, origin)


def _records(data: bytes, origin: str, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    plain = unpacked(data, origin, _LIMIT)
    try:
        reply = json.loads(plain)
    except (ValueError, RecursionError):
        raise SchemaMismatch(f"{origin}: no whole JSON", "a reply of UN Comtrade", _ASK) from None
    return _checked(reply, origin, query.get("proof", {}).get("count"))


def records(reply: Any, origin: str) -> list[dict[str, Any]]:
    """Return the records of a parsed reply, none where it counts none, or raise.

    Count replies carry one object in place of the list, all of its values null, zero or false.

    Examples
    --------
    >>> records({"count": 0, "data": {"period": None, "refYear": 0}, "error": ""}, "reply")
    []
    """
    found = reply.get("data") if isinstance(reply, dict) else None
    if isinstance(reply, dict) and (reply.get("error") or _is_negative(reply.get("count"))):
        said = str(reply.get("error") or f"count {reply['count']}")[:200]
        raise SchemaMismatch(f"{origin}: the reply is an error: {said}", "records", _ASK)
    if isinstance(found, dict) and reply.get("count") == 0 and not any(found.values()):
        return []
    if isinstance(found, dict) and "count" in reply:
        raise SchemaMismatch(
            f"{origin}: a count of {str(reply['count'])[:20]} rows, without the rows",
            "a list of records in `data`",
            _ASK,
        )
    if not isinstance(found, list) or not all(isinstance(r, dict) for r in found):
        keys = sorted(map(str, reply)) if isinstance(reply, dict) else type(reply).__name__
        raise SchemaMismatch(f"{origin}: JSON with {keys}", "a list of records in `data`", _ASK)
    return found


def _is_negative(count: Any) -> bool:
    """Tell whether a count says that there was an error."""
    return isinstance(count, int) and count < 0


def _checked(reply: Any, origin: str, expected: int | None = None) -> list[dict[str, Any]]:
    """Return the records of a parsed reply that is whole, or raise."""
    found = records(reply, origin)
    count = reply.get("count")
    if len(found) in CAPS or (isinstance(count, int) and count in CAPS):
        raise TruncatedReply(
            f"{origin}: {len(found)} rows (count {count}): exactly a row cap",
            f"a reply below the caps {', '.join(f'{c:,}' for c in CAPS)}",
            "ask for fewer periods, partners or codes at a time",
        )
    for told in (count, expected):
        if isinstance(told, int) and told != len(found):
            raise TruncatedReply(
                f"{origin}: {len(found):,} rows, though the publisher counts {told:,}",
                "as many rows as counted",
                "ask for fewer periods, partners or codes at a time",
            )
    return found


def _columns(records: list[dict[str, Any]], origin: str) -> pd.DataFrame:
    """Return the columns of interest with their types; names are met whatever their case."""
    names = {name.lower(): name for name in reversed(records[0])}
    wanted = (*_TEXT, *_WHOLE, *_NUMBER, *_FLAG)
    missing = [n for n in wanted if n.lower() not in names]
    if missing:
        raise SchemaMismatch(f"{origin}: no columns {missing}", f"all of {wanted}", _ASK)
    more = ("cifvalue", "fobvalue", "mosCode", "legacyEstimationFlag")
    raw = _gathered(records, {n: names.get(n.lower(), n) for n in (*wanted, *more)})
    data: dict[str, Any] = {n: _texts(raw[n], n, origin) for n in _TEXT}
    data |= {n: _wholes(raw[n], n, origin) for n in _WHOLE}
    data |= {n: _numbers(raw[n], n, origin) for n in (*_NUMBER, "cifvalue", "fobvalue")}
    data |= {n: _flags(raw[n], n, origin) for n in _FLAG}
    legacy = pd.Series(raw["legacyEstimationFlag"], dtype=object)  # 2 quantity, 4 weight, 6 both
    data["isQtyEstimated"] |= legacy.isin([2, 6])
    data["isNetWgtEstimated"] |= legacy.isin([4, 6])
    data["mosCode"] = [str(m).strip() in ("0", "None", "") for m in raw["mosCode"]]
    return pd.DataFrame(data)


def _gathered(
    records: list[dict[str, Any]], names: Mapping[str, str]
) -> dict[str, tuple[Any, ...]]:
    try:
        rows_ = map(itemgetter(*names.values()), records)
        return dict(zip(names, zip(*rows_, strict=True), strict=True))
    except KeyError:  # a record without one of them
        return {n: tuple(r.get(key) for r in records) for n, key in names.items()}


def _texts(values: tuple[Any, ...], name: str, origin: str) -> pd.Series:
    if set(map(type, values)) != {str}:
        odd = next(v for v in values if not isinstance(v, str))
        raise _mistyped(origin, name, odd, "text")
    try:
        return pd.Series(values, dtype="str").str.strip()
    except UnicodeEncodeError:
        raise _mistyped(origin, name, "half a letter", "text") from None


def _wholes(values: tuple[Any, ...], name: str, origin: str) -> Sequence[int]:
    if set(map(type, values)) != {int}:
        values = tuple(
            int(v)
            if isinstance(v, str) and len(v) < 16 and v.strip().lstrip("-").isdecimal()
            else v
            for v in values
        )
    for v in set(values) if set(map(type, values)) == {int} else values:
        if type(v) is not int or abs(v) > 10**9:
            raise _mistyped(origin, name, v, "a whole number")
    return values


def _numbers(values: tuple[Any, ...], name: str, origin: str) -> pd.Series:
    nothing = type(None)
    if not set(map(type, values)) <= {int, float, nothing}:
        odd = next(v for v in values if type(v) not in (int, float, nothing))
        raise _mistyped(origin, name, odd, "a number")
    try:
        number = pd.Series(values, dtype="float64")
    except OverflowError:
        raise _mistyped(origin, name, "a number without end", "a finite number") from None
    bad = number.abs() > 10**18
    if name == "primaryValue":
        bad |= number.isna()
    if bad.any():
        raise _mistyped(origin, name, number[bad].iloc[0], "a finite number")
    return number


def _flags(values: tuple[Any, ...], name: str, origin: str) -> pd.Series:
    if not set(map(type, values)) <= {bool, int, float, type(None)} or not (
        set(values) <= {True, False, None}
    ):
        odd = next(v for v in values if v is not None and v not in (True, False))
        raise _mistyped(origin, name, odd, "true or false")
    return pd.Series([bool(v) for v in values], dtype=bool)


def _mistyped(origin: str, name: str, value: Any, kind: str) -> SchemaMismatch:
    shown = repr(value)[:60]
    return SchemaMismatch(f"{origin}: column {name} holds {shown}", f"{kind} in every row", _ASK)


def _wanted(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """Return the totals over breakdowns at the levels asked for; refuse what nobody asked."""
    totals = (
        (frame["partner2Code"] == 0)
        & (frame["customsCode"] == "C00")
        & (frame["motCode"] == 0)
        & frame["mosCode"]
    )
    frame = frame[totals]
    query = about.get("query", {})
    box = query.get("box")
    if box:
        asked = {
            "reporterCode": set(query["reporters"]),
            "period": {int(p) for p in query["periods"]},
            "flowCode": set(box["flows"]),
        }
        if list(box["partners"]) != ["ALL"]:
            asked["partnerCode"] = {int(p) for p in box["partners"]}
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
    return frame


def _trade(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    query = about.get("query", {})
    frame = frame.reset_index(drop=True)
    if frame.empty:
        return tables.empty("trade")
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
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": _mapped(pair, released, str(about.get("vintage", "unknown"))),
            "trade_system": _mapped(pair, query.get("systems", {}), "unknown"),
            "reporter": frame["reporterCode"].map(from_comtrade),
            "partner": frame["partnerCode"].map(from_comtrade),
            "flow": frame["flowCode"],
            "freq": frame["freqCode"],
            "period": _first_days(frame["period"], origin),
            "code_system": frame["classificationCode"].map(lambda c: hs.revision(c) or c),
            "code": code,
            "level": digits,
            "value_usd": value,
            "valuation": (imports & ~fob).map({True: "CIF", False: "FOB"}),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": quantity,
            "quantity_unit": pd.Series([_unit(u) for u in frame["qtyUnitCode"]], dtype="str"),
            "quantity_status": quantity_status,
            "confidential": rows.confidential(code),
        }
    )
    rows.refuse_numbers_of_one_area(table, frame[["reporterCode", "partnerCode"]], origin)
    return tables.validate(table, "trade", where=origin)


def _unit(number: int) -> str | None:
    return _UNITS.get(number, f"unit {number}")


def _mapped(pair: pd.Series, known: Mapping[str, str], otherwise: str) -> pd.Series:
    return pd.Series([known.get(p, otherwise) for p in pair], index=pair.index, dtype="str")


def _first_days(period: pd.Series, origin: str) -> pd.Series:
    text = period.astype("str")
    text = text.where(text.str.len() == 6, text + "01")
    days = pd.to_datetime(text, format="%Y%m", errors="coerce")
    if days.isna().any():
        raise _mistyped(origin, "period", period[days.isna()].iloc[0], "a month or a year")
    return days
