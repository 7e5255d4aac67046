"""Where the words of texts stand: profile ``words-v1``, character by character.

``words.cut_words`` cuts the same words and forgets where they came from. This is for the few texts of which a part is
to be cut out.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .mix import signed
from .read_only import read_only
from .unicode_table import LONE, SEPARATOR, WORD, CharacterTable
from .words import decode, word_at


class WordSpans(NamedTuple):
    """The words of some texts, in order.

    Attributes:
        start, stop: int64, bytes of each in its text.
        lone: bool, whether it is a character that is a word by itself, whatever stands beside it.
        bounds: int64, shape (n + 1,): words of text i are ``bounds[i]:bounds[i + 1]``.
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    lone: NDArray[np.bool_]
    bounds: NDArray[np.int64]


def word_spans(data: NDArray[np.uint8], offsets: NDArray[np.int64], table: CharacterTable) -> WordSpans:
    """Return where the words of texts stand: as many as ``fingerprint`` counts.

    Bytes that are not UTF-8 end their text, and the word they stand in is left out.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n + 1,).
        table: the character table of the profile.

    >>> from .unicode_table import words_v1
    >>> found = word_spans(np.frombuffer("two 中文".encode(), np.uint8), np.array([0, 10]), words_v1())
    >>> found.start.tolist(), found.stop.tolist(), found.lone.tolist()
    ([0, 4, 7], [3, 7, 10], [False, True, True])
    """
    return WordSpans(*_word_spans(read_only(data), read_only(offsets), table))


@kernel
def _word_spans(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], table: CharacterTable
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return the fields of ``WordSpans``."""
    start, stop, lone = np.empty(64, np.int64), np.empty(64, np.int64), np.empty(64, np.bool_)
    bounds = np.zeros(len(offsets), np.int64)
    count = 0
    for i in range(len(offsets) - 1):
        at, end, inside, error = offsets[i], offsets[i + 1], False, False
        while at < end and not error:
            if data[at] < 128:
                kind, width = (WORD if table.ascii_fold[data[at]] else SEPARATOR), 1
            else:
                code, width, valid = decode(word_at(data, at), end - at)
                if not valid:
                    error, inside = True, False
                    continue
                kind = signed(table.blocks[signed(table.pages[code >> 8]) * 256 + (code & 255)]) & 3
            if inside and kind in (SEPARATOR, LONE):
                stop[count] = at - offsets[i]
                count += 1
                inside = False
            if kind != SEPARATOR and not inside:
                if count == len(start):
                    start, stop, lone = _larger(start), _larger(stop), _larger(lone)
                start[count], lone[count] = at - offsets[i], kind == LONE
                inside = True
            at += width
            if kind == LONE:
                stop[count] = at - offsets[i]
                count += 1
                inside = False
        if inside:
            stop[count] = at - offsets[i]
            count += 1
        bounds[i + 1] = count
    return start[:count].copy(), stop[:count].copy(), lone[:count].copy(), bounds


@kernel
def _larger(array: NDArray[Any]) -> NDArray[Any]:
    out = np.empty(2 * len(array), array.dtype)
    out[: len(array)] = array
    return out
