"""Delta tables of a lake, against what deltalake reads, and against logs written by hand."""

import datetime
import shutil
import sys
from decimal import Decimal
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from delta_logs import add, column, commit, mapped, metadata, protocol, remove
from deltalake import DeltaTable, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st
from lake_reading import as_set, check_addresses, rows_of, tables_of

from tamis.connectors import delta_tables
from tamis.connectors.lake_reading import table_splits
from tamis.connectors.lake_versions import table_is_current
from tamis.hashing.errors import EngineError, InputError

ROWS = pa.table(
    {
        "id": pa.array(range(7), pa.int64()),
        "city": ["a b", "é/%=:x", None, "", "a b", "__x", "#?&"],
        "day": [datetime.date(2020, 1, i % 2 + 1) for i in range(7)],
        "price": [Decimal("1.50"), None, Decimal("2.25")] * 2 + [Decimal("1.50")],
        "seen": [datetime.datetime(2020, 1, 1, 12, 0, 0, 5, tzinfo=datetime.UTC)] * 7,
        "raw": [b"\x00\xff", None] * 3 + [b""],
        "tags": [[1, None], [], None, [2], [3], [4], [5]],
        "who": [{"name": "x", "age": 1}, None] * 3 + [{"name": None, "age": 2}],
    }
)


def check(lake, name="t"):
    """Check that a table's rows, one by one and in some of its columns, are those of deltalake; return them."""
    table = tables_of(lake)[name]
    addresses, found = rows_of(table)
    expected = DeltaTable(lake / name if name else lake).to_pyarrow_table()
    assert as_set(found) == as_set(expected)
    assert sorted(found.column_names) == sorted(expected.column_names)
    check_addresses(table, addresses)
    some = expected.column_names[::2]
    assert as_set(rows_of(table, some)[1]) == as_set(expected.select(some))
    assert table_is_current(table)
    return found


def test_rows_of_a_plain_table(tmp_path):
    write_deltalake(tmp_path / "t", ROWS)
    assert check(tmp_path).num_rows == 7


@pytest.mark.parametrize("by", [["city"], ["day", "city"], ["price"], ["seen", "price"], ["raw"]])
def test_values_of_partition_columns(tmp_path, by):
    write_deltalake(tmp_path / "t", ROWS.set_column(5, "raw", [[b"k", None] * 3 + [b"l"]]), partition_by=by)
    found = check(tmp_path)
    assert found.schema.field(by[0]).type == (ROWS.schema.field(by[0]).type if by != ["price"] else pa.decimal128(3, 2))


def test_only_partition_columns_are_read(tmp_path):
    write_deltalake(tmp_path / "t", ROWS, partition_by=["city"])
    found = rows_of(tables_of(tmp_path)["t"], ["city"])[1]
    assert as_set(found) == as_set(DeltaTable(tmp_path / "t").to_pyarrow_table().select(["city"]))


def test_appended_overwritten_deleted_and_vacuumed(tmp_path):
    place = tmp_path / "t"
    write_deltalake(place, ROWS, partition_by=["day"])
    write_deltalake(place, ROWS, mode="append")
    assert check(tmp_path).num_rows == 14
    DeltaTable(place).delete("id = 3 OR id = 0")
    assert check(tmp_path).num_rows == 10
    DeltaTable(place).create_checkpoint()
    write_deltalake(place, ROWS.slice(0, 2), mode="overwrite")
    assert check(tmp_path).num_rows == 2
    DeltaTable(place).vacuum(retention_hours=0, dry_run=False, enforce_retention_duration=False)
    assert check(tmp_path).num_rows == 2


def test_files_are_older_than_columns(tmp_path):
    place = tmp_path / "t"
    write_deltalake(place, pa.table({"id": [1, 2], "who": [{"a": 1}, None]}))
    late = pa.table({"id": [3], "who": [{"a": 1, "b": "x"}], "note": ["n"], "on": [datetime.date(2020, 1, 1)]})
    write_deltalake(place, late, mode="append", schema_mode="merge")
    write_deltalake(place, pa.table({"note": ["m"]}), mode="append", schema_mode="merge")
    found = check(tmp_path)
    assert sorted(found["note"].to_pylist(), key=str) == [None, None, "m", "n"]
    assert found.filter(pa.compute.equal(found["id"], 1))["who"].to_pylist() == [{"a": 1, "b": None}]


