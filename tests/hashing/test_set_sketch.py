import numpy as np
import pytest

from tamis.hashing.set_sketch import keys_of_sets
from tamis.hashing.sketch import sketch_plan

from . import oracle


def sets_of(sizes):
    rng = np.random.Generator(np.random.PCG64(3))
    rows = [np.sort(rng.integers(0, 1 << 64, size, np.uint64)) for size in sizes]
    return rows, np.concatenate(rows), np.cumsum([0, *sizes])


@pytest.mark.parametrize("kind", ["fss", "oph", "minhash"])
def test_keys_are_those_of_the_definition(kind):
    rows, values, bounds = sets_of([1, 0, 5, 40, 2])
    plan = sketch_plan(kind, values=16, seed=7)
    sign = {"fss": oracle.fss_signature, "oph": oracle.oph_signature, "minhash": oracle.minhash_signature}[kind]
    found = keys_of_sets(values, bounds, plan, 5, 3, np.uint64(11))
    for i, row in enumerate(rows):
        if len(row):
            signature = sign(row.tolist(), 16, 7)
            assert found[i].tolist() == oracle.band_keys([int(v) for v in signature], 5, 3, 11)


def test_golden_keys():
    plan = sketch_plan("fss", values=4, seed=0)
    found = keys_of_sets(np.array([1, 2, 3], np.uint64), np.array([0, 3]), plan, 2, 2, np.uint64(0))
    assert found.tolist() == [[9305361915960080042, 12554696522766214139]]
