"""Which columns of two tables have the ids, as options name them."""

from ..hashing.errors import ConfigError


def id_columns(both: str | None, left: str | None, right: str | None, *, two_tables: bool) -> tuple[str, str]:
    """Return (column of the left table, column of the right one; within one table the same twice).

    Args:
        both: of either table that has no other.
        left, right: of one table each.
        two_tables: whether there is a right table.

    Raises:
        ConfigError: a table has none.
    """
    one, other = left or both, right or both
    if one is None or (two_tables and other is None):
        raise ConfigError(
            "each table has a column of ids", value="none named", remedy="Name it: --id, or --left-id and --right-id."
        )
    return one, other or one
