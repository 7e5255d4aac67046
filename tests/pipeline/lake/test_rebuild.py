"""Tables of one format made again from tables of another, value by value."""

import bz2
import datetime
import gzip
import lzma
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from found_lake import scan_lake
from hypothesis import given
from hypothesis import strategies as st

from tamis.connectors.moved import digests
from tamis.hashing.errors import InputError
from tamis.pipeline.lake import lake_rows
from tamis.pipeline.lake.apply import apply
from tamis.pipeline.lake.canonical import contents_of
from tamis.pipeline.lake.costs import Costs, TableCosts
from tamis.pipeline.lake.found import read_found
from tamis.pipeline.lake.journal import Journal
from tamis.pipeline.lake.lake_rows import open_table, open_tables, seeing
from tamis.pipeline.lake.plan import make_plan
from tamis.pipeline.lake.recipe import load_recipe, trace
from tamis.pipeline.lake.restore import restore

STAYS = Costs(read_per_gb=0, tables={"stays*": TableCosts(pinned=True)})


def round_trip(base, allow_loss=False, **options):
    """Scan, plan, move away and make again; return the recipes by table, and what could not be planned."""
    scan_lake(base / "lake", base / "found", **options)
    found = read_found(base / "found")
    plan = make_plan(found, STAYS, allow_loss=allow_loss)
    outcomes = list(apply(found, plan, base / "found" / "quarantine"))
    assert [outcome for outcome in outcomes if outcome.did != "moved"] == []
    recipes = [load_recipe(base / "found", number) for number in Journal(base / "found").last()]
    back = list(restore(base / "found", again=True))
    assert [outcome for outcome in back if outcome.did != "rebuilt"] == []
    return {recipe.table: recipe for recipe in recipes}, plan


def test_all_kinds_of_values_come_back(tmp_path):
    (tmp_path / "lake").mkdir()
    zones = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    rows = {
        "id": pa.array([1, 2, 3, 4, 5], pa.int16()),
        "zero": pa.array([0.0, -0.0, math.nan, None, math.inf]),
        "amount": pa.array([Decimal("1.50"), None, Decimal("-0.25"), Decimal("7.00"), Decimal("2.00")]),
        "when": pa.array([datetime.datetime(2026, 1, i, 1, 2, 3, 500, tzinfo=zones) for i in range(1, 6)],
                         pa.timestamp("us", "Asia/Kolkata")),
        "place": pa.array([{"x": [1, None], "y": "é"}, None, {"x": [], "y": None}, {"x": None, "y": ""}, {"x": [3]}],
                          pa.struct([("x", pa.list_(pa.int32())), ("y", pa.string())])),
        "kind": pa.array(["a", "b", None, "a", "b"]).dictionary_encode(),
        "raw": pa.array([b"", b"\xff\0", None, b"x", b"y"]),
        "day": pa.array([datetime.date(2026, 1, i) for i in range(1, 6)]),
        "time": pa.array([datetime.time(i, 2, 3, 500) for i in range(1, 6)]),
        "nothing": pa.nulls(5),
    }  # fmt: skip
    stays = pa.table(rows)
    pq.write_table(stays, tmp_path / "lake" / "stays.parquet")
    wanted = [4, 0, 2, 2, 1, 3, 0]
    metadata = {"made by": "someone"}
    child = stays.select(["time", "place", "zero", "kind", "amount", "when", "raw", "day", "nothing", "id"]).take(
        wanted
    )
    signs = pa.array([-value if value == 0 else value for value in child["zero"].to_pylist()])
    other = {
        "zero": signs.cast(pa.float32()), "amount": child["amount"].cast(pa.decimal256(40, 3)),
        "when": child["when"].cast(pa.timestamp("ns", "UTC")), "time": child["time"].cast(pa.time64("ns")),
        "day": child["day"].cast(pa.date64()), "id": child["id"].cast(pa.decimal128(5, 0)),
        "raw": child["raw"].cast(pa.large_binary()), "kind": child["kind"].cast(pa.string()),
    }  # fmt: skip
    places = tmp_path / "lake"
    pq.write_table(
        child.replace_schema_metadata(metadata), places / "same.parquet", compression="gzip", row_group_size=3
    )
    pq.write_table(pa.table({n: other.get(n, child[n]) for n in child.column_names}), places / "other.parquet")
    before = {name: pq.read_table(places / name) for name in ("same.parquet", "other.parquet")}
    recipes, _ = round_trip(tmp_path)
    assert {name: recipe.carried for name, recipe in recipes.items()} == {
        "same.parquet": (),
        "other.parquet": ("zero",),
    }
    for name, table in before.items():
        after = pq.read_table(places / name)
        assert after.schema.equals(table.schema)
        assert repr(after.to_pylist()) == repr(table.to_pylist())
    assert pq.read_schema(places / "same.parquet").metadata[b"made by"] == b"someone"
    footer = pq.read_metadata(places / "same.parquet")
    assert [footer.row_group(i).num_rows for i in range(footer.num_row_groups)] == [3, 3, 1]
    assert footer.row_group(0).column(0).compression == "GZIP"


