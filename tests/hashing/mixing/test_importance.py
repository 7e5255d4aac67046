"""Importance resampling, against counting by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.bagging import draws
from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.importance import gumbel_keys, log_ratios, log_weights, ngram_buckets, resampled


def packed(texts):
    data = [text.encode() for text in texts]
    return np.frombuffer(b"".join(data) or b"\0", np.uint8), np.cumsum([0, *map(len, data)])


def test_buckets_are_those_of_words_and_pairs():
    buckets, bounds = ngram_buckets(*packed(["the mill the mill", "", "Mill", "... the"]), buckets=2**31)
    the, mill = buckets[0], buckets[1]
    assert buckets[:4].tolist() == [the, mill, the, mill]
    pair, other = buckets[4], buckets[5]
    assert buckets[4:7].tolist() == [pair, other, pair]
    assert len({the, mill, pair, other}) == 4
    assert bounds.tolist() == [0, 7, 7, 8, 9]
    assert buckets[7:].tolist() == [mill, the]  # a single word makes no pair


def test_golden_buckets():
    assert ngram_buckets(*packed(["the quick fox"]))[0].tolist() == [9560, 5881, 526, 8457, 5969]


WORDS = st.lists(st.sampled_from(["a", "b", "mill", "", "flour,", "\n"]), max_size=7).map(" ".join)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), st.integers(1, 5))
def test_a_text_has_its_buckets_whatever_stands_beside_it(texts, cut):
    buckets, bounds = ngram_buckets(*packed(texts), buckets=50)
    ratios = np.linspace(-2, 3, 50)
    weights = log_weights(buckets, bounds, ratios)
    for i, text in enumerate(texts):
        alone, _ = ngram_buckets(*packed([text]), buckets=50)
        assert buckets[bounds[i] : bounds[i + 1]].tolist() == alone.tolist()
        assert weights[i] == pytest.approx(sum(ratios[b] for b in alone), abs=1e-12)
    first, rest = packed(texts[:cut]), packed(texts[cut:])
    parts = [log_weights(*ngram_buckets(*part, buckets=50), ratios) for part in (first, rest)]
    np.testing.assert_array_equal(np.concatenate(parts), weights)


def test_ratios_are_logs_of_shares():
    found = log_ratios([3, 1, 0], [1, 1, 2])
    assert found.tolist() == pytest.approx([np.log(3), 0.0, np.log(1e-8 / 0.5)], abs=1e-7)
    with pytest.raises(InputError, match="same buckets"):
        log_ratios([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="above 0"):
        log_ratios([0, 0], [1, 2])


def test_golden_keys():
    keys = gumbel_keys(np.zeros(3), np.array([0, 2**63, 2**64 - 1], np.uint64))
    assert keys.tolist() == pytest.approx([-3.603778, 0.366513, 36.736801], abs=1e-6)
    assert resampled(keys, np.arange(3), 2).tolist() == [2, 1]


def test_a_sample_does_not_depend_on_order_and_holds_smaller_ones():
    rng = np.random.Generator(np.random.PCG64(3))
    weights, ids = rng.normal(size=300), np.arange(300)
    numbers = draws(ids * 7, ids * 13, seed=5, purpose="importance")
    keys = gumbel_keys(weights, numbers)
    taken = ids[resampled(keys, ids, 40)]
    order = rng.permutation(300)
    assert ids[order][resampled(keys[order], ids[order], 40)].tolist() == taken.tolist()
    assert ids[resampled(keys, ids, 17)].tolist() == taken[:17].tolist()
    assert resampled(np.zeros(3), np.array([9, 7, 8]), 3).tolist() == [1, 2, 0]


def test_chances_are_those_of_the_weights():
    weights = np.log([1.0, 2.0, 5.0])
    ids = np.arange(3)
    first = np.zeros(3)
    for seed in range(4000):
        first[resampled(gumbel_keys(weights, draws(ids, ids, seed=seed, purpose="importance")), ids, 1)[0]] += 1
    np.testing.assert_allclose(first / 4000, [0.125, 0.25, 0.625], atol=0.02)


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="no more texts than there are; found 4 of 3"):
        resampled(np.zeros(3), np.arange(3), 4)
    with pytest.raises(InputError, match="keys are numbers"):
        resampled(np.array([np.nan]), np.arange(1), 1)
    with pytest.raises(ConfigError, match="`buckets` is 1 to"):
        ngram_buckets(*packed(["a"]), buckets=0)
