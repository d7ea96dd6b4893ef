"""Notebooks are prose and short cells: readable in version control, runnable by anybody."""

import json
import re

import pytest

import pages
from pages import NOTEBOOKS

TAGS = {"hide-input"}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return json.loads(path.read_text())


def code(notebook):
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def prose(notebook):
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"]


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_no_outputs_and_no_counts(notebook):
    for cell in notebook["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_ids_are_unique_and_readable(notebook):
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", i) for i in ids)


def test_opens_with_one_title_and_text_stands_before_code(notebook):
    first = notebook["cells"][0]
    assert first["cell_type"] == "markdown"
    titles = [
        line for text in prose(notebook) for line in text.splitlines() if line.startswith("# ")
    ]
    assert len(titles) == 1
    assert "".join(first["source"]).startswith("# ")


def test_cells_are_short(notebook):
    for text in code(notebook):
        assert len(text.splitlines()) <= 15, text
        assert max(map(len, text.splitlines())) <= 110, text


def test_the_picture_at_the_top_is_not_shown_again(notebook):
    for name in re.findall(r"picture\.update\((\w+)\)", "\n".join(code(notebook))):
        assert not [text for text in code(notebook) if text.rstrip().endswith(f"\n{name}")]


def test_pages_of_the_analysis_name_their_assumptions_in_one_cell_near_the_top(path, notebook):
    if path.stem[:2] not in ("01", "02") and "panel" not in path.stem:
        pytest.skip("no page of the analysis")
    ids = [c["id"] for c in notebook["cells"] if c["cell_type"] == "code"]
    assert "assumptions" in ids[:2]
    names = re.findall(r"^([A-Z_]+)\b.* = ", pages.code(path)["assumptions"], re.MULTILINE)
    assert len(names) >= 3


def test_only_known_tags(notebook):
    for cell in notebook["cells"]:
        assert set(cell["metadata"].get("tags", [])) <= TAGS


def test_prose_has_no_typed_results(notebook):
    """Amounts and shares come from results: prose may name years, codes and rules, not findings."""
    amounts = r"\d[\d.,]*\s*(?:bn|billion|million|m USD|musd|per cent|%)"
    for text in prose(notebook):
        assert not re.findall(amounts, text), text


def test_links_between_pages_name_pages_that_are_built(notebook):
    built = {f"{path.stem}.html" for path in NOTEBOOKS} | {"index.html", "sources.html"}
    for text in prose(notebook):
        for target in re.findall(r"\]\(([^)#]+\.html)", text):
            assert target in built, target


def test_every_cell_runs_and_shows_numbers_for_people(shown, path):
    """Read what the cells show to somebody at a prompt."""
    for cell in shown(path).cells:
        assert not re.search(r"\b(nan|NaT|None|inf)\b|\de[+-]\d|\d\.\d{5}", cell.text), cell.code
        named = re.findall(r'role="img" aria-label="[^"]', cell.html)
        assert cell.html.count("<svg") == len(named), cell.code
