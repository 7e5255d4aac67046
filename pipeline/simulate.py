"""``tamis simulate``: what a training run would read, from the manifest and the arithmetic of the order alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from ..reader.batches import REMAINDERS
from ..reader.division import Division, at_least_one, check_chunk, default_chunk, default_streams
from ..reader.order import Order
from ..reader.order import Sequence as RowSequence
from ..reader.reader import memory_bytes
from ..reader.shard_set import ShardSet
from .counted import counted

WORLD_SIZES = 1024
"""World sizes are looked at up to here."""

SAMPLED_ROWS = 1 << 21
"""Rows that the shuffle is measured on, about: all, or those of some windows."""

LOW = 0.05
"""The quantile of distances that is told beside the median."""

_CURVE = tuple(i / 50 for i in range(51))


@dataclass(frozen=True)
class Loading:
    """How shards would be read.

    Attributes:
        world_size: w, ranks.
        workers: k, processes of each rank that read.
        batch: B, rows of a batch of all ranks.
        remainder: ``drop``, ``pad`` or ``wrap``.
        seed: of the order; the first epoch is looked at.
        streams: S; None: the reader's default.
        window: W, row groups that are shuffled together.
        chunk: c; None: the reader's default.
    """

    world_size: int
    workers: int
    batch: int
    remainder: str = "drop"
    seed: int = 0
    streams: int | None = None
    window: int = 4
    chunk: int | None = None


def simulate(shards: ShardSet, loading: Loading) -> dict[str, Any]:
    """Return what an epoch would be: steps, rows and bytes of each rank, the shuffle, and what other loaders would do.

    Raises:
        ConfigError: if these numbers do not divide one another.
    """
    division = _division(shards, loading)
    order = Order(shards.shape, loading.seed, 0, division.streams, loading.window, division.chunk)
    full, left = divmod(shards.rows, loading.batch)
    steps = full if loading.remainder == "drop" else full + (left > 0)
    rows_read = steps * loading.batch
    parts = _parts_read(order, division, rows_read)
    total = sum(size for file in shards.files for _, size in file.groups)
    ranks = [
        _rank(shards, order, rank, [parts[rank + division.world_size * worker] for worker in range(division.workers)])
        for rank in range(division.world_size)
    ]
    return {
        "set": shards.name,
        "rows": shards.rows,
        "bytes": total,
        "loading": {**asdict(loading), "streams": division.streams, "chunk": division.chunk},
        "steps": steps,
        "rows_read": rows_read,
        "dropped": max(0, shards.rows - rows_read),
        "padded": max(0, rows_read - shards.rows),
        "ranks": [{**rank, "steps": steps, "rows": steps * division.batch_size} for rank in ranks],
        "read_share": sum(rank["bytes"] for rank in ranks) / total if total else 0.0,
        "groups": shards.shape.groups,
        "pool_groups": shards.shape.groups - order.rounds * order.streams,
        "memory_bytes": memory_bytes(shards, division, loading.window),
        "shuffle": _shuffle(order),
        "others": [_dealt(split, units, division) for split, units in _units(shards).items()],
        "even": _even(shards, division, loading.batch),
    }


def _division(shards: ShardSet, loading: Loading) -> Division:
    """Return the division of rank 0, checked as a reader checks it."""
    for name in ("world_size", "workers", "batch", "window"):
        at_least_one(name, getattr(loading, name))
    if loading.remainder not in REMAINDERS:
        raise ConfigError(
            "a remainder is one of " + ", ".join(REMAINDERS), value=loading.remainder, remedy="Name one of them."
        )
    if loading.batch % loading.world_size:
        raise ConfigError(
            "the ranks divide a batch",
            value=f"{counted(loading.batch, 'row')} for {counted(loading.world_size, 'rank')}",
            remedy="Name the rows of all ranks together.",
        )
    share, sizes = loading.batch // loading.world_size, [shards.shape.group_rows]
    chunk = default_chunk(share, sizes) if loading.chunk is None else loading.chunk
    check_chunk(chunk, sizes)
    readers = loading.world_size * loading.workers
    streams = default_streams(readers, [shards.shape.groups]) if loading.streams is None else loading.streams
    return Division(streams, chunk, 0, loading.world_size, loading.workers, share)


def _parts_read(order: Order, division: Division, rows: int) -> list[list[int]]:
    """Return the parts that each process reads, by its number: of rank r, worker j it is r + w * j."""
    found: list[list[int]] = [[] for _ in range(division.readers)]
    chunks = min(rows, order.shape.rows) // order.chunk + (rows > order.shape.rows)
    of_window = order.window * order.shape.group_rows // order.chunk
    for stream in range(order.streams):
        own = len(range(stream, min(chunks, order.stream_chunks), order.streams))
        windows = range(-(-own // of_window))
        found[stream % division.readers] += [window * order.streams + stream for window in windows]
    pool = np.arange(order.stream_chunks, max(order.stream_chunks, chunks))
    pieces = (pool - order.stream_chunks) * order.chunk // order.shape.group_rows
    numbers = np.unique(pool % division.readers * order.parts + pieces)
    for reader, piece in zip(*(part.tolist() for part in np.divmod(numbers, max(1, order.parts))), strict=True):
        found[reader].append(order.windows * order.streams + piece)
    sequence = RowSequence((order.shape.rows,), order.chunk)
    for number in range(order.shape.rows // order.chunk, rows // order.chunk):  # what fills the last batch
        for piece in sequence.pieces(number * order.chunk, (number + 1) * order.chunk):
            part = order.place(piece.chunk)[0]
            if found[number % division.readers][-1:] != [part]:
                found[number % division.readers].append(part)
    return found


def _rank(shards: ShardSet, order: Order, rank: int, parts: Sequence[Sequence[int]]) -> dict[str, int]:
    """Return what the processes of a rank read."""
    found = {"rank": rank, "bytes": 0, "groups": 0, "files": 0}
    for of_worker in parts:
        runs = [run for part in of_worker for first, rows in order.runs(part) for run in shards.runs(first, rows)]
        found["bytes"] += sum(shards.files[run.file].groups[run.group][1] for run in runs)
        found["groups"] += len(runs)
        found["files"] += len({run.file for run in runs})
    return found


def _shuffle(order: Order) -> dict[str, Any]:
    """Return how far apart rows are read that follow one another in a row group, and what a permutation would do."""
    rows = order.shape.rows
    every = max(1, -(-rows // SAMPLED_ROWS))
    sampled = [np.empty(0, np.int64), *(_distances(order, part) for part in range(0, order.parts, every))]
    distances = np.concatenate(sampled)
    if not len(distances):
        return {"of_rows": rows, "pairs": 0}
    median, low, *curve = np.quantile(distances, [0.5, LOW, *_CURVE]).tolist()
    return {
        "of_rows": rows,
        "pairs": len(distances),
        "median": median,
        "low": low,
        "uniform_median": _uniform(rows, 0.5),
        "uniform_low": _uniform(rows, LOW),
        "curve": [list(point) for point in zip(_CURVE, curve, strict=True)],
        "uniform": [[share, _uniform(rows, share)] for share in _CURVE],
    }


def _distances(order: Order, part: int) -> NDArray[np.int64]:
    numbers, positions = order.positions(part)
    in_file = np.argsort(numbers)
    numbers, positions = numbers[in_file], positions[in_file]
    same = np.diff(numbers // order.shape.group_rows) == 0
    distances: NDArray[np.int64] = np.abs(np.diff(positions))[same]
    return distances


def _uniform(rows: int, share: float) -> float:
    """Return the distance that a share of pairs is not beyond, if rows stand anywhere: P(D <= d) = 1 - (1 - d / N)^2.

    >>> round(_uniform(1_000_000, 0.5))
    292893
    """
    return float(rows * (1 - (1 - share) ** 0.5))


def _units(shards: ShardSet) -> dict[str, list[int]]:
    """Return the rows of what other loaders deal out."""
    return {
        "files": [file.rows for file in shards.files if file.rows],
        "row groups": [rows for file in shards.files for rows, _ in file.groups if rows],
    }


def _dealt(split: str, units: Sequence[int], division: Division) -> dict[str, Any]:
    """Return what a loader does that deals whole files or row groups to ranks, then workers, in turn.

    Each worker makes batches of its own rows and leaves out a last short one, as torch's ``drop_last`` does.
    """
    steps = []
    idle = 0
    for rank in range(division.world_size):
        of_workers = [sum(units[rank :: division.world_size][j :: division.workers]) for j in range(division.workers)]
        steps.append(sum(rows // division.batch_size for rows in of_workers))
        idle += of_workers.count(0)
    return {
        "split": split,
        "units": len(units),
        "least_steps": min(steps),
        "most_steps": max(steps),
        "idle_workers": idle,
        "dropped": sum(units) - sum(steps) * division.batch_size,
        "hangs": min(steps) != max(steps),
    }


def _even(shards: ShardSet, division: Division, batch: int) -> dict[str, list[int]]:
    """Return the world sizes at which, with as many workers, all have equal shares.

    ``reader`` are those at which this order and this batch can be read on; ``files`` and ``row groups`` are those
    whose ranks and workers divide the shards, or the groups of the shards, without the tail.
    """
    sizes = range(1, WORLD_SIZES + 1)
    readers = {size: size * division.workers for size in sizes}
    files = len(shards.files) - 1
    return {
        "reader": [w for w in sizes if division.streams % readers[w] == 0 and batch % (w * division.chunk) == 0],
        "files": [w for w in sizes if files and files % readers[w] == 0],
        "row groups": [w for w in sizes if shards.shape.groups and shards.shape.groups % readers[w] == 0],
    }
