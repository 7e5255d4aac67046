"""text-dedup in ``peers.py``: ``python -m text_dedup.minhash`` with the ``config.toml`` that its README shows."""

import json
import os
import runpy
import sys
import time

import peers_worker
import text_dedup.minhash  # noqa: F401  imported before the clock starts, as for the others

CONFIG = """\
[input]
input_type = "local_files"
file_type = "parquet"

[input.read_arguments]
path = {folder}
split = "train"

[algorithm]
algorithm_name = "minhash"
text_column = "text"
num_proc = {threads}
{settings}

[output]
output_dir = {kept}
clean_cache = false
save_clusters = false

[debug]
enable_profiling = false
"""


def main() -> None:
    """Write the file that it reads and run it in this process."""
    begun = time.perf_counter()
    job = peers_worker.job()
    lines = [f"{name} = {json.dumps(value)}" for name, value in job.settings.items()]
    config = CONFIG.format(
        folder=json.dumps(str(job.folder)),
        kept=json.dumps(str(job.kept)),
        threads=job.threads,
        settings="\n".join(lines),
    )
    (job.out / "config.toml").write_text(config, encoding="utf-8")
    os.chdir(job.out)
    sys.argv = ["text_dedup"]
    del sys.modules["text_dedup.minhash"]
    runpy.run_module("text_dedup.minhash", run_name="__main__")
    peers_worker.report(begun)


if __name__ == "__main__":
    main()
