"""Moving tables away and back: what is refused, and what a stop at any point leaves."""

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from found_lake import change_ledger, scan_lake

from tamis.connectors import moved
from tamis.connectors.moved import digests
from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.pipeline.lake.apply import apply, dry_run
from tamis.pipeline.lake.costs import Costs, TableCosts
from tamis.pipeline.lake.found import read_found
from tamis.pipeline.lake.journal import Journal
from tamis.pipeline.lake.lake_rows import open_tables
from tamis.pipeline.lake.plan import make_plan
from tamis.pipeline.lake.restore import restore


def write_small_lake(lake):
    """A parent, a file inside it, and a folder inside it."""
    lake.mkdir()
    rows = pa.table({"id": range(60), "city": [f"c{i % 7}" for i in range(60)]})
    pq.write_table(rows, lake / "all.parquet")
    (lake / "deep").mkdir()
    pq.write_table(rows.take(pa.array([5, 3, 3, 59])), lake / "deep" / "some.parquet")
    (lake / "parts").mkdir()
    pq.write_table(rows.slice(10, 7), lake / "parts" / "part-0.parquet")
    pq.write_table(rows.slice(2, 5).select(["id", "city"]), lake / "parts" / "part-1.parquet")
    (lake / "parts" / "_SUCCESS").touch()


@pytest.fixture
def scanned(tmp_path):
    write_small_lake(tmp_path / "lake")
    scan_lake(tmp_path / "lake", tmp_path / "found")
    return tmp_path


def planned(base, **settings):
    found = read_found(base / "found")
    return found, make_plan(found, Costs(**settings), done=Journal(base / "found").gone())


def carry_out(base, **settings):
    found, plan = planned(base, **settings)
    return list(apply(found, plan, base / "found" / "quarantine"))


def did(outcomes):
    return {outcome.table: outcome.did for outcome in outcomes}


def test_a_dry_run_says_what_would_be_moved_and_writes_nothing(scanned):
    found, plan = planned(scanned)
    before = digests(scanned)
    said = list(dry_run(found, plan, scanned / "found" / "quarantine"))
    assert digests(scanned) == before
    assert [(one.table, one.did, Path(one.where).relative_to(scanned)) for one in said] == [
        ("deep/some.parquet", "would move", Path("found/quarantine/1/deep/some.parquet")),
        ("parts", "would move", Path("found/quarantine/2/parts")),
    ]
    assert [one.bytes for one in said] == [table.bytes for table in found.tables if table.table != "all.parquet"]
    moved_to = [one.where for one in apply(found, plan, scanned / "found" / "quarantine")]
    assert moved_to == [one.where for one in said]


@pytest.mark.parametrize("name", ["all.parquet", "parts/part-1.parquet"])
def test_nothing_is_moved_when_a_table_has_changed(scanned, name):
    before = digests(scanned / "lake")
    os.utime(scanned / "lake" / name, ns=(1, 1))
    with pytest.raises(InputError, match=f"{name.split('/')[0]} has changed.*Nothing was moved"):
        carry_out(scanned)
    assert digests(scanned / "lake") == before
    assert Journal(scanned / "found").entries == []


def test_nothing_is_moved_when_a_file_has_come(scanned):
    shutil.copy(scanned / "lake" / "all.parquet", scanned / "lake" / "parts" / "part-2.parquet")
    with pytest.raises(InputError, match="parts has changed"):
        carry_out(scanned)


def test_rows_that_are_not_those_of_the_scan_are_refused(scanned):
    change_ledger(scanned / "found", lambda row: {"contents": "0" * 32} if row["table"] == "parts" else None)
    outcomes = {outcome.table: outcome for outcome in carry_out(scanned)}
    assert outcomes["deep/some.parquet"].did == "moved"
    assert outcomes["parts"].did == "refused"
    assert "are those that the scan saw" in outcomes["parts"].why
    assert (scanned / "lake" / "parts").is_dir()


def test_a_row_that_the_parent_lacks_is_refused(scanned):
    """The ledger lies, and so does the containment: nothing is moved that cannot be rebuilt."""
    other = pa.table({"id": [1, 99], "city": ["c1", "c1"]})
    place = scanned / "lake" / "deep" / "some.parquet"
    pq.write_table(other, place)
    now = open_tables([str(scanned / "lake")])[0]["deep/some.parquet"]
    change_ledger(
        scanned / "found",
        lambda row: {"fingerprint": now.fingerprint, "contents": None} if row["table"] == now.name else None,
    )
    outcomes = {outcome.table: outcome for outcome in carry_out(scanned)}
    assert "1 distinct row of deep/some.parquet is not in all.parquet" in outcomes["deep/some.parquet"].why
    assert place.exists()


