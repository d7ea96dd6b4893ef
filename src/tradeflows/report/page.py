"""From an executed notebook to the main part of a page: prose, folded code, results, contents."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape, unescape
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from jinja2 import DictLoader
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from tradeflows.errors import TradeflowsError
from tradeflows.plot import MIME

__all__ = ["Page", "file_of", "read", "render"]

DESCRIPTION = 180
_NUMBER = re.compile(r"[-+−–]?[\d.,\s]*\d\s*%?|[-–+]?inf|[–-]?|nan|[\d.,]+[–-][\d.,]+ ?%?")
_SHORT = 12  # characters that stay on one line
_REGION = re.compile(r'<[^<>]*role="region"[^<>]*>')
_LABEL = re.compile(r'aria-label="([^"]*)"')
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TAG = re.compile(r"<[^>]+>")
_UNIT = re.compile(r"(?<=\d) (?=%|(?:bn|m|USD|EUR|t|kg|kB)\b)")  # numbers stay with their unit
_FUNCTION = re.compile(r"(<mi>(?:ln|log|exp|max|min|sin|cos)</mi>)(?!<mo[^>]*>(?:\(|&#x00028;))")
_THIN = '<mspace width="0.167em"/>'


@dataclass(frozen=True)
class Page:
    """The main part of a page, and what the frame around it needs to know."""

    file: str
    title: str
    description: str
    contents: tuple[tuple[str, str], ...]  # id and words of every h2
    body: str
    figures: tuple[dict[str, Any], ...] = ()
    notebook: str = ""


def file_of(stem: str, first: str) -> str:
    """Return the name of a notebook's page; the first notebook is the index."""
    return "index.html" if stem == first else f"{stem}.html"


def plain(html: str) -> str:
    """Return the words of a piece of HTML."""
    return " ".join(unescape(_TAG.sub("", html)).split())


class _Prose(IPythonRenderer):  # type: ignore[misc]
    """Markdown with MathML and headings that can be linked to."""

    def __init__(self) -> None:
        super().__init__(escape=False)
        self.seen: set[str] = set()
        self.contents: list[tuple[str, str]] = []

    def heading(self, text: str, level: int, **_: Any) -> str:
        """Give a heading the id that Jupyter gives it, once."""
        words = re.sub(r"<math.*?</math>", "", text, flags=re.DOTALL)
        base = plain(words).replace(" ", "-").replace("%", "percent") or "section"
        slug, n = base, 1
        while slug in self.seen:
            n += 1
            slug = f"{base}-{n}"
        self.seen.add(slug)
        if level == 1:
            return f"<h1>{text}</h1>\n"
        if level == 2:
            self.contents.append((slug, plain(words)))
        slug = escape(slug)
        link = (
            f'<a class="anchor" href="#{slug}" aria-label="Link to: {escape(plain(words))}">#</a>'
        )
        return f'<h{level} id="{slug}">{text} {link}</h{level}>\n'

    def block_math(self, body: str) -> str:
        """Write a formula on its own line; it scrolls by keyboard where it is too wide."""
        return f'<div class="math" role="group" tabindex="0" aria-label="Formula">{mathml(body, block=True)}</div>\n'  # noqa: E501

    def inline_math(self, body: str) -> str:
        """Write a formula within a line."""
        return mathml(body)

    def table(self, text: str) -> str:
        """Wrap a table so that it scrolls instead of the page."""
        return wide_table(f"<table>\n{text}</table>")


def mathml(formula: str, *, block: bool = False) -> str:
    """Turn LaTeX into MathML, with the thin spaces that functions such as ln need."""
    try:
        out = str(convert(unescape(formula).strip(), display="block" if block else "inline"))
        unknown = re.search(r"\\[A-Za-z]+", out)
        if unknown:
            raise ValueError(unknown[0])
    except Exception as error:
        raise TradeflowsError(
            f"the formula {formula.strip()!r} cannot be read ({type(error).__name__}: {error})",
            "LaTeX that latex2mathml knows",
            "write it more simply",
        ) from error
    out = re.sub(r"(?<=</mi>)(?=<mi>(?:ln|log|exp)</mi>)", _THIN, out)
    return _FUNCTION.sub(rf"\1{_THIN}", out)


def wide_table(table: str) -> str:
    """Wrap a table so that it scrolls by itself, by keyboard too."""
    return f'<div class="table" role="region" tabindex="0" aria-label="Table">{table}</div>'


def _result(html: str) -> str:
    """Put a frame's own table into one that scrolls: text left, numbers right, pandas' look off."""
    if 'class="dataframe"' not in html and '<table id="T_' not in html:
        return html
    soup = BeautifulSoup(html, "html.parser")
    table = soup.find("table")
    if table is None or table.find_parent("figure"):
        return html
    for tag in (table, *table.find_all(True)):
        for look in ("border", "style", "valign", "halign"):
            tag.attrs.pop(look, None)
    table["class"] = "dataframe"
    _aligned(table)
    frame = table.find_parent("div") or table
    for style in frame.find_all("style") if frame is not table else ():
        style.decompose()  # pandas' own, which a page does not need
    scrolls = {"class": "table", "role": "region", "tabindex": "0", "aria-label": _name(table)}
    table.wrap(soup.new_tag("div", attrs=scrolls))
    return str(soup)


