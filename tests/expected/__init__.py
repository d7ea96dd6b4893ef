"""The numbers of today, stored: a change of form cannot change a result unseen.

`numbers` gets them from the code, `stored` writes, reads and compares them, and
``make expected`` writes them anew. No test writes.
"""
