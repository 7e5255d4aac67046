import subprocess
import sys

import numpy as np
import pytest
from tiny_encoders import tiny_encoder

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.hashing.neural import export
from tamis.hashing.neural.export import export_encoder, load_model
from tamis.hashing.neural.head import Head

pytestmark = pytest.mark.neural


def closest(ours, theirs):
    return float(np.abs(ours - theirs).max())


@pytest.mark.parametrize(
    ("kind", "pooling"),
    [
        ({}, "mean"),
        ({"pooling": "cls", "normalise": False}, "cls"),
        ({"pooling": "max"}, "graph"),
        ({"dense": 8}, "graph"),
    ],
    ids=str,
)
def test_a_hasher_makes_the_vectors_of_its_model(tmp_path, texts, kind, pooling):
    model = tiny_encoder(tmp_path / "model", **kind)
    hasher = export_encoder(model, tmp_path / "hasher", name="tiny")
    assert hasher.settings.encoder.pooling == pooling
    assert hasher.settings.encoder.max_tokens == 48
    assert closest(hasher.encode(texts), model.encode(texts, batch_size=7, show_progress_bar=False)) < 1e-5


def test_minilm_makes_its_vectors_and_nearly_all_signs(minilm, texts):
    model, hasher = minilm
    theirs = model.encode(texts, show_progress_bar=False)
    ours = hasher.encode(texts, threads=2)
    assert hasher.settings.encoder.max_tokens == 256
    assert closest(ours, theirs) < 1e-6
    rng = np.random.Generator(np.random.PCG64(5))
    head = Head((rng.standard_normal((384, 64)).astype(np.float32),), (np.zeros(64, np.float32),))
    one, other = head(ours), head(theirs)
    differ = (one > 0) != (other > 0)
    assert differ.mean() <= 1e-3
    assert (np.abs(one[differ]) < 1e-5).all()


def test_a_shorter_limit_is_that_of_the_model_too(tmp_path, tiny):
    model, _ = tiny
    hasher = export_encoder(model, tmp_path / "h", max_tokens=7)
    assert model.max_seq_length == 48
    short = tiny_encoder(tmp_path / "model")
    short.max_seq_length = 7
    text = ["sony tv black white camera lens"]
    assert closest(hasher.encode(text), short.encode(text, show_progress_bar=False)) < 1e-6
    assert closest(hasher.encode(text), model.encode(text, show_progress_bar=False)) > 1e-3
    for tokens in (1, 49):
        with pytest.raises(ConfigError, match=f"found {tokens} where 2 to 48 can be"):
            export_encoder(model, tmp_path / "other", max_tokens=tokens)


def test_a_saved_model_gives_the_same_hasher_each_time(tmp_path, tiny):
    model, hasher = tiny
    model.save(str(tmp_path / "saved"))
    again = export_encoder(str(tmp_path / "saved"), tmp_path / "h")
    assert again.encoder_fingerprint == hasher.encoder_fingerprint
    assert again.settings.encoder.name == "saved"


def test_what_stands_around_the_encoder_is_saved_with_it(tmp_path, tiny):
    rng = np.random.Generator(np.random.PCG64(5))
    head = Head((rng.standard_normal((32, 8)).astype(np.float32),), (np.zeros(8, np.float32),))
    hasher = export_encoder(
        tiny[0], tmp_path / "h", name="n", text="texts", head=head, bands=(2, 4), trained={"seed": 1}, card="# Mine\n"
    )
    assert (hasher.settings.text, hasher.settings.bands, hasher.settings.trained) == ("texts", (2, 4), {"seed": 1})
    assert hasher.card == "# Mine\n"
    vectors = hasher.encode(["sony tv"])
    assert hasher.project(vectors).tobytes() == head(vectors).tobytes()


def test_a_prompt_of_the_model_stands_before_each_text(tmp_path):
    model = tiny_encoder(tmp_path / "model")
    model.prompts = {"query": "price "}
    model.default_prompt_name = "query"
    hasher = export_encoder(model, tmp_path / "h")
    assert hasher.settings.encoder.query_prefix == "price "
    assert closest(hasher.encode(["sony"]), model.encode(["sony"], show_progress_bar=False)) < 1e-6


def test_the_model_stays_as_it_was(tmp_path):
    model = tiny_encoder(tmp_path / "model").half().train()
    hasher = export_encoder(model, tmp_path / "h")
    assert model.training
    assert {parameter.dtype for parameter in model.parameters()} == {next(model.parameters()).dtype}
    assert str(next(model.parameters()).dtype) == "torch.float16"
    theirs = model.float().encode(["sony tv"], show_progress_bar=False)
    assert closest(hasher.encode(["sony tv"]), theirs) < 1e-6


def test_a_graph_that_is_off_is_not_saved(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", 1e-12)
    with pytest.raises(ArtefactError, match="an ONNX graph makes the vectors of its model"):
        export_encoder(tiny[0], tmp_path / "h")
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_there_is_refused_at_once(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="HF_HUB_OFFLINE is set.*hf download"):
        load_model("no/such-model")
    with pytest.raises(ConfigError, match="there is no such folder"):
        load_model(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="an encoder is the folder of a sentence-transformers model"):
        load_model(tmp_path)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        load_model("no/such-model")


def test_using_a_hasher_loads_no_torch(tiny):
    code = (
        "import sys\n"
        "from tamis.hashing.neural.hasher import load_hasher\n"
        f"hasher = load_hasher({tiny[1].path!r})\n"
        "assert not {'onnxruntime', 'tokenizers'} & set(sys.modules)\n"
        "print(hasher.encode(['sony tv']).tobytes().hex())\n"
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)\n"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    assert made.stdout.strip() == tiny[1].encode(["sony tv"]).tobytes().hex()
