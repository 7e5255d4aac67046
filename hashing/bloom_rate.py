"""What a blocked Bloom filter does by mistake, exactly, and how large it must be.

Of n keys a block gets a Poisson number; its keys throw bits into it independently; and a key that is not there is found
if each of its own bits is set. So the rate is a mean over Poisson of E[(m / B)^h], m the number of set bits of B, whose
distribution follows from the recursion of occupancy. No approximation is made beyond Poisson for binomial.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .bloom import BLOCK_BITS, MAX_BLOCKS
from .errors import ConfigError
from .kernel import kernel

_WIDE = 12.0
"""Standard deviations of the keys of a block that are taken into account."""


@lru_cache(maxsize=64)
def block_rates(block_bits: int, hashes: int, keys: int) -> NDArray[np.float64]:
    """Return the rate of a block that holds 0, 1, ... ``keys`` keys: float64, shape (keys + 1,).

    >>> block_rates(512, 3, 1).round(9).tolist()  # 1, 2 or 3 of 512 bits are set
    [0.0, 2e-07]
    """
    return _occupancy(block_bits, hashes, keys)


@kernel
def _occupancy(block_bits: int, hashes: int, keys: int) -> NDArray[np.float64]:
    chances, rates = np.zeros(block_bits + 1), np.zeros(keys + 1)
    chances[0] = 1.0
    top = 0  # no more bits than throws are set
    for key in range(1, keys + 1):
        for _ in range(hashes):
            top = min(top + 1, block_bits)
            for m in range(top, 0, -1):
                chances[m] = (chances[m] * m + chances[m - 1] * (block_bits - m + 1)) / block_bits
            chances[0] = 0.0
        for m in range(1, top + 1):
            rates[key] += chances[m] * (m / block_bits) ** hashes
    return rates


def filter_rate(keys_per_block: float, block_bits: int, hashes: int) -> float:
    """Return the rate of a filter with so many keys a block, on average."""
    if keys_per_block <= 0:
        return 0.0
    most = _most(keys_per_block)
    numbers = np.arange(most + 1)
    logs = numbers * math.log(keys_per_block) - keys_per_block - _log_factorials(most)
    rates = block_rates(block_bits, hashes, 1 << (most - 1).bit_length())  # few different tables, which are kept
    return float(np.exp(logs) @ rates[: most + 1])


def _most(mean: float) -> int:
    return int(mean + _WIDE * math.sqrt(mean) + 30)


@lru_cache(maxsize=8)
def _log_factorials(most: int) -> NDArray[np.float64]:
    return np.array([math.lgamma(i + 1) for i in range(most + 1)])


@dataclass(frozen=True)
class FilterPlan:
    """The form of the filters of an index, one for each band.

    Attributes:
        bands: filters.
        capacity: rows they are made for.
        rate: chance that a row that is like no other is flagged once ``capacity`` rows are in.
        block_bits: bits of a block.
        blocks: of each filter.
        hashes: bits that a key sets.
    """

    bands: int
    capacity: int
    rate: float
    block_bits: int
    blocks: int
    hashes: int

    @property
    def filter_bytes(self) -> int:
        """Bytes of one filter."""
        return self.blocks * self.block_bits // 8

    def band_rate(self, rows: float) -> float:
        """Return the chance that one band flags a row by mistake once so many rows are in."""
        return filter_rate(rows / self.blocks, self.block_bits, self.hashes)

    def index_rate(self, rows: float) -> float:
        """Return the chance that any band does."""
        return -math.expm1(self.bands * math.log1p(-self.band_rate(rows)))

    def expected_flags(self, rows: int, before: int = 0) -> float:
        """Return how many of so many rows that are like no other are flagged, each inserted after it was asked for.

        Args:
            rows: rows that come.
            before: rows that were in already.
        """
        nodes, weights = np.polynomial.legendre.leggauss(24)  # the rate is a smooth function of the load
        loads = before + rows * (nodes + 1) / 2
        return float(sum(w * self.index_rate(load) for w, load in zip(weights, loads, strict=True)) * rows / 2)


@lru_cache(maxsize=32)
def plan_filter(*, bands: int, capacity: int, rate: float, block_bits: int = 1024) -> FilterPlan:
    """Return the smallest filters that keep a rate.

    Args:
        bands: filters, one a band.
        capacity: rows.
        rate: of the whole index at capacity: 1 - (1 - p)^bands, p that of one filter.
        block_bits: 512, 1024 or 4096: larger ones are smaller, and slower.

    Raises:
        ConfigError: if that cannot be.
    """
    if block_bits not in BLOCK_BITS:
        raise ConfigError("a block has 512, 1024 or 4096 bits", value=block_bits, remedy="Use 1024.")
    if not 0 < rate < 1 or capacity < 1 or bands < 1:
        raise ConfigError(
            "an index has a capacity, bands, and a rate between 0 and 1",
            value=f"{capacity} rows, {bands} bands, rate {rate}",
            remedy="Write it as capacity: 1000000, rate: 1e-8.",
        )
    wanted = -math.expm1(math.log1p(-rate) / bands)
    ideal = max(1, round(-math.log2(wanted)))
    best: tuple[float, int] | None = None
    for hashes in range(ideal + 2, 0, -1):  # blocks want fewer bits a key than whole filters do
        load = _load_for(wanted, block_bits, hashes)
        if best is not None and load < best[0] * 0.999:
            break  # one peak
        if best is None or load > best[0]:
            best = load, hashes
    load, hashes = best or (1.0, 1)
    blocks = max(1, math.ceil(capacity / load))
    if blocks > MAX_BLOCKS:
        raise ConfigError(
            f"a filter has at most {MAX_BLOCKS} blocks",
            value=f"{blocks} of {block_bits} bits",
            remedy="Use larger blocks (4096), a smaller capacity, or a higher rate.",
        )
    return FilterPlan(bands, capacity, rate, block_bits, blocks, hashes)


def _load_for(wanted: float, block_bits: int, hashes: int) -> float:
    """Return how many keys a block may hold on average so that the rate is kept."""
    low, high = 0.0, 1.5 * block_bits / hashes  # more keys set four bits of five
    for _ in range(40):
        middle = (low + high) / 2
        if filter_rate(middle, block_bits, hashes) > wanted:
            high = middle
        else:
            low = middle
        if high - low < 1e-9 * high:
            break
    return low
