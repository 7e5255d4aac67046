import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.row_groups import batches_of


@pytest.fixture
def file(tmp_path):
    pq.write_table(pa.table({"a": range(10), "b": list("abcdefghij")}), tmp_path / "x.parquet", row_group_size=4)
    with pq.ParquetFile(tmp_path / "x.parquet") as opened:
        yield opened


@pytest.mark.parametrize("threads", [False, True])
def test_groups_come_one_after_another(file, threads):
    found = [batch.column("a").to_pylist() for batch in batches_of(file, 3, threads=threads)]
    assert found == [[0, 1, 2], [3], [4, 5, 6], [7], [8, 9]]


def test_some_groups_and_columns(file):
    (batch,) = batches_of(file, 100, columns=["b"], groups=[1])
    assert batch.to_pydict() == {"b": ["e", "f", "g", "h"]}


def test_no_columns_still_count(file):
    assert sum(batch.num_rows for batch in batches_of(file, 100, columns=[])) == 10
