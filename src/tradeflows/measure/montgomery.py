"""The ends of Montgomery's price effect over two sets of feasible values, with their proof.

Given quantities, the effect is ``V1 - V0 - sum c_i L(v0_i, v1_i)`` in the values ``v = p q``, with
``c_i = ln(q1_i / q0_i)`` and L the logarithmic mean: concave, increasing, homogeneous of degree
one. In each period the values lie in a box, and their total between two bounds. To find the least
effect call a good convex if ``c_i >= 0``, else concave; for the greatest the other way round.

*Some least point has, in each period, every concave good at an end of its range, or is there a
vertex of the period's set: one concave good inside its range, every other good at an end, the total
at a bound.* For let a concave good i be inside its range. If the total is slack, moving i alone one
way or the other lowers the effect, which is strictly concave in it (or, where i is worth nothing in
the other period, of slope one). If another good j is inside its range too, move value from j to i.
Both slopes are equal at a least point; as L increases, so is then the sign of ``c``, and j is
concave too: one of the two ways lowers the effect (or, where both are worth nothing in the other
period, leaves it, until one of them is at an end).

So the end is the best of finitely many convex problems in which concave goods are fixed. An
interior-point method solves them together. Each of its steps proves a bound for each problem: a
convex function lies above its tangent, and the least of a linear function over a box cut by a total
is no less than its Lagrangian, whatever the multiplier. The search ends where the least bound meets
the best point.

References
----------
Montgomery (1937), The mathematical problem of the price index; Wright (1997), Primal-dual
interior-point methods.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_GOODS = 8  # the number of problems doubles, at least, with each good
TOLERANCE = 1e-9  # most between the best point and the proved bound, by size of the larger total
_POINT = 1e-13  # a range this narrow is one number
_BARRIER = 1e-13  # below it rounding outweighs what a step gains
_NOTHING = 1e-200  # a value this small is none: quotients of smaller ones overflow
_STEPS = 60  # of the interior-point method, which needs about 15


@dataclass(frozen=True)
class Box:
    """Values between low and high whose total lies between least and most: one, or one a row."""

    low: Vector
    high: Vector
    least: Vector
    most: Vector

    def __getitem__(self, rows: NDArray[np.intp] | Mask) -> Box:
        return Box(self.low[rows], self.high[rows], self.least[rows], self.most[rows])


def least(base: Box, current: Box, c: Vector) -> tuple[Vector, Vector, float]:
    """Return the values where ``V1 - V0 - sum c L(v0, v1)`` is least, and how much is unproved."""
    olds, news = (_fixings(box, c < 0) for box in (base, current))
    pairs = np.array(list(np.ndindex(len(olds.low), len(news.low))))
    old, new = olds[pairs[:, 0]], news[pairs[:, 1]]
    widths = np.maximum(old.high - old.low, new.high - new.low)
    open_ = np.asarray(widths.max(axis=1) > _POINT)
    found = np.where(open_, np.inf, effect(old.low, new.low, c))
    best = int(found.argmin())
    point, most = (old.low[best], new.low[best]), float(found[best])
    if not open_.any():
        return *point, 0.0
    return _solved(old[open_], new[open_], c, point, most)


def effect(a: Vector, b: Vector, c: Vector) -> Vector:
    """Return Montgomery's price effect of goods worth a, then b."""
    found: Vector = (b - a - c * log_means(a, b)[0]).sum(axis=-1)
    return found


