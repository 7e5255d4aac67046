"""How many shards of how many groups of how many rows: N = K * G * R + tail, for each set of rows.

Every group has exactly R rows and every file exactly G groups, so any number of ranks that divides K, or K * G, reads
equal shares. K and G have many divisors. R is a multiple of 64, or of a smaller power of two where a multiple of 64
would leave too many rows over, so that readers can deal rows in small equal chunks. Rows that do not fill a last round
of groups, fewer than K * R, go to the tail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GROUPS_WANTED = 8
"""Row groups that a file has at least, so that it can feed several readers."""

CHUNK = 64
"""What the rows of a group are a multiple of, if there are enough of them."""


@dataclass(frozen=True)
class Layout:
    """The shape of a set.

    Attributes:
        rows: N, all rows.
        files: K.
        groups: G, row groups of a file.
        group_rows: R, rows of a group.
    """

    rows: int
    files: int
    groups: int
    group_rows: int

    @property
    def file_rows(self) -> int:
        """Rows of every file but the tail."""
        return self.groups * self.group_rows

    @property
    def tail_rows(self) -> int:
        """Rows of the tail."""
        return self.rows - self.files * self.file_rows

    def name(self, file: int) -> str:
        """Return the name of a file; number ``files`` is the tail."""
        return "tail.parquet" if file == self.files else f"part-{file:05d}-of-{self.files:05d}.parquet"


@dataclass(frozen=True)
class ShardSet:
    """Rows that are read together: all there are, a split, a fold, a phase of a mixture.

    Attributes:
        name: what it is called.
        split: ``train`` or the name of what is held out.
        phase: of a mixture, or None.
        folder: below ``data/``; empty for the only set.
        first_row: position of its first row.
        first_file: number of its first file.
        layout: its shape.
    """

    name: str
    split: str
    phase: str | None
    folder: str
    first_row: int
    first_file: int
    layout: Layout

    def path(self, file: int) -> str:
        """Return the path of a file below ``data/``, by its number in the set."""
        name = self.layout.name(file)
        return f"{self.folder}/{name}" if self.folder else name

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for the manifest."""
        layout = self.layout
        shape = {name: getattr(layout, name) for name in ("rows", "files", "groups", "group_rows", "tail_rows")}
        facts = {name: getattr(self, name) for name in ("name", "split", "phase", "folder", "first_row", "first_file")}
        return {**facts, "layout": shape}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "ShardSet":
        """Return the set that ``as_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: if it did not.
        """
        shape = {name: int(data["layout"][name]) for name in ("rows", "files", "groups", "group_rows")}
        phase = None if data["phase"] is None else str(data["phase"])
        names = (str(data["name"]), str(data["split"]), phase, str(data["folder"]))
        return cls(*names, int(data["first_row"]), int(data["first_file"]), Layout(**shape))


@dataclass(frozen=True)
class SetName:
    """What a set is called before its rows are counted."""

    name: str
    split: str
    phase: str | None = None


@dataclass(frozen=True)
class Sets:
    """All sets of an output, whose rows and files are numbered through; plain data."""

    sets: tuple[ShardSet, ...]

    @property
    def files(self) -> int:
        """How many files there are, tails included."""
        return sum(item.layout.files + 1 for item in self.sets)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(item.layout.rows for item in self.sets)

    def files_of(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the file that each position is in: int64, shape (n,)."""
        starts, first, files, sizes = (
            np.array(values, np.int64)
            for values in zip(
                *((s.first_row, s.first_file, s.layout.files, s.layout.file_rows) for s in self.sets), strict=True
            )
        )
        of = np.searchsorted(starts, positions, "right") - 1
        place = np.minimum((positions - starts[of]) // np.maximum(sizes[of], 1), files[of])
        place = np.where(sizes[of] == 0, files[of], place)  # fewer rows than files: all are the tail
        return np.asarray(first[of] + place, np.int64)

    def of_file(self, file: int) -> tuple[ShardSet, int]:
        """Return the set of a file, and the file's number there."""
        found = next(item for item in reversed(self.sets) if item.first_file <= file)
        return found, file - found.first_file


def plan_sets(
    names: Sequence[SetName],
    rows: Sequence[int],
    size_bytes: Sequence[int],
    *,
    target_bytes: int,
    group_bytes: int,
) -> Sets:
    """Return the sets of some rows.

    Args:
        names: of the sets, in order.
        rows, size_bytes: rows and text bytes of each.
        target_bytes, group_bytes: as in ``plan_layout``.
    """
    found: list[ShardSet] = []
    row = file = 0
    for name, count, size in zip(names, rows, size_bytes, strict=True):
        layout = plan_layout(count, size, target_bytes=target_bytes, group_bytes=group_bytes)
        folder = "" if len(names) == 1 else name.name
        found.append(ShardSet(name.name, name.split, name.phase, folder, row, file, layout))
        row, file = row + count, file + layout.files + 1
    return Sets(tuple(found))


def plan_layout(rows: int, size_bytes: int, *, target_bytes: int, group_bytes: int) -> Layout:
    """Return the layout of some rows.

    Args:
        rows: N.
        size_bytes: text bytes of all rows.
        target_bytes: text bytes that a file should not exceed, unless there are fewer rows than such files.
        group_bytes: text bytes that a row group should not exceed.

    >>> plan_layout(1000, 1_000_000, target_bytes=300_000, group_bytes=100_000)
    Layout(rows=1000, files=4, groups=8, group_rows=30)
    """
    files = next(k for k in _file_counts() if size_bytes <= k * target_bytes)
    files = max(k for k in _file_counts() if k <= max(1, min(files, rows)))  # no file without rows, but of no rows
    mean = max(1, -(-size_bytes // max(1, rows)))
    most = max(1, min(group_bytes // mean, rows // (files * GROUPS_WANTED)))
    groups = next(g for g in _group_counts() if files * g * most >= rows - files * g)
    group_rows = _even(rows // (files * groups), groups)
    if group_rows < groups:  # so few rows that the tail would hold most of them
        group_rows = most
        groups = rows // (files * group_rows)
    return Layout(rows, files, groups, group_rows)


def _even(rows: int, groups: int) -> int:
    """Return fewer rows, a multiple of the largest power of two up to ``CHUNK`` that leaves the tail short."""
    chunk = CHUNK
    while chunk > 1 and rows // chunk * chunk < groups * chunk:
        chunk //= 2
    return rows // chunk * chunk


def _file_counts() -> list[int]:
    return [1, 2, 4] + [6 * 2**i for i in range(40)]


def _group_counts() -> list[int]:
    """Return numbers with many divisors, each at most half as large again as the one before."""
    return [n for i in range(40) for n in (8 * 2**i, 12 * 2**i)]
