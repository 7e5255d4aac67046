import numpy as np
import pytest

from tamis.hashing.errors import InputError
from tamis.hashing.projections import Projection, project


def test_values_are_sums_in_order():
    rng = np.random.default_rng(1)
    vectors, weights = (rng.standard_normal(shape).astype(np.float32) for shape in ((4, 7), (7, 3)))
    offsets = rng.standard_normal(3)
    expected = []
    for row in vectors.tolist():
        sums = offsets.tolist()
        for x, some in zip(row, weights.tolist(), strict=True):
            sums = [total + x * w for total, w in zip(sums, some, strict=True)]
        expected.append(np.array(sums).astype(np.float32).tolist())
    assert project(vectors, Projection(weights, offsets)).tolist() == expected


def test_batches_change_nothing():
    rng = np.random.default_rng(2)
    vectors, weights = (rng.standard_normal(shape).astype(np.float32) for shape in ((100, 384), (384, 64)))
    whole = project(vectors, Projection(weights, np.zeros(64)))
    parts = [project(vectors[i : i + 7], Projection(weights, np.zeros(64))) for i in range(0, 100, 7)]
    assert (np.concatenate(parts) == whole).all()
    assert (project(np.asfortranarray(vectors), Projection(np.asfortranarray(weights), np.zeros(64))) == whole).all()
    assert np.allclose(whole, vectors @ weights, atol=1e-4)
    assert project(vectors[:0], Projection(weights, np.zeros(64))).shape == (0, 64)


def test_vectors_of_another_encoder():
    with pytest.raises(InputError, match="have 3 dimensions"):
        project(np.zeros((2, 4), np.float32), Projection(np.zeros((3, 2), np.float32), np.zeros(2)))
