"""Carrying out a plan: tables move to a quarantine, each after it was made again from its parent once. None is deleted.

recipe -> trial -> recipe on the disk -> ``moving`` -> rename -> ``moved``
"""

import base64
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ...connectors.lake_tables import LakeTable
from ...connectors.moved import digests, is_moved, move, sha256_of
from ...connectors.storage import reached
from ...connectors.table_files import form_of
from ...hashing.errors import InputError
from ..state import WORK, check_place
from .found import Found
from .journal import Entry, Journal, Pen
from .lake_rows import (
    FileId,
    OpenTable,
    is_folder,
    on_disk,
    open_table,
    open_tables,
    place_of,
    seeing,
    shared_files,
    stats,
)
from .outcome import Outcome
from .rebuild import check_rebuilt, rebuild, rebuilt
from .recast import CannotRecast, same_values
from .recipe import OldFile, Recipe, save_recipe, source_table, trace

QUARANTINE = "quarantine"

_SMALL = 64 * 1024
"""Bytes of a further file of a folder that its recipe holds."""

_AGAIN = "Scan the lake again, and plan again."


def dry_run(found: Found, plan: Mapping[str, Any], quarantine: Path) -> Iterator[Outcome]:
    """Say what ``apply`` would move; write nothing, and look at no row.

    Raises:
        InputError: as ``apply`` would.
    """
    check_place(str(quarantine), found.lakes)
    journal = Journal(found.folder)
    number = _next(journal)
    for deletion, to_do in _to_do(found, plan, journal.gone()):
        if to_do is None:
            yield Outcome(deletion["table"], "by hand", deletion["bytes"], why=deletion["hint"])
            continue
        try:
            with reached(deletion["table"]):
                target = _target(quarantine, number, to_do.child, place_of(to_do.child, to_do.shared))
        except InputError as error:
            yield _refusal(deletion, error)
            continue
        yield Outcome(deletion["table"], "would move", deletion["bytes"], where=str(target))
        number += 1


def apply(found: Found, plan: Mapping[str, Any], quarantine: Path, *, version: str = "") -> Iterator[Outcome]:
    """Move the tables of a plan to the quarantine, and say so of each.

    Args:
        found: by the scan.
        plan: made from it.
        quarantine: where tables go.
        version: of this package, for recipes.

    Raises:
        InputError: if a table that the plan speaks of has changed since the scan; then nothing was moved.
        ArtefactError: if another process moves tables.
    """
    check_place(str(quarantine), found.lakes)
    journal = Journal(found.folder)
    with journal.opened() as pen:
        for entry in [entry for entry in journal.gone() if entry.event == "moving"]:
            try:
                yield settle(entry, pen)
            except InputError as error:
                yield Outcome(entry.table, "refused", where=entry.source, why=str(error))
        for deletion, to_do in _to_do(found, plan, journal.gone(), version):
            if to_do is None:
                yield Outcome(deletion["table"], "by hand", deletion["bytes"], why=deletion["hint"])
                continue
            try:
                target = _carry_out(found, deletion, to_do, quarantine, _next(journal), pen)
            except InputError as error:
                yield _refusal(deletion, error)
            else:
                yield Outcome(deletion["table"], "moved", deletion["bytes"], where=str(target))


def settle(entry: Entry, pen: Pen) -> Outcome:
    """Find out how far a move that was stopped has come, and write it down."""
    source, target = Path(entry.source), Path(entry.target)
    if is_moved(source, target):
        pen.write(entry.to("moved"))
        return Outcome(entry.table, "moved", where=entry.target)
    pen.write(entry.to("restored", "stayed"))
    return Outcome(entry.table, "was there", where=entry.source)


@dataclass(frozen=True)
class _ToDo:
    """A deletion of files.

    Attributes:
        child, parent: as they are now.
        shared: files of the lake that are there under two names.
        version: of this package.
    """

    child: LakeTable
    parent: LakeTable
    shared: frozenset[FileId]
    version: str


