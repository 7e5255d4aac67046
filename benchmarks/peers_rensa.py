"""rensa in ``peers.py``: ``RMinHashDeduplicator.add_pairs`` with LSH, as its README shows."""

import time

import peers_worker
import pyarrow as pa
import pyarrow.parquet as pq
from rensa import RMinHashDeduplicator


def main() -> None:
    """Keep what the deduplicator says is new: it checks candidates by the similarity of their sketches."""
    begun = time.perf_counter()
    job = peers_worker.job()
    settings = job.settings
    index = RMinHashDeduplicator(
        threshold=settings["threshold"],
        num_perm=settings["bands"] * settings["rows"],
        use_lsh=True,
        num_bands=settings["bands"],
    )
    for file in job.files:
        table = pq.read_table(file)
        pairs = zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
        stays = index.add_pairs((key, peers_worker.shingles(text, settings["ngram"])) for key, text in pairs)
        pq.write_table(table.filter(pa.array(stays)), job.kept / file.name, compression="zstd")
    peers_worker.report(begun)


if __name__ == "__main__":
    main()
