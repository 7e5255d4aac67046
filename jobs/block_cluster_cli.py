"""``tamis block cluster``: from pairs to clusters of records, and which of them stays."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console

from .. import __version__
from ..pipeline.counted import counted
from ..pipeline.state import check_place
from .block import open_blocked

console = Console(emoji=False)
_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cluster")(cluster)


def cluster(
    blocked: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a blocking run.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for the clusters; empty, or of this run.")],
    threshold: Annotated[
        float, typer.Option("--threshold", metavar="T", help="Least score of a pair from which it is a match.")
    ],
    score: Annotated[
        str,
        typer.Option(
            "--score",
            help="cosine or jaccard of character n-grams; blocker: that of the pairs, of one blocker; cross-encoder.",
        ),
    ] = "cosine",
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Folder or name of the cross-encoder.")
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            "--rule",
            help="greedy: a record goes if and only if it matches one that stays; components: all that hang together; "
            "one-to-one: the best of two tables; mutual: those that are each other's best.",
        ),
    ] = "greedy",
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="COL", help="Keep the record with the highest value; default: the earliest."),
    ] = None,
    previous: Annotated[
        str | None,
        typer.Option("--previous", metavar="DIR", help="Clusters of an earlier run, whose ids go on."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no summary.")] = False,
) -> None:
    """Decide which pairs are matches, cluster them, and name for each record that goes the one that stays.

    Ids of clusters stay from run to run: with --previous a cluster keeps the id that its earliest record had, and what
    was united or parted is listed.
    """
    from ..pipeline.blocking.clusters import Rule
    from ..pipeline.blocking.resolved import ResolveOptions, Score, resolve_into
    from ..pipeline.blocking.sides import values_of

    options = ResolveOptions(threshold, cast(Rule, rule), cast(Score, score), model)
    check_place(out, [blocked, *([previous] if previous else [])])
    run = open_blocked(Path(blocked).expanduser())
    done = resolve_into(
        Path(out).expanduser(),
        run.pairs,
        run.sides.left,
        run.sides.right,
        options,
        previous=Path(previous).expanduser() if previous else None,
        by=None if keep is None else values_of(run.sides, keep),
        scores=Path(blocked).expanduser() / "scores" if model else None,
        version=__version__,
    )
    if not quiet:
        _show(done.report, out)


def _show(report: dict[str, Any], out: str) -> None:
    counts = report["counts"]
    lines = [
        f"{counts['matches']:,} of {counted(counts['pairs'], 'pair')} "
        f"{'is a match' if counts['matches'] == 1 else 'are matches'}: "
        f"{counted(counts['clusters'], 'cluster')}; {counted(counts['kept'], 'record stays', 'records stay')}, "
        f"{counted(counts['dropped'], 'goes', 'go')}, each with a witness.",
    ]
    if report["run"] > 1:
        lines.append(
            f"{counted(counts['new_ids'], 'new id')}; {counts['merged_ids']:,} united with older ones, "
            f"{counts['splits']:,} parted, {counts['gone_ids']:,} gone."
        )
    lines += [
        f"{one['cluster_id']}: {counted(one['size'], 'record')}, {one['kept']} stays"
        for one in report["largest"][:_SHOWN]
    ]
    lines.append(f"{out} has clusters.parquet, decisions.parquet, matches.parquet, aliases.parquet, splits.parquet.")
    for line in lines:
        console.print(line, markup=False, soft_wrap=True, highlight=False)
    for warning in report["warnings"]:
        console.print(warning, style="red", markup=False, soft_wrap=True)
