"""Simulate what the rules say when nothing happened, and when something did.

``make validate`` runs it. Every draw has its own seed; batches are written whole, so it can be
stopped at any moment and goes on where it stopped. A short form (``--draws 20``) uses the first
draws of the full one and leaves the stored table alone.

``--only`` asks kinds of rules: those on series, those that rank destinations, growth, bands,
product sets. What several say of one draw is counted from the batches of each.

Stored now: 500 draws of every rule in every world.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from tradeflows.counterfactual.cube import Cube
from tradeflows.counterfactual.difference import breakdown, by_quarter, difference
from tradeflows.counterfactual.expectation import Expectation, cut, expected
from tradeflows.counterfactual.placebo import (
    growth_rank,
    placebo_destinations,
    placebo_entry,
    placebo_products,
    synthetic_difference,
)

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "src/tradeflows/counterfactual/validation.csv"
PARTS = ROOT / "data/processed/validation"

SEED = 20220224
DESIGN = 3  # one more whenever a truth or a rule changes: older batches are then left aside
FULL = 500
BATCH = 20
FACTORS = (1.0, 1.5, 2.0, 3.0)
MONTHS = pd.date_range("2017-01-01", "2023-01-01", freq="MS")
EVENT, BEFORE = "2022-02", 61
SETS = 99
DESTINATIONS, CODES, LISTED = 60, 80, 9

BANDS = "both 95 % bands (a2, c2)"
SERIES = ("trend + AR(0.5)", "random-walk level", "drifting trend")
PANELS: dict[str, dict[str, float]] = {
    "no destination × group shocks": {"sd": 0.0},
    "destination × group AR(1), sd 0.1": {"sd": 0.1},
    "destination × group AR(1), sd 0.3": {"sd": 0.3},
    "Russia three times as noisy": {"sd": 0.1, "here": 0.3},
    "counts with zeros": {"sd": 0.1, "counts": 1.0},
    "common shock to listed goods": {"sd": 0.1, "common": 0.4},
    "level break at every destination": {"sd": 0.1, "breaks": 0.3},
    "Russia six times as noisy": {"sd": 0.1, "here": 0.6},
}
# Stated apart, as no rule holds its level there: on a single series with a drifting trend, on one
# destination with lasting shocks of its own as large as the effects that are looked for.
APART = ("drifting trend", "Russia six times as noisy")
# A shock that lifts listed goods everywhere is a rise beyond their own past, all that bands ask.
NO_NULL = {BANDS: "common shock to listed goods"}
FOILS = ("SARIMAX band alone", "unobserved components band alone", "segmented regression",
         "standard error of the triple difference", "placebo destinations, plain rank",
         "synthetic difference-in-differences", "break of trend as before",
         "listed codes that appear")  # fmt: skip

PLACEBOS = ("placebo destinations (a2)", "placebo product sets (c4)")
TOGETHER = {
    "both bands and placebo destinations (a2)": (BANDS, PLACEBOS[0]),
    "both kinds of placebos": PLACEBOS,
}

Hits = dict[tuple[str, float], float]  # by rule and factor: 1 hit, 0 none, NaN undetermined


def series(truth: str, rng: np.random.Generator) -> pd.Series:
    """Draw monthly exports with trend, season and one kind of persistence; no effect."""
    t = np.arange(len(MONTHS))
    noise = rng.normal(0, 0.1, len(t))
    if truth == "trend + AR(0.5)":
        noise = autoregressive(noise, 0.5)
    elif truth == "random-walk level":
        noise = np.cumsum(rng.normal(0, 0.08, len(t))) + 0.5 * noise
    else:
        noise = np.cumsum(np.cumsum(rng.normal(0, 0.01, len(t)))) + 0.5 * noise
    season = 0.15 * np.sin(2 * np.pi * t / 12) + 0.05 * np.cos(4 * np.pi * t / 12)
    return pd.Series(np.exp(16 + 0.006 * t + season + noise), MONTHS, name="exports")


def autoregressive(noise: np.ndarray, rho: float) -> np.ndarray:
    """Turn noise along the last axis into an AR(1) with the same innovations."""
    out = noise.copy()
    for i in range(1, out.shape[-1]):
        out[..., i] += rho * out[..., i - 1]
    return out


def panel(
    rng: np.random.Generator, *, sd: float, here: float | None = None, counts: float = 0.0,
    common: float = 0.0, breaks: float = 0.0,
) -> Cube:  # fmt: skip
    """Draw HS6 exports with zeros, noise, and AR(1) shocks common to a destination's group.

    ``here`` is the size of these shocks in the first destination. ``counts`` makes exports few
    whole shipments; ``common`` moves listed goods everywhere at the event; ``breaks`` moves those
    of each destination at a month of its own, for good.
    """
    shape = (CODES, DESTINATIONS, len(MONTHS))
    size = rng.normal(0, 1.5, (CODES, 1, 1)) + rng.normal(14, 1.5, (1, DESTINATIONS, 1))
    size = size + rng.normal(0, 0.8, (CODES, DESTINATIONS, 1))
    steady = autoregressive(rng.normal(0, 0.05, (1, DESTINATIONS, shape[2])), 0.9)
    shocks = np.full((1, DESTINATIONS, 1), sd)
    shocks[:, 0] = sd if here is None else here
    group = autoregressive(rng.normal(0, 1, (2, *shape[1:])) * shocks * np.sqrt(1 - 0.7**2), 0.7)
    listed = (np.arange(CODES) < LISTED)[:, None, None]
    logs = size + steady + np.where(listed, group[0], group[1]) + rng.normal(0, 0.6, shape)
    there = rng.random(shape) < 0.7
    if common:
        logs = logs + np.where(listed & (np.arange(shape[2]) >= BEFORE), common, 0.0)
    if breaks:
        when = rng.integers(12, shape[2] - 12, (1, DESTINATIONS, 1))
        moved = rng.normal(0, breaks, (1, DESTINATIONS, 1)) * (np.arange(shape[2]) >= when)
        logs = logs + np.where(listed, moved, 0.0)
    worth = np.exp(14.0)  # of a shipment: what the middle cell sells in a month
    amounts = rng.poisson(np.exp(logs) / worth) * worth if counts else np.exp(logs) * there
    return Cube(
        amounts=amounts,
        codes=pd.Index([f"84{i:04d}" for i in range(CODES)]),
        destinations=pd.Index(["RUS", *(f"D{i:02d}" for i in range(1, DESTINATIONS))]),
        months=MONTHS,
        before=BEFORE,
        event=EVENT,
        window="2022-02 to 2023-01",
        left_out=0,
    )


def on_series(truth: str, rng: np.random.Generator) -> Hits:
    """Ask the single-series rules about one draw. The fit does not read the months after."""
    values = series(truth, rng)
    found = expected(values, event=EVENT)
    hits = {}
    for factor in FACTORS:
        hits[BANDS, factor] = both(found, factor)
        for band, rule in zip(found.table.itertuples(), FOILS, strict=False):
            hits[rule, factor] = outside(band.actual * factor, band.low95, band.high95, factor)
        planted = values.where(values.index < f"{EVENT}-01", values * factor)
        hits["segmented regression", factor] = float(segmented(planted) <= 0.05)
    return hits


def segmented(values: pd.Series) -> float:
    """Return the p-value of a step at the event: trend, its break, calendar months, Newey–West.

    A foil in common use; it decides nothing.
    """
    data = cut(values, event=EVENT)
    if isinstance(data, str) or data.season != 12:
        return np.nan
    levels = data.levels + data.offset
    logs = np.log(np.where(levels > 0, levels, np.nan))
    trend = np.arange(len(logs), dtype="float64")
    after = (trend >= data.before).astype("float64")
    seasons = np.eye(12)[data.periods.month - 1]
    x = np.column_stack([after, after * (trend - data.before), trend, seasons, data.exog])
    known = ~np.isnan(logs)
    fit = OLS(logs[known], x[known]).fit(cov_type="HAC", cov_kwds={"maxlags": 12})
    return float(fit.pvalues[0])


def both(found: Expectation, factor: float) -> float:
    """Tell whether a sum that grew by the factor lies beyond all bands."""
    bands = found.table
    sides = [outside(b.actual * factor, b.low95, b.high95, factor) for b in bands.itertuples()]
    if found.outcome == "undetermined":
        return np.nan
    if factor > 1:
        return float(all(sides))
    above = bool((bands["actual"] > bands["high95"]).all())
    return float(above or bool((bands["actual"] < bands["low95"]).all()))


def outside(actual: float, low: float, high: float, factor: float) -> float:
    """Tell whether an alarm sounds: on either side without effect, above with one."""
    if np.isnan(high):
        return np.nan
    return float(actual > high or (factor == 1 and actual < low))


def on_ranks(truth: str, rng: np.random.Generator) -> Hits:
    """Ask the rules that rank destinations about one draw."""
    data = panel(rng, **PANELS[truth])
    return {
        (rule, factor): hit
        for factor in FACTORS
        for rule, hit in ranks(planted(data, factor)).items()
    } | {(FOILS[4], 1.0): rank_of(data)}


def planted(data: Cube, factor: float) -> Cube:
    """Return a panel in which listed goods to the first destination grew by a factor."""
    amounts = data.amounts.copy()
    amounts[:LISTED, 0, BEFORE:] *= factor
    return replace(data, amounts=amounts)


def ranks(data: Cube) -> dict[str, float]:
    """Return by rule whether the first destination stands out among all."""
    listed = data.codes[:LISTED]
    places = placebo_destinations(data, listed=listed)
    return {
        PLACEBOS[0]: passed(places.p),
        FOILS[3]: float(abs(places.estimate) > 1.96),
        FOILS[5]: passed(synthetic_difference(data, listed=listed).p),
        FOILS[6]: beyond(data, listed),
        FOILS[7]: passed(placebo_entry(data, listed=listed).p),
    }


def beyond(data: Cube, listed: pd.Index) -> float:
    """Tell whether a break of trend as large as any before leaves something of the effect."""
    path, _ = by_quarter(data, listed, 0)
    quarters = data.months.to_period("Q").unique().to_timestamp()
    held = breakdown(pd.Series(path, quarters), data.event) if np.isfinite(path).all() else np.nan
    return np.nan if np.isnan(held) else float(held > 1)


def on_sets(truth: str, rng: np.random.Generator) -> Hits:
    """Ask the rule that ranks product sets about one draw."""
    plain = panel(rng, **PANELS[truth])
    listed, seed = plain.codes[:LISTED], int(rng.integers(2**31))
    hits = {}
    for factor in FACTORS:
        found = placebo_products(planted(plain, factor), listed=listed, draws=SETS, rng=seed)
        hits[PLACEBOS[1], factor] = passed(found.p) * (found.estimate > 0)
    return hits


def on_bands(truth: str, rng: np.random.Generator) -> Hits:
    """Ask the bands of listed goods about one draw."""
    plain = panel(rng, **PANELS[truth])
    listed = pd.Series(plain.listed(plain.codes[:LISTED])[0], MONTHS, name="listed goods")
    bands = expected(listed, event=EVENT)
    return {(BANDS, factor): both(bands, factor) for factor in FACTORS}


def on_growth(truth: str, rng: np.random.Generator) -> Hits:
    """Ask the rule that ranks the growth of all exports about one draw."""
    plain = totals(panel(rng, **PANELS[truth]))
    found = growth_rank(plain, current="2022-02/2023-01", at_least=0.0)
    return {
        ("growth among destinations (c3)", factor): passed(
            replace(found, estimate=(1 + found.estimate) * factor - 1).p
        )
        for factor in FACTORS
    }


def passed(p: float) -> float:
    """Tell whether a p-value is at most 5 %; NaN where it is undetermined."""
    return np.nan if np.isnan(p) else float(p <= 0.05)


def rank_of(data: Cube) -> float:
    """Tell whether the first destination's plain estimate is among the largest."""
    here = [*range(DESTINATIONS)]
    (beta,), _ = difference(data.listed(data.codes[:LISTED])[None], data.total, BEFORE, here)
    known = np.abs(beta[~np.isnan(beta)])
    return passed(np.mean(known >= abs(beta[0]))) if np.isfinite(beta[0]) else np.nan


