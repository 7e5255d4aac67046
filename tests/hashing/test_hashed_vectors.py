"""Hashed vectors against sums over sets of n-grams."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.hashing.shingles import CHAR, shingle_sets
from tamis.hashing.unicode_table import words_v1

from . import oracle


def vectors(texts, **options):
    return hashed_vectors(*oracle.packed(texts), **options)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(st.text("abÉ中 .", max_size=20), max_size=6), st.sampled_from([1, 8, 256]), st.integers(1, 6))
def test_vectors_are_sums_of_signs(texts, dimensions, ngram):
    values, bounds = shingle_sets(*oracle.packed(texts), CHAR, ngram, words_v1())
    expected = []
    for low, high in zip(bounds, bounds[1:], strict=False):
        sums = [0] * dimensions
        for value in values[low:high].tolist():
            sums[value % dimensions] += -1 if value >> 63 else 1
        length = sum(x * x for x in sums) ** 0.5
        expected.append([np.float32(x / length) if length else 0.0 for x in sums])
    assert vectors(texts, dimensions=dimensions, ngram=ngram).tolist() == expected


def test_case_and_what_stands_between_words_do_not_matter():
    one, other, third = vectors(["The Tamis sifts, flour!", "the tamis sifts flour", "the tamis sifts flower"])
    assert one.tolist() == other.tolist()
    assert 0.5 < float(one @ third) < 0.95


def test_a_text_without_words_is_zeros():
    assert not vectors(["", "?!"]).any()


def test_golden_values():
    (vector,) = vectors(["sift flour"], dimensions=8)
    assert vector.tolist() == GOLDEN


GOLDEN = [-0.5547001957893372, -0.2773500978946686, 0.0, 0.0, 0.0, 0.5547001957893372, 0.0, -0.5547001957893372]


def test_dimensions_are_a_power_of_two():
    for wrong in (0, 3, 1 << 17):
        with pytest.raises(ConfigError, match="power of two"):
            vectors(["a"], dimensions=wrong)
