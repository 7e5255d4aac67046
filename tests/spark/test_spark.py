import gc
import itertools

import pyarrow as pa
import pytest
from engine_contract import EngineContract, numbers
from spark_sessions import test_session

from tamis.jobs.spark import SparkEngine


class TestSparkEngine(EngineContract):
    @pytest.fixture(params=[None, 7], ids="{} partitions".format)
    def engine(self, request, tmp_path):
        engine = SparkEngine(tmp_path / "work", test_session(), driver_tables=0, partitions=request.param)
        yield engine
        engine.close()


class SavesTables(SparkEngine):
    """Saves the tables it is given, so that small ones are the driver's."""

    def table(self, data):
        self.count = getattr(self, "count", itertools.count())
        return super().table(data).save(f"given-{next(self.count)}")


class TestTablesOfTheDriver(EngineContract):
    @pytest.fixture
    def engine(self, tmp_path):
        engine = SavesTables(tmp_path / "work", test_session())
        yield engine
        engine.close()


class TestTablesOfBoth(EngineContract):
    """Every other table is too large for the driver."""

    @pytest.fixture
    def engine(self, tmp_path):
        engine = AlternatesTables(tmp_path / "work", test_session())
        yield engine
        engine.close()


class AlternatesTables(SavesTables):
    def of_parts(self, reader, ordered):
        self.turn = not getattr(self, "turn", False)
        self._driver_tables = self.turn << 20
        return super().of_parts(reader, ordered)


def test_tasks_leave_what_is_loaded_out_of_searches_for_garbage(tmp_path):
    engine = SparkEngine(tmp_path / "work", test_session(), driver_tables=0, partitions=4)
    schema = pa.schema([("aside", pa.int64())])

    def count(batch):
        return pa.RecordBatch.from_arrays([pa.array([gc.get_freeze_count()])], schema=schema)

    table = engine.table(numbers([(i, i, "x") for i in range(8)], chunk=2)).map(count, schema)
    table.collect()
    found = [row["aside"] for row in table.collect().to_pylist()]
    engine.close()
    assert len(found) == 4
    assert max(found) > 10_000  # a process may have had no task before
