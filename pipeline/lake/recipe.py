"""How a table is made again from another one: for each of its rows, the record of the parent that it equals.

A recipe is two files: ``<n>.parquet`` with (file, record) of each row in order, and ``<n>.json`` with everything else.
Where a value of the child is not that of the parent though it counts as the same, as -0.0 and 0.0 do, the recipe holds
the column itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...connectors.address import ADDRESS, RECORD_BITS, file_of
from ...connectors.moved import sync_folder
from ...connectors.parquet_output import write_parquet
from ...connectors.table_files import FileForm, form_from_json
from ...hashing.errors import ArtefactError, InputError
from ..counted import counted
from ..state import write_atomically
from .lake_rows import Contents, OpenTable, Prints, Seeing, contents

RECIPES = "recipes"
FORMAT, FORMAT_VERSION = "tamis-lake-recipe", 1

_CARRIED = "value:"


@dataclass(frozen=True)
class OldFile:
    """A file of a table as it was.

    Attributes:
        form: how it was written.
        rows: in it.
        size_bytes, sha256: of it.
    """

    form: FileForm
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """How a table is made again.

    Attributes:
        number: of the deletion.
        table, parent: names.
        lakes: where both are.
        place: the file or folder of the table, an absolute path.
        is_folder: whether it is a folder.
        files: as they were, in order.
        others: sha256 of further files of the folder, by name: marks, and checksums of other tools.
        small: those of them that the recipe itself holds, in base64.
        columns: that are made again, in order.
        rows, contents: that come out.
        options: of the scan: what counted as the same.
        loses: what does not come back.
        carried: columns that the recipe itself holds.
        parent_path: of the first file of the parent.
        parent_fingerprint, parent_contents: of the parent when the recipe was made.
        created_by: version of this package.
    """

    number: int
    table: str
    parent: str
    lakes: tuple[str, ...]
    place: str
    is_folder: bool
    files: tuple[OldFile, ...]
    others: Mapping[str, str]
    small: Mapping[str, str]
    columns: tuple[str, ...]
    rows: int
    contents: str
    options: Mapping[str, Any]
    loses: tuple[str, ...]
    carried: tuple[str, ...]
    parent_path: str
    parent_fingerprint: str
    parent_contents: str | None
    created_by: str

    @property
    def digests(self) -> dict[str, str]:
        """The sha256 of each file, by its path below the place."""
        if not self.is_folder:
            return {"": self.files[0].sha256}
        return {file.form.name: file.sha256 for file in self.files} | dict(self.others)


@dataclass(frozen=True)
class Traced:
    """Where the rows of a table are in its parent.

    Attributes:
        addresses: int64: for each row the first record of the parent that equals it.
        contents: the rows.
        rows: in each file.
    """

    addresses: NDArray[np.int64]
    contents: Contents
    rows: tuple[int, ...]


def trace(child: OpenTable, parent: OpenTable, names: Sequence[str], seeing: Seeing) -> Traced:
    """Find the rows of a table in its parent.

    Memory: 40 bytes for each row of the child, and a batch of either.

    Args:
        child, parent: to read.
        names: columns of the child that count; the parent has them too.
        seeing: what counts as the same.

    Raises:
        InputError: if the parent lacks a column or a row, or a record of the child cannot be read.
    """
    lacking = [name for name in names if name not in parent.schema.names]
    if lacking:
        raise InputError(
            "a parent has the columns of its child",
            value=f"no {lacking[0]!r} in {parent.table.name}",
            remedy="Scan the lake again.",
        )
    prints = []
    rows = np.zeros(len(child.table.files), np.int64)
    for batch in child.read(names, whole=True):
        prints.append(seeing.prints(batch, names, child.table))
        rows += np.bincount(file_of(batch.column(ADDRESS).to_numpy()), minlength=len(rows))
    known = contents(iter(prints))
    own = np.concatenate([np.empty((0, 2), np.uint64), *prints])
    order = np.lexsort((own[:, 1], own[:, 0]))
    new = np.ones(len(own), np.bool_)
    new[1:] = np.any(own[order[1:]] != own[order[:-1]], axis=1)
    distinct = own[order[new]]
    place = np.empty(len(own), np.int64)
    place[order] = np.cumsum(new) - 1
    found = np.full(len(distinct), -1, np.int64)
    for batch in parent.read(names):
        at = _places(distinct, seeing.prints(batch, names, parent.table))
        records = batch.column(ADDRESS).to_numpy()
        fresh = np.flatnonzero((at >= 0) & (found[at] < 0))[::-1]  # the first of equal ones is written last
        found[at[fresh]] = records[fresh]
    missing = int(np.count_nonzero(found < 0))
    if missing:
        absent = counted(missing, f"distinct row of {child.table.name} is", f"distinct rows of {child.table.name} are")
        raise InputError(
            "every row of a table that goes is in its parent",
            value=f"{absent} not in {parent.table.name}",
            remedy="Scan the lake again.",
        )
    return Traced(found[place], known, tuple(rows.tolist()))


def _places(distinct: Prints, prints: Prints) -> NDArray[np.int64]:
    """Return where each fingerprint is among some that are in order: int64, -1 for those that are not."""
    at = np.searchsorted(distinct[:, 0], prints[:, 0])
    found = np.full(len(prints), -1, np.int64)
    left = np.arange(len(prints))
    while len(left):  # more than once only where the high halves of different rows are equal
        left = left[at[left] < len(distinct)]
        left = left[distinct[at[left], 0] == prints[left, 0]]
        equal = distinct[at[left], 1] == prints[left, 1]
        found[left[equal]] = at[left[equal]]
        left = left[~equal]
        at[left] += 1
    return found


def source_table(addresses: NDArray[np.int64], carried: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    """Return what ``<n>.parquet`` holds: (file, record), and the columns that are carried.

    Args:
        addresses: int64: of the parent's record for each row.
        carried: columns of the child, by name.
    """
    files = pa.array((addresses >> RECORD_BITS).astype(np.int32))
    records = pa.array(addresses & ((1 << RECORD_BITS) - 1))
    kept = {_CARRIED + name: column for name, column in carried.items()}
    return pa.table({"file": files, "record": records, **kept})


def addresses_of(source: pa.Table) -> NDArray[np.int64]:
    """Return the addresses in what ``<n>.parquet`` holds."""
    files = source.column("file").to_numpy().astype(np.int64)
    records: NDArray[np.int64] = source.column("record").to_numpy()
    found: NDArray[np.int64] = (files << RECORD_BITS) + records
    return found


def carried_column(source: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column that a recipe holds."""
    return source.column(_CARRIED + name)