def totals(data: Cube) -> pd.DataFrame:
    """Return all exports by destination and month."""
    rows = pd.DataFrame(data.total, data.destinations, data.months).rename_axis("partner")
    return rows.reset_index().melt("partner", var_name="period", value_name="value_usd")


CELLS: list[tuple[str, Callable[[str, np.random.Generator], Hits]]] = [
    *((t, on_series) for t in SERIES),
    *((t, ask) for t in PANELS for ask in (on_ranks, on_growth, on_bands, on_sets)),
]


KINDS = ("series", "ranks", "growth", "bands", "sets")


def batches(draws: int) -> Iterator[tuple[int, int, int]]:
    """Return cell, first and last draw: all cells go forward together."""
    for first in range(0, draws, BATCH):
        for cell in range(len(CELLS)):
            yield cell, first, min(first + BATCH, draws)


def run_batch(cell: int, first: int, last: int) -> pd.DataFrame:
    """Run the draws of one batch, or read them if they were run before."""
    truth, ask = CELLS[cell]
    number = [*SERIES, *PANELS].index(truth) if truth in (*SERIES, *PANELS) else cell
    path = PARTS / f"{DESIGN}-{ask.__name__}-{number}-{first:05d}-{last:05d}.csv"
    if path.exists():
        return pd.read_csv(path)
    rows = []
    for draw in range(first, last):
        hits = ask(truth, np.random.default_rng([SEED, number, draw]))
        rows += [(truth, rule, factor, draw, hit) for (rule, factor), hit in hits.items()]
    frame = pd.DataFrame(rows, columns=["truth", "rule", "factor", "draw", "hit"])
    write(frame, path)
    return frame


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    frame.to_csv(part, index=False, float_format="%.10g", lineterminator="\n")
    part.replace(path)


