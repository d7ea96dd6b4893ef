"""Running a page for tests: what is shown, changed and refused is what a kernel would give."""

import json

import pytest

import pages
from tradeflows.errors import SourceUnavailable

CELLS = {
    "setup": "from IPython.display import Markdown, display\nimport tradeflows as tf\n"
    "place = display(Markdown('nothing yet'), display_id=True)",
    "assumptions": "rule = tf.rule('b4')\nBASE, CURRENT = 2021, 2022\nSHARE = (\n    0.6\n)",
    "refusal": "tf.require({f'{CURRENT} is before {BASE}': CURRENT > BASE}, 'change it')\n"
    "def double(x):\n    return 2 * x\ntwice = double(SHARE)\ndisplay('here')\ntwice;",
    "state": "place.update(Markdown(f'**{SHARE:.0%}**'))\n"
    "tf.state('b4', str(CURRENT), energy_share=SHARE)",
}


@pytest.fixture
def page(tmp_path, monkeypatch):
    cells = [{"cell_type": "code", "id": k, "source": [text]} for k, text in CELLS.items()]
    (tmp_path / "made.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}), "utf-8")
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    pages._run.cache_clear()
    yield lambda **changed: pages.run("made", **changed)
    pages._run.cache_clear()


def test_what_was_shown_stands_where_its_place_was_reserved(page):
    assert page().cell("setup").html == "**60%**"
    assert page().cell("refusal").shown == ["here"]
    assert page().statements["b4"].grade == "supported"


def test_values_are_there_and_functions_are_not(page):
    assert page()["twice"] == 1.2
    assert not {"double", "tf"} & set(page().values)


def test_an_assumption_over_several_lines_and_one_of_a_pair_can_be_changed(page):
    assert page(SHARE="0.7").statements["b4"].grade == "partly supported"
    assert not page(CURRENT="2023").statements["b4"].of_the_claim
    with pytest.raises(KeyError, match="GUESS"):
        page(GUESS="1")


def test_a_refusal_is_raised_and_names_the_cell(page):
    with pytest.raises(SourceUnavailable, match="2020 is before 2021") as refused:
        page(CURRENT="2020")
    assert refused.value.__notes__ == ["in made, cell refusal"]


def test_the_same_page_runs_once(page):
    assert page() is page()
    assert page(SHARE="0.7") is page(SHARE="0.7")
    assert page(SHARE="0.7") is not page()
