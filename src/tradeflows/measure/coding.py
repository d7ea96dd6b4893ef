"""Numbers for the text keys of a frame: the same SQL then joins and groups integers.

Only types change. Each key gets a column of integers beside its text (``code__coded`` beside
``code``), which `tradeflows.quality.relation.keys` prefers, and so does the month, worked out once
for each period. A column of the pair with one value throughout tells nothing apart and is left out,
as is a status that is "reported" throughout. Parquet files keep their text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tradeflows.quality.relation import CODED, PAIR, PREFIXES

__all__ = ["coded", "decoded"]


def coded(
    trade: Any, by: Sequence[str] = (), needed: Sequence[str] = ()
) -> tuple[Any, dict[str, pd.Index]]:
    """Return a frame with integers beside its keys, and the text that they stand for."""
    trade = getattr(trade, "frame", trade)  # of a concordance
    if not isinstance(trade, pd.DataFrame) or not trade.columns.is_unique:
        return trade, {}
    if not {*needed, *by} <= {*trade, *PREFIXES}:
        return trade, {}
    numbers: dict[str, Any] = {}
    names: dict[str, pd.Index] = {}
    alike = [n for n in trade if n not in by and _is_reported(n, trade[n])]
    for name in (n for n in dict.fromkeys([*PAIR, *by]) if n in trade and _is_text(trade[n])):
        found, texts = pd.factorize(trade[name])
        if len(texts) == 1 and name not in ("code", *by) and (found == 0).all():
            alike.append(name)
        elif not (found < 0).any():
            numbers[name], names[name] = found.astype(np.int32), pd.Index(texts, dtype="str")
    if "code" in names:
        for name in set(by) & set(PREFIXES) - set(trade.columns):
            found, names[name] = pd.factorize(names["code"].str[: PREFIXES[name]])
            numbers[name] = found.astype(np.int32)[numbers["code"]]
    if "period" in trade and str(trade["period"].dtype).startswith("datetime64"):
        found, dates = pd.factorize(trade["period"])
        if not (found < 0).any():
            day = pd.DatetimeIndex(dates)
            numbers["month"] = (12 * day.year + day.month - 1).to_numpy(np.int32)[found]
    columns = {
        CODED.format(name): pd.Series(number, index=trade.index, copy=False)
        for name, number in numbers.items()
    }
    return trade.drop(columns=alike).assign(**columns), names


def _is_reported(name: Any, column: pd.Series) -> bool:
    return str(name).endswith("_status") and bool((column == "reported").fillna(value=False).all())


def _is_text(column: pd.Series) -> bool:
    kind = column.dtype
    return pd.api.types.is_string_dtype(
        kind.categories if isinstance(kind, pd.CategoricalDtype) else column
    )


def decoded(rows: pd.DataFrame, names: dict[str, pd.Index]) -> pd.DataFrame:
    """Return rows with the text of each key instead of its number; no number is no text."""
    texts = {
        name: text.array.take(rows[name].fillna(-1).to_numpy(int), allow_fill=True)
        for name, text in names.items()
        if name in rows
    }
    return rows.assign(**texts)
