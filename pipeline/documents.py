"""The first pass over the inputs: one row a record with everything that later stages need but the text."""

import difflib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..connectors.address import ADDRESS, RECORD_BITS, file_of, record_of
from ..connectors.batches import RAW, RULE
from ..connectors.formats import InputFile
from ..connectors.jsonl import BLANK_LINE, INVALID_UTF8
from ..hashing.errors import BadRowError, InputError
from ..hashing.fingerprint import fingerprint
from ..hashing.lsh import Banding
from ..hashing.sketch import SketchPlan
from .config import Columns
from .filters import Filters
from .keep import KeepPolicy
from .keep_key import policy_key, unusable
from .listed import listed, shortened
from .text_column import is_text, text_buffers

NULL_TEXT = "null-text"
UNUSABLE_VALUE = "unusable-keep-value"

SCHEMA = pa.schema(
    [
        ("address", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("bytes", pa.int64()),
        ("tokens", pa.int64()),
        ("hash_high", pa.int64()),
        ("hash_low", pa.int64()),
        ("policy_missing", pa.int64()),
        ("policy_high", pa.int64()),
        ("policy_low", pa.int64()),
        ("id_missing", pa.int64()),
        ("id_order", pa.string()),
        ("rule", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.binary()),
        ("filtered", pa.int64()),
        ("bands", pa.binary()),
    ]
)
"""``policy_*``, ``id_missing`` and ``id_order`` rank the row; ``rule`` is null for good rows; ``filtered`` is the
number of the filter that a good row does not pass, or -1; ``bands`` holds the band
keys as little-endian uint64, null for a text without tokens."""

REMEDIES = {
    NULL_TEXT: "fill it in, or drop the row",
    INVALID_UTF8: "re-encode the text as UTF-8",
    UNUSABLE_VALUE: "write what the policy of `keep:` ranks by as a number (quality) or in ISO 8601 (newest)",
}


@dataclass(frozen=True)
class DocumentPass:
    """The function of the first pass; plain data, so that it travels to any task.

    Attributes:
        columns: which columns mean what.
        keep: which copy survives.
        plan: how texts are sketched.
        banding: bands of the signature, or None without a near stage.
        seed: the seed of the run.
        files: the inputs.
        filters: conditions on the records of all files but the first ``references``, which are there already.
        references: how many these are.
        quarantine: whether bad rows are set aside rather than refused.
    """

    columns: Columns
    keep: KeepPolicy
    plan: SketchPlan
    banding: Banding | None
    seed: int
    files: tuple[InputFile, ...]
    filters: Filters
    references: int
    quarantine: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``SCHEMA`` for a batch of records.

        Raises:
            BadRowError: for the first bad record, unless bad rows go to quarantine.
        """
        addresses = batch.column(ADDRESS)
        batch, misnamed = self._without_misnamed(batch)
        text = batch.column(self.columns.text)
        data, offsets = text_buffers(text)
        prints = fingerprint(data, offsets, self.plan, banding=self.banding, seed=self.seed)
        ranked = batch.column(self.keep.column) if self.keep.column else None
        unranked = unusable(self.keep, ranked)
        rules, details = self._rules(batch, text, prints.errors, unranked)
        if misnamed is not None:
            rules = pc.coalesce(rules, pc.if_else(pa.array(misnamed), INVALID_UTF8, pa.scalar(None, pa.string())))
        if unranked is not None:
            ranked = pc.if_else(pa.array(unranked), None, ranked)
        bad = rules.is_valid()
        if pc.any(bad).as_py():
            self._refuse(addresses, rules, details)
        sizes = np.diff(offsets)
        sources = self._sources(batch, addresses)
        ids, hashes = self._ids(batch), prints.hashes.view(np.int64)
        columns = [
            addresses,
            ids,
            sources,
            pa.array(sizes),
            pa.array(np.where(bad.to_numpy(zero_copy_only=False), 0, prints.tokens)),
            pa.array(np.ascontiguousarray(hashes[:, 0])),
            pa.array(np.ascontiguousarray(hashes[:, 1])),
            *map(pa.array, policy_key(self.keep, sizes=sizes, sources=sources, column=ranked)),
            ids.is_null().cast(pa.int64()),
            ids.fill_null(""),
            rules,
            details,
            _raw(batch, text, bad),
            pa.array(self._filtered(batch, bad)),
            _bands(prints.keys, (prints.tokens > 0) & ~bad.to_numpy(zero_copy_only=False)),
        ]
        return pa.RecordBatch.from_arrays([c.cast(f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)

    def _without_misnamed(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, NDArray[np.bool_] | None]:
        """Return a batch without ids and sources that are no UTF-8, and which rows had such, or None where none had."""
        found: NDArray[np.bool_] | None = None
        for name in {self.columns.id, self.columns.source} - {None, self.columns.text}:
            bad = _no_utf8(batch.column(name))
            if bad is not None:
                place = batch.schema.get_field_index(name)
                batch = batch.set_column(place, batch.schema.field(name), _blanked(batch.column(name), bad))
                found = bad if found is None else found | bad
        return batch, found

    def _rules(
        self,
        batch: pa.RecordBatch,
        text: pa.Array,
        errors: NDArray[np.int64],
        unranked: NDArray[np.bool_] | None,
    ) -> tuple[pa.Array, pa.Array]:
        """Return (rule, detail) of each row, null where it is good."""
        unparsed = batch.column(RULE)
        invalid = pa.array(errors >= 0)
        bad = unparsed.null_count < len(unparsed) or text.null_count or pc.any(invalid).as_py()
        if not bad and unranked is None:
            nulls = pa.nulls(len(text), pa.string())
            return nulls, nulls
        rule = pc.if_else(invalid, INVALID_UTF8, pc.if_else(text.is_null(), NULL_TEXT, pa.scalar(None, pa.string())))
        offset = pc.binary_join_element_wise("first bad byte at offset", pa.array(errors).cast(pa.string()), " ")
        detail = pc.if_else(invalid, offset, pa.scalar(None, pa.string()))
        if unranked is not None:
            value = batch.column(self.keep.column).cast(pa.string())
            worse = pa.array(unranked)
            detail = pc.if_else(pc.and_(worse, rule.is_null()), value, detail)
            rule = pc.coalesce(rule, pc.if_else(worse, UNUSABLE_VALUE, pa.scalar(None, pa.string())))
        return pc.coalesce(unparsed, rule), detail

    def _refuse(self, addresses: pa.Array, rules: pa.Array, details: pa.Array) -> None:
        """Raise for the first bad row, if bad rows are refused; blank lines are always set aside."""
        if self.quarantine:
            return
        for address, rule, detail in zip(addresses.to_pylist(), rules.to_pylist(), details.to_pylist(), strict=True):
            if rule is not None and rule != BLANK_LINE:
                where = self.files[file_of(address)].place(record_of(address))
                raise BadRowError(
                    f"every record keeps the rule `{rule}`",
                    value=where + (f" ({shortened(detail)})" if detail else ""),
                    remedy=f"Either {REMEDIES.get(rule, 'mend the record')}, or set bad rows aside: "
                    "`on_error: quarantine`, --on-error quarantine.",
                )

    def _filtered(self, batch: pa.RecordBatch, bad: pa.Array) -> NDArray[np.int64]:
        """Return the number of the first filter that each row fails; bad and old rows are not judged."""
        failed = np.full(batch.num_rows, -1, np.int64)
        if self.filters.conditions:
            new = batch.column(ADDRESS).to_numpy() >= self.references << RECORD_BITS
            judged = new & ~bad.to_numpy(zero_copy_only=False)
            failed[judged] = self.filters.first_failed(batch.filter(pa.array(judged)))
        return failed

    def _ids(self, batch: pa.RecordBatch) -> pa.Array:
        if self.columns.id is None:
            return pa.nulls(batch.num_rows, pa.string())
        return batch.column(self.columns.id).cast(pa.string())

    def _sources(self, batch: pa.RecordBatch, addresses: pa.Array) -> pa.Array:
        ordinals, places = np.unique(addresses.to_numpy() >> RECORD_BITS, return_inverse=True)  # of few files
        named = pa.array([self.files[i].source for i in ordinals], pa.string()).take(pa.array(places))
        if self.columns.source is None:
            return named
        return pc.coalesce(batch.column(self.columns.source).cast(pa.string()), named)


def _no_utf8(column: pa.Array) -> NDArray[np.bool_] | None:
    """Return which values of a column hold bytes that are no UTF-8, or None where none does."""
    if _valid(column):
        return None
    return np.array([not _valid(column.slice(i, 1)) for i in range(len(column))], np.bool_)


def _valid(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _blanked(column: pa.Array, bad: NDArray[np.bool_]) -> pa.Array:
    """Return a column with some values null."""
    return pc.if_else(pa.array(bad), pa.scalar(None, column.type), column)


def _raw(batch: pa.RecordBatch, text: pa.Array, bad: pa.Array) -> pa.Array:
    """Return the bytes of bad records, so that quarantine loses nothing."""
    if not pc.any(bad).as_py():
        return pa.nulls(len(text), pa.binary())
    kept = pc.if_else(bad, text.cast(pa.large_string()).view(pa.large_binary()), pa.scalar(None, pa.large_binary()))
    return pc.coalesce(batch.column(RAW), kept.cast(pa.binary()))


def _bands(keys: NDArray[np.uint64], present: NDArray[np.bool_]) -> pa.Array:
    n, bands = keys.shape
    if not bands:
        return pa.nulls(n, pa.binary())
    offsets = np.zeros(n + 1, np.int32)
    np.cumsum(np.where(present, 8 * bands, 0), out=offsets[1:])
    whole = bool(present.all())
    data = keys if whole else keys[present]
    array = pa.Array.from_buffers(pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return array if whole else pc.if_else(pa.array(present), array, pa.scalar(None, pa.binary()))


def _is_name(kind: pa.DataType) -> bool:
    """Whether values of a type can be written as a string."""
    if pa.types.is_dictionary(kind):
        return _is_name(kind.value_type)
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return (
        is_text(kind) or (pa.types.is_primitive(kind) and not binary) or pa.types.is_decimal(kind) or kind == pa.null()
    )


def check_columns(schema: pa.Schema, columns: Columns, keep: KeepPolicy, filters: Filters) -> pa.Schema:
    """Return the part of the corpus schema that the first pass reads.

    Raises:
        InputError: if a column is missing (the nearest name is offered) or has the wrong type.
    """
    roles = {"text": columns.text, "id": columns.id, "source": columns.source, "keep": keep.column}
    for role, name in roles.items():
        if name is not None and name not in schema.names:
            near = difflib.get_close_matches(name, schema.names, n=1)
            offer = f"Did you mean {near[0]!r}? " if near else ""
            raise InputError(
                f"the {role} column is in the inputs",
                value=f"{name!r} among {listed(schema.names)}",
                remedy=offer
                + (f"Name it with --{role} COLUMN." if role != "keep" else "Name it as in --keep newest:COLUMN."),
            )
    kind = schema.field(columns.text).type
    if not is_text(kind):
        raise InputError(
            "the text column holds strings", value=f"{columns.text!r}: {kind}", remedy="Choose another --text."
        )
    for role in ("id", "source"):
        name = roles[role]
        if name is not None and not _is_name(schema.field(name).type):
            raise InputError(
                f"the {role} column holds strings, numbers or times",
                value=f"{name!r}: {schema.field(name).type}",
                remedy=f"Choose another --{role}.",
            )
    names = list(dict.fromkeys(name for name in (*roles.values(), *filters.columns) if name is not None))
    return pa.schema([schema.field(name) for name in names])
