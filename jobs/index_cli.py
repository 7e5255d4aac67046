"""``tamis index``: indexes of earlier rows on the command line."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ..connectors.index_store import IndexStore
from ..hashing.errors import ConfigError
from ..pipeline.config import Pipeline, make_config
from ..pipeline.counted import counted
from ..pipeline.state import WORK
from .progress import shown
from .run_options import Memory

if TYPE_CHECKING:
    from ..pipeline.index.form import OpenIndex

app = typer.Typer(
    help="Indexes of earlier rows: compare new inputs with all that came before, without reading it again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
console = Console(emoji=False)

Inputs = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs or URLs, as of dedup.")]
Index = Annotated[str, typer.Argument(metavar="INDEX", help="Folder of the index.")]
Format = Annotated[str | None, typer.Option("--format", help="As of dedup; default: by ending.")]
Text = Annotated[str | None, typer.Option("--text", metavar="COL", help="Column of the text; default: as before.")]
Id = Annotated[str | None, typer.Option("--id", metavar="COL", help="Column of the id; default: as before.")]
Keep = Annotated[str, typer.Option("--keep", metavar="POLICY", help="Which of the new copies stays, as of dedup.")]
OnError = Annotated[str, typer.Option("--on-error", help="fail, or quarantine bad rows.")]
Flagged = Annotated[
    str, typer.Option("--flagged", help="Without witnesses: keep rows that may be known, or drop them.")
]
Mode = Annotated[
    str, typer.Option("--mode", help="Without witnesses: insert-kept, insert-always or check-then-insert.")
]
Unreachable = Annotated[
    str, typer.Option("--unreachable", help="If the file of a similar old row is gone: refuse, or skip the row.")
]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")]
Engine = Annotated[str, typer.Option("--engine", help="What runs it: local or spark.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")]


@app.command()
def build(
    inputs: Inputs,
    out: Annotated[str, typer.Option("--out", metavar="INDEX", help="Folder of the new index.")],
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of the text.")] = "text",
    id_: Annotated[str | None, typer.Option("--id", metavar="COL", help="Column of the id.")] = None,
    format_: Format = None,
    kind: Annotated[str, typer.Option("--kind", help="bloom: filters before tables; lsh: tables alone.")] = "bloom",
    capacity: Annotated[
        int | None, typer.Option("--capacity", min=1, help="Rows that will ever come in; a Bloom index needs it.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            help="Chance that filters flag a new row by mistake when full; default: 0.01, or 1e-8 --no-witness.",
        ),
    ] = None,
    block_bits: Annotated[int, typer.Option("--block-bits", help="512, 1024 or 4096.")] = 1024,
    witness: Annotated[
        bool, typer.Option("--witness/--no-witness", help="Whether it can name the row that a new one is like.")
    ] = True,
    threshold: Annotated[
        float, typer.Option("--threshold", help="Jaccard similarity from which texts are copies.")
    ] = 0.8,
    keep: Keep = "first",
    mode: Mode = "insert-kept",
    on_error: OnError = "fail",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all random functions.")] = 0,
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    quiet: Quiet = False,
) -> None:
    """Make an index of some inputs."""
    if IndexStore(out).exists:
        raise ConfigError(
            "a new index has a folder of its own", value=f"{out} is an index", remedy=f"Use: tamis index add {out} ..."
        )
    if kind == "lsh" and not witness:
        raise ConfigError("an index without filters has witnesses", value="--kind lsh --no-witness", remedy="Use one.")
    create = {"kind": kind, "capacity": capacity, "rate": rate, "block_bits": block_bits, "witness": witness}
    near: dict[str, Any] = {"threshold": threshold}
    use = {"mode": mode, "flagged": "drop"}
    if not witness:
        near["verify"] = "none"  # bands for keys that are believed
    raw = {
        "inputs": [{"path": path, "format": format_} for path in inputs],
        "columns": {"text": text, "id": id_},
        "stages": [{"stage": "exact"}, {"stage": "near", **near, "index": {"path": out, "create": create, **use}}],
        "keep": keep,
        "on_error": on_error,
        "seed": seed,
        **_resources(memory, threads, engine),
    }
    _add(raw, out, quiet)


@app.command()
def add(
    index: Index,
    inputs: Inputs,
    text: Text = None,
    id_: Id = None,
    format_: Format = None,
    keep: Keep = "first",
    on_error: OnError = "fail",
    mode: Mode = "insert-kept",
    flagged: Flagged = "drop",
    unreachable: Unreachable = "refuse",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    quiet: Quiet = False,
) -> None:
    """Add inputs to an index: rows that are copies of what it holds, or of one another, are told and stay out."""
    use = {"path": index, "mode": mode, "flagged": flagged, "unreachable": unreachable}
    raw = _asking(inputs, format_, text, id_, use) | {"keep": keep, "on_error": on_error}
    _add(raw | _resources(memory, threads, engine), index, quiet)


@app.command()
def query(
    index: Index,
    inputs: Inputs,
    out: Annotated[str, typer.Option("--out", help="Folder for decisions/, pairs/ and the report.")],
    text: Text = None,
    id_: Id = None,
    format_: Format = None,
    keep: Keep = "first",
    on_error: OnError = "fail",
    flagged: Flagged = "drop",
    unreachable: Unreachable = "refuse",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    quiet: Quiet = False,
) -> None:
    """Find what an index knows already: decisions/ name the old rows. The index stays as it is."""
    from . import api, summary

    use = {"path": index, "flagged": flagged, "unreachable": unreachable, "update": False}
    raw = _asking(inputs, format_, text, id_, use) | {"keep": keep, "on_error": on_error, "out": out}
    config = _allowed(make_config(raw | _resources(memory, threads, engine)))
    ledger = api.rehearse(config, progress=shown(quiet)).ledger
    shutil.rmtree(Path(out).expanduser() / WORK, ignore_errors=True)  # no run takes it up
    if not quiet:
        summary.show_query(ledger, out, console)


@app.command()
def info(
    index: Index,
    check: Annotated[bool, typer.Option("--check", help="Read every byte, and compare with the checksums.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what an index holds, how full it is, and what it does by mistake."""
    from ..pipeline.index.described import describe

    opened = _open(index)
    if check:
        opened.store.check(opened.header["contents"])
    facts = describe(opened)
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    for line in _sentences(facts):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if check:
        console.print("All files are whole.")


