"""How much of each source: the arithmetic of mixtures, on arrays alone.

All is float64. Sums over sources are exactly rounded (``math.fsum``), so that sources may come in any order; sums over
buckets are NumPy's own of one row at a time. Nothing here goes through a product of matrices but ``leverage``.
"""
