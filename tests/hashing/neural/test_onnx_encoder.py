"""What needs none of the libraries; the rest is in tests/neural."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.neural import onnx_encoder
from tamis.hashing.neural.onnx_encoder import _batches


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 3, 50, 400, 2000]), max_size=60))
def test_each_text_is_in_one_batch_of_texts_with_as_many_tokens(lengths):
    batches = [rows.tolist() for rows in _batches(np.array(lengths, np.int64))]
    assert sorted(row for rows in batches for row in rows) == [i for i, length in enumerate(lengths) if length]
    for rows in batches:
        (length,) = {lengths[row] for row in rows}
        assert rows == sorted(rows)
        assert len(rows) * length <= onnx_encoder.BATCH_TOKENS or len(rows) == 1
    assert [lengths[rows[0]] for rows in batches] == sorted(lengths[rows[0]] for rows in batches)


def test_batches_are_full(monkeypatch):
    monkeypatch.setattr(onnx_encoder, "BATCH_TOKENS", 10)
    lengths = np.array([3, 5, 3, 3, 3, 11, 5, 0, 3], np.int64)
    assert [rows.tolist() for rows in _batches(lengths)] == [[0, 2, 3], [4, 8], [1, 6], [5]]
