"""What a run that removed duplicates says of sources: how many clusters of copies they share, and what each lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...hashing.errors import InputError
from ..result import Result


@dataclass(frozen=True)
class SharedClusters:
    """Clusters of copies by source; arrays are in the order of the sources.

    Attributes:
        clusters: int64, shape (sources, sources): clusters with a member in both; in the diagonal those with one in
            the source.
        members: int64, shape (sources,): rows in clusters.
        removed: int64, shape (sources,): rows that went, for whichever reason.
    """

    clusters: NDArray[np.int64]
    members: NDArray[np.int64]
    removed: NDArray[np.int64]


def shared_clusters(out: Path, names: Sequence[str]) -> SharedClusters:
    """Return what a finished run says of sources.

    Args:
        out: output folder of ``tamis dedup`` or ``tamis run``.
        names: of the sources.

    Raises:
        ArtefactError: the run did not finish, or its files are damaged.
        InputError: the run's sources are others.
    """
    result = Result(out)
    ran = {name for name, source in result.ledger.sources.items() if source.read.rows > source.references.rows}
    unknown = sorted(ran - set(names))
    if unknown:
        raise InputError(
            "clusters are of the sources that are mixed",
            value=f"{', '.join(map(repr, unknown))}, where there are {', '.join(map(repr, names))}",
            remedy="Name the same inputs and the same --source as in the run.",
        )
    clusters, sources = _of(result, "clusters", ["cluster", "source"], names)
    both = np.unique(np.stack([clusters["cluster"].to_numpy(), sources]), axis=1)
    found = np.zeros((len(names), len(names)), np.int64)
    starts = np.flatnonzero(np.diff(both[0], prepend=-1))
    held = np.zeros((len(starts), len(names)), np.bool_)
    held[np.repeat(np.arange(len(starts)), np.diff([*starts, both.shape[1]])), both[1]] = True
    for one in range(len(names)):
        found[one] = held[held[:, one]].sum(axis=0)
    _, lost = _of(result, "decisions", ["source"], names)
    return SharedClusters(found, *(np.bincount(rows, minlength=len(names)) for rows in (sources, lost)))


def _of(result: Result, table: str, columns: list[str], names: Sequence[str]) -> tuple[pa.Table, NDArray[np.int64]]:
    """Return the rows of these sources, and the place of each one's source; those of what was there before are left."""
    lines = result.manifest["files"][table]
    rows = pa.concat_tables([pq.read_table(result.out / table / line["name"], columns=columns) for line in lines])
    places = pc.index_in(rows["source"].cast(pa.string()), value_set=pa.array(list(names), pa.string()))
    there = places.is_valid()
    return rows.filter(there), np.asarray(places.filter(there).to_numpy(), np.int64)
