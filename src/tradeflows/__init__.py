"""Price against volume in bilateral trade: did it grow because prices rose or more was shipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# Bound here at once because the room and the function share the name.
from tradeflows.load import load

if TYPE_CHECKING:
    from tradeflows.claims.judge import judge, judge_all
    from tradeflows.measure import bridge, bridges

__all__ = ["bridge", "bridges", "judge", "judge_all", "load"]

# Heavy rooms are imported when first asked for: `import tradeflows` stays quick.
_LATE = {
    "bridge": "tradeflows.measure",
    "bridges": "tradeflows.measure",
    "judge": "tradeflows.claims.judge",
    "judge_all": "tradeflows.claims.judge",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        msg = f"module 'tradeflows' has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)
