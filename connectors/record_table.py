"""One table of records, read whole: a file, the files of a folder, a Delta table, or the one table of a catalogue."""

from collections import Counter
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from ..hashing.errors import ConfigError, InputError
from .address import ADDRESS, record_of
from .batches import RULE
from .corpus import InputSpec, open_corpus
from .dialect import SAMPLE_BYTES, dialect_of, head_of
from .formats import InputFile
from .iceberg_catalogue import is_catalogue
from .lake_reading import read_table_split, survey_table
from .lake_tables import LakeTable, list_tables
from .split import Split
from .storage import exists, is_folder

RARE_DELIMITERS = ("%", "#", "^", "~", ">")
"""What may stand between fields where none of the usual delimiters does, likelier ones first. A table of records has an
id and something else: one column means that its delimiter was not found."""


@dataclass(frozen=True)
class RecordTable:
    """The rows of a table.

    Attributes:
        rows: in the order of files and records; of delimited files all columns are strings.
        unread: (path, record from 0, rule) of records that could not be read, in order.
        delimiter: of its delimited files; "" where it has none.
    """

    rows: pa.Table
    unread: tuple[tuple[str, int, str], ...]
    delimiter: str


def read_record_table(path: str, *, delimiter: str | None = None, format: str | None = None) -> RecordTable:
    """Read a table. Names of columns lose white space at their ends.

    Args:
        path: file, folder, glob or URL; a folder of Delta; a catalogue of Iceberg with one table.
        delimiter: of delimited files; default: found by looking at their first records.
        format: of files; default: by ending.

    Raises:
        InputError: if there is no such table, it cannot be read, or two columns have one name.
        ConfigError: if there is no such format, or the delimiter cannot be one.
    """
    table = _listed(path, format)
    if delimiter is not None:
        table = _delimited(table, delimiter)
    splits, schema = survey_table(table)
    if delimiter is None and len(schema) == 1 and splits and splits[0].format == "csv":
        splits, schema = survey_table(_delimited(table, _rare_delimiter(table.files[0])))
    batches: list[pa.RecordBatch] = []
    unread: list[tuple[str, int, str]] = []
    for split in splits:
        for batch in read_table_split(split, schema, schema):
            good = batch.column(RULE).is_null()
            if good.true_count < batch.num_rows:
                unread += _unread(split, batch.filter(pc.invert(good)))
                batch = batch.filter(good)
            batches.append(batch.select(schema.names))
    rows = pa.Table.from_batches(batches, schema if not batches else batches[0].schema)
    said = next((dict(split.options).get("delimiter", "") for split in splits if split.format == "csv"), "")
    return RecordTable(rows.rename_columns(_trimmed(schema.names, path)), tuple(unread), said)


def stamp_of(path: str, format: str | None = None) -> str:
    """Return what is another text whenever the files of a table are others, or were written to.

    Raises:
        InputError, ConfigError: as ``read_record_table``.
    """
    return _listed(path, format).fingerprint


def _listed(path: str, format: str | None) -> LakeTable:
    if is_catalogue(path) or (is_folder(path) and exists(f"{path.rstrip('/')}/_delta_log")):
        tables = list_tables([path])[0]
        if len(tables) != 1:
            raise InputError(
                "a table of records is one table",
                value=f"{len(tables):,} in {path}: {', '.join(table.name for table in tables[:3])} ...",
                remedy="Export the one that is meant, or name its folder.",
            )
        return tables[0]
    return LakeTable(path, open_corpus([InputSpec(path, format)]).files)


def _delimited(table: LakeTable, delimiter: str) -> LakeTable:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise ConfigError(
            "a delimiter is one character of ASCII, neither a quote nor the end of a line",
            value=repr(delimiter),
            remedy="Mend --delimiter.",
        )
    options = (("delimiter", delimiter),)
    return replace(table, files=tuple(replace(file, options=options) for file in table.files))


def _rare_delimiter(file: InputFile) -> str:
    head = head_of(file.path, file.compression, SAMPLE_BYTES + 1)
    return dialect_of(file.path, head, RARE_DELIMITERS).delimiter


def _unread(split: Split, batch: pa.RecordBatch) -> list[tuple[str, int, str]]:
    addresses, rules = batch.column(ADDRESS).to_pylist(), batch.column(RULE).to_pylist()
    return [(split.path, record_of(address), rule) for address, rule in zip(addresses, rules, strict=True)]


def _trimmed(names: list[str], path: str) -> list[str]:
    trimmed = [name.strip() for name in names]
    twice = [name for name, count in Counter(trimmed).items() if count > 1]
    if twice:
        raise InputError(
            "the columns of a table have names of their own, white space at their ends not counted",
            value=f"{twice[0]!r} more than once in {path}",
            remedy="Rename one.",
        )
    return trimmed