def save_recipe(folder: Path, recipe: Recipe, source: pa.Table) -> None:
    """Write a recipe; it is on the disk when this returns.

    Args:
        folder: of the scan.
        recipe: all but the rows.
        source: the rows.
    """
    place = folder / RECIPES
    place.mkdir(exist_ok=True)
    rows = 1 << 20
    groups = (source.slice(start, rows) for start in range(0, max(1, source.num_rows), rows))
    write_parquet(place / f"{recipe.number}.parquet", groups, source.schema)
    raw = {"format": FORMAT, "version": FORMAT_VERSION} | vars(recipe)
    raw |= {"files": [asdict(file) | {"form": file.form.as_json()} for file in recipe.files]}
    write_atomically(place / f"{recipe.number}.json", json.dumps(raw, indent=1, ensure_ascii=False) + "\n")
    sync_folder(place)
    sync_folder(folder)


def load_recipe(folder: Path, number: int) -> Recipe:
    """Read a recipe, without its rows.

    Raises:
        ArtefactError: if it cannot be read, or is of another version.
    """
    path = folder / RECIPES / f"{number}.json"
    try:
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtefactError(
            "the recipe of a deletion can be read", value=f"{path}: {error}", remedy="Restore the file."
        ) from error
    if (raw.pop("format", None), raw.pop("version", None)) != (FORMAT, FORMAT_VERSION):
        raise ArtefactError(
            f"a recipe is {FORMAT}, version {FORMAT_VERSION}", value=path, remedy="Use the version that made it."
        )
    files = tuple(OldFile(**file | {"form": form_from_json(file["form"])}) for file in raw["files"])
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
    return Recipe(**plain | {"files": files})


def load_source(folder: Path, number: int) -> pa.Table:
    """Read the rows of a recipe.

    Raises:
        ArtefactError: if the file is damaged.
    """
    path = folder / RECIPES / f"{number}.parquet"
    try:
        return pq.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise ArtefactError(
            "the rows of a recipe can be read", value=f"{path}: {error}", remedy="Restore the file."
        ) from error
