import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.connectors.parquet_output import (
    WRITTEN,
    HashedFile,
    Written,
    canonical,
    groups_of,
    write_parquet,
    written_line,
)

DICT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("text", pa.string()),
        ("kind", DICT),
        ("tags", pa.list_(pa.string())),
        ("meta", pa.struct([("x", pa.float64()), ("y", pa.list_(pa.int8()))])),
    ]
)
ROWS = [
    {
        "n": i if i % 5 else None,
        "text": f"text {i} " * (i % 7) if i % 11 else None,
        "kind": ["web", "book", None, "code"][i * i % 4],
        "tags": [["a"], [], None, ["b", None]][i % 4],
        "meta": {"x": i / 3, "y": [1] * (i % 3)} if i % 6 else None,
    }
    for i in range(100)
]


def table(rows, schema=SCHEMA):
    return pa.Table.from_pylist(rows, schema)


def chunked(rows, cuts):
    """Return a table in chunks that each were built alone, with dictionaries of their own."""
    bounds = [0, *cuts, len(rows)]
    return pa.concat_tables([table(rows[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)])


def write(path: Path, *groups: pa.Table, schema=SCHEMA) -> bytes:
    write_parquet(path, iter(groups), schema)
    return path.read_bytes()


def test_rows_come_back_one_row_group_a_table(tmp_path):
    found = write_parquet(
        tmp_path / "a.parquet", iter([table(ROWS[:30]), table(ROWS[30:31]), table(ROWS[31:])]), SCHEMA
    )
    file = pq.ParquetFile(tmp_path / "a.parquet")
    assert file.read().to_pylist() == ROWS
    assert file.schema_arrow == SCHEMA
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [30, 1, 69]
    assert found[0] == 100


def test_the_size_and_the_sha256_are_those_of_the_file(tmp_path):
    rows, size, sha256, groups = write_parquet(tmp_path / "a.parquet", iter([table(ROWS)]), SCHEMA)
    content = (tmp_path / "a.parquet").read_bytes()
    assert (rows, size, sha256) == (100, len(content), hashlib.sha256(content).hexdigest())
    assert groups.tolist() == [[100, 4, sum(c.total_compressed_size for c in columns_of(tmp_path / "a.parquet", 0))]]


def columns_of(path, group):
    found = pq.read_metadata(path).row_group(group)
    return [found.column(i) for i in range(found.num_columns)]


def test_groups_are_where_the_footer_says(tmp_path):
    path = tmp_path / "a.parquet"
    written = write_parquet(path, iter([table(ROWS[:30]), table(ROWS[30:])]), SCHEMA, chunked=True)
    first, second = (columns_of(path, i) for i in range(2))
    starts = [min(c.dictionary_page_offset or c.data_page_offset for c in columns) for columns in (first, second)]
    sizes = [sum(c.total_compressed_size for c in columns) for columns in (first, second)]
    assert written.groups.tolist() == [[30, starts[0], sizes[0]], [70, starts[1], sizes[1]]]
    assert groups_of(written.groups.tobytes()) == [
        {"rows": 30, "offset": starts[0], "size_bytes": sizes[0]},
        {"rows": 70, "offset": starts[1], "size_bytes": sizes[1]},
    ]


@pytest.mark.parametrize("cuts", [[1], [50], [50, 50], [3, 20, 99], list(range(1, 100))])
def test_equal_rows_in_other_chunks_give_equal_bytes(tmp_path, cuts):
    assert write(tmp_path / "a", table(ROWS)) == write(tmp_path / "b", chunked(ROWS, cuts))


def test_equal_rows_in_a_slice_give_equal_bytes(tmp_path):
    part = write(tmp_path / "a", table(ROWS[13:57]))
    assert write(tmp_path / "b", table(ROWS).slice(13, 44)) == part
    assert write(tmp_path / "c", chunked(ROWS, [20, 30, 31]).slice(13, 44)) == part
    assert write(tmp_path / "d", table(ROWS).take(pa.array(range(13, 57)))) == part


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(ROWS), max_size=20), st.lists(st.integers(0, 20), max_size=4))
def test_equal_rows_give_equal_bytes(tmp_path_factory, rows, cuts):
    folder = tmp_path_factory.mktemp("equal")
    cuts = sorted(min(cut, len(rows)) for cut in cuts)
    assert write(folder / "a", table(rows)) == write(folder / "b", chunked(rows, cuts))


