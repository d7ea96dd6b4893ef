"""Whatever a refresh stores is read back by the loader; what cannot be read stops nothing else."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

import tradeflows as tf
from standin import harness, server, trade
from standin.harness import QUICK, live, small
from tradeflows import store, tables
from tradeflows.errors import (
    QuotaExhausted,
    SchemaMismatch,
    UnknownCode,
    UnreadableFileWarning,
)
from tradeflows.sources import refresh
from tradeflows.sources import stored as rooms
from tradeflows.sources.comtrade import parse
from tradeflows.sources.comtrade.question import pair
from tradeflows.sources.comtrade.reply import records

SPRING = {"start": "2022-02", "end": "2022-03", "manners": QUICK, "sources": ("comtrade",)}
NOTHING = [pair("TUR", "RUS", ["X"], ["010613"])]  # a good that Turkey does not sell to Russia
SHARED = Path(__file__).parents[2] / "shared" / "fixtures" / "api" / "comtrade-2026-09"
TOTAL = {"source": "UN Comtrade", "reporter": "TUR", "partner": "RUS", "flow": "X", "code": "TOTAL"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(breadth=0)) as found:
        yield found


def read_back() -> dict[str, int]:
    """Return the rows of every live file as the loader reads them; they are those counted."""
    found = {}
    for raw in (r for r in live() if not r.id.startswith("cepii/")):  # too large for memory
        table = rooms.table(raw)
        tables.validate(table, raw.table)
        found[raw.id] = len(table)
        if raw.id.startswith("un-comtrade/"):
            assert len(table) == raw.rows <= raw.query["proof"]["count"]
    return found


@pytest.mark.parametrize("key", [harness.KEY, ""])
def test_every_kind_that_is_stored_is_read_back(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("COMTRADE_API_KEY", key)
    every = ("worldbank", "eurostat", "comtrade", "baci")
    refresh.run([*small(), *NOTHING], **SPRING | {"sources": every})
    assert read_back()
    publishers = {raw.id.split("/")[0] for raw in live()}
    assert publishers == {"world-bank", "eurostat", "un-comtrade", "cepii"}
    empty = [raw for raw in live() if "-empty-" in raw.id]
    assert empty
    for raw in empty:
        assert isinstance(json.loads(gzip.decompress(store.read(raw.id)))["data"], dict)
    for name in ("trade", "prices", "volumes"):
        assert len(rooms.refreshed(name))
    assert len(tf.load("trade", **TOTAL)) == 2
    kinds = set(site.counts())
    assert {"count", "data", "availability", "metadata"} <= kinds


def counts_carry(data: object, site: server.Site, patch: pytest.MonkeyPatch) -> None:
    """Let count replies carry this as their ``data``."""
    answer = site.comtrade.answer

    def counted(asked: dict[str, str], keyed: bool) -> tuple[int, dict[str, object] | bytes]:
        status, body = answer(asked, keyed)
        return status, body | {"data": data} if isinstance(body, dict) else body

    patch.setattr(site.comtrade, "answer", counted)


@pytest.mark.parametrize("data", [[], {}, {"period": None, "refYear": 0, "isLeaf": False}])
def test_every_form_of_no_rows_is_read_back(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, data: object
) -> None:
    counts_carry(data, site, monkeypatch)
    refresh.run([*small(), *NOTHING], **SPRING)
    assert 0 in read_back().values()
    assert len(tf.load("trade", **TOTAL)) == 2


@pytest.mark.parametrize("data", ["nothing", 3, [1], {"primaryValue": 7.0}])
def test_a_count_that_reads_as_no_empty_reply_is_never_stored(
    site: server.Site, monkeypatch: pytest.MonkeyPatch, data: object
) -> None:
    counts_carry(data, site, monkeypatch)
    with pytest.raises(SchemaMismatch, match="tur-rus-010613"):
        refresh.run(NOTHING, **SPRING)
    assert live() == []


def test_an_error_told_with_a_count_of_nothing_is_no_empty_reply(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"count": 0, "data": [], "error": "Maximum number of periods for preview is 1"}
    monkeypatch.setattr(site.comtrade, "answer", lambda *_, **__: (200, said))
    with pytest.raises(SchemaMismatch, match="Maximum number of periods"):
        refresh.run(NOTHING, **SPRING)
    assert live() == []


def damage(raw: store.Raw, data: bytes) -> None:
    """Store other bytes under the same name, and a sidecar that vouches for them."""
    about = {k: v for k, v in vars(raw).items() if k not in ("id", "path", "bytes", "sha256")}
    for path in (raw.path, raw.path.with_name(raw.path.name + store.SIDECAR)):
        path.unlink()
    store.put(raw.id, data, about)


@pytest.mark.usefixtures("site")
def test_a_file_that_cannot_be_read_is_named_and_stops_nothing_else() -> None:
    refresh.run([*small(), pair("TUR", "KAZ", codes=["TOTAL"])], **SPRING)
    (bad,) = [raw for raw in live() if "tur-rus" in raw.id]
    damage(bad, b'{"count": 3, "data": {"period": null}, "error": ""}')
    words = rf"(?s){bad.id}.*delete file and sidecar.*tradeflows refresh"
    with pytest.warns(UnreadableFileWarning, match=words):
        assert set(rooms.refreshed("trade")["partner"]) == {"KAZ"}
    assert len(tf.load("trade", **TOTAL | {"partner": "KAZ"})) == 2
    with pytest.warns(UnreadableFileWarning), pytest.raises(UnknownCode):
        tf.load("trade", **TOTAL)
    for path in (bad.path, bad.path.with_name(bad.path.name + store.SIDECAR)):
        path.unlink()  # as it says
    refresh.run(small(), **SPRING)
    assert len(tf.load("trade", **TOTAL)) == 2


def test_of_months_that_cannot_be_read_an_older_release_is(site: server.Site) -> None:
    refresh.run(small(), **SPRING)
    before = tf.load("trade", **TOTAL)
    site.comtrade.revised[792, "202203"] = 1
    (new,) = refresh.run(small(), **SPRING).stored
    damage(store.describe(new), b"{}")
    with pytest.warns(UnreadableFileWarning, match=r"202203"):
        found = tf.load("trade", **TOTAL)
    pd.testing.assert_frame_equal(found, before)


@pytest.mark.usefixtures("site")
def test_a_sidecar_that_cannot_be_read_is_named_and_stops_nothing_else() -> None:
    refresh.run([*small(), pair("TUR", "KAZ", codes=["TOTAL"])], **SPRING)
    (bad,) = [raw for raw in live() if "tur-rus" in raw.id]
    beside = bad.path.with_name(bad.path.name + store.SIDECAR)
    about = yaml.safe_load(beside.read_text())
    beside.write_bytes(b"\xff")
    with pytest.warns(UnreadableFileWarning, match=r"(?s)tur-rus.*tradeflows refresh"):
        assert len(tf.load("trade", **TOTAL | {"partner": "KAZ"})) == 2
    beside.write_text(yaml.safe_dump(about | {"query": about["query"] | {"releases": 3}}))
    with pytest.warns(UnreadableFileWarning, match="query"):
        assert set(rooms.refreshed("trade")["partner"]) == {"KAZ"}


def test_a_pull_begun_with_a_key_goes_on_without_one(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.faults.append(server.Fault("403", 1))
    with pytest.raises(QuotaExhausted, match="quota"):
        refresh.run(small(), **SPRING)
    monkeypatch.setenv("COMTRADE_API_KEY", "")
    refresh.run(small(), **SPRING)
    asked = [path for kind, path in site.asked if path.startswith("/public/v1/preview")]
    assert all("," not in path.split("period=")[1].split("&")[0] for path in asked)
    assert len(tf.load("trade", **TOTAL)) == 2


ASKED = {"reportercode": "792", "partnercode": "643", "partner2code": "0", "customscode": "C00",
         "motcode": "0", "flowcode": "X", "cmdcode": "TOTAL"}  # fmt: skip


def test_the_stand_in_answers_as_the_preview_was_recorded(site: server.Site) -> None:
    two = ASKED | {"period": "202202,202203"}
    status, body = site.comtrade.answer(two, keyed=False)
    assert status == 400
    assert "Maximum number of periods for preview is 1" in str(body)
    assert site.comtrade.answer(two, keyed=True)[0] == 200
    one = ASKED | {"period": "202203", "cmdcode": "AG6"}
    rows = json.loads(site.comtrade.answer(one | {"maxrecords": "1"}, keyed=False)[1])
    assert rows["count"] == len(rows["data"]) > 1
    _, count = site.comtrade.answer(one | {"countonly": "true"}, keyed=False)
    assert isinstance(count, dict)
    assert count["count"] == rows["count"]
    assert set(count["data"]) == set(rows["data"][0])
    assert not any(count["data"].values())


@pytest.mark.parametrize("cap", [3, 7])
def test_what_the_preview_cuts_is_the_end_of_the_last_code(site: server.Site, cap: int) -> None:
    listed = ["27", "84", "TOTAL"]
    asked = ASKED | {"period": "202203", "cmdcode": ",".join(listed)}
    del asked["partnercode"]
    whole = json.loads(site.comtrade.answer(asked, keyed=False)[1])["data"]
    site.comtrade.caps = (cap, 100)
    cut = json.loads(site.comtrade.answer(asked, keyed=False)[1])["data"]
    assert cut == whole[:cap]
    assert [r["cmdCode"] for r in whole] == sorted(r["cmdCode"] for r in whole)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the recorded replies are not here")
def test_recorded_count_replies() -> None:
    empty = (SHARED / "count_0.json").read_bytes()
    assert parse(empty, {"query": {"proof": {"count": 0}}}).empty
    for name in ("count_63.json", "count_516.json"):
        body = (SHARED / name).read_bytes()
        with pytest.raises(SchemaMismatch, match="without the rows"):
            parse(body, {})
    listed = json.loads((SHARED / "getDA_two_of_29.json").read_bytes())
    assert len(records(listed, "getDA")) == 2
