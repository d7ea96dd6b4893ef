"""What measures return: numbers, tables and one sentence. How it looks is not theirs to know."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd

_USD = ("value_base", "value_current", "change", "price", "volume", "entry", "exit", "unpriced")


class Result:
    """A result that shows itself, as `tradeflows.plot` writes it: sentence, table, chart."""

    shown_by: ClassVar[Callable[[Any], dict[str, Any]]]  # set where the package is put together

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude  # everything is always offered
        return type(self).shown_by(self)

    def __str__(self) -> str:
        return str(self.sentence())  # type: ignore[attr-defined]

    def _repr_html_(self) -> str:
        return str(type(self).shown_by(self)["text/html"])

    def to_csv(self, path: str | Path) -> None:
        """Write the table: ten significant digits, no text that a spreadsheet would run.

        Parameters
        ----------
        path : str or Path
        """
        written = import_module("tradeflows.spreadsheets")  # importing a result stays light
        Path(path).write_text(written.csv_text(_flat(self.table)), "utf-8")  # type: ignore[attr-defined]

    def to_excel(self, path: str | Path) -> None:
        """Write sentence and notes, table, range over methods and rows, as far as there are any.

        Amounts of a bridge have their unit in the heading.

        Parameters
        ----------
        path : str or Path
            Ending in ``.xlsx``.
        """
        book = import_module("tradeflows.spreadsheets")
        said = [str(self.sentence()), *getattr(self, "notes", ())]  # type: ignore[attr-defined]
        said.append(f"tradeflows {metadata.version('tradeflows')}")
        unit = "USD per month" if getattr(self, "per_month", False) else "USD"
        sheets: dict[str, Any] = {"answer": {"answer": said}}
        for name, sheet in (("table", "table"), ("by_method", "methods"), ("rows", "rows")):
            if (frame := getattr(self, name, None)) is not None and hasattr(frame, "columns"):
                money = _USD if "change" in frame else ()
                sheets[sheet] = _flat(frame).rename(columns={c: f"{c} ({unit})" for c in money})
        book.workbook(path, sheets)


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with what its index says as columns."""
    return table.reset_index() if any(table.index.names) else table
