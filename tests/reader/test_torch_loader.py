"""Worker processes of torch, and what needs none."""

import multiprocessing
import sys
import threading

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from shard_sets import write_set

from tamis.hashing.errors import ArtefactError, ConfigError, EngineError
from tamis.reader import MixedReader, ShardReader, loader

few_processors = pytest.mark.filterwarnings("ignore:This DataLoader will create")
PROCESSES = [(1, "fork"), (2, "fork"), (4, "fork"), (2, "spawn"), (4, "spawn")]


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return write_set(tmp_path_factory.mktemp("loader") / "out", files=3, groups=5, group_rows=16, tail_rows=13)


def reader(out, **settings):
    return ShardReader(out, **{"streams": 4, "window": 2, "chunk": 2, "batch_size": 8, **settings})


def ids(batches):
    return [batch["id"].to_pylist() for batch in batches]


def shouted(rows):
    return rows.append_column("loud", pc.utf8_upper(rows["text"])).append_column(
        "of", pa.array([rows.num_rows] * rows.num_rows)
    )


def failing(rows):
    return rows.slice(1)


@few_processors
@pytest.mark.parametrize(("workers", "context"), PROCESSES)
def test_worker_processes_give_the_same_batches(out, workers, context):
    pytest.importorskip("torch")
    expected = ids(reader(out, epochs=2))
    for batch_size in (8, 6):
        some = reader(out, epochs=2, batch_size=batch_size)
        found = ids(loader(some, workers, multiprocessing_context=context))
        assert {len(batch) for batch in found} == {batch_size}
        if batch_size == 8:
            assert found == expected
        assert (some.epoch, some.state_dict()["rows"]) == (2, 0)


@few_processors
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_a_state_counts_what_was_handed_out(out, context):
    pytest.importorskip("torch")
    expected = ids(reader(out))
    some = loader(reader(out), 2, multiprocessing_context=context)
    batches = iter(some)
    found = [next(batches)["id"].to_pylist() for _ in range(5)]
    state = some.state_dict()
    del batches
    assert state["rows"] == 40
    other = loader(reader(out), 4)
    other.load_state_dict(state)
    assert found + ids(other) == expected


@few_processors
def test_damage_is_raised_as_what_it_is(tmp_path):
    pytest.importorskip("torch")
    out = write_set(tmp_path / "out", files=3, groups=5, group_rows=16)
    (out / "data" / "part-00001-of-00003.parquet").unlink()
    with pytest.raises(ArtefactError, match="every file of the manifest is there"):
        list(loader(reader(out), 2))


@few_processors
def test_workers_draw_nothing_from_the_generator_of_the_training(out):
    torch = pytest.importorskip("torch")
    before = torch.random.get_rng_state()
    list(loader(reader(out), 2))
    assert torch.equal(torch.random.get_rng_state(), before)


@few_processors
def test_a_mixture_is_the_same_in_processes(out):
    pytest.importorskip("torch")
    found = [
        ids(loader(MixedReader([(out, 2), (out, 1)], streams=4, batch_size=8, rows=400), workers)) for workers in (0, 2)
    ]
    assert found[0] == found[1]


@few_processors
@pytest.mark.parametrize("workers", [0, 2])
def test_a_transform_is_of_chunks_and_runs_where_they_are_made(out, workers):
    if workers:
        pytest.importorskip("torch")
    for batch in loader(reader(out), workers, transform=shouted):
        assert batch["loud"].to_pylist() == [f"TEXT OF ROW {i}" for i in batch["id"].to_pylist()]
        assert batch["of"].to_pylist() == [2] * 8
    with pytest.raises(ConfigError, match="a transform returns a RecordBatch of as many rows"):
        list(loader(reader(out), workers, transform=failing))


def test_without_workers_it_is_the_reader(out):
    some = loader(reader(out), 0)
    assert len(some) == 253 // 8
    assert ids(some) == ids(reader(out))


def test_nothing_of_its_own_runs_on(out):
    before = threading.active_count()
    batches = iter(loader(reader(out), 0))
    next(batches)
    assert threading.active_count() == before
    assert multiprocessing.active_children() == []
    batches.close()


def test_what_cannot_be_is_refused(out, monkeypatch):
    with pytest.raises(ConfigError, match="found 4 for 1 x 3"):
        loader(reader(out), 3)
    with pytest.raises(ConfigError, match="workers are not negative"):
        loader(reader(out), -1)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineError, match="worker processes need torch"):
        list(loader(reader(out), 2))
