"""No true pair is pruned: by statistics of real files, made loose, cut and lost; and as many are as the rules say."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_lake import write_lake

from tamis.connectors.parquet_statistics import ColumnStatistics, TableStatistics, table_statistics
from tamis.pipeline.lake.canonical import canonical_texts
from tamis.pipeline.lake.pruning import prune
from tamis.pipeline.lake.schema_graph import schema_graph

INT, TEXT = pa.int64(), pa.string()
NUMBERS = [0, 1, 2, 3, -1, 200, 2**53, 2**53 + 1, 2**63 + 1, *map(Decimal, ("0.1", "0.3", "1.5")), float("nan")]
TIMES = [dt.datetime(1969, 12, 31, 23, 59, 58), *(dt.datetime(2026, 1, day) for day in range(1, 5))]
TEXTS = ["", "a", "ab", "b", "é", "1", "true", " a", "a" * 40 + "b", "a" * 40 + "c", "日本"]
POOLS = {
    "n": (
        NUMBERS,
        [
            *(pa.int8(), pa.uint8(), pa.int64(), pa.uint64(), pa.float32(), pa.float64()),
            *(pa.decimal128(30, 2), pa.decimal128(9, 1), TEXT),
        ],
    ),
    "t": (
        TIMES,
        [*(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")), pa.date32(), TEXT],
    ),
    "s": (TEXTS, [TEXT, pa.large_string(), pa.dictionary(pa.int32(), TEXT), pa.binary(), pa.large_binary()]),
    "b": ([True, False], [pa.bool_(), TEXT, pa.uint8()]),
}
KEYS = ("n", "t", "s", "b")


def column(rng, key, values):
    """Return values in a type that holds them, whichever does."""
    for kind in rng.sample(POOLS[key][1], len(POOLS[key][1])):
        try:
            if kind == TEXT and key != "s":
                return canonical_texts(key, column(rng, key, values)).cast(TEXT)
            if pa.types.is_floating(kind):
                values = [None if value is None else float(value) for value in values]
            return pa.array(values, kind)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
    return pa.array([None if value is None else str(value) for value in values], TEXT)


def lake(rng, tables=8):
    """Return tables; some have rows of one before, in other types."""
    made, source = [], []
    for _ in range(tables):
        if source and rng.random() < 0.6:
            parent = rng.choice(source)
            keys = rng.sample(sorted(parent), rng.randint(1, len(parent)))
            n = len(next(iter(parent.values())))
            rows = [rng.randrange(n) for _ in range(rng.randint(0, 4))] if n else []
            values = {key: [parent[key][row] for row in rows] for key in keys}
        else:
            keys, n = rng.sample(KEYS, rng.randint(1, 3)), rng.randint(0, 8)
            pools = {key: rng.sample(POOLS[key][0], rng.randint(1, len(POOLS[key][0]))) for key in keys}
            nulls = rng.choice([0, 0, 0.2, 1])
            values = {key: [None if rng.random() < nulls else rng.choice(pools[key]) for _ in range(n)] for key in keys}
        source.append(values)
        made.append(pa.table({key: column(rng, key, found) for key, found in values.items()}))
    return made


def rows_of(table, keys):
    texts = [canonical_texts(key, table[key].combine_chunks()).to_pylist() for key in keys]
    plain = [[value.encode() if isinstance(value, str) else value for value in found] for found in texts]
    return Counter(zip(*plain, strict=True))


def true_pairs(tables, *, bags=False):
    found = set()
    for i, child in enumerate(tables):
        keys = child.column_names
        for j, parent in enumerate(tables):
            if i != j and set(keys) <= set(parent.column_names):
                one, other = rows_of(child, keys), rows_of(parent, keys)
                if one <= other if bags else one.keys() <= other.keys():
                    found.add((i, j))
    return found


def read(tmp_path, rng, tables):
    found = []
    for i, table in enumerate(tables):
        path = tmp_path / f"{i}.parquet"
        pq.write_table(table, path, row_group_size=rng.randint(1, 5), use_dictionary=rng.random() < 0.5)
        found.append(table_statistics([str(path)], table.column_names))
    return found


def worsened(rng, statistics):
    """Lose and widen what is known; nothing untrue is said."""
    if rng.random() < 0.1:
        return None
    columns = {}
    for name, said in statistics.columns.items():
        one = said
        choice = rng.random()
        if choice < 0.2:
            one = replace(one, low=None, low_exact=False)
        elif choice < 0.4:
            one = replace(one, high_exact=False)
            if isinstance(one.high, bytes):
                one = replace(one, high=one.high[: rng.randint(0, 3)] + b"\xff")
            elif isinstance(one.high, int | float | Decimal) and not isinstance(one.high, bool):
                one = replace(one, high=one.high + 1)
        elif choice < 0.6:
            one = replace(one, low_exact=False)
            if isinstance(one.low, bytes):
                one = replace(one, low=one.low[: rng.randint(0, 3)])
            elif isinstance(one.low, int | float | Decimal) and not isinstance(one.low, bool):
                one = replace(one, low=one.low - 1)
        elif choice < 0.7:
            one = replace(one, nulls=None)
        elif choice < 0.8:
            continue
        columns[name] = one
    return TableStatistics(statistics.rows if rng.random() < 0.8 else None, columns)


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def compared(kind, value):
    """Return (kind of values, value) as the rules compare it; an oracle of its own."""
    if value is None or kind is None:
        return None
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, bytes):
        return ("text" if "string" in str(kind) else "binary"), value
    if pa.types.is_timestamp(kind):
        return f"timestamp {bool(kind.tz)}", Fraction(value, UNITS[kind.unit])
    if pa.types.is_date(kind):
        return "date", value
    return "number", Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def survives(child, parent, keys, *, bags, trim):
    if child is None or parent is None:
        return True
    if child.rows == 0:
        return True
    counted = child.rows is not None and parent.rows is not None
    if counted and (parent.rows == 0 or (bags and child.rows > parent.rows)):
        return False
    for key in keys:
        a, b = child.columns.get(key), parent.columns.get(key)
        if a is None:
            continue
        if a.nulls and (parent.rows == 0 or (b is not None and b.nulls == 0)):
            return False
        if b is None:
            continue
        for mine, theirs, exact, sign in ((a.low, b.low, a.low_exact, 1), (a.high, b.high, a.high_exact, -1)):
            one, other = compared(a.kind, mine), compared(b.kind, theirs)
            if one is None or other is None or one[0] != other[0] or not exact or (trim and one[0] == "text"):
                continue
            if (one[1] < other[1]) if sign > 0 else (one[1] > other[1]):
                return False
    return True


def checked(tables, statistics, *, bags=False, trim=False):
    """Prune, check everything, and return (pairs that survive, all pairs)."""
    graph = schema_graph([table.column_names for table in tables])
    columns = [{name: name for name in table.column_names} for table in tables]
    pruned = prune(graph, columns, statistics, bags=bags, trim=trim)
    wanted = [pruned.wanted(i) for i in range(len(tables))]
    expected, classes = set(), [set() for _ in tables]
    for i, child in enumerate(tables):
        for j, parent in enumerate(tables):
            keys = child.column_names
            if i == j or not set(keys) <= set(parent.column_names):
                continue
            if survives(statistics[i], statistics[j], keys, bags=bags, trim=trim):
                expected.add((i, j))
                classes[i].add(int(graph.of[i]))
                classes[j].add(int(graph.of[i]))
    assert true_pairs(tables, bags=bags) <= expected
    assert pruned.pairs == len(expected)
    assert [set(found) for found in wanted] == classes
    assert all(len(found) == len(set(found)) for found in wanted)
    return pruned.pairs, graph.table_pairs()


@pytest.mark.parametrize("seed", range(40))
def test_no_true_pair_is_pruned(tmp_path, seed):
    rng = Random(seed)
    tables = lake(rng)
    known = read(tmp_path, rng, tables)
    bags, trim = rng.random() < 0.5, rng.random() < 0.3
    checked(tables, known, bags=bags, trim=trim)
    for _ in range(6):
        worse = [worsened(rng, one) for one in known]
        checked(tables, worse, bags=bags, trim=trim)


def test_lakes_of_the_property_test_are_worth_it(tmp_path):
    """There are true pairs, and pairs that are pruned."""
    true = left = every = 0
    for seed in range(40):
        rng = Random(seed)
        tables = lake(rng)
        true += len(true_pairs(tables))
        survived, pairs = checked(tables, read(tmp_path, rng, tables))
        left, every = left + survived, every + pairs
    assert (true > 100, true <= left, left < 0.8 * every) == (True, True, True)


@pytest.mark.parametrize("seed", range(2))
def test_a_planted_lake(tmp_path, seed):
    truth = write_lake(tmp_path, seed)
    names = sorted(truth.tables)
    known = []
    for name in names:
        table, path = truth.tables[name], tmp_path / name
        files = sorted(path.iterdir()) if table.parts else [path]
        typed = table.format == "parquet"
        known.append(table_statistics([str(file) for file in files], list(table.columns)) if typed else None)
    columns = [{key: key for key in truth.tables[name].columns} for name in names]
    graph = schema_graph(columns)
    found = prune(graph, columns, known)
    wanted = {name: set(found.wanted(i)) for i, name in enumerate(names)}
    of = dict(zip(names, graph.of.tolist(), strict=True))
    assert len(truth.as_sets) > 900
    for parent, child in truth.as_sets:
        assert of[child] in wanted[child] & wanted[parent]
    assert len(truth.as_sets) <= found.pairs < 0.7 * graph.table_pairs()
    assert found.usable > 0.3


def stats(low, high, *, kind=INT, exact=True, nulls=0, rows=5):
    return TableStatistics(rows, {"x": ColumnStatistics(kind, low, high, exact, exact, nulls)})


def pairs_of(child, parent, **options):
    """Return (whether the parent may hold the child, whether the child may hold the parent)."""
    graph = schema_graph([["x"], ["x", "y"]])
    found = prune(graph, [{"x": "x"}, {"x": "x", "y": "y"}], [child, parent], **options)
    assert found.pairs in (0, 1)
    assert [found.wanted(0), found.wanted(1)] == ([[1], [1]] if found.pairs else [[], []])
    return bool(found.pairs)


def test_bounds():
    assert pairs_of(stats(1, 5), stats(1, 5))
    assert pairs_of(stats(2, 4), stats(1, 5))
    assert not pairs_of(stats(0, 5), stats(1, 5))
    assert not pairs_of(stats(1, 6), stats(1, 5))


def test_a_loose_bound_of_a_child_prunes_nothing():
    assert pairs_of(stats(0, 9, exact=False), stats(1, 5))
    assert not pairs_of(stats(0, 9), stats(1, 5, exact=False))


def test_what_is_not_known_prunes_nothing():
    assert pairs_of(None, stats(1, 5))
    assert pairs_of(stats(1, 5), None)
    assert pairs_of(stats(None, 5, exact=False), stats(1, 5))
    assert pairs_of(stats(0, 5), TableStatistics(5, {}))
    assert pairs_of(stats(0, 5), stats(None, None, exact=False))
    assert not pairs_of(stats(0, 5), stats(None, 4))
    assert pairs_of(stats(0, 5, nulls=1), stats(0, 5, nulls=None))


def test_nulls():
    assert not pairs_of(stats(1, 5, nulls=1), stats(1, 5))
    assert pairs_of(stats(1, 5, nulls=1), stats(1, 5, nulls=2))
    assert pairs_of(stats(1, 5, nulls=0), stats(1, 5, nulls=2))
    assert not pairs_of(stats(None, None, nulls=5, kind=pa.null()), stats(1, 5, kind=TEXT))


def test_rows():
    empty = stats(None, None, exact=False, rows=0)
    assert pairs_of(empty, stats(1, 5))
    assert pairs_of(empty, empty)
    assert pairs_of(stats(0, 9, nulls=1, rows=0), stats(1, 5))  # whatever is said of rows that are not there
    assert not pairs_of(stats(None, None, exact=False, nulls=None), empty)
    assert pairs_of(stats(1, 5, rows=9), stats(1, 5))
    assert not pairs_of(stats(1, 5, rows=9), stats(1, 5), bags=True)
    assert pairs_of(stats(1, 5, rows=5), stats(1, 5, rows=5), bags=True)
    assert pairs_of(stats(1, 5, rows=None), stats(1, 5, rows=5), bags=True)
    assert pairs_of(stats(1, 5, rows=9), stats(1, 5, rows=None), bags=True)
    assert not pairs_of(stats(1, 5, rows=9), stats(None, None, exact=False, rows=0), bags=True)


@pytest.mark.parametrize(
    ("child", "parent", "left"),
    [
        ((2**53 + 1, INT), (2.0**53, pa.float64()), False),
        ((2.0**53, pa.float64()), (2**53 + 1, INT), False),
        ((Decimal("0.1"), pa.decimal128(3, 1)), (0.1, pa.float64()), True),
        ((0.1, pa.float64()), (Decimal("0.1"), pa.decimal128(3, 1)), True),
        ((float(np.float32(0.1)), pa.float32()), (Decimal("0.1"), pa.decimal128(3, 1)), False),
        ((-0.0, pa.float64()), (0, INT), True),
        ((5, INT), (b"50", TEXT), True),
        ((True, pa.bool_()), (b"x", TEXT), True),
        ((1, INT), (True, pa.bool_()), True),
        ((b"b", pa.binary()), (b"a", TEXT), True),
        ((b"b", TEXT), (b"a", pa.large_string()), False),
        ((b"b", pa.binary(1)), (b"a", pa.binary_view()), False),
        ((1500, pa.timestamp("ms")), (1_500_000, pa.timestamp("us")), True),
        ((1500, pa.timestamp("ms")), (1_500_001, pa.timestamp("us")), False),
        ((1500, pa.timestamp("ms")), (7, pa.timestamp("us", "UTC")), True),
        ((1500, pa.timestamp("ms", "Asia/Tokyo")), (7, pa.timestamp("us", "UTC")), False),
        ((1, pa.date32()), (2, pa.timestamp("s")), True),
        ((1, pa.time32("s")), (10**9, pa.time64("ns")), True),
        ((1, pa.duration("s")), (10**9 + 1, pa.duration("ns")), False),
        ((1, pa.duration("s")), (2, INT), True),
    ],
)
def test_only_one_kind_is_compared_and_exactly(child, parent, left):
    one, other = (stats(value, value, kind=kind) for value, kind in (child, parent))
    assert pairs_of(one, other) == left


def test_trimmed_texts_are_not_compared():
    one, other = stats(b" z", b"~", kind=TEXT), stats(b"a", b"b", kind=TEXT)
    assert not pairs_of(one, other)
    assert pairs_of(one, other, trim=True)
    one, other = stats(b" z", b"~", kind=pa.binary()), stats(b"a", b"b", kind=pa.binary())
    assert not pairs_of(one, other, trim=True)


def test_nothing_known_leaves_all():
    columns = [["a", "b"], ["a"], ["b", "a"], ["a", "b", "c"], [], [], ["d"]]
    graph = schema_graph(columns)
    found = prune(graph, [{name: name for name in names} for names in columns], [None] * len(columns))
    assert (found.pairs, found.usable) == (graph.table_pairs(), 0.0)
    ab, a = (graph.classes.index(names) for names in (("a", "b"), ("a",)))
    assert [found.wanted(i) for i in (0, 1, 3, 6)] == [[ab, a], [a], [ab, a], []]


def test_no_tables():
    found = prune(schema_graph([]), [], [])
    assert (found.pairs, found.usable) == (0, 0.0)


def test_columns_are_matched_by_keys():
    graph = schema_graph([["k1"], ["k1", "k2"]])
    known = [stats(0, 5), TableStatistics(5, {"x": ColumnStatistics(INT, 1, 5, True, True, 0)})]
    found = prune(graph, [{"k1": "x"}, {"k1": "x", "k2": "z"}], known)
    assert (found.pairs, found.usable) == (0, 2 / 3)


def test_the_share_of_usable_bounds():
    graph = schema_graph([["x"]] * 4)
    known = [stats(1, 2), stats(1, 2, exact=False), stats(b"a", b"b", kind=TEXT), None]
    assert prune(graph, [{"x": "x"}] * 4, known).usable == 0.5
    assert prune(graph, [{"x": "x"}] * 4, known, trim=True).usable == 0.25


def test_equal_columns():
    graph = schema_graph([["x"]] * 3)
    found = prune(graph, [{"x": "x"}] * 3, [stats(1, 5), stats(2, 4), stats(7, 9)])
    assert found.pairs == 1
    assert [found.wanted(i) for i in range(3)] == [[0], [0], []]
