"""Faults of the machine: a stated error, nothing lost, and `verify` says what is wrong."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from standin import harness, server
from standin.harness import KEY, QUICK, live, small
from tradeflows import store
from tradeflows.errors import SourceUnavailable, UnreadableFileWarning
from tradeflows.sources import refresh, stored, work
from tradeflows.sources.comtrade import question

ROOT = Path(__file__).parents[1]
SPRING = {"start": "2022-02", "end": "2022-03", "manners": QUICK, "sources": ("comtrade",)}
WORDS = ("publisher", "title", "url", "licence", "terms", "accessed", "vintage", "coverage",
         "obtained")  # fmt: skip
ABOUT = {**{w: w for w in WORDS}, "table": "prices", "rows": 1}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Site]:
    with harness.asked(monkeypatch, tmp_path / "data") as found:
        yield found


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(harness.SNAPSHOT, tmp_path / "raw")
    monkeypatch.setenv("TRADEFLOWS_DATA", str(tmp_path))
    return tmp_path / "raw"


@pytest.mark.slow
@pytest.mark.parametrize(("what", "few"), [("put", "3"), ("report", "1")])
def test_killed_at_random_moments(what: str, few: str, tmp_path: Path) -> None:
    kills = os.environ.get("TRADEFLOWS_KILLS", few)
    file = tmp_path / "counts.json"
    command = [sys.executable, ROOT / "soak" / "kills.py", what, kills, file]
    subprocess.run(command, check=True, capture_output=True)
    assert json.loads(file.read_text())["defects"] == []


FULL = """
import resource, sys
from tradeflows import store
from tradeflows.errors import TradeflowsError
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
about = {w: w for w in sys.argv[2].split(",")} | {"table": "prices", "rows": 1}
try:
    store.put("x/live/big@v.bin", b"x" * 100_000, about)
except (TradeflowsError, OSError) as error:
    print(type(error).__name__, error)
    raise SystemExit(1)
"""


@pytest.mark.parametrize("most", [0, 200, 50_000, 99_999])
def test_a_full_disk_leaves_no_half_file(data: Path, most: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(most), ",".join(WORDS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "SourceUnavailable" in done.stdout
    assert "space" in done.stdout
    assert not [p for p in (data / "x").rglob("*") if p.is_file()]
    assert store.verify() == []
    store.put("x/live/big@v.bin", b"x" * 100_000, ABOUT)
    assert store.verify() == []


ADOPTED = """
import resource, signal, sys
from pathlib import Path
from tradeflows import store
from tradeflows.errors import SourceUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
about = {w: w for w in sys.argv[1].split(",")} | {"table": "prices", "rows": 1}
source = store.folder().parent / "big"
source.write_bytes(b"x" * 100_000)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    store.put("x/live/big@v.bin", source, about)
except SourceUnavailable as error:
    print(error, source.stat().st_size)
"""


def test_a_full_disk_leaves_a_file_to_adopt_where_it_was(data: Path) -> None:
    command = [sys.executable, "-c", ADOPTED, ",".join(WORDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "space" in done.stdout, done.stderr
    assert done.stdout.strip().endswith("100000")
    assert not [p for p in (data / "x").rglob("*") if p.is_file()]
    assert store.verify() == []


REFRESHED = """
import resource, signal, sys
from standin.harness import QUICK, small
from tradeflows.errors import TradeflowsError
from tradeflows.sources import refresh
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
try:
    refresh.run(small(), start="2022-02", end="2022-03", manners=QUICK, sources=("comtrade",))
except TradeflowsError as error:
    print(type(error).__name__, error)
    raise SystemExit(1)
