"""A scan of a lake that has plain files, Delta tables and the tables of an Iceberg catalogue."""

from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
from delta_logs import add, column, commit, metadata, protocol
from deltalake import DeltaTable, write_deltalake
from found_pairs import containment_rows, named
from pyiceberg.catalog.sql import SqlCatalog

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import facts
from tamis.pipeline.lake.scan import scan

ROWS = pa.table({"id": range(40), "city": [None if i == 5 else f"city {i % 3}" for i in range(40)]})


def look(lakes, work):
    return scan(LocalEngine(work), list_tables([str(lake) for lake in lakes])[0], Options())


def test_tables_of_three_kinds(tmp_path):
    lake = tmp_path / "lake"
    write_deltalake(lake / "orders", ROWS.slice(0, 30), partition_by=["city"])
    write_deltalake(lake / "orders", ROWS.slice(30), mode="append")
    write_deltalake(lake / "orders", pa.table({"id": [99], "city": ["gone"]}), mode="append")
    DeltaTable(lake / "orders").delete("id = 99")
    pq.write_table(ROWS.slice(10, 20), lake / "some.parquet")
    pq.write_table(pa.table({"id": [1, 99], "city": ["city 1", "gone"]}), lake / "others.parquet")
    (lake / "kept").mkdir()
    with closing(SqlCatalog("c", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{lake}/kept")) as catalogue:
        catalogue.create_namespace("ns")
        catalogue.create_table("ns.orders", schema=ROWS.schema).append(ROWS.select(["city", "id"]))
        catalogue.create_table("ns.none", schema=ROWS.schema)
    argument = f"iceberg+sqlite:///{tmp_path}/catalog.db"
    found = look([lake, argument], tmp_path / "work")
    delta, iceberg, some = f"{lake}/orders", f"{argument}/ns.orders", f"{lake}/some.parquet"
    assert found.faults == {}
    assert [found.tables[i].name for i in found.empty] == [f"{argument}/ns.none"]
    assert named(found) == {(delta, iceberg), (iceberg, delta), (some, delta), (some, iceberg)}
    assert facts(found, Options(), [])["equal"] == [sorted([delta, iceberg])]
    refuted = [row for row in containment_rows(found) if row["child"] == f"{lake}/others.parquet"]
    assert {row["witness"] for row in refuted} <= {f"{lake}/others.parquet:1"}


def test_what_cannot_be_read_is_named_and_harms_nobody(tmp_path):
    lake = tmp_path / "lake"
    write_deltalake(lake / "a", ROWS)
    write_deltalake(lake / "b", ROWS)
    write_deltalake(lake / "vacuumed", ROWS)
    next((lake / "vacuumed").glob("*.parquet")).unlink()
    commit(lake / "odd", 0, protocol("nonsense"), metadata([column("id")]))
    (lake / "ice" / "metadata").mkdir(parents=True)
    (lake / "ice" / "metadata" / "v1.metadata.json").write_text("{}")
    pq.write_table(ROWS, lake / "ice" / "x.parquet")
    found = look([lake], tmp_path / "work")
    assert named(found) == {("a", "b"), ("b", "a")}
    why = {found.tables[number].name: fault for number, fault in found.faults.items()}
    assert set(why) == {"ice", "odd", "vacuumed"}
    assert "catalogue was not given" in why["ice"]
    assert "nonsense" in why["odd"]
    assert "is gone: deleted, or vacuumed" in why["vacuumed"]


def test_a_witness_in_a_table_with_deletion_vectors_counts_rows(tmp_path):
    lake = tmp_path / "lake"
    data = pa.table({"id": pa.array(range(10), pa.int64())})
    file = add(lake / "t", "a.parquet", data, deleted=[0, 4])
    commit(lake / "t", 0, protocol("deletionVectors"), metadata([column("id")]), file)
    pq.write_table(pa.table({"id": [1, 2, 3, 5, 6, 7, 9, 11]}), lake / "u.parquet")
    found = look([lake], tmp_path / "work")
    assert named(found) == set()
    rows = [row for row in containment_rows(found) if row["status"] == "refuted"]
    assert {(row["child"], row["missing"], row["witness"]) for row in rows} >= {("t", 1, "t:6")}
