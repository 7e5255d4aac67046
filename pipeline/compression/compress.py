"""From the scores of some models to the items that stand for all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...hashing.compression.balance import PRIOR_INFORMATION, Judged, cost_of, fold_numbers, in_units, judge
from ...hashing.compression.bends import Bends, fitted_bends
from ...hashing.compression.curves import Curves, ability_of, fitted_curves, fitted_prior, right_on
from ...hashing.compression.genetic import Breeding, fittest
from ...hashing.compression.matrix import Scores, as_training, completed, in_canonical_order, item_means
from ...hashing.compression.predicted import full_on_grid
from ...hashing.compression.redundancy import correlations, keepers
from ...hashing.compression.strata import strata_of
from ...hashing.errors import ConfigError
from ...hashing.mix import derive_seed
from .compressed import Compressed, information_of, weights_of
from .texts import text_pairs

_LEAST_SPREAD = 0.5  # of the prior of abilities, should all known models be alike


@dataclass(frozen=True)
class CompressionSettings:
    """How a benchmark is compressed.

    Attributes:
        text_threshold, rank_threshold: an item goes if it is at least so alike in text *and* in who gets it right.
        sharpest: share of the items of a stratum of difficulty that may be chosen: those that say most.
        folds: models are left out in so many parts.
        weight: of the error on left-out models in a subset's cost, beside the variance that its curves leave.
        breeding: of the search.
    """

    text_threshold: float = 0.9
    rank_threshold: float = 0.9
    sharpest: float = 0.3
    folds: int = 5
    weight: float = 1.0
    breeding: Breeding = field(default_factory=Breeding)

    def __post_init__(self) -> None:
        for name in ("text_threshold", "rank_threshold", "sharpest"):
            if not 0 < getattr(self, name) <= 1:
                raise ConfigError(f"`{name}` is above 0, up to 1", value=getattr(self, name), remedy="Change it.")
        if self.folds < 2 or not 0 <= self.weight < np.inf:
            raise ConfigError("there are 2 folds or more, and weights from 0 on", value=self, remedy="Change it.")


def compress_benchmark(
    scores: ArrayLike,
    texts: Sequence[str | None] | None,
    k: int,
    seed: int = 0,
    *,
    vectors: NDArray[np.floating] | None = None,
    settings: CompressionSettings | None = None,
) -> Compressed:
    """Return k items that stand for a benchmark, and the predictor of the full score from them.

    After EssenceBench: what is redundant goes, and a genetic search finds the items whose predictor errs least on
    models it has not seen, in folds. The predictor is a curve an item (``hashing/compression/curves.py``), and one item
    is taken of each of k strata of difficulty: with few models, items that look best all over are lucky ones.

    The answer does not depend on the order of the models; of equal items the one with the lower number comes first.

    Args:
        scores: shape (models, items), 0 to 1; NaN where a cell is missing (see ``matrix.completed``). All models in it
            are learned from: leave out those that are to be held out.
        texts: of all items, or None: then no item is redundant.
        k: how many items.
        seed: of folds and of the search.
        vectors: shape (items, dimensions): embeddings of the texts, in place of hashed n-grams.
        settings: how.

    Raises:
        InputError: scores, texts or vectors cannot be so.
        ConfigError: k is not 1 to the number of items that are not redundant.
    """
    how = settings or CompressionSettings()
    training = as_training(scores)
    pairs = text_pairs(texts, training.shape[1], how.text_threshold, vectors=vectors)
    return compress_with(training, pairs, k, seed, how)


def compress_with(
    scores: ArrayLike, pairs: NDArray[np.int64], k: int, seed: int, settings: CompressionSettings
) -> Compressed:
    """Return what ``compress_benchmark`` does, from the pairs of items that are alike in text."""
    training = as_training(scores)
    items = training.shape[1]
    _check_k(k, items, "items")
    known = training[in_canonical_order(training)]
    means = item_means(known)
    filled = completed(known, means)
    abilities = ability_of(filled.mean(axis=1), items)
    centre = float(abilities.mean())
    abilities = abilities - centre
    prior = fitted_prior(filled, abilities)
    curves = fitted_curves(filled, abilities, prior)
    right = right_on(curves, abilities)
    worth = in_units((curves.slopes * curves.slopes * right * (1.0 - right)).mean(axis=0))
    kept = _distinct(filled, pairs, worth, settings.rank_threshold)
    _check_k(k, len(kept), "items that are not redundant")
    folds = fold_numbers(len(known), min(settings.folds, len(known)), seed=derive_seed(seed, "folds"))
    judged = judge(filled, abilities, folds, prior)
    pools = _sharpest(kept, means, worth, k, settings.sharpest)
    found = fittest(
        pools,
        [1] * k,
        cost_of(judged, settings.weight),
        seed=derive_seed(seed, "search"),
        breeding=settings.breeding,
    )
    chosen = Curves(curves.slopes[found.items], curves.levels[found.items])
    middle = right_on(curves, np.zeros(1))[0]
    rise = float((curves.slopes * middle * (1.0 - middle)).mean())
    spread = max(float(abilities.std()), _LEAST_SPREAD)
    bends = fitted_bends(filled, abilities, curves, spread)
    return Compressed(
        items=found.items,
        weights=weights_of(chosen, rise, information_of(chosen) + 1.0 / (spread * spread)),
        slopes=chosen.slopes,
        levels=chosen.levels,
        bends=Bends(bends.features[found.items], bends.variances),
        full=full_on_grid(curves, bends.features, centre),
        spread=spread,
        benchmark=items,
        removed=items - len(kept),
        models=len(known),
        expected_error=_expected(judged, found.items),
        seed=seed,
    )


def _check_k(k: int, most: int, what: str) -> None:
    if not 1 <= k <= most:
        raise ConfigError(f"k is 1 to the number of {what}, {most:,}", value=k, remedy="Ask for fewer.")


def _distinct(scores: Scores, pairs: NDArray[np.int64], worth: Scores, threshold: float) -> NDArray[np.int64]:
    """Return the items that are kept; of redundant ones that is the one that says most, then the first."""
    priority = np.argsort(-worth, kind="stable")
    stands_for = keepers(len(worth), pairs, correlations(scores, pairs), priority, threshold)
    return np.flatnonzero(stands_for == np.arange(len(worth)))


def _sharpest(kept: NDArray[np.int64], means: Scores, worth: Scores, k: int, share: float) -> list[NDArray[np.int64]]:
    pools = []
    for stratum in strata_of(means[kept], k):
        group = np.sort(kept[stratum])
        best = np.argsort(-worth[group], kind="stable")[: max(1, int(np.ceil(share * len(group))))]
        pools.append(group[best])
    return pools


def _expected(judged: Judged, items: NDArray[np.int64]) -> float:
    information = judged.information[items].sum(axis=0) + PRIOR_INFORMATION
    return float(100.0 * np.sqrt((judged.rise * judged.rise / information).mean()))
