"""How often a process of ours searches for garbage, and in what."""

import gc
import sys

SELDOM = 50_000
"""Objects made, less those freed, between two searches. Python's 700 are a batch of rows, or an import."""


def search_seldom() -> None:
    """Search for cycles seldom, and not among what is loaded by now.

    All that is large is freed when nothing refers to it, as ever. A search looks at each object there is, and those at
    the end of a small run took a tenth of its time. Only for processes that are ours alone. Once DuckDB is
    loaded nothing is done: it warns of types that no search has freed at the end.
    """
    if "duckdb" in sys.modules:
        return
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])
    gc.freeze()
