"""Turkey's own statistics beside UN Comtrade, which repeats them: where both are stored."""

from __future__ import annotations

import pandas as pd

from tradeflows.sources import stored

__all__ = ["agreement", "sentence"]

_BOTH = ("TÜİK", "UN Comtrade")
_AT = ["partner", "flow", "period"]
CLOSE = 0.001  # share by which sums may differ and agree


def agreement() -> pd.DataFrame:
    """Compare what both say of Turkey's general trade, month by month, by six-digit code.

    Returns
    -------
    pandas.DataFrame
        partner, flow, period, one column of USD a source, ``ratio`` of the first to the second, and
        ``reason``: empty where they agree.
    """
    if not set(_BOTH) <= {raw.publisher for raw in stored.files("trade")}:
        return pd.DataFrame(columns=[*_AT, *_BOTH, "ratio", "reason"])
    keep = {"reporter": ["TUR"], "freq": ["M"], "trade_system": ["general"]}
    frames = {s: stored.refreshed("trade", keep={**keep, "source": [s]}) for s in _BOTH}
    frames = {s: rows[rows["level"] == 6] for s, rows in frames.items()}
    sums = {s: rows.groupby(_AT)["value_usd"].sum() for s, rows in frames.items()}
    open_ = {s: rows[~rows["confidential"]].groupby(_AT)["value_usd"].sum()
             for s, rows in frames.items()}  # fmt: skip
    days = {s: rows.groupby(_AT)["vintage"].max() for s, rows in frames.items()}
    ours, theirs = _BOTH
    found = pd.DataFrame(sums).dropna()
    found["ratio"] = found[ours] / found[theirs]
    alike = (found["ratio"] - 1).abs() <= CLOSE
    named = ((open_[ours] / open_[theirs]).reindex(found.index) - 1).abs() <= CLOSE
    newer = days[ours].reindex(found.index) > days[theirs].reindex(found.index)
    found["reason"] = "not explained: a revision, or other goods were asked for"
    found.loc[newer, "reason"] = "TÜİK's month is the newer release"
    found.loc[named, "reason"] = "goods without a name, which only one of them counts"
    found.loc[alike, "reason"] = ""
    return found.reset_index()


def sentence(found: pd.DataFrame) -> str:
    """Say in how many months both agree, and why they differ elsewhere."""
    if found.empty:
        return "TÜİK and UN Comtrade hold no month in common."
    other = found[found["reason"] != ""]
    said = [f"{n} differ: {reason}" for reason, n in other["reason"].value_counts().items()]
    first = f" (first {other.iloc[0]['period']:%Y-%m}, {other.iloc[0]['partner']})" if said else ""
    return (
        f"TÜİK beside UN Comtrade, general trade by six-digit code: {len(found) - len(other)} of"
        f" {len(found)} months of a partner and flow agree to {CLOSE:.1%}"
        + "".join(f"; {words}" for words in said) + f"{first}."
    )  # fmt: skip
