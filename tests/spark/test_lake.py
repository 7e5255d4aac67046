"""A lake scanned by Spark gives what the local engine gives."""

import pytest
from planted_lake import write_lake
from spark_sessions import test_session

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.jobs.spark import SparkEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import containment, facts, ledger
from tamis.pipeline.lake.scan import scan

pytestmark = pytest.mark.spark


def test_a_lake_on_both_engines(tmp_path):
    write_lake(tmp_path / "lake", 3, tables=40)
    tables, _ = list_tables([str(tmp_path / "lake")])
    local = scan(LocalEngine(tmp_path / "local"), tables, Options())
    spark = scan(SparkEngine(tmp_path / "spark", test_session(), driver_tables=0), tables, Options())
    assert local.groups.pairs() > 200
    for one, other in (
        (containment(local, Options()), containment(spark, Options())),
        ([ledger(local, Options())], [ledger(spark, Options())]),
    ):
        assert [table.to_pylist() for table in other] == [table.to_pylist() for table in one]
    assert facts(spark, Options(), []) == facts(local, Options(), [])
