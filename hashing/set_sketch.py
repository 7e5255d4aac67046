"""Signatures and band keys of sets of hashes that are at hand, whatever they are made of."""

import numpy as np
from numpy.typing import NDArray

from .bands import band_keys
from .fss import fss_fill
from .kernel import kernel
from .oph import EMPTY
from .sketch import FSS, SketchPlan, complete, lower, no_sketch_scratch
from .tokens import padded


@kernel
def keys_of_sets(
    values: NDArray[np.uint64], bounds: NDArray[np.int64], plan: SketchPlan, bands: int, rows: int, seed: np.uint64
) -> NDArray[np.uint64]:
    """Return the band keys of sets: uint64, shape (n, bands); those of an empty set mean nothing.

    Args:
        values: uint64, the hashes of one set after another, none twice in a set.
        bounds: int64, shape (n + 1,): set i is ``values[bounds[i]:bounds[i + 1]]``.
        plan: how they are sketched; its values are at least bands times rows.
        bands, rows: of a signature.
        seed: of the keys.
    """
    n, most = len(bounds) - 1, 0
    for i in range(n):
        most = max(most, bounds[i + 1] - bounds[i])
    held, work = np.zeros(padded(most), np.uint64), np.empty(padded(most), np.uint64)
    partial, signature = np.empty(plan.values, np.uint64), np.empty(plan.values, np.uint64)
    scratch = no_sketch_scratch(plan)
    keys = np.zeros((n, bands), np.uint64)
    for i in range(n):
        count = bounds[i + 1] - bounds[i]
        if count == 0:
            continue
        held[:count] = values[bounds[i] : bounds[i + 1]]
        partial[:] = EMPTY
        lower(partial, held, count, plan, work)
        if plan.kind == FSS:
            fss_fill(partial, held, count, plan.seed, work)
        complete(partial, plan, scratch, signature)
        band_keys(signature, rows, seed, keys[i])
    return keys
