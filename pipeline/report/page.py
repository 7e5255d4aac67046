"""The report as one page: it needs no network, and shows no number that ``report.json`` has not."""

from typing import Any

from .charts import curve_chart, curves_chart, gain_chart, lines_chart, similarity_chart
from .examples import Examples
from .facts import curve_points
from .rendering import in_script, rendered, script

MAX_SOURCES = 200
"""Sources that the page lists; ``report.json`` has all."""

FEW_SOURCES = 12
"""Sources that it shows at first."""

DRAWN_GROUPS = 8
"""Groups whose curve of gains is drawn: the largest ones."""


def page(report: dict[str, Any], examples: Examples, *, title: str) -> str:
    """Return the page as HTML.

    Args:
        report: what ``report.json`` holds.
        examples: for the explorer.
        title: what the output is called.
    """
    largest = _largest_groups(report)
    order = sorted(range(len(report["sources"])), key=lambda i: _lost_most(report["sources"][i]))
    return rendered(
        "page.html.jinja",
        report=report,
        title=title,
        order=order[:MAX_SOURCES],
        few=FEW_SOURCES,
        left_out=max(0, len(order) - MAX_SOURCES),
        alarming=[i for i, source in enumerate(report["sources"]) if source["alarm"]],
        charts={
            "similarity": similarity_chart(report["similarity"]) if report["similarity"] else None,
            "curve": curve_chart(report["curve"]) if report["curve"] else None,
            "gains": gain_chart([report["selection"]["select"]["groups"][i] for i in largest]) if largest else None,
        },
        largest=largest,
        examples=in_script(examples.pairs),
        why=examples.why,
        script=script("page.js"),
    )


def changes_page(changes: dict[str, Any], *, first: str, second: str) -> str:
    """Return the page about two runs as HTML.

    Args:
        changes: as ``tamis report A B --json`` prints them.
        first, second: what the outputs are called.
    """
    differing = [i for i, line in enumerate(changes["sources"]) if line["first"] != line["second"]]
    return rendered("changes.html.jinja", changes=changes, first=first, second=second, sources=differing[:MAX_SOURCES])


def tune_page(found: dict[str, Any], *, title: str, yaml: str) -> str:
    """Return the page about a sample and what settings would do to it as HTML.

    Args:
        found: as ``tamis tune --json`` prints it.
        title: what the sample is of.
        yaml: the recommended settings.
    """
    chosen = found["recommended"]
    curves = [
        {
            "name": f"{line['bands']} bands of {line['rows']}, {line['values']} values",
            "chosen": line == chosen,
            "points": curve_points(line["bands"], line["rows"]),
        }
        for line in found["settings"]
    ]
    labels = found["labels"]
    return rendered(
        "tune.html.jinja",
        found=found,
        title=title,
        yaml=yaml,
        curves=curves_chart(curves, found["threshold"]),
        similarity=similarity_chart(found["similarity"]) if found["similarity"]["pairs"] else None,
        labelled=lines_chart(labels["lines"], ("precision", "recall", "f1"), found["threshold"]) if labels else None,
    )


def _largest_groups(report: dict[str, Any]) -> list[int]:
    """Return the places of the groups with most rows among those of which something was chosen."""
    choice = (report["selection"] or {}).get("select")
    groups = choice["groups"] if choice else []
    places = [i for i, group in enumerate(groups) if group["chosen"] and group["bound"] > 0]
    return sorted(places, key=lambda i: (-groups[i]["rows"], i))[:DRAWN_GROUPS]


def _lost_most(source: dict[str, Any]) -> tuple[bool, int, str]:
    return not source["alarm"], -source["lost"]["bytes"], source["name"]
