"""Charts as SVG that takes its colours from the page: pairs by similarity, and the S-curve.

Drawn here rather than by matplotlib: importing that takes longer than most steps of a small run, and its colours would
not follow a dark page.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from markupsafe import Markup

from ..counted import counted

WIDTH, HEIGHT = 480, 240
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 12, 40
_W, _H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

TAG = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
LINE = Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>')
_BAR = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')


def similarity_chart(similarity: dict[str, Any]) -> Markup:
    """Draw verified pairs by similarity, and behind how many of them a row went."""
    bins = similarity["bins"]
    top = _round_up(max(entry["pairs"] for entry in bins))
    step = _W / len(bins)
    parts = list(_grid(top))
    for i, entry in enumerate(bins):
        both = f"{counted(entry['pairs'], 'pair')}, {counted(entry['removed'], 'row')} removed"
        name = f"{entry['from']:.2f} to {entry['to']:.2f}: {both}"
        for kind, key in (("pairs", "pairs"), ("removed", "removed")):
            height = _H * entry[key] / top
            inset = step * (0.08 if kind == "pairs" else 0.28)
            x, width = LEFT + i * step + inset, step - 2 * inset
            parts.append(_BAR.format(kind, x, TOP + _H - height, width, height, name))
    every = max(1, len(bins) // 5)
    for i in range(0, len(bins) + 1, every):
        edge = bins[i]["from"] if i < len(bins) else bins[-1]["to"]
        parts.append(TAG.format("tick", LEFT + i * step, TOP + _H + 17, "middle", f"{edge:.2f}"))
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", "Jaccard similarity"))
    return svg("Verified pairs by similarity, and the rows removed for them", parts)


def curve_chart(curve: dict[str, Any]) -> Markup:
    """Draw the probability that a pair is found, over its similarity, with the threshold."""
    threshold = curve["threshold"]
    parts = list(_axes(threshold))
    parts.append(Markup('<path class="curve" d="{}"/>').format(_path(curve["points"])))
    x, y = _place(threshold, curve["recall_at_threshold"])
    dot = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>')
    parts.append(dot.format(x, y, f"at the threshold {threshold:g}: {curve['recall_at_threshold']:.1%}"))
    return svg("Probability that a pair is found, by its similarity", parts)


def curves_chart(curves: Sequence[dict[str, Any]], threshold: float) -> Markup:
    """Draw several S-curves, those that are ``chosen`` above the others."""
    parts = list(_axes(threshold))
    for curve in sorted(curves, key=lambda curve: bool(curve["chosen"])):
        kind = "curve" if curve["chosen"] else "curve other"
        line = Markup('<path class="{}" d="{}"><title>{}</title></path>')
        parts.append(line.format(kind, _path(curve["points"]), curve["name"]))
    return svg("Probability that a pair is found, by its similarity, for each setting", parts)


def lines_chart(lines: Sequence[dict[str, Any]], names: Sequence[str], mark: float) -> Markup:
    """Draw shares by threshold, each name of ``lines`` as a line of its own."""
    parts = list(_axes(mark, "threshold"))
    for place, name in enumerate(names):
        points = [(line["threshold"], line[name]) for line in lines if line[name] is not None]
        path = Markup('<path class="curve line{}" d="{}"><title>{}</title></path>')
        parts.append(path.format(place, _path(points), name))
    return svg(" and ".join(names) + " by threshold", parts)


def gain_chart(groups: Sequence[dict[str, Any]]) -> Markup:
    """Draw how the value of a choice rises with its rows, as a share of the bound on the best one, for each group."""
    parts = list(_grid(1))
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        parts.append(TAG.format("tick", _place(tick, 0)[0], TOP + _H + 17, "middle", f"{tick:.0%}"))
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", "of the rows that were chosen"))
    for place, group in enumerate(groups):
        points = [(0.0, 0.0)]
        points += [(rows / group["chosen"], min(1.0, value / group["bound"])) for rows, value in group["curve"]]
        path = Markup('<path class="{}" d="{}"><title>{}</title></path>')
        name = "all rows" if group["group"] == "[]" else group["group"]
        parts.append(path.format("curve other" if place else "curve", _path(points), name))
    return svg("Value of the choice as a share of its bound, by the share of the chosen rows", parts)


def distance_chart(shuffle: dict[str, Any]) -> Markup:
    """Draw how far rows that are neighbours in a file are from each other when read, beside what a permutation does."""
    top = max(10, shuffle["of_rows"])
    parts = list(_grid(1))
    for power in range(math.ceil(math.log10(top)) + 1):
        if (x := math.log(10**power, top)) <= 1:
            parts.append(TAG.format("tick", _place(x, 0)[0], TOP + _H + 17, "middle", short(10**power)))
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", "rows apart"))
    for kind, name in (("curve other", "uniform"), ("curve", "curve")):
        points = [(math.log(max(1, distance), top), share) for share, distance in shuffle[name]]
        title = "a permutation of all rows" if name == "uniform" else "this order"
        parts.append(Markup('<path class="{}" d="{}"><title>{}</title></path>').format(kind, _path(points), title))
    return svg(
        "How far apart neighbours are read: share of pairs at most so far, in dark; of a permutation, pale", parts
    )


def standalone(chart: Markup) -> str:
    """Return a chart as a file of its own, with the colours of the page."""
    opened, _, rest = str(chart).partition(">")
    title = opened.partition('aria-label="')[2].rstrip('"')
    head = opened.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{head}><title>{title}</title><style>{_STYLE}</style>{rest}\n"


_STYLE = (
    "svg{background:#fff}text{font:13px system-ui,sans-serif;fill:#5b635d}.grid{stroke:#d8d6cd}"
    ".curve{fill:none;stroke:#1f6f5c;stroke-width:2.5}.curve.other{stroke:#a9d3c6;stroke-width:1.5}"
)
"""Colours of a light page."""


def _place(x: float, y: float) -> tuple[float, float]:
    return LEFT + x * _W, TOP + (1 - y) * _H


def _axes(mark: float, name: str = "Jaccard similarity") -> Iterator[Markup]:
    """Yield a grid of shares over [0, 1], with a mark."""
    yield from _grid(1)
    x, _ = _place(mark, 0)
    yield LINE.format("mark", x, TOP, x, TOP + _H)
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        yield TAG.format("tick", _place(tick, 0)[0], TOP + _H + 17, "middle", f"{tick:.1f}")
    yield TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", name)


def _path(points: Iterable[Sequence[float]]) -> str:
    places = (_place(x, y) for x, y in points)
    return " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(places))


def _grid(top: float) -> Iterator[Markup]:
    for i in range(5):
        y = TOP + _H * (1 - i / 4)
        value = top * i / 4
        yield LINE.format("grid", LEFT, y, LEFT + _W, y)
        yield TAG.format("tick", LEFT - 6, y + 4, "end", f"{value:.0%}" if top == 1 else short(value))


def short(value: float) -> str:
    """Return a number with its unit, for a tick."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:g}"


def _round_up(value: int) -> int:
    """Return the next number of the form 4, 8, 20, 40, 80, 200 ... that four grid lines divide."""
    size = 4
    while True:
        for factor in (1, 2, 5):
            if size * factor >= value:
                return size * factor
        size *= 10


def svg(title: str, parts: list[Markup]) -> Markup:
    """Return a chart of its parts."""
    head = Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, HEIGHT, title)
    return head + Markup("").join(parts) + Markup("</svg>")
