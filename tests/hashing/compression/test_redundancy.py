"""The two-view filter, against pairs compared one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.redundancy import alike_in_text, correlations, keepers
from tamis.hashing.errors import ConfigError


def one_by_one(vectors, threshold):
    unit = [v / n if (n := np.sqrt((v * v).sum())) > 0 else v for v in vectors.astype(np.float64)]
    return [
        [i, j]
        for i in range(len(unit))
        for j in range(i + 1, len(unit))
        if (unit[i] * unit[j]).sum() >= threshold - 1e-12
    ]


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.2, 0.5, 0.9, 1.0]))
def test_pairs_are_those_found_one_by_one(seed, threshold):
    draw = np.random.Generator(np.random.PCG64(seed))
    vectors = draw.integers(-1, 2, (40, 4)).astype(np.float32)
    assert alike_in_text(vectors, threshold).tolist() == one_by_one(vectors, threshold)


def test_blocks_miss_no_pair():
    draw = np.random.Generator(np.random.PCG64(3))
    vectors = draw.standard_normal((2500, 16))
    vectors[2400], vectors[1030] = vectors[5], vectors[1020] * 7
    assert alike_in_text(vectors, 0.97).tolist() == [[5, 2400], [1020, 1030]]


def test_correlations_are_pearsons_and_never_nan():
    scores = np.array([[1, 1, 0, 1, 1, 0], [0, 1, 0, 0, 1, 1], [1, 1, 0, 1, 1, 0], [0, 1, 0, 1, 1, 1]], np.float64)
    pairs = np.array([[0, 3], [0, 5], [1, 4], [1, 2], [0, 1]])
    found = correlations(scores, pairs)
    assert found.tolist() == pytest.approx([np.corrcoef(scores[:, 0], scores[:, 3])[0, 1], -1.0, 1.0, 0.0, 0.0])
    order = [2, 0, 3, 1]
    assert correlations(scores[order], pairs).tolist() == pytest.approx(found.tolist(), abs=1e-15)


def test_only_kept_items_remove_others():
    chain = np.array([[0, 1], [1, 2]])  # 0 is like 1, 1 is like 2, 0 is not like 2
    same = np.ones(2)
    assert keepers(3, chain, same, np.array([0, 1, 2]), 0.9).tolist() == [0, 0, 2]
    assert keepers(3, chain, same, np.array([1, 0, 2]), 0.9).tolist() == [1, 1, 1]
    assert keepers(3, chain, np.array([1.0, 0.5]), np.array([1, 0, 2]), 0.9).tolist() == [1, 1, 2]


def by_hand(items, like, priority):
    """Items by priority, each against those kept before it."""
    kept, found = [], list(range(items))
    for item in priority:
        better = [other for other in kept if (min(item, other), max(item, other)) in like]
        if better:
            found[item] = better[0]
        else:
            kept.append(item)
    return found


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 0.5))
def test_keepers_are_those_found_by_hand(seed, density):
    draw = np.random.Generator(np.random.PCG64(seed))
    pairs = np.array([[i, j] for i in range(15) for j in range(i + 1, 15) if draw.random() < density]).reshape(-1, 2)
    correlation, priority = draw.random(len(pairs)), draw.permutation(15)
    like = {tuple(pair) for pair, r in zip(pairs.tolist(), correlation, strict=True) if r >= 0.5}
    assert keepers(15, pairs, correlation, priority, 0.5).tolist() == by_hand(15, like, priority.tolist())


def test_a_threshold_is_above_0():
    with pytest.raises(ConfigError, match="cosine above 0"):
        alike_in_text(np.ones((2, 2)), 0.0)
