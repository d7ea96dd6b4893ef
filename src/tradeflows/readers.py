"""Files and frames that people hold, as the table of trade: UN Comtrade, BACI, any frame."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows import tables
from tradeflows.codes import hs
from tradeflows.codes.countries import from_comtrade, from_name, plain
from tradeflows.codes.products import hs_codes
from tradeflows.errors import SchemaMismatch
from tradeflows.sources import baci, rows, snapshot, tuik
from tradeflows.sources.comtrade import reply
from tradeflows.sources.workbook import first_sheet, unpacked

__all__ = ["read", "read_baci", "read_comtrade", "tidy"]

_LIMIT = 4 << 30
_TEXT = ("freqCode", "flowCode", "classificationCode", "cmdCode", "customsCode", "mosCode")
_WHOLE = ("reporterCode", "partnerCode", "partner2Code", "motCode", "qtyUnitCode", "period",
          "legacyEstimationFlag")  # fmt: skip
_NUMBER = ("qty", "netWgt", "primaryValue", "cifvalue", "fobvalue")
_FLAG = ("isQtyEstimated", "isNetWgtEstimated")
_OTHERS = (  # columns of UN Comtrade that say nothing more about price and volume
    "datasetCode", "typeCode", "refPeriodId", "refYear", "refMonth", "reporterISO",
    "reporterDesc", "flowDesc", "partnerISO", "partnerDesc", "partner2ISO", "partner2Desc",
    "classificationSearchCode", "isOriginalClassification", "cmdDesc", "aggrLevel", "isLeaf",
    "customsDesc", "mosDesc", "motDesc", "qtyUnitAbbr", "altQtyUnitCode", "altQtyUnitAbbr",
    "altQty", "isAltQtyEstimated", "grossWgt", "isGrossWgtEstimated", "isReported",
    "isAggregate",
)  # fmt: skip
_TOTALS = {"partner2Code": "0", "motCode": "0", "customsCode": "C00", "mosCode": "0",
           "qtyUnitCode": "-1", "qty": "", "isQtyEstimated": "0", "cifvalue": "", "fobvalue": "",
           "legacyEstimationFlag": "0"}  # fmt: skip
_FLAGS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False, "": False,
          "na": False}  # fmt: skip
_SCALES = ("000", "1000", "thousand", "thousands", "bin", "mn", "mio", "million", "millions",
           "milyon", "bn", "billion", "billions", "milyar")  # fmt: skip
_EMPTY = ("", "na", "n/a", "nan", "none", "null")
_KEY = ["reporter", "partner", "flow", "freq", "period", "code_system", "code"]
_COMTRADE = "download it again, or name the columns: tf.tidy(frame, code=…, value=…, period=…)"


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
        return _of_comtrade(file.astype(object).where(file.notna(), ""), "frame")
    path = Path(file)
    data = unpacked(_bytes(path), path.name, _LIMIT)
    if data.lstrip()[:1] in (b"{", b"["):
        if data.lstrip()[:1] == b"[":  # records alone, as programs write them
            data = b'{"data":' + data + b"}"
        return reply.parse(data, {"origin": path.name})
    return _of_comtrade(_csv(data, path.name), path.name)


def _of_comtrade(frame: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Return the table of trade of a frame with UN Comtrade's columns, however they are spelled."""
    wanted = (*_TEXT, *_WHOLE, *_NUMBER, *_FLAG)
    names = {_letters(name): name for name in (*wanted, *_OTHERS)}
    found = frame.rename(columns={c: names.get(_letters(c), c) for c in frame})
    if missing := [n for n in wanted if n not in found and n not in _TOTALS]:
        raise SchemaMismatch(
            f"{origin}: no columns {missing}", f"columns of UN Comtrade: {', '.join(wanted)}",
            _COMTRADE,
        )  # fmt: skip
    found = found.assign(**{n: said for n, said in _TOTALS.items() if n not in found})
    texts = {n: found[n].map(_plain) for n in wanted}
    data: dict[str, Any] = {n: texts[n] for n in _TEXT}
    data |= {n: [_whole(v) for v in texts[n]] for n in _WHOLE}
    data |= {n: [_number(v) for v in texts[n]] for n in _NUMBER}
    data |= {n: [_FLAGS.get(v.lower(), v) for v in texts[n]] for n in _FLAG}
    records = pd.DataFrame(data).astype(object).to_dict("records")
    out = reply.parse(json.dumps({"data": records}).encode(), {"origin": origin})
    more = [c for c in found if c not in names.values()]
    if not more:
        return out
    key = pd.DataFrame(
        {
            "reporter": [from_comtrade(int(n)) for n in texts["reporterCode"]],
            "partner": [from_comtrade(int(n)) for n in texts["partnerCode"]],
            "flow": texts["flowCode"],
            "freq": texts["freqCode"],
            "period": pd.to_datetime(texts["period"].str.ljust(6, "0").str.replace(
                r"^(\d{4})00$", r"\g<1>01", regex=True), format="%Y%m"),
            "code_system": [hs.revision(c) or c for c in texts["classificationCode"]],
            "code": texts["cmdCode"],
        }
    )  # fmt: skip
    return rows.with_more(out, key, found[more], origin)


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
        _bytes(path)
    source: Any = path
    if path.suffix.lower() == ".csv":
        source = io.BytesIO()
        with zipfile.ZipFile(source, "w") as archive:
            archive.write(path, path.name)
    about = {"origin": path.name}
    frames = list(baci.stream(source, about, countries=countries, codes=codes))
    if not frames:
        return tables.empty("trade")
    return tables.validate(pd.concat(frames), "trade", where=path.name)


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
) -> pd.DataFrame:
    """Turn any frame of trade into the table that every measure takes.

    Parameters
    ----------
    frame : pandas.DataFrame, what has ``to_pandas``, or the path of a CSV or an Excel workbook
    code, value, period : str
        Its columns: HS codes as text, values, and months or years as ``202101``, ``"2021-01"``,
        ``"2021M01"``, ``"01/2021"``, ``2021`` or dates.
    weight : str, optional
        Its column of net weights; None where there is none: then nothing has a price.
    weight_unit : {"kg", "t", "g", "lb"}, optional
        Of the weights, kg if left out; needed where the column's name says another.
    reporter, partner, flow : str, optional
        A column, or one value for all rows: countries by ISO 3166 alpha-3 or name, ``"X"`` or
        ``"M"``; columns of these names are taken where nothing is said.
    estimated : str, optional
        A column that is true where the weight is an estimate: it makes no price.
    currency : {"USD", "EUR", "TRY"}, optional
        Of the values, USD if left out; needed where the column's name says another. Euro and lira
        become USD at the ECB's mean rate of the month.
    decimal : {",", "."}
        The decimal sign, where a column of text reads in two ways.
    freq : {"M", "A"}
        Months or years, where dates read as either.

    Returns
    -------
    pandas.DataFrame
        The columns of ``trade`` that the frame speaks of, and its other columns as they are.

    Raises
    ------
    SchemaMismatch
        No such column, codes that lost a zero, numbers or periods that read in two ways, quarters,
        rows that stand twice, a unit in a column's name that nothing confirms.
    UnknownCode
        A country that no list holds.

    Warns
    -----
    UnknownColumnWarning
        Names the columns that were kept as they are.

    Examples
    --------
    >>> mine = pd.DataFrame({"HS": ["8542.31", "8542.31"], "when": [202101, 202201],
    ...                      "USD": ["1.200,50", "900,00"], "kg": [3, 2]})
    >>> table = tidy(mine, code="HS", value="USD", weight="kg", period="when", partner="Kazakhstan")
    >>> table[["partner", "period", "code", "value_usd"]].astype(str).values.tolist()
    [['KAZ', '2021-01-01', '854231', '1200.5'], ['KAZ', '2022-01-01', '854231', '900.0']]
    """
    own = _frame(frame).reset_index(drop=True)
    used = {code, value, period, *([weight] if weight else []), *([estimated] if estimated else [])}
    if own.empty or (lost := sorted(used - set(own))):
        raise SchemaMismatch(
            f"a frame without {', '.join(lost) if len(own) else 'rows'}",
            f"columns among {', '.join(map(str, own))}",
            "name them: tf.tidy(frame, code=…, value=…, weight=… or None, period=…)",
        )
    days, rhythm = _periods(own[period], freq or own.get("freq"))
    used |= {"freq", "level", "weight_status", "confidential"} & set(own)
    worth = rows.amounts(own[value], f"column {value!r}", decimal=decimal)
    currency = currency or _heading(value, rows.CURRENCIES, "USD", "currency")
    if currency != "USD":
        kinds = pd.Series(currency, index=own.index)
        worth = rows.in_dollars(worth, kinds, days, snapshot.rates(), f"column {value!r}")
    heavy, guessed = pd.Series(float("nan"), index=own.index), pd.Series(False, index=own.index)
    if weight:
        unit = weight_unit or _heading(weight, rows.WEIGHTS, "kg", "weight_unit")
        heavy = rows.amounts(own[weight], f"column {weight!r}", decimal=decimal) * _kg(unit)
    if "weight_status" in own:
        heavy = heavy.mask(own["weight_status"] == "missing")
        guessed = own["weight_status"] == "estimated"
    if estimated:
        guessed = own[estimated].map(lambda v: _FLAGS.get(_plain(v).lower()))
        if guessed.isna().any():
            raise SchemaMismatch(f"column {estimated!r}", "true or false in every row", "mend it")
    codes = hs_codes(own[code], where=f"column {code!r}")
    hidden = own.get("confidential", pd.Series(False, index=own.index)).astype(bool)
    net, status = rows.measured(heavy, worth, guessed.astype(bool))
    told = {"period": days, "freq": rhythm, "code": codes, "level": rows.level(codes),
            "value_usd": worth, "net_weight_kg": net, "weight_status": status,
            "confidential": rows.confidential(codes) | hidden}  # fmt: skip
    for name, said, read in (("reporter", reporter, _country), ("partner", partner, _country),
                             ("flow", flow, _flow)):  # fmt: skip
        said = name if said is None and name in own else said
        if said is not None:
            used |= {said} & set(own)
            words = own[said] if said in own else pd.Series(said, index=own.index)
            told[name] = words.map({word: read(word) for word in words.unique()})
    for name in set(tables.TABLES["trade"].names) & set(own) - set(told) - used:
        told[name] = own[name]  # a frame that has the canonical columns keeps them
        used.add(name)
    unsaid = {"origin": "frame", "source": "own", "vintage": "unknown", "trade_system": "unknown",
              "reporter": "own", "partner": "own", "flow": "X", "code_system": "own",
              "valuation": "FOB", "quantity": float("nan"), "quantity_unit": None,
              "quantity_status": "missing"}  # fmt: skip
    whole = pd.DataFrame({**unsaid, **told}, index=own.index)
    table = tables.validate(whole, "trade", where="frame")
    more = own[[c for c in own if c not in used]]
    table = rows.with_more(table, whole[_KEY], more, "frame") if len(more.columns) else table
    return pd.DataFrame(table.drop(columns=[c for c in unsaid if c not in told]))


