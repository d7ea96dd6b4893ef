"""One module per publisher."""
