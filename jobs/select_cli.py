"""``tamis select`` and ``tamis balance``: fewer rows, that say as much."""

from typing import Annotated, Any

import typer

from ..hashing.errors import ConfigError
from ..pipeline.config import make_config
from .run_config import run_config
from .run_options import (
    AllowLoss,
    Annotate,
    DryRun,
    Engine,
    Format,
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

Rows = Annotated[int | None, typer.Option("--rows", "-k", min=1, help="How many rows to keep, of each group.")]
Tokens = Annotated[
    str | None, typer.Option("--tokens", metavar="N", help="How many words to keep, as 300M, of each group.")
]
Share = Annotated[float | None, typer.Option("--share", help="Which share of the rows to keep, of each group.")]
MixtureFile = Annotated[
    str | None,
    typer.Option("--mixture", metavar="FILE", help="How much of each source, as tamis mix writes it."),
]
Function = Annotated[
    str,
    typer.Option(
        "--function",
        help="facility-location, graph-cut, log-determinant, saturated-coverage or features: what is made large.",
    ),
]
Apart = Annotated[bool, typer.Option("--apart", help="Treat each source by itself.")]
By = Annotated[
    list[str] | None, typer.Option("--by", metavar="COL", help="Treat rows with each value of a column by themselves.")
]
Model = Annotated[
    str, typer.Option("--model", help="What makes vectors: hashed-ngrams, or the folder of a hasher (an encoder).")
]
Method = Annotated[str, typer.Option("--method", help="lazy, stochastic (faster, nearly as good) or naive.")]
Parts = Annotated[
    int | None, typer.Option("--parts", min=1, help="Choose in so many parts first; default: of 8,192 rows.")
]
Most = Annotated[int, typer.Option("--most", min=1, help="Rows that each leaf keeps.")]
Bits = Annotated[
    int | None, typer.Option("--bits", min=1, max=24, help="Cut the vectors of texts by so many random hyperplanes.")
]


def _select_stage(
    *, rows: int | None, tokens: str | None, share: float | None, mixture: str | None, apart: bool, **others: Any
) -> dict[str, Any]:
    """Return the select stage that ``tamis select`` runs.

    Raises:
        ConfigError: not one of the options says how much.
    """
    amounts = {"rows": rows, "tokens": tokens, "share": share, "mixture": mixture}
    given = {name: value for name, value in amounts.items() if value is not None}
    if len(given) != 1:
        raise ConfigError(
            "one of --rows, --tokens, --share and --mixture says how much to keep",
            value=" ".join(f"--{name}" for name in given) or "none",
            remedy="Give one: --rows 1000.",
        )
    return {"stage": "select", **given, "apart": apart or mixture is not None, **others}


def _settings(
    inputs: list[str], out: str, stage: dict[str, Any], *, format: str | None, no_text: bool, **others: Any
) -> dict[str, Any]:
    """Return the pipeline of a command: exact copies go first, and then the stage chooses."""
    return {
        "inputs": [{"path": path, "format": format} for path in inputs],
        "stages": [{"stage": "exact"}, stage],
        "report": {"text": not no_text},
        "out": out,
        **others,
    }


def select(
    inputs: Inputs,
    out: Out,
    rows: Rows = None,
    tokens: Tokens = None,
    share: Share = None,
    mixture: MixtureFile = None,
    function: Function = "facility-location",
    apart: Apart = False,
    by: By = None,
    model: Model = "hashed-ngrams",
    method: Method = "lazy",
    parts: Parts = None,
    text: Text = "text",
    id_: Id = None,
    source: Source = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="PATH",
            help="What is there already: copies of it go, and facility-location chooses what adds to it.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the parts, and of the order of rows.")] = 0,
    format_: Format = None,
    on_error: OnError = "fail",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    annotate: Annotate = False,
    dry_run: DryRun = False,
    no_text: NoText = False,
    allow_loss: AllowLoss = None,
    quiet: Quiet = False,
) -> None:
    """Keep the rows that stand for all others best; each that goes names the one that stands for it.

    Exact copies go first.
    """
    stage = _select_stage(
        rows=rows,
        tokens=tokens,
        share=share,
        mixture=mixture,
        apart=apart,
        by=by or [],
        function=function,
        model=model,
        method=method,
        parts=parts,
    )
    raw = _settings(
        inputs,
        out,
        stage,
        format=format_,
        no_text=no_text,
        against=[{"path": path} for path in against or ()],
        columns={"text": text, "id": id_, "source": source},
        seed=seed,
        on_error=on_error,
        memory=memory,
        threads=threads,
        engine=engine,
        annotate=annotate,
        allow_loss=tuple(allow_loss or ()),
    )
    run_config(make_config(raw), quiet, dry_run)


def balance(
    inputs: Inputs,
    out: Out,
    most: Most,
    apart: Apart = False,
    by: By = None,
    bits: Bits = None,
    model: Model = "hashed-ngrams",
    text: Text = "text",
    id_: Id = None,
    source: Source = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of which rows stay, and of the hyperplanes.")] = 0,
    format_: Format = None,
    on_error: OnError = "fail",
    memory: Memory = None,
    threads: Threads = None,
    engine: Engine = "local",
    annotate: Annotate = False,
    dry_run: DryRun = False,
    no_text: NoText = False,
    allow_loss: AllowLoss = None,
    quiet: Quiet = False,
) -> None:
    """Keep no more than so many rows of each leaf: of what has a source, a value or a region of meaning in common.

    Exact copies go first.
    """
    stage = {"stage": "balance", "most": most, "apart": apart, "by": by or [], "bits": bits, "model": model}
    raw = _settings(
        inputs,
        out,
        stage,
        format=format_,
        no_text=no_text,
        columns={"text": text, "id": id_, "source": source},
        seed=seed,
        on_error=on_error,
        memory=memory,
        threads=threads,
        engine=engine,
        annotate=annotate,
        allow_loss=tuple(allow_loss or ()),
    )
    run_config(make_config(raw), quiet, dry_run)
