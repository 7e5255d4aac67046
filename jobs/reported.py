"""``tamis report``: a finished run again on a terminal, or what changed between two."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..hashing.errors import ConfigError
from ..hashing.redaction import redacted
from ..pipeline.counted import counted
from ..pipeline.report.build import JSON_NAME
from ..pipeline.report.page import changes_page
from ..pipeline.result import Result
from ..pipeline.state import write_named
from . import summary
from .api import fetched
from .changes import changes
from .memory_share import allowed_bytes

EXAMPLES = 3
"""Records of each change of fate that a terminal shows; JSON and the page have more."""


def report(
    out: str, other: str | None, *, by: str, html: str | None, as_json: bool, memory: str | None, console: Console
) -> None:
    """Run the command; see its help."""
    if by not in ("place", "id"):
        raise ConfigError("records are recognised by place or id", value=by, remedy="Use --by place or --by id.")
    if html and not other:
        raise ConfigError(
            "a page of its own shows what changed between two runs",
            value=f"--html {html}, and one run",
            remedy=f"Look at {redacted(out)}/report.html, or name another run.",
        )
    with ExitStack() as stack:
        first = Result(stack.enter_context(fetched(out)))
        if other is None:
            _show_again(first, out, as_json=as_json, console=console)
            return
        second = Result(stack.enter_context(fetched(other)))
        found = changes(first, second, by="id" if by == "id" else "place", memory_bytes=allowed_bytes(memory))
    if html:
        if not Path(html).absolute().parent.is_dir():
            raise ConfigError("a page is written to a folder", value=html, remedy="Make its folder first.")
        page = changes_page(found, first=redacted(out), second=redacted(other))
        write_named(Path(html), page, option="--html")
    if as_json:
        _print_json(found, console)
        return
    show(found, console)
    if html:
        console.print(f"\nLook at it: {escape(html)}", style="dim", soft_wrap=True)


def _show_again(result: Result, out: str, *, as_json: bool, console: Console) -> None:
    if as_json:
        console.file.write((result.out / JSON_NAME).read_text(encoding="utf-8"))
        return
    summary.show(result, console, out=redacted(out))


def _print_json(value: object, console: Console) -> None:
    import json

    console.file.write(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def show(found: dict[str, Any], console: Console) -> None:
    """Print what changed."""
    console.print(_funnel(found))
    _settings(found, console)
    _inputs(found["inputs"], console)
    _fates(found, console)


def _table(*columns: str, title: str, words: int) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for column in table.columns[words:]:
        column.justify = "right"
    return table


def _funnel(found: dict[str, Any]) -> Table:
    table = _table("", "first", "second", "change", title="What became of the rows", words=1)
    for line in found["funnel"]:
        a, b = line["first"]["rows"], line["second"]["rows"]
        style = "bold" if line["name"] == "kept" else ""
        table.add_row(line["name"], f"{a:,}", f"{b:,}", f"{b - a:+,}" if b != a else "", style=style)
    return table


def _settings(found: dict[str, Any], console: Console) -> None:
    if not found["settings"]:
        console.print("All settings that decide are equal.")
    for line in found["settings"]:
        console.print(f"  {escape(line['name'])}: {escape(str(line['first']))} -> {escape(str(line['second']))}")


def _inputs(found: dict[str, Any], console: Console) -> None:
    others = [
        f"{len(found[name]):,} {title}"
        for name, title in (
            ("changed", "of another size, whose records count as others"),
            ("only_first", "only in the first"),
            ("only_second", "only in the second"),
        )
        if found[name]
    ]
    console.print(", ".join([f"{counted(found['same'], 'input file is', 'input files are')} the same", *others]) + ".")


def _fates(found: dict[str, Any], console: Console) -> None:
    moved = [line for line in found["fates"] if line["first"] != line["second"]]
    if not moved:
        console.print("\nEvery record has the same fate in both.")
    else:
        table = _table(
            "in the first", "in the second", "rows", "MB of text", title="Records whose fate changed", words=2
        )
        for line in moved:
            table.add_row(line["first"], line["second"], f"{line['rows']:,}", f"{line['bytes'] / 1e6:,.2f}")
        console.print()
        console.print(table)
    if found["other_keepers"]:
        console.print(
            f"{found['other_keepers']:,} were removed in both by the same stage, but in favour of another record."
        )
    shown: dict[tuple[str, str], int] = {}
    for line in found["examples"]:
        kind = line["first"], line["second"]
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] == 1:
            console.print(f"\n[bold]{escape(kind[0])} -> {escape(kind[1])}[/bold]")
        if shown[kind] <= EXAMPLES:
            console.print(f"  {escape(_example(line))}", soft_wrap=True, highlight=False)


def _example(line: dict[str, Any]) -> str:
    name = line["id"] or line["where_second"] or line["where_first"]
    parts = []
    for side in ("first", "second"):
        if line[f"keeper_{side}"]:
            similarity = line[f"similarity_{side}"]
            measured = "" if similarity is None else f" ({similarity:.3f})"
            parts.append(f"in the {side} for {line[f'keeper_{side}']}{measured}")
    return f"{name}{': ' if parts else ''}{', '.join(parts)}"