"""


def test_a_refresh_on_a_full_disk_stops_and_goes_on(site: server.Site, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", REFRESHED, "1500"],
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "space" in done.stdout
    assert KEY not in done.stdout + done.stderr
    assert store.verify() == []
    refresh.run(small(), **SPRING)
    assert store.verify() == []
    assert len(stored.refreshed("trade")) == sum(raw.query["proof"]["count"] for raw in live())
    assert not list(tmp_path.rglob("*.part"))
    assert site.counts()["data"] >= 1


def _read_only(folder: Path) -> bool:
    """Make a folder read-only; root writes anywhere, unless the file system says no."""
    folder.chmod(0o555)
    if os.geteuid() != 0:
        return True
    done = subprocess.run(["chattr", "-R", "+i", folder], capture_output=True, check=False)
    return done.returncode == 0


def test_a_read_only_folder_is_named(data: Path) -> None:
    if shutil.which("chattr") is None and os.geteuid() == 0:
        pytest.skip("root writes to read-only folders, and there is no chattr")
    try:
        if not _read_only(data):
            pytest.skip("this file system knows no immutable folders, and root ignores modes")
        with pytest.raises(SourceUnavailable, match="cannot be written"):
            store.put("x/live/a@v.bin", b"x", ABOUT)
        assert store.verify() == []
        assert store.read(store.catalogue()[0].id)
    finally:
        if os.geteuid() == 0 and shutil.which("chattr"):
            subprocess.run(["chattr", "-R", "-i", data], capture_output=True, check=False)
        data.chmod(0o755)


def test_a_folder_that_refuses_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SourceUnavailable, match="cannot be written"):
        store.put("x/live/a@v.bin", b"x", ABOUT)
    monkeypatch.undo()
    assert not (data / "x" / "live" / "a@v.bin").exists()


def test_a_second_process_is_refused(site: server.Site) -> None:
    with work.locked():
        done = subprocess.run(
            [sys.executable, "-c", REFRESHED, str(1 << 30)],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert "another refresh" in done.stdout
    assert site.counts() == {}


def test_a_clock_set_back_loses_nothing(site: server.Site, monkeypatch: pytest.MonkeyPatch) -> None:
    refresh.run(small(), **SPRING)
    before = stored.refreshed("trade")

    class Past(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            del tz
            return datetime(2019, 1, 1, tzinfo=UTC)

    for module in (work, question, refresh):
        monkeypatch.setattr(module, "datetime", Past)
    site.asked.clear()
    refresh.run(small(), **SPRING)
    assert site.counts().get("data", 0) == 0
    assert stored.refreshed("trade").equals(before)
    assert store.verify() == []


def test_one_flipped_byte_of_a_live_file_is_named_and_mended(site: server.Site) -> None:
    refresh.run(small(), **SPRING)
    (raw,) = live()
    good = raw.path.read_bytes()
    for at in (0, len(good) // 2, len(good) - 1):
        raw.path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        (problem,) = store.verify()
        assert problem.id == raw.id
        assert "sha256" in problem.found
        assert "refresh" in problem.todo
        with pytest.warns(UnreadableFileWarning, match="sha256"):
            assert stored.refreshed("trade").empty
    raw.path.unlink()
    raw.path.with_name(raw.path.name + ".yml").unlink()
    site.asked.clear()
    refresh.run(small(), **SPRING)
    assert site.counts()["data"] == 1
    assert store.verify() == []


def test_every_missing_sidecar_is_named(data: Path) -> None:
    for raw in store.catalogue():
        beside = raw.path.with_name(raw.path.name + ".yml")
        kept = beside.read_bytes()
        beside.unlink()
        (problem,) = store.verify()
        assert (problem.id, "no sidecar" in problem.found) == (raw.id, True)
        assert "git checkout" in problem.todo
        beside.write_bytes(kept)
    assert store.verify() == []
    assert data.is_dir()


def test_no_key_stands_in_what_is_built_or_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    key = os.environ.get("COMTRADE_API_KEY", "").encode()
    places = [ROOT / "reports", ROOT / "data"]
    files = [p for place in places if place.is_dir() for p in place.rglob("*") if p.is_file()]
    files += (ROOT / "soak" / "counts").glob("*.json")
    assert files
    for file in files:
        body = file.read_bytes()
        assert b"Ocp-Apim-Subscription-Key" not in body, file
        assert b"subscription-key=" not in body.lower(), file
        assert not (key and key in body), file
    done = subprocess.run(
        ["git", "check-ignore", ".env"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 128)  # 128: not a repository
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()
    monkeypatch.undo()


def test_a_limit_of_open_files_is_no_loss(data: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        with pytest.raises(SourceUnavailable, match="cannot be written"):
            store.put("x/live/a@v.bin", b"x", ABOUT)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert store.verify() == []
    assert not (data / "x" / "live" / "a@v.bin").exists()