def _frame(given: Any) -> pd.DataFrame:
    """Return what someone holds as a frame: one already, or the table in a file."""
    if isinstance(given, str | Path):
        data, name = _bytes(Path(given)), Path(given).name
        return (
            _workbook(data, name)
            if _is_workbook(data, name)
            else _csv(
                unpacked(data, name, _LIMIT), name, help_="save it again as CSV or as a workbook"
            )
        )
    try:
        return pd.DataFrame(given.to_pandas() if hasattr(given, "to_pandas") else given)
    except (ValueError, TypeError):
        raise SchemaMismatch(
            f"an object of type {type(given).__name__}", "a frame, or the path of a file",
            "pass a pandas.DataFrame, or the path of a CSV or an Excel workbook",
        ) from None  # fmt: skip


def _heading(column: str, units: Mapping[str, tuple[str, ...]], usual: str, option: str) -> str:
    """Return the usual unit, unless the name of the column says another, or thousands of it."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(column))
    words = [*plain(spaced).split(), *re.findall("[€₺]", spaced)]
    if scaled := [word for word in words if word in _SCALES]:
        raise SchemaMismatch(
            f"column {column!r} counts in {scaled[0]!r}, as its name says",
            "single units",
            "multiply it and give the column a name that does not say so",
        )
    other = [unit for unit, names in units.items() if unit != usual and {*names} & {*words}]
    if other:
        raise SchemaMismatch(
            f"column {column!r} is in {other[0]}, as its name says",
            f"{usual}, where no {option} is given",
            f"pass {option}={other[0]!r}, or {option}={usual!r} if its numbers are {usual}",
        )
    return usual


def _kg(unit: str) -> float:
    """Return the kilograms of a unit of weight."""
    for name, words in rows.WEIGHTS.items():
        if unit.lower() in words:
            return rows.KILOGRAMS[name]
    raise SchemaMismatch(
        f"weight_unit={unit!r}", f"one of {', '.join(rows.WEIGHTS)}", "turn the weights into kg"
    )


def read(file: str | Path, decimal: str = "", **unsaid: str) -> pd.DataFrame:
    """Read a file of trade of any kind known: what its headings say decides.

    ``decimal`` is the sign of a table of one's own whose numbers read in two ways; ``unsaid`` is
    the partner and flow of a table of TÜİK that has no such column.
    """
    path = Path(file)
    if path.suffix.lower() in (".zip", ".csv") and path.name.upper().startswith("BACI"):
        return read_baci(path)
    data = _bytes(path)
    if _is_workbook(data, path.name):
        own = _workbook(data, path.name)
    else:
        data = unpacked(data, path.name, _LIMIT)
        if data.lstrip()[:1] in (b"{", b"["):
            return read_comtrade(path)
        own = _csv(data, path.name, ragged=True)
    headings = {_letters(c) for c in own}
    if {"cmdcode", "primaryvalue"} <= headings:
        return _of_comtrade(own.fillna(""), path.name)
    if {"code", "value_usd", "period"} <= set(own):
        weight = "net_weight_kg" if "net_weight_kg" in own else None
        return tidy(own, weight=weight, decimal=decimal)
    try:
        return tuik.parse(data, {"origin": path.name, "unsaid": unsaid})
    except SchemaMismatch as error:
        error.add_note(
            "Read as a table of TÜİK. One of your own needs columns code, period, value_usd and "
            "net_weight_kg; in Python name others: tf.tidy(frame, code=…, value=…, period=…)."
        )
        raise


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise SchemaMismatch(f"{path.name}: no such file", "a file of trade", "correct its name")
    return path.read_bytes()


def _is_workbook(data: bytes, name: str) -> bool:
    return data[:4] == b"PK\x03\x04" and name.lower().endswith(".xlsx")


def _workbook(data: bytes, origin: str) -> pd.DataFrame:
    """Return the first sheet with rows; its first row names the columns."""
    grid = first_sheet(data, origin)
    return pd.DataFrame(grid[1:], columns=[str(c) for c in grid[0]]) if grid else pd.DataFrame()


def _csv(data: bytes, origin: str, *, ragged: bool = False, help_: str = _COMTRADE) -> pd.DataFrame:
    """Return a CSV or TSV as text; rows of the website end with a comma that its header lacks."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    separator = max((",", "\t", ";"), key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    head = next(lines, [])
    width, body = len(head), []
    for line in lines:
        if len(line) > width and not any(line[width:]):
            del line[width:]
        if len(line) == width:
            body.append(line)
        elif line and not ragged:
            raise SchemaMismatch(
                f"{origin}: line {lines.line_num} has {len(line)} fields",
                f"{width} as in the headings", help_,
            )  # fmt: skip
    return pd.DataFrame(body, columns=head, dtype=object)


