"""What measures return: numbers, tables and one sentence. How it looks is not theirs to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

__all__ = ["Result"]


class Result:
    """A result that shows itself, as `tradeflows.plot` writes it: sentence, table, chart."""

    shown_by: ClassVar[Callable[[Any], dict[str, Any]]]  # set where the package is put together

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        del include, exclude  # everything is always offered
        return type(self).shown_by(self)

    def _repr_html_(self) -> str:
        return str(type(self).shown_by(self)["text/html"])
