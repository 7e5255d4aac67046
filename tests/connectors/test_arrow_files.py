import contextlib
import datetime as dt
import json
import random
import shutil
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_contract import WHOLE, ReaderContract, batches, body, find_columns, read, splits_of

from tamis.connectors.address import record_of
from tamis.connectors.arrow_files import arrow_schema
from tamis.connectors.corpus import Corpus, InputFile, InputSpec, open_corpus
from tamis.hashing.errors import InputError

UNREADABLE = "an Arrow input is a readable Arrow IPC file or stream"


def ipc(table: pa.Table, rows: int, *, stream: bool = True, **options: Any) -> bytes:
    """Return a table as an IPC stream or file of batches of so many rows."""
    sink = pa.BufferOutputStream()
    opener = pa.ipc.new_stream if stream else pa.ipc.new_file
    with opener(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table.combine_chunks(), rows)
    return bytes(sink.getvalue().to_pybytes())


def put(folder: Path, data: bytes, name: str = "a.arrow") -> InputFile:
    (folder / name).write_bytes(data)
    (file,) = open_corpus([InputSpec(str(folder / name))]).files
    return file


class TestStream(ReaderContract):
    columns = pa.schema(
        [
            pa.field("id", pa.int32()),
            pa.field("text", pa.string()),
            pa.field("flag", pa.bool_()),
            pa.field("price", pa.decimal128(12, 3)),
            pa.field("seen", pa.timestamp("us", "UTC")),
            pa.field("kind", pa.dictionary(pa.int32(), pa.string())),
            pa.field("meta", pa.struct([("a", pa.int64()), ("b", pa.list_(pa.large_string()))])),
            pa.field("pairs", pa.map_(pa.string(), pa.int64())),
            pa.field("nothing", pa.null()),
            pa.field("a.b", pa.float64()),
            pa.field("view", pa.string_view()),
            pa.field("bytes", pa.binary_view()),
            pa.field("many", pa.large_list(pa.int8())),
            pa.field("pair", pa.list_(pa.float32(), 2)),
            pa.field("often", pa.list_(pa.dictionary(pa.int32(), pa.large_string()))),
        ]
    )
    subset = ["often", "a.b", "view", "kind"]
    records = [
        {
            "id": i if i != 3 else None,
            "text": ["plain", "", None, "né à Paris", "日本語 🦊", "nul \0 inside"][i % 6],
            "flag": [True, False, None][i % 3],
            "price": Decimal(i).scaleb(-3) if i else None,
            "seen": dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=i),
            "kind": ["web", "book", None][i % 3],
            "meta": {"a": i, "b": ["x", None][: i % 3]} if i % 5 else None,
            "pairs": [("k", i), ("l", None)][: i % 3],
            "nothing": None,
            "a.b": i / 8,
            "view": [f"short{i}", None, "longer than a view holds itself" * i][i % 3],
            "bytes": bytes([i, 255]),
            "many": list(range(i)) if i % 5 else None,
            "pair": [i / 2, None],
            "often": ["web", "book"] if i % 2 else [],
        }
        for i in range(12)
    ]
    rows, stream = 4, True
    options: dict[str, Any] = {}

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        table = pa.Table.from_pylist(records, self.columns.with_metadata({"pandas": "{}", "huggingface": "{}"}))
        path = folder / "records.arrow"
        path.write_bytes(ipc(table, self.rows, stream=self.stream, **self.options))
        return InputSpec(str(path))


class TestStreamInOneBatch(TestStream):
    rows = 100


class TestStreamCompressed(TestStream):
    rows = 1
    options = {"compression": "zstd"}


class TestStreamOfOldWriters(TestStream):
    options = {"use_legacy_format": True}


class TestFile(TestStream):
    stream = False


class TestFileInOneBatch(TestFile):
    rows = 100


class TestFileCompressed(TestFile):
    rows = 1
    options = {"compression": "lz4"}


NUMBERS = pa.table({"n": range(30), "text": [f"{i:06}" for i in range(30)]})