TEXT = 'n;name;flag\r\n1;"a;""b""";true\r\n2;;false\r\n1;"a;""b""";true\r\n30;"two\r\nlines";true\r\n'
WIDE = 'n,name,flag\n1,"a;""b""",true\n2,,false\n30,"two\r\nlines",true\n30,"two\r\nlines",true\n'
COMPRESSED = {
    "": lambda data: data, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress,
    ".zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}  # fmt: skip


def test_delimited_children_of_parquet(tmp_path):
    (tmp_path / "lake").mkdir()
    rows = pa.table({"flag": [True, False, True, None], "name": ['a;"b"', "", "two\r\nlines", "x"], "n": [1, 2, 30, 4]})
    pq.write_table(rows, tmp_path / "lake" / "stays.parquet")
    names = [f"c.csv{ending}" for ending in COMPRESSED]
    for name, compress in zip(names, COMPRESSED.values(), strict=True):
        (tmp_path / "lake" / name).write_bytes(compress(TEXT.encode()))
    (tmp_path / "lake" / "wide.csv").write_bytes(b"\xff\xfe" + WIDE.encode("utf-16-le"))
    (tmp_path / "lake" / "one.csv").write_bytes(b'name\n""\n""\n"a;""b"""\n')
    (tmp_path / "lake" / "tabs.tsv").write_bytes(b'n\tname\n1\t"a;""b"""\n2\t\n')
    before = {name: delimited_rows(tmp_path / "lake", name) for name in [*names, "wide.csv", "one.csv", "tabs.tsv"]}
    recipes, _ = round_trip(tmp_path)
    assert {recipe.parent for recipe in recipes.values()} == {"stays.parquet"}
    assert recipes.keys() == before.keys()
    assert {name: delimited_rows(tmp_path / "lake", name) for name in before} == before
    assert (tmp_path / "lake" / "c.csv").read_bytes() == TEXT.encode()
    assert (tmp_path / "lake" / "wide.csv").read_bytes() == b"\xff\xfe" + WIDE.encode("utf-16-le")
    assert (tmp_path / "lake" / "one.csv").read_bytes() == b'name\n""\n""\n"a;""b"""\n'


def delimited_rows(lake, name):
    opened = open_table(open_tables([str(lake)])[0][name])
    return [row for batch in opened.read(opened.schema.names) for row in batch.select(opened.schema.names).to_pylist()]


def test_typed_children_of_delimited_files(tmp_path):
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "stays.csv").write_text(
        "n,share,when,name\n1,0.5,2026-01-02T00:00:00Z,a\n2,-3,2026-01-03T00:00:00Z,\n"
    )
    moments = [datetime.datetime(2026, 1, day, tzinfo=datetime.UTC) for day in (3, 2, 3)]
    child = pa.table(
        {"share": pa.array([-3, 0.5, -3], pa.float32()), "n": pa.array([2, 1, 2], pa.uint8()), "when": moments,
         "name": ["", "a", ""]}
    )  # fmt: skip
    pq.write_table(child, tmp_path / "lake" / "typed.parquet")
    lines = '{"n": 2, "name": "", "share": -3.0}\n{"n": 1, "name": "a", "share": 0.5}\n'
    (tmp_path / "lake" / "lines.jsonl").write_text(lines)
    recipes, _ = round_trip(tmp_path)
    assert {recipe.parent for recipe in recipes.values()} == {"stays.csv"}
    assert pq.read_table(tmp_path / "lake" / "typed.parquet") == child
    assert (tmp_path / "lake" / "lines.jsonl").read_text() == lines


def test_a_folder_whose_files_have_other_columns_and_formats_of_types(tmp_path):
    lake = tmp_path / "lake"
    (lake / "parts").mkdir(parents=True)
    stays = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    pq.write_table(stays, lake / "stays.parquet")
    first = pa.table({"b": ["x"], "a": pa.array([1], pa.int8())})
    pq.write_table(first, lake / "parts" / "part-0.parquet")
    pq.write_table(first.schema.empty_table(), lake / "parts" / "part-1.parquet")
    pq.write_table(pa.table({"a": [2, 2]}), lake / "parts" / "part-2.parquet")
    others = {"_SUCCESS": b"made by someone", "._SUCCESS.crc": b"\xff", "_notes": b"n" * 65537}
    for name, content in others.items():
        (lake / "parts" / name).write_bytes(content)
    before = {path.name: pq.read_table(path) for path in sorted((lake / "parts").glob("part*"))}
    recipes, _ = round_trip(tmp_path)
    assert recipes["parts"].loses == ("file _notes",)
    assert {path.name: pq.read_table(path) for path in sorted((lake / "parts").glob("part*"))} == before
    small = {path.name: path.read_bytes() for path in (lake / "parts").iterdir() if path.name not in before}
    assert small == {name: content for name, content in others.items() if name != "_notes"}


