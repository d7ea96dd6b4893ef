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

__all__ = ["MOST_GOODS", "TOLERANCE", "Box", "effect", "least", "log_means"]

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


class _Problems:
    """Convex problems with an interior point and the multipliers of its bounds."""

    def __init__(self, old: Box, new: Box) -> None:
        self.low, self.high = np.stack([old.low, new.low]), np.stack([old.high, new.high])
        self.least = np.stack([old.least, new.least])[..., None]
        self.most = np.stack([old.most, new.most])[..., None]
        self.free = self.high - self.low > _POINT
        self.slack = (self.most - self.least > _POINT) & self.free.any(axis=2, keepdims=True)
        bottom, top = _sum(self.low), _sum(self.high)
        self.total = (self.least + self.most) / 2
        share = (self.total - bottom) / np.where(top > bottom, top - bottom, 1.0)
        self.x = self.low + share * (self.high - self.low)
        self.price = np.zeros_like(self.total)  # multiplier: of one unit of total
        self.proved = np.full(self.total.shape[1], -np.inf)
        self.barrier = [0.1 / room for room in self.rooms()]

    def rooms(self) -> list[Vector]:
        """Return how far values and totals are from their bounds; 1 where there is no room."""
        rooms = (
            np.where(self.free, self.x - self.low, 1.0),
            np.where(self.free, self.high - self.x, 1.0),
            np.where(self.slack, self.total - self.least, 1.0),
            np.where(self.slack, self.most - self.total, 1.0),
        )
        return [np.maximum(room, 1e-18) for room in rooms]  # rounding may use up the last of it

    def missed(self) -> Vector:
        """Return by how much values and totals of a problem disagree."""
        miss: Vector = np.abs(self.total - _sum(self.x)).max(axis=(0, 2))
        return miss

    def kept(self, rows: Mask) -> None:
        """Leave out the other problems."""
        for name in ("low", "high", "least", "most", "free", "slack", "x", "total", "price"):
            setattr(self, name, getattr(self, name)[:, rows])
        self.proved = self.proved[rows]
        self.barrier = [z[:, rows] for z in self.barrier]

    def prove(self, effect: Vector, slope: Vector) -> None:
        """Raise what is proved: tangent at x, and the Lagrangian of the totals at their prices."""
        net = slope - self.price
        values = np.where(net > 0, self.low, self.high) * net - slope * self.x
        totals = np.where(self.price > 0, self.least, self.most) * self.price
        bound = effect + (_sum(values) + totals).sum(axis=(0, 2))
        self.proved = np.maximum(self.proved, bound)

    def step(self, slope: Vector, bend: Vector) -> None:
        """Take one primal-dual step; bend is (a a, a b, b b), the second derivatives."""
        rooms, z = self.rooms(), self.barrier
        used = [self.free, self.free, self.slack, self.slack]
        inside = sum((r * d * u).sum(axis=(0, 2)) for r, d, u in zip(rooms, z, used, strict=True))
        count = sum(u.sum(axis=(0, 2)) for u in used)
        aim = np.maximum(0.1 * inside / np.maximum(count, 1), _BARRIER)[:, None]
        steep = z[0] / rooms[0] + z[1] / rooms[1]
        give = self.slack / (z[2] / rooms[2] + z[3] / rooms[3])
        push = self.price - slope + aim / rooms[0] - aim / rooms[1]
        pull = -self.price + aim / rooms[2] - aim / rooms[3]
        inverse = _inverse(bend, steep, self.free)
        miss = self.total - _sum(self.x) + pull * give - _sum(_times(inverse, push))
        change = _two_prices(inverse, miss, give)
        dx, dt = _times(inverse, push + change), (pull - change) * give
        moves = [dx, -dx, dt, -dt]
        dz = [
            (aim / r - d - d / r * m) * u for r, d, m, u in zip(rooms, z, moves, used, strict=True)
        ]
        primal, dual = _longest(rooms, moves), _longest(z, dz)
        self.x, self.total = self.x + primal * dx, self.total + primal * dt
        self.price = self.price + dual * change
        self.barrier = [d + dual * m for d, m in zip(z, dz, strict=True)]
        self._add_up()

    def _add_up(self) -> None:
        """Spread what rounding leaves between values and total over where there is room."""
        room = np.minimum(self.x - self.low, self.high - self.x) * self.free
        share = (self.total - _sum(self.x)) / np.maximum(_sum(room), 1e-300)
        self.x = self.x + np.clip(share, -0.9, 0.9) * room


def _sum(values: Vector) -> Vector:
    total: Vector = values.sum(axis=2, keepdims=True)
    return total


def _inverse(bend: Vector, steep: Vector, free: Mask) -> Vector:
    """Return (a a, a b, b b) of the inverse of each good's two by two, 0 for what is fixed."""
    (aa, ab, bb), both = bend, free[0] & free[1]
    first, second = aa + steep[0], bb + steep[1]
    det = np.where(both, steep[0] * steep[1] + steep[0] * bb + steep[1] * aa, first * second)
    inverse: Vector = np.stack([second * free[0], -ab * both, first * free[1]]) / det
    return inverse


def _times(inverse: Vector, v: Vector) -> Vector:
    aa, ab, bb = inverse
    return np.stack([aa * v[0] + ab * v[1], ab * v[0] + bb * v[1]])


def _two_prices(inverse: Vector, miss: Vector, give: Vector) -> Vector:
    """Return the change of both totals' prices that keeps values adding up to totals."""
    aa, ab, bb = _sum(inverse)
    some = np.stack([aa, bb]) + give > 0  # else nothing of the period may move
    first, second = np.where(some, np.stack([aa, bb]) + give, 1.0)
    left = np.where(some, miss, 0.0)
    det = first * second - ab * ab
    change: Vector = (
        np.stack([second * left[0] - ab * left[1], first * left[1] - ab * left[0]]) / det
    )
    return change


def _longest(rooms: list[Vector], moves: list[Vector]) -> Vector:
    """Return the longest step of each problem, at most 1, that leaves some of each room."""
    used = [(-move / room).max(axis=(0, 2)) for room, move in zip(rooms, moves, strict=True)]
    longest: Vector = 0.995 / np.maximum(np.max(used, axis=0), 0.995)
    return longest[:, None]


def _solved(
    old: Box, new: Box, c: Vector, point: tuple[Vector, Vector], best: float
) -> tuple[Vector, Vector, float]:
    """Solve convex problems, a row each, together, until none may be better than the best point."""
    problems, settled = _Problems(old, new), np.inf
    for _ in range(_STEPS):
        a, b = problems.x
        mean, by_a, by_b, mixed = log_means(a, b)
        effect = (b - a - c * mean).sum(axis=1)
        slope = np.stack([-1 - c * by_a, 1 - c * by_b]) * problems.free
        reached = np.where(problems.missed() < _POINT, effect, np.inf)
        if reached.min() < best:
            best = float(reached.min())
            point = (a[reached.argmin()], b[reached.argmin()])
        problems.prove(effect, slope)
        rest = problems.proved < best - TOLERANCE / 10
        settled = min(settled, problems.proved[~rest].min(initial=np.inf))
        if not rest.any():
            break
        problems.kept(rest)
        a, b = problems.x
        bend = np.maximum(c, 0.0) * mixed[rest]
        to_b = b / np.where(a > _NOTHING, a, 1.0)
        to_a = a / np.where(b > _NOTHING, b, 1.0)
        problems.step(slope[:, rest], np.stack([bend * to_b, -bend, bend * to_a]))
    proved = min(settled, problems.proved.min(initial=np.inf))
    return *point, max(best - float(proved), 0.0)
