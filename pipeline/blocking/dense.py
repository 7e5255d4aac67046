"""A blocker by vectors: for each record the k others whose vectors are nearest.

Vectors come from an encoder. ``exact`` compares all of them and is the truth that other indexes are measured by.
``flat`` has FAISS (Douze et al. 2024) propose, and proves for each query that its proposals were enough; its answer is
that of ``exact``. ``hnsw`` (Malkov and Yashunin 2018) and ``ivf`` (inverted lists of k-means cells) look at a part of
the records and may miss neighbours. Whatever proposes, scores are those of ``hashing/dense_topk.py``, to the bit.

HNSW and IVF are built by one thread from a seed, and asked one query at a time, so that an answer depends neither on
threads nor on what else is asked. On processors of another kind FAISS may round otherwise, and propose otherwise.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...hashing.dense_topk import (
    EUCLIDEAN,
    DenseRows,
    Metric,
    NearestRows,
    dense_rows,
    nearest_among,
    nearest_dense,
    none_above,
)
from ...hashing.errors import ConfigError
from .search import Found

DENSE = "dense"
"""What this blocker is called in tables of pairs."""

IndexKind = Literal["exact", "flat", "hnsw", "ivf"]
KINDS = ("exact", "flat", "hnsw", "ivf")


@dataclass(frozen=True)
class FaissOptions:
    """How FAISS builds and asks an index.

    Attributes:
        seed: of k-means and of the levels of HNSW.
        links: HNSW: neighbours of each record in the graph.
        built_with: HNSW: candidates looked at while a record is put in.
        asked_with: HNSW: candidates looked at while a query is answered; at least the proposals are.
        lists: IVF: cells; default: four times the square root of the records.
        probes: IVF: cells that a query looks into.
    """

    seed: int = 0
    links: int = 32
    built_with: int = 200
    asked_with: int = 128
    lists: int | None = None
    probes: int = 16


@dataclass(frozen=True)
class FaissIndex:
    """An index of FAISS; it pickles, since it is kept as bytes.

    Attributes:
        kind: which.
        stored: what ``faiss.serialize_index`` made of it.
        options: how it is asked.
    """

    kind: str
    stored: bytes
    options: FaissOptions

    @cached_property
    def opened(self) -> Any:
        """The index itself, read once in each process."""
        faiss = import_faiss()
        index = faiss.deserialize_index(np.frombuffer(self.stored, np.uint8))
        if self.kind == "hnsw":
            index.hnsw.efSearch = self.options.asked_with
        if self.kind == "ivf":
            index.nprobe = self.options.probes
        return index

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "opened"}

    def propose(self, queries: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (what FAISS measured, rows) of shape (n_queries, count), best first; -1 where it found no more."""
        faiss = import_faiss()
        faiss.omp_set_num_threads(1)  # of this thread; the queries are dealt to threads already
        if self.kind == "flat":
            measured, rows = self.opened.search(queries, count)
            return measured, rows
        measured, rows = np.zeros((len(queries), count), np.float32), np.full((len(queries), count), -1)
        for q in range(len(queries)):
            measured[q], rows[q] = (found[0] for found in self.opened.search(queries[q : q + 1], count))
        return measured, rows


@dataclass(frozen=True)
class DenseSearch:
    """The vectors of the records that ask and of those that are searched; a ``Search``.

    Attributes:
        queries: of the records that ask.
        index: of those that are searched.
        k: neighbours of each.
        dirty: whether both are the same records.
        faiss: what proposes; None: all are compared.
    """

    queries: DenseRows
    index: DenseRows
    k: int
    dirty: bool
    faiss: FaissIndex | None = None
    name: str = DENSE
    blocks: None = None

    def __len__(self) -> int:
        return len(self.queries.vectors)

    def __call__(self, first: int, last: int) -> Found:
        """Return the nearest of the searched records for some queries; see ``Search``."""
        part, own = self.queries.part(first, last), first if self.dirty else -1
        if self.faiss is None:
            found = nearest_dense(part, self.index, self.k, own)
        else:
            found = self._proposed(self.faiss, part, own)
        queries, places = np.nonzero(found.rows >= 0)
        return Found(queries + first, found.rows[queries, places], found.scores[queries, places])

    def _proposed(self, faiss: FaissIndex, part: DenseRows, own: int) -> NearestRows:
        """Return the nearest among what FAISS proposes; what ``flat`` cannot prove is computed."""
        count = min(2 * self.k + 16, len(self.index.vectors))
        measured, proposed = faiss.propose(part.moved, count)
        found = nearest_among(part, self.index, np.sort(proposed, axis=1), self.k, own)
        if faiss.kind == "flat" and count < len(self.index.vectors):
            distances = self.index.metric == EUCLIDEAN
            proved = none_above(part, self.index, found.scores[:, -1], measured[:, -1], distances)
            for q in np.flatnonzero(~proved).tolist():
                one = nearest_dense(part.part(q, q + 1), self.index, self.k, own + q if own >= 0 else -1)
                found.rows[q], found.scores[q] = one.rows[0], one.scores[0]
        return found


