from random import Random

import networkx as nx
import pyarrow as pa
import pytest

from tamis.jobs.local import LocalEngine
from tamis.pipeline import clusters
from tamis.pipeline.clusters import EDGES, components, contracted


def graphs():
    """Edges by name: paths in every order, stars, loops, doubled edges, random graphs of many sizes of components."""
    rng = Random(4)
    order = rng.sample(range(600), 600)
    yield "none", []
    yield "loop", [(3, 3)]
    yield "path upwards", [(i, i + 1) for i in range(500)]
    yield "path downwards", [(i + 1, i) for i in range(500)]
    yield "path at random", [(a, b) for a, b in zip(order, order[1:], strict=False)]
    yield "star of the worst", [(599, i) for i in range(300)]
    yield "star of the best", [(0, i) for i in range(1, 300)]
    yield "doubled", [(1, 2), (2, 1), (1, 2), (5, 4)]
    for edges in (50, 200, 300, 600):
        yield f"random {edges}", [(rng.randrange(600), rng.randrange(600)) for _ in range(edges)]


def expected(edges):
    graph = nx.Graph([edge for edge in edges if edge[0] != edge[1]])
    return sorted((row, min(part)) for part in nx.connected_components(graph) for row in part)


def found(table):
    return sorted((row["row"], row["best"]) for row in table.collect().to_pylist())


GRAPHS = dict(graphs())


@pytest.fixture
def engine(tmp_path):
    engine = LocalEngine(tmp_path / "work", threads=2)
    yield engine
    engine.close()


def edge_table(engine, edges):
    return engine.table(pa.Table.from_pylist([{"first": a, "second": b} for a, b in edges], schema=EDGES))


@pytest.mark.parametrize("name", GRAPHS)
def test_contraction_is_networkx(engine, name):
    assert found(contracted(edge_table(engine, GRAPHS[name]))) == expected(GRAPHS[name])


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("limit", [0, 10**6])
def test_components_are_networkx_on_either_side_of_the_limit(engine, monkeypatch, name, limit):
    monkeypatch.setattr(clusters, "DRIVER_EDGES", limit)
    assert found(components(edge_table(engine, GRAPHS[name]), rows=600)) == expected(GRAPHS[name])
