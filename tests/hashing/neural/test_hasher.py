"""Saving and loading; none of it needs the libraries that encode."""

import hashlib
import json
import pickle
import sys

import numpy as np
import pytest

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.hashing.neural.hasher import PROFILE, HasherSettings, load_hasher, save_hasher
from tamis.hashing.neural.head import Head
from tamis.hashing.neural.onnx_encoder import EncoderSettings
from tamis.pipeline.blocking.records import RECORD_PROFILE

ENCODER = EncoderSettings("tiny", 16, "mean", True, 4)
HEAD = Head((np.eye(4, 3, dtype=np.float32),), (np.array([0, 1, -1], np.float32),), "relu")
TRAINED = {"seed": 7, "loss": [1.5, 0.25], "data": "pairs of ä"}


def saved(path, head=HEAD, encoder=ENCODER, **around):
    return save_hasher(path, HasherSettings(encoder, **around), graph=b"graph", tokenizer="{}", head=head)


def test_the_header_says_all(tmp_path):
    saved(tmp_path / "h", bands=(8, 4), metric="euclidean", text="texts", trained=TRAINED)
    header = json.loads((tmp_path / "h/hasher.json").read_text())
    files = header.pop("files")
    assert header == {
        "format": "tamis-hasher",
        "version": 1,
        "profile": "record-v1",
        "text": "texts",
        "encoder": {
            "name": "tiny",
            "max_tokens": 16,
            "pooling": "mean",
            "normalise": True,
            "dim": 4,
            "query_prefix": "",
        },
        "head": {"bits": 3, "hidden": [], "activation": "relu"},
        "bands": [8, 4],
        "metric": "euclidean",
        "trained": TRAINED,
    }
    assert sorted(files) == ["README.md", "encoder.onnx", "head.npz", "tokenizer.json"]
    assert files["encoder.onnx"] == hashlib.sha256(b"graph").hexdigest()
    assert sorted(p.name for p in (tmp_path / "h").iterdir()) == sorted([*files, "hasher.json"])
    assert [p.name for p in tmp_path.iterdir()] == ["h"]


def test_what_is_saved_comes_back(tmp_path):
    made = saved(tmp_path / "h", bands=(8, 4), trained=TRAINED)
    again = pickle.loads(pickle.dumps(load_hasher(tmp_path / "h")))
    assert again.settings == made.settings == HasherSettings(ENCODER, bands=(8, 4), trained=TRAINED)
    assert again.project(np.array([[1, 2, 3, 4]], np.float32)).tolist() == [[1, 3, 2]]
    assert again.fingerprint == made.fingerprint
    assert '"loss": [' in again.card
    assert "a code of 3 bits" in again.card


def test_the_profile_is_that_of_records():
    assert PROFILE == RECORD_PROFILE


def test_fingerprints_tell_what_decides_outputs(tmp_path):
    first = saved(tmp_path / "a")
    named = saved(tmp_path / "b", encoder=EncoderSettings("other", 16, "mean", True, 4), trained=TRAINED)
    assert (named.fingerprint, named.encoder_fingerprint) == (first.fingerprint, first.encoder_fingerprint)
    headless = saved(tmp_path / "c", head=None)
    texts = saved(tmp_path / "d", text="texts")
    assert headless.encoder_fingerprint == texts.encoder_fingerprint == first.encoder_fingerprint
    cut = saved(tmp_path / "e", encoder=EncoderSettings("tiny", 8, "mean", True, 4))
    settings = HasherSettings(ENCODER)
    other = save_hasher(tmp_path / "f", settings, graph=b"other", tokenizer="{}", head=HEAD)
    gelu = saved(tmp_path / "g", head=Head(HEAD.weights, HEAD.biases))
    assert len({h.fingerprint for h in (first, headless, texts, cut, other, gelu)}) == 6
    assert len({h.encoder_fingerprint for h in (first, cut, other)}) == 3
    assert first.encoder_fingerprint[:16] == "8b7a60f1ecb1e89e"
    assert first.fingerprint[:16] == "c00f53723cc8fc59"


def test_equal_hashers_have_equal_bytes(tmp_path):
    saved(tmp_path / "a", trained=TRAINED)
    saved(tmp_path / "b", trained=TRAINED)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "head.npz", "README.md"])
