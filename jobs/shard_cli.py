"""``tamis shard``: rows into training shards as they are, in wanted proportions, with sets held out."""

from typing import Annotated, Any

import typer

from ..hashing.errors import ConfigError


def settings(
    inputs: list[str],
    out: str,
    *,
    format: str | None,
    columns: dict[str, str | None],
    mixture: str | None,
    splits: list[str],
    folds: int | None,
    round: int,
    **others: Any,
) -> dict[str, Any]:
    """Return the pipeline that ``tamis shard`` runs: no stage, and what is written.

    Args:
        inputs, out: paths.
        format: of the inputs, or None.
        columns: which mean what.
        mixture: path of a file, or None.
        splits: as ``NAME=SHARE``.
        folds, round: equal parts instead of splits, or None.
        others: further settings; those of ``shards`` under their own names.

    Raises:
        ConfigError: for a split that is not of that form or is named twice, or a round of no folds.
    """
    shares = [_split(item) for item in splits]
    if len(dict(shares)) < len(shares):
        raise ConfigError("a split is named once", value=" ".join(splits), remedy="Give each a name of its own.")
    if round and folds is None:
        raise ConfigError("a round is one of folds", value=f"--round {round}", remedy="Name --folds, too.")
    shards = {"splits": dict(shares)}
    shards |= {name: others.pop(name) for name in ("sample", "target_size", "group_size")}
    if folds is not None:
        shards["folds"] = {"count": folds, "round": round}
    return {
        "inputs": [{"path": path, "format": format} for path in inputs],
        "columns": columns,
        "stages": [],
        "mixture": mixture,
        "shards": shards,
        "out": out,
        **others,
    }


def _split(item: str) -> tuple[str, Any]:
    name, equals, share = item.partition("=")
    try:
        return name, float(share)
    except ValueError:
        raise ConfigError(
            "a split is NAME=SHARE", value=item, remedy="Write --split validation=0.01, for one row in a hundred."
        ) from None


Mixture = Annotated[
    str | None,
    typer.Option("--mixture", metavar="FILE", help="Weights of sources, a budget, phases; see `tamis schema mixture`."),
]
Split = Annotated[
    list[str] | None,
    typer.Option("--split", metavar="NAME=SHARE", help="Hold this share of the rows out of training, by content."),
]
Sample = Annotated[
    float, typer.Option("--sample", help="Share of the rows to write; a larger sample holds a smaller one.")
]
Folds = Annotated[
    int | None, typer.Option("--folds", metavar="N", min=2, help="Write N equal parts instead of one training set.")
]
Round = Annotated[int, typer.Option("--round", min=0, help="Of folds: another round cuts others.")]
TargetSize = Annotated[str, typer.Option("--target-size", help="Bytes of text in a file, about.")]
GroupSize = Annotated[str, typer.Option("--group-size", help="Bytes of text in a row group, about.")]
