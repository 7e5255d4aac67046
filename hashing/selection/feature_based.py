"""Feature-based functions: how much of each feature is chosen, under a concave curve.

f(S) = sum over features t of weight_t * phi(sum over j in S of x_jt), phi(x) = sqrt(x) or log(1 + x) (Kirchhoff and
Bilmes 2014). Monotone and submodular where no feature is negative. There is no matrix of similarities: a gain costs the
entries of its row. Features may be counts of n-grams by hash, or LSH buckets.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, InputError
from ..kernel import inner_kernel, kernel
from ..sparse_topk import SparseRows
from .set_function import gain

Curve = Literal["sqrt", "log1p"]


@dataclass
class FeatureBased:
    """A feature-based function (``set_function.SetFunction``); make one with ``feature_based``.

    Attributes:
        rows: the features of each item.
        weights: float64, shape (n_features,).
        root: whether the curve is the square root, not log(1 + x).
        most: the value of all items.
        sums: float64, shape (n_features,): how much of each feature is chosen.
    """

    rows: SparseRows
    weights: NDArray[np.float64]
    root: bool
    most: float
    sums: NDArray[np.float64] = field(init=False)
    monotone = True

    def __post_init__(self) -> None:
        self.sums = np.zeros(len(self.weights), np.float64)
        self._total = 0.0

    @property
    def size(self) -> int:
        """How many items there are."""
        return len(self.rows.bounds) - 1

    @property
    def slack(self) -> float:
        """A gain is a sum of differences, each off by some last bits of the curve there."""
        return 1e-12 * self.most

    def fresh(self) -> "FeatureBased":
        """Return the same function with an empty set."""
        return FeatureBased(self.rows, self.weights, self.root, self.most)

    def gains(self, items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what each item would add: float64, shape (len(items),)."""
        return _gains(self.rows, self.weights, self.root, self.sums, items)

    def add(self, item: int) -> float:
        """Put an item into the set and return what it added."""
        added = gain(self, item)
        entries = slice(int(self.rows.bounds[item]), int(self.rows.bounds[item + 1]))
        self.sums[self.rows.terms[entries]] += self.rows.weights[entries]
        self._total += added
        return added

    def value(self) -> float:
        """Return the value of the set: the sum of what was added."""
        return self._total


def feature_based(
    rows: SparseRows, n_features: int, *, curve: Curve = "sqrt", weights: NDArray[np.float64] | None = None
) -> FeatureBased:
    """Return a feature-based function.

    Args:
        rows: features of each item (CSR): terms are from 0 to ``n_features - 1``, ascending, once in a row.
        n_features: how many features there are.
        curve: phi.
        weights: float, shape (n_features,), at least 0; None: all 1.

    Raises:
        ConfigError: there is no such curve.
        InputError: a feature or weight is negative, NaN or infinite, or a term is out of range or out of order.
    """
    if curve not in ("sqrt", "log1p"):
        raise ConfigError("a curve is sqrt or log1p", value=curve, remedy="Set curve to one of them.")
    weighed = np.ones(n_features, np.float64) if weights is None else np.asarray(weights, np.float64)
    if weighed.shape != (n_features,):
        raise InputError("each feature has a weight", value=str(weighed.shape), remedy="Give one number a feature.")
    for name, numbers in (("features", rows.weights), ("weights of features", weighed)):
        bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
        if len(bad):
            raise InputError(
                f"{name} are finite and not negative",
                value=f"{numbers[bad[0]]} at {bad[0]}",
                remedy="Leave it out, or shift them.",
            )
    if len(rows.terms) and not (rows.terms.min() >= 0 and rows.terms.max() < n_features):
        raise InputError(
            f"terms are from 0 to {n_features - 1}",
            value=f"{rows.terms.min()} to {rows.terms.max()}",
            remedy="Set n_features.",
        )
    inside = np.ones(len(rows.terms), np.bool_)
    inside[rows.bounds[:-1][rows.bounds[:-1] < len(rows.terms)]] = False
    unordered = np.flatnonzero(inside[1:] & (rows.terms[1:] <= rows.terms[:-1]))
    if len(unordered):
        raise InputError("terms of a row ascend", value=f"entry {unordered[0] + 1}", remedy="Sort and sum them.")
    totals = np.bincount(rows.terms, rows.weights, n_features)
    most = float((weighed * (np.sqrt(totals) if curve == "sqrt" else np.log1p(totals))).sum())
    return FeatureBased(rows, weighed, curve == "sqrt", most)


@kernel
def _gains(
    rows: SparseRows, weights: NDArray[np.float64], root: bool, sums: NDArray[np.float64], items: NDArray[np.int64]
) -> NDArray[np.float64]:
    out = np.zeros(len(items), np.float64)
    for p in range(len(items)):
        for e in range(rows.bounds[items[p]], rows.bounds[items[p] + 1]):
            term = rows.terms[e]
            out[p] += weights[term] * _rise(sums[term], rows.weights[e], root)
    return out


@inner_kernel
def _rise(before: float, more: float, root: bool) -> float:
    """Return by how much the curve rises."""
    if root:
        return float(np.sqrt(before + more) - np.sqrt(before))
    return float(np.log1p(more / (1.0 + before)))