def _to_do(
    found: Found, plan: Mapping[str, Any], done: Sequence[Entry], version: str = ""
) -> list[tuple[dict[str, Any], _ToDo | None]]:
    """Return the deletions that are left, with what there is to do; None for those that are done by hand.

    Raises:
        InputError: if a table is not what it was when the lake was scanned, or what earlier deletions left.
    """
    gone = {entry.table for entry in done}
    held = {entry.parent for entry in done}
    left = [deletion for deletion in plan["deletions"] if deletion["table"] not in gone]
    moved = [deletion for deletion in left if deletion["apply"] == "files"]
    for deletion in moved:
        if deletion["parent"] in gone or deletion["table"] in held:
            raise InputError(
                "the parent of a table that was moved away stays",
                value=f"{deletion['table']} is to be rebuilt from {deletion['parent']}",
                remedy="Plan again.",
            )
    tables, faults = open_tables(found.lakes) if moved else ({}, [])
    known = {table.table: table.fingerprint for table in found.tables}
    for name in sorted({deletion[end] for deletion in moved for end in ("table", "parent")}):
        if name not in tables or tables[name].fingerprint != known.get(name):
            raise InputError(
                "the tables of a plan are as they were when the lake was scanned",
                value=f"{name} has changed" if name in tables else "; ".join([f"{name} is not there", *faults]),
                remedy=f"Nothing was moved. {_AGAIN}",
            )
    shared = shared_files(tables.values())
    return [
        (
            deletion,
            _ToDo(tables[deletion["table"]], tables[deletion["parent"]], shared, version)
            if deletion["apply"] == "files"
            else None,
        )
        for deletion in left
    ]


def _carry_out(
    found: Found, deletion: Mapping[str, Any], to_do: _ToDo, quarantine: Path, number: int, pen: Pen
) -> Path:
    child, parent = to_do.child, to_do.parent
    with reached(child.name):
        place = place_of(child, to_do.shared)
        before = stats(child), stats(parent)
        recipe, source = _recipe(found, deletion, to_do, place, number)
        if (stats(child), stats(parent)) != before or digests(place) != recipe.digests:
            raise InputError(
                "a table stays as it is while it is read", value=f"{child.name} or {parent.name}", remedy=_AGAIN
            )
        save_recipe(found.folder, recipe, source)
    target = _target(quarantine, number, child, place)
    if target.exists():
        raise InputError("a place in the quarantine is free", value=target, remedy="Move that away.")
    entry = Entry("moving", number, child.name, parent.name, str(place), str(target))
    pen.write(entry)
    try:
        move(place, target)
    except InputError:
        if not is_moved(place, target):
            pen.write(entry.to("restored", "stayed"))
            raise
    pen.write(entry.to("moved"))
    return target


def _recipe(
    found: Found, deletion: Mapping[str, Any], to_do: _ToDo, place: Path, number: int
) -> tuple[Recipe, pa.Table]:
    """Return the recipe of a table, tried once.

    Raises:
        InputError: if the table cannot be made again as it is.
    """
    child, parent = open_table(to_do.child), open_table(to_do.parent)
    seen = seeing(found.options)
    columns = seen.columns(child.schema)
    traced = trace(child, parent, columns, seen)
    known = traced.contents
    contents = {table.table: table.contents for table in found.tables}
    if contents[child.table.name] not in (None, known.fingerprint):
        raise InputError(
            "the rows of a table are those that the scan saw",
            value=f"{child.table.name} with contents {known.fingerprint}, not {contents[child.table.name]}",
            remedy=_AGAIN,
        )
    folder = is_folder(child.table)
    files = _old_files(child, traced.rows)
    members = {file.form.name for file in files}
    others = {name: digest for name, digest in digests(place).items() if name not in members} if folder else {}
    small = {name: (place / name).read_bytes() for name in others if (place / name).stat().st_size <= _SMALL}
    lost = [*deletion["loses"], *(f"file {name}" for name in others if name not in small)]
    recipe = Recipe(
        number=number,
        table=child.table.name,
        parent=parent.table.name,
        lakes=tuple(str(Path(lake).expanduser().absolute()) for lake in found.lakes if on_disk(lake)),
        place=str(place),
        is_folder=folder,
        files=files,
        others=others,
        small={name: base64.b64encode(content).decode() for name, content in small.items()},
        columns=columns,
        rows=known.rows,
        contents=known.fingerprint,
        options={"ignore": sorted(seen.ignore), "trim": seen.trim},
        loses=tuple(lost),
        carried=(),
        parent_path=parent.table.files[0].path,
        parent_fingerprint=parent.table.fingerprint,
        parent_contents=contents[parent.table.name],
        created_by=to_do.version,
    )
    return _tried(found.folder, recipe, traced.addresses, child, parent, exactly=not deletion["loses"])


