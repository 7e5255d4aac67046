import gzip
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reader_contract import WHOLE, ReaderContract, body, find_columns, read, splits_of

from tamis.connectors import json_block, jsonl
from tamis.connectors.address import record_of
from tamis.connectors.compression import compression_of
from tamis.connectors.corpus import InputFile, InputSpec, open_corpus
from tamis.connectors.json_fault import (
    BLANK_LINE,
    DUPLICATE_KEY,
    INEXACT_NUMBER,
    INVALID_JSON,
    INVALID_UTF8,
    LONE_SURROGATE,
    MAX_DEPTH,
    NOT_AN_OBJECT,
    TOO_DEEP,
    WRONG_TYPE,
    fault,
    kind_of,
)
from tamis.connectors.schema import gather, unify
from tamis.hashing.errors import InputError


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


PACKERS = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


class JsonlContract(ReaderContract):
    ending = ""
    columns = pa.schema(
        [
            ("id", pa.int64()),
            ("text", pa.string()),
            ("score", pa.float64()),
            ("flag", pa.bool_()),
            ("day", pa.string()),
            ("nothing", pa.null()),
            ("tags", pa.list_(pa.string())),
            ("meta", pa.struct([("a", pa.list_(pa.struct([("b", pa.float64())]))), ("c", pa.string())])),
            ("", pa.int64()),
            ("é.b", pa.string()),
            ("late", pa.struct([("_", pa.null())])),
        ]
    )
    subset = ["é.b", "meta", "id"]
    records = [
        {
            "id": None if i == 3 else (-1) ** i * (2**63 - 1 - i),
            "text": ["plain", "", None, "né\r\n\tà \"Paris\" \\", "日本語 🦊", "nul \0 inside", "\u2028\x7f"][i % 7],
            "score": [0.1, -0.0, 1e300, None, 5e-324, 2.0][i % 6],
            "flag": [True, False, None][i % 3],
            "day": ["2020-01-01", "2020-01-01T00:00:00Z", "12:30:00", "17", "null"][i % 5],
            "nothing": None,
            "tags": [["a"], [], None, ["b", None]][i % 4],
            "meta": {"a": [{"b": i / 4}, None, {"b": None}][: i % 4], "c": str(i)} if i % 5 else None,
            "": i,
            "é.b": "x" * 40 * i,
            "late": {"_": None} if i == 10 else None,
        }
        for i in range(12)
    ]  # fmt: skip

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        def line(i: int, record: dict[str, Any]) -> str:
            record = {name: {} if name == "late" and value else value for name, value in record.items()}
            if i == 1:
                record = dict(reversed(record.items()))
            return json.dumps(record, ensure_ascii=i % 2 == 0, separators=(",", ":") if i % 3 else None)

        data = "".join(line(i, record) + "\n" for i, record in enumerate(records)).encode()
        path = folder / f"records.jsonl{self.ending}"
        path.write_bytes(PACKERS[self.ending](data))
        return InputSpec(str(path))


class TestPlain(JsonlContract):
    pass


class TestGzip(JsonlContract):
    ending = ".gz"
    counted = False


class TestZstd(JsonlContract):
    ending = ".zst"
    counted = False


SIZES = [(WHOLE, WHOLE), (WHOLE, 1), (1, WHOLE), (7, 5), (30, 11), (64, 200)]


def put(folder: Path, data: bytes, ending: str = "") -> InputFile:
    path = folder / f"a.jsonl{ending}"
    path.write_bytes(PACKERS[ending](data))
    return open_corpus([InputSpec(str(path))]).files[0]


def check(folder: Path, data: bytes) -> tuple[pa.Schema, list[Any]]:
    """Return (columns, for each line its record or the rule it breaks), after trying all sizes and compressions."""
    found = [read_all(put(folder, data), *size) for size in SIZES]
    found += [read_all(put(folder, data, ending), WHOLE, size) for ending in (".gz", ".zst") for size in (1, WHOLE)]
    for columns, outcomes in found[1:]:
        assert columns == found[0][0]
        assert repr(outcomes) == repr(found[0][1])
    return found[0]


