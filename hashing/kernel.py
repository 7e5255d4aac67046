"""The decorator of all kernels, and a cache that notices every change.

Numba caches machine code beside the source and checks the one file that defines a function. Kernels call kernels of
other files, which are compiled into them, so here a cached kernel is valid only while *all* sources of this folder
and of those in it are the ones it was compiled from.
"""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core import caching
from numba.core.runtime.nrt import rtsys

_IndexFile: Any = caching.IndexDataCacheFile  # (folder, name, stamp): Numba's classes carry no types
_LOCK = ".tamis-lock"
_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a kernel when it is first called: it releases the GIL and is cached on this machine.

    For type checkers a kernel keeps the signature it is written with.
    """
    return _compiled(function, counts_references=True)


def inner_kernel(function: _Function) -> _Function:
    """Compile a kernel that makes no array, and so needs to count no references.

    Kernels that work on one text call each other several times a microsecond with dozens of arrays. Counting references
    to them, and copying them from call to call, takes as long as the work; so these are made part of their callers.
    """
    return _compiled(function, counts_references=False)


def _compiled(function: _Function, *, counts_references: bool) -> _Function:
    jit: Any = njit  # its types do not know all of its options
    options = {"nogil": True, "_nrt": counts_references, "forceinline": not counts_references}
    try:
        dispatcher = jit(cache=True, **options)(function)
    except RuntimeError:  # there is no folder to keep machine code in: every process compiles
        return cast(_Function, jit(**options)(function))
    own: Any = dispatcher._cache
    own._cache_file = _alone_when_saving(_IndexFile(own.cache_path, own._impl.filename_base, sources_digest()))
    own.load_overload = partial(_load, own)
    return cast(_Function, dispatcher)


def _load(own: Any, signature: object, target: Any) -> Any:
    """Return what a cache has of a kernel, or None.

    Numba's own way makes all that a compiler knows ready first, which takes longer than loading all kernels of a run.
    Machine code needs its memory management only; when a kernel is compiled after all, Numba makes the rest ready.
    """
    rtsys.initialize(target)
    with own._guard_against_spurious_io_errors():
        return own._load_overload(signature, target)


def _alone_when_saving(file: Any) -> Any:
    """Return a cache file that one process at a time writes to.

    Numba reads the index, chooses a name for the machine code, writes the index and then the code. Two processes that
    do so at once may choose one name, and the index then says that one's code is the other's.
    """
    save = file.save

    def save_alone(key: object, data: object) -> None:
        with open(Path(file._cache_path) / _LOCK, "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            save(key, data)

    file.save = save_alone
    return file


def is_compiled(function: Callable[..., Any]) -> bool:
    """Return whether machine code of a kernel is at hand: compiled in this process, or kept by an earlier one."""
    dispatcher: Any = function
    if dispatcher.signatures:
        return True
    kept = getattr(dispatcher._cache, "_cache_file", None)
    return kept is not None and bool(kept._load_index())


@cache
def sources_digest() -> str:
    """Return a digest of all sources of the kernels."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources(files(__package__), "")):
        digest.update(name.encode() + b"\0" + source)
    return digest.hexdigest()


def _sources(folder: Traversable, before: str) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the content of each source in a folder and in those in it."""
    for entry in folder.iterdir():
        if entry.name.endswith(".py"):
            yield before + entry.name, entry.read_bytes()
        elif entry.is_dir():
            yield from _sources(entry, f"{before}{entry.name}/")
