"""Claims, the rules that decide them, and verdicts."""
