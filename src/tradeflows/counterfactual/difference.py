"""Triple difference: listed goods × destination × after, and the same by quarter."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import Cube, cube
from tradeflows.counterfactual.months import Floats, too_few
from tradeflows.counterfactual.shares import difference, logit, split
from tradeflows.counterfactual.statespace import QUANTILES
from tradeflows.periods import month
from tradeflows.result import Result
from tradeflows.words import Sentence, percent

__all__ = [
    "EventStudy",
    "TripleDifference",
    "breakdown",
    "by_quarter",
    "event_study",
    "triple_difference",
]


@dataclass(frozen=True)
class TripleDifference(Result):
    """How much more listed goods went to a destination than other goods and destinations explain.

    Parameters
    ----------
    destination, event, window : str
    beta : float
        In log points; NaN where undetermined.
    se : float
        Robust standard error with month effects taken as known. Shown, not used: with one treated
        destination no standard error holds its level, placebos decide.
    reason : str
        Why it is undetermined, else empty.
    listed : tuple of str
        Listed codes found in the panel.
    absent : tuple of str
        Listed codes that the panel does not hold.
    destinations : int
        Destinations in the fit, the treated one among them.
    left_out : int
        Product × destination pairs left out because a value was missing.
    origins : tuple of str
    """

    destination: str
    event: str
    window: str
    beta: float
    se: float
    reason: str
    listed: tuple[str, ...]
    absent: tuple[str, ...]
    destinations: int
    left_out: int
    origins: tuple[str, ...]

    @property
    def effect(self) -> float:
        """Rise over what the fixed effects explain: exp(β) − 1."""
        return float(np.expm1(self.beta))

    @property
    def table(self) -> pd.DataFrame:
        """One row: β, standard error, effect, counts."""
        row = {
            "beta": self.beta,
            "se (not used)": self.se,
            "effect": self.effect,
            "listed codes": len(self.listed),
            "listed codes absent": len(self.absent),
            "destinations": self.destinations,
            "pairs left out": self.left_out,
        }
        return pd.DataFrame([row], pd.Index([self.destination], name="destination"))

    def sentence(self) -> Sentence:
        """Say the effect, or why it is undetermined."""
        head = f"Listed goods to {spoken(self.destination)}, {self.window}"
        if self.reason:
            return Sentence(f"{head}: cannot be determined ({self.reason})")
        return Sentence(
            f"{head}: {percent(self.effect, sign=True)} against what other goods and"
            f" {self.destinations - 1} other destinations explain (β = {self.beta:.3f},"
            f" {len(self.listed)} listed codes). That is an estimate, no test: whether it is"
            " unusual `placebo_destinations` and `placebo_products` of `tradeflows.counterfactual`"
            " decide"
        )


def triple_difference(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    months_needed: int = 36,
) -> TripleDifference:
    """Estimate listed × destination × after by Poisson pseudo-maximum likelihood.

    E[y] = exp(group × destination + group × month + destination × month + β), collapsed to listed
    and other goods. Collapsed, the destination × month effects concentrate out and a weighted logit
    of the listed share gives the same β.

    Parameters
    ----------
    panel : pandas.DataFrame or Cube
        HS6 exports to all destinations, see `tradeflows.counterfactual.cube.cube`. A Cube brings
        its own event and window; of weights or quantities, make one.
    listed : collection of str
        HS6 codes of the goods in question; all others are the control.
    destination, event, window
        Treated destination; first month after; months after.
    months_needed : int
        Published months before the event, below which the answer is undetermined.

    Returns
    -------
    TripleDifference
        An estimate without a range: with one treated destination no standard error holds its level.
        `tradeflows.counterfactual.placebo_destinations` and `placebo_products` say how often places
        and goods that were not hit look as if they were.

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        As `tradeflows.counterfactual.cube`; annual rows.

    References
    ----------
    Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4). Olden and Møen
    (2022), The triple difference estimator, Econometrics Journal 25(3).

    Examples
    --------
    >>> months = pd.date_range("2019-02-01", "2022-02-01", freq="MS")
    >>> rows = [(p, c, t, 10.0) for p in ("RUS", "DEU", "FRA") for c in ("854231", "841810")
    ...     for t in months]
    >>> panel = pd.DataFrame(rows, columns=["partner", "code", "period", "value_usd"])
    >>> hit = (panel.partner == "RUS") & (panel.code == "854231") & (panel.period == months[-1])
    >>> panel.loc[hit, "value_usd"] *= 2
    >>> found = triple_difference(panel, listed=["854231"], window="2022-02")
    >>> round(found.effect, 6)
    1.0
    """
    data, have, row, reason = prepared(panel, listed, destination, event, window, months_needed)
    beta, se = np.nan, np.nan
    if not reason:
        (b,), (s,) = difference(data.listed(have)[None], data.total, data.before, [row])
        beta, se = float(b[0]), float(s[0])
        if not np.isfinite(beta):
            reason = open_because(beta, se, destination, data.event)
            beta, se = np.nan, np.nan
    return TripleDifference(
        destination, data.event, data.window, beta, se, reason, tuple(map(str, have)),
        tuple(sorted(set(listed) - set(have))), len(data.destinations), data.left_out, data.origins,
    )  # fmt: skip


def prepared(
    panel: pd.DataFrame | Cube, listed: Collection[str], destination: str, event: str,
    window: str | None, needed: int,
) -> tuple[Cube, pd.Index, int, str]:  # fmt: skip
    """Return a cube, its listed codes, the destination's row, and why it cannot be used, if so."""
    data = cube(panel, event=event, window=window)
    have = data.codes[data.codes.isin(list(listed))]
    row = int(data.destinations.get_indexer(pd.Index([destination]))[0])
    return data, have, row, _unusable(data, have, row, destination, needed)


