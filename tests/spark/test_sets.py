"""Splits, samples, mixtures and counts of tokens give equal bytes on both engines."""

import pytest
from corpora import SOURCES
from further_stages import write_rows
from runs import digests
from spark_sessions import test_session
from tokenizers import Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE

import tamis
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.jobs.spark import SparkEngine
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config

pytestmark = pytest.mark.spark


def settings(folder, out, **more):
    return make_config(
        {
            "inputs": [{"path": str(folder / "in" / f"part-{i}.parquet"), "source": f"part-{i}"} for i in range(3)],
            "columns": {"id": "id"},
            "stages": ["exact", {"paragraphs": {"rows": 4}}],
            "allow_loss": SOURCES,
            "out": str(out),
        }
        | more
    )


def sift(config, make_engine):
    return plan.run(plan.prepare(config, version=tamis.__version__), make_engine, Silent())


@pytest.mark.parametrize("driver_tables", [0, 256 << 20])
def test_sets_on_both_engines(tmp_path, driver_tables):
    write_rows(tmp_path, 3)
    tokenizer = Tokenizer(BPE(unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(["w1 w22 w333"] * 9, trainers.BpeTrainer(special_tokens=["?"], show_progress=False))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    phases = [{"name": "main", "share": 3}, {"name": "anneal", "share": 1, "weights": {"part-0": 1, "part-2": 2}}]
    more = {
        "tokenizers": [{"name": "tiny", "path": str(tmp_path / "tokenizer.json")}],
        "mixture": {
            "unit": "tiny",
            "budget": 60_000,
            "max_epochs": 3,
            "sources": {"part-0": 2, "part-1": 1, "part-2": 1},
            "phases": phases,
        },
        "shards": {"target_size": "20KB", "group_size": "2KB", "splits": {"validation": 0.1}, "sample": 0.8},
    }
    local = sift(settings(tmp_path, tmp_path / "local", **more), LocalEngine)
    config = settings(tmp_path, tmp_path / "spark", **more)
    spark = sift(config, lambda work: SparkEngine(work, test_session(), driver_tables=driver_tables))
    found = digests(local)
    assert found == digests(spark)
    assert {path.split("/")[1] for path in found if path.startswith("data/")} == {
        "train-0-main",
        "train-1-anneal",
        "validation",
    }
