"""How much of each source: what texts say of their sources, and weights by it."""
