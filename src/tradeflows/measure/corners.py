"""The ends of Montgomery's price effect over two feasible sets, searched from their corners."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tradeflows.measure.intervals import Block

__all__ = ["searched"]

Vector = NDArray[np.float64]
Point = tuple[list[float], list[float]]
STARTS = 4  # best corners from which a descent starts, beside the middle


def searched(old: Block, new: Block) -> tuple[Point, Point]:
    """Return the prices of both periods at the lowest and the highest effect."""
    return _end(old, new, 1.0), _end(old, new, -1.0)


def _end(old: Block, new: Block, sign: float) -> Point:
    """Descend in values v = p q, where the effect is V1 - V0 - sum c L(v1, v0), c = ln(q1 / q0)."""
    q = np.array([[g.quantity for g in block.goods] for block in (old, new)])
    if not (q > 0).all():
        raise ValueError("montgomery needs positive quantities in both periods")
    size = max(old.value.high, new.value.high)
    if size <= 0:
        raise ValueError("montgomery needs a positive value in one of the periods")
    sets = [_corners(block) / size for block in (old, new)]
    c = np.log(q[1] / q[0])

    def effect(v: Vector) -> tuple[float, Vector]:
        v0, v1 = v.reshape(2, -1)
        mean, d0, d1 = _log_mean(v0, v1)
        slope = np.concatenate([-1 - c * d0, 1 - c * d1])
        return sign * float((v1 - v0 - c * mean).sum()), sign * slope

    pairs = [np.concatenate(pair) for pair in product(*sets)]
    pairs.sort(key=lambda v: effect(v)[0])
    starts = [*pairs[:STARTS], np.concatenate([s.mean(axis=0) for s in sets])]
    best = min((_descended(effect, v, old, new, size) for v in starts), key=lambda v: effect(v)[0])
    if effect(pairs[0])[0] <= effect(best)[0]:
        best = pairs[0]
    prices = best.reshape(2, -1) * size / q
    for row, block in zip(prices, (old, new), strict=True):
        np.clip(row, [g.price.low for g in block.goods], [g.price.high for g in block.goods], row)
    return prices[0].tolist(), prices[1].tolist()


def _log_mean(v0: Vector, v1: Vector) -> tuple[Vector, Vector, Vector]:
    """Return L and its two derivatives."""
    a, b = np.maximum(v0, 1e-300), np.maximum(v1, 1e-300)
    x = np.log(b / a)
    near = np.abs(x) < 1e-4
    safe = np.where(near, 1.0, x)
    mean = np.where(near, a * (1 + x / 2 + x * x / 6), (b - a) / safe)
    d1 = np.where(near, 0.5 - x / 6, (1 - mean / b) / safe)
    d0 = np.where(near, 0.5 + x / 6, (mean / a - 1) / safe)
    return mean, d0, d1


def _corners(block: Block) -> Vector:
    """Return all corners of the set of values: all goods at an end but one, set by the total."""
    low = np.array([g.price.low * g.quantity for g in block.goods])
    high = np.array([g.price.high * g.quantity for g in block.goods])
    found = []
    for at_end in product((0, 1), repeat=len(low)):
        v = np.where(at_end, high, low)
        for free, total in product(range(len(low)), (block.value.low, block.value.high)):
            rest = total - (v.sum() - v[free])
            if low[free] <= rest <= high[free]:
                found.append(np.where(np.arange(len(v)) == free, rest, v))
        if block.value.low <= v.sum() <= block.value.high:
            found.append(v)
    return np.unique(found or [(low + high) / 2], axis=0)


def _descended(effect: object, start: Vector, old: Block, new: Block, size: float) -> Vector:
    from scipy.optimize import LinearConstraint, minimize

    goods = [*old.goods, *new.goods]
    n = len(old.goods)
    bounds = [(g.price.low * g.quantity / size, g.price.high * g.quantity / size) for g in goods]
    sums = np.kron(np.eye(2), np.ones(n))
    ends = [[block.value.low / size, block.value.high / size] for block in (old, new)]
    totals = [LinearConstraint(row, end[0], end[1]) for row, end in zip(sums, ends, strict=True)]
    found = minimize(
        effect,  # type: ignore[call-overload]
        start,
        jac=True,
        method="SLSQP",
        bounds=bounds,
        constraints=totals,
        options={"ftol": 1e-14, "maxiter": 200},
    ).x
    inside = np.clip(found, *np.array(bounds).T)
    gap = np.abs(sums @ inside - np.clip(sums @ inside, *np.array(ends).T))
    return inside if (gap < 1e-10).all() else start
