"""Files and frames that people hold, as the table of trade: UN Comtrade, BACI, any frame."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows.errors import SchemaMismatch
from tradeflows.sources import baci, tuik
from tradeflows.sources.comtrade import reply
from tradeflows.sources.tabular import (
    OPTIONS,
    STATED,
    bytes_of,
    table_of,
    trade_of,
    unit_column,
)

# Columns of the table of trade that a frame of one's own may have, by their meaning; and what
# stands for those that it lacks while the others are checked.
_KNOWN = {"quantity": "quantity", "unit": "quantity_unit", "weight status": "weight_status",
          "confidential": "confidential"}  # fmt: skip
_UNSAID = {"source": "own", "reporter": "own", "partner": "own", "flow": "X", "valuation": "FOB",
           "code_system": "own", "origin": "frame", "vintage": "unknown",
           "trade_system": "unknown", "quantity_status": "missing"}  # fmt: skip


def read_comtrade(file: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Read trade that UN Comtrade gave, in whichever form people hold it.

    Parameters
    ----------
    file : str, Path or pandas.DataFrame
        CSV of the website, what comtradeapicall (a frame) or comtradr (a CSV) return, a bulk file,
        or JSON of the API; plain, gzipped or zipped.

    Returns
    -------
    pandas.DataFrame
        The table ``trade``: USD, kg, totals over breakdowns, weights reported, estimated or
        missing. Columns that UN Comtrade does not have are kept at the end.

    Raises
    ------
    SchemaMismatch
        Columns are missing, codes lost their zeros, keys stand twice.
    TruncatedReply
        As many rows as a cap of UN Comtrade: the download was cut.

    Warns
    -----
    UnknownColumnWarning
        Names the columns that were kept as they are.

    Examples
    --------
    >>> frame = pd.DataFrame({"freqCode": ["M"], "period": ["202101"], "reporterCode": [792],
    ...     "flowCode": ["X"], "partnerCode": [643], "classificationCode": ["H5"],
    ...     "cmdCode": ["854231"], "netWgt": [12.5], "isNetWgtEstimated": [False],
    ...     "primaryValue": [1000.0]})
    >>> read_comtrade(frame)[["reporter", "partner", "code", "value_usd"]].values.tolist()
    [['TUR', 'RUS', '854231', 1000.0]]
    """
    if isinstance(file, pd.DataFrame):
        return reply.table(file, {"origin": "frame"})
    name, data = Path(file).name, bytes_of(Path(file))
    found = _json(data, name)
    return reply.table(table_of(data, name), {"origin": name}) if found is None else found


def _json(data: bytes, name: str) -> pd.DataFrame | None:
    """Return trade of UN Comtrade in JSON, whole replies or records alone; None of other bytes."""
    if data.lstrip()[:1] == b"[":
        data = b'{"data":' + data + b"}"
    return reply.parse(data, {"origin": name}) if data.lstrip()[:1] == b"{" else None


def read_baci(
    file: str | Path, *, countries: Iterable[str] = (), codes: Iterable[str] = ()
) -> pd.DataFrame:
    """Read BACI of CEPII: its zip, or one of the yearly CSV files in it.

    Parameters
    ----------
    file : str or Path
    countries : iterable of str, optional
        ISO 3166 alpha-3: keep trade among these. A whole edition has 250 million rows: name some.
    codes : iterable of str, optional
        Keep these six-digit codes.

    Returns
    -------
    pandas.DataFrame
        The table ``trade``: exports, annual, in USD and kg.

    Raises
    ------
    SchemaMismatch
        Neither, or other columns than BACI's.

    Examples
    --------
    >>> read_baci("nothing.zip")
    Traceback (most recent call last):
    tradeflows.errors.SchemaMismatch: nothing.zip: no such file...
    """
    path = Path(file)
    if not path.is_file():
        bytes_of(path)
    source: Any = path
    if path.suffix.lower() == ".csv":
        source = io.BytesIO()
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(path, path.name)
    return baci.parse(source, {"origin": path.name}, countries=countries, codes=codes)


