"""What a series would have been: expected sums with bands, against the actual sum."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.counterfactual.cube import Floats, monthly, months_after, too_few
from tradeflows.errors import SchemaMismatch
from tradeflows.periods import month
from tradeflows.progress import progress
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import opened
from tradeflows.result import Result
from tradeflows.words import Sentence, amount

NAMES = {"sarimax": "SARIMAX", "unobserved": "unobserved components"}
PATHS = 5000
QUANTILES = {"median": 0.5, "low95": 0.025, "high95": 0.975, "low80": 0.1, "high80": 0.9}
COLUMNS = ("actual", *QUANTILES, "low20", "ratio", "share_above", "share_below", "place",
           "optimiser", "warnings")  # fmt: skip
PANDEMIC = (pd.Timestamp("2020-04-01"), pd.Timestamp("2020-05-01"))


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
    table : pandas.DataFrame
        A row a model: the sum, its median and bands, their ratio, the shares of paths at or beyond
        the actual sum, itself counted, and ``low20``, the lower fifth. Quantiles are those of
        simulated sums, never sums of pointwise quantiles. NaN where neither optimiser converged;
        no row where the series cannot be used.
    path : pandas.DataFrame
        By period the actual value, and median and bands by SARIMAX.
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
    table: pd.DataFrame
    path: pd.DataFrame
    steps: str
    missing: tuple[str, ...]
    origins: tuple[str, ...]

    @property
    def excess_both(self) -> float:
        """Smaller distance from an upper 95 % band to the actual sum: positive if above all."""
        return float((self.actual - self._known["high95"]).min())

    @property
    def p(self) -> float:
        """Two-sided p-value: the larger of the models' shares of paths beyond the actual sum."""
        tails = self._known[["share_above", "share_below"]].min(axis=1)
        return float(np.minimum(1.0, 2 * tails.max()))

    @property
    def detectable(self) -> float:
        """Smallest factor by which the sum must grow to pass all bands with 80 % chance.

        It depends on the fit before the event only, so it can be read before the result.
        """
        return float((self._known["high95"].max() / self._known["low20"]).max())

    @property
    def _known(self) -> pd.DataFrame:
        """The rows that count: none where the answer is undetermined."""
        return self.table.head(0) if self.outcome == "undetermined" else self.table

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
        bands = (
            "{} {} [{} to {}]".format(model, *(amount(x, self.unit) for x in sums))
            for model, *sums in self.table[["median", "low95", "high95"]].itertuples(name=None)
        )
        return Sentence(f"{self.finding} (expected: {'; '.join(bands)})")


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
    name = str(series.name or "series")
    when, asked = months_after(event, window)
    shown = f"{asked[0]:%Y-%m} to {asked[-1]:%Y-%m}" if len(asked) else str(window)
    about = (name, unit, f"{when:%Y-%m}", shown)
    data = cut(
        series, event=f"{when:%Y-%m}", window=window, control=control, start=start,
        months_needed=months_needed, zeros_allowed=zeros_allowed,
    )  # fmt: skip
    if isinstance(data, str):
        none = pd.DataFrame(columns=COLUMNS)
        return Expectation(*about, "undetermined", data, np.nan, none, none, "month", (), origins)
    said, found = f"expecting {name}", []
    with progress("models", wait=2.0, quiet="TRADEFLOWS_THREADS" in os.environ) as told:
        for i, model in enumerate(NAMES):
            step = partial(told, said, i, len(NAMES) - i)
            found.append(_band(data, model, rng, step))
        told(said, len(NAMES), 0)
    table = pd.DataFrame([row for row, _ in found], pd.Index([*NAMES.values()], name="model"))
    outcome, reason = _outcome(table["place"])
    steps = "month" if data.season == 12 else "quarter"
    return Expectation(
        *about, outcome, reason, data.actual, table, found[0][1], steps, data.missing, origins
    )


def _outcome(place: pd.Series) -> tuple[str, str]:
    if failed := [*place.index[place == "undetermined"]]:
        return "undetermined", f"{' and '.join(failed)} did not converge"
    if len(set(place)) == 1:
        return place.iloc[0], f"{place.iloc[0]} both 95 % bands"
    each = ", ".join(f"{where} that of {model}" for model, where in place.items())
    return "inside", f"the models disagree: {each}"


def summed(trade: pd.DataFrame) -> pd.Series:
    """Sum the value of trade rows by month, after the census that every measure takes."""
    with opened(trade, ("period", "code", "value_usd")) as relation:
        seen = census(relation, "value_usd")
        for reporter, days in seen.published.items():
            if lacks := sorted(set(seen.value_of) - days):
                raise SchemaMismatch(
                    f"reporter {reporter} has no rows for {lacks[0]:%Y-%m}, others have",
                    "one reporter, or reporters with rows in the same months",
                    f"leave {reporter} out, or sum the months yourself where they are true zeros",
                )
        sums = pd.Series(seen.value_of, name="value_usd", dtype="float64")
        first = pd.DatetimeIndex(sums.index).to_period("M").to_timestamp()
        sums = sums.groupby(first).sum()
        unique(relation, "TRUE", "value_usd")
    monthly(sums.index, ["A"] if seen.annual else [])
    return sums


@dataclass(frozen=True)
class Cut:
    """A series ready for a model: logs before the event, and the steps to be forecast.

    ``season`` steps in a year (12 months, or 4 blocks); ``levels`` by step, NaN where not
    published; ``before`` steps before the event; ``compared`` positions, after these, of published
    steps of the window; ``offset`` added before the log; ``exog`` a column for each pandemic step
    and for the log of a control; ``missing`` steps of the window that are not published in full.
    """

    season: int
    periods: pd.DatetimeIndex
    levels: Floats
    before: int
    compared: npt.NDArray[np.int_]
    offset: float
    exog: Floats
    missing: tuple[str, ...]

    @property
    def logs(self) -> Floats:
        """Logs of the steps before the event."""
        return np.log(self.levels[: self.before] + self.offset)

    @property
    def actual(self) -> float:
        """Sum over the steps that are compared."""
        return float(self.levels[self.before + self.compared].sum())


