"""Placebos: how often destinations, goods or dates that were not hit look as if they were."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import Cube
from tradeflows.counterfactual.difference import (
    TripleDifference,
    as_cube,
    open_because,
    triple_difference,
    unusable,
)
from tradeflows.counterfactual.expectation import PLACEBO_DATES
from tradeflows.counterfactual.months import Floats
from tradeflows.counterfactual.shares import Masks, difference
from tradeflows.periods import month
from tradeflows.result import Result
from tradeflows.words import Sentence

__all__ = [
    "Placebo",
    "placebo_destinations",
    "placebo_events",
    "placebo_products",
]

DESTINATIONS_NEEDED = 40
PLACEBO_MONTHS = 12


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
    p : float
        Share of cases at least as extreme, the case in question counted; NaN where undetermined.
    p_ratio : float
        The same for estimates over their standard errors, small destinations being noisier.
    reason : str
        Why it is undetermined, else empty.
    sides : int
        2 if large falls count as extreme, else 1.
    unit, window : str
    origins : tuple of str
    """

    name: str
    case: str
    estimate: float
    values: pd.Series
    p: float
    p_ratio: float
    reason: str
    sides: int
    unit: str
    window: str
    origins: tuple[str, ...]

    @property
    def rank(self) -> int:
        """Cases at least as extreme as the one in question, itself counted."""
        return 1 + int(_extreme(self.values.to_numpy("float64"), self.estimate, self.sides))

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


def _extreme(values: Floats, estimate: float, sides: int) -> int:
    known = values[~np.isnan(values)]
    return int((np.abs(known) >= abs(estimate)).sum() if sides == 2 else (known >= estimate).sum())


def _undetermined(name: str, case: str, reason: str, data: Cube, sides: int) -> Placebo:
    empty = pd.Series(dtype="float64")
    return Placebo(
        name,
        case,
        np.nan,
        empty,
        np.nan,
        np.nan,
        reason,
        sides,
        "log points",
        data.window,
        data.origins,
    )


def placebo_destinations(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    value: str = "value_usd",
    needed: int = DESTINATIONS_NEEDED,
    months_needed: int = 36,
) -> Placebo:
    """Re-estimate the triple difference with every other destination as the treated one.

    p is the share of the J + 1 destinations whose absolute estimate is at least as large, the
    destination itself counted. One whose trade in listed goods stopped counts as more extreme.

    Parameters
    ----------
    panel, listed, destination, event, window, value, months_needed
        As in `tradeflows.counterfactual.difference.triple_difference`.
    needed : int
        Placebo destinations with listed trade before the event, below which p is undetermined.

    Returns
    -------
    Placebo

    References
    ----------
    Conley and Taber (2011), Review of Economics and Statistics 93(1). MacKinnon and Webb (2020),
    Journal of Econometrics 218(2).
    """
    data = as_cube(panel, event=event, window=window, value=value)
    have = data.codes[data.codes.isin(list(listed))]
    name = "placebo destinations"
    reason = unusable(data, have, destination, months_needed)
    if reason:
        return _undetermined(name, destination, reason, data, 2)
    (beta,), (se,) = difference(
        data.listed(have)[None], data.total, data.before, list(range(len(data.destinations)))
    )
    here = int(data.destinations.get_loc(destination))  # type: ignore[arg-type]
    found, found_se = float(beta[here]), float(se[here])
    known = ~np.isnan(beta)
    known[here] = False
    values = pd.Series(beta[known], data.destinations[known].astype(str))
    if not np.isfinite(found):
        reason = open_because(found, found_se, destination, data.event)
    elif len(values) < needed:
        reason = f"{len(values)} other destinations with listed trade, {needed} are needed"
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(np.isinf(beta), np.abs(beta), np.abs(beta / se))[known]
    many = len(values) + 1
    p = (1 + _extreme(values.to_numpy(), found, 2)) / many if not reason else np.nan
    p_ratio = (1 + _extreme(ratios, found / found_se, 2)) / many if not reason else np.nan
    return Placebo(
        name,
        destination,
        found,
        values,
        p,
        p_ratio,
        reason,
        2,
        "log points",
        data.window,
        data.origins,
    )


def placebo_products(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    value: str = "value_usd",
    draws: int = 999,
    rng: int | np.random.Generator = 0,
    months_needed: int = 36,
) -> Placebo:
    """Re-estimate the triple difference with random sets of goods in place of the listed ones.

    Each set has as many codes as the list in each decile of exports before the event; the listed
    codes may be drawn, so that the list is one of the sets. p = (1 + #{b* ≥ b}) / (draws + 1).

    Parameters
    ----------
    panel, listed, destination, event, window, value, months_needed
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
    data = as_cube(panel, event=event, window=window, value=value)
    have = data.codes[data.codes.isin(list(listed))]
    name = "placebo product sets"
    case = f"The list to {spoken(destination)}"
    reason = unusable(data, have, destination, months_needed)
    if reason:
        return _undetermined(name, case, reason, data, 1)
    row = int(data.destinations.get_loc(destination))  # type: ignore[arg-type]
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
    placebos = np.where(np.isnan(beta[1:]), lost, beta[1:])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(np.isfinite(placebos), placebos / se[1:], placebos)
    p = (1 + _extreme(placebos, found, 1)) / (draws + 1) if not reason else np.nan
    p_ratio = (1 + _extreme(ratios, found / se[0], 1)) / (draws + 1) if not reason else np.nan
    return Placebo(
        name,
        case,
        found,
        pd.Series(placebos),
        p,
        p_ratio,
        reason,
        1,
        "log points",
        data.window,
        data.origins,
    )


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


def placebo_events(
    panel: pd.DataFrame,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    dates: tuple[str, ...] = PLACEBO_DATES,
    value: str = "value_usd",
) -> tuple[TripleDifference, ...]:
    """Pretend the event came earlier, on the months before the real one.

    Parameters
    ----------
    panel, listed, destination, event, value
        As in `tradeflows.counterfactual.difference.triple_difference`.
    dates : tuple of str
        Pretended events; not 2020, the pandemic.

    Returns
    -------
    tuple of TripleDifference
        Undetermined where fewer than twelve months lie before the date; for the real event 36 are
        needed, and no verdict rests on these.
    """
    found = []
    for date in dates:
        last = min(month(date) + pd.DateOffset(months=11), month(event) - pd.DateOffset(months=1))
        window = f"{date}/{last:%Y-%m}"
        found.append(
            triple_difference(
                panel,
                listed=listed,
                destination=destination,
                event=date,
                window=window,
                value=value,
                months_needed=PLACEBO_MONTHS,
            )
        )
    return tuple(found)
