"""The shards of a run: how many of which shape, written, and listed for the manifest."""

from dataclasses import dataclass
from typing import Any

from ..connectors.parquet_output import groups_of
from ..connectors.published import DATA
from .engine import Table
from .layout import Sets, plan_sets
from .placing import Placed
from .running import Running
from .shards import ShardWriter, emit

Line = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """The shape of an output.

    Attributes:
        sets: its sets.
        file_bytes: about how many bytes of text its largest file has.
    """

    sets: Sets
    file_bytes: int


def shape_of(running: Running, placed: Placed) -> Shape:
    """Return the shape of what is to be written."""
    measures = placed.positioned.aggregate(
        by=["set"], rows=("count", "position"), bytes=("sum", "bytes"), most=("max", "bytes")
    )
    found = {line["set"]: line for line in measures.collect().to_pylist()}
    names, settings = placed.sets, running.config.shards
    rows, sizes = ([found[i][what] if i in found else 0 for i in range(len(names))] for what in ("rows", "bytes"))
    sets = plan_sets(names, rows, sizes, target_bytes=settings.target_size, group_bytes=settings.group_size)
    largest = max(size // item.layout.files for item, size in zip(sets.sets, sizes, strict=True))
    return Shape(sets, largest + max((line["most"] for line in found.values()), default=0))


def write_shards(running: Running, shape: Shape, places: Table) -> list[Line]:
    """Write the shards; return their lines of the manifest, without what they hold of each source.

    Args:
        running: the run.
        shape: of the output.
        places: (address, position), and what is written beside the records' own columns.
    """
    settings, inputs, sets = running.config.shards, running.inputs, shape.sets
    writer = ShardWriter(
        str(running.folder.path / DATA),
        sets,
        inputs.written_columns,
        settings.compression,
        settings.content_defined_chunking,
        inputs.text,
    )
    hold = shape.file_bytes + 2 * settings.group_size  # a file, a group being written
    written = emit(running.engine, places, splits=inputs.splits, full=inputs.schema, writer=writer, hold=hold)
    lines = {line["file"]: line for line in written.save("shards").collect().to_pylist()}
    for number in range(sets.files):
        if number not in lines:  # a tail without rows
            lines[number] = writer.write(number, iter([inputs.written_columns.empty_table()])).to_pylist()[0]
    return _listed(sets, lines)


def _listed(sets: Sets, lines: dict[int, Line]) -> list[Line]:
    """Return the lines in order, each with its set and the number of its first row."""
    listed, row = [], 0
    for number in range(sets.files):
        line = lines[number]
        listed.append(
            {**line, "set": sets.of_file(number)[0].name, "first_row": row, "groups": groups_of(line["groups"])}
        )
        row += line["rows"]
    return listed