def _tried(
    folder: Path,
    recipe: Recipe,
    addresses: NDArray[np.int64],
    child: OpenTable,
    parent: OpenTable,
    *,
    exactly: bool,
) -> tuple[Recipe, pa.Table]:
    """Make a table again, read it, and return the recipe that gives back what there is.

    Columns that come out otherwise, though they count as the same, are put into the recipe.
    """
    trial = folder / WORK / "trial"
    carried: dict[str, pa.ChunkedArray] = {}
    trial.mkdir(parents=True, exist_ok=True)
    try:
        while True:
            shutil.rmtree(trial, ignore_errors=True)
            trial.mkdir()
            recipe = replace(recipe, carried=tuple(carried))
            source = source_table(addresses, carried)
            place = trial / Path(recipe.place).name
            try:
                rebuild(recipe, source, parent, place)
                unlike = _unlike(child, rebuilt(recipe, place), recipe.columns) if exactly else []
            except CannotRecast as error:
                unlike = [error.name]
            if not unlike:
                check_rebuilt(recipe, parent, place)
                return recipe, source
            if set(unlike) <= carried.keys():
                raise InputError(
                    "a table that is made again has the values that it had",
                    value=f"others in column {unlike[0]!r} of {child.table.name}",
                    remedy="Leave that table where it is.",
                )
            carried |= {name: _column(child, name) for name in unlike}
    finally:
        shutil.rmtree(trial, ignore_errors=True)
        if not any(trial.parent.iterdir()):
            trial.parent.rmdir()


def _unlike(child: OpenTable, again: OpenTable, names: Sequence[str]) -> list[str]:
    """Return the columns that do not hold the very same values.

    Raises:
        InputError: if columns or types are others, or rows are missing.
    """
    if [child.schema.field(name).type for name in names] != [
        again.schema.field(name).type for name in names if name in again.schema.names
    ]:
        raise InputError(
            "a table that is made again has the columns and types that it had",
            value=f"{again.schema.to_string(show_schema_metadata=False)} of {child.table.name}"[:500],
            remedy="Leave that table where it is.",
        )
    unlike: set[str] = set()
    for one, other in _side_by_side(child.read(names), again.read(names)):
        unlike |= {name for name in names if not same_values(one.column(name), other.column(name))}
    return [name for name in names if name in unlike]


def _side_by_side(
    one: Iterator[pa.RecordBatch], other: Iterator[pa.RecordBatch]
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Yield rows of two tables in batches of the same rows.

    Raises:
        InputError: if one has more rows.
    """
    left, right = next(one, None), next(other, None)
    while left is not None and right is not None:
        rows = min(left.num_rows, right.num_rows)
        yield left.slice(0, rows), right.slice(0, rows)
        left = left.slice(rows) if rows < left.num_rows else next(one, None)
        right = right.slice(rows) if rows < right.num_rows else next(other, None)
    if any(batch is not None and batch.num_rows for batch in (left, right)):
        raise InputError(
            "a table that is made again has as many rows as it had",
            value="more or fewer",
            remedy="Leave that table where it is.",
        )


def _column(table: OpenTable, name: str) -> pa.ChunkedArray:
    return pa.chunked_array([batch.column(name) for batch in table.read([name])], table.schema.field(name).type)


def _old_files(child: OpenTable, rows: Sequence[int]) -> tuple[OldFile, ...]:
    return tuple(
        OldFile(form_of(file), count, file.size_bytes, sha256_of(Path(file.path)))
        for file, count in zip(child.table.files, rows, strict=True)
    )


def _target(quarantine: Path, number: int, table: LakeTable, place: Path) -> Path:
    """Return where a table goes: below its number, the path that it has in its lake."""
    relative = table.files[0].relative
    inside = relative.rpartition("/")[0] if place.is_dir() else relative
    return quarantine.expanduser().absolute() / str(number) / inside


def _next(journal: Journal) -> int:
    return max(journal.last(), default=0) + 1


def _refusal(deletion: Mapping[str, Any], error: InputError) -> Outcome:
    return Outcome(deletion["table"], "refused", deletion["bytes"], why=str(error))
