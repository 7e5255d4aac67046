"""The benchmark of the lake: planted lakes by brute force, and how its parts read, compare and add up."""

import argparse
import csv
import itertools
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
lakes_make = pytest.importorskip("lakes_make", reason="benchmarks are not part of the source distribution")
lakes_pairs = pytest.importorskip("lakes_pairs")
lakes_scan = pytest.importorskip("lakes_scan")
lakes_rivals = pytest.importorskip("lakes_rivals")
lakes_csv = pytest.importorskip("lakes_csv")
lakes_turns = pytest.importorskip("lakes_turns")
lakes_planted = pytest.importorskip("lakes_planted")
lakes_rdatasets = pytest.importorskip("lakes_rdatasets")
lakes_schemas = pytest.importorskip("lakes_schemas")
lakes_funnel = pytest.importorskip("lakes_funnel")
lakes_retention = pytest.importorskip("lakes_retention")
lakes = pytest.importorskip("lakes")

SMALL = lakes_make.Settings(230, 8, 30)
"""Nine families: one palette for CSV too, and one that has nulls and fractions."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    out = tmp_path_factory.mktemp("planted")
    lakes_make.make(out, SMALL)
    return out


def columns_and_rows(path):
    """The names and the rows of a table as texts, null being None."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as stream:
            header, *rows = csv.reader(stream)
        return header, [tuple(row) for row in rows]
    read = pa.concat_tables(pq.read_table(file) for file in lakes_make.files_of(path))
    texts = [column.cast(pa.string()).to_pylist() for column in read.columns]
    return read.column_names, list(zip(*texts, strict=True))


def all_pairs(tables):
    """Every (parent, child), by looking for each row of each table in every other table."""
    found = set()
    for (parent, (wider, held)), (child, (names, rows)) in itertools.permutations(tables.items(), 2):
        if set(names) <= set(wider):
            places = [wider.index(name) for name in names]
            if set(rows) <= {tuple(row[place] for place in places) for row in held}:
                found.add((parent, child))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_what_is_planted_is_what_brute_force_finds(tmp_path, seed):
    facts = lakes_make.make(tmp_path, lakes_make.Settings(230, 8, 30, seed))
    known = {row["table"]: row for row in pq.read_table(tmp_path / "tables.parquet").to_pylist()}
    tables = {name: columns_and_rows(tmp_path / "lake" / name) for name in known}
    for name, (columns, rows) in tables.items():
        assert (columns, len(rows)) == (known[name]["columns"], known[name]["rows"])
    truth = lakes_make.truth_of(tmp_path)
    assert truth == all_pairs(tables)
    assert facts["pairs"] == len(truth) > 1_000
    assert len(known) == facts["tables"] == 230
    variants = Counter(row["variant"] for row in known.values())
    assert {"root", "chain-5", "copy-parts", "twice", "inside-range", "disjoint", "copy-csv", "rows-csv"} <= set(
        variants
    )
    assert variants["root"] == facts["families"]
    assert sum(row["format"] == "csv" for row in known.values()) == facts["csv_tables"] > 0


def test_every_kind_of_column_can_be_edited():
    kinds = lakes_make.PLAIN + lakes_make.RICH
    base = lakes_make.base_columns([f"{kind}_0" for kind in kinds], 1_000, np.random.default_rng(0))
    assert [len(column) for column in base.values()] == [1_000] * len(kinds)
    assert [name for name, column in base.items() if column.null_count] == ["price_0", "score_0", "comment_0"]
    rows = np.arange(3_000) < 1_000
    for name, column in base.items():
        if name == "flag_0":
            continue
        edit = lakes_make.Edit(name, lakes_make.CHANGED, np.array([7]))
        table = lakes_make.Planted("cell", rows, ("id", name), edit)
        written = lakes_make.arrow_of(table, 0, base, np.random.default_rng(0)).column(name).combine_chunks()
        assert written.type == column.type
        assert written[7] == pa.scalar(lakes_make.EDITED[lakes_make.kind_of(name)], column.type)
        assert written[7].as_py() not in column.to_pylist()
        texts = [array[8:].cast(pa.string()).to_pylist() for array in (written, column)]
        assert texts[0] == texts[1]


def test_decoys_miss_their_root_and_children_do_not(small):
    truth = lakes_make.truth_of(small)
    of_root = {child.split("-", 1)[1].rpartition(".")[0] for parent, child in truth if parent.endswith("-root.parquet")}
    decoys = {"cell", "cell-rows", "rows-cell", "row-more", "rows-row-more", "inside-range", "disjoint", "null"}
    assert of_root >= {"rows", "range", "columns", "rows-columns", "copy-rows", "copy-columns", "twice", "chain-5"}
    assert not of_root & decoys
    assert ("000/000000-cell.parquet", "000/000000-cell-rows.parquet") in truth


