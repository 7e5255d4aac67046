import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.distinct_rows import distinct_rows
from tamis.pipeline.lake.canonical import contents_of

BITS = (1 << 30) - 1
halves = st.sampled_from([0, 1, 2**63 - 1, 2**63, 2**64 - 1, 12345 << 40, 99])
sets = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(st.tuples(halves, halves), min_size=width, max_size=width), max_size=40)
    .map(lambda rows: np.array(rows, np.uint64).reshape(len(rows), width, 2).transpose(1, 0, 2).copy())
)  # fmt: skip


def signed(value):
    return int(value) - 2**64 if value >= 2**63 else int(value)


def expected(prints, addresses):
    found = {}
    for (high, low), address in zip(prints.tolist(), addresses.tolist(), strict=True):
        first, rows = found.get((signed(high), signed(low)), (address, 0))
        found[signed(high), signed(low)] = (min(first, address), rows + 1)
    return [(*key, *found[key]) for key in sorted(found)]


def check(prints, addresses):
    found = distinct_rows(prints, addresses, BITS)
    begin = 0
    for one, end, of_check, bag in zip(prints, found.ends.tolist(), found.checks.tolist(), found.bags, strict=True):
        rows = list(zip(*(column[begin:end].tolist() for column in found[:4]), strict=True))
        assert rows == expected(one, addresses)
        assert of_check == sum(low & BITS for _, low, _, _ in rows)
        assert tuple(bag.tolist()) == contents_of(one)
        begin = end
    assert len(found.high) == begin


@given(sets, st.randoms(use_true_random=False))
@settings(max_examples=150, derandomize=True, deadline=None)
def test_as_a_dictionary_does(prints, random):
    addresses = random.sample(range(100), prints.shape[1])
    check(prints, np.array(addresses, np.int64))


def test_many_rows():
    rng = np.random.Generator(np.random.PCG64(1))
    prints = rng.integers(0, 2**64, (2, 3000, 2), np.uint64)
    prints[1] = prints[1, rng.integers(0, 50, 3000)]
    check(prints, np.arange(3000))
