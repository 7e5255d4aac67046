"""What a process of our own need not load, though it is installed: most of a small run would be spent on it.

Arrow looks for pandas when it first makes an array of a list, and Numba for SciPy's BLAS when it first loads a kernel.
Both take a third of a second, nothing here uses them, and both look once. This is for processes that are ours alone: in
a user's, Arrow would not know pandas any more.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType


class _Refusing(MetaPathFinder):
    """Finds that there is no module of some name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname.partition(".")[0] == self._name:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


def leave_out_pandas_and_scipy() -> None:
    """Have Arrow and Numba find that there is neither; once they have looked, both can be imported again."""
    import pyarrow as pa

    with _absent("pandas"):
        pa.array([None])
    with _absent("scipy"):
        import numba.np.arraymath  # noqa: F401  looks for BLAS


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have imports of a module fail, unless somebody has imported it."""
    finder = _Refusing(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
