"""From sources to weights, as a program asks."""

import random
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline.mixing import features
from tamis.pipeline.mixing.features import measure_all
from tamis.pipeline.mixing.report import report_of
from tamis.pipeline.mixing.run import Question, weigh
from tamis.pipeline.mixing.settings import MixingSettings


@pytest.fixture
def engine(tmp_path):
    engine = LocalEngine(tmp_path / "work", threads=2)
    yield engine
    engine.close()


def asked(path, **values):
    return Question((str(path),), "dynamic", MixingSettings.model_validate({}), source="kind", **values)


def sources(seed, rows=60):
    rng = random.Random(seed)
    texts = [
        " ".join(f"{rng.choice('xyz')}{rng.randrange(60)}" for _ in range(rng.randrange(1, 40))) for _ in range(rows)
    ]
    return pa.table({"text": texts, "kind": [rng.choice("abcd") for _ in texts]})


@settings(max_examples=8, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_weights_do_not_depend_on_files_or_their_order(tmp_path_factory, seed, cut):
    folder = tmp_path_factory.mktemp("w")
    table = sources(seed)
    turned = table.take(pa.array(random.Random(seed).sample(range(60), 60)))
    found = []
    for name, parts in (("one", [table]), ("two", [turned.slice(0, cut), turned.slice(cut)])):
        (folder / name).mkdir()
        (folder / f"{name}-memo").mkdir()
        for number, part in enumerate(parts):
            pq.write_table(part, folder / name / f"{number}.parquet")
        engine = LocalEngine(folder / f"{name}-work", threads=2)
        found.append(weigh(engine, asked(folder / name), folder / f"{name}-memo", Silent())[1])
        engine.close()
    assert found[0] == found[1]


def test_all_shingles_of_small_sources(engine, monkeypatch):
    table = pa.table({"text": ["one two three"] * 3, "source": ["a", "b", "b"]})
    found = measure_all(engine.table(table))
    assert [len(sample.hashes) for sample in found.samples] == [1, 1]
    monkeypatch.setattr(features, "MOST_SHINGLES", 1)
    with pytest.raises(InputError, match="every source has a shingle among one in 9; found 'a', 'b'"):
        measure_all(engine.table(table))
    assert measure_all(engine.table(table), one_in=1).tokens.tolist() == [3, 6]


def test_what_is_reported_is_what_was_found(engine, tmp_path):
    pq.write_table(sources(1), tmp_path / "in.parquet")
    found, report = weigh(engine, asked(tmp_path / "in.parquet"), tmp_path, Silent())
    assert [one["weight"] for one in report["sources"]] == found.weights.tolist()
    assert report["notes"]["settled"] is True
    measured = measure_all(engine.table(sources(1).rename_columns(["text", "source"])))
    assert report_of(found, measured, MixingSettings.model_validate({})) == report


def test_methods_have_what_they_need():
    question = Question(("x",), "uniform", MixingSettings.model_validate({}))
    with pytest.raises(
        ConfigError, match="`importance`, and it alone, has --target; found importance without --target"
    ):
        replace(question, method="importance")
    with pytest.raises(ConfigError, match="found uniform with --target"):
        replace(question, target=("y",))
