"""Placebos: how often destinations or goods that were not hit look as if they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import Cube, destinations, once, origins_of
from tradeflows.counterfactual.difference import open_because, prepared
from tradeflows.counterfactual.shares import Masks, difference
from tradeflows.errors import SchemaMismatch
from tradeflows.periods import span
from tradeflows.result import Result
from tradeflows.words import Sentence

__all__ = [
    "Placebo",
    "growth_rank",
    "placebo_destinations",
    "placebo_entry",
    "placebo_products",
]


@dataclass(frozen=True)
class Placebo(Result):
    """One estimate among those of cases to which nothing happened.

    Parameters
    ----------
    name : str
        What is compared.
    case : str
        The case in question.
    estimate : float
        Its estimate.
    values : pandas.Series
        Estimates of the placebos; −inf where trade stopped.
    reason : str
        Why it is undetermined, else empty.
    sides : int
        2 if large falls count as extreme, else 1.
    unit, window : str
    origins : tuple of str
    scale : float
        Of the case in question, what one unit of the values is in log points or as a share.
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
        known = self.values.to_numpy("float64")
        if self.sides == 2:
            return 1 + int((np.abs(known) >= abs(self.estimate)).sum())
        return 1 + int((known >= self.estimate).sum())

    @property
    def p(self) -> float:
        """Share of cases at least as extreme, the one in question counted; NaN if undetermined."""
        return np.nan if self.reason else self.rank / (len(self.values) + 1)

    def smallest_effect(self, *, level: float = 0.05, chance: float = 0.80) -> float:
        """Return the smallest estimate that a rank below ``level`` finds with some chance.

        Of placebos from a time without effect: the critical value and the noise around an effect
        both come from them. In log points or as a share; NaN without placebos.
        """
        known = self.values.to_numpy("float64")
        known = known[np.isfinite(known)]
        if not known.size:
            return np.nan
        critical = np.quantile(np.abs(known) if self.sides == 2 else known, 1 - level)
        return float(self.scale * (critical - np.quantile(known, 1 - chance)))

    @property
    def table(self) -> pd.DataFrame:
        """Every case with its estimate, largest first."""
        values = pd.concat([self.values, pd.Series({self.case: self.estimate})])
        return (
            pd.DataFrame({"case": values.index.astype(str), "estimate": values.to_numpy("float64")})
            .sort_values("estimate", ascending=False, kind="stable")
            .reset_index(drop=True)
        )

    def sentence(self) -> Sentence:
        """Say the rank and the p-value, or why there is none."""
        case = spoken(self.case)
        if self.reason:
            return Sentence(f"{case} among {self.name}: cannot be determined ({self.reason})")
        return Sentence(
            f"{case} ranks {self.rank} of {len(self.values) + 1} among {self.name}"
            f" (p = {self.p:.3f})"
        )


def _of(
    data: Cube, name: str, case: str, sides: int, reason: str,
    estimate: float = np.nan, values: pd.Series | None = None, se: float | None = None,
) -> Placebo:  # fmt: skip
    """Return the placebo of a triple difference; without values, an undetermined one."""
    values = pd.Series(dtype="float64") if values is None else values
    unit, scale = ("log points", 1.0) if se is None else ("standard errors", se)
    return Placebo(
        name, case, estimate, values, reason, sides, unit, data.window, data.origins, scale
    )