def read_all(file: InputFile, split_bytes: int, batch_bytes: int) -> tuple[pa.Schema, list[Any]]:
    columns = find_columns(file, split_bytes=split_bytes, batch_bytes=batch_bytes)
    table = read(file, split_bytes=split_bytes, batch_bytes=batch_bytes)
    assert [record_of(value) for value in table["__address"].to_pylist()] == list(range(table.num_rows))
    table.validate(full=True)
    return columns, [
        rule or record
        for rule, record in zip(table["__rule"].to_pylist(), body(table).to_pylist(), strict=True)
        if not rule or all(value is None for value in record.values())
    ]


def raw(folder: Path, data: bytes) -> list[bytes | None]:
    return read(put(folder, data))["__raw"].to_pylist()


A = {"a": 1}
LINE = b'{"a":1}\n'


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [BLANK_LINE]),
        (b" \t\r\n\n", [BLANK_LINE, BLANK_LINE]),
        (LINE, [A]),
        (LINE[:-1], [A]),
        (LINE + LINE[:-1], [A, A]),
        (LINE + b"\n", [A, BLANK_LINE]),
        (LINE + b" ", [A, BLANK_LINE]),
        (b"\n" + LINE + b"\r\n" + LINE, [BLANK_LINE, A, BLANK_LINE, A]),
        (b'{"a":1}\r\n{"a":1}\r\n', [A, A]),
        (b'{"a":1}\r\n{"a":1}\r', [A, A]),
        (b'  {"a":1}\t \n', [A]),
        (b"\xef\xbb\xbf" + LINE, [A]),
        (b"\xef\xbb\xbf", [BLANK_LINE]),
        (b"\xef\xbb\xbf\r\n" + LINE, [BLANK_LINE, A]),
        (LINE + b"\xef\xbb\xbf" + LINE, [A, INVALID_JSON]),
        (b'{"a":1}{"a":1}\n' + LINE, [INVALID_JSON, A]),
        (b'{"a":1} {"a":1}\n' * 2, [INVALID_JSON] * 2),
        (b'{"a":1},\n' + LINE, [INVALID_JSON, A]),
        (b'{"a":\n1}\n' + LINE, [INVALID_JSON, INVALID_JSON, A]),
        (b'{"a":1,"b":{}\n}\n' + LINE, [INVALID_JSON, INVALID_JSON, A]),
        (b'{"a":1\n' + LINE, [INVALID_JSON, A]),
        (LINE + b'{"a":1', [A, INVALID_JSON]),
        (b'{"a":1}\r{"a":1}\n' + LINE, [INVALID_JSON, A]),
        (b'{"a":1}\0\n' + LINE, [INVALID_JSON, A]),
        (b'{"a":1} null {"a":1}\n' + LINE, [INVALID_JSON, A]),
        (b"null\n" + LINE, [NOT_AN_OBJECT, A]),
        (LINE + b'[{"a":1}]\n7\n"x"\nnull\ntrue\n', [A] + [NOT_AN_OBJECT] * 5),
        (b'[\n{"a":1},\n{"a":1}\n]\n', [INVALID_JSON, INVALID_JSON, A, INVALID_JSON]),
        (LINE + b'{"a":2,"a":1}\n', [A, DUPLICATE_KEY]),
        (LINE + b'{"a":1,"\\u0061":1}\n', [A, DUPLICATE_KEY]),
        (LINE + b'{"a":"\xff"}\n', [A, INVALID_UTF8]),
        (LINE + b'{"\xff":1}\n', [A, INVALID_UTF8]),
        (LINE + b'{"a":1,"b":"\xf0\x9f\xa6"}\n', [A, INVALID_UTF8]),
        (LINE + b'{"a":"x"}\n' + LINE, [A, WRONG_TYPE, A]),
        (LINE + b'{"a":[1]}\n{"a":{"b":1}}\n{"a":true}\n', [A, WRONG_TYPE, WRONG_TYPE, WRONG_TYPE]),
        (LINE + b'{"a":9223372036854775808}\n', [A, INEXACT_NUMBER]),
        (b'{"a":-9223372036854775809}\n' + LINE, [INEXACT_NUMBER, A]),
        (LINE + b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}\n", [A, TOO_DEEP]),
        (LINE + b'{"a":' * 20_000 + b"1" + b"}" * 20_000, [A, TOO_DEEP]),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else "",
)  # fmt: skip
def test_lines(tmp_path, data, expected):
    assert check(tmp_path, data)[1] == expected