def test_dictionaries_hold_their_values_in_order_of_appearance():
    kinds = pa.DictionaryArray.from_arrays(pa.array([3, 1, None, 3, 0]), pa.array(["a", "b", "unused", "d"]))
    schema = pa.schema([("kind", pa.dictionary(pa.int64(), pa.string()))])
    found = canonical(pa.Table.from_arrays([kinds], schema=schema))["kind"]
    assert found.to_pylist() == ["d", "b", None, "d", "a"]
    assert found.chunk(0).dictionary.to_pylist() == ["d", "b", "a"]
    assert found.type == kinds.type


def in_struct(kinds):
    mask = pa.array([False, False, True])
    return pa.StructArray.from_arrays([kinds], fields=[pa.field("k", DICT)], mask=mask), [{"k": "x"}, {"k": "y"}, None]


def in_list(kinds):
    mask = pa.array([False, True, False])
    array = pa.ListArray.from_arrays(pa.array([0, 2, 3, 3], pa.int32()), kinds, type=pa.list_(DICT), mask=mask)
    return array, [["x", "y"], None, []]


def in_list_of_structs(kinds):
    structs, rows = in_struct(kinds)
    offsets = pa.array([0, 1, 3], pa.int64())
    return pa.LargeListArray.from_arrays(offsets, structs), [rows[:1], rows[1:]]


@pytest.mark.parametrize("build", [in_struct, in_list, in_list_of_structs])
def test_dictionaries_inside_others_do_not_matter_either(tmp_path, build):
    found = set()
    for values, codes in [(["x", "y"], [0, 1, 0]), (["unused", "y", "x", "hidden"], [2, 1, 3])]:
        kinds = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(values))
        array, rows = build(kinds)
        for whole in (array, pa.concat_arrays([array, array]).slice(len(array))):
            wrapped = pa.Table.from_arrays([whole], names=["c"])
            assert canonical(wrapped)["c"].to_pylist() == rows
            canonical(wrapped).validate(full=True)
            found.add(write(tmp_path / "a", wrapped, schema=wrapped.schema))
    assert len(found) == 1


def test_without_groups_there_is_a_file_without_rows(tmp_path):
    assert write_parquet(tmp_path / "a.parquet", iter([]), SCHEMA)[0] == 0
    assert pq.read_table(tmp_path / "a.parquet") == SCHEMA.empty_table()


def test_a_group_without_rows(tmp_path):
    assert write_parquet(tmp_path / "a.parquet", iter([SCHEMA.empty_table()]), SCHEMA)[0] == 0
    assert pq.read_table(tmp_path / "a.parquet") == SCHEMA.empty_table()


def test_folders_are_made(tmp_path):
    write(tmp_path / "x/y/a.parquet", table(ROWS))
    assert sorted(p.name for p in (tmp_path / "x/y").iterdir()) == ["a.parquet"]


def failing_groups():
    yield table(ROWS)
    raise RuntimeError("stop")


def test_an_exception_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError, match="stop"):
        write_parquet(tmp_path / "a.parquet", failing_groups(), SCHEMA)
    assert list(tmp_path.iterdir()) == []


def test_an_exception_leaves_the_old_file_as_it_was(tmp_path):
    before = write(tmp_path / "a.parquet", table(ROWS[:1]))
    with pytest.raises(RuntimeError, match="stop"):
        write_parquet(tmp_path / "a.parquet", failing_groups(), SCHEMA)
    assert (tmp_path / "a.parquet").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_a_table_of_another_schema_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match="schema"):
        write_parquet(tmp_path / "a.parquet", iter([pa.table({"other": [1]})]), SCHEMA)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_parquet(tmp_path / "a.parquet", iter([table(ROWS)]), SCHEMA)
    assert list(tmp_path.iterdir()) == []


def test_the_name_appears_when_the_file_is_complete(tmp_path):
    with HashedFile(tmp_path / "a") as file:
        file.write(b"12")
        file.flush()
        assert not (tmp_path / "a").exists()
        file.write(b"3")
        assert file.tell() == 3
    assert (tmp_path / "a").read_bytes() == b"123"
    assert (file.size_bytes, file.digest.hexdigest()) == (3, hashlib.sha256(b"123").hexdigest())
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_the_line_about_a_file():
    written = Written(10, 1234, "ab", np.array([[10, 4, 99]]))
    line = written_line(3, "part-00003.parquet", written)
    assert line.schema == WRITTEN
    assert line.to_pylist() == [
        {"file": 3, "name": "part-00003.parquet", "rows": 10, "size_bytes": 1234, "sha256": "ab"}
        | {"groups": np.array([10, 4, 99]).tobytes()}
    ]