def _letters(name: Any) -> str:
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _plain(cell: Any) -> str:
    """Return a cell as text: nothing as nothing, whole numbers without a point."""
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    text = str(cell).strip()
    return "" if text.lower() in _EMPTY else text


def _whole(text: str) -> int | str | None:
    number = re.fullmatch(r"(-?\d{1,15})(?:\.0+)?", text)
    return int(number[1]) if number else text or None


def _number(text: str) -> float | str | None:
    try:
        return float(text) if text else None
    except ValueError:
        return text


def _periods(values: pd.Series, freq: Any) -> tuple[pd.Series, pd.Series]:
    """Return first days and M or A of periods as people write them."""
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.astype(str)
    read = {value: _period(value) for value in values.unique()}
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


_MONTHS = (r"(?P<y>\d{4})[-/.M]?(?P<m>0[1-9]|1[0-2])", r"(?P<m>0?[1-9]|1[0-2])[-/.](?P<y>\d{4})")


def _period(value: Any) -> tuple[pd.Timestamp, str]:
    """Return the first day of a month or year, and M or A, or nothing where it is a date."""
    if isinstance(value, date):
        return pd.Timestamp(value.year, value.month, 1), ""
    text = _plain(value)
    if isinstance(value, Real) and "." in text:  # of 1.2020 a number keeps 1.202
        raise SchemaMismatch(
            f"period {text}, a number with decimals",
            "months as text, '01/2021', or as whole numbers, 202101",
            "read the column as text: dtype=str in pandas.read_csv or pandas.read_excel",
        )
    if re.fullmatch(r"(1[89]|2[01])\d\d", text):
        return pd.Timestamp(int(text), 1, 1), "A"
    for form in _MONTHS:
        if found := re.fullmatch(form, text):
            return pd.Timestamp(int(found["y"]), int(found["m"]), 1), "M"
    if found := re.fullmatch(r"(\d{4})-?(0[1-9]|1[0-2])-?([0-3]\d)(?:[T ].*)?", text):
        return pd.Timestamp(int(found[1]), int(found[2]), 1), ""
    quarter = re.search(r"Q\s*[1-4]|[1-4]\s*\.?\s*(?:quarter|çeyrek)", text, re.IGNORECASE)
    todo = "write it so"
    if quarter:
        todo = "measures compare months or years: take the monthly table, or sum quarters to years"
    elif re.fullmatch(r"0?[1-9]|1[0-2]", text):
        todo = (
            "put a column of years and one of months together:"
            " frame['period'] = frame['year'].astype(int) * 100 + frame['month'].astype(int)"
        )
    raise SchemaMismatch(
        f"the quarter {text!r}" if quarter else f"period {text!r}",
        "months or years: 202101, '2021-01', '2021M01', '01/2021', 2021, or dates",
        todo,
    )


def _country(word: Any) -> str:
    """Return the code of a country by code or name; groups and what no list holds by name stay."""
    text = str(word).strip()
    return text if re.match(r"EU\d*$|UN \d|Free zone", text) else from_name(text)


def _flow(word: Any) -> str:
    known = {"x": "X", "m": "M", "rx": "RX", "rm": "RM", "export": "X", "exports": "X",
             "import": "M", "imports": "M", "ihracat": "X", "ithalat": "M"}  # fmt: skip
    found = known.get(str(word).strip().replace("İ", "i").lower())
    if found is None:
        raise SchemaMismatch(f"flow {word!r}", "X, M, RX, RM, export or import", "rename it")
    return found
