"""Turkey's own statistics beside UN Comtrade, which repeats them: where both are stored."""

from __future__ import annotations

from typing import Any

import pandas as pd

from tradeflows.sources import stored

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
    keep = {"reporter": ["TUR"], "freq": ["M"], "trade_system": ["general"], "source": [*_BOTH]}
    rows = stored.refreshed("trade", keep=keep)
    rows = rows[rows["level"] == 6].assign(named=rows["value_usd"].where(~rows["confidential"], 0))
    how: dict[str, Any] = {"value_usd": "sum", "named": "sum", "vintage": "max"}
    wide = rows.pivot_table(index=_AT, columns="source", values=[*how], aggfunc=how).dropna()
    ratio, named = (wide[c][_BOTH[0]] / wide[c][_BOTH[1]] for c in ("value_usd", "named"))
    found: pd.DataFrame = wide["value_usd"][[*_BOTH]].assign(ratio=ratio)
    found["reason"] = "not explained: a revision, or other goods were asked for"
    newer = wide["vintage"][_BOTH[0]] > wide["vintage"][_BOTH[1]]
    found.loc[newer, "reason"] = "TÜİK's month is the newer release"
    hidden = (named - 1).abs() <= CLOSE
    found.loc[hidden, "reason"] = "goods without a name, which only one of them counts"
    found.loc[(ratio - 1).abs() <= CLOSE, "reason"] = ""
    return found.reset_index().rename_axis(columns=None)


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
