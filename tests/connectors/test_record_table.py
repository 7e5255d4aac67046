"""Tables of records in every form, read whole."""

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.record_table import read_record_table, stamp_of
from tamis.hashing.errors import InputError

ROWS = [{"id": "1", "name": "a, b"}, {"id": "2", "name": ""}, {"id": "3", "name": "ü"}]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t", "%", "#", "^", "~", ">"])
@pytest.mark.parametrize("zipped", [False, True])
def test_delimiters_are_found(tmp_path, delimiter, zipped):
    text = "".join(delimiter.join(cells) + "\n" for cells in [("id", "name"), ("1", '"a, b"'), ("2", ""), ("3", "ü")])
    path = tmp_path / ("t.csv.gz" if zipped else "t.csv")
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    table = read_record_table(str(path))
    assert table.rows.to_pylist() == ROWS
    assert (table.delimiter, table.unread) == (delimiter, ())


def test_a_rare_delimiter_is_tried_only_where_no_usual_one_is(tmp_path):
    (tmp_path / "t.csv").write_text("a%b,c%d\n1%2,3%4\n")
    assert read_record_table(str(tmp_path / "t.csv")).rows.to_pylist() == [{"a%b": "1%2", "c%d": "3%4"}]


def test_a_delimiter_that_is_named(tmp_path):
    (tmp_path / "t.csv").write_text("id,a:b\n1,x:y\n")
    assert read_record_table(str(tmp_path / "t.csv"), delimiter=":").rows.to_pylist() == [{"id,a": "1,x", "b": "y"}]


def test_one_column_stays_one(tmp_path):
    (tmp_path / "t.csv").write_text("title\nno delimiter at all\n")
    assert read_record_table(str(tmp_path / "t.csv")).rows.to_pylist() == [{"title": "no delimiter at all"}]


def test_a_folder_is_one_table_in_order_of_its_files(tmp_path):
    for name, ids in (("b", [3]), ("a", [1, 2])):
        pq.write_table(pa.table({"id": ids, "x": [f"{name}{i}" for i in ids]}), tmp_path / f"{name}.parquet")
    rows = read_record_table(str(tmp_path)).rows
    assert rows.to_pylist() == [{"id": 1, "x": "a1"}, {"id": 2, "x": "a2"}, {"id": 3, "x": "b3"}]


def test_json_lines(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"id": 1, "x": "a"}\n{"id": 2, "x": null}\n')
    assert read_record_table(str(tmp_path / "t.jsonl")).rows.to_pylist() == [{"id": 1, "x": "a"}, {"id": 2, "x": None}]


def test_a_delta_table(tmp_path):
    deltalake = pytest.importorskip("deltalake")
    deltalake.write_deltalake(str(tmp_path / "t"), pa.table({"id": [1, 2], "x": ["a", "b"]}))
    assert read_record_table(str(tmp_path / "t")).rows.to_pylist() == [{"id": 1, "x": "a"}, {"id": 2, "x": "b"}]


def test_records_that_cannot_be_read_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("id,x\n1,a\n2\n3,c\n4,d,e\n")
    table = read_record_table(str(tmp_path / "t.csv"))
    assert table.rows.to_pylist() == [{"id": "1", "x": "a"}, {"id": "3", "x": "c"}]
    path = str(tmp_path / "t.csv")
    assert table.unread == (
        (path, 1, "ragged: 1 field, the header has 2"),
        (path, 3, "ragged: 3 fields, the header has 2"),
    )


def test_names_lose_white_space_at_their_ends(tmp_path):
    (tmp_path / "t.csv").write_text("id, name ,x\n1,a,b\n")
    assert read_record_table(str(tmp_path / "t.csv")).rows.column_names == ["id", "name", "x"]
    (tmp_path / "t.csv").write_text("id, id\n1,a\n")
    with pytest.raises(InputError, match="'id' more than once"):
        read_record_table(str(tmp_path / "t.csv"))


def test_no_such_table(tmp_path):
    with pytest.raises(InputError):
        read_record_table(str(tmp_path / "none.csv"))


def test_the_stamp_changes_with_the_file(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,x\n1,a\n")
    before = stamp_of(str(path))
    assert stamp_of(str(path)) == before
    path.write_text("id,x\n1,a\n2,b\n")
    assert stamp_of(str(path)) != before
