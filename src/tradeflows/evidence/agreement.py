"""Published totals beside ours, and statistics beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import pandas as pd
import yaml

from tradeflows.figures import amount, percent, table_html
from tradeflows.load import snapshot
from tradeflows.measure.published import published
from tradeflows.words import Sentence

__all__ = ["Agreement", "SideBySide", "published_totals", "side_by_side"]

TOLERANCE = 0.005


@dataclass(frozen=True)
class Agreement:
    """Published totals of imports from Russia beside the sums of our monthly series.

    ``table``: id, statistic, first and last month, printed and ours (USD), difference (fraction),
    verdict (agrees, rounds to it, differs), why.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def sentence(self) -> Sentence:
        """Say how many agree."""
        tuik = self.table[self.table["statistic"].str.startswith("TUIK")]
        near = int((tuik["difference"].abs() <= TOLERANCE).sum())
        return Sentence(
            f"Of {len(self.table)} published totals {len(tuik)} name TÜİK; {near} of those lie "
            f"within {percent(TOLERANCE)} of our sums. The rest are rounded more coarsely or "
            "explained in the table."
        )

    def _repr_html_(self) -> str:
        shown = self.table.assign(
            printed=[amount(x, "USD") for x in self.table["printed"]],
            ours=[amount(x, "USD") for x in self.table["ours"]],
            difference=[f"{100 * x:+.2f} %".replace("-", "−") for x in self.table["difference"]],
        )
        return table_html(shown, label="Published totals of imports from Russia beside ours")


def published_totals() -> Agreement:
    """Compare every published total of Turkish imports from Russia with the monthly series.

    Returns
    -------
    Agreement

    Examples
    --------
    >>> table = published_totals().table
    >>> len(table), sorted(set(table["verdict"]))
    (24, ['agrees', 'differs', 'rounds to it'])
    """
    prints = snapshot("published", partner="RUS", flow="M", codes="TOTAL")
    series = snapshot(
        "trade", source="TÜİK", trade_system="general", partner="RUS", flow="M", code="TOTAL"
    )
    rows = [_compared(row, series) for _, row in prints.iterrows()]
    table = pd.DataFrame(rows).sort_values(["first month", "last month", "id"])
    origins = tuple(sorted({*prints["origin"], *series["origin"]}))
    return Agreement(table.reset_index(drop=True), origins)


def _compared(row: pd.Series, series: pd.DataFrame) -> dict[str, object]:
    figure = published(row["id"])
    inside = series["period"].between(row["period_start"], row["period_end"])
    ours = float(series.loc[inside, "value_usd"].sum())
    middle = (figure.value.low + figure.value.high) / 2
    difference = ours / middle - 1
    if abs(difference) <= TOLERANCE:
        verdict, why = "agrees", ""
    elif figure.value.contains(ours):
        verdict, why = "rounds to it", f"printed as {figure.text}"
    else:
        verdict, why = "differs", _reasons()[row["id"]]
    return {
        "id": row["id"],
        "statistic": row["statistic"],
        "first month": f"{row['period_start']:%Y-%m}",
        "last month": f"{row['period_end']:%Y-%m}",
        "printed": middle,
        "ours": ours,
        "difference": difference,
        "verdict": verdict,
        "why": why,
    }


@lru_cache
def _reasons() -> dict[str, str]:
    text = files("tradeflows.evidence").joinpath("agreement.yml").read_text("utf-8")
    return dict(yaml.safe_load(text))


@dataclass(frozen=True)
class SideBySide:
    """The same quantity in two statistics, by year.

    ``table``: what, year, first and second (in the unit), difference (fraction of the first).
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def _repr_html_(self) -> str:
        shown = self.table.assign(
            difference=[f"{100 * x:+.1f} %".replace("-", "−") for x in self.table["difference"]],
            one=[amount(x, u) for x, u in zip(self.table["one"], self.table["unit"], strict=True)],
            other=[
                amount(x, u) for x, u in zip(self.table["other"], self.table["unit"], strict=True)
            ],
        ).drop(columns="unit")
        return table_html(shown, label="The same quantity in two statistics")


def side_by_side() -> SideBySide:
    """Set statistics that should agree beside each other: complete years that both have.

    Returns
    -------
    SideBySide

    Examples
    --------
    >>> table = side_by_side().table
    >>> bool((table[table["what"] == "imports from Russia"]["difference"].abs() < 1e-4).all())
    True
    """
    russia = {"reporter": "TUR", "partner": "RUS", "flow": "M"}
    tuik = snapshot("trade", source="TÜİK", trade_system="general", code="TOTAL", **russia)
    wits = snapshot("trade", source="WITS", code="TOTAL", freq="A", **russia)
    comtrade = snapshot("trade", source="UN Comtrade", code="TOTAL", freq="A", **russia)
    products = snapshot(
        "trade", source="UN Comtrade", code_system="groups", code="oil_products", **russia
    )
    tonnes = snapshot("volumes", series="oil_products_disclosed", partner="RUS")
    border = snapshot("volumes", source="IEA", series="gas", partner="RUS")
    eurostat = snapshot("volumes", source="Eurostat", series="gas", partner="RUS", unit="m3")
    kilograms = tonnes.assign(value=tonnes["value"] * 1000)
    pairs = [
        ("imports from Russia", "USD", ("TÜİK", tuik, "value_usd"), ("WITS", wits, "value_usd")),
        (
            "imports from Russia",
            "USD",
            ("TÜİK", tuik, "value_usd"),
            ("UN Comtrade", comtrade, "value_usd"),
        ),
        (
            "oil products from Russia",
            "kg",
            ("TÜİK", kilograms, "value"),
            ("UN Comtrade", products, "net_weight_kg"),
        ),
        ("gas from Russia", "m3", ("IEA", border, "value"), ("Eurostat", eurostat, "value")),
    ]
    table = pd.concat([_side(*pair) for pair in pairs], ignore_index=True)
    frames = (tuik, wits, comtrade, products, tonnes, border, eurostat)
    return SideBySide(table, tuple(sorted({o for f in frames for o in f["origin"].unique()})))


def _side(
    what: str, unit: str, one: tuple[str, pd.DataFrame, str], other: tuple[str, pd.DataFrame, str]
) -> pd.DataFrame:
    left, right = _by_year(*one[1:]), _by_year(*other[1:])
    years = left.index.intersection(right.index)
    return pd.DataFrame(
        {
            "what": what,
            "year": years,
            "statistic": one[0],
            "one": left[years].to_numpy(),
            "other statistic": other[0],
            "other": right[years].to_numpy(),
            "difference": (right[years] / left[years] - 1).to_numpy(),
            "unit": unit,
        }
    )


def _by_year(frame: pd.DataFrame, column: str) -> pd.Series:
    """Sum complete years only: a year with a month missing is no year."""
    year = frame["period"].dt.year
    months = frame["period"].groupby(year).nunique()
    whole = months.index[(months == 12) | (frame["freq"].iloc[0] == "A")]
    sums = frame[column].groupby(year).sum()
    return sums[sums.index.isin(whole)]
