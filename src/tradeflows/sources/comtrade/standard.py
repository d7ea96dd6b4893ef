"""The standard pull: what the claims about Turkey and Russia need, in the order they need it."""

from __future__ import annotations

from collections.abc import Sequence

from tradeflows.codes.countries import EU27, comtrade
from tradeflows.errors import UnknownCode
from tradeflows.sources.comtrade.question import ALL, Part, level

__all__ = ["START", "TRANSIT", "pair", "standard"]

START = "2017-01"
TRANSIT = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
SUPPLIERS = (*sorted({*EU27, "USA", "CAN", "JPN", "GBR"}),)
CHAPTERS = ("84", "85", "88", "90")


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


def pair(
    reporter: str, partner: str, flows: Sequence[str] = ("M", "X"), codes: Sequence[str] = ()
) -> Part:
    """Return a part for any pair of countries.

    Parameters
    ----------
    reporter, partner : str
        ISO 3166 alpha-3; partner may be ``ALL``.
    flows : sequence of str
        ``M``, ``X``, ``RM``, ``RX``.
    codes : sequence of str
        HS codes, ``TOTAL``, ``AG2``, ``AG4``, ``AG6``; by default totals, chapters and HS6.

    Examples
    --------
    >>> pair("TUR", "KAZ", codes=["8542"]).name
    'tur-kaz-8542'
    """
    comtrade(reporter)
    if partner != ALL:
        comtrade(partner)
    odd = sorted(set(flows) - {"M", "X", "RM", "RX"})
    if odd or not flows:
        raise UnknownCode(f"flows {odd}", "M, X, RM or RX", "correct them")
    asked = tuple(codes) or ("TOTAL", "AG2", "AG6")
    digits = [level(code) for code in asked]
    guess = sum(6300 if c == "AG6" else 2500 if c == "AG4" else 150 for c in asked)
    shown = [c.lower().replace("/", "-") for c in asked[:3]] if codes else []
    name = "-".join([reporter.lower(), partner.lower(), *shown])
    more = f"-{len(digits)}" if len(asked) > 3 else ""
    return Part(name + more, (reporter,), (partner,), tuple(flows), asked, guess)
