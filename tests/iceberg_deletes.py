"""Iceberg snapshots with delete files, which pyiceberg reads and does not write."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.update import AddSnapshotUpdate, SetSnapshotRefUpdate
from pyiceberg.typedef import Record
from pyroaring import BitMap

SNAPSHOT = 77
_POSITIONS = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={"PARQUET:field_id": "2147483546"}),
        pa.field("pos", pa.int64(), nullable=False, metadata={"PARQUET:field_id": "2147483545"}),
    ]
)


class _Deletes(ManifestWriterV2):
    """Writes a manifest of delete files."""

    def content(self):
        return ManifestContent.DELETES

    @property
    def _meta(self):
        return {**super()._meta, "content": "deletes"}


def delete_positions(table, positions):
    """Commit a snapshot that deletes records by position: {data file: their numbers}."""
    rows = [{"file_path": path, "pos": number} for path, numbers in positions.items() for number in sorted(numbers)]
    path = f"{table.location()}/data/deletes-{len(table.snapshots())}.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=_POSITIONS), path.removeprefix("file://"))
    _commit(table, DataFileContent.POSITION_DELETES, path, FileFormat.PARQUET, len(rows))


def delete_by_vector(table, positions):
    """Commit a snapshot that deletes records of one data file by a deletion vector: {data file: their numbers}."""
    [(of, numbers)] = positions.items()
    vector = (1).to_bytes(8, "little") + (0).to_bytes(4, "little") + BitMap(numbers).serialize()
    body = bytes.fromhex("d1d33964") + vector
    blob = len(body).to_bytes(4, "big") + body + bytes(4)
    facts = {
        "type": "deletion-vector-v1",
        "fields": [2147483546],
        "snapshot-id": -1,
        "sequence-number": -1,
        "offset": 4,
    }
    named = {"referenced-data-file": of, "cardinality": str(len(numbers))}
    footer = json.dumps({"blobs": [{**facts, "length": len(blob), "properties": named}]}).encode()
    path = f"{table.location()}/data/deletes.puffin"
    with open(path.removeprefix("file://"), "wb") as file:
        file.write(b"PFA1" + blob + b"PFA1" + footer + len(footer).to_bytes(4, "little") + bytes(4) + b"PFA1")
    _commit(table, DataFileContent.POSITION_DELETES, path, FileFormat.PUFFIN, len(numbers))


def delete_equals(table, rows, field):
    """Commit a snapshot that deletes all records equal to some rows in a field."""
    path = f"{table.location()}/data/equals.parquet"
    pq.write_table(rows, path.removeprefix("file://"))
    _commit(table, DataFileContent.EQUALITY_DELETES, path, FileFormat.PARQUET, rows.num_rows, equality_ids=[field])


def _commit(table, content, path, kind, count, **facts):
    number = SNAPSHOT + len(table.snapshots())
    before = table.current_snapshot()
    empty = dict.fromkeys(("column_sizes", "value_counts", "null_value_counts", "nan_value_counts", "lower_bounds"), {})
    file = DataFile.from_args(
        content=content,
        file_path=path,
        file_format=kind,
        partition=Record(),
        record_count=count,
        file_size_in_bytes=1,
        upper_bounds={},
        **empty,
        **facts,
    )
    file.spec_id = table.spec().spec_id
    order = table.metadata.last_sequence_number + 1
    manifest = table.io.new_output(f"{table.location()}/metadata/deletes-{number}.avro")
    with _Deletes(table.spec(), table.schema(), manifest, number, "deflate") as writer:
        added = ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, snapshot_id=number, data_file=file)
        writer.add_entry(added)
    listed = f"{table.location()}/metadata/snap-{number}.avro"
    args = (table.io.new_output(listed), number, before.snapshot_id, order, "deflate")
    with write_manifest_list(2, *args) as manifests:
        manifests.add_manifests([*before.manifests(table.io), writer.to_manifest_file()])
    snapshot = Snapshot(
        snapshot_id=number,
        parent_snapshot_id=before.snapshot_id,
        sequence_number=order,
        timestamp_ms=before.timestamp_ms + 1,
        manifest_list=listed,
        summary=Summary(Operation.DELETE),
        schema_id=table.metadata.current_schema_id,
    )
    moved = SetSnapshotRefUpdate(ref_name="main", type="branch", snapshot_id=number)
    table.catalog.commit_table(table, (), (AddSnapshotUpdate(snapshot=snapshot), moved))
    table.refresh()
