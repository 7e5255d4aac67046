"""Which items of a benchmark are alike in text."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.compression.redundancy import alike_in_text
from ...hashing.errors import InputError
from ...hashing.hashed_vectors import hashed_vectors
from ..counted import counted
from ..text_column import text_buffers

NO_PAIRS: NDArray[np.int64] = np.empty((0, 2), np.int64)


def text_pairs(
    texts: Sequence[str | None] | None,
    items: int,
    threshold: float,
    *,
    vectors: NDArray[np.floating] | None = None,
) -> NDArray[np.int64]:
    """Return the pairs of items that are alike in text: int64, shape (pairs, 2); none without texts and vectors.

    Args:
        texts: of all items; compared by hashed character n-grams. A missing one is like none.
        items: how many there are.
        threshold: of the cosine.
        vectors: shape (items, dimensions), in place of hashed n-grams.

    Raises:
        InputError: texts or vectors are not one an item, or a vector has a number that is none.
        ConfigError: the threshold is not above 0 and up to 1.
    """
    if vectors is not None:
        if vectors.ndim != 2 or len(vectors) != items or not np.isfinite(vectors).all():
            raise InputError(
                "vectors are finite, and one for each item",
                value=f"shape {vectors.shape} for {counted(items, 'item')}",
                remedy="Embed every item once.",
            )
        return alike_in_text(vectors, threshold)
    if texts is None:
        return NO_PAIRS
    if len(texts) != items:
        raise InputError(
            "texts are one for each item", value=f"{len(texts):,} for {counted(items, 'item')}", remedy="Give all."
        )
    hashed = hashed_vectors(*text_buffers(pa.array(texts, pa.large_string())))
    return alike_in_text(hashed, threshold)
