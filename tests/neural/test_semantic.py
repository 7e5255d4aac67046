"""The semantic stage with a real encoder, and with cells of FAISS."""

import json
import shutil
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from runs import digests
from tiny_encoders import WORDS, tiny_encoder

import tamis
from tamis.hashing.errors import ArtefactError
from tamis.hashing.neural.export import export_encoder
from tamis.hashing.neural.hasher import load_hasher
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.config import make_config
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

pytestmark = pytest.mark.neural
pytest.importorskip("faiss", reason="FAISS is not installed")


@pytest.fixture(scope="module")
def hasher(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    return export_encoder(tiny_encoder(folder / "model", seed=3), folder / "hasher", max_tokens=16)


def texts_of(seed, n):
    rng = Random(seed)
    texts = []
    for i in range(n):
        words = rng.choice(texts).split() if i % 2 else rng.choices(WORDS, k=rng.randint(3, 30))
        if i % 2:
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        texts.append(" ".join(words))
    return list(dict.fromkeys(texts))


def sift(texts, folder, stage, *, make=LocalEngine, **options):
    (folder / "in").mkdir(parents=True)
    table = pa.table({"text": texts, "id": [f"d{i}" for i in range(len(texts))]})
    pq.write_table(table, folder / "in" / "x.parquet", row_group_size=9)
    config = {
        "inputs": [{"path": str(folder / "in")}],
        "columns": {"text": "text", "id": "id"},
        "stages": ["exact", {"semantic": stage}],
        "allow_loss": ["in"],
        "out": str(folder / "out"),
    }
    prepared = plan.prepare(make_config(config), version=tamis.__version__)
    return Result(plan.run(prepared, lambda work: make(work, **options), Silent()))


def removals(result):
    return {row["id"]: (row["keeper_id"], row["similarity"]) for row in result.removed.to_pylist()}


def oracle(texts, hasher, threshold):
    vectors = hasher.encode(texts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kept, gone = [], {}
    for i in range(len(texts)):
        similar = [j for j in kept if vectors[i] @ vectors[j] >= threshold]
        if similar:
            gone[f"d{i}"] = (f"d{similar[0]}", pytest.approx(vectors[i] @ vectors[similar[0]], abs=1e-6))
        else:
            kept.append(i)
    return gone


def threshold_for(texts, hasher):
    """Return a threshold in a gap between cosines, at which a good part of the texts goes."""
    vectors = hasher.encode(texts).astype(np.float64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = np.sort((vectors @ vectors.T)[np.tril_indices(len(texts), -1)])
    place = int(np.argmax(np.diff(cosines[-len(texts) :]) > 1e-6)) + len(cosines) - len(texts)
    return float((cosines[place] + cosines[place + 1]) / 2)


def test_decisions_are_those_of_the_encoder(tmp_path, hasher):
    texts = texts_of(1, 80)
    threshold = threshold_for(texts, hasher)
    result = sift(texts, tmp_path, {"model": str(hasher.path), "threshold": threshold, "max_anchors": 200})
    expected = oracle(texts, hasher, threshold)
    assert removals(result) == expected
    assert len(expected) > 5
    assert all(check.passed for check in verify(result.out))
    facts = json.loads((result.out / "report.json").read_text())["semantic"]
    assert facts["cut_rows"] == sum(len(text.split()) > 14 for text in texts)  # and two tokens around them
    assert facts["model"]["max_tokens"] == 16
    page = (result.out / "report.html").read_text()
    assert "they were compared by their beginnings" in page
    manifest = json.loads((result.out / "manifest.json").read_text())
    assert manifest["settings"]["stages"][1]["model"]["sha256"] == hasher.encoder_fingerprint
    assert str(tmp_path) not in (result.out / "manifest.json").read_text()


def test_cuts_are_of_texts_with_more_tokens(hasher):
    texts = [" ".join(["sony"] * n) for n in (0, 1, 13, 14, 15, 40)]
    assert hasher.cuts(texts).tolist() == [False, False, False, False, True, True]


@pytest.mark.parametrize("index", ["exact", "ivf", "codes"])
def test_threads_and_batches_change_no_byte(tmp_path, hasher, index):
    texts = texts_of(2, 60)
    stage = {"model": str(hasher.path), "threshold": 0.97, "index": index, "probes": 3}
    one = sift(texts, tmp_path / "one", stage)
    other = sift(texts, tmp_path / "other", stage, threads=4, batch_rows=3)
    assert digests(one.out) == digests(other.out)
    assert all(check.passed for check in verify(one.out))


def test_all_cells_are_all_rows(tmp_path, hasher):
    texts = texts_of(4, 80)
    stage = {"model": str(hasher.path), "threshold": 0.97}
    exact = sift(texts, tmp_path / "exact", stage)
    cells = sift(texts, tmp_path / "cells", stage | {"index": "ivf", "lists": 8, "probes": 8})
    assert removals(cells) == removals(exact)
    assert removals(exact)


def test_a_changed_model_is_refused(tmp_path):
    made = export_encoder(tiny_encoder(tmp_path / "model", seed=4), tmp_path / "hasher")
    graph = tmp_path / "hasher" / "encoder.onnx"
    graph.write_bytes(graph.read_bytes() + b"x")
    with pytest.raises(ArtefactError, match=r"encoder\.onnx has sha256"):
        load_hasher(made.path)
    with pytest.raises(ArtefactError, match=r"encoder\.onnx has sha256"):
        sift(["a", "b"], tmp_path, {"model": str(made.path)})


class Elsewhere(LocalEngine):
    """An engine whose tasks see the copies of folders alone."""

    def share(self, folder):
        copy = self.work / "seen" / folder.name
        shutil.copytree(folder, copy)
        folder.rename(folder.with_name("moved"))
        return copy


def test_tasks_read_the_model_where_they_see_it(tmp_path):
    made = export_encoder(tiny_encoder(tmp_path / "model", seed=5), tmp_path / "hasher")
    texts = texts_of(6, 40)
    here = sift(texts, tmp_path / "here", {"model": str(made.path), "threshold": 0.97})
    there = sift(texts, tmp_path / "there", {"model": str(made.path), "threshold": 0.97}, make=Elsewhere)
    assert digests(there.out) == digests(here.out)
    assert not (tmp_path / "hasher").exists()
