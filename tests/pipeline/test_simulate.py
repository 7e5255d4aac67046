"""What the simulation says is what readers do, and what plain counting gives."""

import doctest
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from shard_sets import write_set

from tamis.hashing.errors import ConfigError
from tamis.pipeline import simulate as module
from tamis.pipeline.report.charts import distance_chart, standalone
from tamis.pipeline.simulate import Loading, simulate
from tamis.reader import ShardReader
from tamis.reader.shard_set import open_sets

N = 6 * 5 * 16 + 29


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("simulate") / "out", files=6, groups=5, group_rows=16, tail_rows=29)


def simulated(out, **loading):
    (shards,) = open_sets(str(out), ["train"])
    return simulate(
        shards, Loading(**{"world_size": 3, "workers": 2, "batch": 24, "streams": 12, "window": 2, **loading})
    )


def read_by(out, rank, found):
    """Return the (file, group) that the reader of a rank reads, alone in its process."""
    loading = found["loading"]
    names = ("streams", "window", "chunk", "world_size", "remainder", "seed")
    reader = ShardReader(out, rank=rank, batch_size=loading["batch"] // 3, **{name: loading[name] for name in names})
    cursor = reader.cursor()
    group, read = cursor._files[0].group, []
    cursor._files[0].group = lambda file, number: read.append((file, number)) or group(file, number)
    reader.cursor = lambda: cursor
    batches = list(reader)
    return reader, batches, read


@pytest.mark.parametrize("batch", [24, 48, 264])
@pytest.mark.parametrize("remainder", ["drop", "pad", "wrap"])
def test_ranks_read_what_is_said(out, remainder, batch):
    found = simulated(out, workers=1, remainder=remainder, batch=batch)
    padded = 0
    for rank in range(3):
        reader, batches, read = read_by(out, rank, found)
        files = reader.sets[0].files
        assert found["ranks"][rank] == {
            "rank": rank,
            "bytes": sum(files[file].groups[group][1] for file, group in read),
            "groups": len(read),
            "files": len({file for file, _ in read}),
            "steps": len(batches),
            "rows": sum(batch.num_rows for batch in batches),
        }
        assert found["memory_bytes"] == reader.memory_bytes
        assert found["dropped"] == len(reader.tail_rows)
        padded += sum(sum(batch["__padding"].to_pylist()) for batch in batches if remainder == "pad")
    assert padded == (found["padded"] if remainder == "pad" else 0)


def test_what_is_left_over(out):
    assert simulated(out)["dropped"] == N % 24
    assert simulated(out, remainder="wrap")["padded"] == 24 - N % 24
    assert [simulated(out, remainder=name)["steps"] for name in ("drop", "pad")] == [N // 24, N // 24 + 1]


def test_workers_share_what_their_rank_reads(out):
    one, two = (simulated(out, workers=workers, chunk=1, batch=6) for workers in (1, 2))
    pool = 6 + 2  # groups that 12 streams leave over, and pieces of the tail
    assert (one["pool_groups"], one["groups"]) == (6, 30)
    assert [rank["groups"] for rank in one["ranks"]] == [24 // 3 + pool] * 3
    assert [rank["groups"] for rank in two["ranks"]] == [24 // 3 + 2 * pool] * 3
    assert one["read_share"] == pytest.approx(sum(rank["bytes"] for rank in one["ranks"]) / one["bytes"])


def test_distances_are_those_of_the_sequence(out):
    found = simulated(out, seed=4)["shuffle"]
    reader = ShardReader(out, seed=4, batch_size=8, streams=12, window=2)
    positions = np.empty(N, np.int64)
    positions[reader._order(0, 0).rows()] = np.arange(N)
    distances = [abs(positions[row] - positions[row + 1]) for row in range(N - 1) if row // 16 == (row + 1) // 16]
    assert found["pairs"] == len(distances)
    assert found["median"] == np.quantile(distances, 0.5)
    assert found["low"] == np.quantile(distances, 0.05)
    assert found["curve"][0] == [0.0, min(distances)]
    assert found["curve"][-1] == [1.0, max(distances)]
    assert found["uniform_median"] == pytest.approx(N * (1 - 0.5**0.5))
    assert found["uniform_low"] == pytest.approx(N * (1 - 0.95**0.5))


def test_one_window_of_all_groups_is_a_permutation(tmp_path):
    out = write_set(tmp_path / "out", files=4, groups=8, group_rows=64)
    found = simulated(out, world_size=1, workers=1, streams=1, window=32, batch=8)["shuffle"]
    assert found["median"] == pytest.approx(found["uniform_median"], rel=0.1)
    assert found["low"] == pytest.approx(found["uniform_low"], rel=0.3)


def test_loaders_that_deal_out_files_or_groups_hang(out):
    files, groups = simulated(out, workers=1, batch=24)["others"]
    # batches of 8 rows; ranks have files 0, 3 and the tail (80 + 80 + 29 rows), 1 and 4, 2 and 5
    same = {"idle_workers": 0, "dropped": 5, "hangs": True}
    assert files == {"split": "files", "units": 7, "least_steps": 20, "most_steps": 23, **same}
    # groups 0, 3 ... 27 and 30, which is of the tail; 1 ... 28 and 31, of 13 rows; 2 ... 29
    assert groups == {"split": "row groups", "units": 32, "least_steps": 20, "most_steps": 22, **same}


def test_loaders_that_get_equal_shares_do_not(tmp_path):
    out = write_set(tmp_path / "out", files=6, groups=4, group_rows=16)
    files, groups = simulated(out, workers=2)["others"]
    assert [(other["least_steps"], other["most_steps"], other["hangs"]) for other in (files, groups)] == [
        (16, 16, False)
    ] * 2
    files, groups = simulated(out, world_size=4, workers=3, batch=32, streams=12)["others"]
    assert (files["idle_workers"], files["hangs"], groups["hangs"]) == (6, True, False)


def test_world_sizes_that_divide(out):
    assert simulated(out)["even"] == {"reader": [1, 3], "files": [1, 3], "row groups": [1, 3, 5, 15]}
    assert simulated(out, workers=1, batch=96)["even"]["reader"] == [1, 2, 3, 4, 6, 12]


def test_defaults_are_those_of_the_reader(out):
    (shards,) = open_sets(str(out), ["train"])
    loading = simulate(shards, Loading(world_size=4, workers=2, batch=48))["loading"]
    reader = ShardReader(out, world_size=4, batch_size=12)
    reader.use_workers(2)
    assert (loading["streams"], loading["chunk"]) == (reader.streams, reader.chunk) == (24, 4)


@pytest.mark.parametrize(
    ("loading", "rule"),
    [
        ({"batch": 25}, "the ranks divide a batch; found 25 rows for 3 ranks"),
        ({"workers": 5}, "number of streams is a multiple"),
        ({"remainder": "keep"}, "a remainder is one of"),
        ({"window": 0}, "window is at least 1"),
        ({"chunk": 3}, "a chunk divide those of a row group"),
    ],
)
def test_what_cannot_be_is_refused(out, loading, rule):
    with pytest.raises(ConfigError, match=rule):
        simulated(out, **loading)


def test_an_empty_set_reads_nothing(tmp_path):
    found = simulated(write_set(tmp_path / "out", files=1, groups=0, group_rows=1), batch=3, world_size=3)
    assert (found["steps"], found["read_share"], found["shuffle"]) == (0, 0.0, {"of_rows": 0, "pairs": 0})


def test_the_chart_is_a_file_of_its_own(out):
    shuffle = simulated(out)["shuffle"]
    drawn = ET.fromstring(standalone(distance_chart(shuffle)))
    space = "{http://www.w3.org/2000/svg}"
    paths = drawn.findall(f"{space}path")
    assert [path.find(f"{space}title").text for path in paths] == ["a permutation of all rows", "this order"]
    assert [path.get("d").count("L") for path in paths] == [50, 50]
    ticks = [text.text for text in drawn.findall(f"{space}text") if text.get("text-anchor") == "middle"]
    assert ticks == ["1", "10", "100", "rows apart"]


def test_a_large_set_is_sampled(out, monkeypatch):
    settings = {"world_size": 1, "workers": 1, "streams": 1, "window": 5, "chunk": 1}
    whole = simulated(out, **settings)["shuffle"]
    monkeypatch.setattr(module, "SAMPLED_ROWS", 300)
    sampled = simulated(out, **settings)["shuffle"]
    assert (whole["pairs"], sampled["pairs"]) == (6 * 75 + 15 + 12, 3 * 75 + 15)  # every second part
    assert sampled["median"] == pytest.approx(whole["median"], rel=0.2)


def test_examples():
    assert doctest.testmod(module).failed == 0