@pytest.mark.parametrize("stream", [True, False])
def test_splits_are_runs_of_batches(tmp_path, stream):
    file = put(tmp_path, ipc(NUMBERS, 4, stream=stream))
    each = splits_of(file, split_bytes=1)
    assert [(s.start, s.stop, s.first_record, s.records) for s in each] == [
        (i, i + 1, 4 * i, 4 if i < 7 else 2) for i in range(8)
    ]
    pairs = splits_of(file, split_bytes=each[0].size_bytes + 2)
    assert [(s.start, s.stop, s.first_record, s.records) for s in pairs] == [
        (0, 2, 0, 8), (2, 4, 8, 8), (4, 6, 16, 8), (6, 8, 24, 6),
    ]  # fmt: skip
    assert sum(s.size_bytes for s in pairs) == file.size_bytes
    alone = [body(pa.Table.from_batches(batches(s, NUMBERS.schema)))["n"].to_pylist() for s in reversed(pairs)]
    assert alone == [[*range(24, 30)], [*range(16, 24)], [*range(8, 16)], [*range(8)]]


def test_batches_hold_about_as_many_bytes_as_asked(tmp_path):
    table = pa.table({"text": ["x" * 96] * 1000})
    (split,) = splits_of(put(tmp_path, ipc(table, 500)))
    sizes = [batch.num_rows for batch in batches(split, table.schema, batch_bytes=10_010)]
    assert sizes == [100] * 10  # each takes 100 bytes, 4 of them an offset


@pytest.mark.parametrize("stream", [True, False])
def test_batches_without_rows(tmp_path, stream):
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, NUMBERS.schema) as writer:
        for start, rows in ((0, 0), (0, 2), (2, 0), (2, 0), (2, 1), (3, 0)):
            writer.write_batch(NUMBERS.slice(start, rows).combine_chunks().to_batches()[0] if rows else EMPTY)
    file = put(tmp_path, sink.getvalue().to_pybytes())
    for split_bytes in (1, WHOLE):
        table = read(file, split_bytes=split_bytes)
        assert body(table)["n"].to_pylist() == [0, 1, 2]
        assert [record_of(a) for a in table["__address"].to_pylist()] == [0, 1, 2]


EMPTY = pa.RecordBatch.from_pylist([], schema=NUMBERS.schema)


@pytest.mark.parametrize("stream", [True, False])
def test_columns_without_rows_are_known(tmp_path, stream):
    file = put(tmp_path, ipc(NUMBERS.slice(0, 0), 4, stream=stream))
    assert arrow_schema(file.path) == NUMBERS.schema
    assert read(file, full=NUMBERS.schema).num_rows == 0


def test_dictionaries_that_differ_between_batches(tmp_path):
    words = ["b", "a", "b", "c", "c", "a"]
    parts = [pa.record_batch({"w": pa.array(words[i : i + 2]).dictionary_encode()}) for i in (0, 2, 4)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, parts[0].schema) as writer:
        for part in parts:
            writer.write_batch(part)
    file = put(tmp_path, sink.getvalue().to_pybytes())
    for split_bytes in (1, WHOLE):
        assert body(read(file, split_bytes=split_bytes))["w"].to_pylist() == words


def test_feather(tmp_path):
    pyarrow.feather.write_feather(NUMBERS, str(tmp_path / "a.feather"), chunksize=7)
    (file,) = open_corpus([InputSpec(str(tmp_path / "a.feather"))]).files
    assert body(read(file)) == NUMBERS


def test_narrower_types_widen_to_those_of_the_corpus(tmp_path):
    table = pa.table(
        {"n": pa.array([1, None], pa.int8()), "s": ["x", None], "v": pa.array(["x", "y"], pa.string_view())}
    )
    wide = pa.schema([("n", pa.int64()), ("s", pa.large_string()), ("v", pa.large_string()), ("new", pa.date32())])
    found = body(read(put(tmp_path, ipc(table, 1)), full=wide))
    assert found.schema == wide
    assert found.to_pylist() == [
        {"n": 1, "s": "x", "v": "x", "new": None},
        {"n": None, "s": None, "v": "y", "new": None},
    ]


