"""The schema graph against all pairs."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.pipeline.lake.schema_graph import schema_graph


def edges_of(graph):
    """Return (parent, child) of class columns."""
    return {
        (graph.classes[parent], graph.classes[child])
        for child, parents in enumerate(graph.parents)
        for parent in parents.tolist()
    }


def brute_force(tables):
    classes = {tuple(sorted(set(names))) for names in tables}
    return {(a, b) for a in classes for b in classes if b and set(b) < set(a)}


def test_by_hand():
    graph = schema_graph([["id", "name"], ["id"], ["name", "id"], ["id", "name", "age"], ["city"], []])
    assert graph.classes == (("age", "id", "name"), ("id", "name"), ("city",), ("id",), ())
    assert graph.of.tolist() == [1, 3, 1, 0, 2, 4]
    assert [found.tolist() for found in graph.parents] == [[], [0], [], [0, 1], []]
    assert graph.edges == 3
    assert graph.table_pairs() == 2 * (1 + 1) + 1 * (1 + 2)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=40))
def test_no_edge_is_lost_and_none_invented(tables):
    graph = schema_graph(tables)
    assert edges_of(graph) == brute_force(tables)
    assert [set(graph.classes[i]) for i in graph.of] == [set(names) for names in tables]
    pairs = sum(
        bool(b) and set(b) <= set(a) for i, a in enumerate(tables) for j, b in enumerate(tables) if i != j
    ) + sum(not b and not a for i, a in enumerate(tables) for j, b in enumerate(tables) if i != j)
    assert graph.table_pairs() == pairs


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_tables_does_not_matter(seed):
    rng = Random(seed)
    tables = [rng.sample("abcdefghij", rng.randint(1, 7)) for _ in range(60)]
    order = rng.sample(range(60), 60)
    one, two = schema_graph(tables), schema_graph([tables[i] for i in order])
    assert one.classes == two.classes
    assert np.array_equal(one.of[order], two.of)
    assert all(np.array_equal(a, b) for a, b in zip(one.parents, two.parents, strict=True))


def test_snapshots_of_one_table_are_one_class():
    graph = schema_graph([["id", "value"]] * 10_000)
    assert (graph.classes, graph.edges) == ((("id", "value"),), 0)
