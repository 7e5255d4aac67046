"""Files written again in the form that they had."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.connectors.dialect import DELIMITERS
from tamis.connectors.lake_tables import list_tables
from tamis.connectors.table_files import FileForm, form_from_json, form_of, write_again
from tamis.hashing.errors import InputError

TEXTS = st.text(st.sampled_from(list(",;|\t\"'\r\n a\\^]é漢\ufeff0")), max_size=6)


@settings(deadline=None)
@given(
    st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(DELIMITERS),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
)
def test_delimited_records_are_read_as_they_were(rows, delimiter, line_end, encoding):
    names = [f"a{delimiter}{i}" for i in range(len(rows[0]))]
    schema = pa.schema([(name, pa.string()) for name in names])
    form = FileForm("x.csv", "csv", "", schema, delimiter=delimiter, encoding=encoding, line_end=line_end)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
        write_again(path, form, pa.Table.from_arrays(columns, schema=schema))
        text = path.read_bytes().decode(encoding)
    if encoding != "utf-8":
        assert text[0] == "\ufeff"
        text = text[1:]
    assert text.endswith(line_end)
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) == [names, *rows]


def forms(folder):
    return {table.name: form_of(table.files[0]) for table in list_tables([str(folder)])[0]}


def test_forms_of_files(tmp_path):
    nested = pa.schema([("b", pa.list_(pa.struct([("c", pa.int8())]))), ("a", pa.decimal128(5, 2))], {"k": "v"})
    pq.write_table(nested.empty_table(), tmp_path / "empty.parquet")
    pq.write_table(pa.table({"a": range(10)}), tmp_path / "rows.parquet", compression="zstd", row_group_size=4)
    (tmp_path / "a.csv").write_bytes(b"x|y\r\n1|2\r\n")
    (tmp_path / "mac.tsv").write_bytes(b"x\ty\r1\t2\r")
    (tmp_path / "a.ndjson").write_text('{"n": 1.5, "s": null}\n{"n": 2}\n')
    found = forms(tmp_path)
    assert found["empty.parquet"].schema.equals(nested)
    assert found["empty.parquet"].schema.metadata[b"k"] == b"v"
    assert (found["rows.parquet"].codec, found["rows.parquet"].group_rows) == ("zstd", 4)
    assert (found["a.csv"].delimiter, found["a.csv"].line_end, found["a.csv"].encoding) == ("|", "\r\n", "utf-8")
    assert (found["mac.tsv"].delimiter, found["mac.tsv"].line_end) == ("\t", "\r")
    assert found["a.ndjson"].schema == pa.schema([("n", pa.float64()), ("s", pa.null())])
    for form in found.values():
        raw = json.loads(json.dumps(form.as_json()))
        assert raw["columns"] == {field.name: str(field.type) for field in form.schema}
        again = form_from_json(raw)
        assert again == form
        assert again.schema.equals(form.schema, check_metadata=True)


def test_a_format_that_is_not_written_again(tmp_path):
    rows = pa.table({"a": [1]})
    with pa.ipc.new_file(tmp_path / "a.arrow", rows.schema) as stream:
        stream.write_table(rows)
    with pytest.raises(InputError, match="files that are written again are parquet, csv, jsonl"):
        forms(tmp_path)


def test_rows_in_json_lines(tmp_path):
    rows = [{"a": 2**60, "b": [{"c": "é\n"}, None], "d": 0.1}, {"a": None, "b": None, "d": -0.0}]
    table = pa.Table.from_pylist(rows)
    write_again(tmp_path / "x.jsonl", FileForm("x.jsonl", "jsonl", "", table.schema), table)
    lines = (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines == ['{"a": 1152921504606846976, "b": [{"c": "é\\n"}, null], "d": 0.1}',
                     '{"a": null, "b": null, "d": -0.0}']  # fmt: skip