def test_a_changed_file_is_refused_with_both_digests(tmp_path, name):
    made = saved(tmp_path / "h")
    (tmp_path / "h" / name).write_bytes(b"changed")
    with pytest.raises(ArtefactError) as refused:
        load_hasher(tmp_path / "h")
    digest = hashlib.sha256(b"changed").hexdigest()
    assert f"{name} has sha256 {digest} where its header says {made.files[name]}" in str(refused.value)
    (tmp_path / "h" / name).unlink()
    with pytest.raises(ArtefactError, match=f"{name}: No such file"):
        load_hasher(tmp_path / "h")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "of format tamis-hasher version 1; found .*: tamis-hasher version 2"),
        ({"format": "other"}, "other version 1"),
        ({"files": {"../x": "0"}}, "its header names ../x where README.md, encoder.onnx, head.npz"),
        ({"files": None}, "no list of files"),
        ({"encoder": {"name": "tiny"}}, "missing"),
        ({"metric": "dot"}, "compares by cosine or euclidean"),
        ({"bands": 5}, "hasher.json"),
        ({"head": {"bits": 4, "activation": "relu"}}, "beside another header"),
        ({"head": {"bits": 3, "activation": "tanh"}}, "head.npz"),
    ],
)
def test_another_header_is_refused(tmp_path, change, message):
    saved(tmp_path / "h")
    place = tmp_path / "h/hasher.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(ArtefactError, match=message):
        load_hasher(tmp_path / "h")


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"format": "tamis-hasher"}', "\udcff"])
def test_a_header_that_is_none_is_refused(tmp_path, text):
    saved(tmp_path / "h")
    (tmp_path / "h/hasher.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ArtefactError, match=r"h: hasher\.json"):
        load_hasher(tmp_path / "h")


def test_no_hasher_is_no_hasher(tmp_path):
    with pytest.raises(ArtefactError, match="a hasher has a header; found no .*hasher.json"):
        load_hasher(tmp_path)


def test_nothing_is_written_over_and_nothing_half(tmp_path, monkeypatch):
    saved(tmp_path / "h")
    before = {p.name: p.read_bytes() for p in (tmp_path / "h").iterdir()}
    with pytest.raises(ConfigError, match="saved in a new or empty folder"):
        saved(tmp_path / "h", head=None)
    assert {p.name: p.read_bytes() for p in (tmp_path / "h").iterdir()} == before
    (tmp_path / "empty").mkdir()
    saved(tmp_path / "empty")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        saved(tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "h"]


def test_settings_that_cannot_be_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="JSON without NaN"):
        saved(tmp_path / "h", trained={"loss": float("nan")})
    with pytest.raises(ConfigError, match="a head takes vectors of its encoder; found 4 values of 5"):
        saved(tmp_path / "h", encoder=EncoderSettings("tiny", 16, "mean", True, 5))
    for wrong in ({"max_tokens": 0}, {"dim": True}, {"pooling": "max"}, {"normalise": 1}):
        with pytest.raises(ConfigError, match="pools by one of mean, cls, graph"):
            EncoderSettings(**{"name": "x", "max_tokens": 4, "pooling": "mean", "normalise": True, "dim": 4} | wrong)
    for wrong in ({"text": "raw"}, {"bands": (0, 4)}, {"bands": (4,)}, {"metric": "dot"}):
        with pytest.raises(ConfigError, match="a hasher reads marked or texts"):
            HasherSettings(ENCODER, **wrong)


def test_a_hasher_without_a_head_makes_no_codes(tmp_path):
    with pytest.raises(ConfigError, match="codes are made by a head"):
        saved(tmp_path / "a", head=None).project(np.zeros((1, 4), np.float32))
    with pytest.raises(ConfigError, match=r"shape \(1, 5\) where \(n, 4\) is due"):
        saved(tmp_path / "b").project(np.zeros((1, 5), np.float32))


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_without_its_libraries_encoding_says_what_to_install(tmp_path, monkeypatch, library):
    hasher = saved(tmp_path / "h")
    if library == "onnxruntime":
        monkeypatch.setattr("tamis.hashing.neural.onnx_encoder._tokenizer", lambda *_: None)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=rf"needs the library {library}.*pip install 'tamis\[neural\]'"):
        hasher.encode(["a"])
