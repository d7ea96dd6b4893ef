"""Bounds: what is known of prices when a value is known and prices lie in corridors.

A block of goods has a value V and quantities q. Each price lies in a corridor. The feasible set is
{p : low_i <= p_i <= high_i, V.low <= sum p_i q_i <= V.high}. Every end returned here is sharp: some
feasible point attains it, and the point comes with it (`extremes`). Quantities are numbers: where
they are uncertain too, a mapping of scenarios holds a pair of blocks for each reading of them.

>>> def scenario(crude):
...     base = Block(20.0, (Good("gas", Interval(1, 4), 5), Good("crude", Interval(1, 2), crude)))
...     return base, Block(50.0, (Good("gas", Interval(1, 9), 5), Good("crude", Interval(1, 2), 5)))
>>> found = feasible({f"{crude} Mt": scenario(crude) for crude in (4, 5, 50)})
>>> list(found)  # 50 Mt at a price of 1 are worth more than 20
['4 Mt', '5 Mt']
>>> effect = hull(price_effects(found, "bennet").values())
>>> f"{effect:.0f} of 30, {effect / 30:.0%}"
'28–30 of 30, 93–100 %'
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tradeflows.errors import Infeasible
from tradeflows.measure.montgomery import MOST_GOODS, Box, effect, least, log_means

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

    A format writes both ends, rounded to the nearest, as people do:

    >>> share = Interval(0.6067, 0.8814)
    >>> f"{share:.0%}", f"{share - 1:.1f}", f"{share:.0f}"
    ('61–88 %', '−0.4 to −0.1', '1')
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

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        ends = [_written(end, spec) for end in (self.low, self.high)]
        percent = " %" if spec.endswith("%") else ""
        between = " to " if "−" in "".join(ends) else "–"
        return between.join(dict.fromkeys(ends)) + percent

    @property
    def middle(self) -> float:
        """The number half way between the ends."""
        return (self.low + self.high) / 2

    def named(self, name: str) -> Interval:
        """Return the interval under a name, by which messages and pictures call it."""
        return replace(self, name=name)

    def widened(self, share: float) -> Interval:
        """Return the interval with both ends moved out by a share of the end farther from zero."""
        if not share >= 0:
            raise ValueError(f"widened({share}): expected a share of zero or more")
        room = share * max(abs(self.low), abs(self.high))
        return Interval(self.low - room, self.high + room, self.name)

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


def _written(number: float, spec: str) -> str:
    text = format(number, spec).rstrip("%")
    if text.startswith("-") and not any(digit in text for digit in "123456789i"):
        text = text[1:]  # a zero has no sign
    return text.replace("-", "−").replace("inf", "∞")


def hull(intervals: Iterable[Interval]) -> Interval:
    """Return the smallest interval that holds all; it has the name of the first.

    Examples
    --------
    >>> hull([Interval(1, 2), Interval(5, 6)])
    Interval(low=1, high=6)
    """
    found = list(intervals)
    if not found:
        raise ValueError("hull of no interval: expected one or more")
    return Interval(min(i.low for i in found), max(i.high for i in found), found[0].name)


def _contradiction(found: str, expected: str) -> Infeasible:
    return Infeasible(found, expected, "widen a bound, or drop the one with the weakest source")


@dataclass(frozen=True)
class Good:
    """One good of a block: the corridor of its price, and its quantity.

    Examples
    --------
    >>> Good("gas, 1000 m³", Interval(180, 260), 26.3e6).price.middle
    220.0
    """

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
        """Return the block with every corridor cut to what some feasible point attains."""
        nothing = Interval(0.0, 0.0)  # whatever the price, even one without a ceiling
        parts = [good.price * good.quantity if good.quantity else nothing for good in self.goods]
        names = ", ".join(str(replace(g.price, name=f"price of {g.name}")) for g in self.goods)
        reach = Interval(
            math.fsum(p.low for p in parts), math.fsum(p.high for p in parts), f"value from {names}"
        )
        value = replace(self.value, name=self.value.name or "value").intersect(reach)
        goods = []
        for i, good in enumerate(self.goods):
            price, others = good.price, parts[:i] + parts[i + 1 :]
            if good.quantity > 0:
                least = (value.low - math.fsum(p.high for p in others)) / good.quantity
                most = (value.high - math.fsum(p.low for p in others)) / good.quantity
                low = min(max(price.low, least), price.high)
                price = Interval(low, max(min(price.high, most), low), price.name)
            goods.append(replace(good, price=price))
        return Block(value, tuple(goods))


@dataclass(frozen=True)
class Extreme:
    """An end of an effect, the prices of both periods that attain it, and what is proved."""

    effect: float
    base: dict[str, float]
    current: dict[str, float]
    proved: float


def price_effect(base: Block, current: Block, method: str = "bennet") -> Interval:
    """Return the sharp range of the price effect between two blocks of the same goods.

    Parameters
    ----------
    base, current : Block
        The same goods in the same order; for Montgomery at most `MOST_GOODS`.
    method : {"bennet", "laspeyres", "paasche", "montgomery"}
        As in `bridge`.

    Returns
    -------
    Interval
        Lowest and highest price effect over both feasible sets: no feasible prices lie outside, and
        some attain each end (`extremes`), within 1e-9 of the larger value for Montgomery. So a
        narrower bound never gives a wider interval.

    Raises
    ------
    Infeasible
        A block's bounds contradict each other.

    Notes
    -----
    Given quantities, Bennet, Laspeyres and Paasche are linear in prices, and each block is a box
    cut by one pair of parallel planes: filling goods in order of effect per unit of value is exact
    (Dantzig 1957). Montgomery's effect is V1 - V0 - sum ln(q1 / q0) L(v1, v0) with a concave L;
    `tradeflows.measure.montgomery` says how its ends are found and proved.

    Examples
    --------
    >>> base = Block(20.0, (Good("gas", Interval(1, 4), 5), Good("crude", Interval(1, 2), 5)))
    >>> current = Block(50.0, (Good("gas", Interval(1, 9), 5), Good("crude", Interval(1, 2), 5)))
    >>> price_effect(base, current)
    Interval(low=30.0, high=30.0)
    """
    low, high = sorted(end.proved for end in extremes(base, current, method))  # up to rounding
    return Interval(low, high, f"price effect ({method})")


def extremes(base: Block, current: Block, method: str = "bennet") -> tuple[Extreme, Extreme]:
    """Return both ends of the price effect with the prices that attain them."""
    old, new, share = _pair(base, current, method)
    names = [g.name for g in old.goods]
    p, q, least_, below = _least(old, new, share)
    # the greatest is the least with periods exchanged
    s, r, most, above = _least(new, old, None if share is None else 1 - share)
    (p, q, r, s) = (dict(zip(names, prices.tolist(), strict=True)) for prices in (p, q, r, s))
    return Extreme(least_, p, q, least_ - below), Extreme(0 - most, r, s, above - most)


def _pair(base: Block, current: Block, method: str) -> tuple[Block, Block, float | None]:
    """Return both blocks, tightened, and the share that quantities of now have in the weights."""
    shares = {"bennet": 0.5, "laspeyres": 0.0, "paasche": 1.0, "montgomery": None}
    if method not in shares:
        raise ValueError(f"method={method!r}: expected one of {', '.join(shares)}")
    names = [[g.name for g in block.goods] for block in (base, current)]
    if names[0] != names[1] or len(set(names[0])) != len(names[0]):
        raise ValueError(f"goods {names[0]} and {names[1]}: expected the same, each once")
    return base.tightened(), current.tightened(), shares[method]


def _least(old: Block, new: Block, share: float | None) -> tuple[Any, Any, float, float]:
    """Return prices of both periods with the least effect, it, and what is not proved of it."""
    goods = [_arrays(block) for block in (old, new)]
    q = [quantity for _, _, quantity in goods]
    if share is not None:
        weights = (1 - share) * q[0] + share * q[1]
        p, r = _filled(old, weights, most=True), _filled(new, weights, most=False)
        return p, r, math.fsum(weights * (r - p)), 0.0
    if not all((x > 0).all() for x in q):
        raise ValueError("montgomery needs positive quantities in both periods")
    if len(q[0]) > MOST_GOODS:
        raise ValueError(
            f"{len(q[0])} goods: montgomery takes at most {MOST_GOODS}: sum some, or use bennet"
        )
    size = max(old.value.high, new.value.high)
    if size <= 0:
        raise ValueError("montgomery needs a positive value in one of the periods")
    before, after = (
        Box(low * x / size, high * x / size, np.array(v.low / size), np.array(v.high / size))
        for (low, high, x), v in zip(goods, (old.value, new.value), strict=True)
    )
    c = np.log(q[1] / q[0])
    *values, gap = least(before, after, c)
    p, r = (np.clip(v * size / x, low, high)
            for v, (low, high, x) in zip(values, goods, strict=True))  # fmt: skip
    return p, r, float(effect(p * q[0], r * q[1], c)), gap * size


def _arrays(block: Block) -> Any:
    """Return the least and greatest prices, and the quantities."""
    rows = [(g.price.low, g.price.high, g.quantity) for g in block.goods]
    return np.array(rows).reshape(-1, 3).T


def _filled(block: Block, weights: Any, *, most: bool) -> Any:
    """Return the feasible prices with the largest (or smallest) weighted sum."""
    low, high, q = _arrays(block)
    prices = np.where((q > 0) | (not most), low, high)
    room = (block.value.high if most else block.value.low) - math.fsum(low * q)
    some = np.flatnonzero(q)
    for i in some[np.argsort((-1 if most else 1) * weights[some] / q[some], kind="stable")]:
        step = min(max(room, 0.0), (high[i] - low[i]) * q[i])
        prices[i] = min(low[i] + step / q[i], high[i])
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
    out = {}
    old, new, _ = _pair(base, current, method)
    for g0, g1 in zip(old.goods, new.goods, strict=True):
        step = g1.quantity - g0.quantity
        price = {"laspeyres": g1.price, "paasche": g0.price}.get(method)
        if method != "montgomery":
            out[g0.name] = (price or (g0.price + g1.price) * 0.5) * step
        elif not min(g0.quantity, g1.quantity):  # all of the change is volume
            out[g0.name] = g1.price * g1.quantity - g0.price * g0.quantity
        else:
            worth = (g.price * g.quantity for g in (g0, g1))
            ends = np.array([(v.low, v.high) for v in worth])
            mean = Interval(*log_means(*ends)[0].tolist())
            out[g0.name] = mean * math.log(g1.quantity / g0.quantity)
    return out


Scenarios = Mapping[str, tuple[Block, Block]]  # name: the block before, the block after


def feasible(scenarios: Scenarios) -> dict[str, tuple[Block, Block]]:
    """Cut every block to what its bounds allow, and leave out scenarios that contradict themselves.

    Parameters
    ----------
    scenarios : mapping of str to (Block, Block)
        The block before and the block after, under the name of the scenario.

    Returns
    -------
    dict
        The scenarios whose bounds agree, `tightened`. A name that is missing was contradictory;
        ``Block.tightened`` says why.

    Raises
    ------
    Infeasible
        None is left; the message names the bounds of the last.

    Examples
    --------
    >>> before = Block(100.0, (Good("gas", Interval(1, 9), 10), Good("crude", Interval(4, 5), 10)))
    >>> after = Block(300.0, (Good("gas", Interval(9, 30), 10), Good("crude", Interval(7, 8), 10)))
    >>> high = Block(300.0, (Good("gas", Interval(40, 50), 10), Good("crude", Interval(7, 8), 10)))
    >>> list(feasible({"as it was": (before, after), "dearer gas": (before, high)}))
    ['as it was']
    """
    found: dict[str, tuple[Block, Block]] = {}
    for number, (name, (base, current)) in enumerate(scenarios.items(), 1):
        try:
            found[name] = base.tightened(), current.tightened()
        except Infeasible:
            if number == len(scenarios) and not found:
                raise
    return found


def price_effects(scenarios: Scenarios, method: str = "bennet") -> dict[str, Interval]:
    """Return the `price_effect` of every scenario; `hull` of the values is what is known of all.

    Examples
    --------
    >>> blocks = {f"{q} Mt": (Block(20.0, (Good("crude", Interval(1, 9), q),)),
    ...                       Block(50.0, (Good("crude", Interval(1, 9), 10),))) for q in (5, 10)}
    >>> price_effects(blocks)
    {'5 Mt': Interval(low=7.5, high=7.5), '10 Mt': Interval(low=30.0, high=30.0)}
    """
    return {name: price_effect(old, new, method) for name, (old, new) in scenarios.items()}
