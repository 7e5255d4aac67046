"""Files of tables written again, in the form that they had: format, columns, compression, row groups, dialect."""

import base64
import json
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..hashing.errors import InputError
from .compression import open_stored
from .dialect import Dialect
from .formats import InputFile
from .lake_reading import table_schema, table_splits
from .lake_tables import LakeTable
from .parquet import open_parquet

FORMATS = ("parquet", "csv", "jsonl")
"""What can be written again."""

_BATCH_ROWS = 8192
_ARROW_CODECS = {"gzip": "gzip", "bzip2": "bz2", "zstd": "zstd"}
_MARKED = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@dataclass(frozen=True)
class FileForm:
    """How a file of a table is written.

    Attributes:
        name: of the file, without its folder.
        format: ``parquet``, ``csv`` or ``jsonl``.
        compression: of the file as a whole, or "".
        schema: its columns, in order, with their types.
        codec: of the columns of Parquet; else "".
        group_rows: rows of the largest row group of Parquet; else 0.
        delimiter, encoding, line_end: of a delimited file; else "".
    """

    name: str
    format: str
    compression: str
    schema: pa.Schema
    codec: str = ""
    group_rows: int = 0
    delimiter: str = ""
    encoding: str = ""
    line_end: str = ""

    def of(self, schema: pa.Schema) -> "FileForm":
        """Return the same form with other columns."""
        return replace(self, schema=schema)

    def as_json(self) -> dict[str, Any]:
        """Return it as values of JSON; the schema for machines, and for people."""
        plain = {key: value for key, value in vars(self).items() if key != "schema"}
        columns = {field.name: str(field.type) for field in self.schema}
        return plain | {"columns": columns, "schema": base64.b64encode(self.schema.serialize()).decode()}


def form_from_json(raw: dict[str, Any]) -> FileForm:
    """Return what ``as_json`` wrote."""
    facts = {key: value for key, value in raw.items() if key != "columns"}
    return FileForm(**facts | {"schema": pa.ipc.read_schema(pa.py_buffer(base64.b64decode(raw["schema"])))})


def form_of(file: InputFile) -> FileForm:
    """Return how a file is written.

    Raises:
        InputError: if it cannot be read, or its format is not written again.
    """
    name = file.path.rpartition("/")[2]
    if file.format == "parquet":
        with open_parquet(file.path) as opened:
            meta = opened.metadata
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            codec = groups[0].column(0).compression.lower() if groups and groups[0].num_columns else "snappy"
            rows = max((group.num_rows for group in groups), default=0)
            return FileForm(name, "parquet", "", opened.schema_arrow, codec=codec, group_rows=rows)
    table = LakeTable(name, (file,))
    splits = table_splits(table)
    schema = table_schema(table, splits)
    if file.format == "jsonl":
        return FileForm(name, "jsonl", file.compression, schema)
    if file.format == "csv":
        dialect = Dialect(**dict(splits[0].options))
        return FileForm(
            name,
            "csv",
            file.compression,
            schema,
            delimiter=dialect.delimiter,
            encoding=dialect.encoding,
            line_end=_line_end(file, dialect.encoding),
        )
    raise InputError(
        f"files that are written again are {', '.join(FORMATS)}", value=file.path, remedy="Move that table yourself."
    )


def write_again(path: Path, form: FileForm, table: pa.Table) -> None:
    """Write a table in the form that its file had.

    Args:
        path: of the new file.
        form: of the old one.
        table: its rows, in the schema of the form.
    """
    if form.format == "parquet":
        with pq.ParquetWriter(path, form.schema, compression=form.codec) as writer:
            writer.write_table(table, row_group_size=max(1, form.group_rows))
        return
    with _opened(path, form.compression) as stream:
        for text in _delimited(form, table) if form.format == "csv" else _json_lines(table):
            stream.write(text)


def _line_end(file: InputFile, encoding: str) -> str:
    """Return the first line end of a delimited file."""
    with open_stored(file.path, file.compression) as stream:
        head = stream.read(1 << 20).decode(encoding, "replace")
    at = min((place for place in (head.find("\n"), head.find("\r")) if place >= 0), default=-1)
    if at < 0 or head[at] == "\n":
        return "\n"
    return "\r\n" if head[at : at + 2] == "\r\n" else "\r"


def _json_lines(table: pa.Table) -> Iterator[bytes]:
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in batch.to_pylist()]
        yield "".join(lines).encode()


def _delimited(form: FileForm, table: pa.Table) -> Iterator[bytes]:
    header = pa.table({str(i): pa.array([name], pa.string()) for i, name in enumerate(form.schema.names)})
    mark = "\ufeff" if form.encoding in _MARKED else ""
    for part in (header, table):
        for batch in part.to_batches(max_chunksize=_BATCH_ROWS):
            if batch.num_rows:
                text = mark + form.line_end.join(_records(batch, form.delimiter)) + form.line_end
                mark = ""
                yield text.encode(form.encoding, "surrogatepass" if form.encoding != "utf-8" else "strict")


def _records(batch: pa.RecordBatch, delimiter: str) -> list[str]:
    """Return records without their ends; fields are quoted where they must be."""
    fields = []
    for column in batch.columns:
        plain = pc.fill_null(column.cast(pa.large_string()), "")
        special = pc.match_substring_regex(plain, f'[{_CLASS.get(delimiter, delimiter)}"\r\n]')
        if len(batch.columns) == 1:  # an empty line is no record
            special = pc.or_(special, pc.equal(plain, ""))
        quote, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
        inner = pc.replace_substring(plain, '"', '""')
        fields.append(pc.if_else(special, pc.binary_join_element_wise(quote, inner, quote, nothing), plain))
    joined = pc.binary_join_element_wise(*fields, pa.scalar(delimiter, pa.large_string()))
    texts: list[str] = joined.to_pylist()
    return texts


_CLASS = {"|": r"\|", "\t": r"\t", "^": r"\^", "]": r"\]", "\\": r"\\"}
"""Delimiters as they are written in a class of characters of a regular expression."""


@contextmanager
def _opened(path: Path, compression: str) -> Iterator[Any]:
    if compression == "xz":
        with lzma.open(path, "wb") as stream:
            yield stream
    elif compression:
        with pa.CompressedOutputStream(str(path), _ARROW_CODECS[compression]) as stream:
            yield stream
    else:
        with open(path, "wb") as stream:
            yield stream
