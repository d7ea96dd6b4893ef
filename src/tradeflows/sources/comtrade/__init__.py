"""UN Comtrade: questions, replies, what is stored of them, pulls."""

from tradeflows.sources.comtrade.reply import parse, read

__all__ = ["parse", "read"]
