"""What every reader does, whatever it reads: a subclass writes records and says which columns should come back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tamis.connectors.address import ADDRESS, address
from tamis.connectors.batches import RAW, RESERVED, RULE, pick, reading_schema
from tamis.connectors.corpus import InputFile, InputSpec, open_corpus, plan_splits, read_split, split_schema
from tamis.connectors.schema import unify
from tamis.connectors.split import Split

ORDINAL = 5
"""Not 0, so that addresses without their file part are noticed."""

WHOLE = 1 << 24
SIZES = [(split, batch) for split in (1, 40, 700, WHOLE) for batch in (1, 60, 1000, WHOLE)]


class ReaderContract:
    """The contract. Names without ``test`` are for subclasses to set or call."""

    columns: pa.Schema
    """What should come back."""

    records: list[dict[str, Any]]
    """Ten or more rows of ``columns``, as ``to_pylist`` gives them."""

    subset: list[str]
    """Some of the columns, in another order than the file's."""

    counted = True
    """Whether splits know how many records they have before they are read."""

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        """Write records below a folder; return how to name them."""
        raise NotImplementedError

    def open(self, folder: Path, records: list[dict[str, Any]]) -> InputFile:
        """Write records and open them as one input file."""
        (file,) = open_corpus([self.write(folder, records)]).files
        return replace(file, ordinal=ORDINAL)

    @pytest.fixture
    def file(self, tmp_path: Path) -> InputFile:
        return self.open(tmp_path, self.records)

    def test_records_equal_what_was_written(self, file: InputFile) -> None:
        assert find_columns(file) == self.columns
        assert body(read(file)).to_pylist() == self.records

    def test_types_are_untouched(self, file: InputFile) -> None:
        assert body(read(file)).schema == self.columns

    def test_good_records_have_no_rule_and_no_raw_bytes(self, file: InputFile) -> None:
        table = read(file)
        assert table[RULE].to_pylist() == table[RAW].to_pylist() == [None] * len(self.records)

    def test_addresses_ascend_and_count_every_record(self, file: InputFile) -> None:
        assert read(file)[ADDRESS].to_pylist() == [address(ORDINAL, i) for i in range(len(self.records))]

    @pytest.mark.parametrize(("split_bytes", "batch_bytes"), SIZES)
    def test_sizes_of_splits_and_batches_change_nothing(
        self, file: InputFile, split_bytes: int, batch_bytes: int
    ) -> None:
        assert find_columns(file, split_bytes=split_bytes, batch_bytes=batch_bytes) == self.columns
        assert read(file, split_bytes=split_bytes, batch_bytes=batch_bytes) == read(file)

    @pytest.mark.parametrize("batch_rows", [1, 3, 1000])
    def test_batches_have_at_most_so_many_rows(self, file: InputFile, batch_rows: int) -> None:
        found = [batch for split in splits_of(file) for batch in batches(split, self.columns, batch_rows=batch_rows)]
        assert max(batch.num_rows for batch in found) <= batch_rows
        assert pa.Table.from_batches(found) == read(file)

    @pytest.mark.parametrize("split_bytes", [1, 40, 700])
    def test_a_split_alone_equals_its_part_of_the_whole(self, file: InputFile, split_bytes: int) -> None:
        whole = read(file)
        expected = 0
        for split in reversed(splits_of(file, split_bytes=split_bytes)):
            alone = pa.Table.from_batches(batches(split, self.columns), schema=whole.schema)
            assert alone == whole.slice(split.first_record, alone.num_rows)
            assert split.records == (alone.num_rows if self.counted else None)
            expected += alone.num_rows
        assert expected == len(self.records)

    def test_splits_know_their_bytes(self, file: InputFile) -> None:
        whole = sum(split.size_bytes for split in splits_of(file))
        assert whole > 0
        assert sum(split.size_bytes for split in splits_of(file, split_bytes=1)) == whole

    def test_a_subset_of_columns(self, file: InputFile) -> None:
        columns = pa.schema([self.columns.field(name) for name in self.subset])
        found = body(read(file, columns=columns))
        assert found.schema == columns
        assert found.to_pylist() == [{name: record[name] for name in self.subset} for record in self.records]

    def test_no_column_at_all(self, file: InputFile) -> None:
        found = read(file, columns=pa.schema([]))
        assert found.schema == reading_schema(pa.schema([]))
        assert found[ADDRESS].to_pylist() == [address(ORDINAL, i) for i in range(len(self.records))]

    def test_absent_columns_are_null(self, file: InputFile) -> None:
        absent = [("nowhere", pa.int64()), ("deep", pa.struct([("x", pa.list_(pa.string()))])), ("when", pa.date32())]
        present = self.columns.field(self.subset[0])
        columns = pa.schema([absent[0], present, *absent[1:]])
        for full in (self.columns, pa.schema([*self.columns, *map(pa.field, *zip(*absent, strict=True))])):
            found = body(read(file, columns=columns, full=full))
            assert found.schema == columns
            assert found[present.name].to_pylist() == [record[present.name] for record in self.records]
            assert all(found[name].null_count == len(self.records) for name, _ in absent)

    def test_only_absent_columns(self, file: InputFile) -> None:
        found = body(read(file, columns=pa.schema([("nowhere", pa.string())])))
        assert found.to_pylist() == [{"nowhere": None}] * len(self.records)

    @pytest.mark.parametrize(
        "wanted", [[], [0], [9], [0, 0, 0], [1, 1, 4, 7, 7, 7], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [2, 9, 9]]
    )
    @pytest.mark.parametrize("batch_bytes", [1, 200, WHOLE])
    def test_picked_records_come_as_often_as_they_are_wanted(
        self, file: InputFile, wanted: list[int], batch_bytes: int
    ) -> None:
        keys = np.array([address(ORDINAL, i) for i in wanted], np.int64)
        found, positions = [], []
        for split in splits_of(file, split_bytes=WHOLE):
            for batch, first, last in pick(iter(batches(split, self.columns, batch_bytes=batch_bytes)), keys):
                found.append(batch)
                positions += range(first, last)
        table = pa.Table.from_batches(found, schema=reading_schema(self.columns))
        assert positions == list(range(len(wanted)))
        assert table[ADDRESS].to_pylist() == keys.tolist()
        assert body(table).to_pylist() == [self.records[i] for i in wanted]

    def test_one_record(self, tmp_path: Path) -> None:
        file = self.open(tmp_path, self.records[:1])
        columns = find_columns(file)
        table = read(file, columns=columns)
        assert table[ADDRESS].to_pylist() == [address(ORDINAL, 0)]
        assert body(table).to_pylist() == [{name: self.records[0][name] for name in columns.names}]

    def test_an_empty_file_has_no_records(self, tmp_path: Path) -> None:
        file = self.open(tmp_path, [])
        assert read(file, columns=self.columns).num_rows == 0

    def test_a_source_goes_with_every_split(self, tmp_path: Path) -> None:
        (file,) = open_corpus([replace(self.write(tmp_path, self.records), source="press")]).files
        assert {split.source for split in splits_of(file, split_bytes=1)} == {"press"}


