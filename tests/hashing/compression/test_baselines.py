"""Simpler ways to choose items."""

import numpy as np
import pytest

from tamis.hashing.compression.baselines import clustered_items, line, random_items, stratified_items


def draw():
    return np.random.Generator(np.random.PCG64(2))


def test_clusters_of_equal_items_are_found():
    kinds = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], np.float64)
    which = np.array([0, 1, 2, 0, 0, 2, 1, 0])
    scores = kinds[which].T
    found = clustered_items(scores, 8, draw())
    assert sorted(found.items.tolist()) == [0, 1, 2]
    assert {int(i): float(w) for i, w in zip(found.items, found.weights, strict=True)} == {0: 0.5, 1: 0.25, 2: 0.25}
    assert scores[:, found.items] @ found.weights == pytest.approx(scores.mean(axis=1))


def test_strata_give_one_each():
    means = np.linspace(0, 1, 12)
    assert (stratified_items(means, 4, draw()) // 3).tolist() == [0, 1, 2, 3]
    assert len(set(random_items(12, 5, draw()).tolist())) == 5


def test_a_line_goes_through_points():
    part = np.array([0.2, 0.4, 0.9])
    level, slope = line(part, 0.1 + 0.5 * part, ridge=0.0)
    assert (level, slope) == pytest.approx((0.1, 0.5))
    assert line(np.full(3, 0.5), part) == pytest.approx((0.5, 0.0))
