"""Delimited files as tables, against the reader of the same files as documents."""

import csv
import gzip
import io
import tracemalloc
from random import Random

import pyarrow as pa
import pytest

from tamis.connectors import delimited
from tamis.connectors.address import record_of
from tamis.connectors.corpus import InputSpec, open_corpus, plan_splits
from tamis.connectors.delimited import read_csv, whole_file
from tamis.connectors.delimited_table import read_delimited_table, read_header, survey_delimited
from tamis.connectors.dialect import Dialect
from tamis.connectors.json_fault import BLANK_LINE
from tamis.hashing.errors import InputError

WHOLE = 16 << 20
SIZES = [WHOLE, 1, 7, 64, 300]


def put(folder, data, name="a.csv"):
    path = folder / name
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (file,) = open_corpus([InputSpec(str(path))]).files
    return file


def read(split, columns, batch_bytes=WHOLE):
    """Return (record, values or the rule) of each row."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    rows = []
    for batch in read_delimited_table(split, schema, schema, batch_bytes):
        batch.validate(full=True)
        assert batch.schema.names == ["__address", *columns, "__rule"]
        for row in batch.to_pylist():
            number, rule = record_of(row.pop("__address")), row.pop("__rule")
            assert rule is None or not any(value is not None for value in row.values())
            rows.append((number, rule or list(row.values())))
    return rows


def by_the_other_reader(split, columns):
    """Return the same rows as read one by one, all rules in the words of that reader."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    rows = []
    for batch in read_csv(split, schema, full=schema, batch_bytes=WHOLE):
        for row in batch.to_pylist():
            number, rule = record_of(row.pop("__address")), row.pop("__rule")
            row.pop("__raw")
            if rule != BLANK_LINE:
                rows.append((number, rule or list(row.values())))
    return rows


def same_words(rows):
    """Name ragged records as the other reader does."""
    return [
        (number, "ragged-line" if isinstance(found, str) and found.startswith("ragged: ") else found)
        for number, found in rows
    ]


PIECES = ['"', ",", ",", "\n", "\r", "\r\n", "a", "é", "🦊", '"x ""y"" z",', '"1\n2",', "long " * 9, "\n\n", ",1\n"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "broken"])
def test_rows_are_those_of_the_other_reader(tmp_path, seed, encoding):
    rng = Random(seed)
    for _ in range(60):
        names = rng.choice([["a"], ["a", "b"], ["b", "c", "a"]])
        body = "".join(rng.choices(PIECES, k=rng.choice([0, 9, 60])))
        text = rng.choice(["", "\n\r"]) + ",".join(names) + "\n" + body
        data = text.encode("utf-8" if encoding == "broken" else encoding)
        if encoding == "broken":
            data = data.replace("🦊".encode(), b"\xf0\x9f").replace(b"z", b"\xed\xa0\x80")
        file = put(tmp_path, data)
        (split,) = plan_splits(file, split_bytes=WHOLE)
        assert survey_delimited(file) == (split, names)
        assert read_header(split) == names
        columns = rng.sample([*names, "absent"], k=rng.randint(0, len(names)))
        expected = by_the_other_reader(split, columns)
        for size in SIZES:
            assert same_words(read(split, columns, size)) == expected, (text, size)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a,b", []),
        (b"a,b\n1,2", [(0, ["1", "2"])]),
        (b"\r\n\na,b\r1,2\r\r3,4", [(0, ["1", "2"]), (2, ["3", "4"])]),
        (b'a,b\n"x ""y""",\n', [(0, ['x "y"', ""])]),
        (b"a,b\n1\n1,2\n1,2,3\n", [
            (0, "ragged: 1 field, the header has 2"), (1, ["1", "2"]), (2, "ragged: 3 fields, the header has 2"),
        ]),
        (b'a,b\n"1"x,2\n1,2\n', [(0, "invalid-csv"), (1, ["1", "2"])]),
        (b'a,b\n\n1,"2\n1,2\n', [(1, "unterminated-quote")]),
        (b"a,b\n1,\xe9\n\n1,2\n", [(0, "invalid-utf8"), (2, ["1", "2"])]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_records(tmp_path, data, expected, name):
    (split,) = plan_splits(put(tmp_path, data, name), split_bytes=WHOLE)
    for size in SIZES:
        assert read(split, ["a", "b"], size) == expected
        assert read(split, ["b"], size) == [
            (number, found if isinstance(found, str) else found[1:]) for number, found in expected
        ]


def test_a_record_is_bad_whichever_columns_are_asked_for(tmp_path):
    (split,) = plan_splits(put(tmp_path, b"a,b\n1,\xff\n2,3\n"), split_bytes=WHOLE)
    assert read(split, ["a"]) == [(0, "invalid-utf8"), (1, ["2"])]
    assert read(split, []) == [(0, "invalid-utf8"), (1, [])]


def test_lone_surrogates_are_named_where_a_file_is_utf_16(tmp_path):
    data = "\ufeffa,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8" + ",2\n".encode("utf-16-le")
    (split,) = plan_splits(put(tmp_path, data), split_bytes=WHOLE)
    assert read(split, ["a"]) == [(0, ["1"]), (1, "lone-surrogate")]


def test_many_rows_over_many_batches(tmp_path):
    rng = Random(1)
    rows = [[str(i), "x" * rng.randint(0, 90) + rng.choice(['"', ",", "\n", "é"]), ""] for i in range(5000)]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([["id", "text", "none"], *rows])
    file = put(tmp_path, out.getvalue().encode())
    split, names = survey_delimited(file)
    assert names == ["id", "text", "none"]
    assert dict(split.options)["delimiter"] == ";"
    for size in (1000, 65_536, WHOLE):
        found = read(split, ["text", "none", "id"], size)
        assert found == [(i, [text, none, name]) for i, (name, text, none) in enumerate(rows)]


def test_a_header_longer_than_what_is_looked_at(tmp_path):
    names = [f"{'column ' * 20}{i}" for i in range(3000)]
    file = put(tmp_path, ",".join(names).encode() + b"\n" + b",".join([b"1"] * 3000) + b"\n")
    split, found = survey_delimited(file)
    assert found == names
    assert read(split, [names[2999]], 100) == [(0, ["1"])]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"a,\xe9\n1,2\n", "invalid-utf8"),
        (b'a,"b\n1,2\n', "unterminated-quote"),
        (b'"a"b,c\n', "invalid-csv"),
        (b"a\0,b\n1,2\n", "a NUL"),
    ],
)
def test_headers_that_cannot_be_read_are_refused(tmp_path, data, found):
    file = put(tmp_path, data)
    (split,) = plan_splits(file, split_bytes=WHOLE)
    with pytest.raises(InputError, match=f"the header of a CSV is a record in UTF-8.*; found {found} in {file.path}"):
        survey_delimited(file)
    with pytest.raises(InputError, match=f"found {found} in {file.path}"):
        read(split, ["a"])


