"""What the functions of attribute rules make of values.

Each takes the values of a column and returns others, any number for each record: ``words`` gives one for each word, and
a value that is missing or has nothing in it gives none. Values are written by profile ``record-v1`` (``records``);
words and folding are those of profile ``words-v1``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.folded import Parts, character_ngrams, folded_texts, folded_words
from ...hashing.ngrams import MAX_NGRAM
from ...hashing.unicode_table import words_v1
from ..text_column import text_buffers
from .soundex import soundex

_YEAR = r"(?:^|\D)(?P<year>[12]\d{3})(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?(?:\D|$)"


@dataclass(frozen=True)
class Values:
    """Values of records (CSR).

    Attributes:
        bounds: int64, shape (n + 1,): record i has ``texts[bounds[i]:bounds[i + 1]]``.
        texts: large_string: none null, none empty; of one record one may be there more than once.
    """

    bounds: NDArray[np.int64]
    texts: pa.Array

    @classmethod
    def of(cls, bounds: NDArray[np.int64], texts: pa.Array) -> "Values":
        """Return values without those that are null or empty."""
        there = pc.fill_null(pc.not_equal(texts, ""), False)
        mask = there.to_numpy(zero_copy_only=False)
        return cls(np.append(0, np.cumsum(mask))[bounds], texts.filter(there))


@dataclass(frozen=True)
class Function:
    """A function of rules.

    Attributes:
        apply: makes values of values, and of the numbers that are named.
        numbers: least and most of each of these.
        says: what it gives, for people.
    """

    apply: Callable[..., Values]
    numbers: tuple[tuple[int, int], ...]
    says: str


def column_values(column: pa.Array) -> Values:
    """Return the values of a column, one for each record that has one."""
    return Values.of(np.arange(len(column) + 1), column)


def sliced(values: Values, start: int | None, stop: int | None) -> Values:
    """Return characters ``start`` to ``stop - 1`` of each value; negative numbers count from its end."""
    return Values.of(values.bounds, pc.utf8_slice_codeunits(values.texts, start or 0, stop))


def _lower(values: Values) -> Values:
    return _of_parts(values, folded_texts(*text_buffers(values.texts), words_v1()))


def _words(values: Values) -> Values:
    return _of_parts(values, folded_words(*text_buffers(values.texts), words_v1()))


def _plain(values: Values) -> Values:
    parts = folded_words(*text_buffers(values.texts), words_v1())
    lists = pa.LargeListArray.from_arrays(pa.array(parts.bounds), _texts_of(parts))
    return Values.of(values.bounds, pc.binary_join(lists, pa.scalar(" ", pa.large_string())))


def _ngrams(values: Values, n: int) -> Values:
    plain = _plain(values)
    return _of_parts(plain, character_ngrams(*text_buffers(plain.texts), n))


def _digits(values: Values) -> Values:
    return Values.of(values.bounds, pc.replace_substring_regex(values.texts, r"[^0-9]+", ""))


def _year(values: Values) -> Values:
    return Values.of(values.bounds, pc.extract_regex(values.texts, _YEAR).field("year").cast(pa.large_string()))


def _soundex(values: Values) -> Values:
    coded = values.texts.dictionary_encode()
    codes = pa.array([soundex(text) for text in coded.dictionary.to_pylist()], pa.large_string())
    return Values.of(values.bounds, codes.take(coded.indices))


def _first(values: Values) -> Values:
    return _word_at(values, 0)


def _last(values: Values) -> Values:
    return _word_at(values, -1)


def _word_at(values: Values, place: int) -> Values:
    parts = folded_words(*text_buffers(values.texts), words_v1())
    there = np.diff(parts.bounds) > 0
    chosen = (parts.bounds[:-1] if place == 0 else parts.bounds[1:] - 1)[there]
    return Values(np.append(0, np.cumsum(there))[values.bounds], _texts_of(parts).take(pa.array(chosen)))


FUNCTIONS = {
    "lower": Function(_lower, (), "the value, its letters folded"),
    "plain": Function(_plain, (), "its words, folded, with one space between"),
    "words": Function(_words, (), "each of its words, folded"),
    "first": Function(_first, (), "the first of them"),
    "last": Function(_last, (), "the last of them"),
    "ngrams": Function(_ngrams, ((1, MAX_NGRAM),), "each sequence of so many characters of its plain form"),
    "digits": Function(_digits, (), "its digits 0 to 9"),
    "year": Function(_year, (), "the first year from 1000 to 2999 in it, by itself or as YYYYMMDD"),
    "soundex": Function(_soundex, (), "its Soundex code"),
}


def _of_parts(values: Values, parts: Parts) -> Values:
    return Values.of(parts.bounds[values.bounds], _texts_of(parts))


def _texts_of(parts: Parts) -> pa.Array:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(parts.offsets)), pa.py_buffer(parts.data)]
    return pa.Array.from_buffers(pa.large_string(), len(parts.offsets) - 1, buffers)
