"""Who else sold more: Russia among Turkey's destinations, and the countries around Russia."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.codes.groups import high_priority
from tradeflows.figures import Figure, amount, bars, histogram, percent
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.measure.published import published
from tradeflows.words import Sentence, between, joined

__all__ = [
    "Destinations",
    "Gaps",
    "Neighbours",
    "destinations",
    "eu_neighbours",
    "levels_2025",
    "mirror",
    "statistics_gap",
]

TRANSIT = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM")
_CONTROL_CHAPTERS = ("84", "85", "88", "90")


@dataclass(frozen=True)
class Destinations:
    """Growth of Turkey's exports of HS 84-85 by destination, from one year to another.

    ``table``: partner, base and current (USD), growth (ratio), rank, and whether it is Russia or a
    transit state; destinations with at least ``least`` USD in the base year. ``small`` holds the
    base year of the others, USD.
    """

    base: int
    current: int
    least: float
    table: pd.DataFrame
    small: pd.Series
    origins: tuple[str, ...]

    def rank(self, partner: str = "RUS") -> tuple[int, int]:
        """Return the rank of a destination by growth, and how many there are."""
        return int(self.table.set_index("partner")["rank"][partner]), len(self.table)

    def sentence(self) -> Sentence:
        """Say where Russia stands."""
        place, many = self.rank()
        growth = float(self.table.set_index("partner")["growth"]["RUS"])
        return Sentence(
            f"From {self.base} to {self.current}, Turkey's exports of machinery and electronics to "
            f"Russia changed by {percent(growth - 1, sign=True)}: place {place} of {many} "
            f"destinations with at least {amount(self.least, 'USD')} in {self.base}."
        )

    def shown(self, most: int = 10) -> Shown:
        """Show the destinations that grew most, and the transit states."""
        top = self.table[
            (self.table["rank"] <= most) | self.table["partner"].isin([*TRANSIT, "RUS"])
        ]
        shown = pd.DataFrame(
            {
                "rank": top["rank"].astype(str),
                "destination": [spoken(p) for p in top["partner"]],
                str(self.base): [amount(x, "USD") for x in top["base"]],
                str(self.current): [amount(x, "USD") for x in top["current"]],
                "growth": [percent(x - 1, sign=True) for x in top["growth"]],
            }
        )
        return Shown(shown, "Growth of exports of HS 84-85 by destination")

    def figure(self) -> Figure:
        """Draw the distribution of growth with Russia marked."""
        place, many = self.rank()
        growth = self.table.set_index("partner")["growth"]
        others = (growth.drop("RUS") - 1) * 100
        return histogram(
            others.set_axis([spoken(p) for p in others.index]),
            mark=float((growth["RUS"] - 1) * 100),
            mark_label="Russia",
            name=f"destinations-84-85-{self.base}-{self.current}",
            title=f"Of {many} destinations for Turkish machinery and electronics, {place - 1} grew "
            f"more than Russia from {self.base} to {self.current}",
            unit="% growth in value",
            alt=f"Histogram of growth by destination; Russia, at "
            f"{percent(float(growth['RUS']) - 1, sign=True)}, ranks {place} of {many}.",
            origins=self.origins,
            period=f"{self.base} to {self.current}",
            note="value, not volume; the base year already holds most of the first rise",
            counted="other destinations",
        )


def destinations(base: int = 2022, current: int = 2023, least: float = 100e6) -> Destinations:
    """Rank Turkey's destinations by growth of exports of HS 84-85.

    Parameters
    ----------
    base, current : int
        2022, 2023 or 2024. The snapshot has no 2021 by destination.
    least : float
        Smallest value in the base year, USD.

    Examples
    --------
    >>> destinations().rank()
    (4, 58)
    """
    years = {y: _machinery(y) for y in (base, current)}
    old, new = (years[y].set_index("partner")["value_usd"] for y in (base, current))
    kept = old[old >= least]
    table = pd.DataFrame({"base": kept, "current": new.reindex(kept.index, fill_value=0.0)})
    table["growth"] = table["current"] / table["base"]
    table["rank"] = table["growth"].rank(ascending=False, method="min").astype(int)
    table = table.rename_axis("partner").reset_index().sort_values("rank")
    origins = tuple(sorted({o for frame in years.values() for o in frame["origin"]}))
    table = table.reset_index(drop=True)
    return Destinations(base, current, least, table, old[old < least], origins)


def _machinery(year: int) -> pd.DataFrame:
    source = "UN Comtrade" if year == 2024 else "WITS"
    return snapshot(
        "trade", source=source, reporter="TUR", flow="X", freq="A", code="84-85", months=str(year)
    )


@dataclass(frozen=True)
class Neighbours:
    """What the EU stopped selling to Russia, and what it sold to the neighbours instead.

    ``table``: partner, before and after (USD, listed goods, the same months of two years), growth,
    rank of that growth among the partner's other chapters of sanctioned goods, and their number.
    """

    table: pd.DataFrame
    goods: int
    left_out: tuple[str, ...]
    months_before: int
    months: str
    origins: tuple[str, ...]

    @property
    def change(self) -> pd.Series:
        """Change by partner, USD."""
        return (self.table["after"] - self.table["before"]).set_axis(self.table["partner"])

    def sentence(self) -> Sentence:
        """Say what went and what came, to those who bought more and to all neighbours."""
        near, lost = self.change.drop("RUS"), -float(self.change["RUS"])
        rose, fell = near[near > 0], near[near <= 0]
        return Sentence(
            f"In {self.months} the EU sold {amount(lost, 'USD')} less of {self.goods} "
            f"high-priority goods to Russia than in the same months of 2021. To {len(rose)} of "
            f"{len(near)} countries around Russia it sold {amount(rose.sum(), 'USD')} more, "
            f"{percent(rose.sum() / lost)} of what was lost{_less(fell)}; over all {len(near)} "
            f"the change is {amount(near.sum(), 'USD', sign=True)}, {percent(near.sum() / lost)}. "
            f"The data hold {self.months_before} months before the invasion: too few for a "
            "state-space expectation, which needs 36, so growth is ranked instead."
        )

    def shown(self) -> Shown:
        """Show growth and rank by neighbour."""
        t = self.table
        shown = pd.DataFrame(
            {
                "partner": [spoken(p) for p in t["partner"]],
                "before": [amount(x, "USD") for x in t["before"]],
                "after": [amount(x, "USD") for x in t["after"]],
                "growth": [percent(x - 1, sign=True) for x in t["growth"]],
                "rank among other goods": [
                    f"{r} of {n}" for r, n in zip(t["rank"], t["chapters"], strict=True)
                ],
            }
        )
        return Shown(shown, "EU exports of high-priority goods by partner")

    def figure(self) -> Figure:
        """Draw growth by neighbour."""
        near = self.table[self.table["partner"] != "RUS"].sort_values("growth")
        names = [spoken(p) for p in near["partner"]]
        growth = near["growth"].to_numpy() - 1
        shown = pd.DataFrame({"growth": growth * 100}, index=pd.Index(names, name="partner"))
        return bars(
            shown,
            name="eu-neighbours",
            title=f"EU sales of high-priority goods rose to {int((growth > 0).sum())} of "
            f"{len(names)} countries around Russia after the invasion, most to {names[-1]}: "
            f"{percent(float(growth[-1]), sign=True)}, to {amount(near['after'].iloc[-1], 'USD')}",
            unit="%",
            alt="Growth by country: "
            + "; ".join(
                f"{name} {percent(float(g), sign=True)}"
                for name, g in zip(names, growth, strict=True)
            ),
            origins=self.origins,
            period=f"{self.months} against the same months of 2021",
            note=f"{self.goods} codes that exist in both HS revisions; value, not volume",
        )


def eu_neighbours(months: str = "2022-03/2022-11") -> Neighbours:
    """Compare EU exports of listed goods to Russia and its neighbours with the year before.

    Codes that do not exist in both HS revisions are left out: they would be false zeros before
    2022. The placebo for each partner are the other chapters of sanctioned goods with at least one
    million USD before.

    Parameters
    ----------
    months : str
        Window of 2022.

    Examples
    --------
    >>> found = eu_neighbours()
    >>> found.goods, found.months_before
    (15, 26)
    """
    listed = snapshot("trade", reporter="EU27", code_system="HS2022")
    known = high_priority().set_index("hs2022")
    same = known.index[(known["group"] == known.index) & (known["comparability"] == "good")]
    stable = sorted(set(listed["code"]) & set(same))
    left_out = tuple(sorted(set(listed["code"]) - set(stable)))
    chapters = snapshot("trade", reporter="EU27", code_system="EU sanction lists by chapter")
    others = chapters[~chapters["code"].isin(_CONTROL_CHAPTERS)]
    goods = _before_after(listed[listed["code"].isin(stable)].assign(code="listed"), months)
    placebo = _before_after(others, months)
    rows = []
    for partner, row in goods.droplevel("code").iterrows():
        here = placebo.xs(partner, level="partner")
        here = here[here["before"] >= 1e6]["growth"]
        rank = 1 + int((here > row["growth"]).sum())
        rows.append((partner, *row[["before", "after", "growth"]], rank, len(here) + 1))
    columns = ["partner", "before", "after", "growth", "rank", "chapters"]
    table = pd.DataFrame(rows, columns=columns).sort_values("growth", ascending=False)
    before = int((listed["period"].drop_duplicates() < pd.Timestamp("2022-03-01")).sum())
    origins = tuple(sorted({*listed["origin"], *chapters["origin"]}))
    return Neighbours(table.reset_index(drop=True), len(stable), left_out, before, months, origins)


def _less(fell: pd.Series) -> str:
    return "".join(f", and {amount(-x, 'USD')} less to {spoken(str(p))}" for p, x in fell.items())


def _before_after(trade: pd.DataFrame, months: str) -> pd.DataFrame:
    start, _, end = months.partition("/")
    after = trade["period"].between(pd.Timestamp(start), pd.Timestamp(end))
    year = pd.DateOffset(years=1)
    before = trade["period"].between(pd.Timestamp(start) - year, pd.Timestamp(end) - year)
    sums = {
        name: trade[rows].groupby(["partner", "code"])["value_usd"].sum()
        for name, rows in (("before", before), ("after", after))
    }
    table = pd.DataFrame(sums).fillna(0.0)
    return table.assign(growth=table["after"] / table["before"])


@dataclass(frozen=True)
class Gaps:
    """General trade less special trade in exports to Russia, chapters 84, 85, 88 and 90.

    ``table``: year, chapter, value (USD): sums of the positive differences above one million USD
    by code and month. A lower bound of what only general trade holds.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def of(self, year: int) -> float:
        """Return the gap of one year, USD."""
        return float(self.table.loc[self.table["year"] == year, "value"].sum())

    def sentence(self) -> Sentence:
        """Say how large the gap is at least, why that is no growth rate, and what may be in it."""
        return Sentence(
            f"In HS chapters {joined(self.chapters)} general trade held at least "
            f"{amount(self.of(2021), 'USD')} more than special trade in 2021, at least "
            f"{amount(self.of(2022), 'USD')} in 2022. These are lower bounds and give no growth "
            "rate: they add up gaps of more than one million USD by code and month, and the more "
            "is traded the more codes pass that mark. Goods that leave customs warehouses and free "
            "zones are in general trade only, so the gap may be re-exports. That reading is an "
            "inference."
        )

    @property
    def chapters(self) -> list[str]:
        """Chapters in the gap."""
        return sorted(set(self.table["chapter"]))

    def figure(self) -> Figure:
        """Draw the gap by year, all chapters."""
        shown = self.table.pivot_table(index="year", columns="chapter", values="value").fillna(0.0)
        small = shown.columns.difference(["84", "85"])
        main = pd.DataFrame({f"chapter {c}": shown[c] for c in ("84", "85")})
        main[f"chapters {joined(small)}"] = shown[small].sum(axis=1)
        return bars(
            main,
            name="general-minus-special",
            title="Exports to Russia that only general trade counts: at least "
            f"{amount(self.of(2021), 'USD')} in 2021, at least {amount(self.of(2022), 'USD')} in "
            "2022",
            unit="USD",
            alt="Gap between general and special trade by year and chapter. "
            + "; ".join(
                f"{row.name}: "
                + ", ".join(f"{name} {amount(x, 'USD')}" for name, x in row.items() if x > 0)
                for _, row in main.iterrows()
            ),
            origins=self.origins,
            note="lower bounds, no growth rate: differences above 1 million USD by code and month, "
            "which more codes reach when trade is larger; 2025 to July",
        )


