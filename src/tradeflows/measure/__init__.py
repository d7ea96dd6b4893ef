"""Measures of trade: the additive bridge, index numbers, bounds."""

from tradeflows.measure.bridge import Bridge, bridge
from tradeflows.measure.envelope import Envelope, bridges, chain

__all__ = ["Bridge", "Envelope", "bridge", "bridges", "chain"]