def placebo_destinations(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    needed: int = 40,
    months_needed: int = 36,
) -> Placebo:
    """Re-estimate the triple difference with every other destination as the treated one.

    Each estimate is taken over its own standard error: where trade with the destination in question
    is noisier than with others, the plain estimate cries wolf. p is the share of the J + 1
    destinations whose absolute ratio is at least as large, the destination itself counted. One
    whose trade in listed goods stopped counts as more extreme.

    Parameters
    ----------
    panel, listed, destination, event, window, months_needed
        As in `tradeflows.counterfactual.difference.triple_difference`.
    needed : int
        Placebo destinations with listed trade before the event, below which p is undetermined.

    Returns
    -------
    Placebo

    References
    ----------
    Conley and Taber (2011), Review of Economics and Statistics 93(1). MacKinnon and Webb (2020),
    Journal of Econometrics 218(2), on ranks of ratios.
    """
    data, have, here, reason = prepared(panel, listed, destination, event, window, months_needed)
    about = (data, "placebo destinations", destination, 2)
    if reason:
        return _of(*about, reason)
    (beta,), (se,) = difference(
        data.listed(have)[None], data.total, data.before, list(range(len(data.destinations)))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(np.isfinite(beta) & (beta != 0), beta / se, beta)
    known = ~np.isnan(beta)
    known[here] = False
    values = pd.Series(ratio[known], data.destinations[known].astype(str))
    if not np.isfinite(beta[here]):
        reason = open_because(float(beta[here]), float(se[here]), destination, data.event)
    elif len(values) < needed:
        reason = f"{len(values)} other destinations with listed trade, {needed} are needed"
    return _of(*about, reason, float(ratio[here]), values, float(se[here]))


def placebo_products(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    draws: int = 999,
    rng: int | np.random.Generator = 0,
    months_needed: int = 36,
) -> Placebo:
    """Re-estimate the triple difference with random sets of goods in place of the listed ones.

    Each set has as many codes as the list in each decile of exports before the event; the listed
    codes may be drawn, so that the list is one of the sets. p = (1 + #{b* ≥ b}) / (draws + 1).

    Parameters
    ----------
    panel, listed, destination, event, window, months_needed
        As in `tradeflows.counterfactual.difference.triple_difference`.
    draws : int
        Random sets.
    rng : int or numpy.random.Generator
        Seed.

    Returns
    -------
    Placebo
        Sets of which the destination bought nothing before the event are counted as −inf and so
        never as more extreme; sets whose fit did not converge as +inf, always as more extreme.
    """
    data, have, row, reason = prepared(panel, listed, destination, event, window, months_needed)
    about = (data, "placebo product sets", f"The list to {spoken(destination)}", 1)
    if reason:
        return _of(*about, reason)
    member = data.codes.isin(have)
    sets = _sets(data, member, draws, np.random.default_rng(rng))
    flat = data.amounts.reshape(len(data.codes), -1)
    tables = (np.vstack([member[None], sets]).astype("float64") @ flat).reshape(
        -1, *data.amounts.shape[1:]
    )
    tables = np.minimum(tables, data.total)  # sums in another order may exceed it in the last digit
    beta, se = (part[:, 0] for part in difference(tables, data.total, data.before, [row]))
    found = float(beta[0])
    if not np.isfinite(found):
        reason = open_because(found, float(se[0]), destination, data.event)
    lost = np.where(np.isinf(se[1:]), np.inf, -np.inf)
    return _of(*about, reason, found, pd.Series(np.where(np.isnan(beta[1:]), lost, beta[1:])))


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
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    needed: int = 40,
    months_needed: int = 36,
) -> Placebo:
    """Rank a destination by the listed codes that appear in its trade: the extensive margin.

    The share of listed codes exported to it in the window, less the share in as many months right
    before the event, less the same of all other codes. A code sold once in a window counts.

    Parameters
    ----------
    panel, listed, destination, event, window, months_needed
        As in `tradeflows.counterfactual.difference.triple_difference`.
    needed : int
        Other destinations that bought listed goods in either window, below which p is undetermined.

    Returns
    -------
    Placebo
        In shares of codes; a large fall is as extreme as a large rise.

    Examples
    --------
    >>> months = pd.date_range("2019-02-01", "2022-02-01", freq="MS")
    >>> rows = [(p, c, t, 10.0) for p in ("RUS", "DEU", "FRA") for c in ("854231", "841810")
    ...     for t in months if not (p == "RUS" and c == "854231" and t < months[-1])]
    >>> panel = pd.DataFrame(rows, columns=["partner", "code", "period", "value_usd"])
    >>> found = placebo_entry(panel, listed=["854231"], window="2022-02", needed=2)
    >>> found.estimate, found.rank
    (1.0, 1)
    """
    data, codes, _, reason = prepared(panel, listed, destination, event, window, months_needed)
    have = data.codes.isin(codes)
    about = (data, "destinations by listed codes that appear", destination, 2)
    if reason:
        return _of(*about, reason)
    late = len(data.months) - data.before
    ends = slice(data.before - late, data.before), slice(data.before, None)
    before, after = (data.amounts[:, :, end].max(axis=2, initial=0.0) > 0 for end in ends)
    more = after.astype("float64") - before
    grown = pd.Series(more[have].mean(axis=0) - more[~have].mean(axis=0), data.destinations)
    bought = (before | after)[have].any(axis=0) & (grown.index != destination)
    if bought.sum() < needed:
        reason = f"{bought.sum()} other destinations with listed trade, {needed} are needed"
    found = _of(*about, reason, float(grown[destination]), grown[bought])
    return replace(found, unit="share of codes")


def growth_rank(
    exports: pd.DataFrame,
    *,
    destination: str = "RUS",
    base: str | int = "2021",
    current: str | int = "2022",
    value: str = "value_usd",
    at_least: float = 100e6,
    needed: int = 20,
) -> Placebo:
    """Rank a destination's growth among destinations of some size.

    Parameters
    ----------
    exports : pandas.DataFrame
        Columns partner, period and the value.
    destination : str
    base, current : str or int
        Windows, such as ``2021``.
    value : str
        Column.
    at_least : float
        Exports in the base window from which a destination counts.
    needed : int
        Destinations below which a share of 5 % cannot be reached.

    Returns
    -------
    Placebo
        ``p`` is the share of destinations that grew at least as much, the destination counted.

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `tradeflows.counterfactual.cube.cube`; windows with unequal numbers of months.

    Examples
    --------
    >>> rows = [(f"D{i}", t, 1.0 + i * t) for i in range(30) for t in (0, 1)]
    >>> rows = pd.DataFrame(rows, columns=["partner", "t", "value_usd"])
    >>> rows["period"] = pd.to_datetime(rows["t"].map({0: "2021-01-01", 1: "2022-01-01"}))
    >>> rank = growth_rank(rows, destination="D29", base="2021-01", current="2022-01", at_least=1)
    >>> str(rank.sentence())
    'D29 ranks 1 of 30 among destinations by growth (p = 0.033)'
    """
    exports = once(destinations(exports, value), value)
    windows = [exports[exports["period"].isin(span(w))] for w in (base, current)]
    months = [part["period"].nunique() for part in windows]
    if months[0] != months[1]:
        raise SchemaMismatch(
            f"{months[0]} published months in {base}, {months[1]} in {current}",
            "as many months on both sides",
            "choose windows of one length that end where the data end",
        )
    sums = [part.groupby("partner")[value].sum() for part in windows]
    both = pd.concat(sums, axis=1, keys=["base", "current"]).fillna(0.0)
    grown = (both["current"] / both["base"] - 1)[both["base"] >= at_least].astype("float64")
    reason = ""
    if len(grown) < needed:
        reason = f"{len(grown)} destinations of that size, {needed} are needed"
    if destination not in grown.index:
        reason = f"exports to {destination} were below the size that counts in {base}"
    return Placebo(
        "destinations by growth", destination, float(grown.get(destination, np.nan)),
        grown.drop(destination, errors="ignore"), reason, 1, "share", f"{current} against {base}",
        origins_of(exports),
    )  # fmt: skip
