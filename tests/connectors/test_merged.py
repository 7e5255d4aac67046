"""Many small inputs in one go."""

import pyarrow as pa
import pytest

from tamis.connectors import merged as module
from tamis.connectors.merged import merged, runs
from tamis.connectors.split import Split
from tamis.hashing.errors import InputError


def numbers(*values):
    return pa.record_batch({"n": pa.array(values, pa.int64())})


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], []),
        ([5], [[0]]),
        ([5, 5, 5, 5], [[0, 1], [2, 3]]),
        ([50, 1, 1, 50, 1], [[0], [1, 2], [3], [4]]),
        ([0, 0, 0, 0, 0, 0], [[0, 1, 2, 3], [4, 5]]),
    ],
)
def test_runs_are_consecutive_and_small(monkeypatch, sizes, expected):
    monkeypatch.setattr(module, "MERGED_BYTES", 10)
    monkeypatch.setattr(module, "_SPLITS_AT_ONCE", 4)
    splits = [Split(i, "a", "jsonl", size_bytes=size) for i, size in enumerate(sizes)]
    assert [[split.file for split in run] for run in runs(splits)] == expected


@pytest.mark.parametrize(
    ("rows", "expected"), [(None, [[1, 2, 3], [4, 5, 6, 7], [8]]), (2, [[1, 2], [3], [4, 5, 6, 7], [8]])]
)
def test_batches_are_merged_up_to_a_size(monkeypatch, rows, expected):
    monkeypatch.setattr(module, "MERGED_BYTES", 24)
    batches = [numbers(1), numbers(), numbers(2), numbers(3), numbers(4, 5, 6, 7), numbers(8)]
    assert [batch["n"].to_pylist() for batch in merged(iter(batches), rows)] == expected


def test_what_was_read_comes_before_the_error():
    def reading():
        yield numbers(1)
        yield numbers(2)
        raise InputError("an input can be read", value="b", remedy="Mend it.")

    batches = merged(reading())
    assert next(batches)["n"].to_pylist() == [1, 2]
    with pytest.raises(InputError):
        next(batches)


def test_places_in_a_dictionary_are_left_alone():
    kind = pa.dictionary(pa.int8(), pa.string())
    batches = [pa.record_batch({"d": pa.array([str(i) for i in part], kind)}) for part in (range(100), range(100, 200))]
    assert [batch.num_rows for batch in merged(iter(batches))] == [100, 100]