@app.command()
def merge(
    first: Annotated[str, typer.Argument(metavar="INDEX", help="Folder of an index.")],
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Folder of another of the same shape.")],
    out: Annotated[str, typer.Option("--out", metavar="INDEX", help="Folder of the new index.")],
) -> None:
    """Make one index of two; nothing is compared, so rows that are alike in both stay both."""
    from ..pipeline.index.merged import merge as merged

    index = merged(_open(first), _open(second), IndexStore(out))
    console.print(f"{escape(out)}: {counted(index.rows, 'row')} in {counted(len(index.batches), 'batch', 'batches')}")


@app.command()
def export(
    index: Index, out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for the filters.")]
) -> None:
    """Write the filters as plain bits, with what is needed to ask them."""
    from ..pipeline.index.merged import export as exported

    files = exported(_open(index), Path(out))
    console.print(f"{counted(len(files) - 1, 'filter')} and filters.json in {escape(out)}", highlight=False)


def _open(path: str) -> "OpenIndex":
    from ..pipeline.index.form import OpenIndex

    store = IndexStore(path)
    return OpenIndex(store, store.header())


def _resources(memory: str | None, threads: int | None, engine: str) -> dict[str, Any]:
    return {"memory": memory, "threads": threads, "engine": engine}


def _asking(
    inputs: list[str], format_: str | None, text: str | None, id_: str | None, use: dict[str, Any]
) -> dict[str, Any]:
    """Return a pipeline with the settings of an index."""
    header = IndexStore(use["path"]).header()
    columns = {name: value for name, value in (("text", text), ("id", id_)) if value is not None}
    return {
        "inputs": [{"path": path, "format": format_} for path in inputs],
        "columns": header["columns"] | columns,
        "stages": [{"stage": "exact"}, header["near"] | {"index": use}],
        "seed": header["shape"]["seed"],
    }


def _add(raw: dict[str, Any], index: str, quiet: bool) -> None:
    from ..pipeline.index.described import describe
    from . import api, summary

    with tempfile.TemporaryDirectory(prefix="tamis-") as folder:
        config = _allowed(make_config({**raw, "out": str(Path(folder) / "out")}))
        ledger, added = api.join(config, progress=shown(quiet))
    if quiet:
        return
    if not added:
        console.print(f"These inputs are in {escape(index)} already: nothing was added.")
        return
    summary.show_amounts(ledger, console)
    for line in _sentences(describe(_open(index))):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _allowed(config: Pipeline) -> Pipeline:
    """Let any source lose everything: what is known already is no loss here."""
    return config.model_copy(update={"alarm": config.alarm.model_copy(update={"rows": 1 << 62})})


def _sentences(facts: dict[str, Any]) -> list[str]:
    sizes, per_row = facts["bytes"], facts["bytes_per_row"]
    total = sum(sizes.values())
    near, shape = facts["near"], facts["shape"]
    lines = [
        f"{facts['path']}: {counted(facts['rows'], 'row')} of {counted(facts['files'], 'file')} in "
        f"{counted(len(facts['batches']), 'batch', 'batches')}, "
        f"{total / 1e6:,.1f} MB",
        f"  copies from a similarity of {near['threshold']:g} on; "
        f"{counted(shape['bands'], 'band')} of {shape['rows']}, {shape['unit']} shingles of {shape['shingle']}",
    ]
    if "bloom" in facts:
        bloom = facts["bloom"]
        lines.append(
            f"  filters: {sizes['bloom'] / 1e6:,.1f} MB for {counted(bloom['capacity'], 'row')}, "
            f"{bloom['bands'] * bloom['filter_bytes'] / bloom['capacity']:.1f} bytes each; {bloom['fill']:.1%} of the "
            f"bits are set; a new row is flagged by mistake with probability {bloom['rate_now']:.2g} now, "
            f"{bloom['rate']:.2g} when full; room for {bloom['room']:,} more"
        )
    if facts["witness"] and facts["rows"]:
        lines.append(
            f"  witnesses: {(sizes['rows'] + sizes['keys']) / 1e6:,.1f} MB, {per_row['rows']:.1f} bytes a row for its "
            f"place and hash, {per_row['keys']:.1f} for its keys"
        )
    if not facts["witness"]:
        lines.append("  no witnesses: it flags rows, and cannot name what they are like")
    return lines
