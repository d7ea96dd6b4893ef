"""From an executed notebook to the main part of a page: prose, folded code, results, contents."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from importlib import resources
from itertools import count, groupby
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader, Template
from latex2mathml.converter import convert
from markupsafe import Markup
from nbconvert.filters.ansi import strip_ansi
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]
from pygments.token import Comment, Keyword, String  # type: ignore[import-untyped]

from tradeflows.documents import parsed
from tradeflows.errors import TradeflowsError
from tradeflows.plot import MIME
from tradeflows.store import Raw

SOURCES = "sources.html"
DESCRIPTION = 180
_NUMBER = re.compile(r"[-+−–]?[\d.,]*\d\s*%?|[-–+]?inf|[–-]?|nan|[\d.,]+[–-][\d.,]+ ?%?")
_SHORT, _LONG = 12, 28  # letters that stay on one line, and that need a wide column
_UNIT = re.compile(
    r"(?<=\d) ?(?=%)|(?<=\d) (?=(?:bn|m|USD|EUR|t|kg|kB)\b)"
)  # stays with its number
_MINUS = re.compile(
    r"(?<![\w.)\]-])-(?=\.?\d)"
)  # a hyphen before a number, not within a word or date
_VERBATIM = ("code", "pre", "svg", "math", "style")
_FUNCTION = re.compile(r"(<mi>(?:ln|log|exp|max|min|sin|cos)</mi>)(?!<mo[^>]*>(?:\(|&#x00028;))")
_LOOKS = {Keyword: "k", Comment: "c", String: "s"}  # of code; all else is plain
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


class _Prose(IPythonRenderer):  # type: ignore[misc]
    """Markdown with MathML."""

    def block_math(self, body: str) -> str:
        """Write a formula on its own line; it scrolls by keyboard where it is too wide."""
        return f'<div class="math" role="group" tabindex="0" aria-label="Formula">{mathml(body, block=True)}</div>\n'  # noqa: E501

    def inline_math(self, body: str) -> str:
        """Write a formula within a line."""
        return mathml(body)


_MARKDOWN = MarkdownWithMath(renderer=_Prose(escape=False, exclude_anchor_links=True)).render


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


def template(name: str, **filters: Callable[..., Any]) -> Template:
    """Return a template of this folder; values are escaped unless marked as HTML."""
    environment = Environment(loader=PackageLoader(__package__, ""), autoescape=True)
    environment.filters |= filters
    return environment.get_template(name)


def tree(html: str) -> BeautifulSoup:
    """Return a piece of HTML as a tree."""
    return BeautifulSoup(html, "html.parser")


def _words(tag: Any) -> str:
    return " ".join("".join(t for t in tag.strings if not t.find_parent("math")).split())


def _headed(body: BeautifulSoup) -> list[tuple[str, str]]:
    """Let headings be linked to, by the ids that Jupyter gives them; return those of the page."""
    contents, taken = [], set[str]()
    for heading in body.find_all(["h2", "h3", "h4"], class_=False):
        words = _words(heading)
        base = words.replace(" ", "-").replace("%", "percent") or "section"
        heading["id"] = slug = _free(base, "{}-{}", taken)
        contents += [(slug, words)] * (heading.name == "h2")
        said = {"class": "anchor", "href": f"#{slug}", "aria-label": f"Link to: {words}"}
        heading.extend([" ", body.new_tag("a", attrs=said, string="#")])
    return contents


def _shown(table: Any) -> None:
    """Make a table one that scrolls: text left, numbers right, pandas' look off."""
    for tag in (table, *table.find_all(True)):
        for look in ("border", "style", "valign", "halign", "id"):  # ids of pandas are random
            tag.attrs.pop(look, None)
    table["class"] = "dataframe"
    head, body = ([row.find_all(["th", "td"]) for row in table.select(f"{part} tr")]
                  for part in ("thead", "tbody"))  # fmt: skip
    names = [cell.get_text(strip=True) for cell in head[-1]] if len(head) == 2 else [""]
    if any(names) and not names[-1]:  # pandas gives the names of the index a row of their own
        for cell, name in zip(head[0], names, strict=False):
            cell.string = name or cell.get_text(strip=True)
        head.pop()[0].parent.decompose()
    _aligned(head, body)
    if style := table.find_previous_sibling("style"):
        style.decompose()  # pandas' own, which a page does not need
    caption = table.find("caption")
    name = caption.get_text(strip=True) if caption else "Table"
    scrolls = {"class": "table", "role": "region", "tabindex": "0", "aria-label": name}
    table.wrap(tree("").new_tag("div", attrs=scrolls))


