import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reader_contract import ReaderContract, batches, body, find_columns, read, splits_of

from tamis.connectors.address import record_of
from tamis.connectors.corpus import InputSpec, open_corpus
from tamis.connectors.parquet import open_parquet, parquet_schema
from tamis.connectors.schema import unify
from tamis.hashing.errors import InputError


class ParquetContract(ReaderContract):
    columns = pa.schema(
        [
            pa.field("id", pa.int32()),
            pa.field("text", pa.string()),
            pa.field("long", pa.large_string()),
            pa.field("score", pa.float32()),
            pa.field("weight", pa.float64()),
            pa.field("flag", pa.bool_()),
            pa.field("raw", pa.binary()),
            pa.field("digest", pa.binary(3)),
            pa.field("price", pa.decimal128(12, 3)),
            pa.field("day", pa.date32()),
            pa.field("seen", pa.timestamp("us", "UTC")),
            pa.field("spent", pa.duration("ms")),
            pa.field("kind", pa.dictionary(pa.int32(), pa.string())),
            pa.field("meta", pa.struct([("a", pa.int64()), ("b", pa.list_(pa.field("element", pa.string())))])),
            pa.field("tags", pa.list_(pa.field("element", pa.struct([("k", pa.string()), ("v", pa.float64())])))),
            pa.field("pairs", pa.map_(pa.string(), pa.int64())),
            pa.field("nothing", pa.null()),
            pa.field("a.b", pa.int64()),
            pa.field("a", pa.struct([("b", pa.string())])),
        ]
    )
    subset = ["a.b", "tags", "text"]
    group_rows = 4

    records = [
        {
            "id": i if i != 3 else None,
            "text": ["plain", "", None, "né à Paris", "日本語 🦊", "nul \0 inside"][i % 6],
            "long": "x" * i,
            "score": i / 4,
            "weight": -1e300 if i == 2 else i / 8,
            "flag": [True, False, None][i % 3],
            "raw": bytes([i, 255, 0]),
            "digest": bytes([i, i, i]) if i % 4 else None,
            "price": Decimal(i).scaleb(-3) if i else None,
            "day": dt.date(2020, 1, 1 + i),
            "seen": dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=i),
            "spent": dt.timedelta(milliseconds=i),
            "kind": ["web", "book", None][i % 3],
            "meta": {"a": i, "b": ["x", None][: i % 3]} if i % 5 else None,
            "tags": [{"k": "q", "v": i / 2}, None][: i % 3] if i % 7 else None,
            "pairs": [("k", i), ("l", None)][: i % 3],
            "nothing": None,
            "a.b": i * 10**15,
            "a": {"b": f"b{i}"},
        }
        for i in range(12)
    ]

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        path = folder / "records.parquet"
        pq.write_table(pa.Table.from_pylist(records, self.columns), path, row_group_size=self.group_rows)
        return InputSpec(str(path))


class TestParquet(ParquetContract):
    pass


class TestParquetInManySmallGroups(ParquetContract):
    group_rows = 1


class TestParquetInOneGroup(ParquetContract):
    group_rows = 100


def write(path: Path, table: pa.Table, **options: Any) -> str:
    pq.write_table(table, path, **options)
    return str(path)


def test_splits_are_runs_of_row_groups(tmp_path):
    table = pa.table({"text": [f"{i:06}" for i in range(30)]})
    (file,) = open_corpus([InputSpec(write(tmp_path / "a.parquet", table, row_group_size=4, compression="none"))]).files
    each = splits_of(file, split_bytes=1)
    assert [(s.start, s.stop, s.first_record, s.records) for s in each] == [
        (i, i + 1, 4 * i, 4 if i < 7 else 2) for i in range(8)
    ]
    pairs = splits_of(file, split_bytes=each[0].size_bytes + 1)
    assert [(s.start, s.stop, s.first_record, s.records) for s in pairs] == [
        (0, 2, 0, 8), (2, 4, 8, 8), (4, 6, 16, 8), (6, 8, 24, 6),
    ]  # fmt: skip
    assert [s.size_bytes for s in pairs] == [
        a.size_bytes + b.size_bytes for a, b in zip(each[::2], each[1::2], strict=True)
    ]


