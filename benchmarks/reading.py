"""Time how fast shards are read for training: by Tamis, and by Hugging Face `datasets` streaming with a like shuffle.

    python benchmarks/reading.py --out OUT --workers 2 --turns 5

It needs torch and datasets beside Tamis. Both read the text column of the same files with as many worker processes of
torch's DataLoader and give batches of Python strings; each worker shuffles about as many rows: a window of row groups
here, a buffer of examples there. Turns alternate; figures are medians, and times begin after imports.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import datasets
import pyarrow
import torch
from torch.utils.data import DataLoader

from tamis.reader import ShardReader, loader


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="output folder of a run")
    parser.add_argument("--set", default="train")
    parser.add_argument("--text", default="text", metavar="COL")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64, help="rows of a batch")
    parser.add_argument("--window", type=int, default=4, help="row groups that are shuffled together")
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    datasets.disable_progress_bars()
    torch.set_num_threads(1)

    shards = ShardReader(args.out, set=args.set, batch_size=args.batch).sets[0]
    files = [str(args.out / "data" / file.name) for file in shards.files if file.rows]
    buffer = args.window * shards.shape.group_rows

    def tamis(turn: int) -> Iterator[list[str]]:
        reader = ShardReader(
            args.out, set=args.set, seed=turn, window=args.window, batch_size=args.batch, columns=[args.text]
        )
        for batch in loader(reader, args.workers):
            yield batch.column(0).to_pylist()

    def arrow(turn: int) -> Iterator[range]:
        reader = ShardReader(
            args.out, set=args.set, seed=turn, window=args.window, batch_size=args.batch, columns=[args.text]
        )
        for batch in loader(reader, args.workers):
            yield range(batch.num_rows)

    def streamed(turn: int, shuffled: bool) -> Iterator[list[str]]:
        found = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True, columns=[args.text])
        if shuffled:
            found = found.shuffle(seed=turn, buffer_size=buffer)
        for batch in DataLoader(found, batch_size=args.batch, num_workers=args.workers, drop_last=True):
            yield batch[args.text]

    contestants: dict[str, Callable[[int], Iterable]] = {
        "tamis, to Python strings": tamis,
        "tamis, as Arrow batches": arrow,
        "datasets, shuffle buffer": lambda turn: streamed(turn, True),
        "datasets, no shuffle": lambda turn: streamed(turn, False),
    }
    names = list(contestants)
    found: dict[str, list[Turn]] = {name: [] for name in names}
    for turn in range(args.turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            found[name].append(_timed(contestants[name](turn)))
    mean = sum(file.text_bytes for file in shards.files) / shards.rows
    settings = {
        "rows": shards.rows,
        "text_mb": round(mean * shards.rows / 1e6, 1),
        "group_rows": shards.shape.group_rows,
        "workers": args.workers,
        "batch": args.batch,
        "tamis_window_rows_per_worker": buffer,
        "datasets_buffer_rows_per_worker": buffer,
        "turns": args.turns,
        "processors": os.cpu_count(),
        "versions": {"datasets": datasets.__version__, "torch": torch.__version__, "pyarrow": pyarrow.__version__},
    }
    print(json.dumps(settings))
    print(f"{'':26} {'rows/s':>9} {'MB/s':>7} {'first batch, s':>15} {'slowest':>8} {'CPU s':>7}   rows read")
    for name, turns in found.items():
        rate = statistics.median(turn.rows / turn.seconds for turn in turns)
        first = [turn.first for turn in turns]
        processors = statistics.median(turn.processor_seconds for turn in turns)
        print(
            f"{name:26} {rate:9,.0f} {rate * mean / 1e6:7.1f} {statistics.median(first):15.2f} {max(first):8.2f}"
            f" {processors:7.2f}   {turns[0].rows:,}"
        )


class Turn(NamedTuple):
    """Seconds to the first batch, and to the end; of processors, by all processes; and rows read."""

    first: float
    seconds: float
    processor_seconds: float
    rows: int


def _timed(batches: Iterable) -> Turn:
    start, used = time.perf_counter(), _processor_seconds()
    first, rows = 0.0, 0
    for batch in batches:
        first = first or time.perf_counter() - start
        rows += len(batch)
    seconds = time.perf_counter() - start
    while multiprocessing.active_children():  # their times are known when they have ended
        time.sleep(0.01)
    return Turn(first, seconds, _processor_seconds() - used, rows)


def _processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
