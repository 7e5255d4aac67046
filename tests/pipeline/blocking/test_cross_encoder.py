"""What is refused before a model is loaded; scores themselves are tested where the extra ``neural`` is installed."""

import json

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.pipeline.blocking import cross_encoder
from tamis.pipeline.blocking.cross_encoder import cross_encoder_scores

LEFT, RIGHT = pa.array(["a", "b", "a"]), pa.array(["x", "y", "x"])
TRAINED = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}}


class Lengths:
    """Stands in for a model: the score of a pair is the number of characters, and it says what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, encoder, texts, place):
        self.asked += texts
        return np.array([len(a) + 10 * len(b) for a, b in texts], float)


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Return (folder, stand-in)."""
    folder, lengths = tmp_path / "model", Lengths()
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(TRAINED))
    monkeypatch.setattr(cross_encoder, "_loaded", lambda place, device: None)
    monkeypatch.setattr(cross_encoder, "_predicted", lengths)
    return folder, lengths


def test_each_distinct_pair_is_scored_once(model):
    folder, lengths = model
    assert cross_encoder_scores(LEFT, RIGHT, str(folder)).tolist() == [11.0, 11.0, 11.0]
    assert sorted(lengths.asked) == [("a", "x"), ("b", "y")]
    assert cross_encoder_scores(LEFT.slice(0, 0), RIGHT.slice(0, 0), str(folder)).tolist() == []


def test_scores_are_kept_for_this_very_model(model, tmp_path):
    folder, lengths = model
    store = tmp_path / "scores"
    first = cross_encoder_scores(LEFT, RIGHT, str(folder), folder=store)
    more = cross_encoder_scores(pa.array(["b", "long"]), pa.array(["y", "z"]), str(folder), folder=store)
    assert (first.tolist(), more.tolist()) == ([11.0, 11.0, 11.0], [11.0, 14.0])
    assert sorted(lengths.asked) == [("a", "x"), ("b", "y"), ("long", "z")]
    (folder / "weights").write_bytes(b"other")
    cross_encoder_scores(LEFT, RIGHT, str(folder), folder=store)
    assert len(lengths.asked) == 5


def test_what_is_lost_when_killed_is_little(model, tmp_path, monkeypatch):
    folder, lengths = model
    monkeypatch.setattr(cross_encoder, "KEPT_AT_ONCE", 2)
    texts = pa.array([f"{'t' * i}" for i in range(7)])
    cross_encoder_scores(texts, texts, str(folder), folder=tmp_path / "scores")
    assert len(list((tmp_path / "scores").rglob("scores-*.parquet"))) == 4


@pytest.mark.parametrize(
    "config", [{}, {"architectures": ["BertModel"]}, {**TRAINED, "id2label": {"0": "no", "1": "yes"}}]
)
def test_what_is_no_cross_encoder_is_refused(tmp_path, config):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="a cross-encoder is a trained model"):
        cross_encoder_scores(LEFT, RIGHT, str(tmp_path))


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a model has a config.json"):
        cross_encoder_scores(LEFT, RIGHT, str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="a model has a config.json"):
        cross_encoder_scores(LEFT, RIGHT, str(tmp_path))


def test_a_model_that_is_not_here_is_refused_at_once():
    pytest.importorskip("huggingface_hub")
    for name in ("somebody/something-that-is-nowhere", "not a name/at/all"):
        with pytest.raises(ConfigError, match="in the cache of Hugging Face"):
            cross_encoder_scores(LEFT, RIGHT, name)


def test_without_the_extra(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    (tmp_path / "config.json").write_text(json.dumps(TRAINED))
    for name in (str(tmp_path), "somebody/something"):
        with pytest.raises(ConfigError, match="tamis.neural"):
            cross_encoder_scores(LEFT, RIGHT, name)


def test_damaged_scores_are_named(model, tmp_path):
    folder, _ = model
    cross_encoder_scores(LEFT, RIGHT, str(folder), folder=tmp_path / "scores")
    (path,) = (tmp_path / "scores").rglob("scores-*.parquet")
    path.write_bytes(b"PAR1")
    with pytest.raises(ArtefactError, match=path.name):
        cross_encoder_scores(LEFT, RIGHT, str(folder), folder=tmp_path / "scores")
