"""All stages together: equal bytes whatever the threads and batches, and after a stop anywhere."""

from collections import Counter

import pytest
from further_stages import settings, write_rows
from runs import digests

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify


class Stopped(Exception):
    """A run that ends in the middle."""


class Fuse(Silent):
    """Ends a run when a step starts, or when it has read something."""

    def __init__(self, step, *, reading):
        self.at, self.reading, self.step = step, reading, None

    def start(self, step, *, total_bytes=None):
        self.step = step
        if step == self.at and not self.reading:
            raise Stopped

    def advance(self, size_bytes):
        if self.step == self.at:
            raise Stopped


def sift(config, progress=None, **options):
    shown = progress or Silent()
    prepared = plan.prepare(config, version=tamis.__version__)
    return plan.run(prepared, lambda work: LocalEngine(work, progress=shown, **options), shown)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stages")
    write_rows(folder, 1)
    sift(settings(folder, folder / "whole"))
    return folder


@pytest.fixture(scope="module")
def cut(folder):
    return sift(settings(folder, folder / "cut", action="cut"))


def test_items_are_cut_out_beside_paragraphs(folder, cut):
    assert all(check.passed for check in verify(cut))
    result = Result(cut)
    counts = Counter(row["stage"] for row in result.edits.to_pylist())
    assert counts["decontaminate"] > 5
    assert counts["paragraphs"] > 20
    both = Counter(name for name, _ in {(row["id"], row["stage"]) for row in result.edits.to_pylist()})
    assert 2 in both.values()
    gone = Counter(row["stage"] for row in result.removed.to_pylist())
    assert gone == {stage: amount.rows for stage, amount in result.ledger.total.dropped.items()}
    assert gone.keys() >= {"exact", "near", "contained", "semantic", "balance", "select", "paragraphs"}


def test_each_stage_removes_something(folder):
    result = Result(folder / "whole")
    counts = Counter(row["stage"] for row in result.removed.to_pylist())
    copies = {"exact", "near", "contained", "semantic"}
    assert counts.keys() == {"decontaminate", *copies, "balance", "select", "paragraphs"}
    assert result.edits.num_rows > 20
    assert all(check.passed for check in verify(folder / "whole"))
    assert counts == {stage: amount.rows for stage, amount in result.ledger.total.dropped.items()}


@pytest.mark.parametrize("options", [{"threads": 1, "batch_rows": 1}, {"threads": 8, "batch_rows": 7}])
def test_the_same_bytes_whatever_the_threads_and_batches(folder, tmp_path, options):
    assert digests(sift(settings(folder, tmp_path / "out"), **options)) == digests(folder / "whole")


def test_the_same_bytes_where_items_are_cut(folder, cut, tmp_path):
    out = sift(settings(folder, tmp_path / "out", action="cut"), threads=3, batch_rows=2)
    assert digests(out) == digests(cut)


def stopped_at(steps, config):
    """Stop a run when each step starts and within it, and take it up again each time: each of them is done once."""
    for step in steps:
        for reading in (False, True):
            with pytest.raises(Stopped):
                sift(config, Fuse(step, reading=reading))
    return sift(config)


STEPS = ("decontaminate", "contained", "semantic", "balance leaves", "select", "paragraphs")


@pytest.mark.parametrize("steps", [STEPS, STEPS[:1], STEPS[3:4]], ids=["everywhere", "early", "in the middle"])
def test_stopped_and_taken_up_again(folder, tmp_path, steps):
    assert digests(stopped_at(steps, settings(folder, tmp_path / "out"))) == digests(folder / "whole")


def test_stopped_while_items_are_cut(folder, cut, tmp_path):
    config = settings(folder, tmp_path / "out", action="cut")
    assert digests(stopped_at(("benchmark items", "cut"), config)) == digests(cut)


def test_all_rows_marked(folder, tmp_path):
    out = sift(settings(folder, tmp_path / "out", annotate=True))
    assert all(check.passed for check in verify(out))
    whole = {row["id"]: row["stage"] for row in Result(folder / "whole").removed.to_pylist()}
    whole = {name: stage for name, stage in whole.items() if stage != "paragraphs"}
    marked = {row["id"]: row["tamis_stage"] for batch in Result(out).kept() for row in batch.to_pylist()}
    assert {name: stage for name, stage in marked.items() if stage} == whole
