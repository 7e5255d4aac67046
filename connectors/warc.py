"""WARC and WET input, plain or compressed: one document a record of the right type, in address order.

Documents are ``conversion`` records (WET files: text that was extracted from pages), ``response`` records and
``resource`` records. ``warcinfo``, ``request``, ``metadata``, ``revisit`` and ``continuation`` records are no documents
and have no record number. A record of a type that the standard does not name is numbered and set aside, as its type
may be damaged.

Columns: ``text``, ``url`` (WARC-Target-URI), ``id`` (WARC-Record-ID without angle brackets), ``date`` (WARC-Date as
written), ``type`` (WARC-Type as written), ``content_type`` (of the payload: from the HTTP header of a response, else
from the record) and ``language`` (WARC-Identified-Content-Language); null where a record does not say.

The text is the payload as it is: HTML stays HTML, nothing is extracted, and of a response, whatever its status, all
that follows the HTTP header. Encodings of HTTP (chunked, gzip, deflate, br, zstd) are undone. The charset is that of
the content type, else UTF-8, whatever the page itself says; bytes are changed to UTF-8, and UTF-8 is not checked here:
the text pass does that. What is no text is set aside with its rule (see ``warc_payload``) and the record as stored:
all of it where only decoding failed, the first KiB under ``not-text``, the first 64 KiB of its block otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ..hashing.errors import InputError
from .address import addresses
from .batches import conform, good_batch, reading_schema, sifted_batch
from .compression import DAMAGE, open_stored
from .formats import Format, InputFile
from .split import Split
from .text_folder import unchecked_strings
from .warc_payload import MAX_PAYLOAD_BYTES, NOT_TEXT, Unfit, payload_of, text_of
from .warc_records import Damaged, Record, WarcStream

NO_DOCUMENTS = ("warcinfo", "request", "metadata", "revisit", "continuation")
"""Types of records that have no number."""

NOT_TEXT_BYTES = 1 << 10
"""How much is kept of a record that is no text."""

_PEEK_BYTES = 1 << 16  # enough for any HTTP header: the rest of a video is not held in memory to find that it is one

SCHEMA = pa.schema(
    [
        ("text", pa.large_string()),
        ("url", pa.string()),
        ("id", pa.string()),
        ("date", pa.string()),
        ("type", pa.string()),
        ("content_type", pa.string()),
        ("language", pa.string()),
    ]
)


@dataclass(frozen=True)
class _Document:
    """A document, or what is kept of one that broke a rule."""

    text: bytes = b""
    facts: tuple[str | None, ...] = (None,) * (len(SCHEMA) - 1)
    rule: str | None = None
    raw: bytes | None = None


@dataclass
class _Gathered:
    """Documents that become a batch."""

    documents: list[_Document] = field(default_factory=list)
    size: int = 0

    def add(self, document: _Document) -> None:
        self.documents.append(document)
        self.size += len(document.text) + len(document.raw or b"") + sum(len(fact or "") for fact in document.facts)


def read_warc(split: Split, columns: pa.Schema, *, full: pa.Schema, batch_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield the documents of a file.

    Raises:
        InputError: if the file is no WARC file, is damaged or cut off, or holds a text over ``MAX_PAYLOAD_BYTES``.
    """
    record, gathered = split.first_record, _Gathered()
    for document in _documents(split):
        gathered.add(document)
        if gathered.size >= batch_bytes:
            yield _batch(split.file, record, gathered.documents, columns)
            record, gathered = record + len(gathered.documents), _Gathered()
    if gathered.documents:
        yield _batch(split.file, record, gathered.documents, columns)


def _documents(split: Split) -> Iterator[_Document]:
    number = split.first_record
    try:
        with open_stored(split.path, split.compression) as stream:
            warc = WarcStream(stream)
            while record := warc.next():
                if record.type not in NO_DOCUMENTS:
                    yield _document(warc, record, f"{split.path}, record {number}")
                    number += 1
    except (Damaged, *DAMAGE) as error:
        raise InputError(
            "a WARC input can be read to its end",
            value=f"{split.path}, at record {number}: {error}",
            remedy="Restore the file or drop it from the inputs.",
        ) from error


def _document(warc: WarcStream, record: Record, where: str) -> _Document:
    block = warc.read(_PEEK_BYTES)
    try:
        payload = payload_of(record, block)
        _check_length(record, where)
        block += warc.read(record.length)
        return _Document(text_of(payload, block), _facts(record, payload.content_type))
    except Unfit as unfit:
        raw = record.head + block
        return _Document(rule=unfit.rule, raw=raw[:NOT_TEXT_BYTES] if unfit.rule == NOT_TEXT else raw)


def _check_length(record: Record, where: str) -> None:
    if record.length > MAX_PAYLOAD_BYTES:
        raise InputError(
            f"a text in a WARC file has at most {MAX_PAYLOAD_BYTES} bytes",
            value=f"{record.length} in {where}",
            remedy="Take that record out, or leave the file out.",
        )


def _facts(record: Record, content_type: str | None) -> tuple[str | None, ...]:
    get = record.fields.get
    url, name = _bare(get("warc-target-uri")), _bare(get("warc-record-id"))
    return url, name, get("warc-date"), get("warc-type"), content_type, get("warc-identified-content-language")


def _bare(value: str | None) -> str | None:
    return value and value.removeprefix("<").removesuffix(">")


def _batch(file: int, first: int, documents: list[_Document], columns: pa.Schema) -> pa.RecordBatch:
    numbers, schema = addresses(file, first, len(documents)), reading_schema(columns)
    facts = zip(*(document.facts for document in documents), strict=True)
    arrays = [unchecked_strings([d.text for d in documents]), *(pa.array(values, pa.string()) for values in facts)]
    found = conform(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA), columns)
    rules = [document.rule for document in documents]
    if not any(rules):
        return good_batch(numbers, found, schema)
    bad = np.array([rule is not None for rule in rules])
    good = pa.array(np.arange(len(rules)), mask=bad)
    return sifted_batch(numbers, [array.take(good) for array in found], rules, [d.raw for d in documents], schema)


def _plan(file: InputFile, split_bytes: int) -> Iterator[Split]:
    yield Split(
        file.ordinal,
        file.path,
        "warc",
        compression=file.compression,
        stop=file.size_bytes,
        source=file.source,
        size_bytes=file.size_bytes,
    )


WARC = Format(
    "warc",
    plan=_plan,
    schema=lambda split, batch_bytes: SCHEMA,
    read=read_warc,
    endings=("warc", "wet"),
    compressible=True,
)
