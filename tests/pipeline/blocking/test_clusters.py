import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.pipeline.blocking.clusters import clustered, decisions
from tamis.pipeline.blocking.pairs import pairs_table
from tamis.pipeline.blocking.ranked_records import ranked_records

N = 8
SCORES = st.sampled_from([0.5, 0.6, 0.7, 0.8])
WITHIN = st.dictionaries(
    st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)).filter(lambda pair: pair[0] < pair[1]), SCORES, max_size=14
)
BETWEEN = st.dictionaries(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), SCORES, max_size=14)


def ids(n=N):
    return pa.array([f"r{i}" for i in range(n)])


def matches(found):
    """Return a table of {(left, right): score}."""
    left, right = (pa.array([f"r{pair[side]}" for pair in found], pa.string()) for side in (0, 1))
    return pairs_table(left, right, np.array(list(found.values()), np.float64), "b", np.ones(len(found), np.int64))


def outcome(found, rule, *, two=False, ranks=None):
    """Return [keeper of each record by its place in the tables], and the decisions."""
    by = None if ranks is None else [pa.array(ranks)]
    records = ranked_records(ids(), ids() if two else None, by=by, descending=False)
    table = matches(found)
    clusters = clustered(table, records, rule)
    keeper = np.empty(len(records), np.int64)
    keeper[records.tables] = records.tables[clusters.keeper]
    return keeper.tolist(), decisions(clusters, table).to_pylist()


def check_decisions(rows, found, keeper, two=False):
    """Every record that goes is there once, and its witness is a match."""

    def place(row, name):
        return int(row[name][1:]) + (N if row[f"{name.removesuffix('id')}side"] == "right" else 0)

    goes = {place(row, "id"): row for row in rows}
    assert len(goes) == len(rows)
    assert goes.keys() == {i for i, k in enumerate(keeper) if k != i}
    for record, row in goes.items():
        assert place(row, "keeper_id") == keeper[record]
        via = place(row, "via_id")
        low, high = min(record, via), max(record, via)
        score = found[low, high - N] if two else found[low, high]
        assert (row["similarity"], row["blocker"]) == (score, "b")
        seen = {record}
        while via != keeper[record]:  # witnesses lead to the keeper
            assert via not in seen
            seen.add(via)
            via = place(goes[via], "via_id")


@settings(max_examples=80, derandomize=True, deadline=None)
@given(WITHIN, st.permutations(range(N)))
def test_greedy_is_its_definition(found, ranks):
    kept, expected = [], {}
    for record in sorted(range(N), key=ranks.__getitem__):
        better = [other for other in kept if (min(record, other), max(record, other)) in found]
        expected[record] = better[0] if better else record
        if not better:
            kept.append(record)
    keeper, rows = outcome(found, "greedy", ranks=ranks)
    assert keeper == [expected[i] for i in range(N)]
    check_decisions(rows, found, keeper)
    assert all(row["via_id"] == row["keeper_id"] for row in rows)
    assert [ranks[int(row["id"][1:])] for row in rows] == sorted(ranks[int(row["id"][1:])] for row in rows)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(WITHIN, st.permutations(range(N)))
def test_components_are_those_of_networkx(found, ranks):
    graph = nx.Graph(list(found))
    graph.add_nodes_from(range(N))
    best = {i: min(some, key=ranks.__getitem__) for some in nx.connected_components(graph) for i in some}
    keeper, rows = outcome(found, "components", ranks=ranks)
    assert keeper == [best[i] for i in range(N)]
    check_decisions(rows, found, keeper)
    for row in rows:
        record, via, end = (int(row[name][1:]) for name in ("id", "via_id", "keeper_id"))
        far = nx.single_source_shortest_path_length(graph, end)
        nearer = [other for other in graph[record] if far[other] == far[record] - 1]
        assert via == min(nearer, key=ranks.__getitem__)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(BETWEEN)
def test_one_to_one_and_mutual_are_their_definitions(found):
    order = sorted(found, key=lambda pair: (-found[pair], pair))
    free, mutual = list(range(2 * N)), list(range(2 * N))
    for left, right in order:
        if free[left] == left and free[N + right] == N + right and left not in free[N:]:
            free[N + right] = left
        first = next(pair for pair in order if pair[0] == left), next(pair for pair in order if pair[1] == right)
        if first == ((left, right), (left, right)):
            mutual[N + right] = left
    for rule, expected in (("one-to-one", free), ("mutual", mutual)):
        keeper, rows = outcome(found, rule, two=True)
        assert keeper == expected
        check_decisions(rows, found, keeper, two=True)
    assert {(i, k) for i, k in enumerate(mutual) if i != k} <= {(i, k) for i, k in enumerate(free) if i != k}


@settings(max_examples=40, derandomize=True, deadline=None)
@given(BETWEEN, st.sampled_from(["greedy", "components"]))
def test_two_tables_are_one_graph(found, rule):
    keeper, rows = outcome(found, rule, two=True)
    check_decisions(rows, found, keeper, two=True)


def test_by_hand():
    chain = {(0, 1): 0.9, (1, 2): 0.8, (2, 3): 0.7}
    assert outcome(chain, "greedy")[0] == [0, 0, 2, 2, 4, 5, 6, 7]
    keeper, rows = outcome(chain, "components")
    assert keeper == [0, 0, 0, 0, 4, 5, 6, 7]
    assert rows == [
        {
            "id": name,
            "side": "only",
            "keeper_id": "r0",
            "keeper_side": "only",
            "via_id": via,
            "via_side": "only",
            "similarity": score,
            "blocker": "b",
        }
        for name, via, score in [("r1", "r0", 0.9), ("r2", "r1", 0.8), ("r3", "r2", 0.7)]
    ]
    both = {(0, 0): 0.9, (0, 1): 0.8, (1, 0): 0.85, (2, 1): 0.8}
    assert outcome(both, "one-to-one", two=True)[0][N : N + 2] == [0, 2]
    assert outcome(both, "mutual", two=True)[0][N : N + 2] == [0, 9]
    assert outcome({}, "greedy") == (list(range(N)), [])


def test_of_a_pair_both_ways_round_the_higher_score_is_the_witness():
    records, table = ranked_records(ids(), None), matches({(0, 1): 0.5, (1, 0): 0.7})
    for rule in ("greedy", "components"):
        assert decisions(clustered(table, records, rule), table)["similarity"].to_pylist() == [0.7]


@pytest.mark.parametrize("rule", ["greedy", "components", "one-to-one", "mutual"])
def test_the_order_of_matches_changes_nothing(rule):
    rng = np.random.Generator(np.random.PCG64(4))
    found = {
        tuple(pair): score
        for pair, score in zip(rng.integers(0, N, (30, 2)).tolist(), rng.random(30).round(1), strict=True)
    }
    records, table = ranked_records(ids(), ids()), matches(found)
    expected = decisions(clustered(table, records, rule), table)
    assert expected.num_rows > 3
    for _ in range(5):
        shuffled = table.take(rng.permutation(len(table)))
        assert decisions(clustered(shuffled, records, rule), shuffled) == expected


def test_rules_that_cannot_be():
    records = ranked_records(ids(), None)
    with pytest.raises(ConfigError, match="a rule makes clusters"):
        clustered(matches({}), records, "star")
    for rule in ("one-to-one", "mutual"):
        with pytest.raises(ConfigError, match="is for two tables"):
            clustered(matches({}), records, rule)
