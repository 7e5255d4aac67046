"""A blocking run on an engine, from its tables to the output."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..engine import Engine, Progress
from .asking import asked_pairs
from .blockers import prepare
from .options import Options
from .outputs import report_of, write_tables
from .pairs import best_pairs, exclusion, fused, in_order, intersection, union
from .search import Blocks
from .sides import Sides, read_sides

_COMBINED: dict[str, Callable[[Sequence[pa.Table]], pa.Table]] = {
    "union": union,
    "intersection": intersection,
    "fusion": fused,
    "in-order": in_order,
    "exclusion": lambda results: exclusion(results[0], results[1:]),
}


def block(
    engine: Engine, left: str, right: str | None, out: Path, options: Options, progress: Progress
) -> dict[str, Any]:
    """Find the pairs of records that are worth comparing; write them and return what ``block.json`` is to hold.

    Args:
        engine: what runs it.
        left: the table whose records ask.
        right: the table that is searched; None: the left one has duplicates in it.
        out: folder of the output.
        options: what is asked for.
        progress: told about steps.

    Raises:
        InputError: a table cannot be read as asked.
        ConfigError: the options do not fit the tables.
    """
    progress.start("read")
    sides = read_sides(left, right, options)
    progress.finish()
    each = found_by_each(engine, sides, options, progress)
    progress.start("combine")
    pairs = combined([pairs for pairs, _ in each.values()], options)
    progress.finish()
    progress.start("write")
    files = write_tables(out, sides, pairs, {name: found for name, (found, _) in each.items()}, text=options.text)
    report = report_of([left] if right is None else [left, right], options, sides, pairs, each, files)
    progress.finish()
    return report


def found_by_each(
    engine: Engine, sides: Sides, options: Options, progress: Progress
) -> dict[str, tuple[pa.Table, Blocks | None]]:
    """Return by name of the blocker the pairs that it finds, and its blocks."""
    each: dict[str, tuple[pa.Table, Blocks | None]] = {}
    for name in options.blockers:
        progress.start(f"block: {name}")
        search = prepare(name, sides, options, engine)
        each[name] = asked_pairs(engine, search, sides.left, sides.right), search.blocks
        progress.finish()
    return each


def combined(found: Sequence[pa.Table], options: Options) -> pa.Table:
    """Return what the pairs of all blockers make together, up to the budget."""
    pairs = found[0] if len(found) == 1 else _COMBINED[options.combine](found)
    return pairs if options.max_pairs is None else best_pairs(pairs, options.max_pairs)