@pytest.mark.parametrize(
    ("spoil", "table", "why"),
    [
        (lambda lake: os.link(lake / "deep/some.parquet", lake / "deep/.more"), "deep/some.parquet", "hard link"),
        (lambda lake: os.symlink("/", lake / "parts/_more"), "parts", "symbolic links"),
        (lambda lake: (lake / "parts/notes.txt").touch(), "parts", "holds nothing else; found notes.txt"),
    ],
)
def test_what_cannot_be_moved_without_harm_is_refused(scanned, spoil, table, why):
    spoil(scanned / "lake")
    found, plan = planned(scanned)
    said = {one.table: one for one in dry_run(found, plan, scanned / "found" / "quarantine")}
    outcomes = {one.table: one for one in apply(found, plan, scanned / "found" / "quarantine")}
    for outcome in (said[table], outcomes[table]):
        assert outcome.did == "refused"
        assert why in outcome.why
    assert sorted(did(outcomes.values()).values()) == ["moved", "refused"]


def test_a_file_behind_a_linked_folder_is_refused(tmp_path):
    write_small_lake(tmp_path / "lake")
    os.rename(tmp_path / "lake" / "deep", tmp_path / "elsewhere")
    scan_lake(tmp_path / "lake", tmp_path / "found")
    os.symlink(tmp_path / "elsewhere", tmp_path / "lake" / "deep")
    assert did(carry_out(tmp_path)) == {"parts": "moved"}


@pytest.mark.parametrize("link", ["a.parquet", "z.parquet"])
def test_a_file_that_a_link_leads_to_is_refused(tmp_path, link):
    """Else the copy that stays would lead nowhere."""
    lake = tmp_path / "lake"
    lake.mkdir()
    rows = pa.table({"a": range(10)})
    pq.write_table(rows, lake / "real.parquet")
    os.symlink(lake / "real.parquet", lake / link)
    pq.write_table(rows, lake / "more.parquet")
    scan_lake(lake, tmp_path / "found")
    outcomes = {one.table: one for one in carry_out(tmp_path, tables={"z.parquet": TableCosts(owner="ann")})}
    if "real.parquet" in outcomes:  # else the scan has seen that they are one table
        assert outcomes["real.parquet"].did == "refused"
        assert "no link leads to a file that is moved" in outcomes["real.parquet"].why
    assert (lake / "real.parquet").exists()
    assert pq.read_table(lake / link) == rows


def test_two_lakes_and_paths_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, rows in (("one", range(10)), ("two", range(5))):
        Path(name).mkdir()
        pq.write_table(pa.table({"a": rows}), f"{name}/t.parquet")
    scan_lake("one", Path("found"), "two")
    found = read_found(Path("found"))
    plan = make_plan(found, Costs())
    assert [one.where for one in apply(found, plan, Path("away"))] == [str(tmp_path / "away/1/t.parquet")]
    (tmp_path / "away").rename(tmp_path / "gone")
    monkeypatch.chdir(tmp_path / "one")
    assert did(restore(Path("../found"))) == {"two/t.parquet": "rebuilt"}
    assert pq.read_table(tmp_path / "two/t.parquet") == pa.table({"a": range(5)})


def test_a_move_that_fails_leaves_the_table(scanned, monkeypatch):
    before = digests(scanned / "lake")

    def full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", lambda *paths: full(*paths) if is_across(*paths) else os.replace(*paths))
        outcomes = carry_out(scanned)
    assert {one.did for one in outcomes} == {"refused"}
    assert "No space left on device" in outcomes[0].why
    assert digests(scanned / "lake") == before
    assert Journal(scanned / "found").gone() == []
    with monkeypatch.context() as patched:
        patched.setattr("tamis.pipeline.lake.rebuild.write_again", lambda path, form, table: full(path, form))
        assert "a table can be made again" in carry_out(scanned)[0].why
    assert digests(scanned / "lake") == before
    assert {one.did for one in carry_out(scanned)} == {"moved"}


def test_files_that_cannot_be_read_are_refused(scanned, monkeypatch):
    def broken(path):
        raise OSError(5, f"Input/output error: {path}")

    with monkeypatch.context() as patched:
        patched.setattr("tamis.pipeline.lake.apply.digests", broken)
        assert {one.did: "Input/output error" in one.why for one in carry_out(scanned)} == {"refused": True}
    assert {one.did for one in carry_out(scanned)} == {"moved"}
    with monkeypatch.context() as patched:
        patched.setattr("tamis.pipeline.lake.restore.digests", broken)
        assert {one.did: "Input/output error" in one.why for one in restore(scanned / "found")} == {"refused": True}
    assert {one.did for one in restore(scanned / "found")} == {"brought back"}


def test_a_quarantine_lies_outside_the_lake(scanned):
    found, plan = planned(scanned)
    with pytest.raises(ConfigError, match="outside the input folders"):
        list(apply(found, plan, scanned / "lake" / "quarantine"))


