"""Bounds contain every truth inside the corridors, are attained, and refuse contradictions."""

import math

import numpy as np
import pytest

from tradeflows.errors import Infeasible
from tradeflows.measure import Block, Good, Interval, extremes, over, price_effect, volume_effects
from tradeflows.measure.factors import lmdi

METHODS = ("bennet", "laspeyres", "paasche", "montgomery")
CASES = 250  # of each method, 1 000 in all


def effect(method, p0, q0, p1, q1):
    """Compute the price effect of known prices, good by good."""
    if method == "montgomery":
        return sum(lmdi([a, b], [c, d])[0] for a, b, c, d in zip(p0, q0, p1, q1, strict=True))
    weight = {"bennet": (q0 + q1) / 2, "laspeyres": q0, "paasche": q1}[method]
    return float((weight * (p1 - p0)).sum())


def drawn(rng, n):
    """Draw a truth and a block that holds it: corridors around prices, a value or its bounds."""
    price, quantity = rng.uniform(1, 10, n), rng.uniform(1, 10, n)
    low, high = price * rng.uniform(0.3, 1, n), price * rng.uniform(1, 3, n)
    value = float(price @ quantity)
    slack = rng.choice([0, 0.1])
    goods = tuple(
        Good(f"good {i}", Interval(low[i], high[i]), float(quantity[i])) for i in range(n)
    )
    return price, quantity, Block(Interval(value * (1 - slack), value * (1 + slack)), goods)


def feasible(rng, block, count):
    """Draw prices inside the corridors that give the value, by rejection along the last good."""
    low = np.array([g.price.low for g in block.goods])
    high = np.array([g.price.high for g in block.goods])
    q = np.array([g.quantity for g in block.goods])
    prices = rng.uniform(low, high, (count, len(q)))
    total = rng.uniform(block.value.low, block.value.high, count)
    prices[:, -1] = (total - prices[:, :-1] @ q[:-1]) / q[-1]
    return prices[(prices[:, -1] >= low[-1]) & (prices[:, -1] <= high[-1])]


@pytest.mark.parametrize("method", METHODS)
def test_a_thousand_random_blocks(method):
    rng = np.random.default_rng(METHODS.index(method))
    for _ in range(CASES):
        n = int(rng.integers(1, 4))
        p0, q0, base = drawn(rng, n)
        p1, q1, current = drawn(rng, n)
        ends = price_effect(base, current, method)
        slack = 1e-9 * (base.value.high + current.value.high)
        truth = effect(method, p0, q0, p1, q1)
        assert ends.low - slack <= truth <= ends.high + slack
        olds, news = feasible(rng, base, 40), feasible(rng, current, 40)
        for old, new in zip(olds, news, strict=False):
            assert ends.low - slack <= effect(method, old, q0, new, q1) <= ends.high + slack
        for end, wanted in zip(extremes(base, current, method), (ends.low, ends.high), strict=True):
            assert base.holds(end.base)
            assert current.holds(end.current)
            at = [np.array(list(p.values())) for p in (end.base, end.current)]
            assert effect(method, at[0], q0, at[1], q1) == pytest.approx(wanted, abs=slack)
        outside = ends.high + 0.01 * (abs(ends.high) + 1)
        assert not ends.contains(outside)
        assert not ends.contains(ends.low - 0.01 * (abs(ends.low) + 1))


def test_contradictory_inputs_are_always_infeasible():
    rng = np.random.default_rng(9)
    for _ in range(CASES):
        _, _, block = drawn(rng, int(rng.integers(1, 4)))
        most = sum(g.price.high * g.quantity for g in block.goods)
        least = sum(g.price.low * g.quantity for g in block.goods)
        for value in (most * 1.001, least * 0.999):
            with pytest.raises(Infeasible, match="price of good 0"):
                Block(value, block.goods).tightened()


def test_two_goods_montgomery_against_a_fine_grid():
    rng = np.random.default_rng(4)
    for _ in range(20):
        blocks, quantities, lines = [], [], []
        for _side in range(2):
            _, q, block = drawn(rng, 2)
            middle = (block.value.low + block.value.high) / 2
            blocks.append(Block(middle, block.goods))
            ends = blocks[-1].tightened().goods[0].price
            first = np.linspace(ends.low, ends.high, 301)
            lines.append(np.stack([first * q[0], middle - first * q[0]]))
            quantities.append(q)
        c = np.log(quantities[1] / quantities[0])
        v0, v1 = lines[0][:, :, None], lines[1][:, None, :]
        ratio = np.log(v1 / v0)
        near = np.abs(ratio) < 1e-9
        mean = np.where(near, v0, (v1 - v0) / np.where(near, 1, ratio))
        grid = (v1 - v0 - c[:, None, None] * mean).sum(axis=0)
        ends = price_effect(*blocks, "montgomery")
        size = blocks[0].value.high + blocks[1].value.high
        assert ends.low <= grid.min() + 1e-9 * size
        assert ends.high >= grid.max() - 1e-9 * size
        assert ends.low == pytest.approx(grid.min(), abs=1e-3 * size)
        assert ends.high == pytest.approx(grid.max(), abs=1e-3 * size)


