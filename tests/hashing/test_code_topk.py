"""The best rows of buckets against all rows in plain Python."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.band_index import band_index
from tamis.hashing.code_topk import ALL, Coded, nearest_in_buckets
from tamis.hashing.codes import band_keys
from tamis.hashing.probes import flips_by_place

FEW = st.floats(-2, 2, width=16)


def coded(data, n, words, dim):
    codes = data.draw(arrays(np.uint64, (n, words), elements=st.one_of(st.integers(0, 15), st.integers(0, 2**64 - 1))))
    return Coded(codes, data.draw(arrays(np.float32, (n, dim), elements=FEW)))


def score(one, q, other, row, bits):
    if not one.vectors.shape[1]:
        pairs = zip(one.codes[q].tolist(), other.codes[row].tolist(), strict=True)
        return 1.0 - sum((a ^ b).bit_count() for a, b in pairs) / bits
    total = 0.0
    for a, b in zip(one.vectors[q].tolist(), other.vectors[row].tolist(), strict=True):
        total += a * b
    return total


def best(queries, searched, bands, width, flips, bits, k, own, max_bucket):
    """Return (row, score) of all rows that share a bucket that is used, sorted."""
    asking, keys = (band_keys(some.codes, bands, width).tolist() for some in (queries, searched))
    found = []
    for q, mine in enumerate(asking):
        some = []
        for row in range(len(keys)):
            shared = False
            for band in range(bands):
                size = sum(other[band] == keys[row][band] for other in keys)
                looked = [mine[band], *(mine[band] ^ int(flip) for flip in flips[q, band])]
                shared |= size <= max_bucket and keys[row][band] in looked
            if shared and not (own >= 0 and row == own + q):
                some.append((-score(queries, q, searched, row, bits), row))
        some = sorted(some) if k == ALL else sorted(some)[:k]
        found.append([(row, -negative) for negative, row in some])
    return found


def listed(found):
    rows, scores = found.rows.tolist(), found.scores.tolist()
    bounds = found.bounds.tolist()
    return [list(zip(rows[a:b], scores[a:b], strict=True)) for a, b in zip(bounds, bounds[1:], strict=False)]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.sampled_from([ALL, 1, 2, 3, 30]), st.sampled_from([2, 4, 8, 24]), st.integers(0, 3), st.booleans(), st.data())
def test_the_best_are_found(k, width, probes, dirty, data):
    words, dim = data.draw(st.integers(1, 2)), data.draw(st.sampled_from([0, 0, 3]))
    searched = coded(data, data.draw(st.integers(0, 20)), words, dim)
    queries = searched if dirty else coded(data, data.draw(st.integers(0, 5)), words, dim)
    bands = data.draw(st.integers(1, 2))
    first = data.draw(st.integers(0, len(queries.codes)))
    part, own, bits = queries.part(first, len(queries.codes)), first if dirty else -1, 64 * words
    flips = np.tile(flips_by_place(width, probes), (len(part.codes), bands, 1))
    index = band_index(searched.codes, bands, width, data.draw(st.integers(1, 8)))
    found = nearest_in_buckets(part, band_keys(part.codes, bands, width), flips, searched, index, bits, k, own)
    expected = best(part, searched, bands, width, flips, bits, k, own, index.max_bucket)
    assert listed(found) == expected


def test_many_of_equal_scores():
    """Of a thousand rows with few distances the order is (score, row), however many are kept."""
    codes = np.random.default_rng(2).integers(0, 16, (1000, 1), dtype=np.uint64)
    codes |= np.uint64(0xAB00)
    searched = Coded(codes, np.empty((1000, 0), np.float32))
    index = band_index(codes >> np.uint64(8), 1, 8, 1000)
    keys, flips = np.full((1, 1), 0xAB, np.uint64), np.empty((1, 1, 0), np.uint64)
    distances = [(int(code) ^ int(codes[5, 0])).bit_count() for code in codes[:, 0]]
    expected = sorted((i for i in range(1000) if i != 5), key=lambda i: (distances[i], i))
    for k in (1, 7, 100, 999, 1000, ALL):
        found = nearest_in_buckets(searched.part(5, 6), keys, flips, searched, index, 16, k, 5)
        assert found.rows.tolist() == (expected if k == ALL else expected[:k])
        assert found.scores.tolist() == [1.0 - distances[i] / 16 for i in found.rows]


def test_products_are_added_in_order():
    """1e8 + 1 - 1e8 is 1 in float64 and 0 in float32; another order of the tiny ones gives other last bits."""
    vectors = np.array([[1e4, 1.0, 1e4, 1e-9], [1e4, 1.0, -1e4, 1e-9]], np.float32)
    searched = Coded(np.zeros((2, 1), np.uint64), vectors)
    index = band_index(searched.codes, 1, 8, 9)
    keys, flips = np.zeros((1, 1), np.uint64), np.empty((1, 1, 0), np.uint64)
    found = nearest_in_buckets(searched.part(0, 1), keys, flips, searched, index, 64, 1, 0)
    tiny = float(np.float32(1e-9))
    assert found.scores.tolist() == [1e8 + 1.0 - 1e8 + tiny * tiny]
    assert found.scores[0] == pytest.approx(1.0)
