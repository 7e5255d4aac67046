"""Things that every task of an engine can use: pickled once into a file that tasks map, rather than sent with each.

Arrays lie in the file as they lie in memory (pickle protocol 5, out of band), so that processes on one machine share
their pages. The mapping is private: what a task would write to them no other sees.
"""

import mmap
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..connectors.unfinished import UNFINISHED

_ALIGN = 64
_OPEN = 4
"""Things that a process keeps mapped."""


@dataclass(frozen=True)
class Held:
    """A thing in the memory of this process."""

    thing: Any

    def __call__(self) -> Any:
        """Return the thing."""
        return self.thing


@dataclass(frozen=True)
class OnDisk:
    """A thing in a file that all machines see."""

    path: str

    def __call__(self) -> Any:
        """Return the thing; a process reads it once."""
        return _read(self.path)


def written(path: Path, thing: Any) -> OnDisk:
    """Write a thing to a new file.

    The file holds the number of buffers and their lengths as little-endian int64, the buffers, each from a place that
    64 divides, and the pickle last.
    """
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    raw = [*(buffer.raw() for buffer in buffers), memoryview(body)]
    unfinished = path.with_name(f".{path.name}{UNFINISHED}")
    with open(unfinished, "wb") as file:
        for number in (len(raw), *(part.nbytes for part in raw)):
            file.write(number.to_bytes(8, "little"))
        for part in raw:
            file.write(bytes(-file.tell() % _ALIGN))
            file.write(part)
    unfinished.rename(path)
    return OnDisk(str(path))


@lru_cache(maxsize=_OPEN)
def _read(path: str) -> Any:
    with open(path, "rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    count = int.from_bytes(data[:8], "little")
    lengths = [int.from_bytes(data[at : at + 8], "little") for at in range(8, 8 * count + 8, 8)]
    parts, at = [], 8 * count + 8
    for length in lengths:
        at += -at % _ALIGN
        parts.append(data[at : at + length])
        at += length
    return pickle.loads(parts[-1], buffers=parts[:-1])
