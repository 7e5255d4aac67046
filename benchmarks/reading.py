"""Time how fast shards are read for training: by Tamis, and by Hugging Face `datasets` streaming with a like shuffle.

    python benchmarks/reading.py --out OUT --workers 2 --turns 5

It needs torch and datasets beside Tamis. Both read the text column of the same files with as many worker processes of
torch's DataLoader and give batches of Python strings; each worker shuffles about as many rows: a window of row groups
here, a buffer of examples there. Turns alternate; figures are medians, and times begin after imports.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

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

    def arrow(turn: int) -> Iterator[int]:
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
    found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in contestants}
    for turn in range(args.turns):
        for name in list(contestants)[turn % 4 :] + list(contestants)[: turn % 4]:
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
    print(f"{'':26} {'rows/s':>9} {'MB/s':>7} {'first batch, s':>15} {'slowest':>8}   rows read")
    for name, times in found.items():
        rate = statistics.median(rows / seconds for _, seconds, rows in times)
        first = [first for first, _, _ in times]
        print(
            f"{name:26} {rate:9,.0f} {rate * mean / 1e6:7.1f} {statistics.median(first):15.2f} {max(first):8.2f}"
            f"   {times[0][2]:,}"
        )


def _timed(batches: Iterable) -> tuple[float, float, int]:
    """Return the seconds to the first batch, to the end, and the rows."""
    start = time.perf_counter()
    first, rows = 0.0, 0
    for batch in batches:
        first = first or time.perf_counter() - start
        rows += len(batch)
    return first, time.perf_counter() - start, rows


if __name__ == "__main__":
    main()
