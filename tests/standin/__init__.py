"""A local server that speaks the publishers' contracts, and a generator of trade behind it.

Everything it says is made up, and it says so: the header ``X-Tradeflows-Generated``, a field
``generated`` in every JSON reply, a note in the metadata.
"""
