"""The standard pull: what the claims about Turkey and Russia need, in the order they need it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tradeflows.codes.countries import (
    EU27,
    SPECIAL,
    comtrade,
    from_comtrade,
    from_eurostat,
    from_name,
    plain,
)
from tradeflows.errors import UnknownCode
from tradeflows.sources.comtrade.question import ALL, Part, level

__all__ = ["START", "TRANSIT", "pair", "places", "standard"]

START = "2017-01"
TRANSIT = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
SUPPLIERS = (*sorted({*EU27, "USA", "CAN", "JPN", "GBR"}),)
CHAPTERS = ("84", "85", "88", "90")
# Names of groups and areas that stand in no list of countries.
_GROUPS = {
    **dict.fromkeys(("world", "wld", "w00", "dunya", "toplam"), ("World",)),
    **dict.fromkeys(("areas nes", "x", "not specified"), ("Areas nes",)),
    **dict.fromkeys(("eu", "eu27", "eu27 2020"), EU27),
    **dict.fromkeys(("eu28", "eu28 2013"), (*EU27, "GBR")),
    "all": (ALL,),
}


def standard(codes: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts of the standard pull.

    Parameters
    ----------
    codes : sequence of str
        The high-priority codes, of every HS revision that the months cover.

    Examples
    --------
    >>> [part.name for part in standard(["854231"])][:3]
    ['turkey-russia', 'russia-priority', 'turkey-priority']
    """
    listed = tuple(sorted(set(codes)))
    for code in listed:
        level(code)
    parts = [
        Part("turkey-russia", ("TUR",), ("RUS",), ("M", "X"), ("TOTAL", "AG2", "AG6"), 6500),
        Part("russia-priority", ("TUR",), ("RUS",), ("X",), listed, 60),
        Part("turkey-priority", ("TUR",), (ALL,), ("X",), listed, 2500),
        Part("transit-priority", TRANSIT, ("TUR",), ("M",), listed, 40),
        Part("supply-priority", SUPPLIERS, ("TUR",), ("X",), listed, 40),
        Part(
            "turkey-controls", ("TUR",), (ALL,), ("X",), tuple(f"AG6/{c}" for c in CHAPTERS), 40000
        ),
    ]
    return tuple(p for p in parts if p.codes)


def places(text: str) -> tuple[str, ...]:
    """Return the countries and areas that a text names, as the trade table writes them.

    Parameters
    ----------
    text : str
        ISO codes, names, numbers or letters that a publisher uses, several with commas; ``EU27``
        and ``EU28`` stand for their members, ``ALL`` for every partner.

    Raises
    ------
    UnknownCode
        A name that no list holds.

    Examples
    --------
    >>> places("kaz, Russian Federation"), places("Areas, nes"), places("W00"), places("FR")
    (('KAZ', 'RUS'), ('Areas nes',), ('World',), ('FRA',))
    >>> len(places("EU27_2020"))
    27
    """
    whole = _named(text.strip())
    if whole:
        return whole
    parts = [t for t in text.split(",") if t.strip()]
    if len(parts) < 2:
        raise UnknownCode(
            f"no country or area {text!r}",
            "ISO 3166 alpha-3 such as TUR, a name such as Turkey, EU27, ALL, or one of "
            + ", ".join(SPECIAL.values()),
            "correct it; several are separated by commas",
        )
    return tuple(dict.fromkeys(place for t in parts for place in places(t)))


def _named(text: str) -> tuple[str, ...]:
    """Return what one name, number or code of a country, area or group stands for, or nothing."""
    if found := _GROUPS.get(plain(text)):
        return found
    try:
        if text.isascii() and text.isdecimal():
            place = from_comtrade(int(text))
        elif len(text) == 2 and from_eurostat(text.upper()) != text.upper():
            place = from_eurostat(text.upper())
        else:
            place = from_name(text)
        comtrade(place)
    except UnknownCode:
        return ()
    return (place,)


def pair(
    reporter: str, partner: str, flows: Sequence[str] = ("M", "X"), codes: Sequence[str] = ()
) -> Part:
    """Return a part for any pair of countries, areas or groups of them.

    Parameters
    ----------
    reporter, partner : str
        As `places` reads them; only a partner may be ``ALL``, World or another area.
    flows : sequence of str
        ``M``, ``X``, ``RM``, ``RX``.
    codes : sequence of str
        HS codes, ``TOTAL``, ``AG2``, ``AG4``, ``AG6``; by default totals, chapters and HS6.

    Raises
    ------
    UnknownCode
        A country, area, flow or code that no list holds, or a reporter that is no country.

    Examples
    --------
    >>> pair("TUR", "KAZ", codes=["8542"]).name
    'tur-kaz-8542'
    >>> pair("Turkey", "Areas, nes", codes=["TOTAL"]).partners
    ('Areas nes',)
    """
    reporters, partners = places(reporter), places(partner)
    areas = [r for r in reporters if r == ALL or r in SPECIAL.values()]
    if areas:
        raise UnknownCode(
            f"reporter {areas[0]!r}", "a country: areas and the world do not report", "name one"
        )
    odd = sorted(set(flows) - {"M", "X", "RM", "RX"})
    if odd or not flows:
        raise UnknownCode(f"flows {odd}", "M, X, RM or RX", "correct them")
    asked = tuple(dict.fromkeys(codes)) or ("TOTAL", "AG2", "AG6")
    digits = [level(code) for code in asked]
    guess = sum(6300 if c == "AG6" else 2500 if c == "AG4" else 150 for c in asked)
    shown = [c.lower().replace("/", "-") for c in asked[:3]] if codes else []
    who = [_short(p, text) for p, text in ((reporters, reporter), (partners, partner))]
    more = f"-{len(digits)}" if len(asked) > 3 else ""
    whom = len(partners) if partners != (ALL,) else 50
    name = "-".join([*who, *shown]) + more
    return Part(name, reporters, partners, tuple(dict.fromkeys(flows)), asked, guess * whom)


def _short(found: tuple[str, ...], text: str) -> str:
    """Return a short name of places for files."""
    name = found[0] if len(found) == 1 else text
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