def test_a_table_without_rows(tmp_path):
    write_deltalake(tmp_path / "t", ROWS.slice(0, 0))
    write_deltalake(tmp_path / "u", ROWS)
    DeltaTable(tmp_path / "u").delete()
    assert check(tmp_path).column_names == ROWS.column_names
    assert check(tmp_path, "u").column_names == ROWS.column_names
    table = tables_of(tmp_path)["u"]
    assert (table.files, table.format, table.size_bytes) == ((), "delta", 0)


def test_the_lake_may_be_the_table(tmp_path):
    write_deltalake(tmp_path / "t", ROWS, partition_by=["city"])
    table = tables_of(tmp_path / "t")["t"]
    assert as_set(rows_of(table)[1]) == as_set(DeltaTable(tmp_path / "t").to_pyarrow_table())


def test_files_below_are_no_tables_of_their_own(tmp_path):
    (tmp_path / "in" / "a").mkdir(parents=True)
    pq.write_table(ROWS.select(["id"]), tmp_path / "in" / "a" / "x.parquet")
    write_deltalake(tmp_path / "t", ROWS, partition_by=["day"])
    write_deltalake(tmp_path / "t", ROWS, mode="overwrite")
    (tmp_path / "t").rename(tmp_path / "in" / "t[1]*")
    pq.write_table(ROWS.select(["id"]), tmp_path / "in" / "t[1]*" / "stray.parquet")
    pq.write_table(ROWS.select(["id"]), tmp_path / "z.parquet")
    write_deltalake(tmp_path / "_old" / "t", ROWS)
    (tmp_path / "notes.txt").write_text("x")
    tables = tables_of(tmp_path)
    assert {name: table.kind for name, table in tables.items()} == {
        "in/a/x.parquet": "files",
        "in/t[1]*": "delta",
        "z.parquet": "files",
    }
    ordinals = [file.ordinal for table in tables.values() for file in table.files]
    assert sorted(ordinals) == list(range(len(ordinals)))
    assert {file.relative.rpartition("/day=")[0] for file in tables["in/t[1]*"].files} == {"in/t[1]*"}
    assert as_set(rows_of(tables["in/t[1]*"])[1]) == as_set(ROWS)


def test_a_glob_that_finds_logs_finds_tables(tmp_path):
    write_deltalake(tmp_path / "t", ROWS, partition_by=["day"])
    pq.write_table(ROWS, tmp_path / "x.parquet")
    assert {name: table.kind for name, table in tables_of(f"{tmp_path}/**").items()} == {
        "t": "delta",
        "x.parquet": "files",
    }
    assert set(tables_of(f"{tmp_path}/*.parquet")) == {"x.parquet"}


@pytest.mark.parametrize("seed", range(4))
def test_any_history(tmp_path, seed):
    rng = Random(seed)
    place = tmp_path / "t"
    write_deltalake(place, ROWS, partition_by=rng.choice([[], ["city"], ["day", "city"]]))
    for number in range(8):
        what = rng.choice(["append", "append", "overwrite", "delete", "column", "optimize", "checkpoint"])
        some = ROWS.slice(rng.randrange(6), rng.randint(1, 4))
        if what in ("append", "overwrite"):
            write_deltalake(place, some, mode=what, schema_mode="merge")
        elif what == "column":
            late = some.append_column(f"late {number}", pa.array([number] * some.num_rows))
            write_deltalake(place, late, mode="append", schema_mode="merge")
        elif what == "delete":
            DeltaTable(place).delete(f"id = {rng.randrange(7)}")
        elif what == "optimize":
            DeltaTable(place).optimize.compact()
        else:
            DeltaTable(place).create_checkpoint()
        check(tmp_path)


def test_a_version_has_a_fingerprint_and_is_current_until_the_next(tmp_path):
    write_deltalake(tmp_path / "t", ROWS)
    before = tables_of(tmp_path)["t"]
    assert before == tables_of(tmp_path)["t"]
    DeltaTable(tmp_path / "t").alter.set_table_properties({"delta.appendOnly": "false"})
    after = tables_of(tmp_path)["t"]
    assert before.files == after.files
    assert before.fingerprint != after.fingerprint
    assert not table_is_current(before)
    assert table_is_current(after)
    write_deltalake(tmp_path / "t", ROWS, mode="append")
    assert rows_of(before)[1].num_rows == 7
    shutil.rmtree(tmp_path / "t")
    write_deltalake(tmp_path / "t", ROWS)
    assert not table_is_current(before)
    with pytest.raises(InputError, match="not made anew"):
        rows_of(before)
    shutil.rmtree(tmp_path / "t")
    with pytest.raises(InputError, match="the log of a Delta table can be read"):
        table_is_current(before)