def statistics_gap() -> Gaps:
    """Sum the positive gaps between general and special trade by year and chapter.

    Examples
    --------
    >>> round(statistics_gap().of(2022) / 1e6)
    279
    """
    found = snapshot("trade", code_system="positive gaps", code=",".join(_CONTROL_CHAPTERS))
    sums = found.groupby([found["period"].dt.year, "code"])["value_usd"].sum()
    table = sums.rename_axis(["year", "chapter"]).rename("value").reset_index()
    return Gaps(table, tuple(sorted(set(found["origin"]))))


def mirror() -> Sentence:
    """Say what Turkey declared to Kazakhstan and what Kazakhstan recorded.

    Examples
    --------
    >>> "Kazakhstan" in mirror()
    True
    """
    sent, seen = published("D003"), published("D004")
    ratio = sent.value / seen.value
    there = between(sent.value.low, sent.value.high, _usd)
    here = between(seen.value.low, seen.value.high, _usd)
    part = between(1 / ratio.high, 1 / ratio.low, percent)
    return Sentence(
        f"Turkey recorded {there} of the 45 listed goods to Kazakhstan in January to September "
        f"2023, Kazakhstan recorded {here} from Turkey, {part} of that. A gap fits diversion and "
        "does not prove it."
    )


def _usd(x: float) -> str:
    return amount(x, "USD")


def levels_2025() -> Shown:
    """Show Turkey's exports of high-priority goods to Russia in 2025 by tier.

    Special trade; levels of 2025 say nothing about 2022.

    Examples
    --------
    >>> levels_2025().table.columns.tolist()
    ['tier', 'codes with exports', 'exports', 'weight']
    """
    found = snapshot("trade", source="TÜİK", trade_system="special", flow="X", level="6")
    tiers = high_priority().set_index("hs2022")["tier"]
    found = found.assign(tier=found["code"].map(tiers))
    by_tier = found.groupby("tier").agg(
        codes=("code", "nunique"), value=("value_usd", "sum"), weight=("net_weight_kg", "sum")
    )
    shown = pd.DataFrame(
        {
            "tier": by_tier.index,
            "codes with exports": by_tier["codes"].astype(str).to_numpy(),
            "exports": [amount(x, "USD") for x in by_tier["value"]],
            "weight": [amount(x, "kg") for x in by_tier["weight"]],
        }
    )
    return Shown(shown, "Exports of high-priority goods to Russia in 2025 by tier")
