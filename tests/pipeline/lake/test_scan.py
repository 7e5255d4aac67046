"""The scan against brute force over all pairs, on small lakes of several formats."""

import csv
import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from found_pairs import containment_rows, named

from tamis.connectors.lake_tables import list_tables
from tamis.hashing.errors import InputError
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.reduction import group
from tamis.pipeline.lake.scan import scan


def write(folder, name, rows, kind, groups=3):
    """Write rows, mappings of names to strings, as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    names = list(rows[0]) if rows else ["a"]
    if kind == "csv":
        with open(folder / f"{name}.csv", "w", newline="") as stream:
            writer = csv.DictWriter(stream, names, quoting=csv.QUOTE_ALL)
            writer.writeheader()
            writer.writerows(rows)
    elif kind == "jsonl":
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        table = pa.table({n: [row[n] for row in rows] for n in names}, pa.schema([(n, pa.string()) for n in names]))
        if kind == "folder":
            (folder / name).mkdir()
            for part in range(2):
                pq.write_table(
                    table.slice(part * len(rows) // 2, (len(rows) + 1) // 2), folder / name / f"part-{part}.parquet"
                )
        else:
            pq.write_table(table, folder / f"{name}.parquet", row_group_size=groups)


def random_lake(folder, seed):
    """Write tables and return {name: (columns, set of rows)}."""
    rng = Random(seed)
    columns = ["a", "b", "c", "d"]
    pool = [{n: str(rng.randint(0, 2)) + rng.choice(["", " x", "é"]) for n in columns} for _ in range(12)]
    truth = {}
    for number in range(24):
        names = sorted(rng.sample(columns, rng.randint(1, 4)))
        rows = [{n: row[n] for n in names} for row in rng.choices(pool, k=rng.randint(1, 9))]
        kind = rng.choice(["csv", "parquet", "folder", "jsonl"])
        shuffled = [dict(rng.sample(list(row.items()), len(row))) if kind == "jsonl" else row for row in rows]
        write(folder, f"t{number:02}", shuffled, kind)
        name = f"t{number:02}" + {"folder": ""}.get(kind, f".{kind}")
        truth[name] = (tuple(names), {tuple(row[n] for n in names) for row in rows})
    return truth


def brute_force(truth):
    found = set()
    for child, (names, rows) in truth.items():
        for parent, (others, held) in truth.items():
            if child != parent and set(names) <= set(others):
                places = [others.index(n) for n in names]
                if rows <= {tuple(row[i] for i in places) for row in held}:
                    found.add((child, parent))
    return found


def run(folder, work, **options):
    tables, _ = list_tables([str(folder)])
    return scan(LocalEngine(work), tables, Options(**options))


@pytest.mark.parametrize("seed", range(4))
def test_containment_is_that_of_brute_force(tmp_path, seed):
    truth = random_lake(tmp_path / "lake", seed)
    found = run(tmp_path / "lake", tmp_path / "work")
    assert {table.name for table in found.tables} == set(truth)
    assert named(found) == brute_force(truth)
    assert found.groups.pairs() == len(named(found)) > 10
    assert found.faults == {}


@pytest.mark.parametrize("epsilon", [0.9, 0.001])
def test_the_sample_changes_nothing_but_who_refutes(tmp_path, epsilon):
    truth = random_lake(tmp_path / "lake", 7)
    found = run(tmp_path / "lake", tmp_path / "work", epsilon=epsilon)
    assert named(found) == brute_force(truth)
    checked = found.links.checked
    assert found.links.candidates == len(checked.child)
    assert set(checked.missing[~checked.verified] > 0) == {True}


def test_a_witness_is_a_row_that_is_missing(tmp_path):
    write(tmp_path / "lake", "big", [{"a": str(i)} for i in range(50)], "parquet")
    write(tmp_path / "lake", "small", [{"a": str(i)} for i in range(40)] + [{"a": "other"}], "csv")
    found = run(tmp_path / "lake", tmp_path / "work")
    number = {table.name: i for i, table in enumerate(found.tables)}
    checked = found.links.checked
    assert [found.table_of(child) for child in checked.child] == [number["small.csv"]]
    assert (checked.missing.tolist(), checked.looked_for.tolist(), checked.witness.tolist()) == ([1], [41], [40])


def test_groups_and_nothing_said_twice():
    links = [(2, 0), (3, 2), (3, 0), (3, 4)]
    found = group([4, 0, 1, 2, 3, 5], {0: 0, 1: 0, 2: 2, 3: 3, 4: 4, 5: 5}, links)
    assert found.members == ((0, 1), (2,), (3,), (4,), (5,))
    assert found.direct == ((), (0,), (1, 3), (), ())
    assert found.inside == (0, 1, 3, 0, 0)
    assert list(found.closure()) == [(1, 0), (2, 0), (2, 1), (2, 3)]
    assert found.pairs() == 2 + 2 + 1 + 2 + 1


def test_a_table_that_cannot_be_read_is_inside_none(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / "lake", name, [{"a": "1", "b": "2"}], "csv")
    (tmp_path / "lake" / "bad.csv").write_bytes(b"a,a\n1,2\n")
    found = run(tmp_path / "lake", tmp_path / "work")
    assert list(found.faults) == [0]
    assert "names of their own" in found.faults[0]
    assert named(found) == {("one.csv", "two.csv"), ("two.csv", "one.csv")}


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("bad.csv", b"a,b\n1,2\n3\n", "ragged: 1 field, the header has 2"),
        ("bad.csv", b"a,b\n1,2\n1,\xff\n", "invalid-utf8"),
        ("bad.jsonl", b'{"a": "1", "b": "2"}\n{"a":\n', "invalid-json"),
    ],
)
def test_a_table_with_a_record_that_cannot_be_read_may_hold_others(tmp_path, name, content, rule):
    """Of its own rows nothing is verified: nobody knows what the others are."""
    for other in ("one", "two"):
        write(tmp_path / "lake", other, [{"a": "1", "b": "2"}], "csv")
    (tmp_path / "lake" / name).write_bytes(content)
    found = run(tmp_path / "lake", tmp_path / "work")
    assert found.faults == {}
    assert found.unread == {0: [(1, found.unread[0][0][1])]}
    assert found.unread[0][0][1].startswith(rule)
    assert named(found) == {("one.csv", "two.csv"), ("two.csv", "one.csv"), ("one.csv", name), ("two.csv", name)}
    rows = containment_rows(found)
    of_bad = [(row["parent"], row["status"], row["containment"]) for row in rows if row["child"] == name]
    assert of_bad == [("one.csv", "not_refuted", None)]


def test_columns_are_ignored_and_types_may_count(tmp_path):
    pq_folder = tmp_path / "lake"
    pq_folder.mkdir()
    pq.write_table(pa.table({"a": [1, 2], "n": [0, 1]}), pq_folder / "one.parquet")
    pq.write_table(pa.table({"a": ["2"], "n": ["7"]}), pq_folder / "two.parquet")
    assert named(run(pq_folder, tmp_path / "w1")) == set()
    assert named(run(pq_folder, tmp_path / "w2", ignore=("n",))) == {("two.parquet", "one.parquet")}
    assert named(run(pq_folder, tmp_path / "w3", ignore=("n",), match_types=True)) == set()


def test_tables_without_rows_are_named(tmp_path):
    write(tmp_path / "lake", "full", [{"a": "1"}], "parquet")
    (tmp_path / "lake" / "none.csv").write_text("a\n")
    (tmp_path / "lake" / "alone.csv").write_text("z\n")
    found = run(tmp_path / "lake", tmp_path / "work")
    assert [found.tables[i].name for i in found.empty] == ["none.csv"]
    assert named(found) == set()


def test_a_lake_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="an input exists"):
        list_tables([str(tmp_path / "nowhere")])
