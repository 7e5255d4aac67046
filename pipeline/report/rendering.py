"""Pages from the templates of this folder: one file each, styled, with its script and its numbers."""

import json
import math
import os
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from ..state import cache_folder

if TYPE_CHECKING:
    from jinja2 import Environment, FileSystemBytecodeCache

_STYLE, _COMMON = "page.css", "common.js"


def rendered(name: str, **values: object) -> str:
    """Return a page as HTML.

    Args:
        name: of its template.
        values: that the template names.
    """
    return _templates().get_template(name).render(style=Markup(_beside(_STYLE)), **values)


def script(name: str) -> Markup:
    """Return a script of this folder, after what all scripts share."""
    return Markup(_beside(_COMMON) + _beside(name))


def in_script(value: object) -> Markup:
    """Return JSON that stays inside its element, whatever its strings hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def shown(value: float | int | None, how: str) -> str:
    """Return a number as a page shows it.

    Args:
        value: as JSON holds it.
        how: "count", "share" (of one), "contained" (a share that is rounded down, so that less than all never reads as
            all), "ratio" (a share that may be tiny), "megabytes" or "size" (of bytes), "cost", "seconds",
            "whole" (rounded), "times" (how often) or "plain".
    """
    if value is None:
        return "\u2013"
    return {
        "count": lambda: f"{value:,}",
        "share": lambda: f"{value:.2%}",
        "contained": lambda: f"{math.floor(value * 1e4 + 1e-9) / 1e4:.2%}",
        "ratio": lambda: f"{100 * value:#.3g}".rstrip(".") + "%",
        "size": lambda: _size(value),
        "cost": lambda: _cost(value),
        "megabytes": lambda: f"{value / 1e6:,.1f}",
        "seconds": lambda: f"{value:,.2f}",
        "whole": lambda: f"{value:,.0f}",
        "times": lambda: f"{value:,.2f}",
        "plain": lambda: f"{value:g}",
    }[how]()


def _size(size: float) -> str:
    """Return bytes in the unit that fits.

    >>> _size(999), _size(1469409), _size(2.5e12)
    ('999 bytes', '1.5 MB', '2.5 TB')
    """
    for unit, of in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= of:
            return f"{size / of:,.1f} {unit}"
    return f"{size:,} byte{'' if size == 1 else 's'}"


def _cost(amount: float) -> str:
    """Return an amount of money, in whichever currency.

    >>> _cost(12345.678), _cost(0.0), _cost(0.01234), _cost(0.0000012)
    ('12,345.68', '0', '0.012', 'under 0.0001')
    """
    if abs(amount) >= 1:
        return f"{amount:,.2f}"
    return "under 0.0001" if 0 < amount < 1e-4 else f"{amount:.2g}"


@cache
def _templates() -> "Environment":
    """Return the templates; they are compiled once a user, if there is room: that takes as long as a small run."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined  # a page is made once a run, at its end

    templates = Environment(
        loader=FunctionLoader(_beside),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=_kept(),
    )
    templates.globals["shown"] = shown
    return templates


def _kept() -> "FileSystemBytecodeCache | None":
    """Return where compiled templates are kept, if such a folder can be made; they are known by their text."""
    from jinja2 import FileSystemBytecodeCache

    folder = cache_folder() / "pages"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


def _beside(name: str) -> str:
    """Return a file of this folder, which may be inside a zip."""
    return (files(__package__) / name).read_text(encoding="utf-8")
