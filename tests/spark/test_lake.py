"""A lake scanned by Spark gives the files that the local engine gives."""

import json

import pytest
from planted_lake import write_lake
from spark_sessions import test_session

from tamis.jobs.engine_options import EngineOptions
from tamis.jobs.lake import scan_lake
from tamis.pipeline.config import Spark
from tamis.pipeline.lake.options import Options

pytestmark = pytest.mark.spark

FILES = ("containment.parquet", "groups.parquet", "tables.parquet", "quarantine.parquet", "lake.json")


def test_a_lake_on_both_engines(tmp_path):
    options = Options(typed_csv=True, bags=True, min_containment=0.8, renamed=True)
    test_session()
    write_lake(tmp_path / "lake", 3, tables=24)
    (tmp_path / "lake" / "broken.jsonl").write_text('{"id": 1}\n{"id":\n{"id": 2}\n')
    lakes = [str(tmp_path / "lake")]
    local = scan_lake(lakes, tmp_path / "local", options, EngineOptions())
    on_spark = EngineOptions("spark", spark=Spark(driver_tables=0))
    scan_lake(lakes, tmp_path / "spark", options, on_spark)
    assert local["pairs"]["verified"] > 100
    for name in FILES:
        assert (tmp_path / "spark" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
    scan_lake(lakes, tmp_path / "spark", options, EngineOptions())
    assert json.loads((tmp_path / "spark" / "measured.json").read_text())["tables_read"] == 0
    for name in FILES:
        assert (tmp_path / "spark" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
