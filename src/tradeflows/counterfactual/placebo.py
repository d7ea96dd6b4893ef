"""Placebos: how often destinations or goods that were not hit look as if they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import Cube, Floats, destinations, once
from tradeflows.counterfactual.difference import (
    Asked,
    Compared,
    Masks,
    compared,
    difference,
    open_because,
)
from tradeflows.errors import SchemaMismatch
from tradeflows.periods import span
from tradeflows.result import Result
from tradeflows.words import Sentence

BLOCK = 3  # months of a synthetic difference: single ones hold zeros, whose log is none
LARGE_ENOUGH = 20  # destinations below which a share of 5 % cannot be reached


@dataclass(frozen=True)
class Placebo(Result):
    """One estimate among those of cases to which nothing happened.

    ``name`` says what is compared, ``case`` which one is in question. ``values`` are the estimates
    of the placebos, −inf where trade stopped. ``reason`` says why it is undetermined. ``sides`` is
    2 if large falls count as extreme, else 1. ``scale`` is, of the case in question, what one unit
    of the values is in log points or as a share.
    """

    name: str
    case: str
    estimate: float
    values: pd.Series
    reason: str
    sides: int
    unit: str
    window: str
    origins: tuple[str, ...]
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """Cases at least as extreme as the one in question, itself counted."""
        return 1 + int((self._size(self.values) >= self._size(self.estimate)).sum())

    def _size(self, values: Any) -> Any:
        return np.abs(values) if self.sides == 2 else values

    @property
    def p(self) -> float:
        """Share of cases at least as extreme, the one in question counted; NaN if undetermined."""
        return np.nan if self.reason else self.rank / (len(self.values) + 1)

    def smallest_effect(self) -> float:
        """Return the smallest estimate that a rank of 5 % finds with a chance of 80 %.

        Of placebos from a time without effect: the critical value and the noise around an effect
        both come from them. In log points or as a share; NaN without placebos.
        """
        known = self.values[np.isfinite(self.values)]
        critical = self._size(known).quantile(0.95)
        return float(self.scale * (critical - known.quantile(0.20)))

    @property
    def table(self) -> pd.DataFrame:
        """Every case with its estimate, largest first."""
        values = pd.concat([self.values, pd.Series({self.case: self.estimate})]).rename("estimate")
        table: pd.DataFrame = values.rename_axis("case").rename(index=str).reset_index()
        return table.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)

    def sentence(self) -> Sentence:
        """Say the rank and the p-value, or why there is none."""
        case = spoken(self.case)
        if self.reason:
            return Sentence(f"{case} among {self.name}: cannot be determined ({self.reason})")
        return Sentence(
            f"{case} ranks {self.rank} of {len(self.values) + 1} among {self.name}"
            f" (p = {self.p:.3f})"
        )


def _of(asked: Compared, name: str, reason: str, estimate: float = np.nan, values: Any = (),
        **other: Any) -> Placebo:  # fmt: skip
    """Return the placebo of a comparison, by destinations unless ``other`` fields say otherwise."""
    usual = {"case": asked.destination, "sides": 2, "unit": "log points"}
    data, values = asked.data, pd.Series(values, dtype="float64")
    about = {"window": data.window, "origins": data.origins, **usual, **other}
    return Placebo(name=name, estimate=estimate, values=values, reason=reason, **about)


def _enough(count: int, needed: int, what: str) -> str:
    return f"{count} {what}, {needed} are needed" if count < needed else ""


def placebo_destinations(
    panel: pd.DataFrame | Cube, *, needed: int = 40, **asked: Unpack[Asked]
) -> Placebo:
    """Re-estimate the triple difference with every other destination as the treated one.

    Each estimate is taken over its own standard error: where trade with the destination in question
    is noisier than with others, the plain estimate cries wolf. p is the share of the J + 1
    destinations whose absolute ratio is at least as large, the destination itself counted. One
    whose trade in listed goods stopped counts as more extreme.

    Takes what `triple_difference` takes, and in ``needed`` the placebo destinations with listed
    trade before the event, below which p is undetermined.

    References
    ----------
    Conley and Taber (2011), Review of Economics and Statistics 93(1). MacKinnon and Webb (2020),
    Journal of Econometrics 218(2), on ranks of ratios.
    """
    name, case = "placebo destinations", compared(panel, **asked)
    data, have, _, here, reason = case
    if reason:
        return _of(case, name, reason)
    (beta,), (se,) = difference(
        data.listed(have)[None], data.total, data.before, list(range(len(data.destinations)))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(np.isfinite(beta) & (beta != 0), beta / se, beta)
    values = pd.Series(ratio, data.destinations.astype(str)).drop(case.destination)
    values = values[~np.delete(np.isnan(beta), here)]
    reason = open_because(case, float(beta[here]), float(se[here]))
    reason = reason or _enough(len(values), needed, "other destinations with listed trade")
    found, scale = float(ratio[here]), float(se[here])
    return _of(case, name, reason, found, values, unit="standard errors", scale=scale)


def placebo_products(
    panel: pd.DataFrame | Cube,
    *,
    draws: int = 999,
    rng: int | np.random.Generator = 0,
    **asked: Unpack[Asked],
) -> Placebo:
    """Re-estimate the triple difference with random sets of goods in place of the listed ones.

    Each of so many ``draws`` has as many codes as the list in each decile of exports before the
    event; the listed codes may be drawn, so that the list is one of the sets.
    p = (1 + #{b* ≥ b}) / (draws + 1). Takes what `triple_difference` takes, and a seed.

    Returns
    -------
    Placebo
        Sets of which the destination bought nothing before the event are counted as −inf and so
        never as more extreme; sets whose fit did not converge as +inf, always as more extreme.
    """
    case = compared(panel, **asked)
    data, have, _, row, reason = case
    about: dict[str, Any] = {"case": f"The list to {spoken(case.destination)}", "sides": 1}
    name = "placebo product sets"
    if reason:
        return _of(case, name, reason, **about)
    member = data.codes.isin(have)
    sets = _sets(data, member, draws, np.random.default_rng(rng))
    flat = data.amounts.reshape(len(data.codes), -1)
    tables = (np.vstack([member[None], sets]).astype("float64") @ flat).reshape(
        -1, *data.amounts.shape[1:]
    )
    tables = np.minimum(tables, data.total)  # sums in another order may exceed it in the last digit
    beta, se = (part[:, 0] for part in difference(tables, data.total, data.before, [row]))
    reason = open_because(case, float(beta[0]), float(se[0]))
    lost = np.where(np.isinf(se[1:]), np.inf, -np.inf)
    values = np.where(np.isnan(beta[1:]), lost, beta[1:])
    return _of(case, name, reason, float(beta[0]), values, **about)


def _sets(data: Cube, member: Masks, draws: int, rng: np.random.Generator) -> Masks:
    """Draw sets of codes, stratified by decile of exports before the event."""
    size = data.amounts[:, :, : data.before].sum(axis=(1, 2))
    order = 1 + size.argsort(kind="stable").argsort(kind="stable")
    decile = np.ceil(order / len(size) * 10)
    sets = np.zeros((draws, len(size)), dtype=bool)
    for stratum in np.unique(decile[member]):
        pool = np.flatnonzero(decile == stratum)
        wanted = int(member[pool].sum())
        picked = rng.random((draws, len(pool))).argsort(axis=1)[:, :wanted]
        np.put_along_axis(sets, pool[picked], True, axis=1)
    return sets


def placebo_entry(
    panel: pd.DataFrame | Cube, *, needed: int = 40, **asked: Unpack[Asked]
) -> Placebo:
    """Rank a destination by the listed codes that appear in its trade: the extensive margin.

    The share of listed codes exported to it in the window, less the share in as many months right
    before the event, less the same of all other codes. A code sold once in a window counts; a large
    fall is as extreme as a large rise.

    Takes what `triple_difference` takes, and in ``needed`` the other destinations that bought
    listed goods in either window, below which p is undetermined.
    """
    name, case = "destinations by listed codes that appear", compared(panel, **asked)
    data, codes, destination, _, reason = case
    if reason:
        return _of(case, name, reason)
    have, late = data.codes.isin(codes), len(data.months) - data.before
    ends = slice(data.before - late, data.before), slice(data.before, None)
    before, after = (data.amounts[:, :, end].max(axis=2, initial=0.0) > 0 for end in ends)
    more = after.astype("float64") - before
    grown = pd.Series(more[have].mean(axis=0) - more[~have].mean(axis=0), data.destinations)
    bought = (before | after)[have].any(axis=0) & (grown.index != destination)
    reason = _enough(bought.sum(), needed, "other destinations with listed trade")
    return _of(case, name, reason, float(grown[destination]), grown[bought], unit="share of codes")


def growth_rank(
    exports: pd.DataFrame,
    *,
    destination: str = "RUS",
    base: str | int = "2021",
    current: str | int = "2022",
    at_least: float = 100e6,
) -> Placebo:
    """Rank a destination's growth among those with exports of `at_least` USD in the base window.

    `exports` have columns partner, period and value_usd. ``p`` is the share of destinations that
    grew at least as much, the destination counted; undetermined among fewer than 20, where it
    cannot reach 5 %. Refused is what `cube` refuses, and windows with unequal numbers of months.
    """
    exports = once(destinations(exports))
    windows = [exports[exports["period"].isin(span(w))] for w in (base, current)]
    months = [part["period"].nunique() for part in windows]
    if months[0] != months[1]:
        raise SchemaMismatch(
            f"{months[0]} published months in {base}, {months[1]} in {current}",
            "as many months on both sides",
            "choose windows of one length that end where the data end",
        )
    before, after = (part.groupby("partner")["value_usd"].sum() for part in windows)
    large = before[before >= at_least].astype("float64")
    grown = after.reindex(large.index, fill_value=0.0) / large - 1
    reason = _enough(len(grown), LARGE_ENOUGH, "destinations of that size")
    if destination not in grown.index:
        reason = f"exports to {destination} were below the size that counts in {base}"
    return Placebo(
        "destinations by growth", destination, float(grown.get(destination, np.nan)),
        grown.drop(destination, errors="ignore"), reason, 1, "share", f"{current} against {base}",
        tuple(sorted(exports["origin"].unique())) if "origin" in exports else (),
    )  # fmt: skip


def synthetic_difference(
    panel: pd.DataFrame | Cube, *, needed: int = 40, **asked: Unpack[Asked]
) -> Placebo:
    """Compare a destination with a weighted mean of others that went the same way before.

    The outcome is the log of exports of listed over other goods in blocks of three months, counted
    from the event. Other destinations, and blocks before the event, get weights that fit best what
    came before; the estimate is the weighted difference in differences.

    Takes what `triple_difference` takes, and in ``needed`` the other destinations with listed and
    other goods in every block, below which it is undetermined.

    Returns
    -------
    Placebo
        The same estimate of every other destination, the destination in question left out; their
        standard deviation is the placebo standard error.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), Synthetic difference-in-differences,
    American Economic Review 111(12), algorithms 1 and 4.
    """
    name, case = "synthetic differences of other destinations", compared(panel, **asked)
    data, have, destination, here, reason = case
    if not reason and len(data.months) - data.before < BLOCK:
        reason = f"fewer than {BLOCK} published months in the window"
    if reason:
        return _of(case, name, reason)
    logs, before = _logs(data, have)
    used = np.asarray(np.isfinite(logs).all(axis=1))
    others = np.flatnonzero(used & (np.arange(len(used)) != here))
    if not used[here]:
        reason = f"{destination} has three months without listed or without other goods"
        return _of(case, name, reason)
    reason = _enough(len(others), needed, "other destinations with both throughout")
    found = [_estimate(logs[i], logs[others[others != i]], before) for i in (here, *others)
             if len(others) > 1]  # fmt: skip
    names = data.destinations[others].astype(str)
    estimate, values = (found[0], pd.Series(found[1:], names)) if found else (np.nan, ())
    return _of(case, name, reason, estimate, values)


def _logs(data: Cube, have: pd.Index) -> tuple[Floats, int]:
    """Return log listed over other goods by destination and whole block, and the blocks before."""
    first, after = data.before % BLOCK, len(data.months) - data.before
    inside = slice(first, len(data.months) - after % BLOCK)
    starts = np.arange(0, inside.stop - first, BLOCK)
    y, n = (np.add.reduceat(part[:, inside], starts, axis=1) for part in
            (data.listed(have), data.total))  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(y) - np.log(n - y), data.before // BLOCK


def _estimate(treated: Floats, others: Floats, before: int) -> float:
    past, late = others[:, :before], others[:, before:].mean(axis=1)
    spread = float(np.diff(past, axis=1).std(ddof=1))
    ridge = np.sqrt(others.shape[1] - before) * spread**2 * before  # ζ² of the paper, × T
    unit = _simplex(past.T, treated[:before], ridge)
    time = _simplex(past, late, 1e-6 * spread**2 * len(others))
    gaps = others[:, before:].mean(axis=1) - past @ time
    return float(treated[before:].mean() - treated[:before] @ time - unit @ gaps)


def _simplex(x: Floats, y: Floats, ridge: float) -> Floats:
    """Return weights ≥ 0 that sum to 1 and fit y by the columns of x, up to a constant."""
    from scipy.optimize import nnls

    x, y = x - x.mean(axis=0), y - y.mean()
    many = x.shape[1]
    heavy = 1e4 * (np.abs(x).max(initial=0.0) + np.sqrt(ridge) + 1e-12)
    rows = np.vstack([x, np.sqrt(ridge) * np.eye(many), np.full((1, many), heavy)])
    weights, _ = nnls(rows, np.concatenate([y, np.zeros(many), [heavy]]), maxiter=50 * many)
    return np.asarray(weights / weights.sum())
