"""Which copy survives: the rank of a row.

A policy turns into columns of int64 that sort ascending, best first, so that no engine ever compares floats or nulls.
Missing values and NaN rank last. After the policy come the 128-bit hash of the text, the id and the address, so ranks
are total and, but for ``first``, do not depend on the order of files.
"""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ..hashing.errors import InputError

LAST = np.iinfo(np.int64).max
Order = Literal["first", "longest", "newest", "quality", "source"]
_NEEDS_COLUMN = ("newest", "quality")


class KeepPolicy(BaseModel):
    """Which of several copies is kept.

    Attributes:
        by: ``first`` (lowest address), ``longest`` (most bytes), ``newest`` or ``quality`` (greatest value of a
            column), ``source`` (first in a list of sources).
        column: the column of ``newest`` or ``quality``.
        sources: the list of ``source``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Order = "first"
    column: str | None = None
    sources: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ":".join(filter(None, [self.by, self.column or ",".join(self.sources)]))

    @property
    def is_first(self) -> bool:
        """Whether rank is the address alone."""
        return self.by == "first"


def parse_keep(value: object) -> object:
    """Return the fields of a policy written as ``longest``, ``newest:COL``, ``quality:COL`` or ``source:A,B``."""
    if not isinstance(value, str):
        return value
    by, _, rest = value.partition(":")
    fields: dict[str, Any] = {"by": by}
    if by in _NEEDS_COLUMN:
        if not rest:
            raise ValueError(f"keep: {by} needs a column, as in {by}:COLUMN")
        fields["column"] = rest
    elif by == "source":
        if not rest:
            raise ValueError("keep: source needs a list, as in source:wiki,books")
        fields["sources"] = tuple(part.strip() for part in rest.split(","))
    elif rest:
        raise ValueError(f"keep: {by} takes no argument")
    return fields


def policy_key(
    policy: KeepPolicy, *, sizes: NDArray[np.int64], sources: pa.Array, column: pa.Array | None
) -> NDArray[np.int64]:
    """Return the policy's sort key: int64, shape (n,), ascending from best to worst.

    Args:
        policy: which copy is kept.
        sizes: bytes of each text.
        sources: string, the source of each row.
        column: values of ``policy.column``.

    Raises:
        InputError: if the column has no order.
    """
    if policy.by == "longest":
        return -sizes
    if policy.by == "source":
        places = pc.index_in(sources, value_set=pa.array(policy.sources, sources.type))
        return np.asarray(pc.fill_null(places, len(policy.sources)).to_numpy(zero_copy_only=False), np.int64)
    if column is None:
        return np.zeros(len(sizes), np.int64)
    return _descending(column, policy)


def _descending(column: pa.Array, policy: KeepPolicy) -> NDArray[np.int64]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = _instants(column, policy)
        kind = column.type
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_uint64(kind):
        values = column.cast(pa.float64(), safe=False).fill_null(0.0).to_numpy(zero_copy_only=False)
        return np.where(missing | np.isnan(values), LAST, ~ordered_bits(values))
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
    elif pa.types.is_date(kind):
        column = column.cast(pa.timestamp("us")).cast(pa.int64())
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        column = column.cast(pa.int64())
    else:
        raise InputError(
            f"the column of keep: {policy} has numbers, dates or times",
            value=f"{policy.column}: {kind}",
            remedy="Choose another column or policy.",
        )
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    return np.where(missing, LAST, ~values)


def _instants(column: pa.Array, policy: KeepPolicy) -> pa.Array:
    """Read ISO 8601 strings as instants; without a zone they count as UTC."""
    for kind in (pa.timestamp("us", "UTC"), pa.timestamp("us")):
        try:
            return column.cast(kind).cast(pa.timestamp("us"))
        except pa.ArrowInvalid as error:
            failure = error
    raise InputError(
        f"strings in the column of keep: {policy} are ISO 8601 times, all with a zone or all without",
        value=f"{policy.column}: {failure}",
        remedy="Convert the column.",
    )


def ordered_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64 that order as the floats do; -0.0 equals 0.0.

    >>> bool(np.all(np.diff(ordered_bits(np.array([-np.inf, -1.5, -0.0, 1e-300, 2.0, np.inf]))) > 0))
    True
    """
    bits = (np.ascontiguousarray(values, np.float64) + 0.0).view(np.int64)
    return np.asarray(bits ^ ((bits >> 63) & np.int64(LAST)), np.int64)
