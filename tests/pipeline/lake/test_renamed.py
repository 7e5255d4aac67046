"""Tables inside others whose columns are called otherwise."""

import json
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import containment
from tamis.pipeline.lake.scan import scan
from tamis.pipeline.lake.sketches import HASHES, matching, may_hold


def sketch(values):
    """Hashes that stand for values."""
    return np.sort(np.array(values, np.int64))[:HASHES]


def test_a_sketch_allows_what_it_cannot_exclude():
    small = list(range(0, 3000, 10))
    assert may_hold(sketch(small), sketch(range(3000)))
    assert may_hold(sketch([1, 2]), sketch([1, 2, 3]))
    assert not may_hold(sketch([1, 4]), sketch([1, 2, 3]))
    assert may_hold(sketch([1, 4000]), sketch(range(3000)))  # 4000 lies above what the sketch has
    assert not may_hold(sketch([5]), sketch([]))
    assert may_hold(sketch([]), sketch([1]))


@pytest.mark.parametrize("seed", range(20))
def test_what_is_inside_is_always_allowed(seed):
    rng = np.random.default_rng(seed)
    parent = rng.choice(2**40, rng.integers(1, 2000), replace=False)
    child = rng.choice(parent, rng.integers(1, len(parent) + 1), replace=False)
    assert may_hold(sketch(child), sketch(parent))


def test_the_likeliest_matching():
    parent = {"x": sketch([1, 2, 3]), "y": sketch([1, 2, 3, 4, 5]), "z": sketch([0, 1])}
    assert matching({"a": sketch([1, 2, 4]), "b": sketch([2, 3])}, parent) == (("a", "y"), ("b", "x"))
    assert matching({"y": sketch([1, 2]), "b": sketch([2, 3])}, parent) == (("y", "y"), ("b", "x"))
    assert matching({"a": sketch([4]), "b": sketch([5])}, parent) is None
    assert matching(dict.fromkeys("abcd", sketch([1])), parent) is None


def write(folder, name, columns):
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"{name}.parquet")


def verified(folder, work, **options):
    chosen = Options(renamed=True, **options)
    found = scan(LocalEngine(work), list_tables([str(folder)])[0], chosen)
    rows = [row for table in containment(found, chosen) for row in table.to_pylist()]
    return {
        (row["parent"], row["child"]): row["columns"] and json.loads(row["columns"])
        for row in rows
        if row["status"] == "verified"
    }


def test_renamed_tables_are_found_and_none_is_invented(tmp_path):
    rng = Random(1)
    ids = rng.sample(range(10**6), 3000)
    cities = [f"city {i % 50}" for i in ids]
    paid = [i % 3 == 0 for i in ids]
    write(tmp_path / "lake", "orders", {"id": ids, "city": cities, "paid": paid})
    write(tmp_path / "lake", "part", {"ort": cities[:700], "nummer": ids[:700]})
    write(tmp_path / "lake", "copy", {"a": paid, "b": cities, "c": ids})
    moved = cities[:700]
    moved[0], moved[1] = "city 7", "city 8"
    write(tmp_path / "lake", "wrong", {"ort2": moved, "nummer2": ids[:700]})
    write(tmp_path / "lake", "named", {"id": ids[:300]})
    assert verified(tmp_path / "lake", tmp_path / "work") == {
        ("orders.parquet", "named.parquet"): None,
        ("orders.parquet", "part.parquet"): {"ort": "city", "nummer": "id"},
        ("copy.parquet", "part.parquet"): {"ort": "b", "nummer": "c"},
        ("copy.parquet", "orders.parquet"): {"id": "c", "city": "b", "paid": "a"},
        ("orders.parquet", "copy.parquet"): {"a": "paid", "b": "city", "c": "id"},
        ("copy.parquet", "named.parquet"): {"id": "c"},
        **{
            (parent, "named.parquet"): {"id": name}
            for parent, name in (("part.parquet", "nummer"), ("wrong.parquet", "nummer2"))
        },
    }


def test_rows_may_be_of_several_files_and_formats(tmp_path):
    (tmp_path / "lake").mkdir()
    ids = list(range(500))
    write(tmp_path / "lake", "whole", {"key": ids, "name": [f"n{i}" for i in ids]})
    rows = "".join(f"{i},n{i}\n" for i in ids[100:300])
    (tmp_path / "lake" / "some.csv").write_text("number,called\n" + rows)
    assert verified(tmp_path / "lake", tmp_path / "work") == {
        ("whole.parquet", "some.csv"): {"number": "key", "called": "name"}
    }
