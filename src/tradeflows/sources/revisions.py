"""What publishers changed in the past: what had been released by two days, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.sources import stored
from tradeflows.sources.comtrade import question

VALUES = {"trade": "value_usd", "prices": "value", "volumes": "value"}
_KINDS = ("revised", "added", "withdrawn", "first published")


@dataclass(frozen=True, eq=False)
class Revisions:
    """Rows that differ between two days.

    ``table``: the key, ``kind`` (revised; added, withdrawn: in a month that was published on both
    days; first published), both vintages, both values and the change, the largest first.
    """

    name: str
    old: str
    new: str
    table: pd.DataFrame

    def by_month(self) -> pd.DataFrame:
        """Return rows and change by period, code and kind."""
        code = "code" if self.name == "trade" else "series"
        sums = self.table.groupby(["period", code, "kind"], as_index=False)
        return sums.agg(rows=("change", "size"), change=("change", "sum"))

    def sentence(self) -> str:
        """Say how much changed."""
        kinds = self.table["kind"].value_counts()
        words = ", ".join(f"{kinds[k]:,} {k}" for k in _KINDS if k in kinds)
        past = self.table[self.table["kind"] != "first published"]
        months = past["period"].nunique()
        return f"{self.name} as of {self.new} against {self.old}: " + (
            f"rows {words}; {months} months of the past changed." if words else "nothing changed."
        )


def revisions(old: str, new: str, name: str = "trade") -> Revisions:
    """List what changed between two days, ``YYYY-MM-DD``, by code and month, over all publishers.

    ``name`` is ``trade``, ``prices`` or ``volumes``.

    Examples
    --------
    >>> revisions("2016-10-31", "2016-11-30").sentence()
    'trade as of 2016-11-30 against 2016-10-31: nothing changed.'
    """
    if name not in VALUES:
        raise UnknownCode(f"no refreshed table {name!r}", f"one of {list(VALUES)}", "name one")
    for day in (old, new):
        if pd.isna(pd.to_datetime(day, format="%Y-%m-%d", errors="coerce")):
            raise UnknownCode(f"{day!r} is no day", "YYYY-MM-DD", "write it like 2026-10-31")
    if old > new:
        raise UnknownCode(f"{old} is later than {new}", "the earlier day first", "swap the days")
    value, key = VALUES[name], stored.key_of(name)
    # Months of which nothing was released between the days are the same.
    places = {
        (leaf.call.freq, pair)
        for leaf in question.leaves(stored.files(name))
        for pair in leaf.call.pairs()
        if old < leaf.released[pair][:10] <= new
    }
    days = (stored.refreshed(name, day, places=places) for day in (old, new))
    before, after = (f[[*key, "vintage", value]] for f in days)
    found = before.merge(after, on=key, how="outer", suffixes=("_old", "_new"), indicator="kind")
    month = [c for c in ("source", "reporter", "flow", "freq", "period") if c in key]
    there = pd.MultiIndex.from_frame(found[month]).isin(pd.MultiIndex.from_frame(before[month]))
    kinds = {"both": "revised", "left_only": "withdrawn", "right_only": "added"}
    kind = found["kind"].map(kinds).astype("str")
    found["kind"] = kind.mask((kind == "added") & ~there, "first published")
    found = found.rename(columns={
        "vintage_old": "from_vintage", "vintage_new": "to_vintage",
        f"{value}_old": "before", f"{value}_new": "after",
    })  # fmt: skip
    found["change"] = found["after"].fillna(0) - found["before"].fillna(0)
    changed = found[found["before"] != found["after"]].sort_values(key)
    changed = changed.iloc[(-changed["change"].abs()).argsort(kind="stable")]
    shown = [*key, "kind", "from_vintage", "to_vintage", "before", "after", "change"]
    return Revisions(name, old, new, changed[shown].reset_index(drop=True))
