"""Eurostat: EU exports by HS6 (Comext) and Turkey's energy imports, as SDMX-CSV."""

from __future__ import annotations

import gzip
import io
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from tradeflows import store, tables
from tradeflows.codes.countries import eurostat as letters
from tradeflows.codes.countries import from_eurostat
from tradeflows.codes.groups import asked
from tradeflows.codes.hs import hs_codes
from tradeflows.errors import SchemaMismatch, TradeflowsError, TruncatedReply
from tradeflows.sources import register, rows, snapshot
from tradeflows.sources.work import AddressTooLong, Manners, Reply, Session, Work, root_from
from tradeflows.sources.workbook import unpacked

_log = logging.getLogger(__name__)
PUBLISHER = "Eurostat"
ROOT = "https://ec.europa.eu"
NEIGHBOURS = ("TUR", "RUS", "KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
_HELP = "refresh again; if it stays, the publisher changed its format: report it"
_DATASETS = ("ds-045409", "nrg_ti_gasm", "nrg_ti_oilm", "nrg_ti_sffm")
_KEY = ["reporter", "partner", "product", "flow", "period"]
_TRADE = {"reporter", "partner", "product", "flow", "indicators", "time_period", "obs_value"}
_VOLUMES = {"siec", "partner", "unit", "geo", "time_period", "obs_value"}
_ABOUT = {"dataflow", "last update", "freq", "obs_flag", "conf_status"}
_EURO, _KILOS = "VALUE_IN_EUROS", "QUANTITY_IN_100KG"
_ESTIMATED, _SECRET = "eis", "c"  # letters of OBS_FLAG
_PUT_OFF = re.compile(
    rb"EXTRACTION_TOO_BIG|\"status\"\s*:\s*\"?413|code=\"413\"|SUBMITTED|PROCESSING|AVAILABLE"
)
_CODES = r"TOTAL|[0-9]{2,8}[SM]+|[SM]+"  # beside digits: goods whose code is kept secret
_SERIES = {"G3000": "gas", "G3200": "lng", "O4100_TOT": "crude_oil", "O4100": "crude_oil",
           "O4600": "oil_products", "O4000XO4100": "oil_products", "C0100": "hard_coal",
           "C0000X0350-0370": "solid_fuels"}  # fmt: skip
_UNITS = {"MIO_M3": ("m3", 1e6), "THS_T": ("t", 1e3), "TJ_GCV": ("TJ", 1.0), "TJ": ("TJ", 1.0)}


class Question(NamedTuple):
    """One dataset with its key."""

    dataset: str
    key: str
    title: str

    @property
    def is_trade(self) -> bool:
        """Whether it holds trade in goods; the others hold volumes of energy."""
        return self.dataset.startswith("DS-")


def standard(codes: Sequence[str]) -> list[Question]:
    """Return what the claims need: EU exports of the codes, and Turkey's energy imports.

    Examples
    --------
    >>> [q.dataset for q in standard(["854231"])]
    ['DS-045409', 'nrg_ti_gasm', 'nrg_ti_oilm', 'nrg_ti_sffm']
    """
    partners, goods = "+".join(letters(c) for c in NEIGHBOURS), "+".join(sorted(set(codes)))
    comext = Question(
        "DS-045409", f"M.EU27_2020.{partners}.{goods}.2.{_EURO}+{_KILOS}",
        "EU exports of listed goods to Turkey, Russia and the neighbours",
    )  # fmt: skip
    energy = {"gasm": "natural gas", "oilm": "oil and oil products", "sffm": "solid fuels"}
    return [comext] * bool(goods) + [
        Question(f"nrg_ti_{name}", "M..RU+TOTAL..TR", f"Turkey: imports of {what}")
        for name, what in energy.items()
    ]


def _session(work: Work) -> Session:
    root = root_from("TRADEFLOWS_EUROSTAT_URL", ROOT)
    return work.session("eurostat", PUBLISHER, root, hosts=("europa.eu",))


def probe(work: Work) -> tuple[int, str]:
    """Ask for a month of Turkey's gas from Russia."""
    question = Question("nrg_ti_gasm", "M.G3000.RU.MIO_M3.TR", "gas")
    found = parse(_answer(_session(work), question, ("2022-02", "2022-02")).data, {})
    said = " and ".join(f"{v / 1e9:.2f} bn m3" for v in found["value"]) or "nothing"
    return len(found), f"Turkey's gas from Russia in February 2022: {said}"


def pull(work: Work) -> None:
    """Store the newest edition of every dataset of the standard pull.

    A span that is too large for a reply is halved. A reply that says the same as the stored one of
    the same edition is not stored again.
    """
    session, (start, end) = _session(work), work.span
    try:
        last, codes = f"{snapshot.rates().index.max():%Y-%m}", list(asked())
    except TradeflowsError as error:  # energy comes in physical units and needs no rates
        _log.warning("EU exports are left out: %s", error.found)
        last, codes = end, []
    questions = standard(codes)
    for number, question in enumerate(questions):
        work.told("eurostat", number, len(questions) - number)
        spans = [(start, min(end, last) if question.is_trade else end)]
        while spans:
            span = spans.pop(0)
            try:
                _store(work, question, span, _answer(session, question, span))
            except AddressTooLong:
                spans = _halved(question, span) + spans


def _halved(question: Question, span: tuple[str, str]) -> list[tuple[str, str]]:
    months = [f"{m}" for m in pd.period_range(*span, freq="M")]
    if len(months) < 2:
        raise TruncatedReply(
            f"{PUBLISHER}: {question.dataset} {span[0]} is too large for a reply",
            "one month that fits", "ask for fewer codes, or try again later",
        )  # fmt: skip
    middle = len(months) // 2
    return [(months[0], months[middle - 1]), (months[middle], months[-1])]


def _answer(session: Session, question: Question, span: tuple[str, str]) -> Reply:
    """Return data; what Eurostat promises for later, or calls too big, is to be asked in parts."""
    service = "comext/dissemination" if question.is_trade else "dissemination"
    reply = session.get(
        f"eurostat/api/{service}/sdmx/2.1/data/{question.dataset}/{question.key}",
        f"format=SDMX-CSV&compressed=false&startPeriod={span[0]}&endPeriod={span[1]}",
        expect="any",
    )
    if is_put_off(reply.data):
        raise AddressTooLong(f"{PUBLISHER}: the extraction is too big", "less", "ask for less")
    return reply


def is_put_off(data: bytes) -> bool:
    r"""Tell a reply that holds no data, because they are too many for one or come later.

    Examples
    --------
    >>> is_put_off(b"413\nEXTRACTION_TOO_BIG: The requested extraction is too big")
    True
    """
    packed = data[:2] in (b"PK", b"\x1f\x8b")
    return not packed and not data.startswith(b"DATAFLOW") and bool(_PUT_OFF.search(data[:20_000]))


def _store(work: Work, question: Question, span: tuple[str, str], reply: Reply) -> None:
    day = _edition(_table(reply.data, question.dataset)) or reply.day
    place = f"eurostat/live/{question.dataset.lower()}-{span[0]}-{span[1]}@{day}.csv.gz"
    work.store(
        place, gzip.compress(unpacked(reply.data, place), 6, mtime=0), reply,
        publisher=PUBLISHER,
        title=question.title,
        licence="reuse with attribution (Commission decision 2011/833/EU)",
        terms="Reuse is allowed if Eurostat is named as the source.",
        vintage=day,
        coverage=f"{span[0]} to {span[1]}",
        obtained=f"Eurostat API, dataset {question.dataset}",
        table="trade" if question.is_trade else "volumes",
        rows=len(parse(reply.data, {"origin": place, "vintage": day})),
        query={"key": question.key, "span": list(span)},
    )  # fmt: skip


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn SDMX-CSV, plain or packed, into the trade table (Comext) or the volumes table (energy).

    Comext values in euro become USD at the month's mean rate, 100 kg become kg. ``about`` holds
    ``origin``, ``vintage`` and, if not the ECB's, ``rates``: USD per euro by month.
    """
    origin = str(about.get("origin", "reply"))
    frame = _table(data, origin).rename(columns=str.lower)
    found = set(frame.columns)
    needed = next((n for n in (_TRADE, _VOLUMES) if n <= found <= n | _ABOUT), None)
    if needed is None:
        raise SchemaMismatch(
            f"{origin}: columns {', '.join(frame.columns[:16])}",
            f"{', '.join(sorted(_TRADE))} (Comext) or {', '.join(sorted(_VOLUMES))} (energy)",
            "ask for a dataset without further dimensions, as SDMX-CSV without labels",
        )
    # Other datasets share the columns, not the meaning: SITC codes, exports of energy.
    names = frame["dataflow"].str.lower().str.extract(r"([a-z]+[-_][a-z0-9_]+)", expand=False)
    if odd := sorted(set(frame["dataflow"][~names.isin(_DATASETS)])):
        raise SchemaMismatch(f"{origin}: dataset {odd[0]}", f"one of {_DATASETS}", "ask for one")
    frame = frame[~frame["obs_value"].str.strip().isin(("", ":"))]
    number = rows.amounts(frame["obs_value"], f"{origin}: OBS_VALUE", decimal=".")
    if number.isna().any():  # a dash is nothing, or not told
        value = frame["obs_value"][number.isna()].iloc[0]
        raise SchemaMismatch(f"{origin}: OBS_VALUE holds {value!r}", "a number, or ':'", _HELP)
    frame = frame.assign(number=number)
    days = pd.to_datetime(frame["time_period"], format="%Y-%m", errors="coerce")
    undated = days.isna() | (days.dt.year < 1)  # pandas has a year 0, Python has none
    if undated.any():
        value = frame["time_period"][undated].iloc[0]
        raise SchemaMismatch(f"{origin}: TIME_PERIOD holds {value!r}", "months, 2022-01", _HELP)
    frame = frame.assign(period=days)
    return (_trade if needed is _TRADE else _volumes)(frame, about, origin)


def _table(data: bytes, origin: str) -> pd.DataFrame:
    """Return a reply as text columns."""
    text = unpacked(data, origin, Manners.limit)
    if not text.lstrip()[:8].upper().startswith(b"DATAFLOW"):
        raise SchemaMismatch(f"{origin}: no SDMX-CSV", "a table that starts with DATAFLOW", _HELP)
    try:
        return pd.read_csv(io.BytesIO(text), dtype="str", keep_default_na=False)
    except (ValueError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise SchemaMismatch(f"{origin}: {error}", "a CSV table", _HELP) from None


def _trade(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    """Return one row for each key that has a value in euro, with its kilograms."""
    if odd := sorted({*frame["indicators"]} - {_EURO, _KILOS}):
        raise SchemaMismatch(f"{origin}: indicator {odd[0]}", f"{_EURO} and {_KILOS}", _HELP)
    flags = frame.get("obs_flag", pd.Series("", index=frame.index)).str.lower()
    secret = frame.get("conf_status", pd.Series("", index=frame.index))
    frame = frame.assign(
        guessed=flags.str.contains(f"[{_ESTIMATED}]"),
        secret=flags.str.contains(_SECRET) | ~secret.isin(["", "F"]),
    )
    columns = [*_KEY, "number", "guessed", "secret"]
    euro, kilos = (frame.loc[frame["indicators"] == i, columns] for i in (_EURO, _KILOS))
    wide = euro.merge(kilos, how="left", on=_KEY, suffixes=("", " kilos"))
    if len(frame) and wide.empty:
        raise SchemaMismatch(f"{origin}: no {_EURO}, so no values", "values too", "ask for them")
    rates = about.get("rates")
    table = rows.trade(
        about, source=PUBLISHER, trade_system="special", period=wide["period"],
        code=hs_codes(wide["product"], where=origin, also=_CODES),
        reporter=_countries(wide["reporter"], wide), partner=_countries(wide["partner"], wide),
        flow=wide["flow"].map({"1": "M", "2": "X"}),
        value=rows.in_dollars(
            wide["number"], pd.Series("EUR", index=wide.index), wide["period"],
            snapshot.rates() if rates is None else pd.DataFrame({"EUR": rates}), origin,
        ),
        weight=wide["number kilos"] * 100, estimated=wide["guessed kilos"].eq(True),
        hidden=wide["secret"] | wide["secret kilos"].eq(True),
    )  # fmt: skip
    return tables.validate(table, "trade", where=origin)


def _volumes(frame: pd.DataFrame, about: Mapping[str, Any], origin: str) -> pd.DataFrame:
    unit = frame["unit"].map(lambda u: _UNITS.get(u, (u, 1.0)))
    table = pd.DataFrame(
        {
            "origin": origin,
            "source": PUBLISHER,
            "vintage": str(about.get("vintage", "unknown")),
            "series": frame["siec"].map(lambda s: _SERIES.get(s, f"siec {s}")),
            "reporter": _countries(frame["geo"], frame),
            "partner": _countries(frame["partner"], frame),
            "freq": "M",
            "period": frame["period"],
            "value": frame["number"] * unit.map(lambda u: u[1]).astype("float64"),
            "unit": unit.map(lambda u: u[0]),
        }
    )
    return tables.validate(table, "volumes", where=origin)


def _countries(places: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """Return countries by their letters, which change their meaning over the years."""
    groups = {"EU27_2020": "EU27", "TOTAL": "World", "WORLD": "World"}
    found = places.combine(
        frame["period"].dt.year,
        lambda letter, year: groups.get(letter) or from_eurostat(letter, year),
    )
    return found.astype("str")


def _edition(frame: pd.DataFrame) -> str:
    """Return the day of the last update, written ``15/09/26`` or ``15/09/26 11:00:00``."""
    if "LAST UPDATE" not in frame or frame.empty:
        return ""
    text = str(frame["LAST UPDATE"].iloc[0]).split(" ")[0]
    days = [pd.to_datetime(text, format=f, errors="coerce") for f in ("%d/%m/%y", "%Y-%m-%d")]
    return next((f"{day:%Y-%m-%d}" for day in days if not pd.isna(day)), "")


@register("eurostat")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored reply as the trade or volumes table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage})
