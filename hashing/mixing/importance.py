"""Importance resampling of texts by hashed n-grams (DSIR: Xie et al., NeurIPS 2023, arXiv 2302.03169).

A text weighs as much more as its words and pairs of words are more frequent in a target than in the whole. A sample
without replacement is the texts with the largest log weight plus Gumbel noise; the noise of a text is a keyed hash of
what it says, so it does not matter in which order, or in how many parts, texts come.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, InputError
from ..shingles import WORD, shingle_sequences
from ..unicode_table import words_v1
from .checks import in_range, normalised

BUCKETS = 10_000
SMOOTHING = 1e-8

_32 = np.uint64(32)
_12 = np.uint64(12)


def ngram_buckets(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], *, buckets: int = BUCKETS
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the bucket of each word and each pair of neighbouring words of each text.

    Args:
        data: uint8, UTF-8 of all texts; bytes that are not end their text.
        offsets: int64, shape (n + 1,): text i is ``data[offsets[i]:offsets[i + 1]]``.
        buckets: how many, up to 2^31.

    Returns:
        (int64 buckets, the words of a text and then its pairs; int64 offsets into them, shape (n + 1,)).

    Raises:
        ConfigError: there are no buckets, or too many.
    """
    in_range("buckets", buckets, 1, 2**31)
    words, word_bounds = shingle_sequences(data, offsets, WORD, 1, words_v1())
    pairs, pair_bounds = shingle_sequences(data, offsets, WORD, 2, words_v1())
    counts = np.diff(word_bounds)
    paired = np.maximum(counts - 1, 0)  # a single word is no pair, though it is a shingle
    bounds = np.concatenate([[0], np.cumsum(counts + paired)]).astype(np.int64)
    found = np.empty(bounds[-1], np.uint64)
    found[_places(bounds[:-1], counts)] = words
    found[_places(bounds[:-1] + counts, paired)] = pairs[_places(pair_bounds[:-1], paired)]
    return np.asarray(((found >> _32) * np.uint64(buckets)) >> _32, np.int64), bounds


def _places(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return starts[i], starts[i] + 1, ... of each i, ``counts[i]`` of them."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(int(counts.sum()))


def log_ratios(target: ArrayLike, whole: ArrayLike, *, smoothing: float = SMOOTHING) -> NDArray[np.float64]:
    """Return the log of how much more frequent each bucket is in the target: float64, shape (buckets,).

    Args:
        target, whole: shape (buckets,): counts.
        smoothing: added to each share.

    Raises:
        InputError: counts are negative, all 0, or not of the same buckets.
        ConfigError: smoothing is not above 0.
    """
    in_range("smoothing", smoothing, 1e-300, 1.0)
    wanted, held = normalised(target, "the target"), normalised(whole, "the whole")
    if len(wanted) != len(held):
        raise InputError(
            "target and whole have the same buckets", value=f"{len(wanted)} and {len(held)}", remedy="Count anew."
        )
    return np.asarray(np.log(wanted + smoothing) - np.log(held + smoothing), np.float64)


def log_weights(
    buckets: NDArray[np.int64], bounds: NDArray[np.int64], ratios: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the log importance of each text: the sum over its n-grams, 0 without any. float64, shape (n,).

    Args:
        buckets, bounds: as ``ngram_buckets`` returns them.
        ratios: float64, shape (buckets,): as ``log_ratios`` returns them.
    """
    sums = np.zeros(len(bounds) - 1)
    some = np.flatnonzero(np.diff(bounds))
    if len(some):
        sums[some] = np.add.reduceat(ratios[buckets], bounds[some])
    return sums


def gumbel_keys(weights: NDArray[np.float64], numbers: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return log weights plus Gumbel noise: the largest k are a sample without replacement. float64, shape (n,).

    Args:
        weights: float64, shape (n,): log weights.
        numbers: uint64, shape (n,): uniform, as ``bagging.draws`` makes them of the hashes of texts.
    """
    between = ((numbers >> _12).astype(np.float64) + 0.5) * 2.0**-52  # never 0 nor 1
    return np.asarray(weights - np.log(-np.log(between)), np.float64)


def resampled(keys: NDArray[np.float64], ids: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return the places of the k largest keys, the largest first; of equal keys the lower id comes first.

    A larger k begins with the same places.

    Args:
        keys: float64, shape (n,).
        ids: int64, shape (n,), all different.
        k: how many.

    Raises:
        ConfigError: there are fewer texts.
        InputError: a key is no number.
    """
    if not 0 <= k <= len(keys):
        raise ConfigError(
            "a sample has no more texts than there are", value=f"{k} of {len(keys)}", remedy="Ask for less."
        )
    if np.isnan(keys).any():
        raise InputError("keys are numbers", value="NaN", remedy="Mend the weights.")
    return np.asarray(np.lexsort((ids, -keys))[:k], np.int64)
