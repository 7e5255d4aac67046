from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import EngineError
from tamis.jobs.bucketed import Buckets


def packed(rows):
    """Return a batch of (row, values) for a mapping of row to its values."""
    cells = [None if values is None else np.array(values, "<i8").tobytes() for values in rows.values()]
    return pa.record_batch({"row": pa.array(list(rows), pa.int64()), "values": pa.array(cells, pa.binary())})


def bucketed(rows, most, size=50):
    names = list(rows)
    batches = [packed({name: rows[name] for name in names[i : i + size]}) for i in range(0, len(names), size)]
    return Buckets.of(lambda work: map(work, batches), ["values", "row"], most)


@pytest.mark.parametrize("most", [1_000, 1_000_000])
def test_all_that_occurs_twice_is_found_sorted(most):
    generator = np.random.Generator(np.random.PCG64(5))
    pool = generator.integers(-(2**63), 2**63 - 1, 700)
    rows = {int(row): generator.choice(pool, 5).tolist() for row in generator.permutation(190)}
    rows |= {1000: None, 1001: [], 1002: [-(2**63)] * 2, 1003: [2**63 - 1]}
    buckets = bucketed(rows, most)
    found = []
    for bucket in range(len(buckets)):
        values, of = buckets.repeated(bucket)
        found += list(zip(values.tolist(), of.tolist(), strict=True))
    every = sorted((value, row) for row, values in rows.items() for value in values or [])
    counts = Counter(value for value, _ in every)
    assert found == sorted(found)
    assert [pair for pair in found if counts[pair[0]] > 1] == [pair for pair in every if counts[pair[0]] > 1]
    assert set(found) <= set(every)
    assert len(found) < len([pair for pair in every if counts[pair[0]] > 1]) + 20  # few others


def test_more_values_than_said_are_an_error():
    with pytest.raises(EngineError, match="no more bytes than it says"):
        bucketed({1: [1, 2], 2: [3]}, 2)


def test_nothing():
    values, rows = bucketed({}, 0).repeated(1)
    assert (values.tolist(), rows.tolist()) == ([], [])
