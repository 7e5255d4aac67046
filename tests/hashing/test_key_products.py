import doctest
from itertools import product

import numpy as np

from tamis.hashing import key_products
from tamis.hashing.key_blocks import Keys
from tamis.hashing.key_products import product_keys

from . import oracle


def keys(rows):
    return Keys(np.cumsum([0, *map(len, rows)]), np.array([key for row in rows for key in row], np.uint64))


def test_examples():
    assert doctest.testmod(key_products) == (0, 2)


def test_products_are_those_of_itertools():
    one, other = [[1, 2**64 - 1], [3], [], [4]], [[5, 6, 7], [2**63], [8], []]
    found = product_keys(keys(one), keys(other))
    mixed = [
        oracle.fmix64(((a ^ b) * oracle.GAMMA + b) & oracle.M64)
        for row, more in zip(one, other, strict=True)
        for a, b in product(row, more)
    ]
    assert found.bounds.tolist() == [0, 6, 7, 7, 7]
    assert found.values.tolist() == mixed
    assert len(set(mixed)) == 7


def test_golden_key():
    assert product_keys(keys([[1]]), keys([[2]])).values.tolist() == [GOLDEN]
    assert product_keys(keys([[2]]), keys([[1]])).values.tolist() != [GOLDEN]


GOLDEN = 1912239798443316361
