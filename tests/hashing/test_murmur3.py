import hypothesis.strategies as st
import mmh3
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.murmur3 import murmur3_all, murmur3_bytes

from .oracle import packed, read_only

SEEDS = [0, 1, 42, 0x9747B28C, 2**32 - 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_length_is_bit_equal_to_mmh3(seed):
    data = bytes((7 * i + 200) % 256 for i in range(64))
    for length in range(65):
        assert murmur3_bytes(data[:length], seed=seed) == mmh3.hash64(data[:length], seed, signed=False), length


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(SEEDS))
def test_random_bytes_are_bit_equal_to_mmh3(data, seed):
    assert murmur3_bytes(data, seed=seed) == mmh3.hash64(data, seed, signed=False)


@pytest.mark.parametrize("seed", SEEDS)
def test_many_texts_at_any_alignment(seed):
    data = np.random.default_rng(0).bytes(3000)
    offsets = np.cumsum([1, *range(65), 0, 1, 16, 500])
    hashes = murmur3_all(np.frombuffer(data, np.uint8), read_only(offsets, np.int64), np.uint64(seed))
    expected = [mmh3.hash64(data[a:b], seed, signed=False) for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
    assert list(map(tuple, hashes.tolist())) == expected


def test_a_text_does_not_see_its_neighbours():
    data, offsets = packed([b"left", b"tamis sifts", b"right"])
    alone, alone_offsets = packed([b"tamis sifts"])
    seed = np.uint64(0)
    assert (murmur3_all(data, offsets, seed)[1] == murmur3_all(alone, alone_offsets, seed)[0]).all()


@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    # MurmurHash3 x64-128 by the mmh3 package: the identity of a text. Changing these is a format change.
    [
        (b"", 0, (0, 0)),
        (b"", 1, (0x4610ABE56EFF5CB5, 0x51622DAA78F83583)),
        (b"tamis", 0, (0x47DE8F35FF384570, 0x106620133C5BB231)),
        ("ß İ ﬃ".encode(), 0, (0xD52123D6FB76FBD2, 0x9C2C8BC33984F8A9)),
        (b"\0", 0, (0x4610ABE56EFF5CB5, 0x51622DAA78F83583)),
        (b"The quick brown fox jumps over the lazy dog", 0, (0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347)),
        (b"x" * 1_000_000, 7, (0xD38E4D52461CFFF3, 0xD5329A41CD198B11)),
    ],
    ids=range(7),
)
def test_golden(data, seed, expected):
    assert murmur3_bytes(data, seed=seed) == expected


@pytest.mark.parametrize("seed", [2**32, 2**63, 2**64 - 1])
def test_a_seed_may_have_64_bits(seed):
    # mmh3 takes 32-bit seeds only; the order of the output rows uses all 64.
    assert murmur3_bytes(b"tamis", seed=seed) != murmur3_bytes(b"tamis", seed=seed % 2**32)
