"""Bounds: what is known of prices when a value is known and prices lie in corridors.

A block of goods has a value V and quantities q. Each price lies in a corridor. The feasible set is
{p : low_i <= p_i <= high_i, V.low <= sum p_i q_i <= V.high}. Every end returned here is sharp: some
feasible point attains it, and the point comes with it (`extremes`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tradeflows.errors import Infeasible

__all__ = [
    "Block",
    "Extreme",
    "Good",
    "Interval",
    "Scenarios",
    "extremes",
    "over",
    "price_effect",
    "volume_effects",
]

_TOUCH = 1e-12  # bounds that miss each other by rounding touch


@dataclass(frozen=True)
class Interval:
    """All numbers from low to high, with a name for messages.

    Examples
    --------
    >>> Interval(1, 2) + Interval(3, 5), 10 / Interval(2, 4)
    (Interval(low=4, high=7), Interval(low=2.5, high=5.0))
    >>> Interval(1, 3).intersect(Interval(2, 5))
    Interval(low=2, high=3)
    """

    low: float
    high: float
    name: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high):
            raise ValueError(f"{self}: an end is not a number")
        if self.low > self.high:
            raise _contradiction(f"{self} is empty", "low not above high")

    def __str__(self) -> str:
        return f"{self.name} [{self.low:.6g}, {self.high:.6g}]".strip()

    def contains(self, number: float) -> bool:
        """Say whether a number lies inside, ends included."""
        return self.low <= number <= self.high

    def intersect(self, other: Interval) -> Interval:
        """Return what both allow; `Infeasible` names both if that is nothing."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        if low > high:
            if low - high > _TOUCH * max(abs(low), abs(high)):
                raise _contradiction(f"{self} and {other} share no number", "bounds that overlap")
            low = high
        return Interval(low, high, self.name or other.name)

    def hull(self, other: Interval) -> Interval:
        """Return the smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high), self.name)

    def __add__(self, other: Interval | float) -> Interval:
        that = _interval(other)
        return Interval(self.low + that.low, self.high + that.high)

    def __sub__(self, other: Interval | float) -> Interval:
        that = _interval(other)
        return Interval(self.low - that.high, self.high - that.low)

    def __mul__(self, other: Interval | float) -> Interval:
        that = _interval(other)
        ends = [a * b for a in (self.low, self.high) for b in (that.low, that.high)]
        return Interval(min(ends), max(ends))

    def __truediv__(self, other: Interval | float) -> Interval:
        that = _interval(other)
        if that.low <= 0 <= that.high:
            raise ZeroDivisionError(f"{self} / {that}: the divisor may be zero")
        return self * Interval(1 / that.high, 1 / that.low)

    def __rsub__(self, other: float) -> Interval:
        return _interval(other) - self

    def __rtruediv__(self, other: float) -> Interval:
        return _interval(other) / self

    __radd__ = __add__
    __rmul__ = __mul__


def _interval(number: Interval | float) -> Interval:
    return number if isinstance(number, Interval) else Interval(number, number)


def _contradiction(found: str, expected: str) -> Infeasible:
    return Infeasible(found, expected, "widen a bound, or drop the one with the weakest source")


@dataclass(frozen=True)
class Good:
    """One good of a block: the corridor of its price, and its quantity."""

    name: str
    price: Interval
    quantity: float

    def __post_init__(self) -> None:
        if not (self.price.low >= 0 and 0 <= self.quantity < math.inf):
            raise ValueError(f"{self.name}: price and quantity must be zero or more, and finite")


@dataclass(frozen=True)
class Block:
    """Goods whose value is known together, in one period.

    Examples
    --------
    >>> block = Block(100.0, (Good("gas", Interval(1, 9), 10), Good("crude", Interval(4, 5), 10)))
    >>> block.tightened().goods[0].price
    Interval(low=5.0, high=6.0)
    """

    value: Interval
    goods: tuple[Good, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _interval(self.value))
        object.__setattr__(self, "goods", tuple(self.goods))

    def tightened(self) -> Block:
        """Return the block with every corridor cut to what some feasible point attains.

        p_i lies between (V.low - sum of high_j q_j) / q_i and (V.high - sum of low_j q_j) / q_i,
        sums over j != i; sharp, because the rest takes every value between its ends.

        Raises
        ------
        Infeasible
            No prices inside the corridors give the value; the message names the bounds.
        """
        parts = [good.price * good.quantity for good in self.goods]
        names = ", ".join(str(replace(g.price, name=f"price of {g.name}")) for g in self.goods)
        reach = Interval(
            math.fsum(p.low for p in parts), math.fsum(p.high for p in parts), f"value from {names}"
        )
        value = replace(self.value, name=self.value.name or "value").intersect(reach)
        goods = []
        for good, part in zip(self.goods, parts, strict=True):
            price = good.price
            if good.quantity > 0:
                least = (value.low - (reach.high - part.high)) / good.quantity
                most = (value.high - (reach.low - part.low)) / good.quantity
                low = min(max(price.low, least), price.high)
                price = Interval(low, max(min(price.high, most), low), price.name)
            goods.append(replace(good, price=price))
        return Block(value, tuple(goods))

    def holds(self, prices: Mapping[str, float], slack: float = 1e-9) -> bool:
        """Say whether prices are feasible, up to rounding."""
        total = math.fsum(prices[g.name] * g.quantity for g in self.goods)
        room = slack * max(abs(self.value.high), 1e-300)
        inside = self.value.low - room <= total <= self.value.high + room
        return inside and all(
            g.price.low * (1 - slack) <= prices[g.name] <= g.price.high * (1 + slack)
            for g in self.goods
        )


@dataclass(frozen=True)
class Extreme:
    """An end of an effect and the prices of both periods that attain it."""

    effect: float
    base: dict[str, float]
    current: dict[str, float]


def price_effect(base: Block, current: Block, method: str = "bennet") -> Interval:
    """Return the sharp range of the price effect between two blocks of the same goods.

    Parameters
    ----------
    base, current : Block
        The same goods in the same order.
    method : {"bennet", "laspeyres", "paasche", "montgomery"}
        As in `bridge`.

    Returns
    -------
    Interval
        Lowest and highest price effect over both feasible sets.

    Raises
    ------
    Infeasible
        A block's bounds contradict each other.

    Notes
    -----
    Given quantities, Bennet, Laspeyres and Paasche are linear in prices, and each block is a box
    cut by one pair of parallel planes: filling goods in order of effect per unit of value is exact
    (Dantzig 1957). Montgomery is V1 - V0 - sum ln(q1 / q0) L(v1, v0) with a concave L: its ends are
    searched from the corners of both sets.

    Examples
    --------
    >>> base = Block(20.0, (Good("gas", Interval(1, 4), 5), Good("crude", Interval(1, 2), 5)))
    >>> current = Block(50.0, (Good("gas", Interval(1, 9), 5), Good("crude", Interval(1, 2), 5)))
    >>> price_effect(base, current)
    Interval(low=30.0, high=30.0)
    """
    low, high = extremes(base, current, method)
    return Interval(low.effect, high.effect, f"price effect ({method})")


def extremes(base: Block, current: Block, method: str = "bennet") -> tuple[Extreme, Extreme]:
    """Return both ends of the price effect with the prices that attain them."""
    old, new = _pair(base, current)
    if method == "montgomery":
        from tradeflows.measure.corners import searched

        points = searched(old, new)
    else:
        weights = _weights(old, new, method)
        fill = [_filled(block, weights, most) for block in (old, new) for most in (False, True)]
        points = ((fill[1], fill[2]), (fill[0], fill[3]))
    effect = _effect(old, new, method)
    names = [g.name for g in old.goods]
    ends = [
        Extreme(effect(p, q), dict(zip(names, p, strict=True)), dict(zip(names, q, strict=True)))
        for p, q in points
    ]
    return ends[0], ends[1]


def _pair(base: Block, current: Block) -> tuple[Block, Block]:
    names = [[g.name for g in block.goods] for block in (base, current)]
    if names[0] != names[1] or len(set(names[0])) != len(names[0]):
        raise ValueError(f"goods {names[0]} and {names[1]}: expected the same, each once")
    return base.tightened(), current.tightened()


def _weights(old: Block, new: Block, method: str) -> list[float]:
    share = {"bennet": 0.5, "laspeyres": 0.0, "paasche": 1.0}
    if method not in share:
        raise ValueError(f"method={method!r}: expected montgomery, {', '.join(share)}")
    s = share[method]
    pairs = zip(old.goods, new.goods, strict=True)
    return [(1 - s) * g0.quantity + s * g1.quantity for g0, g1 in pairs]


def _effect(
    old: Block, new: Block, method: str
) -> Callable[[Sequence[float], Sequence[float]], float]:
    def linear(p0: Sequence[float], p1: Sequence[float]) -> float:
        weights = _weights(old, new, method)
        return math.fsum(w * (b - a) for w, a, b in zip(weights, p0, p1, strict=True))

    def montgomery(p0: Sequence[float], p1: Sequence[float]) -> float:
        from tradeflows.measure.factors import lmdi

        goods = zip(old.goods, new.goods, p0, p1, strict=True)
        return math.fsum(
            float(lmdi([a, g0.quantity], [b, g1.quantity])[0]) for g0, g1, a, b in goods
        )

    return montgomery if method == "montgomery" else linear


def _filled(block: Block, weights: Sequence[float], most: bool) -> list[float]:
    """Return the feasible prices with the largest (or smallest) weighted sum."""
    goods = block.goods
    prices = [g.price.low if g.quantity or not most else g.price.high for g in goods]
    room = block.value.high if most else block.value.low
    room -= math.fsum(p * g.quantity for p, g in zip(prices, goods, strict=True))
    gain = {i: weights[i] / g.quantity for i, g in enumerate(goods) if g.quantity}
    for i in sorted(gain, key=lambda i: gain[i], reverse=most):
        step = min(max(room, 0.0), (goods[i].price.high - prices[i]) * goods[i].quantity)
        prices[i] = min(prices[i] + step / goods[i].quantity, goods[i].price.high)
        room -= step
    return prices


def volume_effects(base: Block, current: Block, method: str = "bennet") -> dict[str, Interval]:
    """Return the sharp range of each good's volume effect.

    Its sign is that of the change in quantity, whatever the prices: an interval that does not
    contain zero says so.

    Examples
    --------
    >>> base = Block(20.0, (Good("gas", Interval(1, 4), 10),))
    >>> current = Block(32.0, (Good("gas", Interval(1, 9), 8),))
    >>> volume_effects(base, current)["gas"]
    Interval(low=-6.0, high=-6.0)
    """
    from tradeflows.measure.factors import lmdi

    out = {}
    old, new = _pair(base, current)
    for g0, g1 in zip(old.goods, new.goods, strict=True):
        step = g1.quantity - g0.quantity
        if method == "montgomery":
            corners = [(g0.price.low, g1.price.low), (g0.price.high, g1.price.high)]
            ends = [float(lmdi([a, g0.quantity], [b, g1.quantity])[1]) for a, b in corners]
            effect = Interval(min(ends), max(ends))
        else:
            _weights(old, new, method)
            price = {"laspeyres": g1.price, "paasche": g0.price}
            effect = price.get(method, (g0.price + g1.price) * 0.5) * step
        out[g0.name] = effect
    return out


@dataclass(frozen=True)
class Scenarios:
    """The price effect over scenarios: the range, each scenario's own, and those refuted."""

    interval: Interval
    by_scenario: dict[str, Interval]
    refuted: dict[str, str]


def over(scenarios: Mapping[str, tuple[Block, Block]], method: str = "bennet") -> Scenarios:
    """Return the union of the price effect over scenarios of quantities.

    A scenario whose bounds contradict each other is refuted and listed; if all are, the error of
    the last is raised.

    Examples
    --------
    >>> blocks = {f"{q} Mt": (Block(20.0, (Good("crude", Interval(1, 9), q),)),
    ...                       Block(50.0, (Good("crude", Interval(1, 9), 10),))) for q in (5, 10)}
    >>> over(blocks).interval
    Interval(low=7.5, high=30.0)
    """
    found: dict[str, Interval] = {}
    refuted: dict[str, str] = {}
    for name, (base, current) in scenarios.items():
        try:
            found[name] = price_effect(base, current, method)
        except Infeasible as error:
            refuted[name] = str(error)
            if len(refuted) == len(scenarios):
                raise
    union, *rest = found.values()
    for interval in rest:
        union = union.hull(interval)
    return Scenarios(union, found, refuted)
