"""The allocator of a process of our own: chosen before Arrow is loaded, unless its user chose."""

import os
import subprocess
import sys

import pyarrow as pa
import pytest

CHOOSE = """
import sys
from tamis.jobs.memory_pool import choose_memory_pool
if "pyarrow" in sys.modules:
    sys.exit("Arrow is loaded before its allocator is told what to do")
choose_memory_pool()
import os
import pyarrow as pa
print(pa.default_memory_pool().backend_name, os.environ["JE_ARROW_MALLOC_CONF"])
"""
NAMES = ("ARROW_DEFAULT_MEMORY_POOL", "JE_ARROW_MALLOC_CONF")


def chosen(**given):
    left = {name: value for name, value in os.environ.items() if name not in NAMES}
    ended = subprocess.run([sys.executable, "-c", CHOOSE], capture_output=True, text=True, env=left | given)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()


@pytest.mark.skipif("jemalloc" not in pa.supported_memory_backends(), reason="this Arrow has no jemalloc")
def test_batches_come_from_huge_pages():
    assert chosen() == ["jemalloc", "thp:always"]


def test_what_the_user_chose_stays():
    given = {"ARROW_DEFAULT_MEMORY_POOL": "system", "JE_ARROW_MALLOC_CONF": "thp:never"}
    assert chosen(**given) == ["system", "thp:never"]
