"""SDMX-CSV of Eurostat as the trade table (Comext) or the volumes table (energy)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tradeflows import tables
from tradeflows.codes.countries import from_eurostat
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch
from tradeflows.sources import rows, snapshot
from tradeflows.sources.http import Manners
from tradeflows.sources.workbook import unpacked

__all__ = ["PUBLISHER", "parse", "table_of"]

PUBLISHER = "Eurostat"
# Datasets whose rows mean what is read here; others share the columns, not the meaning.
_COMEXT = ("ds-045409", "ds-059341", "ds-645593", "ds-016890", "ds-016893")
_ENERGY = ("nrg_ti_gasm", "nrg_ti_oilm", "nrg_ti_sffm")
_KEY = ["reporter", "partner", "product", "flow", "period"]
_TRADE = {"reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value"}
_VOLUMES = {"siec", "partner", "unit", "geo", "time_period", "obs_value"}
_ABOUT = {"dataflow", "last update", "freq", "obs_flag", "conf_status"}
_INDICATORS = {
    "VALUE_IN_EUROS": ("euro", 1.0), "VALUE_EUR": ("euro", 1.0), "VALUE_IN_EUR": ("euro", 1.0),
    "QUANTITY_IN_100KG": ("kg", 100.0), "QUANTITY_IN_KG": ("kg", 1.0), "QUANTITY_KG": ("kg", 1.0),
    "SUPPLEMENTARY_QUANTITY": ("extra", 1.0), "SUP_QUANTITY": ("extra", 1.0),
}  # fmt: skip
_ESTIMATED, _SECRET = "eis", "c"  # letters of OBS_FLAG
_CODES = r"TOTAL|[0-9]{2,8}[SM]+|[SM]+"  # beside digits: goods whose code is kept secret
_SERIES = {"G3000": "gas", "G3200": "lng", "O4100_TOT": "crude_oil", "O4100": "crude_oil",
           "O4600": "oil_products", "O4000XO4100": "oil_products", "C0100": "hard_coal",
           "C0000X0350-0370": "solid_fuels"}  # fmt: skip
_UNITS = {"MIO_M3": ("m3", 1e6), "THS_T": ("t", 1e3), "TJ_GCV": ("TJ", 1.0), "TJ": ("TJ", 1.0)}
_HELP = "refresh again; if it stays, the publisher changed its format: report it"


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn SDMX-CSV, plain or packed, into the trade table (Comext) or the volumes table (energy).

    Comext values in euro become USD at the month's mean rate, 100 kg become kg. ``about`` holds
    ``origin``, ``vintage`` and, if not the ECB's, ``rates``: USD per euro by month.
    """
    origin = str(about.get("origin", "reply"))
    frame = table_of(data, origin)
    frame = frame.rename(columns={c: str(c).lower() for c in frame.columns})
    found = set(frame.columns)
    needed = next((n for n in (_TRADE, _VOLUMES) if n <= found), None)
    if needed is None or found - needed - _ABOUT:
        odd = sorted(found - (needed or _TRADE) - _ABOUT)
        raise SchemaMismatch(
            f"{origin}: columns {', '.join(frame.columns[:16])}; not known: {', '.join(odd[:8])}",
            f"{', '.join(sorted(_TRADE))} (Comext) or {', '.join(sorted(_VOLUMES))} (energy)",
            "ask for a dataset without further dimensions, as SDMX-CSV without labels",
        )
    _check_dataset(frame, _COMEXT if needed is _TRADE else _ENERGY, origin)
    if needed is _VOLUMES:
        return _volumes(frame, about, origin)
    return _trade(frame, about, origin)


def _check_dataset(frame: pd.DataFrame, known: tuple[str, ...], origin: str) -> None:
    """Refuse a dataset that has these columns and another meaning: SITC codes, or exports."""
    names = frame["dataflow"].str.lower().str.extract(r"([a-z]+[-_][a-z0-9_]+)", expand=False)
    if odd := sorted(set(frame["dataflow"][~names.isin(known)])):
        raise SchemaMismatch(
            f"{origin}: dataset {', '.join(odd[:5])}", f"one of {', '.join(known)}",
            "ask for one of these datasets",
        )  # fmt: skip


def table_of(data: bytes, origin: str) -> pd.DataFrame:
    """Return a reply as text columns."""
    text = unpacked(data, origin, Manners.limit)
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