def test_a_file_of_blank_lines_has_no_columns(tmp_path):
    assert check(tmp_path, b"\n\n") == (pa.schema([]), [BLANK_LINE, BLANK_LINE])


def test_a_file_of_empty_objects_has_records(tmp_path):
    assert check(tmp_path, b"{}\n{}\n") == (pa.schema([]), [{}, {}])


def test_the_bytes_of_bad_lines_are_kept(tmp_path):
    lines = [b"", b"  \r", b'{"a":1}', b'{"a":"\xff\0"}\r', b"x" * 100, b'{"a":"1"}', b"\xef\xbb\xbf{}"]
    kept = [line if line != b'{"a":1}' else None for line in lines]
    assert raw(tmp_path, b"\n".join(lines)) == kept
    assert raw(tmp_path, b"\xef\xbb\xbf" + b"\n".join(lines) + b"\n") == kept


def test_columns_may_first_appear_late(tmp_path):
    lines = [{"a": i} for i in range(50)] + [{"b": {"c": [1]}}, {"a": 1, "b": {"d": "x"}}, {"0": None}]
    columns, found = check(tmp_path, "\n".join(map(json.dumps, lines)).encode())
    assert columns == pa.schema(
        [
            ("a", pa.int64()),
            ("b", pa.struct([("c", pa.list_(pa.int64())), ("d", pa.string())])),
            ("0", pa.null()),
        ]
    )
    assert found[49:] == [
        {"a": 49, "b": None, "0": None},
        {"a": None, "b": {"c": [1], "d": None}, "0": None},
        {"a": 1, "b": {"c": None, "d": "x"}, "0": None},
        {"a": None, "b": None, "0": None},
    ]


def test_a_column_of_nulls_takes_its_type_from_other_lines_or_stays_null(tmp_path):
    data = b'{"a":null,"b":[]}\n{"a":null,"b":[null]}\n'
    assert check(tmp_path, data)[0] == pa.schema([("a", pa.null()), ("b", pa.list_(pa.null()))])
    columns, found = check(tmp_path, data + b'{"a":"x","b":[{"c":1.5}]}\n')
    assert columns == pa.schema([("a", pa.string()), ("b", pa.list_(pa.struct([("c", pa.float64())])))])
    assert found == [{"a": None, "b": []}, {"a": None, "b": [None]}, {"a": "x", "b": [{"c": 1.5}]}]


@pytest.mark.parametrize(
    "text",
    ["2020-01-01", "2020-01-01 00:00:00", "2020-01-01T00:00:00.123Z", "1", "-0", "1e5", "1.50", "NaN", "null", "true"],
)
def test_strings_stay_strings(tmp_path, text):
    record = {"a": text, "b": {"c": [text]}, text: "key"}
    assert check(tmp_path, json.dumps(record).encode() + b"\n")[1] == [record]


def test_integers_beside_floats(tmp_path):
    exact = 2**53
    values = [1, 0.5, exact, -exact, exact + 1, exact + 2, -exact - 1, 2**63 - 1, -(2**63), 2**63, -0.0, 1e300]
    columns, found = check(tmp_path, b"\n".join(b'{"a":%s}' % json.dumps(v).encode() for v in values))
    assert columns == pa.schema([("a", pa.float64())])
    bad = {exact + 1, -exact - 1, 2**63 - 1, 2**63}
    assert repr(found) == repr([INEXACT_NUMBER if v in bad else {"a": float(v)} for v in values])


