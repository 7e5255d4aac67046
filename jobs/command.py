"""How the command line starts: with as few of the commands as it is asked for.

To load all commands takes longer than many runs; a group of them, as ``tamis lake``, needs none of the others.
"""

import sys
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from .. import __version__
from ..hashing.errors import TamisError
from .memory_pool import choose_memory_pool

_GROUPS = {"lake": "lake_cli"}
"""Commands that are modules of their own, and these modules."""

_RUNNING = ("run", "dedup", "shard", "select", "balance")
"""Commands that run a pipeline."""


def new_app() -> typer.Typer:
    """Return the command line without its commands."""
    app = typer.Typer(
        help="Sift text corpora into training shards. Every removal names its witness, every row is accounted for.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_main)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tamis {__version__}")
        raise typer.Exit


def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Sift text corpora into training shards."""


def _app_for(first: str) -> typer.Typer:
    """Return a command line that has the command that is asked for first."""
    if first not in _GROUPS:
        whole: typer.Typer = import_module(".cli", __package__).app
        return whole
    app = new_app()
    app.add_typer(import_module(f".{_GROUPS[first]}", __package__).app, name=first)
    return app


def main() -> None:
    """Run the command line; a user's mistake gives a message and an exit code, no traceback."""
    choose_memory_pool()
    try:
        _app_for(sys.argv[1] if len(sys.argv) > 1 else "")(standalone_mode=True)
    except TamisError as error:
        console = Console(stderr=True, emoji=False)
        console.print(f"[bold red]error:[/bold red] {escape(error.rule)}", highlight=False, soft_wrap=True)
        console.print(f"  found: {error.value}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"  {error.remedy}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)


def main_on_spark() -> None:
    """Run the command line as an application of spark-submit, which is an answer to where it runs."""
    if set(sys.argv[1:2]) & set(_RUNNING) and "--engine" not in sys.argv:
        sys.argv += ["--engine", "spark"]
    main()
