"""A trade panel as an array of products × destinations × months."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tradeflows.codes.countries import SPECIAL
from tradeflows.codes.totals import is_world
from tradeflows.errors import DoubleCountedTotals, SchemaMismatch
from tradeflows.periods import month, span
from tradeflows.quality.census import census, unique
from tradeflows.quality.relation import opened

Floats = npt.NDArray[np.float64]
CHAPTERS = ("84", "85", "88", "90")
# Neither treated nor control: goods bound for Russia may pass through them.
EXCLUDED = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM", "ARE", "SRB", "BLR")

_AREAS = tuple(SPECIAL.values())
_TOLD_APART = (
    "period", "partner", "reporter", "flow", "source", "trade_system", "freq", "code_system",
)  # fmt: skip


@dataclass(frozen=True)
class Cube:
    """Values by product, destination and month. A pair without a row in a published month is zero.

    ``amounts`` are products × destinations × months: the published months before the event, so many
    as ``before`` says, then those of the window, which is named with the months that are not
    published. ``left_out`` counts pairs of product and destination of which a month has a row
    without a number.
    """

    amounts: Floats
    codes: pd.Index
    destinations: pd.Index
    months: pd.DatetimeIndex
    before: int
    event: str
    window: str
    left_out: int
    origins: tuple[str, ...] = ()
    trade_system: str = ""

    def listed(self, codes: Collection[str]) -> Floats:
        """Return exports of the listed products, destinations × months."""
        return np.asarray(self.amounts[self.codes.isin(list(codes))].sum(axis=0))

    def elsewhere(self, codes: Collection[str], destination: str) -> pd.Series:
        """Return monthly exports of the listed products to all other destinations: a control."""
        there = self.destinations != destination
        return pd.Series(self.listed(codes)[there].sum(axis=0), self.months, name="elsewhere")

    @property
    def total(self) -> Floats:
        """Exports of all products, destinations × months."""
        return np.asarray(self.amounts.sum(axis=0))


def cube(
    panel: pd.DataFrame | Cube,
    *,
    event: str,
    window: str | None = None,
    start: str = "2017-01",
    value: str = "value_usd",
    exclude: Collection[str] = EXCLUDED,
) -> Cube:
    """Arrange a panel of HS6 exports for a triple difference.

    Parameters
    ----------
    panel : pandas.DataFrame
        Columns partner, period, code and the value; one flow of one reporter from one source, codes
        of one level. Codes of `CHAPTERS` are compared; World and areas that are no country are left
        out. A Cube is returned as it is.
    event : str
        First month after.
    window : str, optional
        Months after that are used. Default: twelve from the event.
    start : str
        First month before that is used.
    value : str
        ``value_usd``, ``net_weight_kg`` or ``quantity``.
    exclude : collection of str
        Destinations that are neither treated nor control.

    Returns
    -------
    Cube

    Raises
    ------
    SchemaMismatch, DoubleCountedTotals
        Annual rows, a missing column, a key that is empty or stands twice, a value that is negative
        or infinite; two sources, flows or reporters, codes of several levels, a group of countries
        beside members.

    Examples
    --------
    >>> panel = pd.DataFrame({"partner": ["RUS", "DEU"], "code": "854231", "value_usd": [1.0, 2.0],
    ...     "period": pd.to_datetime(["2022-01-01", "2022-02-01"])})
    >>> c = cube(panel, event="2022-02", window="2022-02")
    >>> c.total.tolist(), c.before
    ([[0.0, 2.0], [1.0, 0.0]], 1)
    """
    if isinstance(panel, Cube):
        return panel
    panel = getattr(panel, "frame", panel)  # of a concordance
    when, after = months_after(event, window)
    rows = destinations(panel, value, ("code",))
    monthly(rows["period"], rows.get("freq", ()))
    periods = rows["period"]
    inside = ((periods >= month(start)) & (periods < when)) | periods.isin(after)
    months = pd.DatetimeIndex(periods[inside].drop_duplicates().sort_values())  # published at all
    wanted = inside & rows["code"].str.startswith(CHAPTERS) & ~rows["partner"].isin(exclude)
    rows = once(rows.loc[wanted], value)
    (k, codes), (d, places) = (pd.factorize(rows[c], sort=True) for c in ("code", "partner"))
    values = np.zeros((len(codes), len(places), len(months)))
    np.add.at(
        values,
        (k, d, months.get_indexer(pd.DatetimeIndex(rows["period"]))),
        rows[value].to_numpy("float64"),
    )
    holes = np.isnan(values).any(axis=2)
    values[holes] = 0.0
    words = f"{after[0]:%Y-%m} to {after[-1]:%Y-%m}" if len(after) else "no month"
    gone = [f"{m:%Y-%m}" for m in after.difference(months)]
    return Cube(
        amounts=values,
        codes=pd.Index(codes),
        destinations=pd.Index(places),
        months=months,
        before=int((months < when).sum()),
        event=f"{when:%Y-%m}",
        window=words + (f" without {', '.join(gone)}" if gone else ""),
        left_out=int(holes.sum()),
        origins=tuple(sorted(panel["origin"].unique())) if "origin" in panel else (),
        trade_system=panel.attrs.get("trade_system", ""),
    )


def destinations(
    panel: pd.DataFrame, value: str = "value_usd", more: Collection[str] = ()
) -> pd.DataFrame:
    """Return the rows of partners by month, without the world, under any name, and no country.

    A row may lack the value, and nothing else that is needed.
    """
    needed = ["partner", "period", *more, value]
    absent = [c for c in needed if c not in panel.columns]
    if absent:
        raise SchemaMismatch(
            f"panel without columns {absent}", ", ".join(needed), "add or rename them"
        )
    empty = [name for name in needed if name != value and panel[name].isna().any()]
    if empty:
        raise SchemaMismatch(
            f"rows without {', '.join(empty)}", "each row's own", "complete these rows or drop them"
        )
    gone = [p for p in panel["partner"].unique() if p in _AREAS or is_world(p)]
    rows = panel[~panel["partner"].isin(gone)]
    return rows.assign(period=pd.DatetimeIndex(rows["period"]).to_period("M").to_timestamp())


def once(rows: pd.DataFrame, value: str = "value_usd") -> pd.DataFrame:
    """Return the rows of `destinations` after the census that every measure takes."""
    if rows.empty:
        return rows
    unit = f"{value}_unit"
    for name in ("reporter", unit):
        if len(found := set(rows[name].dropna()) if name in rows else ()) > 1:
            raise DoubleCountedTotals(
                f"panel with {name} {', '.join(sorted(map(str, found))[:4])}",
                f"one {name}",
                "keep one",
            )
    held = [name for name in (*_TOLD_APART, unit) if name in rows]
    amounts = rows[held].assign(code=rows.get("code", "TOTAL"), value_usd=rows[value].fillna(0.0))
    with opened(amounts, ("period", "code", "value_usd")) as relation:
        census(relation, "value_usd")
        unique(relation, "TRUE", value)
    return rows


def months_after(event: str, window: str | int | None) -> tuple[pd.Timestamp, pd.DatetimeIndex]:
    """Return the month of an event, and the months of a window from it on: twelve by default."""
    when = month(event, "event")
    asked = span(window) if window else pd.date_range(when, periods=12, freq="MS")
    return when, asked[asked >= when]


def monthly(days: Any, freq: Iterable[Any] = ()) -> None:
    """Refuse years: taken for Januaries they would leave eleven months a year unpublished."""
    months = pd.DatetimeIndex(list(days)).to_period("M").unique()
    if set(freq) == {"A"} or (len(months) > 1 and (months.month == months.month[0]).all()):
        raise SchemaMismatch(
            f"annual rows, {months.year.min()} to {months.year.max()}",
            "months: years are too few to say what was expected",
            "bring monthly rows; `tf.screen` and `tf.bridge` compare years",
        )


def too_few(months: int, event: str, needed: int, trade_system: str = "") -> str:
    """Say that months are lacking, and of which trade system they are where that is known."""
    of = f" ({trade_system})" if trade_system else ""
    return f"{months} published months before {event}{of}, {needed} are needed"
