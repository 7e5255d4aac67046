"""Scans for less than whole tables, without looking for every row, and with what an earlier scan remembers."""

import json
import os
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.lake_tables import list_tables
from tamis.hashing.errors import ConfigError
from tamis.jobs.engine_options import EngineOptions
from tamis.jobs.lake import scan_lake
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake import containment as containment_module
from tamis.pipeline.lake.canonical import row_fingerprints
from tamis.pipeline.lake.containment import Checking, Projections, sizes_of
from tamis.pipeline.lake.options import Options, sample_size
from tamis.pipeline.lake.outputs import containment
from tamis.pipeline.lake.prints import ROWS
from tamis.pipeline.lake.scan import scan


def scanned(folder, work, options):
    tables, _ = list_tables([str(folder)])
    return scan(LocalEngine(work), tables, options)


def rows_of(found, options):
    rows = [row for table in containment(found, options) for row in table.to_pylist()]
    return {(row["parent"], row["child"]): row for row in rows}


def write(folder, name, values):
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"a": pa.array(values, pa.int64())}), folder / f"{name}.parquet")


def overlapping_lake(folder, seed, *, bags=False):
    """Write tables that hold parts of others, and return {name: list of values}."""
    rng = Random(seed)
    tables = {}
    for number in range(30):
        base = list(range(number % 3 * 1000, number % 3 * 1000 + 200))
        kept = rng.sample(base, rng.randint(20, 200))
        values = kept + [rng.randint(5000, 10**6) for _ in range(rng.choice([0, 1, 5, 30]))]
        values += rng.choices(values, k=20) if bags else []
        tables[f"t{number:02}"] = values
        write(folder, f"t{number:02}", values)
    return {f"{name}.parquet": values for name, values in tables.items()}


def contained_share(child, parent, *, bags):
    if bags:
        return sum(min(child.count(v), parent.count(v)) for v in set(child)) / len(child)
    return len(set(child) & set(parent)) / len(set(child))


@pytest.mark.parametrize("bags", [False, True])
def test_shares_are_those_of_brute_force(tmp_path, bags):
    truth = overlapping_lake(tmp_path / "lake", 1, bags=bags)
    options = Options(min_containment=0.6, bags=bags)
    rows = rows_of(scanned(tmp_path / "lake", tmp_path / "work", options), options)
    shares = {
        (parent, child): contained_share(truth[child], truth[parent], bags=bags)
        for child in truth
        for parent in truth
        if child != parent
    }
    found = {pair: row["containment"] for pair, row in rows.items()}
    wanted = {pair: share for pair, share in shares.items() if share >= 0.6}
    assert {pair: found[pair] for pair in wanted} == pytest.approx(wanted)
    assert len(wanted) > 30
    assert all(found[pair] == pytest.approx(shares[pair]) for pair in found)


def test_a_value_outside_the_parents_bounds_refutes_the_whole_only(tmp_path):
    write(tmp_path / "lake", "child", [*range(99), 1000])
    write(tmp_path / "lake", "parent", [-5, *range(100)])
    options = Options(min_containment=0.9)
    row = rows_of(scanned(tmp_path / "lake", tmp_path / "near", options), options)["parent.parquet", "child.parquet"]
    assert (row["containment"], row["missing"], row["witness"]) == (0.99, 1, "child.parquet:99")
    assert rows_of(scanned(tmp_path / "lake", tmp_path / "whole", Options()), Options()) == {}


def test_a_row_that_is_there_often_counts_as_often(tmp_path):
    """Of the distinct rows one in 3,001 is contained, of all rows nearly all."""
    write(tmp_path / "lake", "child", [*range(1, 3001), *[0] * 50_000])
    write(tmp_path / "lake", "parent", [0] * 60_000)
    options = Options(min_containment=0.9, bags=True)
    rows = rows_of(scanned(tmp_path / "lake", tmp_path / "work", options), options)
    found = rows["parent.parquet", "child.parquet"]
    assert (found["status"], found["missing"]) == ("refuted", 3000)
    assert found["containment"] == pytest.approx(50_000 / 53_000)


