"""One side of ``selection.py``: choose k of some vectors by facility location, and print how long that took.

    python benchmarks/selection_worker.py tamis|submodlib|apricot VECTORS.npy K

A small choice is made first, so that code is loaded and compiled. Every side begins with the vectors and ends with the
numbers of the chosen ones; each is asked in the way that is fastest for it.
"""

import json
import sys
import time
from typing import Any

import numpy as np


def tamis(vectors: Any, k: int) -> list[int]:
    """Choose with this project, at full precision."""
    from tamis.hashing.selection.dense_columns import dense_columns
    from tamis.hashing.selection.facility_location import FacilityLocation
    from tamis.hashing.selection.greedy import greedy
    from tamis.hashing.selection.optimum import Budget

    found: list[int] = greedy(FacilityLocation(dense_columns(vectors)), Budget(k)).items.tolist()
    return found


def tamis_12_bits(vectors: Any, k: int) -> list[int]:
    """Choose with this project, vectors held in 12 bits."""
    from tamis.hashing.selection.dense_columns import dense_columns
    from tamis.hashing.selection.facility_location import FacilityLocation
    from tamis.hashing.selection.greedy import greedy
    from tamis.hashing.selection.optimum import Budget

    found: list[int] = greedy(FacilityLocation(dense_columns(vectors, bits=12)), Budget(k)).items.tolist()
    return found


def _cosines(vectors: Any) -> Any:
    """Return a matrix of cosines, made by the library for matrices."""
    scaled = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled @ scaled.T


def submodlib(vectors: Any, k: int) -> list[int]:
    """Choose with submodlib."""
    from submodlib import FacilityLocationFunction

    function = FacilityLocationFunction(n=len(vectors), mode="dense", sijs=_cosines(vectors), separate_rep=False)
    found = function.maximize(budget=k, optimizer="LazyGreedy", show_progress=False)
    return [int(item) for item, _ in found]


def apricot(vectors: Any, k: int) -> list[int]:
    """Choose with apricot."""
    from apricot import FacilityLocationSelection

    choice = FacilityLocationSelection(k, metric="precomputed", optimizer="lazy")
    choice.fit(np.maximum(_cosines(vectors), 0.0, dtype=np.float64))  # it refuses negative ones, which count as 0
    return [int(item) for item in choice.ranking]


SIDES = {"tamis": tamis, "tamis-12": tamis_12_bits, "submodlib": submodlib, "apricot": apricot}


def main() -> None:
    """Choose twice, and time the second time."""
    side, path, k = SIDES[sys.argv[1]], sys.argv[2], int(sys.argv[3])
    vectors = np.load(path)
    side(vectors[:300], 10)
    start, used = time.perf_counter(), time.process_time()
    items = side(vectors, k)
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"seconds": seconds, "processor": processor, "items": items}))


if __name__ == "__main__":
    main()
