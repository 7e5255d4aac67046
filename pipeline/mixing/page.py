"""The page of a mixture, ``mix.html``: one file without network, with the numbers of ``mix.json``."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..report.rendering import rendered
from ..state import write_atomically
from .charts import MOST_SERIES, gain_chart, path_chart

JSON_NAME, HTML_NAME = "mix.json", "mix.html"

MOST_ROWS = 300
"""Sources in the table of the page."""

MOST_CELLS = 12
"""Sources in a heat map of the page, each way."""

SHADES = 4
"""Of a heat map, beside that of nothing."""


def write_page(folder: Path, report: dict[str, Any]) -> Path:
    """Write ``mix.json`` and ``mix.html``, each whole or not at all, and return where the page is.

    Args:
        folder: must exist.
        report: as ``report_of`` returns it.
    """
    write_atomically(folder / JSON_NAME, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_atomically(folder / HTML_NAME, mix_page(report))
    return folder / HTML_NAME


def mix_page(report: dict[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        report: what ``mix.json`` holds.
    """
    sources = report["sources"]
    heaviest = sorted(range(len(sources)), key=lambda i: (-sources[i]["weight"], sources[i]["source"]))
    drawn = heaviest[:MOST_SERIES]
    path = report["path"]
    names = [one["source"] for one in sources]
    phased = bool(report["phases"])
    return rendered(
        "mix.html.jinja",
        report=report,
        rows=heaviest[:MOST_ROWS],
        cells=heaviest[:MOST_CELLS],
        drawn=drawn,
        largest=max(max(one["weight"], one["proportional"]) for one in sources),
        path=path_chart(path, names, drawn, level=phased) if len(path) > 1 and path[-1]["step"] else None,
        gains=gain_chart(report["gains"]) if report["gains"] else None,
        shade=shade,
        clusters_of=clusters_of,
    )


def shade(share: float | None) -> int:
    """Return the class of a cell of a heat map: 0 for nothing, up to ``SHADES`` for all.

    >>> [shade(share) for share in (None, 0.0, 0.001, 0.25, 0.26, 1.0)]
    [0, 0, 1, 1, 2, 4]
    """
    return 0 if not share else min(SHADES, int(-(-share * SHADES // 1)))


def clusters_of(shared: Sequence[Sequence[int]], one: int, other: int) -> float:
    """Return the share of the clusters of a source that another has, too; 0 without any."""
    own = shared[one][one]
    return shared[one][other] / own if own else 0.0
