"""The page of sources: every raw file with publisher, terms, vintage and hash, and the errata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from typing import Any

from tradeflows.errors import SchemaMismatch
from tradeflows.report.page import Page
from tradeflows.store import Raw

__all__ = ["FILE", "anchor", "errata", "page"]

FILE = "sources.html"
_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def anchor(origin: str) -> str:
    """Return the id under which the page lists a raw file.

    Parameters
    ----------
    origin : str

    Returns
    -------
    str

    Examples
    --------
    >>> anchor("world-bank/prices@2026-06.csv")
    'raw-world-bank-prices-2026-06-csv'
    """
    return "raw-" + re.sub(r"[^a-z0-9]+", "-", origin.lower()).strip("-")


def page(catalogue: Sequence[Raw]) -> Page:
    """Write the page.

    Parameters
    ----------
    catalogue : sequence of Raw

    Returns
    -------
    Page
    """
    by_publisher = sorted(catalogue, key=lambda raw: (raw.publisher.lower(), raw.id))
    groups = [(k, list(v)) for k, v in groupby(by_publisher, key=lambda raw: raw.publisher)]
    total = sum(raw.bytes for raw in catalogue)
    body = (
        "<h1>Sources and files</h1>\n"
        f"<p>Every number in this report comes from one of these {len(catalogue)} files "
        f"({total / 1e6:,.1f} MB). Each is read only if its sha256 is the one below; "
        "<code>make verify</code> checks them all.</p>\n"
    )
    contents = []
    for publisher, files in groups:
        slug = anchor(publisher).replace("raw-", "by-", 1)
        contents.append((slug, publisher))
        body += f'<h2 id="{slug}">{escape(publisher)}</h2>\n' + "".join(map(_entry, _pulls(files)))
    contents.append(("errata", "Errata"))
    body += '<h2 id="errata">Errata</h2>\n' + _errata(errata())
    words = "Every raw file behind the report: publisher, terms, vintage, known traps and sha256."
    return Page(FILE, "Sources and files", words, tuple(contents), body)


def errata(text: str | None = None) -> list[dict[str, str]]:
    """Return the corrections of published reports, the latest first.

    Parameters
    ----------
    text : str, optional
        YAML; the list that comes with the package where not given.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> errata("[{date: '2026-01-31', was: a, is: b}]")
    [{'date': '2026-01-31', 'was': 'a', 'is': 'b'}]
    """
    import yaml

    if text is None:
        text = resources.files("tradeflows.report").joinpath("errata.yml").read_text("utf-8")
    entries = yaml.safe_load(text) or []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"date", "was", "is"}:
            raise SchemaMismatch(
                f"errata.yml: entry {entry!r}", "date, was and is", "complete the entry"
            )
    kept = [{k: str(e[k]) for k in ("date", "was", "is")} for e in entries]
    return sorted(kept, key=lambda e: e["date"], reverse=True)


def _errata(entries: Iterable[dict[str, str]]) -> str:
    rows = "".join(
        f"<dt>{escape(e['date'])}</dt><dd>Was: {escape(e['was'])}<br>Is: {escape(e['is'])}</dd>"
        for e in entries
    )
    return f"<dl>{rows}</dl>" if rows else "<p>None so far.</p>"


def _pulls(files: Sequence[Raw]) -> list[list[Raw]]:
    """Return files one by one, the replies to one live question together."""
    pulls: dict[str, list[Raw]] = {}
    for raw in files:
        pulls.setdefault(str(raw.query.get("part", raw.id)), []).append(raw)
    return list(pulls.values())


def _entry(files: Sequence[Raw]) -> str:
    return _file(files[0]) if len(files) == 1 else _pull(files)


def _pull(files: Sequence[Raw]) -> str:
    """Describe a pull once, and list its files with vintage, rows and hash."""
    first, part = files[0], str(files[0].query["part"])
    vintages = sorted(raw.vintage for raw in files)
    lines = [
        ("Publisher", first.publisher),
        ("Licence", first.licence),
        ("Terms", first.terms),
        ("Vintages", f"{vintages[0]} to {vintages[-1]}"),
        ("How obtained", first.obtained),
        ("Size", f"{sum(r.rows for r in files):,} rows in {len(files)} files"),
        ("Query", f"pull {part}; tradeflows trace and the sidecar of each file name the question"),
    ]
    items = "".join(f"<dt>{k}</dt><dd>{_linked(v)}</dd>" for k, v in lines if v)
    if first.traps:
        traps = "".join(f"<li>{_linked(str(t))}</li>" for t in first.traps)
        items += f"<dt>Beware</dt><dd><ul>{traps}</ul></dd>"
    rows = "".join(
        f'<tr id="{anchor(r.id)}"><th scope="row" class="text">{escape(r.id)}'
        f"{'' if r.complete else ' (not complete)'}</th><td>{escape(r.vintage)}</td>"
        f'<td>{r.rows:,}</td><td class="hash">{escape(r.sha256)}</td></tr>'
        for r in files
    )
    return (
        f'<h3 id="{anchor("pull-" + part)}">{escape(first.title)}</h3>\n<dl>{items}</dl>\n'
        f"<details open><summary>The {len(files)} files</summary>"
        f'<div class="table" role="region" tabindex="0" aria-label="Files of {escape(part)}">'
        '<table class="data"><thead><tr><th scope="col">file</th><th scope="col">vintage</th>'
        f'<th scope="col">rows</th><th scope="col">sha256</th></tr></thead><tbody>{rows}'
        "</tbody></table></div></details>\n"
    )


def _file(raw: Raw) -> str:
    hidden = "" if raw.complete else " The refresh was interrupted: not complete."
    lines: list[tuple[str, Any]] = [
        ("File", raw.id),
        ("Publisher", raw.publisher),
        ("Published at", raw.url),
        ("Licence", raw.licence),
        ("Terms", raw.terms),
        ("Coverage", raw.coverage),
        ("Vintage", raw.vintage),
        ("Accessed", raw.accessed),
        ("How obtained", f"{raw.obtained}{hidden}"),
        ("Query", ", ".join(f"{k}={v}" for k, v in raw.query.items())),
        ("Size", f"{raw.rows:,} rows, {raw.bytes:,} bytes"),
    ]
    items = "".join(f"<dt>{k}</dt><dd>{_linked(str(v))}</dd>" for k, v in lines if v)
    items += f'<dt>sha256</dt><dd class="hash">{escape(raw.sha256)}</dd>'
    if raw.traps:
        traps = "".join(f"<li>{_linked(str(t))}</li>" for t in raw.traps)
        items += f"<dt>Beware</dt><dd><ul>{traps}</ul></dd>"
    return f'<h3 id="{anchor(raw.id)}">{escape(raw.title)}</h3>\n<dl>{items}</dl>\n'


def _linked(text: str) -> str:
    """Escape text and make its web addresses clickable."""
    out, at = "", 0
    for found in _ADDRESS.finditer(text):
        address = found[0].rstrip(".,;)")
        out += (
            escape(text[at : found.start()]) + f'<a href="{escape(address)}">{escape(address)}</a>'
        )
        at = found.start() + len(address)
    return out + escape(text[at:])
