"""Delta tables whose log is written by hand: with what ``deltalake`` reads and does not write.

The format: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

import json
import struct
from urllib.parse import quote

import pyarrow.parquet as pq
from pyroaring import BitMap

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_ROARING_ARRAY = 1681511377
IDENT = "7cf22f7f-ed14-4fef-aa84-ff325eca7c76"


def commit(root, version, *actions):
    """Write a commit."""
    (root / "_delta_log").mkdir(parents=True, exist_ok=True)
    path = root / "_delta_log" / f"{version:020}.json"
    path.write_text("".join(json.dumps(action) + "\n" for action in actions))


def protocol(*features):
    """Return an action that asks readers for features."""
    names = list(features)
    versions = {"minReaderVersion": 3, "minWriterVersion": 7}
    return {"protocol": {**versions, "readerFeatures": names, "writerFeatures": names}}


def column(name, kind="long", **metadata):
    """Return a column of a schema."""
    return {"name": name, "type": kind, "nullable": True, "metadata": metadata}


def mapped(number, name):
    """Return the metadata of a column that files know by a number and a physical name."""
    return {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": name}


def metadata(columns, partitions=(), ident=IDENT, **configuration):
    """Return an action with the schema."""
    schema = json.dumps({"type": "struct", "fields": columns})
    settings = {key.replace("_", "."): value for key, value in configuration.items()}
    kind = {"provider": "parquet", "options": {}}
    facts = {"id": ident, "format": kind, "schemaString": schema, "partitionColumns": list(partitions)}
    return {"metaData": {**facts, "configuration": settings, "createdTime": 0}}


def add(root, path, table, deleted=None, partition=None, **options):
    """Write a data file and return the action that adds it.

    Args:
        root: of the table.
        path: of the file, relative.
        table: its records.
        deleted: numbers of the records that a deletion vector takes away.
        partition: values of partition columns, as texts.
        options: of the Parquet writer.
    """
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, place, **options)
    action = {
        "path": quote(path, safe="/="),
        "partitionValues": partition or {},
        "size": place.stat().st_size,
        "modificationTime": 1,
        "dataChange": True,
        "stats": json.dumps({"numRecords": table.num_rows}),
    }
    if deleted is not None:
        action["deletionVector"] = _deletion_vector(deleted)
    return {"add": action}


def remove(path):
    """Return the action that removes a data file."""
    return {"remove": {"path": quote(path, safe="/="), "deletionTimestamp": 1, "dataChange": True}}


def _deletion_vector(rows):
    """Return an inline deletion vector: one bitmap of 32 bits."""
    data = struct.pack("<IQI", _ROARING_ARRAY, 1, 0) + BitMap(rows).serialize()
    padded = data + b"\0" * (-len(data) % 4)
    text = "".join(_z85(padded[i : i + 4]) for i in range(0, len(padded), 4))
    return {"storageType": "i", "pathOrInlineDv": text, "sizeInBytes": len(data), "cardinality": len(rows)}


def _z85(four):
    value, text = int.from_bytes(four, "big"), ""
    for _ in range(5):
        text = _Z85[value % 85] + text
        value //= 85
    return text
