"""What a refresh brought is loaded beside the snapshot: the newest row, marked where made up."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from nbformat import writes
from nbformat.v4 import new_markdown_cell, new_notebook

import pages
import tradeflows as tf
from generated import rows_of
from standin import harness, trade
from standin.harness import QUICK, asked, small
from tradeflows import store
from tradeflows.errors import (
    DoubleCountedTotals,
    SchemaMismatch,
    SourceUnavailable,
    UnknownCode,
)
from tradeflows.report.build import build
from tradeflows.sources import refresh, stored, tuik

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
    whole = stored.table
    monkeypatch.setattr(
        stored, "table", lambda raw, *a, **k: read.extend([raw] * raw.live) or whole(raw, *a, **k)
    )
    for other in ({"reporter": "KAZ"}, {"freq": "A"}, {"code_system": "groups"}, {"flow": "RX"}):
        with pytest.raises(UnknownCode):
            tf.load("trade", **{**TOTAL, **other})
    assert not read
    monkeypatch.setattr(stored, "table", whole)
    assert len(tf.load("trade", **TOTAL)) == 4


@pytest.mark.usefixtures("site")
def test_alternatives_are_looked_for_in_what_was_refreshed():
    refresh.run(small(), **SPRING)
    assert set(tf.load("trade", **{**TOTAL, "code": "TOTAL,84"})["code"]) == {"TOTAL", "84"}
    with pytest.raises(UnknownCode, match="code=tOTAL2"):
        tf.load("trade", **{**TOTAL, "code": "TOTAL,84,tOTAL2"})
    known = tf.load("trade", **{**TOTAL, "reporter": ["TUR", "HUN"]})  # Hungary was not asked for
    assert set(known["reporter"]) == {"TUR"}


def test_a_data_folder_is_laid_over_the_snapshot(monkeypatch, tmp_path):
    with asked(monkeypatch, tmp_path / "data"):
        refresh.run(small(), **SPRING)
        (tmp_path / "data" / "raw" / store.MARKER).unlink()
        shutil.rmtree(tmp_path / "data" / "raw" / "ecb")
        assert len(tf.load("trade", **TOTAL, freq="M", months="2022-01/2022-04")) == 4
        euro = tf.load("trade", reporter="EU27", partner="RUS", code="847150", months="2020-01")
        over = store.describe(euro["origin"].iloc[0])
        assert over.path.is_relative_to(harness.SNAPSHOT)
        assert store.verify() == []
        mine = tmp_path / "data" / "raw" / over.id  # the same file here stands for that one
        mine.parent.mkdir(parents=True)
        mine.write_bytes(over.path.read_bytes()[:-9])
        with pytest.raises(SchemaMismatch, match="no sidecar"):
            store.read(over.id)
        assert [p.id for p in store.verify()] == [over.id]


@pytest.mark.usefixtures("site")
def test_months_not_published_are_absent_and_totals_are_not_mixed():
    refresh.run(small(), **{**SPRING, "start": "2025-11", "end": "2026-02"})
    found = tf.load("trade", **TOTAL)
    assert found["period"].dt.strftime("%Y-%m").tolist() == ["2025-11", "2025-12"]


@pytest.mark.usefixtures("site")
def test_refreshed_prices_are_read_where_the_snapshot_has_none():
    refresh.run(small(), **{**SPRING, "sources": ("worldbank",)})
    brent = {"source": "World Bank", "series": "brent"}
    found = tf.load("prices", **brent)
    assert not found.duplicated(["series", "period"]).any()
    assert found["origin"].str.contains("/live/").any()


def test_a_refreshed_edition_takes_the_place_of_the_snapshots(monkeypatch, tmp_path):
    with asked(monkeypatch, tmp_path / "data"):
        shutil.copytree(harness.SNAPSHOT, tmp_path / "data" / "raw", dirs_exist_ok=True)
        brent = {"series": "brent", "months": "2022"}
        before = tf.load("prices", **brent)
        refresh.run(small(), **{**SPRING, "sources": ("worldbank", "eurostat")})
        found = tf.load("prices", **brent)
        assert not found["value"].equals(before["value"])
        every = tf.load("prices", source="World Bank")  # what is made up stands alone
        assert every["origin"].str.contains("/live/").all()


@pytest.mark.usefixtures("site")
def test_generated_trade_is_refused_where_no_folder_of_its_own_is_named(monkeypatch, tmp_path):
    refresh.run(small(), **SPRING)
    assert stored.is_generated()
    (tmp_path / "data" / "raw" / "SNAPSHOT").touch()
    monkeypatch.delenv("TRADEFLOWS_DATA")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceUnavailable, match="generated trade"):
        tf.load("trade", **TOTAL)


@pytest.mark.usefixtures("site")
def test_refresh_and_tables_hold_what_was_generated():
    names = ("turkey-russia", "turkey-controls", "transit-priority")
    parts = [p for p in refresh.parts() if p.name in names]
    refresh.run(parts, **SPRING)
    asked_for = {"source": "UN Comtrade", "freq": "M", "level": 6}
    rows = tf.load("trade", reporter="TUR", flow="X", **asked_for)
    assert sorted(set(rows["period"].dt.strftime("%m"))) == ["01", "02", "03", "04"]
    months = ["202201", "202202", "202203", "202204"]
    sums = [
        tf.concord(found, to="HS2012-HS2022").frame.groupby(["partner", "code", "period"])
        for found in (rows_of(trade.World("volume"), "X", months), rows)
    ]
    known = pd.concat([s["value_usd"].sum() for s in sums], axis=1, keys=["planted", "ours"])
    known = known[known.index.get_level_values("partner") != "WLD"].dropna()
    assert len(known) == len(sums[0])
    assert known["ours"].to_numpy() == pytest.approx(known["planted"].to_numpy())
    mirror = tf.on_one_system(partner="TUR", **asked_for)
    assert set(mirror["reporter"]) == {"KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM"}
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
    book.metadata["tradeflows"] = {"published": True}
    (notebooks / "01-figures.ipynb").write_text(writes(book))
    build(notebooks, tmp_path / "trial")
    for name in ("index.html", "sources.html", "tradeflows.html"):
        assert "GENERATED TRADE" in (tmp_path / "trial" / name).read_text()
    assert "reads published trade" in (tmp_path / "trial" / "01-figures.html").read_text()


@pytest.mark.usefixtures("site")
def test_pages_of_the_snapshot_run_beside_what_a_refresh_brings(monkeypatch, tmp_path):
    refresh.run(start="2021-11", end="2022-04", manners=QUICK, sources=("eurostat",))
    refresh.run(small(), **SPRING)
    lines = [f"{m:%Y-%m};{flow};Russia;{code};{9e6 * int(code[:2])};{1e6 * int(code[:2])}"
             for m in pd.date_range("2021-01-01", "2022-12-01", freq="MS") for flow in "XM"
             for code in ("27", "84", "85", "847150", "270900")]  # fmt: skip
    file = tmp_path / "tuik.csv"
    heads = "period;flow;partner;code;value (USD);net weight (kg)"
    file.write_text("\n".join([heads, *lines]), encoding="utf-8")
    tuik.add(file)
    store.folder().joinpath(store.MARKER).unlink()  # laid over the snapshot
    monkeypatch.setattr(stored, "is_generated", lambda *_: False)  # as if it were published
    assert {"AZE", "RUS"} <= set(tf.load("trade", reporter="EU27", code_system="HS2022").partner)
    fuels = {"source": "TÜİK", "code": "27", "flow": "M", "freq": "M", "partner": "RUS"}
    assert len(tf.load("trade", trade_system="unknown", **fuels)) >= 24  # the file does not say
    for name in ("01-the-data", "02-energy", "03-electronics", "04-rerouting"):
        assert pages.run(name).cells
