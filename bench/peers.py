"""The same work by hand: pandas, applied group by group and vectorised, and Polars."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SUMS = ["v0", "v1", "price", "volume", "entry", "exit", "unpriced"]


def _links(frame: pd.DataFrame, lag: int) -> pd.DataFrame:
    columns = ["code", "period", "value_usd", "net_weight_kg"]
    before = frame[columns].assign(period=frame["period"] + pd.DateOffset(months=lag))
    return frame[columns].merge(before, on=["code", "period"], suffixes=("1", "0"))


def _fisher(rows: pd.DataFrame) -> float:
    p1 = rows["value_usd1"] / rows["net_weight_kg1"]
    p0 = rows["value_usd0"] / rows["net_weight_kg0"]
    q1, q0 = rows["net_weight_kg1"], rows["net_weight_kg0"]
    laspeyres = (p1 * q0).sum() / (p0 * q0).sum()
    paasche = (p1 * q1).sum() / (p0 * q1).sum()
    return float(np.sqrt(laspeyres * paasche))


def fisher_groupby(frame: pd.DataFrame) -> np.ndarray:
    """Chained Fisher: each month of a groupby merged with the month before."""
    months = list(frame.groupby("period")[["code", "value_usd", "net_weight_kg"]])
    links = [1.0]
    for (_, before), (_, now) in pairwise(months):
        links.append(_fisher(now.merge(before, on="code", suffixes=("1", "0"))))
    return np.cumprod(links)


def _columns() -> list[str]:
    return ["value_usd1", "net_weight_kg1", "value_usd0", "net_weight_kg0"]


def fisher_vectorised(frame: pd.DataFrame) -> np.ndarray:
    """Chained Fisher: columns first, one sum per month."""
    rows = _links(frame, 1)
    ratio = rows["net_weight_kg0"] / rows["net_weight_kg1"]
    rows["a"], rows["b"] = rows["value_usd1"] * ratio, rows["value_usd0"] / ratio
    s = rows.groupby("period")[["a", "b", "value_usd0", "value_usd1"]].sum()
    links = np.sqrt(s["a"] / s["value_usd0"] * s["value_usd1"] / s["b"])
    return np.r_[1.0, links.cumprod()]


def _bennet(rows: pd.DataFrame) -> pd.Series:
    p1 = rows["value_usd1"] / rows["net_weight_kg1"]
    p0 = rows["value_usd0"] / rows["net_weight_kg0"]
    q1, q0 = rows["net_weight_kg1"], rows["net_weight_kg0"]
    price, volume = (q0 + q1) / 2 * (p1 - p0), (p0 + p1) / 2 * (q1 - q0)
    return pd.Series({"price": price.sum(), "volume": volume.sum()})


def bridge_groupby(frame: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Monthly bridge by code: a function applied to each code."""
    return _links(frame, lag).groupby("code")[_columns()].apply(_bennet)


def bridge_vectorised(frame: pd.DataFrame, lag: int) -> pd.DataFrame:
    """Monthly bridge by code: columns first, one sum per code."""
    rows = _links(frame, lag)
    ratio = rows["net_weight_kg0"] / rows["net_weight_kg1"]
    v0, v1 = rows["value_usd0"], rows["value_usd1"]
    a, b = v1 * ratio, v0 / ratio
    rows["price"], rows["volume"] = (a - v0 + v1 - b) / 2, (v1 - a + b - v0) / 2
    return rows.groupby("code")[["price", "volume"]].sum()


def bars_polars(file: Path, key: list[str]) -> Any:
    """Two-point bars of the world by hand: one lazy row for each product."""
    import polars as pl

    reported = (pl.col("weight_status") == "reported") & (pl.col("net_weight_kg") > 0)
    rows = pl.scan_parquet(file).with_columns(q=pl.when(reported).then(pl.col("net_weight_kg")))
    years = [
        rows.filter(pl.col("period") == dt.date(2021 + y, 1, 1)).select(
            *key, pl.col("value_usd").alias(f"v{y}"), pl.col("q").alias(f"q{y}")
        )
        for y in (0, 1)
    ]
    both = years[0].join(years[1], on=key, how="full", coalesce=True)
    both = both.with_columns(pl.col("v0", "v1").fill_null(0))
    v0, v1, ratio = pl.col("v0"), pl.col("v1"), pl.col("q1") / pl.col("q0")
    traded = (v0 > 0) & (v1 > 0)
    priced = traded & ratio.is_not_null()
    a, b = v1 / ratio, v0 * ratio
    return both.with_columns(
        price=pl.when(priced).then((a - v0 + v1 - b) / 2).otherwise(0),
        volume=pl.when(priced).then((v1 - a + b - v0) / 2).otherwise(0),
        entry=pl.when(v0 == 0).then(v1).otherwise(0),
        exit=pl.when(v1 == 0).then(-v0).otherwise(0),
        unpriced=pl.when(traded & ~priced).then(v1 - v0).otherwise(0),
    )


def bridge_polars(file: Path) -> pd.DataFrame:
    """Two-point bridge of the world by code, hand-written on the streaming engine."""
    import polars as pl

    bars = bars_polars(file, ["reporter", "partner", "flow", "code"])
    sums = bars.group_by("code").agg(pl.col(SUMS).sum()).sort("code")
    return sums.collect(engine="streaming").to_pandas()
