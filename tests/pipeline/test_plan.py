"""The steps that a run can stop after: named from the configuration, seen in real runs, each with work to keep."""

import json

import pytest
from further_stages import settings, write_rows
from runs import NEAR, digests
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

import tamis
from tamis.hashing.errors import ConfigError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.plan import steps_of

NOT_ALONE = {
    "list inputs",
    "compile (once a machine)",
    "ask the index",
    "add to the index",
    "write decisions",
    "balance the ledger",
    "report",
}
"""Steps that a run reports and that belong to another one."""

FILTER_ONLY = {"capacity": 5000, "witness": False}


class Noted(Silent):
    """Remembers the steps."""

    def __init__(self):
        self.steps = []

    def start(self, step, *, total_bytes=None):
        self.steps.append(step)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    write_rows(folder, 3)
    tokenizer = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "words.json"))
    return folder


def near(index=None, **more):
    return {"near": NEAR | more | ({"index": index} if index else {})}


def index(path, **more):
    return {"path": str(path), "create": {"capacity": 5000}} | more


COMBINATIONS = {
    "nothing": lambda folder, out: {"stages": []},
    "exact": lambda folder, out: {"stages": ["exact"]},
    "near": lambda folder, out: {"stages": [near()]},
    "sketches": lambda folder, out: {"stages": ["exact", near(verify="sketch")]},
    "unverified": lambda folder, out: {"stages": ["exact", near(verify="none")]},
    "all": lambda folder, out: {},
    "items cut": lambda folder, out: {"stages": settings(folder, out, action="cut").stages},
    "items cut alone": lambda folder, out: {"stages": settings(folder, out, action="cut").stages[:1]},
    "marked": lambda folder, out: {"annotate": True, "stages": settings(folder, out, annotate=True).stages},
    "paragraphs": lambda folder, out: {"stages": [{"paragraphs": {"rows": 4}}]},
    "contained": lambda folder, out: {"stages": [{"contained": {"one_in": 2}}]},
    "semantic": lambda folder, out: {"stages": ["semantic"]},
    "counted": lambda folder, out: {"tokenizers": [{"name": "w", "path": str(folder / "words.json")}]},
    "sample": lambda folder, out: {"shards": {"sample": 0.5, "splits": {"validation": 0.1}}},
    "mixture": lambda folder, out: {"mixture": {"sources": {"web": 1}, "budget": 40, "unit": "rows"}},
    "index": lambda folder, out: {"stages": ["exact", near(index(f"{out}-index"))]},
    "keys": lambda folder, out: {"stages": [near(index(f"{out}-index", create={"kind": "lsh"}))]},
    "filters": lambda folder, out: {"stages": ["exact", near(index(f"{out}-index", create=FILTER_ONLY))]},
    "filters, insert-always": lambda folder, out: {
        "stages": ["exact", near(index(f"{out}-index", create=FILTER_ONLY, mode="insert-always"))]
    },
}


def pipeline(folder, out, name):
    plain = settings(folder, out).model_dump(mode="json")
    return make_config(plain | COMBINATIONS[name](folder, out))


def sift(config, progress=None, until=None):
    shown = progress or Silent()
    prepared = plan.prepare(config, version=tamis.__version__)
    return plan.run(prepared, lambda work: LocalEngine(work, progress=shown), shown, until=until)


def saved(out):
    return {path.parent.name for path in out.glob("_work/*/_SAVED")}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_steps_are_those_of_a_run(folder, tmp_path, name):
    noted = Noted()
    config = pipeline(folder, tmp_path / "out", name)
    sift(config, noted)
    assert list(steps_of(config)) == [step for step in noted.steps if step not in NOT_ALONE]


@pytest.mark.parametrize("name", ["items cut", "marked", "counted", "index"])
def test_each_step_saves_something_and_all_of_them_are_the_run(folder, tmp_path, name):
    whole = sift(pipeline(folder, tmp_path / "whole", name))
    config = pipeline(folder, tmp_path / "steps", name)
    steps = steps_of(config)
    before = set()
    for step in steps[:-1]:
        seen = Noted()
        out = sift(config, seen, until=step)
        assert seen.steps[-1] == step
        assert saved(out) > before
        assert not (out / "_SUCCESS").exists()
        before = saved(out)
    assert digests(sift(config, until=steps[-1])) == digests(whole)
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())


def test_a_finished_run_stays_finished_whatever_step_is_asked_for(folder, tmp_path):
    config = pipeline(folder, tmp_path / "out", "exact")
    out = sift(config)
    before = {path: path.stat().st_mtime_ns for path in [out, *out.rglob("*")]}
    assert [sift(config, until=step) for step in steps_of(config)] == [out] * len(steps_of(config))
    assert {path: path.stat().st_mtime_ns for path in [out, *out.rglob("*")]} == before


def test_an_index_is_joined_by_the_last_step_alone(folder, tmp_path):
    config = pipeline(folder, tmp_path / "out", "index")
    for step in steps_of(config)[:-1]:
        sift(config, until=step)
    assert list((tmp_path / "out-index").glob("*.json")) == []
    sift(config)
    header = next((tmp_path / "out-index").glob("*.json"))
    assert len(json.loads(header.read_text())["batches"]) == 1


def test_an_unknown_step_is_refused_and_the_steps_named(folder, tmp_path):
    config = pipeline(folder, tmp_path / "out", "exact")
    with pytest.raises(ConfigError, match="Name one of: read and sketch, rank, exact, order, place, write shards"):
        sift(config, until="verify")
    assert not (tmp_path / "out").exists()
