"""What functions of similarities cannot do with."""

from ..errors import InputError
from .columns import Columns
from .sparse_columns import SparseColumns


def refuse_negative(columns: Columns, name: str) -> None:
    """Refuse negative similarities, under which a function is not monotone or not submodular."""
    least = columns.least()
    if least < 0:
        raise InputError(
            f"similarities for {name} are not negative",
            value=least * columns.unit,
            remedy="Make columns with clip=True, or shift the similarities.",
        )


def refuse_lopsided(columns: Columns, name: str) -> None:
    """Refuse similarities that are not those of items to each other, alike in both directions."""
    if not columns.square or (isinstance(columns, SparseColumns) and not columns.symmetric()):
        raise InputError(
            f"similarities for {name} are of items to each other, alike in both directions",
            value=f"{columns.n_rows} rows, {columns.n_items} items",
            remedy="Make columns of the items alone; those of a graph with both_ways=True.",
        )
