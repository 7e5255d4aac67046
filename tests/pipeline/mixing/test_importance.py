"""Importance resampling over an engine, against sorting in one place."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.bagging import draws
from tamis.hashing.errors import ConfigError
from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.mixing.importance import gumbel_keys, log_ratios, log_weights, ngram_buckets, resampled
from tamis.hashing.sketch import sketch_plan
from tamis.jobs.local import LocalEngine
from tamis.pipeline.mixing.importance import UpTo, descending, resample, taken_by_source, tokens_by_source
from tamis.pipeline.text_column import text_buffers


@pytest.fixture
def engine(tmp_path):
    engine = LocalEngine(tmp_path / "work", threads=2)
    yield engine
    engine.close()


def corpus():
    rng = np.random.Generator(np.random.PCG64(9))
    code, prose = ["def", "return", "import", "class"], ["the", "mill", "river", "flour"]
    texts = [" ".join(rng.choice(code if i % 3 == 0 else prose, 8)) + f" n{i}" for i in range(90)]
    names = ["code" if i % 3 == 0 else "prose" for i in range(90)]
    return pa.table({"id": pa.array(range(90), pa.int64()), "text": texts, "source": names})


def ratios(table):
    data = text_buffers(table["text"].combine_chunks())
    buckets, bounds = ngram_buckets(*data, buckets=500)
    whole = np.bincount(buckets, minlength=500)
    wanted = np.concatenate([buckets[bounds[i] : bounds[i + 1]] for i in range(0, 90, 3)])
    return log_ratios(np.bincount(wanted, minlength=500), whole)


def test_the_sample_is_that_of_one_place(engine):
    table = corpus()
    data, offsets = text_buffers(table["text"].combine_chunks())
    logs = ratios(table)
    hashes = fingerprint(data, offsets, sketch_plan(values=1), banding=None, seed=4).hashes.view(np.int64)
    numbers = draws(hashes[:, 0].copy(), hashes[:, 1].copy(), seed=4, purpose="importance")
    keys = gumbel_keys(log_weights(*ngram_buckets(data, offsets, buckets=500), logs), numbers)
    expected = resampled(keys, np.arange(90), 20).tolist()
    for rows in (table, pa.Table.from_batches(table.take(np.arange(89, -1, -1)).to_batches(max_chunksize=7))):
        taken = resample(engine.table(rows), logs, 20, seed=4)
        assert sorted(taken.collect()["id"].to_pylist()) == sorted(expected)
    assert tokens_by_source(taken) == {"code": 180}  # what the target is made of


def test_short_texts_are_left_out(engine):
    table = pa.table({"id": [1, 2, 3], "text": ["one", "one two three", None], "source": ["a", "a", "b"]})
    flat = np.zeros(10)
    assert resample(engine.table(table), flat, 5, least_tokens=2).collect()["id"].to_pylist() == [2]
    assert sorted(resample(engine.table(table), flat, 5).collect()["id"].to_pylist()) == [1, 2]
    with pytest.raises(ConfigError, match="a sample has a text"):
        resample(engine.table(table), flat, 0)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=9))
def test_ranks_turn_the_order_of_floats_around(values):
    ranks = descending(np.array(values))
    for a, i in zip(values, ranks, strict=True):
        for b, j in zip(values, ranks, strict=True):
            assert (a > b) == (i < j)
            assert (a == b) == (i == j)


@pytest.mark.parametrize("tokens", [1, 8, 100, 500, 100_000])
def test_texts_are_taken_up_to_so_many_tokens(engine, tokens):
    table = corpus()
    logs = ratios(table)
    ranked = resample(engine.table(table), logs, 90, seed=4).collect().sort_by([("rank", "ascending")])
    counts = ranked["tokens"].to_numpy()
    few = int(np.searchsorted(np.cumsum(counts), tokens)) + 1  # up to the text with the last token
    expected = {}
    for name, size in zip(ranked["source"].to_pylist()[:few], counts[:few].tolist(), strict=True):
        rows, taken = expected.get(name, (0, 0))
        expected[name] = (rows + 1, taken + size)
    for rows in (table, pa.Table.from_batches(table.take(np.arange(89, -1, -1)).to_batches(max_chunksize=7))):
        found = taken_by_source(engine.table(rows), logs, tokens, seed=4, id_column="id").to_pydict()
        assert dict(zip(found["source"], zip(found["rows"], found["tokens"], strict=True), strict=True)) == expected


def test_a_sample_of_no_tokens_is_refused(engine):
    with pytest.raises(ConfigError, match="a sample has a token"):
        taken_by_source(engine.table(corpus()), np.zeros(10), 0, id_column="id")


def test_sums_do_not_depend_on_batches():
    table = pa.table({"source": ["a", "b", "a", "b"], "tokens": pa.array([3, 4, 5, 6], pa.int64())})
    for size in (1, 2, 3, 4):
        (found,) = UpTo(8)(iter(table.to_batches(max_chunksize=size)))
        assert found.to_pydict() == {"source": ["a", "b"], "rows": [2, 1], "tokens": [8, 4]}
