"""Price against volume in bilateral trade: did it grow because prices rose or more was shipped."""

from __future__ import annotations

import sys
from importlib import import_module, metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tradeflows.result import Result

if TYPE_CHECKING:
    from tradeflows import plot
    from tradeflows.ask import ask
    from tradeflows.claims.judge import judge, judge_all, state
    from tradeflows.claims.rules import rule, rules
    from tradeflows.counterfactual import expected, triple_difference
    from tradeflows.errors import require
    from tradeflows.load import catalogue, load
    from tradeflows.measure import (
        Block,
        Good,
        Interval,
        bridge,
        bridges,
        feasible,
        hull,
        price_effect,
        price_effects,
        price_index,
        volume_effects,
    )
    from tradeflows.measure.mirror import mirror
    from tradeflows.measure.passed_on import passed_on
    from tradeflows.measure.published import published
    from tradeflows.measure.screen import screen
    from tradeflows.measure.volume import volume
    from tradeflows.quality.concordance import concord
    from tradeflows.readers import read_baci, read_comtrade, tidy
    from tradeflows.series import fullest, months_by_year, on_one_system, series
    from tradeflows.sources.tuik import read_tuik

__all__ = [
    "Block", "Good", "Interval", "ask", "bridge", "bridges", "catalogue", "concord", "expected",
    "feasible", "fullest", "hull", "judge", "judge_all", "load", "mirror", "months_by_year",
    "on_one_system", "passed_on", "plot", "price_effect", "price_effects", "price_index",
    "published", "read_baci", "read_comtrade", "read_tuik", "require", "rule", "rules",
    "screen", "series", "state", "tidy", "triple_difference", "volume", "volume_effects",
]  # fmt: skip

__version__ = metadata.version("tradeflows")

# Rooms are imported when a name is first asked for: `import tradeflows` stays quick. A name that
# no line has here is a measure.
_LATE = {
    **dict.fromkeys(("fullest", "months_by_year", "on_one_system", "series"), "tradeflows.series"),
    **dict.fromkeys(("judge", "judge_all", "state"), "tradeflows.claims.judge"),
    **dict.fromkeys(("rule", "rules"), "tradeflows.claims.rules"),
    **dict.fromkeys(("expected", "triple_difference"), "tradeflows.counterfactual"),
    "read_tuik": "tradeflows.sources.tuik",
    "require": "tradeflows.errors",
    "ask": "tradeflows.ask",
    "catalogue": "tradeflows.load",
    "concord": "tradeflows.quality.concordance",
    "load": "tradeflows.load",
    "mirror": "tradeflows.measure.mirror",
    "passed_on": "tradeflows.measure.passed_on",
    "published": "tradeflows.measure.published",
    "screen": "tradeflows.measure.screen",
    **dict.fromkeys(("read_baci", "read_comtrade", "tidy"), "tradeflows.readers"),
}


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("tradeflows.plot")
    if name not in __all__:
        msg = f"module 'tradeflows' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LATE.get(name, "tradeflows.measure")), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """A package in which `load` is the function, although a room bears the name too."""

    def __setattr__(self, name: str, value: object) -> None:
        """Leave the name alone when Python binds the room, which it does on import."""
        if name == "plot" or not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def _shown(result: Any) -> dict[str, Any]:
    return dict(import_module("tradeflows.plot.results").bundle(result))


Result.shown_by = _shown  # results know no pictures: here, above all rooms, both meet