def _unusable(data: Cube, have: pd.Index, row: int, destination: str, needed: int) -> str:
    if not len(have):
        return "the panel holds none of the listed codes"
    if row < 0:
        return f"the panel holds no exports to {destination}"
    if data.before < needed:
        return too_few(data.before, data.event, needed, data.trade_system)
    if data.before == len(data.months):
        return "no month of the window is published"
    if len(data.destinations) < 2 or len(have) == len(data.codes):
        return "no other destination or no other goods to compare with"
    if not data.amounts[:, row, : data.before].any():
        return f"{destination} has no exports before {data.event}"
    return ""


def open_because(beta: float, se: float, destination: str, event: str) -> str:
    """Say why a triple difference is not finite."""
    if np.isnan(beta) and np.isinf(se):
        return "the fit did not converge"
    when = "before" if np.isnan(beta) else "after"
    return f"{destination} bought no listed goods {when} {event} that can be compared"


@dataclass(frozen=True)
class EventStudy(Result):
    """The triple difference by quarter, beside every other destination's.

    Parameters
    ----------
    destination, event, omitted : str
        ``omitted`` is the quarter all others are compared with.
    table : pandas.DataFrame
        By quarter: actual (β), se (not used), and median, low95, high95, low80, high80 of the
        other destinations.
    breakdown : float
        The break of trend after the event, from quarter to quarter and as a multiple of the largest
        before it, from which on the mean β after it may be zero (see `breakdown`).
    pre_trend_p : float
        Joint test of the quarters before the event: share of destinations whose β there, squared
        and over its variance, is on average as large. Small: it had left the others before.
    reason : str
    origins : tuple of str
    """

    destination: str
    event: str
    omitted: str
    table: pd.DataFrame
    breakdown: float
    pre_trend_p: float
    reason: str
    origins: tuple[str, ...]

    def sentence(self) -> Sentence:
        """Say how the quarters after compare with those before."""
        if self.reason:
            return Sentence(f"Event study: cannot be determined ({self.reason})")
        after = self.table.loc[self.table.index >= month(self.event), "actual"].mean()
        return Sentence(
            f"Listed goods to {spoken(self.destination)} stand at"
            f" {percent(np.expm1(after), sign=True)} after the event; a trend that broke each"
            f" quarter by {self.breakdown:.1f} times the largest change before would explain it;"
            f" the quarters before lie as far from zero for {self.pre_trend_p:.0%} of destinations"
        )


