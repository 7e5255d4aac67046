"""A folder of text files: one input file whose records are the folder's files.

Columns: ``text`` (the bytes as they are), ``path`` (relative to the folder) and ``folder`` (the first part of the
path, or the file's own name for files at the top).
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..hashing.errors import InputError
from .address import addresses
from .batches import conform, good_batch, reading_schema
from .formats import Format, InputFile
from .split import Split
from .storage import Stored, open_binary

SCHEMA = pa.schema([("text", pa.large_string()), ("path", pa.string()), ("folder", pa.string())])


def plan_text_folder(file: int, path: str, members: list[Stored], *, split_bytes: int, source: str) -> Iterator[Split]:
    """Yield splits of consecutive files of about ``split_bytes`` each."""
    start = size = 0
    for i, member in enumerate(members):
        size += member.size_bytes
        if size >= split_bytes or i == len(members) - 1:
            names = tuple(m.relative for m in members[start : i + 1])
            yield Split(
                file,
                path,
                "text",
                first_record=start,
                records=len(names),
                members=names,
                source=source,
                size_bytes=size,
            )
            start, size = i + 1, 0


def read_text_folder(
    split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Yield the files of a split as records; texts are not validated here."""
    record, texts, names, size = split.first_record, [], [], 0
    for i, name in enumerate(split.members):
        texts.append(_read(f"{split.path.rstrip('/')}/{name}"))
        names.append(name)
        size += len(texts[-1])
        if size >= batch_bytes or i == len(split.members) - 1:
            yield _batch(split.file, record, texts, names, columns)
            record, texts, names, size = record + len(names), [], [], 0


def _read(path: str) -> bytes:
    try:
        with open_binary(path) as stream:
            return bytes(stream.read())
    except OSError as error:
        raise InputError(
            "a text input can be read", value=f"{path}: {error}", remedy="Restore the file or drop it from the inputs."
        ) from error


def _batch(file: int, record: int, texts: list[bytes], names: list[str], columns: pa.Schema) -> pa.RecordBatch:
    folders = [name.partition("/")[0] for name in names]
    batch = pa.RecordBatch.from_arrays(
        [unchecked_strings(texts), pa.array(names, pa.string()), pa.array(folders, pa.string())], schema=SCHEMA
    )
    return good_batch(addresses(file, record, len(names)), conform(batch, columns), reading_schema(columns))


def unchecked_strings(texts: list[bytes]) -> pa.Array:
    """Return a large_string array of bytes that may not be UTF-8: the text pass checks and reports them."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(b"".join(texts)))


def _plan(file: InputFile, split_bytes: int) -> Iterator[Split]:
    return plan_text_folder(file.ordinal, file.path, list(file.members), split_bytes=split_bytes, source=file.source)


TEXT = Format("text", plan=_plan, schema=lambda split, batch_bytes: SCHEMA, read=read_text_folder, expansion=1.1)