def tidy(
    frame: Any,
    *,
    code: str = "code",
    value: str = "value_usd",
    period: str = "period",
    weight: str | None = "net_weight_kg",
    weight_unit: str = "",
    reporter: str | None = None,
    partner: str | None = None,
    flow: str | None = None,
    estimated: str | None = None,
    currency: str = "",
    decimal: str = "",
    freq: str = "",
    sheet: str = "",
) -> pd.DataFrame:
    """Turn any frame of trade into the table that every measure takes.

    Parameters
    ----------
    frame : pandas.DataFrame, what has ``to_pandas``, or the path of a CSV or an Excel workbook
    code, value, period : str
        Its columns: HS codes as text, values, and months or years as ``202101``, ``"2021-01"``,
        ``"2021M01"``, ``"01/2021"``, ``"Jan-21"``, ``2021`` or dates.
    weight : str, optional
        Its column of net weights; None where there is none: then nothing has a price.
    weight_unit : str, optional
        Of the weights, ``"kg"``, ``"t"``, ``"kt"``, ``"Mt"``, ``"g"``, ``"lb"`` or thousands and
        millions of one (``"million tonnes"``); left out, that in the column's name
        (``"Weight (t)"``), else kg. A column of units (``unit``, ``UOM``, ``EDIZM``) is read: a row
        in another unit has no weight.
    reporter, partner, flow : str, optional
        A column, or one value for all rows: countries by ISO 3166 alpha-3 or name, ``"X"`` or
        ``"M"``; columns of these names are taken where nothing is said.
    estimated : str, optional
        A column that is true where the weight is an estimate: it makes no price.
    currency : str, optional
        Of the values, ``"USD"``, ``"EUR"``, ``"TRY"`` or thousands, millions, billions of one
        (``"thousand USD"``); left out, that in the column's name (``"Value (EUR)"``) or in a column
        of currencies, else USD. Euro and lira become USD at the ECB's mean rate of the month.
    decimal : {",", "."}
        The decimal sign, where a column of text reads in two ways.
    freq : {"M", "A"}
        Months or years, where dates read as either.
    sheet : str, optional
        Of a workbook that has several tables.

    Returns
    -------
    pandas.DataFrame
        The columns of ``trade`` that the frame speaks of, and its other columns as they are.

    Raises
    ------
    SchemaMismatch
        No such column, codes that lost a zero, numbers or periods that read in two ways, quarters,
        rows that stand twice or are sums of others; a word in the name of a column of values or
        weights that is no unit known, and a title that says another unit than they do.
    UnknownCode
        A country that no list holds.

    Warns
    -----
    UnknownColumnWarning
        Names the columns that were kept as they are, and units that are no weight.

    Examples
    --------
    >>> mine = pd.DataFrame({"HS": ["8542.31", "8542.31"], "when": [202101, 202201],
    ...                      "USD": ["1.200,50", "900,00"], "kg": [3, 2]})
    >>> table = tidy(mine, code="HS", value="USD", weight="kg", period="when", partner="Kazakhstan")
    >>> table[["partner", "period", "code", "value_usd"]].astype(str).values.tolist()
    [['KAZ', '2021-01-01', '854231', '1200.5'], ['KAZ', '2022-01-01', '854231', '900.0']]
    """
    own = _frame(frame, sheet).reset_index(drop=True)
    named = {"code": code, "value": value, "period": period, "weight": weight or "",
             "estimated": estimated or ""}  # fmt: skip
    if own.empty or (lost := sorted({*filter(None, named.values())} - set(own))):
        raise SchemaMismatch(
            f"a frame without {', '.join(lost) if len(own) else 'rows'}",
            f"columns among {', '.join(map(str, own))}",
            "name them: tf.tidy(frame, code=…, value=…, weight=… or None, period=…)",
        )
    columns = {meaning: own[name] for meaning, name in named.items() if name}
    for kind in (k for k in OPTIONS if k in columns):
        if (stated := unit_column(own, kind, named[kind])) is not None:
            columns[STATED[kind]] = stated
            if kind == "weight" and "quantity" not in own:
                columns |= {"quantity": own[named[kind]], "unit": stated}
    for side, given in {"reporter": reporter, "partner": partner, "flow": flow}.items():
        word = side if given is None and side in own else given
        if word is not None:
            columns[side] = own[word] if word in own else pd.Series(word, index=own.index)
    columns |= {name: own[column] for name, column in _KNOWN.items() if column in own}
    kept = {name: own[name] for name in _UNSAID if name in own and name not in columns}
    used = {"freq", "level", *kept, *(column.name for column in columns.values())}
    about = {"origin": "frame", "decimal": decimal, "currency": currency,
             "weight_unit": weight_unit, "titles": own.attrs.get("titles", ())}  # fmt: skip
    table = trade_of(
        columns, about, freq=freq or own.get("freq"), more=own[[c for c in own if c not in used]],
        **{**_UNSAID, **kept},
    )  # fmt: skip
    known = {*columns, *own, *(["quantity_unit"] if "unit" in columns else [])}
    return table.drop(
        columns=[c for c in ("quantity", "quantity_unit", *_UNSAID) if c not in known]
    )


def _frame(given: Any, sheet: str) -> pd.DataFrame:
    """Return what someone holds as a frame: one already, or the table in a file."""
    if isinstance(given, str | Path):
        return table_of(bytes_of(Path(given)), Path(given).name, sheet)
    try:
        return pd.DataFrame(given.to_pandas() if hasattr(given, "to_pandas") else given)
    except (ValueError, TypeError):
        raise SchemaMismatch(
            f"an object of type {type(given).__name__}", "a frame, or the path of a file",
            "pass a pandas.DataFrame, or the path of a CSV or an Excel workbook",
        ) from None  # fmt: skip


def read(file: str | Path, given: Mapping[str, Any] | None = None, **unsaid: str) -> pd.DataFrame:
    """Read a file of trade of any kind known: what its headings say decides.

    ``given`` are columns and options of `tidy` for a table of one's own; ``unsaid`` is the partner
    and flow of a table of TÜİK that has no such column.
    """
    path, given = Path(file), dict(given or {})
    if path.suffix.lower() in (".zip", ".csv") and path.name.upper().startswith("BACI"):
        return read_baci(path)
    data = bytes_of(path)
    if tuik.is_cube(data):
        return tuik.parse(data, {"origin": path.name})
    if (found := _json(data, path.name)) is not None:
        return found
    own = table_of(data, path.name, given.pop("sheet", ""))
    if {"code", "value", "period"} & {*given}:
        return tidy(own, **given)
    if reply.is_table(own):
        return reply.table(own, {"origin": path.name})
    if {"code", "value_usd", "period"} <= set(own):
        weight = "net_weight_kg" if "net_weight_kg" in own else None
        return tidy(own, **{"weight": weight, **given})
    try:
        return tuik.parse(data, {"origin": path.name, "unsaid": unsaid, "constants": given})
    except SchemaMismatch as error:
        error.add_note(
            "Read as a table of TÜİK. One of your own needs columns code, period, value_usd and "
            "net_weight_kg; name others: --column code=HS --column value=USD --column weight=kg "
            "--column period=Month, or in Python tf.tidy(file, code=…, value=…, period=…)."
        )
        raise
