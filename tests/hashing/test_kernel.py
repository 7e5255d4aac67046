import os
import pkgutil
import shutil
import subprocess
import sys
from importlib import import_module
from inspect import getsource
from pathlib import Path

from numba.core.dispatcher import Dispatcher

import tamis.hashing
import tamis.hashing.selection
from tamis.hashing import kernel as kernel_module
from tamis.hashing.kernel import sources_digest

MODULES = [
    import_module(f"tamis.hashing.{found.name}")
    for found in pkgutil.iter_modules(tamis.hashing.__path__)
    if not found.ispkg
] + [
    import_module(f"tamis.hashing.selection.{found.name}")
    for found in pkgutil.iter_modules(tamis.hashing.selection.__path__)
]
KERNELS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Dispatcher) and value.py_func.__module__ == module.__name__
}


def test_every_kernel_is_found():
    assert len(KERNELS) == sum(getsource(module).count("kernel\ndef ") for module in MODULES)
    assert {"mix.fmix64", "shingles.next_tokens", "fingerprint.kernel_of_fingerprint"} <= set(KERNELS)


def test_nothing_is_compiled_past_the_decorator():
    others = [module for module in MODULES if module is not kernel_module]
    assert [
        module.__name__ for module in others if "njit" in getsource(module) or "cache=True" in getsource(module)
    ] == []


def test_the_cache_of_every_kernel_is_stamped_with_all_sources():
    stamps = {name: kernel._cache._cache_file._source_stamp for name, kernel in KERNELS.items()}
    assert stamps == dict.fromkeys(KERNELS, sources_digest())


def test_every_kernel_counts_references_or_is_part_of_its_callers():
    options = {name: kernel.targetoptions for name, kernel in KERNELS.items()}
    assert [name for name, chosen in options.items() if chosen["_nrt"] is chosen["forceinline"]] == []


def test_every_kernel_releases_the_gil():
    assert [name for name, kernel in KERNELS.items() if not kernel.targetoptions["nogil"]] == []


# --- a package of its own, whose sources can be changed

INNER = "from .kernel import kernel\n\n\n@kernel\ndef inner(x):\n    return x + {}\n"
OUTER = "from .inner import inner\nfrom .kernel import kernel\n\n\n@kernel\ndef outer(x):\n    return inner(x)\n"
SCRIPT = """
from kernels_of_a_test.kernel import sources_digest
from kernels_of_a_test.outer import outer
print(sources_digest(), outer(1), sum(outer.stats.cache_hits.values()))
"""


def test_a_change_of_any_source_is_noticed(tmp_path):
    folder = tmp_path / "kernels_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(Path(kernel_module.__file__), folder / "kernel.py")
    (folder / "outer.py").write_text(OUTER)

    def run(addend):
        (folder / "inner.py").write_text(INNER.format(addend))
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        digest, result, hits = done.stdout.split()
        return digest, int(result), int(hits)

    first, again, changed = run(10), run(10), run(20)
    assert first[1:] == (11, 0)
    assert again == (first[0], 11, 1)  # from the cache
    assert changed[1:] == (21, 0)  # the source of `outer` is the same, that of its callee is not
    assert changed[0] != first[0]


def test_a_change_in_a_folder_below_is_noticed(tmp_path):
    (tmp_path / "below" / "more").mkdir(parents=True)
    (tmp_path / "a.py").write_text("1")
    (tmp_path / "below" / "more" / "b.py").write_text("2")
    (tmp_path / "below" / "c.txt").write_text("3")
    assert sorted(kernel_module._sources(tmp_path, "")) == [("a.py", b"1"), ("below/more/b.py", b"2")]
