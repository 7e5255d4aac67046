"""Keeps what a Python process of Spark has loaded out of its search for garbage.

After every task Spark's daemon makes the process search all of its objects for garbage. Once NumPy, Arrow, Numba and
DuckDB are loaded, that takes a twentieth of a second: most of what a short task costs.
"""

import gc
import sys
from functools import cache


def set_loaded_aside() -> None:
    """Leave the objects of this process out of later searches, if modules were loaded since the last time."""
    _set_aside(len(sys.modules))


@cache
def _set_aside(modules: int) -> None:  # the key of the cache
    gc.collect()  # what is garbage now would stay for good
    gc.freeze()
