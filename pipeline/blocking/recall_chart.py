"""Recall against candidates as SVG that takes its colours from the page: steps, each with its band."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ..counted import counted
from ..report.charts import BOTTOM, HEIGHT, LEFT, LINE, RIGHT, TAG, TOP, WIDTH, short, svg

MOST_SERIES = 8
"""Curves that are drawn: the page has so many colours."""

_DOTS = 30
_BOTTOMS = (0.0, 0.5, 0.75, 0.9)
_W, _H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_BAND = Markup('<path class="band s{}" d="{}"/>')
_CURVE = Markup('<path class="curve s{}" d="{}"><title>{}</title></path>')
_DOT = Markup('<circle class="dot s{}" cx="{:.1f}" cy="{:.1f}" r="3.5"><title>{}</title></circle>')


@dataclass(frozen=True)
class _Axes:
    """Where things are: the logarithm of pairs from left to right, recall from below to above.

    Attributes:
        fewest, most: pairs at the ends.
        bottom: recall at the lower end.
    """

    fewest: float
    most: float
    bottom: float

    def x(self, pairs: float) -> float:
        return LEFT + _W * math.log(max(pairs, 1) / self.fewest) / math.log(self.most / self.fewest)

    def y(self, recall: float) -> float:
        return TOP + _H * (1 - (max(recall, self.bottom) - self.bottom) / (1 - self.bottom))

    def ticks(self) -> Iterator[float]:
        """Yield powers of ten; with twice and five times these where there are few."""
        factors = (1, 2, 5) if self.most / self.fewest < 200 else (1,)
        for power in range(math.floor(math.log10(self.fewest)), math.ceil(math.log10(self.most)) + 1):
            yield from (at for factor in factors if self.fewest <= (at := factor * 10.0**power) <= self.most)


def recall_chart(curves: Sequence[tuple[str, dict[str, Any]]], rows: int, title: str) -> Markup:
    """Draw the recall of blockers against the number of pairs.

    Args:
        curves: name and curve (as ``Curve.as_json``) of each, ``MOST_SERIES`` at most, each with a cut at least; the
            n-th is of class ``sn``.
        rows: of the table that asks: marked, as one pair for each of them.
        title: for those who do not see it.
    """
    axes = _axes([curve for _, curve in curves])
    parts = list(_grid(axes))
    if axes.fewest <= rows <= axes.most:
        parts.append(LINE.format("mark", axes.x(rows), TOP, axes.x(rows), TOP + _H))
    for i, (_, curve) in enumerate(curves):
        lower = _steps(axes, curve["pairs"], curve["low"])
        upper = _steps(axes, curve["pairs"], curve["high"])
        parts.append(_BAND.format(i, _path([*lower, *reversed(upper)]) + " Z"))
    for i, (name, curve) in enumerate(curves):
        parts.append(_CURVE.format(i, _path(_steps(axes, curve["pairs"], curve["recall"])), name))
        if len(curve["pairs"]) <= _DOTS:
            parts += _dots(axes, i, name, curve)
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", "pairs to compare, logarithmic"))
    return svg(title, parts)


def _axes(curves: Sequence[dict[str, Any]]) -> _Axes:
    fewest = _round(min(curve["pairs"][0] for curve in curves), up=False)
    most = _round(max(curve["pairs"][-1] for curve in curves), up=True)
    lowest = min(curve["low"][0] for curve in curves)
    return _Axes(fewest, most if most > fewest else 10 * fewest, max(b for b in _BOTTOMS if b <= lowest))


def _grid(axes: _Axes) -> Iterator[Markup]:
    for i in range(6):
        recall = axes.bottom + (1 - axes.bottom) * i / 5
        yield LINE.format("grid", LEFT, axes.y(recall), LEFT + _W, axes.y(recall))
        yield TAG.format("tick", LEFT - 6, axes.y(recall) + 4, "end", f"{recall:.0%}")
    for tick in axes.ticks():
        yield TAG.format("tick", axes.x(tick), TOP + _H + 20, "middle", short(tick))


def _steps(axes: _Axes, pairs: Sequence[int], recall: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of a curve that is level between its cuts."""
    corners = [(axes.x(pairs[0]), axes.y(recall[0]))]
    for n, share in zip(pairs[1:], recall[1:], strict=True):
        corners += [(axes.x(n), corners[-1][1]), (axes.x(n), axes.y(share))]
    return corners


def _dots(axes: _Axes, i: int, name: str, curve: dict[str, Any]) -> Iterator[Markup]:
    for cut, pairs, recall, low, high in zip(
        *(curve[part] for part in ("cuts", "pairs", "recall", "low", "high")), strict=True
    ):
        told = f"{name}, {curve['by']} {cut:.6g}: {recall:.2%} ({low:.2%} to {high:.2%}) with {counted(pairs, 'pair')}"
        yield _DOT.format(i, axes.x(pairs), axes.y(recall), told)


def _path(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(corners))


def _round(pairs: int, *, up: bool) -> float:
    """Return the next number of the form 1, 2, 5, 10, 20, 50 ... on one side."""
    power = 10.0 ** math.floor(math.log10(pairs))
    steps = [factor * power for factor in (1, 2, 5, 10)]
    return min(step for step in steps if step >= pairs) if up else max(step for step in steps if step <= pairs)
