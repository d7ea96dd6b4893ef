"""World Bank commodity prices: the monthly workbook, found from its page, under steady names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from tradeflows import store, tables
from tradeflows.errors import SchemaMismatch, SourceUnavailable
from tradeflows.sources import register, rows
from tradeflows.sources.work import Session, Work, root_from
from tradeflows.sources.workbook import sheet

PUBLISHER = "World Bank"
ROOT = "https://www.worldbank.org"
PAGE = "en/research/commodity-markets"
WORKBOOK = "CMO-Historical-Data-Monthly.xlsx"
SHEET = "Monthly Prices"
HOSTS = ("worldbank.org",)
_STEADY = {  # headings whose series is known here by a shorter name
    "crude_oil_average": "crude_average", "crude_oil_brent": "brent", "crude_oil_dubai": "dubai",
    "crude_oil_wti": "wti", "coal_australian": "coal_australia",
    "coal_south_african": "coal_south_africa", "natural_gas_europe": "gas_europe",
    "natural_gas_us": "gas_us", "liquefied_natural_gas_japan": "lng_japan",
}  # fmt: skip
_UNITS = {"$/bbl": "USD/bbl", "$/mt": "USD/t", "$/mmbtu": "USD/MMBtu", "$/kg": "USD/kg"}
_EMPTY = {"", "..", "...", "…"}
_HELP = "download the workbook from the World Bank's commodity markets page and compare"


def _session(work: Work) -> Session:
    root = root_from("TRADEFLOWS_WORLDBANK_URL", ROOT)
    return work.session("worldbank", PUBLISHER, root, hosts=HOSTS)


def probe(work: Work) -> tuple[int, str]:
    """Look for the workbook on its page."""
    session = _session(work)
    page = session.get(PAGE, kind="page", expect="any")
    link(page.data.decode("utf-8", "replace"), page.url, session)
    return 1, "the page links to the monthly workbook"


def pull(work: Work) -> None:
    """Store the newest workbook unless it is stored."""
    session = _session(work)
    work.told("worldbank", 0, 2)
    page = session.get(PAGE, kind="page", expect="any")
    address = link(page.data.decode("utf-8", "replace"), page.url, session)
    work.told("worldbank", 1, 1)
    book = session.get(address, kind="data", expect="any")
    day = edition(sheet(book.data, WORKBOOK, SHEET), book.day)
    place = f"world-bank/live/{WORKBOOK.removesuffix('.xlsx')}@{day}.xlsx"
    table = parse(book.data, {"origin": place, "vintage": day})
    work.store(
        place, book.data, book,
        publisher=PUBLISHER,
        title=f"Commodity Markets: monthly prices, edition of {day}",
        licence="CC BY 4.0",
        terms="Attribution to the World Bank.",
        vintage=day,
        coverage=f"{table['period'].min():%Y-%m} to {table['period'].max():%Y-%m}",
        obtained="monthly workbook linked from the commodity markets page",
        table="prices",
        rows=len(table),
        traps=["Coal, Australian switches from spot to futures in February 2022."],
    )  # fmt: skip


def link(page: str, url: str, session: Session) -> str:
    """Return the address of the workbook that a page links to; a mirror serves all hosts."""
    target = r"[^\"'\s<>=]*CMO-Historical-Data-Monthly[^\"'\s<>]*\.xlsx[^\"'\s<>]*"
    found = re.findall(rf"[\"'=]({target})", page, re.IGNORECASE)
    if not found:
        raise SourceUnavailable(
            f"{PUBLISHER}: the page links to no {WORKBOOK}",
            "a link to the monthly workbook",
            "look whether the page has moved; the snapshot's prices stay usable",
        )
    address = session.allowed(url, unescape(found[0]))
    parts = urlsplit(address)
    if session.root == ROOT or parts.netloc == urlsplit(session.root).netloc:
        return address
    return session.root + parts.path + (f"?{parts.query}" if parts.query else "")


def edition(lines: list[tuple[Any, ...]], otherwise: str) -> str:
    """Return the day of the edition, from the line ``Updated on June 02, 2026``."""
    above = "\n".join(str(row[0]).replace(",", "") for row in lines[:8])
    said = re.search(r"updated on\s+(\w+ \d{1,2} \d{4})", above, re.IGNORECASE)
    day = pd.to_datetime(said[1] if said else "", format="%B %d %Y", errors="coerce")
    return otherwise if pd.isna(day) else f"{day:%Y-%m-%d}"


@register("world-bank")
def read(data: bytes, raw: store.Raw) -> pd.DataFrame:
    """Read a stored workbook as the prices table."""
    return parse(data, {"origin": raw.id, "vintage": raw.vintage})


def parse(data: bytes, about: Mapping[str, Any]) -> pd.DataFrame:
    """Turn the monthly workbook into the prices table.

    Footnote stars, blanks and case of the headings change between editions; the series' names do
    not. A sheet without headings, months, units or numbers is refused.
    """
    origin = str(about.get("origin", "workbook"))
    cells = pd.DataFrame(sheet(data, origin, SHEET), dtype=object)
    text = cells.map(lambda v: "" if v is None else str(v).strip()).astype("str")
    months = text[0].str.fullmatch(r"(19|20)\d\dM(0[1-9]|1[0-2])") if len(text) else pd.Series([])
    above = text[: int(months.argmax())] if months.any() else text[:0]
    top = next((n for n, row in above.iterrows() if (row != "").sum() >= 3), None)
    if not isinstance(top, int):
        raise SchemaMismatch(f"{origin}: no headings or months", f"the sheet {SHEET!r}", _HELP)
    labels = text.T[1:].loc[lambda t: t[top] != ""]
    named, heads, units = labels.index, labels[top], labels[top + 1].str.strip("()")
    if bare := [*heads[(units == "") | months[top + 1]]]:
        raise SchemaMismatch(f"{origin}: no unit under {bare[0]!r}", "($/mt)", _HELP)
    found = cells[named].mask(text[named].isin(_EMPTY))[months].assign(period=text[0])
    found = found.melt("period", var_name="column")
    column = found["column"]
    table = found.assign(
        origin=origin, source=PUBLISHER, vintage=str(about.get("vintage", "unknown")), freq="M",
        period=found["period"].str.replace("M", "-") + "-01",
        series=column.map(heads.map(series)),
        unit=column.map(units.map(lambda u: _UNITS.get(u, u.replace("$", "USD")))),
        value=rows.amounts(found["value"], origin, decimal="."),
    )  # fmt: skip
    table = table.assign(period_end=table["period"]).drop(columns="column").dropna(subset="value")
    return tables.validate(table, "prices", where=origin)


def series(heading: str) -> str:
    """Return the steady name of a series.

    Examples
    --------
    >>> [series(h) for h in ("Coal, South African **", "Crude oil, Brent", "Urea ", "Tin")]
    ['coal_south_africa', 'brent', 'urea', 'tin']
    """
    plain = re.sub(r"[^a-z0-9]+", "_", heading.lower().replace("*", "")).strip("_")
    return _STEADY.get(plain, plain)
