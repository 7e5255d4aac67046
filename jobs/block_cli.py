"""``tamis block``: pairs of records that are worth comparing."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from ..hashing.errors import ConfigError
from ..pipeline.counted import counted
from ..pipeline.state import check_place
from . import block_cluster_cli, block_evaluate_cli, block_train_cli
from .bands_option import bands_of
from .block import block_tables
from .engine_options import engine_options
from .id_columns import id_columns
from .lean_imports import leave_out_what_is_not_used
from .progress import shown
from .run_options import Memory

PAIRS_COMMAND = "pairs"


class TablesOrCommand(TyperGroup):
    """A group whose first word may be a table, and the command is then ``pairs``; write ``./pairs`` for such a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command before what cannot be one."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [PAIRS_COMMAND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=TablesOrCommand,
    help="Pairs of records that are worth comparing: `tamis block LEFT [RIGHT] --id COL --out DIR`.\n\n"
    "All options of this: `tamis block pairs --help`.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
console = Console(emoji=False)


@app.callback()
def _main() -> None:
    """Pairs of records that are worth comparing."""


@app.command(PAIRS_COMMAND)
def pairs(
    left: Annotated[
        str,
        typer.Argument(
            metavar="LEFT", help="A table: a file (Parquet, CSV, JSON Lines), a folder of them, or one of Delta."
        ),
    ],
    right: Annotated[
        str | None,
        typer.Argument(
            metavar="[RIGHT]", help="A second table, whose records are found; without it LEFT has duplicates in it."
        ),
    ] = None,
    *,
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for what is found; empty, or of this run.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="COL", help="Column of the id, in both tables.")] = None,
    left_id: Annotated[
        str | None, typer.Option("--left-id", metavar="COL", help="Column of the id in LEFT; default: that of --id.")
    ] = None,
    right_id: Annotated[
        str | None, typer.Option("--right-id", metavar="COL", help="Column of the id in RIGHT; default: that of --id.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="COL", help="Compare by this column only; may be repeated. Default: by all."),
    ] = None,
    blocker: Annotated[
        list[str] | None,
        typer.Option(
            "--blocker",
            metavar="NAME",
            help="lexical, minhash, rules, dense or learned; may be repeated. Default: rules with --rule, lexical and "
            "learned with --hasher, else lexical.",
        ),
    ] = None,
    lexical_columns: Annotated[
        str,
        typer.Option(
            "--lexical-columns", help="n-grams of all columns together, of each apart as well, or auto: by a sample."
        ),
    ] = "auto",
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="RULE", help="As `name[:3] & year`; may be repeated, a pair satisfies one."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="RULE", help="Find no pair that satisfies this rule; may be repeated."),
    ] = None,
    hasher: Annotated[
        str | None,
        typer.Option("--hasher", metavar="DIR", help="Of `tamis block train` or `encoder`, for dense and learned."),
    ] = None,
    index: Annotated[
        str, typer.Option("--index", help="How dense finds neighbours: exact, flat, hnsw or ivf (FAISS).")
    ] = "exact",
    bands: Annotated[
        str | None,
        typer.Option("--bands", metavar="BxW", help="Bands of codes, and bits of each; default: the hasher's."),
    ] = None,
    probes: Annotated[
        int, typer.Option("--probes", min=0, help="Buckets of a band that learned looks into beside the record's own.")
    ] = 64,
    threshold: Annotated[
        float, typer.Option("--threshold", help="Jaccard similarity from which minhash likely finds pairs.")
    ] = 0.3,
    max_block: Annotated[
        int | None,
        typer.Option("--max-block", min=1, help="Most pairs of a block of rules or minhash; default: by the records."),
    ] = None,
    combine: Annotated[
        str,
        typer.Option(
            "--combine",
            help="What several blockers make: in-order, fusion (of ranks), union, intersection or exclusion.",
        ),
    ] = "in-order",
    top_k: Annotated[
        int, typer.Option("--top-k", metavar="K", help="Pairs of each record of LEFT, at most, by each blocker.")
    ] = 10,
    max_pairs: Annotated[
        int | None, typer.Option("--max-pairs", metavar="N", help="Pairs in the end, at most; the best ranks stay.")
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option("--delimiter", metavar="CHAR", help="Of delimited files; default: found.")
    ] = None,
    on_error: Annotated[
        str, typer.Option("--on-error", help="What becomes of records that cannot be read: fail, or quarantine.")
    ] = "fail",
    no_text: Annotated[bool, typer.Option("--no-text", help="Leave texts of records out of the output.")] = False,
    engine: Annotated[str, typer.Option("--engine", help="local or spark.")] = "local",
    master: Annotated[str | None, typer.Option("--master", help="Of Spark; default: this machine.")] = None,
    memory: Memory = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")] = False,
) -> None:
    """Find for each record of LEFT the records of RIGHT that it is worth comparing with."""
    if engine == "local":
        leave_out_what_is_not_used()
    from ..pipeline.blocking.lexical import Columns
    from ..pipeline.blocking.options import Combine, Index, Options

    if on_error not in ("fail", "quarantine"):
        raise ConfigError(
            "records that cannot be read `fail` or go to `quarantine`", value=on_error, remedy="Choose one of these."
        )
    one, other = id_columns(id_, left_id, right_id, two_tables=right is not None)
    options = Options(
        left_id=one,
        right_id=other,
        columns=tuple(column) if column else None,
        blockers=tuple(blocker or _default(bool(rule), hasher is not None)),
        combine=cast(Combine, combine),
        top_k=top_k,
        max_pairs=max_pairs,
        lexical_columns=cast(Columns, lexical_columns),
        rules=tuple(rule or ()),
        exclude=tuple(exclude or ()),
        threshold=threshold,
        max_block=max_block,
        hasher=None if hasher is None else str(Path(hasher).expanduser().absolute()),
        index=cast(Index, index),
        bands=None if bands is None else bands_of(bands),
        probes=probes,
        delimiter=delimiter,
        quarantine=on_error == "quarantine",
        text=not no_text,
    )
    check_place(out, [path for path in (left, right) if path is not None])
    made = engine_options(engine, memory, threads, master)
    report = block_tables(left, right, Path(out).expanduser(), options, made, progress=shown(quiet))
    if not quiet:
        _show(report, out)


