"""Price corridors for what Turkish statistics hide.

Gas lies between an old contract and the dearer of two hubs, crude between Urals and Brent.
Prices are in USD per cubic metre and USD per kilogram.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.load import snapshot
from tradeflows.measure.intervals import Interval
from tradeflows.periods import span

__all__ = [
    "crude_corridor",
    "gas_by_month",
    "gas_corridor",
    "heat_content",
    "yearly_gas_corridor",
]

_MMBTU_PER_TJ = 947.817  # one million Btu (international table) is 1.05505585 GJ
_KG_PER_TONNE = 1000.0


def heat_content(months: int = 12) -> float:
    """Return the gross heat content of Russian gas entering Turkey, million Btu per cubic metre.

    Eurostat gives the same flows in terajoules and in cubic metres; the latest months of both are
    divided.

    Examples
    --------
    >>> round(heat_content() * 1000, 1)
    36.3
    """
    flows = snapshot("volumes", source="Eurostat", series="gas", partner="RUS")
    by_unit = flows.pivot_table(index="period", columns="unit", values="value").dropna()
    latest = by_unit[(by_unit > 0).all(axis=1)].tail(months).sum()
    return float(latest["TJ"] / latest["m3"]) * _MMBTU_PER_TJ


def gas_corridor(bound: Mapping[str, Any], year: int) -> pd.DataFrame:
    """Return the corridor of the gas price in each month of a year.

    Parameters
    ----------
    bound : mapping
        ``gas_floor`` (slope, of, lag_months) and ``gas_ceiling`` (dearer_of) of the rules file.
    year : int

    Returns
    -------
    pandas.DataFrame
        By month: floor and ceiling, USD per cubic metre.

    Examples
    --------
    >>> rule = {"gas_floor": {"slope": 0.1, "of": "brent", "lag_months": [6, 7, 8, 9]},
    ...         "gas_ceiling": {"dearer_of": ["gas_europe", "lng_japan"]}}
    >>> corridor = gas_corridor(rule, 2021)
    >>> bool((corridor["floor"] < corridor["ceiling"]).all()), len(corridor)
    (True, 12)
    """
    floor, ceiling = bound["gas_floor"], bound["gas_ceiling"]["dearer_of"]
    heat = heat_content()
    oil = _monthly(floor["of"])
    lagged = sum(oil.shift(lag) for lag in floor["lag_months"]) / len(floor["lag_months"])
    hubs = pd.concat([_monthly(series) for series in ceiling], axis=1).max(axis=1)
    corridor = pd.DataFrame({"floor": floor["slope"] * lagged * heat, "ceiling": hubs * heat})
    return corridor[pd.DatetimeIndex(corridor.index).year == year]


def gas_by_month(year: int) -> pd.Series:
    """Return the gas that crossed the border in each month of a year, cubic metres.

    Examples
    --------
    >>> round(float(gas_by_month(2022).sum()) / 1e9, 1)
    21.4
    """
    flows = snapshot("volumes", source="IEA", series="gas", partner="RUS", months=str(year))
    return flows.set_index("period")["value"]


def yearly_gas_corridor(bound: Mapping[str, Any], year: int) -> tuple[float, float]:
    """Return floor and ceiling of a year's gas price, months weighted by their flow.

    Parameters
    ----------
    bound, year
        As in `gas_corridor`.

    Returns
    -------
    tuple of float
        USD per cubic metre.
    """
    flows = gas_by_month(year)
    value = gas_corridor(bound, year).mul(flows, axis=0).sum() / flows.sum()
    return float(value["floor"]), float(value["ceiling"])


def crude_corridor(rule: Mapping[str, Any], year: int, month: str | None = None) -> Interval:
    """Return the corridor of the crude price of a year, USD per kilogram.

    The floor is the ministry's annual average of Urals where it was printed, else the lowest month
    or period average printed for that year; the ceiling is the mean of Brent.

    Parameters
    ----------
    rule : mapping
        ``barrels_per_tonne`` of the rules file.
    year : int
    month : str, optional
        Take Brent of this month as the ceiling.

    Examples
    --------
    >>> corridor = crude_corridor({"barrels_per_tonne": 7.33}, 2022)
    >>> corridor.low < corridor.high
    True
    """
    urals = snapshot("prices", series="urals")
    of_year = urals[urals["period"].dt.year == year]
    if of_year.empty:
        raise UnknownCode(f"no Urals price of {year}", "a year in print", "choose another year")
    annual = of_year[of_year["freq"] == "A"]
    low = float((annual if len(annual) else of_year)["value"].min())
    brent = _monthly("brent")
    chosen = brent[brent.index.isin(span(year if month is None else month))]
    per_kg = rule["barrels_per_tonne"] / _KG_PER_TONNE
    return Interval(low * per_kg, float(chosen.mean()) * per_kg, "crude between Urals and Brent")


def _monthly(series: str) -> pd.Series:
    return snapshot("prices", series=series, freq="M").set_index("period")["value"]
