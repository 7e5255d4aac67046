"""Arrow text columns as the arrays that kernels take."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_EMPTY = np.frombuffer(b"\0", np.uint8)
_NO_OFFSETS = np.frombuffer(bytes(8), np.int64)  # a kernel compiled for other arrays takes seconds, for no text at all


def text_buffers(column: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return (bytes, offsets) of a string column without copying its bytes; nulls are empty.

    Args:
        column: string or large_string; other string types are converted.

    Returns:
        uint8 data, and int64 offsets of shape (n + 1,) into it, both read-only.
    """
    width: type[np.int32] | type[np.int64] = np.int64
    if pa.types.is_string(column.type):
        width = np.int32
    elif not pa.types.is_large_string(column.type):
        column = column.cast(pa.large_string())
    _, offsets, data = column.buffers()
    if not len(column):
        return _EMPTY, _NO_OFFSETS
    stop = column.offset + len(column) + 1
    bounds = np.frombuffer(offsets, width, stop)[column.offset :].astype(np.int64)  # buffers may have a ragged end
    texts = np.frombuffer(data, np.uint8) if data is not None and data.size else _EMPTY
    for array in (texts, bounds):
        array.flags.writeable = False  # whatever the buffers were: kernels are compiled for one kind only
    return texts, bounds


def is_text(kind: pa.DataType) -> bool:
    """Whether a column type holds text."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())
