"""What publishers changed in the past is seen, and a report of then can be built again."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import tiny_suite
from standin import harness, server
from standin.harness import QUICK, live, small
from tradeflows import store
from tradeflows.errors import UnknownCode
from tradeflows.load import load
from tradeflows.report.build import build
from tradeflows.sources import refresh, worldbank
from tradeflows.sources import stored as rooms
from tradeflows.sources.revisions import revisions

SPRING = {"start": "2022-02", "end": "2022-04", "manners": QUICK, "sources": ("comtrade",)}
BEFORE, AFTER = "2022-11-30", "2027-12-31"
LATER = 55  # months by which the stand-in's revision of March 2022 is released later: June 2027
ASKED = {"source": "UN Comtrade", "partner": "RUS", "flow": "M", "code": "TOTAL", "freq": "M"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data") as found:
        refresh.run(small(), **SPRING)
        yield found


def revise(site: server.Site) -> None:
    site.comtrade.revised[792, "202203"] = LATER
    refresh.run(small(), **SPRING)


def test_a_revision_is_listed_by_code_and_month(site: server.Site) -> None:
    assert revisions(BEFORE, AFTER).table.empty
    revise(site)
    found = revisions(BEFORE, AFTER)
    assert set(found.table["kind"]) == {"revised"}
    assert set(found.table["period"]) == {pd.Timestamp("2022-03-01")}
    ratio = found.table["after"] / found.table["before"]
    assert ratio.tolist() == pytest.approx([1.001**LATER] * len(ratio))
    assert found.table["change"].abs().is_monotonic_decreasing
    months = found.by_month()
    assert months["rows"].sum() == len(found.table)
    assert months["change"].sum() == pytest.approx(found.table["change"].sum())
    assert "1 months of the past changed" in found.sentence()
    assert set(found.table["to_vintage"]) == {"2027-05-11"}


def test_months_published_later_are_not_called_revised(site: server.Site) -> None:
    found = revisions("2022-09-30", BEFORE)
    assert set(found.table["kind"]) == {"first published"}
    assert "0 months of the past changed" in found.sentence()
    assert len(site.asked) > 0


@pytest.mark.usefixtures("site")
def test_a_second_edition_of_prices_is_a_revision() -> None:
    refresh.run(sources=("worldbank",), manners=QUICK)
    (raw,) = [r for r in live() if r.table == "prices"]
    again = store.read(raw.id)
    about = {k: v for k, v in vars(raw).items() if k not in ("id", "path", "bytes", "sha256")}
    table = worldbank.read(again, raw)
    store.put(raw.id.replace("2026-06-02", "2026-07-02"), again, about | {"vintage": "2026-07-02"})
    assert len(table) == len(rooms.refreshed("prices", "2026-07-02"))
    assert revisions("2026-06-30", "2026-07-30", "prices").table.empty


@pytest.mark.parametrize(
    "wrong", [("2022", "2023-01-01"), ("2023-01-01", "2022-01-01"), ("x", "y"), ("2022-01-01",) * 3]
)
def test_what_makes_no_sense_is_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(UnknownCode):
        revisions(*wrong)


def test_the_table_as_of_then_is_byte_identical(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AS_OF", BEFORE)
    before = load("trade", **ASKED).to_csv(index=False).encode()
    revise(site)
    assert load("trade", **ASKED).to_csv(index=False).encode() == before
    monkeypatch.delenv("AS_OF")
    now = load("trade", **ASKED)
    assert now.to_csv(index=False).encode() != before
    assert len(now) == 3


CELL = """\
import tradeflows as tf
from tradeflows import plot
found = tf.load("trade", source="UN Comtrade", partner="RUS", flow="M", code="TOTAL", freq="M")
table = found.set_index("period")[["value_usd"]].rename(columns={"value_usd": "imports"})
plot.lines(table, name="imports", title="Imports", unit="USD", alt="A line",
              origins=tuple(found["origin"].unique()))
"""


def report(notebooks: Path, out: Path, as_of: str) -> dict[str, bytes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AS_OF", as_of)
        build(notebooks, out)
    files = [p for p in out.rglob("*") if p.is_file()]
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in files}


@pytest.mark.slow
def test_the_report_as_of_then_is_byte_identical(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = tmp_path / "data" / "raw"
    shutil.copytree(harness.SNAPSHOT, data, dirs_exist_ok=True)
    tiny_suite.save(tmp_path / "notebooks" / "00-answers.ipynb", "# Imports", "## Now", CELL)
    day = "2026-12-31"  # later than the snapshot, earlier than the revision
    before = report(tmp_path / "notebooks", tmp_path / "before", day)
    revise(site)
    after = report(tmp_path / "notebooks", tmp_path / "after", day)
    assert set(after) == set(before)
    assert len(before) >= 4
    different = {name for name in before if after[name] != before[name]}
    assert not different
    shown = pd.read_csv(io.BytesIO(before["data/imports.csv"]))["imports"].tolist()
    for as_of, same in ((day, True), (AFTER, False)):
        monkeypatch.setenv("AS_OF", as_of)
        assert (load("trade", **ASKED)["value_usd"].tolist() == pytest.approx(shown)) == same
