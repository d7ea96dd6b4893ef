"""Measures of trade: the additive bridge, index numbers, bounds."""

from tradeflows.measure.bridge import Bridge, bridge

__all__ = ["Bridge", "bridge"]