def nearby(rng, block, prices, step, count=300):
    """Draw feasible prices around some, each moved by about a step of its size or kept."""
    moved = rng.normal(0, step, (count, len(prices))) * rng.integers(0, 2, (count, len(prices)))
    low, high = ([getattr(g.price, end) for g in block.goods] for end in ("low", "high"))
    around = np.clip(prices * (1 + moved), low, high)
    total = around @ [g.quantity for g in block.goods]
    return around[(total >= block.value.low) & (total <= block.value.high)]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_montgomery_ends_cannot_be_bettered_nearby(n):
    rng = np.random.default_rng(12)
    for _ in range(12):
        _, q0, base = drawn(rng, n)
        _, q1, current = drawn(rng, n)
        wide = [Block(Interval(b.value.low * 0.9, b.value.high * 1.1), b.goods)
                for b in (base, current)]  # fmt: skip
        size = sum(b.value.high for b in wide)
        for sign, end in zip((1, -1), extremes(*wide, "montgomery"), strict=True):
            p0, p1 = (np.array(list(p.values())) for p in (end.base, end.current))
            for step in (0.3, 0.03, 0.003):
                for a, b in zip(nearby(rng, wide[0], p0, step), nearby(rng, wide[1], p1, step),
                                strict=False):  # fmt: skip
                    other = effect("montgomery", a, q0, b, q1)
                    assert sign * (end.effect - other) <= 1e-8 * size


def test_montgomery_needs_positive_quantities_and_a_value():
    half = Block(1.0, (Good("gas", Interval(0, 9), 0.5),))
    later = Block(0.5, (Good("gas", Interval(0, 9), 0.25),))
    assert price_effect(half, half, "montgomery") == Interval(0, 0)
    one = price_effect(half, later, "montgomery")
    mean = 0.5 / math.log(2)
    assert one.low == pytest.approx(-0.5 + mean * math.log(2), abs=1e-12)
    assert one.name == "price effect (montgomery)"
    with pytest.raises(ValueError, match=r"^montgomery needs positive quantities in both periods$"):
        price_effect(half, Block(0.0, (Good("gas", Interval(0, 9), 0),)), "montgomery")
    nothing = Block(0.0, half.goods)
    words = r"^montgomery needs a positive value in one of the periods$"
    with pytest.raises(ValueError, match=words):
        price_effect(nothing, nothing, "montgomery")
    assert price_effect(nothing, later, "montgomery").high == pytest.approx(0.5)


def test_feasible_prices_are_held_to_corridor_and_value():
    block = gas_and_crude(100.0, (1, 9), (4, 5), (10, 10))
    assert block.holds({"gas": 5, "crude": 5})
    assert not block.holds({"gas": 5, "crude": 4.9})  # the value is missed
    assert not block.holds({"gas": 4.4, "crude": 5.6})  # a corridor is left
    assert block.holds({"gas": 4.4, "crude": 5.6}, slack=0.2)
    tiny = gas_and_crude(0.0, (0, 9), (0, 5), (10, 10))
    assert tiny.holds({"gas": 0, "crude": 0})
    assert not tiny.holds({"gas": 1e-12, "crude": 0})
    assert Interval(1, 2).contains(1)
    assert Interval(1, 2).contains(2)


def test_tightened_corridors_are_attained():
    rng = np.random.default_rng(5)
    for _ in range(200):
        _, _, block = drawn(rng, int(rng.integers(1, 4)))
        tight = block.tightened()
        for i, good in enumerate(tight.goods):
            for end in (good.price.low, good.price.high):
                pinned = [
                    Good(g.name, Interval(end, end) if j == i else g.price, g.quantity)
                    for j, g in enumerate(block.goods)
                ]
                Block(block.value, tuple(pinned)).tightened()
                beyond = end * (0.999 if end == good.price.low else 1.001)
                if block.goods[i].price.contains(beyond):
                    pinned[i] = Good(good.name, Interval(beyond, beyond), good.quantity)
                    with pytest.raises(Infeasible):
                        Block(block.value, tuple(pinned)).tightened()


def gas_and_crude(value, gas, crude, quantities):
    goods = zip(("gas", "crude"), (gas, crude), quantities, strict=True)
    return Block(value, tuple(Good(n, Interval(*p), q) for n, p, q in goods))


def test_volume_effects_have_the_sign_of_the_quantity():
    base = gas_and_crude(100.0, (1, 9), (4, 5), (10, 10))
    current = gas_and_crude(160.0, (5, 30), (5, 8), (8, 12))
    for method in METHODS:
        effects = volume_effects(base, current, method)
        assert effects["gas"].high < 0 < effects["crude"].low
    bennet = volume_effects(base, current)["crude"]
    p0, p1 = (b.tightened().goods[1].price for b in (base, current))
    assert bennet.low == pytest.approx((p0.low + p1.low) / 2 * 2)
    assert bennet.high == pytest.approx((p0.high + p1.high) / 2 * 2)


