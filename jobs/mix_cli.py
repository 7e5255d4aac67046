"""``tamis mix``: in which proportions to train on some sources."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..hashing.errors import ConfigError
from .engine_options import engine_options
from .progress import shown
from .run_options import Memory

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from ..pipeline.mixing.settings import MixingSettings

console = Console()
METHODS = (
    "proportional",
    "uniform",
    "temperature",
    "unimax",
    "dynamic",
    "tilt",
    "leverage",
    "smart",
    "order-free",
    "router",
    "importance",
)
_PRIOR = "prior."


def mix(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders, globs or URLs.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for mixture.yaml; new or empty.")],
    method: Annotated[
        str, typer.Option("--method", metavar="NAME", help=f"One of {', '.join(METHODS)}. There is no default.")
    ],
    text: Annotated[str, typer.Option("--text", metavar="COL", help="Column of the text.")] = "text",
    source: Annotated[
        str | None, typer.Option("--source", metavar="COL", help="Column of the source; default: each INPUT is one.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="N", help="Words in all, as 300M; default: weights alone.")
    ] = None,
    max_epochs: Annotated[float, typer.Option("--max-epochs", help="Passes over a source, at most.")] = 1.0,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A setting of the method, as eta=2 or prior.news=3; may be repeated."
        ),
    ] = None,
    loads: Annotated[
        Path | None,
        typer.Option("--loads", metavar="FILE", help="router: what each expert got (JSON, CSV, Parquet)."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="FILE", help="importance: texts to look for; may be repeated."),
    ] = None,
    clusters: Annotated[
        Path | None,
        typer.Option("--clusters", metavar="DIR", help="Output of tamis dedup over the INPUTs, for the report."),
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="Of the inputs; default: by ending.")] = None,
    engine: Annotated[str, typer.Option("--engine", help="local or spark.")] = "local",
    master: Annotated[str | None, typer.Option("--master", help="Of Spark; default: this machine.")] = None,
    memory: Memory = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Default: all processors.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")] = False,
) -> None:
    """Weigh sources by size, or by what each adds to the others; writes mixture.yaml for `tamis shard --mixture`.

    dynamic: sources that are unlike the rest get more, and copies share one weight. smart: budgets by the gains of a
    graph cut over sources. Both compare hashed n-grams of words; there is no encoder. router: by the loads of a model's
    experts. importance: by what texts of a target look like. mix.html shows what came of it.
    """
    from ..pipeline.mixing.run import Question
    from .mix import mix_sources

    if method not in METHODS:
        raise ConfigError(f"a method is one of {', '.join(METHODS)}", value=method, remedy="Mend --method.")
    asked = Question(
        tuple(inputs),
        method,
        _settings(method, budget, max_epochs, set_ or []),
        text=text,
        source=source,
        format=format_,
        loads=loads,
        target=tuple(target or ()),
        clusters=clusters,
    )
    on = engine_options(engine, memory, threads, master)
    report = mix_sources(asked, Path(out).expanduser(), on, progress=shown(quiet))
    if not quiet:
        _show(report, out)


def _settings(method: str, budget: str | None, max_epochs: float, given: list[str]) -> "MixingSettings":
    from pydantic import ValidationError

    from ..pipeline.mixing.settings import USED_BY, MixingSettings

    values: dict[str, Any] = {"budget": budget, "max_epochs": max_epochs}
    for item in given:
        # names of sources may hold dots and equal signs; their weights do not
        name, equals, value = item.rpartition("=") if item.startswith(_PRIOR) else item.partition("=")
        if not equals:
            raise ConfigError("a setting is NAME=VALUE", value=item, remedy="Write it as eta=2.")
        known = name.partition(".")[0]
        if name in ("budget", "max_epochs"):
            raise ConfigError("budget and passes have options", value=item, remedy="Use --budget and --max-epochs.")
        if method not in USED_BY.get(known, (method,)):
            raise ConfigError(
                f"`{known}` is a setting of {', '.join(USED_BY[known])}",
                value=f"{item} with --method {method}",
                remedy="Leave it out, or choose another method.",
            )
        _put(values, name, value)
    try:
        return MixingSettings.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            "the settings of a mixture are known and can be",
            value=_said(first),
            remedy=f"Settings are {', '.join(MixingSettings.model_fields)}.",
        ) from error


def _said(fault: "ErrorDetails") -> str:
    """Return which setting is wrong, and how; of a prior, for which source."""
    where = [str(part) for part in fault["loc"]]
    if where[0] == "prior" and isinstance(fault["input"], str | dict) and len(where) > 1:
        return (
            f"prior: {fault['input']}: a weight for each source is a number from 0 on; words are unique, size, uniform"
        )
    return f"{'.'.join(where)}: {fault['msg']}"


def _put(values: dict[str, Any], name: str, value: str) -> None:
    """Add a setting, or the prior of a source."""
    if name in values and name not in ("budget", "max_epochs"):
        raise ConfigError("a setting is given once", value=name, remedy="Take one out.")
    if not name.startswith(_PRIOR):
        values[name] = value
        return
    prior = values.setdefault("prior", {})
    if not isinstance(prior, dict):
        raise ConfigError(
            "a prior is a word, or a weight for each source", value=f"{prior} and {name}", remedy="Take one out."
        )
    source = name.removeprefix(_PRIOR)
    if source in prior:
        raise ConfigError("a setting is given once", value=name, remedy="Take one out.")
    prior[source] = value


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
        f"{out}/mixture.yaml: tamis shard ... --mixture {out}/mixture.yaml\n{out}/mix.html: the same, drawn",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )
