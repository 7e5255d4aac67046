"""Batches that join an index come to the decisions of one run over all of them."""

from random import Random

import pytest
from index_batches import settings, told, write_batches
from runs import digests

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify


def sift(config, **options):
    prepared = plan.prepare(config, version=tamis.__version__)
    return Result(plan.run(prepared, lambda work: LocalEngine(work, **options), Silent()))


LSH = {"kind": "lsh"}
BLOOM = {"kind": "bloom", "capacity": 2000, "rate": 1e-6}


def join(paths, folder, create, keep):
    """Return the results of one run after another, each of which joins the index."""
    results = []
    for number, path in enumerate(paths):
        index = {"path": str(folder / "index"), "create": create}
        results.append(sift(settings([path], folder / f"out-{number}", index=index, keep=keep)))
    return results


@pytest.mark.parametrize("create", [LSH, BLOOM], ids=["lsh", "bloom"])
@pytest.mark.parametrize(("keep", "at_once"), [("first", "first"), ("longest", "quality:order")])
@pytest.mark.parametrize("seed", [1, 2])
def test_ten_batches_decide_as_one_run(tmp_path, create, keep, at_once, seed):
    paths = write_batches(Random(seed), tmp_path / "in", 10)
    whole = sift(settings(paths, tmp_path / "whole", keep=at_once))
    joined = {}
    for result in join(paths, tmp_path, create, keep):
        assert all(check.passed for check in verify(result.out))
        joined |= told(result)
    assert joined == told(whole)
    assert any(stage == "near" and place[0] != keeper[0] for place, (stage, keeper, _) in joined.items())
    assert any(stage == "exact" and place[0] != keeper[0] for place, (stage, keeper, _) in joined.items())


def test_a_repeated_run_gives_the_same_bytes_and_adds_nothing(tmp_path):
    paths = write_batches(Random(3), tmp_path / "in", 3)
    join(paths, tmp_path, BLOOM, "first")
    header = (tmp_path / "index" / "index.json").read_bytes()
    again = join(paths, tmp_path, BLOOM, "first")
    index = {"path": str(tmp_path / "index")}
    other = sift(settings([paths[1]], tmp_path / "elsewhere", index=index))
    assert digests(other.out) == digests(again[1].out)
    assert (tmp_path / "index" / "index.json").read_bytes() == header
