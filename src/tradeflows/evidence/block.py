"""The confidential block: crude oil and pipeline gas from Russia, a value without weight.

Two goods, one value. What bounds their prices is applied step by step, so that the effect of every
bound can be seen. The bounds themselves stand in the rules file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import pandas as pd

from tradeflows.evidence.corridors import (
    crude_corridor,
    gas_by_month,
    gas_corridor,
    yearly_gas_corridor,
)
from tradeflows.evidence.disclosure import Disclosure, disclosed_in, disclosure
from tradeflows.load import snapshot
from tradeflows.measure.intervals import (
    Block,
    Good,
    Interval,
    feasible,
    hull,
    price_effects,
    volume_effects,
)
from tradeflows.measure.published import published

__all__ = ["Confidential", "Stage", "confidential"]

Pair = tuple[Block, Block]


@dataclass(frozen=True)
class Stage:
    """The block after one more bound: base and current year for every scenario of quantities."""

    id: str
    name: str
    text: str
    leans_on_press: bool
    scenarios: dict[str, Pair]

    def price_effect(self, method: str) -> Interval:
        """Return the price effect over all scenarios, USD."""
        if method not in self._effects:
            self._effects[method] = hull(price_effects(feasible(self.scenarios), method).values())
        return self._effects[method]

    @cached_property
    def _effects(self) -> dict[str, Interval]:
        return {}

    def volume_effect(self, good: str, method: str) -> Interval:
        """Return the volume effect of one good over all scenarios, USD."""
        found = [volume_effects(old, new, method)[good] for old, new in self.scenarios.values()]
        return Interval(min(i.low for i in found), max(i.high for i in found))

    def value(self, which: int) -> Interval:
        """Return the value of the block, 0 for the base year, 1 for the current one."""
        found = [pair[which].tightened().value for pair in self.scenarios.values()]
        return Interval(min(i.low for i in found), max(i.high for i in found))

    def price(self, good: str, which: int) -> Interval:
        """Return the price of gas (USD per m3) or crude (USD per kg)."""
        ends = [
            next(g.price for g in pair[which].tightened().goods if g.name == good)
            for pair in self.scenarios.values()
        ]
        return Interval(min(i.low for i in ends), max(i.high for i in ends))


@dataclass(frozen=True)
class Confidential:
    """The block between two years, bound by bound."""

    base: int
    current: int
    stages: tuple[Stage, ...]
    relaxed: dict[tuple[str, ...], Stage]  # under all bounds but those named
    earlier: dict[int, float]  # most that the floors of bound 2 leave for all but energy, USD
    asked: float  # what bound 1 asks of the base year, USD
    quantities: pd.DataFrame
    origins: tuple[str, ...]

    @property
    def last(self) -> Stage:
        """The block under all bounds."""
        return self.stages[-1]

    @property
    def without_press(self) -> Stage:
        """The block under all bounds that lean on no single press figure."""
        return [stage for stage in self.stages if not stage.leans_on_press][-1]


def confidential(stated: Mapping[str, Any], base: int = 2021, current: int = 2022) -> Confidential:
    """Bound the prices of the confidential block in two years.

    Parameters
    ----------
    stated : mapping
        Claim b2 of the rules file: bounds, corridors and quantities.
    base, current : int
        Calendar years. The block's value is known from 2022 on; before, it is bounded.

    Returns
    -------
    Confidential
        One stage per bound, in the order of the rules.

    Raises
    ------
    Infeasible
        The bounds contradict each other.
    """
    known = disclosure()
    scenarios = _quantities(stated, base, current)

    def stages(left_out: Collection[str] = ()) -> tuple[Stage, ...]:
        return tuple(
            Stage(
                bound["id"],
                bound["name"],
                " ".join(bound["text"].split()),
                bool(bound.get("single_press_figure", False)),
                {name: (_block(old, q, 0), _block(new, q, 1)) for name, q in scenarios.items()},
            )
            for bound, (old, new) in _steps(stated, known, base, current, left_out)
        )

    bounded = _bounded(known, base)
    table = pd.DataFrame(
        [(name, *q["gas"], *q["crude"]) for name, q in scenarios.items()],
        columns=["scenario", f"gas {base}", f"gas {current}", f"crude {base}", f"crude {current}"],
    )
    return Confidential(
        base,
        current,
        stages(),
        {left_out: stages(left_out)[-1] for left_out in _LEFT_OUT if bounded},
        {y: _most_non_energy(stated, known, y) for y in known.table.index if bounded and y < base},
        _least_non_energy(stated, known),
        table,
        (*known.origins, *_OUTSIDE),
    )


_LEFT_OUT = (("1",), ("2",), ("3",), ("1", "3"))


def _bounded(known: Disclosure, year: int) -> bool:
    """Return whether the block of a year has no value but bounds."""
    return year not in known.table.dropna(subset="hidden").index


def _least_non_energy(stated: Mapping[str, Any], known: Disclosure) -> float:
    years = next(b["years"] for b in stated["bounds"] if b["id"] == "1")
    return float(known.table.loc[years, "non_energy"].min())


def _most_non_energy(stated: Mapping[str, Any], known: Disclosure, year: int) -> float:
    """Return what disclosed energy and the hidden block at its floors leave of imports."""
    floors = _corridors(stated, _second(stated), year)
    amounts = {
        "gas": float(gas_by_month(year).sum()),
        "crude": _crude_of({str(year): {}}, year)[0],
    }
    hidden = sum(floors[good].low * amount for good, amount in amounts.items())
    return known.of("total", year) - known.of("oil_gas", year) - known.of("coal", year) - hidden


_OUTSIDE = (
    "eurostat/energy_imports_monthly.csv",
    "iea/russian_gas_into_turkey_monthly.csv",
    "minfin/urals_price.csv",
    "press/published_figures.csv",
    "world-bank/benchmark_prices_monthly.csv",
)

Bounds = tuple[Interval, dict[str, Interval]]  # value of the block, corridors of its prices


def _block(bounds: Bounds, quantities: Mapping[str, tuple[float, float]], which: int) -> Block:
    value, corridors = bounds
    goods = []
    for good, amounts in quantities.items():
        quantity = amounts[which]
        anything = Interval(0.0, value.high / quantity)
        corridor = corridors.get(good, anything)
        goods.append(Good(good, corridor, quantity))
    return Block(value, tuple(goods))


def _steps(
    stated: Mapping[str, Any],
    known: Disclosure,
    base: int,
    current: int,
    left_out: Collection[str],
) -> list[tuple[Mapping[str, Any], tuple[Bounds, Bounds]]]:
    """Return value and corridors of both years after each bound."""
    old = (_value(known, base), dict[str, Interval]())
    new = (_value(known, current), dict[str, Interval]())
    bounded = _bounded(known, base)
    steps = []
    for bound in stated["bounds"]:
        if bound["id"] in left_out:
            continue
        if bound["id"] in ("1", "3") and not bounded:
            continue  # the value of the base year is known: nothing is left to bound
        if bound["id"] == "1":
            least = _least_non_energy(stated, known)
            old = (Interval(old[0].low, old[0].high - least, "value left"), old[1])
        if bound["id"] == "2":
            old = (old[0], _corridors(stated, bound, base))
            new = (new[0], _corridors(stated, bound, current))
        if bound["id"] == "3":
            old = (old[0], {**old[1], "gas": _gas_around(stated, bound, base)})
        steps.append((bound, (old, new)))
    return steps


def _value(known: Disclosure, year: int) -> Interval:
    seen = known.of("oil_gas", year) + known.of("coal", year)
    if year not in known.table["hs27"].dropna().index:
        return Interval(0.0, known.of("total", year) - seen, "total less disclosed energy")
    rest = known.of("hs27", year) - seen
    months = snapshot("trade", source="UN Comtrade", code="coal", flow="M", months=str(year))
    absent = (12 - len(months)) * float(months["value_usd"].max())
    return Interval(rest - absent, rest, "HS 27 less disclosed energy")


def _corridors(
    stated: Mapping[str, Any], bound: Mapping[str, Any], year: int
) -> dict[str, Interval]:
    floor, ceiling = yearly_gas_corridor(_second(stated), year)
    gas = Interval(floor, ceiling, bound["name"])
    return {"gas": gas, "crude": crude_corridor(stated["corridors"]["crude"], year)}


def _second(stated: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(bound for bound in stated["bounds"] if bound["id"] == "2")


def _gas_around(stated: Mapping[str, Any], bound: Mapping[str, Any], year: int) -> Interval:
    """Bound the year's gas price by one printed month: dearer after it, cheaper before it."""
    month = pd.Timestamp(bound["month"])
    corridor, flows = gas_corridor(_second(stated), year), gas_by_month(year)
    here = _gas_of_month(stated, bound, month, flows[month])
    floor, ceiling = (float(corridor[end][month]) for end in ("floor", "ceiling"))
    here = here.intersect(Interval(floor, ceiling, "corridor of the month"))
    upto, since = corridor.index <= month, corridor.index >= month
    low = corridor["floor"].mask(since, corridor["floor"].clip(lower=here.low))
    high = corridor["ceiling"].mask(upto, corridor["ceiling"].clip(upper=here.high))
    ends = [float((end * flows).sum() / flows.sum()) for end in (low, high)]
    return Interval(ends[0], ends[1], bound["name"])


