"""Triple difference: listed goods × destination × after, and the same by quarter.

With two groups of products, E[y] = exp(group × destination + group × month + destination × month
+ β x) given the destination's total is a logit of the listed share on destination and month
effects, weighted by the total: the same estimate as the full Poisson fit, in milliseconds.
The treated destination gets a row of its own before and after the event, so β is the difference of
two destination effects.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Required, TypedDict, Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.counterfactual.cube import Cube, Floats, cube, too_few
from tradeflows.counterfactual.expectation import QUANTILES
from tradeflows.periods import month
from tradeflows.result import Result
from tradeflows.words import Sentence, percent

Masks = npt.NDArray[np.bool_]
CHUNK = 8  # tables fitted at once: more leave the cache
ROUNDS = 150
SETTLED = 1e-6  # steps square from here on
RIDGE = 1e-10


class Asked(TypedDict, total=False):
    """What every comparison of destinations takes; `triple_difference` says what each is."""

    listed: Required[Collection[str]]
    destination: str
    event: str
    window: str | None
    months_needed: int


class Compared(NamedTuple):
    """A cube, its listed codes, the row of a destination, and why it cannot be used, if so."""

    data: Cube
    have: pd.Index
    destination: str
    row: int
    reason: str


def compared(
    panel: pd.DataFrame | Cube, *, listed: Collection[str], destination: str = "RUS",
    event: str = "2022-02", window: str | None = None, months_needed: int = 36,
) -> Compared:  # fmt: skip
    """Find in a panel what is to be compared."""
    data = cube(panel, event=event, window=window)
    have = data.codes[data.codes.isin(list(listed))]
    row = int(data.destinations.get_indexer(pd.Index([destination]))[0])
    alone = len(data.destinations) < 2 or len(have) == len(data.codes)
    few = too_few(data.before, data.event, months_needed, data.trade_system)
    reasons = {
        "the panel holds none of the listed codes": not len(have),
        f"the panel holds no exports to {destination}": row < 0,
        few: data.before < months_needed,
        "no month of the window is published": data.before == len(data.months),
        "no other destination or no other goods to compare with": alone,
        f"{destination} has no exports before {data.event}":
            row >= 0 and not data.amounts[:, row, : data.before].any(),
    }  # fmt: skip
    return Compared(data, have, destination, row, next((r for r, x in reasons.items() if x), ""))


def open_because(asked: Compared, beta: float, se: float) -> str:
    """Say why a triple difference is not finite; nothing where it is."""
    if np.isfinite(beta):
        return ""
    if np.isnan(beta) and np.isinf(se):
        return "the fit did not converge"
    when = f"{'before' if np.isnan(beta) else 'after'} {asked.data.event}"
    return f"{asked.destination} bought no listed goods {when} that can be compared"


@dataclass(frozen=True)
class TripleDifference(Result):
    """How much more listed goods went to a destination than other goods and destinations explain.

    ``beta`` is in log points, NaN where undetermined, and ``reason`` says why. ``se`` is a robust
    standard error with month effects taken as known: shown, not used, for with one treated
    destination no standard error holds its level and placebos decide. ``listed`` and ``absent``
    codes are those that the panel holds and lacks; ``left_out`` counts pairs of product and
    destination without a value.
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
    asked = compared(
        panel, listed=listed, destination=destination, event=event, window=window,
        months_needed=months_needed,
    )  # fmt: skip
    data, have, _, row, reason = asked
    beta, se = np.nan, np.nan
    if not reason:
        (b,), (s,) = difference(data.listed(have)[None], data.total, data.before, [row])
        reason = open_because(asked, float(b[0]), float(s[0]))
        beta, se = (np.nan, np.nan) if reason else (float(b[0]), float(s[0]))
    return TripleDifference(
        destination, data.event, data.window, beta, se, reason, tuple(map(str, have)),
        tuple(sorted(set(listed) - set(have))), len(data.destinations), data.left_out, data.origins,
    )  # fmt: skip


