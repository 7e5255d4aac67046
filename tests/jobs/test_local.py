import pyarrow as pa
import pytest
from engine_contract import NUMBERS, EngineContract, numbers, packed, rows_of

from tamis.hashing.errors import EngineError
from tamis.jobs import local, local_table
from tamis.jobs.local import LocalEngine
from tamis.pipeline.candidates import PAIRS, Meeting

SETTINGS = pa.schema([("name", pa.string()), ("value", pa.string())])


class TestLocalEngine(EngineContract):
    @pytest.fixture(params=[1, 2, 8], ids="{} threads".format)
    def engine(self, request, tmp_path):
        engine = LocalEngine(tmp_path / "work", threads=request.param, memory_bytes=1 << 30)
        yield engine
        engine.close()


class TestLocalEngineThatSpills(EngineContract):
    @pytest.fixture
    def engine(self, tmp_path, monkeypatch):
        for share in ("SPOOL_SHARE", "SORT_SHARE", "REPEATED_SHARE", "LOOKUP_SHARE"):
            monkeypatch.setattr(local_table, share, 1e-9)
        monkeypatch.setattr(local, "KEPT_SHARE", 0)
        engine = LocalEngine(tmp_path / "work", threads=2, memory_bytes=1 << 28, batch_rows=3)
        yield engine
        engine.close()


def test_a_broken_promise_of_order_is_an_error(tmp_path):
    engine = LocalEngine(tmp_path)
    place = engine.table(numbers([(3, 0, "a"), (1, 0, "b")])).number(order=["key"], name="place")
    reversed_ = place.map(lambda batch: batch.take([1, 0]), place.schema)
    with pytest.raises(EngineError, match="order they were promised"):
        reversed_.number(order=["place"], name="again").collect()
    engine.close()


def test_memory_of_a_query_is_given_back_in_the_background(tmp_path):
    engine = LocalEngine(tmp_path, threads=2, memory_bytes=1 << 30)
    names = "'memory_limit', 'threads', 'allocator_background_threads'"
    asked = f"SELECT name, value FROM duckdb_settings() WHERE name IN ({names})"
    found = [batch.to_pydict() for batch in engine.run_query(lambda sources: asked, SETTINGS)]
    settings = dict(zip(found[0]["name"], found[0]["value"], strict=True))
    assert settings == {"memory_limit": "409.0 MiB", "threads": "2", "allocator_background_threads": "true"}
    engine.close()


def test_tables_of_another_engine_are_refused(tmp_path):
    one, other = LocalEngine(tmp_path / "one"), LocalEngine(tmp_path / "other")
    with pytest.raises(EngineError, match="belong to one engine"):
        one.table(NUMBERS.empty_table()).union(other.table(NUMBERS.empty_table()))
    one.close()
    other.close()


def test_saved_tables_outlive_the_engine(tmp_path):
    first = LocalEngine(tmp_path)
    first.table(numbers([(1, 2, "x")])).save("kept")
    first.close()
    second = LocalEngine(tmp_path)
    assert rows_of(second.table(NUMBERS.empty_table()).save("kept")) == [(1, 2, "x")]
    second.close()


@pytest.mark.parametrize("slice_rows", [7, 1 << 16])
def test_a_value_of_many_rows_comes_in_slices(tmp_path, monkeypatch, slice_rows):
    """The function sees no more than a slice at once, and makes the same pairs of them."""
    monkeypatch.setattr(local_table, "SLICE_ROWS", slice_rows)
    rows = {row: [5, 100 + row // 2] for row in range(60)}
    sizes = []

    def meeting(batches):
        def noted():
            for batch in batches:
                sizes.append(batch.num_rows)
                yield batch

        return Meeting(2)(noted())

    engine = LocalEngine(tmp_path, threads=2)
    keys = engine.table(packed(rows)).save("packed").select("values", row="key")
    found = keys.explode("values", into="key", repeated=True).group(by="key", sort=["row"], fn=meeting, schema=PAIRS)
    hot = {(row, 0) for row in range(1, 60)} | {(row, 1) for row in range(2, 60)}
    capped = {(row, row) for row in range(60)}  # a row of a value of more than two rows meets itself, too
    assert set(rows_of(found)) == hot | capped | {(row, row - 1) for row in range(1, 60, 2)}
    assert sizes == ([7] * 17 + [1] if slice_rows == 7 else [120])
    engine.close()
