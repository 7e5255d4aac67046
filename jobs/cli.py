"""The command line: all commands."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..hashing.errors import ConfigError
from ..pipeline.config import load_config, make_config, pipeline_schema
from ..pipeline.mixture import mixture_schema
from ..pipeline.plan import steps_of
from . import select_cli, shard_cli
from .block_cli import app as block_app
from .command import main as main  # where the command line was to be found earlier
from .command import new_app
from .compress_cli import compress_benchmark
from .index_cli import app as index_app
from .lake_cli import app as lake_app
from .mix_cli import mix
from .progress import shown
from .run_config import out_console, run_config
from .run_options import (
    Against,
    AllowLoss,
    Annotate,
    DryRun,
    Engine,
    Filter,
    Id,
    Inputs,
    Memory,
    NoText,
    OnError,
    Out,
    Quiet,
    Source,
    Text,
    Threads,
)

if TYPE_CHECKING:
    from ..pipeline.verify import Check

app = new_app()
app.add_typer(index_app, name="index")
app.add_typer(lake_app, name="lake")
app.add_typer(block_app, name="block")
app.command()(mix)
app.command()(compress_benchmark)
app.command()(select_cli.select)
app.command()(select_cli.balance)


@app.command()
def dedup(
    inputs: Inputs,
    out: Out,
    text: Text = "text",
    id_: Id = None,
    source: Source = None,
    threshold: Annotated[
        float, typer.Option("--threshold", help="Jaccard similarity from which texts are copies.")
    ] = 0.8,
    keep: Annotated[
        str,
        typer.Option(
            "--keep", metavar="POLICY", help="first, longest, newest:COL, quality:COL (highest) or source:A,B."
        ),
    ] = "first",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all random functions.")] = 0,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", help="parquet, jsonl, csv, warc, arrow or text (a folder of files); default: by ending."
        ),
    ] = None,
    verify_pairs: Annotated[str, typer.Option("--verify", help="exact, sketch or none.")] = "exact",
    on_error: OnError = "fail",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    filter_: Filter = None,
    against: Against = None,
    annotate: Annotate = False,
    dry_run: DryRun = False,
    no_text: NoText = False,
    allow_loss: AllowLoss = None,
    quiet: Quiet = False,
) -> None:
    """Remove exact and near duplicates; every removal names the copy that stays."""
    raw = {
        "inputs": [{"path": path, "format": format_} for path in inputs],
        "against": [{"path": path} for path in against or ()],
        "columns": {"text": text, "id": id_, "source": source},
        "stages": [
            *({"stage": "filter", "where": condition} for condition in filter_ or ()),
            {"stage": "exact"},
            {"stage": "near", "threshold": threshold, "verify": verify_pairs},
        ],
        "annotate": annotate,
        "report": {"text": not no_text},
        "keep": keep,
        "seed": seed,
        "on_error": on_error,
        "out": out,
        "engine": engine,
        "memory": memory,
        "threads": threads,
        "allow_loss": tuple(allow_loss or ()),
    }
    run_config(make_config(raw), quiet, dry_run)


@app.command()
def run(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A pipeline in YAML.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a setting: --set stages.near.threshold=0.9"),
    ] = None,
    out: Annotated[str | None, typer.Option("--out", help="Folder for the output.")] = None,
    memory: Annotated[str | None, typer.Option("--memory", help="Memory limit, as 2GB; default: as in CONFIG.")] = None,
    threads: Threads = None,
    engine: Annotated[str | None, typer.Option("--engine", help="What runs it: local or spark.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="STEP", help="Stop after this step; run again to go on.")
    ] = None,
    dry_run: DryRun = False,
    no_text: NoText = False,
    allow_loss: AllowLoss = None,
    quiet: Quiet = False,
) -> None:
    """Run a pipeline."""
    if until and dry_run:
        raise ConfigError("a dry run goes through all steps", value=f"--until {until!r}", remedy="Leave one out.")
    given = {"out": out, "memory": memory, "threads": threads, "engine": engine}
    overrides = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None]
    if no_text:
        overrides.append("report.text=false")
    if allow_loss:
        overrides.append(f"allow_loss={json.dumps(allow_loss)}")
    run_config(load_config(config, overrides=[*(set_ or []), *overrides]), quiet, dry_run, until)


@app.command()
def steps(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="A pipeline in YAML.")],
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="As of run.")] = None,
) -> None:
    """Print the steps of a pipeline that `run --until` may stop after, in order."""
    for step in steps_of(load_config(config, overrides=set_ or [])):
        typer.echo(step)


@app.command()
def shard(
    inputs: Inputs,
    out: Out,
    mixture: shard_cli.Mixture = None,
    split: shard_cli.Split = None,
    sample: shard_cli.Sample = 1.0,
    folds: shard_cli.Folds = None,
    round_: shard_cli.Round = 0,
    text: Text = "text",
    id_: Id = None,
    source: Source = None,
    target_size: shard_cli.TargetSize = "256MiB",
    group_size: shard_cli.GroupSize = "64MiB",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the order, the splits and the draw.")] = 0,
    format_: Annotated[str | None, typer.Option("--format", help="As of dedup; default: by ending.")] = None,
    on_error: OnError = "fail",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    quiet: Quiet = False,
) -> None:
    """Write training shards in random order, in wanted proportions, with sets held out; nothing else is removed."""
    raw = shard_cli.settings(
        inputs,
        out,
        format=format_,
        columns={"text": text, "id": id_, "source": source},
        mixture=mixture,
        splits=split or [],
        folds=folds,
        round=round_,
        sample=sample,
        target_size=target_size,
        group_size=group_size,
        seed=seed,
        on_error=on_error,
        memory=memory,
        threads=threads,
        engine=engine,
    )
    run_config(make_config(raw), quiet, dry_run=False)


@app.command()
def verify(out: Annotated[str, typer.Argument(metavar="OUT", help="Output folder of a run, or its URL.")]) -> None:
    """Prove from the files alone that nothing is lost, doubled or damaged."""
    from ..pipeline.verify import verify as checks
    from .api import fetched

    with fetched(out) as folder:
        _show_checks(checks(folder))


def _show_checks(checks: "Iterable[Check]") -> None:
    failed = 0
    for check in checks:
        out_console.print(f"{'[green]ok[/green]    ' if check.passed else '[red]FAILED[/red]'}  {check.name}")
        for fault in check.faults[:10]:
            out_console.print(f"        {fault}", markup=False, soft_wrap=True)
        failed += not check.passed
    if failed:
        raise typer.Exit(4)


@app.command()
def explain(
    out: Annotated[str, typer.Argument(metavar="OUT", help="Output folder of a finished run, or its URL.")],
    id_: Annotated[str, typer.Option("--id", metavar="ID", help="Id of a record, or its place as PATH:RECORD.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why a record was kept or removed, and show it beside what stays in its place."""
    from ..pipeline.explain import explain as judge
    from ..pipeline.explain import facts_of, find
    from ..pipeline.result import Result
    from . import explained
    from .api import fetched
    from .look import Inputs

    with fetched(out) as folder:
        result = Result(folder)
        inputs = Inputs(result)
        verdicts = [judge(result, address, name=id_) for address in find(result, id_)]
        if as_json:
            typer.echo(
                json.dumps([facts_of(verdict, result.where) for verdict in verdicts], ensure_ascii=False, indent=1)
            )
            return
        for number, verdict in enumerate(verdicts):
            if number:
                out_console.print()
            sides = [verdict.address, verdict.stays] if verdict.stays is not None else []
            found = inputs.texts([side for side in sides if side is not None])
            texts = (found[sides[0]], found[sides[1]]) if len(found) == 2 and len(sides) == 2 else None
            explained.show(verdict, result.where, texts, inputs.compared(texts) if texts else None, out_console)
        if inputs.why:
            out_console.print(inputs.why, style="dim", markup=False)


