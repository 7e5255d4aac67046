"""What texts say of their sources, in one pass over the verbs of an engine: sizes, histograms, samples of shingles.

Only whole numbers are counted, and only added up: the answer is the same for any engine, partition and order of rows.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError
from ...hashing.fingerprint import fingerprint
from ...hashing.hashed_vectors import hashed_vectors
from ...hashing.lsh import Banding
from ...hashing.mixing.checks import in_range, one_of
from ...hashing.mixing.histograms import Histograms
from ...hashing.mixing.importance import BUCKETS, ngram_buckets
from ...hashing.mixing.overlap import ONE_IN, ShingleSample, sample_by_source
from ...hashing.shingles import WORD, shingle_sequences
from ...hashing.sketch import sketch_plan
from ...hashing.unicode_table import words_v1
from ..engine import Table
from ..text_column import text_buffers

NGRAMS, BANDS, CODES, CELLS = "ngrams", "bands", "codes", "cells"

OVERLAPS = {
    NGRAMS: "words and pairs of words in common: topic and manner of writing",
    BANDS: "near duplicates in common",
    CODES: "kinds of text in common: topic and manner of writing, by whole texts, coarsely",
    CELLS: "cells of vectors or codes in common: topic, as far as the vectors know it",
}
"""Of what overlap two histograms of a kind speak."""

COUNTED = pa.schema([("source", pa.string()), ("what", pa.int64()), ("key", pa.int64()), ("count", pa.int64())])
MOST_CODES = 1 << 16

_ROWS, _WORDS, _BUCKET, _SHINGLE = 0, 1, 2, 3


@dataclass(frozen=True)
class Bucketing:
    """Which buckets a text falls in.

    Attributes:
        kind: ``ngrams``: each word and pair of neighbouring words is one count, so texts weigh by their words.
            ``bands``: each band of a MinHash signature is one, so all texts weigh alike. ``codes``: each text is one
            count, in the bucket of the signs of its hashed vector of characters (``hashed_vectors``), one sign a bit.
            ``cells``: each text is one count, in the cell that its row names: of k-means, or of a learned hash.
        buckets: how many; of codes a power of two, up to 65,536.
        bands, rows: of a signature of ``bands * rows`` values, over ``shingle`` words.
        shingle: words of a shingle, for bands and for the sample of shingles.
        cells: the int64 column of cells, 0 to ``buckets`` - 1.
        seed: of the signatures.

    Raises:
        ConfigError: there is no such kind, or a number is out of range.
    """

    kind: str = NGRAMS
    buckets: int = BUCKETS
    bands: int = 16
    rows: int = 8
    shingle: int = 5
    cells: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("kind", self.kind, tuple(OVERLAPS))
        in_range("buckets", self.buckets, 1, 2**31)
        if (self.kind == CELLS) != (self.cells is not None):
            raise ConfigError("cells have a column", value=f"{self.kind} of {self.cells}", remedy="Name it by `cells`.")
        if self.kind == CODES and (self.buckets & (self.buckets - 1) or not 2 <= self.buckets <= MOST_CODES):
            raise ConfigError(
                f"codes have a power of two of buckets, 2 to {MOST_CODES:,}", value=self.buckets, remedy="Take 1024."
            )


@dataclass(frozen=True)
class Measured:
    """What there is of each source; arrays are in the order of ``names``.

    Attributes:
        names: of the sources, ascending.
        rows: int64, shape (sources,).
        tokens: int64, shape (sources,): words of profile ``words-v1``.
        histograms: of all sources; a row of zeros where there are no words.
        samples: of the shingles of each.
    """

    names: tuple[str, ...]
    rows: NDArray[np.int64]
    tokens: NDArray[np.int64]
    histograms: Histograms
    samples: tuple[ShingleSample, ...]


@dataclass(frozen=True)
class CountSources:
    """Counts what is in a batch, by source; plain data. Only sums over all batches are independent of their cuts.

    Attributes:
        text, source: names of the columns.
        bucketing: which buckets a text falls in.
        one_in: one of how many distinct shingles is sampled.
    """

    text: str
    source: str
    bucketing: Bucketing
    one_in: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (source, what, key, count).

        Raises:
            InputError: a row has no source, or a cell that there is not.
        """
        if not batch.num_rows:
            return pa.RecordBatch.from_pylist([], schema=COUNTED)
        names, places = _encoded(batch.column(self.source))
        data, offsets = text_buffers(batch.column(self.text))
        words, bounds = shingle_sequences(data, offsets, WORD, 1, words_v1())
        shingles, shingle_bounds = shingle_sequences(data, offsets, WORD, self.bucketing.shingle, words_v1())
        buckets, owners = self._buckets(batch, data, offsets)
        parts = [
            _sums(_ROWS, places, np.zeros(len(places), np.int64)),
            _sums(_WORDS, np.repeat(places, np.diff(bounds)), np.zeros(len(words), np.int64)),
            _sums(_BUCKET, places[owners], buckets),
            self._sampled(np.repeat(places, np.diff(shingle_bounds)), shingles),
        ]
        source, what, key, count = (np.concatenate(column) for column in zip(*parts, strict=True))
        return pa.RecordBatch.from_arrays(
            [names.take(pa.array(source)), *map(pa.array, (what, key, count))], schema=COUNTED
        )

    def _buckets(
        self, batch: pa.RecordBatch, data: NDArray[np.uint8], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (buckets, the text of each)."""
        made = self.bucketing
        texts = np.arange(batch.num_rows, dtype=np.int64)
        if made.kind == NGRAMS:
            buckets, bounds = ngram_buckets(data, offsets, buckets=made.buckets)
            return buckets, np.repeat(texts, np.diff(bounds))
        if made.kind == BANDS:
            plan = sketch_plan(values=made.bands * made.rows, shingle=made.shingle, seed=made.seed)
            found = fingerprint(data, offsets, plan, banding=Banding(made.bands, made.rows), seed=made.seed)
            there = (found.tokens > 0) & (found.errors < 0)
            keys = found.keys[there]
            folded = ((keys >> np.uint64(32)) * np.uint64(made.buckets)) >> np.uint64(32)
            return folded.astype(np.int64).ravel(), np.repeat(texts[there], made.bands)
        if made.kind == CODES:
            return _codes(data, offsets, made.buckets.bit_length() - 1)
        cells = batch.column(made.cells)
        if cells.null_count or not pa.types.is_int64(cells.type):
            raise InputError("cells are int64 in every row", value=str(cells.type), remedy="Mend the column of cells.")
        numbers = cells.to_numpy()
        if numbers.min() < 0 or numbers.max() >= made.buckets:
            raise InputError(
                "cells are 0 to `buckets` - 1",
                value=f"{numbers.min()} to {numbers.max()} of {made.buckets}",
                remedy="Raise `buckets`.",
            )
        return np.asarray(numbers, np.int64), texts

    def _sampled(self, places: NDArray[np.int64], shingles: NDArray[np.uint64]) -> tuple[NDArray[np.int64], ...]:
        """Return (source, what, key, count) of the sampled shingles."""
        sources, hashes, counts = sample_by_source(shingles, places, one_in=self.one_in)
        return sources, np.full(len(sources), _SHINGLE), hashes.view(np.int64), counts


def _codes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (codes, their texts) of texts with words: bit j says if n-grams that hash to place j add up above 0."""
    vectors = hashed_vectors(data, offsets, dimensions=1 << (bits - 1).bit_length())
    texts = np.flatnonzero(vectors.any(axis=1))
    return (vectors[texts, :bits] > 0) @ (np.int64(1) << np.arange(bits, dtype=np.int64)), texts


def _encoded(column: pa.Array) -> tuple[pa.Array, NDArray[np.int64]]:
    """Return (names of the sources, which of them each row has)."""
    if column.null_count:
        raise InputError("every row has a source", value="null", remedy="Name the source of each row.")
    coded = column.cast(pa.string()).dictionary_encode()
    return coded.dictionary, coded.indices.to_numpy().astype(np.int64)


def _sums(what: int, sources: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Return (source, what, key, count) of each different (source, key); keys are below 2^31."""
    both, counts = np.unique(sources << 31 | keys, return_counts=True)
    return both >> 31, np.full(len(both), what), both & (2**31 - 1), counts.astype(np.int64)


def measure(
    texts: Table,
    *,
    text: str = "text",
    source: str = "source",
    bucketing: Bucketing | None = None,
    one_in: int = ONE_IN,
) -> Measured:
    """Return what there is of each source.

    The driver holds a row for each source and bucket, and for each sampled shingle of a source.

    Args:
        texts: with the columns named here.
        text: the column of texts; null is an empty one.
        source: the column of sources.
        bucketing: which buckets a text falls in; None: hashed n-grams.
        one_in: one of how many distinct shingles is sampled.

    Raises:
        InputError: there is no row, or one has no source.
        ConfigError: a number is out of range.
    """
    bucketing = bucketing or Bucketing()
    in_range("one_in", one_in, 1, 2**32)
    counted = texts.map(CountSources(text, source, bucketing, one_in), COUNTED)
    found = counted.aggregate(by=["source", "what", "key"], total=("sum", "count")).collect()
    if not found.num_rows:
        raise InputError("a mixture has a source", value="no rows", remedy="Give texts.")
    return _measured(found, bucketing.buckets, one_in)


MOST_SHINGLES = 8_000_000
"""Sampled shingles that the driver is given, at most, when small sources make it look closer."""


def measure_all(texts: Table, *, one_in: int = ONE_IN) -> Measured:
    """Return what there is of each source, with a sampled shingle of each that has words.

    Where one would have none, a larger sample is taken: as large as ``MOST_SHINGLES`` allows.

    Args:
        texts: with the columns ``text`` and ``source``.
        one_in: one of how many distinct shingles is sampled.

    Raises:
        InputError: a source is too small for that sample, beside large ones.
    """
    found = measure(texts, one_in=one_in)
    lacking = _without_sample(found)
    closer = -(-int(found.tokens.sum()) // MOST_SHINGLES)
    if lacking and closer < one_in:
        found, one_in = measure(texts, one_in=closer), closer
        lacking = _without_sample(found)
    if lacking:
        raise InputError(
            f"every source has a shingle among one in {one_in}",
            value=", ".join(map(repr, lacking)),
            remedy="Set `one_in` lower, which takes more memory, or leave the source out.",
        )
    return found


def _without_sample(found: Measured) -> list[str]:
    rows = zip(found.names, found.tokens, found.samples, strict=True)
    return [name for name, words, sample in rows if words and not len(sample.hashes)]


def _measured(found: pa.Table, buckets: int, one_in: int) -> Measured:
    held, codes = _encoded(found["source"].combine_chunks())
    names = tuple(sorted(held.to_pylist()))
    source = np.array([names.index(name) for name in held.to_pylist()], np.int64)[codes]
    what, key, total = (found[name].to_numpy() for name in ("what", "key", "total"))

    def sums(kind: int) -> NDArray[np.int64]:
        counts = np.zeros(len(names), np.int64)
        counts[source[what == kind]] = total[what == kind]
        return counts

    histogram = np.zeros((len(names), buckets), np.int64)
    in_buckets = what == _BUCKET
    histogram[source[in_buckets], key[in_buckets]] = total[in_buckets]
    own = what == _SHINGLE
    owners, hashes, counts = source[own], key[own].view(np.uint64), total[own]
    order = np.lexsort((hashes, owners))
    bounds = np.searchsorted(owners[order], np.arange(1, len(names)))
    parts = zip(np.split(hashes[order], bounds), np.split(counts[order], bounds), strict=True)
    samples = tuple(ShingleSample(*part, one_in) for part in parts)
    return Measured(names, sums(_ROWS), sums(_WORDS), Histograms(names, histogram), samples)
