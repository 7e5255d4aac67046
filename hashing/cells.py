"""128-bit hashes of cells: of a canonical text, or of the value that the text would say, without writing it.

The hash of a cell is that of its canonical text. A text that is a number in plain decimals (no zeros that say nothing,
fewer than 19 digits) is hashed as that number: its digits as an integer m, and how many stand behind the point. So the
integer 250, the decimal 2.5 and the float 0.1 are hashed as (250, 0), (25, 1) and (1, 1), and no text is written.
All other texts are hashed by MurmurHash3. What a kernel cannot say as such a number it leaves to its text.
"""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel
from .murmur3 import murmur3, murmur3_pair

DIGITS = 18
LIMIT = 10**DIGITS
"""Numbers are hashed as such if their digits, taken as one integer, are below."""

_LONGEST = 64
"""Bytes of the longest text that is looked at as a number."""

_FRACTIONS = 22
"""Digits behind the point that are tried for a float: powers of ten up to this one are floats themselves."""

_EXACT = 1e15
"""Decimals of so many digits are told apart by float64."""

_POWERS = np.array([10.0**i for i in range(_FRACTIONS + 1)])
_NUMBER = np.uint64(0x6E756D626572)  # in the place of a text's length


@inner_kernel
def _number_hash(digits: int, behind: int, seed: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Hash the digits of a number and how many stand behind the point, as a block of 16 bytes."""
    return murmur3_pair(np.uint64(digits), np.uint64(behind + 1), _NUMBER, seed)


@inner_kernel
def _as_number(data: NDArray[np.uint8], start: int, end: int) -> tuple[bool, int, int]:
    """Return whether a text is a number as this module hashes it, its digits, and how many stand behind the point."""
    at = start
    if end - start > _LONGEST or at == end:
        return False, 0, 0
    negative = data[at] == 45
    if negative:
        at += 1
    if at == end or data[at] < 48 or data[at] > 57:
        return False, 0, 0
    digits = np.int64(0)
    begun = at
    while at < end and 48 <= data[at] <= 57:
        if digits >= LIMIT // 10:
            return False, 0, 0
        digits = digits * 10 + np.int64(data[at] - 48)
        at += 1
    if data[begun] == 48 and at - begun > 1:
        return False, 0, 0  # 007 is a code
    behind = np.int64(0)
    if at < end:
        if data[at] != 46 or data[end - 1] < 49 or data[end - 1] > 57:
            return False, 0, 0
        at += 1
        while at < end:
            if data[at] < 48 or data[at] > 57 or digits >= LIMIT // 10:
                return False, 0, 0
            digits = digits * 10 + np.int64(data[at] - 48)
            behind += 1
            at += 1
    if negative:
        return bool(digits != 0), -int(digits), int(behind)
    return True, int(digits), int(behind)


@inner_kernel
def text_cell(data: NDArray[np.uint8], start: int, end: int, seed: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return the hash of the text ``data[start:end]``."""
    found, digits, behind = _as_number(data, start, end)
    if found:
        return _number_hash(digits, behind, seed)
    return murmur3(data, start, end, seed)


@kernel
def text_cells(data: NDArray[np.uint8], offsets: NDArray[np.int64], seed: np.uint64) -> NDArray[np.uint64]:
    """Return the hashes of texts ``data[offsets[i]:offsets[i + 1]]``: uint64, shape (n, 2)."""
    hashes = np.empty((len(offsets) - 1, 2), np.uint64)
    for i in range(len(offsets) - 1):
        first, second = text_cell(data, offsets[i], offsets[i + 1], seed)
        hashes[i, 0] = first
        hashes[i, 1] = second
    return hashes


@kernel
def integer_cells(values: NDArray[np.int64], seed: np.uint64) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return (hashes of integers, which are left to their texts): uint64, shape (n, 2); bool, shape (n,)."""
    hashes = np.empty((len(values), 2), np.uint64)
    left = np.zeros(len(values), np.bool_)
    for i in range(len(values)):
        value = values[i]
        left[i] = value >= LIMIT or value <= -LIMIT
        first, second = _number_hash(int(value), 0, seed)
        hashes[i, 0] = first
        hashes[i, 1] = second
    return hashes, left


@kernel
def scaled_cells(
    values: NDArray[np.int64], scale: int, seed: np.uint64
) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the same of decimals ``values / 10**scale``."""
    hashes = np.empty((len(values), 2), np.uint64)
    left = np.zeros(len(values), np.bool_)
    for i in range(len(values)):
        digits = values[i]
        behind = scale if digits != 0 else 0
        while behind > 0 and digits % 10 == 0:
            digits //= 10
            behind -= 1
        left[i] = digits >= LIMIT or digits <= -LIMIT or behind > _LONGEST - DIGITS - 3
        first, second = _number_hash(digits, behind, seed)
        hashes[i, 0] = first
        hashes[i, 1] = second
    return hashes, left


@kernel
def float_cells(values: NDArray[np.float64], seed: np.uint64) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the same of floats: of the shortest decimal that is read as the float.

    If x is the float nearest to some decimal of at most 15 digits, it is to no other, and multiplying x by the right
    power of ten gives its digits but for less than a half. So the first power for which the rounded product, divided
    again, is x gives them. Floats that need 16 or 17 digits are left.
    """
    hashes = np.empty((len(values), 2), np.uint64)
    left = np.zeros(len(values), np.bool_)
    for i in range(len(values)):
        x = values[i]
        digits, behind, found = np.int64(0), 0, False
        if np.isfinite(x):
            if x == np.trunc(x):
                if abs(x) < LIMIT:
                    digits, found = np.int64(x), True
            else:
                for k in range(1, _FRACTIONS + 1):
                    scaled = x * _POWERS[k]
                    if abs(scaled) > _EXACT:
                        break
                    rounded = np.rint(scaled)
                    if rounded / _POWERS[k] == x:
                        digits, behind, found = np.int64(rounded), k, True
                        break
        left[i] = not found
        first, second = _number_hash(int(digits), behind, seed)
        hashes[i, 0] = first
        hashes[i, 1] = second
    return hashes, left
