"""World Bank commodity prices: the monthly workbook, found from its page, under steady names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pandas as pd

from tradeflows import store, tables
from tradeflows.errors import SchemaMismatch, SourceUnavailable
from tradeflows.sources.http import Session, root_from
from tradeflows.sources.registry import register
from tradeflows.sources.work import Work
from tradeflows.sources.workbook import sheet

__all__ = ["PUBLISHER", "parse", "probe", "pull", "read"]

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
_EMPTY = {"", "..", "...", "…", "n/a", "na", "-"}
_HELP = "download the workbook from the World Bank's commodity markets page and compare"


def _session(work: Work) -> Session:
    root = root_from("TRADEFLOWS_WORLDBANK_URL", ROOT)
    return work.session("worldbank", PUBLISHER, root, hosts=HOSTS)


def probe(work: Work) -> tuple[int, str]:
    """Look for the workbook on its page."""
    page = _session(work).get(PAGE, kind="page", expect="any")
    link(page.data.decode("utf-8", "replace"), page.url)
    return 1, "the page links to the monthly workbook"


def pull(work: Work) -> None:
    """Store the newest workbook unless it is stored."""
    session = _session(work)
    work.told("worldbank", 0, 2)
    page = session.get(PAGE, kind="page", expect="any")
    address = link(page.data.decode("utf-8", "replace"), page.url)
    work.told("worldbank", 1, 1)
    book = session.get(_within(address, session), kind="data", expect="any")
    day = edition(sheet(book.data, WORKBOOK, SHEET), book.day)
    place = f"world-bank/live/{WORKBOOK.removesuffix('.xlsx')}@{day}.xlsx"
    if store.place(place).is_file():
        if store.read(place) == book.data:
            return
        place = place.replace(".xlsx", f"-{book.day}.xlsx")
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


def link(page: str, url: str) -> str:
    """Return the address of the monthly workbook that a page links to."""
    target = r"[^\"'\s<>=]*CMO-Historical-Data-Monthly[^\"'\s<>]*\.xlsx[^\"'\s<>]*"
    found = re.findall(rf"[\"'=]({target})", page, re.IGNORECASE)
    if not found:
        raise SourceUnavailable(
            f"{PUBLISHER}: the page links to no {WORKBOOK}",
            "a link to the monthly workbook",
            "look whether the page has moved; the snapshot's prices stay usable",
        )
    try:
        address = urljoin(url, unescape(found[0]))
        urlsplit(address)
    except ValueError:
        raise SourceUnavailable(
            f"{PUBLISHER}: the page links to {found[0][:80]!r}", "an address", "look at the page"
        ) from None
    return address


def _within(address: str, session: Session) -> str:
    """Return the address at the root asked: a mirror serves the documents of all hosts."""
    parts, root = urlsplit(address), urlsplit(session.root)
    host = parts.hostname or ""
    if parts.netloc == root.netloc:
        return address
    if not any(host == h or host.endswith("." + h) for h in HOSTS):
        raise SourceUnavailable(
            f"{PUBLISHER}: the page links to a workbook at {host!r}",
            "a host of the World Bank",
            "look at the page yourself before you trust it",
        )
    if session.root == ROOT:
        return address
    return session.root + parts.path + (f"?{parts.query}" if parts.query else "")


def edition(rows: list[tuple[Any, ...]], otherwise: str) -> str:
    """Return the day of the edition, from the line ``Updated on June 02, 2026``."""
    for row in rows[:8]:
        found = re.search(r"updated on\s+(\w+ \d{1,2},? \d{4})", str(row[0]), re.IGNORECASE)
        if found:
            day = pd.to_datetime(
                found.group(1).replace(",", ""), format="%B %d %Y", errors="coerce"
            )
            return otherwise if pd.isna(day) else day.strftime("%Y-%m-%d")
    return otherwise


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
    rows = sheet(data, origin, SHEET)
    first = next((i for i, r in enumerate(rows) if r and _month(r[0])), None)
    top = next((i for i, r in enumerate(rows[:first]) if _filled(r) >= 3), None)
    if first is None or top is None:
        raise SchemaMismatch(f"{origin}: no headings or months", f"the sheet {SHEET!r}", _HELP)
    units = rows[top + 1] if top + 1 < first else ()
    records = []
    for column, heading in enumerate(rows[top]):
        if column == 0 or not _text(heading):
            continue
        name, unit = series(_text(heading)), _unit(units, column)
        if not unit:
            raise SchemaMismatch(f"{origin}: no unit under {_text(heading)!r}", "($/mt)", _HELP)
        for row in rows[first:]:
            value = _number(row[column] if column < len(row) else None, name, origin)
            if value is not None and _month(row[0]):
                month = str(row[0])
                records.append((name, f"{month[:4]}-{month[5:]}-01", value, unit))
    frame = pd.DataFrame(records, columns=["series", "period", "value", "unit"])
    constants = {
        "origin": origin,
        "source": PUBLISHER,
        "vintage": str(about.get("vintage", "unknown")),
        "freq": "M",
    }
    return tables.validate(
        frame.assign(period_end=frame["period"], **constants), "prices", where=origin
    )


def series(heading: str) -> str:
    """Return the steady name of a series.

    Examples
    --------
    >>> [series(h) for h in ("Coal, South African **", "Crude oil, Brent", "Urea ", "Tin")]
    ['coal_south_africa', 'brent', 'urea', 'tin']
    """
    plain = re.sub(r"[^a-z0-9]+", "_", heading.lower().replace("*", "")).strip("_")
    return _STEADY.get(plain, plain)


def _text(value: Any) -> str:
    return str(value).strip() if value is not None else ""


def _filled(row: tuple[Any, ...]) -> int:
    return sum(bool(_text(v)) for v in row)


def _month(value: Any) -> bool:
    return bool(re.fullmatch(r"(19|20)\d\dM(0[1-9]|1[0-2])", _text(value)))


def _unit(units: tuple[Any, ...], column: int) -> str:
    unit = _text(units[column]).strip("()") if column < len(units) else ""
    return _UNITS.get(unit, unit.replace("$", "USD"))


def _number(value: Any, name: str, origin: str) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if _text(value).lower() in _EMPTY:
        return None
    raise SchemaMismatch(f"{origin}: {name} holds {_text(value)[:40]!r}", "numbers", _HELP)
