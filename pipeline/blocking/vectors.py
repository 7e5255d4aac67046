"""Vectors of texts by a hasher: each distinct text is encoded once, by the workers of an engine, and stored.

Encoding takes longer than all else, so texts are sent in chunks that take about equally long, the longest texts first,
and what a round of chunks made is stored before the next one: a run that was killed goes on there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.vector_store import VectorStore, hash_keys
from ...hashing.errors import ArtefactError, InputError
from ...hashing.murmur3 import murmur3_all
from ...hashing.neural.hasher import Hasher, load_hasher
from ..engine import Engine
from ..text_column import text_buffers

ROUND_TEXTS = 16_384
"""Texts that are encoded before their vectors are stored."""

CHUNK_TEXTS = 256
"""Texts of a task at most: enough for batches of equally many tokens."""

CHUNK_BYTES = 1 << 16
"""Bytes of a task at which no more texts are added: a few seconds of work."""

_TEXTS = pa.schema([("place", pa.int64()), ("text", pa.large_string())])
_VECTORS = pa.schema([("place", pa.int64()), ("vector", pa.binary())])


@dataclass(frozen=True)
class Encode:
    """Makes vectors of texts in a worker, which loads the hasher once.

    Attributes:
        path: of the hasher, where each worker sees it.
        fingerprint: of its encoder.
    """

    path: str
    fingerprint: str

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the vectors of some texts, float32 in little-endian order.

        Raises:
            ArtefactError: the hasher is another one here.
        """
        vectors = _hasher(self.path, self.fingerprint).encode(batch.column("text").to_pylist())
        data = np.ascontiguousarray(vectors, "<f4")
        packed = pa.array([row.tobytes() for row in data], pa.binary())
        return pa.RecordBatch.from_arrays([batch.column("place"), packed], schema=_VECTORS)


@lru_cache(maxsize=2)
def _hasher(path: str, fingerprint: str) -> Hasher:
    hasher = load_hasher(path)
    if hasher.encoder_fingerprint != fingerprint:
        raise ArtefactError(
            "all workers see one hasher",
            value=f"{path}, an encoder of fingerprint {hasher.encoder_fingerprint} where {fingerprint} is due",
            remedy="Put the same hasher at this path on every machine.",
        )
    return hasher


def encoded(
    engine: Engine, texts: pa.Array, hasher_path: str | Path, *, cache: Path | None = None
) -> NDArray[np.float32]:
    """Return the vectors of some texts.

    Args:
        engine: whose workers encode.
        texts: any string type, no nulls.
        hasher_path: folder of a hasher.
        cache: folder where vectors are stored by the hash of their text, and looked for; None: nowhere.

    Returns:
        float32, shape (n, dim): each depends on its text alone.

    Raises:
        InputError: a text is null.
        ArtefactError: the hasher or a stored part is damaged.
        ConfigError: a library is not installed, or ``cache`` cannot be written.
    """
    if texts.null_count:
        raise InputError(
            "texts to encode are no nulls",
            value=f"{texts.null_count:,} of {len(texts):,} are",
            remedy="Leave them out, or give an empty text.",
        )
    texts = texts.cast(pa.large_string())
    hasher = load_hasher(hasher_path)
    dim = hasher.settings.encoder.dim
    data, offsets = text_buffers(texts)
    keys, firsts, places = np.unique(
        hash_keys(murmur3_all(data, offsets, np.uint64(0))), return_index=True, return_inverse=True
    )
    vectors = np.empty((len(keys), dim), np.float32)
    store = None if cache is None else VectorStore(cache, hasher.encoder_fingerprint, dim)
    missing = np.arange(len(keys)) if store is None else np.flatnonzero(~store.read(keys, vectors))
    lengths = np.diff(offsets)[firsts]
    missing = missing[np.argsort(-lengths[missing], kind="stable")]
    shared = engine.share(Path(hasher.path)) if len(missing) else Path(hasher.path)
    encode = Encode(str(shared), hasher.encoder_fingerprint)
    for first in range(0, len(missing), ROUND_TEXTS):
        part = missing[first : first + ROUND_TEXTS]
        table = pa.Table.from_batches(_chunks(texts, firsts, lengths, part), _TEXTS)
        made = engine.table(table).map(encode, _VECTORS).collect()
        rows = made["place"].to_numpy()
        packed = b"".join(made["vector"].to_pylist())
        vectors[rows] = np.frombuffer(packed, "<f4").reshape(len(rows), dim)
        if store is not None:
            store.append(keys[part], vectors[part])
    return vectors[places]


def _chunks(
    texts: pa.Array, firsts: NDArray[np.int64], lengths: NDArray[np.int64], part: NDArray[np.int64]
) -> Iterator[pa.RecordBatch]:
    """Yield the texts of some keys in chunks, each of which is a task.

    Args:
        texts: large_string, all of them.
        firsts: int64, of each key: where its text stands first.
        lengths: int64, of each key: bytes of its text.
        part: int64: keys, in the order in which their texts are dealt.
    """
    start = 0
    while start < len(part):
        upto = np.cumsum(lengths[part[start : start + CHUNK_TEXTS]])
        stop = start + max(1, int(np.searchsorted(upto, CHUNK_BYTES, "right")))
        keys = part[start:stop]
        chosen = texts.take(pa.array(firsts[keys]))
        yield pa.RecordBatch.from_arrays([pa.array(keys), chosen], schema=_TEXTS)
        start = stop
