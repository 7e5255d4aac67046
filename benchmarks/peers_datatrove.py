"""datatrove in ``peers.py``: the four steps of its MinHash example on the local executor."""

import time

import peers_worker
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.typeshelper import Languages


def main() -> None:
    """Signatures, matches in each bucket, clusters, and the rows that stay.

    Its example also counts tokens and writes what was removed; both are left out here, which saves it time.
    """
    begun = time.perf_counter()
    job = peers_worker.job()
    config = MinhashConfig(
        n_grams=job.settings["n_grams"],
        num_buckets=job.settings["num_buckets"],
        hashes_per_bucket=job.settings["hashes_per_bucket"],
    )
    signatures, buckets, remove = (str(job.out / name) for name in ("signatures", "buckets", "remove"))

    def run(name: str, steps: list[object], tasks: int) -> float:
        start = time.perf_counter()
        logs = str(job.out / "logs" / name)
        LocalPipelineExecutor(pipeline=steps, tasks=tasks, workers=min(tasks, job.threads), logging_dir=logs).run()
        return time.perf_counter() - start

    def reader() -> ParquetReader:
        return ParquetReader(str(job.folder), text_key="text", id_key="id")

    hashing = MinhashDedupSignature(output_folder=signatures, config=config, language=Languages.english)
    matching = MinhashDedupBuckets(input_folder=signatures, output_folder=buckets, config=config)
    clustering = MinhashDedupCluster(input_folder=buckets, output_folder=remove, config=config)
    filtering = MinhashDedupFilter(input_folder=remove)
    steps = {
        "signatures": run("signatures", [reader(), hashing], job.threads),
        "buckets": run("buckets", [matching], config.num_buckets),
        "clusters": run("clusters", [clustering], 1),
        "filter": run("filter", [reader(), filtering, ParquetWriter(str(job.kept))], job.threads),
    }
    peers_worker.report(begun, steps=steps)


if __name__ == "__main__":
    main()
