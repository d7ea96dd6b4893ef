"""The corrections for readers: what was changed in a raw file, why, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import pandas as pd

from tradeflows.figures import amount, table_html
from tradeflows.quality.corrections import corrections

__all__ = ["Corrections", "shown"]

_WORDS = {"drop": "left out"}


@dataclass(frozen=True, eq=False)
class Corrections:
    """Every correction with the value that the source must still show.

    ``table``: file, rows, action, value (USD), reason, status.
    """

    table: pd.DataFrame
    origins: tuple[str, ...]

    def sentence(self) -> str:
        """Say how many there are.

        Examples
        --------
        >>> shown().sentence()[:14]
        '12 corrections'
        """
        total = amount(float(self.table["value"].sum()), "USD")
        return (
            f"{len(self.table)} corrections change what raw files say, {total} in all. Each is "
            "checked at every load: once the source shows another value, loading stops."
        )

    def _repr_html_(self) -> str:
        values = [amount(v, "USD") for v in self.table["value"]]
        table = table_html(self.table.assign(value=values), label="Corrections of raw files")
        return f"<p>{escape(self.sentence())}</p>{table}"


def shown() -> Corrections:
    """Return the corrections for display.

    Examples
    --------
    >>> sorted(set(shown().table["status"]))
    ['open']
    """
    rows = [
        (
            c.file,
            ", ".join(str(v) for v in c.where.values()),
            _WORDS[c.action],
            float(c.expect["value_usd"]),
            c.reason,
            c.status,
        )
        for c in corrections()
    ]
    table = pd.DataFrame(rows, columns=["file", "rows", "what", "value", "reason", "status"])
    return Corrections(table, tuple(sorted(set(table["file"]))))