def test_values_that_the_common_type_would_round_are_refused(tmp_path):
    file = put(tmp_path, ipc(pa.table({"n": [1, 2**53 + 1]}), 1))
    with pytest.raises(InputError, match="values fit the type that their column has over all inputs") as error:
        read(file, full=pa.schema([("n", pa.float64())]))
    assert f"{file.path}, from record 1" in str(error.value)


def test_files_on_other_storage():
    import fsspec

    memory = fsspec.filesystem("memory")
    for stream in (True, False):
        memory.pipe("/test-arrow/a.arrow", ipc(NUMBERS, 4, stream=stream))
        (file,) = open_corpus([InputSpec("memory://test-arrow")]).files
        (split,) = splits_of(file, split_bytes=1)
        assert (split.records, split.size_bytes) == (None, file.size_bytes)
        assert find_columns(file) == NUMBERS.schema
        assert body(read(file, batch_bytes=50)) == body(read(file)) == NUMBERS
        memory.pipe("/test-arrow/a.arrow", ipc(NUMBERS, 4, stream=stream)[:-50])
        with pytest.raises(InputError, match=UNREADABLE):
            read(file, full=NUMBERS.schema)
    memory.rm("/test-arrow", recursive=True)


def outcome(folder: Path, data: bytes) -> list[Any] | str:
    file = put(folder, data)
    try:
        return body(read(file, full=SMALL.schema)).to_pylist()
    except InputError as error:
        named = error.rule, str(error.value).startswith(file.path)
    assert named == (UNREADABLE, True)
    return "refused"


SMALL = pa.table(
    {"n": range(5), "t": ["x", None, "", "né", "y"], "k": pa.array(["a", "b", "a", None, "b"]).dictionary_encode()}
)


def test_a_stream_cut_anywhere_but_between_batches_is_refused(tmp_path):
    """A stream may lack its end marker, so one that is cut right after a message cannot be told from a shorter one."""
    whole = ipc(SMALL, 2)
    shorter = {}
    source = pa.BufferReader(whole)
    for i, _ in enumerate(pa.ipc.open_stream(source)):
        shorter[source.tell()] = 2 * (i + 1)
    found = {at: result for at in range(len(whole)) if (result := outcome(tmp_path, whole[:at])) != "refused"}
    schema, dictionary, *bounds = found
    assert dictionary < min(shorter)
    assert found == {schema: [], dictionary: []} | {at: SMALL.to_pylist()[:rows] for at, rows in shorter.items()}
    assert bounds == list(shorter)
    assert bounds[-1] == len(whole) - 8


def test_a_file_cut_anywhere_is_refused(tmp_path):
    whole = ipc(SMALL, 2, stream=False)
    assert outcome(tmp_path, whole) == SMALL.to_pylist()
    for at in range(len(whole)):
        assert outcome(tmp_path, whole[:at]) == "refused", at


@pytest.mark.parametrize("tail", [b"\0", b"garbage", ipc(SMALL, 2), ipc(SMALL, 2, stream=False)])
def test_what_follows_the_end_of_a_stream_is_not_passed_over(tmp_path, tail):
    assert outcome(tmp_path, ipc(SMALL, 2) + tail) == "refused"


