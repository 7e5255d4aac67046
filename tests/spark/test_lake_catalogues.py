"""Delta and Iceberg tables scanned by Spark, whose workers have no catalogue, as by the local engine."""

from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from found_pairs import containment_rows, named
from pyiceberg.catalog.sql import SqlCatalog
from spark_sessions import test_session

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.jobs.spark import SparkEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import facts, ledger
from tamis.pipeline.lake.scan import scan

pytestmark = pytest.mark.spark


def test_tables_of_three_kinds_on_both_engines(tmp_path):
    rows = pa.table({"id": range(60), "city": [f"city {i % 3}" for i in range(60)]})
    write_deltalake(tmp_path / "lake" / "orders", rows, partition_by=["city"])
    pq.write_table(rows.slice(0, 20), tmp_path / "lake" / "some.parquet")
    uri, place = f"sqlite:///{tmp_path}/catalog.db", tmp_path / "w"
    place.mkdir()
    with closing(SqlCatalog("c", uri=uri, warehouse=f"file://{place}")) as catalogue:
        catalogue.create_namespace("ns")
        catalogue.create_table("ns.orders", schema=rows.schema).append(rows)
    tables, _ = list_tables([str(tmp_path / "lake"), f"iceberg+{uri}"])
    local = scan(LocalEngine(tmp_path / "local"), tables, Options())
    spark = scan(SparkEngine(tmp_path / "spark", test_session(), driver_tables=0), tables, Options())
    kind = {table.name: table.kind for table in local.tables}
    assert sorted((kind[child], kind[parent]) for child, parent in named(local)) == [
        ("delta", "iceberg"),
        ("files", "delta"),
        ("files", "iceberg"),
        ("iceberg", "delta"),
    ]
    assert containment_rows(spark) == containment_rows(local)
    assert ledger(spark, Options()).to_pylist() == ledger(local, Options()).to_pylist()
    assert facts(spark, Options(), []) == facts(local, Options(), [])
