import numpy as np
import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.key_blocks import Blocked
from tamis.pipeline.blocking import purging
from tamis.pipeline.blocking.purging import described_blocks, used_blocks
from tamis.pipeline.blocking.search import Block


def of_sizes(sizes, families=None):
    left, none = np.array(sizes), np.zeros(0, np.int64)
    families = np.zeros(len(sizes), np.int32) if families is None else np.array(families, np.int32)
    keys = np.arange(len(sizes), dtype=np.uint64)
    return Blocked(families, keys, left, left, left * (left - 1) // 2, none, none, none.astype(np.int32))


def test_the_largest_blocks_are_left_out_down_to_the_budget(monkeypatch):
    monkeypatch.setattr(purging, "PAIRS_A_RECORD", 3)
    found = of_sizes([2, 5, 4, 4, 2])  # pairs 1, 10, 6, 6, 1
    assert used_blocks(found, 8, None).tolist() == [True, True, True, True, True]  # 24 pairs
    assert used_blocks(found, 7, None).tolist() == [True, False, True, True, True]  # 14 of 21
    assert used_blocks(found, 4, None).tolist() == [True, False, False, False, True]  # 6 would be 8 of 12, but not 14
    assert used_blocks(found, 0, None).tolist() == [False] * 5


def test_the_budget_is_that_of_all_families(monkeypatch):
    monkeypatch.setattr(purging, "PAIRS_A_RECORD", 1)
    found = of_sizes([3, 4, 5, 2], [0, 0, 1, 1])  # pairs 3, 6, 10, 1
    assert used_blocks(found, 10, None).tolist() == [True, True, False, True]
    assert used_blocks(found, 9, None).tolist() == [True, False, False, True]


def test_a_size_that_is_given():
    assert used_blocks(of_sizes([2, 3, 4]), 1, 3).tolist() == [True, True, False]
    with pytest.raises(ConfigError, match="at least one pair"):
        used_blocks(of_sizes([2]), 1, 0)


def test_no_blocks():
    found = of_sizes([])
    assert used_blocks(found, 5, None).tolist() == []
    blocks = described_blocks(found, used_blocks(found, 5, None), str)
    assert (blocks.count, blocks.purged, blocks.purged_pairs, blocks.largest) == (0, 0, 0, ())


def test_what_is_shown():
    found = of_sizes([2, 5, 4, 4, *[3] * 20])
    used = used_blocks(found, 1, 9)
    blocks = described_blocks(found, used, lambda block: f"key {99 - block}")
    assert (blocks.count, blocks.purged, blocks.purged_pairs) == (24, 1, 10)
    assert blocks.largest[:4] == (
        Block("key 98", 5, 5, True),
        Block("key 96", 4, 4, False),
        Block("key 97", 4, 4, False),
        Block("key 79", 3, 3, False),
    )
    assert len(blocks.largest) == 20
