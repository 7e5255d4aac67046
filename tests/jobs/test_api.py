import math

import pyarrow as pa
import pytest

import tamis
from tamis.hashing.errors import ConfigError

TABLE = pa.table({"text": ["one text", "another text", "one text"]})


def test_a_table_may_be_sifted_again_into_the_same_folder(tmp_path):
    first = tamis.dedup(TABLE, out=tmp_path / "out")
    stamp = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
    again = tamis.dedup(TABLE, out=tmp_path / "out")
    assert again.removed.equals(first.removed)
    assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == stamp


def test_record_batches_and_lists_of_paths(write_parquet):
    assert tamis.dedup(TABLE.to_batches()[0]).removed["keeper_address"].to_pylist() == [0]
    paths = [write_parquet(f"{i}.parquet", text=["same"]) for i in range(2)]
    assert tamis.dedup(paths).removed["keeper_address"].to_pylist() == [0]


@pytest.mark.parametrize("inputs", [5, [TABLE, TABLE], [5]], ids=["number", "tables", "numbers"])
def test_other_inputs_are_refused(inputs):
    with pytest.raises(ConfigError, match="one path, a list of paths, or one Arrow table"):
        tamis.dedup(inputs)


def test_a_threshold_is_given_once():
    with pytest.raises(ConfigError, match="a threshold is given once"):
        tamis.dedup(TABLE, near={"threshold": 0.5})


@pytest.mark.parametrize("threshold", [0.5, 1.1, math.nan])
def test_thresholds_out_of_range_are_refused(threshold):
    with pytest.raises(ConfigError, match="between that of the run"):
        tamis.dedup(TABLE).at_threshold(threshold)


def test_the_result_tells_what_happened():
    result = tamis.dedup(TABLE)
    assert "3 rows in, 2 kept, 1 removed (1 by exact), 0 quarantined" in repr(result)
    assert sorted(row for batch in result.kept(["text"]) for row in batch.column(0).to_pylist()) == [
        "another text",
        "one text",
    ]
    assert result.where(2) == "input.parquet:2"
    assert result.clusters.select(["cluster", "size", "address", "kept"]).to_pylist() == [
        {"cluster": 0, "size": 2, "address": 0, "kept": True},
        {"cluster": 0, "size": 2, "address": 2, "kept": False},
    ]
