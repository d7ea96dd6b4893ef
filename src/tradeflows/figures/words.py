"""A table that shows itself."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.plot.tables import table_html

__all__ = ["Shown"]


@dataclass(frozen=True, eq=False)
class Shown:
    """A table that a notebook shows as the report does: scaled, rounded, reachable by keyboard.

    Examples
    --------
    >>> "1.5" in Shown(pd.DataFrame({"year": ["2022"], "x": [1.5]}), "an example")._repr_html_()
    True
    """

    table: pd.DataFrame
    label: str
    unit: str = ""

    def _repr_html_(self) -> str:
        return table_html(self.table, label=self.label, unit=self.unit)