def test_scenarios_are_united_and_refuted_ones_listed():
    current = gas_and_crude(160.0, (5, 30), (5, 8), (8, 12))
    pairs = {
        f"{q} Mt": (gas_and_crude(100.0, (1, 9), (4, 5), (10, q)), current) for q in (5, 10, 40)
    }
    union = over(pairs)
    assert list(union.refuted) == ["40 Mt"]
    assert "gas" in union.refuted["40 Mt"]
    singles = list(union.by_scenario.values())
    assert union.interval.low == min(s.low for s in singles)
    assert union.interval.high == max(s.high for s in singles)
    paasche = over({"5 Mt": pairs["5 Mt"]}, "paasche")
    assert paasche.interval == price_effect(*pairs["5 Mt"], "paasche") != singles[0]
    with pytest.raises(Infeasible):
        over({"40 Mt": pairs["40 Mt"]})


def test_arithmetic_of_intervals():
    a, b = Interval(1, 2), Interval(-3, 4)
    assert a - b == Interval(-3, 5)
    assert a * b == Interval(-6, 8)
    assert 3 - a == Interval(1, 2)
    assert 2 * a + 1 == Interval(3, 5)
    assert 1 / a == Interval(0.5, 1)
    assert a.hull(b) == b.hull(a) == Interval(-3, 4)
    assert Interval(1, 2, "gas").hull(b).name == "gas"
    for divisor in (b, Interval(0, 2), Interval(-2, 0)):
        with pytest.raises(ZeroDivisionError, match="divisor may be zero"):
            a / divisor
    with pytest.raises(ValueError, match="not a number"):
        Interval(math.nan, 1)
    with pytest.raises(Infeasible, match=r"floor .* and ceiling"):
        Interval(3, 4, "floor").intersect(Interval(1, 2, "ceiling"))
    with pytest.raises(Infeasible, match="empty") as caught:
        Interval(2, 1)
    assert caught.value.expected == "low not above high"
    assert caught.value.todo == "widen a bound, or drop the one with the weakest source"


def test_bounds_are_named_in_what_comes_of_them():
    floor, ceiling = Interval(1, 3, "floor"), Interval(2, 5, "ceiling")
    assert floor.intersect(ceiling).name == "floor"
    assert Interval(1, 3).intersect(ceiling).name == "ceiling"
    assert floor.intersect(Interval(3, 4)) == Interval(3, 3)
    with pytest.raises(Infeasible) as caught:
        floor.intersect(Interval(4, 5, "ceiling"))
    assert caught.value.found == "floor [1, 3] and ceiling [4, 5] share no number"
    assert caught.value.expected == "bounds that overlap"
    goods = [Good("gas", Interval(1, 9, "corridor"), 0.5), Good("crude", Interval(4, 5), 0.5)]
    block = Block(5.0, goods)
    assert block.goods == tuple(goods)
    tight = block.tightened()
    assert [g.price for g in tight.goods] == [Interval(5, 6), Interval(4, 5)]
    assert tight.goods[0].price.name == "corridor"
    assert tight.value.name == "value"
    with pytest.raises(Infeasible) as caught:
        Block(9.0, goods).tightened()
    assert caught.value.found == (
        "value [9, 9] and value from price of gas [1, 9], price of crude [4, 5] [2.5, 7] share no"
        " number"
    )
    with pytest.raises(Infeasible, match=r"the bill \[9, 9\]"):
        Block(Interval(9, 9, "the bill"), goods).tightened()


def test_goods_and_methods_that_do_not_fit():
    block = gas_and_crude(100.0, (1, 9), (4, 5), (10, 10))
    other = Block(100.0, block.goods[::-1])
    words = r"goods \['gas', 'crude'\] and \['crude', 'gas'\]: expected the same, each once"
    with pytest.raises(ValueError, match=words):
        price_effect(block, other)
    with pytest.raises(ValueError, match="zero or more"):
        Good("gas", Interval(1, 2), math.inf)
    words = "method='fisher': expected montgomery, bennet, laspeyres, paasche"
    with pytest.raises(ValueError, match=words):
        price_effect(block, block, "fisher")
    with pytest.raises(ValueError, match="zero or more"):
        Good("gas", Interval(-1, 2), 1)


def test_a_good_without_quantity_keeps_its_corridor():
    block = gas_and_crude(50.0, (1, 9), (4, 5), (0, 10))
    current = gas_and_crude(80.0, (1, 9), (4, 5), (10, 10))
    assert block.tightened().goods[0].price == Interval(1, 9)
    ends = price_effect(block, current)
    assert ends.low == pytest.approx(5 * (4 - 9) + 10 * (4 - 5))
    with pytest.raises(ValueError, match="positive quantities"):
        price_effect(block, current, "montgomery")
