"""Iceberg tables as lakes, against what pyiceberg reads, and with delete files written by hand."""

import datetime
import sqlite3
import sys
import uuid
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyiceberg.catalog
import pytest
from iceberg_deletes import delete_by_vector, delete_equals, delete_positions
from lake_reading import as_set, check_addresses, rows_of, tables_of
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import IntegerType, LongType, StringType
from pyiceberg.utils.config import Config

from tamis.connectors import iceberg_tables
from tamis.connectors.lake_reading import read_table_split, table_splits
from tamis.connectors.lake_tables import LakeTable, list_tables
from tamis.connectors.lake_versions import table_is_current
from tamis.hashing.errors import EngineError, InputError

ROWS = pa.table(
    {
        "id": pa.array(range(7), pa.int64()),
        "city": ["a b", "é/%=:x", None, "", "a b", "__x", "#?&"],
        "day": [datetime.date(2020, 1, i % 2 + 1) for i in range(7)],
        "price": [Decimal("1.50"), None, Decimal("2.25")] * 2 + [Decimal("1.50")],
        "seen": pa.array([datetime.datetime(2020, 1, 1, 12, 0, 0, 5)] * 7, pa.timestamp("us", "UTC")),
        "tags": [[1, None], [], None, [2], [3], [4], [5]],
        "who": [{"name": "x", "age": 1}, None] * 3 + [{"name": None, "age": 2}],
    }
)


