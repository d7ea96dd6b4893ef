"""Measure the mirror of all pairs beside hand-written Polars, and count what it finds.

    python bench/mirror.py                  22 million rows: two years of the world, both sides
    python bench/mirror.py --rows 2000000   fewer
    python bench/mirror.py --worlds 500     how often planted causes lie in their ranges

Each run is a process of its own, so that its peak memory is its own; ours and the peer take turns
on one thread each and the best of the repetitions counts, in processor time.
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
import warnings
from pathlib import Path

import pandas as pd
import peers

import world

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]
out = sys.stdout.write
BARS = ["freight", "codes", "quantity", "price", "rest", "quantity_room", "rest_room", "alone_e"]
ONE = {"TRADEFLOWS_THREADS": "1", "POLARS_MAX_THREADS": "1"}


def one(who: str, file: str) -> None:
    """Mirror in this process; write processor seconds, peak memory and the sums of bars."""
    import duckdb  # noqa: F401
    import polars as pl  # noqa: F401

    import tradeflows.measure.mirror as ours

    warnings.simplefilter("ignore")
    start = time.process_time()
    if who == "ours":
        pairs = ours.mirror(file, window="2021/2022").pairs
    else:
        pairs = peers.mirror_polars(Path(file)).to_pandas()
    worked = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    out(json.dumps({"worked": worked, "peak": peak, **pairs[BARS].sum().to_dict()}))


def bench(rows: int, folder: Path, repeat: int) -> None:
    """Run both in turn and write the ratio."""
    file = world.two_sides(folder / f"two-sides-{rows}.parquet", rows)
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "Polars": []}
    for _ in range(repeat):
        for who, done in runs.items():
            command = [sys.executable, __file__, "--one", who, str(file)]
            text = subprocess.run(command, check=True, capture_output=True, env=os.environ | ONE)  # noqa: S603
            done.append(json.loads(text.stdout))
    best = {who: min(r["worked"] for r in done) for who, done in runs.items()}
    peak = {who: max(r["peak"] for r in done) for who, done in runs.items()}
    first, second = (runs[who][0] for who in runs)
    gap = max(abs(first[n] - second[n]) / (1 + abs(first[n])) for n in BARS)
    out(
        f"{rows:,} rows: ours {best['ours']:.1f} s of processor, peak {peak['ours']:.2f} GB; Polars"
        f" {best['Polars']:.1f} s, peak {peak['Polars']:.2f} GB; ratio"
        f" {best['ours'] / best['Polars']:.2f}; largest gap {gap:.0e}\n"
    )


def worlds(many: int) -> None:
    """Count how often a planted cause lies in its range, and nothing is found of nothing."""
    import tradeflows as tf
    from test_mirror import YEAR, drawn, inside, p_of

    counts = []
    for start in range(0, many, 100):
        numbers = range(start, min(start + 100, many))
        made = [drawn(n, f"{n:04d}", planted=True, lag=1 / 3) for n in numbers]
        truth = pd.DataFrame([t for _, t in made], index=[f"A{n:04d}" for n in numbers])
        held = inside(tf.mirror(pd.concat([r for r, _ in made]), window=YEAR), truth)
        calm = [drawn(5000 + n, f"{n:04d}", planted=False)[0] for n in numbers]
        table = tf.mirror(pd.concat(calm), window=YEAR).table
        nothing = (table["low"].le(1e-6) & table["high"].ge(-1e-6)).groupby(table["cause"]).mean()
        counts.append(pd.DataFrame({"planted": held, "nothing": nothing}) * len(numbers))
    out(f"{(sum(counts) / many).to_string()}\n")
    alarms = " and ".join(f"{(p_of(many) <= x).mean():.1%} at {x:.0%}" for x in (0.1, 0.05))
    out(f"passed_on: goods like the others stand out in {alarms}\n")


def main() -> None:
    """Run what is asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=22_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--worlds", type=int)
    parser.add_argument("--keep", type=Path, help="folder for the generated file")
    parser.add_argument("--one", nargs=2, metavar=("WHO", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(*asked.one)
    elif asked.worlds:
        worlds(asked.worlds)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            folder = asked.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            bench(asked.rows, folder, asked.repeat)


if __name__ == "__main__":
    main()
