import hypothesis.strategies as st
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.components import find, labels, unite

from .oracle import read_only


def united(n, edges, calls=1):
    parent = np.arange(n, dtype=np.int64)
    for i in range(calls):
        first, second = (read_only([edge[side] for edge in edges[i::calls]], np.int64) for side in (0, 1))
        unite(parent, first, second)
    return parent


def by_networkx(n, edges):
    graph = nx.Graph(edges)
    graph.add_nodes_from(range(n))
    least = {node: min(component) for component in nx.connected_components(graph) for node in component}
    return [least[node] for node in range(n)]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30), st.integers(1, 3))
def test_labels_are_the_components_of_networkx(edges, calls):
    assert labels(united(20, edges, calls)).tolist() == by_networkx(20, edges)


@pytest.mark.parametrize("seed", range(3))
def test_a_sparse_random_graph(seed):
    edges = np.random.default_rng(seed).integers(0, 3000, (1600, 2)).tolist()
    assert labels(united(3000, edges)).tolist() == by_networkx(3000, edges)
    assert labels(united(3000, edges[::-1], calls=5)).tolist() == by_networkx(3000, edges)


def test_a_long_chain_in_the_worst_order():
    n = 200_000
    ends = np.arange(n - 1, 0, -1)
    assert set(labels(united(n, np.stack([ends, ends - 1], 1).tolist())).tolist()) == {0}


def test_roots_are_least_members():
    parent = united(6, [(5, 3), (3, 1), (4, 2)])
    assert [find(parent, node) for node in range(6)] == [0, 1, 2, 1, 2, 1]
    assert (parent <= np.arange(6)).all()


def test_no_nodes_and_no_edges():
    assert labels(united(0, [])).tolist() == []
    assert labels(united(3, [])).tolist() == [0, 1, 2]
