"""One module per publisher; `register` adds another."""

from tradeflows.sources.registry import register

__all__ = ["register"]
