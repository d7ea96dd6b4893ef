"""Countries: ISO 3166 alpha-3, and the numbers, letters and names the publishers use instead.

One code may stand for several UN Comtrade numbers (France is 251 and was 250). A number whose area
later split or was joined to another keeps a name of its own that says until when (``Sudan
(...2011)``, ``Belgium-Luxembourg (...1998)``), so that no successor begins with the trade of
others; compare such a union with the sum of its successors. Areas that are no country keep their
name. Further names in English and Turkish are those of ISO 3166 and the Unicode CLDR, with TÜİK's
own spellings beside them.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from tradeflows.errors import UnknownCode

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
_ZONE = re.compile(r"serb(est)? ?bol(ge(si|ler|leri)?)?\b|free (trade )?zone")
_FILE = Path(__file__).with_name("countries.csv")


@dataclass(frozen=True)
class Country:
    """One number of UN Comtrade; the ``current`` one of a code is the one to ask for.

    ``eurostat`` holds the letters to ask Comext for, joined by ``+`` (the first stands for the
    whole, the others for its parts), then others that mean the same; ``@1993`` is the year from
    which they do. ``others`` are further names, in English and in Turkish.
    """

    comtrade: int | None
    code: str
    name: str
    eurostat: str
    current: bool
    others: tuple[str, ...] = ()


@cache
def _areas() -> tuple[Country, ...]:
    """Return every country and area of any publisher."""
    with _FILE.open(encoding="utf-8", newline="") as handle:
        return tuple(
            Country(
                int(r["comtrade"]) if r["comtrade"] else None, r["code"], r["name"], r["eurostat"],
                r["current"] == "yes",
                tuple(filter(None, f"{r['english']}|{r['turkish']}".split("|"))),
            )
            for r in csv.DictReader(handle)
        )  # fmt: skip


@cache
def countries() -> tuple[Country, ...]:
    """Return every country and area UN Comtrade numbers, former ones included."""
    return tuple(c for c in _areas() if c.comtrade is not None)


def spoken(code: str) -> str:
    """Return the name of a country for a sentence; a code that is none as it is."""
    found = _by_code().get(code)
    return _SHORT.get(code, found.name if found and found.current else code)


@cache
def _by_number() -> dict[int | None, str]:
    return {c.comtrade: c.code for c in countries()}


@cache
def _by_code() -> dict[str, Country]:
    """Return the row to ask with for each code: the current one, or that of a former country."""
    return {c.code: c for c in sorted(_areas(), key=lambda c: (c.current, c.eurostat > ""))}


@cache
def _by_letters() -> dict[str, list[tuple[int, str]]]:
    """Return what Eurostat's letters mean, with the first year, the newest meaning first."""
    found: dict[str, list[tuple[int, str]]] = {}
    for area in _areas():
        for token in re.split(r"[+ ]", area.eurostat):
            letters, _, start = token.partition("@")
            found.setdefault(letters, []).append((int(start or 0), area.code))
    return {letters: sorted(meanings, reverse=True) for letters, meanings in found.items()}


def from_comtrade(number: int) -> str:
    """Return ISO alpha-3, or an area's name; a number no list holds is kept as ``UN <number>``."""
    return _by_number().get(number, f"UN {number}")


def comtrade(code: str) -> int:
    """Return the number to ask UN Comtrade for."""
    found = _by_code().get(code)
    if found is None or found.comtrade is None:
        raise UnknownCode(
            f"no country {code!r}",
            "ISO 3166 alpha-3 such as TUR, or one of " + ", ".join(SPECIAL.values()),
            "see codes/countries.csv",
        )
    return found.comtrade


def eurostat(code: str) -> str:
    """Return the letters Comext uses for a country, joined by ``+`` where it has several."""
    found = _by_code().get(code)
    if found is None or not found.eurostat:
        raise UnknownCode(
            f"no country {code!r} at Eurostat",
            "ISO 3166 alpha-3 such as TUR",
            "see codes/countries.csv",
        )
    return found.eurostat.split(" ")[0].partition("@")[0]


def from_eurostat(letters: str, year: int = 9999) -> str:
    """Return ISO alpha-3 for Eurostat's letters, which are given again; groups keep their name."""
    meanings = _by_letters().get(letters, [])
    return next((code for start, code in meanings if start <= year), letters)


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """Return lower-case letters and digits: ``Değer (USD)`` becomes ``deger usd``."""
    text = str(text).replace("ı", "i").replace("İ", "I").replace("_", " ").replace("&", " and ")
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", folded).split())


@cache
def _by_name() -> dict[str, str]:
    names = {plain(c.name): c.code for c in _areas() if c.current}
    names |= {plain(c.code): c.code for c in _areas()}
    return names | {plain(name): c.code for c in _areas() for name in c.others}


def from_name(name: str) -> str:
    """Return ISO alpha-3 for a country's code, of two or three letters, or its name."""
    bare = re.sub(r"^\s*\d+\s*[-–.:/]?\s*", "", str(name)).strip()
    words = plain(bare)
    if found := _by_name().get(words):
        return found
    if re.fullmatch("[A-Z]{2}", bare) and len(code := from_eurostat(bare)) == 3:
        return code
    if _ZONE.search(words):
        return f"Free zone: {bare}"
    raise UnknownCode(
        f"no country {name!r}",
        "a country's ISO 3166 alpha-3 code, or its English or Turkish name",
        "write its ISO code in that column of a copy of the file; leave rows of groups out"
        if bare
        else "numbers are each publisher's own: download the table with the names of the countries",
    )
