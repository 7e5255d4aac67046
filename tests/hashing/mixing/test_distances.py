"""Distances of histograms, against formulas over single numbers."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.checks import as_histograms
from tamis.hashing.mixing.distances import DISTANCES, pairwise, to_mix, to_one


def plain(p, q, kind):
    if kind == "hellinger":
        return math.sqrt(max(0.0, 1 - sum(math.sqrt(a * b) for a, b in zip(p, q, strict=True))))
    if kind == "root-js":
        total = 0.0
        for a, b in zip(p, q, strict=True):
            middle = (a + b) / 2
            total += (a * math.log2(a / middle) if a else 0) / 2 + (b * math.log2(b / middle) if b else 0) / 2
        return math.sqrt(max(total, 0.0))
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True)))


def test_golden_distances():
    shares = as_histograms([[4, 3, 2, 1], [1, 2, 3, 4]])
    found = {kind: pairwise(shares, kind)[0, 1] for kind in ("l2", "hellinger", "root-js")}
    assert found == pytest.approx({"l2": 0.447214, "hellinger": 0.331816, "root-js": 0.391868}, abs=1e-6)


@pytest.mark.parametrize("buckets", [2, 8, 4096])
def test_disjoint_histograms_are_1_apart_whatever_buckets_there_are(buckets):
    halves = np.zeros((2, buckets))
    halves[0, : buckets // 2] = halves[1, buckets // 2 :] = 1
    shares = as_histograms(halves)
    assert pairwise(shares, "hellinger")[0, 1] == pytest.approx(1, abs=1e-12)
    assert pairwise(shares, "root-js")[0, 1] == pytest.approx(1, abs=1e-12)
    assert pairwise(shares, "l2")[0, 1] == pytest.approx(2 / math.sqrt(buckets), abs=1e-12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any), min_size=1, max_size=5))
def test_distances_are_their_formulas(rows):
    shares = as_histograms(rows)
    for kind in ("hellinger", "root-js", "l2"):
        found = pairwise(shares, kind)
        expected = [[plain(p, q, kind) if i != j else 0 for j, q in enumerate(shares)] for i, p in enumerate(shares)]
        np.testing.assert_allclose(found, expected, atol=3e-8)  # the root of a rounding error is about that
        np.testing.assert_array_equal(found, found.T)
        weights = np.full(len(shares), 1 / len(shares))
        mix = shares.mean(axis=0)
        np.testing.assert_allclose(to_mix(shares, weights, kind), [plain(p, mix, kind) for p in shares], atol=3e-8)


def test_sampling_adds_what_the_correction_takes_off():
    rng = np.random.Generator(np.random.PCG64(7))
    p = rng.dirichlet(np.ones(64))
    draws = np.array([1000, 100])
    raw, corrected, mixed = [], [], []
    weights = np.array([0.5, 0.5])
    for _ in range(600):
        counts = np.array([rng.multinomial(n, p) for n in draws])
        shares = as_histograms(counts)
        raw.append(pairwise(shares, "l2")[0, 1] ** 2)
        own = (1 - (shares**2).sum(axis=1)) / (draws - 1)
        corrected.append(raw[-1] - own.sum())
        mixed.append((to_one(shares, weights @ shares, "l2") ** 2)[1] - (weights**2 * own).sum())
    expected = ((1 - (p * p).sum()) / draws).sum()
    assert np.mean(raw) == pytest.approx(expected, rel=0.03)
    assert abs(np.mean(corrected)) < 0.03 * expected
    assert abs(np.mean(mixed)) < 0.03 * expected


def test_the_correction_is_cut_at_0():
    shares = as_histograms([[5, 5], [6, 4], [10, 0]])
    assert pairwise(shares, "l2-corrected", [10, 10, 10])[0, 1] == 0.0
    # squared: 0.5 - (1 - 0.5) / 9 - 0
    assert pairwise(shares, "l2-corrected", [10, 10, 10])[0, 2] == pytest.approx(math.sqrt(0.5 - 0.5 / 9), abs=1e-12)
    alone = np.array([1.0, 0.0, 0.0])
    assert to_mix(shares, alone, "l2-corrected", [10, 10, 10])[0] == 0.0


def test_what_is_no_distance_is_refused():
    shares = as_histograms([[1, 0], [0, 1]])
    with pytest.raises(ConfigError, match="`distance` is one of hellinger, root-js, l2, l2-corrected; found 'cosine'"):
        pairwise(shares, "cosine")
    with pytest.raises(InputError, match="how many draws"):
        pairwise(shares, "l2-corrected")
    with pytest.raises(InputError, match="needs two draws"):
        pairwise(shares, "l2-corrected", [1, 5])
    assert "cosine" not in DISTANCES


@pytest.mark.parametrize(
    ("loads", "message"),
    [
        ([], "a row of numbers for each source"),
        ([1, 2, 3], "a row of numbers for each source"),
        ([[1, 2], [1, 2, 3]], r"equally long; found lengths \[2, 3\]"),
        ([[1, 2], [0, 0]], "not all 0; found source 1"),
        ([[1, -2]], "-2.0 in place 1"),
        ([[1, float("nan")]], "nan in place 1"),
        ([[1, float("inf")]], "inf in place 1"),
    ],
)
def test_loads_that_are_none_are_refused(loads, message):
    with pytest.raises(InputError, match=message):
        as_histograms(loads)
