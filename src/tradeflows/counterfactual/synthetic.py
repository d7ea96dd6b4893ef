"""Synthetic difference-in-differences of the share of listed goods, with placebo variance."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from tradeflows.counterfactual.cube import Cube
from tradeflows.counterfactual.difference import prepared
from tradeflows.counterfactual.months import Floats
from tradeflows.counterfactual.placebo import Placebo

__all__ = ["synthetic_difference"]

BLOCK = 3  # months: single ones hold zeros, whose log is none


def synthetic_difference(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    needed: int = 40,
    months_needed: int = 36,
) -> Placebo:
    """Compare a destination with a weighted mean of others that went the same way before.

    The outcome is the log of exports of listed over other goods in blocks of three months, counted
    from the event. Other destinations, and blocks before the event, get weights that fit best what
    came before; the estimate is the weighted difference in differences.

    Parameters
    ----------
    panel, listed, destination, event, window, months_needed
        As in `tradeflows.counterfactual.difference.triple_difference`.
    needed : int
        Other destinations with listed and other goods in every block, below which it is
        undetermined.

    Returns
    -------
    Placebo
        The same estimate of every other destination, the destination in question left out; their
        standard deviation is the placebo standard error.

    References
    ----------
    Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021), Synthetic difference-in-differences,
    American Economic Review 111(12), algorithms 1 and 4.

    Examples
    --------
    >>> months = pd.date_range("2019-02-01", "2022-04-01", freq="MS")
    >>> rows = [(p, c, t, 10.0) for p in ("RUS", "DEU", "FRA") for c in ("854231", "841810")
    ...     for t in months]
    >>> panel = pd.DataFrame(rows, columns=["partner", "code", "period", "value_usd"])
    >>> hit = (panel.partner == "RUS") & (panel.code == "854231") & (panel.period >= "2022-02")
    >>> panel.loc[hit, "value_usd"] *= 2
    >>> found = synthetic_difference(panel, listed=["854231"], window="2022-02/2022-04", needed=2)
    >>> round(float(np.exp(found.estimate)), 6)
    2.0
    """
    data, have, here, reason = prepared(panel, listed, destination, event, window, months_needed)
    estimate, values = np.nan, dict[str, float]()
    if not reason and len(data.months) - data.before < BLOCK:
        reason = f"fewer than {BLOCK} published months in the window"
    if not reason:
        logs, before = _logs(data, have)
        names = data.destinations.to_numpy()
        used = np.asarray(np.isfinite(logs).all(axis=1))
        others = np.flatnonzero(used & (np.arange(len(used)) != here))
        if not used[here]:
            reason = f"{destination} has three months without listed or without other goods"
        elif len(others) < needed:
            reason = f"{len(others)} other destinations with both throughout, {needed} are needed"
        if used[here] and len(others) > 1:
            estimate = _estimate(logs[here], logs[others], before)
            values = {
                str(names[i]): _estimate(logs[i], logs[others[others != i]], before) for i in others
            }
    return Placebo(
        "synthetic differences of other destinations", destination, estimate,
        pd.Series(values, dtype="float64"), reason, 2, "log points", data.window, data.origins,
    )  # fmt: skip


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
