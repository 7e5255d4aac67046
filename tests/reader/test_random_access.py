import pickle
import warnings

import pytest
from shard_sets import rows, write_set, write_sets

from tamis.hashing.errors import ConfigError
from tamis.reader import random_access


@pytest.mark.filterwarnings("ignore:random access reads a whole row group")
def test_rows_are_found_by_number(tmp_path):
    out = write_set(tmp_path / "out", files=2, groups=3, group_rows=4, tail_rows=6)
    found = random_access(out)
    assert len(found) == 30
    assert [found[i]["id"] for i in range(30)] == list(range(30))
    assert found[-1] == {"id": 29, "text": "text of row 29", "source": "s2"}
    assert pickle.loads(pickle.dumps(found))[17]["id"] == 17
    for beyond in (30, -31):
        with pytest.raises(IndexError, match="of 30"):
            found[beyond]


@pytest.mark.filterwarnings("ignore:random access reads a whole row group")
def test_numbers_are_those_of_the_set(tmp_path):
    out = write_sets(tmp_path / "out", {"train": (rows(range(20)), 1, 2, 8), "test": (rows(range(20, 31)), 1, 2, 4)})
    assert random_access(out, "test")[3]["id"] == 23
    with pytest.raises(ConfigError, match="a set is one of the output"):
        random_access(out, "validation")


def test_its_first_use_warns_that_it_is_slow(tmp_path):
    found = random_access(write_set(tmp_path / "out", files=1, groups=1, group_rows=8))
    with pytest.warns(UserWarning, match="use ShardReader for training"):
        found[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found[1]


@pytest.mark.filterwarnings("ignore:random access reads a whole row group")
def test_a_row_group_is_read_once_for_rows_of_it(tmp_path):
    found = random_access(write_set(tmp_path / "out", files=2, groups=2, group_rows=8))
    read = []
    group = found._files.group
    found._files.group = lambda file, number: read.append((file, number)) or group(file, number)
    for i in (0, 7, 3, 8, 9, 17):
        found[i]
    assert read == [(0, 0), (0, 1), (1, 0)]
