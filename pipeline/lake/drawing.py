"""The containment graph as SVG that takes its colours from the page: what is inside something is drawn below it."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from .drawn import Part

WIDTH = 1040
"""Of the drawing, in pixels; a component is never wider."""

COLUMN, BELOW = 115, 30
"""Width of a place for a node and its name, and height of the name and what is free below it."""

BETWEEN_LAYERS, BETWEEN_PARTS, MARGIN = 30, 14, 6
LEAST_RADIUS, MOST_RADIUS = 5.0, 20.0
NAME_CHARACTERS = 14
_LINE = 14
_LANE = 4
"""Where lines go down between columns, in pixels from their left border."""
_ENDINGS = ("parquet", "csv", "tsv", "jsonl", "json", "arrow")

_EDGE = Markup('<path class="edge" data-from="{}" data-to="{}" d="{}"/>')
_NODE = Markup(
    '<g class="node{}" id="node-{}" role="img" tabindex="{}" aria-label="{}"><title>{}</title>'
    '<circle cx="{:.0f}" cy="{:.0f}" r="{:.1f}"/>{}<text class="name" x="{:.0f}" y="{:.0f}">{}</text></g>'
)
_COUNT = Markup('<text class="copies" x="{:.0f}" y="{:.0f}">{}</text>')
_SVG = Markup(
    '<svg class="graph" width="{:.0f}" height="{:.0f}" viewBox="0 0 {:.0f} {:.0f}" role="group" aria-label="{}">'
)


@dataclass(frozen=True)
class Node:
    """What is drawn of a group.

    Attributes:
        name: of its first table.
        tables: how many are equal.
        bytes: of all of them.
        goes: whether it lies inside another.
        told: what is said of it.
    """

    name: str
    tables: int
    bytes: int
    goes: bool
    told: str


@dataclass(frozen=True)
class Place:
    """Where a node is, in pixels.

    Attributes:
        x, y: centre.
        radius: of the circle.
        top, bottom: of its layer.
        rows: that the layer is broken into.
    """

    x: float
    y: float
    radius: float
    top: float
    bottom: float
    rows: int

    @property
    def lane(self) -> float:
        """Where lines pass the nodes of its column."""
        return self.x - COLUMN / 2 + _LANE

    @property
    def below(self) -> float:
        """Where its name ends."""
        return self.y + self.radius + _LINE + 5

    def moved(self, right: float, down: float) -> "Place":
        """Return the place, moved."""
        return replace(self, x=self.x + right, y=self.y + down, top=self.top + down, bottom=self.bottom + down)


@dataclass(frozen=True)
class Placed:
    """Where nodes are, by group, and the size of all."""

    places: dict[int, Place]
    width: float
    height: float


def placed(parts: Sequence[Part], radii: Mapping[int, float]) -> Placed:
    """Put parts beside each other, and below where there is no room; parts that save most come first.

    Args:
        parts: as chosen.
        radii: of nodes, by group.
    """
    places: dict[int, Place] = {}
    left = top = shelf = width = 0.0
    for part in parts:
        own = _part(part, radii)
        if left and left + own.width > WIDTH:
            left, top, shelf = 0.0, top + shelf + BETWEEN_PARTS, 0.0
        places |= {group: place.moved(left + MARGIN, top + MARGIN) for group, place in own.places.items()}
        left += own.width
        shelf, width = max(shelf, own.height), max(width, left)
    return Placed(places, width + 2 * MARGIN, top + shelf + 2 * MARGIN)


def _part(part: Part, radii: Mapping[int, float]) -> Placed:
    """Lay out one part: layers are centred, and broken into rows where they are wide."""
    most = WIDTH // COLUMN
    shapes = [(math.ceil(len(layer) / most), len(layer)) for layer in part.layers]
    width = max(math.ceil(count / rows) for rows, count in shapes) * COLUMN
    places: dict[int, Place] = {}
    top = 0.0
    for layer, (rows, count) in zip(part.layers, shapes, strict=True):
        left = (width - math.ceil(count / rows) * COLUMN) / 2
        biggest = max(radii[group] for group in layer)
        height = 2 * biggest + BELOW
        bottom = top + rows * height
        for i, group in enumerate(layer):  # down, then right, so that nodes stay near the middle of their parents
            column, row = divmod(i, rows)
            x, y = left + (column + 0.5) * COLUMN, top + row * height + biggest
            places[group] = Place(x, y, radii[group], top, bottom, rows)
        top = bottom + BETWEEN_LAYERS
    return Placed(places, width, top - BETWEEN_LAYERS)


def route(parent: Place, child: Place) -> str:
    """Return the path of a line: a curve between layers, along a lane through a layer of several rows."""
    x, y, end = parent.x, parent.below, ""
    begin = f"M{x:.0f} {y:.0f}"
    if parent.rows > 1:
        x, y = parent.lane, parent.bottom
        begin += f"H{x:.0f}V{y:.0f}"
    u, v = child.x, child.y - child.radius
    if child.rows > 1:
        end = f"V{child.y:.0f}H{u - child.radius:.0f}"
        u, v = child.lane, child.top
    bend = max(12.0, (v - y) / 2)
    return f"{begin}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}{end}"


def drawing(parts: Sequence[Part], nodes: Mapping[int, Node], number: Mapping[int, int]) -> Markup:
    """Draw the parts.

    Args:
        parts: as chosen.
        nodes: by group.
        number: of each group on the page, from 0 on, in the order that keys go through.
    """
    biggest = max((node.bytes for node in nodes.values()), default=0)
    radii = {group: radius(node.bytes, biggest) for group, node in nodes.items()}
    at = placed(parts, radii)
    lines: list[Markup] = []
    marks: list[Markup] = []
    for part in parts:
        lines += [
            _EDGE.format(number[parent], number[child], route(at.places[parent], at.places[child]))
            for parent, child in part.edges
        ]
        marks += [_node(nodes[group], number[group], at.places[group]) for group in part.groups]
    title = "Tables inside other tables: a table is drawn below those that have all its rows"
    head = _SVG.format(at.width, at.height, at.width, at.height, title)
    return head + Markup("").join(lines) + Markup("\n").join(marks) + Markup("</svg>")


def radius(size: int, biggest: int) -> float:
    """Return the radius of a node, whose area is as its bytes are.

    >>> radius(100, 100), radius(25, 100), radius(0, 100), radius(0, 0)
    (20.0, 10.0, 5.0, 5.0)
    """
    return max(LEAST_RADIUS, MOST_RADIUS * math.sqrt(size / biggest)) if biggest else LEAST_RADIUS


def _node(node: Node, number: int, at: Place) -> Markup:
    right = at.x + at.radius + 3
    copies = _COUNT.format(right, at.y + 4, f"×{node.tables:,}") if node.tables > 1 else Markup("")
    return _NODE.format(
        " goes" if node.goes else "", number, -1 if number else 0, node.told, node.told,
        at.x, at.y, at.radius, copies, at.x, at.y + at.radius + _LINE, short(node.name),
    )  # fmt: skip


def short(name: str, most: int = NAME_CHARACTERS) -> str:
    """Return a name as it fits below a node: the last part of a path, without its middle where that is long.

    >>> short("sales/2026/orders-of-january-copy.parquet"), short("orders.csv"), short("顧客注文履歴一覧")
    ('orders…ry-copy', 'orders', '顧客注…歴一覧')
    """
    last = name.rstrip("/").rpartition("/")[2] or name
    stem, _, ending = last.rpartition(".")
    last = stem if stem and ending in _ENDINGS else last
    if sum(map(_width, last)) <= most:
        return last
    room = most - 1
    return f"{_fitting(last, room // 2)}…{_fitting(last[::-1], room - room // 2)[::-1]}"


def _fitting(text: str, room: int) -> str:
    """Return the beginning of a text that is at most so wide."""
    for i, character in enumerate(text):
        room -= _width(character)
        if room < 0:
            return text[:i]
    return text


def _width(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
