"""How well compressed benchmarks tell the scores of models that they were not made from, beside simpler ways."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...hashing.compression.agreement import kendall_tau, rmse
from ...hashing.compression.baselines import clustered_items, line, random_items, stratified_items
from ...hashing.compression.matrix import FEWEST_MODELS, Scores, as_scores, completed, in_canonical_order, item_means
from ...hashing.errors import ConfigError
from ...hashing.mix import derive_seed
from ..counted import counted
from .compress import CompressionSettings, compress_with

TAMIS, RANDOM, FITTED, STRATIFIED, CLUSTERED = "tamis", "random", "random, fitted", "stratified", "clustered"
METHODS = (TAMIS, RANDOM, FITTED, STRATIFIED, CLUSTERED)

DRAWS = 20
"""How often random items are drawn for a split: what one draw makes of a split is mostly its luck."""


class Split(NamedTuple):
    """Models that are learned from, and models that are held out: int64, ascending."""

    training: NDArray[np.int64]
    held_out: NDArray[np.int64]


@dataclass(frozen=True)
class Judgement:
    """What one way to choose items made of all splits.

    Attributes:
        errors: float64, shape (splits, draws): RMSE over the held-out models, in points. Of what draws no items at
            random there is one draw.
        taus: float64, shape (splits, draws): Kendall's tau-b of predicted and full scores of these models.
    """

    errors: NDArray[np.float64]
    taus: NDArray[np.float64]


def splits_of(models: int, held_out: int, count: int, *, seed: int) -> list[Split]:
    """Return splits of models, each drawn by itself.

    Raises:
        ConfigError: fewer than 2 models are held out, or fewer than ``FEWEST_MODELS`` are left.
    """
    if held_out < 2 or models - held_out < FEWEST_MODELS:
        raise ConfigError(
            f"at least 2 models are held out, and {FEWEST_MODELS} are learned from",
            value=f"{held_out} of {counted(models, 'model')} held out",
            remedy="Hold out another share, or score more models.",
        )
    found = []
    for number in range(count):
        order = _draw(seed, f"split {number}").permutation(models)
        found.append(Split(np.sort(order[:-held_out]), np.sort(order[-held_out:])))
    return found


def judge_on_held_out(
    scores: Scores,
    pairs: NDArray[np.int64],
    k: int,
    splits: list[Split],
    *,
    seed: int = 0,
    settings: CompressionSettings | None = None,
) -> dict[str, Judgement]:
    """Return what each of ``METHODS`` makes of each split; held-out models are looked at only to measure errors.

    ``random``, ``stratified``: the mean score on the items. ``random, fitted``: a ridge line through the training
    models, of the same items. Both have ``DRAWS`` draws. ``clustered``: the mean weighted by the sizes of k-means
    clusters of items. A missing cell is filled for all of them alike by ``matrix.completed``, and so is the full score.

    Args:
        scores: float64, shape (models, items), 0 to 1 or NaN.
        pairs: items alike in text, int64, shape (pairs, 2).
        k: how many items.
        splits: of the models.
        seed: of every choice.
        settings: of ``tamis``.
    """
    whole = as_scores(scores)
    whole = whole[in_canonical_order(whole)]
    how = settings or CompressionSettings()
    errors: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    taus: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for number, split in enumerate(splits):
        training = whole[split.training]
        means = _means(training)
        held_out = completed(whole[split.held_out], means)
        full = held_out.mean(axis=1)
        own = derive_seed(seed, f"choice {number}")
        compressed = compress_with(training, pairs, k, own, how)
        answers = whole[split.held_out][:, compressed.items]
        predictions = _baselines(completed(training, means), held_out, k, own)
        predictions[TAMIS] = [compressed.predict(_answered(answers, held_out[:, compressed.items]))]
        for name, draws in predictions.items():
            errors[name].append([rmse(predicted, full) for predicted in draws])
            taus[name].append([kendall_tau(predicted, full) for predicted in draws])
    return {name: Judgement(np.array(errors[name]), np.array(taus[name])) for name in METHODS}


def _means(training: Scores) -> Scores:
    return item_means(as_scores(training, "scores of the models that are learned from"))


def _answered(answers: Scores, filled: Scores) -> Scores:
    """Return answers as they are, but those of a model without any as they were filled."""
    without = np.flatnonzero(np.isnan(answers).all(axis=1))
    found = answers.copy()
    found[without] = filled[without]
    return found


def _baselines(training: Scores, held_out: Scores, k: int, seed: int) -> dict[str, list[Scores]]:
    """Return the predictions of each simpler way, one for each draw."""
    found: dict[str, list[Scores]] = {RANDOM: [], FITTED: []}
    for number in range(DRAWS):
        chosen = random_items(training.shape[1], k, _draw(seed, f"random items {number}"))
        part = held_out[:, chosen].mean(axis=1)
        level, slope = line(training[:, chosen].mean(axis=1), training.mean(axis=1))
        found[RANDOM].append(part)
        found[FITTED].append(level + slope * part)
    strata = stratified_items(training.mean(axis=0), k, _draw(seed, "strata"))
    clusters = clustered_items(training, k, _draw(seed, "clusters"))
    return found | {
        STRATIFIED: [held_out[:, strata].mean(axis=1)],
        CLUSTERED: [held_out[:, clusters.items] @ clusters.weights],
    }


def _draw(seed: int, purpose: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(derive_seed(seed, purpose)))
