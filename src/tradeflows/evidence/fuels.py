"""Fuel by fuel: value, volume and unit value, beside prices that others report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.evidence.block import Confidential
from tradeflows.evidence.corridors import heat_content, yearly_gas_corridor
from tradeflows.figures import Figure, amount, lines, number, percent, ranges
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.words import Sentence, between

__all__ = ["Fuels", "OfficialSplit", "fuels", "gas_prices", "official_split"]

_NAMES = {
    "oil_gas_disclosed": "disclosed oil and LPG",
    "oil_products": "oil products",
    "lpg": "LPG",
    "coal": "coal",
}
_PER_TONNE = 1000.0


@dataclass(frozen=True)
class Fuels:
    """Disclosed fuel lines from Russia by year and month: value, net weight, unit value.

    ``table``: line, source, year, months, value (USD), weight (kg), unit value (USD per tonne).
    ``monthly``: the same by month.
    """

    table: pd.DataFrame
    monthly: pd.DataFrame
    origins: tuple[str, ...]

    def shown(self) -> Shown:
        """Show value, tonnes and unit value by line and year."""
        table = self.table.assign(
            year=self.table["year"].astype(str),
            months=self.table["months"].astype(str),
            value=[amount(float(x), "USD") for x in self.table["value"]],
            weight=[f"{number(float(x) / 1e9)} Mt" for x in self.table["weight"]],
            unit_value=[f"{x:,.0f}" for x in self.table["unit_value"]],
        )
        columns = ["line", "statistic", "year", "months", "value", "weight", "USD per tonne"]
        return Shown(table.set_axis(columns, axis=1), "Disclosed fuels from Russia by year")

    def unit_value(self, line: str, year: int) -> float:
        """Return the unit value of a line and year, USD per tonne."""
        found = self.table[(self.table["line"] == line) & (self.table["year"] == year)]
        return float(found["unit_value"].iloc[0])

    def beside_benchmarks(self, line: str, benchmarks: Mapping[str, str]) -> Figure:
        """Draw the monthly unit value of a line beside benchmark prices, USD per tonne.

        Parameters
        ----------
        line : str
            As in the table.
        benchmarks : mapping
            Series of the table ``prices`` by the words to label it with; barrels become tonnes.
        """
        own = self.monthly[self.monthly["line"] == line].set_index("period")["unit_value"]
        shown = pd.DataFrame({f"{line} from Russia": own.asfreq("MS")})
        origins = set(self.origins)
        for words, series in benchmarks.items():
            found = snapshot("prices", series=series, freq="M", months="2019/2024")
            price = found.set_index("period")["value"].asfreq("MS")
            per_tonne = 7.33 if found["unit"].iloc[0] == "USD/bbl" else 1.0
            shown[words] = price.reindex(shown.index) * per_tonne
            origins |= set(found["origin"])
        before, after = self.unit_value(line, 2021), self.unit_value(line, 2022)
        low, high = amount(before, "USD"), amount(after, "USD")
        return lines(
            shown[shown.index.year.isin(range(2020, 2025))],  # type: ignore[attr-defined]
            events=[("2022-02-24", "invasion")],
            name=f"unit-value-{line.lower().replace(' ', '-')}",
            title=f"A tonne of {line} from Russia cost {low} in 2021 and {high} in 2022",
            unit="USD per tonne",
            alt=f"Monthly lines of the unit value of {line} from Russia and of "
            f"{', '.join(benchmarks)}. Annual means of the unit value: {low} in 2021, {high} in "
            "2022.",
            origins=tuple(sorted(origins)),
            note="unit value: value over reported net weight; gaps are months without data",
        )

    def volumes(self) -> Figure:
        """Draw tonnes by line and month."""
        chosen = self.monthly[self.monthly["line"].isin(["coal", "disclosed oil and LPG"])]
        shown = chosen.pivot_table(index="period", columns="line", values="weight").asfreq("MS")
        growth = [self._growth(line) for line in shown.columns]
        words = " and ".join(f"{g} {line}" for g, line in zip(growth, shown.columns, strict=True))
        return lines(
            shown / 1e9,
            events=[("2022-02-24", "invasion")],
            name="fuel-tonnes-by-month",
            title=f"More was shipped of what can be weighed: {words} from 2021 to 2022",
            unit="million tonnes",
            alt=f"Monthly tonnes of {' and '.join(shown.columns)} from Russia. {words} from 2021 "
            "to 2022.",
            origins=self.origins,
        )

    def _growth(self, line: str) -> str:
        weights = self.table[self.table["line"] == line].set_index("year")["weight"]
        return percent(float(weights[2022] / weights[2021]) - 1, sign=True)


def fuels() -> Fuels:
    """Collect the disclosed fuel lines.

    Returns
    -------
    Fuels

    Examples
    --------
    >>> round(fuels().unit_value("coal", 2021)), round(fuels().unit_value("coal", 2022))
    (110, 202)
    """
    tuik = snapshot(
        "trade", source="TÜİK", trade_system="general", code="oil_gas_disclosed", flow="M"
    )
    comtrade = snapshot(
        "trade",
        source="UN Comtrade",
        code_system="groups",
        flow="M",
        code="coal,lpg,oil_products",
        months="2019/2024",
    )
    rows = pd.concat([tuik, comtrade])
    rows = rows[(rows["weight_status"] == "reported") & (rows["period"] <= "2024-12-01")]
    monthly = pd.DataFrame(
        {
            "line": rows["code"].map(_NAMES),
            "source": rows["source"],
            "period": rows["period"],
            "year": rows["period"].dt.year,
            "value": rows["value_usd"],
            "weight": rows["net_weight_kg"],
            "unit_value": rows["value_usd"] / rows["net_weight_kg"] * _PER_TONNE,
        }
    )
    table = monthly.groupby(["line", "source", "year"], as_index=False).agg(
        months=("value", "size"), value=("value", "sum"), weight=("weight", "sum")
    )
    table["unit_value"] = table["value"] / table["weight"] * _PER_TONNE
    return Fuels(table, monthly.reset_index(drop=True), tuple(sorted(set(rows["origin"]))))


def gas_prices(block: Confidential, bound: Mapping[str, Any]) -> Figure:
    """Draw the solved gas price beside the old contract and the hubs, USD per 1000 m³.

    Parameters
    ----------
    block : Confidential
        The confidential block between two years.
    bound : mapping
        The bound of the rules file that names contract and hubs.
    """
    rows = []
    for which, year in enumerate((block.base, block.current)):
        floor, ceiling = (x * 1000 for x in yearly_gas_corridor(bound, year))
        solved = block.last.price("gas", which) * 1000
        rows += [
            (f"{year}: old oil-indexed contract", floor, floor),
            (f"{year}: what Turkey paid, as bounded", solved.low, solved.high),
            (f"{year}: dearer of TTF and LNG", ceiling, ceiling),
        ]
    words = [f"{label}: {between(low, high, _whole)}" for label, low, high in rows]
    paid = [between(low, high, _whole) for label, low, high in rows if "paid" in label]
    return ranges(
        pd.DataFrame(rows, columns=["label", "low", "high"]),
        name="gas-price-solved",
        title=f"By these bounds Russian gas cost {paid[0]} USD per 1000 m³ in {block.base} "
        f"and {paid[1]} in {block.current}",
        unit="USD per 1000 m³",
        alt="; ".join(words),
        origins=block.origins,
        note=f"heat content {heat_content() * 1000:.1f} million Btu per 1000 m³; an average at the "
        "border, not the contract price",
    )


def _whole(x: float) -> str:
    return f"{x:,.0f}"


@dataclass(frozen=True)
class OfficialSplit:
    """TÜİK's own unit-value and volume indices of fuel imports, all origins.

    ``table``: by month, both changes on a year before (fractions) and the share of the log change
    in value that the unit values account for. An independent check, not the Russian figure.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def of_2022(self) -> pd.DataFrame:
        """Return the months of 2022 that have both indices."""
        months = self.table[pd.DatetimeIndex(self.table.index).year == 2022]
        return months.dropna()

    def sentence(self) -> Sentence:
        """Say how much of the change in 2022 is price."""
        months = self.of_2022()
        least, fell = months["price_share"].min(), int((months["volume"] < 0).sum())
        return Sentence(
            f"In the {len(months)} months of 2022 for which both indices were printed, unit "
            f"values account for at least {percent(float(least))} of the log change in the whole "
            f"fuel bill; above {percent(1.0)} in the {fell} months in which volume fell."
        )

    def shown(self) -> Shown:
        """Show the months of 2022."""
        months = self.of_2022()
        rows = [
            (f"{t:%Y-%m}", *(percent(float(x), sign=k < 2) for k, x in enumerate(row)))
            for t, row in zip(months.index, months.to_numpy(), strict=True)
        ]
        columns = ["month", "unit value", "volume", "share of price in the log change"]
        return Shown(pd.DataFrame(rows, columns=columns), "TÜİK's fuel import indices, 2022")

    def figure(self) -> Figure:
        """Draw both indices."""
        shown = self.table[["unit_value", "volume"]].set_axis(["unit value", "volume"], axis=1)
        shown = shown[shown.index >= "2021-01-01"].asfreq("MS") * 100
        months = self.of_2022()
        return lines(
            shown,
            events=[("2022-02-24", "invasion")],
            name="official-fuel-indices",
            title="TÜİK's own indices for all origins: in 2022 fuel rose in price, and "
            f"fell in volume in {int((months['volume'] < 0).sum())} of {len(months)} months",
            unit="% on the same month a year before",
            alt="Monthly changes of the unit value and of the volume of Turkey's fuel imports from "
            "all origins, with gaps where nothing was printed.",
            origins=self.origins,
            note="all origins, not Russia",
        )


def official_split() -> OfficialSplit:
    """Split the change in Turkey's whole fuel bill by TÜİK's published indices.

    Returns
    -------
    OfficialSplit

    Examples
    --------
    >>> len(official_split().of_2022())
    7
    """
    found = snapshot("prices", series="fuel_import_unit_value_yoy,fuel_import_volume_yoy")
    table = found.pivot_table(index="period", columns="series", values="value") / 100
    table = table.set_axis(["unit_value", "volume"], axis=1)
    price, volume = np.log1p(table["unit_value"]), np.log1p(table["volume"])
    table["price_share"] = price / (price + volume)
    return OfficialSplit(table, tuple(sorted(set(found["origin"]))))