def event_study(
    panel: pd.DataFrame | Cube,
    *,
    listed: Collection[str],
    destination: str = "RUS",
    event: str = "2022-02",
    window: str | None = None,
    months_needed: int = 36,
) -> EventStudy:
    """Let the triple difference differ by quarter; the last whole quarter before is omitted.

    Parameters
    ----------
    panel, listed, destination, event, window, months_needed
        As in `triple_difference`.

    Returns
    -------
    EventStudy
        The band is the spread of the same estimate over all other destinations.

    References
    ----------
    Rambachan and Roth (2023), A more credible approach to parallel trends, Review of Economic
    Studies 90(5): bounds on relative magnitudes.
    """
    data, have, _, reason = prepared(panel, listed, destination, event, window, months_needed)
    base = month(data.event).to_period("Q") - 1
    quarters = data.months.to_period("Q")
    if not reason and base not in quarters:
        reason = f"{base} is not published"
    if reason:
        blank = pd.DataFrame(columns=["actual", "se"])
        return EventStudy(
            destination, data.event, str(base), blank, np.nan, np.nan, reason, data.origins
        )
    paths = {str(d): by_quarter(data, have, i) for i, d in enumerate(data.destinations)}
    betas = pd.DataFrame({d: b for d, (b, _) in paths.items()}).replace([np.inf, -np.inf], np.nan)
    table = pd.DataFrame({"actual": betas[destination], "se": paths[destination][1]})
    for name, q in QUANTILES.items():
        table[name] = betas.drop(columns=destination).quantile(q, axis=1)
    table.index = quarters.unique().to_timestamp().rename("quarter")
    late = table["actual"][table.index >= month(data.event)].mean()
    early = table.index < base.to_timestamp()
    spread = pd.DataFrame({d: s for d, (_, s) in paths.items()}).replace([0.0, np.inf], np.nan)
    moved = ((betas / spread.to_numpy())[early] ** 2).mean().dropna()
    joint = float((moved >= moved[destination]).mean()) if destination in moved else np.nan
    if np.isnan(late):
        reason = f"{destination} bought no listed goods in {base} or after the event"
        reason = "the fit did not converge" if np.isinf(table["se"]).any() else reason
    held = breakdown(table["actual"], data.event)
    return EventStudy(destination, data.event, str(base), table, held, joint, reason, data.origins)


def breakdown(path: pd.Series, event: str) -> float:
    """Return how large a break of trend leaves nothing of the mean of a path after an event.

    A trend that leaves the others each quarter by at most M times the largest change before the
    event explains a mean of up to M × change × the mean of quarters since. Returned is M where that
    is the mean; noise in the quarters before makes it smaller. NaN where nothing moved before.

    Examples
    --------
    >>> quarters = pd.date_range("2021-01-01", periods=6, freq="QS")
    >>> breakdown(pd.Series([0.1, 0.0, 0.1, 0.0, 0.6, 0.6], quarters), "2022-01")
    4.0
    """
    before = path.index < (month(event).to_period("Q")).to_timestamp()
    after = path.index >= month(event)
    since = np.arange(1, len(path) + 1) - before.sum()
    reach = path[before].diff().abs().max() * since[after].mean()
    return float(round(abs(path[after].mean()) / reach, 12)) if reach > 0 else np.nan


def by_quarter(data: Cube, have: pd.Index, row: int) -> tuple[Floats, Floats]:
    """Return β and its standard error by quarter; the last whole one before the event is zero."""
    quarters = data.months.to_period("Q")
    names, base = quarters.unique(), month(data.event).to_period("Q") - 1
    pieces = []
    for name in names:
        at = np.flatnonzero(quarters == name)
        pieces.append(slice(int(at[0]), int(at[-1]) + 1))
    zero = int(names.get_loc(base))  # type: ignore[arg-type]
    effects, variance = logit(
        split(data.listed(have)[None], row, pieces),
        split(data.total, row, pieces),
        zero - len(names),
    )
    beta, spread = effects[0, -len(names) :], variance[0, -len(names) :]
    with np.errstate(invalid="ignore"):
        se = np.sqrt(spread + spread[zero])
        se[zero] = 0.0
        return beta - beta[zero], se
