"""Choosing rows: set functions with incremental gains, and greedy ways to make them large.

``set_function.py`` says what a set function is here; ``greedy.py`` chooses. Similarities come from vectors
(``dense_columns.py``) or from a graph (``sparse_columns.py``), and are whole numbers, so that sums are exact.
"""
