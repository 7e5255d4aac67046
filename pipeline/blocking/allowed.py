"""The best allowed neighbours of a blocker, where some pairs are excluded.

A record asks for its k best. Where some of them are excluded, it asks again for more, until k allowed ones are found or
there are no more: so an exclusion takes no place from what it allows.
"""

from collections.abc import Iterator
from dataclasses import Field, dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .key_search import KeySearch, SharedKeys
from .search import Blocks, Found, Search

GROWTH = 4
"""So many times as many neighbours are asked for each time."""

MOST = 1 << 20
"""Neighbours of all queries that are asked for at once, at most, unless it is one query: what there is memory for."""


class Ranked(Search, Protocol):
    """A search for the k best; a dataclass, so that it can be had with another k."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def k(self) -> int | None:
        """Neighbours of each; None: all."""


@dataclass(frozen=True)
class AllowedSearch:
    """What a search finds without the excluded pairs; a ``Search``.

    How much a query asks for depends on what it finds alone, so its answer does not depend on other queries.

    Attributes:
        search: what is asked.
        k: allowed neighbours of each.
        searched: how many records are searched.
        excluded: pairs that are none.
    """

    search: Ranked
    k: int
    searched: int
    excluded: SharedKeys

    @property
    def name(self) -> str:
        """What the blocker is called."""
        return self.search.name

    @property
    def blocks(self) -> Blocks | None:
        """What is known of its blocks."""
        return self.search.blocks

    def __len__(self) -> int:
        return len(self.search)

    def __call__(self, first: int, last: int) -> Found:
        """Return the best allowed ones for some queries; see ``Search``."""
        parts: list[Found] = []
        asking, wanted = np.arange(first, last), min(self.k, self.searched)
        while len(asking):
            search = replace(self.search, k=wanted)
            found = Found.of([search(*part) for part in _runs(asking, max(1, MOST // max(1, wanted)))])
            allowed = self._allowed(found)
            counts, left = (np.bincount(some.queries - first, minlength=last - first) for some in (found, allowed))
            short = (left[asking - first] < self.k) & (counts[asking - first] >= wanted) & (wanted < self.searched)
            parts.append(_of(allowed, ~np.isin(allowed.queries, asking[short]) & (allowed.ranks <= self.k)))
            asking, wanted = asking[short], min(GROWTH * wanted, self.searched)
        whole = Found.of(parts)
        return _of(whole, np.argsort(whole.queries, kind="stable"))

    def _allowed(self, found: Found) -> Found:
        return _of(found, ~self.excluded(found.queries, found.rows))


def _of(found: Found, which: NDArray[np.bool_] | NDArray[np.int64]) -> Found:
    return Found(found.queries[which], found.rows[which], found.scores[which])


def _runs(queries: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of consecutive queries, of so many at most."""
    for run in np.split(queries, np.flatnonzero(np.diff(queries) != 1) + 1):
        for at in range(0, len(run), most):
            yield int(run[at]), int(run[min(at + most, len(run)) - 1]) + 1


def allowed_only(search: Ranked, k: int, searched: int, excluded: SharedKeys) -> Search:
    """Return a search that finds k allowed neighbours of a record, or all that there are.

    Args:
        search: of the k best.
        k: neighbours of each record, at least 1.
        searched: how many records are searched.
        excluded: pairs that are none.
    """
    if isinstance(search, KeySearch):  # sees all candidates of a query before it chooses
        return replace(search, excluded=excluded)
    return AllowedSearch(search, min(k, max(1, searched)), searched, excluded)