def dense_search(
    left: NDArray[np.float32],
    right: NDArray[np.float32] | None,
    k: int,
    *,
    metric: Metric = "cosine",
    index: IndexKind = "exact",
    options: FaissOptions | None = None,
) -> DenseSearch:
    """Prepare to find for each record of the left table its k nearest of the right one.

    Scores are those of ``hashing/dense_topk.py``: higher is nearer; of equal ones the record that stands first comes
    first. Under ``cosine`` a vector of zeros finds nothing and is not found; else there are k pairs a record, or all.

    Args:
        left: float32, shape (n, d): the vectors of the records that are queried with, in their order.
        right: float32, shape (m, d): of the records that are searched; None: the left ones are one table with
            duplicates in it.
        k: neighbours of each record, at least 1.
        metric: ``cosine``, ``inner`` (the product, for which HNSW and IVF are no good where lengths differ much) or
            ``euclidean``.
        index: how they are found; all but ``exact`` need FAISS.
        options: how FAISS builds and asks its index.

    Raises:
        ConfigError: a setting cannot be, or FAISS is not installed.
        InputError: vectors are not as ``dense_rows`` wants them.
    """
    options = options or FaissOptions()
    positive = (k, options.links, options.built_with, options.asked_with, options.probes, options.lists or 1)
    if index not in KINDS or min(positive) < 1:
        raise ConfigError(
            "k and the numbers of an index are at least 1, and its kind is known",
            value=f"k {k}, index {index}, {options}",
            remedy=f"Kinds are {', '.join(KINDS)}; mend that.",
        )
    searched = dense_rows(left if right is None else right, metric)
    queries = searched if right is None else dense_rows(left, metric, searched)
    faiss = None
    if index != "exact":
        import_faiss()
        faiss = built(searched, index, options) if len(searched.vectors) else None
    return DenseSearch(queries, searched, min(k, max(1, len(searched.vectors))), right is None, faiss)


def built(rows: DenseRows, kind: str, options: FaissOptions) -> FaissIndex:
    """Return an index of FAISS of some vectors (one or more), built by one thread: the same whenever it is built."""
    faiss = import_faiss()
    count, d = rows.moved.shape
    euclidean = rows.metric == EUCLIDEAN
    metric = faiss.METRIC_L2 if euclidean else faiss.METRIC_INNER_PRODUCT
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        if kind == "flat":
            index = faiss.IndexFlat(d, metric)
        elif kind == "hnsw":
            index = faiss.IndexHNSWFlat(d, options.links, metric)
            index.hnsw.efConstruction = options.built_with
            index.hnsw.rng = faiss.RandomGenerator(options.seed)
        else:
            lists = min(count, options.lists or max(1, round(4 * count**0.5)))
            index = faiss.IndexIVFFlat(faiss.IndexFlat(d, metric), d, lists, metric)
            index.cp.seed, index.cp.min_points_per_centroid = options.seed, 1
            index.train(rows.moved)
        index.add(rows.moved)
    finally:
        faiss.omp_set_num_threads(before)
    return FaissIndex(kind, faiss.serialize_index(index).tobytes(), options)


def import_faiss() -> Any:
    """Return the module of FAISS.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise ConfigError(
            "indexes other than `exact` need FAISS",
            value=str(error),
            remedy="Install it with: pip install 'tamis[neural]'",
        ) from error
    return faiss
