"""Which months each series of the snapshot covers."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows import store
from tradeflows.figures import table_html
from tradeflows.quality.corrections import corrected
from tradeflows.sources import published

__all__ = ["Coverage", "coverage"]


@dataclass(frozen=True)
class Coverage:
    """First and last period, number of periods, and gaps of every raw file of a table."""

    table: pd.DataFrame
    origins: tuple[str, ...]

    def _repr_html_(self) -> str:
        return table_html(self.table, label="Months covered by each series")


def coverage() -> Coverage:
    """List what every series of the snapshot's trade, prices and volumes covers.

    Returns
    -------
    Coverage
        ``table``: publisher, series, from, to, periods, missing (periods between the first and
        the last that the file does not have).

    Examples
    --------
    >>> table = coverage().table
    >>> int(table.set_index("series").loc["coal", "missing"]) > 0
    True
    """
    kept = [raw for raw in store.catalogue() if not raw.live]
    raws = [raw for raw in kept if raw.table != "published"]
    rows = [row for raw in raws for row in _series(raw)]
    return Coverage(pd.DataFrame(rows), tuple(raw.id for raw in raws))


def _series(raw: store.Raw) -> list[dict[str, object]]:
    frame = corrected(published.read(raw.id), raw.id)
    column = "code" if raw.table == "trade" else "series"
    many = frame[column].nunique() > 8
    groups = [(raw.title, frame)] if many else list(frame.groupby(column, sort=True))
    return [_row(raw, str(name), part) for name, part in groups]


def _row(raw: store.Raw, name: str, part: pd.DataFrame) -> dict[str, object]:
    part = part[part["freq"] == "M"] if (part["freq"] == "M").any() else part
    freq = "Y" if part["freq"].iloc[0] == "A" else "M"
    periods = part["period"].dt.to_period(freq).unique()
    whole = pd.period_range(periods.min(), periods.max(), freq=freq)
    return {
        "publisher": raw.publisher,
        "series": name,
        "from": str(periods.min()),
        "to": str(periods.max()),
        "periods": len(periods),
        "missing": len(whole) - len(periods),
    }
