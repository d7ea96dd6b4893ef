"""SDMX-CSV of Eurostat as the trade table (Comext) or the volumes table (energy)."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tradeflows import tables
from tradeflows.codes.countries import from_eurostat
from tradeflows.errors import SchemaMismatch, SourceUnavailable, TradeflowsError
from tradeflows.sources import published, rows
from tradeflows.sources.session import Manners
from tradeflows.sources.workbook import bounded_zip, member_bytes

__all__ = ["PUBLISHER", "dollars", "parse", "plain", "table_of"]

PUBLISHER = "Eurostat"
RATES = "ecb/exchange_rates_monthly.csv"
_SERIES = {"G3000": "gas", "G3200": "lng", "O4100_TOT": "crude_oil", "O4100": "crude_oil",
           "O4600": "oil_products", "O4000XO4100": "oil_products", "C0100": "hard_coal",
           "C0000X0350-0370": "solid_fuels"}  # fmt: skip
_UNITS = {"MIO_M3": ("m3", 1e6), "THS_T": ("t", 1e3), "TJ_GCV": ("TJ", 1.0), "TJ": ("TJ", 1.0)}
_HELP = "refresh again; if it stays, the publisher changed its format: report it"


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn SDMX-CSV into the trade table (Comext) or the volumes table (energy).

    Comext values in euro become USD at the month's mean rate, 100 kg become kg.

    Parameters
    ----------
    data : bytes
        CSV, or the same gzipped or zipped.
    about : mapping
        ``origin``, ``vintage``; ``rates``: USD per euro by month, else the ECB's.

    Raises
    ------
    SchemaMismatch
        Another table, words where numbers belong, a month without exchange rate.
    """
    origin = str(about.get("origin", "reply"))
    frame = table_of(data, origin)
    columns = {str(c).lower(): str(c) for c in frame.columns}
    frame = frame.rename(columns={v: k for k, v in columns.items()})
    constants = {
        "origin": origin, "source": PUBLISHER, "vintage": str(about.get("vintage", "unknown")),
    }  # fmt: skip
    if {"reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value"} <= set(
        frame.columns
    ):
        rates = about.get("rates")
        return _trade(frame, constants, dollars() if rates is None else rates, origin)
    if {"siec", "partner", "unit", "geo", "time_period", "obs_value"} <= set(frame.columns):
        return _volumes(frame, constants, origin)
    raise SchemaMismatch(
        f"{origin}: columns {list(columns.values())[:12]}", "SDMX-CSV of Comext or energy", _HELP
    )


def plain(data: bytes, origin: str) -> bytes:
    """Return the text of a reply that may be gzipped or zipped, within bounds."""
    if data[:2] == b"PK":
        with bounded_zip(data, origin) as source:
            names = [n for n in source.namelist() if not n.endswith("/")]
            if len(names) != 1:
                raise SchemaMismatch(f"{origin}: {len(names)} files in a zip", "one table", _HELP)
            return member_bytes(source, names[0], origin)
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        with gzip.open(io.BytesIO(data)) as stream:
            whole = stream.read(Manners.limit + 1)
    except (OSError, EOFError, ValueError, zlib.error):
        raise SchemaMismatch(f"{origin}: gzip that is cut", "a whole reply", _HELP) from None
    if len(whole) > Manners.limit:
        raise SchemaMismatch(f"{origin}: unpacks without end", "a table", _HELP)
    return whole