@pytest.mark.parametrize(
    "content", [b"", b"ARROW1", b"FEA1" + b"\0" * 40, b"PAR1", b"\xff" * 64, b"\0" * 64, b'{"a":1}\n']
)
def test_what_is_no_arrow_is_refused_by_name(tmp_path, content):
    file = put(tmp_path, content)
    for attempt in (find_columns, splits_of, lambda file: arrow_schema(file.path)):
        with pytest.raises(InputError, match=UNREADABLE) as error:
            attempt(file)
        assert file.path in str(error.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    file = put(tmp_path, ipc(SMALL, 2))
    (split,) = splits_of(file)
    Path(file.path).unlink()
    with pytest.raises(InputError, match=r"a\.arrow"):
        splits_of(file)
    with pytest.raises(InputError, match=r"a\.arrow, from record 0"):
        batches(split, SMALL.schema)


def test_a_file_that_became_another_is_refused(tmp_path):
    file = put(tmp_path, ipc(NUMBERS, 4))
    (split,) = splits_of(file)
    put(tmp_path, ipc(NUMBERS, 3).ljust(file.size_bytes))
    with pytest.raises(InputError, match="the file has changed since the run began") as error:
        batches(split, NUMBERS.schema)
    assert f"{file.path}, from record 24" in str(error.value)


def ints(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


LONG = "longer than a view holds"
HOSTILE = {
    "offsets of strings": (pa.array(["x", "yyyy"]), ints(0, 1, 5), ints(0, 1, 2**31 - 1)),
    "offsets that descend": (pa.array(["x", "yyyy"]), ints(0, 1, 5), ints(0, 5, 1)),
    "negative offsets": (pa.array(["x", "yyyy"]), ints(0, 1, 5), ints(0, -1, 5)),
    "offsets of lists": (pa.array([[8], [8, 8]]), ints(0, 1, 3), ints(0, 1, 2**31 - 1)),
    "indices": (pa.array(["b", "a", "b", "c"]).dictionary_encode(), ints(0, 1, 0, 2), ints(0, 1, 0, 99)),
    "negative indices": (pa.array(["b", "a", "b", "c"]).dictionary_encode(), ints(0, 1, 0, 2), ints(0, 1, 0, -1)),
    "views": (pa.array([LONG], pa.string_view()), b"long" + ints(0, 0), b"long" + ints(0, 2**31 - 1)),
    "buffers of views": (pa.array([LONG], pa.string_view()), b"long" + ints(0, 0), b"long" + ints(9, 0)),
    "strings in lists": (pa.array([["zzzz"]]), b"zzzz", b"\xffzzz"),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", HOSTILE)
def test_values_that_point_elsewhere_are_refused(tmp_path, kind, stream):
    good, old, new = HOSTILE[kind]
    sink = pa.BufferOutputStream()
    schema = pa.schema([("a", good.type)])
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, schema) as writer:
        for array in (good[:3] if "indices" in kind else pa.array(good.to_pylist()[:1] * 3, good.type), good):
            writer.write_batch(pa.RecordBatch.from_arrays([array], schema=schema))
    data = sink.getvalue().to_pybytes()
    at = data.rindex(old)
    file = put(tmp_path, data)
    assert read(file).num_rows == 3 + len(good)
    file = put(tmp_path, data[:at] + new + data[at + len(old) :])
    with pytest.raises(InputError, match=UNREADABLE) as error:
        read(file)
    assert f"{file.path}, from record 3" in str(error.value)


def test_utf8_is_left_to_the_text_pass(tmp_path):
    kinds = [(pa.string(), pa.binary()), (pa.large_string(), pa.large_binary()), (pa.string_view(), pa.binary_view())]
    for kind, raw in kinds:
        table = pa.table({"text": pa.array([b"x", b"\xff", None], raw).view(kind)})
        found = body(read(put(tmp_path, ipc(table, 2))))
        assert found.schema == table.schema
        assert [v for c in found["text"].chunks for v in c.view(raw).to_pylist()] == [b"x", b"\xff", None]


@pytest.mark.parametrize("stream", [True, False])
def test_no_damage_ends_in_a_traceback(tmp_path, stream):
    chance = random.Random(1)
    whole = ipc(pa.Table.from_pylist(TestStream.records, TestStream.columns), 5, stream=stream)
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 1, 5, 50])):
            data[chance.randrange(len(data))] = chance.choice([0, 1, 127, 128, 255])
        with contextlib.suppress(InputError):
            file = put(tmp_path, bytes(data))
            read(file)
            read(file, split_bytes=1, batch_bytes=100)


values = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(max_size=5),
        st.lists(st.booleans(), max_size=3),
    )
)


