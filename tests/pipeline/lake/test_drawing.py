"""What is drawn of the containment graph, and where."""

import doctest
from itertools import combinations
from random import Random

import networkx as nx
import pytest

from tamis.pipeline.lake import drawing as drawing_module
from tamis.pipeline.lake import words
from tamis.pipeline.lake.drawing import COLUMN, WIDTH, placed
from tamis.pipeline.lake.drawn import choose
from tamis.pipeline.report import rendering


def random_parents(seed, groups=60, share=0.05):
    rng = Random(seed)
    found = {child: [parent for parent in range(child) if rng.random() < share] for child in range(groups)}
    return {child: parents for child, parents in found.items() if parents}


def nodes_of(parents):
    return set(parents) | {parent for above in parents.values() for parent in above}


def graph_of(parents):
    return nx.DiGraph((parent, child) for child, above in parents.items() for parent in above)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most", [1, 5, 20, 150])
def test_what_is_chosen(seed, most):
    parents = random_parents(seed, share=0.03)
    saves = [Random(seed + 1).randrange(100) if group in parents else 0 for group in range(60)]
    chosen = choose(nodes_of(parents), parents, saves, most)
    graph = graph_of(parents)
    components = sorted(
        (sorted(part) for part in nx.weakly_connected_components(graph)),
        key=lambda part: (-sum(saves[one] for one in part), part[0]),
    )
    assert (chosen.components, chosen.groups) == (len(components), len(graph))
    assert sum(len(part.groups) for part in chosen.parts) <= most
    for part, component in zip(chosen.parts, components, strict=False):
        kept = set(part.groups)
        assert kept <= set(component)
        assert part.whole == (kept == set(component))
        depth = {group: i for i, layer in enumerate(part.layers) for group in layer}
        assert sorted(part.edges) == sorted((p, c) for p, c in graph.edges if p in kept and c in kept)
        assert all(depth[parent] < depth[child] for parent, child in part.edges)
        for group in kept:  # drawn below what it is in, as far down as need be
            above = [depth[parent] for parent in parents.get(group, []) if parent in kept]
            assert depth[group] == (max(above) + 1 if above else 0)
            assert bool(above) == (group in parents)
    assert all(part.whole for part in chosen.parts[:-1])
    assert most > 1 or chosen.parts == ()


@pytest.mark.parametrize("seed", range(10))
def test_nodes_do_not_overlap(seed):
    parents = random_parents(seed, groups=150, share=0.02)
    chosen = choose(nodes_of(parents), parents, [1] * 150)
    radii = {group: 5 + group % 16 for group in range(150)}
    at = placed(chosen.parts, radii)
    assert set(at.places) == {group for part in chosen.parts for group in part.groups}
    for (one, first), (other, second) in combinations(at.places.items(), 2):
        apart = abs(first.y - second.y) >= radii[one] + radii[other] + 14
        assert apart or abs(first.x - second.x) >= COLUMN - 1e-6
    for group, place in at.places.items():
        assert radii[group] <= place.x <= at.width - radii[group]
        assert radii[group] <= place.y <= at.height - radii[group]
        assert at.width <= WIDTH + 12
    for part in chosen.parts:
        for parent, child in part.edges:
            assert at.places[parent].bottom < at.places[child].top


def test_a_star_of_many():
    parents = {child: [0] for child in range(1, 400)}
    saves = [0, *range(400, 1, -1)]
    chosen = choose(range(400), parents, saves)
    assert [part.layers for part in chosen.parts] == [((0,), tuple(range(1, 150)))]
    assert not chosen.parts[0].whole
    assert chosen.groups == 400


def test_the_examples():
    for module in (drawing_module, rendering, words):
        assert doctest.testmod(module).failed == 0
