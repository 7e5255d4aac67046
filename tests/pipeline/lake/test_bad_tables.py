"""Tables that are not as they should be: each is named, and none is called verified for it."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors.lake_tables import list_tables
from tamis.jobs.local import LocalEngine
from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import containment, ledger, quarantine
from tamis.pipeline.lake.scan import scan

GOOD = b"a,b\n1,x\n2,y\n"


@pytest.fixture
def lake(tmp_path):
    folder = tmp_path / "lake"
    folder.mkdir()
    (folder / "good.csv").write_bytes(GOOD)
    return folder


def scanned(lake, **options):
    chosen = Options(**options)
    found = scan(LocalEngine(lake.parent / "work"), list_tables([str(lake)])[0], chosen)
    states = {row["table"]: (row["state"], row["why"]) for row in ledger(found, chosen).to_pylist()}
    rows = [row for table in containment(found, chosen, closure=True) for row in table.to_pylist()]
    return found, states, {(row["parent"], row["child"]) for row in rows if row["status"] == "verified"}


def test_files_of_one_table_may_be_encoded_differently(lake):
    parts = lake / "parts"
    parts.mkdir()
    (parts / "part-0.csv").write_bytes(b"a,b\n1,x\n")
    (parts / "part-1.csv").write_bytes("a,b\n2,y\n".encode("utf-16"))
    _, states, verified = scanned(lake)
    assert states["parts"] == ("compared", None)
    assert verified == {("parts", "good.csv"), ("good.csv", "parts")}


def test_bytes_of_another_encoding_are_set_aside(lake):
    (lake / "latin.csv").write_bytes("a,b\n1,x\n2,é\n".encode("latin-1"))
    found, states, verified = scanned(lake)
    assert states["latin.csv"] == ("compared", None)
    assert quarantine(found).to_pylist() == [{"table": "latin.csv", "record": "latin.csv:1", "rule": "invalid-utf8"}]
    assert verified == set()


def test_a_header_alone_is_an_empty_table(lake):
    (lake / "header.csv").write_bytes(b"a,b\n")
    _, states, verified = scanned(lake)
    assert states["header.csv"][0] == "empty"
    assert verified == set()


@pytest.mark.parametrize(("content", "name"), [(b"a,b,a\n1,x,1\n", "a"), (b"a,,b,\n1,2,x,4\n", "")])
def test_names_that_are_there_twice(lake, content, name):
    (lake / "twice.csv").write_bytes(content)
    _, states, verified = scanned(lake)
    state, why = states["twice.csv"]
    assert state == "unreadable"
    assert f"{name!r} twice" in why
    assert verified == set()


def test_an_empty_name_is_a_name(lake):
    (lake / "nameless.csv").write_bytes(b",a,b\n0,1,x\n")
    _, _, verified = scanned(lake)
    assert verified == set()
    _, _, verified = scanned(lake, ignore=("",))
    assert verified == {("good.csv", "nameless.csv")}


@pytest.mark.parametrize(("name", "content"), [("nothing.csv", b""), ("none.jsonl", b"{}\n{}\n")])
def test_tables_without_columns(lake, name, content):
    (lake / name).write_bytes(content)
    _, states, verified = scanned(lake)
    assert states[name][0] == "without columns"
    assert verified == set()


def test_all_columns_may_be_ignored(lake):
    (lake / "only.csv").write_bytes(b"rownames\n1\n")
    _, states, _ = scanned(lake, ignore=("rownames",))
    assert states["only.csv"][0] == "without columns"


@pytest.mark.parametrize("name", ["cut.parquet", "cut.csv.gz"])
def test_files_that_cannot_be_read(lake, name):
    whole = pa.table({"a": ["1", "2"], "b": ["x", "y"]})
    if name.endswith(".parquet"):
        pq.write_table(whole, lake / name)
    else:
        with pa.output_stream(str(lake / name)) as stream:
            stream.write(GOOD * 1000)
    (lake / name).write_bytes((lake / name).read_bytes()[:-8])
    _, states, verified = scanned(lake)
    assert states[name][0] == "unreadable"
    assert str(lake / name) in states[name][1]
    assert verified == set()


def test_damage_inside_a_file_is_found_when_its_rows_are_read(lake):
    values = [str(i) for i in range(20_000)]
    pq.write_table(pa.table({"a": values, "b": values}), lake / "big.parquet", compression="zstd")
    content = bytearray((lake / "big.parquet").read_bytes())
    content[2000:2100] = bytes(100)
    (lake / "big.parquet").write_bytes(content)
    (lake / "part.csv").write_bytes(b"a,b\n19999,19999\n")
    _, states, verified = scanned(lake)
    assert states["big.parquet"][0] == "unreadable"
    assert verified == set()


def test_a_file_that_is_gone_when_it_is_read(lake):
    (lake / "gone.csv").write_bytes(GOOD)
    tables, _ = list_tables([str(lake)])
    os.unlink(lake / "gone.csv")
    found = scan(LocalEngine(lake.parent / "work"), tables, Options())
    assert list(found.faults) == [0]
    assert found.groups.pairs() == 0


def test_files_without_batches_or_row_groups(lake):
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    with pa.OSFile(str(lake / "none.arrow"), "wb") as stream, pa.ipc.new_file(stream, schema):
        pass
    pq.ParquetWriter(lake / "none.parquet", schema).close()
    _, states, verified = scanned(lake)
    assert {name: state for name, (state, _) in states.items()} == {
        "good.csv": "compared",
        "none.arrow": "empty",
        "none.parquet": "empty",
    }
    assert verified == set()