@pytest.fixture
def catalogue(tmp_path):
    (tmp_path / "w").mkdir()
    with closing(
        SqlCatalog("mine", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/w")
    ) as opened:
        opened.create_namespace("ns")
        yield opened


@pytest.fixture
def lake(tmp_path):
    return f"iceberg+sqlite:///{tmp_path}/catalog.db"


def check(lake, table, name="ns.t"):
    """Check that a table's rows, one by one and in some of its columns, are those of pyiceberg; return them."""
    listed = tables_of(lake)[name]
    addresses, found = rows_of(listed)
    expected = table.refresh().scan().to_arrow()
    assert as_set(found) == as_set(expected)
    assert found.column_names == expected.column_names
    check_addresses(listed, addresses)
    assert [file.path for file in listed.files] == sorted(task.file.file_path for task in table.scan().plan_files())
    some = expected.column_names[::2]
    assert as_set(rows_of(listed, some)[1]) == as_set(expected.select(some))
    assert table_is_current(listed)
    return found


def test_appended_overwritten_and_deleted(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    assert check(lake, table).num_rows == 0
    table.append(ROWS)
    table.append(ROWS.slice(0, 3))
    assert check(lake, table).num_rows == 10
    table.delete("id = 3 OR id = 0")
    assert check(lake, table).num_rows == 7
    table.overwrite(ROWS.slice(5))
    assert check(lake, table).num_rows == 2
    table.delete()
    assert check(lake, table).num_rows == 0
    listed = tables_of(lake)["ns.t"]
    assert (listed.files, listed.format, listed.size_bytes) == ((), "iceberg", 0)


@pytest.mark.parametrize("by", ["city", "day", "price"])
def test_partitioned(catalogue, lake, by):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    with table.update_spec() as spec:
        spec.add_identity(by)
    table.append(ROWS)
    assert check(lake, table).num_rows == 7
    assert len(tables_of(lake)["ns.t"].files) > 1


def test_columns_that_were_renamed_added_dropped_and_widened(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=pa.schema([("a", pa.int32()), ("b", pa.string()), ("c", pa.int64())]))
    table.append(pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", "y"], "c": [3, 4]}))
    with table.update_schema() as change:
        change.rename_column("a", "new name")
        change.update_column("a", field_type=LongType())
        change.delete_column("b")
    with table.update_schema() as change:
        change.add_column("b", IntegerType())
        change.add_column("d", StringType())
    assert check(lake, table).to_pylist() == [
        {"new name": 1, "c": 3, "b": None, "d": None},
        {"new name": 2, "c": 4, "b": None, "d": None},
    ]
    table.append(pa.table({"new name": [5], "c": [6], "b": pa.array([7], pa.int32()), "d": ["z"]}))
    assert check(lake, table).num_rows == 3


def test_identifiers_are_bytes(catalogue, lake):
    schema = pa.schema([("id", pa.uuid()), ("raw", pa.binary(3))])
    table = catalogue.create_table("ns.t", schema=schema)
    one = uuid.UUID(int=5)
    table.append(pa.table({"id": pa.array([one.bytes], pa.binary(16)).cast(pa.uuid()), "raw": [b"abc"]}, schema=schema))
    assert rows_of(tables_of(lake)["ns.t"])[1].to_pylist() == [{"id": one.bytes, "raw": b"abc"}]


@pytest.mark.parametrize("delete", [delete_positions, delete_by_vector])
def test_deleted_positions(catalogue, lake, delete):
    table = catalogue.create_table("ns.t", schema=pa.schema([("id", pa.int64())]))
    table.append(pa.table({"id": range(10)}))
    table.append(pa.table({"id": range(100, 103)}))
    before = tables_of(lake)["ns.t"]
    of = next(file.path for file in before.files if file.ordinal == before.files[0].ordinal)
    first = rows_of(before, ["id"])[1]["id"].to_pylist()
    delete(table, {of: [0, 2]})
    found = check(lake, table)
    assert found["id"].to_pylist() == [value for i, value in enumerate(first) if i not in (0, 2)]
    after = tables_of(lake)["ns.t"]
    assert [file.path for file in before.files] == [file.path for file in after.files]
    assert before.fingerprint != after.fingerprint
    assert not table_is_current(before)
    assert rows_of(before)[1]["id"].to_pylist() == first


def test_equality_deletes_are_named(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=pa.schema([("id", pa.int64())]))
    table.append(pa.table({"id": range(10)}))
    stored = pa.schema([pa.field("id", pa.int64(), metadata={"PARQUET:field_id": "1"})])
    delete_equals(table, pa.table({"id": [3]}, schema=stored), 1)
    listed = tables_of(lake)["ns.t"]
    assert "equality deletes" in listed.fault
    with pytest.raises(InputError, match="equality deletes"):
        table_splits(listed)


def test_a_snapshot_is_current_until_the_next(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    table.append(ROWS)
    before = tables_of(lake)["ns.t"]
    assert before == tables_of(lake)["ns.t"]
    with table.update_schema() as change:
        change.rename_column("id", "number")
    renamed = tables_of(lake)["ns.t"]
    assert before.files == renamed.files
    assert before.fingerprint != renamed.fingerprint
    assert not table_is_current(before)
    assert rows_of(before)[1].column_names[0] == "id"
    assert rows_of(renamed)[1].column_names[0] == "number"
    table.append(ROWS.rename_columns(["number", *ROWS.column_names[1:]]))
    assert not table_is_current(renamed)
    assert rows_of(renamed)[1].num_rows == 7
    catalogue.drop_table("ns.t")
    catalogue.create_table("ns.other", schema=ROWS.schema)
    with pytest.raises(InputError, match="still in its catalogue"):
        table_is_current(before)


def test_a_split_is_read_without_the_catalogue(catalogue, lake, tmp_path):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    table.append(ROWS)
    listed = tables_of(lake)["ns.t"]
    splits = table_splits(listed)
    iceberg_tables._plan.cache_clear()
    (tmp_path / "catalog.db").unlink()
    [batch] = read_table_split(splits[0], ROWS.schema, ROWS.schema)
    assert as_set(pa.Table.from_batches([batch.select(ROWS.column_names)])) == as_set(ROWS)


def test_files_that_are_gone(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    table.append(ROWS)
    catalogue.create_table("ns.u", schema=ROWS.schema)
    listed = tables_of(lake)["ns.t"]
    Path(listed.files[0].path.removeprefix("file://")).unlink()
    with pytest.raises(InputError, match="every row of an Iceberg table can be read"):
        rows_of(tables_of(lake)["ns.t"])
    iceberg_tables._plan.cache_clear()
    Path(listed.location.removeprefix("file://")).unlink()
    tables = tables_of(lake)
    assert listed.location.removeprefix("file://") in tables["ns.t"].fault
    assert tables["ns.u"].fault == ""
    assert table_is_current(tables["ns.t"])
    with pytest.raises(InputError, match="the metadata of an Iceberg table can be read"):
        rows_of(listed)


def test_a_file_with_other_rows_than_its_manifest_says(catalogue, lake):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    table.append(ROWS)
    listed = tables_of(lake)["ns.t"]
    path = listed.files[0].path.removeprefix("file://")
    pq.write_table(pq.read_table(path).slice(2), path)
    with pytest.raises(InputError, match="5 rows where the manifest says 7"):
        rows_of(listed)


def test_namespaces_and_several_catalogues_of_one_database(catalogue, lake, tmp_path):
    catalogue.create_namespace("ns.inner")
    catalogue.create_namespace("far.away")
    for name in ("ns.t", "ns.inner.t", "far.away.u"):
        catalogue.create_table(name, schema=ROWS.schema).append(ROWS)
    assert set(tables_of(lake)) == {"ns.t", "ns.inner.t", "far.away.u"}
    with closing(
        SqlCatalog("yours", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/v")
    ) as other:
        other.create_namespace("ns")
        other.create_table("ns.t", schema=ROWS.schema).append(ROWS)
    tables = tables_of(lake)
    assert set(tables) == {"mine.ns.t", "mine.ns.inner.t", "mine.far.away.u", "yours.ns.t"}
    ordinals = [file.ordinal for table in tables.values() for file in table.files]
    assert sorted(ordinals) == [0, 1, 2, 3]
    assert all(table_is_current(table) for table in tables.values())


def test_a_catalogue_is_only_read(catalogue, lake, tmp_path):
    catalogue.create_table("ns.t", schema=ROWS.schema)
    before = (tmp_path / "catalog.db").read_bytes()
    (tmp_path / "catalog.db").chmod(0o444)
    tables_of(lake)
    assert (tmp_path / "catalog.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["catalog.db", "w"]


def test_paths_of_a_catalogue(catalogue, tmp_path, monkeypatch):
    catalogue.create_table("ns.t", schema=ROWS.schema)
    monkeypatch.chdir(tmp_path)
    spelled = ("iceberg+sqlite:///catalog.db", f"iceberg+sqlite:///{tmp_path}/catalog.db")
    for lake in (*spelled, f"iceberg+sqlite:///{str(tmp_path).lstrip('/')}/catalog.db"):
        assert set(tables_of(lake)) == {"ns.t"}


@pytest.mark.parametrize("name", ["my catalogue#1%20.db", "é?&=.db"])
def test_odd_names_of_a_catalogue(catalogue, tmp_path, name):
    catalogue.create_table("ns.t", schema=ROWS.schema).append(ROWS)
    (tmp_path / "catalog.db").rename(tmp_path / name)
    table = tables_of(f"iceberg+sqlite:///{tmp_path}/{name}")["ns.t"]
    assert as_set(rows_of(table)[1]) == as_set(ROWS)
    assert table_is_current(table)


def test_arguments_that_are_no_catalogue(tmp_path):
    with pytest.raises(InputError, match="a catalogue exists"):
        list_tables([f"iceberg+sqlite:///{tmp_path}/none.db"])
    assert not (tmp_path / "none.db").exists()
    (tmp_path / "text.db").write_text("no database, for all its length" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE t (a)")
    for name in ("text.db", "other.db"):
        with pytest.raises(InputError, match="an Iceberg catalogue can be opened"):
            list_tables([f"iceberg+sqlite:///{tmp_path}/{name}"])
    with pytest.raises(InputError, match="an Iceberg catalogue can be opened"):
        list_tables(["iceberg:nobody"])


def test_a_catalogue_without_tables(catalogue, lake):
    with pytest.raises(InputError, match="a catalogue has a table"):
        list_tables([lake])


def test_a_catalogue_of_the_configuration(catalogue, tmp_path, monkeypatch):
    table = catalogue.create_table("ns.t", schema=ROWS.schema)
    table.append(ROWS)
    for key, value in {"TYPE": "sql", "URI": f"sqlite:///{tmp_path}/catalog.db"}.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__MINE__{key}", value)
    monkeypatch.setattr(pyiceberg.catalog, "_ENV_CONFIG", Config())  # it is read once, when first imported
    check("iceberg:mine", table)


def test_a_folder_without_its_catalogue_is_one_table_that_is_not_read(catalogue, lake, tmp_path):
    for name in ("ns.t", "ns.u"):
        catalogue.create_table(name, schema=ROWS.schema).append(ROWS)
    pq.write_table(ROWS, tmp_path / "w" / "plain.parquet")
    tables = tables_of(tmp_path / "w")
    assert {name: table.kind for name, table in tables.items()} == {
        "ns/t": "iceberg",
        "ns/u": "iceberg",
        "plain.parquet": "files",
    }
    assert tables["ns/t"] == LakeTable(
        "ns/t", (), "iceberg", location=f"{tmp_path}/w/ns/t", fault=iceberg_tables.WITHOUT_CATALOGUE
    )
    assert "iceberg+sqlite:///PATH/catalog.db" in tables["ns/t"].fault
    with pytest.raises(InputError, match="whose catalogue was not given"):
        table_splits(tables["ns/t"])
    catalogue.drop_table("ns.u")
    folder = f"{tmp_path}/w"
    assert set(tables_of(folder, lake)) == {f"{lake}/ns.t", f"{folder}/ns/u", f"{folder}/plain.parquet"}
    stored = pa.schema([pa.field("id", pa.int64(), metadata={"PARQUET:field_id": "1"})])
    delete_equals(catalogue.load_table("ns.t"), pa.table({"id": [3]}, schema=stored), 1)
    assert set(tables_of(folder, lake)) == {f"{lake}/ns.t", f"{folder}/ns/u", f"{folder}/plain.parquet"}


def test_the_library_is_not_there(catalogue, lake, monkeypatch):
    catalogue.create_table("ns.t", schema=ROWS.schema)
    monkeypatch.setitem(sys.modules, "pyiceberg.catalog.sql", None)
    with pytest.raises(EngineError, match=r"pip install 'tamis\[lake\]'"):
        tables_of(lake)
