"""Rerouting in the panel: Russia's neighbours as both customs offices saw it, and G7 supply."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tradeflows.codes.countries import spoken
from tradeflows.evidence.panel import Panel, goods
from tradeflows.periods import span
from tradeflows.plot import Shown
from tradeflows.sources.comtrade.standard import SUPPLIERS, TRANSIT
from tradeflows.words import Sentence, amount, percent

__all__ = ["Transit", "transit"]


@dataclass(frozen=True, eq=False)
class Transit:
    """Listed goods to Russia's neighbours and from Turkey's suppliers, in two windows.

    Parameters
    ----------
    base, current : str
    table : pandas.DataFrame
        By neighbour: sent (Turkey's exports) and seen (the neighbour's imports from Turkey) in both
        windows, USD, and ``gap``, the change of ln(sent) − ln(seen); NaN where not published.
    supply : pandas.Series
        What the suppliers that publish every month sold to Turkey, in both windows.
    silent : tuple of str
        Suppliers left out.
    reason : str
        Why nothing can be said, else empty.
    """

    base: str
    current: str
    table: pd.DataFrame = field(repr=False)
    supply: pd.Series = field(repr=False)
    silent: tuple[str, ...] = ()
    reason: str = ""
    generated: bool = False
    origins: tuple[str, ...] = field(repr=False, default=())

    def sentence(self) -> Sentence:
        """Say how much more was sent, seen and supplied."""
        if self.reason:
            return Sentence(
                f"Listed goods to countries around Russia: not determined ({self.reason})"
            )
        sent = self.table[["sent0", "sent1"]].sum()
        known = self.table.dropna(subset="gap")
        seen = known[["seen0", "seen1"]].sum()
        words = [f"Turkey's exports of listed goods to {len(self.table)} countries around Russia "
                 f"changed by {_growth(*sent)} from {self.base} to {self.current}"]  # fmt: skip
        if len(known):
            words.append(f"what {len(known)} of them recorded from Turkey by {_growth(*seen)}")
        if self.supply.iloc[0] > 0:
            left = f" ({len(self.silent)} of them, not published in full, left out)"
            words.append(f"what EU, US, Japan, Canada and UK sold Turkey by {_growth(*self.supply)}"
                         + (left if self.silent else ""))  # fmt: skip
        return Sentence("; ".join(words) + ". A gap fits diversion and does not prove it.")

    def shown(self) -> Shown:
        """Show the neighbours for people."""
        t = self.table
        shown = pd.DataFrame(
            {
                "country": [spoken(p) for p in t.index],
                f"Turkey sent, {self.base}": [amount(x, "USD") for x in t["sent0"]],
                f"Turkey sent, {self.current}": [amount(x, "USD") for x in t["sent1"]],
                f"it recorded, {self.base}": [_usd(x) for x in t["seen0"]],
                f"it recorded, {self.current}": [_usd(x) for x in t["seen1"]],
                "gap widened by": [
                    "not published" if np.isnan(x) else percent(np.expm1(x), sign=True)
                    for x in t["gap"]
                ],
            }
        )
        return Shown(shown, "Listed goods from Turkey, as both customs offices record them")


def transit(panel: Panel, base: str = "2021", current: str = "2022") -> Transit:
    """Compare listed goods to Russia's neighbours, mirrors and supply in two windows.

    Parameters
    ----------
    panel : Panel
    base, current : str

    Returns
    -------
    Transit
    """
    gone = [] if panel.reason else panel.unpublished(base) + panel.unpublished(current)
    reason = panel.reason or (f"not published: {', '.join(gone)}" if gone else "")
    columns = ["sent0", "sent1", "seen0", "seen1", "gap"]
    if reason:
        blank = pd.DataFrame(columns=columns)
        return Transit(base, current, blank, pd.Series([0.0, 0.0]), reason=reason)
    windows = (span(base), span(current))
    listed = set(goods())
    sent = panel.exports[panel.exports["code"].isin(listed)]
    mirror = panel.mirror[panel.mirror["code"].isin(listed)]
    rows, supply, silent = {}, pd.Series([0.0, 0.0]), []
    for state in TRANSIT:
        out = _sums(sent[sent["partner"] == state], windows)
        seen = mirror[(mirror["reporter"] == state) & (mirror["flow"] == "M")]
        into = _sums(seen, windows) if _whole(seen, windows) else (np.nan, np.nan)
        fit = min(*out, *into) > 0
        gap = np.log(out[1] / into[1]) - np.log(out[0] / into[0]) if fit else np.nan
        rows[state] = (*out, *into, gap)
    for supplier in SUPPLIERS:
        sold = mirror[(mirror["reporter"] == supplier) & (mirror["flow"] == "X")]
        if _whole(sold, windows):
            supply += pd.Series(_sums(sold, windows))
        else:
            silent.append(supplier)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    origins = tuple(sorted({*panel.origins(mirror), *panel.origins(sent)}))
    return Transit(
        base, current, table.rename_axis("neighbour"), supply, tuple(silent),
        generated=panel.generated, origins=origins,
    )  # fmt: skip


def _sums(rows: pd.DataFrame, windows: tuple[pd.DatetimeIndex, ...]) -> tuple[float, float]:
    first, last = (float(rows.loc[rows["period"].isin(w), "value_usd"].sum()) for w in windows)
    return first, last


def _whole(rows: pd.DataFrame, windows: tuple[pd.DatetimeIndex, ...]) -> bool:
    months = set(rows["period"])
    return all(set(w) <= months for w in windows)


def _growth(before: float, after: float) -> str:
    return percent(after / before - 1, sign=True) if before > 0 else "an unknown share"


def _usd(x: float) -> str:
    return "–" if np.isnan(x) else amount(x, "USD")
