import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError
from tamis.jobs.saved import Part, begin, commit, is_saved, parts_of, read_part, write_part

SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string())])


def batches(*numbers):
    return iter([pa.RecordBatch.from_pydict({"n": [n], "t": [str(n)]}, schema=SCHEMA) for n in numbers])


def test_parts_that_are_not_listed_do_not_count(tmp_path):
    folder = tmp_path / "table"
    begin(folder)
    first, lost, second = (write_part(folder, "part", batches(*rows), SCHEMA) for rows in ([1, 2], [3], [4]))
    assert not is_saved(folder)
    commit(folder, [second, first])
    assert is_saved(folder)
    parts = parts_of(folder)
    assert parts == (second, first)
    assert lost not in parts
    assert (first.rows, second.rows) == (2, 1)
    rows = [
        row["n"]
        for part in parts
        for batch in read_part(folder / part.name, SCHEMA.names, SCHEMA)
        for row in batch.to_pylist()
    ]
    assert rows == [4, 1, 2]


def test_columns_are_renamed_on_reading(tmp_path):
    part = write_part(tmp_path, "part", batches(5), SCHEMA)
    wanted = pa.schema([("name", pa.string()), ("again", pa.string())])
    [batch] = read_part(tmp_path / part.name, ["t", "t"], wanted)
    assert batch.to_pylist() == [{"name": "5", "again": "5"}]


def test_beginning_again_clears_what_was_left(tmp_path):
    begin(tmp_path / "table")
    write_part(tmp_path / "table", "part", batches(1), SCHEMA)
    begin(tmp_path / "table")
    assert list((tmp_path / "table").iterdir()) == []


def test_a_damaged_list_is_refused(tmp_path):
    begin(tmp_path / "table")
    commit(tmp_path / "table", [Part("a", 1, 1)])
    (tmp_path / "table" / "_SAVED").write_text("{")
    with pytest.raises(ArtefactError, match="the list of a saved table"):
        parts_of(tmp_path / "table")
