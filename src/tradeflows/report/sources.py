"""The page of sources: every raw file with publisher, terms, vintage and hash, and the errata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import groupby

from tradeflows.documents import parsed
from tradeflows.report.page import Page, template
from tradeflows.store import Raw

__all__ = ["FILE", "anchor", "errata", "page"]

FILE = "sources.html"


def anchor(origin: str, kind: str = "raw") -> str:
    """Return the id under which the page lists a raw file.

    Examples
    --------
    >>> anchor("world-bank/prices@2026-06.csv")
    'raw-world-bank-prices-2026-06-csv'
    """
    return f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", origin.lower()).strip("-")


def page(catalogue: Sequence[Raw], corrected: Sequence[Mapping[str, str]] = ()) -> Page:
    """Write the page; the replies to one live question stand together."""
    by_publisher = sorted(catalogue, key=lambda raw: (raw.publisher.lower(), raw.id))
    groups = []
    for publisher, files in groupby(by_publisher, key=lambda raw: raw.publisher):
        pulls: dict[str, list[Raw]] = {}
        for raw in files:
            pulls.setdefault(str(raw.query.get("part", raw.id)), []).append(raw)
        groups.append((publisher, list(pulls.values())))
    described = template("sources.j2", asked=lambda q: ", ".join(f"{k}={v}" for k, v in q.items()))
    body = described.render(
        groups=groups, count=len(catalogue), bytes=sum(raw.bytes for raw in catalogue),
        anchor=anchor, errata=corrected,
    )  # fmt: skip
    words = "Every raw file behind the report: publisher, terms, vintage, known traps and sha256."
    contents = [(anchor(publisher, "by"), publisher) for publisher, _ in groups]
    return Page(FILE, "Sources and files", words, (*contents, ("errata", "Errata")), body)


def errata() -> list[dict[str, str]]:
    """Return the corrections of published reports, the latest first."""
    text = resources.files("tradeflows.report").joinpath("errata.yml").read_bytes()
    entries = parsed(text, "errata.yml", "restore it") or []
    return sorted(entries, key=lambda entry: str(entry["date"]), reverse=True)
