"""Small made-up trade whose every number fits on a screen, for tests of the measures."""

from __future__ import annotations

import pandas as pd

_GOODS = ("food", "energy", "manufactures", "electronics", "services", "software")
_CHAPTERS = ("raw", "raw", "industry", "industry", "services", "services")
_PRICES = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    (1.2, 3.0, 1.3, 0.7, 1.4, 0.8),
    (1.0, 1.0, 1.5, 0.5, 1.7, 0.6),
    (0.8, 0.5, 1.6, 0.3, 1.9, 0.4),
    (1.0, 1.0, 1.6, 0.1, 2.0, 0.2),
)
_QUANTITIES = (
    (1.0, 1.0, 2.0, 1.0, 4.5, 0.5),
    (0.8, 0.9, 1.9, 1.3, 4.7, 0.6),
    (1.0, 1.1, 1.8, 3.0, 5.0, 0.8),
    (1.2, 1.2, 1.9, 6.0, 5.6, 1.3),
    (0.9, 1.2, 2.0, 12.0, 6.5, 2.5),
)


def six_products(*, entrant: bool = False) -> pd.DataFrame:
    """Return six products over five years, in millions of USD and kg.

    Energy jumps and comes back, electronics get cheap and plentiful, services creep up.

    Parameters
    ----------
    entrant : bool
        Add a seventh product that is first traded in the last year.

    Returns
    -------
    pandas.DataFrame
        Annual rows of a trade frame with a column ``chapter``.

    References
    ----------
    Balk (2008), Price and Quantity Index Numbers, tables 3.1 and 3.2.
    """
    rows = [
        (f"{2018 + year}-01-01", good, chapter, price * quantity * 1e6, quantity * 1e6)
        for year, (prices, quantities) in enumerate(zip(_PRICES, _QUANTITIES, strict=True))
        for good, chapter, price, quantity in zip(
            _GOODS, _CHAPTERS, prices, quantities, strict=True
        )
    ]
    if entrant:
        rows.append(("2022-01-01", "drones", "industry", 4e6, 0.5e6))
    names = ["period", "code", "chapter", "value_usd", "net_weight_kg"]
    frame = pd.DataFrame(rows, columns=names).assign(freq="A")
    return frame.assign(period=pd.to_datetime(frame["period"]))


def stockpiling(months: int = 24) -> pd.DataFrame:
    """Return two goods, one of which is on offer every fourth month and hoarded then."""
    price, weight = (2.0, 1.0, 2.0, 2.0), (10.0, 50.0, 2.0, 10.0)
    periods = pd.date_range("2021-01-01", periods=months, freq="MS")
    rows = [
        (p, "offer", price[i % 4] * weight[i % 4], weight[i % 4]) for i, p in enumerate(periods)
    ]
    rows += [(p, "steady", 20.0, 10.0) for p in periods]
    return pd.DataFrame(rows, columns=["period", "code", "value_usd", "net_weight_kg"])
