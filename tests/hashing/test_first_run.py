import os
import subprocess
import sys

import pytest
from numba.core import caching, config

from tamis.hashing.kernel import is_compiled, kernel

IMPORT_ALL = """
import pkgutil, importlib, tamis
for found in pkgutil.walk_packages(tamis.__path__, "tamis."):
    left_out = found.name.startswith(("tamis.conf", "tamis.jobs.airflow"))
    if not left_out and not found.name.endswith(("__main__", "tables.build")):
        importlib.import_module(found.name)
"""
RUN = """
from tamis.hashing.first_run import must_compile
print(must_compile())
"""


def python(code, cache):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_everything_compiles_nothing(tmp_path):
    python(IMPORT_ALL, tmp_path)
    assert list(tmp_path.rglob("*.nb*")) == []


def test_a_new_machine_must_compile(tmp_path):
    assert python(RUN, tmp_path) == ["True"]


def test_a_kernel_is_compiled_once_it_was_called(monkeypatch, tmp_path):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))  # that of an earlier run would know it

    @kernel
    def one(x):
        return x + 1

    assert not is_compiled(one)
    assert one(1) == 2
    assert is_compiled(one)


def test_without_a_folder_to_keep_machine_code_kernels_work_all_the_same(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError):
        caching.FunctionCache(test_a_kernel_is_compiled_once_it_was_called)

    @kernel
    def two(x):
        return x + 2

    assert not is_compiled(two)
    assert two(1) == 3
    assert is_compiled(two)
