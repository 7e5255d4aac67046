"""A blocker by binary codes: records that share a bucket, or one that is probed, and are most alike by code or vector.

Codes are the signs of values that a learned head, or random hyperplanes, or ITQ gives each record. A code is cut into
bands; records with the same bits in a band share a bucket (Indyk and Motwani 1998). A query also looks into the buckets
that differ in the bits it is least sure of (``hashing.probes``), so that fewer bands find as much.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...hashing.band_index import BandIndex, asking_rows, band_index
from ...hashing.code_topk import ALL, Coded, nearest_in_buckets
from ...hashing.codes import WORD, band_keys, check_bands, check_codes
from ...hashing.errors import ConfigError, InputError
from ...hashing.probes import flip_order, flips_by_place, probes_of
from .search import Block, Blocks, Found

LEARNED = "learned"
"""What this blocker is called in tables of pairs, unless another name is given."""

MAX_BUCKET = 1000
"""Most rows of a bucket, by default. A query scores at most so many a bucket that it looks into."""

_LARGEST = 10


@dataclass(frozen=True)
class CodeSearch:
    """The records that ask, and the searched ones by the buckets of their codes; a ``Search``.

    Attributes:
        queries: the records that ask.
        values: float32, shape (n, bits): what tells which buckets to probe; None: codes alone.
        searched: the records that are searched.
        index: their buckets.
        bits: of a code.
        probes: buckets of a band that a query looks into beside its own.
        k: neighbours of each; None: all records of its buckets.
        dirty: whether both are the same records.
    """

    queries: Coded
    values: NDArray[np.float32] | None
    searched: Coded
    index: BandIndex
    bits: int
    probes: int
    k: int | None
    dirty: bool
    blocks: Blocks
    name: str = LEARNED

    def __len__(self) -> int:
        return len(self.queries.codes)

    def __call__(self, first: int, last: int) -> Found:
        """Return the best of the buckets of some queries; see ``Search``."""
        found = nearest_in_buckets(
            self.queries.part(first, last),
            band_keys(self.queries.codes[first:last], self._bands, self.index.width),
            self._flips(first, last),
            self.searched,
            self.index,
            self.bits,
            ALL if self.k is None else self.k,
            first if self.dirty else -1,
        )
        queries = np.repeat(np.arange(first, last), np.diff(found.bounds))
        return Found(queries, found.rows.astype(np.int64), found.scores)

    @property
    def _bands(self) -> int:
        return len(self.index.buckets) - 1

    def _flips(self, first: int, last: int) -> NDArray[np.uint64]:
        if self.values is not None:
            return flip_order(self.values[first:last], self._bands, self.index.width, self.probes)
        return np.tile(flips_by_place(self.index.width, self.probes), (last - first, self._bands, 1))


def code_search(
    left_codes: NDArray[np.uint64],
    right_codes: NDArray[np.uint64] | None,
    k: int | None,
    *,
    bands: int,
    width: int,
    bits: int | None = None,
    probes: int = 0,
    max_bucket: int = MAX_BUCKET,
    values: NDArray[np.float32] | None = None,
    vectors: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None = None,
    name: str = LEARNED,
) -> CodeSearch:
    """Prepare to find for each record of the left table the best of those that share a bucket with it.

    Records that share none, of those that are used, are no pair; so there may be fewer than k. Of equal scores the
    record that stands first comes first. The score is 1 - (differing bits) / bits, from 0 to 1, or the inner product of
    the vectors.

    Buckets with more than ``max_bucket`` searched records are passed over, whoever asks; so a record all of whose
    buckets are that large finds none, but for those it probes. ``blocks`` says how many there are. A query scores at
    most ``bands * (1 + probes) * max_bucket`` records, and so many have room in memory, for each thread.

    Args:
        left_codes: uint64, shape (n, ceil(bits / 64)): the records that are queried with, as of ``codes.pack_signs``.
        right_codes: those that are searched; None: the left ones are one table with duplicates in it.
        k: neighbours of each record, at least 1; None: all records of its buckets.
        bands, width: how many bands, and bits of each; together no more than the bits of a code.
        bits: of a code; default: all of its words.
        probes: buckets of a band that a query looks into beside its own; a band has 2^width - 1 others at most.
        max_bucket: most rows of a bucket that is used.
        values: float32, shape (n, bits): the values of the left codes, whose smallest bits are flipped first; without
            them bits are flipped by place.
        vectors: float32, shape (records, dim), of the left and of the right records, to score by; within one table the
            second is None.
        name: what the blocker is called in tables of pairs.

    Raises:
        ConfigError: k, the bands, the probes or ``max_bucket`` cannot be.
        InputError: codes, values or vectors do not fit each other, or have no finite number where one is needed.
    """
    bits = WORD * left_codes.shape[-1] if bits is None else bits
    if k is not None and k < 1:
        raise ConfigError("k is at least 1, or None for all", value=k, remedy="Mend `k`.")
    check_codes(left_codes, bits)
    if right_codes is not None:
        check_codes(right_codes, bits)
    check_bands(bands, width, bits)
    probes = probes_of(width, probes)
    dirty = right_codes is None
    _check_values(values, left_codes, bits)
    left_vectors, right_vectors = _checked_vectors(vectors, left_codes, right_codes)
    queries = Coded(np.ascontiguousarray(left_codes), left_vectors)
    searched = queries if right_codes is None else Coded(np.ascontiguousarray(right_codes), right_vectors)
    index = band_index(searched.codes, bands, width, max_bucket)
    blocks = _blocks(index, None if dirty else band_keys(queries.codes, bands, width))
    k = None if k is None else min(k, max(1, len(searched.codes)))
    if values is not None:
        values = np.ascontiguousarray(values, np.float32)
    return CodeSearch(queries, values, searched, index, bits, probes, k, dirty, blocks, name)


def _check_values(values: NDArray[np.float32] | None, codes: NDArray[np.uint64], bits: int) -> None:
    if values is None:
        return
    if values.shape != (len(codes), bits):
        raise InputError(
            "each bit of a code that asks has a value",
            value=f"values of shape {values.shape} for {len(codes):,} codes of {bits} bits",
            remedy="Give the values whose signs the codes are.",
        )
    if np.isnan(values).any():
        raise InputError("a value of a code is a number", value="NaN", remedy="Mend what makes the values.")


def _checked_vectors(
    vectors: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None,
    left: NDArray[np.uint64],
    right: NDArray[np.uint64] | None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the vectors of both sides, without dimensions where there are none."""
    if vectors is None:
        return np.empty((len(left), 0), np.float32), np.empty((0 if right is None else len(right), 0), np.float32)
    one, other = vectors
    other = one[:0] if other is None else other
    wanted = (len(left), 0 if right is None else len(right))
    if one.ndim != 2 or not one.shape[1] or other.shape != (wanted[1], one.shape[1]) or len(one) != wanted[0]:
        raise InputError(
            "each code has a vector, all of one dimension; within one table they are given once",
            value=f"vectors of shapes {one.shape} and {other.shape} for {wanted[0]:,} and {wanted[1]:,} codes",
            remedy="Give the vectors of the same records, in the same order.",
        )
    for some in (one, other):
        if not np.isfinite(some).all():
            raise InputError(
                "vectors that are scored by are finite",
                value="NaN or an infinite number",
                remedy="Mend what makes the vectors, or leave such records out.",
            )
    return np.ascontiguousarray(one, np.float32), np.ascontiguousarray(other, np.float32)


def _blocks(index: BandIndex, asking: NDArray[np.uint64] | None) -> Blocks:
    """Return what is known of the buckets; ``asking`` are the keys of the left records, None within one table."""
    right = np.diff(index.starts)
    left = right if asking is None else asking_rows(index, asking)
    pairs = right * (right - 1) // 2 if asking is None else left * right
    purged = right > index.max_bucket
    largest = np.argsort(-pairs, kind="stable")[:_LARGEST]  # buckets stand in the order of bands and keys
    largest = largest[pairs[largest] > 0]
    bands, keys = index.bucket_keys(largest)
    digits = -(-index.width // 4)
    shown = tuple(
        Block(f"band {band:02}: {key:0{digits}x}", int(left[bucket]), int(right[bucket]), bool(purged[bucket]))
        for band, key, bucket in zip(bands.tolist(), keys.tolist(), largest.tolist(), strict=True)
    )
    hot = purged & (pairs > 0)
    return Blocks(int((pairs > 0).sum()), int(hot.sum()), int(pairs[hot].sum()), shown)
