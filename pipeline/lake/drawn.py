"""Which part of the containment graph is drawn: the components with the most bytes to save."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MOST_NODES = 150

Parents = Mapping[int, Sequence[int]]


@dataclass(frozen=True)
class Part:
    """A component of the graph, or as much of it as there was room for.

    Attributes:
        layers: groups from the top down; parents of a group are in layers above it.
        edges: (parent, child), those between its groups.
        whole: whether nothing is left out.
    """

    layers: tuple[tuple[int, ...], ...]
    edges: tuple[tuple[int, int], ...]
    whole: bool

    @property
    def groups(self) -> list[int]:
        """All of them, from the top down."""
        return [group for layer in self.layers for group in layer]


@dataclass(frozen=True)
class Chosen:
    """What is drawn.

    Attributes:
        parts: those with most to save first.
        components, groups: how many there are, drawn or not.
    """

    parts: tuple[Part, ...]
    components: int
    groups: int


def choose(nodes: Iterable[int], parents: Parents, saves: Sequence[int], most: int = MOST_NODES) -> Chosen:
    """Choose components by what they save until there is no room; of the last, only a part may be drawn.

    Args:
        nodes: groups that have copies, parents or children.
        parents: of groups, direct.
        saves: bytes, by group.
        most: nodes.
    """
    components = _components(sorted(nodes), parents)
    components.sort(key=lambda groups: (-sum(saves[group] for group in groups), groups[0]))
    parts: list[Part] = []
    room = most
    for groups in components:
        whole = len(groups) <= room
        kept = groups if whole else _best(groups, parents, saves, room)
        if kept:
            room -= len(kept)
            parts.append(_layered(kept, parents, whole=whole))
        if not whole:
            break
    return Chosen(tuple(parts), len(components), sum(map(len, components)))


def _components(nodes: Sequence[int], parents: Parents) -> list[list[int]]:
    """Return the weakly connected components, each ascending."""
    above = {node: node for node in nodes}

    def root(node: int) -> int:
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    for child, found in parents.items():
        for parent in found:
            first, second = sorted((root(child), root(parent)))
            above[second] = first
    members: dict[int, list[int]] = {}
    for node in nodes:
        members.setdefault(root(node), []).append(node)
    return list(members.values())


def _best(groups: Sequence[int], parents: Parents, saves: Sequence[int], room: int) -> list[int]:
    """Return the groups that save most, each with a way up to one that nothing contains, as many as there is room for.

    A way goes by parents that are drawn already, or else by those that save most.
    """
    kept: set[int] = set()
    for group in sorted(groups, key=lambda one: (-saves[one], one)):
        way = []
        while group not in kept:
            way.append(group)
            if not parents.get(group):
                break
            group = min(parents[group], key=lambda one: (one not in kept, -saves[one], one))
        if len(way) > 1 or (way and parents.get(way[0])):
            if len(kept) + len(way) > room:
                break
            kept.update(way)
    return sorted(kept)


def _layered(groups: Sequence[int], parents: Parents, *, whole: bool) -> Part:
    """Put each group into the layer below the lowest of its parents, and order layers so that edges cross little."""
    inside = set(groups)
    above = {group: [parent for parent in parents.get(group, ()) if parent in inside] for group in groups}
    below: dict[int, list[int]] = {group: [] for group in groups}
    for group, found in above.items():
        for parent in found:
            below[parent].append(group)
    depth = dict.fromkeys(groups, 0)
    waiting = {group: len(found) for group, found in above.items()}
    ready = [group for group in groups if not waiting[group]]
    for group in ready:  # grows while it is gone through
        for child in below[group]:
            depth[child] = max(depth[child], depth[group] + 1)
            waiting[child] -= 1
            if not waiting[child]:
                ready.append(child)
    layers: list[list[int]] = [[] for _ in range(max(depth.values()) + 1)]
    for group in groups:
        layers[depth[group]].append(group)
    _untangle(layers, above, below)
    edges = tuple((parent, child) for child in groups for parent in above[child])
    return Part(tuple(map(tuple, layers)), edges, whole)


def _untangle(layers: list[list[int]], above: Parents, below: Parents) -> None:
    """Order each layer by the middle of the neighbours above, then below, and so on (Sugiyama and others 1981)."""
    place: dict[int, float] = {}
    for layer in layers:
        place |= _places(layer)
    for sweep in range(4):
        down = sweep % 2 == 0
        neighbours = above if down else below
        order = layers if down else layers[::-1]
        for _, layer in pairwise(order):
            middle = {
                group: sum(place[one] for one in found) / len(found) if (found := neighbours[group]) else place[group]
                for group in layer
            }
            layer.sort(key=lambda group: (middle[group], group))
            place |= _places(layer)


def _places(layer: Sequence[int]) -> dict[int, float]:
    return {group: (i + 0.5) / len(layer) for i, group in enumerate(layer)}
