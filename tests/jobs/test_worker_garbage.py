import gc
import itertools
import sys
import weakref
from types import ModuleType

import pytest

from tamis.jobs.worker_garbage import set_loaded_aside

LOADED = itertools.count(1000)


class Knot:
    """Refers to itself: only a search for garbage ends it."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def all_objects():
    yield
    gc.unfreeze()


@pytest.fixture
def load(monkeypatch):
    """Add modules to those of this process, to a number that no test before has had."""

    def load():
        for number in range(next(LOADED)):
            monkeypatch.setitem(sys.modules, f"loaded_by_a_test_{number}", ModuleType("loaded"))

    return load


def test_what_is_there_is_left_out_and_what_comes_is_not(load):
    load()
    before = Knot()
    set_loaded_aside()
    assert gc.get_freeze_count() > 1000
    after = Knot()
    known = weakref.ref(before), weakref.ref(after)
    del before, after
    gc.collect()
    assert (known[0]() is None, known[1]() is None) == (False, True)


def test_nothing_more_is_left_out_until_modules_are_loaded(load):
    load()
    set_loaded_aside()
    count = gc.get_freeze_count()
    kept = [Knot() for _ in range(100)]
    set_loaded_aside()
    assert gc.get_freeze_count() <= count
    load()
    set_loaded_aside()
    assert gc.get_freeze_count() >= count + len(kept)


def test_garbage_does_not_stay(load):
    load()
    lost = weakref.ref(Knot())
    set_loaded_aside()
    assert lost() is None
