"""What counts as the same in a scan of a lake, and how surely pairs are refuted."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from ...hashing.errors import ConfigError


@dataclass(frozen=True)
class Options:
    """What counts as the same.

    Attributes:
        ignore: names of columns that are not compared.
        match_types: whether columns match by name and type, rather than by name.
        trim: whether white space around texts counts for nothing.
        typed_csv: whether numbers and empty fields of delimited files are numbers and nulls, rather than texts.
        bags: whether a row of the child must be in the parent as often as in the child, rather than once.
        min_containment: pairs of which less is contained need not be found; 1 for whole tables only.
        renamed: whether tables are also looked for in others whose columns are called otherwise.
        verify: whether every row is looked for; else what the sample does not refute is only ``not_refuted``.
        epsilon, delta: the sample refutes a pair that lacks a share epsilon of the child's rows, but with probability
            delta over all pairs.
    """

    ignore: tuple[str, ...] = ()
    match_types: bool = False
    trim: bool = False
    typed_csv: bool = False
    bags: bool = False
    min_containment: float = 1.0
    renamed: bool = False
    verify: bool = True
    epsilon: float = 0.01
    delta: float = 1e-6

    def __post_init__(self) -> None:
        """Raise ``ConfigError`` if a share is none."""
        for name, value, allowed in (
            ("--min-containment", self.min_containment, 0 < self.min_containment <= 1),
            ("--epsilon", self.epsilon, 0 < self.epsilon < 1),
            ("--delta", self.delta, 0 < self.delta < 1),
        ):
            if not allowed:
                raise ConfigError(f"{name} is a share between 0 and 1", value=value, remedy="Choose one.")

    @property
    def sampled(self) -> bool:
        """Whether a sample of distinct rows tells of what counts: not of a share in which rows count repeatedly."""
        return not self.bags or self.min_containment >= 1

    @property
    def sameness(self) -> tuple[bool, bool]:
        """What fingerprints of rows depend on, besides the names of columns."""
        return self.trim, self.typed_csv

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON holds them."""
        return asdict(self) | {"ignore": list(self.ignore)}


ALL_ROWS = 1 << 62
"""More rows than any table has."""


def sample_size(pairs: int, *, epsilon: float, delta: float) -> int:
    """Return how many rows refute every pair that lacks a share ``epsilon`` or more, but with probability ``delta``.

    (1 - epsilon)^t is the probability that t rows all match by chance; it is to be at most delta / pairs.

    >>> sample_size(1, epsilon=0.01, delta=0.05), sample_size(1, epsilon=0.1, delta=1e-6)
    (299, 132)
    """
    return max(1, math.ceil(math.log(delta / max(1, pairs)) / math.log1p(-epsilon)))


def allowed_missing(size: int, pairs: int, *, min_containment: float, delta: float) -> int:
    """Return how many of ``size`` sampled rows a pair may lack before it is refuted.

    A pair of which a share ``min_containment`` is contained lacks more with probability delta / pairs at most: by the
    Chernoff bound exp(-t KL(m/t || 1 - c)), which also holds for samples without replacement (Hoeffding 1963).

    >>> allowed_missing(299, 1, min_containment=1.0, delta=1e-6)
    0
    >>> allowed_missing(1375, 1, min_containment=0.9, delta=1e-6)
    199
    """
    lacking = 1 - min_containment
    if lacking <= 0:
        return 0
    exponent = math.log(max(1, pairs) / delta)
    low, high = math.floor(lacking * size), size
    while low < high:
        middle = (low + high) // 2
        if size * _divergence((middle + 1) / size, lacking) >= exponent:
            high = middle
        else:
            low = middle + 1
    return low


def _divergence(share: float, of: float) -> float:
    """Return the Kullback-Leibler divergence of two coins; infinite above 1."""
    if share > 1:
        return math.inf
    first = share * math.log(share / of) if share else 0.0
    return first + ((1 - share) * math.log((1 - share) / (1 - of)) if share < 1 else 0.0)


def shared_rows(*, min_containment: float, delta: float, pairs: int) -> int:
    """Return how many of its smallest rows a child is looked up by, so that no pair that counts is lost.

    One suffices where all rows must be there. Where a share 1 - c may be missing, k rows are all missing with
    probability (1 - c)^k at most, which is to be at most delta / pairs; and of a child that may lack fewer than k rows
    one of them is there for certain.

    >>> shared_rows(min_containment=1.0, delta=1e-6, pairs=10), shared_rows(min_containment=0.9, delta=1e-6, pairs=1)
    (1, 6)
    """
    if min_containment >= 1:
        return 1
    return max(1, math.ceil(math.log(delta / max(1, pairs)) / math.log(1 - min_containment) - 1e-9))
