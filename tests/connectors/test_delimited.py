import bz2
import csv
import gzip
import io
import lzma
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reader_contract import WHOLE, ReaderContract, body, find_columns, read, splits_of

from tamis.connectors import delimited
from tamis.connectors.address import record_of
from tamis.connectors.corpus import InputFile, InputSpec, open_corpus
from tamis.connectors.delimited import INVALID_CSV, RAGGED_LINE, UNTERMINATED_QUOTE
from tamis.connectors.json_fault import BLANK_LINE, INVALID_UTF8, LONE_SURROGATE
from tamis.connectors.schema import unify
from tamis.hashing.errors import InputError

PACKERS = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


class DelimitedContract(ReaderContract):
    name = "records.csv"
    delimiter = ","
    encoding = "utf-8"
    line_end = "\r\n"
    ending = ""
    counted = False
    columns = pa.schema([(name, pa.string()) for name in ["id", "text", "é;b", 'a, "b"\nc', "empty", "tab\tbed"]])
    subset = ["tab\tbed", "text", 'a, "b"\nc']
    records = [
        {
            "id": str(i),
            "text": [
                "plain",
                "",
                'né\r\n\tà "Paris" \\',
                "日本語 🦊",
                "nul \0 inside",
                "\u2028\x7f\x0b\x0c\x1c\x85",
                "two\nlines\n",
                "old\rmac\r",
                '"',
                ",;|\t",
            ][i % 10],
            "é;b": ["null", "NaN", " 1.50 ", "true", "'"][i % 5],
            "a, \"b\"\nc": "x" * 40 * i,
            "empty": "",
            "tab\tbed": "\ufeff",
        }
        for i in range(12)
    ]  # fmt: skip

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        out = io.StringIO(newline="")
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.line_end, quoting=csv.QUOTE_ALL)
        writer.writerow(self.columns.names)
        writer.writerows(record.values() for record in records)
        path = folder / f"{self.name}{self.ending}"
        path.write_bytes(PACKERS[self.ending](out.getvalue().encode(self.encoding)))
        return InputSpec(str(path))


class TestComma(DelimitedContract):
    pass


class TestSemicolon(DelimitedContract):
    delimiter = ";"
    line_end = "\n"


class TestTsv(DelimitedContract):
    name = "records.tsv"
    delimiter = "\t"
    line_end = "\r"


class TestGzip(DelimitedContract):
    ending = ".gz"


class TestUtf16(DelimitedContract):
    encoding = "utf-16"


SIZES = [(WHOLE, WHOLE), (WHOLE, 1), (1, WHOLE), (1, 2), (7, 3), (7, 5), (30, 11), (64, 200)]


def put(folder: Path, data: bytes, name: str = "a.csv", ending: str = "") -> InputFile:
    path = folder / f"{name}{ending}"
    path.write_bytes(PACKERS[ending](data))
    return open_corpus([InputSpec(str(path), format="csv")]).files[0]


def read_all(file: InputFile, split_bytes: int, batch_bytes: int) -> tuple[list[str], list[Any], list[bytes | None]]:
    columns = find_columns(file, split_bytes=split_bytes, batch_bytes=batch_bytes)
    table = read(file, split_bytes=split_bytes, batch_bytes=batch_bytes)
    assert [record_of(value) for value in table["__address"].to_pylist()] == list(range(table.num_rows))
    table.validate(full=True)
    rules, records = table["__rule"].to_pylist(), body(table).to_pylist()
    assert all(value is None for rule, record in zip(rules, records, strict=True) if rule for value in record.values())
    assert [rule is None for rule in rules] == [raw is None for raw in table["__raw"].to_pylist()]
    found = [rule or list(record.values()) for rule, record in zip(rules, records, strict=True)]
    return columns.names, found, table["__raw"].to_pylist()


def check(folder: Path, data: bytes, name: str = "a.csv") -> tuple[list[str], list[Any], list[bytes | None]]:
    """Return (columns, for each record its values or the rule it breaks, its bytes), after trying all sizes."""
    found = [read_all(put(folder, data, name), *size) for size in SIZES]
    found += [read_all(put(folder, data, name, ".gz"), WHOLE, size) for size in (1, WHOLE)]
    assert all(other == found[0] for other in found[1:])
    return found[0]


