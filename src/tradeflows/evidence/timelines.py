"""Exports to Russia month by month, one statistic to a line: TÜİK, TİM and others never mix."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.figures import Figure, amount, lines
from tradeflows.figures.words import Shown
from tradeflows.load import snapshot
from tradeflows.measure.published import published

__all__ = ["Timeline", "basket", "timeline"]

_EVENTS = [("2022-02-24", "invasion"), ("2023-03-01", "transit halt")]
_HALT = "transit halt: Turkey stops the transit of sanctioned goods to Russia"
_STATISTICS = {
    "TÜİK": ("TUIK general trade system", "Trade Ministry preliminary (general trade)"),
    "TİM": ("TIM (Turkish Exporters Assembly) records", "TIM records", "TIM records (inferred)"),
}
_SLUGS = {"TÜİK": "tuik", "TİM": "tim"}
_GOODS = {
    "TOTAL": "all goods",
    "CHPL45": "45 listed goods",
    "84": "machinery (HS 84)",
    "85": "electronics (HS 85)",
}


@dataclass(frozen=True)
class Timeline:
    """Single months of one statistic, as printed.

    ``table``: month, value (middle of the range a print stands for, USD), room (width of that
    range), printed, source (publisher, date and id), url, confidence (B: the print names the
    statistic; C: secondary, or inferred).
    """

    statistic: str
    goods: str
    table: pd.DataFrame
    origins: tuple[str, ...]

    def figure(self) -> Figure:
        """Draw the months in print, those of confidence C apart; the others are gaps."""
        prints = self.table.assign(line=self.table["confidence"].map(self._label))
        best = prints.sort_values("room", kind="stable").drop_duplicates(["month", "line"])
        months = best.pivot_table(index="month", columns="line", values="value").asfreq("MS")
        sure = best[best["confidence"] == "B"].sort_values("month")
        first, top = sure.iloc[0], sure.iloc[int(sure["value"].argmax())]
        return lines(
            months,
            events=[
                e for e in _EVENTS if months.index[0] <= pd.Timestamp(e[0]) <= months.index[-1]
            ],
            name=f"exports-{_SLUGS[self.statistic]}-{self.goods.lower()}",
            title=f"Exports of {_GOODS[self.goods]} to Russia by {self.statistic}: "
            f"{amount(float(first['value']), 'USD')} in {first['month']:%B %Y}, "
            f"{amount(float(top['value']), 'USD')} in {top['month']:%B %Y}, the most in a print of "
            "confidence B",
            unit="USD",
            alt="Months in print: "
            + "; ".join(
                f"{month:%Y-%m} {amount(float(value), 'USD')}" + (" (C)" if grade == "C" else "")
                for month, value, grade in self.table[["month", "value", "confidence"]].to_numpy()
            ),
            origins=self.origins,
            note="single months as printed, the finest print of each, the ministry's first prints "
            f"among them; a gap is a month without a print in the snapshot; {_HALT}",
        )

    def _label(self, confidence: str) -> str:
        return self.statistic if confidence == "B" else f"{self.statistic}, confidence {confidence}"

    def shown(self) -> Shown:
        """Show every print with its source."""
        shown = pd.DataFrame(
            {
                "month": [f"{m:%Y-%m}" for m in self.table["month"]],
                "printed": self.table["printed"],
                "source": self.table["source"],
                "confidence": self.table["confidence"],
            }
        )
        return Shown(
            shown, f"Exports of {_GOODS[self.goods]} to Russia by {self.statistic}, in print"
        )


def timeline(statistic: str, goods: str = "TOTAL") -> Timeline:
    """Collect the months of exports to Russia that one statistic has in print.

    Parameters
    ----------
    statistic : str
        ``TÜİK`` or ``TİM``.
    goods : str
        ``TOTAL``, ``CHPL45``, ``84`` or ``85``.

    Returns
    -------
    Timeline
        Every print in the snapshot; where a month was printed twice both are in the table.

    Raises
    ------
    UnknownCode
        Nothing in print.

    Examples
    --------
    >>> found = timeline("TÜİK")
    >>> bool(found.table["month"].is_monotonic_increasing)
    True
    """
    rows = snapshot("published", partner="RUS", flow="X")
    single = rows["period_start"] == rows["period_end"]
    named = rows["statistic"].isin(_STATISTICS.get(statistic, ()))
    coded = rows["codes"].str.split(" ").str[0] == goods
    level = rows["unit"].str.startswith("USD million") & ~rows["unit"].str.contains(
        "bound|per month"
    )
    found = rows[single & named & coded & level].sort_values(["period_start", "id"])
    if found.empty:
        raise UnknownCode(
            f"no month of {goods} by {statistic} in print",
            f"a statistic of {list(_STATISTICS)} and goods of {list(_GOODS)}",
            "choose another pair",
        )
    prints = [published(figure) for figure in found["id"]]
    table = pd.DataFrame(
        {
            "month": found["period_start"].to_numpy(),
            "value": [(p.value.low + p.value.high) / 2 for p in prints],
            "room": [p.value.high - p.value.low for p in prints],
            "printed": [p.text for p in prints],
            "source": [p.cite for p in prints],
            "url": [p.url for p in prints],
            "confidence": [p.confidence for p in prints],
        }
    )
    return Timeline(statistic, goods, table, tuple(sorted(set(found["origin"]))))


def basket() -> Figure:
    """Draw exports to Russia of the basket that surged in Kazakhstan's exports, by reporter.

    Examples
    --------
    >>> basket().name
    'surge-basket'
    """
    found = snapshot("trade", code="surge_basket")
    names = {"TUR": "Turkey", "ARM": "Armenia", "GEO": "Georgia", "KGZ": "Kyrgyzstan"}
    table = found.assign(reporter=found["reporter"].map(names)).pivot_table(
        index="period", columns="reporter", values="value_usd"
    )
    turkey = table["Turkey"].set_axis(table.index.year)  # type: ignore[attr-defined]
    return lines(
        table,
        events=_EVENTS,
        name="surge-basket",
        title=f"Turkey's exports of the basket went from {amount(float(turkey[2021]), 'USD')} in "
        f"2021 to {amount(float(turkey[2023]), 'USD')} in 2023 and "
        f"{amount(float(turkey[2025]), 'USD')} in 2025",
        unit="USD",
        alt="Exports to Russia by year and reporter. Turkey: "
        + "; ".join(f"{year} {amount(float(x), 'USD')}" for year, x in turkey.items()),
        origins=tuple(sorted(set(found["origin"]))),
        note="HS6 codes that surged in Kazakhstan's exports; not the high-priority list; totals of "
        f"whole years, drawn at mid-year; {_HALT}",
    )
