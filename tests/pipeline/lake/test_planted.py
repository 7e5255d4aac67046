"""The scan of a lake with planted containment and decoys."""

import pytest
from planted_lake import write_lake

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.scan import Options, scan


@pytest.mark.parametrize("seed", range(2))
def test_what_is_planted_is_found_and_nothing_else(tmp_path, seed):
    """Delimited files have no types: a float written as 1.0 is another text than that of the number 1."""
    truth = write_lake(tmp_path / "lake", seed)
    tables, _ = list_tables([str(tmp_path / "lake")])
    found = scan(LocalEngine(tmp_path / "work"), tables, Options())
    names = [table.name for table in found.tables]
    assert set(names) == set(truth.tables)
    pairs = {(names[parent], names[child]) for child, parent in found.pairs}
    planted = {(parent, child) for parent, child in truth.as_sets if child not in truth.empty}
    typed = {table.name for table in found.tables if table.format == "parquet"}
    assert pairs <= planted
    assert {pair for pair in planted if typed.issuperset(pair)} <= pairs
    assert len(pairs) > 900
    assert {names[i] for i in found.empty} == set(truth.empty)
    assert found.faults == {}
