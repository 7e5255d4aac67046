"""Tokens of declared tokenizers, counted in what is written."""

import hashlib
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from runs import digests
from tokenizers import Tokenizer, pre_tokenizers, trainers
from tokenizers.models import BPE

import tamis
from tamis.hashing.errors import ConfigError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

NOTICE = "all rights of this page are reserved by its owner, and by nobody else"


def train(path, size):
    tokenizer = Tokenizer(BPE(unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    lines = [f"the sieve {i} and the flour of the mill are nobody's" for i in range(40)]
    tokenizer.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=size, special_tokens=["?"], show_progress=False)
    )
    tokenizer.save(str(path))
    return tokenizer


@pytest.fixture
def corpus(tmp_path):
    for name in ("web", "wiki"):
        texts = [
            f"the {name} mill number {i} sieves {'flour ' * (i % 7)}\n{NOTICE if i % 3 else 'and so on'}"
            for i in range(60)
        ]
        (tmp_path / "in").mkdir(exist_ok=True)
        pq.write_table(pa.table({"text": texts, "source": [name] * 60}), tmp_path / "in" / f"{name}.parquet")
    return tmp_path


def sift(folder, out, *, engine=LocalEngine, tokenizers=("small", "large"), **settings):
    config = make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "columns": {"source": "source"},
            "stages": ["exact"],
            "tokenizers": [{"name": name, "path": str(folder / f"{name}.json")} for name in tokenizers],
            "out": str(folder / out),
        }
        | settings
    )
    return Result(plan.run(plan.prepare(config, version=tamis.__version__), engine, Silent()))


@pytest.mark.parametrize("stages", [["exact"], ["exact", {"paragraphs": {"rows": 5}}]])
def test_counts_are_those_of_one_text_at_a_time(corpus, stages):
    oracles = {"small": train(corpus / "small.json", 60), "large": train(corpus / "large.json", 200)}
    result = sift(corpus, "out", stages=stages)
    index, rows = pq.read_table(result.out / "index.parquet"), pq.read_table(result.out / "data")
    held = {name: Counter() for name in oracles}
    for name, tokenizer in oracles.items():
        expected = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in rows["text"].to_pylist()]
        assert index[f"tokens_{name}"].to_pylist() == expected
        for source, count in zip(rows["source"].to_pylist(), expected, strict=True):
            held[name][source] += count
    assert index["tokens_small"].to_pylist() != index["tokens_large"].to_pylist()
    for name, counts in held.items():
        found = Counter()
        for line in result.manifest["files"]["data"]:
            found.update({source: amounts[name] for source, amounts in line["sources"].items()})
        assert found == counts
    said = {item["name"]: item["sha256"] for item in result.manifest["tokenizers"]}
    assert said == {n: hashlib.sha256((corpus / f"{n}.json").read_bytes()).hexdigest() for n in oracles}
    assert [check.name for check in verify(result.out) if not check.passed] == []


def test_a_budget_in_tokens_of_a_tokenizer(corpus):
    train(corpus / "small.json", 60)
    mixture = {"unit": "small", "budget": 1200, "sources": {"web": 3, "wiki": 1}}
    result = sift(corpus, "out", tokenizers=["small"], mixture=mixture)
    index = pq.read_table(result.out / "index.parquet")
    held = Counter()
    for source, count in zip(index["source"].to_pylist(), index["tokens_small"].to_pylist(), strict=True):
        held[source] += count
    most = max(index["tokens_small"].to_pylist())
    assert 900 <= held["web"] < 900 + most
    assert 300 <= held["wiki"] < 300 + most
    said = yaml.safe_load((result.out / "mixture.yaml").read_text())["sources"]
    assert {name: share["emitted"] for name, share in said.items()} == held


def test_batches_and_threads_do_not_change_a_byte(corpus):
    train(corpus / "small.json", 60)
    one = sift(corpus, "one", tokenizers=["small"])
    two = sift(corpus, "two", tokenizers=["small"], engine=lambda work: LocalEngine(work, threads=3, batch_rows=7))
    assert digests(one.out) == digests(two.out)


def test_another_tokenizer_is_another_run(corpus):
    train(corpus / "small.json", 60)
    sift(corpus, "out", tokenizers=["small"])
    train(corpus / "small.json", 90)
    with pytest.raises(tamis.TamisError, match="out"):
        sift(corpus, "out", tokenizers=["small"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mixture": {"unit": "gpt2", "sources": {"web": 1, "wiki": 1}}}, "a tokenizer is declared under `tokenizers`"),
        ({"tokenizers": ["small", "small"]}, "names of their own"),
        ({"tokenizers": ["bytes"]}, "a tokenizer has a name"),
    ],
)
def test_what_makes_no_sense_is_refused(corpus, settings, message):
    train(corpus / "small.json", 60)
    with pytest.raises(ConfigError, match=message):
        sift(corpus, "out", **settings)


def test_the_manifest_is_plain(corpus):
    train(corpus / "small.json", 60)
    result = sift(corpus, "out", tokenizers=["small"])
    assert str(corpus) not in json.dumps(result.manifest)


def test_a_tokenizer_may_be_called_as_a_column_is(corpus):
    for name in ("file", "source"):
        train(corpus / f"{name}.json", 60)
    result = sift(corpus, "out", tokenizers=["file", "source"])
    index = pq.read_table(result.out / "index.parquet")
    for name in ("file", "source"):
        held = sum(of[name] for line in result.manifest["files"]["data"] for of in line["sources"].values())
        assert held == sum(index[f"tokens_{name}"].to_pylist())
    assert [check.name for check in verify(result.out) if not check.passed] == []