@settings(max_examples=100, deadline=None)
@given(values, st.lists(st.integers(0, 5), max_size=6), st.booleans(), st.integers(1, 99), st.integers(1, 3000))
def test_what_goes_in_comes_out(tmp_path_factory, rows, sizes, stream, batch_bytes, split_bytes):
    schema = pa.schema([("n", pa.int64()), ("t", pa.string()), ("l", pa.list_(pa.bool_()))])
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    sink = pa.BufferOutputStream()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, schema) as writer:
        for size in [*sizes, len(rows)]:
            for batch in table.slice(0, size).to_batches() or [pa.RecordBatch.from_pylist([], schema=schema)]:
                writer.write_batch(batch)
    expected = [row for size in [*sizes, len(rows)] for row in table.slice(0, size).to_pylist()]
    file = put(tmp_path_factory.mktemp("arrow"), sink.getvalue().to_pybytes())
    splits = splits_of(file, split_bytes=split_bytes)
    assert sum(split.records or 0 for split in splits) == len(expected)
    assert body(read(file, full=schema)).to_pylist() == expected
    parts = read(file, full=schema, split_bytes=split_bytes, batch_bytes=batch_bytes)
    assert body(parts).to_pylist() == expected
    assert [record_of(a) for a in parts["__address"].to_pylist()] == list(range(len(expected)))


