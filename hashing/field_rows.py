"""Records of delimited text to fingerprints of rows, straight from the bytes of their fields."""

import numpy as np
from numpy.typing import NDArray

from .cells import text_cell
from .kernel import inner_kernel, kernel
from .mix import signed

_QUOTE = np.uint8(34)


@inner_kernel
def _single_quotes(data: NDArray[np.uint8], start: int, size: int, text: NDArray[np.uint8]) -> None:
    """Copy a text of so many bytes; of two quotes in a row only one."""
    for i in range(size):
        text[i] = data[start]
        start += 1 + signed(data[start] == _QUOTE)


@kernel
def field_rows(
    data: NDArray[np.uint8],
    edges: NDArray[np.int32],
    columns: int,
    places: NDArray[np.int64],
    seeds: NDArray[np.uint64],
    sets: NDArray[np.bool_],
) -> NDArray[np.uint64]:
    """Return fingerprints of records, seen through several sets of columns.

    Args:
        data: uint8, the text that was cut, with its padding.
        edges: of ``delimited.Cut``, of the wanted columns.
        columns: how many these are, at least one.
        places: int64, shape (cells,): the wanted column of each cell; one column may be called by several names.
        seeds: uint64, shape (cells,): the key of each, which its column's name gives.
        sets: bool, shape (sets, cells): the cells whose hashes make up the rows of a set.

    Returns:
        uint64, shape (sets, records, 2).
    """
    rows = len(edges) // (2 * columns)
    prints = np.zeros((len(sets), rows, 2), np.uint64)
    longest = 0
    for i in range(len(edges) // 2):
        longest = max(longest, ~signed(edges[2 * i + 1]))
    text = np.empty(longest, np.uint8)
    for i in range(rows):
        for cell in range(len(places)):
            at = 2 * (i * columns + places[cell])
            start, size = signed(edges[at]), signed(edges[at + 1])
            if size >= 0:
                first, second = text_cell(data, start, start + size, seeds[cell])
            else:
                _single_quotes(data, start, ~size, text)
                first, second = text_cell(text, 0, ~size, seeds[cell])
            for s in range(len(sets)):
                if sets[s, cell]:
                    prints[s, i, 0] += first
                    prints[s, i, 1] += second
    return prints
