"""From notebooks to pages: run, render, check, trace."""

from __future__ import annotations

from importlib.util import find_spec

from tradeflows.errors import TradeflowsError

NEEDED = ("nbconvert", "nbclient", "ipykernel", "latex2mathml", "jinja2")  # the extra `report`


def needed() -> None:
    """Refuse to go on without the packages of the extra `report`."""
    if lacking := [name for name in NEEDED if not find_spec(name)]:
        raise TradeflowsError(
            f"a report needs {', '.join(lacking)}, which are not installed",
            "the packages of the extra `report`",
            "pip install 'tradeflows[report]'",
        )