def _gas_of_month(
    stated: Mapping[str, Any], bound: Mapping[str, Any], month: pd.Timestamp, flow: float
) -> Interval:
    """Solve the gas price of the printed month: HS 27 less disclosed lines less crude."""
    when = f"{month:%Y-%m}"
    figure = published(bound["published_figure"]).value
    room = figure.high * bound["tolerance"]
    crude = snapshot("volumes", source="Eurostat", series="crude_oil", partner="RUS", months=when)
    seen = disclosed_in(when)
    price = crude_corridor(stated["corridors"]["crude"], month.year, when)
    oil_value = price * (float(crude["value"].iloc[0]) * 1000)
    rest = Interval(figure.low - room - seen, figure.high + room - seen, bound["name"])
    return (rest - oil_value) * (1 / flow)


def _quantities(
    stated: Mapping[str, Any], base: int, current: int
) -> dict[str, dict[str, tuple[float, float]]]:
    """Return every scenario's quantities of both years: gas in m3, crude in kg."""
    gas = {
        source["id"]: tuple(_gas_of(source, year) for year in (base, current))
        for source in stated["quantities"]["gas"]
    }
    both = {name: q for name, q in gas.items() if None not in q}
    crude = [_crude_of(stated["quantities"]["crude_mt"], year) for year in (base, current)]
    return {
        f"gas by {name}, crude {old / 1e9:.1f} to {new / 1e9:.1f} Mt": {
            "gas": (float(q[0] or 0), float(q[1] or 0)),
            "crude": (old, new),
        }
        for (name, q), old, new in product(both.items(), *crude)
    }


def _gas_of(source: Mapping[str, Any], year: int) -> float | None:
    """Return a source's gas of a year, None if it does not have the whole year."""
    figures = source.get("published_figures")
    if figures is not None:
        figure = figures.get(str(year))
        return None if figure is None else _middle(published(figure).value)
    if "years" in source and str(year) not in source["years"]:
        return None
    origin = {"border flows": "IEA", "Eurostat": "Eurostat"}[source["id"]]
    flows = snapshot(
        "volumes", source=origin, series="gas", partner="RUS", unit="m3", months=str(year)
    )
    return float(flows["value"].sum()) if len(flows) == 12 else None


def _crude_of(stated: Mapping[str, Any], year: int) -> list[float]:
    """Return the scenarios of a year's crude, kg."""
    here = stated[str(year)]
    if "scenarios" in here:
        return [mt * 1e9 for mt in here["scenarios"]]
    flows = snapshot(
        "volumes", source="Eurostat", series="crude_oil", partner="RUS", months=str(year)
    )
    return [float(flows["value"].sum()) * 1000]


def _middle(interval: Interval) -> float:
    return (interval.low + interval.high) / 2
