"""A trade panel as an array of products × destinations × months."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tradeflows.counterfactual.months import Floats, month, span
from tradeflows.errors import SchemaMismatch

__all__ = ["CHAPTERS", "EXCLUDED", "Cube", "cube"]

CHAPTERS = ("84", "85", "88", "90")
# Neither treated nor control: goods bound for Russia may pass through them.
EXCLUDED = ("KAZ", "KGZ", "UZB", "GEO", "AZE", "ARM", "ARE", "SRB", "BLR")


@dataclass(frozen=True)
class Cube:
    """Values by product, destination and month. A pair without a row in a published month is zero.

    Parameters
    ----------
    amounts : numpy.ndarray
        Products × destinations × months.
    codes, destinations : pandas.Index
    months : pandas.DatetimeIndex
        Published months before the event, then those of the window.
    before : int
        Months before the event.
    event, window : str
    left_out : int
        Product × destination pairs left out because a month has a row without a number.
    missing : tuple of str
        Months of the window that are not published.
    """

    amounts: Floats
    codes: pd.Index
    destinations: pd.Index
    months: pd.DatetimeIndex
    before: int
    event: str
    window: str
    left_out: int
    missing: tuple[str, ...]

    def listed(self, codes: Collection[str]) -> Floats:
        """Return exports of the listed products, destinations × months."""
        return np.asarray(self.amounts[self.codes.isin(list(codes))].sum(axis=0))

    @property
    def total(self) -> Floats:
        """Exports of all products, destinations × months."""
        return np.asarray(self.amounts.sum(axis=0))


def cube(
    panel: pd.DataFrame,
    *,
    event: str,
    window: str | None = None,
    start: str = "2017-01",
    value: str = "value_usd",
    chapters: Iterable[str] = CHAPTERS,
    exclude: Collection[str] = EXCLUDED,
) -> Cube:
    """Arrange a panel of HS6 exports for a triple difference.

    Parameters
    ----------
    panel : pandas.DataFrame
        Columns partner, period, code and the value; one flow of one reporter from one source.
    event : str
        First month after.
    window : str, optional
        Months after that are used. Default: twelve from the event.
    start : str
        First month before that is used.
    value : str
        ``value_usd``, ``net_weight_kg`` or ``quantity``.
    chapters : iterable of str
        Codes must begin with one of these.
    exclude : collection of str
        Destinations that are neither treated nor control.

    Returns
    -------
    Cube

    Examples
    --------
    >>> panel = pd.DataFrame({"partner": ["RUS", "DEU"], "code": "854231", "value_usd": [1.0, 2.0],
    ...     "period": pd.to_datetime(["2022-01-01", "2022-02-01"])})
    >>> c = cube(panel, event="2022-02", window="2022-02")
    >>> c.total.tolist(), c.before
    ([[0.0, 2.0], [1.0, 0.0]], 1)
    """
    needed = ["partner", "period", "code", value]
    absent = [c for c in needed if c not in panel.columns]
    if absent:
        raise SchemaMismatch(
            f"panel without columns {absent}", ", ".join(needed), "add or rename them"
        )
    when = month(event)
    after = span(window) if window else pd.date_range(when, periods=12, freq="MS")
    after = after[after >= when]
    periods = panel["period"]
    inside = ((periods >= month(start)) & (periods < when)) | periods.isin(after)
    code = panel["code"].astype("str")
    wanted = inside & code.str.startswith(tuple(chapters)) & ~panel["partner"].isin(list(exclude))
    rows = panel.loc[wanted, needed]
    where = [pd.factorize(rows[c], sort=True) for c in ("code", "partner", "period")]
    months = pd.DatetimeIndex(periods[inside].drop_duplicates().sort_values())  # published at all
    at = months.get_indexer(pd.DatetimeIndex(where[2][1]))[where[2][0]]
    values = np.zeros((len(where[0][1]), len(where[1][1]), len(months)))
    np.add.at(values, (where[0][0], where[1][0], at), rows[value].to_numpy("float64"))
    holes = np.isnan(values).any(axis=2)
    values[holes] = 0.0
    return Cube(
        amounts=values,
        codes=pd.Index(where[0][1]),
        destinations=pd.Index(where[1][1]),
        months=months,
        before=int((months < when).sum()),
        event=event,
        window=f"{after[0]:%Y-%m} to {after[-1]:%Y-%m}" if len(after) else str(window),
        left_out=int(holes.sum()),
        missing=tuple(f"{m:%Y-%m}" for m in after.difference(months)),
    )
