import random

import pyarrow as pa
import pytest

from tamis.jobs.first import first_of_each

ROWS = pa.schema([("key", pa.int64()), ("other", pa.string()), ("value", pa.int64())])
SIZED = pa.schema([*ROWS, pa.field("size", pa.int64())])


def cut(rows, sizes, rng):
    """Batches of random sizes, empty ones too."""
    batches, at = [], 0
    while at < len(rows):
        n = rng.choice(sizes)
        part = [dict(zip(ROWS.names, row, strict=True)) for row in rows[at : at + n]]
        batches.append(pa.RecordBatch.from_pylist(part, schema=ROWS))
        at += n
    return batches


@pytest.mark.parametrize("sizes", [[1], [0, 1, 2], [3, 50], [1000]], ids=str)
@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("at_least", [1, 2, 4])
def test_against_plain_python(sizes, n, at_least):
    rng = random.Random(3)
    rows = sorted((rng.randrange(30), rng.choice("ab"), i) for i in range(150))
    groups = {}
    for row in rows:
        groups.setdefault(row[:2], []).append(row)
    expected = [(*row, len(group)) for group in groups.values() if len(group) >= at_least for row in group[:n]]
    batches = iter(cut(rows, sizes, rng))
    found = first_of_each(batches, ["key", "other"], n=n, at_least=at_least, sized=True, schema=SIZED)
    assert [tuple(row.values()) for batch in found for row in batch.to_pylist()] == expected


def test_without_sizes_the_schema_stays():
    batch = pa.RecordBatch.from_pylist([{"key": 1, "other": "a", "value": 2}], schema=ROWS)
    found = list(first_of_each(iter([batch]), ["key"], n=1, at_least=1, sized=False, schema=ROWS))
    assert [b.to_pylist() for b in found] == [[{"key": 1, "other": "a", "value": 2}]]
