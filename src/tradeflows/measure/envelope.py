"""Bridges by several methods and paths, and the range of each bar over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from tradeflows.measure import queries
from tradeflows.measure.bridge import BARS, PATHS, Bridge, bridge
from tradeflows.quality.relation import one_or_more, opened
from tradeflows.result import Result
from tradeflows.words import Sentence, amount

__all__ = ["Envelope", "bridges"]


@dataclass(frozen=True, eq=False)
class Envelope(Result):
    """The bridges of one change, by method and path."""

    results: dict[tuple[str, str], Bridge] = field(repr=False)

    def __getitem__(self, key: tuple[str, str]) -> Bridge:
        return self.results[key]

    def range(self, bar: str) -> tuple[float, float]:
        """Return the lowest and the highest value of a bar."""
        values = [float(getattr(result, bar)) for result in self.results.values()]
        return min(values), max(values)

    @property
    def table(self) -> pd.DataFrame:
        """One row per bar: lowest and highest value over all methods and paths."""
        rows = [(bar, *self.range(bar)) for bar in BARS]
        return pd.DataFrame(rows, columns=["bar", "low", "high"])

    @property
    def by_method(self) -> pd.DataFrame:
        """One row per method and path: the five bars and the change."""
        rows = [
            (method, path, *(float(getattr(b, bar)) for bar in BARS), b.change)
            for (method, path), b in self.results.items()
        ]
        return pd.DataFrame(rows, columns=["method", "path", *BARS, "change"])

    @property
    def first(self) -> Bridge:
        """The bridge of the first method and path."""
        return next(iter(self.results.values()))

    def steps(self) -> pd.DataFrame:
        """Return the waterfall of the first bridge, with low and high of each bar."""
        nothing = (float("nan"), float("nan"))
        steps, ends = self.first.steps(), {bar: self.range(bar) for bar in BARS}
        steps[["low", "high"]] = [ends.get(kind, nothing) for kind in steps["kind"]]
        return steps

    def sentence(self) -> Sentence:
        """Say between which amounts price lies."""
        low, high = (amount(end, "USD") for end in self.range("price"))
        many = [len(set(names)) for names in zip(*self.results, strict=True)]
        over = ", ".join(
            f"{n} {word}" if n == 1 else f"{n} {word}s"
            for n, word in zip(many, ("formula", "path"), strict=True)
        )
        return Sentence(f"Price accounts for {low} to {high} (range over methods: {over}).")


def bridges(
    trade: Any,
    base: str = "2021",
    current: str = "2022",
    *,
    methods: str | Sequence[str] = ("bennet", "montgomery", "laspeyres", "paasche"),
    paths: str | Sequence[str] | None = None,
    **options: Any,
) -> Envelope:
    """Compute one bridge per method and path.

    Parameters
    ----------
    trade, base, current, **options
        As in `bridge`.
    methods, paths : str or sequence of str
        What the range runs over: by default all methods, and both paths where the rows are monthly.
        Annual rows have the two-point path only.

    Returns
    -------
    Envelope
        All bridges, and the range of each bar.

    Examples
    --------
    >>> trade = pd.DataFrame({"period": pd.to_datetime(["2021-01-01", "2022-01-01"]),
    ...     "code": "270900", "value_usd": [1000.0, 1200.0], "net_weight_kg": [100.0, 80.0]})
    >>> bridges(trade, "2021-01", "2022-01").range("price")
    (400.0, 500.0)
    """
    if paths is None:
        paths = "two-point" if _annual(trade) else PATHS
    asked = {"methods": one_or_more(methods), "paths": one_or_more(paths)}
    for name, known in (("methods", queries.PRICE), ("paths", PATHS)):
        if not asked[name]:
            raise ValueError(f"{name}=[]: expected at least one of {', '.join(known)}")
    return Envelope(
        {
            (method, path): bridge(trade, base, current, method=method, path=path, **options)
            for path in asked["paths"]
            for method in asked["methods"]
        }
    )


def _annual(trade: Any) -> bool:
    """Say whether all rows are annual; a table of both is refused when it is summed."""
    with opened(trade, ("period", "code", "value_usd")) as relation:
        if "freq" not in relation.columns:
            return False
        found = relation.frame(
            "SELECT count(*) FILTER (WHERE freq IS DISTINCT FROM 'A') AS n FROM trade"
        )
        return bool(found["n"].iloc[0] == 0)
