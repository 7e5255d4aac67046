"""Character n-grams that do not cross the edges of words, and how often each text has them.

Characters are those of profile ``words-v1``, folded. A run of them with nothing between is taken with one space before
and one behind; its n-grams are all sequences of ``least`` to ``most`` characters in it, and a run with fewer characters
than ``least`` is one n-gram by itself. Characters of scripts without spaces stand in runs together, where the words of
the profile part them. (The rule is that of scikit-learn's ``char_wb``, which cuts at white space alone and folds less.)

The hash of an n-gram is that of a shingle of characters (``shingles``). Two n-grams of one table with the same 64 bits
are taken for one: with 10 million distinct ones the odds that any two are is 3 in a million.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, fmix64, signed
from .shingles import POLYNOMIAL_BASE
from .tokens import SPACE, hash_short
from .unicode_table import FOLDED, SEPARATOR, CharacterTable
from .words import decode, low_bytes, word_at

MAX_NGRAM = 16
"""Most characters of an n-gram."""


class TermCounts(NamedTuple):
    """How often each text has each term: a sparse matrix by rows (CSR).

    Attributes:
        keys: uint64, shape (n_terms,): hash of each term; terms are in order of (texts that have it, hash), which does
            not depend on the order of texts.
        texts_with: int64, shape (n_terms,): how many texts have it.
        bounds: int64, shape (n_texts + 1,): text i has the entries ``bounds[i]:bounds[i + 1]``.
        terms: int32, shape (n_entries,): the term of each entry, ascending in a text.
        counts: int32, shape (n_entries,): how often the text has it.
    """

    keys: NDArray[np.uint64]
    texts_with: NDArray[np.int64]
    bounds: NDArray[np.int64]
    terms: NDArray[np.int32]
    counts: NDArray[np.int32]


@kernel
def ngram_sequences(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], least: int, most: int, table: CharacterTable
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return the hashes of the n-grams of each text, repeated ones too: (values, offsets into them).

    Bytes that are not UTF-8 end their text.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n + 1,).
        least, most: characters of an n-gram, 1 <= least <= most <= ``MAX_NGRAM``.
        table: the character table of the profile.
    """
    values = np.empty(max(1024, 2 * (offsets[-1] - offsets[0])), np.uint64)
    bounds = np.zeros(len(offsets), np.int64)
    run = np.empty(1024, np.uint64)
    space = hash_short(SPACE, 1)
    run[0] = space
    used, length = 0, 1
    for i in range(len(offsets) - 1):
        at, end = offsets[i], offsets[i + 1]
        while True:
            kind, more, count, width = SEPARATOR, np.uint64(0), 0, 1
            if at < end:
                kind, more, count, width = _folded(data, at, end, table)
            if kind != SEPARATOR:
                if length + count + 1 > len(run):
                    grown = np.empty(2 * len(run), np.uint64)
                    grown[:length] = run[:length]
                    run = grown
                length = _append(more, count, run, length)
            elif length > 1:
                run[length] = space
                length += 1
                room = used + length * (most - least + 1)
                if room > len(values):
                    larger = np.empty(2 * room, np.uint64)
                    larger[:used] = values[:used]
                    values = larger
                used = _ngrams(run, length, least, most, values, used)
                length = 1
            if at >= end:
                break
            at += width
        bounds[i + 1] = used
    return values[:used].copy(), bounds


@inner_kernel
def _folded(data: NDArray[np.uint8], at: int, end: int, table: CharacterTable) -> tuple[int, np.uint64, int, int]:
    """Return (kind, folded bytes, how many, bytes of text) of the character there; one that is not UTF-8 ends it."""
    if data[at] < 128:
        small = np.uint64(table.ascii_fold[data[at]])
        return (FOLDED if small else SEPARATOR), small, 1, 1
    word = word_at(data, at)
    code, width, valid = decode(word, end - at)
    if not valid:
        return SEPARATOR, np.uint64(0), 0, end - at
    entry = signed(table.blocks[signed(table.pages[code >> 8]) * 256 + (code & 255)])
    kind = entry & 3
    if kind == FOLDED:
        return kind, np.uint64(table.fold_bytes[entry >> 2]), signed(table.fold_size[entry >> 2]), width
    return kind, word & low_bytes(width), width, width


@inner_kernel
def _append(more: np.uint64, count: int, run: NDArray[np.uint64], length: int) -> int:
    """Put the hashes of the characters in ``count`` folded bytes behind a run; return its length."""
    while count > 0:
        lead = more & np.uint64(0xFF)
        size = 1 if lead < np.uint64(0x80) else 2 if lead < np.uint64(0xE0) else 3 if lead < np.uint64(0xF0) else 4
        run[length] = hash_short(more & low_bytes(size), size)
        length += 1
        count -= size
        more >>= np.uint64(8 * size)
    return length


