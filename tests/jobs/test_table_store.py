import threading

import pyarrow as pa
import pytest

from tamis.jobs import table_store
from tamis.jobs.saved import is_saved
from tamis.jobs.table_store import SavedRows, TableStore

SCHEMA = pa.schema([("n", pa.int64()), ("t", pa.string())])


def batches(*numbers):
    return iter([pa.RecordBatch.from_pydict({"n": [n, n + 1], "t": [str(n), "x"]}, schema=SCHEMA) for n in numbers])


def rows(store, name):
    """Return what the files of a table hold."""
    return [
        row for batch in SavedRows(store.rows(name).files).batches(SCHEMA.names, SCHEMA) for row in batch.to_pylist()
    ]


def test_what_fits_stays_and_is_written(tmp_path):
    store = TableStore(tmp_path, room=1 << 20)
    store.save("one", batches(1, 5), SCHEMA)
    assert store.has("one")
    assert [batch.to_pydict() for batch in store.rows("one").kept] == [
        {"n": [1, 2], "t": ["1", "x"]},
        {"n": [5, 6], "t": ["5", "x"]},
    ]
    store.settle()
    assert is_saved(tmp_path / "one")
    assert [row["n"] for row in rows(store, "one")] == [1, 2, 5, 6]
    store.close()
    assert TableStore(tmp_path, room=0).has("one")


def test_room_is_for_all_tables_together(tmp_path):
    store = TableStore(tmp_path, room=3000)  # one table: its values, and two kilobytes for two columns
    for name in ("one", "two"):
        store.save(name, batches(1), SCHEMA)
    assert store.rows("one").kept is not None
    assert store.rows("two").kept is None
    assert is_saved(tmp_path / "two")  # written at once
    assert rows(store, "one") == rows(store, "two") == [{"n": 1, "t": "1"}, {"n": 2, "t": "x"}]
    store.close()


def test_a_slice_weighs_what_it_was_cut_from(tmp_path):
    store = TableStore(tmp_path, room=10_000)
    whole = pa.RecordBatch.from_pydict({"n": list(range(10_000)), "t": ["x"] * 10_000}, schema=SCHEMA)
    store.save("cut", iter([whole.slice(5, 1)]), SCHEMA)
    assert store.rows("cut").kept is None
    store.close()


def test_a_table_that_could_not_be_written_is_told_of(tmp_path):
    (tmp_path / "file").touch()
    for then in (TableStore.settle, TableStore.close, lambda store: store.save("next", batches(2), SCHEMA)):
        store = TableStore(tmp_path / "file", room=1 << 20)
        store.save("one", batches(1), SCHEMA)
        with pytest.raises(NotADirectoryError):
            store.rows("one").files()
        with pytest.raises(NotADirectoryError):
            then(store)


def test_files_are_there_once_they_are_asked_for(tmp_path, monkeypatch):
    begun, go_on = threading.Event(), threading.Event()
    write = table_store.write_part

    def slowly(*arguments):
        begun.set()
        go_on.wait()
        return write(*arguments)

    monkeypatch.setattr(table_store, "write_part", slowly)
    store = TableStore(tmp_path, room=1 << 20)
    store.save("one", batches(1), SCHEMA)
    begun.wait()
    assert store.has("one")
    assert not is_saved(tmp_path / "one")
    threading.Timer(0.01, go_on.set).start()
    assert [row["n"] for row in rows(store, "one")] == [1, 2]
    store.close()


def test_kept_rows_come_in_small_batches_under_their_new_names(monkeypatch):
    monkeypatch.setattr(table_store, "BATCH_BYTES", 64)
    monkeypatch.setattr(table_store, "_FEWEST_ROWS", 2)
    batch = pa.RecordBatch.from_pydict({"n": list(range(20)), "t": ["x"] * 20}, schema=SCHEMA)
    kept = SavedRows(lambda: [], [batch])
    found = list(kept.batches(["n", "n"], pa.schema([("a", pa.int64()), ("b", pa.int64())])))
    assert [part["a"].to_pylist() for part in found] == [list(range(i, i + 4)) for i in range(0, 20, 4)]
    assert found[1].to_pydict() == {"a": [4, 5, 6, 7], "b": [4, 5, 6, 7]}
    assert kept.size_bytes(["n"]) == 160
    assert kept.size_bytes(["n", "t"]) == 160 + batch.column("t").nbytes