def together(frame: pd.DataFrame, rules: tuple[str, ...], name: str) -> pd.DataFrame:
    """Return the hits of a rule that asks several others at once, of draws that all were asked."""
    asked = frame[frame["rule"].isin(rules)].groupby(["truth", "factor", "draw"], sort=False)["hit"]
    hits = asked.agg(lambda h: h.prod(skipna=False))[asked.size() == len(rules)]
    return hits.reset_index().assign(rule=name)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """Count hits by rule, truth and factor, with Wilson's intervals."""
    grouped = frame.groupby(["rule", "truth", "factor"], sort=False)["hit"]
    table = grouped.agg(draws="size", hits="sum").reset_index()
    table["undetermined"] = grouped.agg(lambda h: int(h.isna().sum())).to_numpy()
    table["hits"] = table["hits"].astype(int)
    table["rate"] = table["hits"] / table["draws"]
    table["low"], table["high"] = proportion_confint(
        table["hits"], table["draws"], alpha=0.05, method="wilson"
    )
    table["low"] = table["low"].clip(upper=table["rate"])  # none of 500 begins at 0, not at 1e-18
    table["nominal"], table["seed"] = 0.05, SEED
    apart = table["truth"].isin(APART) | (table["rule"].map(NO_NULL) == table["truth"])
    table["stated_apart"], table["foil"] = apart, table["rule"].isin(FOILS)
    return table.sort_values(["rule", "truth", "factor"], kind="stable", ignore_index=True)


