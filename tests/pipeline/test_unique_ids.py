"""Ids that must name one record each."""

import pytest

import tamis
from tamis.hashing.errors import InputError
from tamis.jobs.api import run
from tamis.pipeline.config import make_config


def settings(path, out, **columns):
    return make_config(
        {"inputs": [{"path": str(path)}], "columns": {"text": "text", "id": "id"} | columns, "out": str(out)}
    )


def test_two_records_of_one_id_are_named(tmp_path, write_parquet):
    path = write_parquet("x.parquet", id=["a", "b", "c", "b", "c", "b"], text=[f"text {i}" for i in range(6)])
    with pytest.raises(InputError, match=r"'b' is that of record 1 of .* and record 3 of .*; 2 ids are of several"):
        run(settings(path, tmp_path / "out", unique=True))
    assert run(settings(path, tmp_path / "all")).ledger.total.kept.rows == 6


def test_records_without_ids_do_not_count(tmp_path, write_parquet):
    path = write_parquet("x.parquet", id=["a", None, None, "b"], text=[f"text {i}" for i in range(4)])
    assert run(settings(path, tmp_path / "out", unique=True)).ledger.total.kept.rows == 4


def test_numbers_are_ids_too(tmp_path, write_parquet):
    path = write_parquet("x.parquet", id=[1, 2, 1], text=["one", "two", "three"])
    with pytest.raises(InputError, match="'1' is that of record 0"):
        run(settings(path, tmp_path / "out", unique=True))
    assert tamis.dedup(path, out=tmp_path / "all", id="id").ledger.total.kept.rows == 3
