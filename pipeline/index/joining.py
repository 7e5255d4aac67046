"""How a run meets an index: alone where it adds to it, and with old inputs that are still there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ...connectors.address import file_of
from ...connectors.formats import InputFile
from ...hashing.errors import ArtefactError, ConfigError, InputError
from ..config import Pipeline
from ..counted import counted
from .form import OpenIndex

FILES = pa.schema([("file", pa.int64())])
ROWS_BY_FILE = pa.schema([("row", pa.int64()), ("file", pa.int64())])


@contextmanager
def joining(index: OpenIndex | None, config: Pipeline | None) -> Iterator[None]:
    """Hold an index for a run that adds to it; ``config`` is None for one that does not.

    Raises:
        ArtefactError: if another process adds to it, or did since the run was prepared.
    """
    wanted = config.near.index if config and config.near else None
    if index is None or wanted is None or not wanted.update:
        yield
        return
    with index.store.alone():
        now = index.store.header()["batches"] if index.store.exists else []
        if [batch["run"] for batch in now] != [batch["run"] for batch in index.all_batches]:
            found, known = counted(len(now), "batch", "batches"), len(index.all_batches)
            raise ArtefactError(
                "an index stays as it is while a run uses it",
                value=f"{index.store.path} has {found}, it had {known:,}",
                remedy="Run again: it will be asked as it is now.",
            )
        yield


def check_apart(config: Pipeline, index: OpenIndex) -> None:
    """Make sure that an index has a folder of its own.

    Raises:
        ConfigError: if it and the output, or inputs, are inside of one another, or something else is there.
    """
    index.store.check_new()
    place = index.store.path.resolve()
    others = [config.out, *(spec.path for spec in config.inputs)]
    for other in others:
        if "://" in other:
            continue
        path = Path(other).expanduser().resolve()
        if place == path or place in path.parents or path in place.parents:
            raise ConfigError(
                "an index has a folder of its own, apart from inputs and output",
                value=f"{index.store.path} and {other}",
                remedy="Name another folder for the index.",
            )


def check_known(index: OpenIndex) -> None:
    """Make sure that an index can be asked as it was before the run.

    Raises:
        ArtefactError: if it holds the rows of the run and has filters alone, which cannot go back.
    """
    if not index.is_last and not index.witness:
        raise ArtefactError(
            "inputs come into an index without witnesses once",
            value=f"these are batch {len(index.batches)} of {index.store.path}",
            remedy="They are in already. To ask again, use an index with witnesses.",
        )


def check_text_columns(index: OpenIndex, files: Sequence[int], text: str) -> None:
    """Make sure that old texts are in the column that new ones are in.

    Raises:
        InputError: if a batch with one of the files has them in another.
    """
    before = 0
    for number, batch in enumerate(index.batches):
        concerned = any(before <= file < batch["files_after"] for file in files)
        if concerned and batch["text"] != text:
            raise InputError(
                "old and new inputs have their texts in one column",
                value=f"{batch['text']!r} in batch {number} of the index, {text!r} now",
                remedy="Rename the column of the new inputs.",
            )
        before = batch["files_after"]


def unreachable(files: Sequence[InputFile]) -> ArtefactError:
    """Return the error for old inputs that are gone or have changed."""
    some = ", ".join(file.path for file in files[:3])
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return ArtefactError(
        "inputs of an index are where they were, so that similar rows can be compared",
        value=f"{some}{more}: gone or changed",
        remedy="Restore them; or set `unreachable: skip`, and nothing is compared with their rows.",
    )


def file_numbers(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the file of each address."""
    return pa.RecordBatch.from_arrays([pa.array(file_of(batch.column("address").to_numpy()))], schema=FILES)


def rows_by_file(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return (row, file) for (row, address)."""
    files = pa.array(file_of(batch.column("address").to_numpy()))
    return pa.RecordBatch.from_arrays([batch.column("row"), files], schema=ROWS_BY_FILE)