def test_equal_settings_make_equal_lakes_once(small, tmp_path):
    lakes_make.make(tmp_path, SMALL)
    files = [path.relative_to(small) for path in sorted(small.rglob("*")) if path.is_file()]
    assert [(tmp_path / path).read_bytes() for path in files] == [(small / path).read_bytes() for path in files]
    (tmp_path / "mark").touch()
    lakes_make.make(tmp_path, SMALL)
    assert (tmp_path / "mark").exists()
    lakes_make.make(tmp_path, lakes_make.Settings(20, 8, 30))
    assert not (tmp_path / "mark").exists()


def test_edits_of_one_row_by_version_and_column():
    rows = np.array([True] * 4 + [False] * 8)
    root = lakes_make.Planted("root", rows, ("id", "city_0", "price_0"))

    def edited(column, version, *numbers, of=root):
        return lakes_make.replace(of, edit=lakes_make.Edit(column, version, np.array(numbers, np.int64)))

    inside = lakes_make.inside
    null = edited("price_0", lakes_make.NULL, 1)
    assert inside(null, null)
    assert not inside(null, root)
    assert not inside(root, null)
    assert not inside(null, edited("price_0", lakes_make.NAN, 1))
    assert not inside(null, edited("price_0", lakes_make.NULL, 1, 2))
    assert not inside(edited("city_0", lakes_make.CHANGED, 1), null)
    narrow = lakes_make.replace(root, columns=("city_0", "id"))
    assert inside(narrow, null)
    assert not inside(null, narrow)
    without = lakes_make.replace(null, rows=rows & (np.arange(12) != 1))
    assert inside(without, root)
    assert inside(edited("price_0", lakes_make.NAN), root)


@pytest.mark.parametrize("value", ["", "7-100", "100-50", "100", "a-b", "8-3000000"])
def test_rows_are_a_range(value):
    with pytest.raises(argparse.ArgumentTypeError):
        lakes_make.row_range(value)


def test_rows_of_a_root_unless_told_otherwise():
    told = lakes.parser_of().parse_args(["planted"])
    assert lakes_make.settings_of(told) == lakes_make.Settings(1_000, 1_000, 100_000)
    told = lakes.parser_of().parse_args(["planted", "--tables", "100000", "--seed", "3"])
    assert lakes_make.settings_of(told) == lakes_make.Settings(100_000, 20, 200, 3)


def told(out, *more):
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    lakes_rivals.add_arguments(parser)
    return parser.parse_args(["--out", str(out), *more])


def test_an_anti_join_of_some_pairs_says_what_is_true(small):
    found = lakes_rivals.anti_join(told(small, "--share", "0.01"))
    compatible = list(lakes_pairs.compatible_pairs(lakes_make.columns_of(small)))
    assert (found["pairs"], found["timed_pairs"]) == (len(compatible), round(0.01 * len(compatible)))
    assert (found["missed"], found["invented"]) == (0, 0)
    assert found["true"] > 0
    assert found["all_pairs_seconds"] == pytest.approx(found["timed_seconds"] * len(compatible) / found["timed_pairs"])
    few = lakes_rivals.anti_join(told(small, "--most-pairs", "7", "--distinct"))
    assert (few["timed_pairs"], few["missed"], few["invented"]) == (7, 0, 0)
    assert told(small, *lakes_rivals.arguments_of(told(small, "--distinct"))).distinct


def test_hash_sets_say_what_is_true(small):
    found = lakes_rivals.hash_sets(told(small))
    assert (found["missed"], found["invented"]) == (0, 0)
    assert found["true"] == len(lakes_make.truth_of(small))
    assert found["pairs"] == sum(1 for _ in lakes_pairs.compatible_pairs(lakes_make.columns_of(small)))


def test_the_approximate_rival_finds_copies(tmp_path):
    lakes_make.make(tmp_path, lakes_make.Settings(24, 8, 30))
    found = lakes_rivals.ensemble(told(tmp_path, "--threshold", "0.5", "--threshold", "0.9", "--permutations", "32"))
    assert [one["threshold"] for one in found["thresholds"]] == [0.5, 0.9]
    assert 0.3 < found["thresholds"][1]["recall"] <= found["thresholds"][0]["recall"] <= 1
    again = lakes_rivals.arguments_of(told(tmp_path, "--threshold", "0.5"))
    assert told(tmp_path, *again).threshold == [(0.5, 0.5)]
    assert told(tmp_path, *lakes_rivals.arguments_of(told(tmp_path))).threshold == [(0.8, 0.5), (0.95, 0.9)]


