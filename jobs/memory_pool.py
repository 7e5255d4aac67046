"""Which allocator Arrow uses in a process that is ours, and from how large pages it takes its memory."""

import os

HUGE_PAGES = "thp:always"
"""Batches of megabytes come and go: from pages of two of them, Linux hands out the same memory with fewer faults."""


def choose_memory_pool() -> None:
    """Take jemalloc where Arrow has it and nobody chose: with the default pool, held batches cost far more page faults.

    Only for processes of our own, as the command line's; as a library, Tamis leaves the choice to its user. Called
    before Arrow is loaded, which is when jemalloc reads what it is asked for.
    """
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", HUGE_PAGES)
    import pyarrow as pa

    if "ARROW_DEFAULT_MEMORY_POOL" not in os.environ and "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