def table_of(data: bytes, origin: str) -> pd.DataFrame:
    """Return a reply as text columns."""
    text = plain(data, origin)
    if not text.lstrip()[:8].upper().startswith(b"DATAFLOW"):
        raise SchemaMismatch(f"{origin}: no SDMX-CSV", "a table that starts with DATAFLOW", _HELP)
    try:
        return pd.read_csv(io.BytesIO(text), dtype="str", keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise SchemaMismatch(f"{origin}: {error}", "a CSV table", _HELP) from None


def _values(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return the rows that have a value, with month and number."""
    text = frame["obs_value"].str.strip()
    frame = frame[~text.isin(["", ":", "NaN"])]
    number = pd.to_numeric(frame["obs_value"], errors="coerce").astype("float64")
    days = pd.to_datetime(frame["time_period"], format="%Y-%m", errors="coerce")
    undated = days.isna() | (days.dt.year < 1)  # pandas has a year 0, Python has none
    for bad, name in ((number.isna(), "obs_value"), (undated, "time_period")):
        if bad.any():
            odd = frame[name][bad].iloc[0]
            raise SchemaMismatch(f"{origin}: {name} holds {odd!r}", "numbers by month", _HELP)
    return frame.assign(number=number, period=days)


def _trade(
    frame: pd.DataFrame, constants: dict[str, str], rates: pd.Series, origin: str
) -> pd.DataFrame:
    frame = _values(frame, origin)
    if frame.empty:
        return tables.empty("trade")
    key = ["reporter", "partner", "product", "flow", "period"]
    twice = frame.duplicated([*key, "indicators"])
    odd = ~frame["flow"].isin(["1", "2"])
    if twice.any() or odd.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key, {int(odd.sum())} have another flow",
            "one row per key and indicator; flow 1 (import) or 2 (export)",
            _HELP,
        )
    wide = frame.pivot_table(
        index=key, columns="indicators", values="number", aggfunc="first"
    ).reset_index()
    for name in ("VALUE_IN_EUROS", "QUANTITY_IN_100KG", "SUPPLEMENTARY_QUANTITY"):
        if name not in wide:
            wide[name] = float("nan")
    wide = wide[wide["VALUE_IN_EUROS"].notna()].reset_index(drop=True)
    rate = wide["period"].map(rates)
    if rate.isna().any():
        month = wide["period"][rate.isna()].iloc[0]
        raise SchemaMismatch(
            f"{origin}: no exchange rate for {month:%Y-%m}", "a rate for every month",
            "ask up to the last month with a rate, or pass rates",
        )  # fmt: skip
    value = wide["VALUE_IN_EUROS"] * rate
    never = pd.Series(False, index=wide.index)
    net, net_status = rows.measured(wide["QUANTITY_IN_100KG"] * 100, value, never)
    extra, extra_status = rows.measured(wide["SUPPLEMENTARY_QUANTITY"], value, never)
    year = wide["period"].dt.year
    system = year.map(lambda y: "HS2022" if y >= 2022 else "HS2017" if y >= 2017 else "HS2012")
    table = pd.DataFrame(
        {
            "trade_system": "special",
            "reporter": wide["reporter"].map(_country).astype("str"),
            "partner": wide["partner"].map(_country).astype("str"),
            "flow": wide["flow"].map({"1": "M", "2": "X"}).astype("str"),
            "freq": "M",
            "period": wide["period"],
            "code_system": system.astype("str"),
            "code": wide["product"].astype("str"),
            "level": rows.level(wide["product"].astype("str")),
            "value_usd": value,
            "valuation": wide["flow"].map({"1": "CIF", "2": "FOB"}).astype("str"),
            "net_weight_kg": net,
            "weight_status": net_status,
            "quantity": extra,
            "quantity_unit": pd.Series("supplementary unit", index=wide.index).where(extra.notna()),
            "quantity_status": extra_status,
            "confidential": rows.confidential(wide["product"].astype("str")),
        }
    )
    return tables.validate(table.assign(**constants), "trade", where=origin)


def _volumes(frame: pd.DataFrame, constants: dict[str, str], origin: str) -> pd.DataFrame:
    frame = _values(frame, origin)
    if frame.empty:
        return tables.empty("volumes")
    unit = frame["unit"].map(lambda u: _UNITS.get(u, (u, 1.0)))
    table = pd.DataFrame(
        {
            "series": frame["siec"].map(lambda s: _SERIES.get(s, f"siec {s}")).astype("str"),
            "reporter": frame["geo"].map(_country).astype("str"),
            "partner": frame["partner"].map(_country).astype("str"),
            "freq": "M",
            "period": frame["period"],
            "value": frame["number"] * unit.map(lambda u: u[1]),
            "unit": unit.map(lambda u: u[0]).astype("str"),
        }
    )
    return tables.validate(table.assign(**constants), "volumes", where=origin)


def _country(name: str) -> str:
    return {"EU27_2020": "EU27", "TOTAL": "World"}.get(name) or from_eurostat(name)


def dollars() -> pd.Series:
    """Return USD per euro by month, from the snapshot."""
    try:
        table = published.read(RATES)
    except TradeflowsError as error:
        raise SourceUnavailable(
            f"{PUBLISHER}: no exchange rates ({error.found})", f"the file {RATES}", "restore it"
        ) from None
    mine = table[table["series"] == "usd_per_eur"]
    rates: pd.Series = mine.set_index("period")["value"]
    return rates
