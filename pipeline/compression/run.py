"""One compression as a command has it: from all models, and again without some of them to measure it."""

from typing import Any

import numpy as np

from ...hashing.compression.matrix import FEWEST_MODELS
from ...hashing.errors import InputError
from .compress import CompressionSettings, compress_with
from .compressed import Compressed
from .held_out import judge_on_held_out, splits_of
from .outputs import report_of
from .score_table import ScoreTable
from .texts import text_pairs


def compressed_and_judged(
    table: ScoreTable,
    k: int,
    *,
    hold_out: float = 0.3,
    splits: int = 10,
    seed: int = 0,
    settings: CompressionSettings | None = None,
) -> tuple[Compressed, dict[str, Any]]:
    """Return a compression made from all models, and the report on those made without some.

    Args:
        table: the scores.
        k: how many items.
        hold_out: share of the models that each split holds out.
        splits: how many; 0 measures nothing.
        seed: of splits and searches.
        settings: how to compress.

    Raises:
        InputError, ConfigError: as ``compress_benchmark`` and ``splits_of``; models and items are named.
    """
    how = settings or CompressionSettings()
    _check(table)
    pairs = text_pairs(table.texts, len(table.items), how.text_threshold)
    compressed = compress_with(table.scores, pairs, k, seed, how)
    held_out = round(hold_out * len(table.models)) if splits else 0
    judged = {}
    if splits:
        each = splits_of(len(table.models), held_out, splits, seed=seed)
        judged = judge_on_held_out(table.scores, pairs, k, each, seed=seed, settings=how)
    return compressed, report_of(table, compressed, judged, held_out, seed)


def _check(table: ScoreTable) -> None:
    """Refuse scores that cannot be learned from, by the names that their owner knows."""
    scores = table.scores
    if len(scores) < FEWEST_MODELS:
        raise InputError(
            f"there are at least {FEWEST_MODELS} models to learn from",
            value=f"{len(scores)}: {', '.join(table.models)}",
            remedy="Score more models.",
        )
    there = ~np.isnan(scores)
    wrong = np.argwhere(there & ~((scores >= 0) & (scores <= 1)))
    if len(wrong):
        model, item = wrong[0]
        raise InputError(
            "scores are 0 to 1",
            value=f"{scores[model, item]:g} of model {table.models[model]!r}, item {table.items[item].as_py()!r}",
            remedy="Divide by the marks an item gives; name columns that are no scores by --item or --text.",
        )
    for model in range(len(scores)):
        own = scores[model, there[model]]
        if not len(own) or own.min() == own.max():
            raise InputError(
                "a model has items it does better and items it does worse",
                value=f"model {table.models[model]!r} has "
                + (f"{own[0]:g} in all {len(own):,}" if len(own) else "no score"),
                remedy="Leave it out.",
            )
    without = np.flatnonzero(~there.any(axis=0))
    if len(without):
        raise InputError(
            "every item has a score",
            value=f"item {table.items[int(without[0])].as_py()!r} has none",
            remedy="Leave it out.",
        )
