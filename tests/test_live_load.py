"""What a refresh brought is loaded beside the snapshot: the newest row, marked where made up."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from nbformat import writes
from nbformat.v4 import new_markdown_cell, new_notebook

import tradeflows as tf
from generated import rows_of
from standin import harness, trade
from standin.harness import QUICK, asked, small
from tradeflows.errors import DoubleCountedTotals, SourceUnavailable, UnknownCode
from tradeflows.evidence import panel as room
from tradeflows.load import snapshot
from tradeflows.report.build import build
from tradeflows.sources import live, refresh
from tradeflows.sources.comtrade.standard import standard

SPRING = {"start": "2022-01", "end": "2022-04", "manners": QUICK, "sources": ("comtrade",)}
TOTAL = {"source": "UN Comtrade", "reporter": "TUR", "partner": "RUS", "flow": "X", "code": "TOTAL"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    with asked(monkeypatch, tmp_path / "data", trade.World("volume")) as found:
        yield found


def test_the_newest_release_counts_and_as_of_goes_back(site, monkeypatch):
    refresh.run(small(), **SPRING)
    first = tf.load("trade", **TOTAL)
    assert len(first) == 4
    site.comtrade.revised[792, "202203"] = 1
    refresh.run(small(), **SPRING)
    second = tf.load("trade", **TOTAL)
    march = [f.set_index("period")["value_usd"]["2022-03-01"] for f in (first, second)]
    assert march[1] / march[0] == pytest.approx(1.001)
    assert len(second) == 4
    monkeypatch.setenv("AS_OF", "2022-10-31")
    before = tf.load("trade", **TOTAL).set_index("period")["value_usd"]
    assert before["2022-03-01"] == march[0]
    monkeypatch.setenv("AS_OF", "2022-01-01")
    with pytest.raises(UnknownCode, match="no rows"):
        tf.load("trade", **TOTAL)


@pytest.mark.usefixtures("site")
def test_replies_to_other_questions_are_not_read(monkeypatch):
    refresh.run(small(), **SPRING)
    read = []
    whole = live.table
    monkeypatch.setattr(live, "table", lambda *a, **k: read.append(1) or whole(*a, **k))
    for other in ({"reporter": "KAZ"}, {"freq": "A"}, {"code_system": "groups"}, {"flow": "RX"}):
        with pytest.raises(UnknownCode):
            tf.load("trade", **{**TOTAL, **other})
    assert not read
    assert len(tf.load("trade", **TOTAL)) == 4


@pytest.mark.usefixtures("site")
def test_alternatives_are_looked_for_in_what_was_refreshed():
    refresh.run(small(), **SPRING)
    assert set(tf.load("trade", **{**TOTAL, "code": "TOTAL,84"})["code"]) == {"TOTAL", "84"}
    with pytest.raises(UnknownCode, match="code=tOTAL2"):
        tf.load("trade", **{**TOTAL, "code": "TOTAL,84,tOTAL2"})
    known = tf.load("trade", **{**TOTAL, "reporter": ["TUR", "HUN"]})  # Hungary was not asked for
    assert set(known["reporter"]) == {"TUR"}


@pytest.mark.usefixtures("site")
def test_months_not_published_are_absent_and_totals_are_not_mixed():
    refresh.run(small(), **{**SPRING, "start": "2025-11", "end": "2026-02"})
    found = tf.load("trade", **TOTAL)
    assert found["period"].dt.strftime("%Y-%m").tolist() == ["2025-11", "2025-12"]
    data = room.panel()
    assert "holds no exports" in data.reason or data.exports.empty


@pytest.mark.usefixtures("site")
def test_refreshed_prices_are_read_where_the_snapshot_has_none():
    refresh.run(small(), **{**SPRING, "sources": ("worldbank",)})
    brent = {"source": "World Bank", "series": "brent"}
    found = tf.load("prices", **brent)
    assert not found.duplicated(["series", "period"]).any()
    assert found["origin"].str.contains("/live/").any()
    with pytest.raises(UnknownCode, match="series=brent"):
        snapshot("prices", **brent)


def test_what_the_snapshot_answers_stays_as_it_is(monkeypatch, tmp_path):
    with asked(monkeypatch, tmp_path / "data"):
        shutil.copytree(harness.SNAPSHOT, tmp_path / "data" / "raw", dirs_exist_ok=True)
        brent = {"series": "brent", "months": "2022"}
        before = snapshot("prices", **brent)
        assert tf.load("prices", **brent).equals(before)
        refresh.run(small(), **{**SPRING, "sources": ("worldbank", "eurostat")})
        assert snapshot("prices", **brent).equals(before)
        assert not tf.load("prices", **brent)["value"].equals(before["value"])


@pytest.mark.usefixtures("site")
def test_generated_trade_is_refused_where_no_folder_of_its_own_is_named(monkeypatch, tmp_path):
    refresh.run(small(), **SPRING)
    room.panel()  # kept, and refused all the same
    (tmp_path / "data" / "raw" / "SNAPSHOT").touch()
    monkeypatch.delenv("TRADEFLOWS_DATA")
    monkeypatch.chdir(tmp_path)
    assert room.generated()
    with pytest.raises(SourceUnavailable, match="generated trade"):
        tf.load("trade", **TOTAL)
    with pytest.raises(SourceUnavailable, match="TRADEFLOWS_DATA"):
        room.panel()


@pytest.mark.usefixtures("site")
def test_refresh_tables_panel_hold_what_was_generated():
    names = ("turkey-russia", "turkey-controls", "transit-priority")
    parts = [p for p in standard(refresh.listed()) if p.name in names]
    refresh.run(parts, **SPRING)
    data = room.panel()
    assert data.generated
    assert not data.reason
    assert room.MARK in data.mark()._repr_html_()
    assert [f"{m:%m}" for m in data.months()] == ["01", "02", "03", "04"]
    assert data.unpublished("2022-03/2022-06") == ["2022-05", "2022-06"]
    planted = rows_of(trade.World("volume"), "X", ["202201", "202202", "202203", "202204"])
    planted = room._comparable(planted).groupby(["partner", "code", "period"])["value_usd"].sum()
    ours = data.exports[data.exports["partner"] != "WLD"]
    ours = ours.set_index(["partner", "code", "period"])["value_usd"]
    both = pd.concat([planted, ours], axis=1, keys=["planted", "ours"])
    known = both.dropna()
    assert len(known) == len(planted)
    assert known["ours"].to_numpy() == pytest.approx(known["planted"].to_numpy())
    assert set(data.mirror["reporter"]) == {"KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM"}
    again = room._panel.__wrapped__(
        room.store.folder(),
        "",
        tuple(r.id + r.sha256 for r in live.files("trade") if r.id.startswith("un-comtrade/live/")),
    )
    assert again.exports.equals(data.exports)  # kept as Parquet
    with pytest.raises(DoubleCountedTotals, match="several statistics"):
        tf.load("trade", source="UN Comtrade", flow="M", freq="M", partner="RUS,TUR")


@pytest.mark.usefixtures("site")
def test_pages_of_generated_trade_never_land_in_reports(tmp_path):
    refresh.run(small(), **SPRING)
    notebooks = tmp_path / "notebooks"
    notebooks.mkdir()
    book = new_notebook(cells=[new_markdown_cell("# A page")])
    (notebooks / "00-page.ipynb").write_text(writes(book))
    with pytest.raises(SourceUnavailable, match="generated trade"):
        build(notebooks, tmp_path / "reports")
    assert not (tmp_path / "reports" / "index.html").exists()
    build(notebooks, tmp_path / "trial")
    for name in ("index.html", "sources.html", "tradeflows.html"):
        assert "GENERATED TRADE" in (tmp_path / "trial" / name).read_text()
