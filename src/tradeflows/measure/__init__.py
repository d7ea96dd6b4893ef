"""Measures of trade: the additive bridge, index numbers, bounds."""

from tradeflows.measure.bridge import Bridge, bridge
from tradeflows.measure.contributions import contributions
from tradeflows.measure.dialects import sql
from tradeflows.measure.envelope import Envelope, bridges
from tradeflows.measure.factors import VolumePriceMix, lmdi, volume_price_mix
from tradeflows.measure.index import PriceIndex, price_index
from tradeflows.measure.intervals import (
    Block,
    Extreme,
    Good,
    Interval,
    extremes,
    feasible,
    hull,
    price_effect,
    price_effects,
    volume_effects,
)
from tradeflows.measure.volume import Volume, volume

__all__ = [
    "Block",
    "Bridge",
    "Envelope",
    "Extreme",
    "Good",
    "Interval",
    "PriceIndex",
    "Volume",
    "VolumePriceMix",
    "bridge",
    "bridges",
    "contributions",
    "extremes",
    "feasible",
    "hull",
    "lmdi",
    "price_effect",
    "price_effects",
    "price_index",
    "sql",
    "volume",
    "volume_effects",
    "volume_price_mix",
]
