"""Delta and Iceberg tables in an object store: a local S3 server, with the credentials of the environment."""

import logging
import uuid
from contextlib import closing

import fsspec
import pyarrow as pa
import pytest
from delta_logs import add, column, commit, metadata, protocol
from deltalake import write_deltalake
from lake_reading import as_set, rows_of, tables_of
from moto.server import ThreadedMotoServer
from pyiceberg.catalog.sql import SqlCatalog

from tamis.connectors.lake_versions import table_is_current

ROWS = pa.table({"id": range(5), "city": ["a b", "é%", None, "x", "x"]})


@pytest.fixture(scope="module")
def server():
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(server, monkeypatch):
    settings = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "hunter2", "ENDPOINT_URL": server, "REGION": "us-east-1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    fsspec.filesystem("s3").clear_instance_cache()
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3").mkdir(name)
    yield f"s3://{name}"
    fsspec.filesystem("s3").clear_instance_cache()


def upload(folder, to):
    for path in folder.rglob("*"):
        if path.is_file():
            fsspec.filesystem("s3").pipe(f"{to}/{path.relative_to(folder)}", path.read_bytes())


def test_delta_tables(tmp_path, bucket):
    lake = tmp_path / "lake"
    write_deltalake(lake / "t", ROWS, partition_by=["city"])
    file = add(lake / "u v", "a b%.parquet", pa.table({"id": range(10)}), deleted=[0, 3])
    commit(lake / "u v", 0, protocol("deletionVectors"), metadata([column("id")]), file)
    (lake / "plain.csv").write_text("id\n1\n")
    upload(lake, f"{bucket}/lake")
    tables = tables_of(f"{bucket}/lake")
    assert {name: table.kind for name, table in tables.items()} == {"plain.csv": "files", "t": "delta", "u v": "delta"}
    assert as_set(rows_of(tables["t"])[1]) == as_set(ROWS)
    assert rows_of(tables["u v"])[1]["id"].to_pylist() == [1, 2, 4, 5, 6, 7, 8, 9]
    assert table_is_current(tables["t"])


def test_iceberg_tables(tmp_path, bucket, server):
    uri = f"sqlite:///{tmp_path}/catalog.db"
    storage = {"s3.endpoint": server, "s3.region": "us-east-1"}
    with closing(SqlCatalog("c", uri=uri, warehouse=f"{bucket}/w", **storage)) as catalogue:
        catalogue.create_namespace("ns")
        catalogue.create_table("ns.t", schema=ROWS.schema).append(ROWS)
    table = tables_of(f"iceberg+{uri}")["ns.t"]
    assert as_set(rows_of(table)[1]) == as_set(ROWS)
    assert table_is_current(table)
    assert set(tables_of(f"{bucket}/w")) == {"ns/t"}
    assert set(tables_of(f"{bucket}/w", f"iceberg+{uri}")) == {f"iceberg+{uri}/ns.t"}
