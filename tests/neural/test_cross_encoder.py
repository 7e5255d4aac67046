"""Scores of a cross-encoder that is made here: a small one with weights of a seed."""

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError
from tamis.pipeline.blocking import cross_encoder
from tamis.pipeline.blocking.cross_encoder import cross_encoder_scores, model_fingerprint

pytestmark = [
    pytest.mark.neural,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # those of the libraries that load models
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

WORDS = ["sony", "bravia", "tv", "radio", "apple", "iphone", "case", "of", "the", "and"]
LEFT = pa.array(["sony tv", "apple", "sony tv", "radio of the case and sony", "tv"])
RIGHT = pa.array(["sony radio", "apple iphone", "sony radio", "case", "tv"])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return a folder with a model of two layers."""
    pytest.importorskip("sentence_transformers", reason="the extra `neural` is not installed")
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("model")
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        config = BertConfig(
            vocab_size=5 + len(WORDS),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            initializer_range=0.5,
            num_labels=1,
        )
        BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


def test_scores_are_those_of_the_library(model):
    from sentence_transformers import CrossEncoder

    found = cross_encoder_scores(LEFT, RIGHT, model, device="cpu")
    texts = list(zip(LEFT.to_pylist(), RIGHT.to_pylist(), strict=True))
    expected = CrossEncoder(model, device="cpu").predict(texts, show_progress_bar=False)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len(set(found.tolist())) == 4


def test_a_score_does_not_depend_on_the_others(model):
    every = cross_encoder_scores(LEFT, RIGHT, model, device="cpu")
    turned = cross_encoder_scores(LEFT[::-1], RIGHT[::-1], model, device="cpu")
    alone = [cross_encoder_scores(LEFT.slice(i, 1), RIGHT.slice(i, 1), model, device="cpu")[0] for i in range(5)]
    assert every.tolist() == turned[::-1].tolist() == alone


def test_threads_change_nothing_and_stay_as_they_were(model):
    import torch

    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(cross_encoder_scores(LEFT, RIGHT, model, device="cpu").tolist())
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1]


def test_kept_scores_are_read(model, tmp_path, monkeypatch):
    first = cross_encoder_scores(LEFT, RIGHT, model, folder=tmp_path, device="cpu")
    assert len(list(tmp_path.rglob("scores-*.parquet"))) == 1
    monkeypatch.setattr(cross_encoder, "_loaded", None)  # a model that is not asked for
    assert cross_encoder_scores(LEFT, RIGHT, model, folder=tmp_path, device="cpu").tolist() == first.tolist()


def test_a_damaged_model_is_named(model, tmp_path):
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    (folder / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ArtefactError, match="a cross-encoder can be loaded"):
        cross_encoder_scores(LEFT, RIGHT, str(folder), device="cpu")


def test_scores_are_made_on_the_processor_and_those_of_a_named_device_kept_apart(model, monkeypatch, tmp_path):
    asked = []
    loaded = cross_encoder._loaded

    def recorded(place, device):
        asked.append(device)
        return loaded(place, "cpu")

    monkeypatch.setattr(cross_encoder, "_loaded", recorded)
    for device in ({}, {"device": "cuda:1"}, {"device": "cuda"}, {}):
        cross_encoder_scores(LEFT, RIGHT, model, folder=tmp_path, **device)
    assert asked == ["cpu", "cuda:1"]
    own = model_fingerprint(model)
    assert sorted(path.name for path in tmp_path.iterdir()) == [own, f"{own}-cuda"]
