"""Bringing back tables that were moved away: from the quarantine, or made again from their parents."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...connectors.lake_tables import LakeTable
from ...connectors.moved import digests, is_moved, move, sync_files, sync_folder, unfinished
from ...connectors.storage import reached
from ...hashing.errors import ArtefactError, ConfigError, InputError
from .apply import settle
from .journal import JOURNAL, Entry, Journal, Pen
from .lake_rows import OpenTable, open_table, open_tables
from .outcome import Outcome
from .outputs import REPORT
from .rebuild import check_rebuilt, rebuild
from .recipe import Recipe, load_recipe, load_source


def restore(folder: Path, names: Sequence[str] = (), *, again: bool = False) -> Iterator[Outcome]:
    """Bring back tables, and say so of each.

    Args:
        folder: of the scan.
        names: of tables; none for all that were moved away.
        again: whether they are made again even where the quarantine has them.

    Raises:
        ConfigError: if a table was not moved away.
        ArtefactError: if another process moves tables, or a recipe cannot be read.
    """
    journal = Journal(folder)
    if not journal.entries and not (folder / REPORT).exists():
        raise ArtefactError(
            f"the folder of a scan has {REPORT}, or {JOURNAL} of what was moved away",
            value=folder,
            remedy="Check the folder.",
        )
    _check_names(journal, names)
    if not journal.entries:
        return
    parents = _Parents()
    with journal.opened() as pen:
        for entry in [entry for entry in journal.gone() if not names or entry.table in names]:
            try:
                with reached(entry.source):
                    outcome = _restore(folder, entry, pen, parents, again)
            except InputError as error:
                outcome = Outcome(entry.table, "refused", where=entry.source, why=str(error))
            yield outcome


def _check_names(journal: Journal, names: Sequence[str]) -> None:
    gone = {entry.table for entry in journal.gone()}
    unknown = [name for name in names if name not in gone]
    if unknown:
        raise ConfigError(
            "a table that is brought back was moved away",
            value=unknown[0],
            remedy=f"Moved away are {', '.join(sorted(gone)[:5]) or 'none'}.",
        )


def _restore(folder: Path, entry: Entry, pen: Pen, parents: "_Parents", again: bool) -> Outcome:
    if entry.event == "moving" and (os.path.lexists(entry.source) or os.path.lexists(entry.target)):
        settled = settle(entry, pen)
        if settled.did == "was there":
            return settled
    recipe = load_recipe(folder, entry.number)
    source, target = Path(entry.source), Path(entry.target)
    if entry.event == "restoring" and _is_restored(entry, recipe, pen, parents):
        return Outcome(entry.table, "was there", _bytes(recipe), entry.source)
    if os.path.lexists(source):
        raise InputError("a table comes back to a path where nothing is", value=source, remedy="Move that away.")
    if target.exists() and not again:
        _move_back(entry, recipe, pen)
        return Outcome(entry.table, "brought back", _bytes(recipe), entry.source)
    _make_again(folder, entry, recipe, pen, parents.of(recipe))
    return Outcome(entry.table, "rebuilt", _bytes(recipe), entry.source)


def _is_restored(entry: Entry, recipe: Recipe, pen: Pen, parents: "_Parents") -> bool:
    """Say whether a restoration that was stopped had brought the table back; if so, write it down."""
    source, target = Path(entry.source), Path(entry.target)
    if not source.exists():
        return False
    if entry.how == "moved":
        is_moved(target, source)
        _check_bytes(recipe, source)
    else:
        check_rebuilt(recipe, parents.of(recipe), source)
    pen.write(entry.to("restored", entry.how))
    return True


def _move_back(entry: Entry, recipe: Recipe, pen: Pen) -> None:
    source, target = Path(entry.source), Path(entry.target)
    _check_bytes(recipe, target)
    pen.write(entry.to("restoring", "moved"))
    move(target, source)
    pen.write(entry.to("restored", "moved"))


def _make_again(folder: Path, entry: Entry, recipe: Recipe, pen: Pen, parent: OpenTable) -> None:
    """Make a table again beside its place, check it, and give it its name."""
    source = Path(entry.source)
    source.parent.mkdir(parents=True, exist_ok=True)
    work = unfinished(source)
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    place = work / source.name
    try:
        rebuild(recipe, load_source(folder, entry.number), parent, place)
        check_rebuilt(recipe, parent, place)
        sync_files(place)
        pen.write(entry.to("restoring", "rebuilt"))
        os.rename(place, source)
        sync_folder(source.parent)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    pen.write(entry.to("restored", "rebuilt"))


class _Parents:
    """Tables that others are made from; lakes are listed once."""

    def __init__(self) -> None:
        self._listed: dict[tuple[str, ...], tuple[dict[str, LakeTable], list[str]]] = {}

    def of(self, recipe: Recipe) -> OpenTable:
        """Return the parent of a recipe's table.

        Raises:
            InputError: if it is not in its lake.
        """
        if recipe.lakes not in self._listed:
            tables, faults = open_tables(recipe.lakes)
            self._listed[recipe.lakes] = {file.path: one for one in tables.values() for file in one.files}, faults
        by_path, faults = self._listed[recipe.lakes]
        if recipe.parent_path not in by_path:
            raise InputError(
                "the parent that a table is made from is in the lake",
                value="; ".join([f"no {recipe.parent_path}, of which {recipe.table} is made", *faults]),
                remedy="Bring the parent back first.",
            )
        return open_table(by_path[recipe.parent_path])


def _check_bytes(recipe: Recipe, place: Path) -> None:
    found = digests(place)
    unlike = sorted(name for name in {*found, *recipe.digests} if found.get(name) != recipe.digests.get(name))
    if unlike:
        raise InputError(
            "files in the quarantine are as they were",
            value=f"{place / unlike[0] if unlike[0] else place} is another one",
            remedy="Make the table again from its parent: `restore --rebuild`.",
        )


def _bytes(recipe: Recipe) -> int:
    return sum(file.size_bytes for file in recipe.files)