def _aligned(head: Sequence[Any], body: Sequence[Any]) -> None:
    """Name the kind of every cell: a column whose cells are all numbers is one of numbers."""
    for cell in (cell for row in head for cell in row):
        cell.name = "th" if cell.get_text(strip=True) else "td"
    for rows, scope in ((head, "col"), (body, "row")):
        for cell in (cell for row in rows for cell in row if cell.name == "th"):
            cell["scope"] = scope
    for n in range(1, max(map(len, body), default=0) + 1):  # merged labels stand on the left
        column = [row[-n] for row in body if len(row) >= n]
        texts = [cell.get_text(strip=True) for cell in column]
        kind = "number" if all(map(_NUMBER.fullmatch, texts)) else "text"
        for cell, text in zip(column, texts, strict=True):
            size = " short" if len(text) <= _SHORT else " long" if len(text) > _LONG else ""
            cell["class"] = kind + size
        for row in (row for row in head if len(row) >= n):
            row[-n]["class"] = kind


def _code(source: str) -> Markup:
    """Return code with its keywords, comments and strings marked."""
    code = Markup()
    for look, tokens in groupby(
        PythonLexer().get_tokens(source),
        lambda found: next((look for kind, look in _LOOKS.items() if found[0] in kind), ""),
    ):
        text = "".join(text for _, text in tokens)
        code += Markup('<i class="{}">{}</i>').format(look, text) if look else text
    return code.rstrip("\n")


def render(nb: Any, stem: str, files: Mapping[str, str], anchors: Mapping[str, str]) -> Page:
    """Render the main part of a notebook's page.

    ``files`` are the pages by notebook, ``anchors`` the places of raw files on the page of sources.
    """
    cells = template("cells.j2", prose=_MARKDOWN, code=_code, quiet=strip_ansi)
    body = tree(cells.render(cells=_folded(nb.cells)))
    if not body.h1:
        raise TradeflowsError(
            f"{stem} has no title", "a first cell with `# `", "add the question as title"
        )
    contents, first = _headed(body), body.select_one("h1 ~ p")
    shown = ((c.get("id", ""), out) for c in nb.cells for out in c.get("outputs", []))
    found = ((cell, out.get("data", {}).get(MIME)) for cell, out in shown)
    figures = [{**parts, "cell": cell} for cell, parts in found if parts]
    for table in body.find_all("table"):
        _shown(table)
    _linked(body, files, anchors)
    for name in (figure["name"] for figure in figures):
        for link in body.select(f'a[download="{name}.csv"]'):
            link.insert_after(tree(
                f' <span class="also">· <a download="{name}.png" href="data/{name}.png">'
                f"Chart as PNG<span hidden> of {name}</span></a></span>"
            ))  # fmt: skip
    told_apart(body)
    for text in body.find_all(string=True):
        if not text.find_parent(_VERBATIM):
            typeset = _UNIT.sub("\N{NO-BREAK SPACE}", _MINUS.sub("\N{MINUS SIGN}", text))
            text.replace_with(type(text)(typeset))
    return Page(
        file=files[stem],
        title=_words(body.h1),
        description=textwrap.shorten(first.get_text(), DESCRIPTION, placeholder=" …")
        if first
        else "",
        contents=tuple(contents),
        body=str(body),
        figures=tuple(figures),
        notebook=stem,
    )


