"""The texts of old rows that new ones are compared with: where they lie, if they are still there."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ...connectors.formats import InputFile
from ..engine import Table
from ..index.form import bounds_of
from ..index.joining import FILES, ROWS_BY_FILE, check_text_columns, file_numbers, rows_by_file, unreachable
from ..index.recall import reachable
from ..ranked import old_only
from ..running import Running
from ..similarity import Recollection
from ..underway import Underway


@dataclass(frozen=True)
class OldTexts:
    """Pairs that can be compared.

    Attributes:
        pairs: (worse, better).
        parts: inputs of old rows among the better ones.
    """

    pairs: Table
    parts: Sequence[Recollection] = ()


def old_texts(running: Running, rows: Underway, met: Table) -> OldTexts:
    """Find the inputs of old rows that new ones are compared with.

    Args:
        running, rows: the run.
        met: (worse, better) that are to be compared.

    Raises:
        ArtefactError: some are gone or have changed, and that was refused.
        InputError: they have their texts in another column.
    """
    index, near = running.index, running.config.near
    if index is None or near is None or near.index is None:
        return OldTexts(met)
    numbers = _files(rows, met)
    splits, lost = reachable([index.files[number] for number in numbers])
    if lost and near.index.unreachable == "refuse":
        raise unreachable(lost)
    check_text_columns(index, numbers, running.inputs.text)
    parts = [
        Recollection([split for split in splits if first <= split.file < after], schema, *bounds_of(first, after))
        for first, after, schema in index.file_ranges
        if any(first <= split.file < after for split in splits)
    ]
    return OldTexts(_without(running, rows, met, lost) if lost else met, parts)


def _files(rows: Underway, met: Table) -> list[int]:
    """Return the numbers of the files that the old rows of pairs are in."""
    better = old_only(met.select("better"), "better", rows.old_rows).distinct()
    places = better.join(rows.ranked.select("address", better="row"), on=["better"]).map(file_numbers, FILES)
    return sorted(places.distinct().collect()["file"].to_pylist())


def _without(running: Running, rows: Underway, met: Table, lost: Sequence[InputFile]) -> Table:
    """Return the pairs without those of rows in lost files, saved."""
    files = running.engine.table(pa.table({"file": pa.array([file.ordinal for file in lost], pa.int64())}))
    known = rows.ranked.select("row", "address").map(rows_by_file, ROWS_BY_FILE).join(files, on=["file"], how="semi")
    return met.join(known.select(better="row"), on=["better"], how="anti").save("reached")
