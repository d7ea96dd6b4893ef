"""Measure the engine beside its peers in one run and write the ratios.

    python bench/run.py            the panel, the world (2 x 11 million rows), the import
    python bench/run.py --small    a tenth of the rows, in seconds

Ratios are peer over ours: 2.0 says the peer takes twice as long, by the clock and in processor time
(which other work on the machine disturbs less). Every pair runs interleaved on the same machine and
the best of the repetitions counts. Each run of the world is a process of its own, so that its peak
memory is its own.

A pandas groupby is timed in two ways: a function for each group, as it is mostly written, and
vectorised, which takes more thought: columns first, one sum at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers

import world

WORLD = {"base": "2021", "current": "2022", "path": "two-point"}
out = sys.stdout.write


Times = dict[str, tuple[float, float]]  # seconds by the clock and of processor time


def best(tasks: dict[str, Callable[[], Any]], repeat: int) -> tuple[Times, dict]:
    """Run tasks in turn, several times; return the best seconds and the last results."""
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    results = {}
    for _ in range(repeat):
        for name, task in tasks.items():
            start, worked = time.perf_counter(), time.process_time()
            results[name] = task()
            runs[name].append((time.perf_counter() - start, time.process_time() - worked))
    return {name: (min(t[0] for t in r), min(t[1] for t in r)) for name, r in runs.items()}, results


def ratios(title: str, seconds: Times) -> None:
    """Write seconds and ratios of one comparison."""
    clock, worked = seconds["ours"]
    load = os.getloadavg()[0]
    out(f"\n{title}, load average {load:.1f}\n  ours {clock:.3f} s, processor {worked:.3f} s\n")
    for name, taken in seconds.items():
        if name != "ours":
            out(
                f"  {name}: {taken[0]:.3f} s, processor {taken[1]:.3f} s; ratio"
                f" {taken[0] / clock:.1f} by the clock, {taken[1] / worked:.1f} in processor time\n"
            )


def bench_panel(codes: int, months: int, folder: Path) -> None:
    """Fisher series and monthly bridge on one million rows."""
    import tradeflows.measure as tf

    frame = world.panel(codes, months)
    half = months // 2
    cut = [str(p)[:7] for p in frame["period"].unique()]
    windows = (f"{cut[0]}/{cut[half - 1]}", f"{cut[half]}/{cut[2 * half - 1]}")
    seconds, results = best(
        {
            "ours": lambda: tf.price_index(frame, "fisher", base="chained").table["price"],
            "pandas groupby, each month merged": lambda: peers.fisher_groupby(frame),
            "pandas vectorised": lambda: peers.fisher_vectorised(frame),
        },
        5,
    )
    peer = pyindexnum(frame, folder)
    if peer:
        seconds["PyIndexNum 0.4.0"] = (peer["seconds"], peer["worked"])
        results["PyIndexNum 0.4.0"] = peer["series"]
    ratios(f"Fisher series, {len(frame):,} rows", seconds)
    for name, series in results.items():
        gap = np.abs(np.asarray(series) / np.asarray(results["ours"]) - 1).max()
        out(f"  largest relative gap to {name}: {gap:.1e}\n")
    seconds, results = best(
        {
            "ours": lambda: tf.bridge(frame, *windows).table.set_index("code")["price"],
            "pandas groupby, each code applied": lambda: peers.bridge_groupby(frame, half)["price"],
            "pandas vectorised": lambda: peers.bridge_vectorised(frame, half)["price"],
        },
        5,
    )
    ratios(f"Monthly bridge by code, {len(frame):,} rows", seconds)
    gap = max(float((r / results["ours"] - 1).abs().max()) for r in results.values())
    out(f"  largest relative gap: {gap:.1e}\n")


def pyindexnum(frame: Any, folder: Path) -> dict | None:
    """Run PyIndexNum in a throw-away environment: it pins numpy below 2."""
    home = folder / "pyindexnum"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "pyindexnum==0.4.0", "pyarrow"]
        done = subprocess.run(install, check=False, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            out(f"\nPyIndexNum skipped, cannot be installed: {done.stderr.strip()[-200:]}\n")
            return None
    rows = folder / "panel.parquet"
    frame.to_parquet(rows, index=False)
    script = Path(__file__).with_name("pyindexnum_series.py")
    done = subprocess.run(  # noqa: S603
        [python, script, rows], check=False, capture_output=True, text=True
    )
    if done.returncode:
        out(f"\nPyIndexNum skipped, it fails: {done.stderr.strip()[-200:]}\n")
        return None
    return dict(json.loads(done.stdout))


def one_world(who: str, file: str) -> None:
    """Run one bridge of the world in this process; write seconds, peak memory and the price bar."""
    import duckdb  # noqa: F401
    import polars as pl  # noqa: F401

    import tradeflows.measure as tf

    warnings.simplefilter("ignore")
    start, worked = time.perf_counter(), time.process_time()
    if who == "ours":
        price = tf.bridge(file, **WORLD).price
    else:
        price = float(peers.bridge_polars(Path(file))["price"].sum())
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    out(json.dumps({"seconds": seconds, "worked": worked, "peak_gb": peak, "price": price}))


def child(who: str, file: Path) -> dict[str, float]:
    """Run one bridge of the world in a new process."""
    command = [sys.executable, __file__, "--world", who, str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return dict(json.loads(done.stdout))


def bench_world(largest: int, folder: Path) -> None:
    """Two years of all pairs from Parquet, beside hand-written Polars, from small to large."""
    sizes = [round(largest * share) for share in (1 / 22, 1 / 4, 1 / 2, 1)]
    taken = []
    out("\nTwo-year bridge of the world from Parquet\n")
    for rows in sizes:
        file = world.world(folder / f"world-{rows}.parquet", rows)
        runs = [(child("ours", file), child("Polars", file)) for _ in range(3)]
        ours, polars = (min((r[i] for r in runs), key=lambda r: r["seconds"]) for i in (0, 1))
        peak = max(r[0]["peak_gb"] for r in runs)
        gap = abs(ours["price"] / polars["price"] - 1)
        taken.append(ours["seconds"])
        out(
            f"  2 x {rows:,} rows: ours {ours['seconds']:.2f} s, peak {peak:.2f} GB;"
            f" Polars {polars['seconds']:.2f} s, peak {polars['peak_gb']:.2f} GB;"
            f" ours / Polars {ours['seconds'] / polars['seconds']:.2f} by the clock,"
            f" {ours['worked'] / polars['worked']:.2f} in processor time; gap {gap:.1e}\n"
        )
    slope, start = np.polyfit(sizes, taken, 1)
    fit = start + slope * np.asarray(sizes)
    off = float(np.abs(np.asarray(taken) / fit - 1)[1:].max())
    r2 = float(np.corrcoef(sizes, taken)[0, 1] ** 2)
    out(f"  linear fit: R2 {r2:.4f}, {slope * 2e6:.2f} s a million a year, off by {off:.0%}\n")


def bench_import() -> None:
    """Measure what `import tradeflows` adds to importing pandas."""
    taken = {}
    for name in ("pandas", "pandas, tradeflows"):
        runs = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {name}"], check=True)  # noqa: S603
            runs.append(time.perf_counter() - start)
        taken[name] = min(runs)
    first, second = taken.values()
    out(f"\nimport tradeflows: {second - first:+.3f} s on {first:.3f} s\n")


def main() -> None:
    """Run everything, or one bridge of the world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the rows")
    parser.add_argument("--keep", type=Path, help="folder for generated files and environments")
    parser.add_argument("--world", nargs=2, metavar=("WHO", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.world:
        one_world(*asked.world)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        bench_import()
        bench_panel(500 if asked.small else 5000, 200, folder)
        bench_world(1_100_000 if asked.small else 11_000_000, folder)


if __name__ == "__main__":
    main()
