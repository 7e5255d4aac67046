import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.mix import derive_seed, fmix32, fmix64, scale

from . import oracle

U64S = st.integers(0, oracle.M64)


@pytest.mark.parametrize(
    ("value", "expected"),
    # Of MurmurHash3's finaliser: changing these is a format change.
    [
        (0, 0),
        (1, 0xB456BCFC34C2CB2C),
        (0x0123456789ABCDEF, 0x87CBFBFE89022CEA),
        (oracle.M64, 0x64B5720B4B825F21),
    ],
)
def test_fmix64_golden(value, expected):
    assert fmix64(np.uint64(value)) == expected


@settings(max_examples=300, derandomize=True, deadline=None)
@given(U64S)
def test_fmix64_is_its_definition(value):
    assert fmix64(np.uint64(value)) == oracle.fmix64(value)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(U64S, U64S, st.integers(1, 2**32 - 1))
def test_scale_is_monotone_and_in_range(x, y, n):
    x, y = sorted((x, y))
    low, high = scale(np.uint64(x), np.uint64(n)), scale(np.uint64(y), np.uint64(n))
    assert 0 <= low <= high < n
    assert low == oracle.scale(x, n)


def test_scale_divides_evenly():
    values = (np.arange(1 << 12, dtype=np.uint64) << np.uint64(52)) + np.uint64(1)
    assert np.bincount([scale(value, np.uint64(64)) for value in values]).tolist() == [64] * 64


@pytest.mark.parametrize(
    ("seed", "purpose", "expected"),
    # Changing these is a format change: every random function of a run comes from them.
    [
        (0, "oph", 0xEA246706C9A47B33),
        (0, "donor", 0xE11589883813172F),
        (0, "band", 0xE1D82DA12C7FEBED),
        (0, "minhash 0", 0x9A27DB5130364B30),
        (0, "minhash 255", 0xF4E734E636B6F4C1),
        (1, "oph", 0xC282C13D1700C75B),
        (2**63 - 1, "band", 0xDB3685AE0C66B2DA),
        (-1, "band", 0xC3B3C444F98D1FE5),
        (5, "", 0xC4213A90B4027C58),
    ],
)
def test_derive_seed_golden(seed, purpose, expected):
    assert derive_seed(seed, purpose) == expected


@settings(max_examples=100, derandomize=True, deadline=None)
@given(U64S, st.text(max_size=20))
def test_derive_seed_is_its_definition(seed, purpose):
    assert derive_seed(seed, purpose) == oracle.derive_seed(seed, purpose)


def test_purposes_and_seeds_of_one_run_do_not_share_a_seed():
    purposes = ["oph", "donor", "band", "sketch", "order 0", "order 1", *(f"minhash {i}" for i in range(4096))]
    seeds = [derive_seed(seed, purpose) for seed in (0, 1, 2, 42) for purpose in purposes]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("rest", ["", "a", "nd", "inhash 0", "é"])
def test_a_seed_and_the_first_byte_of_a_purpose_do_not_add_up(rest):
    assert derive_seed(1, "a" + rest) != derive_seed(0, "b" + rest)
    assert derive_seed(0, "a" + rest) != derive_seed(1, "`" + rest)
    sums = {derive_seed(seed, chr(128 - seed) + rest) for seed in range(1, 100)}
    assert len(sums) == 99


@pytest.mark.parametrize("seed", [0, 1, 7, 2**63 - 1, oracle.M64])
def test_no_purpose_continues_another(seed):
    assert derive_seed(derive_seed(seed, "a"), "b") != derive_seed(seed, "ab")
    assert derive_seed(derive_seed(seed, "minhash "), "0") != derive_seed(seed, "minhash 0")
    assert derive_seed(derive_seed(seed, "a"), "") != derive_seed(seed, "a") != derive_seed(derive_seed(seed, ""), "a")
    # The seed from which "b" starts where "a" of this seed ends: only the length tells them apart.
    inner = oracle.fmix64((seed + oracle.GAMMA) & oracle.M64) + ord("a")
    assert derive_seed(inner, "b") != derive_seed(seed, "ab")


def test_seeds_are_taken_modulo_two_to_the_64():
    assert derive_seed(-1, "band") == derive_seed(oracle.M64, "band") != derive_seed(1, "band")
    assert derive_seed(2**64 + 5, "band") == derive_seed(5, "band")


@pytest.mark.parametrize(
    ("value", "expected"),
    # Of MurmurHash3's 32-bit finaliser.
    [(0, 0), (1, 0x514E28B7), (0xFFFFFFFF, 0x81F16F39), (0x12345678, 0xE37CD1BC)],
)
def test_fmix32(value, expected):
    assert fmix32(np.uint32(value)) == oracle.fmix32(value) == expected