def test_a_sample_estimates_and_refutes(tmp_path):
    rng = Random(2)
    values = rng.sample(range(10**6), 20_000)
    write(tmp_path / "lake", "all", values)
    write(tmp_path / "lake", "most", values[:10_000] + list(range(2 * 10**6, 2 * 10**6 + 500)))
    write(tmp_path / "lake", "half", values[:10_000] + list(range(3 * 10**6, 3 * 10**6 + 9_000)))
    options = Options(min_containment=0.9)
    rows = rows_of(scanned(tmp_path / "lake", tmp_path / "work", options), options)
    most = rows["all.parquet", "most.parquet"]
    assert most["status"] == "refuted"
    assert most["containment"] == pytest.approx(10_000 / 10_500)
    assert most["missing"] == 500
    half = rows["all.parquet", "half.parquet"]
    assert half["containment"] is None
    assert half["estimate"] == pytest.approx(10_000 / 19_000, abs=0.05)


def test_without_looking_for_every_row_nothing_large_is_verified(tmp_path):
    write(tmp_path / "lake", "all", range(10_000))
    write(tmp_path / "lake", "part", range(9_000))
    write(tmp_path / "lake", "small", range(100))
    options = Options(verify=False)
    rows = rows_of(scanned(tmp_path / "lake", tmp_path / "work", options), options)
    part = rows["all.parquet", "part.parquet"]
    assert (part["status"], part["bound"], part["estimate"], part["containment"]) == ("not_refuted", 0.01, 1.0, None)
    assert rows["part.parquet", "small.parquet"]["status"] == "verified"


@pytest.mark.parametrize(("share", "bags"), [(1.0, False), (1.0, True), (0.6, False)])
def test_looking_for_all_rows_before_the_sample_says_the_same(tmp_path, monkeypatch, share, bags):
    overlapping_lake(tmp_path / "lake", 2, bags=bags)
    write(tmp_path / "lake", "all", list(range(3000)) * (20 if bags else 1))
    options = Options(min_containment=share, bags=bags, epsilon=0.4)
    said = []
    for times in (0, 10**6):
        monkeypatch.setattr(containment_module, "FEW_TIMES", times)
        said.append(rows_of(scanned(tmp_path / "lake", tmp_path / f"work-{times}", options), options))
    assert said[0] == said[1]
    estimates = {row["estimate"] for row in said[0].values()}
    assert 1.0 in estimates
    assert any(one is not None and one < 1 for one in estimates)


