import doctest

import pytest

from tamis.hashing.errors import ConfigError
from tamis.reader import division as module
from tamis.reader.division import Division, default_streams


def division(**changes):
    settings = {"streams": 12, "chunk": 2, "rank": 0, "world_size": 3, "workers": 2, "batch_size": 8}
    return Division(**{**settings, **changes})


def test_ranks_share_a_global_batch():
    found = [list(division(rank=rank).chunks(24, 48)) for rank in range(3)]
    assert found == [[12, 15, 18, 21], [13, 16, 19, 22], [14, 17, 20, 23]]


def test_ranks_share_a_global_batch_from_any_chunk_on():
    found = [list(division(rank=rank).chunks(26, 50)) for rank in range(3)]
    assert found == [[15, 18, 21, 24], [13, 16, 19, 22], [14, 17, 20, 23]]


def test_a_worker_owns_its_streams():
    owned = {}
    for rank in range(3):
        some = division(rank=rank)
        for chunk in some.chunks(0, 2 * 12 * 5):
            owned.setdefault((rank, some.worker(chunk)), set()).add((chunk % 12, some.slot(chunk)))
    assert owned == {(r, j): {(r + 3 * j, 0), (r + 3 * j + 6, 1)} for r in range(3) for j in range(2)}


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"workers": 5}, "number of streams is a multiple of world_size x workers; found 12 for 3 x 5"),
        ({"batch_size": 7}, "rows of a chunk divide the batch size; found chunks of 2 rows, batches of 7"),
        ({"rank": 3}, "rank is one of 0 ... world_size - 1; found rank 3 of 3"),
        ({"rank": -1}, "rank is one of"),
        ({"world_size": 0}, "world_size is at least 1; found 0"),
        ({"streams": 0}, "streams is at least 1"),
    ],
)
def test_what_cannot_be_divided_is_refused(changes, rule):
    with pytest.raises(ConfigError, match=rule):
        division(**changes)


@pytest.mark.parametrize(
    ("readers", "streams"), [(1, 1), (2, 2), (3, 6), (4, 4), (5, 5), (6, 6), (8, 24), (16, 48), (64, 192), (10, 10)]
)
def test_streams_are_the_fewest_that_readers_divide(readers, streams):
    assert default_streams(readers, [4 * streams]) == readers
    odd = 4 * streams + 1  # no round of all readers
    assert default_streams(readers, [odd]) == (1 if readers == 1 else streams)
    assert default_streams(readers, [4 * readers, odd]) == (readers if streams != readers or readers == 1 else streams)
    assert default_streams(readers, [4 * streams - 1]) == readers


def test_examples():
    assert doctest.testmod(module).failed == 0
