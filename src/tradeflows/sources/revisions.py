"""What publishers changed in the past: what had been released by two days, row by row."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from tradeflows.errors import UnknownCode
from tradeflows.sources import stored
from tradeflows.sources.comtrade import held

__all__ = ["Revisions", "revisions"]

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
        for leaf in held.leaves(stored.files(name))
        for pair in leaf.call.pairs()
        if old < leaf.released[pair][:10] <= new
    }
    days = (stored.refreshed(name, day, places=places) for day in (old, new))
    before, after = (f[[*key, "vintage", value]].rename(columns={value: "value"}) for f in days)
    found = before.merge(after, on=key, how="outer", suffixes=("_old", "_new"), indicator=True)
    found["kind"] = found["_merge"].map({"both": "revised", "left_only": "withdrawn"}).astype("str")
    right = found["_merge"] == "right_only"
    place = [c for c in ("source", "reporter", "flow", "freq", "period") if c in key]
    known = before[place].drop_duplicates().assign(there=True)
    there = found[place].merge(known, how="left")["there"].notna()
    found.loc[right & there, "kind"] = "added"
    found.loc[right & ~there, "kind"] = "first published"
    found["change"] = found["value_new"].fillna(0) - found["value_old"].fillna(0)
    changed = found[~(found["value_old"] == found["value_new"])]
    columns = {"vintage_old": "from_vintage", "vintage_new": "to_vintage",
               "value_old": "before", "value_new": "after"}  # fmt: skip
    shown = changed.rename(columns=columns)[[*key, "kind", *columns.values(), "change"]]
    table = shown.sort_values(["change", *key], key=_largest_first, kind="stable")
    return Revisions(name, old, new, table.reset_index(drop=True))


def _largest_first(values: pd.Series) -> pd.Series:
    return -values.abs() if values.name == "change" else values
