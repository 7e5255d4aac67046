import pytest
from engine_contract import EngineContract
from spark_sessions import test_session

from tamis.jobs.spark import SparkEngine


class TestSparkEngine(EngineContract):
    @pytest.fixture(params=[None, 7], ids="{} partitions".format)
    def engine(self, request, tmp_path):
        engine = SparkEngine(tmp_path / "work", test_session(), partitions=request.param)
        yield engine
        engine.close()
