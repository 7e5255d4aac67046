"""How many bands of how many rows: the S-curve and the choice of (b, r).

Two texts of similarity s share a band of r rows with probability s^r, and at least one of b bands with
1 - (1 - s^r)^b (Indyk and Motwani 1998; Leskovec, Rajaraman and Ullman, *Mining of Massive Datasets*, 3.4).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError


def hit_probability(similarity: float, bands: int, rows: int) -> float:
    """Return the probability that a pair of that similarity becomes a candidate.

    >>> round(hit_probability(0.8, 28, 9), 3)
    0.982
    """
    return float(hit_probabilities(np.array([similarity]), bands, rows)[0])


def hit_probabilities(similarities: NDArray[np.float64], bands: int, rows: int) -> NDArray[np.float64]:
    """Return the probability of each similarity that a pair becomes a candidate: float64, shape as given.

    >>> hit_probabilities(np.array([0.0, 0.8, 1.0]), 28, 9).round(3).tolist()
    [0.0, 0.982, 1.0]
    """
    with np.errstate(divide="ignore"):  # of 1
        found: NDArray[np.float64] = -np.expm1(bands * np.log1p(-(np.minimum(similarities, 1.0) ** rows)))
    return found


def expected_candidates(bands: int, rows: int) -> float:
    """Return the area under the S-curve: the share of candidates if all similarities were equally likely.

    In closed form, 1 - Gamma(b+1) Gamma(1+1/r) / Gamma(b+1+1/r).
    """
    inverse = 1.0 / rows
    return -math.expm1(math.lgamma(bands + 1) + math.lgamma(1 + inverse) - math.lgamma(bands + 1 + inverse))


@dataclass(frozen=True)
class Banding:
    """A number of bands and of rows in each.

    Raises:
        ConfigError: if either is below one.
    """

    bands: int
    rows: int

    def __post_init__(self) -> None:
        if self.bands < 1 or self.rows < 1:
            raise ConfigError(
                "a banding has at least one band and one row",
                value=f"{self.bands} x {self.rows}",
                remedy="Leave `bands` and `rows` out to have them computed.",
            )

    @property
    def values(self) -> int:
        """Signature values that the bands use."""
        return self.bands * self.rows

    def hit_probability(self, similarity: float) -> float:
        """Return the probability that a pair of that similarity becomes a candidate."""
        return hit_probability(similarity, self.bands, self.rows)


def solve_for_recall(threshold: float, values: int, *, recall: float = 0.98) -> Banding:
    """Return the banding with the fewest expected candidates whose recall *at the threshold* is enough.

    Args:
        threshold: the similarity at which pairs are removed, in (0, 1].
        values: how many signature values there are.
        recall: the least hit probability at the threshold, in (0, 1).

    Raises:
        ConfigError: if no banding of so few values can reach the recall.

    >>> solve_for_recall(0.8, 256)
    Banding(bands=28, rows=9)
    """
    best: tuple[float, Banding] | None = None
    for rows in range(1, values + 1):
        bands = next((b for b in range(1, values // rows + 1) if hit_probability(threshold, b, rows) >= recall), None)
        if bands is None:
            continue
        area = expected_candidates(bands, rows)
        if best is None or area < best[0]:
            best = area, Banding(bands, rows)
    if best is None:
        raise ConfigError(
            f"{values} sketch values must be able to reach a recall of {recall} at similarity {threshold}",
            value=f"at best {hit_probability(threshold, values, 1):.3f}",
            remedy="Raise `values` or lower `recall`.",
        )
    return best[1]


def solve_balanced(threshold: float, values: int) -> Banding:
    """Return the banding that minimises the mean of the false-positive and false-negative areas.

    The rule of datasketch and of LSHBloom, for pairs that are removed without verification: recall at the
    threshold itself is then near one half.

    >>> solve_balanced(0.8, 128)
    Banding(bands=9, rows=13)
    """
    nodes, weights = np.polynomial.legendre.leggauss(values // 2 + 1)  # exact for polynomials of degree <= values

    def area(low: float, high: float, bands: int, rows: int) -> float:
        s = (high - low) / 2 * nodes + (high + low) / 2
        return float((high - low) / 2 * np.sum(weights * (1 - s**rows) ** bands))

    def error(bands: int, rows: int) -> float:
        missed = area(threshold, 1.0, bands, rows)
        wrong = threshold - area(0.0, threshold, bands, rows)
        return (wrong + missed) / 2

    options = [Banding(b, r) for b in range(1, values + 1) for r in range(1, values // b + 1)]
    return min(options, key=lambda banding: error(banding.bands, banding.rows))