def _default(rules: bool, hasher: bool) -> tuple[str, ...]:
    """Return the blockers where none is named."""
    named = (("rules",) if rules else ()) + (("lexical", "learned") if hasher else ())
    return named or ("lexical",)


def _show(report: dict[str, Any], out: str) -> None:
    records, found = report["records"], report["pairs"]
    if records["right"] is None:
        console.print(f"{counted(records['left'], 'record')}.", highlight=False)
    else:
        asking = counted(records["left"], "record asks", "records ask")
        console.print(f"{asking}, {counted(records['right'], 'is', 'are')} searched.", highlight=False)
        if report["inputs"][0] == report["inputs"][1]:
            console.print(
                "Both tables are one, in which each record finds itself: name it once to find its duplicates."
            )
    if records["unread"]:
        console.print(f"{counted(records['unread'], 'record')} could not be read: see quarantine.parquet.", style="red")
    table = Table("blocker", "pairs", "blocks", "purged")
    for name, of in report["blockers"].items():
        blocks = of["blocks"]
        cells = ("", "") if blocks is None else (f"{blocks['count']:,}", f"{blocks['purged']:,}")
        table.add_row(name, f"{of['pairs']:,}", *cells)
    for at in (1, 2, 3):
        table.columns[at].justify = "right"
    console.print(table)
    console.print(
        f"{counted(found['found'], 'pair')}, {100 * found['cssr']:.3f} % of all that there are: {out}/pairs.parquet.",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )


block_cluster_cli.register(app)
block_evaluate_cli.register(app)
block_train_cli.register(app)
