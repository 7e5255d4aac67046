"""Steps: each is begun and ended, noted if it came to its end, and one may be the last."""

import pytest

from tamis.jobs.progress import Silent
from tamis.pipeline.metrics import step_seconds
from tamis.pipeline.timed_steps import Reached, TimedSteps


class Told(Silent):
    def __init__(self):
        self.told = []

    def start(self, step, *, total_bytes=None):
        self.told.append((step, total_bytes))

    def finish(self):
        self.told.append("finished")


def test_steps_are_told_and_noted_in_order(tmp_path):
    told = Told()
    steps = TimedSteps(told, tmp_path, None)
    with steps.step("rank"):
        pass
    with steps.step("verify", 7):
        pass
    assert told.told == [("rank", None), "finished", ("verify", 7), "finished"]
    assert [(line["name"], line["bytes"]) for line in steps.done] == [("rank", None), ("verify", 7)]
    assert all(line["peak_rss_bytes"] > 1 << 20 for line in steps.done)
    assert step_seconds(tmp_path).keys() == {"rank", "verify"}


def test_the_last_step_is_noted_before_it_ends_the_run(tmp_path):
    steps = TimedSteps(Told(), tmp_path, "rank")
    with steps.step("read"):
        pass
    with pytest.raises(Reached), steps.step("rank"):
        pass
    assert [line["name"] for line in steps.done] == ["read", "rank"]


def test_a_step_that_fails_is_ended_and_not_noted(tmp_path):
    told = Told()
    steps = TimedSteps(told, tmp_path, "rank")
    with pytest.raises(OSError, match="gone"), steps.step("rank"):
        raise OSError("gone")
    assert told.told == [("rank", None), "finished"]
    assert steps.done == []
