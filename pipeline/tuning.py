"""What settings would do to a corpus, judged by a sample of it: recall, candidates, and what labels say of thresholds.

The sample is run once with a low threshold and many bands. Each of its pairs stands for 1 / p of them, where p is the
probability that a pair of its similarity was found (Horvitz and Thompson 1952); pairs below the low threshold are
judged by random ones. A setting finds a pair of similarity s with the probability of its own S-curve.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..hashing.errors import ConfigError
from ..hashing.lsh import Banding, hit_probabilities, solve_for_recall

VALUES = (64, 128, 256, 512)
RECALLS = (0.9, 0.95, 0.98, 0.99)
LABEL_STEP = 0.01

Fact = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """A way to look for candidates.

    Attributes:
        values: of a signature.
        recall: that the bands are solved for, at the threshold.
        banding: the bands.
    """

    values: int
    recall: float
    banding: Banding


@dataclass(frozen=True)
class Observed:
    """Similarities in a sample.

    Attributes:
        rows: distinct texts of the sample.
        similarities: float64, of pairs that were found.
        weights: float64, how many pairs each stands for.
        random: float64, of random pairs that are less alike than any that was looked for; the others are zero.
        drawn: how many random pairs there were.
    """

    rows: int
    similarities: NDArray[np.float64]
    weights: NDArray[np.float64]
    random: NDArray[np.float64]
    drawn: int

    @property
    def all_pairs(self) -> float:
        """How many pairs the rows make."""
        return self.rows * (self.rows - 1) / 2


def settings_for(threshold: float, recall: float) -> list[Setting]:
    """Return settings to choose from: signatures of several lengths for the recall, and several recalls for 256 values.

    Those whose values cannot reach their recall are left out.
    """
    wanted = {(values, recall) for values in VALUES} | {(256, other) for other in RECALLS}
    found = []
    for values, target in sorted(wanted):
        try:
            found.append(Setting(values, target, solve_for_recall(threshold, values, recall=target)))
        except ConfigError:
            continue
    return found


def prospect(setting: Setting, observed: Observed, threshold: float) -> Fact:
    """Return what a setting would do to the sample.

    Returns:
        ``recall``: the share of pairs at or above the threshold that it finds, or null if there is none;
        ``candidates``: pairs that would be compared, before the anchors' cap; ``wasted``: the share of them that
        would be found less alike than the threshold.
    """
    bands, rows = setting.banding.bands, setting.banding.rows
    p = hit_probabilities(observed.similarities, bands, rows)
    alike = observed.similarities >= threshold
    found = observed.weights * p
    background = 0.0
    if observed.drawn:
        chance = hit_probabilities(observed.random, bands, rows).sum() / observed.drawn
        background = float(chance) * observed.all_pairs
    there, met = float(observed.weights[alike].sum()), float(found[alike].sum())
    candidates = float(found.sum()) + background
    return {
        "values": setting.values,
        "target": setting.recall,
        "bands": bands,
        "rows": rows,
        "recall_at_threshold": round(setting.banding.hit_probability(threshold), 4),
        "recall": round(met / there, 4) if there else None,
        "candidates": round(candidates, 1),
        "wasted": round(1 - met / candidates, 4) if candidates else None,
        "key_bytes_per_row": 8 * bands,
    }


def by_threshold(similarities: NDArray[np.float64], labels: NDArray[np.bool_]) -> list[Fact]:
    """Return precision, recall and F1 of calling pairs copies from each threshold on.

    Args:
        similarities: float64, shape (n,).
        labels: bool, shape (n,): which pairs are copies.

    >>> lines = by_threshold(np.array([0.9, 0.7, 0.2]), np.array([True, True, False]))
    >>> [line["f1"] for line in lines if line["threshold"] in (0.1, 0.5, 0.8)]
    [0.8, 1.0, 0.6667]
    """
    lines = []
    for threshold in np.round(np.arange(LABEL_STEP, 1 + LABEL_STEP / 2, LABEL_STEP), 6).tolist():
        called = similarities >= threshold
        right = int(np.sum(called & labels))
        wrong, missed = int(np.sum(called & ~labels)), int(np.sum(~called & labels))
        lines.append(
            {
                "threshold": threshold,
                "right": right,
                "wrong": wrong,
                "missed": missed,
                "precision": round(right / (right + wrong), 4) if right + wrong else None,
                "recall": round(right / (right + missed), 4) if right + missed else None,
                "f1": round(2 * right / (2 * right + wrong + missed), 4) if right + wrong + missed else None,
            }
        )
    return lines


def best_threshold(lines: Sequence[Fact]) -> Fact | None:
    """Return the line of the highest F1; the highest threshold of equal ones."""
    judged = [line for line in lines if line["f1"]]
    return max(judged, key=lambda line: (line["f1"], line["threshold"]), default=None)


def recommended(prospects: Sequence[Fact], recall: float) -> Fact | None:
    """Return the cheapest setting that reaches a recall at the threshold.

    Costs within a tenth of the lowest count as equal, since measured times differ that much: fewest candidates win.
    """
    enough = [line for line in prospects if line["recall_at_threshold"] >= recall]
    if not enough:
        return None
    lowest = min(line["microseconds_per_row"] for line in enough)
    cheap = [line for line in enough if line["microseconds_per_row"] <= 1.1 * lowest]
    return min(cheap, key=lambda line: (line["candidates"], line["values"]))
