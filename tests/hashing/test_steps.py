import hypothesis.strategies as st
import networkx as nx
import numpy as np
from hypothesis import given, settings

from tamis.hashing.steps import steps_from

EDGES = st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda edge: edge[0] < edge[1]), max_size=20)


def steps(edges, roots, nodes):
    both = sorted([*edges, *((b, a) for a, b in edges)])
    starts = np.searchsorted(np.array([a for a, _ in both], np.int64), np.arange(nodes + 1))
    return steps_from(starts, np.array([b for _, b in both], np.int64), np.array(roots, np.int64)).tolist()


@settings(max_examples=200, derandomize=True, deadline=None)
@given(EDGES, st.sets(st.integers(0, 11), max_size=4))
def test_steps_are_those_of_networkx(edges, roots):
    graph = nx.Graph(list(edges))
    graph.add_nodes_from(range(12))
    far = nx.multi_source_dijkstra_path_length(graph, roots) if roots else {}
    assert steps(edges, sorted(roots), 12) == [far.get(node, -1) for node in range(12)]


def test_by_hand():
    assert steps({(0, 1), (1, 2), (2, 3), (4, 5)}, [0], 6) == [0, 1, 2, 3, -1, -1]
    assert steps(set(), [1], 2) == [-1, 0]
