"""Monthly series cut for a counterfactual: what is fitted, what is forecast, what is compared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.errors import SchemaMismatch
from tradeflows.periods import month, span
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import opened

__all__ = ["PANDEMIC", "Cut", "cut", "monthly", "summed", "too_few"]

Floats = npt.NDArray[np.float64]

PANDEMIC = (pd.Timestamp("2020-04-01"), pd.Timestamp("2020-05-01"))


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


def monthly(days: Any, freq: Iterable[Any] = ()) -> None:
    """Refuse years: taken for Januaries they would leave eleven months a year unpublished."""
    months = pd.DatetimeIndex(list(days)).to_period("M").unique()
    if set(freq) == {"A"} or (len(months) > 1 and (months.month == months.month[0]).all()):
        raise SchemaMismatch(
            f"annual rows, {months.year.min()} to {months.year.max()}",
            "months: years are too few to say what was expected",
            "bring monthly rows; `tf.screen` and `tf.bridge` compare years",
        )


def summed(trade: pd.DataFrame) -> pd.Series:
    """Sum the value of trade rows by month, after the census that every measure takes."""
    with opened(trade, ("period", "code", "value_usd")) as relation:
        seen = census(relation, "value_usd")
        seen.require_one_flow()
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
    """Cut a monthly series at an event, or say in words why it cannot be used; as `expected` says.

    Examples
    --------
    >>> values = pd.Series(5.0, pd.date_range("2017-01-01", "2022-12-01", freq="MS"))
    >>> c = cut(values, event="2022-02", window="2022")
    >>> c.season, c.before, len(c.compared), c.missing
    (12, 61, 11, ())
    """
    when = month(event)
    asked = span(window) if window else pd.date_range(when, periods=12, freq="MS")
    asked = asked[asked >= when]
    if asked.empty:
        return f"the window holds no month from {event} on"
    values = _monthly(series, pd.date_range(month(start), asked[-1], freq="MS"))
    past = values[values.index < when].dropna()
    if len(past) < months_needed:
        return too_few(len(past), event, months_needed, series.attrs.get("trade_system", ""))
    values = values[past.index[0] :]
    other = None if control is None else _monthly(control, values.index)
    if float((past == 0).mean()) <= zeros_allowed:
        return _cut(values, when, asked, other, 12, zeros_allowed)
    return _cut(*_blocks(values, when, asked, other), 4, zeros_allowed)


def too_few(months: int, event: str, needed: int, trade_system: str = "") -> str:
    """Say that months are lacking, and of which trade system they are where that is known."""
    of = f" ({trade_system})" if trade_system else ""
    return f"{months} published months before {event}{of}, {needed} are needed"


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


def _blocks(
    values: pd.Series, when: pd.Timestamp, asked: pd.DatetimeIndex, control: pd.Series | None
) -> tuple[pd.Series, pd.Timestamp, pd.DatetimeIndex, pd.Series | None]:
    """Sum to blocks of three months, counted from the first month of the window.

    A block with an unpublished month, and one across the event, is not published.
    """
    index = pd.DatetimeIndex(values.index)
    step = (index.year - asked[0].year) * 12 + index.month - asked[0].month
    whole = int(-step[0] % 3)  # months before the first whole block
    values, control = values[whole:], None if control is None else control[whole:]
    block = pd.Series(step[whole:] // 3, values.index)
    first = asked[0] + pd.DateOffset(months=3 * int(block.iloc[0]))
    starts = pd.date_range(first, periods=block.nunique(), freq="3MS")

    def summed(monthly: pd.Series) -> pd.Series:
        sums = monthly.groupby(block.to_numpy()).sum(min_count=3)
        return pd.Series(sums.to_numpy(), starts)

    total = summed(values)
    before = pd.Series(values.index < when, values.index).groupby(block.to_numpy()).mean()
    total[((before > 0) & (before < 1)).to_numpy()] = np.nan
    return total, when, starts[starts >= asked[0]], None if control is None else summed(control)


def _cut(
    values: pd.Series,
    when: pd.Timestamp,
    asked: pd.DatetimeIndex,
    control: pd.Series | None,
    season: int,
    zeros_allowed: float,
) -> Cut | str:
    periods = pd.DatetimeIndex(values.index)
    months = 12 // season
    ends = periods + pd.DateOffset(months=months)
    before = int((ends <= when).sum())
    data = values.to_numpy("float64")
    past = data[:before][~np.isnan(data[:before])]
    wanted = np.flatnonzero(periods.isin(asked)) - before
    here = wanted[~np.isnan(data[before + wanted])]
    if not here.size:
        return "no month of the window is published"
    if not past.size or (past == 0).mean() > zeros_allowed:
        share = (past == 0).mean() if past.size else 1.0
        return f"{share:.0%} of the quarters before the event are zero"
    seen = ~np.isnan(data[:before])
    hits = [((periods <= p) & (p < ends)).astype("float64") for p in PANDEMIC]
    columns = _distinct([h for h in hits if h[:before][seen].any()])
    if control is not None:
        level = control.to_numpy("float64")
        if np.isnan(level).any() or (level <= 0).any():
            return "the control series has months that are zero or not published"
        columns.append(np.log(level))
    gone = set(wanted) - set(here)
    return Cut(
        season=season,
        periods=periods,
        levels=data,
        before=before,
        compared=here,
        offset=0.5 * float(past[past > 0].min()) if (past == 0).any() else 0.0,
        exog=np.column_stack(columns) if columns else np.empty((len(data), 0)),
        missing=tuple(f"{p:%Y-%m}" for p in periods[before + np.array(sorted(gone), dtype=int)]),
    )


def _distinct(columns: list[Floats]) -> list[Floats]:
    """Drop columns that repeat another one: two pandemic months in one block are one dummy."""
    kept: list[Floats] = []
    for column in columns:
        if not any(np.array_equal(column, k) for k in kept):
            kept.append(column)
    return kept
