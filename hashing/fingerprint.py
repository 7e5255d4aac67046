"""One pass over the bytes of many texts: identity, token count, validity and band keys."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bands import band_keys
from .errors import ConfigError
from .kernel import kernel
from .lsh import Banding
from .mix import derive_seed
from .murmur3 import murmur3
from .read_only import read_only
from .sketch import SketchPlan, complete, no_sketch_scratch, partial_sketch


class Fingerprints(NamedTuple):
    """What one pass learns about n texts.

    Attributes:
        hashes: uint64, shape (n, 2): MurmurHash3 x64-128 of the bytes, seed 0.
        tokens: int64, shape (n,): words of the profile, whatever shingles are made of.
        errors: int64, shape (n,): offset in the text of the first byte that is not UTF-8, or -1.
        keys: uint64, shape (n, bands): band keys; zeros for a text without tokens or with an error.
    """

    hashes: NDArray[np.uint64]
    tokens: NDArray[np.int64]
    errors: NDArray[np.int64]
    keys: NDArray[np.uint64]


def band_seed(seed: int) -> np.uint64:
    """Return the seed of the band keys, derived from the seed of the run."""
    return np.uint64(derive_seed(seed, "band"))


def fingerprint(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan, *, banding: Banding | None, seed: int
) -> Fingerprints:
    """Fingerprint the texts ``data[offsets[i]:offsets[i + 1]]``.

    Args:
        data: uint8, the bytes of all texts.
        offsets: int64, shape (n + 1,).
        plan: how they are sketched.
        banding: bands of the signature, or None where no near duplicates are wanted.
        seed: the seed of the run.

    Raises:
        ConfigError: if the bands need more values than a signature has.
    """
    if banding and banding.values > plan.values:
        raise ConfigError(
            "bands use the values of a signature",
            value=f"{banding.bands} x {banding.rows} of {plan.values}",
            remedy="Raise `values` or use fewer bands.",
        )
    bands, rows = (banding.bands, banding.rows) if banding else (0, 0)
    texts = read_only(data), read_only(offsets)
    return Fingerprints(*kernel_of_fingerprint(*texts, plan, bands, rows, band_seed(seed)))


@kernel
def kernel_of_fingerprint(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan, bands: int, rows: int, seed: np.uint64
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]:
    """Return the fields of ``Fingerprints``; ``bands`` is 0 where no keys are wanted."""
    n = len(offsets) - 1
    hashes = np.empty((n, 2), np.uint64)
    counts = np.zeros(n, np.int64)
    errors = np.empty(n, np.int64)
    keys = np.zeros((n, bands), np.uint64)
    scratch = no_sketch_scratch(plan)
    partial = np.empty(plan.values, np.uint64)
    signature = np.empty(bands * rows, np.uint64)
    for i in range(n):
        start, end = offsets[i], offsets[i + 1]
        first, second = murmur3(data, start, end, np.uint64(0))
        hashes[i, 0] = first
        hashes[i, 1] = second
        counts[i], error = partial_sketch(data, start, end, plan, scratch, partial)
        errors[i] = error - start if error >= 0 else -1
        if bands > 0 and error < 0 and counts[i] > 0:
            complete(partial, plan, scratch, signature)
            band_keys(signature, rows, seed, keys[i])
    return hashes, counts, errors, keys
