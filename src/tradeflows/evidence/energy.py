"""How much of the change in trade with Russia the prices of energy account for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pandas as pd

from tradeflows.evidence.block import Confidential, Stage, confidential
from tradeflows.evidence.disclosure import Disclosure, disclosure
from tradeflows.evidence.turnover import Turnover, turnover
from tradeflows.figures import Figure, amount, percent, ranges, waterfall
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.measure import Bridge, bridge
from tradeflows.measure.intervals import Interval
from tradeflows.words import Sentence, between

__all__ = ["EnergyPrices", "energy_prices"]

Split = tuple[float, float, float]  # price, volume, change


@dataclass(frozen=True)
class EnergyPrices:
    """Price and volume of energy imports from Russia between two years, USD.

    ``disclosed`` and ``coal`` hold (price, volume, change) by formula and path; ``block`` is the
    confidential rest, bound by bound; ``not_measured`` is the change in coal of months that one
    of the two years does not have.
    """

    base: int
    current: int
    disclosed: dict[tuple[str, str], Split]
    coal: dict[tuple[str, str], Split]
    block: Confidential
    trade: Turnover
    energy: Disclosure
    priced_disclosed: float
    thresholds: dict[str, float]  # shares at which the rule says "in part" and "mainly"

    def effect(self, stage: Stage | None = None) -> Interval:
        """Return the price effect of all energy over formulas and paths, under one more bound."""
        stage = stage or self.block.last
        hidden = {method: stage.price_effect(method) for method, _ in self.disclosed}
        return _hull(
            [hidden[k[0]] + (self.disclosed[k][0] + self.coal[k][0]) for k in self.disclosed]
        )

    def share(self, stage: Stage | None = None, of: str = "turnover") -> Interval | None:
        """Return the price effect over the change in turnover or imports.

        None where a share would mislead: a change that is negative or below a tenth of its base.
        """
        change = self._change(of)
        base = self.trade.of(self.base).low if of == "turnover" else self._imports(self.base)
        if change.low <= 0.1 * base:
            return None
        return self.effect(stage) / change

    def priced_share(self, with_block: bool = True) -> float:
        """Return the share of energy value of the current year that counts as priced."""
        total = self.energy.of("hs27", self.current)
        hidden = self.block.last.value(1).low if with_block else 0.0
        return (self.priced_disclosed + hidden) / total

    def hs27_ratio(self, stage: Stage | None = None) -> Interval:
        """Return HS 27 imports of the current year over those of the base year."""
        seen = self.energy.of("oil_gas", self.base) + self.energy.of("coal", self.base)
        before = (stage or self.block.last).value(0) + seen
        return self.energy.of("hs27", self.current) / before

    def gas_price_ratio(self) -> Interval:
        """Return the solved gas price of the current year over that of the base year."""
        last = self.block.last
        return last.price("gas", 1) / last.price("gas", 0)

    @property
    def table(self) -> pd.DataFrame:
        """One row per bound: value of the block and gas price in the base year, effect, shares."""
        return pd.DataFrame([self._row(stage) for stage in self.block.stages])

    def shown(self) -> Shown:
        """Show the table for people."""
        rows = []
        for stage in self.block.stages:
            value, gas, effect = stage.value(0), stage.price("gas", 0), self.effect(stage)
            shares = [self.share(stage, of) for of in ("turnover", "imports")]
            rows.append(
                (
                    f"{stage.id}. {stage.name}",
                    between(value.low, value.high, _usd),
                    f"{gas.low * 1000:,.0f} to {gas.high * 1000:,.0f}",
                    between(effect.low, effect.high, _usd),
                    *("–" if s is None else between(s.low, s.high, percent) for s in shares),
                )
            )
        columns = [
            "bound",
            f"hidden block {self.base}",
            f"gas {self.base}, USD per 1000 m³",
            "price effect of energy",
            "of the change in turnover",
            "of the change in imports",
        ]
        return Shown(pd.DataFrame(rows, columns=columns), "The range after each bound")

    def bounds(self) -> Shown:
        """Show the bounds in words, in the order in which they are applied."""
        rows = [(f"{s.id}. {s.name}", s.text) for s in self.block.stages]
        return Shown(pd.DataFrame(rows, columns=["bound", "what it says"]), "The bounds in words")

    def sentence(self) -> Sentence:
        """Say what energy prices account for."""
        effect, share = self.effect(), self.share()
        words = between(effect.low, effect.high, _usd)
        head = f"From {self.base} to {self.current} the price of energy accounts for {words}"
        if share is None:
            change = self._change("turnover")
            moved = between(change.low, change.high, _usd)
            return Sentence(f"{head} of a change in turnover of {moved}; a share would mislead.")
        part = between(share.low, share.high, percent)
        return Sentence(f"{head}, {part} of the change in turnover.")

    def coverage(self) -> Shown:
        """Show which part of the energy bill of the current year has a price, and why."""
        total, hidden = self.energy.of("hs27", self.current), self.block.last.value(1).low
        parts = [
            ("disclosed, weight reported in both years", self.priced_disclosed, "measured"),
            ("hidden, value known or bounded and quantities known", hidden, "bounded"),
            ("not priced", total - self.priced_disclosed - hidden, "no weight or month missing"),
        ]
        rows = [(name, _usd(x), percent(max(x, 0.0) / total), how) for name, x, how in parts]
        columns = ["part", f"value {self.current}", "share of HS 27", "priced how"]
        return Shown(pd.DataFrame(rows, columns=columns), "Energy value that is priced")

    def measured(self) -> Shown:
        """Show price and volume of the disclosed lines by formula and path."""
        rows = [
            (line, method, path, price, volume, change)
            for line, split in (("disclosed oil and LPG", self.disclosed), ("coal", self.coal))
            for (method, path), (price, volume, change) in split.items()
        ]
        columns = ["line", "formula", "path", "price", "volume", "change"]
        return Shown(pd.DataFrame(rows, columns=columns), "Measured price and volume", "USD")

    def signs(self) -> Shown:
        """Show the sign of the volume effect of every line, over formulas, paths and scenarios."""
        rows = []
        for line, split in (("disclosed oil and LPG", self.disclosed), ("coal", self.coal)):
            volumes = [v[1] for v in split.values()]
            rows.append((line, "measured", min(volumes), max(volumes)))
        for good in ("gas", "crude"):
            found = [self.block.last.volume_effect(good, m) for m in _formulas(self.disclosed)]
            rows.append((good, "bounded", min(i.low for i in found), max(i.high for i in found)))
        table = pd.DataFrame(rows, columns=["line", "kind", "volume effect from", "to"])
        sign = table.iloc[:, 2:].gt(0).all(axis=1).map({True: "more", False: "unclear"})
        sign = sign.mask(table.iloc[:, 2:].lt(0).all(axis=1), "less")
        return Shown(table.assign(shipped=sign), "Volume effect by line", "USD")

    def narrowing(self) -> Figure:
        """Draw how each bound narrows the share of the change in turnover."""
        shares = {f"{s.id}. {s.name}": self.share(s) for s in self.block.stages}
        table = pd.DataFrame(
            [(name, s.low * 100, s.high * 100) for name, s in shares.items() if s is not None],
            columns=["label", "low", "high"],
        )
        low, high = float(table["low"].iloc[-1]) / 100, float(table["high"].iloc[-1]) / 100
        return ranges(
            table,
            marks={name: 100 * share for name, share in self.thresholds.items()},
            name=f"energy-bounds-{self.base}-{self.current}",
            title=f"Energy prices account for {between(low, high, percent)} of the rise in "
            "turnover once the hidden prices are bounded",
            unit="% of the change in turnover",
            alt="Ranges of the share after each bound, from top to bottom: "
            + "; ".join(
                f"{name}: {between(s.low, s.high, percent)}" for name, s in shares.items() if s
            ),
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note="range over four formulas, two paths and all scenarios of quantities; not a "
            "confidence interval",
        )

    def figure(self) -> Figure:
        """Draw imports from Russia from one year to the other, price and volume apart."""
        steps = self._steps()
        price = between(self.effect().low, self.effect().high, _usd)
        return waterfall(
            steps,
            name=f"energy-waterfall-{self.base}-{self.current}",
            title=f"From {self.base} to {self.current} the price of energy accounts for {price} of "
            f"a change in imports from Russia of {_usd(self._change('imports').low)}",
            unit="USD",
            alt="Waterfall of imports from Russia. "
            + "; ".join(
                f"{step}: {_usd(float(value))}"
                for step, value in zip(steps["step"], steps["value"], strict=True)
            ),
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note="bars by Bennet's formula: the hidden block at the middle of its bounds, the "
            "disclosed lines measured, months summed",
            whiskers="whiskers: each bar over all formulas, paths and bounds; the title's range "
            "takes both prices by one formula",
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """Raw files under the result."""
        return tuple(sorted({*self.block.origins, *self.trade.origins, *self.energy.origins}))

    def _row(self, stage: Stage) -> dict[str, object]:
        value, gas, effect = stage.value(0), stage.price("gas", 0), self.effect(stage)
        shares = {of: self.share(stage, of) for of in ("turnover", "imports")}
        found = {"block": value, "gas": gas * 1000, "effect": effect, **shares}
        ends = {
            f"{name}_{end}": None if i is None else getattr(i, end)
            for name, i in found.items()
            for end in ("low", "high")
        }
        return {"bound": stage.id, "name": stage.name, **ends}

    def _change(self, of: str) -> Interval:
        if of == "turnover":
            return self.trade.change(self.base, self.current)
        moved = self._imports(self.current) - self._imports(self.base)
        return Interval(moved, moved)

    def _imports(self, year: int) -> float:
        return self.energy.of("total", year)

    def _steps(self) -> pd.DataFrame:
        """Return the bars, by Bennet, with the ends of each over all formulas and paths."""
        seen = [self.disclosed["bennet", "monthly"], self.coal["bennet", "monthly"]]
        price, volume = self._seen(0), self._seen(1)
        last, formulas = self.block.last, _formulas(self.disclosed)
        hidden = _hull([last.price_effect(m) for m in formulas])
        more = _hull(
            [last.volume_effect("gas", m) + last.volume_effect("crude", m) for m in formulas]
        )
        old, new = last.value(0), last.value(1)
        middle, moved = _middle(last.price_effect("bennet")), _middle(new) - _middle(old)
        rest = self._change("imports").low - moved - sum(s[2] for s in seen)
        room = (old.high - old.low + new.high - new.low) / 2
        nothing = (float("nan"), float("nan"))
        rows = [
            (f"imports {self.base}", self._imports(self.base), "total", *nothing),
            ("price of hidden gas and crude", middle, "price", hidden.low, hidden.high),
            ("price of disclosed oil, LPG, coal", sum(s[0] for s in seen), "price", *price),
            ("volume of hidden gas and crude", moved - middle, "volume", more.low, more.high),
            ("volume of disclosed oil, LPG, coal", sum(s[1] for s in seen), "volume", *volume),
            ("everything else, not split", rest, "unpriced", rest - room, rest + room),
            (f"imports {self.current}", self._imports(self.current), "total", *nothing),
        ]
        return pd.DataFrame(rows, columns=["step", "value", "kind", "low", "high"])

    def _seen(self, part: int) -> tuple[float, float]:
        """Return the ends of price (0) or volume (1) of the disclosed lines over all methods."""
        found = [self.disclosed[key][part] + self.coal[key][part] for key in self.disclosed]
        return min(found), max(found)


def energy_prices(stated: Mapping[str, Any], base: int = 2021, current: int = 2022) -> EnergyPrices:
    """Measure what is disclosed, bound what is hidden, and add them up.

    Parameters
    ----------
    stated : mapping
        Claim b2 of the rules file: methods, bounds, corridors, quantities.
    base, current : int
        Calendar years.

    Returns
    -------
    EnergyPrices
    """
    oil = snapshot(
        "trade",
        source="TÜİK",
        trade_system="general",
        code="oil_gas_disclosed",
        flow="M",
        months=f"{base}/{current}",
    )
    coal = snapshot(
        "trade",
        source="UN Comtrade",
        code_system="groups",
        code="coal",
        flow="M",
        months=f"{base}/{current}",
    )
    keys = [(m, p) for p in stated["methods"]["paths"] for m in stated["methods"]["formulas"]]
    parts = {
        name: _bridges(frame, base, current, keys) for name, frame in (("oil", oil), ("coal", coal))
    }
    first = keys[0]
    return EnergyPrices(
        base,
        current,
        {key: _added(parts["oil"][key]) for key in keys},
        {key: _added(parts["coal"][key]) for key in keys},
        confidential(stated, base, current),
        turnover(),
        disclosure(),
        sum(b.priced_share * b.value_current for name in parts for b in parts[name][first]),
        {
            name: stated["tiers"]["snapshot"]["tests"][test]["low_at_least"]
            for name, test in (("in part", "partly"), ("mainly", "mainly"))
        },
    )


def _bridges(
    frame: pd.DataFrame, base: int, current: int, keys: list[tuple[str, str]]
) -> dict[tuple[str, str], list[Bridge]]:
    """Bridge every run of months that both years have; absent months are not measured."""
    months = [
        set(frame.loc[frame["period"].dt.year == y, "period"].dt.month) for y in (base, current)
    ]
    both = sorted(months[0] & months[1])
    runs = [[m for _, m in run] for _, run in groupby(enumerate(both), lambda p: p[1] - p[0])]
    return {
        (method, path): [
            bridge(frame, _window(base, run), _window(current, run), method=method, path=path)
            for run in runs
        ]
        for method, path in keys
    }


def _window(year: int, months: list[int]) -> str:
    return f"{year}-{months[0]:02d}/{year}-{months[-1]:02d}"


def _added(bridges: list[Bridge]) -> Split:
    return (
        sum(b.price for b in bridges),
        sum(b.volume for b in bridges),
        sum(b.change for b in bridges),
    )


def _formulas(keys: Mapping[tuple[str, str], Split]) -> list[str]:
    return list(dict.fromkeys(method for method, _ in keys))


def _hull(found: list[Interval]) -> Interval:
    return Interval(min(i.low for i in found), max(i.high for i in found))


def _usd(x: float) -> str:
    return amount(x, "USD")


def _middle(interval: Interval) -> float:
    return (interval.low + interval.high) / 2
