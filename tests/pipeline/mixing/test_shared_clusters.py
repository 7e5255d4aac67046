"""Clusters that sources share, against counting with Python's sets."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.hashing.errors import ArtefactError, InputError
from tamis.pipeline.mixing.shared_clusters import shared_clusters

NAMES = ("books", "code", "news", "web")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    rng = random.Random(4)
    texts = [" ".join(f"w{rng.randrange(500)}" for _ in range(30)) for _ in range(40)]
    rows = [(rng.choice(texts), rng.choice(("books", "news", "web"))) for _ in range(150)]
    pq.write_table(pa.table({"text": [t for t, _ in rows], "kind": [s for _, s in rows]}), folder / "in.parquet")
    out = folder / "out"
    result = tamis.dedup(folder / "in.parquet", out=out, source="kind", allow_loss=["books", "news", "web"])
    return out, result


def test_counts_are_those_of_sets(run):
    out, result = run
    sources = {}
    for line in result.clusters.to_pylist():
        sources.setdefault(line["cluster"], []).append(line["source"])
    removed = result.removed["source"].to_pylist()
    found = shared_clusters(out, NAMES)
    for i, one in enumerate(NAMES):
        for j, other in enumerate(NAMES):
            assert found.clusters[i, j] == sum({one, other} <= set(members) for members in sources.values())
        assert found.members[i] == sum(members.count(one) for members in sources.values())
        assert found.removed[i] == removed.count(one)
    assert found.clusters[0, 2] > 5
    assert found.removed.sum() > 90


def test_other_sources_are_named(run):
    with pytest.raises(InputError, match="found 'books', 'web', where there are 'code', 'news'"):
        shared_clusters(run[0], ("code", "news"))


def test_a_run_that_did_not_finish(tmp_path):
    with pytest.raises(ArtefactError, match="a result is of a finished run"):
        shared_clusters(tmp_path, NAMES)


def test_no_duplicates_at_all(tmp_path):
    pq.write_table(pa.table({"text": ["one two three", "four five six"], "kind": ["a", "b"]}), tmp_path / "in.parquet")
    tamis.dedup(tmp_path / "in.parquet", out=tmp_path / "out", source="kind")
    found = shared_clusters(tmp_path / "out", ("a", "b"))
    assert found.clusters.tolist() == [[0, 0], [0, 0]]
    assert found.removed.tolist() == [0, 0]