def test_a_data_file_is_gone(tmp_path):
    write_deltalake(tmp_path / "t", ROWS)
    table = tables_of(tmp_path)["t"]
    splits = table_splits(table)
    (tmp_path / "t" / table.files[0].relative.removeprefix("t/")).unlink()
    table = tables_of(tmp_path)["t"]
    with pytest.raises(InputError, match="is gone: deleted, or vacuumed"):
        table_splits(table)
    with pytest.raises(InputError, match="can be read"):
        list(delta_tables.read_delta(splits[0], ROWS.schema, batch_bytes=1000))


def test_a_log_that_cannot_be_read(tmp_path):
    write_deltalake(tmp_path / "t", ROWS)
    commit(tmp_path / "u", 0)
    (tmp_path / "u" / "_delta_log" / f"{0:020}.json").write_text("{none")
    table = tables_of(tmp_path)["u"]
    assert "the log of a Delta table can be read" in table.fault
    assert "\n" not in table.fault
    with pytest.raises(InputError, match="a table of a lake can be read"):
        rows_of(table)
    assert table_is_current(table)


def numbers(*values):
    return pa.table({"id": pa.array(values, pa.int64())})


def deleted_log(root, *, partition=()):
    first = add(root, "a b%.parquet", numbers(*range(10)), deleted=[0, 3, 9], row_group_size=4)
    files = [first, add(root, "c.parquet", numbers(*range(100, 105))), add(root, "d.parquet", numbers(7), deleted=[0])]
    commit(root, 0, protocol("deletionVectors"), metadata([column("id")], partition), *files)


def test_deletion_vectors(tmp_path, monkeypatch):
    deleted_log(tmp_path / "t")
    table = tables_of(tmp_path)["t"]
    addresses, found = rows_of(table)
    assert found["id"].to_pylist() == [1, 2, 4, 5, 6, 7, 8, 100, 101, 102, 103, 104]
    assert as_set(found) == as_set(pa.table(DeltaTable(tmp_path / "t").scan()))
    assert addresses == [*range(7), *range((1 << 40), (1 << 40) + 5)]
    monkeypatch.setattr(delta_tables, "SPLIT_BYTES", 1)
    assert [split.first_record for split in table_splits(table) if split.file == 0] == [0, 2, 6]
    assert rows_of(table)[0] == addresses
    assert rows_of(table)[1] == found


@settings(max_examples=30, deadline=None)
@given(
    groups=st.integers(1, 9),
    deleted=st.sets(st.integers(0, 24)),
    bytes_of_split=st.sampled_from([1, 100, 1 << 20]),
)
def test_deletion_vectors_by_brute_force(tmp_path_factory, groups, deleted, bytes_of_split):
    lake = tmp_path_factory.mktemp("lake")
    file = add(lake / "t", "a.parquet", numbers(*range(25)), deleted=sorted(deleted), row_group_size=groups)
    commit(lake / "t", 0, protocol("deletionVectors"), metadata([column("id")]), file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta_tables, "SPLIT_BYTES", bytes_of_split)
        addresses, found = rows_of(tables_of(lake)["t"])
    expected = [i for i in range(25) if i not in deleted]
    assert found["id"].to_pylist() == expected
    assert addresses == list(range(len(expected)))


def test_a_vector_that_is_longer_than_its_file(tmp_path):
    deleted_log(tmp_path / "t")
    pq.write_table(numbers(*range(5)), tmp_path / "t" / "a b%.parquet")
    with pytest.raises(InputError, match="10 records for 5"):
        rows_of(tables_of(tmp_path)["t"])


def test_a_vector_of_a_version_is_that_version_s(tmp_path):
    root = tmp_path / "t"
    commit(root, 0, protocol("deletionVectors"), metadata([column("id")]), add(root, "a.parquet", numbers(1, 2, 3)))
    before = tables_of(tmp_path)["t"]
    commit(root, 1, remove("a.parquet"), add(root, "a.parquet", numbers(1, 2, 3), deleted=[1]))
    after = tables_of(tmp_path)["t"]
    assert [file.path for file in before.files] == [file.path for file in after.files]
    assert before.fingerprint != after.fingerprint
    assert rows_of(before)[1]["id"].to_pylist() == [1, 2, 3]
    assert rows_of(after)[1]["id"].to_pylist() == [1, 3]