def test_integers_beyond_int64_do_not_make_a_column_of_floats(tmp_path):
    values = [2**63, 2**62 + 1, 2**64 - 1, 2**53 + 1]
    columns, found = check(tmp_path, b"\n".join(b'{"a":[%d]}' % v for v in values))
    assert columns == pa.schema([("a", pa.list_(pa.int64()))])
    assert found == [INEXACT_NUMBER, {"a": [2**62 + 1]}, INEXACT_NUMBER, {"a": [2**53 + 1]}]


def test_numbers_too_large_for_floats(tmp_path):
    found = check(tmp_path, b'{"a":1e308}\n{"a":1e309}\n{"a":-1e400}\n{"a":' + b"9" * 400 + b"}\n")[1]
    assert found == [{"a": 1e308}, INEXACT_NUMBER, INEXACT_NUMBER, INEXACT_NUMBER]


def test_nan_and_infinity_as_python_writes_them(tmp_path):
    values = [math.nan, math.inf, -math.inf, 1.5]
    columns, found = check(
        tmp_path, "\n".join(json.dumps({"a": v}) for v in values).encode() + b'\n{"a":Inf}\n{"a":-NaN}'
    )
    assert columns == pa.schema([("a", pa.float64())])
    assert repr(found) == repr([{"a": v} for v in values] + [INVALID_JSON, INVALID_JSON])


def test_lone_surrogates(tmp_path):
    data = b'{"a":"\\ud83e\\udd8a"}\n{"a":"\\ud83e"}\n{"a":"\\udd8a\\ud83e"}\n{"b":{"\\udfff":1}}\n'
    columns, found = check(tmp_path, data)
    assert columns == pa.schema([("a", pa.string())])
    assert found == [{"a": "🦊"}, LONE_SURROGATE, LONE_SURROGATE, LONE_SURROGATE]


def test_lines_nest_as_deep_as_arrow_stores(tmp_path):
    def nested(levels: int) -> bytes:
        return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}\n"

    columns, found = check(tmp_path, nested(MAX_DEPTH) + nested(MAX_DEPTH + 1) + nested(400) + nested(2))
    assert found[1:] == [TOO_DEEP, TOO_DEEP, {"a": []}]
    assert json.dumps(found[0]).replace(" ", "").encode() + b"\n" == nested(MAX_DEPTH)
    assert pa.ipc.read_schema(columns.serialize()) == columns
    pq.write_table(body(read(put(tmp_path, nested(MAX_DEPTH)))), tmp_path / "a.parquet")


def test_empty_objects_can_be_written_as_parquet(tmp_path):
    columns, found = check(tmp_path, b'{"a":{},"b":[{}]}\n{"a":null}\n')
    assert found == [{"a": {"_": None}, "b": [{"_": None}]}, {"a": None, "b": None}]
    pq.write_table(columns.empty_table(), tmp_path / "a.parquet")
    assert check(tmp_path, b'{"a":{}}\n{"a":{"b":1}}\n')[1] == [{"a": {"b": None}}, {"a": {"b": 1}}]


def test_the_first_of_types_that_exclude_each_other_wins_wherever_blocks_end(tmp_path):
    values = [None, 1, "x", 2.5, {"b": 1}, "y", [1], None, {"c": [True, "z"]}]
    for order in (values, values[::-1], values[3:] + values[:3], values[4:] + values[:4]):
        columns, found = check(tmp_path, "\n".join(json.dumps({"k": {"a": v}}) for v in order).encode())
        kind = columns.field("k").type.field("a").type
        first = next(v for v in order if v is not None)
        number = isinstance(first, int | float)
        fits = [v is None or (isinstance(v, int | float) if number else type(v) is type(first)) for v in order]
        if isinstance(first, dict):
            assert kind == pa.struct([("b", pa.int64()), ("c", pa.list_(pa.bool_()))]) or kind.num_fields == 2
            fits = [fit and (v is None or "c" not in v) for fit, v in zip(fits, order, strict=True)]
            order = [v and {"b": v.get("b"), "c": v.get("c")} if isinstance(v, dict) else v for v in order]
        assert found == [{"k": {"a": v}} if fit else WRONG_TYPE for v, fit in zip(order, fits, strict=True)]


