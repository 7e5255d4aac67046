"""Character n-grams that do not cross the edges of words, and how often each text has them.

Characters are those of profile ``words-v1``, folded. A run of them with nothing between is taken with one space before
and one behind; its n-grams are all sequences of ``least`` to ``most`` characters in it, and a run with fewer characters
than ``least`` is one n-gram by itself. Characters of scripts without spaces stand in runs together, where the words of
the profile part them. (The rule is that of scikit-learn's ``char_wb``, which cuts at white space alone and folds less.)

The hash of an n-gram is that of a shingle of characters (``shingles``). Two n-grams of one table with the same 64 bits
are taken for one: with 10 million distinct ones the odds that any two are is 3 in a million.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .mix import GOLDEN_GAMMA, fmix64, signed
from .read_only import read_only
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


def count_ngrams(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], least: int, most: int, table: CharacterTable
) -> TermCounts:
    """Count the n-grams of each text. Bytes that are not UTF-8 end their text.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n + 1,).
        least, most: characters of an n-gram, 1 <= least <= most <= ``MAX_NGRAM``.
        table: the character table of the profile.

    >>> from .unicode_table import words_v1
    >>> found = count_ngrams(np.frombuffer(b"Ab ab.abc", np.uint8), np.array([0, 5, 9]), 3, 3, words_v1())
    >>> found.texts_with.tolist(), found.terms.tolist(), found.counts.tolist()  # " ab" is in both texts
    ([1, 1, 1, 2], [1, 3, 0, 2, 3], [2, 2, 1, 1, 1])
    """
    texts = read_only(data), read_only(offsets)
    keys, tokens, bounds, word_terms, word_bounds = _words(*texts, least, most, table)
    entries, terms, counts = _entries(tokens, bounds, word_terms, word_bounds, len(keys))
    texts_with = np.bincount(terms, minlength=len(keys))
    order = np.argsort(keys)
    order = order[np.argsort(texts_with[order], kind="stable")]
    place = np.empty(len(keys), np.int32)
    place[order] = np.arange(len(keys), dtype=np.int32)
    terms, counts = _in_order(place, texts_with[order], entries, terms, counts)
    return TermCounts(keys[order], texts_with[order], entries, terms, counts)


@kernel
def _words(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], least: int, most: int, table: CharacterTable
) -> tuple[NDArray[np.uint64], NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]:
    """Number the distinct runs of texts and their n-grams as they come.

    Most runs have come before, and their n-grams are not made again.

    Returns:
        (keys of n-grams; the run of each token, int32; where the tokens of each text begin; the n-grams of the distinct
        runs, int32; where those of each run begin).
    """
    terms, words = _no_numbers(1 << 14), _no_numbers(1 << 12)
    tokens, token_bounds = np.empty(1 << 12, np.int32), np.zeros(len(offsets), np.int64)
    word_terms, word_bounds = np.empty(1 << 14, np.int32), np.zeros(1 << 12, np.int64)
    run = np.empty(1 << 10, np.uint64)
    used = 0
    for i in range(len(offsets) - 1):
        size = offsets[i + 1] - offsets[i]
        most_words = size // 2 + 1
        characters = 2 * size + 2 * most_words  # two bytes fold to three characters at most; and the spaces
        most_terms = characters * (most - least + 1)
        if characters > len(run):
            run = _room(run, characters)
        if used + most_words > len(tokens):
            tokens = _room(tokens, used + most_words)
        while words.taken[0] + most_words >= len(words.keys):
            words = _doubled(words)
        if len(words.keys) >= len(word_bounds):
            word_bounds = _room(word_bounds, len(words.keys) + 1)
        while terms.taken[0] + most_terms > len(terms.keys):
            terms = _doubled(terms)
        if word_bounds[words.taken[0]] + most_terms > len(word_terms):
            word_terms = _room(word_terms, word_bounds[words.taken[0]] + most_terms)
        grams = _Grams(least, most, run, words, word_bounds, terms, word_terms)
        used = _take_text(data, offsets[i], offsets[i + 1], table, grams, tokens, used)
        token_bounds[i + 1] = used
    n_words = words.taken[0]
    stop = word_bounds[n_words]
    keys = terms.keys[: terms.taken[0]].copy()
    return keys, tokens[:used].copy(), token_bounds, word_terms[:stop].copy(), word_bounds[: n_words + 1].copy()


@inner_kernel
def _take_text(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    table: CharacterTable,
    grams: "_Grams",
    tokens: NDArray[np.int32],
    used: int,
) -> int:
    """Write the runs of a text to ``tokens[used:]``; return where they end. All arrays have room for what may come."""
    run, space = grams.run, hash_short(SPACE, 1)
    run[0] = space
    length = 1
    while True:
        kind, more, count, width = SEPARATOR, np.uint64(0), 0, 1
        if at < end:
            kind, more, count, width = folded_character(data, at, end, table)
        if kind != SEPARATOR:
            length = _append(more, count, run, length)
        elif length > 1:
            run[length] = space
            tokens[used] = _word(length + 1, grams)
            used += 1
            length = 1
        if at >= end:
            return used
        at += width


@inner_kernel
def _word(length: int, grams: "_Grams") -> int:
    """Return the number of a run of so many characters, its n-grams made if it is new."""
    before = grams.words.taken[0]
    word = _number(_hash(grams.run, 0, length), grams.words)
    if word == before:
        stop = grams.word_bounds[word]
        size = min(grams.least, length)
        for start in range(length - size + 1):
            for long in range(size, min(grams.most, length - start) + 1):
                grams.word_terms[stop] = _number(_hash(grams.run, start, long), grams.terms)
                stop += 1
        grams.word_bounds[word + 1] = stop
    return word


@inner_kernel
def _hash(run: NDArray[np.uint64], start: int, size: int) -> np.uint64:
    """Return the hash of the n-gram of ``size`` characters from ``start`` on."""
    h = np.uint64(0)
    for i in range(start, start + size):
        h = h * POLYNOMIAL_BASE + run[i]
    return fmix64(h + np.uint64(size) * GOLDEN_GAMMA)


@inner_kernel
def folded_character(
    data: NDArray[np.uint8], at: int, end: int, table: CharacterTable
) -> tuple[int, np.uint64, int, int]:
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


class _Numbers(NamedTuple):
    """Numbers of distinct hashes, in the order in which they came: an open-addressing table, at most half full.

    Attributes:
        slots: int32, a power of two of them: the number of the hash that stands there, -1 for none.
        keys: uint64, half as many: the hash of each number.
        taken: int64, shape (1,): how many there are.
    """

    slots: NDArray[np.int32]
    keys: NDArray[np.uint64]
    taken: NDArray[np.int64]


class _Grams(NamedTuple):
    """What the texts so far have brought.

    Attributes:
        least, most: characters of an n-gram.
        run: uint64 scratch: hashes of the characters of a run.
        words: numbers of the distinct runs.
        word_bounds: int64: where the n-grams of each run begin.
        terms: numbers of the distinct n-grams.
        word_terms: int32: the n-grams of one run after another, repeated ones too.
    """

    least: int
    most: int
    run: NDArray[np.uint64]
    words: _Numbers
    word_bounds: NDArray[np.int64]
    terms: _Numbers
    word_terms: NDArray[np.int32]


@kernel
def _no_numbers(size: int) -> _Numbers:
    return _Numbers(np.full(size, -1, np.int32), np.empty(size // 2, np.uint64), np.zeros(1, np.int64))


@inner_kernel
def _number(key: np.uint64, numbers: _Numbers) -> int:
    """Return the number of a hash, the next one if it is new; there must be room for it."""
    slots, keys = numbers.slots, numbers.keys
    mask = len(slots) - 1
    slot = signed(key & np.uint64(mask))
    while slots[slot] >= 0:
        if keys[slots[slot]] == key:
            return signed(slots[slot])
        slot = (slot + 1) & mask
    n = numbers.taken[0]
    slots[slot], keys[n] = n, key
    numbers.taken[0] = n + 1
    return signed(n)


@kernel
def _doubled(numbers: _Numbers) -> _Numbers:
    """Return the same numbers with room for twice as many."""
    larger = _no_numbers(2 * len(numbers.slots))
    for i in range(numbers.taken[0]):
        _number(numbers.keys[i], larger)
    return larger


@kernel
def _room(array: NDArray[Any], needed: int) -> NDArray[Any]:
    """Return a copy at least twice as long and as long as needed."""
    larger = np.empty(max(2 * len(array), needed), array.dtype)
    larger[: len(array)] = array
    return larger


@kernel
def _entries(
    tokens: NDArray[np.int32],
    bounds: NDArray[np.int64],
    word_terms: NDArray[np.int32],
    word_bounds: NDArray[np.int64],
    n_terms: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return (bounds of texts, their terms, counts); the last entry of each term is kept at hand."""
    most = 0
    for token in tokens:
        most += word_bounds[token + 1] - word_bounds[token]
    terms, counts = np.empty(most, np.int32), np.empty(most, np.int32)
    last = np.full(n_terms, -1, np.int64)
    entries = np.zeros(len(bounds), np.int64)
    used = 0
    for i in range(len(bounds) - 1):
        first = used
        for token in tokens[bounds[i] : bounds[i + 1]]:
            for j in range(word_bounds[token], word_bounds[token + 1]):
                term = word_terms[j]
                if last[term] >= first:
                    counts[last[term]] += 1
                else:
                    last[term] = used
                    terms[used], counts[used] = term, 1
                    used += 1
        entries[i + 1] = used
    return entries, terms[:used].copy(), counts[:used].copy()


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
