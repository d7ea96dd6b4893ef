"""What a screen found: pairs of countries, ranked, with words, a figure and a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.errors import UnknownCode
from tradeflows.result import Result
from tradeflows.words import Sentence, percent

__all__ = ["Screen"]


@dataclass(frozen=True, eq=False)
class Screen(Result):
    """Pairs of countries and what became of their trade in listed goods."""

    base: str
    current: str
    target: str | None
    least: float
    level: float
    coverage: float
    table: pd.DataFrame = field(repr=False)
    origins: tuple[str, ...] = field(repr=False, default=())
    late: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)
    new: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    @property
    def found(self) -> pd.DataFrame:
        """The rows that stand out."""
        return self.table[self.table["stands_out"]]

    def sentence(self) -> Sentence:
        """Say how many pairs stand out, which first, how far weights reach, and who is left out."""
        judged = int(self.table["p"].notna().sum())
        names = [self.named(row) for row in self.found.head(5).itertuples()]
        more = len(self.found) - len(names)
        which = f": {', '.join(names)}{f' and {more} more' if more else ''}" if names else ""
        return Sentence(
            f"From {self.base} to {self.current}, listed goods grew out of step in"
            f" {len(self.found)} of {judged} cases, false finds held to {percent(self.level)}"
            f"{which}. {len(self.table) - judged} more are too small or have too few other goods"
            f" to judge. Weights make a price for {percent(self.coverage)} of the current value."
            f"{self._left_out()}"
        )

    def _left_out(self) -> str:
        words = ""
        for which, gaps in (
            ("Taken for no trade, having no rows before", self.new),
            ("Left out, as a missing month is no zero", self.late),
        ):
            names = []
            for reporter, months in list(gaps.items())[:5]:
                more = f" and {len(months) - 1} more" if months[1:] else ""
                names.append(f"{spoken(reporter)} (no rows for {months[0]}{more})")
            rest = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
            words += f" {which}: {', '.join(names)}{rest}." if names else ""
        return words

    def case(self, reporter: str, partner: str | None = None) -> pd.Series:
        """Return the row of one pair, its most striking goods."""
        partner = partner or self.target
        rows = self.table
        rows = rows[(rows["reporter"] == reporter) & (rows["partner"] == partner)]
        if rows.empty and reporter in self.late:
            raise UnknownCode(
                f"{reporter} is left out: it has no rows for {', '.join(self.late[reporter])}",
                "a reporter with rows in every month of both windows",
                "choose windows that end where its data end, or fetch the months; where they are"
                " published and nothing was traded, say so with published=",
            )
        if rows.empty:
            raise UnknownCode(
                f"no listed goods from {reporter} to {partner}",
                "a reporter and a partner of the table",
                "name both, as in its columns",
            )
        return rows.iloc[0]

    def parquet(self, path: str | Path) -> Path:
        """Write the table to a Parquet file: whole, or not at all."""
        path = Path(path)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as handle:
                self.table.to_parquet(handle, index=False)
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def named(self, row: Any) -> str:
        """Return the name of a row: reporter, partner, goods, as far as they differ."""
        ends = [row.reporter] if self.target else [row.reporter, row.partner]
        goods = f", {row.goods}" if len(set(self.table["goods"])) > 1 else ""
        return " to ".join(map(spoken, ends)) + goods
