"""What a series would have been: expected sums with bands, against the actual sum."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from tradeflows.counterfactual.months import cut, summed
from tradeflows.counterfactual.statespace import NAMES, Band, band
from tradeflows.periods import month, span
from tradeflows.progress import progress
from tradeflows.result import Result
from tradeflows.words import Sentence, amount

__all__ = ["Expectation", "expected"]


@dataclass(frozen=True)
class Expectation(Result):
    """An actual sum beside what the models expected of it.

    Parameters
    ----------
    name, unit : str
        What is summed, and its unit.
    event, window : str
        First month that was not fitted; months summed.
    outcome : str
        ``above`` or ``below`` the 95 % bands of every model, ``inside`` one of them, or
        ``undetermined``.
    reason : str
        Why, in words.
    actual : float
        Actual sum over the steps compared.
    bands : tuple of Band
        One per model; empty where the series cannot be used.
    steps : str
        ``month`` or ``quarter``.
    missing : tuple of str
        Steps of the window that are not compared, not being published in full.
    origins : tuple of str
        Ids of the raw files under the series.
    """

    name: str
    unit: str
    event: str
    window: str
    outcome: str
    reason: str
    actual: float
    bands: tuple[Band, ...]
    steps: str
    missing: tuple[str, ...]
    origins: tuple[str, ...]

    @property
    def excess_both(self) -> float:
        """Smaller distance from an upper 95 % band to the actual sum: positive if above all."""
        return min((b.actual - b.high95 for b in self._usable), default=np.nan)

    @property
    def p(self) -> float:
        """Two-sided p-value: the larger of the models' shares of paths beyond the actual sum."""
        tails = [2 * min(b.share_above, b.share_below) for b in self._usable]
        return min(1.0, max(tails)) if tails else np.nan

    @property
    def detectable(self) -> float:
        """Smallest factor by which the sum must grow to pass all bands with 80 % chance.

        It depends on the fit before the event only, so it can be read before the result.
        """
        highest = max((b.high95 for b in self._usable), default=np.nan)
        return max(
            (highest / b.low20 if b.low20 > 0 else np.inf for b in self._usable), default=np.nan
        )

    @property
    def _usable(self) -> tuple[Band, ...]:
        return () if self.outcome == "undetermined" else self.bands

    @property
    def table(self) -> pd.DataFrame:
        """One row per model: the sum, its bands, ratio, share of paths above."""
        columns = ("actual", "median", "low95", "high95", "low80", "high80", "ratio", "share_above")
        rows = [
            {c: getattr(b, c) for c in columns}
            | {"place": b.place if b.converged else "undetermined", "optimiser": b.optimiser}
            | {"warnings": "; ".join(b.warnings)}
            for b in self.bands
        ]
        index = pd.Index([NAMES[b.model] for b in self.bands], name="model")
        return pd.DataFrame(rows, index, columns=[*columns, "place", "optimiser", "warnings"])

    def paths(self, model: str = "sarimax") -> pd.DataFrame:
        """Return actual, median and bands by period for one model."""
        return next(b.table for b in self.bands if b.model == model)

    @property
    def finding(self) -> str:
        """The sum, and where it stands."""
        gap = f" without {', '.join(self.missing)}" if self.missing else ""
        gap += ", in quarters" if self.steps == "quarter" else ""
        return f"{self.name}, {self.window}{gap}: {amount(self.actual, self.unit)}, {self.reason}"

    def sentence(self) -> Sentence:
        """Say the finding with its numbers.

        Examples
        --------
        >>> short = pd.Series(1.0, pd.date_range("2021-01-01", periods=24, freq="MS"), name="Coal")
        >>> str(expected(short, event="2022-02").sentence())
        'Coal: cannot be determined (13 published months before 2022-02, 36 are needed)'
        """
        if self.outcome == "undetermined":
            return Sentence(f"{self.name}: cannot be determined ({self.reason})")
        bands = "; ".join(
            f"{NAMES[b.model]} {amount(b.median, self.unit)}"
            f" [{amount(b.low95, self.unit)} to {amount(b.high95, self.unit)}]"
            for b in self.bands
        )
        return Sentence(f"{self.finding} (expected: {bands})")