def test_what_the_sample_keeps_by_chance(tmp_path):
    """Of 2,500 pairs that lack a tenth of the child's rows, the sample of 20 keeps no more than (1 - 0.1)^20 allows."""
    pairs, rows, missing = 2500, 200, 20
    prints = row_fingerprints([("a", pa.array(np.arange(pairs * rows)))], pairs * rows).view(np.int64)
    place = np.arange(pairs * rows)
    kept = place % rows >= missing
    projection = np.concatenate([place // rows, place[kept] // rows + pairs])
    both = np.concatenate([prints, prints[kept]])
    ones = np.ones(len(both), np.int64)
    table = pa.table([pa.array(c) for c in (projection, both[:, 0], both[:, 1], ones, ones)], schema=ROWS)
    engine = LocalEngine(tmp_path)
    rows_table = [engine.table(table).save("rows")]
    number = np.arange(2 * pairs)
    projections = Projections(number, np.zeros(2 * pairs, np.int64), 2 * pairs)
    options = Options(epsilon=0.1, delta=0.9**19.5, verify=False)
    assert sample_size(1, epsilon=0.1, delta=0.9**19.5) == 20
    checking = Checking(engine, rows_table, projections, sizes_of(rows_table, 2 * pairs, {}), 1, options)
    found = checking.check(number[:pairs], number[pairs:])
    retained = int((found.missing == 0).sum())
    assert 200 < retained <= 355  # binomial(2500, 0.9**20): mean 303.9; the 99.9 % limit
    again = checking.check(number[pairs:], number[:pairs])
    assert again.missing.sum() == 0


def test_a_second_scan_reads_what_has_changed(tmp_path):
    lake, out = tmp_path / "lake", tmp_path / "out"
    for number in range(6):
        write(lake, f"t{number}", range(number * 10 + 5))
    first = scan_lake([str(lake)], out, Options(), EngineOptions())
    same = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".parquet"}
    assert measured(out)["tables_read"] == 6
    assert scan_lake([str(lake)], out, Options(), EngineOptions()) == first
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".parquet"} == same
    assert (measured(out)["tables_read"], measured(out)["bytes_read"]) == (0, 0)
    write(lake, "t3", [*range(35), -1])
    write(lake, "a-new-one", range(8))
    after = scan_lake([str(lake)], out, Options(), EngineOptions())
    assert measured(out)["tables_read"] == 2
    fresh = scan_lake([str(lake)], tmp_path / "fresh", Options(), EngineOptions())
    assert after == fresh
    for name in ("containment.parquet", "tables.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    (lake / "t5.parquet").unlink()
    after = scan_lake([str(lake)], out, Options(), EngineOptions())
    assert measured(out)["tables_read"] == 0
    assert after == scan_lake([str(lake)], tmp_path / "fresher", Options(), EngineOptions())


def test_a_file_that_keeps_its_size_and_time_is_read_again(tmp_path):
    lake, out = tmp_path / "lake", tmp_path / "out"
    write(lake, "big", range(9))
    (lake / "a.csv").write_text("a\n1\n2\n")
    os.utime(lake / "a.csv", (1, 1))
    assert scan_lake([str(lake)], out, Options(), EngineOptions())["pairs"]["verified"] == 1
    (lake / "a.csv").write_text("a\n1\nx\n")
    os.utime(lake / "a.csv", (1, 1))
    assert scan_lake([str(lake)], out, Options(), EngineOptions())["pairs"]["verified"] == 0
    assert measured(out)["tables_read"] == 1


def test_rows_compared_otherwise_are_read_again(tmp_path):
    write(tmp_path / "lake", "a", range(5))
    write(tmp_path / "lake", "b", range(9))
    for options, read in ((Options(), 2), (Options(bags=True), 0), (Options(trim=True), 2)):
        scan_lake([str(tmp_path / "lake")], tmp_path / "out", options, EngineOptions())
        assert measured(tmp_path / "out")["tables_read"] == read


def measured(out):
    return json.loads((out / "measured.json").read_text())


def test_a_table_that_changes_while_it_is_read_is_compared_with_none(tmp_path, monkeypatch):
    write(tmp_path / "lake", "a", range(5))
    write(tmp_path / "lake", "b", range(9))
    tables, _ = list_tables([str(tmp_path / "lake")])
    os.utime(tmp_path / "lake" / "a.parquet", (1, 1))
    found = scan(LocalEngine(tmp_path / "work"), tables, Options())
    assert list(found.faults) == [0]
    assert "stays as it is while it is read" in found.faults[0]
    assert found.groups.pairs() == 0


def test_links_do_not_make_a_lake_contain_itself(tmp_path):
    write(tmp_path / "lake", "a", range(5))
    (tmp_path / "lake" / "link.parquet").symlink_to("a.parquet")
    os.link(tmp_path / "lake" / "a.parquet", tmp_path / "lake" / "hard.parquet")
    (tmp_path / "lake" / "loop").symlink_to(tmp_path / "lake")
    tables, ignored = list_tables([str(tmp_path / "lake"), str(tmp_path / "lake")])
    linked = [(table.name.rpartition("/")[2], table.linked.rpartition("/")[2]) for table in tables]
    assert linked[:2] == [("a.parquet", ""), ("a.parquet", "a.parquet")]
    assert set(linked[2:]) == {("hard.parquet", "a.parquet"), ("link.parquet", "a.parquet")}
    found = scan(LocalEngine(tmp_path / "work"), tables, Options())
    assert found.groups.pairs() == 0
    assert any(path.endswith("/loop") for path in ignored)


@pytest.mark.parametrize("options", [{"min_containment": 0}, {"min_containment": 1.1}, {"epsilon": 0}, {"delta": 2}])
def test_shares_are_shares(options):
    with pytest.raises(ConfigError, match="is a share between 0 and 1"):
        Options(**options)
