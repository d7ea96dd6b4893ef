"""Turnover with Russia: exports plus imports, by year, each from the statistic that has it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.load import snapshot
from tradeflows.measure.intervals import Interval
from tradeflows.measure.published import published

__all__ = ["Turnover", "total_trade", "turnover"]

# Which statistic has exports to Russia of a year. TÜİK's own monthly series is not published as a
# table; 2021 is its monthly mean in print.
_EXPORTS = {2021: "A011", 2022: "WITS", 2023: "WITS", 2024: "UN Comtrade"}
_TOTAL = {2021: ("G001", "G002"), 2022: ("G003", "G004"), 2023: ("G005", "G006")}


@dataclass(frozen=True)
class Turnover:
    """Exports, imports and their sum by year, USD; ranges where a figure is rounded in print.

    ``table`` has one row a year: exports, imports, turnover (middle of the range), and the two
    ends of the turnover.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def of(self, year: int) -> Interval:
        """Return the turnover of one year, USD."""
        if year not in self.table.index:
            raise UnknownCode(
                f"no turnover of {year}", f"one of {list(self.table.index)}", "choose another year"
            )
        return Interval(
            float(self.table["turnover_low"][year]), float(self.table["turnover_high"][year])
        )

    def exports(self, year: int) -> Interval:
        """Return the exports of one year, USD."""
        return self.of(year) - float(self.table["imports"][year])

    def growth(self, base: int, current: int) -> Interval:
        """Return the growth from one year to another, as a fraction."""
        return self.of(current) / self.of(base) - 1


def turnover() -> Turnover:
    """Add exports to and imports from Russia by year.

    Returns
    -------
    Turnover
        Years for which the snapshot has both directions.

    Examples
    --------
    >>> [round(float(x) / 1e9, 1) for x in turnover().table["turnover"]]
    [34.7, 68.2, 56.5, 52.6]
    """
    series = _imports()
    rows, origins = {}, set(series["origin"])
    for year in _EXPORTS:
        exports, where = _exports(year)
        bought = float(series.loc[series["period"].dt.year == year, "value_usd"].sum())
        origins.add(where)
        rows[year] = {
            "exports": (exports.low + exports.high) / 2,
            "imports": bought,
            "turnover": (exports.low + exports.high) / 2 + bought,
            "turnover_low": exports.low + bought,
            "turnover_high": exports.high + bought,
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")
    return Turnover(table, tuple(sorted(origins)))


def _exports(year: int) -> tuple[Interval, str]:
    source = _EXPORTS[year]
    if source == "A011":
        mean = published(source)
        return mean.value * 12, mean.origin
    row = snapshot(
        "trade", source=source, partner="RUS", flow="X", freq="A", code="TOTAL", months=str(year)
    ).iloc[0]
    return Interval(float(row["value_usd"]), float(row["value_usd"])), row["origin"]


def total_trade(year: int) -> tuple[Interval, str]:
    """Return Turkey's total exports plus imports of a year as published, USD, and the raw file.

    Never a sum of partners: confidential partners would be missing.

    Examples
    --------
    >>> before, after = total_trade(2021)[0], total_trade(2022)[0]
    >>> round(after.low / before.low - 1, 3)
    0.244
    """
    if year not in _TOTAL:
        raise UnknownCode(f"no total trade of {year}", f"one of {list(_TOTAL)}", "choose another")
    exports, imports = (published(figure) for figure in _TOTAL[year])
    return exports.value + imports.value, exports.origin


def _imports() -> pd.DataFrame:
    return snapshot(
        "trade", source="TÜİK", trade_system="general", partner="RUS", flow="M", code="TOTAL"
    )
