"""UN Comtrade: questions, replies, plans."""
