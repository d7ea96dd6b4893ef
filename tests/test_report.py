"""The report: pages are whole, and a failure leaves the old pages."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat import v4

import tiny_suite
import tradeflows as tf
from tradeflows import store
from tradeflows.errors import TradeflowsError
from tradeflows.report import check, runner
from tradeflows.report.build import build
from tradeflows.report.page import (
    _linked,
    _shown,
    anchor,
    errata,
    mathml,
    render,
    sources,
    tree,
)
from tradeflows.report.runner import NotebookFailed

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """Build a report and return the folders of notebooks and of pages."""
    root = tmp_path_factory.mktemp("suite")
    notebooks = tiny_suite.write(root / "notebooks")
    build(notebooks, root / "reports")
    return notebooks, root / "reports"


def _texts(out):
    files = [p for p in out.rglob("*") if p.is_file()]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files}


def _page(suite, name):
    return (suite[1] / name).read_text("utf-8")


def test_every_notebook_has_a_page_and_the_first_is_the_index(suite):
    assert sorted(_texts(suite[1])) == [
        "01-held.html",
        "02-last.html",
        "data/bridge.csv",
        "data/bridge.png",
        "data/datapackage.json",
        "data/hostile.csv",
        "data/hostile.png",
        "data/rise.csv",
        "data/rise.png",
        "index.html",
        "sources.html",
        "tradeflows.html",
    ]


def test_a_build_from_nothing_and_one_over_old_pages_are_the_same_to_the_byte(suite, tmp_path):
    notebooks, out = tiny_suite.write(tmp_path / "elsewhere"), tmp_path / "out"
    shutil.copytree(suite[1], out)
    package = json.loads((out / "data/datapackage.json").read_text())
    package["files"] += ["03-gone.html", "../stays.html"]
    (out / "data/datapackage.json").write_text(json.dumps(package))
    for name in ("03-gone.html", "../stays.html", "mine.txt", "01-held.html"):
        (out / name).write_text("old")
    build(notebooks, out)
    assert (out / "mine.txt").read_text() == (out / "../stays.html").read_text() == "old"
    (out / "mine.txt").unlink()
    assert _texts(out) == _texts(suite[1])


def test_no_page_holds_a_place_on_this_machine_or_a_date_of_today(suite):
    import datetime

    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    for name in ("index.html", "01-held.html", "02-last.html"):
        assert str(suite[0].parent) not in _page(suite, name)
        assert today not in _page(suite, name)


def test_a_warning_is_its_words_without_the_place_that_gave_it(tmp_path):
    cell = "import warnings\nwarnings.warn('weights were left out', stacklevel=1)\n1 + 1"
    tiny_suite.save(tmp_path / "notebooks" / "00-x.ipynb", "# One\n\nPage.", cell)
    build(tmp_path / "notebooks", tmp_path / "reports")
    page = (tmp_path / "reports" / "index.html").read_text("utf-8")
    assert "Beware: weights were left out" in page
    assert "UserWarning" not in page
    assert "ipykernel" not in page


def test_a_failing_cell_is_told_in_few_words_and_the_old_page_stays(tmp_path):
    notebooks, out = tmp_path / "notebooks", tmp_path / "reports"
    out.mkdir()
    (out / "index.html").write_text("the old page")
    tiny_suite.save(
        notebooks / "01-held.ipynb",
        "# Data\n\nx",
        "## Where it goes wrong",
        "x = 1\nraise ValueError('first line\\nlast line')",
    )
    with pytest.raises(NotebookFailed) as failed:
        build(notebooks, out)
    said = str(failed.value)
    assert "01-held.ipynb: cell 3 (cell-2)\n" in said
    assert "line 2: raise ValueError" in said
    assert "ValueError: first line" in said
    assert "last line" in said
    assert "Traceback" not in said
    assert said.count("\n") < 12
    assert (out / "index.html").read_text() == "the old page"


def test_a_page_that_breaks_a_rule_is_not_published(tmp_path):
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    tiny_suite.save(
        notebooks / "00-x.ipynb", "# T\n\nx ![a](https://example.org/a.png) [b](c.html)"
    )
    with pytest.raises(TradeflowsError, match=r"fetches https://example\.org/a\.png"):
        build(notebooks, tmp_path / "out")
    assert not (tmp_path / "out" / "index.html").exists()


def test_a_folder_without_notebooks_and_a_notebook_without_title_are_named(tmp_path):
    with pytest.raises(TradeflowsError, match="no notebooks in"):
        build(tmp_path, tmp_path / "out")
    tiny_suite.save(tmp_path / "00-x.ipynb", "> nothing")
    with pytest.raises(TradeflowsError, match="00-x has no title"):
        build(tmp_path, tmp_path / "out")


def test_ids_in_the_one_file_are_unique_and_its_links_stay_inside(suite):
    whole = _page(suite, "tradeflows.html")
    ids = re.findall(r'<[^>]* id="([^"]+)"', whole)
    assert len(ids) == len(set(ids)) > 40
    inner = re.findall(r'<a[^>]* href="([^"]+)"', whole)
    assert all(link.startswith(("#", "data:", "https://", "http://")) for link in inner)
    for link in inner:
        assert not link.startswith("#") or link[1:] in [*ids, "main"], link
    assert 'href="#01-held--What-is-hidden"' in whole


def test_links_between_notebooks_lead_to_pages(suite):
    assert 'href="01-held.html#What-is-hidden"' in _page(suite, "index.html")


def test_first_screen_and_frame(suite):
    page = _page(suite, "index.html")
    assert "<title>Was it price, or volume?</title>" in page
    words = "A claim, and two series."
    assert f'<meta name="description" content="{words}">' in page
    assert '<a rel="next" href="01-held.html">' in page
    assert 'rel="prev"' not in page
    assert '<li><a href="#What-moved">What moved</a></li>' in page
    rules = tf.rules()
    assert f"Rules: sha256 {rules.fingerprint}, version {rules.content.version}" in page
    assert '<a rel="prev" href="index.html">' in _page(suite, "01-held.html")


def test_code_is_folded_unless_it_is_hidden(suite):
    page = _page(suite, "index.html")
    assert page.count('<details class="code">') == 2
    assert "date_range" not in page


def test_tags_hide_output_and_whole_cells(suite):
    page = _page(suite, "02-last.html")
    assert "no reader sees this" not in page
    assert "nor this" not in page


def test_results_without_html_are_shown_as_text(suite):
    page = _page(suite, "01-held.html")
    assert '<pre class="out" tabindex="0">said</pre>' in page
    assert '<pre class="out" tabindex="0">2</pre>' in page
    assert "'&lt;b&gt;plain&lt;/b&gt;'" in _page(suite, "02-last.html")


def test_a_plain_frame_scrolls_by_keyboard_and_has_a_name(suite):
    page = _page(suite, "01-held.html")
    assert 'aria-label="Table"' in page
    assert 'aria-label="Table (2)"' in page
    assert "<style scoped" not in page
    assert 'border="1"' not in page


def test_numbers_are_written_as_in_print_and_code_and_dates_are_left_alone(tmp_path):
    words = "From -5 to (-.3), 12% on 2022-11-05, HS 84-85, `x = -5`"
    tiny_suite.save(tmp_path / "one.ipynb", f"# One\n\n{words}")
    body = render(nbformat.read(tmp_path / "one.ipynb", 4), "one", {"one": "index.html"}, {}).body
    assert "From \u22125 to (\u2212.3), 12\u00a0% on 2022-11-05, HS 84-85" in body
    assert "<code>x = -5</code>" in body


def test_the_name_of_an_index_stands_among_the_headings():
    frame = pd.DataFrame({"price": [1.0]}, index=pd.Index(["Paasche"], name="m USD"))
    for table in (frame, frame.set_index("price", append=True).assign(volume=2.0)):
        page = tree(table.to_html())
        _shown(page.table)
        head = [cell.get_text() for cell in page.select("thead tr")[-1].find_all(["th", "td"])]
        assert len(page.select("thead tr")) == 1
        assert head == [*table.index.names, *table.columns]


def test_hostile_text_does_nothing(suite):
    page = _page(suite, "01-held.html")
    assert "<script" not in page
    assert "<img" not in page
    assert "'=cmd(),1" in (suite[1] / "data" / "hostile.csv").read_text()


def test_formulas_are_mathml_with_thin_spaces(suite):
    page = _page(suite, "index.html")
    assert page.count("<math") == 2
    assert "$" not in re.sub(r"<style>.*?</style>|<pre.*?</pre>", "", page, flags=re.DOTALL)
    assert "mspace" not in mathml(r"\ln(V)")
    with pytest.raises(TradeflowsError, match="cannot be read"):
        mathml(r"\undefined x")


def test_data_package_describes_every_table(suite):
    package = json.loads(_page(suite, "data/datapackage.json"))
    assert [r["name"] for r in package["resources"]] == ["rise", "bridge", "hostile"]
    for resource in package["resources"]:
        data = (suite[1] / "data" / resource["path"]).read_bytes()
        assert resource["bytes"] == len(data)
        assert resource["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
        header = data.decode().splitlines()[0].split(",")
        assert [f["name"] for f in resource["schema"]["fields"]] == header
    assert package["resources"][0]["sources"] == [{"title": "nobody/knows.csv"}]


def test_sources_page_lists_every_raw_file(suite):
    page = _page(suite, "sources.html")
    for raw in store.catalogue():
        assert f'id="{anchor(raw.id)}"' in page
        assert raw.sha256 in page
    corrected = [entry["date"] for entry in errata()]
    assert all(f"<dt>{day}</dt>" in page for day in corrected)
    assert ("None so far." in page) is not bool(corrected)
    assert "None so far." in sources([]).body


def test_the_files_of_a_pull_stand_together():
    from dataclasses import replace

    one = replace(store.catalogue()[0], id="p/live/a@1.json", query={"part": "own"})
    two = replace(one, id="p/live/a@2.json", vintage="2030-01-01", sha256="f" * 64)
    body = sources([one, two]).body
    assert body.count("<h3") == 1
    assert "in 2 files" in body
    assert all(f'id="{anchor(raw.id)}"' in body for raw in (one, two))
    assert "f" * 64 in body
    many = [replace(one, id=f"p/live/a@{n}.json") for n in range(500)]
    assert len(sources(many).body) < 200_000


def test_links_lead_to_pages_and_sources_to_raw_files():
    body = tree(
        '<cite data-raw="a/b.csv">B</cite><cite data-raw="c">C</cite>'
        '<a href="./01-x.ipynb#Why">x</a><a href="01-xy.html">y</a>'
    )
    _linked(body, {"01-x": "index.html"}, {"a/b.csv": "raw-a-b-csv"})
    assert str(body) == (
        '<cite><a href="sources.html#raw-a-b-csv">B</a></cite><cite>C</cite>'
        '<a href="index.html#Why">x</a><a href="01-xy.html">y</a>'
    )


def test_errata_are_dated_and_escaped():
    found = errata()
    assert all(set(entry) == {"date", "was", "is"} for entry in found)
    assert [str(e["date"]) for e in found] == sorted((str(e["date"]) for e in found), reverse=True)
    assert "&lt;d&gt;" in sources([], [{"date": "x", "was": "c", "is": "<d>"}]).body


WHOLE = """<title>t</title><meta name="description"><meta name="viewport"><main><h1>x</h1>
<figure id="f"><svg role="img" aria-label="a"></svg><figcaption>c</figcaption>
<a download href="data:text/csv,">d</a><details><table></table></details></figure></main>"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", None),
        ("</main>", '<link rel="stylesheet" href="//x.org/a.css">', "fetches //x.org/a.css"),
        ("</main>", "<script>1</script>", "a script"),
        ("</main>", "<style>@import 'x.css'</style>", "a stylesheet fetches"),
        ("</main>", "<style>a{src:url(https://x.org/f.woff2)}</style>", "a stylesheet fetches"),
        ("</main>", '<p style="background:url(x.png)">', "a style fetches"),
        ("</main>", '<img src="data:," >', "alt text"),
        ("</main>", '<img alt="a" src="a.png">', "fetches a.png"),
        ("</main>", '<a href="#lost">', "no such place"),
        ("</main>", '<a href="lost.html">', "no such file"),
        ("</main>", '<a href="#F">', "no such place; there is #f"),
        ("</main>", '<p id="f">', "ids used twice: f"),
        ("</main>", '<nav aria-label="n"></nav><p role="region" aria-label="n">', "twice: n"),
        ("</main>", "x" * 300_000, "more than 300 kB"),
        ("<table>", f"<table><tr><td>{'x' * 47}...", "cut by pandas"),
    ],
)
def test_check_finds(old, new, said):
    wrong = check.problems({"a.html": (WHOLE.replace(old, new) if old else WHOLE).encode()})
    assert wrong == [] if said is None else any(said in w for w in wrong), wrong


