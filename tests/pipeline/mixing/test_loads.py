"""Loads of a router, in each way a file can say them, and what cannot be."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.hashing.errors import InputError
from tamis.pipeline.mixing.loads import read_loads

SEVERAL = [
    {"step": 200, "loads": {"web": [7, 1], "code": [3, 8]}},
    {"step": 100, "loads": {"web": [9, 1], "code": [2, 8]}},
]


def written(path, text):
    path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
    return path


def test_one_step_however_it_is_written(tmp_path):
    table = {"source": ["web", "code"], "e0": [9, 2], "e1": [1, 8]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    written(tmp_path / "a.csv", "source,e0,e1\nweb,9,1\ncode,2,8\n")
    written(tmp_path / "a.json", {"web": [9, 1], "code": [2, 8.0]})
    for ending in ("parquet", "csv", "json"):
        found = read_loads(tmp_path / f"a.{ending}")
        assert (found.names, found.steps) == (("code", "web"), (0,))
        assert found.counts.tolist() == [[[2.0, 8.0]], [[9.0, 1.0]]]


def test_several_steps_in_any_order(tmp_path):
    written(tmp_path / "a.json", SEVERAL)
    written(tmp_path / "a.csv", "step,source,x,y\n200,web,7,1\n100,web,9,1\n100,code,2,8\n200,code,3,8\n")
    for ending in ("csv", "json"):
        found = read_loads(tmp_path / f"a.{ending}")
        assert (found.names, found.steps) == (("code", "web"), (100, 200))
        assert found.counts.tolist() == [[[2, 8], [3, 8]], [[9, 1], [7, 1]]]


def test_names_that_look_like_numbers_or_nothing(tmp_path):
    found = read_loads(written(tmp_path / "a.csv", "source,x\n2020,7\nNA,9\n"))
    assert found.names == ("2020", "NA")


def test_loads_are_of_the_sources(tmp_path):
    loads = read_loads(written(tmp_path / "a.json", SEVERAL))
    found = loads.of(("code", "empty", "web"), np.array([True, False, True]))
    assert found.tolist() == [[[2, 8], [3, 8]], [[0, 0], [0, 0]], [[9, 1], [7, 1]]]
    with pytest.raises(InputError, match="every source has loads; found 'wiki'; sources are 'code', 'web', 'wiki'"):
        loads.of(("code", "web", "wiki"), np.ones(3, np.bool_))
    with pytest.raises(InputError, match="loads are of sources that there are; found 'web'"):
        loads.of(("code",), np.ones(1, np.bool_))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"web": [1, NaN], "code": [1, 2]}', "loads are numbers from 0 on; found nan of 'web', expert 1"),
        ('{"web": [1, Infinity]}', "found inf of 'web'"),
        ('{"web": [1, -2]}', "found -2 of 'web', expert 1"),
        ('{"web": [1, "2"]}', "found '2' of 'web'"),
        ('{"web": [1, true]}', "found True of 'web'"),
        ('{"web": [1, 2], "code": [1, 2, 3]}', "equally long; found 2 experts of 'web' at 0, 3 of 'code'"),
        ('{"web": [0, 0]}', "not all 0; found 'web'"),
        ('{"web": []}', "not all 0; found 'web'"),
        ('{"web": [1], "web": [2]}', "loads name a source once; found web"),
        ('{"web": 3}', "a list of numbers; found 'web': 3"),
        ("{}", "loads are of a source"),
        ("[]", "loads are of a source"),
        ("3", "loads are named by source; found int"),
        ("{", "loads can be read"),
        ('[{"step": 1, "loads": {"web": [1]}}, {"loads": {}}]', "each step has its number"),
        ('[{"step": -1, "loads": {"web": [1]}}]', "steps are whole numbers"),
        ('[{"step": 1, "loads": {"a": [1]}}, {"step": 1, "loads": {"a": [1]}}]', "once a step; found 'a' at 1"),
        ('[{"step": 1, "loads": {"a": [1]}}, {"step": 2, "loads": {"b": [1]}}]', "found 'b' has none at 1"),
    ],
)
def test_what_cannot_be(tmp_path, text, said):
    with pytest.raises(InputError) as failed:
        read_loads(written(tmp_path / "a.json", text))
    assert said in str(failed.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,x\nweb,1\n", "a column `source`"),
        ("source\nweb\n", "a column of numbers for each expert"),
        ("source,x\nweb,many\n", "a column of numbers for each expert; found source: string, x: string"),
        ("source,x,y\nweb,1,\n", "found None of 'web', expert 1"),
        ("source,x,y\nweb,1,nan\n", "found None of 'web', expert 1"),
        ("source,step,x\nweb,1.5,3\n", "steps are whole numbers"),
        ("source,x\nweb,1,2\n", "loads can be read"),
    ],
)
def test_what_a_table_cannot_be(tmp_path, text, said):
    with pytest.raises(InputError) as failed:
        read_loads(written(tmp_path / "a.csv", text))
    assert said in str(failed.value)


def test_a_file_of_another_kind(tmp_path):
    with pytest.raises(InputError, match="loads are JSON, CSV or Parquet; found a.txt"):
        read_loads(written(tmp_path / "a.txt", "{}"))
    with pytest.raises(InputError, match="loads can be read"):
        read_loads(tmp_path / "none.json")
