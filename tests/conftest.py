"""Settings and generated worlds that all tests share."""

import quiet  # noqa: F401, I001 - first, see there
from collections.abc import Callable

import pytest
from hypothesis import settings

from generated import SMALL, Judged, judged
from standin import trade

# A busy machine is no failure: no test here is timed. Examples are the same in every run.
settings.register_profile("tradeflows", deadline=None, derandomize=True)
settings.load_profile("tradeflows")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Judged]:
    """Return worlds as a refresh brings them, each refreshed and judged once."""
    found: dict[trade.World, Judged] = {}

    def made(scenario: str = "nothing", **options: object) -> Judged:
        asked_for = trade.World(scenario, **{**SMALL, **options})
        if asked_for not in found:
            found[asked_for] = judged(tmp_path_factory.mktemp("world"), asked_for)
        return found[asked_for]

    return made