def _aligned(table: Any) -> None:
    """Name the kind of every cell: a column whose cells are all numbers is one of numbers."""
    body = [row.find_all(["th", "td"]) for row in table.select("tbody tr")]
    head = [row.find_all(["th", "td"]) for row in table.select("thead tr")]
    width = max((len(row) for row in body), default=0)
    for cell in (cell for row in head for cell in row):
        cell.name = "th" if cell.get_text(strip=True) else "td"
    for rows, scope in ((head, "col"), (body, "row")):
        for cell in (cell for row in rows for cell in row if cell.name == "th"):
            cell["scope"] = scope
    for n in range(1, width + 1):  # from the right: merged labels of rows stand on the left
        column = [row[-n] for row in body if len(row) >= n]
        texts = [cell.get_text(strip=True) for cell in column]
        kind = "number" if all(map(_NUMBER.fullmatch, texts)) else "text"
        for cell, text in zip(column, texts, strict=True):
            cell["class"] = f"{kind} short" if len(text) <= _SHORT else kind
        for row in (row for row in head if len(row) >= n):
            row[-n]["class"] = kind


def _name(table: Any) -> str:
    caption = table.find("caption")
    return f"Table: {caption.get_text(strip=True)}" if caption else "Table"


def _code(source: str) -> str:
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
    from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

    return str(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True, classprefix="c-")))


def read(path: Path) -> Any:
    """Read an executed notebook, every cell with its tags."""
    nb = nbformat.read(path, 4)
    for cell in nb.cells:
        cell.metadata.setdefault("tags", [])
    return nb


def title_of(nb: Any, name: str) -> str:
    """Return the words of the first heading."""
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            found = re.search(r"^# +(.+)$", cell.source, re.MULTILINE)
            if found:
                return plain(MarkdownWithMath(renderer=_Prose()).render(f"# {found[1]}"))
    raise TradeflowsError(
        f"{name} has no title", "a first cell that begins with `# `", "add the question as title"
    )


def render(nb: Any, stem: str, files: dict[str, str]) -> Page:
    """Render the main part of a notebook's page."""
    prose = _Prose()
    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"cells.j2": _template("cells.j2")})], template_file="cells.j2"
    )
    markdown = MarkdownWithMath(renderer=prose).render
    nb = _folded(nb)
    filters = {"prose": markdown, "result": _result, "code": _code, "quiet": _quiet}
    for name, function in filters.items():
        exporter.register_filter(name, function)
    body, _ = exporter.from_notebook_node(nb)
    title = title_of(nb, stem)
    return Page(
        file=files[stem],
        title=title,
        description=_description(body),
        contents=tuple(prose.contents),
        body=_UNIT.sub("\N{NO-BREAK SPACE}", told_apart(_linked(body, files))),
        figures=tuple(_figures(nb)),
        notebook=stem,
    )


def _folded(nb: Any) -> Any:
    """Put code cells that show nothing before the next one: one fold of code, not five."""
    cells: list[Any] = []
    silent = ""
    for cell in nb.cells:
        plain_code = cell.cell_type == "code" and not cell.metadata.get("tags")
        if plain_code and cell.source.strip() and not any(map(_shows, cell.outputs)):
            silent += cell.source.rstrip() + "\n\n"
            held = cell
            continue
        if silent and plain_code:
            cell = {**cell, "source": silent + cell.source}
            silent = ""
        elif silent:
            cells.append({**held, "source": silent.rstrip(), "outputs": []})
            silent = ""
        cells.append(nbformat.from_dict(cell))
    if silent:
        cells.append({**held, "source": silent.rstrip(), "outputs": []})
    return nbformat.from_dict({**nb, "cells": cells})


def _shows(output: Any) -> bool:
    """Tell whether a reader sees anything of an output: a place that stayed empty shows nothing."""
    data = output.get("data", {})
    return output.output_type != "display_data" or any(
        str(text).strip() for kind, text in data.items() if kind not in ("text/plain", MIME)
    )


def _template(name: str) -> str:
    return resources.files("tradeflows.report").joinpath(name).read_text("utf-8")


def _quiet(text: Any) -> str:
    """Return terminal output without its colours, escaped."""
    lines = text if isinstance(text, str) else "\n".join(text)
    return escape(_COLOURS.sub("", lines).rstrip(), quote=False)


def _description(body: str) -> str:
    """Return the first sentence or two after the title, for search results and previews."""
    found = re.search(r"</h1>.*?<p>(.*?)</p>", body, re.DOTALL)
    words = plain(found[1]) if found else ""
    if len(words) <= DESCRIPTION:
        return words
    return words[:DESCRIPTION].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def _linked(body: str, files: dict[str, str]) -> str:
    """Let links to notebooks lead to their pages."""
    for stem, file in files.items():
        body = re.sub(rf'href="(?:\./)?{re.escape(stem)}\.(?:ipynb|html)', f'href="{file}', body)
    return body


def told_apart(body: str) -> str:
    """Give tables that scroll different names: a screen reader lists them side by side."""
    taken: set[str] = set()

    def named(found: re.Match[str]) -> str:
        name = base = re.sub(r" \(\d+\)$", "", found[1])
        for n in count(2):
            if name not in taken:
                break
            name = f"{base} ({n})"
        taken.add(name)
        return f'aria-label="{name}"'

    return _REGION.sub(lambda tag: _LABEL.sub(named, tag[0]), body)


def _figures(nb: Any) -> list[dict[str, Any]]:
    found = []
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            parts = output.get("data", {}).get(MIME)
            if parts:
                given = json.loads(parts) if isinstance(parts, str) else parts
                found.append({**given, "cell": cell.get("id", "")})
    return found
