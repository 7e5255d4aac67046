"""The report as one page: it needs no network, and shows no number that ``report.json`` has not."""

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from .charts import curve_chart, curves_chart, lines_chart, similarity_chart
from .examples import Examples
from .facts import curve_points

if TYPE_CHECKING:
    from jinja2 import Template

MAX_SOURCES = 200
"""Sources that the page lists; ``report.json`` has all."""

FEW_SOURCES = 12
"""Sources that it shows at first."""

_STYLE = "page.css"


def page(report: dict[str, Any], examples: Examples, *, title: str) -> str:
    """Return the page as HTML.

    Args:
        report: what ``report.json`` holds.
        examples: for the explorer.
        title: what the output is called.
    """
    order = sorted(range(len(report["sources"])), key=lambda i: _lost_most(report["sources"][i]))
    return _rendered(
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
        },
        examples=_script(examples.pairs),
        why=examples.why,
        script=Markup(_beside("page.js")),
    )


def changes_page(changes: dict[str, Any], *, first: str, second: str) -> str:
    """Return the page about two runs as HTML.

    Args:
        changes: as ``tamis report A B --json`` prints them.
        first, second: what the outputs are called.
    """
    differing = [i for i, line in enumerate(changes["sources"]) if line["first"] != line["second"]]
    return _rendered("changes.html.jinja", changes=changes, first=first, second=second, sources=differing[:MAX_SOURCES])


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
    return _rendered(
        "tune.html.jinja",
        found=found,
        title=title,
        yaml=yaml,
        curves=curves_chart(curves, found["threshold"]),
        similarity=similarity_chart(found["similarity"]) if found["similarity"]["pairs"] else None,
        labelled=lines_chart(labels["lines"], ("precision", "recall", "f1"), found["threshold"]) if labels else None,
    )


def _rendered(name: str, **values: object) -> str:
    """Return a page of this folder's templates, styled."""
    return _template(name).render(style=Markup(_beside(_STYLE)), shown=shown, **values)


@cache
def _template(name: str) -> "Template":
    """Return a compiled template, made once a process: compiling takes as long as a small run."""
    from jinja2 import Environment, StrictUndefined  # a page is made once a run, at its end

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_beside(name))


def _beside(name: str) -> str:
    """Return a file of this folder, which may be inside a zip."""
    return (files(__package__) / name).read_text(encoding="utf-8")


def _lost_most(source: dict[str, Any]) -> tuple[bool, int, str]:
    return not source["alarm"], -source["lost"]["bytes"], source["name"]


def _script(value: object) -> Markup:
    """Return JSON that stays inside its element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def shown(value: float | int | None, how: str) -> str:
    """Return a number as the page shows it.

    Args:
        value: as in ``report.json``.
        how: "count", "share" (of one), "megabytes" (of bytes), "seconds" or "plain".
    """
    if value is None:
        return "\u2013"
    return {
        "count": lambda: f"{value:,}",
        "share": lambda: f"{value:.2%}",
        "megabytes": lambda: f"{value / 1e6:,.1f}",
        "seconds": lambda: f"{value:,.2f}",
        "plain": lambda: f"{value:g}",
    }[how]()