R = ["1", "2"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"1,2\n", [R]),
        (b"1,2", [R]),
        (b"1,2\r\n1,2\r\n", [R, R]),
        (b"1,2\r1,2\r", [R, R]),
        (b"1,2\r1,2\n1,2\r\n1,2", [R, R, R, R]),
        (b'"1","2"\n"1",2\n1,"2"', [R, R, R]),
        (b'"1\r\n",2\n1,"\n"\n"\r","\r\r\n"\n', [["1\r\n", "2"], ["1", "\n"], ["\r", "\r\r\n"]]),
        (b'"a ""b"" c",","\n"""",""\n', [['a "b" c', ","], ['"', ""]]),
        (b",\n", [["", ""]]),
        (b'1, "2"\n1 ,2 \n', [["1", ' "2"'], ["1 ", "2 "]]),
        (b'a"b,c""d\n', [['a"b', 'c""d']]),
        (b"a\\,b\\\n", [["a\\", "b\\"]]),
        (b"#1,2\n", [["#1", "2"]]),
        (b"a\0b,\0\n\0,\n", [["a\0b", "\0"], ["\0", ""]]),
        ("é,🦊\n日本,\ufeff\n".encode(), [["é", "🦊"], ["日本", "\ufeff"]]),
        ("a\u2028b,\x85\x0b\x0c\x1c\n".encode(), [["a\u2028b", "\x85\x0b\x0c\x1c"]]),
        # blank lines
        (b"\n1,2\n\r\n\r\r\n1,2\n\n", [BLANK_LINE, R, BLANK_LINE, BLANK_LINE, BLANK_LINE, R, BLANK_LINE]),
        (b" \n1,2\n", [RAGGED_LINE, R]),
        # fields missing, or too many
        (b"1\n1,2\n1,2,3\n1,2,\n1,2\n", [RAGGED_LINE, R, RAGGED_LINE, RAGGED_LINE, R]),
        (b'""\n1,2\n', [RAGGED_LINE, R]),
        # bytes that are not UTF-8
        (b"1,2\n\xff,2\n1,\xe9\n1,2\n", [R, INVALID_UTF8, INVALID_UTF8, R]),
        (b'1,"\xf0\x9f\n"\n1,2\n', [INVALID_UTF8, R]),
        (b"1,\xed\xa0\x80\n1,2\n", [INVALID_UTF8, R]),
        (b"\xc0\x80\n1,2\n", [INVALID_UTF8, R]),
        (b"\xef\xbb\xbf1,2\n", [["\ufeff1", "2"]]),
        # quotes: what does not parse ends with its line
        (b'"1"x,2\n1,2\n', [INVALID_CSV, R]),
        (b'"1" ,2\n1,2\n', [INVALID_CSV, R]),
        (b'"1\n\n"x,2\n1,2\n', [INVALID_CSV, R]),
        (b'1,2\n"\xff"x,2\n1,2\n', [R, INVALID_CSV, R]),
        (b'1,2\n1,"2', [R, UNTERMINATED_QUOTE]),
        (b'1,2\n1,"2\n1,2\n\n1,2\n', [R, UNTERMINATED_QUOTE]),
        (b'1,2\n1,"2""\n1,2\n', [R, UNTERMINATED_QUOTE]),
        (b'1,2\n1,"2\n1,2\n1,"2\n1,2\n', [R, INVALID_CSV, R]),
        (b'1,2\n"\xff\n', [R, UNTERMINATED_QUOTE]),
        (b'1,2\n1,2\n"x"y', [R, R, INVALID_CSV]),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)  # fmt: skip
def test_records(tmp_path, data, expected):
    assert check(tmp_path, b"a,b\n" + data)[:2] == (["a", "b"], expected)


def test_the_bytes_of_bad_records_are_kept_without_their_last_line_end(tmp_path):
    good = b"1,2\n"
    bad = [
        (BLANK_LINE, b"", b"\r\n"),
        (RAGGED_LINE, b"1", b"\r"),
        (RAGGED_LINE, b'"1\r\n\n","",\xc3\xa9', b"\n"),
        (INVALID_UTF8, b'\xff\0,"\r\n\xc3\xa9"', b"\r\n"),
        (INVALID_CSV, b'"1\n\r"x', b"\n"),
        (INVALID_CSV, b'"\xff" ', b"\r\n"),
        (UNTERMINATED_QUOTE, b'1,"2\r\n\r1,\xe9', b"\r\n"),
    ]
    data = b"a,b\n" + b"".join(good + raw + end for _, raw, end in bad)
    _, found, raw = check(tmp_path, data)
    assert found == [value for rule, _, _ in bad for value in (R, rule)]
    assert raw == [value for _, raw, _ in bad for value in (None, raw)]
    assert check(tmp_path, b"a,b\n\n1\n")[2] == [b"", b"1"]
    assert check(tmp_path, b"a,b\n1,2,3")[2] == [b"1,2,3"]


