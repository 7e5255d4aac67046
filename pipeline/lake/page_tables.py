"""What the page of a scan is made of, read from its Parquet files as columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...hashing.errors import ArtefactError

Ints = NDArray[np.int64]

SCAN_AGAIN = "Scan the lake again: `tamis lake scan LAKE --out DIR`."
_RENAMED = "columns"
"""Column of ``CONTAINMENT`` that says under which other names the parent has the child's columns."""


@dataclass(frozen=True)
class Tables:
    """The tables of a scan, numbered in its order, and their groups.

    Attributes:
        names: large_string or string, of each table.
        state, why: what became of it.
        columns: lists of names.
        bytes: int64, shape (tables,): as stored.
        rows: int64, shape (tables,): -1 where they were not counted.
        group: int64, shape (tables,): -1 where it was not compared.
    """

    names: pa.Array
    state: pa.Array
    why: pa.Array
    columns: pa.Array
    bytes: Ints
    rows: Ints
    group: Ints

    def name(self, table: int) -> str:
        """Return the name of a table."""
        return str(self.names[table].as_py())

    def counted(self, table: int) -> int | None:
        """Return how many rows a table has, where they were counted."""
        return int(self.rows[table]) if self.rows[table] >= 0 else None

    def numbers(self, names: pa.Array) -> Ints:
        """Return the numbers of tables by name: int64, shape (n,); -1 for a name that is none."""
        found: Ints = pc.fill_null(pc.index_in(names, self.names), -1).to_numpy().astype(np.int64)
        return found

    @cached_property
    def order(self) -> Ints:
        """The tables that are in a group, those of a group together: int64."""
        order = np.argsort(self.group, kind="stable")
        return order[int(np.count_nonzero(self.group < 0)) :]

    @cached_property
    def starts(self) -> Ints:
        """Where in ``order`` each group begins, and where the last ends: int64, shape (groups + 1,)."""
        groups = int(self.group.max(initial=-1)) + 1
        return np.searchsorted(self.group[self.order], np.arange(groups + 1)).astype(np.int64)

    @property
    def groups(self) -> int:
        """How many there are."""
        return len(self.starts) - 1

    def members(self, group: int) -> Ints:
        """Return the tables of a group, ascending; the first stands for it."""
        return self.order[self.starts[group] : self.starts[group + 1]]

    @cached_property
    def firsts(self) -> Ints:
        """The first table of each group: int64, shape (groups,)."""
        return self.order[self.starts[:-1]]

    @cached_property
    def group_bytes(self) -> Ints:
        """Bytes of all tables of each group: int64, shape (groups,)."""
        sums = np.concatenate([[0], np.cumsum(self.bytes[self.order])])
        return np.diff(sums[self.starts]).astype(np.int64)


def read_tables(folder: Path) -> Tables:
    """Read the ledger of a scan.

    Raises:
        ArtefactError: if a group has no table.
    """
    columns = ["table", "state", "why", "columns", "bytes", "rows", "group"]
    table = pq.read_table(folder / "tables.parquet", columns=columns).combine_chunks()
    name, state, why, names, size, rows, group = (_whole(table[name]) for name in columns)
    found = Tables(
        name, state, why, names, size.to_numpy(),
        pc.fill_null(rows, -1).to_numpy(), pc.fill_null(group, -1).to_numpy(),
    )  # fmt: skip
    if np.any(np.diff(found.starts) == 0):
        raise ArtefactError("groups of tables are numbered from 0 on", value=folder, remedy=SCAN_AGAIN)
    return found


def _whole(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    return pa.concat_arrays(combined.chunks) if isinstance(combined, pa.ChunkedArray) else combined


def direct_parents(folder: Path, tables: Tables) -> dict[int, list[int]]:
    """Return the groups that each group lies inside, verified, ascending, without those that follow from others.

    A scan lists either such pairs alone or, with ``--closure``, all pairs; in both cases a pair follows from others if
    and only if it does in one step.
    """
    parents: dict[int, set[int]] = {}
    for child, parent in _verified(folder, tables):
        parents.setdefault(child, set()).add(parent)
    direct = {}
    for child, above in sorted(parents.items()):
        follow = [found for one in above if (found := parents.get(one))]
        direct[child] = sorted(above.difference(*follow))
    return direct


def _verified(folder: Path, tables: Tables) -> Iterator[tuple[int, int]]:
    """Yield (child, parent) of groups."""
    for part in pq.ParquetFile(folder / "containment.parquet").iter_batches():
        part = part.filter(_same_columns(part))
        child, parent = (tables.group[table_numbers(tables, part[name], folder)] for name in ("child", "parent"))
        if np.any(child < 0) or np.any(parent < 0):
            raise ArtefactError("tables of verified pairs were compared", value=folder, remedy=SCAN_AGAIN)
        pairs = np.unique(np.stack([child, parent], axis=1), axis=0)
        yield from map(tuple, pairs[pairs[:, 0] != pairs[:, 1]].tolist())


def _same_columns(part: pa.RecordBatch) -> pa.Array:
    """Whether each pair is verified, under the same names of columns."""
    verified = pc.equal(part["status"], "verified")
    return pc.and_(verified, pc.is_null(part[_RENAMED])) if _RENAMED in part.schema.names else verified


def table_numbers(tables: Tables, names: pa.Array, folder: Path) -> Ints:
    """Return the numbers of tables by name.

    Raises:
        ArtefactError: if one is not in the ledger.
    """
    found = tables.numbers(names)
    if np.any(found < 0):
        missing = names[int(np.argmin(found))].as_py()
        raise ArtefactError(
            "tables of pairs and plans are in tables.parquet", value=f"{missing!r} of {folder}", remedy=SCAN_AGAIN
        )
    return found


def other_pairs(folder: Path) -> pa.Table:
    """Return the pairs that are not verified, or are so under other names of columns, as ``CONTAINMENT``."""
    file = pq.ParquetFile(folder / "containment.parquet")
    parts = [part.filter(pc.invert(_same_columns(part))) for part in file.iter_batches()]
    return pa.Table.from_batches([part for part in parts if part.num_rows], file.schema_arrow)
