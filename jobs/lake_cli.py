"""``tamis lake``: tables that live inside other tables."""

import shutil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..hashing.errors import ArtefactError, ConfigError
from ..pipeline.counted import counted
from ..pipeline.lake import words
from ..pipeline.state import SUCCESS, WORK, check_place
from . import lake_plan_cli
from .engine_options import engine_options
from .lake import plan_lake, scan_lake
from .lean_imports import leave_out_what_is_not_used
from .progress import shown
from .run_options import Memory
from .seldom_garbage import search_seldom

app = typer.Typer(
    help="Tables of a lake: which are copies of others, or live inside them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
lake_plan_cli.register(app)
console = Console(emoji=False)
SHOWN = 12
REPORT = "lake.json"


@app.callback()
def _main() -> None:
    """Tables of a lake: which are copies of others, or live inside them."""


@app.command()
def scan(
    lakes: Annotated[
        list[str],
        typer.Argument(
            metavar="LAKE...",
            help="Folders of tables: Parquet, CSV, JSON Lines, Delta; or Iceberg catalogues: "
            "iceberg+sqlite:///PATH/catalog.db, iceberg:NAME.",
        ),
    ],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for what is found; new, or of a scan.")],
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore-column", metavar="NAME", help="A column that does not count.")
    ] = None,
    match: Annotated[str, typer.Option("--match", help="What columns match by: name, or name,type.")] = "name",
    trim: Annotated[bool, typer.Option("--trim", help="White space around texts counts for nothing.")] = False,
    typed_csv: Annotated[
        bool, typer.Option("--typed-csv", help="Numbers of delimited files are numbers (1.0 is 1), empty fields null.")
    ] = False,
    bags: Annotated[bool, typer.Option("--bags", help="Rows count as often as they are there.")] = False,
    min_containment: Annotated[
        float,
        typer.Option("--min-containment", metavar="SHARE", help="Look for tables of which so much is in another."),
    ] = 1.0,
    renamed: Annotated[
        bool, typer.Option("--renamed", help="Look for tables in others whose columns are called otherwise, too.")
    ] = False,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Look for every row, rather than for a sample only.")
    ] = True,
    closure: Annotated[bool, typer.Option("--closure", help="List also pairs that follow from others.")] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Then plan which tables may go, as `tamis lake plan` does: plan.json.")
    ] = False,
    costs: Annotated[
        str | None, typer.Option("--costs", metavar="FILE", help="Plan with these prices (`tamis lake costs`).")
    ] = None,
    page: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
    engine: Annotated[str, typer.Option("--engine", help="local or spark.")] = "local",
    master: Annotated[str | None, typer.Option("--master", help="Of Spark; default: this machine.")] = None,
    memory: Memory = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress and no summary.")] = False,
) -> None:
    """Find tables all of whose rows are in another one; nothing is called verified before every row was looked for.

    A second scan into the same folder reads only tables that are new or have changed.
    """
    if engine == "local":
        leave_out_what_is_not_used()
        search_seldom()
    from ..pipeline.lake.options import Options

    if match not in ("name", "name,type"):
        raise ConfigError("columns match by `name` or `name,type`", value=match, remedy="Choose one of these.")
    options = Options(
        tuple(ignore or ()),
        match_types=match != "name",
        trim=trim,
        typed_csv=typed_csv,
        bags=bags,
        min_containment=min_containment,
        renamed=renamed,
        verify=verify,
    )
    made = engine_options(engine, memory, threads, master)
    check_place(out, lakes)
    folder = _folder(out)
    report = scan_lake(lakes, folder, options, made, closure=closure, page=page, progress=shown(quiet))
    if not quiet:
        _show(report, out)
    if plan or costs:
        planned, unmatched = plan_lake(folder, costs)
        if not quiet:
            lake_plan_cli.show_plan(planned, unmatched)


@app.command()
def report(
    found: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a scan.")],
) -> None:
    """Write report.html of a scan again, with the plan that is there (`tamis lake plan`)."""
    from ..pipeline.lake.page import write_page

    folder = Path(found).expanduser()
    if not (folder / SUCCESS).exists() or not (folder / REPORT).exists():
        raise ArtefactError(
            "a page is made from a scan that has finished",
            value=found,
            remedy="Scan the lake first: `tamis lake scan LAKE --out DIR`.",
        )
    write_page(folder, with_plan=True)
    console.print(f"{found}/report.html", markup=False, soft_wrap=True)


def _folder(out: str) -> Path:
    """Return the folder of the output; what an earlier scan left there is not finished any more."""
    folder = Path(out).expanduser()
    if folder.exists() and any(folder.iterdir()) and not (folder / REPORT).exists() and not (folder / WORK).exists():
        others = sorted(path.name for path in folder.iterdir())
        raise ConfigError(
            "a scan writes to a new folder, or to that of another scan",
            value=f"{out} with {', '.join(others[:3])}",
            remedy="Choose another --out.",
        )
    (folder / SUCCESS).unlink(missing_ok=True)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    return folder


def _show(report: dict[str, Any], out: str) -> None:
    tables, pairs = report["tables"], report["pairs"]
    funnel = Table("pairs of tables", "", title="What became of the pairs", title_justify="left", show_header=False)
    funnel.columns[1].justify = "right"
    for name, what in words.funnel(pairs):
        funnel.add_row(what, f"{pairs[name]:,}", style="bold" if name == "verified" else "")
    alone = tables["alone"]
    rest = f"; {counted(alone, 'has', 'have')} columns that no other has" if alone else ""
    console.print(f"{counted(tables['found'], 'table')}, {tables['compared']:,} compared{rest}.", soft_wrap=True)
    console.print(funnel)
    for name, why in list(tables["unreadable"].items())[:SHOWN]:
        console.print(f"not compared: {name}: {why}", style="red", markup=False, soft_wrap=True)
    for name in report["ignored_nowhere"]:
        console.print(f"no table has a column {name!r} to ignore", style="red", markup=False, soft_wrap=True)
    if tables["unread_records"]:
        console.print(
            f"{counted(tables['unread_records'], 'record')} could not be read: see quarantine.parquet.", style="red"
        )
    for members in report["equal"][:SHOWN]:
        console.print(f"equal: {', '.join(members)}", markup=False, soft_wrap=True)
    for pair in report["direct"][:SHOWN]:
        console.print(f"{pair['child']} is inside {pair['parent']}", markup=False, soft_wrap=True)
    left = len(report["direct"]) - SHOWN
    console.print(
        f"{f'... and {left:,} more. ' if left > 0 else ''}{out} has containment.parquet, groups.parquet, lake.json; "
        f"look at {out}/report.html.",
        markup=False,
        soft_wrap=True,
    )