def _trade(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    if odd := sorted(set(frame["indicators"]) - set(_INDICATORS)):
        raise SchemaMismatch(
            f"{origin}: indicators {', '.join(odd[:8])}", f"of {', '.join(_INDICATORS)}", _HELP
        )
    if len(frame) and not {_INDICATORS[i][0] for i in frame["indicators"]} >= {"euro"}:
        raise SchemaMismatch(
            f"{origin}: only {', '.join(sorted(set(frame['indicators'])))}, so no values",
            "VALUE_IN_EUROS or VALUE_EUR among the indicators", "ask for the values too",
        )  # fmt: skip
    wide = _wide(_values(frame, origin), origin)
    if wide.empty:
        return tables.empty("trade")
    if parts := sorted({"XI", "XU"} & {*wide["reporter"], *wide["partner"]}):
        raise SchemaMismatch(
            f"{origin}: {' and '.join(parts)}, parts of the United Kingdom", "whole countries",
            "add them up before, and call the sum GB",
        )  # fmt: skip
    rates = about.get("rates")
    value = rows.in_dollars(
        wide["euro"], pd.Series("EUR", index=wide.index), wide["period"],
        snapshot.rates() if rates is None else pd.DataFrame({"EUR": rates}), origin,
    )  # fmt: skip
    code = hs_codes(wide["product"], where=origin, also=_CODES)
    table = rows.trade(
        about, source=PUBLISHER, trade_system="special", period=wide["period"], code=code,
        reporter=_countries(wide["reporter"], wide["period"]),
        partner=_countries(wide["partner"], wide["period"]),
        flow=wide["flow"].map({"1": "M", "2": "X"}), value=value, weight=wide["kg"],
        estimated=wide["guessed kg"], quantity=wide["extra"], unit="supplementary unit",
        guessed=wide["guessed extra"], hidden=wide["secret"],
    )  # fmt: skip
    return tables.validate(table, "trade", where=origin)


def _wide(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return one row for each key that has a value: euro, kg, extra and what their flags say."""
    odd = ~frame["flow"].isin(["1", "2"])
    scale = frame["indicators"].map(_INDICATORS)
    frame = frame.assign(
        meaning=scale.map(lambda s: s[0]).astype("str"),
        number=frame["number"] * scale.map(lambda s: s[1]).astype("float64"),
    )
    twice = frame.duplicated([*_KEY, "meaning"])
    if twice.any() or odd.any():
        raise SchemaMismatch(
            f"{origin}: {int(twice.sum())} rows share a key, {int(odd.sum())} have another flow",
            "one row per key and indicator; flow 1 (import) or 2 (export)",
            _HELP,
        )
    flags = frame.get("obs_flag", pd.Series("", index=frame.index)).str.lower()
    secret = frame.get("conf_status", pd.Series("", index=frame.index))
    marked = frame.assign(
        guessed=flags.str.contains(f"[{_ESTIMATED}]").astype(float),
        secret=flags.str.contains(_SECRET) | ~secret.isin(["", "F"]),
    )
    wide = marked.pivot_table(
        index=_KEY, columns="meaning", values=["number", "guessed"], aggfunc="first"
    )
    found = pd.DataFrame(
        {
            name: wide[kind, meaning] if (kind, meaning) in wide else float("nan")
            for meaning in ("euro", "kg", "extra")
            for name, kind in ((meaning, "number"), (f"guessed {meaning}", "guessed"))
        },
        index=wide.index,
    ).join(marked.groupby(_KEY)["secret"].any())
    found = found[found["euro"].notna()].reset_index()
    return found.assign(**{f"guessed {n}": found[f"guessed {n}"] == 1 for n in ("kg", "extra")})


def _countries(letters: pd.Series, days: pd.Series) -> pd.Series:
    pairs = {pair: _country(*pair) for pair in {*zip(letters, days.dt.year, strict=True)}}
    return pd.Series(
        [pairs[p] for p in zip(letters, days.dt.year, strict=True)], index=letters.index,
        dtype="str",
    )  # fmt: skip


def _volumes(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    frame = _values(frame, origin)
    if frame.empty:
        return tables.empty("volumes")
    unit = frame["unit"].map(lambda u: _UNITS.get(u, (u, 1.0)))
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": str(about.get("vintage", "unknown")),
            "series": frame["siec"].map(lambda s: _SERIES.get(s, f"siec {s}")).astype("str"),
            "reporter": _countries(frame["geo"], frame["period"]),
            "partner": _countries(frame["partner"], frame["period"]),
            "freq": "M",
            "period": frame["period"],
            "value": frame["number"] * unit.map(lambda u: u[1]),
            "unit": unit.map(lambda u: u[0]).astype("str"),
        }
    )
    return tables.validate(table, "volumes", where=origin)


def _country(letters: str, year: int) -> str:
    groups = {"EU27_2020": "EU27", "TOTAL": "World", "WORLD": "World"}
    return groups.get(letters) or from_eurostat(letters, year)
