"""Single rows by number: for looking at data, not for training on it."""

import os
import warnings
from typing import Any

import pyarrow as pa

from .files import Files
from .shard_set import Run, open_sets


class RandomAccess:
    """The rows of a set by their number: a sequence, as map-style data sets of torch are.

    This is slow: each row costs the reading of its row group, unless it is in that of the row before. Rows are in
    random order in the files already: read them one after another, or with ``ShardReader``.

    Args:
        files: of the set.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._place: tuple[int, int] | None = None
        self._group: pa.Table | None = None
        self._warned = False

    def __len__(self) -> int:
        """Return the rows of the set."""
        return self._files.shards.rows

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return a row, by its columns.

        Raises:
            IndexError: if there is none of this number.
            ArtefactError: if a file is missing or damaged.
        """
        if not -len(self) <= number < len(self):
            raise IndexError(f"row {number} of {len(self)}")
        if not self._warned:
            self._warned = True
            warnings.warn("random access reads a whole row group for a row: use ShardReader for training", stacklevel=2)
        run = self._files.shards.runs(number % len(self), 1)[0]
        return dict(self._table(run).slice(run.start, 1).to_pylist()[0])

    def __getstate__(self) -> dict[str, Any]:
        """Leave the row group in memory behind."""
        return {**self.__dict__, "_place": None, "_group": None}

    def _table(self, run: Run) -> pa.Table:
        if self._group is None or self._place != (run.file, run.group):
            self._group = None
            self._group = self._files.group(run.file, run.group)
            self._place = (run.file, run.group)
        return self._group


def random_access(out: str | os.PathLike[str], set: str = "train") -> RandomAccess:
    """Return the rows of a set by their number in it; slow, for looking at data.

    Args:
        out: path or URL of the output folder.
        set: name of the set.

    Raises:
        ArtefactError: if there is no manifest of this version.
        ConfigError: if there is no such set.
    """
    return RandomAccess(Files(open_sets(os.fspath(out), [set])[0]))
