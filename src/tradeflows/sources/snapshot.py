"""The embedded snapshot: tidy tables whose sidecars name the columns that never change."""

from __future__ import annotations

import io

import pandas as pd

from tradeflows import store, tables
from tradeflows.errors import SchemaMismatch
from tradeflows.sources.rows import amounts, in_dollars

RATES = "ecb/exchange_rates_monthly.csv"


def parse(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Turn the bytes of a snapshot file into the table its sidecar names.

    Columns that the sidecar gives as constants are added; values in euro become USD at the month's
    mean reference rate. Other rows than the sidecar counts are refused.
    """
    file = raw.id
    frame = _csv(data, file)
    if len(frame) != raw.rows:
        raise SchemaMismatch(
            f"{file}: {len(frame)} rows",
            f"{raw.rows} rows, as its sidecar says",
            "restore the file",
        )
    if "value_eur" in frame:
        days = pd.to_datetime(frame["period"], format="%Y-%m", errors="coerce")
        euro = pd.Series("EUR", index=frame.index)
        value = amounts(frame.pop("value_eur"), f"{file}: value_eur", decimal=".")
        frame["value_usd"] = in_dollars(value, euro, days, rates(), file)
    context = {"origin": file, "source": raw.publisher, "vintage": raw.vintage}
    for column, value in {**context, **raw.constants}.items():
        if column in tables.TABLES[raw.table].names:
            frame[column] = None if value == "" else value  # empty: a value that is not there
    if "confidential" in frame:
        frame["confidential"] = frame["confidential"].replace({"true": True, "false": False})
    return tables.validate(frame, raw.table, where=file)


def _csv(data: bytes, file: str) -> pd.DataFrame:
    """Return a CSV as text; the table it becomes says which columns are numbers."""
    try:
        return pd.read_csv(io.BytesIO(data), dtype=str, encoding="utf-8")
    except (ValueError, pd.errors.ParserError) as error:
        raise SchemaMismatch(
            f"{file} cannot be read as CSV ({error})", "UTF-8 text, one header", "restore the file"
        ) from None


def rates() -> pd.DataFrame:
    """Return USD for one EUR and for one TRY by month: ECB reference rates, means of the days.

    Examples
    --------
    >>> rates().loc["2022-01-01"].round(4).to_dict()
    {'EUR': 1.1314, 'TRY': 0.0737}
    """
    table = _csv(store.read(RATES), RATES)
    table["value"] = amounts(table["value"], f"{RATES}: value", decimal=".")
    wide = table.pivot_table(index="period", columns="series", values="value", aggfunc="first")
    months = pd.to_datetime(pd.Index(wide.index), format="%Y-%m")
    return pd.DataFrame({"EUR": wide["usd_per_eur"], "TRY": 1 / wide["try_per_usd"]}).set_axis(
        months
    )
