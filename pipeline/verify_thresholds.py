"""Whether every removal is alike enough to what stays in its place, part of ``tamis verify``."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_OTHER_SCALES = {"decontaminate": 0.0, "select": -1.0}
"""Stages whose similarity is not what their threshold is of: at least this."""


def threshold_faults(
    manifest: dict[str, Any], decisions: pa.Table, known: Callable[[], Sequence[pa.Table]]
) -> Iterator[str]:
    """Yield what is wrong with the similarities of removals.

    Args:
        manifest: of the output.
        decisions: all of them.
        known: returns tables with the ``address`` and ``source`` of rows; asked where sources have thresholds of their
            own. Of rows that were there already the clusters alone name the source.
    """
    for stage in manifest["settings"]["stages"]:
        name = stage["stage"]
        removed = decisions.filter(pc.equal(decisions["stage"], name))
        wanted = _OTHER_SCALES.get(name, stage.get("threshold", 1.0))
        if stage.get("thresholds"):
            yield from _faults_by_source(stage, removed, wanted, known())
            continue
        least = pc.min(removed["similarity"]).as_py()
        if least is not None and least < wanted:
            yield f"the {name} stage removed a row at similarity {least}, below {wanted}"


def _faults_by_source(
    stage: dict[str, Any], removed: pa.Table, wanted: float, known: Sequence[pa.Table]
) -> Iterator[str]:
    """Of the thresholds of the two rows of a pair the higher one counts."""
    keepers = removed["keeper_address"].combine_chunks()
    removed = removed.filter(keepers.is_valid())  # one without a keeper is a fault of its witness
    keepers = keepers.drop_null()
    sources = _sources_of(keepers, known)
    if sources.null_count:
        yield f"{sources.null_count} {stage['stage']} removals name a keeper of no known source"
    own, others = (_asked(some, stage["thresholds"], wanted) for some in (removed["source"].combine_chunks(), sources))
    similarity = removed["similarity"].combine_chunks().to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(~(similarity >= np.maximum(own, others))).tolist():
        rule = f"below {own[row]} of source {removed['source'][row].as_py()!r}"
        if others[row] > own[row]:
            rule = f"below {others[row]} of source {sources[row].as_py()!r}, which its keeper is of"
        yield f"the {stage['stage']} stage removed {removed['id'][row].as_py()} at similarity {similarity[row]}, {rule}"


def _sources_of(addresses: pa.Array, known: Sequence[pa.Table]) -> pa.Array:
    """Return the source of each address, from the first table that has it; null: none has."""
    found = pa.nulls(len(addresses), pa.string())
    for table in known:
        where = pc.index_in(addresses, value_set=table["address"].combine_chunks())
        found = pc.coalesce(found, table["source"].combine_chunks().cast(pa.string()).take(where))
    return found


def _asked(sources: pa.Array, thresholds: dict[str, float], wanted: float) -> Any:
    """Return the threshold of each source: float64, shape (n,)."""
    named = sources.dictionary_encode()
    each = np.array([thresholds.get(name, wanted) for name in named.dictionary.to_pylist()] + [wanted])
    return each[named.indices.fill_null(len(named.dictionary)).to_numpy()]