@inner_kernel
def _ngrams(run: NDArray[np.uint64], length: int, least: int, most: int, values: NDArray[np.uint64], used: int) -> int:
    """Write the hashes of the n-grams of a run to ``values[used:]``; return where they end."""
    if length < least:
        least = length
    for start in range(length - least + 1):
        h = np.uint64(0)
        longest = min(most, length - start)
        for size in range(1, longest + 1):
            h = h * POLYNOMIAL_BASE + run[start + size - 1]
            if size >= least:
                values[used] = fmix64(h + np.uint64(size) * GOLDEN_GAMMA)
                used += 1
    return used


def count_terms(values: NDArray[np.uint64], bounds: NDArray[np.int64]) -> TermCounts:
    """Count the terms of each text.

    Args:
        values: uint64 hashes, those of one text after another.
        bounds: int64, shape (n + 1,): text i has ``values[bounds[i]:bounds[i + 1]]``.

    >>> found = count_terms(np.array([7, 5, 7, 5], np.uint64), np.array([0, 3, 4]))
    >>> found.keys.tolist(), found.texts_with.tolist(), found.terms.tolist(), found.counts.tolist()
    ([7, 5], [1, 2], [0, 1, 1], [2, 1, 1])
    """
    keys, found, entries, counts = _entries(values, bounds)
    texts_with = np.bincount(found, minlength=len(keys))
    order = np.lexsort((keys, texts_with))
    place = np.empty(len(keys), np.int32)
    place[order] = np.arange(len(keys), dtype=np.int32)
    terms, sorted_counts = _in_order(place, texts_with[order], entries, found, counts)
    return TermCounts(keys[order], texts_with[order], entries, terms, sorted_counts)


@kernel
def _entries(
    values: NDArray[np.uint64], bounds: NDArray[np.int64]
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Number the distinct values as they come and count them text by text: (keys, terms, bounds of texts, counts).

    An open-addressing table of numbers, at most half full; where a text has a term is remembered by its last entry.
    """
    size = 1 << 12
    slots = np.full(size, -1, np.int32)
    keys = np.empty(size // 2, np.uint64)
    last = np.empty(size // 2, np.int64)  # the last entry of each term
    terms, counts = np.empty(len(values), np.int32), np.empty(len(values), np.int32)
    entries = np.zeros(len(bounds), np.int64)
    n = used = 0
    for i in range(len(bounds) - 1):
        first = used
        for j in range(bounds[i], bounds[i + 1]):
            value = values[j]
            slot = signed(value & np.uint64(size - 1))
            while slots[slot] >= 0 and keys[slots[slot]] != value:
                slot = (slot + 1) & (size - 1)
            term = signed(slots[slot])
            if term < 0:
                if n == len(keys):
                    size *= 2
                    keys, last, slots = _doubled(keys, last, size)
                    slot = signed(value & np.uint64(size - 1))
                    while slots[slot] >= 0:
                        slot = (slot + 1) & (size - 1)
                term = n
                slots[slot] = term
                keys[term], last[term] = value, -1
                n += 1
            if last[term] >= first:
                counts[last[term]] += 1
            else:
                last[term] = used
                terms[used], counts[used] = term, 1
                used += 1
        entries[i + 1] = used
    return keys[:n].copy(), terms[:used].copy(), entries, counts[:used].copy()


@kernel
def _doubled(
    keys: NDArray[np.uint64], last: NDArray[np.int64], size: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int32]]:
    """Return room for twice as many terms, and a table of ``size`` slots with those that there are."""
    more_keys, more_last = np.empty(size // 2, np.uint64), np.empty(size // 2, np.int64)
    more_keys[: len(keys)] = keys
    more_last[: len(keys)] = last
    slots = np.full(size, -1, np.int32)
    for term in range(len(keys)):
        slot = signed(keys[term] & np.uint64(size - 1))
        while slots[slot] >= 0:
            slot = (slot + 1) & (size - 1)
        slots[slot] = term
    return more_keys, more_last, slots


@kernel
def _in_order(
    place: NDArray[np.int32],
    texts_with: NDArray[np.int64],
    bounds: NDArray[np.int64],
    terms: NDArray[np.int32],
    counts: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Renumber terms by ``place`` and put them in order in each text: sort by term, then by text, counting."""
    starts = np.zeros(len(place) + 1, np.int64)
    for term in range(len(place)):
        starts[term + 1] = starts[term] + texts_with[term]
    texts, by_term = np.empty(len(terms), np.int32), np.empty(len(terms), np.int32)
    for i in range(len(bounds) - 1):
        for j in range(bounds[i], bounds[i + 1]):
            term = place[terms[j]]
            texts[starts[term]], by_term[starts[term]] = i, counts[j]
            starts[term] += 1
    ends = bounds[:-1].copy()
    ordered, ordered_counts = np.empty(len(terms), np.int32), np.empty(len(terms), np.int32)
    at = 0
    for term in range(len(place)):
        while at < starts[term]:
            i = texts[at]
            ordered[ends[i]], ordered_counts[ends[i]] = term, by_term[at]
            ends[i] += 1
            at += 1
    return ordered, ordered_counts
