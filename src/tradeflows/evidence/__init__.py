"""What the data say about one question: numbers with ranges, tables, figures, no grades."""