def test_parents_of_what_is_gone_stay_in_later_plans(scanned):
    carry_out(scanned)
    lake = scanned / "lake"
    rows = pq.read_table(lake / "all.parquet")
    pq.write_table(rows.append_column("more", [range(60)]), lake / "wider.parquet")
    scan_lake(lake, scanned / "found")
    for owner in ("wider.parquet", "all.parquet"):
        plan = planned(scanned, tables={owner: TableCosts(owner="ann")})[1]
        assert plan["deletions"] == []
        assert plan["pinned"] == [{"table": "all.parquet", "children": 2}]
        assert plan["applied"] == [{"table": name, "parent": "all.parquet"} for name in ("deep/some.parquet", "parts")]
    assert {one.did for one in restore(scanned / "found")} == {"brought back"}
    scan_lake(lake, scanned / "found")
    deletions = planned(scanned)[1]["deletions"]
    assert {deletion["table"]: deletion["parent"] for deletion in deletions} == {
        name: "wider.parquet" for name in ("all.parquet", "deep/some.parquet", "parts")
    }


def test_a_plan_that_removes_a_parent_of_what_is_gone_is_refused(scanned):
    found, plan = planned(scanned)
    carry_out(scanned)
    wrong = plan | {"deletions": [plan["deletions"][0] | {"table": "all.parquet"}]}
    with pytest.raises(InputError, match="the parent of a table that was moved away stays"):
        list(apply(found, wrong, scanned / "found" / "quarantine"))


def test_apply_twice_does_nothing_more(scanned):
    assert sorted(did(carry_out(scanned)).values()) == ["moved", "moved"]
    found, plan = planned(scanned)
    assert list(apply(found, plan, scanned / "found" / "quarantine")) == []


def test_one_process_at_a_time(scanned):
    with Journal(scanned / "found").opened(), pytest.raises(ArtefactError, match="is in use"):
        carry_out(scanned)


def test_restore_some_and_what_it_refuses(scanned):
    lake, found = scanned / "lake", scanned / "found"
    before = digests(lake)
    assert list(restore(found)) == []
    with pytest.raises(ArtefactError, match="has lake.json, or journal.jsonl"):
        list(restore(scanned / "nowhere"))
    carry_out(scanned)
    with pytest.raises(ConfigError, match=r"found all\.parquet\. Moved away are deep/some\.parquet, parts"):
        list(restore(found, ["all.parquet"]))
    (lake / "parts").mkdir()
    assert "a path where nothing is" in next(restore(found, ["parts"])).why
    (lake / "parts").rmdir()
    assert did(restore(found, ["parts"])) == {"parts": "brought back"}
    spoiled = next((found / "quarantine").rglob("some.parquet"))
    content = spoiled.read_bytes()
    spoiled.write_bytes(content + b"x")
    assert "some.parquet is another one" in next(restore(found)).why
    spoiled.write_bytes(content)
    assert did(restore(found)) == {"deep/some.parquet": "brought back"}
    assert digests(lake) == before


def test_what_the_quarantine_has_lost_is_made_again(scanned):
    before = {name: pq.read_table(scanned / "lake" / name) for name in ("deep/some.parquet", "parts/part-1.parquet")}
    carry_out(scanned)
    shutil.rmtree(scanned / "found" / "quarantine")
    shutil.rmtree(scanned / "lake" / "deep")
    assert did(restore(scanned / "found")) == {"deep/some.parquet": "rebuilt", "parts": "rebuilt"}
    assert {name: pq.read_table(scanned / "lake" / name) for name in before} == before
    assert (scanned / "lake" / "parts" / "_SUCCESS").exists()
    assert not list((scanned / "lake").rglob("*.unfinished"))


def test_nothing_is_made_of_a_parent_that_has_changed(scanned):
    carry_out(scanned)
    parent = scanned / "lake" / "all.parquet"
    rows = pq.read_table(parent)
    pq.write_table(rows.slice(1), parent)
    outcomes = list(restore(scanned / "found", again=True))
    assert {outcome.did for outcome in outcomes} == {"refused"}
    assert all("its parent all.parquet has changed since" in outcome.why for outcome in outcomes)
    assert sorted(path.name for path in (scanned / "lake").rglob("*")) == ["all.parquet", "deep"]
    pq.write_table(rows.slice(0, 4), parent)
    assert "are not in all.parquet" in next(restore(scanned / "found", ["deep/some.parquet"], again=True)).why
    parent.unlink()
    assert "at least one file" in next(restore(scanned / "found", again=True)).why
    pq.write_table(rows, scanned / "lake" / "other.parquet")
    assert "the parent that a table is made from is in the lake" in next(restore(scanned / "found", again=True)).why
    pq.write_table(rows.select(["id"]), parent)
    assert {outcome.did for outcome in restore(scanned / "found", again=True)} == {"refused"}
    pq.write_table(rows, parent)
    assert {outcome.did for outcome in restore(scanned / "found", again=True)} == {"rebuilt"}


