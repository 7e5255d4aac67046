"""What texts say of their sources is the same on Spark and on one machine."""

import numpy as np
import pyarrow as pa
import pytest
from spark_sessions import test_session

from tamis.jobs.local import LocalEngine
from tamis.jobs.spark import SparkEngine
from tamis.pipeline.mixing.features import BANDS, NGRAMS, Bucketing, measure
from tamis.pipeline.mixing.importance import resample, tokens_by_source

pytestmark = pytest.mark.spark


@pytest.fixture
def engines(tmp_path):
    local, spark = (
        LocalEngine(tmp_path / "local", threads=2),
        SparkEngine(tmp_path / "spark", test_session(), driver_tables=0),
    )
    yield local, spark
    local.close()
    spark.close()


def texts():
    rng = np.random.Generator(np.random.PCG64(2))
    lines = [" ".join(f"word{i}" for i in rng.zipf(1.3, 20) % 90) for _ in range(200)]
    table = pa.table({"id": pa.array(range(200), pa.int64()), "text": lines, "source": ["web", "wiki"] * 100})
    return pa.Table.from_batches(table.to_batches(max_chunksize=30))


@pytest.mark.parametrize("kind", [NGRAMS, BANDS])
def test_measures_are_the_same(engines, kind):
    one, other = (measure(engine.table(texts()), bucketing=Bucketing(kind, 100), one_in=4) for engine in engines)
    assert one.names == other.names == ("web", "wiki")
    assert one.tokens.tolist() == other.tokens.tolist() == [2000, 2000]
    assert one.histograms.counts.tolist() == other.histograms.counts.tolist()
    for a, b in zip(one.samples, other.samples, strict=True):
        assert (a.hashes.tolist(), a.counts.tolist()) == (b.hashes.tolist(), b.counts.tolist())


def test_samples_are_the_same(engines):
    ratios = np.linspace(-1, 1, 50)
    one, other = (resample(engine.table(texts()), ratios, 30, seed=1) for engine in engines)
    assert sorted(one.collect()["id"].to_pylist()) == sorted(other.collect()["id"].to_pylist())
    assert tokens_by_source(one) == tokens_by_source(other)
