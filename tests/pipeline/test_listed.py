"""Values in messages."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.hashing.errors import BadRowError, InputError
from tamis.pipeline.listed import listed, shortened


def test_few_short_names_are_given_as_they_are():
    assert listed(["a", "b"]) == "a, b"
    assert listed([]) == ""
    assert shortened("x" * 80) == "x" * 80


def test_of_many_names_the_first_are_given_and_the_rest_counted():
    assert listed([f"c{n}" for n in range(32)]) == ", ".join(f"c{n}" for n in range(30)) + " and 2 more"
    assert listed(["y" * 81]) == "y" * 77 + "..."


def test_a_table_with_many_columns_and_long_names_gives_a_short_message(tmp_path):
    columns = {f"{n} " + "long " * 50: ["a"] for n in range(200)}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"the text column is in .* found 'text' among 0 long .* and 170 more\."):
        tamis.dedup(tmp_path / "x.parquet", out=tmp_path / "out")
    pq.write_table(pa.table({"text": ["a"], **columns}), tmp_path / "y.parquet")
    with pytest.raises(InputError, match=r"found 'nope' in 'nope = 1', among text, 0 long .* and 171 more\."):
        tamis.dedup(tmp_path / "y.parquet", out=tmp_path / "out", where="nope = 1")


def test_a_long_value_that_cannot_be_ranked_by_is_cut_in_the_message(tmp_path):
    pq.write_table(pa.table({"text": ["word " * 500]}), tmp_path / "x.parquet")
    with pytest.raises(BadRowError, match=r"record 0 of .*x.parquet \((word ){15}wo\.\.\.\)\. Either"):
        tamis.dedup(tmp_path / "x.parquet", out=tmp_path / "out", keep="quality:text")
