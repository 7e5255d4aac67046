"""The sources of a corpus: its texts with the address and the name of the source of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ...connectors.address import ADDRESS, RECORD_BITS, record_of
from ...connectors.batches import RULE
from ...connectors.corpus import InputSpec, open_corpus, plan_splits
from ...connectors.split import SPLIT_BYTES
from ...hashing.errors import BadRowError, InputError
from ..engine import Engine, Table
from ..listed import listed
from ..survey import survey

TEXTS = pa.schema([("address", pa.int64()), ("text", pa.large_string()), ("source", pa.string())])


@dataclass(frozen=True)
class Named:
    """Takes the text and the source of records; plain data.

    Attributes:
        text: the column of texts.
        source: the column of sources, where there is one.
        files: path and source of each file; the source of records whose column has none.
    """

    text: str
    source: str | None
    files: tuple[tuple[str, str], ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``TEXTS`` of a batch.

        Raises:
            BadRowError: a record cannot be read, or has no text.
        """
        addresses, text = batch.column(ADDRESS), batch.column(self.text)
        bad = pc.or_(batch.column(RULE).is_valid(), text.is_null())
        if bad.true_count:
            row = pc.index(bad, True).as_py()
            place, why = addresses[row].as_py(), batch.column(RULE)[row].as_py() or "null-text"
            raise BadRowError(
                "every record has a text",
                value=f"record {record_of(place)} of {self.files[place >> RECORD_BITS][0]}: {why}",
                remedy="Mend it, or set such records aside first: tamis dedup --on-error quarantine.",
            )
        names = pa.array([name for _, name in self.files], pa.string())
        named = names.take(pc.shift_right(addresses, RECORD_BITS))
        if self.source is not None:
            named = pc.coalesce(batch.column(self.source).cast(pa.string()), named)
        return pa.RecordBatch.from_arrays([addresses, text.cast(pa.large_string()), named], schema=TEXTS)


def texts_of(
    engine: Engine, inputs: Sequence[str], memo: Path, *, text: str, source: str | None, format: str | None = None
) -> Table:
    """Return the texts of some inputs and their sources, as ``TEXTS``.

    Args:
        engine: what reads them.
        inputs: files, folders, globs or URLs; each is a source, unless a column names it.
        memo: a file that remembers the columns.
        text, source: columns.
        format: of the inputs; default: by ending.

    Raises:
        InputError: an input cannot be read, or a column is not there.
    """
    corpus = open_corpus([InputSpec(path, format) for path in inputs])
    splits = [split for file in corpus.files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
    schema = survey(engine, splits, memo)
    if not schema.names:
        raise InputError("inputs hold records", value=f"none in {', '.join(inputs)}", remedy="Give others.")
    for name in filter(None, (text, source)):
        if name not in schema.names:
            raise InputError(
                "the columns of text and source are there",
                value=f"{name!r} among {listed(schema.names)}",
                remedy="Name them: --text, --source.",
            )
    columns = pa.schema([schema.field(name) for name in dict.fromkeys(filter(None, (text, source)))])
    named = Named(text, source, tuple((file.path, file.source) for file in corpus.files))
    return engine.read(splits, columns, full=schema).map(named, TEXTS)
