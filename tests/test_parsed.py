"""Tables kept beside the raw files: the same rows, read once, never those of yesterday."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

import tradeflows as tf
import tradeflows.sources as registry
from standin import harness, server, trade
from standin.harness import QUICK, live, small
from tradeflows import store
from tradeflows.errors import ChecksumMismatch, UnknownCode, UnreadableFileWarning
from tradeflows.periods import Window
from tradeflows.quality import corrections
from tradeflows.sources import refresh, snapshot
from tradeflows.sources import stored as parsed
from tradeflows.sources.comtrade.question import pair

SPRING = {"start": "2022-02", "end": "2022-03", "manners": QUICK, "sources": ("comtrade",)}
TOTAL = {"source": "UN Comtrade", "reporter": "TUR", "partner": "RUS", "flow": "X", "code": "TOTAL"}
BRENT = {"series": "brent", "months": "2022"}
PRICES = "world-bank/benchmark_prices_monthly.csv"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data", trade.World(breadth=0)) as found:
        yield found


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    shutil.copytree(store.folder(), tmp_path / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    return tmp_path


def forget() -> None:
    """Start as a new process does: with nothing in memory."""
    parsed._memory.clear()


def opened(patch: pytest.MonkeyPatch) -> list[str]:
    """Note every raw file whose bytes are read."""
    files: list[str] = []
    whole = store.read
    patch.setattr(store, "read", lambda file: files.append(file) or whole(file))
    return files


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("small_", [5_000, 0])
def test_what_is_kept_is_what_was_parsed(monkeypatch: pytest.MonkeyPatch, small_: int) -> None:
    monkeypatch.setattr(parsed, "SMALL", small_)  # 0: filtered in the file, not in memory
    refresh.run([*small(), pair("TUR", "KAZ")], **SPRING | {"sources": (
        "comtrade", "worldbank", "eurostat")})  # fmt: skip
    for raw in live():
        direct = parsed._parsed(raw)
        for _ in ("parsed", "kept"):
            pd.testing.assert_frame_equal(parsed.table(raw), direct)
            forget()
        if raw.table == "trade" and len(direct):
            keep = {"partner": ["RUS"], "code": ["TOTAL", "84"], "flow": ["X", "no"]}
            window = Window.parse("2022-03")
            mine = direct[direct["partner"].eq("RUS") & direct["code"].isin(keep["code"])]
            mine = mine[mine["flow"].eq("X") & mine["period"].eq("2022-03-01")]
            found = parsed.table(raw, keep, window).reset_index(drop=True)
            pd.testing.assert_frame_equal(found, mine.reset_index(drop=True))


def test_each_raw_file_is_opened_once_in_a_process_and_then_not_at_all(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = opened(monkeypatch)
    for _ in range(3):
        tf.load("prices", **BRENT)
        tf.load("trade", source="TÜİK", trade_system="general", code="TOTAL", partner="RUS")
        with pytest.raises(UnknownCode):
            tf.load("trade", code="no such code")
    counted = [f for f in files if f != snapshot.RATES]
    assert len(counted) == len(set(counted)) > 2
    assert list((data / "processed" / "tables").glob("*.parquet"))
    files.clear()
    forget()
    tf.load("prices", **BRENT)
    assert files == []


def test_a_changed_sidecar_is_read_anew(data: Path) -> None:
    before = tf.load("prices", **BRENT)
    beside = data / "raw" / f"{PRICES}{store.SIDECAR}"
    about = yaml.safe_load(beside.read_text("utf-8"))
    beside.write_text(yaml.safe_dump(about | {"vintage": "2026-06-03"}, allow_unicode=True))
    for clear in (lambda: None, forget):
        clear()
        assert set(tf.load("prices", **BRENT)["vintage"]) == {"2026-06-03"}
    assert set(before["vintage"]) != {"2026-06-03"}


def test_changed_bytes_are_refused_although_a_good_table_is_kept(data: Path) -> None:
    tf.load("prices", **BRENT)
    file = data / "raw" / PRICES
    good = file.read_bytes()
    file.write_bytes(good[:-2] + bytes([good[-2] ^ 1]) + good[-1:])
    for clear in (lambda: None, forget):
        clear()
        with pytest.raises(ChecksumMismatch):
            tf.load("prices", **BRENT)


def test_changed_corrections_rates_and_readers_count_at_once(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = {"source": "UN Comtrade", "code_system": "groups", "flow": "M", "partner": "RUS"}
    corrected = len(tf.load("trade", **wanted))
    with monkeypatch.context() as patched:
        patched.setattr(corrections, "corrections", tuple)
        assert len(tf.load("trade", **wanted)) > corrected
    assert len(tf.load("trade", **wanted)) == corrected
    euro = {"reporter": "EU27", "partner": "RUS", "code": "847150", "months": "2020-01"}
    before = tf.load("trade", **euro)["value_usd"].iloc[0]
    rates = store.describe(snapshot.RATES)
    about = {k: v for k, v in vars(rates).items() if k not in ("id", "path", "bytes", "sha256")}
    text = rates.path.read_text("utf-8").splitlines()
    at = next(n for n, x in enumerate(text) if "2020-01" in x and "usd_per_eur" in x)
    text[at] = ",".join("2.0" if _number(w) else w for w in text[at].split(","))
    for path in (rates.path, rates.path.with_name(rates.path.name + store.SIDECAR)):
        path.unlink()
    store.put(rates.id, "\n".join([*text, ""]).encode(), about)
    assert tf.load("trade", **euro)["value_usd"].iloc[0] != before
    assert data.is_dir()


def _number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


@pytest.mark.usefixtures("data")
def test_a_reader_registered_anew_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    raw = store.describe(PRICES)
    about = {k: v for k, v in vars(raw).items() if k not in ("id", "path", "bytes", "sha256")}
    row = {"origin": "borduria/live/x.csv", "source": "Borduria", "vintage": "2026-01-01",
           "series": "salt", "freq": "M", "period": "2022-01-01", "period_end": "2022-01-01",
           "unit": "USD/t"}  # fmt: skip
    registry.register("borduria")(lambda _data, _raw: pd.DataFrame([row | {"value": 7.0}]))
    store.put("borduria/live/x.csv", b"7", about | {"rows": 1, "publisher": "Borduria"})
    assert tf.load("prices", series="salt")["value"].tolist() == [7.0]
    registry.register("borduria")(lambda _data, _raw: pd.DataFrame([row | {"value": 8.0 + 0}]))
    forget()
    assert tf.load("prices", series="salt")["value"].tolist() == [8.0]


def test_deleted_files_are_gone_and_new_vintages_are_there(
    site: server.Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh.run(small(), **SPRING)
    first = tf.load("trade", **TOTAL)
    site.comtrade.revised[792, "202203"] = 1
    (new,) = refresh.run(small(), **SPRING).stored
    revised = tf.load("trade", **TOTAL)
    assert not revised.equals(first)
    monkeypatch.setenv("AS_OF", "2022-10-31")
    pd.testing.assert_frame_equal(tf.load("trade", **TOTAL), first)
    monkeypatch.delenv("AS_OF")
    raw = store.describe(new)
    for path in (raw.path, raw.path.with_name(raw.path.name + store.SIDECAR)):
        path.unlink()
    pd.testing.assert_frame_equal(tf.load("trade", **TOTAL), first)


@pytest.mark.usefixtures("site")
def test_a_damaged_table_is_built_again() -> None:
    refresh.run(small(), **SPRING)
    before = tf.load("trade", **TOTAL)
    kept = sorted(store.processed().rglob("*.parquet"))
    for spoil in (lambda b: b[:40], lambda _: b"", lambda b: b[:60] + b"\0" * 20 + b[80:]):
        for file in kept:
            file.write_bytes(spoil(file.read_bytes()))
        forget()
        pd.testing.assert_frame_equal(tf.load("trade", **TOTAL), before)


@pytest.mark.usefixtures("site")
def test_where_nothing_can_be_written_tables_stay_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refresh.run(small(), **SPRING)
    shutil.rmtree(store.processed() / "tables", ignore_errors=True)
    forget()

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(Path, "mkdir", refused)
    files = opened(monkeypatch)
    monkeypatch.setattr(parsed, "SMALL", 0)
    for _ in range(2):
        assert len(tf.load("trade", **TOTAL)) == 2
    assert len(files) == len(set(files)) == 1
    assert not list(store.processed().rglob("*.parquet"))


@pytest.mark.usefixtures("site")
def test_a_file_that_cannot_be_read_leaves_no_table() -> None:
    refresh.run(small(), **SPRING)
    (raw,) = live()
    about = {k: v for k, v in vars(raw).items() if k not in ("id", "path", "bytes", "sha256")}
    for path in (raw.path, raw.path.with_name(raw.path.name + store.SIDECAR)):
        path.unlink()
    store.put(raw.id, b"{}", about)
    for _ in range(2):
        with pytest.warns(UnreadableFileWarning), pytest.raises(UnknownCode):
            tf.load("trade", **TOTAL)
    assert not list(store.processed().rglob("*.parquet"))


@pytest.mark.usefixtures("site")
def test_processes_that_build_at_once_agree() -> None:
    refresh.run([*small(), pair("TUR", "KAZ")], **SPRING)
    code = (
        "import tradeflows as tf, sys;"
        f"sys.stdout.write(tf.load('trade', **{TOTAL!r}).to_csv(index=False))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(2)
    ]
    said = {process.communicate()[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert said == {tf.load("trade", **TOTAL).to_csv(index=False).encode()}
    assert not list(store.processed().rglob("*.part"))
