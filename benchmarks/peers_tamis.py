"""Tamis in ``peers.py``: the command line, its report page included."""

import sys
import time

import peers_worker

job = peers_worker.job()

from tamis.jobs.memory_pool import choose_memory_pool  # noqa: E402

choose_memory_pool()  # as the command does, before Arrow is loaded
from tamis.jobs import api, cli, summary  # noqa: E402, F401  what the command would import when it starts


def main() -> None:
    """Run the command in this process."""
    begun = time.perf_counter()
    settings = {f"--{name}": str(value) for name, value in job.settings.items()}
    options = [part for pair in settings.items() for part in pair]
    sys.argv = ["tamis", "dedup", str(job.folder), "--out", str(job.out), "--threads", str(job.threads), *options]
    sys.argv += ["--id", "id", "--source", "source", "--quiet"]
    try:
        cli.main()
    except SystemExit as end:
        if end.code:
            raise
    peers_worker.report(begun)


if __name__ == "__main__":
    main()