def merged(stored: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put new rows in the place of stored ones that rest on no more draws."""
    key = ["rule", "truth", "factor"]
    both = pd.concat([stored, new]).sort_values("draws", kind="stable")
    return both.drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)


def main() -> None:
    """Run, resume, and store the table; rows of rules and truths that were not run stay."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=FULL, help=f"draws per truth ({FULL})")
    parser.add_argument("--store", action="store_true", help="store the table of a short form too")
    parser.add_argument("--only", nargs="+", default=KINDS, choices=KINDS, help="kinds of rules")
    chosen = parser.parse_args()
    frames = []
    CELLS[:] = [(truth, ask) for truth, ask in CELLS if ask.__name__[3:] in chosen.only]
    for cell, first, last in batches(chosen.draws):
        frames.append(run_batch(cell, first, last))
        sys.stderr.write(f"\r{CELLS[cell][0]}: draws {first} to {last - 1}".ljust(70))
        sys.stderr.flush()
    asked = pd.concat(frames, ignore_index=True)
    both_asked = [together(asked, rules, name) for name, rules in TOGETHER.items()]
    table = summary(pd.concat([asked, *both_asked], ignore_index=True))
    if chosen.draws >= FULL or chosen.store:
        write(merged(pd.read_csv(STORED), table), STORED)
    shown = table[["rule", "truth", "factor", "draws", "rate", "low", "high", "foil"]]
    sys.stdout.write(f"\n{shown.to_string(index=False, float_format='{:.3f}'.format)}\n")


if __name__ == "__main__":
    main()