def struct(first):
    fields = [
        column("x", **mapped(first, f"col-{first}")),
        column("y", "string", **mapped(first + 1, f"col-{first + 1}")),
    ]
    return {"type": "struct", "fields": fields}


MAPPED = [
    column("id", **mapped(1, "col-1")),
    column("new name", **mapped(2, "col-2")),
    column("part", "string", **mapped(3, "col-3")),
    column("who", struct(5), **mapped(4, "col-4")),
    column("many", {"type": "array", "elementType": struct(10), "containsNull": True}, **mapped(7, "col-7")),
    column("late", **mapped(9, "col-9")),
]


@pytest.mark.parametrize("legacy", [False, True])
def test_columns_mapped_by_name(tmp_path, legacy):
    root = tmp_path / "t"
    who = [{"col-5": 1, "col-6": "a"}, None, {"col-5": None, "col-6": "b"}]
    many = [{"col-10": 1, "col-11": "a"}, None, {"col-10": None, "col-11": "b"}]
    data = pa.table(
        {"col-7": [many, None, []], "col-1": [0, 1, 2], "col-2": [5, 6, 7], "col-4": who, "late": [1, 1, 1]}
    )
    old = pa.table({"col-1": [4], "col-4": [{"col-5": 9}]})
    asked = {"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}} if legacy else protocol("columnMapping")
    files = [
        add(root, "xx/a.parquet", data, partition={"col-3": "A"}),
        add(root, "b.parquet", old, partition={"col-3": None}),
    ]
    mode = {"delta_columnMapping_mode": "name", "delta_columnMapping_maxColumnId": "9"}
    commit(root, 0, asked, metadata(MAPPED, ["part"], **mode), *files)
    found = rows_of(tables_of(tmp_path)["t"])[1]
    named = [{"x": 1, "y": "a"}, None, {"x": None, "y": "b"}]
    rest = {"part": "A", "late": None}
    assert sorted(found.to_pylist(), key=lambda row: row["id"]) == [
        {"id": 0, "new name": 5, "who": named[0], "many": named, **rest},
        {"id": 1, "new name": 6, "who": named[1], "many": None, **rest},
        {"id": 2, "new name": 7, "who": named[2], "many": [], **rest},
        {"id": 4, "new name": None, "who": {"x": 9, "y": None}, "many": None, "part": None, "late": None},
    ]
    assert as_set(found) == as_set(pa.table(DeltaTable(root).scan()))


def test_columns_mapped_by_id(tmp_path):
    root = tmp_path / "t"
    stored = [pa.field(name, pa.int64(), metadata={"PARQUET:field_id": key}) for name, key in (("b", "1"), ("a", "2"))]
    file = add(root, "a.parquet", pa.table({"b": [1], "a": [2]}, schema=pa.schema(stored)))
    mode = {"delta_columnMapping_mode": "id", "delta_columnMapping_maxColumnId": "3"}
    columns = [column(name, **mapped(i + 1, f"p{i}")) for i, name in enumerate(["a", "b", "c"])]
    commit(root, 0, protocol("columnMapping"), metadata(columns, **mode), file)
    assert rows_of(tables_of(tmp_path)["t"])[1].to_pylist() == [{"a": 1, "b": 2, "c": None}]


def test_nested_columns_mapped_by_id_are_refused(tmp_path):
    mode = {"delta_columnMapping_mode": "id", "delta_columnMapping_maxColumnId": "9"}
    commit(tmp_path / "t", 0, protocol("columnMapping"), metadata(MAPPED, **mode))
    assert "columnMapping id, nested: who, many" in tables_of(tmp_path)["t"].fault


def test_types_that_were_widened(tmp_path):
    root = tmp_path / "t"
    narrow = {"id": pa.array([1], pa.int32()), "on": [datetime.date(2020, 1, 2)], "n": pa.array([3], pa.int16())}
    file = add(root, "a.parquet", pa.table({**narrow, "f": pa.array([0.5], pa.float32())}))
    columns = [column("id"), column("on", "timestamp_ntz"), column("n", "decimal(12,2)"), column("f", "double")]
    commit(root, 0, protocol("typeWidening", "timestampNtz"), metadata(columns), file)
    found = rows_of(tables_of(tmp_path)["t"])[1]
    assert found.to_pylist() == [{"id": 1, "on": datetime.datetime(2020, 1, 2), "n": Decimal("3.00"), "f": 0.5}]


def test_a_value_that_does_not_fit_is_an_error(tmp_path):
    root = tmp_path / "t"
    commit(root, 0, protocol(), metadata([column("id", "integer")]), add(root, "a.parquet", numbers(1 << 40)))
    with pytest.raises(InputError, match="in the types of its schema"):
        rows_of(tables_of(tmp_path)["t"])


def test_another_spelling_is_not_taken_for_an_absent_column(tmp_path):
    root = tmp_path / "t"
    commit(root, 0, protocol(), metadata([column("ID")]), add(root, "a.parquet", numbers(1)))
    with pytest.raises(InputError, match="'id' for 'ID'"):
        rows_of(tables_of(tmp_path)["t"])


def test_times_of_spark_far_from_now(tmp_path):
    root = tmp_path / "t"
    times = [datetime.datetime(9999, 12, 31), datetime.datetime(1, 1, 1)]
    data = pa.table({"seen": pa.array(times, pa.timestamp("us"))})
    file = add(root, "a.parquet", data, use_deprecated_int96_timestamps=True)
    commit(root, 0, protocol(), metadata([column("seen", "timestamp")]), file)
    found = rows_of(tables_of(tmp_path)["t"])[1]["seen"].to_pylist()
    assert [value.replace(tzinfo=None) for value in found] == times


def test_a_shallow_clone_reads_files_of_another_folder(tmp_path):
    file = add(tmp_path / "of", "a b.parquet", numbers(1, 2))
    file["add"]["path"] = f"file://{tmp_path}/of/a%20b.parquet"
    commit(tmp_path / "lake" / "t", 0, protocol(), metadata([column("id")]), file)
    table = tables_of(tmp_path / "lake")["t"]
    assert [one.path for one in table.files] == [f"{tmp_path}/of/a b.parquet"]
    assert rows_of(table)[1]["id"].to_pylist() == [1, 2]


@pytest.mark.parametrize("name", ["t u", "é#?&", "a:b", 'q"<>|'])
def test_odd_names_of_folders(tmp_path, name):
    deleted_log(tmp_path / name)
    found = rows_of(tables_of(tmp_path)[name])[1]
    assert found["id"].to_pylist() == [1, 2, 4, 5, 6, 7, 8, 100, 101, 102, 103, 104]


def test_a_per_cent_sign_is_no_escape(tmp_path):
    deleted_log(tmp_path / "x y")
    deleted_log(tmp_path / "x%20y")
    assert "no per cent sign" in tables_of(tmp_path)["x%20y"].fault


@pytest.mark.parametrize(
    ("features", "columns", "named"),
    [
        (["catalogManaged"], [column("id")], "catalog-managed"),
        (["nonsense"], [column("id")], "nonsense"),
        (["variantType"], [column("id"), column("v", "variant")], "column 'v' of type variant"),
        (["variantType"], [column("l", {"type": "array", "elementType": "variant", "containsNull": True})], "'l'"),
    ],
)
def test_a_feature_that_is_not_honoured_is_named(tmp_path, features, columns, named):
    commit(tmp_path / "t", 0, protocol(*features), metadata(columns))
    table = tables_of(tmp_path)["t"]
    assert named in table.fault
    with pytest.raises(InputError, match="a table of a lake can be read"):
        table_splits(table)


def test_a_feature_that_asks_nothing_of_a_reader(tmp_path):
    root = tmp_path / "t"
    features = ["variantType", "vacuumProtocolCheck", "v2Checkpoint"]
    commit(root, 0, protocol(*features), metadata([column("id")]), add(root, "a.parquet", numbers(1)))
    assert rows_of(tables_of(tmp_path)["t"])[1]["id"].to_pylist() == [1]


def test_the_library_is_not_there(tmp_path, monkeypatch):
    write_deltalake(tmp_path / "t", ROWS)
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(EngineError, match=r"pip install 'tamis\[lake\]'"):
        tables_of(tmp_path)