def test_scores():
    score = lakes_pairs.Score.of({("a", "b"), ("a", "c"), ("b", "c")}, {("a", "b"), ("c", "d")})
    assert (score.recall, score.precision) == (0.5, 1 / 3)
    assert score.as_dict() | {"recall": 0, "precision": 0} == {
        "said": 3, "true": 2, "found": 1, "missed": 1, "invented": 2, "recall": 0, "precision": 0,
    }  # fmt: skip
    nothing = lakes_pairs.Score.of(set(), set())
    assert (nothing.recall, nothing.precision) == (1, 1)


def test_pairs_that_follow():
    groups = {"a": 0, "copy of a": 0, "b": 1, "c": 2, "d": 3}
    found = lakes_pairs.closure(groups, [("b", "a"), ("c", "b"), ("d", "b")])
    of_a = {(parent, child) for child in ("a", "copy of a") for parent in ("b", "c", "d")}
    assert found == {("a", "copy of a"), ("copy of a", "a"), *of_a, ("c", "b"), ("d", "b")}


def test_pairs_that_can_be():
    columns = {name: frozenset(names) for name, names in {"a": "xy", "b": "yx", "c": "xyz", "d": "w", "e": ""}.items()}
    assert set(lakes_pairs.compatible_pairs(columns)) == {("a", "b"), ("b", "a"), ("c", "a"), ("c", "b")}
    numbered = lakes_pairs.Numbered(columns)
    assert [numbered[place] for place in range(len(numbered))] == list(lakes_pairs.compatible_pairs(columns))
    assert len(lakes_pairs.Numbered({"a": frozenset("x")})) == 0


def test_numbered_pairs_of_a_lake(small):
    columns = lakes_make.columns_of(small)
    numbered = lakes_pairs.Numbered(columns)
    assert [numbered[place] for place in range(len(numbered))] == list(lakes_pairs.compatible_pairs(columns))


def test_bytes_that_a_trace_says():
    trace = """\
10 read(3</lake/a.csv>, ""..., 4096) = 4096
10 read(3</lake/a.csv>,  <unfinished ...>
11 pread64(4</lake/sub/b.parquet>, ""..., 65536, 100) = 120
11 pread64(4</lakes/c.parquet>, ""..., 65536, 100) = 7
10 <... read resumed>""..., 4096) = 10
10 read(3</lake/a.csv>, "", 4096) = 0
11 read(4</lake/a.csv>, 0x7f, 10) = -1 EAGAIN (Resource temporarily unavailable)
11 mmap(NULL, 8192, PROT_READ, MAP_SHARED, 5</lake/d.arrow>, 0) = 0x7f0000000000
11 mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
11 +++ exited with 0 +++
"""
    assert lakes_scan.source_bytes(trace.splitlines(), "/lake") == (4096 + 120 + 10, 8192)


@pytest.fixture
def folder(tmp_path):
    for name, text in {
        "all": "rownames,a,b\n1,x,1\n2,y,2\n3,z,\n",
        "some": "b,rownames,a\n,9,z\n1,8,x\n",
        "narrow": "a\nx\nx\n",
        "changed": "a,b\nx,2\n",
        "alone": "q\n1\n",
        "empty": "a,b\n",
        "ragged": "a,b\nx\n",
        "twice": "a,a\nx,x\n",
        "quoted": '"a","b"\n"x","1"\n',
    }.items():
        (tmp_path / f"{name}.csv").write_text(text)
    (tmp_path / "latin.csv").write_bytes(b"a,b\n\xe9,1\n")
    return tmp_path


@pytest.mark.parametrize("frugal", [False, True])
def test_brute_force_on_csv(folder, frugal):
    pairs, counts = lakes_csv.contained(folder, {"rownames"}, frugal=frugal)
    wanted = {("all", "some"), ("all", "narrow"), ("some", "narrow"), ("changed", "narrow"), ("quoted", "narrow")}
    wanted |= {("all", "quoted"), ("some", "quoted")}
    assert pairs == {(f"{parent}.csv", f"{child}.csv") for parent, child in wanted}
    assert counts["files"] == 10
    assert counts["read"] == (6 if frugal else 7)