def test_a_loss_that_was_allowed_and_nothing_else(tmp_path):
    lake = tmp_path / "lake"
    lake.mkdir()
    pq.write_table(pa.table({"n": [1, 2], "name": ["a", "b"], "seen": [5, 6]}), lake / "stays.parquet")
    pq.write_table(pa.table({"seen": [7], "name": [" b"], "n": [2]}), lake / "some.parquet")
    recipes, plan = round_trip(tmp_path, ignore=("seen",), trim=True)
    assert recipes == {}
    assert [one["table"] for one in plan["not_planned"]] == ["some.parquet"]
    (tmp_path / "found").rename(tmp_path / "old-found")
    recipes, plan = round_trip(tmp_path, allow_loss=True, ignore=("seen",), trim=True)
    assert plan["deletions"][0]["loses"] == ["column seen", "white space around texts"]
    assert recipes["some.parquet"].loses == ("column seen", "white space around texts")
    assert pq.read_table(lake / "some.parquet") == pa.table({"name": ["b"], "n": [2]})


def test_the_first_of_equal_records_is_taken(tmp_path):
    lake = tmp_path / "lake"
    (lake / "stays").mkdir(parents=True)
    pq.write_table(pa.table({"a": [5, 6, 5, 6, 7], "b": [1, 2, 3, 4, 5]}), lake / "stays" / "part-0.parquet")
    pq.write_table(pa.table({"a": [8, 5, 9], "b": [1, 2, 3]}), lake / "stays" / "part-1.parquet")
    pq.write_table(pa.table({"a": [9, 5, 6, 9, 8, 7]}), lake / "some.parquet")
    tables = open_tables([str(lake)])[0]
    traced = trace(open_table(tables["some.parquet"]), open_table(tables["stays"]), ["a"], seeing({}))
    assert [(int(a) >> 40, int(a) % 2**40) for a in traced.addresses] == [
        (1, 2),
        (0, 0),
        (0, 1),
        (1, 2),
        (1, 0),
        (0, 4),
    ]
    assert traced.contents.rows == 6
    assert traced.rows == (6,)


def test_records_that_cannot_be_read(tmp_path, monkeypatch):
    """Those of a parent are left out, their numbers stay; a child has none."""
    (tmp_path / "lake").mkdir()
    pq.write_table(pa.table({"a": [5, 6, 7, 8]}), tmp_path / "lake" / "stays.parquet")
    pq.write_table(pa.table({"a": [8, 6]}), tmp_path / "lake" / "some.parquet")
    tables = open_tables([str(tmp_path / "lake")])[0]
    stays, some = (open_table(tables[name]) for name in ("stays.parquet", "some.parquet"))
    plain = lake_rows.read_table_split

    def first_is_bad(split, columns, full):
        for batch in plain(split, columns, full):
            rules = ["ragged"] + [None] * (batch.num_rows - 1)
            arrays = [batch.column(name) for name in ("__address", *columns.names)]
            yield pa.RecordBatch.from_arrays([*arrays, pa.array(rules)], ["__address", *columns.names, "__rule"])

    monkeypatch.setattr(lake_rows, "read_table_split", first_is_bad)
    assert [batch.to_pydict() for batch in stays.read(["a"])] == [{"__address": [1, 2, 3], "a": [6, 7, 8]}]
    with pytest.raises(InputError, match="every record of a table that goes can be read; found .*some.parquet: ragged"):
        trace(some, stays, ["a"], seeing({}))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12), st.data())
def test_contents_are_those_of_a_bag(pairs, data):
    rows = np.array(pairs, np.uint64).reshape(-1, 2)
    shuffled = np.array(data.draw(st.permutations(pairs)), np.uint64).reshape(-1, 2)
    cut = data.draw(st.integers(0, len(pairs)))
    whole = contents_of(rows)
    parts = [contents_of(part) for part in (shuffled[:cut], shuffled[cut:])]
    assert tuple(sum(side) % 2**64 for side in zip(*parts, strict=True)) == whole
    others = np.array(data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)), np.uint64)
    same = sorted(map(tuple, others.tolist())) == sorted(pairs)
    assert (contents_of(others.reshape(-1, 2)) == whole) == same


def test_cells_that_change_places_change_the_contents():
    rows = np.array([[10, 20], [1, 2]], np.uint64)
    swapped = np.array([[1, 20], [10, 2]], np.uint64)
    assert contents_of(rows) != contents_of(swapped)
    assert contents_of(rows) != contents_of(rows.sum(axis=0, keepdims=True))
    assert contents_of(np.empty((0, 2), np.uint64)) == (0, 0)


def test_nothing_is_left_beside_what_came_back(tmp_path):
    (tmp_path / "lake").mkdir()
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "lake" / "stays.parquet")
    pq.write_table(pa.table({"a": [2]}), tmp_path / "lake" / "some.parquet")
    scan_lake(tmp_path / "lake", tmp_path / "other")
    round_trip(tmp_path)
    assert sorted(digests(tmp_path / "lake")) == ["some.parquet", "stays.parquet"]
    left, scanned = ({path.name for path in (tmp_path / name).iterdir()} for name in ("found", "other"))
    assert left - scanned == {"journal.jsonl", "quarantine", "recipes"}