def test_a_line_longer_than_many_blocks(tmp_path):
    records = [{"a": "x" * 10_000}, {"a": "y"}, {"a": "z" * 5_000, "b": list(range(1000))}]
    data = "\n".join(map(json.dumps, records)).encode()
    for ending, batch_bytes, split_bytes in itertools.product(PACKERS, (10, 999), (10, WHOLE)):
        found = read_all(put(tmp_path, data, ending), split_bytes, batch_bytes)[1]
        assert found == [{"b": None} | record for record in records]


def test_a_line_that_no_column_can_hold_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 100)
    with pytest.raises(InputError, match="a line has at most 100 bytes"):
        read(put(tmp_path, LINE + b"x" * 1000 + b"\n" + LINE), batch_bytes=10)


def test_splits_end_with_lines(tmp_path):
    file = put(tmp_path, LINE * 3 + b'{"a":"' + b"x" * 30 + b'"}\n' + LINE + LINE[:-1])
    found = [(s.start, s.stop, s.first_record, s.records, s.size_bytes) for s in splits_of(file, split_bytes=20)]
    assert found == [(0, 16, 0, 2, 16), (16, 24, 2, 1, 8), (24, 71, 3, 2, 47), (71, 78, 5, 1, 7)]


def test_a_compressed_file_is_one_split(tmp_path):
    for ending, name in ((".gz", "gzip"), (".zst", "zstd")):
        (split,) = splits_of(put(tmp_path, LINE * 10, ending), split_bytes=1)
        assert (split.compression, split.records, split.first_record) == (name, None, 0)


@pytest.mark.parametrize(
    ("name", "compression"),
    [("a.gz", "gzip"), ("a.GZIP", "gzip"), ("a.zst", "zstd"), ("a.jsonl.zstd", "zstd"), ("a.jsonl", ""), ("gz.a", "")],
)
def test_compression_goes_by_ending(name, compression):
    assert compression_of(name) == compression


TEXTS = [b'{"a":"%d"}\n' % (i * 7919 % 100_003) for i in range(5000)]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_members_and_frames_follow_one_another(tmp_path, ending):
    path = tmp_path / f"a.jsonl{ending}"
    whole = b"".join(TEXTS)
    parts = [whole[:20_000], b"", whole[20_000:30_003], whole[30_003:]]
    path.write_bytes(b"".join(map(PACKERS[ending], parts)))
    (file,) = open_corpus([InputSpec(str(path))]).files
    for batch_bytes in (100, WHOLE):
        assert body(read(file, batch_bytes=batch_bytes)).to_pylist() == [json.loads(line) for line in TEXTS]