def test_batches_hold_about_as_many_bytes_as_asked(tmp_path):
    table = pa.table({"text": ["x" * 100] * 1000})
    (file,) = open_corpus([InputSpec(write(tmp_path / "a.parquet", table, use_dictionary=False))]).files
    (split,) = splits_of(file)
    sizes = [batch.num_rows for batch in batches(split, table.schema, batch_bytes=split.size_bytes // 10 + 1)]
    assert sizes == [100] * 10


def test_no_row_groups(tmp_path):
    schema = pa.schema([("text", pa.string())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema):
        pass
    (file,) = open_corpus([InputSpec(str(tmp_path / "a.parquet"))]).files
    assert splits_of(file) == []
    assert parquet_schema(file.path) == schema


def test_row_groups_without_rows_between_others(tmp_path):
    schema = pa.schema([("n", pa.int64())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema) as writer:
        for rows in ([], [0, 1], [], [], [2], []):
            writer.write_table(pa.table({"n": pa.array(rows, pa.int64())}))
    (file,) = open_corpus([InputSpec(str(tmp_path / "a.parquet"))]).files
    for split_bytes in (1, 1 << 30):
        table = read(file, split_bytes=split_bytes)
        assert body(table).to_pylist() == [{"n": 0}, {"n": 1}, {"n": 2}]
        assert [record_of(a) for a in table["__address"].to_pylist()] == [0, 1, 2]


def test_dictionaries_that_differ_between_groups(tmp_path):
    kind = pa.dictionary(pa.int32(), pa.string())
    words = ["b", "a", "b", "c", "c", "a"]
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("w", kind)])) as writer:
        for i in (0, 2, 4):
            writer.write_table(pa.table({"w": pa.array(words[i : i + 2]).dictionary_encode()}))
    (file,) = open_corpus([InputSpec(str(tmp_path / "a.parquet"))]).files
    assert [r["w"] for r in body(read(file)).to_pylist()] == words


def test_narrow_dictionaries_of_two_files_fit_together(tmp_path):
    narrow = pa.dictionary(pa.int8(), pa.string())
    halves = [[f"{side}{i}" for i in range(100)] for side in "ab"]
    specs = [
        InputSpec(write(tmp_path / f"{i}.parquet", pa.table({"w": pa.array(half).dictionary_encode().cast(narrow)})))
        for i, half in enumerate(halves)
    ]
    files = open_corpus(specs).files
    columns = unify([(f.path, parquet_schema(f.path)) for f in files]).remove_metadata()
    both = pa.concat_tables([read(f, full=columns) for f in files])
    assert body(both).combine_chunks()["w"].to_pylist() == halves[0] + halves[1]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a Parquet file, whatever its name says", b"PAR1" + b"\0" * 64])
def test_what_is_not_parquet_is_refused_by_name(tmp_path, content):
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(InputError, match="a Parquet input is a readable Parquet file") as error:
        open_parquet(str(path))
    assert str(path) in str(error.value)


def test_a_truncated_file_is_refused_by_name(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, pa.table({"text": ["x" * 1000] * 100}))
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="a Parquet input is a readable Parquet file") as error:
        open_parquet(str(path))
    assert str(path) in str(error.value)


def test_damage_in_the_middle_names_the_file_and_the_place(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"text": [f"{i} " * 50 for i in range(4000)]})
    write(path, table, row_group_size=1000, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    start = pq.ParquetFile(path).metadata.row_group(2).column(0).data_page_offset
    content[start : start + 200] = bytes(200)
    path.write_bytes(content)
    (file,) = open_corpus([InputSpec(str(path))]).files
    splits = splits_of(file, split_bytes=1)
    for i in (0, 1, 3):
        assert body(pa.Table.from_batches(batches(splits[i], table.schema))) == table.slice(1000 * i, 1000)
    with pytest.raises(InputError, match="a Parquet input can be read to its end") as error:
        batches(splits[2], table.schema)
    assert f"{path}, near record 2000" in str(error.value)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="gone.parquet"):
        open_parquet(str(tmp_path / "gone.parquet"))


def test_values_that_the_common_type_would_round_are_refused(tmp_path):
    path = write(tmp_path / "a.parquet", pa.table({"n": [1, 2**53 + 1]}))
    (file,) = open_corpus([InputSpec(path)]).files
    with pytest.raises(InputError, match="values fit the type that their column has over all inputs") as error:
        read(file, full=pa.schema([("n", pa.float64())]))
    assert f"{path}, from record 0" in str(error.value)


def test_narrower_types_widen_to_those_of_the_corpus(tmp_path):
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int8()),
            "s": pa.array(["x", None]),
            "d": pa.array(["x", "y"]).dictionary_encode(),
            "t": pa.array([{"a": 1}, None], pa.struct([("a", pa.int32())])),
            "l": pa.array([[1], None], pa.list_(pa.int32())),
        }
    )
    wide = pa.schema(
        [
            ("n", pa.int64()),
            ("s", pa.large_string()),
            ("d", pa.large_string()),
            ("t", pa.struct([("b", pa.string()), ("a", pa.float64())])),
            ("l", pa.large_list(pa.int64())),
        ]
    )
    (file,) = open_corpus([InputSpec(write(tmp_path / "a.parquet", table))]).files
    found = body(read(file, full=wide))
    assert found.schema == wide
    assert found.to_pylist() == [
        {"n": 1, "s": "x", "d": "x", "t": {"b": None, "a": 1.0}, "l": [1]},
        {"n": None, "s": None, "d": "y", "t": None, "l": None},
    ]


def test_files_on_other_storage(tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    table = pa.table({"n": [1, 2, 3]})
    with memory.open("/test-parquet/a.parquet", "wb") as stream:
        pq.write_table(table, stream)
    (file,) = open_corpus([InputSpec("memory://test-parquet")]).files
    assert find_columns(file) == table.schema
    assert body(read(file)).to_pylist() == table.to_pylist()
    memory.rm("/test-parquet", recursive=True)
