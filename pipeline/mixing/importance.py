"""Importance resampling over the verbs of an engine, and what it takes of each source."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...hashing.bagging import draws
from ...hashing.errors import ConfigError
from ...hashing.fingerprint import fingerprint
from ...hashing.mixing.importance import gumbel_keys, log_weights, ngram_buckets
from ...hashing.sketch import sketch_plan
from ..engine import Table
from ..text_column import text_buffers

PURPOSE = "importance"
RANKED = pa.schema(
    [("id", pa.int64()), ("source", pa.string()), ("tokens", pa.int64()), ("all", pa.int64()), ("rank", pa.int64())]
)

TAKEN = pa.schema([("source", pa.string()), ("rows", pa.int64()), ("tokens", pa.int64())])


@dataclass(frozen=True)
class Rank:
    """Ranks texts by log importance and keyed noise; plain data.

    Attributes:
        text, source, id: names of the columns.
        ratios: float64, shape (buckets,): as ``log_ratios`` returns them.
        seed: of the noise.
        least_tokens: texts with fewer words are left out.
    """

    text: str
    source: str
    id: str
    ratios: NDArray[np.float64]
    seed: int
    least_tokens: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (id, source, tokens, all, rank): the lowest rank comes first."""
        if not batch.num_rows:
            return pa.RecordBatch.from_pylist([], schema=RANKED)
        data, offsets = text_buffers(batch.column(self.text))
        prints = fingerprint(data, offsets, sketch_plan(values=1), banding=None, seed=self.seed)
        high, low = (np.ascontiguousarray(prints.hashes[:, half]).view(np.int64) for half in (0, 1))
        numbers = draws(high, low, seed=self.seed, purpose=PURPOSE)
        weights = log_weights(*ngram_buckets(data, offsets, buckets=len(self.ratios)), self.ratios)
        columns = [
            batch.column(self.id),
            batch.column(self.source).cast(pa.string()),
            pa.array(prints.tokens),
            pa.array(np.zeros(batch.num_rows, np.int64)),
            pa.array(descending(gumbel_keys(weights, numbers))),
        ]
        kept = pa.array((prints.tokens >= self.least_tokens) & (prints.errors < 0))
        return pa.RecordBatch.from_arrays(columns, schema=RANKED).filter(kept)


def descending(keys: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return int64 in the opposite order of finite floats.

    >>> descending(np.array([1.5, -0.25, 3.0])).argsort().tolist()
    [2, 0, 1]
    """
    bits = np.ascontiguousarray(keys + 0.0).view(np.int64)
    return np.asarray(~(bits ^ ((bits >> 63) & np.int64(2**63 - 1))), np.int64)


def resample(
    texts: Table,
    ratios: NDArray[np.float64],
    k: int,
    *,
    seed: int = 0,
    text: str = "text",
    source: str = "source",
    id_column: str = "id",
    least_tokens: int = 1,
) -> Table:
    """Return the k texts that importance resampling takes (``RANKED``): fewer if there are fewer.

    Copies of a text have the same noise and stand together; the lower id comes first. Deduplicate before.

    Args:
        texts: with the columns named here; ids are int64, all different.
        ratios: float64, shape (buckets,): as ``hashing.mixing.importance.log_ratios`` returns them.
        k: how many.
        seed: of the noise.
        text, source, id_column: names of the columns.
        least_tokens: texts with fewer words are left out.

    Raises:
        ConfigError: k is not above 0.
    """
    if k < 1:
        raise ConfigError("a sample has a text", value=k, remedy="Ask for 1 or more.")
    ranked = texts.map(Rank(text, source, id_column, ratios, seed, least_tokens), RANKED)
    return ranked.first(by=["all"], order=["rank", "id"], n=k)


@dataclass(frozen=True)
class UpTo:
    """Adds up the tokens of ranked texts by source, until there are enough; its state is a number for each source.

    Attributes:
        tokens: how many are enough; the text with the last of them is taken whole.
    """

    tokens: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield ``TAKEN``."""
        rows: dict[str, int] = defaultdict(int)
        taken: dict[str, int] = defaultdict(int)
        left = self.tokens
        for batch in batches:
            counts = batch.column("tokens").to_numpy()
            before = np.cumsum(counts) - counts
            few = batch.slice(0, int(np.searchsorted(before, left))) if left > 0 else batch.slice(0, 0)
            for name, size in zip(few.column("source").to_pylist(), few.column("tokens").to_pylist(), strict=True):
                rows[name] += 1
                taken[name] += size
                left -= size
        named = sorted(taken)
        yield pa.RecordBatch.from_pydict(
            {"source": named, "rows": [rows[n] for n in named], "tokens": [taken[n] for n in named]}, schema=TAKEN
        )


def taken_by_source(
    texts: Table, ratios: NDArray[np.float64], tokens: int, *, seed: int = 0, id_column: str = "address"
) -> pa.Table:
    """Return how many rows and tokens importance resampling takes of each source that it takes of (``TAKEN``).

    Texts are taken in the order of ``resample`` until they have so many tokens.

    Args:
        texts: (``id_column``, text, source); ids are int64, all different.
        ratios: float64, shape (buckets,): as ``hashing.mixing.importance.log_ratios`` returns them.
        tokens: how many; of all there are, all are taken.
        seed: of the noise.
        id_column: of two copies of a text, the lower id is first.

    Raises:
        ConfigError: there is nothing to take.
    """
    if tokens < 1:
        raise ConfigError("a sample has a token", value=tokens, remedy="Ask for 1 or more.")
    ranked = texts.map(Rank("text", "source", id_column, ratios, seed, 1), RANKED)
    return ranked.fold(order=["rank", "id"], fn=UpTo(tokens), schema=TAKEN).collect()


def tokens_by_source(sample: Table) -> dict[str, int]:
    """Return how many tokens a sample takes of each source: weights that a mixture can have."""
    found = sample.aggregate(by=["source"], taken=("sum", "tokens")).collect()
    return dict(sorted(zip(found["source"].to_pylist(), found["taken"].to_pylist(), strict=True)))