@dataclass(frozen=True)
class EventStudy(Result):
    """The triple difference by quarter, beside every other destination's.

    ``omitted`` is the quarter all others are compared with. ``table`` has by quarter actual (β), se
    (not used), and median, low95, high95, low80, high80 of the other destinations. ``breakdown`` is
    the break of trend after the event, from quarter to quarter and as a multiple of the largest
    before it, from which on the mean β after it may be zero. ``pre_trend_p`` tests the quarters
    before the event jointly: the share of destinations whose β there, squared and over its
    variance, is on average as large. Small: it had left the others before.
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


def event_study(panel: pd.DataFrame | Cube, **asked: Unpack[Asked]) -> EventStudy:
    """Let the triple difference differ by quarter; the last whole quarter before is omitted.

    Takes what `triple_difference` takes. The band is the spread of the same estimate over all other
    destinations.

    References
    ----------
    Rambachan and Roth (2023), A more credible approach to parallel trends, Review of Economic
    Studies 90(5): bounds on relative magnitudes.
    """
    data, have, destination, _, reason = compared(panel, **asked)
    base = month(data.event).to_period("Q") - 1
    quarters = data.months.to_period("Q")
    if not reason and base not in quarters:
        reason = f"{base} is not published"
    table, held, joint = pd.DataFrame(columns=["actual", "se"]), np.nan, np.nan
    if not reason:
        paths = [by_quarter(data, have, i) for i in range(len(data.destinations))]
        index = quarters.unique().to_timestamp().rename("quarter")
        beta, se = (pd.DataFrame(dict(zip(data.destinations, part, strict=True)), index)
                    for part in zip(*paths, strict=True))  # fmt: skip
        beta = beta.replace([np.inf, -np.inf], np.nan)
        others = beta.drop(columns=destination).quantile([*QUANTILES.values()], axis=1).T
        table = pd.DataFrame({"actual": beta[destination], "se": se[destination]})
        table = table.join(others.set_axis([*QUANTILES], axis=1))
        early = (beta / se.replace([0.0, np.inf], np.nan))[index < base.to_timestamp()]
        moved = (early**2).mean().dropna()
        joint = float((moved >= moved[destination]).mean()) if destination in moved else np.nan
        held = breakdown(table["actual"], data.event)
        if np.isnan(table["actual"][index >= month(data.event)].mean()):
            lost = np.isinf(table["se"]).any()
            silent = f"{destination} bought no listed goods in {base} or after the event"
            reason = "the fit did not converge" if lost else silent
    return EventStudy(destination, data.event, str(base), table, held, joint, reason, data.origins)


def breakdown(path: pd.Series, event: str) -> float:
    """Return how large a break of trend leaves nothing of the mean of a path after an event.

    A trend that leaves the others each quarter by at most M times the largest change before the
    event explains a mean of up to M × change × the mean of quarters since. Returned is M where that
    is the mean; noise in the quarters before makes it smaller. NaN where nothing moved before.
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
    starts = [*quarters.searchsorted(names), len(quarters)]
    pieces = [slice(*ends) for ends in pairwise(starts)]
    zero = names.tolist().index(base)
    effects, variance = logit(
        _split(data.listed(have)[None], row, pieces),
        _split(data.total, row, pieces),
        zero - len(names),
    )
    beta, spread = effects[0, -len(names) :], variance[0, -len(names) :]
    with np.errstate(invalid="ignore"):
        se = np.sqrt(spread + spread[zero])
        se[zero] = 0.0
        return beta - beta[zero], se


def _split(table: Floats, row: int, pieces: list[slice]) -> Floats:
    """Replace one destination's row by a row for each piece of time, at the end of the table."""
    rows = np.zeros((*table.shape[:-2], len(pieces), table.shape[-1]))
    for i, piece in enumerate(pieces):
        rows[..., i, piece] = table[..., row, piece]
    return np.concatenate([np.delete(table, row, axis=-2), rows], axis=-2)


def difference(
    listed: Floats, total: Floats, before: int, rows: list[int]
) -> tuple[Floats, Floats]:
    """Return β and its standard error for tables × destinations treated one at a time.

    NaN without comparable listed trade before the event, ±inf where it stopped; a fit that did not
    converge is NaN with an infinite error.
    """
    pieces = [slice(0, before), slice(before, None)]
    total = np.broadcast_to(total, listed.shape)
    y, n = (np.concatenate([_split(t, row, pieces) for row in rows]) for t in (listed, total))
    effects, variance = (part.reshape(len(rows), len(listed), -1).T for part in logit(y, n, -2))
    first, last = effects[-2], effects[-1]
    with np.errstate(invalid="ignore"):
        beta = np.where(np.isfinite(first), last - first, np.nan)
        return beta, np.sqrt(variance[-2] + variance[-1])


def logit(listed: Floats, total: Floats, reference: int) -> tuple[Floats, Floats]:
    """Fit shares on row and month effects, many tables × rows × months at once; `total` may be one.

    Returns the effect of each row (−inf or inf where nothing or everything is listed, NaN without
    trade, without a chain of shared months to the reference row, or where the fit did not
    converge), and its robust variance with month effects taken as known.
    """
    total = np.broadcast_to(total, listed.shape)
    parts = [slice(i, i + CHUNK) for i in range(0, len(listed), CHUNK)]
    many = [_logit(listed[part], total[part], reference) for part in parts]
    effects, variance = (np.concatenate(part) for part in zip(*many, strict=True))
    return effects, variance


