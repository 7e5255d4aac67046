import itertools

import pytest
from engine_contract import EngineContract
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
