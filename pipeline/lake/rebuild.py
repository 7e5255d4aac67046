"""A table made again from its parent, by its recipe."""

import base64
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.address import ADDRESS
from ...connectors.batches import pick
from ...connectors.formats import InputFile
from ...connectors.lake_tables import LakeTable
from ...connectors.split import bounds
from ...connectors.table_files import write_again
from ...hashing.errors import InputError
from ..counted import counted
from .lake_rows import Contents, OpenTable, contents, open_table, seeing
from .recast import recast
from .recipe import Recipe, addresses_of, carried_column

_SLICE_ROWS = 65_536
_WIDE = {
    pa.string(): pa.large_string(),
    pa.string_view(): pa.large_string(),
    pa.binary(): pa.large_binary(),
    pa.binary_view(): pa.large_binary(),
}
"""Types whose columns hold 2 GiB at most, or whose rows Arrow cannot take, and those that do for them."""


def rebuild(recipe: Recipe, source: pa.Table, parent: OpenTable, place: Path) -> None:
    """Write the files of a table.

    Memory: the rows of its largest file.

    Args:
        recipe: of the table.
        source: the rows of the recipe.
        parent: to read from.
        place: of the new file, or of the new folder.

    Raises:
        InputError: if the parent has not the records, or values that do not fit the types.
    """
    try:
        _write(recipe, source, parent, place)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            "a table can be made again", value=f"{place}: {error}", remedy="Check your rights, room and memory."
        ) from error


def _write(recipe: Recipe, source: pa.Table, parent: OpenTable, place: Path) -> None:
    addresses = addresses_of(source)
    start = 0
    if recipe.is_folder:
        place.mkdir()
    for file in recipe.files:
        stop = start + file.rows
        names = [name for name in file.form.schema.names if name in recipe.columns]
        schema = pa.schema([file.form.schema.field(name) for name in names], metadata=file.form.schema.metadata)
        found = _gathered(recipe, parent, [name for name in names if name not in recipe.carried], addresses[start:stop])
        rows = pa.Table.from_batches(_typed(recipe, source, schema, found, range(start, stop)), schema)
        write_again(place / file.form.name if recipe.is_folder else place, file.form.of(schema), rows)
        start = stop
    for name, content in recipe.small.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(base64.b64decode(content))


def rebuilt(recipe: Recipe, place: Path) -> OpenTable:
    """Return a table that was made again, to read."""
    files = []
    for number, file in enumerate(recipe.files):
        path = place / file.form.name if recipe.is_folder else place
        size = path.stat().st_size
        files.append(
            InputFile(number, str(path), file.form.name, file.form.format, file.form.compression, "", size, "")
        )
    return open_table(LakeTable(recipe.table, tuple(files)))


def contents_in(recipe: Recipe, table: OpenTable) -> Contents:
    """Return the rows of a table, seen as the recipe's were."""
    seen = seeing(recipe.options)
    return contents(seen.prints(batch, recipe.columns, table.table) for batch in table.read(recipe.columns))


def check_rebuilt(recipe: Recipe, parent: OpenTable, place: Path) -> OpenTable:
    """Make sure that what was made again is what there was; return it.

    Raises:
        InputError: if it has other rows.
    """
    table = rebuilt(recipe, place)
    lacking = set(recipe.columns) - set(table.schema.names)
    found = Contents(0, "") if lacking else contents_in(recipe, table)
    if found != Contents(recipe.rows, recipe.contents):
        rows = counted(found.rows, "row")
        raise InputError(
            "a table that is made again has the rows that it had",
            value=f"{recipe.table}: {rows} {found.fingerprint}, not {recipe.rows:,} {recipe.contents}"
            + _changed(recipe, parent),
            remedy=f"Bring back {recipe.parent} as it was, or the files from the quarantine.",
        )
    return table


def _changed(recipe: Recipe, parent: OpenTable) -> str:
    """Say that the parent is not what it was, if so."""
    same = parent.table.fingerprint == recipe.parent_fingerprint
    return "" if same else f"; its parent {recipe.parent} has changed since"


def _gathered(recipe: Recipe, parent: OpenTable, names: Sequence[str], addresses: NDArray[np.int64]) -> pa.Table:
    """Return records of the parent, one for each address, in that order."""
    lacking = [name for name in names if name not in parent.schema.names]
    if lacking:
        raise InputError(
            "a parent has the columns that a table is made of",
            value=f"no {lacking[0]!r} in {parent.table.name}{_changed(recipe, parent)}",
            remedy=f"Bring back {parent.table.name} as it was, or the files from the quarantine.",
        )
    wide = pa.schema([(name, _wide(parent.schema.field(name).type)) for name in names])
    order = np.argsort(addresses, kind="stable")
    wanted = addresses[order]
    first, after = bounds(parent.splits)
    touched = [
        split
        for split, start, stop in zip(parent.splits, first.tolist(), after.tolist(), strict=True)
        if np.searchsorted(wanted, start) < np.searchsorted(wanted, stop)
    ]
    batches = []
    found = 0
    for batch, _, _ in pick(parent.read(names, touched), wanted):
        if not np.array_equal(batch.column(ADDRESS).to_numpy(), wanted[found : found + batch.num_rows]):
            break
        batches.append(_cast(batch.select(list(names)), wide))
        found += batch.num_rows
    if found < len(wanted):
        raise InputError(
            "a parent has the records that a table is made of",
            value=f"{len(wanted) - found:,} are not in {parent.table.name}{_changed(recipe, parent)}",
            remedy=f"Bring back {parent.table.name} as it was, or the files from the quarantine.",
        )
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    if not names:
        return pa.table({"rows": places}).select([])
    return pa.Table.from_batches(batches, wide).combine_chunks().take(pa.array(places))


def _wide(kind: pa.DataType) -> pa.DataType:
    return _wide(kind.value_type) if pa.types.is_dictionary(kind) else _WIDE.get(kind, kind)


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _typed(
    recipe: Recipe, source: pa.Table, schema: pa.Schema, found: pa.Table, rows: range
) -> Iterator[pa.RecordBatch]:
    """Yield rows in the types of a file: of the parent's, or as the recipe holds them."""
    for start in range(0, len(rows), _SLICE_ROWS):
        stop = min(len(rows), start + _SLICE_ROWS)
        arrays = []
        for field in schema:
            if field.name in recipe.carried:
                column = carried_column(source, field.name).slice(rows[start], stop - start)
            else:
                column = found.column(field.name).slice(start, stop - start)
            arrays.append(recast(field.name, _one(column), field.type))
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _one(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
