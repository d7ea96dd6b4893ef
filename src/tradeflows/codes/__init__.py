"""Countries, products, events: definitions as data, without observations."""