def test_pairs_that_are_known():
    rows = [
        {"child": "c", "parent": "p", "child_distinct_rows": "8", "rows_in_parent": "8"},
        {"child": "d", "parent": "p", "child_distinct_rows": "8", "rows_in_parent": "7"},
    ]
    assert lakes_rdatasets.whole_pairs(rows) == {("p", "c")}


def turn(seconds, **more):
    score = {"recall": 1.0, "precision": 1.0, "found": 5, "missed": 0, "invented": 0}
    return {"seconds": seconds, "cpu_seconds": 2 * seconds, "peak_bytes": round(seconds * 1e6), **score, **more}


def test_turns_are_reversed_every_round():
    asked = []

    def contestant(name):
        return lambda: asked.append(name) or turn(len(asked))

    found = lakes_turns.in_turns({"a": contestant("a"), "b": contestant("b")}, 3)
    assert asked == ["a", "b", "b", "a", "a", "b"]
    assert [one["seconds"] for one in found["a"]] == [1, 4, 5]


def test_medians_and_ratios_of_a_planted_lake():
    sampled = {"timed_pairs": 10, "pairs": 1_000, "timed_seconds": 0.5}
    thresholds = [
        {
            "threshold": threshold,
            "missing_weight": 0.5,
            "all_pairs_seconds": seconds,
            "recall": 0.9,
            "precision": precision,
        }
        for threshold, seconds, precision in ((0.5, 6.0, 0.4), (0.9, 4.0, 0.7))
    ]
    rounds = {
        "tamis": [turn(2.0), turn(9.0), turn(1.0)],
        "anti-join": [turn(1.0, all_pairs_seconds=s, **sampled) for s in (40.0, 60.0, 50.0)],
        "ensemble": [turn(7.0, thresholds=thresholds)],
    }
    rows = lakes_planted.rows_of(rounds)
    assert [(row["name"], row["seconds"], row["ratio"]) for row in rows] == [
        ("tamis", 2.0, 1.0), ("anti-join", 50.0, 25.0), ("ensemble", 6.0, 3.0), ("ensemble", 4.0, 2.0),
    ]  # fmt: skip
    assert (rows[0]["least_seconds"], rows[0]["most_seconds"], rows[0]["peak_bytes"]) == (1.0, 9.0, 9_000_000)
    facts = {"tables": 20, "csv_tables": 3, "rows": 1_234, "bytes": 5e6, "pairs": 77}
    read = {"lake_bytes": 100, "read_bytes": 120, "mapped_bytes": 20}
    lines = lakes_planted.lines_of({"lake": facts, "rows": rows, "bytes": read})
    assert (
        "| datasketch `MinHashLSHEnsemble`, threshold 0.9, missing weighs 0.5 | 4.00 |  | 2.00 | 0.900 | 0.700 | 7 |"
        in lines
    )
    assert any(line.startswith("Anti-join: 10 of 1,000 pairs timed, 0.5 s") for line in lines)
    assert lines[-1].endswith("1.40 times it; at most 1.5: met.")
    assert lakes_planted.rows_of({"hash-sets": [turn(1.0)]})[0]["ratio"] is None


def test_a_bar_that_is_missed_is_said():
    rounds = {"tamis": [turn(4.0)], "brute": [turn(8.0), turn(12.0)], "frugal": [turn(2.0)]}
    rows = lakes_rdatasets.rows_of(rounds)
    assert [(row["name"], row["ratio"]) for row in rows] == [("tamis", 1.0), ("brute", 2.5), ("frugal", 0.5)]
    read = {"lake_bytes": 100, "read_bytes": 200, "mapped_bytes": 0}
    lines = lakes_rdatasets.lines_of({"rows": rows, "bytes": read})
    assert any(line.endswith("2.50 times as long; at least 2.5: met.") for line in lines)
    assert lines[-1].endswith("2.00 times it; at most 1.5: **missed**.")
    assert lakes_turns.read_lines({"read_bytes": None}) == ["Bytes read: not measured, there is no `strace`."]


def test_planted_schemas():
    schemas, planted = lakes_schemas.planted_schemas(300, 1)
    assert (len(schemas), len(planted)) == (300, 270)
    assert all(set(schemas[child]) <= set(schemas[parent]) for parent, child in planted)
    found = lakes_schemas.graph(300, 1, 300)
    assert (found["planted_missed"], found["sampled_wrong"], found["sampled"]) == (0, 0, 300)
    sets = [frozenset(names) for names in schemas]
    assert found["table_pairs"] == sum(one <= other for one, other in itertools.permutations(sets, 2))


