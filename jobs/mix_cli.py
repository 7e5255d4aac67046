"""``tamis mix``: in which proportions to train on some sources."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..hashing.errors import ConfigError
from ..pipeline.config import Spark, bytes_of
from ..pipeline.state import SUCCESS, WORK, OutputFolder, check_place, write_atomically
from .engine_options import engine_named
from .progress import shown

if TYPE_CHECKING:
    from ..pipeline.mixing.settings import MixingSettings

console = Console()
MIXTURE, REPORT = "mixture.yaml", "mix.json"
METHODS = ("proportional", "uniform", "temperature", "unimax", "dynamic", "tilt", "leverage", "smart", "order-free")


def mix(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs or URLs.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for mixture.yaml; new or empty.")],
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of the text.")] = "text",
    source: Annotated[
        str | None, typer.Option("--source", metavar="COL", help="Column of the source; default: each INPUT is one.")
    ] = None,
    method: Annotated[str, typer.Option("--method", metavar="NAME", help=f"One of {', '.join(METHODS)}.")] = "dynamic",
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="N", help="Words in all, as 300M; default: weights alone.")
    ] = None,
    max_epochs: Annotated[float, typer.Option("--max-epochs", help="Passes over a source, at most.")] = 1.0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method, as eta=2; may be repeated."),
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Of the inputs; default: by ending.")] = None,
    engine: Annotated[str, typer.Option("--engine", help="local or spark.")] = "local",
    master: Annotated[str | None, typer.Option("--master", help="Of Spark; default: this machine.")] = None,
    memory: Annotated[str, typer.Option("--memory", help="Limit for all but interpreter and libraries.")] = "2GB",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")] = False,
) -> None:
    """Weigh sources by size, or by what each adds to the others; writes mixture.yaml for `tamis shard --mixture`.

    dynamic: sources that are unlike the rest get more, and copies share one weight. smart: budgets by the gains of a
    graph cut over sources. Both compare hashed n-grams of words; there is no encoder.
    """
    from ..pipeline.mixing.corpus import texts_of
    from ..pipeline.mixing.features import measure
    from ..pipeline.mixing.mix import mixed, report_of
    from ..pipeline.mixing.mixture_of import as_mixture, write_weights
    from .engines import make

    if method not in METHODS:
        raise ConfigError(f"a method is one of {', '.join(METHODS)}", value=method, remedy="Mend --method.")
    name, memory_bytes = engine_named(engine), bytes_of(memory)
    settings = _settings(budget, max_epochs, set_ or [])
    check_place(out, inputs)
    folder = Path(out).expanduser()
    if folder.exists() and any(path.name != WORK for path in folder.iterdir()):
        raise ConfigError("--out is a new or empty folder", value=out, remedy="Choose another, or empty it.")
    shutil.rmtree(folder / WORK, ignore_errors=True)  # of one that was stopped
    place, told = OutputFolder(folder, "mix"), shown(quiet)
    with place.claim():
        made = make(
            name,
            place.work,
            memory_bytes=memory_bytes,
            threads=threads,
            progress=told,
            settings=Spark(master=master),
        )
        try:
            told.start("measure")
            table = texts_of(made, inputs, place.work / "columns.json", text=text, source=source, format=format_)
            measured = measure(table)
            told.finish()
        finally:
            made.close()
        found = mixed(method, measured, settings)
        write_weights(folder / MIXTURE, found, as_mixture(found, max_epochs=max_epochs))
        report = report_of(found, measured)
        write_atomically(folder / REPORT, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        place.drop_work()
        write_atomically(folder / SUCCESS, "")
    if not quiet:
        _show(report, out)


def _settings(budget: str | None, max_epochs: float, given: list[str]) -> "MixingSettings":
    from pydantic import ValidationError

    from ..pipeline.mixing.settings import MixingSettings

    values: dict[str, Any] = {"budget": budget, "max_epochs": max_epochs}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigError("a setting is NAME=VALUE", value=item, remedy="Write it as eta=2.")
        values[name] = value
    try:
        return MixingSettings.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            "the settings of a mixture are known and can be",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            remedy=f"Settings are {', '.join(MixingSettings.model_fields)}.",
        ) from error


def _show(report: dict[str, Any], out: str) -> None:
    table = Table("source", "weight", "by size", "budget", "words", "effective unique", "why")
    for one in report["sources"]:
        table.add_row(
            one["source"],
            f"{100 * one['weight']:.2f} %",
            f"{100 * one['proportional']:.2f} %",
            "" if one["budget"] is None else f"{one['budget']:,}",
            f"{one['available']:,}",
            "" if one["effective_unique"] is None else f"{one['effective_unique']:,.0f}",
            one["reason"],
        )
    for column in table.columns[1:6]:
        column.justify = "right"
    console.print(table)
    console.print(
        f"{out}/mixture.yaml: tamis shard ... --mixture {out}/mixture.yaml",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )
