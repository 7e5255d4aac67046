"""Blocked Bloom filters: against sets, against their own theory, and against golden values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.bloom import BloomFilter, check_then_insert, empty_words, places
from tamis.hashing.bloom_rate import block_rates, filter_rate, plan_filter
from tamis.hashing.errors import ConfigError

U64 = (1 << 64) - 1
keys_of = st.lists(st.integers(0, U64), max_size=200).map(lambda keys: np.array(keys, np.uint64))


def fresh(blocks=64, block_bits=1024, hashes=7, salt=1):
    return BloomFilter(empty_words(blocks, block_bits), blocks=blocks, block_bits=block_bits, hashes=hashes, salt=salt)


def fmix(x):
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & U64
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & U64
    return x ^ x >> 33


def bits_of(key, blocks, block_bits, hashes, salt):
    """Return the bits of a key, from the description: high word of a product, then fields of splitmix words."""
    hashed = fmix(key ^ salt)
    block = hashed * blocks >> 64
    width = block_bits.bit_length() - 1
    state, found = hashed, []
    while len(found) < hashes:
        state = (state + 0x9E3779B97F4A7C15) & U64
        word = fmix(state)
        for _ in range(64 // width):
            found.append(block * block_bits + (word & block_bits - 1))
            word >>= width
    return found[:hashes]


@pytest.mark.parametrize(("block_bits", "hashes"), [(512, 1), (512, 8), (1024, 7), (1024, 30), (4096, 39)])
def test_bits_are_those_of_the_description(block_bits, hashes):
    bloom = fresh(1000, block_bits, hashes, salt=77)
    keys = [0, 1, U64, 12345678901234567890]
    bloom.insert(np.array(keys, np.uint64))
    expected = {bit for key in keys for bit in bits_of(key, 1000, block_bits, hashes, 77)}
    found = np.flatnonzero(np.unpackbits(bloom.words.view(np.uint8), bitorder="little"))
    assert set(found.tolist()) == expected


def test_golden_values():
    bloom = fresh(2, 512, 3, salt=5)
    bloom.insert(np.array([1, 2], np.uint64))
    assert {i: hex(word) for i, word in enumerate(bloom.words.tolist()) if word} == {
        4: "0x800000100",
        7: "0x4080000000108",
    }


@settings(deadline=None)  # the first call compiles
@given(keys_of, keys_of)
def test_what_was_inserted_is_found(first, second):
    bloom = fresh()
    bloom.insert(first)
    bloom.insert(second)
    assert bloom.contains(np.concatenate([first, second])).all()


@settings(deadline=None)  # the first call compiles
@given(keys_of)
def test_asking_and_inserting_go_in_order(keys):
    bloom, single = fresh(hashes=20), fresh(hashes=20)
    found = bloom.contains_then_insert(keys)
    one_by_one = []
    for i in range(len(keys)):
        one_by_one.append(bool(single.contains(keys[i : i + 1])[0]))
        single.insert(keys[i : i + 1])
    assert found.tolist() == one_by_one
    assert (bloom.words == single.words).all()


@settings(deadline=None)  # the first call compiles
@given(keys_of, keys_of)
def test_a_merged_filter_is_that_of_all_keys(first, second):
    one, two, both = fresh(), fresh(), fresh()
    one.insert(first)
    two.insert(second)
    both.insert(np.concatenate([first, second]))
    one.merge(two)
    assert (one.words == both.words).all()


def test_filters_of_other_forms_are_not_merged():
    with pytest.raises(ConfigError, match="one form"):
        fresh(salt=1).merge(fresh(salt=2))


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_a_filter_in_parts_is_the_same_filter(parts):
    keys = np.random.default_rng(0).integers(0, U64, 5000, np.uint64)
    whole = fresh(70)
    whole.insert(keys)
    where = places(keys, np.uint64(1), np.uint64(70))
    assert where.min() >= 0
    assert where.max() < 70
    size, found = 70 // parts, []
    for first in range(0, 70, size):
        part = BloomFilter(empty_words(size, 1024), blocks=70, block_bits=1024, hashes=7, salt=1, first=first)
        part.insert(keys[where // size == first // size])
        found.append(part.words)
    assert (np.concatenate(found) == whole.words).all()


@pytest.mark.parametrize(
    "form", [{"block_bits": 1000}, {"blocks": 0}, {"blocks": 1 << 32}, {"hashes": 0}, {"words": np.zeros(3, np.uint64)}]
)
def test_forms_that_cannot_be_are_refused(form):
    with pytest.raises(ConfigError):
        BloomFilter(
            **{"words": np.zeros(16, np.uint64), "blocks": 1, "block_bits": 1024, "hashes": 3, "salt": 0} | form
        )


def test_rates_of_a_block_are_those_of_simulation():
    generator = np.random.default_rng(1)
    for hashes, keys in ((3, 40), (8, 30)):
        throws = generator.integers(0, 512, (4000, keys * hashes))
        fill = np.array([len(np.unique(row)) for row in throws]) / 512
        assert block_rates(512, hashes, keys)[keys] == pytest.approx(np.mean(fill**hashes), rel=0.02)


def test_a_large_block_behaves_like_a_plain_filter():
    load = 4096 * math.log(2) / 10
    assert filter_rate(load, 4096, 10) == pytest.approx(2**-10, rel=0.25)
    assert filter_rate(load, 4096, 10) > 2**-10


@pytest.mark.parametrize(
    ("rate", "block_bits", "most"), [(1e-5, 1024, 1.25), (1e-8, 1024, 1.5), (1e-10, 4096, 1.2), (1e-5, 512, 1.36)]
)
@pytest.mark.parametrize("bands", [9, 28, 42])
def test_sizes_are_near_the_least_of_a_plain_filter(rate, block_bits, most, bands):
    plan = plan_filter(bands=bands, capacity=1_000_000, rate=rate, block_bits=block_bits)
    band = -math.expm1(math.log1p(-rate) / bands)
    least = 1_000_000 * math.log(1 / band) / math.log(2) ** 2
    assert 8 * plan.filter_bytes <= most * least * (1 if bands == 9 else 1.06)
    assert plan.index_rate(plan.capacity) == pytest.approx(rate, rel=0.002)
    assert plan.index_rate(plan.capacity) <= rate


def test_golden_plans():
    plans = [plan_filter(bands=9, capacity=10**6, rate=rate) for rate in (1e-2, 1e-5, 1e-8)]
    assert [(plan.blocks, plan.hashes) for plan in plans] == [(14_372, 9), (32_658, 17), (58_740, 24)]


@pytest.mark.parametrize("rate", [1e-2, 1e-3])
def test_flags_on_distinct_rows_are_as_predicted(rate):
    rows, bands = 60_000, 9
    plan = plan_filter(bands=bands, capacity=rows, rate=rate)
    keys = np.random.default_rng(7).integers(0, U64, (rows, bands), np.uint64)
    flagged = np.zeros(rows, np.bool_)
    for band in range(bands):
        bloom = fresh(plan.blocks, plan.block_bits, plan.hashes, salt=band)
        flagged |= bloom.contains_then_insert(keys[:, band])
        assert bloom.fill == pytest.approx(0.45, abs=0.03)
    expected = plan.expected_flags(rows)
    assert abs(int(flagged.sum()) - expected) < 3.3 * math.sqrt(expected)


def test_flags_that_are_expected_add_up():
    plan = plan_filter(bands=9, capacity=1000, rate=1e-2)
    assert plan.expected_flags(1000) == pytest.approx(sum(plan.index_rate(n) for n in range(1000)), rel=0.01)
    assert plan.expected_flags(400) + plan.expected_flags(600, before=400) == pytest.approx(plan.expected_flags(1000))


@pytest.mark.parametrize("wrong", [{"rate": 0}, {"rate": 1}, {"capacity": 0}, {"bands": 0}, {"block_bits": 100}])
def test_plans_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError):
        plan_filter(**{"bands": 9, "capacity": 10, "rate": 1e-5} | wrong)


def test_a_plan_of_too_many_blocks_is_refused():
    with pytest.raises(ConfigError, match="at most"):
        plan_filter(bands=9, capacity=10**12, rate=1e-10, block_bits=512)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), max_size=60))
def test_check_then_insert_is_the_pass_of_the_paper(rows):
    keys = np.array(rows, np.uint64).reshape(-1, 3)
    blocks, size = 50, 16
    found = check_then_insert(
        empty_words(3 * blocks, 1024),
        np.arange(3) * blocks * size,
        keys,
        np.array([1, 2, 3], np.uint64),
        np.uint64(blocks),
        30,
        10,
    )
    seen, expected = [set(), set(), set()], []
    for row in rows:
        hit = any(key in held for key, held in zip(row, seen, strict=True))
        expected.append(hit)
        if not hit:
            for key, held in zip(row, seen, strict=True):
                held.add(key)
    assert found.tolist() == expected
