"""Charts of a mixture as SVG that takes its colours from the page: weights by step, and gains in their order."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from ..report.charts import BOTTOM, HEIGHT, LEFT, LINE, RIGHT, TAG, TOP, WIDTH, short, svg

MOST_SERIES = 8
"""Sources that are drawn: the page has so many colours."""

FEW_STEPS = 64
"""Up to so many, steps are equally far apart; beyond, their logarithms are."""

_W, _H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
_CURVE = Markup('<path class="curve s{}" d="{}"><title>{}</title></path>')
_BAR = Markup('<rect class="removed" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>')


def path_chart(path: Sequence[dict[str, Any]], names: Sequence[str], drawn: Sequence[int], *, level: bool) -> Markup:
    """Draw the weights of sources by step.

    Args:
        path: (step, weights) as ``mix.json`` has them, two or more.
        names: of all sources.
        drawn: places of those that are drawn, ``MOST_SERIES`` at most; the n-th is of class ``sn``.
        level: whether weights hold until the next step.
    """
    top = _round(max(row["weights"][place] for row in path for place in drawn))
    steps = [row["step"] for row in path]
    last = steps[-1]
    logarithmic = not level and last > FEW_STEPS

    def x(step: float) -> float:
        share = math.log1p(step) / math.log1p(last) if logarithmic else step / last
        return LEFT + _W * share

    parts = list(_grid(top, share=True))
    for tick in _ticks(last, logarithmic=logarithmic):
        parts.append(TAG.format("tick", x(tick), TOP + _H + 18, "middle", short(tick)))
    for number, place in enumerate(drawn):
        corners: list[tuple[float, float]] = []
        for row in path:
            y = TOP + _H * (1 - row["weights"][place] / top)
            if level and corners:
                corners.append((x(row["step"]), corners[-1][1]))
            corners.append((x(row["step"]), y))
        line = " ".join(f"{'L' if i else 'M'}{a:.1f} {b:.1f}" for i, (a, b) in enumerate(corners))
        parts.append(_CURVE.format(number, line, names[place]))
    label = "step, logarithmic" if logarithmic else "step"
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", label))
    return svg("Weights of sources by step", parts)


def gain_chart(gains: Sequence[dict[str, Any]]) -> Markup:
    """Draw what each source added when it was chosen, the first one first."""
    top = _round(max(max(one["gain"] for one in gains), 1e-12))
    step = _W / len(gains)
    parts = list(_grid(top, share=False))
    for i, one in enumerate(gains):
        height = _H * max(one["gain"], 0.0) / top
        told = f"{one['source']}: {one['gain']:.4g}"
        parts.append(_BAR.format(LEFT + (i + 0.08) * step, TOP + _H - height, 0.84 * step, height, told))
    for tick in _ticks(len(gains), logarithmic=False):
        if tick:
            parts.append(TAG.format("tick", LEFT + (tick - 0.5) * step, TOP + _H + 18, "middle", short(tick)))
    parts.append(TAG.format("label", LEFT + _W / 2, HEIGHT - 4, "middle", "chosen as number"))
    return svg("What each source added when it was chosen", parts)


def _grid(top: float, *, share: bool) -> Iterator[Markup]:
    for i in range(5):
        y, value = TOP + _H * (1 - i / 4), top * i / 4
        yield LINE.format("grid", LEFT, y, LEFT + _W, y)
        yield TAG.format("tick", LEFT - 6, y + 4, "end", f"{100 * value:.3g} %" if share else short(value))


def _ticks(last: int, *, logarithmic: bool) -> Iterator[int]:
    """Yield whole numbers from 0 to the last step."""
    if logarithmic:
        yield 0
        yield from (10**power for power in range(1, math.floor(math.log10(last)) + 1))
    else:
        apart = max(1, math.ceil(_round(last / 5)))
        yield from range(0, last + 1, apart)


def _round(value: float) -> float:
    """Return the next number of the form 1, 2, 4, 5, 8, 10 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(factor * power for factor in (1, 2, 4, 5, 8, 10, 20) if factor * power >= value * (1 - 1e-9))
