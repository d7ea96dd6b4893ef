"""Measures of trade: the additive bridge, index numbers, bounds, volume, the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tradeflows.measure.bridge import Envelope, bridge, bridge_sql, bridges
from tradeflows.measure.index import contributions, index_sql, price_index
from tradeflows.measure.intervals import (
    Block,
    Good,
    Interval,
    extremes,
    feasible,
    hull,
    price_effect,
    price_effects,
    volume_effects,
)
from tradeflows.measure.mirror import mirror_sql
from tradeflows.measure.screen import screen_sql
from tradeflows.measure.volume import volume, volume_price_mix
from tradeflows.tables import TABLES

__all__ = [
    "Block",
    "Envelope",
    "Good",
    "Interval",
    "bridge",
    "bridges",
    "contributions",
    "extremes",
    "feasible",
    "hull",
    "price_effect",
    "price_effects",
    "price_index",
    "sql",
    "volume",
    "volume_effects",
    "volume_price_mix",
]

_TEXTS: dict[str, Callable[..., str]] = {
    "bridge": bridge_sql,
    "index": index_sql,
    "screen": screen_sql,
    "mirror": mirror_sql,
}


def sql(
    measure: str,
    *,
    dialect: str = "duckdb",
    columns: Sequence[str] = TABLES["trade"].names,
    **settings: Any,
) -> str:
    """Return a measure as SQL over a table ``trade``.

    Parameters
    ----------
    measure : {"bridge", "index", "screen", "mirror"}
        Which one.
    dialect : str
        ``duckdb``, or any that SQLGlot writes, such as ``spark``; needs the extra ``spark``.
    columns : sequence of str
        Columns of the table; by default all of the canonical table.
    **settings
        As in `bridge` (base, current, by, method, path, …); for the index, formula and pairs;
        for the screen, as in `screen_sql`; for the mirror, the window.

    Returns
    -------
    str
        One query.

    Examples
    --------
    >>> "GROUPING SETS" in sql("bridge", base="2021", current="2022")
    True
    """
    if measure not in _TEXTS:
        raise ValueError(f"measure={measure!r}: expected one of {', '.join(_TEXTS)}")
    text = _TEXTS[measure](columns, **settings)
    if dialect == "duckdb":
        return text
    import sqlglot

    return str(sqlglot.transpile(text, read="duckdb", write=dialect, pretty=True)[0])
