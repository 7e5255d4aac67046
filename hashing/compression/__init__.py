"""Few items that stand for a whole benchmark: the arithmetic, on arrays alone.

A matrix of scores has a row for each model and a column for each item, from 0 (wrong) to 1 (right); NaN is a missing
cell. After EssenceBench (filter what is redundant, search with a genetic algorithm, predict the full score), with item
curves in place of its splines: twenty models are few, and a spline of a mean learns them by heart.
"""
