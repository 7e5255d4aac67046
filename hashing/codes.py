"""Binary codes: the signs of a record's values, their bands, and how many bits two codes differ in.

A code of ``bits`` bits lies in uint64 words, bit i in word i // 64 at place i % 64, counted from the lowest. Bits of
the last word behind the code are 0.
"""

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError, InputError
from .intrinsics import count_ones
from .kernel import inner_kernel, kernel

WORD = 64
"""Bits of a word, and the most that a band can have."""


def pack_signs(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return codes: bit i is 1 where value i is 0 or above, a negative zero too.

    Args:
        values: float32, shape (n, bits); infinite ones are allowed.

    Returns:
        uint64, shape (n, ceil(bits / 64)).

    Raises:
        InputError: a value is NaN, which has no sign, or there are no bits.

    >>> pack_signs(np.array([[0.5, -1.0, 0.0]], np.float32)).tolist()
    [[5]]
    """
    if values.ndim != 2 or not values.shape[1]:
        raise InputError(
            "codes are made of a table of values, at least one a record",
            value=f"an array of shape {values.shape}",
            remedy="Give values of shape (records, bits).",
        )
    wrong = np.isnan(values).any(axis=1)
    if wrong.any():
        raise InputError(
            "a value of a code is a number",
            value=f"NaN in {int(wrong.sum()):,} records, the first in row {int(wrong.argmax())}",
            remedy="Mend what makes the values, or leave such records out. Rows count from 0.",
        )
    packed = np.packbits(values >= 0, axis=1, bitorder="little")
    codes = np.zeros((len(values), 8 * words_of(values.shape[1])), np.uint8)
    codes[:, : packed.shape[1]] = packed
    return codes.view("<u8")


def words_of(bits: int) -> int:
    """Return how many words a code has."""
    return -(-bits // WORD)


def check_codes(codes: NDArray[np.uint64], bits: int) -> None:
    """Make sure that codes are such of so many bits.

    Raises:
        InputError: they are not, or a bit behind them is set.
    """
    if codes.dtype != np.uint64 or codes.ndim != 2 or bits < 1 or codes.shape[1] != words_of(bits):
        raise InputError(
            f"codes of {bits} bits are uint64 of shape (records, {words_of(max(bits, 1))})",
            value=f"{codes.dtype} of shape {codes.shape}",
            remedy="Make them with `pack_signs`, and say how many bits they have.",
        )
    spare = bits % WORD
    if spare and (codes[:, -1] >> np.uint64(spare)).any():
        raise InputError(
            f"codes of {bits} bits have zeros behind their bits",
            value=f"{int((codes[:, -1] >> np.uint64(spare) != 0).sum()):,} codes that do not",
            remedy="Make them with `pack_signs`, and say how many bits they have.",
        )


def check_bands(bands: int, width: int, bits: int) -> None:
    """Make sure that codes of so many bits can be cut into such bands.

    Raises:
        ConfigError: they cannot.
    """
    if bands < 1 or not 1 <= width <= WORD or bands * width > bits:
        raise ConfigError(
            f"a code of {bits} bits has at least one band, of 1 to {WORD} bits, and no more bits in bands than it has",
            value=f"{bands} bands of {width} bits",
            remedy="Make bands fewer or narrower, or the code longer.",
        )


def band_keys(codes: NDArray[np.uint64], bands: int, width: int) -> NDArray[np.uint64]:
    """Return the bits of each band as a number: band j has the bits ``j * width`` to ``(j + 1) * width - 1``.

    Args:
        codes: uint64, shape (n, words).
        bands, width: how many bands, and the bits of each; bits behind the last band are in none.

    Returns:
        uint64, shape (n, bands); the lowest bit of a band is the lowest of its key.

    Raises:
        ConfigError: the codes have fewer bits.

    >>> band_keys(np.array([[0x4321]], np.uint64), 4, 4).tolist()
    [[1, 2, 3, 4]]
    """
    check_bands(bands, width, WORD * codes.shape[1])
    keys = np.empty((len(codes), bands), np.uint64)
    _write_keys(np.ascontiguousarray(codes), width, keys)
    return keys


@kernel
def _write_keys(codes: NDArray[np.uint64], width: int, keys: NDArray[np.uint64]) -> None:
    mask = ~np.uint64(0) >> np.uint64(WORD - width)
    for i in range(len(codes)):
        for band in range(keys.shape[1]):
            word, place = divmod(band * width, WORD)
            key = codes[i, word] >> np.uint64(place)
            if place + width > WORD:  # the rest is in the next word; place is above 0 here
                key |= codes[i, word + 1] << np.uint64(WORD - place)
            keys[i, band] = key & mask


@inner_kernel
def differing_bits(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> int:
    """Return the Hamming distance of two codes of as many words."""
    total = 0
    for word in range(len(one)):
        total += count_ones(one[word] ^ other[word])
    return total


@kernel
def hamming(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return how many bits differ between codes, pair by pair.

    Args:
        one, other: uint64, shape (n, words).

    Returns:
        int64, shape (n,).
    """
    distances = np.empty(len(one), np.int64)
    for i in range(len(one)):
        distances[i] = differing_bits(one[i], other[i])
    return distances
