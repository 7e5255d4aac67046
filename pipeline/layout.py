"""How many shards of how many groups of how many rows: N = K * G * R + tail.

Every group has exactly R rows and every file exactly G groups, so any number of ranks that divides K, or K * G, reads
equal shares. K has many divisors. Rows that do not fill a last round of groups, fewer than K * R, go to the tail.
"""

from dataclasses import dataclass

GROUPS_WANTED = 8
"""Row groups that a file has at least, so that it can feed several readers."""


@dataclass(frozen=True)
class Layout:
    """The shape of the output.

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


def plan_layout(rows: int, size_bytes: int, *, target_bytes: int, group_bytes: int) -> Layout:
    """Return the layout of some rows.

    Args:
        rows: N.
        size_bytes: text bytes of all rows.
        target_bytes: text bytes that a file should not exceed.
        group_bytes: text bytes that a row group should not exceed.

    >>> plan_layout(1000, 1_000_000, target_bytes=300_000, group_bytes=100_000)
    Layout(rows=1000, files=4, groups=8, group_rows=31)
    """
    files = next(k for k in _file_counts() if size_bytes <= k * target_bytes)
    mean = max(1, -(-size_bytes // max(1, rows)))
    group_rows = max(1, min(group_bytes // mean, rows // (files * GROUPS_WANTED)))
    return Layout(rows, files, rows // (files * group_rows), group_rows)


def _file_counts() -> "list[int]":
    return [1, 2, 4] + [6 * 2**i for i in range(40)]
