"""What a process of our own need not load, though it is installed: most of a small run would be spent on it.

Arrow looks for pandas when it first makes an array of a list, and Numba for SciPy when it first compiles or loads a
kernel that may need BLAS. Both take a third of a second, nothing here uses them, and both look once. Numba also looks
through all packages that are installed for extensions of its own. This is for processes that are ours alone: in a
user's, Arrow would not know pandas any more.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_LOOKING_FOR_BLAS = ("numba.np.linalg", "numba.np.arraymath")


class _Refusing(MetaPathFinder):
    """Finds that there is no module of some name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        if fullname.partition(".")[0] == self._name:
            raise ModuleNotFoundError(f"{fullname} is left out", name=fullname)


class _Without(Loader):
    """Loads a module while there is none of another name."""

    def __init__(self, loader: Loader, absent: str) -> None:
        self._loader, self._absent = loader, absent

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        with _absent(self._absent):
            self._loader.exec_module(module)


class _LoadingWithout(MetaPathFinder):
    """Has some modules loaded while there is none of another name."""

    def __init__(self, names: Sequence[str], absent: str) -> None:
        self._names, self._absent = names, absent

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Without(spec.loader, self._absent)
        return spec


def leave_out_what_is_not_used() -> None:
    """Have Arrow and Numba find neither pandas nor SciPy, nor extensions; both can be imported by others."""
    import pyarrow as pa

    with _absent("pandas"):
        pa.array([None])
    with _absent("scipy"):
        from numba.core import entrypoints  # Numba asks for its version
    entrypoints._already_initialized = True
    sys.meta_path.insert(0, _LoadingWithout(_LOOKING_FOR_BLAS, "scipy"))


@contextmanager
def _absent(name: str) -> Iterator[None]:
    """Have imports of a module fail, unless somebody has imported it."""
    finder = _Refusing(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
