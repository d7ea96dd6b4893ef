"""What tests of the loaders share: a data folder of their own and a server that is asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tradeflows.sources.comtrade.question import Part
from tradeflows.sources.comtrade.standard import pair
from tradeflows.sources.session import Manners

from . import server, trade

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
QUICK = Manners(interval=0.0, timeout=30.0, backoff=0.01, retries=3)
HASTY = Manners(interval=0.0, timeout=0.5, backoff=0.01, retries=3)
VARIABLES = ("COMTRADE", "EUROSTAT", "WORLDBANK", "BACI")


@contextmanager
def asked(
    patch: pytest.MonkeyPatch, folder: Path, world: trade.World | None = None, key: str = KEY
) -> Iterator[server.Site]:
    """Point every loader at a stand-in and a new data folder."""
    (folder / "raw").mkdir(parents=True)
    site = server.Site(world or trade.World())
    with server.Server(site) as running:
        patch.setenv("TRADEFLOWS_DATA", str(folder))
        patch.setenv("COMTRADE_API_KEY", key)
        for name in VARIABLES:
            patch.setenv(f"TRADEFLOWS_{name}_URL", running.url)
        yield site


def small() -> list[Part]:
    """Return a part with few rows: totals and chapters of Turkey and Russia."""
    return [pair("TUR", "RUS", codes=["TOTAL", "AG2"])]
