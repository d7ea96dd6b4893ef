"""What Turkish statistics disclose of energy imports from Russia, and what they hide."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.figures import Figure, amount, bars, percent
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.measure.published import published
from tradeflows.words import Sentence, between, joined

__all__ = ["Disclosure", "disclosed_in", "disclosure", "hidden_in_print"]

# Which statistic has HS 27 from Russia of a year, and under which code.
_HS27 = {
    2022: ("WITS", "27-27"),
    2023: ("WITS", "27-27"),
    2024: ("UN Comtrade", "25-27"),
}


@dataclass(frozen=True)
class Disclosure:
    """Energy imports from Russia by year, USD: disclosed lines, HS 27 total, and the hidden rest.

    ``table``: total (all imports), oil_gas (disclosed HS 2709 to 2715), coal, coal_months, hs27,
    hidden (crude oil and pipeline gas in pseudo-code 2799: hs27 minus both, in 2025 as recorded),
    non_energy (total minus hs27). Empty where no HS 27 total is known.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def of(self, column: str, year: int) -> float:
        """Return one cell of the table."""
        return float(self.table[column][year])

    def sentence(self) -> Sentence:
        """Say how much of HS 27 is hidden at its peak."""
        year = _peak(self.table["hidden"])
        hidden, hs27 = self.of("hidden", year), self.of("hs27", year)
        return Sentence(
            f"In {year}, {amount(hidden, 'USD')} of {amount(hs27, 'USD')} of HS 27 from Russia "
            f"({percent(hidden / hs27)}) stood in the confidential "
            "pseudo-code 2799: a value without weight."
        )

    def naive(self, base: int, current: int) -> Sentence:
        """Say what adding up the disclosed codes would conclude."""
        seen = self.table["oil_gas"] + self.table["coal"]
        change = seen[current] - seen[base]
        total = self.table["total"][current] - self.table["total"][base]
        return Sentence(
            f"Whoever adds up the disclosed codes finds energy up by {amount(change, 'USD')} from "
            f"{base} to {current}, {percent(change / total)} of the rise in imports from Russia: "
            "hardly a matter of energy. Bounds on what they leave out say otherwise."
        )

    def shown(self) -> Shown:
        """Show the table in USD, years as text."""
        table = self.table.drop(columns="coal_months").reset_index()
        words = {"oil_gas": "disclosed oil and gas", "hs27": "HS 27", "non_energy": "all but HS 27"}
        table["year"] = table["year"].astype(str)
        return Shown(table.rename(columns=words), "Energy imports from Russia by year", "USD")

    def figure(self) -> Figure:
        """Draw disclosed and hidden energy by year."""
        known = self.table.dropna(subset="hs27")
        shown = pd.DataFrame(
            {
                "hidden: crude oil and pipeline gas": known["hidden"],
                "disclosed oil and gas": known["oil_gas"],
                "coal": known["coal"],
            }
        )
        year = _peak(known["hidden"])
        share = known["hidden"][year] / known["hs27"][year]
        thin = known.index[known["coal_months"] < 12]
        return bars(
            shown,
            name="energy-disclosed-hidden",
            title=f"{percent(share)} of the energy Turkey bought from Russia in {year} has a value "
            "but no product and no weight",
            unit="USD",
            alt="Bars by year: hidden energy imports, disclosed oil and gas, and coal. "
            f"The hidden part peaks at {amount(known['hidden'][year], 'USD')} in {year}.",
            origins=self.origins,
            note="hidden is HS 27 less the other two, in 2025 code 2799 as recorded in special "
            f"trade; 2024 includes HS 25 and 26; coal of {joined(map(str, thin))} lacks months",
        )


def disclosure() -> Disclosure:
    """Set disclosed energy imports from Russia beside the HS 27 total, by year.

    Returns
    -------
    Disclosure

    Examples
    --------
    >>> round(float(disclosure().table["hidden"][2022]) / 1e9, 1)
    30.4
    """
    tuik = snapshot("trade", source="TÜİK", trade_system="general", partner="RUS", flow="M")
    coal = snapshot("trade", source="UN Comtrade", code_system="groups", code="coal", flow="M")
    by_year = tuik.assign(year=tuik["period"].dt.year).pivot_table(
        index="year", columns="code", values="value_usd", aggfunc="sum"
    )
    months = coal.groupby(coal["period"].dt.year)["value_usd"].agg(["sum", "count"])
    years = [y for y in by_year.index if y <= 2025]
    table = pd.DataFrame(
        {
            "total": by_year["TOTAL"],
            "oil_gas": by_year["oil_gas_disclosed"],
            "coal": months["sum"],
            "coal_months": months["count"],
        },
        index=pd.Index(years, name="year"),
    )
    hs27 = {year: _hs27(*where, year) for year, where in _HS27.items()}
    chapters, origin = _chapter_27()
    hs27[2025] = (float(chapters.sum()), origin)
    table["hs27"] = pd.Series({year: value for year, (value, _) in hs27.items()})
    table["hidden"] = table["hs27"] - table["oil_gas"] - table["coal"]
    table.loc[2025, "hidden"] = float(chapters["2799"])
    table["non_energy"] = table["total"] - table["hs27"]
    origins = {tuik["origin"].iloc[0], coal["origin"].iloc[0], *(o for _, o in hs27.values())}
    return Disclosure(table, tuple(sorted(origins)))


def _hs27(source: str, code: str, year: int) -> tuple[float, str]:
    found = snapshot(
        "trade", source=source, partner="RUS", flow="M", freq="A", code=code, months=str(year)
    )
    return float(found["value_usd"].sum()), found["origin"].iloc[0]


def _chapter_27() -> tuple[pd.Series, str]:
    """2025 is in TÜİK's special-trade table: chapter 27 and its confidential part stand apart."""
    found = snapshot("trade", source="TÜİK", trade_system="special", flow="M", code="27,2799")
    return found.groupby("code")["value_usd"].sum(), found["origin"].iloc[0]


def disclosed_in(month: str) -> float:
    """Return the value of the disclosed lines, oil with LPG and coal, of one month, USD.

    Examples
    --------
    >>> round(disclosed_in("2022-10") / 1e9, 2)
    1.36
    """
    lines = (("TÜİK", "oil_gas_disclosed"), ("UN Comtrade", "coal"))
    found = [snapshot("trade", source=s, code=c, flow="M", months=month) for s, c in lines]
    return sum(float(rows["value_usd"].iloc[0]) for rows in found)


_MONTHS_IN_PRINT = (("F137", "F140"), ("F136", "F139"))  # HS 27, and pseudo-code 2799


def hidden_in_print() -> Sentence:
    """Set HS 27 less the disclosed lines beside pseudo-code 2799 where both were printed.

    Examples
    --------
    >>> "2799 was printed as" in hidden_in_print()
    True
    """
    said = []
    for whole, hidden in _MONTHS_IN_PRINT:
        total, block = published(whole), published(hidden)
        rest = total.value - disclosed_in(f"{total.start:%Y-%m}")
        said.append(
            f"in {total.start:%B %Y} HS 27 as printed less the disclosed lines leaves "
            f"{between(rest.low, rest.high, lambda x: amount(x, 'USD'))}, and 2799 was printed as "
            f"{amount((block.value.low + block.value.high) / 2, 'USD')}"
        )
    return Sentence(f"The residual can be checked in two months: {'; '.join(said)}.")


def _peak(values: pd.Series) -> int:
    return int(values.index[int(values.argmax())])