@app.command()
def report(
    out: Annotated[str, typer.Argument(metavar="OUT", help="Output folder of a finished run, or its URL.")],
    other: Annotated[
        str | None, typer.Argument(metavar="[OTHER]", help="Another one: say what changed from OUT to OTHER.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="How records of two runs are recognised: place or id.")] = "place",
    html: Annotated[str | None, typer.Option("--html", metavar="FILE", help="Write what changed as a page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    memory: Memory = None,
) -> None:
    """Show again what a run did; or, of two, what changed from one to the other."""
    from . import reported

    reported.report(out, other, by=by, html=html, as_json=as_json, memory=memory, console=out_console)


@app.command()
def tune(
    inputs: Annotated[list[str], typer.Argument(metavar="SAMPLE...", help="Files, folders, globs, URLs, as of a run.")],
    text: Text = "text",
    id_: Annotated[
        str | None, typer.Option("--id", metavar="COL", help="Column of the id; --pairs then has ids.")
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="As of dedup; default: by ending.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.05, max=1, help="Default: the best by --pairs, or 0.8.")
    ] = None,
    recall: Annotated[
        float, typer.Option("--recall", min=0.01, max=0.999, help="Wanted probability to find a pair at the threshold.")
    ] = 0.98,
    unit: Annotated[str, typer.Option("--unit", help="What shingles are of: word, char or byte.")] = "word",
    shingle: Annotated[int, typer.Option("--shingle", min=1, max=64, help="Tokens of a shingle.")] = 5,
    floor: Annotated[
        float | None,
        typer.Option("--from", min=0.05, max=0.99, help="Similarity from which pairs are looked at; default: 0.4."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=2, help="At most so many texts.")] = 20_000,
    pairs: Annotated[
        str | None,
        typer.Option("--pairs", metavar="FILE", help="Judged pairs: columns left, right (texts, or ids) and label."),
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Leave a page, the numbers and the sample's run there.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the choice and of all random functions.")] = 0,
    memory: Memory = None,
    threads: Threads = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Find settings: how alike texts of a sample are, what settings would find of it, and at what cost."""
    from .tuned import tune_command
    from .tuning import Question

    question = Question(
        inputs=tuple(inputs),
        format=format_,
        text=text,
        id=id_,
        threshold=threshold,
        recall=recall,
        unit=unit,
        shingle=shingle,
        floor=floor,
        rows=rows,
        pairs=pairs,
        seed=seed,
        memory=memory,
        threads=threads,
    )
    tune_command(question, out, as_json=as_json, progress=shown(quiet), console=out_console)


@app.command()
def mixture(
    path: Annotated[str, typer.Argument(metavar="OUT", help="Output folder of a run, or a mixture.yaml.")],
    for_: Annotated[str, typer.Option("--for", metavar="LOADER", help="hf, mosaic, energon or megatron.")],
    folder: Annotated[
        str, typer.Option("--folder", metavar="DIR", help="Where each source is a data set of its own, by its name.")
    ] = "sources",
) -> None:
    """Print a mixture in the words of another loader, which mixes sources while it reads."""
    from ..pipeline.mixture_file import NAME
    from ..pipeline.mixture_snippets import snippet
    from ..pipeline.settings_file import read_yaml

    file = Path(path) / NAME if Path(path).is_dir() else Path(path)
    typer.echo(snippet(read_yaml(str(file), what="a mixture", start="sources:"), for_, folder=folder), nl=False)


@app.command()
def simulate(
    out: Annotated[str, typer.Argument(metavar="OUT", help="Output folder of a run, or its URL.")],
    world_size: Annotated[int, typer.Option("--world-size", metavar="W", min=1, help="Ranks that train.")],
    batch: Annotated[int, typer.Option("--batch", metavar="B", min=1, help="Rows of a batch of all ranks together.")],
    workers: Annotated[int, typer.Option("--workers", metavar="K", min=1, help="Processes of a rank that read.")] = 1,
    set_: Annotated[str, typer.Option("--set", metavar="NAME", help="Set of the output.")] = "train",
    remainder: Annotated[
        str, typer.Option("--remainder", help="What becomes of rows that fill no batch: drop, pad or wrap.")
    ] = "drop",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the order.")] = 0,
    streams: Annotated[
        int | None, typer.Option("--streams", min=1, help="A multiple of W x K; default: as of the reader.")
    ] = None,
    window: Annotated[int, typer.Option("--window", min=1, help="Row groups that are shuffled together.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    plot: Annotated[
        str | None, typer.Option("--plot", metavar="FILE.svg", help="Draw how far apart neighbours are read.")
    ] = None,
) -> None:
    """Say what a training run would read: steps and bytes of each rank, the shuffle, and who would hang."""
    from ..pipeline.simulate import Loading
    from .simulated import simulate_command

    loading = Loading(world_size, workers, batch, remainder=remainder, seed=seed, streams=streams, window=window)
    simulate_command(out, set_, loading, as_json=as_json, plot=plot, console=out_console)


@app.command()
def schema(
    of: Annotated[str, typer.Argument(metavar="[pipeline|mixture]", help="Of which format.")] = "pipeline",
) -> None:
    """Print the JSON Schema of pipeline configurations, or of mixtures."""
    schemas = {"pipeline": pipeline_schema, "mixture": mixture_schema}
    if of not in schemas:
        raise ConfigError("there is a schema of `pipeline` and of `mixture`", value=of, remedy="Name one of these.")
    typer.echo(json.dumps(schemas[of](), indent=2))
