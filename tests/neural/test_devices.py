"""Training on each device that is there: nothing is left on another one, and codes are those of the processor."""

import contextlib
import copy
import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import torch
from tiny_encoders import tiny_encoder

from tamis.hashing.neural.data import Examples, HeldOut
from tamis.hashing.neural.network import Network, load_encoder
from tamis.hashing.neural.save import save_trained
from tamis.hashing.neural.settings import TrainSettings
from tamis.hashing.neural.train import _Run, train_hasher

pytestmark = pytest.mark.neural
NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
DEVICES = ["cpu", pytest.param("cuda", marks=NO_GPU)]
TEXTS = ["sony tv", "tv by sony", "camera lens", "lens, camera", "red zoom", "zoom red", "black kdl", "white 99"]
PAIRS = Examples(TEXTS, np.array([0, 2, 4]), np.array([1, 3, 5]), np.array([[6], [7], [-1]]), np.arange(8) // 2)


class Data:
    text = "texts"
    held_out = HeldOut(TEXTS[::2], TEXTS[1::2], np.array([[0, 0], [1, 1], [2, 2]]))

    def examples(self, epoch):
        return PAIRS

    def summary(self):
        return {}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    tiny_encoder(folder / "parts").save(str(folder / "saved"))
    return str(folder / "saved")


@pytest.fixture
def some(encoder):
    return TrainSettings(
        encoder, text="texts", max_tokens=40, bits=16, epochs=3, batch=2, rate=3e-3, threads=1, calibration=0.1
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_hasher_that_is_saved_makes_the_codes_of_the_network(some, device, precision, tmp_path):
    trained = train_hasher(Data(), dataclasses.replace(some, device=device, precision=precision))
    assert {part.device.type for module in trained.network.modules for part in module.parameters()} == {device}
    hasher = save_trained(trained, tmp_path / "hasher")
    own = trained.network.project(trained.network.encode(TEXTS))
    saved = hasher.project(hasher.encode(TEXTS))
    np.testing.assert_allclose(saved, own, atol={"float32": 1e-4, "bfloat16": 0.2}[precision])
    assert np.abs(saved[(saved > 0) != (own > 0)]).max(initial=0.0) < {"float32": 1e-4, "bfloat16": 0.1}[precision]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_makes_the_vectors_of_the_processor(some, device):
    one, other = (Network(dataclasses.replace(some, device=name)) for name in ("cpu", device))
    np.testing.assert_allclose(other.encode(TEXTS), one.encode(TEXTS), atol=1e-5)
    np.testing.assert_allclose(other.saved_head().weights[0], one.saved_head().weights[0], atol=0)


@pytest.mark.parametrize("device", DEVICES)
def test_training_leaves_the_random_state_as_it_was(some, device):
    states = [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if device == "cuda" else [])]
    train_hasher(Data(), dataclasses.replace(some, device=device, epochs=1))
    after = [torch.get_rng_state(), *([torch.cuda.get_rng_state()] if device == "cuda" else [])]
    assert [torch.equal(a, b) for a, b in zip(states, after, strict=True)] == [True] * len(states)


class Bag(torch.nn.Module):
    """An encoder without values: transformers look at theirs."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.empty(9, 32, device="meta"))
        self.device = self.weight.device

    def preprocess(self, texts):
        return {"ids": torch.arange(len(texts))[:, None] % 9, "kind": "text"}

    def forward(self, features):
        assert features["ids"].device == self.device
        return {"sentence_embedding": torch.nn.functional.embedding(features["ids"], self.weight).mean(1)}


@pytest.mark.parametrize("binarise", ["tanh", "straight-through"])
def test_a_step_leaves_no_tensor_on_the_processor(some, binarise, monkeypatch):
    """Tensors of the device ``meta`` have no values, but an operation that mixes them with others is refused."""
    settings = dataclasses.replace(some, binarise=binarise, decorrelation=0.0)  # which picks by a mask: by values
    network = Network(settings)
    network.encoder = Bag()
    network.head.to("meta")
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # it knows no such device
    run = _Run(network, Data(), lambda _: None, 1)
    parts = run.losses(PAIRS, np.array([0, 1, 2]))
    assert {name: part.device.type for name, part in parts.items()} == dict.fromkeys(
        ["vectors", "codes", "balance", "quantisation", "calibration"], "meta"
    )
    torch.stack(list(parts.values())).sum().backward()
    assert {weight.grad.device.type for weight in run.weights} == {"meta"}


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_weights_saved_with_16_bits_are_trained_with_32(some, encoder, kind, tmp_path):
    model = load_encoder(some)
    copy.deepcopy(model).to(kind).save(str(tmp_path / "model"))
    narrow = dataclasses.replace(some, encoder=str(tmp_path / "model"))
    network = Network(narrow)
    assert {part.dtype for part in network.encoder.parameters()} == {torch.float32}
    np.testing.assert_allclose(network.encode(TEXTS), Network(some).encode(TEXTS), atol=0.02)
    history = train_hasher(Data(), narrow).history
    assert history[-1]["losses"]["vectors"] < history[1]["losses"]["vectors"]
