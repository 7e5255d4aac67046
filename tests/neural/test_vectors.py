import pyarrow as pa
import pytest

from tamis.jobs.local import LocalEngine
from tamis.pipeline.blocking import vectors
from tamis.pipeline.blocking.vectors import encoded

pytestmark = pytest.mark.neural


@pytest.mark.parametrize("threads", [1, 3])
def test_an_engine_makes_the_vectors_that_one_process_makes(tmp_path, tiny, texts, threads, monkeypatch):
    monkeypatch.setattr(vectors, "CHUNK_TEXTS", 5)
    monkeypatch.setattr(vectors, "ROUND_TEXTS", 20)
    _, hasher = tiny
    due = hasher.encode(texts + texts[:9])
    engine = LocalEngine(tmp_path / "work", threads=threads, memory_bytes=1 << 28)
    try:
        column = pa.array(texts + texts[:9])
        half = encoded(engine, column[:30], hasher.path, cache=tmp_path / "cache")
        whole = encoded(engine, column, hasher.path, cache=tmp_path / "cache")
        without = encoded(engine, column, hasher.path)
    finally:
        engine.close()
    assert half.tobytes() == due[:30].tobytes()
    assert whole.tobytes() == without.tobytes() == due.tobytes()
