"""Options that commands share which run a pipeline."""

from typing import Annotated

import typer

Inputs = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs or URLs.")]
Text = Annotated[str, typer.Option("--text", metavar="COL", help="Column of the text.")]
Id = Annotated[str | None, typer.Option("--id", metavar="COL", help="Column of the id.")]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="COL", help="Column of the source; default: the last name of each INPUT."),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="parquet, jsonl, csv, warc, arrow or text (a folder of files); default: by ending."),
]
OnError = Annotated[str, typer.Option("--on-error", help="fail, or quarantine bad rows.")]
Out = Annotated[str, typer.Option("--out", help="Folder or URL for the output; empty, or of this very run.")]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory", help="Limit for all but interpreter and libraries, as 2GB; default: half of what there is."
    ),
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")]
Engine = Annotated[str, typer.Option("--engine", help="What runs it: local or spark.")]
AllowLoss = Annotated[
    list[str] | None, typer.Option("--allow-loss", metavar="SOURCE", help="This source may lose nearly everything.")
]
Filter = Annotated[
    list[str] | None,
    typer.Option("--filter", metavar="SQL", help="Keep records that meet this condition over their columns."),
]
Against = Annotated[
    list[str] | None,
    typer.Option("--against", metavar="PATH", help="What is there already: rows like it go, it is left alone."),
]
Annotate = Annotated[
    bool, typer.Option("--annotate", help="Write removed rows too, with columns that say what became of each.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Write everything but the shards. Run again without it to end the run.")
]
NoText = Annotated[bool, typer.Option("--no-text", help="Leave texts out of report.html.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")]