def splits_of(file: InputFile, *, split_bytes: int = WHOLE) -> list[Split]:
    """Return the splits of a file."""
    return plan_splits(file, split_bytes=split_bytes)


def find_columns(file: InputFile, *, split_bytes: int = WHOLE, batch_bytes: int = WHOLE) -> pa.Schema:
    """Return the columns of a file, as a run finds them."""
    parts = []
    for split in splits_of(file, split_bytes=split_bytes):
        found = split_schema(split, batch_bytes=batch_bytes)
        parts.append((split.path, pa.ipc.read_schema(found.serialize())))
    return unify(parts).remove_metadata()


def batches(
    split: Split,
    columns: pa.Schema,
    *,
    full: pa.Schema | None = None,
    batch_bytes: int = WHOLE,
    batch_rows: int | None = None,
) -> list[pa.RecordBatch]:
    """Return what a split yields."""
    found: Iterator[pa.RecordBatch] = read_split(
        split, columns, full=full or columns, batch_bytes=batch_bytes, batch_rows=batch_rows
    )
    return list(found)


def read(
    file: InputFile,
    *,
    columns: pa.Schema | None = None,
    full: pa.Schema | None = None,
    split_bytes: int = WHOLE,
    batch_bytes: int = WHOLE,
) -> pa.Table:
    """Return what all splits of a file yield, with the reader's own columns."""
    full = full or find_columns(file)
    columns = full if columns is None else columns
    found = [
        batch
        for split in splits_of(file, split_bytes=split_bytes)
        for batch in batches(split, columns, full=full, batch_bytes=batch_bytes)
    ]
    return pa.Table.from_batches(found, schema=reading_schema(columns)).combine_chunks()


def body(table: pa.Table) -> pa.Table:
    """Return a table without the reader's own columns."""
    return table.drop_columns(list(RESERVED))
