"""What tests of the loaders share: a data folder of their own and a server that is asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tradeflows import store
from tradeflows.sources.comtrade.question import Part, pair
from tradeflows.sources.work import Manners

if TYPE_CHECKING:
    import pytest

from . import others, server, trade

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
QUICK = Manners(interval=0.0, timeout=30.0, backoff=0.01, retries=3)
HASTY = Manners(interval=0.0, timeout=0.5, backoff=0.01, retries=3)
SNAPSHOT = Path(__file__).parents[2] / "data" / "raw"
VARIABLES = ("COMTRADE", "EUROSTAT", "WORLDBANK", "BACI", "TUIK")


def site_of(world: trade.World) -> server.Site:
    """Return a site that answers for every publisher."""
    return server.Site(
        world,
        others={
            "/eurostat/": others.Eurostat(world),
            "/en/": others.WorldBank(),
            "/DATA_DOWNLOAD/": others.zipped(others.baci()),
        },
    )


@contextmanager
def asked(
    patch: pytest.MonkeyPatch, folder: Path, world: trade.World | None = None, key: str = KEY
) -> Iterator[server.Site]:
    """Point every loader at a stand-in, of a small world unless one is given, and a new folder."""
    shutil.copytree(SNAPSHOT / "ecb", folder / "raw" / "ecb")
    (folder / "raw" / store.MARKER).touch()  # alone: no snapshot is laid under it
    site = site_of(world or trade.World(breadth=0, others=0))
    with server.Server(site) as running:
        patch.setenv("TRADEFLOWS_DATA", str(folder))
        patch.setenv("COMTRADE_API_KEY", key)
        for name in VARIABLES:
            patch.setenv(f"TRADEFLOWS_{name}_URL", running.url)
        yield site


def small() -> list[Part]:
    """Return a part with few rows: totals and chapters of Turkey and Russia."""
    return [pair("TUR", "RUS", codes=["TOTAL", "AG2"])]


def live() -> list[store.Raw]:
    """Return what refreshes have stored."""
    return [raw for raw in store.catalogue() if "/live/" in raw.id]