def test_a_wrong_graph_is_noticed():
    schemas = [("a", "b"), ("a",), ("b", "a")]
    of, parents = np.array([0, 1, 0]), (np.zeros(0, np.int64), np.array([0]))
    assert lakes_schemas.wrong(schemas, of, parents, [0, 1, 2]) == 0
    assert lakes_schemas.wrong(schemas, of, (parents[0], parents[0]), [0, 1, 2]) == 1


def test_snapshots_grow(tmp_path):
    size = lakes_schemas.write_snapshots(tmp_path / "lake", 4, 10, 2)
    files = sorted((tmp_path / "lake").rglob("*.parquet"))
    tables = [pq.read_table(path) for path in files]
    assert size == sum(path.stat().st_size for path in files)
    assert [table.num_rows for table in tables] == [10, 12, 14, 16]
    assert all(table.slice(0, 10).equals(tables[0]) for table in tables)


def test_the_steps_lose_nothing(small, tmp_path):
    args = argparse.Namespace(work=tmp_path, memory="1GB", threads=1)
    truth = lakes_make.truth_of(small)
    steps = lakes_funnel.funnel(small / "lake", truth, {}, args)
    assert [one["step"] for one in steps] == ["schema", "candidates", "sample", "all rows"]
    assert [one["missed"] for one in steps] == [0, 0, 0, 0]
    assert steps[0]["said"] == sum(1 for _ in lakes_pairs.compatible_pairs(lakes_make.columns_of(small)))
    assert steps[0]["said"] > steps[1]["said"] >= steps[2]["said"] >= steps[3]["said"] == len(truth)


def test_runs_of_pairs_have_few_rows(monkeypatch):
    monkeypatch.setattr(lakes_funnel, "ROWS_AT_ONCE", 10)
    sizes = np.array([4, 4, 4, 30, 1, 1, 8])
    parts = list(lakes_funnel._parts(sizes))
    assert np.concatenate([np.arange(7)[part] for part in parts]).tolist() == list(range(7))
    assert [sizes[part].tolist() for part in parts] == [[4, 4], [4], [30, 1, 1], [8]]
    assert list(lakes_funnel._parts(sizes[:0])) == []


def test_plans_of_random_graphs(small):
    rng = np.random.default_rng(0)
    parent, child = lakes_retention.random_tree(50, rng)
    assert child.tolist() == list(range(1, 50))
    assert np.all((parent >= 0) & (parent < child))
    edges = lakes_retention.random_graph(30, rng)
    assert np.all(edges[0] < edges[1])
    found = lakes_retention.solved(lakes_retention.random_problem(edges, 30, rng), 1)
    assert (found["tables"], found["edges"], found["plan"]["gap"]) == (30, len(edges[0]), 0)
    assert found["above_best"] >= 0
    problem = lakes_retention.planted_problem(small)
    equal = {(parent, child) for parent, child in lakes_make.truth_of(small)}
    twoway = sum((child, parent) in equal for parent, child in equal)
    assert len(problem.retain) == 230
    assert len(problem.parent) <= len(equal) - twoway // 2


def test_lines_of_plans_and_graphs():
    way = {"seconds": 0.5, "gap": 0.01, "methods": {"exact": 2, "tree": 1_000}, "largest_part": 30}
    rows = [{"problem": "random graph", "tables": 1_000, "edges": 20, "plan": way, "greedy": way, "above_best": None}]
    assert lakes_retention.lines_of({"rows": rows})[3] == (
        "| random graph | 2 exact, 1,000 tree | 1,000 | 20 | 30 | 0.500 | 1.00% | 0.500 | 1.00% |  |"
    )
    found = {
        "snapshots": 4,
        "lake_bytes": 1e6,
        "seconds": 2.0,
        "peak_bytes": 3e6,
        "lines": 3,
        "pairs": 6,
        "chain": True,
    }
    assert lakes_schemas.lines_of({"snapshots": found}) == [
        "4 snapshots, 1 MB: 2.0 s, peak RSS 3 MB; 3 lines say 6 pairs; each in the next, and nothing else."
    ]


def test_numbers_that_are_told():
    assert lakes_retention.numbers("20,50") == [20, 50]
    parsed = lakes.parser_of().parse_args(["retention", "--sizes", "", "--trees", "7"])
    assert (parsed.sizes, parsed.trees) == ([], [7])
    parsed = lakes.parser_of().parse_args(["planted", "--only", "tamis", "--only", "ensemble"])
    assert parsed.only == ["tamis", "ensemble"]
