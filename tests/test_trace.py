"""From a figure to the bytes: every step is named, every hash compared."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import tiny_suite
from tradeflows import cli, store
from tradeflows.errors import SchemaMismatch, SourceUnavailable, UnknownCode
from tradeflows.report.build import build
from tradeflows.report.trace import figures, trace

run = CliRunner()
RAW = "world-bank/benchmark_prices_monthly.csv"
_FIGURE = f"""\
import pandas as pd
from tradeflows import plot

table = pd.DataFrame({{"a": [1.0, 2.0]}}, index=[2021, 2022])
plot.lines(table, name="prices", title="T", unit="USD", alt="A", origins=("{RAW}",))
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Build a report with one figure on a raw file, and one on none."""
    root = tmp_path_factory.mktemp("traced")
    other = _FIGURE.replace("prices", "other").replace(RAW, "nobody/knows.csv")
    tiny_suite.save(root / "00-first.ipynb", "# First\n\nOne.")
    tiny_suite.save(root / "03-more.ipynb", "# More\n\nOne.", _FIGURE, other)
    build(root, root / "reports")
    return root / "reports"


@pytest.fixture
def copied(reports, tmp_path):
    """Return a copy that a test may spoil."""
    shutil.copytree(reports, tmp_path / "reports")
    return tmp_path / "reports"


def test_a_figure_leads_to_its_raw_file(reports):
    found = trace("prices", reports)
    raw = store.describe(RAW)
    assert (found["page"], found["notebook"], found["cell"]) == (
        "03-more.html#prices",
        "03-more.ipynb",
        "cell-1",
    )
    origin = found["origins"][0]
    assert tuple(origin[n] for n in ("id", "publisher", "vintage", "sha256", "now")) == (
        RAW,
        raw.publisher,
        raw.vintage,
        raw.sha256,
        "as in the report",
    )


@pytest.mark.parametrize("name", ["03-more.html#prices", "data/prices.csv", "prices.png"])
def test_a_figure_is_found_by_what_stands_in_the_address_bar(reports, name):
    assert trace(name, reports)["figure"] == "prices"


def test_a_name_that_is_not_there_suggests_others(reports, tmp_path):
    with pytest.raises(UnknownCode, match="one of prices"):
        trace("price", reports)
    with pytest.raises(SourceUnavailable, match="make report"):
        trace("prices", tmp_path)
    assert list(figures(reports)) == ["prices", "other"]


def test_a_table_that_changed_and_a_package_that_broke_are_seen(copied):
    (copied / "data" / "prices.csv").write_text("x")
    assert trace("prices", copied)["now"] == "changed since"
    (copied / "data" / "prices.csv").unlink()
    assert trace("prices", copied)["now"] == "gone"
    (copied / "data" / "datapackage.json").write_text("{")
    with pytest.raises(SchemaMismatch, match="not JSON"):
        trace("prices", copied)


def test_a_raw_file_that_changed_or_went_is_seen(reports, tmp_path, monkeypatch):
    file = tmp_path / "raw" / RAW
    file.parent.mkdir(parents=True)
    original = store.describe(RAW).path
    shutil.copy(f"{original}.yml", f"{file}.yml")
    file.write_text("other bytes")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    assert trace("prices", reports)["origins"][0]["now"] == "changed since"
    file.unlink()
    assert trace("prices", reports)["origins"][0]["now"] == "gone"


def test_the_command_prints_the_path_and_exits_with_what_it_found(reports, copied):
    shown = run.invoke(cli.app, ["trace", "prices", "--reports", str(reports)])
    assert shown.exit_code == 0
    for words in ("03-more.ipynb", "cell: cell-1", RAW, store.describe(RAW).sha256, "publisher:"):
        assert words in shown.output
    plain = run.invoke(cli.app, ["trace", "prices", "--reports", str(reports), "--json"])
    assert json.loads(plain.output)["origins"][0]["id"] == RAW
    (copied / "data" / "prices.csv").write_text("x")
    assert run.invoke(cli.app, ["trace", "prices", "--reports", str(copied)]).exit_code == 1
    listed = run.invoke(cli.app, ["trace", "--reports", str(reports)])
    assert listed.output.split() == ["prices", "other"]


def test_the_page_shows_the_trace_and_offers_the_picture(reports):
    page = (reports / "03-more.html").read_text("utf-8")
    assert '<details class="trace">' in page
    assert f"sha256 {store.describe(RAW).sha256[:12]}…" in page
    assert f"sources.html#raw-{RAW.replace('/', '-').replace('_', '-').replace('.', '-')}" in page
    assert 'href="data/prices.png"' in page
    assert (reports / "data" / "prices.png").read_bytes().startswith(b"\x89PNG")
    assert ".png" not in (reports / "tradeflows.html").read_text("utf-8")
