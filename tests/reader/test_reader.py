import math
import pickle
import random
import warnings
from collections import Counter
from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from shard_sets import rows, write_set, write_sets

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline.config import make_config
from tamis.pipeline.run import prepare, run
from tamis.reader import ShardReader

from . import oracle
from .lanes import Lanes

SHAPE = {"files": 6, "groups": 5, "group_rows": 16}
TAIL = 29
N = 6 * 5 * 16 + TAIL
ORDER = {"streams": 12, "window": 2, "chunk": 2}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("reader") / "out", **SHAPE, tail_rows=TAIL)


def expected(epoch=0, seed=0, **order):
    return oracle.sequence(groups=30, group_rows=16, tail_rows=TAIL, seed=seed, epoch=epoch, **(order or ORDER))


def reader(out, **settings):
    return ShardReader(out, **{"row_numbers": True, **ORDER, **settings})


def ids(batches):
    return [batch["id"].to_pylist() for batch in batches]


def test_an_epoch_is_the_sequence(out):
    found = list(reader(out, batch_size=16))
    assert [batch.num_rows for batch in found] == [16] * (N // 16)
    assert sum(ids(found), []) == expected()[: N // 16 * 16]


def test_a_row_is_whole(out):
    for batch in reader(out, batch_size=16):
        assert batch["text"].to_pylist() == [f"text of row {i}" for i in batch["id"].to_pylist()]
        assert batch["source"].to_pylist() == [f"s{i * 7 % 3}" for i in batch["id"].to_pylist()]
        assert batch["__row"].equals(batch["id"])


@pytest.mark.parametrize(
    ("world_size", "workers"), [(w, k) for w in (1, 2, 3, 6, 12) for k in (1, 2, 3, 6) if 12 % (w * k) == 0]
)
def test_global_batches_are_those_of_the_sequence_at_every_world_size(out, world_size, workers):
    batch_size = 24 // world_size
    loaders = [
        Lanes(reader(out, rank=rank, world_size=world_size, batch_size=batch_size), workers)
        for rank in range(world_size)
    ]
    steps = [ids(loader) for loader in loaders]
    sequence = expected()
    assert {len(some) for some in steps} == {N // 24}
    for step in range(N // 24):
        chunks = [range(first, first + 2) for first in range(step * 24, step * 24 + 24, 2)]
        of_ranks = [[sequence[i] for chunk in chunks[rank::world_size] for i in chunk] for rank in range(world_size)]
        first = step * 12 % world_size
        assert [steps[(rank + first) % world_size][step] for rank in range(world_size)] == of_ranks


def test_stopped_at_random_steps_and_gone_on_with_other_ranks_the_rows_are_those_of_the_sequence(out):
    drawn = random.Random(0)
    state, epoch, read = None, 0, []
    stops = 0
    while stops < 50:
        world_size = drawn.choice([1, 2, 3, 4, 6, 12])
        workers = drawn.choice([k for k in (1, 2, 3, 4) if 12 % (world_size * k) == 0])
        batch_size = drawn.choice([2, 4, 6, 8])
        wanted = drawn.randrange(1, 5)
        found = []
        loaders = [
            Lanes(reader(out, rank=rank, world_size=world_size, batch_size=batch_size), workers)
            for rank in range(world_size)
        ]
        if state is not None:
            for loader in loaders:
                loader.load_state_dict(state)
        for step, batches in enumerate(zip(*loaders, strict=True)):
            found.append(sorted(i for batch in batches for i in batch["id"].to_pylist()))
            if step + 1 == wanted:
                break
        states = [loader.state_dict() for loader in loaders]
        assert all(other == states[0] for other in states)
        size = world_size * batch_size
        sequence = expected(epoch)
        assert found == [sorted(sequence[len(read) + i * size : len(read) + (i + 1) * size]) for i in range(len(found))]
        read += sequence[len(read) : len(read) + size * len(found)]
        if states[0]["epoch"] > epoch:
            tail = N - len(read)
            assert tail < size
            assert sorted(read + sequence[len(read) :]) == list(range(N))
            epoch, read = epoch + 1, []
        state, stops = states[0], stops + 1
    assert epoch >= 2


@pytest.mark.parametrize("left", [1, 2, 5, 11])
def test_fewer_chunks_are_left_than_there_are_workers(out, left):
    some = Lanes(reader(out, batch_size=2), 6)
    rows = N // 2 * 2 - 2 * left
    some.load_state_dict({**some.state_dict(), "rows": rows})
    assert sum(ids(some), []) == expected()[rows : N // 2 * 2]


@settings(max_examples=40, derandomize=True, deadline=None)
@given(data=st.data())
def test_any_set_is_read_by_any_ranks_as_its_sequence_says(tmp_path_factory, data):
    group_rows = data.draw(st.sampled_from([4, 8, 16]))
    files, groups = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 5))
    shape = {"group_rows": group_rows, "tail_rows": data.draw(st.integers(0, files * group_rows - 1))}
    world_size, workers = data.draw(st.sampled_from([(1, 1), (1, 3), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1)]))
    order = {
        "streams": world_size * workers * data.draw(st.integers(1, 3)),
        "window": data.draw(st.integers(1, 4)),
        "chunk": data.draw(st.sampled_from([1, 2, 4])),
        "seed": data.draw(st.integers(0, 3)),
    }
    batch_size = order["chunk"] * data.draw(st.integers(1, 3))
    remainder = data.draw(st.sampled_from(["pad", "wrap"]))
    out = write_set(tmp_path_factory.mktemp("any") / "out", files=files, groups=groups, **shape)
    sequence = oracle.sequence(groups=files * groups, epoch=0, **shape, **order)
    ranks = [
        ShardReader(out, rank=rank, world_size=world_size, batch_size=batch_size, remainder=remainder, **order)
        for rank in range(world_size)
    ]
    steps = [sorted(sum(step, [])) for step in zip(*(ids(Lanes(rank, workers)) for rank in ranks), strict=True)]
    size = world_size * batch_size
    repeated = sequence * (size + 1)
    assert steps == [sorted(repeated[i : i + size]) for i in range(0, len(sequence), size)]


def test_the_tail_is_named(out):
    some = reader(out, batch_size=24)
    assert len(some.tail_rows) == N % 24
    tail = some.tail_rows.tolist()
    read = sum(ids(some), [])
    assert sorted(read + tail) == list(range(N))
    assert tail == expected()[N - N % 24 :]
    assert some.tail_rows.tolist() == expected(epoch=1)[N - N % 24 :]  # of the next epoch, where the reader is now


@pytest.mark.parametrize("world_size", [1, 3])
def test_wrap_fills_with_the_first_rows(out, world_size):
    readers = [
        reader(out, batch_size=24 // world_size, world_size=world_size, rank=rank, remainder="wrap")
        for rank in range(world_size)
    ]
    steps = list(zip(*(ids(some) for some in readers), strict=True))
    assert len(steps) == readers[0].steps == math.ceil(N / 24)
    sequence = expected()
    assert sorted(sum(steps[-1], [])) == sorted(sequence[N - N % 24 :] + sequence[: 24 - N % 24])
    assert all(len(batch) == 24 // world_size for step in steps for batch in step)


@pytest.mark.parametrize("workers", [1, 2])
def test_padding_is_marked(out, workers):
    some = reader(out, batch_size=24, remainder="pad")
    found = list(Lanes(some, workers))
    marks = [batch["__padding"].to_pylist() for batch in found]
    assert marks == [[False] * 24] * (N // 24) + [[False] * (N % 24) + [True] * (24 - N % 24)]
    real = [
        i
        for batch in found
        for i, padding in zip(*(batch[n].to_pylist() for n in ("id", "__padding")), strict=True)
        if not padding
    ]
    assert real == expected()
    assert len(some.tail_rows) == 0


def test_a_set_smaller_than_a_batch_is_repeated_to_fill_it(tmp_path):
    out = write_set(tmp_path / "out", files=1, groups=1, group_rows=4, tail_rows=1)
    (batch,) = ShardReader(out, batch_size=12, remainder="wrap", streams=1, chunk=4)
    sequence = oracle.sequence(groups=1, group_rows=4, tail_rows=1, seed=0, epoch=0, streams=1, window=4, chunk=4)
    assert batch["id"].to_pylist() == (sequence * 3)[:12]
    with pytest.raises(ConfigError, match="as many rows as a global batch"):
        ShardReader(out, batch_size=12)


def test_an_empty_set_gives_nothing(tmp_path):
    out = write_set(tmp_path / "out", files=1, groups=0, group_rows=1)
    for remainder in ("drop", "pad", "wrap"):
        assert list(ShardReader(out, batch_size=4, remainder=remainder)) == []


def test_each_iteration_is_the_next_epoch(out):
    some = reader(out, batch_size=16)
    assert [sum(ids(some), []) for _ in range(3)] == [expected(epoch)[: N // 16 * 16] for epoch in range(3)]
    assert (some.epoch, some.state_dict()["rows"]) == (3, 0)


def test_an_iteration_reads_the_epochs_it_is_asked_for(out):
    some = reader(out, batch_size=16, epoch=4, epochs=2)
    assert len(some) == 2 * (N // 16)
    assert sum(ids(some), []) == expected(4)[: N // 16 * 16] + expected(5)[: N // 16 * 16]
    again = reader(out, batch_size=16, epoch=4, epochs=2)
    state = {**some.state_dict(), "epoch": 5, "rows": 160}
    again.load_state_dict(state)
    assert sum(ids(again), []) == expected(5)[160 : N // 16 * 16]


def test_seeds_have_orders_of_their_own(out):
    assert sum(ids(reader(out, batch_size=16, seed=9)), []) == expected(seed=9)[: N // 16 * 16]


def test_length_counts_what_is_left(out):
    some = reader(out, batch_size=16)
    batches = iter(some)
    assert len(some) == N // 16
    next(batches), next(batches)
    assert len(some) == N // 16 - 2
    assert some.state_dict()["rows"] == 32


def test_sets_are_read_one_after_another(tmp_path):
    sizes = {"train-0-main": 70, "train-1-anneal": 45}
    out = write_sets(
        tmp_path / "out",
        {"train-0-main": (rows(range(70)), 1, 4, 16), "train-1-anneal": (rows(range(70, 115)), 2, 2, 8)},
    )
    order = {"seed": 3, "epoch": 0, "streams": 2, "window": 2, "chunk": 4}
    main = oracle.sequence(groups=4, group_rows=16, tail_rows=6, **order)
    anneal = [70 + i for i in oracle.sequence(groups=4, group_rows=8, tail_rows=13, **order)]
    wanted = main[:68] + anneal[:44] + main[68:] + anneal[44:]
    settings = {"set": list(sizes), "seed": 3, "streams": 2, "window": 2, "chunk": 4, "remainder": "pad"}
    for workers in (1, 2):
        some = ShardReader(out, batch_size=8, row_numbers=True, **settings)
        found = pa.Table.from_batches(Lanes(some, workers))
        assert found["id"].to_pylist()[:115] == wanted
        assert found["__row"].to_pylist()[:115] == wanted
    dropped = ShardReader(out, batch_size=8, **{**settings, "remainder": "drop"})
    assert dropped.tail_rows.tolist() == wanted[112:]
    half = ShardReader(out, batch_size=8, **settings)
    batches = iter(half)
    for _ in range(9):
        next(batches)
    other = [ShardReader(out, batch_size=4, rank=rank, world_size=2, **settings) for rank in range(2)]
    for some in other:
        some.load_state_dict(half.state_dict())
    found = [i for step in zip(*(ids(some) for some in other), strict=True) for batch in step for i in batch]
    assert sorted(found[:43]) == sorted(wanted[72:])


def test_columns_are_those_asked_for_in_their_order(out):
    batch = next(iter(ShardReader(out, batch_size=8, columns=["source", "id"])))
    assert batch.schema.names == ["source", "id"]
    with pytest.raises(ConfigError, match="a column is one of the shards; found txt. They have id, text, source"):
        ShardReader(out, batch_size=8, columns=["txt"])


def test_defaults(out):
    some = ShardReader(out, batch_size=12, world_size=3)
    assert (some.streams, some.chunk, some.window) == (3, 4, 4)
    some.use_workers(4)
    assert some.streams == 12


def test_a_first_epoch_is_no_way_behind(out):
    some = ShardReader(out, batch_size=12, epoch=4)
    some.use_workers(3)
    assert some.streams == 3


def test_the_order_stays_when_workers_change_under_way(out):
    some = ShardReader(out, batch_size=16)
    next(iter(some))
    with pytest.raises(ConfigError, match="found 1 for 1 x 2"):
        some.use_workers(2)
    assert (some.streams, some.workers) == (1, 1)


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"chunk": 3}, "found chunks of 3 rows, groups of 16. Take a chunk that does, as 1."),
        ({"batch_size": 9}, "chunk divide the batch size"),
        ({"world_size": 5}, "number of streams is a multiple"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"window": 0}, "window is at least 1"),
        ({"epochs": 0}, "epochs is at least 1"),
        ({"chunk": 0}, "chunk is at least 1"),
        ({"seed": -1}, "a seed is not negative"),
        ({"remainder": "keep"}, "a remainder is one of drop, pad, wrap"),
        ({"rank": 1}, "a rank is one of"),
        ({"set": "test"}, "a set is one of the output"),
    ],
)
def test_what_cannot_be_is_refused(out, settings, rule):
    with pytest.raises(ConfigError, match=rule):
        reader(out, **{"batch_size": 8, **settings})


def test_a_state_is_json_of_shards_and_place(out):
    some = reader(out, batch_size=8, seed=5)
    next(iter(some))
    assert some.state_dict() == {
        "format": "order-v1",
        "shards": [["train", some.sets[0].fingerprint]],
        "seed": 5,
        "epoch": 0,
        "rows": 8,
        **ORDER,
    }


def test_a_state_brings_its_order(out):
    first = reader(out, batch_size=8, seed=5)
    next(iter(first))
    other = ShardReader(out, batch_size=16)
    other.load_state_dict(first.state_dict())
    assert ids(other)[0] == expected(seed=5)[8:24]


def test_a_state_of_other_shards_is_refused_with_both(out, tmp_path):
    other = write_set(tmp_path / "out", **SHAPE, tail_rows=TAIL, first=1)
    some = reader(out, batch_size=8)
    with pytest.raises(ArtefactError) as caught:
        reader(other, batch_size=8).load_state_dict(some.state_dict())
    assert some.sets[0].fingerprint in str(caught.value)
    assert reader(other, batch_size=8).sets[0].fingerprint in str(caught.value)


@pytest.mark.parametrize(
    ("change", "kind", "rule"),
    [
        ({"format": "order-v2"}, ArtefactError, "state is of format order-v1"),
        ({"rows": "7"}, ArtefactError, r"order-v1, whole; found format 'order-v1' without \['rows'\]"),
        ({"rows": 7}, ArtefactError, "position is at the start of a chunk"),
        ({"rows": -2}, ArtefactError, "position is at the start of a chunk"),
        ({"rows": 2 * N}, ArtefactError, "position is at the start of a chunk"),
        ({"streams": 5}, ConfigError, "number of streams is a multiple"),
        ({"chunk": 16}, ConfigError, "chunk divide the batch size"),
        ({"window": 0}, ConfigError, "window is at least 1"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(out, change, kind, rule):
    some = reader(out, batch_size=8, world_size=2)
    before = some.state_dict()
    with pytest.raises(kind, match=rule):
        some.load_state_dict({**before, **change})
    with pytest.raises(ArtefactError, match=r"without \['rows'\]"):
        some.load_state_dict({name: value for name, value in before.items() if name != "rows"})
    assert some.state_dict() == before


def test_going_on_reads_the_windows_it_needs_and_no_others(out):
    some = reader(out, batch_size=4, world_size=3, rank=1, window=1)
    some.load_state_dict({**some.state_dict(), "rows": 12 * 16})  # behind the first windows
    read = watch(some)
    batches = iter(some)
    next(batches), next(batches)
    batches.close()
    groups = [5 * file + group for file, group in read.groups]
    assert groups == some._order(0, 0).groups[[12 + stream for stream in (1, 4, 7, 10)]].tolist()


def test_a_worker_reads_its_streams_and_holds_a_window_of_each(out):
    loader = Lanes(reader(out, batch_size=8, world_size=2, rank=1), 3)
    held = []
    for _ in loader:
        held += [lane._cursor.windows.groups_held for lane in loader.lanes if lane._cursor]
    assert max(held) == 2 * 2 + 1  # two streams of two groups, and one of the pool


def test_memory_is_stated(out):
    some = reader(out, batch_size=8, world_size=2)
    some.use_workers(3)
    assert some.memory_bytes == (2 * 2 + 2 + 1) * some.sets[0].group_bytes


def test_ranks_read_disjoint_groups_but_for_the_pool(out):
    found = []
    for rank in range(3):
        some = reader(out, batch_size=4, world_size=3, rank=rank)
        read = watch(some)
        list(some)
        found.append(read.groups)
    assert [len(groups) for groups in found] == [len(set(groups)) for groups in found] == [8 + 6 + 2] * 3
    streams = [set(groups[:8]) for groups in found]
    assert len(set.union(*streams)) == 24
    assert [groups[8:] for groups in found] == [found[0][8:]] * 3  # the pool


def test_workers_read_disjoint_groups_but_for_the_pool(out):
    times = Counter()
    for rank in range(3):
        some = reader(out, batch_size=4, world_size=3, rank=rank)
        read = watch(some)
        list(Lanes(some, 2))
        times.update(read.groups)
    groups = [divmod(group, 5) for group in some._order(0, 0).groups.tolist()]
    assert [times[group] for group in groups] == [1] * 24 + [6] * 6
    assert [times[6, group] for group in (0, 1)] == [6, 4]  # the second has four chunks that are read


def watch(some):
    """Note the (file, group) that a reader reads."""

    read = SimpleNamespace(groups=[])
    cursor = some.cursor

    def watched():
        made = cursor()
        for files in made._files:
            group = files.group

            def noted(file, number, group=group):
                read.groups.append((file, number))
                return group(file, number)

            files.group = noted
        return made

    some.cursor = watched
    return read


def test_a_reader_can_be_pickled(out):
    some = reader(out, batch_size=8)
    next(iter(some))
    assert ids(pickle.loads(pickle.dumps(some))) == ids(some)


def test_a_url_is_read_as_a_path_is(out):
    assert ids(reader(out.as_uri(), batch_size=8)) == ids(reader(out, batch_size=8))


def damaged(tmp_path, name, change):
    out = write_set(tmp_path / "out", **SHAPE, tail_rows=TAIL)
    path = out / "data" / name
    path.write_bytes(change(path.read_bytes()))
    return out


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("part-00003-of-00006.parquet", lambda data: data[:-1], "a file has the size that the manifest says"),
        ("tail.parquet", lambda data: b"", "a file has the size that the manifest says"),
        ("tail.parquet", lambda data: bytes(len(data)), "a shard can be read"),
        ("part-00003-of-00006.parquet", lambda data: data[:4] + bytes(2000) + data[2004:], "a shard can be read"),
    ],
)
def test_damage_is_named(tmp_path, name, change, rule):
    out = damaged(tmp_path, name, change)
    with pytest.raises(ArtefactError, match=rule) as caught:
        list(reader(out, batch_size=8))
    assert name in str(caught.value)
    with pytest.raises(ArtefactError, match=rule):
        list(Lanes(reader(out, batch_size=8), 2))


def test_a_missing_file_is_named(tmp_path):
    out = write_set(tmp_path / "out", **SHAPE, tail_rows=TAIL)
    (out / "data" / "part-00001-of-00006.parquet").unlink()
    with pytest.raises(ArtefactError, match="every file of the manifest is there; found .*part-00001"):
        list(reader(out, batch_size=8))


def test_a_file_of_other_groups_is_refused(tmp_path):
    out = write_set(tmp_path / "out", **SHAPE, tail_rows=TAIL)
    other = write_set(tmp_path / "other", files=6, groups=10, group_rows=8, tail_rows=TAIL)
    for name in ("part-00000-of-00006.parquet", "part-00001-of-00006.parquet"):
        data = (other / "data" / name).read_bytes()
        manifest = (out / "manifest.json").read_text()
        size = (out / "data" / name).stat().st_size
        (out / "data" / name).write_bytes(data)
        (out / "manifest.json").write_text(
            manifest.replace(f'"size_bytes": {size}, "sha256"', f'"size_bytes": {len(data)}, "sha256"')
        )
    with pytest.raises(ArtefactError, match="a file has the row groups that the manifest says"):
        list(reader(out, batch_size=8))


def test_nothing_is_left_open(out):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        some = reader(out, batch_size=8)
        batches = iter(some)
        next(batches)
        batches.close()
        assert np.array_equal(next(iter(some))["id"], expected()[8:16])


def test_a_set_of_a_run_may_have_no_rows(tmp_path):
    pq.write_table(pa.table({"text": ["a b", "c d"]}), tmp_path / "in.parquet")
    shards = {"splits": {"rest": 1 - 1e-12}}
    config = make_config({"inputs": [{"path": str(tmp_path / "in.parquet")}], "stages": [], "shards": shards})
    out = run(prepare(config.model_copy(update={"out": str(tmp_path / "out")}), version="0"), LocalEngine, Silent())
    for remainder in ("drop", "pad", "wrap"):
        reader = ShardReader(out, batch_size=2, remainder=remainder)
        assert (reader.rows, len(reader), list(reader), reader.tail_rows.tolist()) == (0, 0, [], [])
    assert sum(batch.num_rows for batch in ShardReader(out, set=["train", "rest"], batch_size=1)) == 2


@pytest.mark.parametrize("columns", ["id", []])
def test_columns_are_a_list(out, columns):
    with pytest.raises(ConfigError, match="columns are a list of names"):
        ShardReader(out, batch_size=4, columns=columns)
