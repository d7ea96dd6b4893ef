"""UN Comtrade: questions, plans, pulls, replies."""

from tradeflows.sources.comtrade.holding import assemble
from tradeflows.sources.comtrade.reply import parse, read
from tradeflows.sources.comtrade.revision import revisions

__all__ = ["assemble", "parse", "read", "revisions"]