@pytest.mark.parametrize(
    ("data", "columns", "expected"),
    [
        (b"", [], []),
        (b"\xef\xbb\xbf", [], []),
        (b"\n\r\n\r", [], []),
        (b"\xff\xfe", [], []),
        (b"a", ["a"], []),
        (b"a,b\r\n", ["a", "b"], []),
        (b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"], [R]),
        (b'\xef\xbb\xbf"a,",b\n1,2\n', ["a,", "b"], [R]),
        (b"\r\n\n\ra,b\n1,2\n", ["a", "b"], [R]),
        (b'a,"b\n"\n1,2\n', ["a", "b\n"], [R]),
        (" a,é\n1,2\n".encode(), [" a", "é"], [R]),
        (b"a\n1\n\n \n1,2\n", ["a"], [["1"], BLANK_LINE, [" "], RAGGED_LINE]),
        (b'a\n""\n', ["a"], [[""]]),
        (b"a;b\n1;2\n1;2;3\n1,2\n", ["a", "b"], [R, RAGGED_LINE, RAGGED_LINE]),
    ],
)
def test_headers(tmp_path, data, columns, expected):
    assert check(tmp_path, data)[:2] == (columns, expected)


@pytest.mark.parametrize(
    ("data", "rule", "value"),
    [
        (b"a,b,a\n1,2,3\n", "names every column once", "'a' twice"),
        (b"a,,c\n1,2,3\n", "names every column once", "an empty name"),
        (b",a\n0,1\n", "names every column once", "an empty name"),
        (b'""\n1\n', "names every column once", "an empty name"),
        (b"a,\xe9\n1,2\n", "is a record in UTF-8", "invalid-utf8"),
        (b'a,"b\n1,2\n', "is a record in UTF-8", "unterminated-quote"),
        (b'"a"b,c\n1,2\n', "is a record in UTF-8", "invalid-csv"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is a record in UTF-8", "a NUL"),
        (b"\xff\xfea\0\0\xd8\n\0", "is a record in UTF-8", "lone-surrogate"),
    ],
)
def test_headers_that_name_no_columns_are_refused(tmp_path, data, rule, value):
    file = put(tmp_path, data)
    for batch_bytes in (1, WHOLE):
        with pytest.raises(InputError, match=f"{rule}.*{value} in {file.path}"):
            find_columns(file, batch_bytes=batch_bytes)
        with pytest.raises(InputError, match=f"{rule}.*{value} in {file.path}"):
            read(file, full=pa.schema([("a", pa.string())]), batch_bytes=batch_bytes)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_other_encodings_with_a_byte_order_mark(tmp_path, encoding):
    text = '\ufeffa;é\r\n1;2\r\n🦊;"\r\n"\r\n1\r\n\ud83e;2\r\n1;"\udd8a\ud83e'
    _, found, raw = check(tmp_path, text.encode(encoding, "surrogatepass"))
    assert found == [R, ["🦊", "\r\n"], RAGGED_LINE, LONE_SURROGATE, UNTERMINATED_QUOTE]
    assert raw == [None, None, b"1", b"\xed\xa0\xbe;2", b'1;"\xed\xb6\x8a\xed\xa0\xbe']


def test_half_a_character_at_the_end_is_damage(tmp_path):
    file = put(tmp_path, "\ufeffa,b\n1,2\n".encode("utf-16-le") + b"\n")
    with pytest.raises(InputError, match="an input can be read to its end"):
        read(file)


def test_the_split_says_how_the_file_is_written(tmp_path):
    (split,) = splits_of(put(tmp_path, "\ufeffa|b\n".encode("utf-16-be"), ending=".gz"), split_bytes=1)
    assert split.options == (("delimiter", "|"), ("encoding", "utf-16-be"))
    assert (split.compression, split.records, split.first_record, split.members) == ("gzip", None, 0, ())
    (split,) = splits_of(put(tmp_path, b"a,b\n", "a.tab"))
    assert split.options == (("delimiter", "\t"), ("encoding", "utf-8"))


def test_options_of_the_file_come_before_what_is_found(tmp_path):
    file = put(tmp_path, b"a;b\n1;2\n")
    assert find_columns(replace(file, options=(("delimiter", ","),))).names == ["a;b"]


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.tsv", "a.tab", "a.csv.gz", "a.tsv.bz2", "a.tab.xz"])
def test_files_are_known_by_their_endings(tmp_path, name):
    (tmp_path / name).write_bytes(PACKERS.get(Path(name).suffix, bytes)(b"a\tb\n1\t2\n"))
    (file,) = open_corpus([InputSpec(str(tmp_path))]).files
    assert file.format == "csv"
    assert body(read(file)).to_pylist() == [{"a": "1", "b": "2"}]


NASTY = st.text(st.sampled_from('a",;\t|\r\n\0é🦊\u2028\ufeff \\'), max_size=6)
fields = NASTY | st.text(max_size=6)
names = (NASTY | st.text(min_size=1, max_size=4)).filter(lambda n: n and "\0" not in n and not n.startswith("__"))
tables = st.lists(names, min_size=1, max_size=4, unique=True).flatmap(
    lambda header: st.tuples(
        st.just(header), st.lists(st.lists(fields, min_size=len(header), max_size=len(header)), max_size=6)
    )
)


@settings(max_examples=300, deadline=None)
@given(
    tables,
    st.sampled_from(",\t;|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.integers(1, 60),
)
@example((["a"], [[""], ["\r"], ["\n"], ["\r\n"], ['"']]), ",", "\r\n", "utf-8", 1)
@example((["\ufeffa", "b"], [["\ufeff", ""]]), ";", "\r", "utf-8-sig", 2)
def test_what_csv_writes_comes_back(tmp_path_factory, table, delimiter, line_end, encoding, batch_bytes):
    header, rows = table
    quoting = csv.QUOTE_MINIMAL if line_end == "\r\n" else csv.QUOTE_ALL  # the least leaves other ends unquoted
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([header, *rows])
    data = out.getvalue().encode(encoding)
    if data.startswith(b"\xef\xbb\xbf") and encoding == "utf-8":
        data = b"\xef\xbb\xbf" + data  # a name that begins with the mark needs one before it
    file = put(tmp_path_factory.mktemp("written"), data)
    file = replace(file, options=(("delimiter", delimiter),))
    for size in (WHOLE, batch_bytes):
        assert read_all(file, size, size) == (header, rows, [None] * len(rows))


pieces = st.sampled_from(
    [
        b"1,2",
        b'"1",2',
        b'1,"2',
        b'"',
        b"\n",
        b"\r",
        b"\r\n",
        b",",
        b"\xff",
        b"x",
        b'""',
        b"\xc3\xa9",
        b"\0",
        b'1,"\n"\n',
    ]
)


def by_the_book(data: bytes) -> list[Any]:
    """The records of a file with two columns, by a state machine of one byte at a time."""
    found: list[Any] = []
    at = 0
    while at < len(data):
        start, at, values, rule = at, *_one(data, at)
        raw = data[start:at].removesuffix(b"\n").removesuffix(b"\r")
        if not rule:
            rule = RAGGED_LINE if len(values) != 2 else ""
            rule = INVALID_UTF8 if raw.decode("utf-8", "replace").encode() != raw else rule
            rule = BLANK_LINE if not raw else rule
        found.append((rule, raw) if rule else ([value.decode() for value in values], None))
    return found


def _line_end(data: bytes, at: int) -> int:
    """The length of the line end at a place, 0 if there is none."""
    return 2 if data[at : at + 2] == b"\r\n" else int(data[at : at + 1] in (b"\r", b"\n"))


def _one(data: bytes, at: int) -> tuple[int, list[bytes], str]:
    values = []
    while True:
        value, quoted = b"", data[at : at + 1] == b'"'
        at += quoted
        while quoted:
            if at >= len(data):
                return at, values, UNTERMINATED_QUOTE
            if data[at : at + 2] == b'""':
                value, at = value + b'"', at + 2
            elif data[at : at + 1] == b'"':
                quoted, at = False, at + 1
                if at < len(data) and not _line_end(data, at) and data[at : at + 1] != b",":
                    while at < len(data) and not _line_end(data, at):
                        at += 1
                    return at + _line_end(data, at), values, INVALID_CSV
                break
            else:
                value, at = value + data[at : at + 1], at + 1
        else:
            while at < len(data) and not _line_end(data, at) and data[at : at + 1] != b",":
                value, at = value + data[at : at + 1], at + 1
        values.append(value)
        if data[at : at + 1] != b",":
            return at + _line_end(data, at), values, ""
        at += 1


@settings(max_examples=500, deadline=None)
@given(st.lists(pieces, max_size=14).map(b"".join), st.integers(1, 30))
@example(b'1,"2\n"x\r\n1,2', 1)
def test_good_and_bad_records_are_told_apart(tmp_path_factory, data, batch_bytes):
    file = put(tmp_path_factory.mktemp("mixed"), b"a,b\n" + data)
    file = replace(file, options=(("delimiter", ","),))
    for size in (WHOLE, batch_bytes):
        _, found, raw = read_all(file, size, size)
        assert list(zip(found, raw, strict=True)) == by_the_book(data)


def test_bad_records_among_good_ones_are_the_same_whatever_the_batches(tmp_path):
    bad = [b"\n", b"1\n", b"1,\xff\n", b'"1"x\n', b'1,"2\n"\n', b'"1\r\n\r"x\r\n']
    data = b"a,b\n" + b"".join(b'"%d\n",%d\r\n' % (i, i) * (i % 4) + bad[i % 6] for i in range(300)) + b'1,"2\n'
    found = [read(put(tmp_path, data), batch_bytes=size) for size in (1, 2, 3, 10, 100, 1000, 4096, WHOLE)]
    assert len(set(found[0]["__rule"].to_pylist())) == 6
    assert all(table == found[0] for table in found)


def test_batches_hold_about_as_many_bytes_as_they_should(tmp_path, monkeypatch):
    (split,) = splits_of(put(tmp_path, b"a,b\n" + b"1,xxxxx\n" * 1000))
    columns = pa.schema([("a", pa.string())])
    sizes = [b.num_rows for b in delimited.read_csv(split, columns, full=columns, batch_bytes=80)]
    assert sizes == [10] * 100
    monkeypatch.setattr(delimited, "MAX_BATCH_ROWS", 300)
    sizes = [b.num_rows for b in delimited.read_csv(split, columns, full=columns, batch_bytes=WHOLE)]
    assert sizes == [300, 300, 300, 100]


def test_long_fields(tmp_path):
    value = "é," * 2_000_000
    assert body(read(put(tmp_path, f'a,b\n1,"{value}"\n'.encode()))).to_pylist() == [{"a": "1", "b": value}]


@pytest.mark.parametrize("data", [b'1,"' + b"2\n" * 1000, b"1," + b"x" * 1000, b"1,2\n" + b"x" * 1000 + b"\n1,2\n"])
def test_a_record_that_no_column_can_hold_is_refused(tmp_path, monkeypatch, data):
    file = put(tmp_path, b"a,b\n" + data)
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 100)
    for batch_bytes in (1, 10, WHOLE):
        with pytest.raises(InputError, match=f"a record has at most 100 bytes; found a longer one in {file.path}"):
            read(file, batch_bytes=batch_bytes)


@pytest.mark.parametrize("line", [b"2,3\n", b"x" * 64])
def test_a_quote_that_never_ends_does_not_fill_the_memory(tmp_path, monkeypatch, line):
    file = put(tmp_path, b'a,b\n1,"' + line * ((32 << 20) // len(line)))
    monkeypatch.setattr(delimited, "MAX_RECORD_BYTES", 64 << 10)
    (split,) = splits_of(file)
    columns = pa.schema([("a", pa.string())])
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="a record has at most"):
            list(delimited.read_csv(split, columns, full=columns, batch_bytes=64 << 10))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz"])
def test_damaged_files_are_named_and_never_shorter_in_silence(tmp_path, ending):
    whole = PACKERS[ending](b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7919 % 100_003) for i in range(50_000)))
    for at in (1, 20, len(whole) // 2, len(whole) - 1):
        path = tmp_path / f"a.csv{ending}"
        path.write_bytes(whole[:at])
        (file,) = open_corpus([InputSpec(str(path))]).files
        for batch_bytes in (1000, WHOLE):
            with pytest.raises(InputError, match=f"an input can be read to its end; found {path}"):
                read(file, full=pa.schema([("a", pa.string())]), batch_bytes=batch_bytes)


def test_columns_beside_inputs_of_other_types(tmp_path):
    file = put(tmp_path, b"a,b\n1,2\n1\n")
    wide = pa.schema([("b", pa.dictionary(pa.int32(), pa.string())), ("a", pa.large_string()), ("c", pa.int64())])
    full = unify([("wide", wide), ("csv", find_columns(file))])
    found = read(file, full=full)
    assert body(found).to_pylist() == [{"b": "2", "a": "1", "c": None}, {"b": None, "a": None, "c": None}]
    assert body(found).schema == full
    assert found["__rule"].to_pylist() == [None, RAGGED_LINE]


def test_values_that_do_not_fit_the_type_of_their_column_are_refused(tmp_path):
    file = put(tmp_path, b"a,b\n1,2\nx,3\n")
    assert read(file, full=pa.schema([("b", pa.int64())]))["b"].to_pylist() == [2, 3]
    with pytest.raises(InputError, match=f"values fit the type .* found {file.path}, from record 0"):
        read(file, full=pa.schema([("a", pa.int64())]))
