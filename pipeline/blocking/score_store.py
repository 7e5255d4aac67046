"""Scores that a model gave pairs of texts, kept by content: a folder of files that are only ever added.

    FOLDER/MODEL/scores-DIGEST.parquet

MODEL names the model by its content, and DIGEST the rows. A pair of texts is the two 128-bit MurmurHash3 of its UTF-8
bytes. Two processes can add at once: each writes files of its own, whole or not at all.
"""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...connectors.parquet_output import write_parquet
from ...hashing.errors import ArtefactError
from ...hashing.murmur3 import murmur3_all
from ..text_column import text_buffers

_HASHES = ("left_high", "left_low", "right_high", "right_low")
KEPT = pa.schema([*(pa.field(name, pa.uint64(), nullable=False) for name in _HASHES), pa.field("score", pa.float64())])
KEY = np.dtype((np.void, 32))

Keys = NDArray[np.void]


def pair_keys(left: pa.Array, right: pa.Array) -> Keys:
    """Return a key for each pair of texts: 32 bytes, shape (n,)."""
    hashes = [murmur3_all(*text_buffers(texts), np.uint64(0)) for texts in (left, right)]
    return np.ascontiguousarray(np.concatenate(hashes, axis=1)).view(KEY).reshape(-1)


def kept_scores(folder: Path) -> tuple[Keys, NDArray[np.float64]]:
    """Return the keys and scores of all files of a folder; of a repeated key the first in the order of file names.

    Raises:
        ArtefactError: a file is damaged.
    """
    keys, scores = [np.empty(0, KEY)], [np.empty(0, np.float64)]
    for path in sorted(folder.glob("scores-*.parquet")):
        table = _read(path)
        rows = np.stack([table[name].to_numpy() for name in _HASHES], axis=1)
        keys.append(np.ascontiguousarray(rows).view(KEY).reshape(-1))
        scores.append(table["score"].to_numpy())
    distinct, first = np.unique(np.concatenate(keys), return_index=True)
    return distinct, np.concatenate(scores)[first]


def keep_scores(folder: Path, keys: Keys, scores: NDArray[np.float64]) -> None:
    """Add a file."""
    rows = keys.view(np.uint64).reshape(-1, len(_HASHES))
    table = pa.table([*(pa.array(rows[:, i]) for i in range(len(_HASHES))), pa.array(scores)], KEPT)
    name = hashlib.sha256(rows.tobytes() + scores.tobytes()).hexdigest()[:32]
    write_parquet(folder / f"scores-{name}.parquet", iter([table]), KEPT)


def _read(path: Path) -> pa.Table:
    try:
        table = pq.read_table(pa.BufferReader(path.read_bytes()))
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, str(error)) from error
    if not table.schema.equals(KEPT) or any(table[name].null_count for name in KEPT.names):
        raise _damaged(path, f"columns {', '.join(table.column_names)}")
    return table


def _damaged(path: Path, fault: str) -> ArtefactError:
    return ArtefactError(
        "kept scores can be read", value=f"{path}: {fault}", remedy="Delete the file: it is made anew."
    )
