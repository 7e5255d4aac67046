"""Sources weighed by Spark have the weights that one machine gives them."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from spark_sessions import test_session

from tamis.jobs.engine_options import EngineOptions
from tamis.jobs.mix import mix_sources
from tamis.pipeline.config import Spark
from tamis.pipeline.mixing.run import Question
from tamis.pipeline.mixing.settings import MixingSettings

pytestmark = pytest.mark.spark

FILES = ("mixture.yaml", "mix.json", "mix.html")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("sources"), random.Random(3)
    for name in ("one", "two"):
        texts = [" ".join(f"{rng.choice('abc')}{rng.randrange(300)}" for _ in range(25)) for _ in range(400)]
        kinds = [rng.choice(("web", "wiki", "code")) for _ in texts]
        pq.write_table(pa.table({"text": texts, "kind": kinds}), folder / f"{name}.parquet", row_group_size=90)
    pq.write_table(pa.table({"text": ["a1 a2 a3 b4 b5", "a1 b4"]}), folder / "target.parquet")
    return folder


@pytest.mark.parametrize("method", ["dynamic", "smart", "importance"])
def test_a_mixture_on_both_engines(inputs, tmp_path, method):
    test_session()
    target = (str(inputs / "target.parquet"),) if method == "importance" else ()
    asked = Question(
        (str(inputs / "one.parquet"), str(inputs / "two.parquet")),
        method,
        MixingSettings.model_validate({"budget": 8_000}),
        source="kind",
        target=target,
    )
    mix_sources(asked, tmp_path / "local", EngineOptions())
    mix_sources(asked, tmp_path / "spark", EngineOptions("spark", spark=Spark(driver_tables=0)))
    for name in FILES:
        assert (tmp_path / "spark" / name).read_bytes() == (tmp_path / "local" / name).read_bytes(), name
