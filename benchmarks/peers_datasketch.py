"""datasketch in ``peers.py``: ``MinHash.bulk`` in processes, and one ``MinHashLSH``, asked before it is told."""

import multiprocessing
import time
from functools import partial

import numpy as np
import peers_worker
import pyarrow as pa
import pyarrow.parquet as pq
from datasketch import LeanMinHash, MinHash, MinHashLSH
from numpy.typing import NDArray

BATCH = 1_000
SEED = 1
SCHEME = MinHash(num_perm=1).scheme
"""The one that datasketch takes unless told otherwise."""


def signatures(texts: list[str], values: int, size: int) -> NDArray[np.unsignedinteger]:
    """Return the signatures of some texts, one a row."""
    sets = [[shingle.encode() for shingle in peers_worker.shingles(text, size)] for text in texts]
    return np.array([sketch.hashvalues for sketch in MinHash.bulk(sets, num_perm=values, seed=SEED)])


def main() -> None:
    """Keep a row unless a kept one shares a band with it."""
    begun = time.perf_counter()
    job = peers_worker.job()
    bands, depth = job.settings["bands"], job.settings["rows"]
    values = bands * depth
    index = MinHashLSH(params=(bands, depth), num_perm=values)
    sketch = partial(signatures, values=values, size=job.settings["ngram"])
    number = 0
    with multiprocessing.Pool(job.threads) as pool:
        for file in job.files:
            table = pq.read_table(file)
            stays = []
            for block in pool.imap(sketch, peers_worker.chunks(table["text"].to_pylist(), BATCH)):
                for row in block:
                    minhash = LeanMinHash(seed=SEED, hashvalues=row, scheme=SCHEME)
                    stays.append(not index.query(minhash))
                    if stays[-1]:
                        index.insert(number, minhash)
                    number += 1
            pq.write_table(table.filter(pa.array(stays)), job.kept / file.name, compression="zstd")
    peers_worker.report(begun)


if __name__ == "__main__":
    main()
