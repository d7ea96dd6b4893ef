"""Price against volume in bilateral trade: did it grow because prices rose or more was shipped."""

from __future__ import annotations

import sys
from importlib import import_module
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
    from tradeflows.load import load
    from tradeflows.measure.bridge import bridge
    from tradeflows.measure.envelope import bridges
    from tradeflows.measure.index import price_index
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
    from tradeflows.measure.published import published
    from tradeflows.measure.screen import screen
    from tradeflows.measure.volume import volume
    from tradeflows.quality.concordance import concord
    from tradeflows.series import months_by_year, on_one_system, series

__all__ = [
    "Block",
    "Good",
    "Interval",
    "ask",
    "bridge",
    "bridges",
    "concord",
    "expected",
    "extremes",
    "feasible",
    "hull",
    "judge",
    "judge_all",
    "load",
    "months_by_year",
    "on_one_system",
    "plot",
    "price_effect",
    "price_effects",
    "price_index",
    "published",
    "require",
    "rule",
    "rules",
    "screen",
    "series",
    "state",
    "triple_difference",
    "volume",
    "volume_effects",
]

# Rooms are imported when a name is first asked for: `import tradeflows` stays quick.
_LATE = {
    "Block": "tradeflows.measure",
    "Good": "tradeflows.measure",
    "Interval": "tradeflows.measure",
    "extremes": "tradeflows.measure",
    "feasible": "tradeflows.measure",
    "hull": "tradeflows.measure",
    "price_effect": "tradeflows.measure",
    "price_effects": "tradeflows.measure",
    "volume": "tradeflows.measure.volume",
    "volume_effects": "tradeflows.measure",
    "series": "tradeflows.series",
    "require": "tradeflows.errors",
    "published": "tradeflows.measure.published",
    "months_by_year": "tradeflows.series",
    "ask": "tradeflows.ask",
    "on_one_system": "tradeflows.series",
    "bridge": "tradeflows.measure",
    "bridges": "tradeflows.measure",
    "concord": "tradeflows.quality.concordance",
    "expected": "tradeflows.counterfactual",
    "judge": "tradeflows.claims.judge",
    "judge_all": "tradeflows.claims.judge",
    "load": "tradeflows.load",
    "price_index": "tradeflows.measure",
    "rule": "tradeflows.claims.rules",
    "rules": "tradeflows.claims.rules",
    "screen": "tradeflows.measure.screen",
    "state": "tradeflows.claims.judge",
    "triple_difference": "tradeflows.counterfactual",
}


def __getattr__(name: str) -> Any:
    if name == "plot":
        return import_module("tradeflows.plot")
    if name not in _LATE:
        msg = f"module 'tradeflows' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_LATE[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A package in which `load` is the function, although a room bears the name too."""

    def __setattr__(self, name: str, value: object) -> None:
        """Leave the name alone when Python binds the room, which it does on import."""
        if not (name in _LATE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def _shown(result: Any) -> dict[str, Any]:
    return dict(import_module("tradeflows.plot.results").bundle(result))


Result.shown_by = _shown  # results know no pictures: here, above all rooms, both meet
