"""Kill a write, a refresh or a report at random moments: ``soak/kills.py WHAT KILLS FILE``.

After every kill the store verifies and what was stored is whole; in the end the work is finished
and equals that of an undisturbed run.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pytest  # noqa: E402

import tiny_suite  # noqa: E402
from standin import harness, trade  # noqa: E402
from tradeflows import store  # noqa: E402

LONGEST = 1200.0


class Broken(Exception):
    """A promise does not hold."""


def hold(promise: bool, otherwise: str) -> None:
    """Stop where a promise does not hold."""
    if not promise:
        raise Broken(otherwise)


PUT = """
import sys
from tradeflows import store
about = {w: w for w in ("publisher", "title", "url", "licence", "terms", "accessed", "vintage",
                        "coverage", "obtained")}
print("ready", flush=True)
for n in range(int(sys.argv[1]), 10 ** 9):
    data = bytes([n % 251]) * (1 << n % 16)
    raw = store.put(f"x/live/{n:09d}@v.bin", data, about | {"table": "prices", "rows": n})
    print(n, flush=True)
"""
REFRESH = """
from tradeflows.sources import refresh
from tradeflows.sources.comtrade.question import pair
from tradeflows.sources.work import Manners
print("ready", flush=True)
refresh.run([pair("TUR", "RUS"), pair("TUR", "KAZ", codes=["TOTAL", "AG2"])], sources=("comtrade",),
            start="2022-01", end="2022-12", manners=Manners(interval=0, timeout=30, backoff=0.05))
"""
REPORT = """
import sys
from pathlib import Path
from tradeflows.report import build
print("ready", flush=True)
build.build(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def killed(code: str, *args: object, after: float) -> tuple[bool, list[str]]:
    """Start a process, kill it and its children a while after it is ready, and say what it said.

    The first value tells whether it was killed before it had finished.
    """
    process = subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", code, *map(str, args)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    lines = process.stdout or ()
    first = next(iter(lines), "")
    time.sleep(after)
    early = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL) if early else None
    said = [first, *lines]
    process.wait()
    if not early and process.returncode:
        raise Broken(f"it failed by itself: {process.returncode}")
    return early, said


def finish(code: str, *args: object) -> None:
    """Let it run to its end."""
    command = [sys.executable, "-c", code, *map(str, args)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=LONGEST)  # noqa: S603


def put(folder: Path, kills: int, draw: random.Random, outcomes: Counter[str]) -> None:
    """Kill a process that stores file after file."""
    for number in range(kills - outcomes["killed"]):
        if number % 10 == 0:  # a new store now and then, so that verifying stays quick
            here, told = folder / str(number), -1
            (here / "raw").mkdir(parents=True)
            (here / "raw" / store.MARKER).touch()  # alone: no snapshot is laid under it
            os.environ["TRADEFLOWS_DATA"] = str(here)
        _, said = killed(PUT, told + 1, after=draw.uniform(0, 0.3))
        told = max([told, *(int(n) for n in said[1:] if n.strip().isdigit())])
        hold(not store.verify(), "the store does not verify")
        stored = {r.id for r in store.catalogue()}
        hold({f"x/live/{n:09d}@v.bin" for n in range(told + 1)} <= stored, "a file is lost")
        outcomes["killed"] += 1
        outcomes["of these with something to sweep"] += bool(store.sweep())
        hold(not list(here.rglob("*.part")), "something is left over")
        for raw in store.catalogue():
            hold(store.read(raw.id)[:1] == bytes([raw.rows % 251]), "a file holds other bytes")


def refresh(folder: Path, kills: int, draw: random.Random, outcomes: Counter[str]) -> None:
    """Kill refreshes until all is there, again and again."""
    world = trade.World(breadth=0)
    with (
        pytest.MonkeyPatch.context() as patch,
        harness.asked(patch, folder / "calm", world) as site,
    ):
        site.comtrade.caps = (500, 700)
        began = time.monotonic()
        finish(REFRESH)
        took = time.monotonic() - began
        whole = _contents(folder / "calm")
        number = 0
        while outcomes["killed"] < kills:
            torn = folder / f"torn-{number}"
            (torn / "raw").mkdir(parents=True, exist_ok=True)
            (torn / "raw" / store.MARKER).touch()
            patch.setenv("TRADEFLOWS_DATA", str(torn))
            early, _ = killed(REFRESH, after=draw.uniform(0, min(took, 4) / 3))
            hold(not store.verify(), "the store does not verify")
            kept = _contents(torn)
            hold(kept.items() <= whole.items(), "a stored file differs")
            outcomes["killed" if early else "finished: equal to the calm run"] += 1
            if not early:
                hold(kept == whole, "the finished store differs")
                shutil.rmtree(torn)
                number += 1
        patch.setenv("TRADEFLOWS_DATA", str(torn))
        finish(REFRESH)
        hold(_contents(torn) == whole, "the finished store differs")
        hold(not list(torn.rglob("*.part")), "something is left over")
        outcomes["finished: equal to the calm run"] += 1


def _contents(folder: Path) -> dict[str, str]:
    """Return what is stored, without the moments at which it came."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in (folder / "raw").rglob("*.gz")
        if p.with_name(p.name + ".yml").is_file()
    }


def report(folder: Path, kills: int, draw: random.Random, outcomes: Counter[str]) -> None:
    """Kill builds of a small report; pages stay whole, of the old build or of the new."""
    os.environ.pop("TRADEFLOWS_DATA", None)
    notebooks, out = tiny_suite.write(folder / "notebooks"), folder / "reports"
    (notebooks / "02-last.ipynb").unlink()  # two pages show it as well as three
    began = time.monotonic()
    finish(REPORT, notebooks, out)
    took = time.monotonic() - began
    old = _pages(out)
    while outcomes["killed"] < kills:
        late = draw.random() < 0.7 and took > 2  # the pages are replaced at the end
        moment = draw.uniform(0.6 * took if late else 0.0, took)
        early, _ = killed(REPORT, notebooks, out, after=moment)
        outcomes["killed" if early else "finished"] += 1
        took *= 1 if early else 0.95  # a machine that has become less busy builds faster
        hold(_pages(out) == old, "a page is lost or not whole")
    finish(REPORT, notebooks, out)
    hold(_pages(out) == old, "the finished report differs")
    outcomes["left over after the last build"] = len([*out.glob(".new-*")])


def _pages(out: Path) -> dict[str, str]:
    files = {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file()}
    return {
        name: hashlib.sha256(p.read_bytes()).hexdigest()
        for name, p in files.items() if name[0] != "."
    }  # fmt: skip


def main(what: str, kills: int, file: Path) -> None:
    """Kill and write down what came of it."""
    draw = random.Random(int(os.environ.get("SEED", "20220224")))  # noqa: S311 - moments
    ways = {"put": put, "refresh": refresh, "report": report}
    before = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    defects: list[str] = before.get("defects", [])
    outcomes = Counter[str](before.get("outcomes", {}))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # counts so far are written down
    try:
        with tempfile.TemporaryDirectory(prefix="tf-kills-", ignore_cleanup_errors=True) as folder:
            ways[what](Path(folder), kills, draw, outcomes)
    except Broken as error:
        defects.append(f"{what}: {error}")
    finally:
        done = min(kills, outcomes["killed"])
        found = {"parser": what, "way": "SIGKILL", "tries": done, "outcomes": outcomes,
                 "defects": defects}  # fmt: skip
        file.write_text(json.dumps(found, indent=1), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
