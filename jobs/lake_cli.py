"""``tamis lake``: tables that live inside other tables."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..hashing.errors import ConfigError
from ..pipeline.config import bytes_of
from ..pipeline.state import SUCCESS, check_place
from . import lake_plan_cli

app = typer.Typer(
    help="Tables of a lake: which are copies of others, or live inside them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
lake_plan_cli.register(app)
console = Console()
SHOWN = 12


@app.callback()
def _main() -> None:
    """Tables of a lake: which are copies of others, or live inside them."""


@app.command()
def scan(
    lakes: Annotated[list[str], typer.Argument(metavar="LAKE...", help="Folders of tables: Parquet, CSV, JSON Lines.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for what is found; new, or of a scan.")],
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore-column", metavar="NAME", help="A column that does not count.")
    ] = None,
    match: Annotated[str, typer.Option("--match", help="What columns match by: name, or name,type.")] = "name",
    trim: Annotated[bool, typer.Option("--trim", help="White space around texts counts for nothing.")] = False,
    memory: Annotated[str, typer.Option("--memory", help="Limit for all but interpreter and libraries.")] = "2GB",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no summary.")] = False,
) -> None:
    """Find tables all of whose rows are in another one; nothing is called verified before every row was looked for."""
    from ..connectors.lake_tables import list_tables
    from ..pipeline.lake.outputs import write_scan
    from ..pipeline.lake.scan import Options
    from ..pipeline.lake.scan import scan as look
    from .local import LocalEngine

    if match not in ("name", "name,type"):
        raise ConfigError("columns match by `name` or `name,type`", value=match, remedy="Choose one of these.")
    check_place(out, lakes)
    folder = _folder(out)
    work = folder / "_work"
    engine = LocalEngine(work, memory_bytes=bytes_of(memory), threads=threads)
    options = Options(tuple(ignore or ()), match_types=match != "name", trim=trim)
    try:
        report = write_scan(look(engine, list_tables(lakes)[0], options), options, folder)
    finally:
        engine.close()
    shutil.rmtree(work)
    if not quiet:
        _show(report, out)


def _folder(out: str) -> Path:
    """Return the folder of the output, emptied of an earlier scan."""
    folder = Path(out).expanduser()
    known = {"containment.parquet", "groups.parquet", "lake.json", SUCCESS, "_work", *lake_plan_cli.LEAVES}
    if folder.exists():
        others = sorted(path.name for path in folder.iterdir() if path.name not in known)
        if others:
            raise ConfigError(
                "a scan writes to a new folder, or to that of another scan",
                value=f"{out} with {', '.join(others[:3])}",
                remedy="Choose another --out.",
            )
        (folder / SUCCESS).unlink(missing_ok=True)
        shutil.rmtree(folder / "_work", ignore_errors=True)
    return folder


def _show(report: dict[str, Any], out: str) -> None:
    tables, pairs = report["tables"], report["pairs"]
    funnel = Table("pairs of tables", "", title="What became of the pairs", title_justify="left", show_header=False)
    funnel.columns[1].justify = "right"
    for name, what in (
        ("all", "all"),
        ("with_columns", "one has all columns of the other"),
        ("sharing_a_row", "and its first row"),
        ("refuted_by_sample", "refuted by a sample"),
        ("refuted_by_all_rows", "refuted by all rows"),
        ("verified", "verified: every row is there"),
    ):
        funnel.add_row(what, f"{pairs[name]:,}", style="bold" if name == "verified" else "")
    alone = tables["alone_in_their_columns"]
    rest = f"; {alone:,} have columns that no other has" if alone else ""
    console.print(f"{tables['found']:,} tables, {tables['compared']:,} compared{rest}.", soft_wrap=True)
    console.print(funnel)
    for name, why in list(tables["unreadable"].items())[:SHOWN]:
        console.print(f"not compared: {name}: {why}", style="red", markup=False, soft_wrap=True)
    for members in report["equal"][:SHOWN]:
        console.print(f"equal: {', '.join(members)}", markup=False, soft_wrap=True)
    for pair in report["direct"][:SHOWN]:
        console.print(f"{pair['child']} is inside {pair['parent']}", markup=False, soft_wrap=True)
    left = len(report["direct"]) - SHOWN
    console.print(
        f"{f'... and {left:,} more. ' if left > 0 else ''}{out} has containment.parquet, groups.parquet, lake.json.",
        markup=False,
        soft_wrap=True,
    )
