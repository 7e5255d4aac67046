"""A planted lake is planned, made smaller, and made whole again: by moving and by rebuilding."""

import csv
import json
import shutil
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from found_lake import scan_lake
from planted_lake import write_lake

from tamis.connectors.moved import digests
from tamis.pipeline.lake.apply import apply
from tamis.pipeline.lake.costs import Costs, make_costs
from tamis.pipeline.lake.found import read_found
from tamis.pipeline.lake.journal import Journal
from tamis.pipeline.lake.lake_rows import contents, open_table, open_tables, seeing
from tamis.pipeline.lake.plan import make_plan
from tamis.pipeline.lake.recipe import load_recipe
from tamis.pipeline.lake.restore import restore

VARIANTS = (
    "root",
    "columns",
    "distinct",
    "rows-other-format",
    "copy-rows",
    "copy-columns",
    "copy-parts",
    "copy-format",
)
VARIANTS += ("copy-format-parts", "copy-types", "copy-signs", "rows-twice", "cell", "chain-5", "empty", "header")


def values(path):
    """What the files of a table hold, by other readers."""
    found = []
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if file.name.endswith(".parquet"):
            table = pq.read_table(file)
            found.append((file.name, str(table.schema.remove_metadata()), repr(table.to_pylist())))
        elif file.name.endswith(".csv"):
            with open(file, newline="", encoding="utf-8") as stream:
                found.append((file.name, list(csv.reader(stream))))
        else:
            lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            found.append((file.name, [list(line.items()) for line in lines]))
    return found


def contents_of(lake):
    found = {}
    for name, table in open_tables([str(lake)])[0].items():
        opened = open_table(table)
        seen = seeing({})
        found[name] = contents(
            seen.prints(batch, opened.schema.names, opened.table) for batch in opened.read(opened.schema.names)
        )
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    base = tmp_path_factory.mktemp("planted")
    truth = write_lake(base / "lake", seed=3, tables=105)
    for name in [name for name, table in truth.tables.items() if table.variant not in VARIANTS]:
        (base / "lake" / name).unlink()
        del truth.tables[name]
    scan_lake(base / "lake", base / "found")
    return base, truth, digests(base / "lake"), contents_of(base / "lake")


def test_every_table_that_goes_comes_back(planted):
    base, truth, bytes_before, contents_before = planted
    lake, found = base / "lake", read_found(base / "found")
    before = {name: values(lake / name) for name in truth.tables}
    plan = make_plan(found, Costs())
    names = {deletion["table"] for deletion in plan["deletions"]}
    for deletion in plan["deletions"]:
        pair = (deletion["parent"], deletion["table"])
        assert pair in truth.as_sets
        assert deletion["why"] == ("equal copy" if pair[::-1] in truth.as_sets else "inside")
        assert deletion["parent"] not in names
    assert {truth.tables[name].format for name in names} == {"parquet", "csv", "jsonl"}

    moved = list(apply(found, plan, base / "found" / "quarantine"))
    assert {(outcome.table, outcome.did) for outcome in moved} == {(name, "moved") for name in names}
    assert {path.name for path in lake.iterdir()} == truth.tables.keys() - names
    assert all(digests(Path(outcome.where)) == {
        name.removeprefix(outcome.table).lstrip("/"): digest
        for name, digest in bytes_before.items() if name.split("/")[0] == outcome.table
    } for outcome in moved)  # fmt: skip

    assert {outcome.did for outcome in restore(base / "found")} == {"brought back"}
    assert digests(lake) == bytes_before

    assert {outcome.did for outcome in apply(found, plan, base / "found" / "quarantine")} == {"moved"}
    rebuilt = list(restore(base / "found", again=True))
    assert {(outcome.table, outcome.did) for outcome in rebuilt} == {(name, "rebuilt") for name in names}
    assert contents_of(lake) == contents_before
    assert {name: values(lake / name) for name in truth.tables} == before
    assert Journal(base / "found").gone() == []


def test_what_counts_as_the_same_and_is_not_is_in_the_recipe(planted):
    base = planted[0]
    recipes = [load_recipe(base / "found", number) for number in Journal(base / "found").last()]
    carried = {recipe.table.split("-", 1)[1]: recipe.carried for recipe in recipes if recipe.carried}
    assert carried == {"copy-signs.parquet": ("price",)}


def random_lake(folder, rng):
    """Write tables of rows from a small pool, as files of three formats or folders of two."""
    folder.mkdir()
    columns = ("a", "b", "c", "d")
    pool = [{name: f"{rng.randint(0, 2)}{rng.choice(('', ' x', 'é'))}" for name in columns} for _ in range(10)]
    for number in range(18):
        names = rng.sample(columns, rng.randint(1, 3))
        rows = pa.Table.from_pylist(
            [{name: row[name] for name in names} for row in rng.choices(pool, k=rng.randint(1, 12))]
        )
        kind, name = rng.choice(("parquet", "csv", "jsonl", "folder")), folder / f"t{number:02}"
        if kind == "parquet":
            pq.write_table(rows, f"{name}.parquet", row_group_size=3)
        elif kind == "csv":
            pyarrow.csv.write_csv(rows, f"{name}.csv")
        elif kind == "jsonl":
            Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
        else:
            name.mkdir()
            pq.write_table(rows.slice(0, 2), name / "part-0.parquet")
            pq.write_table(rows.slice(2), name / "part-1.parquet")


@pytest.mark.parametrize("seed", range(4))
def test_lakes_and_costs_by_chance(tmp_path, seed):
    rng = Random(seed)
    random_lake(tmp_path / "lake", rng)
    before = contents_of(tmp_path / "lake")
    scan_lake(tmp_path / "lake", tmp_path / "found")
    found = read_found(tmp_path / "found")
    pinned = {f"t{number:02}*": {"pinned": True} for number in rng.sample(range(18), 3)}
    costs = make_costs({"accesses_per_month": rng.choice((0, 0.05)), "tables": pinned})
    plan = make_plan(found, costs, all_up_to=rng.choice((0, 1000)))
    gone = {one["table"] for one in plan["deletions"]}
    assert gone
    assert not gone & {one["table"] for one in plan["pinned"]}
    assert not any(name.startswith(glob[:-1]) for name in gone for glob in pinned)
    assert {one.did for one in apply(found, plan, tmp_path / "away")} == {"moved"}
    assert contents_of(tmp_path / "lake") == {name: rows for name, rows in before.items() if name not in gone}
    shutil.rmtree(tmp_path / "away")
    assert {one.did for one in restore(tmp_path / "found")} == {"rebuilt"}
    assert contents_of(tmp_path / "lake") == before