def cut(
    series: pd.Series,
    *,
    event: str,
    window: str | int | None = None,
    control: pd.Series | None = None,
    start: str = "2017-01",
    months_needed: int = 36,
    zeros_allowed: float = 0.30,
) -> Cut | str:
    """Cut a series as `expected` says, or say in words why it cannot be used."""
    when, asked = months_after(event, window)
    if asked.empty:
        return f"the window holds no month from {event} on"
    values = _monthly(series, pd.date_range(month(start), asked[-1], freq="MS"))
    known = values[values.index < when].dropna()
    if len(known) < months_needed:
        return too_few(len(known), event, months_needed, series.attrs.get("trade_system", ""))
    values, months = values[known.index[0] :], 1
    control = None if control is None else _monthly(control, values.index)
    if float((known == 0).mean()) > zeros_allowed:
        months = 3
        values = _quarters(values, asked[0])
        control = None if control is None else _quarters(control, asked[0])
    periods = pd.DatetimeIndex(values.index)
    ends = periods + pd.DateOffset(months=months)
    values[(periods < when) & (ends > when)] = np.nan  # a block across the event
    levels, before = values.to_numpy("float64"), int((ends <= when).sum())
    past, wanted = levels[:before], np.flatnonzero(periods >= asked[0]) - before
    here, past = wanted[~np.isnan(levels[before + wanted])], past[~np.isnan(past)]
    zeros = float((past == 0).mean()) if past.size else 1.0
    if not here.size:
        return "no month of the window is published"
    if zeros > zeros_allowed:
        return f"{zeros:.0%} of the quarters before the event are zero"
    hits = [((periods <= p) & (p < ends)).astype("float64") for p in PANDEMIC]
    seen = [h for h in hits if h[:before][~np.isnan(levels[:before])].any()]
    columns = [*{h.tobytes(): h for h in seen}.values()]  # two months in one block are one dummy
    if control is not None:
        if not (control > 0).all():
            return "the control series has months that are zero or not published"
        columns.append(np.log(control.to_numpy("float64")))
    gone = before + np.setdiff1d(wanted, here)
    return Cut(
        season=12 // months,
        periods=periods,
        levels=levels,
        before=before,
        compared=here,
        offset=0.5 * float(past[past > 0].min()) if zeros else 0.0,
        exog=np.column_stack(columns) if columns else np.empty((len(levels), 0)),
        missing=tuple(f"{p:%Y-%m}" for p in periods[gone]),
    )


def _monthly(series: pd.Series, months: pd.DatetimeIndex | pd.Index) -> pd.Series:
    """Return the series on these months, NaN where not published."""
    index = pd.DatetimeIndex(series.index)
    monthly(index)
    if index.has_duplicates or (index.day != 1).any() or (series < 0).any():
        raise SchemaMismatch(
            f"series {series.name!r}: months that stand twice, days other than the first, or"
            " negative values",
            "one value ≥ 0 for each first day of a month",
            "sum by month before asking for an expectation",
        )
    return pd.Series(series.to_numpy("float64"), index).reindex(months)


def _quarters(values: pd.Series, first: pd.Timestamp) -> pd.Series:
    """Sum to blocks of three months, counted from a month; one not published in full is not."""
    index = pd.DatetimeIndex(values.index)
    step = (index.year - first.year) * 12 + index.month - first.month
    whole = int(-step[0] % 3)  # months before the first whole block
    sums = values[whole:].groupby(step[whole:] // 3).sum(min_count=3)
    return sums.set_axis(
        pd.DatetimeIndex([first + pd.DateOffset(months=3 * n) for n in sums.index])
    )


def _band(
    data: Cut, model: str, rng: int, told: Callable[[], None]
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Fit one model before the event and simulate what follows: its row, and its path.

    ``sarimax`` is the airline model (0,1,1)(0,1,1), ``unobserved`` a local linear trend with two
    seasonal harmonics (Harvey, 1989). Parameters are taken as known: the band holds shocks to come,
    not estimation error. ``told`` is called at each step of the search.
    """
    result, optimiser, notes = _fit(data, model, told)
    steps = len(data.levels) - data.before
    paths = np.full((steps, 1), np.nan) if result is None else simulated(result, data, rng=rng)
    good = bool(np.isfinite(paths).all())
    paths = paths if good else np.full((steps, 1), np.nan)
    sums, actual = paths[data.compared].sum(axis=0), data.actual
    beyond = [float((1 + many.sum()) / (1 + sums.size)) if good else np.nan
              for many in (sums >= actual, sums <= actual)]  # fmt: skip
    found = {name: float(np.quantile(sums, q)) for name, q in {**QUANTILES, "low20": 0.2}.items()}
    sides = {"above": actual > found["high95"], "below": actual < found["low95"]}
    place = next((side for side, there in sides.items() if there), "inside")
    path = pd.DataFrame({"actual": data.levels}, data.periods.rename("period"))
    for name, q in QUANTILES.items():
        path[name] = np.append(np.full(data.before, np.nan), np.quantile(paths, q, axis=1))
    row = {
        "actual": actual,
        **found,
        "ratio": actual / found["median"] if found["median"] > 0 else np.nan,
        "share_above": beyond[0],
        "share_below": beyond[1],
        "place": place if good else "undetermined",
        "optimiser": optimiser,
        "warnings": "; ".join(notes),
    }
    return row, path


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
