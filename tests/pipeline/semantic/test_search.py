import math
import pickle

import numpy as np
import pyarrow as pa

from tamis.hashing.hyperplanes import hyperplanes
from tamis.pipeline.semantic.matrix import VECTORS, Matrix, WriteMatrix, unit_vectors
from tamis.pipeline.semantic.search import RANGES, AllBefore, BandKeys, Cosines


def matrix_of(folder, vectors, least, rows=None):
    matrix = Matrix(str(folder), vectors.shape[1])
    units = unit_vectors(vectors)
    table = {"row": range(len(units)) if rows is None else rows, "least": least, "cut": [0] * len(units)}
    table["vector"] = [row.tobytes() for row in units]
    list(WriteMatrix(matrix)(iter([pa.RecordBatch.from_pydict(table, VECTORS)])))
    return matrix, units.astype(np.float64)


def ranges(*cuts):
    return pa.RecordBatch.from_pylist([{"first": a, "stop": b} for a, b in cuts], RANGES)


def clusters(seed, n, d=12):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((4, d))
    return (centres[rng.integers(0, 4, n)] + 0.25 * rng.standard_normal((n, d))).astype(np.float32)


def test_all_before_and_how_ranges_are_cut(tmp_path):
    rows = [2 * i + 10 for i in range(60)]
    least = [0.97 if i % 3 else 0.9 for i in range(60)]
    matrix, units = matrix_of(tmp_path, clusters(1, 60), least, rows)
    pairs, capped = [], []
    for i in range(20, 60):
        mine = [(rows[i], rows[j]) for j in range(i) if units[i] @ units[j] >= max(least[i], least[j])]
        pairs += mine[:3]
        capped += [(rows[i], rows[i])] if len(mine) > 3 else []
    assert len(pairs) > 40
    assert len(capped) > 5
    search = pickle.loads(pickle.dumps(AllBefore(matrix, 3)))
    for cuts in ([(20, 60)], [(20, 21), (21, 50), (50, 60)]):
        found = search(ranges(*cuts)).to_pylist()
        assert {(row["worse"], row["better"]) for row in found} == {*pairs, *capped}
        assert len(found) == len(pairs) + len(capped)
        assert all((row["similarity"] is None) == (row["worse"] == row["better"]) for row in found)


def test_cosines_of_proposed_pairs(tmp_path):
    matrix, _ = matrix_of(tmp_path, np.array([[1, 0], [4, 3], [0, 1]], np.float32), [0.5, 0.7, 0.6], [4, 6, 9])
    proposed = pa.RecordBatch.from_pydict({"worse": [6, 9, 9], "better": [4, 4, 6]})
    found = Cosines(matrix)(proposed).to_pylist()
    assert [(row["worse"], row["better"]) for row in found] == [(6, 4)]
    assert math.isclose(found[0]["similarity"], 0.8, rel_tol=1e-7)


def test_keys_are_the_signs_of_bands(tmp_path):
    vectors = clusters(2, 9)
    vectors[4] = 0.0
    rows = [3 * i for i in range(9)]
    matrix, units = matrix_of(tmp_path, vectors, [0.9] * 9, rows)
    keys = BandKeys(matrix, bands=3, width=5, seed=7)
    weights = hyperplanes(12, 15, 7).weights.astype(np.float64)
    expected = {}
    for i in range(9):
        if i != 4:
            signs = [int(units[i] @ weights[:, bit] >= 0) for bit in range(15)]
            bands = [sum(signs[5 * band + bit] << bit for bit in range(5)) for band in range(3)]
            expected[rows[i]] = [(band << 56) + key for band, key in enumerate(bands)]
    found = [row for part in ((0, 4), (4, 9)) for row in keys(ranges(part)).to_pylist()]
    assert {row["address"]: np.frombuffer(row["bands"], np.int64).tolist() for row in found} == expected