def _logit(listed: Floats, total: Floats, reference: int) -> tuple[Floats, Floats]:
    keep = _informative(listed, total)
    scale = total.mean(axis=(1, 2), keepdims=True) + 1e-300
    y, n = np.where(keep, listed, 0.0) / scale, np.where(keep, total, 0.0) / scale
    row, column = np.zeros(y.shape[:2]), np.zeros((len(y), y.shape[2]))
    going, some = np.arange(len(y)), (y, n)
    for _ in range(ROUNDS):
        step_row, step_column, moved = _step(*some, row[going], column[going])
        row[going] += step_row
        column[going] += step_column
        more = moved > SETTLED
        going, some = going[more], (some[0][more], some[1][more])
        if not going.size:
            break
    p = _share(row, column)
    with np.errstate(all="ignore"):
        variance = ((y - n * p) ** 2).sum(axis=2) / (n * p * (1 - p)).sum(axis=2) ** 2
    linked = _linked(_alive(y, n, p), reference)
    row[going], variance[going] = np.nan, np.inf
    row[~linked] = np.nan
    return _ends(row, listed, total, keep), variance


def _step(y: Floats, n: Floats, row: Floats, column: Floats) -> tuple[Floats, Floats, Floats]:
    """Solve one Newton step: months are eliminated, a small scaled system per table remains.

    The ridge keeps directions apart that the data leave open, such as a constant that moves from
    rows to months; it bends the way to the optimum, not the optimum. A step that moves no logit by
    more than 1.79 leads uphill [1]_, so a longer one is shortened. Also returned is how far the
    table was to move.

    References
    ----------
    .. [1] Bach (2010), Electronic Journal of Statistics 4, proposition 1: (eᵐ − m − 1) / m² < 1.
    """
    p = _share(row, column)
    w, left = n * p * (1 - p), y - n * p
    w_row, w_column = w.sum(axis=2), w.sum(axis=1)
    g_row, g_column = left.sum(axis=2), left.sum(axis=1)
    inverse, root = _inverse(w_column), np.sqrt(_inverse(w_row))
    half = w * (root[:, :, None] * np.sqrt(inverse)[:, None, :])
    small = -(half @ half.swapaxes(1, 2))
    at = np.arange(row.shape[1])
    small[:, at, at] += 1 + RIDGE
    spread = w @ (inverse * g_column)[:, :, None]
    right = root * (g_row - spread[:, :, 0])
    step = root * np.linalg.solve(small, right[:, :, None])[:, :, 0]
    step_column = inverse * (g_column - (step[:, None, :] @ w)[:, 0])
    moved = np.abs(step[:, :, None] + step_column[:, None, :])
    moved = np.where(_alive(y, n, p), moved, 0.0).max(axis=(1, 2))
    short = np.minimum(1.0, 1.79 / np.maximum(moved, 1.0))[:, None]
    return np.clip(short * step, -5, 5), np.clip(short * step_column, -5, 5), moved


def _alive(y: Floats, n: Floats, p: Floats) -> Masks:
    """Tell cells that bind effects together from those an effect at infinity fits without error."""
    return (n > 0) & (((y > 0) & (y < n)) | (p * (1 - p) > 1e-9))


def _inverse(weight: Floats) -> Floats:
    used = weight > 1e-280
    return np.where(used, 1 / np.where(used, weight, 1.0), 0.0)


def _linked(keep: Masks, reference: int) -> Masks:
    """Tell which rows share months with the reference, or with a row that does, and so on."""
    rows = np.zeros(keep.shape[:2], dtype=bool)
    rows[:, reference] = keep[:, reference].any(axis=1)
    while True:
        months: Masks = np.any(keep & rows[:, :, None], axis=1)
        more: Masks = np.any(keep & months[:, None, :], axis=2)
        if np.array_equal(more, rows):
            return rows
        rows = more


def _share(row: Floats, column: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-row[:, :, None] - column[:, None, :])))


def _informative(listed: Floats, total: Floats) -> Masks:
    """Drop rows and months where nothing or everything is listed, until none is left."""
    keep = total > 0
    parts = listed > 0, total - listed > 1e-12 * total
    while True:
        before = int(keep.sum())
        for axis in (2, 1):
            for part in parts:
                keep = keep & (keep & part).any(axis=axis, keepdims=True)
        if int(keep.sum()) == before:
            return keep


def _ends(row: Floats, listed: Floats, total: Floats, keep: Masks) -> Floats:
    """Put −inf, inf or NaN where a row holds nothing listed, only listed, or no trade."""
    y, n = listed.sum(axis=2), total.sum(axis=2)
    gone = ~keep.any(axis=2)
    row = np.where(gone & (n > 0) & (y <= 0), -np.inf, row)
    row = np.where(gone & (n > 0) & (y >= n * (1 - 1e-12)), np.inf, row)
    return np.where(gone & np.isfinite(row), np.nan, row)
