"""Processes that are ours search for garbage seldom, and not in what is loaded."""

import subprocess
import sys

_LOOK = """
import gc
from tamis.jobs.seldom_garbage import search_seldom
before = gc.get_threshold()
search_seldom()
after = gc.get_threshold()
print(before[1:] == after[1:], after[0], gc.get_freeze_count() > 1000, len(gc.get_objects()) < 1000)
"""


def test_what_is_loaded_is_set_aside():
    ran = subprocess.run([sys.executable, "-c", _LOOK], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "50000", "True", "True"]
