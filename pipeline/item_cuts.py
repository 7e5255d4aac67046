"""Benchmark items that are cut out of documents: the words that their n-grams cover, from the first to the last.

Windows of words that overlap or touch make one cut. Paragraphs that are cut already split it, so that all cuts of a
row lie apart.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ..hashing.bloom import BloomFilter
from ..hashing.shingles import WORD, shingle_sequences
from ..hashing.unicode_table import words_v1
from ..hashing.word_spans import WordSpans, word_spans
from .benchmark_items import Items
from .decontaminate import Contamination, matches, sieve
from .edits import CUTS, EDITS, ReadTexts, packed_cuts, unpacked
from .engine import Table
from .text_column import text_buffers


def item_cuts(
    read: ReadTexts, kept: Table, paragraph_cuts: Table, contamination: Contamination, items: Items, *, text: str
) -> Table:
    """Return ``EDITS`` that cut benchmark items, saved.

    Args:
        read: gives the texts of rows.
        kept: (row, address) of the rows that are kept.
        paragraph_cuts: ``EDITS`` that come first.
        contamination: which rows hold items, and n-grams that count for nothing.
        items: of the benchmarks.
        text: the column of texts.
    """
    held = contamination.rows.select("row")
    before = packed_cuts(paragraph_cuts.join(held, on=["row"], how="semi"))
    rows = kept.select("row", "address").join(held, on=["row"], how="semi").join(before, on=["row"], how="left")
    return read(rows, "items").map(marking(items, contamination.phrases, text), EDITS).save("item_cuts")


@dataclass(frozen=True)
class Marking:
    """Finds the words of texts that n-grams of benchmarks cover; plain data.

    Attributes:
        text: the column.
        grams: uint64 by length, sorted and not empty.
        sieves: filters of them.
        owners: int64 by length: the first item that holds each.
    """

    text: str
    grams: dict[int, NDArray[np.uint64]]
    sieves: dict[int, BloomFilter]
    owners: dict[int, NDArray[np.int64]]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``EDITS`` of records read with ``row`` and ``__cuts``."""
        data, offsets = text_buffers(batch.column(self.text))
        words = word_spans(data, offsets, words_v1())
        inside, part = _parted(words, offsets, batch.column(CUTS))
        covered, owner = self._covered(data, offsets, words)
        text_of = np.repeat(np.arange(len(offsets) - 1), np.diff(words.bounds))
        whole = _runs(covered, text_of)  # as the texts came
        first, stop = _runs(covered & ~inside, part)
        stop -= _would_join(words, text_of, first, stop)
        first, stop = first[stop > first], stop[stop > first]
        item = owner[whole[0][np.searchsorted(whole[0], first, "right") - 1]]
        rows = batch.column("row").to_numpy()[text_of[first]]
        n = len(first)
        columns = [rows, words.start[first], words.stop[stop - 1], stop - first, pa.nulls(n, pa.int64()), item]
        return pa.RecordBatch.from_arrays([pa.array(c, pa.int64()) for c in columns], schema=EDITS)

    def _covered(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int64], words: WordSpans
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which words n-grams cover, and by word the first item with an n-gram that begins there."""
        count = len(words.start)
        steps = np.zeros(count + 1, np.int64)
        owner = np.full(count, np.iinfo(np.int64).max)
        for length, grams in self.grams.items():
            values, bounds = shingle_sequences(data, offsets, WORD, length, words_v1())
            there, which = matches(values, grams, self.sieves[length])
            text = np.searchsorted(bounds, there, "right") - 1
            begin = words.bounds[text] + there - bounds[text]
            end = np.minimum(begin + length, words.bounds[text + 1])
            np.add.at(steps, begin, 1)
            np.add.at(steps, end, -1)
            np.minimum.at(owner, begin, self.owners[length][which])
        return np.cumsum(steps[:-1]) > 0, owner


def marking(items: Items, phrases: NDArray[np.uint64], text: str) -> Marking:
    """Return what finds items but for their phrases.

    Args:
        items: of the benchmarks.
        phrases: uint64, n-grams that count for nothing.
        text: the column of texts.
    """
    lengths = {length: np.setdiff1d(grams, phrases) for length, grams in items.grams.items()}
    grams = {length: left for length, left in lengths.items() if len(left)}
    held, item = (items.owners[name].to_numpy() for name in ("gram", "item"))
    owners = {length: item[np.searchsorted(held, left.view(np.int64))] for length, left in grams.items()}
    return Marking(text, grams, {length: sieve(left) for length, left in grams.items()}, owners)


def _parted(
    words: WordSpans, offsets: NDArray[np.int64], cuts: pa.Array
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which words are cut out already, and a number of each that changes where a text or a cut comes between."""
    bounds, starts, stops = unpacked(cuts)
    before = np.repeat(offsets[:-1], np.diff(bounds))
    starts, stops = starts + before, stops + before
    text_of = np.repeat(np.arange(len(offsets) - 1), np.diff(words.bounds))
    place = words.start + offsets[text_of]
    behind = np.searchsorted(starts, place, "right")
    inside = np.append(stops, 0)[behind - 1] > place
    return inside, behind + text_of


def _runs(marked: NDArray[np.bool_], part: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where runs of marked words of one part begin and end: int64, int64."""
    other = np.diff(part, prepend=-1, append=-1) != 0
    on = np.concatenate([[False], marked, [False]])
    begins = on[1:-1] & (~on[:-2] | other[:-1])
    ends = on[1:-1] & (~on[2:] | other[1:])
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1


def _would_join(
    words: WordSpans, text_of: NDArray[np.int64], first: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return where the words around a cut would become one: its last word, a lone character, then has to stay.

    Two words that touch are not both runs of characters, so a cut that runs touch begins and ends with lone ones.
    """
    before, after = np.maximum(first - 1, 0), np.minimum(stop, len(text_of) - 1)
    left = (first > 0) & (text_of[before] == text_of[first]) & (words.stop[before] == words.start[first])
    right = (stop < len(text_of)) & (text_of[after] == text_of[first]) & (words.stop[stop - 1] == words.start[after])
    joined: NDArray[np.bool_] = left & right & ~words.lone[before] & ~words.lone[after]
    return joined
