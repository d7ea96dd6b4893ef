"""Bounds contain every truth inside the corridors, are attained, and refuse contradictions."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tradeflows.errors import Infeasible
from tradeflows.measure import (
    Block,
    Good,
    Interval,
    extremes,
    feasible,
    hull,
    price_effect,
    price_effects,
    volume_effects,
)
from tradeflows.measure.montgomery import MOST_GOODS, TOLERANCE

METHODS = ("bennet", "laspeyres", "paasche", "montgomery")


def effect(method, p0, q0, p1, q1):
    """Compute the price effect of known prices, good by good."""
    if method == "montgomery":
        v0, v1 = p0 * q0, p1 * q1
        some = (v0 > 0) & (v1 > 0)
        ratio = np.where(some, v1, 1.0) / np.where(some, v0, 1.0)
        near = np.abs(ratio - 1) < 1e-9
        mean = np.where(near, v0, (v1 - v0) / np.where(near, 1.0, np.log(ratio)))
        return float((v1 - v0 - np.where(some, mean * np.log(q1 / q0), 0.0)).sum())
    weight = {"bennet": (q0 + q1) / 2, "laspeyres": q0, "paasche": q1}[method]
    return float((weight * (p1 - p0)).sum())


def holds(block, prices, slack=1e-9):
    """Say whether prices are feasible, up to rounding."""
    total = sum(prices[g.name] * g.quantity for g in block.goods)
    room = slack * max(abs(block.value.high), 1e-300)
    return block.value.low - room <= total <= block.value.high + room and all(
        g.price.low * (1 - slack) <= prices[g.name] <= g.price.high * (1 + slack)
        for g in block.goods
    )


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


def test_contradictory_inputs_are_always_infeasible():
    rng = np.random.default_rng(9)
    for _ in range(60):
        _, _, block = drawn(rng, int(rng.integers(1, 4)))
        most = sum(g.price.high * g.quantity for g in block.goods)
        least = sum(g.price.low * g.quantity for g in block.goods)
        for value in (most * 1.001, least * 0.999):
            with pytest.raises(Infeasible, match="price of good 0"):
                Block(value, block.goods).tightened()


def test_two_goods_montgomery_against_a_fine_grid():
    rng = np.random.default_rng(4)
    for _ in range(8):
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


def test_montgomery_ends_cannot_be_bettered_nearby():
    rng = np.random.default_rng(12)
    for n in (1, 2, 2, 3, 3, 3):
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


def test_tightened_corridors_are_attained():
    rng = np.random.default_rng(5)
    for _ in range(60):
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


def test_scenarios_that_contradict_themselves_are_left_out():
    current = gas_and_crude(160.0, (5, 30), (5, 8), (8, 12))
    pairs = {
        f"{q} Mt": (gas_and_crude(100.0, (1, 9), (4, 5), (10, q)), current) for q in (5, 10, 40)
    }
    found = feasible(pairs)
    assert list(found) == ["5 Mt", "10 Mt"]
    assert found["5 Mt"] == tuple(block.tightened() for block in pairs["5 Mt"])
    for method in METHODS:
        effects = price_effects(found, method)
        assert effects == {name: price_effect(*found[name], method) for name in found}
        ends = hull(effects.values())
        assert ends.low == min(i.low for i in effects.values())
        assert ends.high == max(i.high for i in effects.values())
    assert price_effects(found) != price_effects(found, "paasche")
    for contradictory in ({"40 Mt": pairs["40 Mt"]}, {"a": pairs["40 Mt"], "b": pairs["40 Mt"]}):
        with pytest.raises(Infeasible, match="price of gas"):
            feasible(contradictory)
    with pytest.raises(Infeasible, match="price of gas"):
        price_effects(pairs)


@st.composite
def blocks(draw, n):
    """Draw a block that some prices satisfy, with ranges from none to ten thousandfold."""
    goods, value = [], 0.0
    for i in range(n):
        price, quantity = draw(st.floats(0.1, 10)), 10 ** draw(st.floats(-1, 1))
        low = price * draw(st.sampled_from([0, 1e-3, 0.3, 0.9, 1]))
        high = price * draw(st.sampled_from([1, 1.1, 3, 30]))
        goods.append(Good(f"good {i}", Interval(low, high), quantity))
        value += price * quantity
    slack = draw(st.sampled_from([0, 0, 0.05, 0.5]))
    return Block(Interval(value * (1 - slack), value * (1 + slack)), goods)


def narrowed(draw, block):
    """Narrow one bound of a block: of its value, or of a price."""
    at, ends = draw(st.integers(0, len(block.goods))), sorted(draw(st.tuples(part, part)))

    def within(old):
        return Interval(*(old.low + share * (old.high - old.low) for share in ends))

    goods = list(block.goods)
    if at == len(goods):
        return Block(within(block.value), goods)
    goods[at] = Good(goods[at].name, within(goods[at].price), goods[at].quantity)
    return Block(block.value, goods)


part = st.floats(0, 1)


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("method", METHODS)
def test_a_narrower_bound_never_gives_a_wider_interval(method, data):
    n = data.draw(st.integers(1, 3))
    pair = [data.draw(blocks(n)), data.draw(blocks(n))]
    wide, size = price_effect(*pair, method), max(block.value.high for block in pair)
    for _ in range(3):
        which = data.draw(st.integers(0, 1))
        pair[which] = narrowed(data.draw, pair[which])
        try:
            narrow = price_effect(*pair, method)
        except Infeasible:
            assume(False)
        assert narrow.low >= wide.low - TOLERANCE * size
        assert narrow.high <= wide.high + TOLERANCE * size
        wide = narrow


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize("method", METHODS)
def test_ends_are_attained_and_nothing_feasible_lies_beyond(method, data):
    n = data.draw(st.integers(1, 4))
    pair = [data.draw(blocks(n)), data.draw(blocks(n))]
    size = max(block.value.high for block in pair)
    interval, ends = price_effect(*pair, method), extremes(*pair, method)
    quantities = [np.array([g.quantity for g in block.goods]) for block in pair]
    for end, proved, sign in zip(ends, (interval.low, interval.high), (1, -1), strict=True):
        assert holds(pair[0], end.base)
        assert holds(pair[1], end.current)
        at = [np.array(list(prices.values())) for prices in (end.base, end.current)]
        attained = effect(method, at[0], quantities[0], at[1], quantities[1])
        assert attained == pytest.approx(end.effect, abs=1e-12 * size)
        assert end.proved == proved
        assert 0 <= sign * (end.effect - proved) <= TOLERANCE * size
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    for p0, p1 in zip(*(corners_and_between(rng, block) for block in pair), strict=False):
        other = effect(method, p0, quantities[0], p1, quantities[1])
        assert interval.low - 1e-12 * size <= other <= interval.high + 1e-12 * size


def corners_and_between(rng, block, count=60):
    """Draw feasible prices, half of them at ends but for one that the value sets."""
    low, high = (np.array([getattr(g.price, e) for g in block.goods]) for e in ("low", "high"))
    q = np.array([g.quantity for g in block.goods])
    share = rng.random((count, len(q)))
    share = np.where(rng.random((count, 1)) < 0.5, share.round(), share)
    prices, rows = low + share * (high - low), np.arange(count)
    total = rng.choice([block.value.low, rng.uniform(block.value.low, block.value.high),
                        block.value.high], count)  # fmt: skip
    good = rng.integers(0, len(q), count)
    rest = total - (prices @ q - prices[rows, good] * q[good])
    prices[rows, good] = rest / q[good]
    return prices[((prices >= low) & (prices <= high)).all(axis=1)]


def test_the_best_point_may_be_far_from_the_best_corners():
    base = gas_and_crude(2.8, (1, 4), (0, 2), (1.26, 0.2))
    value = Interval(39.6, 73.5)
    current = gas_and_crude(value, (0, 11), (0, 36), (3.98, 3.16))
    prices = [{"gas": 2.8 / 1.26, "crude": 0}, {"gas": 0, "crude": 73.5 / 3.16}]
    assert holds(base, prices[0])
    assert holds(current, prices[1])
    p0, p1 = (np.array(list(p.values())) for p in prices)
    attained = effect("montgomery", p0, np.array([1.26, 0.2]), p1, np.array([3.98, 3.16]))
    assert attained == pytest.approx(70.7)
    assert price_effect(base, current, "montgomery").high == pytest.approx(70.7, abs=1e-12)


def test_montgomery_with_more_goods():
    rng = np.random.default_rng(3)
    for n in (5, MOST_GOODS):
        p0, q0, base = drawn(rng, n)
        p1, q1, current = drawn(rng, n)
        ends = price_effect(base, current, "montgomery")
        assert ends.contains(effect("montgomery", p0, q0, p1, q1))
        at = extremes(base, current, "montgomery")
        size = max(base.value.high, current.value.high)
        assert at[1].effect == pytest.approx(ends.high, abs=TOLERANCE * size)
    many = drawn(rng, MOST_GOODS + 1)[2]
    with pytest.raises(ValueError, match=r"9 goods: montgomery takes at most 8"):
        price_effect(many, many, "montgomery")


def test_a_price_without_ceiling_is_bounded_by_the_value():
    goods = (Good("gas", Interval(0, math.inf), 2), Good("crude", Interval(1, 3), 10))
    tight = Block(50.0, goods).tightened()
    assert tight.goods[0].price == Interval(10, 20)
    assert tight.goods[1].price == Interval(1, 3)
    one = price_effect(Block(50.0, goods), Block(80.0, goods), "montgomery")
    assert one.low == pytest.approx(30)  # the same quantities: all of the change is price
    assert one.high == pytest.approx(30)
    unused = Block(30.0, (Good("gas", Interval(0, math.inf), 0), goods[1]))
    assert unused.tightened().goods[0].price == Interval(0, math.inf)


@pytest.mark.parametrize(
    ("interval", "spec", "text"),
    [
        (Interval(0.6067, 0.8814), ".0%", "61–88 %"),
        (Interval(-0.126, 0.5), ".0%", "−13 to 50 %"),
        (Interval(-2.5, -1.04), ".1f", "−2.5 to −1.0"),
        (Interval(20.31e9, 29.46e9) / 1e9, ".1f", "20.3–29.5"),
        (Interval(1234.4, 56789), ",.0f", "1,234–56,789"),
        (Interval(3.04, 2.96 + 0.1), ".1f", "3.0–3.1"),
        (Interval(3.01, 3.02), ".1f", "3.0"),
        (Interval(-0.04, 0.04), ".1f", "0.0"),
        (Interval(-0.001, 0.3), ".0%", "0–30 %"),
        (Interval(0, math.inf), ".0f", "0–∞"),
        (Interval(-math.inf, 2), ".0f", "−∞ to 2"),
        (Interval(1, 2, "gas"), "", "gas [1, 2]"),
    ],
)
def test_an_interval_is_written_as_people_write_it(interval, spec, text):
    assert format(interval, spec) == text


def test_intervals_are_named_widened_and_united():
    gas = Interval(90, 100).named("gas")
    assert (gas.name, gas.middle, gas.widened(0.01).name) == ("gas", 95, "gas")
    assert gas.widened(0.01) == Interval(89, 101)
    assert Interval(-100, 50).widened(0.1) == Interval(-110, 60)
    assert Interval(-100, -50).widened(0.1) == Interval(-110, -40)
    for share in (-0.1, math.nan):
        with pytest.raises(ValueError, match="share of zero or more"):
            gas.widened(share)
    assert hull([Interval(1, 2, "gas"), Interval(-3, 0)]) == Interval(-3, 2)
    assert hull(i for i in [gas]).name == "gas"
    with pytest.raises(ValueError, match="hull of no interval"):
        hull([])


def test_arithmetic_of_intervals():
    a, b = Interval(1, 2), Interval(-3, 4)
    assert a - b == Interval(-3, 5)
    assert a * b == Interval(-6, 8)
    assert 3 - a == Interval(1, 2)
    assert 2 * a + 1 == Interval(3, 5)
    assert 1 / a == Interval(0.5, 1)
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
    words = "method='fisher': expected one of bennet, laspeyres, paasche, montgomery"
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
