"""Redundancy between sources, against counting all shingles."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.overlap import effective_unique, sample_by_source, sample_shingles, shared_mass


def sampled(values, one_in=1):
    return sample_shingles(np.array(values, np.uint64), one_in=one_in)


def test_golden_redundancy():
    samples = [sampled([1, 1, 2, 3]), sampled([3, 4]), sampled([1, 2, 3])]
    expected = [[1, 0.25, 1], [0.5, 1, 0.5], [1, 1 / 3, 1]]
    np.testing.assert_allclose(shared_mass(samples), expected, atol=1e-15)
    # the first and the last have the same shingles, and are one that has 1 and 2 alone and shares 3
    new = [40 * (1 + 1 + 1 / 2) / 2 / 4, 20 * (1 / 2 + 1) / 2, 30 * (1 + 1 + 1 / 2) / 2 / 3]
    assert effective_unique(samples, [40, 20, 30]).tolist() == pytest.approx(new, abs=1e-12)
    assert new == [12.5, 15.0, 12.5]
    others = [sampled([1, 2, 3]), sampled([3, 4]), sampled([1, 3])]
    assert effective_unique(others, [30, 20, 20]).tolist() == pytest.approx([55 / 3, 40 / 3, 25 / 3], abs=1e-12)


def test_repeats_within_a_source_count_nothing():
    assert effective_unique([sampled([7, 7, 7, 7])], [100]).tolist() == [25.0]
    assert effective_unique([sampled([5, 6, 7, 8])], [100]).tolist() == [100.0]


def test_two_copies_have_what_one_has():
    a, b = sampled([1, 2, 3, 3, 9]), sampled([9, 10])
    alone = effective_unique([a, b], [50, 20])
    together = effective_unique([a, a, b], [50, 50, 20])
    assert together[0] == together[1]
    assert together[:2].sum() == pytest.approx(alone[0], abs=1e-12)
    assert together[2] == alone[1]
    repeated = effective_unique([a, a.merge(a), b], [50, 100, 20])  # a copy that has all twice
    assert repeated.tolist() == pytest.approx(together.tolist(), abs=1e-12)


SHINGLES = st.lists(st.integers(0, 30), min_size=1, max_size=30)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(SHINGLES, min_size=1, max_size=4), st.integers(0, 30))
def test_whole_samples_are_counts(sources, cut):
    samples = [sampled(values) for values in sources]
    counts = [Counter(values) for values in sources]
    for one, sample in zip(counts, samples, strict=True):
        assert dict(zip(sample.hashes.tolist(), sample.counts.tolist(), strict=True)) == one
    mass = [[sum(n for s, n in a.items() if s in b) / a.total() for b in counts] for a in counts]
    np.testing.assert_allclose(shared_mass(samples), mass, atol=1e-12)
    tokens = [10.0 * a.total() for a in counts]
    unique = effective_unique(samples, tokens)
    assert unique.sum() == pytest.approx(10 * len(set().union(*counts)), abs=1e-9)  # distinct text of all
    assert (unique <= np.array(tokens) + 1e-9).all()
    merged = sampled(sources[0][:cut]).merge(sampled(sources[0][cut:]))
    assert merged.hashes.tolist() == samples[0].hashes.tolist()
    assert merged.counts.tolist() == samples[0].counts.tolist()


def test_a_sample_estimates_the_whole():
    rng = np.random.Generator(np.random.PCG64(5))
    universe = rng.integers(0, 2**64, 60_000, dtype=np.uint64)
    a, b = universe[:40_000], universe[30_000:]  # a quarter of a is in b, a third of b in a
    mass = shared_mass([sample_shingles(values, one_in=16) for values in (a, b)])
    np.testing.assert_allclose(mass, [[1, 0.25], [1 / 3, 1]], atol=0.03)
    small = shared_mass([sample_shingles(values, one_in=16) for values in (universe, universe[:1000])])
    assert small[1, 0] == 1.0  # a small source within a large one
    np.testing.assert_allclose(small[0, 1], 1 / 60, atol=0.005)


def test_thinning_is_sampling_at_a_lower_rate():
    values = np.random.Generator(np.random.PCG64(5)).integers(0, 2**64, 5000, dtype=np.uint64)
    thin, direct = sample_shingles(values, one_in=4).thinned(64), sample_shingles(values, one_in=64)
    assert thin.hashes.tolist() == direct.hashes.tolist()
    assert thin.one_in == 64
    with pytest.raises(ConfigError, match="`one_in` is 4 to"):
        sample_shingles(values, one_in=4).thinned(2)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ConfigError, match="samples have one rate"):
        shared_mass([sampled([1]), sampled([1], one_in=2)])
    with pytest.raises(ConfigError, match="samples have one rate"):
        sampled([1]).merge(sampled([1], one_in=2))
    with pytest.raises(InputError, match="every source has a sampled shingle; found none in source 1"):
        effective_unique([sampled([1]), sampled([])], [1, 0])
    with pytest.raises(InputError, match="tokens are one for each source"):
        effective_unique([sampled([1])], [1, 2])
    with pytest.raises(InputError, match="a mixture has a source"):
        shared_mass([])
    with pytest.raises(ConfigError):
        sampled([1], one_in=0)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1) | st.integers(0, 9)), max_size=60))
def test_samples_by_source_are_those_of_each(pairs):
    owners = np.array([owner for owner, _ in pairs], np.int64)
    values = np.array([value for _, value in pairs], np.uint64)
    sources, hashes, counts = sample_by_source(values, owners, one_in=2)
    for source in range(4):
        own, expected = sources == source, sample_shingles(values[owners == source], one_in=2)
        assert hashes[own].tolist() == expected.hashes.tolist()
        assert counts[own].tolist() == expected.counts.tolist()
