"""What UN Comtrade revised: stored releases of the same months beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pandas as pd

from tradeflows import store
from tradeflows.sources.comtrade.holding import Leaf, leaves, of_pairs
from tradeflows.sources.comtrade.reply import read

__all__ = ["revisions"]

_KEY = ["reporter", "partner", "flow", "freq", "period", "code_system", "code"]
_COLUMNS = [*_KEY, "from_vintage", "to_vintage", "before_usd", "after_usd", "change_usd"]


def revisions(raws: Iterable[store.Raw] | None = None) -> pd.DataFrame:
    """Return the rows whose value differs between two releases that follow each other.

    Parameters
    ----------
    raws : iterable of Raw, optional
        Sidecars to compare; all by default.

    Returns
    -------
    pandas.DataFrame
        Key, both vintages, both values (empty where the row is not there) and the change in USD,
        the largest first.
    """
    slots: dict[tuple[str, str, str], dict[tuple[str, str], list[Leaf]]] = {}
    for leaf in leaves(raws):
        for pair in leaf.pairs():
            slot = slots.setdefault((leaf.call.part, leaf.call.freq, pair), {})
            slot.setdefault(leaf.release(pair)[::-1], []).append(leaf)
    found = [
        _compared(_rows(slot[old], pair), _rows(slot[new], pair), old[0][:10], new[0][:10])
        for (_, _, pair), slot in slots.items()
        for old, new in pairwise(sorted(slot))
    ]
    changed = [f for f in found if not f.empty]
    if not changed:
        return pd.DataFrame(columns=_COLUMNS)
    whole = pd.concat(changed).drop_duplicates([*_KEY, "from_vintage", "to_vintage"])
    return whole.sort_values("change_usd", key=abs, ascending=False, ignore_index=True)


def _rows(replies: Iterable[Leaf], pair: str) -> pd.DataFrame:
    frames = [of_pairs(read(store.read(x.raw.id), x.raw), [pair]) for x in replies]
    return pd.concat(frames).drop_duplicates(_KEY)[[*_KEY, "value_usd"]]


def _compared(old: pd.DataFrame, new: pd.DataFrame, before: str, after: str) -> pd.DataFrame:
    both = old.merge(new, on=_KEY, how="outer", suffixes=("_old", "_new"))
    both = both.rename(columns={"value_usd_old": "before_usd", "value_usd_new": "after_usd"})
    both["change_usd"] = both["after_usd"].fillna(0) - both["before_usd"].fillna(0)
    differs = both["before_usd"].ne(both["after_usd"])
    return both[differs].assign(from_vintage=before, to_vintage=after)[_COLUMNS]
