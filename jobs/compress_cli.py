"""``tamis compress-benchmark``: few items that stand for a benchmark."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..hashing.errors import ConfigError
from ..pipeline.counted import counted
from ..pipeline.state import SUCCESS, OutputFolder, begin_anew, check_place, write_atomically

console = Console()


def compress_benchmark(
    scores: Annotated[str, typer.Argument(metavar="SCORES", help="A table: a row an item and a column a model.")],
    out: Annotated[
        str, typer.Option("--out", metavar="DIR", help="Folder for items, predictor and report; new or empty.")
    ],
    k: Annotated[int, typer.Option("--k", metavar="N", min=1, help="Items to choose.")] = 100,
    item: Annotated[
        str | None, typer.Option("--item", metavar="COL", help="Column of the item's id; default: items are numbered.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="COL", help="Column of the model, where a row is a model and an item."),
    ] = None,
    score: Annotated[
        str | None, typer.Option("--score", metavar="COL", help="Column of the score, where there is --model.")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="COL", help="Column of the text: alike items are one.")
    ] = None,
    hold_out: Annotated[
        float, typer.Option("--hold-out", metavar="SHARE", help="Share of models that a split holds out.")
    ] = 0.3,
    splits: Annotated[
        int, typer.Option("--splits", metavar="N", min=0, help="Times to compress without some models, to measure.")
    ] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of splits and of the search.")] = 0,
    format_: Annotated[str | None, typer.Option("--format", help="Of the table; default: by ending.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no summary.")] = False,
) -> None:
    """Choose few items of a benchmark that tell its full score, from the scores of some models.

    Scores are 0 to 1. Items are chosen from all models; what is to be expected for others is measured by doing the same
    without some of them, and predicting these, beside random items and other simple ways.
    """
    from ..pipeline.compression.run import compressed_and_judged
    from ..pipeline.compression.score_table import read_scores

    if not 0 < hold_out < 1:
        raise ConfigError("--hold-out is a share, above 0 and below 1", value=hold_out, remedy="Take 0.3.")
    check_place(out, [scores])
    folder = Path(out).expanduser()
    begin_anew(folder)
    table = read_scores(scores, item=item, model=model, score=score, text=text, format=format_)
    compressed, report = compressed_and_judged(table, k, hold_out=hold_out, splits=splits, seed=seed)
    from ..pipeline.compression.outputs import REPORT, write_compression

    place = OutputFolder(folder, "compress-benchmark")
    with place.claim():
        write_compression(folder, table, compressed)
        write_atomically(folder / REPORT, json.dumps(report, indent=1) + "\n")
        place.drop_work()
        write_atomically(folder / SUCCESS, "")
    if not quiet:
        _show(report, out)


def _show(report: dict[str, Any], out: str) -> None:
    if report["methods"]:
        table = Table("items by", "error, points", "to random", "Kendall's tau", "tamis is better in")
        for one in report["methods"]:
            table.add_row(
                one["method"],
                f"{one['rmse']:.2f}",
                f"{one['to_random']:.2f}",
                "" if one["tau"] is None else f"{one['tau']:.2f}",
                "" if one["tamis_better"] is None else f"{100 * one['tamis_better']:.0f} % of splits",
            )
        for column in table.columns[1:]:
            column.justify = "right"
        console.print(table)
    measured = ""
    if report["splits"]:
        held_out = counted(report["held_out"], "model")
        measured = f"; medians of {counted(report['splits'], 'split')}, {held_out} held out"
    console.print(
        f"{report['k']} of {counted(report['items'], 'item')} ({report['redundant']:,} redundant), "
        f"{counted(report['models'], 'model')}{measured}: {out}/items.parquet, {out}/predictor.json",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )
