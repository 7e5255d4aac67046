"""The plan around an encoder, with one that is plain arithmetic; tests/neural has a real one."""

import threading

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ArtefactError, InputError
from tamis.hashing.neural.hasher import Hasher, HasherSettings, save_hasher
from tamis.hashing.neural.onnx_encoder import EncoderSettings
from tamis.jobs.local import LocalEngine
from tamis.pipeline.blocking import vectors
from tamis.pipeline.blocking.vectors import Encode, encoded

TEXTS = ["b", "", "a long text " * 40, "b", "中", "a", "ab", "", "b" * 300]


def vector_of(text):
    data = text.encode()
    return [len(data), sum(data) % 1000, data[0] if data else -1]


@pytest.fixture
def calls(monkeypatch):
    """The texts of each call of the encoder, which is arithmetic here."""
    seen, lock = [], threading.Lock()

    def encode(self, texts, *, threads=1):
        with lock:
            seen.append(list(texts))
        return np.array([vector_of(text) for text in texts], np.float32).reshape(-1, 3)

    monkeypatch.setattr(Hasher, "encode", encode)
    return seen


@pytest.fixture
def hasher(tmp_path):
    encoder = EncoderSettings("plain", 16, "mean", False, 3)
    return save_hasher(tmp_path / "hasher", HasherSettings(encoder), graph=b"", tokenizer="{}")


@pytest.fixture(params=[1, 3], ids="{} threads".format)
def engine(request, tmp_path):
    engine = LocalEngine(tmp_path / "work", threads=request.param, memory_bytes=1 << 28)
    yield engine
    engine.close()


def check(found, texts):
    assert found.dtype == np.float32
    assert found.tolist() == [vector_of(text) for text in texts]


def test_each_distinct_text_is_encoded_once_and_the_longest_first(engine, hasher, calls):
    check(encoded(engine, pa.array(TEXTS), hasher.path), TEXTS)
    asked = [text for part in calls for text in part]
    assert sorted(asked) == sorted(set(TEXTS))
    if engine.threads == 1:
        assert [len(text.encode()) for text in asked] == [480, 300, 3, 2, 1, 1, 0]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()])
def test_any_string_type_will_do(engine, hasher, calls, kind):
    check(encoded(engine, pa.array(["x", *TEXTS], kind)[1:], hasher.path), TEXTS)


def test_no_texts_have_no_vectors(engine, hasher, calls, tmp_path):
    assert encoded(engine, pa.array([], pa.string()), hasher.path, cache=tmp_path / "cache").shape == (0, 3)
    assert calls == []


def test_stored_vectors_are_read(engine, hasher, calls, tmp_path):
    cache = tmp_path / "cache"
    check(encoded(engine, pa.array(TEXTS[:4]), hasher.path, cache=cache), TEXTS[:4])
    calls.clear()
    check(encoded(engine, pa.array(TEXTS), hasher.path, cache=cache), TEXTS)
    assert sorted(text for part in calls for text in part) == ["a", "ab", "b" * 300, "中"]
    calls.clear()
    check(encoded(engine, pa.array(TEXTS[::-1]), hasher.path, cache=cache), TEXTS[::-1])
    assert calls == []
    assert [path.name for path in cache.iterdir()] == [hasher.encoder_fingerprint]


def test_rounds_are_stored_as_they_end(engine, hasher, calls, tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "ROUND_TEXTS", 2)
    cache = tmp_path / "cache"
    encode = Hasher.encode

    def failing(self, texts, **options):
        if "ab" in texts:
            raise InputError("stop", value="ab", remedy="")
        return encode(self, texts, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Hasher, "encode", failing)
        with pytest.raises(InputError, match="stop"):
            encoded(engine, pa.array(TEXTS), hasher.path, cache=cache)
    calls.clear()
    check(encoded(engine, pa.array(TEXTS), hasher.path, cache=cache), TEXTS)
    assert sorted(text for part in calls for text in part) == ["", "a", "ab", "b", "中"]


def test_chunks_are_of_few_texts_and_bytes(engine, hasher, calls, monkeypatch):
    monkeypatch.setattr(vectors, "CHUNK_TEXTS", 3)
    monkeypatch.setattr(vectors, "CHUNK_BYTES", 400)
    texts = [str(n) for n in range(7)] + ["x" * 500, "y" * 300, "z" * 99, "w" * 2]
    check(encoded(engine, pa.array(texts), hasher.path), texts)
    sizes = sorted([len(text) for text in part] for part in calls)
    assert sizes == [[1, 1], [1, 1, 1], [2, 1, 1], [300, 99], [500]]


def test_a_damaged_store_is_named(engine, hasher, calls, tmp_path):
    encoded(engine, pa.array(TEXTS), hasher.path, cache=tmp_path)
    place = tmp_path / hasher.encoder_fingerprint / "part-00000001.parquet"
    place.write_bytes(place.read_bytes()[:50])
    with pytest.raises(ArtefactError, match="part-00000001.parquet"):
        encoded(engine, pa.array(TEXTS), hasher.path, cache=tmp_path)


def test_nulls_are_refused(engine, hasher, calls):
    with pytest.raises(InputError, match="1 of 2 are"):
        encoded(engine, pa.array(["a", None]), hasher.path)


def test_a_worker_with_another_hasher_refuses(hasher, calls):
    batch = pa.RecordBatch.from_pydict({"place": [0], "text": ["a"]})
    assert Encode(hasher.path, hasher.encoder_fingerprint)(batch)["place"].to_pylist() == [0]
    with pytest.raises(ArtefactError, match="all workers see one hasher"):
        Encode(hasher.path, "another")(batch)
