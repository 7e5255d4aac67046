import pyarrow as pa
import pytest

from tamis.jobs.chunks import cut
from tamis.jobs.spool import Spool

ROWS = pa.schema([("key", pa.int64()), ("place", pa.int64()), ("text", pa.large_string())])


def batch(rows):
    return pa.RecordBatch.from_pylist([dict(zip(ROWS.names, row, strict=True)) for row in rows], schema=ROWS)


@pytest.mark.parametrize("budget", [0, 100, 1 << 20], ids="budget {}".format)
def test_rows_of_a_key_come_back_sorted_wherever_they_were(tmp_path, budget):
    spool = Spool(ROWS, budget=budget, folder=tmp_path)
    rows = [(key, (place * 37) % 101, f"text {key} {place}") for place in range(101) for key in (5, -1, 2**40)]
    for start in range(0, len(rows), 13):
        spool.add(cut(batch(rows[start : start + 13]), "key"))
    spool.settle()
    assert spool.sorted_keys() == [-1, 5, 2**40]
    for key in spool.sorted_keys():
        expected = sorted((row for row in rows if row[0] == key), key=lambda row: row[1])
        assert [tuple(row.values()) for row in spool.take(key, ["place"]).sorted().to_pylist()] == expected
    assert (spool.spilled_bytes > 0) == (budget < 1 << 20)
    spool.close()


def test_a_spill_leaves_no_named_file(tmp_path):
    spool = Spool(ROWS, budget=0, folder=tmp_path)
    spool.add(cut(batch([(1, 1, "x")]), "key"))
    spool.settle()
    assert spool.spilled_bytes > 0
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_empty_batches_are_nothing(tmp_path):
    spool = Spool(ROWS, budget=0, folder=tmp_path)
    spool.add(cut(batch([]), "key"))
    assert spool.sorted_keys() == []
    spool.close()