def log_means(a: Vector, b: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    """Return L(a, b), its two slopes, and its mixed second derivative; all 0 where a or b is."""
    some = (a > _NOTHING) & (b > _NOTHING)
    safe, other = np.where(some, a, 1.0), np.where(some, b, 1.0)
    x = np.log(other / safe)
    near = np.abs(x) < 0.05
    far = np.where(near, 1.0, x)
    mean = np.where(near, safe * _series(x, 1), (other - safe) / far)
    by_a = np.where(near, _series(x, 2), (mean / safe - 1) / far)
    by_b = np.where(near, _series(-x, 2), (1 - mean / other) / far)
    mixed = np.where(near, 1 / 6 + x / 12 + x * x / 40, (mean / safe - 2 * by_a) / far)
    return mean * some, by_a * some, by_b * some, mixed / other * some


def _series(x: Vector, first: int) -> Vector:
    """Return the sum of x**k / (k + first)! over k >= 0."""
    total, term = np.zeros_like(x), np.ones_like(x)
    for k in range(1, first + 1):
        term = term / k
    for k in range(first + 1, first + 9):
        total, term = total + term, term * x / k
    return total


def _fixings(box: Box, concave: Mask) -> Box:
    """Return the box with its concave goods fixed: at every choice of ends, or at a vertex."""
    n = len(concave)
    ends = np.array(list(product((False, True), repeat=n)), dtype=bool)
    at_ends = np.where(ends, box.high, box.low)
    chosen = ~ends[:, ~concave].any(axis=1)  # each choice of the concave goods' ends once
    low = np.where(concave, at_ends, box.low)[chosen]
    high = np.where(concave, at_ends, box.high)[chosen]
    vertices = [np.empty((0, n))]
    for good in np.flatnonzero(concave):
        others = at_ends[~ends[:, good]]
        for total in (box.least, box.most):
            rest = total - (others.sum(axis=1) - others[:, good])
            inside = (box.low[good] < rest) & (rest < box.high[good])
            vertices.append(others[inside])
            vertices[-1][:, good] = rest[inside]
    points = np.concatenate(vertices)
    return _tightened(
        np.concatenate([low, points]), np.concatenate([high, points]), box.least, box.most
    )


def _tightened(low: Vector, high: Vector, least: Vector, most: Vector) -> Box:
    """Cut ranges to what the total allows; leave out boxes that it does not meet, and twins."""
    ends = np.unique(np.concatenate([low, high], axis=1), axis=0)
    low, high = np.hsplit(ends, 2)
    bottom, top = low.sum(axis=1), high.sum(axis=1)
    from_, upto = np.maximum(bottom, least), np.minimum(top, most)
    met = from_ <= upto + 1e-12
    low, high, bottom, top = low[met], high[met], bottom[met, None], top[met, None]
    from_ = np.minimum(from_, upto)[met]
    upto = upto[met]
    least_each = np.clip(from_[:, None] - (top - high), low, high)
    most_each = np.clip(upto[:, None] - (bottom - low), least_each, high)
    return Box(least_each, most_each, from_, upto)


def _solved(
    old: Box, new: Box, c: Vector, point: tuple[Vector, Vector], best: float
) -> tuple[Vector, Vector, float]:
    """Solve convex problems, a row each, together, until none may be better than the best point.

    ``y`` holds the values of both periods, then both totals, in a box; ``y @ sums.T`` is zero where
    values add up to totals, whose multipliers are ``price``, and ``z`` are those of the bounds.
    """
    n, size = len(c), 2 * len(c) + 2
    low = np.column_stack([old.low, new.low, old.least, new.least])
    high = np.column_stack([old.high, new.high, old.most, new.most])
    sums = np.kron(np.eye(2), np.ones(n))
    sums = np.hstack([sums, -np.eye(2)])
    free = high - low > _POINT
    free[:, -2:] &= free @ sums.T.astype(bool)
    bottom, top, y = low @ sums.T, high @ sums.T, (low + high) / 2
    lows, highs = bottom + low[:, -2:], top + high[:, -2:]
    share = (y[:, -2:] - lows) / np.where(highs > lows, highs - lows, 1.0)
    y[:, :-2] = low[:, :-2] + np.repeat(share, n, axis=1) * (high - low)[:, :-2]
    price, proved, settled = np.zeros((len(y), 2)), np.full(len(y), -np.inf), np.inf
    z = 0.1 / _rooms(y, low, high, free)
    goods, every = np.arange(n), np.arange(size)
    for _ in range(_STEPS):
        a, b = y[:, :n], y[:, n:-2]
        mean, by_a, by_b, mixed = log_means(a, b)
        value = (b - a - c * mean).sum(axis=1)
        slope = np.hstack([-1 - c * by_a, 1 - c * by_b, np.zeros((len(y), 2))]) * free
        reached = np.where(np.abs(y @ sums.T).max(axis=1) < _POINT, value, np.inf)
        if reached.min() < best:
            best = float(reached.min())
            point = (a[reached.argmin()], b[reached.argmin()])
        net = slope + price @ sums
        ends = np.where(net > 0, low, high)  # where the tangent's Lagrangian is least
        proved = np.maximum(proved, value + (ends * net - slope * y).sum(axis=1))
        rest = proved < best - TOLERANCE / 10
        settled = min(settled, proved[~rest].min(initial=np.inf))
        if not rest.any():
            break
        y, low, high, free, price, proved = (t[rest] for t in (y, low, high, free, price, proved))
        z, net, a, b = z[:, rest], net[rest], a[rest], b[rest]
        rooms = _rooms(y, low, high, free)
        inside = (rooms * z * free).sum(axis=(0, 2)) / np.maximum(2 * free.sum(axis=1), 1)
        aim = np.maximum(0.1 * inside, _BARRIER)[:, None]
        bend = np.maximum(c, 0.0) * mixed[rest]
        system = np.zeros((len(y), size + 2, size + 2))
        system[:, goods, goods] = bend * b / np.where(a > _NOTHING, a, 1.0)
        system[:, n + goods, n + goods] = bend * a / np.where(b > _NOTHING, b, 1.0)
        system[:, goods, n + goods] = system[:, n + goods, goods] = -bend
        system[:, :size, :size] *= free[:, :, None] & free[:, None]
        system[:, every, every] += np.where(free, (z / rooms).sum(axis=0), 1.0)
        system[:, size:, :size] = sums * free[:, None]
        system[:, :size, size:] = system[:, size:, :size].swapaxes(1, 2)
        idle = ~system[:, size:, :size].any(axis=2)  # nothing of the period may move
        system[:, size + np.arange(2), size + np.arange(2)] = idle
        push = (aim / rooms[0] - aim / rooms[1] - net) * free
        right = np.hstack([push, -(y @ sums.T) * ~idle])
        step = np.linalg.solve(system, right[..., None])[..., 0]
        moves = np.stack([step[:, :size], -step[:, :size]])
        dz = (aim / rooms - z - z / rooms * moves) * free
        y = y + _longest(rooms, moves) * moves[0]
        price, z = price + _longest(z, dz) * step[:, size:], z + _longest(z, dz) * dz
        room = (np.minimum(y - low, high - y) * free)[:, :-2]  # what rounding leaves is spread
        spare = room.reshape(-1, 2, n).sum(axis=2)
        share = np.clip(-(y @ sums.T) / np.maximum(spare, 1e-300), -0.9, 0.9)
        y[:, :-2] += np.repeat(share, n, axis=1) * room
    return *point, max(best - min(settled, float(proved.min(initial=np.inf))), 0.0)


def _rooms(y: Vector, low: Vector, high: Vector, free: Mask) -> Vector:
    """Return how far numbers are from their bounds; 1 where there is no room."""
    return np.maximum(np.where(free, np.stack([y - low, high - y]), 1.0), 1e-18)


def _longest(rooms: Vector, moves: Vector) -> Vector:
    """Return the longest step of each problem, at most 1, that leaves some of each room."""
    longest: Vector = 0.995 / np.maximum((-moves / rooms).max(axis=(0, 2)), 0.995)
    return longest[:, None]
