import dataclasses

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import torch
from tiny_encoders import tiny_encoder

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.neural.data import Examples, HeldOut
from tamis.hashing.neural.hasher import load_hasher
from tamis.hashing.neural.held_out import measured
from tamis.hashing.neural.network import Network
from tamis.hashing.neural.save import save_trained
from tamis.hashing.neural.settings import TrainSettings
from tamis.hashing.neural.train import train_hasher
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.training import Split, pairs_from_labels, pairs_of_views, silver_pairs

pytestmark = pytest.mark.neural
WORDS = ["amber", "birch", "cedar", "delta", "flint", "grove", "haven", "ivory", "jade", "koala", "lemon", "mango"]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    tiny_encoder(folder / "parts", normalise=False).save(str(folder / "saved"))
    return str(folder / "saved")


@pytest.fixture
def some(encoder):
    return TrainSettings(
        encoder=encoder, text="texts", max_tokens=40, bits=16, epochs=4, batch=8, rate=3e-3, threads=1, patience=4
    )


def tables(n=48, seed=0):
    rng = np.random.default_rng(seed)
    texts = [[*rng.choice(WORDS, 3), str(rng.integers(100, 999))] for _ in range(n)]
    left = read_records(pa.table({"id": [f"a{i:02d}" for i in range(n)], "name": list(map(" ".join, texts))}), "id")
    turned = [" ".join(["brand new boxed", *words[:0:-1]]) for words in texts]
    right = read_records(pa.table({"id": [f"b{i:02d}" for i in range(n)], "name": turned}), "id")
    return left, right


def labelled(**options):
    left, right = tables()
    table = pa.table({"left_id": left.ids, "right_id": right.ids})
    return pairs_from_labels(left, right, table, text="texts", split=Split(share=0.25), hard=1, **options)


def weights(trained):
    return [part.detach().clone() for module in trained.network.modules for part in module.state_dict().values()]


def test_training_finds_more(some):
    told = []
    trained = train_hasher(labelled(), some, told.append)
    before, after = trained.history[0]["held_out"], trained.history[trained.best]["held_out"]
    assert after["recall"] > before["recall"]
    assert after["loss"] < before["loss"]
    assert [row["epoch"] for row in trained.history] == [0, 1, 2, 3, 4]
    assert set(trained.history[1]["losses"]) == {"vectors", "codes", "balance", "decorrelation", "quantisation"}
    assert trained.history[4]["losses"]["vectors"] < trained.history[1]["losses"]["vectors"]
    assert [(p.epoch, p.step, p.steps) for p in told if p.measures is None][:5] == [(1, i, 5) for i in range(1, 6)]
    assert sum(p.measures is not None for p in told) == 5


def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(some):
    some = dataclasses.replace(some, epochs=2)
    one = weights(train_hasher(labelled(), some))
    torch.rand(7)
    state, strict, threads = (
        torch.get_rng_state(),
        torch.are_deterministic_algorithms_enabled(),
        torch.get_num_threads(),
    )
    again = weights(train_hasher(labelled(), some))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.are_deterministic_algorithms_enabled() == strict
    assert torch.get_num_threads() == threads
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    other = weights(train_hasher(labelled(), dataclasses.replace(some, seed=1)))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_best_epoch_is_kept(some):
    some = dataclasses.replace(some, patience=1, epochs=6, rate=0.05, head_rate=0.5)  # soon too far
    trained = train_hasher(labelled(), some)
    ranks = []
    for row in trained.history[1:]:
        held = row["held_out"]
        ranks.append(((held["recall"] + held["code_recall"]) / 2, -held["loss"]))
    assert trained.best == 1 + ranks.index(max(ranks))
    assert len(trained.history) - 1 in (6, trained.best + 1)
    again = measured(trained.network, labelled().held_out)
    assert dataclasses.asdict(again) == trained.history[trained.best]["held_out"]


PARTS = {"embeddings", "layer.0", "layer.1"}


@pytest.mark.parametrize(("layers", "moved"), [(0, set()), (1, {"layer.1"}), (None, PARTS)])
def test_frozen_layers_stay(some, layers, moved):
    some = dataclasses.replace(some, layers=layers, epochs=1)
    before = Network(some).encoder.state_dict()
    after = train_hasher(labelled(), some).network.encoder.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name]) and "pooler" not in name}
    assert {part for part in PARTS if any(part in name for name in changed)} == moved


@pytest.mark.parametrize(
    "options",
    [
        {"bits": 0},
        {"hidden": (24,), "binarise": "straight-through"},
        {"calibration": 1.0, "layers": 0, "precision": "bfloat16"},
        {"normalise": False, "radius": 3.0},
    ],
)
def test_other_ways_to_train(some, options):
    some = dataclasses.replace(some, epochs=1, **options)
    trained = train_hasher(labelled(), some)
    losses = trained.history[1]["losses"]
    assert ("codes" in losses) == (some.bits > 0)
    assert ("vectors" in losses) == (some.layers != 0)
    assert ("calibration" in losses) == (some.calibration > 0)
    vectors = trained.network.encode(["amber birch", ""])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5) == some.normalise