def test_a_recipe_says_what_it_is_about(scanned):
    found = read_found(scanned / "found")
    carry_out(scanned)
    raw = json.loads((scanned / "found" / "recipes" / "1.json").read_text())
    assert raw["table"] == "deep/some.parquet"
    assert raw["parent"] == "all.parquet"
    assert raw["rows"] == 4
    assert raw["contents"] == next(table.contents for table in found.tables if table.table == "deep/some.parquet")
    assert raw["files"][0]["form"]["columns"] == {"id": "int64", "city": "string"}
    rows = pq.read_table(scanned / "found" / "recipes" / "1.parquet").to_pydict()
    assert rows == {"file": [0] * 4, "record": [5, 3, 3, 59]}


class Stop(BaseException):
    """The process ends here."""


CALLS = ((os, "rename"), (os, "fsync"), (shutil, "rmtree"), (shutil, "copytree"), (shutil, "copy2"))


def stopping(monkeypatch, at, *, across=False):
    """Stop before the ``at``-th of some calls; ``across``: as if lake and quarantine were on two disks."""
    left = [at]
    plain = {name: getattr(module, name) for module, name in CALLS}

    def counted(name):
        def call(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                raise Stop
            if name == "rename" and across and is_across(*arguments):
                raise OSError(moved.errno.EXDEV, "another disk")
            return plain[name](*arguments, **options)

        return call

    for module, name in CALLS:
        monkeypatch.setattr(module, name, counted(name))
    return left


def is_across(source, target):
    return ("quarantine" in Path(source).parts) != ("quarantine" in Path(target).parts)


def prepare(base):
    """Bring the lake and the folder of its scan to where they were, times included."""
    for name in ("lake", "found"):
        shutil.rmtree(base / name, ignore_errors=True)
        shutil.copytree(base / "kept" / name, base / name)


@pytest.mark.parametrize("across", [False, True])
def test_a_stop_at_any_point_loses_nothing(scanned, monkeypatch, across):
    for name in ("lake", "found"):
        shutil.copytree(scanned / name, scanned / "kept" / name)
    monkeypatch.setattr(os, "fsync", lambda opened: None)
    before = digests(scanned / "lake")
    found, plan = planned(scanned)
    stops = 0
    for at in range(1, 400):
        prepare(scanned)
        with monkeypatch.context() as patched:
            left = stopping(patched, at, across=across)
            try:
                list(apply(found, plan, scanned / "found" / "quarantine"))
            except Stop:
                stops += 1
        shutil.copytree(scanned / "lake", scanned / "stopped" / "lake")
        shutil.copytree(scanned / "found", scanned / "stopped" / "found")
        assert {one.did for one in restore(scanned / "found")} <= {"brought back", "was there"}
        assert digests(scanned / "lake") == before, at
        for name in ("lake", "found"):
            shutil.rmtree(scanned / name)
            (scanned / "stopped" / name).rename(scanned / name)
        assert "refused" not in did(apply(found, plan, scanned / "found" / "quarantine")).values()
        assert sorted(path.name for path in (scanned / "lake").rglob("*")) == ["all.parquet", "deep"], at
        assert {one.did for one in restore(scanned / "found")} == {"brought back"}
        assert digests(scanned / "lake") == before, at
        if left[0] > 0:
            break
    assert stops == at - 1 > 20


@pytest.mark.parametrize(("again", "across"), [(False, False), (False, True), (True, False)])
def test_a_stop_while_tables_come_back_loses_nothing(scanned, monkeypatch, again, across):
    monkeypatch.setattr(os, "fsync", lambda opened: None)
    before = digests(scanned / "lake")
    rows = pq.read_table(scanned / "lake" / "parts")
    carry_out(scanned)
    for name in ("lake", "found"):
        shutil.copytree(scanned / name, scanned / "kept" / name)
    stops = 0
    for at in range(1, 400):
        prepare(scanned)
        with monkeypatch.context() as patched:
            left = stopping(patched, at, across=across)
            try:
                list(restore(scanned / "found", again=again))
            except Stop:
                stops += 1
        assert "refused" not in did(restore(scanned / "found", again=again)).values()
        assert Journal(scanned / "found").gone() == []
        assert digests(scanned / "lake").keys() == before.keys(), at
        assert pq.read_table(scanned / "lake" / "parts") == rows
        if not again:
            assert digests(scanned / "lake") == before, at
        if left[0] > 0:
            break
    assert stops == at - 1 > 5
