"""Measure the screen of all pairs beside hand-written Polars, from small to large, and Spark.

    python bench/screen.py                 2 x 11 million rows; writes the measured rates
    python bench/screen.py --small         a tenth of the rows, writes nothing
    python bench/screen.py --worlds 20     false and true finds in generated worlds

Each run is a process of its own, so that its peak memory is its own; ours and the peer take turns
and the best of the repetitions counts. The rates go to `bench/screen_rates.csv`. Spark
runs where pyspark and Java are found.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import peers

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests import world  # noqa: E402

RATES = ROOT / "bench" / "screen_rates.csv"
LEAST, NEEDED = 1e6, 8
out = sys.stdout.write


def ours(file: str) -> pd.DataFrame:
    """Screen all pairs with the one definition."""
    from tradeflows.measure.screen import screen

    table = screen(file, base="2021", current="2022", least=LEAST, needed=NEEDED).table
    return table.assign(growth=np.log1p(table["growth_percent"] / 100))


def polars(file: str) -> pd.DataFrame:
    """Screen all pairs by hand, on the streaming engine."""
    import polars as pl

    goods = pl.when(pl.col("code").is_in(world.listed())).then(pl.lit("listed goods"))
    bars = peers.bars_polars(Path(file), ["reporter", "partner", "code"]).with_columns(
        goods=goods.otherwise(pl.col("code").str.slice(0, 2))
    )
    group = ["reporter", "partner", "goods"]
    effect = bars.group_by(group).agg(pl.col(peers.SUMS).sum()).collect(engine="streaming")
    effect = effect.with_columns(
        growth=((pl.col("v1") + LEAST) / (pl.col("v0") + LEAST)).log(),
        listed=pl.col("goods") == "listed goods",
    )
    counted = effect.filter(pl.max_horizontal("v0", "v1") >= LEAST)
    places = counted.filter("listed").with_columns(
        among_destinations=pl.col("growth").rank("min", descending=True).over("reporter", "goods")
    )
    home, pair = ["reporter", "goods"], ["reporter", "partner"]
    growth = pl.col("growth")
    left = (
        counted.filter(pl.len().over(home) >= NEEDED)
        .with_columns(beyond=growth - growth.median().over(home))
        .filter(pl.len().over(pair) > NEEDED)
        .with_columns(excess=pl.col("beyond") - pl.col("beyond").median().over(pair))
        .sort("v0", *group)
    )
    row, most, more = pl.int_range(pl.len()), pl.len() // 10 + 1, pl.len() % 10
    later = (row - more) // (most - 1)
    left = left.with_columns(size=pl.when(row < more * most).then(row // most).otherwise(later))
    score = pl.col("excess") / pl.col("excess").abs().median().over("size")
    left = left.with_columns(score=score).sort("score", descending=True)
    ahead = (~pl.col("listed")).cast(pl.Int64).cum_sum()
    total = (~pl.col("listed")).sum()
    left = left.with_columns(ahead=ahead, near=ahead.over(pair))
    left = left.with_columns(
        p=(1 + pl.col("ahead").max().over("score")) / (1 + total),
        among_placebos=1 + pl.col("near").max().over(*pair, "score"),
    )
    judged = left.filter("listed").select(*group, "excess", "score", "among_placebos", "p")
    places = places.select(*group, "among_destinations")
    table = effect.filter("listed").join(places, on=group, how="left")
    return table.join(judged, on=group, how="left").sort(group).to_pandas()


def spark(file: str) -> pd.DataFrame:
    """Screen all pairs by the same definition, transpiled, on two local cores."""
    import pyarrow.parquet as pq
    import sqlglot
    from pyspark.sql import SparkSession

    from tradeflows.measure.screen import screen_sql

    text = screen_sql(
        pq.read_schema(file).names,
        "2021",
        "2022",
        goods=world.listed(),
        least=LEAST,
        needed=NEEDED,
    )
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = session.config("spark.sql.shuffle.partitions", "8")
    session = session.config("spark.driver.memory", "4g").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(file).createOrReplaceTempView("trade")
    return session.sql(sqlglot.transpile(text, read="duckdb", write="spark")[0]).toPandas()


ENGINES = {"DuckDB": ours, "Polars": polars, "Spark": spark}


def one(who: str, file: str, to: str) -> None:
    """Screen in this process; write seconds and peak memory, leave the rows in a file."""
    if who == "DuckDB":
        import duckdb  # noqa: F401
        import scipy.stats  # noqa: F401

        import tradeflows.measure.screen  # noqa: F401
    elif who == "Polars":
        import polars as pl  # noqa: F401
    warnings.simplefilter("ignore")
    start, worked = time.perf_counter(), time.process_time()
    table = ENGINES[who](file)
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if who == "Spark":  # its work is in another process, whose memory is set beforehand
        worked = peak = float("nan")
    table.to_parquet(to, index=False)
    out(json.dumps({"seconds": seconds, "processor_seconds": worked, "peak_gb": peak}))


def child(who: str, file: Path, to: Path) -> dict[str, float]:
    """Screen in a new process."""
    command = [sys.executable, __file__, "--one", who, str(file), str(to)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    return dict(json.loads(done.stdout.splitlines()[-1]))


def gap(first: Path, second: Path) -> float:
    """Return the largest relative gap between the scores and price bars of two engines."""
    names = ["reporter", "partner"]
    tables = [
        pd.read_parquet(f).set_index(names).sort_index()[["price", "growth", "score", "p"]]
        for f in (first, second)
    ]
    one, other = (t.astype("float64") for t in tables)
    if not one.index.equals(other.index) or not (one.isna() == other.isna()).all(axis=None):
        return float("inf")
    return float(((one - other).abs() / (1e-3 + one.abs())).max(axis=None))


def bench(largest: int, folder: Path, repeat: int, engines: list[str]) -> pd.DataFrame:
    """Screen from small to large; return the best run of each engine and size."""
    found = []
    for share in (1 / 22, 1 / 4, 1 / 2, 1):
        rows = round(largest * share)
        made = world.world(1, members=200, products=5000, rows=rows, surges=30, to=None, surge=3)
        file = made.file(folder / f"world-{rows}.parquet")
        # Local Spark runs once, on the smaller sizes.
        here = [who for who in engines if who != "Spark" or share < 0.5]
        results = {who: folder / f"{who}-{rows}.parquet" for who in here}
        runs: dict[str, list[dict[str, float]]] = {who: [] for who in here}
        for i in range(repeat):
            for who in here:
                if who != "Spark" or i == 0:
                    runs[who].append(child(who, file, results[who]))
        for who in here:
            best: dict[str, Any] = dict(min(runs[who], key=lambda r: r["seconds"]))
            best["processor_seconds"] = min(r["processor_seconds"] for r in runs[who])
            best["peak_gb"] = max(r["peak_gb"] for r in runs[who])
            best |= {"engine": who, "rows": 2 * rows, "bytes": file.stat().st_size}
            found.append(best)
            ours = folder / f"DuckDB-{rows}.parquet"
            apart = f"{gap(ours, results[who]):.1e}" if ours.exists() else "unknown"
            out(
                f"2 x {rows:,} rows, {who}: {best['seconds']:.2f} s by the clock,"
                f" {best['processor_seconds']:.2f} s of processors, peak {best['peak_gb']:.2f} GB,"
                f" gap to ours {apart}\n"
            )
            sys.stdout.flush()
    return pd.DataFrame(found)


def told(rates: pd.DataFrame) -> None:
    """Write ratios and the linear fit."""
    by = rates.pivot_table(index="rows", columns="engine", values=["seconds", "processor_seconds"])
    for rows, row in by.iterrows():
        clock, worked = (row[k]["DuckDB"] / row[k]["Polars"] for k in ("seconds", by.columns[0][0]))
        out(f"{rows:,} rows: ours / Polars {clock:.2f} by the clock, {worked:.2f} in processors\n")
    taken = rates[rates["engine"] == "DuckDB"]
    slope, start = np.polyfit(taken["rows"], taken["seconds"], 1)
    fit = start + slope * taken["rows"]
    off = float((taken["seconds"] / fit - 1).abs().max())
    r2 = float(np.corrcoef(taken["rows"], taken["seconds"])[0, 1] ** 2)
    out(f"linear fit: R2 {r2:.4f}, {slope * 1e6:.2f} s a million rows, off by at most {off:.0%}\n")


def worlds(many: int) -> None:
    """Count false and true finds in worlds with and without surges."""
    from tradeflows.measure.screen import screen

    warnings.simplefilter("ignore")
    for to, surges in (("RUS", 8), ("RUS", 0), (None, 40), (None, 0)):
        shares, right, wrong, cases, planted = [], 0, 0, 0, 0
        for seed in range(many):
            made = world.world(seed, surges=surges, to=to, surge=3)
            result = screen(made.frame(), base="2021", current="2022", target=to)
            found = {(r.reporter, r.partner) for r in result.found.itertuples()}
            judged = result.table.dropna(subset="p")
            known = {(r.reporter, r.partner) for r in judged.itertuples()}
            false = found - set(made.surges)
            shares.append(len(false) / max(1, len(found)))
            right, wrong = right + len(found) - len(false), wrong + len(false)
            cases, planted = cases + len(known), planted + len(known & set(made.surges))
        finds = f"{right} of {planted} judged surges found, {wrong} false finds in {cases} cases"
        where = f"{many} worlds, {to or 'all pairs'}, {surges} surges"
        out(f"{where}: false share {np.mean(shares):.3f}, {finds}\n")


def main() -> None:
    """Run the benchmark, one screen, or the worlds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tenth of the rows")
    parser.add_argument("--keep", type=Path, help="folder for generated files")
    parser.add_argument("--worlds", type=int, help="count finds in so many worlds instead")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--engines", help="DuckDB, Polars, Spark with commas; all at hand")
    parser.add_argument("--one", nargs=3, metavar=("WHO", "FILE", "TO"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(*asked.one)
    elif asked.worlds:
        worlds(asked.worlds)
    else:
        spark_here = importlib.util.find_spec("pyspark") and shutil.which("java")
        engines = [who for who in ENGINES if who != "Spark" or spark_here]
        engines = asked.engines.split(",") if asked.engines else engines
        with tempfile.TemporaryDirectory() as temporary:
            folder = asked.keep or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            largest = 1_100_000 if asked.small else 11_000_000
            rates = bench(largest, folder, asked.repeat, engines)
        if {"DuckDB", "Polars"} <= set(engines):
            told(rates)
        if not asked.small:
            kept(rates)


def kept(rates: pd.DataFrame) -> None:
    """Write the rates; those of engines that did not run stay as they were."""
    rates["cores"] = len(os.sched_getaffinity(0))
    order = ["engine", "rows", "cores", "seconds", "processor_seconds", "peak_gb", "bytes"]
    if RATES.exists():
        old = pd.read_csv(RATES)
        rates = pd.concat([rates, old[~old["engine"].isin(rates["engine"])]])
    rates = rates[order].round(3).sort_values(["engine", "rows"])
    rates.to_csv(RATES, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