def damaged(ending: str) -> dict[str, bytes]:
    whole = PACKERS[ending](b"".join(TEXTS))
    found = {f"cut at {at}": whole[:at] for at in (1, 3, 20, len(whole) // 2, len(whole) - 1)}
    found["no such format"] = b"neither one nor the other"
    found["garbage at the end"] = whole + b"garbage"
    found["another one cut"] = whole + whole[: len(whole) // 2]
    if ending == ".gz":
        found["other bytes"] = whole[:500] + bytes(200) + whole[700:]
        found["another checksum"] = whole[:-8] + bytes(4) + whole[-4:]
    return found


@pytest.mark.parametrize(
    ("ending", "damage"), [(ending, name) for ending in (".gz", ".zst") for name in damaged(ending)]
)
def test_damaged_files_are_named_and_never_shorter_in_silence(tmp_path, ending, damage):
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(damaged(ending)[damage])
    (file,) = open_corpus([InputSpec(str(path))]).files
    for batch_bytes in (100, WHOLE):
        with pytest.raises(InputError, match="an input can be read to its end") as error:
            read(file, full=pa.schema([("a", pa.string())]), batch_bytes=batch_bytes)
        assert str(path) in str(error.value)
        with pytest.raises(InputError, match="an input can be read to its end"):
            find_columns(file, batch_bytes=batch_bytes)


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_that_vanishes_is_named(tmp_path, ending):
    file = put(tmp_path, LINE, ending)
    splits = splits_of(file)
    Path(file.path).unlink()
    with pytest.raises(InputError, match="an input can be opened") as error:
        list(jsonl.read_jsonl(splits[0], pa.schema([]), full=pa.schema([]), batch_bytes=10))
    assert file.path in str(error.value)


def test_lines_beside_inputs_of_other_types(tmp_path):
    """A column that is null in every line may have any type in another file."""
    wide = pa.schema(
        [
            ("a", pa.float64()),
            ("s", pa.large_string()),
            ("i", pa.large_list(pa.int64())),
            ("m", pa.map_(pa.string(), pa.int64())),
            ("d", pa.dictionary(pa.int32(), pa.string())),
            ("t", pa.struct([("when", pa.timestamp("us", "UTC")), ("x", pa.binary(2)), ("n", pa.int64())])),
            ("l", pa.list_(pa.duration("s"))),
            ("f", pa.list_(pa.float32(), 2)),
            ("p", pa.decimal128(5, 2)),
        ]
    )
    pq.write_table(wide.empty_table(), tmp_path / "wide.parquet")
    lines = (
        b'{"a":1,"s":"x","i":[1],"t":{"n":1},"l":[null],"m":null}\n{"a":null,"s":null,"p":null,"t":{"when":null}}\n\n'
    )
    columns = find_columns(put(tmp_path, lines))
    full = unify([("wide", wide), ("lines", columns)])
    assert full == wide
    found = read(put(tmp_path, lines), full=full)
    assert body(found).schema == wide
    assert found["__rule"].to_pylist() == [None, None, BLANK_LINE]
    nulls = dict.fromkeys(wide.names)
    assert body(found).to_pylist() == [
        nulls | {"a": 1.0, "s": "x", "i": [1], "t": {"when": None, "x": None, "n": 1}, "l": [None]},
        nulls | {"t": {"when": None, "x": None, "n": None}},
        nulls,
    ]


def test_values_that_another_input_excludes_are_bad(tmp_path):
    """Lines of a file that changed after its columns were found."""
    full = pa.schema([("a", pa.int64()), ("when", pa.timestamp("s"))])
    data = LINE + b'{"a":1.0}\n{"a":1,"new":1}\n{"when":"2020-01-01"}\n{"a":2}\n'
    for batch_bytes in (1, 30, WHOLE):
        table = read(put(tmp_path, data), full=full, columns=pa.schema([("a", pa.int64())]), batch_bytes=batch_bytes)
        assert table["__rule"].to_pylist() == [None, WRONG_TYPE, WRONG_TYPE, WRONG_TYPE, None]
        assert table["a"].to_pylist() == [1, None, None, None, 2]


BAD = [b"", b" ", b"x", b"null", b"[]", b"{", b'{"a":1}{}', b'{"a":"\xff"}', b'{"a":1,"a":1}', b'{"a":"\\ud800"}']
BAD += [b'{"a":99999999999999999999}', b'{"a":9007199254740993}', b'{"a":NaN}', b'{"a":-Inf}', b'{"z":%s' % (b"[" * 70)]

text = st.text(max_size=5).filter(lambda name: not name.startswith("__"))  # reserved, which hypothesis found out
words = st.sampled_from(["", "x", "2020-01-01", "1", "é🦊", "\0\n\u2028"]) | text
numbers = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3) | st.floats(allow_nan=False) | st.just(2.0**53)
anything = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from("ab") | words, anything, max_size=3)
lines = objects.map(lambda value: json.dumps(value, ensure_ascii=False).encode()) | st.sampled_from(BAD)


def as_read(value: Any, kind: pa.DataType) -> Any:
    """Return a value as a column of a type gives it back."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: as_read(value.get(field.name), field.type) for field in kind}
    if pa.types.is_list(kind):
        return [as_read(item, kind.value_type) for item in value]
    return float(value) if pa.types.is_floating(kind) else value


@settings(max_examples=150, deadline=None)
@given(st.lists(lines, max_size=8), st.integers(1, 60), st.integers(1, 60))
@example([b'{"a":null}', b'{"a":{"b":1}}', b'{"a":{"b":"x"}}', b'{"a":{"c":[{}]}}'], 1, 1)
@example([b'{"a":[1,"x"]}', b'{"a":["y"]}'], 1, 1)
def test_what_goes_in_comes_out_or_is_reported(tmp_path_factory, found, split_bytes, batch_bytes):
    """The oracle is Python's json, line by line."""
    file = put(tmp_path_factory.mktemp("lines"), b"\n".join(found) + b"\n")
    record = pa.struct([])
    for line in found:
        record = gather(record, kind_of(line, {}) or record)
    columns = unify([("", pa.schema(list(record)))])
    kind = pa.struct(list(columns))
    expected = [fault(line, kind) or as_read(json.loads(line), kind) for line in found] or [BLANK_LINE]
    for sizes in ((WHOLE, WHOLE), (split_bytes, batch_bytes)):
        assert read_all(file, *sizes)[0] == columns
        assert repr(read_all(file, *sizes)[1]) == repr(expected)


# Lists of nulls, which pyarrow makes too short, are among the first that hypothesis tries.
kinds = st.recursive(
    st.sampled_from([st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), words]),
    lambda inner: (
        inner.map(lambda item: st.none() | st.lists(item, max_size=3))
        | st.dictionaries(words, inner, max_size=3).map(
            lambda fields: st.none() | st.fixed_dictionaries({}, optional=fields)
        )
    ),
    max_leaves=4,
)
typed = st.dictionaries(words, kinds, min_size=1, max_size=3).flatmap(
    lambda fields: st.lists(st.fixed_dictionaries({}, optional=fields), min_size=1, max_size=4)
)


