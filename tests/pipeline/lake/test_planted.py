"""The scan of a lake with planted containment and decoys: all that is planted is found, and nothing else."""

import pytest
from planted_lake import write_lake

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.links import find_links
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import containment
from tamis.pipeline.lake.scan import scan


def scanned(folder, work, **options):
    tables, _ = list_tables([str(folder)])
    return scan(LocalEngine(work), tables, Options(**options))


def pairs_of(found, options=None):
    rows = [row for table in containment(found, options or Options(), closure=True) for row in table.to_pylist()]
    return {(row["parent"], row["child"]) for row in rows if row["status"] == "verified"}


def equal_of(found):
    names = [table.name for table in found.tables]
    return {tuple(names[i] for i in members) for members in found.groups.members if len(members) > 1}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("bags", [False, True])
def test_all_that_is_planted_is_found_and_nothing_else(tmp_path, seed, bags):
    truth = write_lake(tmp_path / "lake", seed)
    found = scanned(tmp_path / "lake", tmp_path / "work", typed_csv=True, bags=bags)
    planted = truth.as_bags if bags else truth.as_sets
    wanted = {(parent, child) for parent, child in planted if child not in truth.empty}
    assert {table.name for table in found.tables} == set(truth.tables)
    assert pairs_of(found) == wanted
    assert found.groups.pairs() == len(wanted) > 900
    equal = truth.equal_bags if bags else truth.equal_sets
    assert equal_of(found) == {tuple(members) for members in equal if not truth.empty.issuperset(members)}
    assert {found.tables[i].name for i in found.empty} == set(truth.empty)
    assert found.faults == {}


def test_delimited_files_as_texts(tmp_path):
    """A float written as 1.0 is another text than that of the number 1, and an empty field no null."""
    truth = write_lake(tmp_path / "lake", 5)
    found = scanned(tmp_path / "lake", tmp_path / "work")
    planted = {(parent, child) for parent, child in truth.as_sets if child not in truth.empty}
    typed = {table.name for table in found.tables if table.format != "csv"}
    assert {pair for pair in planted if typed.issuperset(pair)} <= pairs_of(found) < planted


def test_looking_in_rounds_finds_the_same(tmp_path, monkeypatch):
    """Few pairs are looked at at once; many, in rounds that leave out what follows."""
    write_lake(tmp_path / "lake", 6)
    whole = scanned(tmp_path / "lake", tmp_path / "work", typed_csv=True)
    monkeypatch.setattr("tamis.pipeline.lake.links.FETCHED", 2)
    monkeypatch.setattr("tamis.pipeline.lake.links.WIDTH", 1)
    monkeypatch.setattr("tamis.pipeline.lake.scan.find_links", lambda *arguments: find_links(*arguments, at_once=0))
    rounds = scanned(tmp_path / "lake", tmp_path / "rounds", typed_csv=True)
    assert rounds.groups == whole.groups
    assert rounds.links.candidates == whole.links.candidates
    assert len(rounds.links.checked.child) < len(whole.links.checked.child)
    refuted = [
        {(child, parent, missing, witness) for child, parent, missing, witness in zip(
            part.child.tolist(), part.parent.tolist(), part.missing.tolist(), part.witness.tolist(), strict=True
        ) if missing}
        for part in (whole.links.checked, rounds.links.checked)
    ]  # fmt: skip
    assert refuted[0] == refuted[1] != set()
