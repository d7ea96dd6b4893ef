"""UN Comtrade: questions, plans, pulls, replies."""

from tradeflows.sources.comtrade.holding import assemble
from tradeflows.sources.comtrade.reply import parse, read

__all__ = ["assemble", "parse", "read"]
