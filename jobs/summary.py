"""The end of a run on a terminal: what was found, some examples, and where the output is."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..pipeline.counted import counted
from ..pipeline.ledger import Amount, Ledger, SourceLedger
from ..pipeline.result import Result

_REMOVED = {
    "filter": "removed by filters",
    "decontaminate": "holding benchmark items, removed",
    "exact": "exact copies removed",
    "bloom": "known to the index, removed",
    "near": "near copies removed",
    "contained": "inside others, removed",
    "semantic": "alike in meaning, removed",
    "balance": "in full leaves, removed",
    "select": "represented by others, removed",
    "paragraphs": "emptied by cuts, removed",
}
MAX_SOURCES = 8
STAGE_EXAMPLES = 3
UNREAD_SHOWN = 3


def show(result: Result, console: Console, *, out: str) -> None:
    """Print the summary of a finished run whose output is at ``out``."""
    show_amounts(result.ledger, console)
    _examples(result, console)
    _chosen(result, console)
    _mixture(result, console)
    _unread(result.report.get("unread_inputs", []), console)
    if capped := result.ledger.capped_rows:
        console.print(
            f"{counted(capped, 'row was', 'rows were')} in buckets of more rows than anchors (`max_anchors`): "
            f"{'it was' if capped == 1 else 'they were'} compared with the best-ranked ones only.",
            style="dim",
            soft_wrap=True,
        )
    for item in result.manifest["sets"]:
        layout, folder = item["layout"], f"data/{item['folder']}".rstrip("/")
        console.print(
            f"[bold]{escape(out)}/{folder}[/bold]: {counted(layout['files'], 'shard')} of {layout['groups']} x "
            f"{counted(layout['group_rows'], 'row')} and a tail of {layout['tail_rows']:,}",
            soft_wrap=True,
        )
    console.print("Beside: decisions/, pairs/, clusters/, quarantine/, manifest.json, mixture.yaml", soft_wrap=True)
    console.print(f"Look at it: {escape(out)}/report.html", style="dim", soft_wrap=True)
    console.print(f"Check it: tamis verify {escape(out)}", style="dim")


def show_rehearsal(ledger: Ledger, out: str, console: Console, *, unread: Sequence[str] = ()) -> None:
    """Print what a run would do; ``unread`` are files beside the inputs that it would not read."""
    show_amounts(ledger, console)
    _unread(unread, console)
    console.print(
        f"\nNo shards were written. [bold]{escape(out)}[/bold] has decisions/, pairs/, clusters/ and quarantine/; "
        "the same command without --dry-run takes up from here.",
        soft_wrap=True,
    )


def show_query(ledger: Ledger, out: str, console: Console) -> None:
    """Print what an index knew of some inputs."""
    show_amounts(ledger, console)
    console.print(
        f"\n[bold]{escape(out)}[/bold] has decisions/: every row that is a copy of an old one or of another new one, "
        "and which; pairs/ with similarities; report.html.",
        soft_wrap=True,
    )


def show_amounts(ledger: Ledger, console: Console) -> None:
    """Print tables of what became of the rows."""
    console.print(_funnel(ledger))
    if len(ledger.sources) > 1:
        console.print(_sources(ledger))


def _funnel(ledger: Ledger) -> Table:
    total = ledger.total
    table = Table("", "rows", "share", "MB of text", "tokens", title="What became of the rows", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"

    def line(name: str, amount: Amount, style: str = "") -> None:
        share = amount.rows / total.read.rows if total.read.rows else 0.0
        numbers = (f"{amount.rows:,}", f"{share:.1%}", f"{amount.bytes / 1e6:,.1f}", f"{amount.tokens:,}")
        table.add_row(name, *numbers, style=style)

    line("read", total.read)
    if total.references.rows:
        line("there already", total.references)
    for stage, name in _REMOVED.items():
        if stage in total.dropped:
            line(name, total.dropped[stage])
    for rule, amount in sorted(total.quarantined.items()):
        line(f"quarantined: {rule}", amount)
    if total.cut.bytes:
        line("cut out of kept rows", total.cut)
    line("kept", total.kept, "bold")
    if total.unsampled.rows or total.repeated.rows:
        line("not sampled", total.unsampled)
        line("repeated", total.repeated)
        line("written", total.emitted, "bold")
    return table


def _chosen(result: Result, console: Console) -> None:
    """Print how much was chosen of what was asked for."""
    selection = result.report["selection"]
    choice = selection and selection["select"]
    if choice:
        unit = choice["unit"]
        asked = counted(choice["asked"], f"{unit.removesuffix('s')} that was", f"{unit} that were")
        told = f"{choice['got']:,} of the {asked} asked for {'was' if choice['got'] == 1 else 'were'} chosen."
        console.print(told, style="yellow" if choice["got"] < choice["asked"] else "dim", highlight=False)


def _unread(paths: Sequence[str], console: Console) -> None:
    """Name files beside the inputs that nobody asked to leave out and that were not read all the same."""
    if paths:
        told = f"{counted(len(paths), 'file was', 'files were')} not read, of no known format or not a file"
        more = f" and {len(paths) - UNREAD_SHOWN} more" if len(paths) > UNREAD_SHOWN else ""
        console.print(
            f"{told}: {', '.join(paths[:UNREAD_SHOWN])}{more}. report.json lists all.",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _mixture(result: Result, console: Console) -> None:
    """Print what came of the mixture that was asked for."""
    mixture = result.report["mixture"]
    if mixture is None:
        return
    columns = ("source", "available", "wanted", "written", "passes")
    table = Table(*columns, title=f"Mixture, in {mixture['unit']}", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for line in mixture["sources"]:
        numbers = (f"{line[name]:,}" for name in ("available", "wanted", "emitted"))
        table.add_row(escape(line["name"]), *numbers, f"{line['epochs']:.2f}", style="red" if line["short"] else "")
    console.print(table)
    for line in mixture["sources"]:
        if line["short"]:
            console.print(
                f"{escape(line['name'])} is {line['short']:,} {mixture['unit']} short: it was used as often as "
                "`max_epochs` allows, and the others were not given its part.",
                style="red",
                soft_wrap=True,
            )


def _sources(ledger: Ledger) -> Table:
    def lost(item: tuple[str, SourceLedger]) -> tuple[int, str]:
        return -item[1].lost.bytes, item[0]

    ordered = sorted(ledger.sources.items(), key=lost)
    title = "Sources that lost most" if len(ordered) > MAX_SOURCES else "Sources"
    table = Table("source", "rows", "removed", "share", "MB removed", title=title, title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, source in ordered[:MAX_SOURCES]:
        share = source.lost.rows / source.read.rows if source.read.rows else 0.0
        numbers = (f"{source.read.rows:,}", f"{source.lost.rows:,}", f"{share:.1%}", f"{source.lost.bytes / 1e6:,.2f}")
        table.add_row(escape(name), *numbers)
    if len(ordered) > MAX_SOURCES:
        table.add_row(f"... and {len(ordered) - MAX_SOURCES} more", "", "", "", "", style="dim")
    return table


def _examples(result: Result, console: Console) -> None:
    """Print some removals of each stage, spread over all of them."""
    shown = ("near", "exact", "semantic", "select")
    if not pc.any(pc.is_in(result.removed["stage"], pa.array(shown))).as_py():
        return
    console.print("\n[bold]Some removals, and what stays in their place[/bold]")
    for stage in shown:
        of_stage = pc.equal(result.removed["stage"], stage)
        rows = result.removed.filter(pc.and_(of_stage, pc.is_valid(result.removed["keeper_address"])))
        step = max(1, rows.num_rows // STAGE_EXAMPLES)
        for i in range(0, min(rows.num_rows, step * STAGE_EXAMPLES), step):
            row = rows.slice(i, 1).to_pylist()[0]
            name = row["id"] or result.where(row["address"])
            keeper = row["keeper_id"] or result.where(row["keeper_address"])
            similarity = "  -  " if row["similarity"] is None else f"{row['similarity']:.3f}"
            console.print(f"  {similarity}  {escape(name)}  [dim]->[/dim]  {escape(keeper)}", soft_wrap=True)
