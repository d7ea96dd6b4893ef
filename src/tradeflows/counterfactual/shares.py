"""The triple difference with its effects concentrated out: a weighted logit of shares.

With two groups of products, E[y] = exp(group × destination + group × month + destination × month
+ β x) given the destination's total is a logit of the listed share on destination and month
effects, weighted by the total: the same estimate as the full Poisson fit, in milliseconds.
The treated destination gets a row of its own before and after the event, so β is the difference of
two destination effects.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tradeflows.counterfactual.months import Floats

__all__ = ["Masks", "difference", "logit", "split"]

Masks = npt.NDArray[np.bool_]
CHUNK = 8  # tables fitted at once: more leave the cache
ROUNDS = 100
PASSES = 3
SETTLED = 1e-6  # steps square from here on
RIDGE = 1e-10


def split(table: Floats, row: int, pieces: list[slice]) -> Floats:
    """Replace one destination's row by a row for each piece of time, at the end of the table."""
    rows = np.zeros((*table.shape[:-2], len(pieces), table.shape[-1]))
    for i, piece in enumerate(pieces):
        rows[..., i, piece] = table[..., row, piece]
    return np.concatenate([np.delete(table, row, axis=-2), rows], axis=-2)


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


def difference(
    listed: Floats, total: Floats, before: int, rows: list[int]
) -> tuple[Floats, Floats]:
    """Return β and its standard error for tables × destinations treated one at a time.

    NaN without comparable listed trade before the event, ±inf where it stopped; a fit that did not
    converge is NaN with an infinite error.
    """
    pieces = [slice(0, before), slice(before, None)]
    total = np.broadcast_to(total, listed.shape)
    y, n = (np.concatenate([split(t, row, pieces) for row in rows]) for t in (listed, total))
    fitted = (part.reshape(len(rows), len(listed), -1).T for part in logit(y, n, -2))
    effects, variance = fitted
    first, last = effects[-2], effects[-1]
    with np.errstate(invalid="ignore"):
        beta = np.where(np.isfinite(first), last - first, np.nan)
        return beta, np.sqrt(variance[-2] + variance[-1])


def _logit(listed: Floats, total: Floats, reference: int) -> tuple[Floats, Floats]:
    keep = _informative(listed, total)
    scale = total.mean(axis=(1, 2), keepdims=True) + 1e-300
    y, n = np.where(keep, listed, 0.0) / scale, np.where(keep, total, 0.0) / scale
    row, column = _start(y, n)
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


def _start(y: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Fit rows, then months, as if the shares of each were of one size: nearly the optimum."""
    row, column = np.zeros((len(y), y.shape[1])), np.zeros((len(y), y.shape[2]))
    for effect, axis in ((row, 2), (column, 1)) * PASSES:
        fitted = (n * _share(row, column)).sum(axis)
        sold, all_sold = y.sum(axis), n.sum(axis)
        with np.errstate(all="ignore"):
            odds = sold * (all_sold - fitted) / (fitted * (all_sold - sold))
            effect += np.nan_to_num(np.log(odds), posinf=0.0, neginf=0.0)
    return row, column


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
