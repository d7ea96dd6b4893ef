"""Segmented regression, for familiarity: it never decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import OLS

from tradeflows.counterfactual.months import cut
from tradeflows.words import Sentence

__all__ = ["Segmented", "segmented"]

LAGS = 12


@dataclass(frozen=True)
class Segmented:
    """Step and slope change of a segmented regression. Decides nothing.

    Parameters
    ----------
    name, event : str
        What was regressed; first month after the break.
    step, se, p : float
        Step in logs, its Newey–West standard error and p-value; NaN where undetermined.
    reason : str
        Why it is undetermined, else empty.
    table : pandas.DataFrame
        Step and slope: estimate, standard error, p-value.
    """

    name: str
    event: str
    step: float
    se: float
    p: float
    reason: str
    table: pd.DataFrame

    decides = False

    def sentence(self) -> Sentence:
        """Say the step, and that it decides nothing."""
        if self.reason:
            return Sentence(f"{self.name}: segmented regression undetermined ({self.reason})")
        return Sentence(
            f"{self.name}: segmented regression puts the step at {np.expm1(self.step):+.0%}"
            f" (p = {self.p:.3f}); shown for familiarity, it decides nothing, because it finds"
            " steps where there are none far more often than its p-value says"
        )


def segmented(series: pd.Series, event: str, *, start: str = "2017-01") -> Segmented:
    """Regress logs on a trend, its break at the event and calendar months, by Newey–West.

    Parameters
    ----------
    series : pandas.Series
        Values ≥ 0 by first day of month.
    event : str
        First month after the break; the twelve months from it are used.
    start : str
        First month used.

    Returns
    -------
    Segmented
        Its p-value rejects a true null in a quarter to two thirds of cases when shocks persist, so
        no rule reads it.

    References
    ----------
    Newey and West (1987), Econometrica 55(3). Bernal, Cummins and Gasparrini (2017),
    International Journal of Epidemiology 46(1).

    Examples
    --------
    >>> months = pd.date_range("2017-01-01", "2023-01-01", freq="MS")
    >>> values = pd.Series(10.0 + np.arange(len(months)) % 2, months, name="Exports")
    >>> segmented(values, "2022-02").decides
    False
    """
    name = str(series.name or "series")
    data = cut(series, event=event, start=start)
    blank = pd.DataFrame(columns=["estimate", "se", "p"])
    if isinstance(data, str) or data.season != 12:
        reason = data if isinstance(data, str) else "too many months are zero"
        return Segmented(name, event, np.nan, np.nan, np.nan, reason, blank)
    levels = data.levels + data.offset
    logs = np.log(np.where(levels > 0, levels, np.nan))
    if np.isfinite(logs[data.before :]).sum() < 3:
        reason = "fewer than three months after the event hold trade"
        return Segmented(name, event, np.nan, np.nan, np.nan, reason, blank)
    trend = np.arange(len(logs), dtype="float64")
    after = (trend >= data.before).astype("float64")
    seasons = np.eye(12)[data.periods.month - 1]
    x = np.column_stack([after, after * (trend - data.before), trend, seasons, data.exog])
    known = ~np.isnan(logs)
    fit = OLS(logs[known], x[known]).fit(cov_type="HAC", cov_kwds={"maxlags": LAGS})
    table = pd.DataFrame(
        {"estimate": fit.params[:2], "se": fit.bse[:2], "p": fit.pvalues[:2]},
        pd.Index(["step", "slope"], name="term"),
    )
    step, se, p = (float(v[0]) for v in (fit.params, fit.bse, fit.pvalues))
    return Segmented(name, event, step, se, p, "", table)
