import doctest
import random
from collections import Counter

import numpy as np
import pytest
from shard_sets import SCHEMA, rows, write_set, write_sets

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.reader import MixedReader
from tamis.reader import mixed as module

from . import oracle
from .lanes import Lanes

ORDER = {"streams": 4, "window": 2, "chunk": 2}


@pytest.fixture(scope="module")
def outs(tmp_path_factory):
    """Two outputs, of rows 0 ... 148 and 1000 ... 1040."""
    folder = tmp_path_factory.mktemp("mixed")
    big = write_set(folder / "big", files=3, groups=3, group_rows=16, tail_rows=5)
    small = write_set(folder / "small", files=1, groups=5, group_rows=8, tail_rows=1, first=1000)
    return big, small


def mixed(outs, weights=(3, 1), **settings):
    return MixedReader(list(zip(outs, weights, strict=True)), **{"rows": 2000, **ORDER, **settings})


def expected(chunks, seed=0):
    """Return the rows of the mixture of weights 3 and 1, by the specification."""
    shapes = [{"groups": 9, "group_rows": 16, "tail_rows": 5}, {"groups": 5, "group_rows": 8, "tail_rows": 1}]
    full = [149 // 2, 41 // 2]
    taken = Counter()
    found = []
    for number in range(chunks):
        stream = number % 4
        source = int(oracle.key(3, seed, 0, number) >= 3 * 2**64 // 4)
        of_stream = len(range(stream, full[source], 4))
        epoch, turn = divmod(taken[source, stream], of_stream)
        taken[source, stream] += 1
        sequence = oracle.sequence(**shapes[source], seed=seed, epoch=epoch, **ORDER)
        start = (turn * 4 + stream) * 2
        found += [1000 * source + row for row in sequence[start : start + 2]]
    return found


def ids(batches):
    return [batch["id"].to_pylist() for batch in batches]


def test_a_mixture_is_what_its_specification_says(outs):
    assert sum(ids(mixed(outs, batch_size=8, rows=400)), []) == expected(200)


def test_weights_are_shares_of_rows(outs):
    found = np.concatenate(ids(mixed(outs, batch_size=8, rows=20_000)))
    assert (found >= 1000).mean() == pytest.approx(0.25, abs=0.015)
    counts = Counter(found.tolist())
    whole = [
        counts[row] for row in range(144)
    ]  # an epoch of a source leaves the row of its short chunk, of the tail, out
    assert sum(whole) / 144 == pytest.approx(100, rel=0.06)  # 15,000 rows of 149
    assert max(whole) - min(whole) <= 10
    assert min(counts[row] for row in range(144, 149)) > 60


@pytest.mark.parametrize(("world_size", "workers"), [(1, 1), (1, 2), (2, 1), (2, 2), (4, 1)])
def test_stopped_and_gone_on_with_other_ranks_the_rows_are_the_same(outs, world_size, workers):
    sequence = expected(400)
    first = mixed(outs, batch_size=8, rows=800)
    batches = iter(first)
    for _ in range(random.Random(world_size).randrange(5, 40)):
        next(batches)
    state = first.state_dict()
    loaders = [
        Lanes(mixed(outs, batch_size=8 // world_size, world_size=world_size, rank=rank, rows=800), workers)
        for rank in range(world_size)
    ]
    for loader in loaders:
        loader.load_state_dict(state)
    found = [sorted(sum(step, [])) for step in zip(*(ids(loader) for loader in loaders), strict=True)]
    assert found == [sorted(sequence[i : i + 8]) for i in range(state["rows"], 800, 8)]


def test_it_has_no_end_unless_it_is_given_one(outs):
    some = mixed(outs, batch_size=8, rows=None)
    batches = iter(Lanes(some, 2))
    for _ in range(100):
        next(batches)
    assert some.state_dict()["rows"] == 800
    assert some.steps > 2**50


def test_each_worker_holds_a_window_of_each_source_and_stream(outs):
    loader = Lanes(mixed(outs, batch_size=8), 2)
    held = []
    for _ in loader:
        held += [lane._cursor.windows.groups_held for lane in loader.lanes if lane._cursor]
    assert max(held) <= 2 * (2 * 2 + 1)
    assert loader.memory_bytes == sum(
        (2 * w + w + 1) * s.group_bytes for w, s in zip((2, 1), loader.reader.sets, strict=True)
    )


def test_rows_say_where_they_are_from(outs):
    batch = next(iter(mixed(outs, batch_size=8, row_numbers=True)))
    assert [
        row + 1000 * (id_ >= 1000) for row, id_ in zip(*(batch[n].to_pylist() for n in ("__row", "id")), strict=True)
    ] == batch["id"].to_pylist()


def test_a_source_can_be_a_set_of_an_output(tmp_path):
    out = write_sets(tmp_path / "out", {"a": (rows(range(32)), 1, 2, 16), "b": (rows(range(32, 64)), 1, 2, 16)})
    some = MixedReader([({"out": str(out), "set": "a"}, 1), ({"out": str(out), "set": "b"}, 1)], batch_size=8, rows=640)
    found = np.concatenate(ids(some))
    assert set(found.tolist()) == set(range(64))


def test_a_state_of_other_weights_is_refused(outs):
    with pytest.raises(ArtefactError, match="state is of the shards that are read"):
        mixed(outs, weights=(2, 1), batch_size=8).load_state_dict(mixed(outs, batch_size=8).state_dict())


def test_what_cannot_be_mixed_is_refused(outs, tmp_path):
    for weight in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="a weight is a positive number"):
            mixed(outs, weights=(1, weight), batch_size=8)
    with pytest.raises(ConfigError, match="as many rows as a global batch; found 7 of the 1 x 8 rows wanted"):
        mixed(outs, batch_size=8, rows=7)
    with pytest.raises(ConfigError, match="a mixture has a source at least"):
        MixedReader([], batch_size=8)
    with pytest.raises(ConfigError, match="a source is an output folder, or names out and set"):
        MixedReader([({"out": str(outs[0]), "seed": "1"}, 1)], batch_size=8)
    with pytest.raises(ConfigError, match="a full chunk for each stream; found 41 rows"):
        next(iter(mixed(outs, batch_size=8, chunk=8, streams=8)))
    table = rows(range(32)).set_column(0, "id", rows(range(32))["text"])
    other = write_sets(tmp_path / "out", {"train": (table, 1, 2, 16)})
    with pytest.raises(ConfigError, match="sources of a mixture have the same columns"):
        mixed((outs[0], other), batch_size=8)
    assert next(iter(mixed((outs[0], other), batch_size=8, columns=["text"]))).schema.names == ["text"]
    assert SCHEMA.names == ["id", "text", "source"]


def test_examples():
    assert doctest.testmod(module).failed == 0