def test_the_command_builds(tmp_path):
    tiny_suite.save(tmp_path / "notebooks" / "00-x.ipynb", "# One\n\nPage.", "1 + 1")
    folders = ["--notebooks", str(tmp_path / "notebooks"), "--reports", str(tmp_path / "out")]
    command = [sys.executable, "-m", "tradeflows.cli", "report"]
    done = subprocess.run([*command, *folders], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == [
        "1 notebooks to run, two at a time", "00-x: 0 cells done, 1 left",
        "00-x: 1 cells done, 0 left",
    ]  # fmt: skip
    assert done.stdout.startswith("wrote the pages, open ")


# what pages state is passed on to the page that answers


@pytest.fixture
def stating(tmp_path, monkeypatch):
    """Return an executed notebook that states a share, in a data folder of its own."""
    monkeypatch.setattr(store, "processed", lambda: tmp_path / "processed")

    def executed(share):
        data = tf.state("b4", 2022, energy_share=share)._repr_mimebundle_()
        cell = v4.new_code_cell("x", outputs=[v4.new_output("display_data", data)])
        return v4.new_notebook(cells=[cell])

    return executed


def test_what_a_page_states_is_judged_until_it_states_something_else(stating):
    runner.pass_on({"a01.html": stating(0.61), "a02.html": v4.new_notebook()})
    assert (tf.judge("b4").page, tf.judge("b4").grade) == ("a01.html", "supported")
    runner.pass_on({"a01.html": stating(0.5)})
    assert tf.judge("b4").grade == "partly supported"
    with pytest.raises(TradeflowsError, match=r"a02\.html and a01\.html both state claim b4"):
        runner.pass_on({"a01.html": stating(0.61), "a02.html": stating(0.6)})


def test_answers_run_last_and_a_page_that_lacks_data_says_so(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data" / "raw", tmp_path / "data" / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path / "data"))
    need = {"table": "prices", "series": "frankincense", "bring": "Run `tradeflows refresh`."}
    pages = {
        "a00": ({"reads": "statements"}, "import tradeflows as tf\ntf.judge('b4').say"),
        "a01": ({}, "import tradeflows as tf\ntf.state('b4', 2022, energy_share=0.61)"),
        "a02": ({"requires": [need]}, "tf_is_not_imported"),
    }
    for name, (about, cell) in pages.items():
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        tiny_suite.save(path, "# One page", cell)
        nb = json.loads(path.read_text())
        nb["metadata"]["tradeflows"] = about
        path.write_text(json.dumps(nb))
    build(tmp_path / "notebooks", tmp_path / "pages")
    assert "within 55 to 65 %" in (tmp_path / "pages" / "index.html").read_text("utf-8")
    page = (tmp_path / "pages" / "a02.html").read_text("utf-8")
    assert "data that are not there yet" in page
    assert "tradeflows refresh" in page
    assert "tf_is_not_imported" not in page
