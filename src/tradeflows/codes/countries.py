"""Countries: ISO 3166 alpha-3, and the numbers and letters the publishers use instead.

One ISO code may stand for several UN Comtrade numbers (France is 251 and was 250); areas that are
no country keep their name.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tradeflows.errors import UnknownCode

__all__ = [
    "EU27",
    "SPECIAL",
    "Country",
    "comtrade",
    "countries",
    "eurostat",
    "from_comtrade",
    "from_eurostat",
    "spoken",
]

SPECIAL = {
    0: "World",
    837: "Bunkers",
    838: "Free zones",
    839: "Special categories",
    899: "Areas nes",
}
EU27 = (
    *("AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV"),
    *("HUN", "IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN"),
    "SWE",
)
_SHORT = {"RUS": "Russia", "TUR": "Turkey"}
_FILE = Path(__file__).with_name("countries.csv")


@dataclass(frozen=True)
class Country:
    """One number of UN Comtrade; the ``current`` one of a code is the one to ask for."""

    comtrade: int
    code: str
    name: str
    eurostat: str
    current: bool


@cache
def countries() -> tuple[Country, ...]:
    """Return every country and area UN Comtrade numbers, former ones included."""
    with _FILE.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Country(int(r["comtrade"]), r["code"], r["name"], r["eurostat"], r["current"] == "yes")
            for r in csv.DictReader(handle)
        )


def spoken(code: str) -> str:
    """Return the name of a country for a sentence; a code that is none as it is.

    Examples
    --------
    >>> spoken("RUS"), spoken("KAZ"), spoken("D29")
    ('Russia', 'Kazakhstan', 'D29')
    """
    found = _current().get(code)
    return _SHORT.get(code, found.name if found else code)


@cache
def _by_number() -> dict[int, str]:
    return {c.comtrade: c.code for c in countries()}


@cache
def _current() -> dict[str, Country]:
    return {c.code: c for c in countries() if c.current}


@cache
def _by_eurostat() -> dict[str, str]:
    letters = {c.eurostat: c.code for c in countries() if c.current and c.eurostat}
    return letters | {"GR": "GRC", "UK": "GBR", "XI": "GBR"}


def from_comtrade(number: int) -> str:
    """Return ISO alpha-3, or the spelled-out name of an area that is no country.

    A number that no list holds is kept as ``UN <number>``: its value is not lost.

    Examples
    --------
    >>> [from_comtrade(n) for n in (792, 643, 842, 251, 490, 899, 12345)]
    ['TUR', 'RUS', 'USA', 'FRA', 'TWN', 'Areas nes', 'UN 12345']
    """
    return _by_number().get(number, f"UN {number}")


def comtrade(code: str) -> int:
    """Return the number to ask UN Comtrade for.

    Examples
    --------
    >>> [comtrade(c) for c in ("TUR", "USA", "FRA", "IND", "CHE", "World")]
    [792, 842, 251, 699, 757, 0]
    """
    found = _current().get(code)
    if found is None:
        raise UnknownCode(
            f"no country {code!r}",
            "ISO 3166 alpha-3 such as TUR, or one of " + ", ".join(SPECIAL.values()),
            "see codes/countries.csv",
        )
    return found.comtrade


def eurostat(code: str) -> str:
    """Return the letters Eurostat uses for a country.

    Examples
    --------
    >>> [eurostat(c) for c in ("TUR", "GRC", "KAZ")]
    ['TR', 'EL', 'KZ']
    """
    found = _current().get(code)
    if found is None or not found.eurostat:
        raise UnknownCode(
            f"no country {code!r} at Eurostat",
            "ISO 3166 alpha-3 such as TUR",
            "see codes/countries.csv",
        )
    return found.eurostat


def from_eurostat(letters: str) -> str:
    """Return ISO alpha-3 for Eurostat's letters; groups such as EU27_2020 keep their name.

    Examples
    --------
    >>> [from_eurostat(x) for x in ("TR", "EL", "UK", "EU27_2020")]
    ['TUR', 'GRC', 'GBR', 'EU27_2020']
    """
    return _by_eurostat().get(letters, letters)
