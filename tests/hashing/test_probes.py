"""Probes against all sets of bits, sorted."""

from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.errors import ConfigError
from tamis.hashing.probes import flip_order, flips_by_place


def all_flips(values):
    """Return all sets of bits of a band in the order that is promised."""
    order = sorted(range(len(values)), key=lambda i: (abs(float(values[i])), i))
    sets = []
    for size in range(1, len(values) + 1):
        for chosen in combinations(range(len(values)), size):
            total = 0.0
            for rank in chosen:
                total += abs(float(values[order[rank]]))
            sets.append((total, sum(1 << rank for rank in chosen), sum(1 << order[rank] for rank in chosen)))
    return [flips for _, _, flips in sorted(sets)]


MARGINS = st.one_of(st.floats(-2, 2, width=32), st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, np.inf, 2.0**-149]))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(1, 3), st.integers(1, 8), st.integers(0, 300), st.data())
def test_the_likeliest_come_first(bands, width, probes, data):
    values = data.draw(arrays(np.float32, (2, bands * width + 1), elements=MARGINS))
    found = flip_order(values, bands, width, probes)
    assert found.shape == (2, bands, min(probes, 2**width - 1))
    for query in range(2):
        for band in range(bands):
            expected = all_flips(values[query, band * width : (band + 1) * width])
            assert found[query, band].tolist() == expected[:probes]


def test_golden_flips():
    values = np.array([[0.5, -0.25, 1.0, 0.25]], np.float32)
    assert flip_order(values, 1, 4, 99).tolist() == [[[2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]]]
    assert flip_order(values, 2, 2, 9).tolist() == [[[2, 1, 3], [2, 1, 3]]]
    assert flip_order(np.zeros((0, 4), np.float32), 2, 2, 1).shape == (0, 2, 1)


def test_without_values_fewer_flips_come_first():
    assert flips_by_place(4, 99).tolist() == [1, 2, 4, 8, 3, 5, 6, 9, 10, 12, 7, 11, 13, 14, 15]
    assert flips_by_place(64, 66).tolist() == [1 << i for i in range(64)] + [0b11, 0b101]
    assert flips_by_place(8, 0).tolist() == []


def test_wide_bands_are_in_ascending_order():
    values = np.random.default_rng(3).standard_normal((3, 64)).astype(np.float32)
    for query, flips in enumerate(flip_order(values, 1, 64, 500)[:, 0].tolist()):
        sums = [sum(abs(float(values[query, i])) for i in range(64) if flip >> i & 1) for flip in flips]
        assert sums == pytest.approx(sorted(sums))
        assert len(set(flips)) == 500
        assert flips[0] == 1 << int(np.abs(values[query]).argmin())


def test_probes_that_cannot_be():
    with pytest.raises(ConfigError, match="0 or more buckets"):
        flips_by_place(4, -1)
    with pytest.raises(ConfigError, match="2 bands of 3 bits"):
        flip_order(np.zeros((1, 5), np.float32), 2, 3, 1)
