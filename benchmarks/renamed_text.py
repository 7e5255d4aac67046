"""Real text as pieces of a vocabulary, and its renderings under renamed words.

A *piece* is a run of word bytes (ASCII letters, digits, underscore, all of UTF-8 above ASCII) or of anything else.
Words are stored in lower case with the shape they had. A *renaming* is a bijection of the vocabulary that maps each
word to one of the same length and kind (letters, digits, other): lengths, repetition, punctuation and the frequencies
of words stay what they were, while two renderings share shingles only by accident.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

_GAP, _LETTERS, _DIGITS, _OTHER = 0, 1, 2, 3
_PLAIN, _CAPITAL, _UPPER = 0, 1, 2

_BYTES = np.arange(256, dtype=np.uint8)
_IS_UPPER = (_BYTES >= 65) & (_BYTES <= 90)
_IS_LOWER = (_BYTES >= 97) & (_BYTES <= 122)
_IS_DIGIT = (_BYTES >= 48) & (_BYTES <= 57)
_IS_WORD = _IS_UPPER | _IS_LOWER | _IS_DIGIT | (_BYTES == 95) | (_BYTES >= 128)
_LOWER = np.where(_IS_UPPER, _BYTES + 32, _BYTES).astype(np.uint8)


@dataclass(frozen=True)
class Vocabulary:
    """Distinct pieces.

    Attributes:
        data, offsets: piece i is ``data[offsets[i]:offsets[i + 1]]``, in lower case.
        kinds: int64, gap, letters, digits or other.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]
    kinds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def letters(self) -> NDArray[np.int64]:
        """Numbers of the words that are made of letters."""
        return np.flatnonzero(self.kinds == _LETTERS)

    def renaming(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return a random bijection within equal length and kind; gaps stay."""
        classes = self.kinds << 32 | np.diff(self.offsets)
        targets = np.lexsort((rng.random(len(self)), classes))
        renamed = np.empty(len(self), np.int64)
        renamed[np.argsort(classes, kind="stable")] = targets
        return np.where(self.kinds == _GAP, np.arange(len(self)), renamed)

    def plus(self, words: list[bytes]) -> "Vocabulary":
        """Return the vocabulary with more words of digits at its end."""
        data = np.concatenate([self.data, np.frombuffer(b"".join(words), np.uint8)])
        offsets = np.concatenate([self.offsets, self.offsets[-1] + np.cumsum([len(word) for word in words])])
        return Vocabulary(data, offsets, np.concatenate([self.kinds, np.full(len(words), _DIGITS)]))


@dataclass(frozen=True)
class Text:
    """Documents as pieces.

    Attributes:
        vocabulary: the distinct pieces.
        pieces: int32, the pieces of all documents.
        shapes: uint8, the capitals of each piece.
        bounds: int64, shape (n + 1,): document i is ``pieces[bounds[i]:bounds[i + 1]]``.
        words: int64, the places in ``pieces`` that are words.
        word_bounds: int64, shape (n + 1,): words of document i are ``words[word_bounds[i]:word_bounds[i + 1]]``.
        sizes: int64, bytes of each document, under any renaming.
    """

    vocabulary: Vocabulary
    pieces: NDArray[np.int32]
    shapes: NDArray[np.uint8]
    bounds: NDArray[np.int64]
    words: NDArray[np.int64]
    word_bounds: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @property
    def word_counts(self) -> NDArray[np.int64]:
        """Words of each document."""
        return np.diff(self.word_bounds)

    def words_of(self, document: int) -> NDArray[np.int64]:
        """Return the places of a document's words."""
        return self.words[self.word_bounds[document] : self.word_bounds[document + 1]]


@dataclass(frozen=True)
class Edits:
    """Words put in the place of others.

    Attributes:
        bounds: int64, shape (rows + 1,): edits of row i are ``bounds[i]:bounds[i + 1]``.
        places: int64, ascending and distinct within a row: places in ``Text.pieces``.
        words: int64, what stands there instead, not renamed.
    """

    bounds: NDArray[np.int64]
    places: NDArray[np.int64]
    words: NDArray[np.int64]


def analyse(documents: list[bytes]) -> Text:
    """Cut UTF-8 documents into pieces."""
    data = np.frombuffer(b"".join(documents), np.uint8)
    sizes = np.array([len(document) for document in documents], np.int64)
    ends = np.cumsum(sizes)
    is_word = _IS_WORD[data]
    starts = np.concatenate([[True], is_word[1:] != is_word[:-1]])
    starts[(ends - sizes)[sizes > 0]] = True
    places = np.flatnonzero(starts)
    offsets = np.append(places, len(data))
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(places), [None, pa.py_buffer(offsets), pa.py_buffer(_LOWER[data])]
    ).dictionary_encode()
    words = np.flatnonzero(is_word[places])
    bounds = np.searchsorted(places, np.concatenate([[0], ends]))
    return Text(
        vocabulary=_vocabulary(array.dictionary),
        pieces=array.indices.to_numpy(),
        shapes=_shapes(data, offsets),
        bounds=bounds,
        words=words,
        word_bounds=np.searchsorted(words, bounds),
        sizes=sizes,
    )


