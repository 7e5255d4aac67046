"""``tamis block train`` and ``encoder``: hashers, trained or taken as they are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.console import Console

from ..hashing.errors import ConfigError
from ..pipeline.state import check_place
from .bands_option import bands_of
from .id_columns import id_columns

if TYPE_CHECKING:
    from ..hashing.neural.train import Progress
    from ..pipeline.blocking.training_pairs import TrainingPairs

console = Console(emoji=False)
MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("train")(train)
    app.command("encoder")(encoder)


def train(
    left: Annotated[str, typer.Argument(metavar="LEFT", help="A table, as of `tamis block`.")],
    right: Annotated[str | None, typer.Argument(metavar="[RIGHT]", help="A second table.")] = None,
    *,
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the hasher; new or empty.")],
    id_: Annotated[str | None, typer.Option("--id", metavar="COL", help="Column of the id, in both tables.")] = None,
    left_id: Annotated[str | None, typer.Option("--left-id", metavar="COL", help="That of LEFT.")] = None,
    right_id: Annotated[str | None, typer.Option("--right-id", metavar="COL", help="That of RIGHT.")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", metavar="COL", help="Read this column only; may be repeated.")
    ] = None,
    matches: Annotated[
        str | None,
        typer.Option("--matches", metavar="FILE", help="Known matches: two ids each, and perhaps a label 1 or 0."),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="FILE", help="Matches to measure with later: nothing is learned from them."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="labels; silver: pairs that the lexical blocker is sure of; views: each record miswritten twice. "
            "Default: labels with --matches, else silver.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="Folder or name of a model of sentence-transformers.")
    ] = MODEL,
    text: Annotated[
        str,
        typer.Option("--text", help="What is read: texts (values of a record), or marked (names of columns, too)."),
    ] = "texts",
    bits: Annotated[int, typer.Option("--bits", min=1, help="Of a code.")] = 64,
    bands: Annotated[str, typer.Option("--bands", metavar="BxW", help="Bands of codes, and bits of each.")] = "4x16",
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="At most.")] = 10,
    batch: Annotated[int, typer.Option("--batch", min=2, help="Pairs of a step.")] = 32,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=4, help="What is behind them is not read.")] = 64,
    layers: Annotated[
        int | None, typer.Option("--layers", min=0, help="So many of the highest layers are trained; default: all.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate of the encoder.")] = 5e-5,
    budget: Annotated[int, typer.Option("--budget", min=1, help="K of the recall by which training stops.")] = 1,
    patience: Annotated[
        int, typer.Option("--patience", min=1, help="Stop after so many epochs without a better one.")
    ] = 3,
    share: Annotated[float, typer.Option("--hold-out", help="Share of the matched things that is held back.")] = 0.15,
    calibration: Annotated[
        float, typer.Option("--calibration", help="Weight of the calibration of similarities.")
    ] = 0.0,
    augment: Annotated[
        bool, typer.Option("--augment", help="Miswrite texts while training from labels or silver.")
    ] = False,
    device: Annotated[str, typer.Option("--device", help="cpu, or cuda.")] = "cpu",
    precision: Annotated[
        str, typer.Option("--precision", help="Of products of matrices: float32, or bfloat16 where the device has it.")
    ] = "float32",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Of the processor; default: all.")] = None,
    delimiter: Annotated[str | None, typer.Option("--delimiter", metavar="CHAR", help="Of delimited files.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all random functions.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show neither progress nor summary.")] = False,
) -> None:
    """Train an encoder and its hash function on records: a hasher for `tamis block --hasher`.

    It needs the extra `neural`; what it writes is used without PyTorch.
    """
    from ..hashing.neural.settings import TrainSettings
    from ..pipeline.blocking.options import Options
    from ..pipeline.blocking.sides import read_sides

    one, other = id_columns(id_, left_id, right_id, two_tables=right is not None)
    source = source or ("labels" if matches else "silver")
    if source not in ("labels", "silver", "views") or (source == "labels") != (matches is not None):
        raise ConfigError(
            "a hasher learns from labels, with their --matches, or without any from silver or views",
            value=f"--from {source}, {'with' if matches else 'without'} --matches",
            remedy="Mend these options.",
        )
    settings = TrainSettings(
        encoder=model,
        text=cast(Literal["marked", "texts"], text),
        max_tokens=max_tokens,
        layers=layers,
        bits=bits,
        epochs=epochs,
        batch=batch,
        rate=rate,
        budget=budget,
        patience=patience,
        calibration=calibration,
        seed=seed,
        device=device,
        precision=cast(Literal["float32", "bfloat16"], precision),
        threads=threads,
    )
    cut = bands_of(bands, bits)
    check_place(out, [path for path in (left, right) if path is not None])
    columns = tuple(column) if column else None
    sides = read_sides(left, right, Options(one, other, columns, delimiter=delimiter))
    data = _pairs(source, sides, matches, test, settings.text, share, seed, augment)

    from ..hashing.neural.save import save_trained
    from ..hashing.neural.train import train_hasher

    found = train_hasher(data, settings, None if quiet else _told)
    hasher = save_trained(found, Path(out).expanduser(), bands=cut)
    if not quiet:
        held = found.history[found.best]["held_out"]
        console.print(
            f"Epoch {found.best} was the best: of held-out pairs {100 * held['recall']:.1f} % are found among the "
            f"{budget} nearest by vectors, {_percent(held['code_recall'])} by codes.\n"
            f"{hasher.path} is the hasher: tamis block ... --hasher {out}",
            markup=False,
            soft_wrap=True,
            highlight=False,
        )


def _pairs(
    source: str,
    sides: Any,
    matches: str | None,
    test: str | None,
    text: Literal["marked", "texts"],
    share: float,
    seed: int,
    augment: bool,
) -> "TrainingPairs":
    from ..pipeline.blocking.augmentation import Augmentation
    from ..pipeline.blocking.matches import read_known_pairs
    from ..pipeline.blocking.training import pairs_from_labels, pairs_of_views, silver_pairs
    from ..pipeline.blocking.training_pairs import Split

    left, right = sides.left, sides.right
    ids = left.ids, None if right is None else right.ids
    split = Split(share=share, seed=seed)
    changes = Augmentation() if augment else None
    if matches is not None:
        labels = read_known_pairs(matches, *ids).labels
        kept = None if test is None else read_known_pairs(test, *ids).labels
        return pairs_from_labels(left, right, labels, test=kept, text=text, split=split, augmentation=changes)
    if source == "silver":
        return silver_pairs(left, right, text=text, split=split, augmentation=changes)
    return pairs_of_views(left, right, text=text, split=split)


def _told(progress: "Progress") -> None:
    measures = progress.measures
    if measures is None:
        return
    losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
    console.print(
        f"epoch {progress.epoch} of {progress.epochs}: held-out recall {100 * measures.recall:.1f} % by vectors, "
        f"{_percent(measures.code_recall)} by codes{f'; {losses}' if losses else ''}",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def encoder(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder or name of a model of sentence-transformers.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the hasher; new or empty.")],
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=4, help="What is behind them is not read; default: the model's.")
    ] = None,
    text: Annotated[
        str,
        typer.Option("--text", help="What is read: texts (values of a record), or marked (names of columns, too)."),
    ] = "texts",
) -> None:
    """Make a hasher of a model as it is, for the blocker dense and the stage semantic; used without PyTorch."""
    from ..hashing.neural.export import export_encoder

    made = export_encoder(model, Path(out).expanduser(), max_tokens=max_tokens, text=text)
    settings = made.settings.encoder
    console.print(
        f"{made.path}: {settings.name}, vectors of {settings.dim} values, {settings.max_tokens} tokens of a text.",
        markup=False,
        soft_wrap=True,
        highlight=False,
    )