def test_values_are_cast_where_other_files_of_the_table_have_types(tmp_path):
    (split,) = plan_splits(put(tmp_path, b"a,b\n1,2\n3\n"), split_bytes=WHOLE)
    schema = pa.schema([("b", pa.large_string()), ("a", pa.int64())])
    (batch,) = read_delimited_table(split, schema, schema, WHOLE)
    assert batch.schema.field("b").type == pa.large_string()
    assert (batch["b"].to_pylist(), batch["a"].to_pylist()) == (["2", None], [1, None])
    with pytest.raises(InputError, match="values fit the type"):
        list(read_delimited_table(split, pa.schema([("b", pa.date32())]), schema, WHOLE))


@pytest.mark.parametrize("data", [b'1,"' + b"2,3\n" * 100, b"x" * 200 + b",1\n", b'"' + b"x" * 500])
def test_a_record_that_is_too_long_is_refused(tmp_path, monkeypatch, data):
    (split,) = plan_splits(put(tmp_path, b"a,b\n1,2\n" + data + b"\n1,2\n"), split_bytes=WHOLE)
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 100)
    for size in SIZES:
        with pytest.raises(InputError, match=f"a record has at most 100 bytes; found a longer one in {split.path}"):
            read(split, ["a"], size)


def test_a_quote_that_never_ends_does_not_fill_the_memory(tmp_path, monkeypatch):
    (split,) = plan_splits(put(tmp_path, b'a,b\n1,"' + b"2,3\n" * (8 << 20)), split_bytes=WHOLE)
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 64 << 10)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="a record has at most"):
            read(split, ["a"], 64 << 10)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_damaged_files_are_named_and_never_shorter_in_silence(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919 % 100_003) for i in range(50_000)))
    path = tmp_path / "a.csv.gz"
    for at in (20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at])
        (file,) = open_corpus([InputSpec(str(path))]).files
        for size in (1000, WHOLE):
            with pytest.raises(InputError, match=f"an input can be read to its end; found {path}"):
                read(whole_file(file, Dialect(",", "utf-8")), ["a"], size)
