from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from tamis.jobs.chunks import decode
from tamis.jobs.spark_lead import HOT, MAIN, OVERFLOW, Deal, Keyed, places_in_key, repeated

ROWS = pa.schema([("key", pa.int64()), ("row", pa.int64())])


@pytest.mark.parametrize("parts", [1, 7, 70_000])
@pytest.mark.parametrize("lead", [1, 3])
def test_dealing_loses_no_row_and_keeps_the_first_of_each_key_together(parts, lead):
    """Any number of partitions, also more than 16 bits count."""
    rng = np.random.default_rng(parts + lead)
    keys = np.concatenate([rng.integers(-50, 50, 600), rng.integers(-(2**62), 2**62, 400)])
    rows = rng.permutation(len(keys))
    batch = pa.RecordBatch.from_arrays([pa.array(keys), pa.array(rows)], schema=ROWS)
    keyed = Keyed("key", ("row",), lead, parts)
    dealt, hot = {MAIN: [], OVERFLOW: []}, set()
    for chunks in Deal(keyed)(iter([batch])):
        for line, chunk in zip(chunks.to_pylist(), chunks.column("chunk"), strict=True):
            for some in decode([chunk], ROWS if line["key"] != HOT else ROWS.remove(1)):
                values = some.to_pydict()
                if line["key"] == HOT:
                    hot |= set(values["key"])
                    continue
                dealt[line["key"]] += zip(values["key"], values["row"], strict=True)
                if line["key"] == MAIN:
                    assert set(keyed.part_of(np.array(values["key"], np.int64)).tolist()) == {line["part"]}
    every = list(zip(keys.tolist(), rows.tolist(), strict=True))
    assert Counter(dealt[MAIN] + dealt[OVERFLOW]) == Counter(every)
    by_key = {key: sorted(row for k, row in every if k == key) for key in set(keys.tolist())}
    assert sorted(dealt[MAIN]) == sorted((key, row) for key, some in by_key.items() for row in some[:lead])
    assert hot == {key for key, some in by_key.items() if len(some) > lead}


def test_places_in_key():
    assert places_in_key(np.array([4, 4, 4, 7, 9, 9])).tolist() == [0, 1, 2, 0, 0, 1]
    assert places_in_key(np.empty(0, np.int64)).tolist() == []


def test_every_key_that_repeats_is_found():
    keys = np.random.default_rng(1).integers(0, 3000, 2000)
    counts = Counter(keys.tolist())
    found = set(repeated(keys).tolist())
    assert {i for i, key in enumerate(keys.tolist()) if counts[key] > 1} <= found
