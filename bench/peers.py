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


def mirror_polars(file: Path) -> Any:
    """Mirror of all pairs, annual rows, hand-written on the streaming engine."""
    import polars as pl

    c = pl.col
    pair = ["exporter", "importer"]
    sent = c("flow") != "M"
    hidden = c("code").str.slice(0, 4).is_in(["2799", "9999"]) | (c("code") == "99")
    usable = (
        (c("weight_status") == "reported")
        & (c("net_weight_kg") > 0)
        & (c("value_usd") > 0)
        & ~hidden
    )
    rows = (
        pl.scan_parquet(file)
        .filter(
            c("period").is_between(dt.date(2021, 1, 1), dt.date(2022, 12, 31))
            & c("flow").is_in(["X", "M", "RX"])
        )
        .select(
            pl.when(sent).then("reporter").otherwise("partner").alias("exporter"),
            pl.when(sent).then("partner").otherwise("reporter").alias("importer"),
            "code",
            "flow",
            "period",
            hidden.alias("hidden"),
            v=c("value_usd"),
            q=pl.when(usable).then("net_weight_kg"),
        )
    )

    def of(flow: str, name: str) -> Any:
        return pl.when(c("flow") == flow).then(c(name)).otherwise(0)

    last = c("period") >= dt.date(2022, 1, 1)
    good = (
        rows.group_by(*pair, "code")
        .agg(
            c("hidden").max(),
            e=of("X", "v").sum(),
            i=of("M", "v").sum(),
            r=of("RX", "v").sum(),
            ke=of("X", "q").sum(),
            ki=of("M", "q").sum(),
            blind=((c("flow") != "RX") & (c("v") > 0) & c("q").is_null()).max(),
            latest=pl.when(last & (c("flow") == "X")).then(c("v")).otherwise(0).sum(),
        )
        .collect(engine="streaming")
    )
    alone = good.filter(
        ~c("hidden") & ~c("blind") & (c("ke") + c("ki") > 0) & ((c("e") > 0) != (c("i") > 0))
    )
    alone = alone.with_columns(heading=c("code").str.slice(0, 4))
    match = alone.filter(c("e") > 0).join(
        alone.filter(c("e") == 0), on=[*pair, "heading"], suffix="_got"
    )
    ratio = c("ki_got") / c("ke")
    match = match.filter(ratio.is_between(0.8, 1.25)).with_columns(far=ratio.log().abs())
    match = match.filter(
        (c("far").rank("ordinal").over(*pair, "code") == 1)
        & (c("far").rank("ordinal").over(*pair, "code_got") == 1)
    ).select(*pair, family="code", code="code_got")
    fam = good.lazy().join(match.lazy(), on=[*pair, "code"], how="left")
    if len(match):
        fam = fam.group_by(*pair, family=pl.coalesce("family", "code")).agg(
            c("hidden", "blind").max(),
            c("e", "i", "r", "ke", "ki", "latest").sum(),
            recoded=c("family").is_not_null().max(),
        )
    else:
        fam = fam.with_columns(recoded=False)
    cls = (
        pl.when("hidden")
        .then(0)
        .when("recoded")
        .then(1)
        .when(c("i") == 0)
        .then(2)
        .when(c("e") == 0)
        .then(3)
        .when(~c("blind") & (c("ke") > 0) & (c("ki") > 0))
        .then(4)
        .otherwise(5)
    )
    fam = (
        fam.filter((c("e") > 0) | (c("i") > 0))
        .with_columns(cls=cls.cast(pl.Int8))
        .collect(engine="streaming")
        .lazy()
    )
    ratio = fam.filter((c("cls") == 4) & (c("r") == 0)).select(
        *pair, "e", x=((c("i") / c("ki")) / (c("e") / c("ke"))).log(), y=(c("ki") / c("ke")).log()
    )
    spread = ratio.group_by(pair).agg(
        n=pl.len(),
        x=c("x").median(),
        y=c("y").median(),
        sx=1.4826 * (c("x") - c("x").median()).abs().median(),
        sy=1.4826 * (c("y") - c("y").median()).abs().median(),
        uneven=(c("e") ** 2).sum() / c("e").sum() ** 2,
    )
    z, odd = 2.6, 6.0
    known = (
        fam.select(pair)
        .unique()
        .join(spread, on=pair, how="left")
        .with_columns(c("n", "sx", "sy").fill_null(0))
    )
    own = c("n") >= 12
    room = z * c("sx") * c("x").exp() * (1.57 / c("n") + c("uneven")).sqrt()
    rate = c("x").exp() - 1
    known = (
        known.with_columns(
            own=own,
            f=pl.when(own).then(rate.clip(0)).otherwise(0.06),
            f_low=pl.when(own).then((rate - room).clip(0)).otherwise(0.02),
            f_high=pl.when(own).then((rate + room).clip(0)).otherwise(0.12),
        )
        .select(*pair, "n", "own", "sx", "sy", "f", "f_low", "f_high")
        .collect()
        .lazy()
    )
    e, i, r, ke, ki, f, sx, sy, k = (
        c(n) for n in ("e", "i", "r", "ke", "ki", "f", "sx", "sy", "cls")
    )
    noise = z * (sx**2 + sy**2).sqrt() * e

    def gone(rate: Any, extra: Any) -> Any:
        return (e - i / (1 + rate) + extra).clip(0, r)

    short = fam.join(known, on=pair).with_columns(
        gone=gone(f, 0),
        gone_low=gone(c("f_low"), -noise),
        gone_high=gone(c("f_high"), noise),
        both=k.is_in([1, 4, 5]),
        noise=noise,
    )
    lw, lp = (ki / ke).log(), ((i / ki) / (e / ke) / (1 + f)).log()
    lined = short.with_columns(
        beyond=i - (1 + f) * (e - c("gone")),
        gone_room=(c("gone_high") - c("gone_low")) * (1 + f) / 2,
        rate_room=(c("f_high") - c("f_low")) / 2 * e,
        by_weight=(k == 4) & (~c("own") | (lw.abs() > odd * sy)),
        by_price=(k == 4) & (~c("own") | (lp.abs() > odd * sx)),
    )
    split = lined.with_columns(
        quantity=pl.when("by_weight").then((1 + f) * (e * (ki / ke - 1) + c("gone"))).otherwise(0),
        price=pl.when("by_price").then(i - (1 + f) * e * ki / ke).otherwise(0),
    )

    def w(cond: Any, val: Any) -> Any:
        return pl.when(cond).then(val).otherwise(0).sum()

    both, plain, rec = c("both"), k.is_in([4, 5]), k == 1

    def sq(cond: Any, val: Any) -> Any:
        return pl.when(cond).then(val**2).otherwise(0).sum().sqrt()

    fe = (1 + f) * e
    s = (sx**2 + sy**2).sqrt().max()
    usual = (
        pl.when(k == 5)
        .then(sx**2 + sy**2)
        .when(k == 4)
        .then(
            pl.when("by_price").then(0).otherwise(sx**2)
            + pl.when("by_weight").then(0).otherwise(sy**2)
        )
        .otherwise(0)
        * fe**2
    )
    found = split.group_by(pair).agg(
        c("f", "f_low", "f_high", "own", "n").max(),
        exports=e.sum(),
        imports=i.sum(),
        reexported=r.sum(),
        freight=w(both, f * e),
        freight_low=w(both, c("f_low") * e),
        freight_high=w(both, c("f_high") * e),
        shift=w(both, -(1 + f) * c("latest")),
        both_e=w(both, e),
        both_i=w(both, i),
        reexports=w(both, -(1 + f) * c("gone")),
        reexports_low=w(both, -(1 + c("f_high")) * c("gone_high")),
        reexports_high=w(both, -(1 + c("f_low")) * c("gone_low")),
        codes=w(rec, c("beyond")),
        rest=w(plain, c("beyond") - c("quantity") - c("price")),
        quantity=c("quantity").sum(),
        price=c("price").sum(),
        weighed=w("by_weight", fe),
        unweighed=w(plain & ~c("by_weight"), fe),
        recoded=w(rec, fe),
        recoded_e=w(rec, e),
        recoded_i=w(rec, i),
        noise=z * s,
        quantity_room=z * sy.max() * sq(c("by_weight"), fe) + w("by_weight", c("gone_room")),
        price_room=z * sx.max() * sq(c("by_price"), i) + w("by_price", c("rate_room") * ki / ke),
        rest_room=z * usual.sum().sqrt()
        + w(plain & ~c("by_price"), c("rate_room"))
        + w(both & ~c("by_weight"), c("gone_room")),
        codes_room=z * s * sq(rec, fe) + w(rec, c("rate_room")),
        hidden_e=w(k == 0, e),
        hidden_i=w(k == 0, i),
        alone_e=w(k == 2, e),
        alone_i=w(k == 3, i),
    )
    return found.sort(pair).collect(engine="streaming")