def _folded(cells: Sequence[Any]) -> list[Any]:
    """Put code cells that show nothing before the next one: one fold of code, not five."""
    out: list[Any] = []
    for cell in cells:
        plain_code = cell.cell_type == "code" and not cell.metadata.get("tags")
        if plain_code and out and out[-1].get("silent"):
            before = out.pop().source.rstrip()
            cell = nbformat.from_dict({**cell, "source": f"{before}\n\n{cell.source}"})
        if plain_code and cell.source.strip() and not any(map(_shows, cell.outputs)):
            cell = nbformat.from_dict({**cell, "outputs": [], "silent": True})
        out.append(cell)
    return out


def _shows(output: Any) -> bool:
    """Tell whether a reader sees anything of an output: a place that stayed empty shows nothing."""
    data = output.get("data", {})
    return output.output_type != "display_data" or any(
        str(text).strip() for kind, text in data.items() if kind not in ("text/plain", MIME)
    )


def _linked(body: BeautifulSoup, files: Mapping[str, str], anchors: Mapping[str, str]) -> None:
    """Let links to notebooks lead to their pages, and sources to their raw files."""
    for link in body.select("a[href]"):
        name, mark, place = str(link["href"]).removeprefix("./").partition("#")
        if file := files.get(name.removesuffix(".ipynb").removesuffix(".html")):
            link["href"] = f"{file}{mark}{place}"
    for cite in body.select("cite[data-raw]"):
        if raw := anchors.get(str(cite["data-raw"])):
            link = body.new_tag("a", href=f"{SOURCES}#{raw}")
            link.extend(list(cite.contents))
            cite.append(link)
        del cite["data-raw"]


def told_apart(body: BeautifulSoup) -> None:
    """Give tables that scroll different names: a screen reader lists them side by side."""
    taken: set[str] = set()
    for region in body.select("[role=region][aria-label]"):
        base = re.sub(r" \(\d+\)$", "", str(region["aria-label"]))
        region["aria-label"] = _free(base, "{} ({})", taken)


def _free(base: str, numbered: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it."""
    names = (base if n == 1 else numbered.format(base, n) for n in count(1))
    taken.add(name := next(n for n in names if n not in taken))
    return name


def anchor(origin: str, kind: str = "raw") -> str:
    """Return the id under which the page of sources lists a raw file."""
    return f"{kind}-" + re.sub(r"[^a-z0-9]+", "-", origin.lower()).strip("-")


def sources(catalogue: Sequence[Raw], corrected: Sequence[Mapping[str, str]] = ()) -> Page:
    """Write the page of sources; the replies to one live question stand together."""
    by_publisher = sorted(catalogue, key=lambda raw: (raw.publisher.lower(), raw.id))
    groups = []
    for publisher, files in groupby(by_publisher, key=lambda raw: raw.publisher):
        pulls: dict[str, list[Raw]] = {}
        for raw in files:
            pulls.setdefault(str(raw.query.get("part", raw.id)), []).append(raw)
        groups.append((publisher[:1].upper() + publisher[1:], list(pulls.values())))
    described = template("sources.j2", asked=lambda q: ", ".join(f"{k}={v}" for k, v in q.items()))
    body = described.render(
        groups=groups, count=len(catalogue), bytes=sum(raw.bytes for raw in catalogue),
        anchor=anchor, errata=corrected,
    )  # fmt: skip
    words = "Every raw file behind the report: publisher, terms, vintage, known traps and sha256."
    contents = [(anchor(publisher, "by"), publisher) for publisher, _ in groups]
    return Page(SOURCES, "Sources and files", words, (*contents, ("errata", "Errata")), body)


def errata() -> list[dict[str, str]]:
    """Return the corrections of published reports, the latest first."""
    text = resources.files("tradeflows.report").joinpath("errata.yml").read_bytes()
    entries = parsed(text, "errata.yml", "restore it") or []
    return sorted(entries, key=lambda entry: str(entry["date"]), reverse=True)
