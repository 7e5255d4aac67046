"""A lake scanned by Spark gives what the local engine gives."""

import pytest
from planted_lake import write_lake
from spark_sessions import test_session

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.jobs.spark import SparkEngine
from tamis.pipeline.lake.outputs import containment, facts, groups
from tamis.pipeline.lake.scan import Options, scan

pytestmark = pytest.mark.spark


def test_a_lake_on_both_engines(tmp_path):
    write_lake(tmp_path / "lake", 3, tables=40)
    tables, _ = list_tables([str(tmp_path / "lake")])
    local = scan(LocalEngine(tmp_path / "local"), tables, Options())
    spark = scan(SparkEngine(tmp_path / "spark", test_session(), driver_tables=0), tables, Options())
    assert len(local.pairs) > 200
    assert containment(spark).to_pylist() == containment(local).to_pylist()
    assert groups(spark).to_pylist() == groups(local).to_pylist()
    assert facts(spark, Options()) == facts(local, Options())
