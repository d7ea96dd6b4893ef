"""Two state-space models on logs, and the simulated paths of what comes after the event."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.counterfactual.months import Cut, Floats

__all__ = ["NAMES", "QUANTILES", "Band", "band", "simulated"]

NAMES = {"sarimax": "SARIMAX", "unobserved": "unobserved components"}
PATHS = 5000
QUANTILES = {"median": 0.5, "low95": 0.025, "high95": 0.975, "low80": 0.1, "high80": 0.9}


@dataclass(frozen=True)
class Band:
    """What one model expected, and where the actual sum lies.

    ``table`` holds actual, median and bands by period. Quantiles are those of simulated sums over
    the window, never sums of pointwise quantiles; ``low20`` is their lower fifth. Shares are those
    of sums at or beyond the actual one, itself counted. Where neither optimiser converged the band
    is empty (NaN).
    """

    model: str
    table: pd.DataFrame
    median: float
    low95: float
    high95: float
    low80: float
    high80: float
    actual: float
    share_above: float
    share_below: float
    low20: float
    converged: bool
    optimiser: str
    warnings: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Actual sum over the median of the simulated sums."""
        return self.actual / self.median if self.median > 0 else np.nan

    @property
    def place(self) -> str:
        """``above``, ``below`` or ``inside`` the 95 % band of the sum."""
        if self.actual > self.high95:
            return "above"
        return "below" if self.actual < self.low95 else "inside"


def band(data: Cut, model: str, *, rng: int = 0, told: Callable[[], None] = lambda: None) -> Band:
    """Fit one model before the event and simulate what follows.

    ``sarimax`` is the airline model (0,1,1)(0,1,1), ``unobserved`` a local linear trend with two
    seasonal harmonics (Harvey, 1989). Parameters are taken as known: the band holds shocks to come,
    not estimation error. ``told`` is called at each step of the search.
    """
    result, optimiser, notes = _fit(data, model, told)
    paths = None if result is None else simulated(result, data, rng=rng)
    table = pd.DataFrame({"actual": data.levels}, data.periods.rename("period"))
    table = table.assign(**dict.fromkeys(QUANTILES, np.nan))
    if paths is None or not np.isfinite(paths).all():
        empty = dict.fromkeys(QUANTILES, np.nan)
        return Band(
            model, table, **empty, actual=data.actual, share_above=np.nan, share_below=np.nan,
            low20=np.nan, converged=False, optimiser=optimiser, warnings=notes,
        )  # fmt: skip
    for name, q in QUANTILES.items():
        table[name] = np.append(np.full(data.before, np.nan), np.quantile(paths, q, axis=1))
    sums = paths[data.compared].sum(axis=0)
    low20, *_ = quantiles = [float(np.quantile(sums, q)) for q in (0.2, *QUANTILES.values())]
    return Band(
        model,
        table,
        **dict(zip(QUANTILES, quantiles[1:], strict=True)),
        actual=data.actual,
        share_above=float((1 + (sums >= data.actual).sum()) / (1 + sums.size)),
        share_below=float((1 + (sums <= data.actual).sum()) / (1 + sums.size)),
        low20=low20,
        converged=True,
        optimiser=optimiser,
        warnings=notes,
    )


def simulated(result: Any, data: Cut, *, rng: int) -> Floats:
    """Return simulated paths in levels, steps in rows: the forecast and what shocks add to it.

    States at the event are drawn by the symmetric root of their covariance, which is unique: an
    SVD, which numpy's own draw takes, is so up to signs only, and these differ from processor to
    processor.
    """
    steps = len(data.levels) - data.before
    exog = data.exog[data.before :] if data.exog.shape[1] else None
    draw = np.random.default_rng(rng)
    cov = result.predicted_state_cov[:, :, -1]
    if not np.isfinite(cov).all():  # a fit without bounds on its state has no band
        return np.full((steps, PATHS), np.nan)
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    state = root @ draw.standard_normal((len(cov), PATHS))
    model = result.filter_results
    design, transition, selection, state_cov, obs_cov = (
        getattr(model, name)[:, :, 0]
        for name in ("design", "transition", "selection", "state_cov", "obs_cov")
    )
    shocks = draw.standard_normal((PATHS, steps * (1 + len(state_cov)))).T
    noise = np.sqrt(obs_cov) * shocks[:steps]
    moves = selection * np.sqrt(np.diag(state_cov))  # shocks are independent in both models
    moved = shocks[steps:].reshape(steps, -1, PATHS)
    logs = np.empty((steps, PATHS))
    for i, expected in enumerate(result.forecast(steps, exog=exog)):
        logs[i] = expected + design @ state + noise[i]
        state = transition @ state + moves @ moved[i]
    with np.errstate(over="ignore", invalid="ignore"):
        out: Floats = np.maximum(np.exp(logs) - data.offset, 0.0)
    return out


@cache
def _models() -> tuple[Any, Any]:
    """Return the two models, with one thread of linear algebra where scipy was not loaded before.

    It reads the variables when it is loaded; on the small matrices of a month more threads only
    wait for one another. Imported here: two seconds for whoever only shows a bridge.
    """
    unset = {"OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"} - set(os.environ)
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        from statsmodels.tsa.statespace.sarimax import SARIMAX
        from statsmodels.tsa.statespace.structural import UnobservedComponents
    finally:
        for name in unset:
            del os.environ[name]
    return SARIMAX, UnobservedComponents


def _build(data: Cut, model: str) -> Any:
    sarimax, components = _models()
    exog = data.exog[: data.before] if data.exog.shape[1] else None
    if model == "sarimax":
        return sarimax(data.logs, exog=exog, order=(0, 1, 1), seasonal_order=(0, 1, 1, data.season))
    return components(
        data.logs,
        level="local linear trend",
        freq_seasonal=[{"period": data.season, "harmonics": 2}],
        exog=exog,
    )


def _fit(data: Cut, model: str, told: Callable[[], None]) -> tuple[Any, str, tuple[str, ...]]:
    """Fit, once more with Powell's method if the first optimiser did not converge.

    The gradient is exact to rounding (complex steps): with forward differences the search ends
    short of the optimum, and where depends on the processor.
    """
    notes: list[str] = []
    for optimiser in ("lbfgs", "powell"):
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
            warnings.simplefilter("always")
            try:
                result = _build(data, model).fit(
                    method=optimiser, maxiter=500, disp=0, optim_score="approx",
                    callback=lambda _: told(),
                )  # fmt: skip
                good = bool(result.mle_retvals["converged"]) and bool(
                    np.isfinite(result.params).all() and np.isfinite(result.llf)
                )
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                notes.append(f"{optimiser}: {error}")
                good = False
        notes += [f"{optimiser}: {str(w.message).splitlines()[0]}" for w in caught]
        if good:
            return result, optimiser, tuple(dict.fromkeys(notes))
    return None, "powell", tuple(dict.fromkeys(notes))
