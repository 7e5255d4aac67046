"""Which allocator Arrow uses in a process that is ours."""

import os

import pyarrow as pa


def choose_memory_pool() -> None:
    """Take jemalloc where Arrow has it and nobody chose: with the default pool, held batches cost far more page faults.

    Only for processes of our own, as the command line's; as a library, Tamis leaves the choice to its user.
    """
    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ and "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
