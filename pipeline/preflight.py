"""What can be known to go wrong before any work is done: no room for it, nothing to read."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from ..connectors.address import ADDRESS, file_of, record_of
from ..connectors.batches import RULE
from ..connectors.corpus import Corpus, read_split
from ..connectors.formats import InputFile
from ..connectors.jsonl import BLANK_LINE
from ..connectors.split import Split
from ..hashing.errors import EngineError, InputError

FIRST_BYTES = 1 << 20
"""Bytes of an input that are read at a time to find its first bad record."""

FACT_BYTES = 60
"""Bytes that a record's facts take in saved tables, at least, beside its band keys."""

MEAN_RECORD = 4096
"""Bytes that a record is taken to have where the plan does not know how many there are: a large guess, so that the
estimate is small."""

SMALLEST_SHARE = 0.2
"""Share of what was read that the shards surely take: most rows may go, and text compresses well."""


def check_records(corpus: Corpus, splits: Sequence[Split]) -> None:
    """Make sure that there is something to read.

    Raises:
        InputError: if the plan knows that there are no records.
    """
    if all(split.records == 0 for split in splits):
        raise no_records(corpus.files)


def no_records(files: Sequence[InputFile]) -> InputError:
    """Return the error of a run that has nothing to read."""
    return InputError("inputs hold records", value=f"none in {some_paths(files)}", remedy="Check the inputs.")


def some_paths(files: Sequence[InputFile]) -> str:
    """Name the first files of a run, and say how many more there are."""
    return ", ".join(file.path for file in files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")


def first_broken(splits: Sequence[Split]) -> tuple[int, int, str] | None:
    """Return (file, record, rule) of the first record of inputs without columns that is not just blank, or None."""
    nothing = pa.schema([])
    for split in splits:
        for batch in read_split(split, nothing, full=nothing, batch_bytes=FIRST_BYTES):
            for address, rule in zip(*(batch.column(name).to_pylist() for name in (ADDRESS, RULE)), strict=True):
                if rule not in (None, BLANK_LINE):
                    return file_of(address), record_of(address), rule
    return None


def check_room(folder: Path, splits: Sequence[Split], corpus: Corpus, *, bands: int) -> None:
    """Make sure that work and output have a chance to fit the disk.

    The estimate is low on purpose: who is refused here would have run out of room after hours.

    Args:
        folder: where the output goes.
        splits, corpus: the inputs.
        bands: of each record.

    Raises:
        EngineError: with both numbers.
    """
    needed = room(splits, corpus, bands=bands)
    place = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise EngineError(
            "there is room for the work and the output",
            value=f"{free / 1e9:.2f} GB free at {place}, and about {needed / 1e9:.2f} GB or more are needed",
            remedy="Make room or choose another --out; check_room: false goes ahead anyway.",
        )


def room(splits: Sequence[Split], corpus: Corpus, *, bands: int) -> int:
    """Return about how many bytes a run writes, at least."""
    records = sum(split.records if split.records is not None else split.size_bytes // MEAN_RECORD for split in splits)
    return records * (FACT_BYTES + 8 * bands) + int(SMALLEST_SHARE * corpus.size_bytes)