@settings(max_examples=50, deadline=None)
@given(typed, st.booleans(), st.integers(1, 60))
def test_records_of_one_type_all_come_out(tmp_path_factory, records, ascii_only, batch_bytes):
    data = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records).encode()
    file = put(tmp_path_factory.mktemp("typed"), data)
    columns = find_columns(file)
    expected = [as_read(record, pa.struct(list(columns))) for record in records]
    for size in (WHOLE, batch_bytes):
        assert repr(read_all(file, size, size)[1]) == repr(expected)


def test_one_bad_line_does_not_make_its_block_slow(tmp_path, monkeypatch):
    """A block with a bad line is parsed a few times, not once for each line."""
    calls = []
    parse = json_block._parse
    monkeypatch.setattr(json_block, "_parse", lambda *args: calls.append(1) or parse(*args))
    good = [b'{"a":%d}' % i for i in range(4000)]
    for bad, most in [(b"", 1), (b'{"a":"\xff"}', 1), (b'{"a":tru}', 4), (b'{"a":"x"}', 4), (b'{"a":1.5}', 30)]:
        file = put(tmp_path, b"\n".join([*good[:1234], bad, *good[1234:], b""]))
        calls.clear()
        table = read(file, full=pa.schema([("a", pa.int64())]))
        assert len(calls) <= most
        assert table["a"].to_pylist() == [*range(1234), None, *range(1234, 4000)]