def expected(
    series: pd.Series | pd.DataFrame,
    *,
    event: str,
    window: str | int | None = None,
    control: pd.Series | None = None,
    start: str = "2017-01",
    unit: str = "USD",
    origins: tuple[str, ...] = (),
    rng: int = 0,
    months_needed: int = 36,
    zeros_allowed: float = 0.30,
) -> Expectation:
    """Forecast a monthly series from before an event and compare the sum over a window.

    Both models are fitted on logs, with dummies for April and May 2020. Paths are simulated, each
    path is summed over the window, and the quantiles are those of the sums. Too few published
    months before the event leave the answer undetermined; too many zero months turn months into
    quarters; a zero that remains is met by adding half the smallest positive value before the log.
    A model that does not converge leaves the answer undetermined. Models are fitted on one thread:
    with scipy loaded before, set ``OPENBLAS_NUM_THREADS=1`` before it. A fit that takes longer
    than two seconds says how far it is, except on the pages of a report.

    Parameters
    ----------
    series : pandas.Series or pandas.DataFrame
        Values ≥ 0 by first day of month; an absent month or NaN is not published. Or rows of trade,
        whose value is summed by month: totals beside their parts are refused, as in `bridge`.
    event : str
        First month that is not fitted, such as ``2022-02``.
    window : str or int, optional
        Months summed, ``2022`` or ``2022-02/2023-01``; those before the event are left out.
        Default: twelve months from the event.
    control : pandas.Series, optional
        A series the event did not touch, as a regressor. Noise in it pulls its coefficient to zero,
        so it takes up less of a common rise than there is.
    start : str
        First month that is fitted.
    unit : str
        Unit of the values.
    origins : tuple of str
        Ids of the raw files under the series.
    rng : int
        Seed of the simulated paths.
    months_needed : int
        Published months before the event, below which the answer is undetermined.
    zeros_allowed : float
        Share of zero months above which quarters are used, and of zero quarters above which the
        answer is undetermined.

    Returns
    -------
    Expectation

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        Months that stand twice, annual values, negative values; what `bridge` refuses to sum.

    Examples
    --------
    >>> months = pd.date_range("2017-01-01", "2023-01-01", freq="MS")
    >>> noise = np.random.default_rng(5).normal(0, 0.1, len(months))
    >>> values = pd.Series(np.exp(3 + noise), months, name="Exports")
    >>> values["2022-02":] *= 3
    >>> found = expected(values, event="2022-02")
    >>> found.outcome, found.excess_both > 0, round(found.detectable, 1) < 2
    ('above', True, True)
    """
    if isinstance(series, pd.DataFrame):
        series = summed(series)
    name, event = str(series.name or "series"), f"{month(event, 'event'):%Y-%m}"
    asked = span(window) if window else pd.date_range(month(event), periods=12, freq="MS")
    asked = asked[asked >= month(event)]
    shown = f"{asked[0]:%Y-%m} to {asked[-1]:%Y-%m}" if len(asked) else str(window)
    data = cut(
        series, event=event, window=window, control=control, start=start,
        months_needed=months_needed, zeros_allowed=zeros_allowed,
    )  # fmt: skip
    if isinstance(data, str):
        return Expectation(
            name, unit, event, shown, "undetermined", data, np.nan, (), "month", (), origins
        )
    said = f"expecting {name}"
    bands = []
    with progress("models", wait=2.0, quiet="TRADEFLOWS_THREADS" in os.environ) as told:
        for i, model in enumerate(NAMES):
            bands.append(band(data, model, rng=rng, told=partial(told, said, i, len(NAMES) - i)))
        told(said, len(NAMES), 0)
    outcome, reason = _outcome(tuple(bands))
    steps = "month" if data.season == 12 else "quarter"
    return Expectation(
        name, unit, event, shown, outcome, reason, data.actual, tuple(bands), steps,
        data.missing, origins,
    )  # fmt: skip


def _outcome(bands: tuple[Band, ...]) -> tuple[str, str]:
    failed = [NAMES[b.model] for b in bands if not b.converged]
    if failed:
        return "undetermined", f"{' and '.join(failed)} did not converge"
    places = {b.place for b in bands}
    if len(places) == 1:
        place = places.pop()
        return place, f"{place} both 95 % bands"
    each = ", ".join(f"{b.place} that of {NAMES[b.model]}" for b in bands)
    return "inside", f"the models disagree: {each}"
