"""The shipped character table of profile ``words-v1`` (Unicode 15.0.0).

A two-stage table: ``pages[c >> 8]`` names a block of 256 entries, and entry ``blocks[b * 256 + (c & 255)]``
holds the class in its low two bits and, for folded characters, the number of their folding above.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEPARATOR, WORD, FOLDED, LONE = 0, 1, 2, 3
"""Character classes: between tokens; in a word; in a word, case-folded; a token of its own."""


class CharacterTable(NamedTuple):
    """Arrays the tokenisers look characters up in.

    Attributes:
        pages: uint16, shape (4352,): block number of each 256 code points.
        blocks: uint16, shape (256 * n_blocks,): class in bits 0-1, folding number in bits 2-15.
        fold_bytes: uint64: UTF-8 bytes of each folding, first byte lowest.
        fold_size: uint8: their number, at most 8.
        ascii_fold: uint8, shape (128,): folded byte of each ASCII character, 0 for separators.
    """

    pages: NDArray[np.uint16]
    blocks: NDArray[np.uint16]
    fold_bytes: NDArray[np.uint64]
    fold_size: NDArray[np.uint8]
    ascii_fold: NDArray[np.uint8]


@cache
def words_v1() -> CharacterTable:
    """Return the table of profile ``words-v1``, loaded once."""
    resource = files(__package__) / "tables" / "words_v1.npz"
    with resource.open("rb") as stream, np.load(stream) as arrays:
        pages, blocks = arrays["pages"], arrays["blocks"]
        fold_bytes, fold_size = arrays["fold_bytes"], arrays["fold_size"]
    ascii_fold = np.zeros(128, np.uint8)
    for code in range(128):
        entry = int(blocks[int(pages[0]) * 256 + code])
        if entry & 3 == FOLDED:
            ascii_fold[code] = fold_bytes[entry >> 2]
        elif entry & 3 == WORD:
            ascii_fold[code] = code
    return CharacterTable(pages, blocks, fold_bytes, fold_size, ascii_fold)