def save(folder: Path, parts: list[list[str]], **state: Any) -> Path:
    """Write a folder as ``Dataset.save_to_disk`` does."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"data-{i:05}-of-{len(parts):05}.arrow" for i in range(len(parts))]
    for name, texts in zip(names, parts, strict=True):
        (folder / name).write_bytes(ipc(pa.table({"text": texts}), 2))
    described = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "1", "_split": "train", **state}
    (folder / "state.json").write_text(json.dumps(described, indent=2))
    counts = {"train": {"name": "train", "num_examples": 999, "dataset_name": "x"}}
    (folder / "dataset_info.json").write_text(json.dumps({"builder_name": "x", "splits": counts}))
    return folder


def save_dict(folder: Path, splits: dict[str, list[list[str]]]) -> Path:
    """Write a folder as ``DatasetDict.save_to_disk`` does."""
    for name, parts in splits.items():
        save(folder / name, parts)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    return folder


def texts_of(corpus: Corpus) -> list[str]:
    return [row["text"] for file in corpus.files for row in body(read(file)).to_pylist()]


def ignored(corpus: Corpus, folder: Path) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in corpus.ignored]


def test_a_saved_dataset(tmp_path):
    corpus = open_corpus([InputSpec(str(save(tmp_path, [["a", "b", "c"], ["d"]])))])
    assert [file.format for file in corpus.files] == ["arrow", "arrow"]
    assert texts_of(corpus) == ["a", "b", "c", "d"]
    assert ignored(corpus, tmp_path) == ["dataset_info.json", "state.json"]


def test_a_saved_dataset_of_several_splits(tmp_path):
    corpus = open_corpus([InputSpec(str(save_dict(tmp_path, {"train": [["a"], ["b"]], "test": [["c"]]})))])
    assert texts_of(corpus) == ["c", "a", "b"]
    assert ignored(corpus, tmp_path) == [
        "dataset_dict.json",
        "test/dataset_info.json",
        "test/state.json",
        "train/dataset_info.json",
        "train/state.json",
    ]


def test_saved_datasets_deeper_in_a_folder_beside_other_files(tmp_path):
    save_dict(tmp_path / "x" / "y", {"train": [["a"]]})
    save(tmp_path / "z", [["b"]])
    (tmp_path / "state.json").write_text('{"text":"c"}\n')
    (tmp_path / "x" / "dataset_dict.json").write_text('{"text":"d"}\n')
    assert texts_of(open_corpus([InputSpec(str(tmp_path))])) == ["c", "d", "a", "b"]


def test_only_files_that_a_saved_dataset_names_are_read(tmp_path):
    save(tmp_path, [["a"]])
    (tmp_path / "cache-1.arrow").write_bytes(b"not even Arrow")
    corpus = open_corpus([InputSpec(str(tmp_path))])
    assert texts_of(corpus) == ["a"]
    assert ignored(corpus, tmp_path) == ["cache-1.arrow", "dataset_info.json", "state.json"]


def test_a_folder_without_state_is_read_whole(tmp_path):
    save(tmp_path, [["a"], ["b"]])
    for state in (None, "{}"):
        (tmp_path / "state.json").unlink() if state is None else (tmp_path / "state.json").write_text(state)
        corpus = open_corpus([InputSpec(str(tmp_path))])
        assert texts_of(corpus) == ["a", "b"]
        assert ignored(corpus, tmp_path) == ["dataset_info.json", *(["state.json"] if state else [])]


def test_a_description_that_is_named_itself_is_read(tmp_path):
    (tmp_path / "a.arrow").write_bytes(ipc(SMALL, 2))
    (tmp_path / "state.json").write_text('{"text":"a"}\n')
    assert texts_of(open_corpus([InputSpec(str(tmp_path / "state.json"))])) == ["a"]


def refusal(folder: Path, **options: Any) -> str:
    with pytest.raises(InputError) as error:
        open_corpus([InputSpec(str(folder), **options)])
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize("name", ["_indices_files", "_indices_data_files"])
def test_a_saved_dataset_with_an_index_mapping_is_refused(tmp_path, name):
    for nothing in (None, []):
        assert texts_of(open_corpus([InputSpec(str(save(tmp_path, [["a"]], **{name: nothing})))])) == ["a"]
    save(tmp_path, [["a"]], **{name: [{"filename": "indices.arrow"}]})
    assert refusal(tmp_path) == (
        "a saved dataset has no index mapping; found state.json. Call flatten_indices() before save_to_disk."
    )


def test_a_saved_dataset_that_lacks_a_file_is_refused(tmp_path):
    save(tmp_path, [["a"], ["b"]])
    (tmp_path / "data-00001-of-00002.arrow").unlink()
    assert refusal(tmp_path) == (
        "a saved dataset has all files that it names; found no data-00001-of-00002.arrow, named in state.json. "
        "Save the dataset again, or copy all of it."
    )


def test_a_saved_dataset_that_lacks_a_split_is_refused(tmp_path):
    save_dict(tmp_path, {"train": [["a"]], "test": [["b"]]})
    shutil.rmtree(tmp_path / "test")
    assert refusal(tmp_path) == (
        "a saved dataset has all splits that it names; found no test, named in dataset_dict.json. "
        "Save the dataset again, or copy all of it."
    )


def test_a_saved_dataset_cut_between_two_batches_is_refused(tmp_path):
    path = save(tmp_path, [["a", "b", "c"]]) / "data-00000-of-00001.arrow"
    whole = path.read_bytes()
    for at in range(1, len(whole)):
        path.write_bytes(whole[:at])
        assert refusal(tmp_path) == (
            "the files of a saved dataset end with Arrow's end marker; found data-00000-of-00001.arrow, which seems "
            "cut off. Save the dataset again, or copy all of it."
        )
    path.write_bytes(ipc(pa.table({"text": ["z"]}), 1, stream=False))
    assert texts_of(open_corpus([InputSpec(str(tmp_path))])) == ["z"]


@pytest.mark.parametrize("content", ["", "[]", "{", '"x"', "[" * 100_000, '{"_data_files":1}', '{"_data_files":[{}]}'])
def test_a_description_that_is_none_is_refused(tmp_path, content):
    save(tmp_path, [["a"]])
    (tmp_path / "state.json").write_text(content)
    assert refusal(tmp_path).startswith("a saved dataset is described in JSON; found state.json: ")


def test_a_saved_dataset_that_is_not_wanted_is_not_looked_at(tmp_path):
    save_dict(tmp_path, {"train": [["a"], ["b"]], "test": [["c"]]})
    (tmp_path / "test" / "state.json").write_text('{"_indices_files": [1]}')
    assert refusal(tmp_path).startswith("a saved dataset has no index mapping; found test/state.json")
    assert texts_of(open_corpus([InputSpec(str(tmp_path), exclude=("test/**",))])) == ["a", "b"]
    assert texts_of(open_corpus([InputSpec(str(tmp_path), include=("train/*-00001-*",))])) == ["b"]
