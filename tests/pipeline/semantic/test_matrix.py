import pickle

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError
from tamis.pipeline.semantic.matrix import SUMMARY, VECTORS, Matrix, WriteMatrix, unit_vectors


def batch(rows, vectors, least, cut):
    packed = [np.asarray(vector, np.float32).tobytes() for vector in vectors]
    return pa.RecordBatch.from_pydict({"row": rows, "least": least, "cut": cut, "vector": packed}, VECTORS)


def write(folder):
    matrix = Matrix(str(folder), 2)
    batches = [batch([3, 5], [[1, 0], [0, 0]], [0.9, 0.5], [0, 1]), batch([8], [[0.6, 0.8]], [0.9], [1])]
    return matrix, list(WriteMatrix(matrix)(iter(batches)))


def test_what_is_written_is_read(tmp_path):
    matrix, (summary,) = write(tmp_path / "vectors")
    assert summary.schema.equals(SUMMARY)
    assert summary.to_pylist() == [{"rows": 3, "cut": 2, "empty": 1}]
    for again in (matrix, pickle.loads(pickle.dumps(matrix))):
        vectors, rows, least = again.opened
        assert vectors.vectors.tolist() == np.array([[1, 0], [0, 0], [0.6, 0.8]], np.float32).tolist()
        assert vectors.squares.tolist() == [1.0, 0.0, 1.0000000476837165]
        assert rows.tolist() == [3, 5, 8]
        assert least.tolist() == [0.9, 0.5, 0.9]
        assert again.places(np.array([8, 3])).tolist() == [2, 0]


def test_written_again_it_is_the_same(tmp_path):
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert sorted(before) == ["least.f64", "rows.i64", "squares.f64", "vectors.f32"]


def test_no_vectors(tmp_path):
    matrix = Matrix(str(tmp_path), 4)
    assert [part.to_pylist() for part in WriteMatrix(matrix)(iter([]))] == [[{"rows": 0, "cut": 0, "empty": 0}]]
    assert matrix.opened.vectors.vectors.shape == (0, 4)
    assert matrix.opened.rows.tolist() == []


def test_files_that_do_not_fit(tmp_path):
    matrix, _ = write(tmp_path)
    (tmp_path / "rows.i64").write_bytes(np.arange(2).tobytes())
    with pytest.raises(ArtefactError, match="3, 3, 2, 3"):
        _ = Matrix(matrix.folder, 2).opened


def test_unit_vectors():
    vectors = np.array([[3, 4], [0, 0], [1e-20, 0], [1e15, 1e15]], np.float32)
    expected = np.array([[0.6, 0.8], [0, 0], [1, 0], [0.5**0.5, 0.5**0.5]], np.float32)
    assert unit_vectors(vectors).tolist() == expected.tolist()
