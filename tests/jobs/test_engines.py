import io

import pytest
from rich.console import Console

from tamis.jobs import memory_share
from tamis.jobs.engines import make
from tamis.jobs.progress import Bars, Lines

GIB = 1 << 30


class Started(Exception):
    """A session was asked for."""


@pytest.mark.parametrize(("asked", "allowed"), [(None, 5 * GIB), (GIB, GIB)])
def test_the_local_engine_says_what_it_may_take(tmp_path, monkeypatch, asked, allowed):
    monkeypatch.setattr(memory_share, "share_of", lambda root: 5 * GIB)
    told = []
    engine = make("local", tmp_path, memory_bytes=asked, threads=3, progress=Lines(told.append))
    engine.close()
    assert engine.memory_bytes == allowed
    assert told == [f'{{"state": "begun", "memory_bytes": {allowed}, "threads": 3}}']


def test_bars_say_it_in_words():
    shown = io.StringIO()
    Bars(Console(file=shown)).begin(memory_bytes=12_662_634_496, threads=1)
    assert shown.getvalue() == "12.7 GB of memory at most, 1 thread\n"


@pytest.mark.parametrize(
    ("asked", "share", "wanted"),
    [(None, 3 * GIB, 3 * GIB), (None, 100 * GIB, 8 * GIB), (100 * GIB, 3 * GIB, 100 * GIB)],
)
def test_spark_by_default_takes_no_more_than_helps(tmp_path, monkeypatch, asked, share, wanted):
    sessions = pytest.importorskip("tamis.jobs.spark_session", reason="Spark is not installed")
    monkeypatch.setattr(memory_share, "share_of", lambda root: share)
    taken = []

    def open_session(*, memory_bytes, **_):
        taken.append(memory_bytes)
        raise Started

    monkeypatch.setattr(sessions, "open_session", open_session)
    with pytest.raises(Started):
        make("spark", tmp_path, memory_bytes=asked, threads=None, progress=None)
    assert taken == [wanted]
