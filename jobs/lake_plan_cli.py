"""``tamis lake plan``, ``apply``, ``restore`` and ``costs``: from what a scan found to a smaller lake, and back."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from .. import __version__
from ..pipeline.counted import counted
from .lake import plan_lake

console = Console(emoji=False)
SHOWN = 12

LEAVES = frozenset({"plan.json", "journal.jsonl", "recipes", "quarantine"})
"""What these commands leave in the folder of a scan; another scan leaves them there."""

Folder = Annotated[str, typer.Argument(metavar="FOUND", help="Folder of a scan.")]

_BOUND = "no plan is cheaper than"
_STAYS_BY = {
    "pinned": "it is pinned",
    "owner": "it has an owner",
    "last-read": "it was read last",
    "dependants": "more reads it",
    "accesses": "it is read more often",
    "shallow": "it is in fewer folders",
    "name": "its name comes first",
}


def register(app: typer.Typer) -> None:
    """Add the commands to those of ``tamis lake``."""
    for command in (plan, apply, restore, costs):
        app.command()(command)


def plan(
    found: Folder,
    costs_file: Annotated[
        str | None, typer.Option("--costs", metavar="FILE", help="Prices and what is known of tables, in YAML.")
    ] = None,
    out: Annotated[str | None, typer.Option("--out", metavar="FILE", help="Default: FOUND/plan.json.")] = None,
    allow_loss: Annotated[
        bool, typer.Option("--allow-loss", help="Plan tables too of which a rebuild does not give back everything.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no summary.")] = False,
) -> None:
    """Choose which tables may go, and from which one each can be rebuilt. Nothing is moved."""
    from ..pipeline.lake.plan import PLAN

    folder, place = Path(found).expanduser(), Path(out).expanduser() if out else None
    made, unmatched = plan_lake(folder, costs_file, allow_loss=allow_loss, out=place)
    path = place or folder / PLAN
    if quiet:
        return
    show_plan(made, unmatched)
    named = f" --plan {out}" if out else ""
    _say(f"{path} has the plan; `tamis lake apply {found}{named} --dry-run` says what would be moved.")


def apply(
    found: Folder,
    plan_file: Annotated[str | None, typer.Option("--plan", metavar="FILE", help="Default: FOUND/plan.json.")] = None,
    quarantine: Annotated[
        str | None, typer.Option("--quarantine", metavar="DIR", help="Where tables go; default: FOUND/quarantine.")
    ] = None,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would be moved; write nothing.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only what was refused.")] = False,
) -> None:
    """Move the tables of a plan to the quarantine, each after it was rebuilt once for trial. Nothing is deleted."""
    from ..pipeline.lake.apply import QUARANTINE, dry_run
    from ..pipeline.lake.apply import apply as carry_out
    from ..pipeline.lake.found import read_found
    from ..pipeline.lake.plan import PLAN, read_plan

    folder = Path(found).expanduser()
    scan = read_found(folder)
    made = read_plan(Path(plan_file).expanduser() if plan_file else folder / PLAN, scan)
    place = Path(quarantine).expanduser() if quarantine else folder / QUARANTINE
    outcomes = dry_run(scan, made, place) if dry else carry_out(scan, made, place, version=__version__)
    _show_outcomes(outcomes, quiet)


def restore(
    found: Folder,
    tables: Annotated[list[str] | None, typer.Argument(metavar="[TABLE]...", help="Default: all.")] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="From their parents, also where the quarantine has them.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show only what was refused.")] = False,
) -> None:
    """Bring tables back from the quarantine; those that are not there any more are rebuilt from their parents."""
    from ..pipeline.lake.restore import restore as bring_back

    _show_outcomes(bring_back(Path(found).expanduser(), tables or (), again=rebuild), quiet)


def costs() -> None:
    """Print a cost file to start from, with every setting and what it means."""
    from ..pipeline.lake.costs import commented

    typer.echo(commented(), nl=False)


def show_plan(made: dict[str, Any], unmatched: Sequence[str]) -> None:
    """Show what a plan saves, and globs of its cost file that match no table."""
    _show_plan(made)
    for glob in unmatched:
        console.print(f"no table is called {glob}, of the cost file", style="red", markup=False, soft_wrap=True)


def _show_plan(made: dict[str, Any]) -> None:
    totals, deletions = made["totals"], made["deletions"]
    amounts = Table("", "", title="What the plan saves", title_justify="left", show_header=False)
    amounts.columns[1].justify = "right"
    months = f"{made['costs']['horizon_months']:g} months"
    for what, amount in (
        ("tables", f"{totals['tables']:,}"),
        ("of these may go", f"{totals['deletions']:,}"),
        ("bytes of all", f"{totals['bytes']:,}"),
        ("bytes of those that may go", f"{totals['bytes_saved']:,}"),
        (f"cost of {months}, all kept", f"{totals['cost_before']:.6g}"),
        (f"cost of {months}, as planned", f"{totals['cost_after']:.6g}"),
        (
            _BOUND if made["edges"]["which"] == "all" else f"{_BOUND}, by the pairs looked at",
            f"{totals['cost_bound']:.6g} (gap {totals['gap']:.2%})",
        ),
    ):
        amounts.add_row(what, amount)
    console.print(amounts)
    for deletion in deletions[:SHOWN]:
        why = f"from {deletion['parent']}"
        if deletion["stays_by"]:
            why = f"a copy of {deletion['parent']}, which stays: {_STAYS_BY[deletion['stays_by']]}"
        _say(f"may go: {deletion['table']} ({counted(deletion['bytes'], 'byte')}), {why}")
        for lost in deletion["loses"]:
            console.print(f"        a rebuild loses {lost}", style="red", markup=False, soft_wrap=True)
        if deletion["hint"]:
            _say(f"        by hand: {deletion['hint']}")
    _more(len(deletions))
    for table in made["not_planned"][:SHOWN]:
        _say(f"stays: {table['table']}: {table['why']}")
    _more(len(made["not_planned"]))


def _show_outcomes(outcomes: Iterable[Any], quiet: bool) -> None:
    refused = done = size = 0
    for outcome in outcomes:
        if outcome.did == "refused":
            refused += 1
            console.print(f"refused: {outcome.table}: {outcome.why}", style="red", markup=False, soft_wrap=True)
            continue
        done += outcome.did not in ("by hand", "was there")
        size += outcome.bytes if outcome.did not in ("by hand", "was there") else 0
        if not quiet:
            where = f": {outcome.why}" if outcome.why else f" {_WORDS.get(outcome.did, 'to')} {_near(outcome.where)}"
            _say(f"{outcome.did}: {outcome.table} ({counted(outcome.bytes, 'byte')}){where}")
    if not quiet:
        _say(f"{counted(done, 'table')}, {counted(size, 'byte')}.")
    if refused:
        raise typer.Exit(3)


_WORDS = {"was there": "at", "rebuilt": "at"}


def _near(path: str) -> str:
    """Return a path as seen from here, if it is below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def _more(count: int) -> None:
    if count > SHOWN:
        _say(f"... and {count - SHOWN:,} more.")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