@pytest.mark.parametrize("make", [silver_pairs, pairs_of_views])
def test_training_without_labels(some, make):
    left, right = tables()
    some = dataclasses.replace(some, epochs=2)
    trained = train_hasher(make(left, right, text="texts", split=Split(share=0.2)), some)
    assert trained.data["source"] == {silver_pairs: "silver", pairs_of_views: "views"}[make]
    assert trained.history[2]["losses"]["codes"] < trained.history[1]["losses"]["codes"]


def test_within_one_table(some):
    left, right = tables(30)
    both = pa.table(
        {"id": [*left.ids.to_pylist(), *right.ids.to_pylist()], "name": pa.concat_arrays([left.texts, right.texts])}
    )
    labels = pa.table({"left_id": left.ids, "right_id": right.ids})
    data = pairs_from_labels(read_records(both, "id"), None, labels, text="texts")
    trained = train_hasher(data, dataclasses.replace(some, epochs=1))
    assert trained.history[0]["held_out"]["recall"] <= 1.0


def test_held_out_measures_by_loops(some):
    network = Network(some)
    data = labelled().held_out
    found = measured(network, data)
    a, b = network.encode(data.queries), network.encode(data.searched)
    d = np.linalg.norm(a[:, None].astype(float) - b[None], axis=2)
    codes = [np.where(network.project(side) >= 0, 1, 0) for side in (a, b)]
    hamming = (codes[0][:, None] != codes[1][None]).sum(2)
    true = {tuple(pair) for pair in data.pairs.tolist()}
    for distance, recall in ((d, found.recall), (hamming, found.code_recall)):
        hits = sum(int(np.lexsort((np.arange(len(b)), distance[i]))[0]) == j for i, j in true)
        assert recall == pytest.approx(hits / len(true))
    assert found.within == pytest.approx(np.mean([d[i, j] <= some.radius for i, j in true]))
    far = [d[i, j] for i in range(len(a)) for j in range(len(b)) if (i, j) not in true]
    assert found.beyond == pytest.approx(np.mean(np.array(far) >= some.radius * some.ratio))


def test_a_trained_network_is_saved_as_a_hasher(some, tmp_path):
    pytest.importorskip("onnxruntime")
    trained = train_hasher(labelled(), dataclasses.replace(some, epochs=1, hidden=(24,)))
    save_trained(trained, tmp_path / "hasher", bands=(2, 8), measures={"recall": 0.5})
    hasher = load_hasher(tmp_path / "hasher")
    texts = ["amber birch 7", "the koala", "lemon mango flint 123 and more " * 5]
    vectors = trained.network.encode(texts)
    np.testing.assert_allclose(hasher.encode(texts), vectors, atol=1e-5)
    np.testing.assert_allclose(hasher.project(vectors), trained.network.project(vectors), atol=1e-4)
    assert hasher.settings.text == "texts"
    assert hasher.settings.bands == (2, 8)
    assert hasher.settings.metric == "cosine"
    said = hasher.settings.trained
    assert said["settings"]["seed"] == 0
    assert said["measures"] == {"recall": 0.5}
    assert said["data"]["source"] == "labels"
    assert len(said["history"]) == 2
    assert '"best_epoch": 1' in hasher.card


class Nothing:
    text = "texts"
    held_out = HeldOut(["a"], ["b"], np.array([[0, 0]]))

    def __init__(self, groups):
        self.groups = groups

    def examples(self, epoch):
        one = np.array([0]) if self.groups else np.empty(0, np.int64)
        return Examples(["a", "b"], one, one + 1, np.empty((len(one), 0), np.int64), np.array(self.groups, np.int64))

    def summary(self):
        return {}


@pytest.mark.parametrize("groups", [[], [0, 0]])
def test_nothing_to_learn_from(some, groups):
    with pytest.raises(InputError):
        train_hasher(Nothing(groups), some)


def test_settings_that_the_encoder_cannot_have(some, tmp_path):
    with pytest.raises(ConfigError, match="3 of 2"):
        train_hasher(labelled(), dataclasses.replace(some, layers=3))
    with pytest.raises(ConfigError, match="texts and marked"):
        train_hasher(labelled(), dataclasses.replace(some, text="marked"))
    with pytest.raises(ConfigError, match="no such folder"):
        train_hasher(labelled(), dataclasses.replace(some, encoder=str(tmp_path / "none")))
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="device"):
            train_hasher(labelled(), dataclasses.replace(some, device="cuda"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_cuda(some):
    trained = train_hasher(labelled(), dataclasses.replace(some, device="cuda", precision="bfloat16"))
    assert trained.history[-1]["held_out"]["loss"] < trained.history[0]["held_out"]["loss"]
