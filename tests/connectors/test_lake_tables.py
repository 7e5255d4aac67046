"""What a lake's tables are surveyed and read as."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors import dialect, lake_tables
from tamis.connectors.lake_reading import read_table_split, survey_table, table_schema, table_splits
from tamis.connectors.lake_tables import list_tables
from tamis.hashing.errors import InputError


def lake(folder, files):
    """Write files, by name, and return the tables by name."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return {table.name: table for table in list_tables([str(folder)])[0]}


def test_a_survey_says_what_splits_and_schema_say(tmp_path):
    pq.write_table(pa.table({"n": [1, 2], "t": ["x", "y"]}), tmp_path / "p.parquet")
    tables = lake(
        tmp_path,
        {
            "a.csv": b"\n\nx;y\n1;2\n",
            "b.tsv": "\ufeffé\t\n1\t2\n".encode(),
            "w.csv": "a|b\n1|2\n".encode("utf-16"),
            "e.csv": b"",
            "j.jsonl": json.dumps({"k": 1}).encode() + b"\n",
            "f/part-0.csv": b"a,b\n1,2\n",
            "f/part-1.csv": b"a,b\n3,4\n",
        },
    )
    names = {"a.csv": ["x", "y"], "b.tsv": ["é", ""], "w.csv": ["a", "b"], "e.csv": [], "j.jsonl": ["k"]}
    names |= {"f": ["a", "b"], "p.parquet": ["n", "t"]}
    assert set(tables) == set(names)
    for name, table in tables.items():
        splits, schema = survey_table(table)
        assert schema.names == names[name]
        assert splits == table_splits(table)
        assert schema.equals(table_schema(table, splits), check_metadata=True)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({"t/part-0.csv": b"a,b\n", "t/part-1.csv": b"b,a\n"}, "files of one table have the same columns"),
        ({"t.csv": b"a,b,a\n"}, "the columns of a table have names of their own"),
        ({"t.csv": b"a,\xe9\n"}, "the header of a CSV is a record in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, files, rule):
    (table,) = lake(tmp_path, files).values()
    with pytest.raises(InputError, match=rule):
        survey_table(table)
    with pytest.raises(InputError, match=rule):
        table_schema(table, table_splits(table))


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_rows_have_rules_in_every_format(tmp_path, name):
    if name.endswith("parquet"):
        pq.write_table(pa.table({"a": ["1", "2"], "b": ["x", "y"]}), tmp_path / name)
        expected = [("1", None), ("2", None)]
        (table,) = lake(tmp_path, {}).values()
    else:
        data = {"t.csv": b"a,b\n1,x\n2\n3,z\n", "t.jsonl": b'{"a": "1", "b": "x"}\n{"a"\n{"a": "3", "b": "z"}\n'}[name]
        why = {"t.csv": "ragged: 1 field, the header has 2", "t.jsonl": "invalid-json"}[name]
        expected = [("1", None), (None, why), ("3", None)]
        (table,) = lake(tmp_path, {name: data}).values()
    (split,), schema = survey_table(table)
    batches = list(read_table_split(split, pa.schema([schema.field("a")]), schema))
    assert {tuple(batch.schema.names) for batch in batches} == {("__address", "a", "__rule")}
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [(row["a"], row["__rule"]) for row in rows] == expected
    assert [row["__address"] for row in rows] == list(range(len(expected)))


def test_a_small_delimited_file_is_opened_once_to_survey_and_once_to_read(tmp_path, monkeypatch):
    (table,) = lake(tmp_path, {"t.csv": b"a,b\n1,x\n2,y\n"}).values()
    opened = []
    open_stored = dialect.open_stored
    monkeypatch.setattr(dialect, "open_stored", lambda path, kind: opened.append(path) or open_stored(path, kind))
    (split,), schema = survey_table(table)
    assert opened == [split.path]
    list(read_table_split(split, schema, schema))
    assert opened == [split.path] * 2
    assert not hasattr(lake_tables, "open_stored")