def _shapes(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint8]:
    upper = np.concatenate([[0], np.cumsum(_IS_UPPER[data], dtype=np.int64)])
    capitals = upper[offsets[1:]] - upper[offsets[:-1]]
    shapes = np.where(_IS_UPPER[data[offsets[:-1]]], _CAPITAL, _PLAIN)
    return np.where((capitals > 1) & (2 * capitals > np.diff(offsets)), _UPPER, shapes).astype(np.uint8)


def _vocabulary(pieces: pa.LargeBinaryArray) -> Vocabulary:
    offsets = np.frombuffer(pieces.buffers()[1], np.int64)[: len(pieces) + 1]
    data = np.frombuffer(pieces.buffers()[2], np.uint8)[: offsets[-1]]
    kinds = np.full(len(pieces), _OTHER, np.int64)
    for kind, member in ((_LETTERS, _IS_LOWER), (_DIGITS, _IS_DIGIT), (_GAP, ~_IS_WORD)):
        kinds[np.logical_and.reduceat(member[data], offsets[:-1])] = kind
    return Vocabulary(data, offsets, kinds)


def render(
    text: Text, rows: NDArray[np.int64], renamings: NDArray[np.int64], which: NDArray[np.int64], edits: Edits
) -> pa.StringArray:
    """Return documents as text.

    Args:
        text: the documents.
        rows: document of each row.
        renamings: shape (k, vocabulary).
        which: renaming of each row.
        edits: of the rows.
    """
    lengths = np.diff(text.vocabulary.offsets)
    room = int(text.sizes[rows].sum() + lengths[edits.words].sum())
    data, offsets = np.empty(room, np.uint8), np.zeros(len(rows) + 1, np.int32)
    _render(
        rows, which, renamings, text.bounds, text.pieces, text.shapes, edits.bounds, edits.places, edits.words,
        text.vocabulary.offsets, text.vocabulary.data, data, offsets,
    )  # fmt: skip
    return pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(data[: offsets[-1]]))


@njit(nogil=True, cache=True)
def _render(
    rows: NDArray[np.int64],
    which: NDArray[np.int64],
    renamings: NDArray[np.int64],
    bounds: NDArray[np.int64],
    pieces: NDArray[np.int32],
    shapes: NDArray[np.uint8],
    edit_bounds: NDArray[np.int64],
    edit_places: NDArray[np.int64],
    edit_words: NDArray[np.int64],
    word_offsets: NDArray[np.int64],
    word_data: NDArray[np.uint8],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int32],
) -> None:
    used = 0
    for row in range(len(rows)):
        edit, last = edit_bounds[row], edit_bounds[row + 1]
        renamed = renamings[which[row]]
        for place in range(bounds[rows[row]], bounds[rows[row] + 1]):
            if edit < last and edit_places[edit] == place:
                word = edit_words[edit]
                edit += 1
            else:
                word = renamed[pieces[place]]
            shape = shapes[place]
            start = word_offsets[word]
            for i in range(word_offsets[word + 1] - start):
                byte = word_data[start + i]
                if 97 <= byte <= 122 and (shape == 2 or (shape == 1 and i == 0)):
                    byte -= 32
                out[used] = byte
                used += 1
        out_offsets[row + 1] = used
