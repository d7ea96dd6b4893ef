"""Settings and what is made once for all tests: generated worlds, pages."""

import quiet  # noqa: F401, I001 - first, see there
import hashlib
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

import pages
from generated import SMALL, Judged, judged
from standin import trade

# A busy machine is no failure: no test here is timed. Examples are the same in every run.
settings.register_profile("tradeflows", deadline=None, derandomize=True)
settings.load_profile("tradeflows")

# Begun first, or one worker would end alone with them.
LONG = ("test_scenarios", "test_ask", "test_panel", "test_refresh", "test_bridge", "test_energy",
        "test_cli", "test_faults", "test_report", "test_tuik_database", "test_live_load",
        "test_electronics", "test_notebooks", "test_screen", "test_concordance", "test_rerouting",
        "test_both_sides", "test_evidence", "test_parsed")  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Start one worker more than there are cores: many tests wait for a server."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    rank = {name: n for n, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONG)))


Once = Callable[[object, Callable[[], Any]], Any]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that makes a thing the first time and hands it out ever after.

    Tests that run side by side share it too: one makes it, the others wait and read it.
    """
    found: dict[str, Any] = {}
    beside = "PYTEST_XDIST_WORKER" in os.environ
    folder = tmp_path_factory.getbasetemp().parent if beside else None

    def made(key: object, make: Callable[[], Any]) -> Any:
        name = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
        if name not in found:
            found[name] = _shared(folder / name, make) if folder else make()
        return found[name]

    return made


def _shared(file: Path, make: Callable[[], Any]) -> Any:
    with FileLock(f"{file}.lock"):
        if file.exists():
            return pickle.loads(zlib.decompress(file.read_bytes()))  # noqa: S301 - our own
        thing = make()
        part = file.with_suffix(".part")
        part.write_bytes(zlib.compress(pickle.dumps(thing), 1))
        part.replace(file)
        return thing


@pytest.fixture(scope="session")
def world(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Judged]:
    """Return worlds as a refresh brings them, each refreshed and judged once."""

    def made(scenario: str = "nothing", **options: object) -> Judged:
        asked_for = trade.World(scenario, **{**SMALL, **options})
        return once(asked_for, lambda: judged(tmp_path_factory.mktemp("world"), asked_for))

    return made


@pytest.fixture(scope="session")
def shown(once: Once) -> Callable[[Path], pages.Page]:
    """Return what the cells of a notebook show, each notebook run once, the answers last."""

    def made(path: Path) -> pages.Page:
        last = pages.is_last(path)
        others = [made(p) for p in pages.NOTEBOOKS if last and not pages.is_last(p)]
        return once(path, lambda: pages.run(path, after=others))

    return made
