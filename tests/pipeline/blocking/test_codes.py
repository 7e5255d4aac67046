"""Pairs of buckets against all pairs in plain Python."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.codes import band_keys, pack_signs
from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.probes import flip_order
from tamis.pipeline.blocking.codes import code_search
from tamis.pipeline.blocking.pairs import check_pairs
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import Block, Found, found_pairs

FEW = st.floats(-2, 2, width=16)


def records(n):
    return read_records(pa.table({"id": [f"{i:03}" for i in range(n)]}), "id")


def asked(search, cuts=()):
    """Ask in ranges and return what was found as one list."""
    bounds = [0, *cuts, len(search)]
    found = Found.of([search(a, b) for a, b in zip(bounds, bounds[1:], strict=False)])
    return list(zip(found.queries.tolist(), found.rows.tolist(), found.scores.tolist(), strict=True))


def expected(left, right, k, bands, width, probes, max_bucket):
    """Return what is to be found by the values of both sides; the right is None within one table."""
    searched = left if right is None else right
    asking, keys = (band_keys(pack_signs(values), bands, width).tolist() for values in (left, searched))
    flips = flip_order(left, bands, width, probes)
    bits = left.shape[1]
    found = []
    for q, mine in enumerate(asking):
        some = []
        for row, other in enumerate(keys):
            used = False
            for band in range(bands):
                looked = [mine[band], *(mine[band] ^ int(flip) for flip in flips[q, band])]
                size = sum(key[band] == other[band] for key in keys)
                used |= other[band] in looked and size <= max_bucket
            if used and not (right is None and q == row):
                differ = int(((left[q] >= 0) != (searched[row] >= 0)).sum())
                some.append((q, row, 1.0 - differ / bits))
        found += sorted(some, key=lambda one: (-one[2], one[1]))[:k]
    return found


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(1, 3), st.integers(1, 5), st.integers(0, 4), st.sampled_from([None, 1, 3]), st.booleans(), st.data())
def test_pairs_are_those_of_shared_buckets(bands, width, probes, k, dirty, data):
    bits = bands * width + data.draw(st.integers(0, 3))
    left = data.draw(arrays(np.float32, (data.draw(st.integers(0, 12)), bits), elements=FEW))
    right = None if dirty else data.draw(arrays(np.float32, (data.draw(st.integers(0, 12)), bits), elements=FEW))
    most = data.draw(st.integers(1, 6))
    search = code_search(
        pack_signs(left),
        None if right is None else pack_signs(right),
        k,
        bands=bands,
        width=width,
        bits=bits,
        probes=probes,
        max_bucket=most,
        values=left,
    )
    assert asked(search) == expected(left, right, k, bands, width, probes, most)
    assert asked(search, [len(left) // 3, len(left) // 2]) == asked(search)
    assert asked(pickle.loads(pickle.dumps(search))) == asked(search)


def test_by_hand():
    left = np.array([[0b0000_0000], [0b1111_0000], [0b0110_0110]], np.uint64)
    right = np.array([[0b0000_0011], [0b1111_0001], [0b0000_0000], [0b1001_0110]], np.uint64)
    search = code_search(left, right, None, bands=2, width=4, bits=8, name="heads")
    assert asked(search) == [(0, 2, 1.0), (0, 0, 0.75), (1, 1, 0.875), (1, 2, 0.5), (2, 3, 0.5)]
    assert asked(code_search(left, right, 1, bands=2, width=4, bits=8)) == [(0, 2, 1.0), (1, 1, 0.875), (2, 3, 0.5)]
    assert asked(code_search(left, right, 1, bands=1, width=4, bits=8)) == [(0, 2, 1.0), (1, 2, 0.5), (2, 3, 0.5)]
    pairs = found_pairs(search, records(3), records(4))
    assert [tuple(row.values()) for row in pairs.to_pylist()][:2] == [
        ("000", "002", 1.0, "heads", 1),
        ("000", "000", 0.75, "heads", 2),
    ]


def test_within_one_table():
    codes = np.array([[0x11], [0x12], [0x11], [0x77]], np.uint64)
    search = code_search(codes, None, 1, bands=2, width=4, bits=8)
    assert asked(search) == [(0, 2, 1.0), (1, 0, 0.75), (2, 0, 1.0)]
    pairs = found_pairs(search, records(4), None)
    assert [tuple(row.values()) for row in pairs.to_pylist()] == [
        ("000", "001", 0.75, "learned", 1),
        ("000", "002", 1.0, "learned", 1),
    ]
    check_pairs(pairs)


def test_vectors_score_what_codes_find():
    codes = np.array([[1], [1], [1], [2]], np.uint64)
    vectors = np.array([[1.0, 0.0], [0.5, 0.5], [0.75, 0.0], [9.0, 9.0]], np.float32)
    search = code_search(codes, None, 2, bands=1, width=8, vectors=(vectors, None))
    assert asked(search) == [(0, 2, 0.75), (0, 1, 0.5), (1, 0, 0.5), (1, 2, 0.375), (2, 0, 0.75), (2, 1, 0.375)]
    two = code_search(codes[3:], codes, 1, bands=1, width=8, probes=8, vectors=(vectors[3:], vectors))
    assert asked(two) == [(0, 3, 162.0)]


def test_probes_find_what_differs_in_a_bit():
    codes = np.array([[0b0000], [0b0100]], np.uint64)
    values = np.array([[-1.0, -1.0, -0.5, -1.0], [-1.0, -1.0, 0.5, -1.0]], np.float32)
    assert asked(code_search(codes, None, 1, bands=1, width=4, bits=4)) == []
    by_place = [asked(code_search(codes, None, 1, bands=1, width=4, bits=4, probes=n)) for n in (2, 3)]
    assert by_place == [[], [(0, 1, 0.75), (1, 0, 0.75)]]
    assert asked(code_search(codes, None, 1, bands=1, width=4, bits=4, probes=1, values=values)) == by_place[1]


def test_large_buckets_are_passed_over_and_counted():
    codes = np.array([[0x11]] * 4 + [[0x21], [0x22]], np.uint64)
    search = code_search(codes, None, None, bands=2, width=4, bits=8, max_bucket=3)
    blocks = search.blocks
    assert asked(search) == [(4, 5, 0.75), (5, 4, 0.75)]
    assert (blocks.count, blocks.purged, blocks.purged_pairs) == (3, 2, 16)
    assert blocks.largest == (
        Block("band 00: 1", 5, 5, True),
        Block("band 01: 1", 4, 4, True),
        Block("band 01: 2", 2, 2, False),
    )
    assert len(asked(code_search(codes, None, None, bands=2, width=4, bits=8, max_bucket=5))) == 22


def test_large_buckets_are_those_of_searched_records():
    few, many = np.array([[0x11], [0x31]], np.uint64), np.array([[0x11]] * 5, np.uint64)
    search = code_search(few, many, None, bands=2, width=4, bits=8, max_bucket=4)
    assert asked(search) == []
    assert search.blocks.largest == (Block("band 00: 1", 2, 5, True), Block("band 01: 1", 1, 5, True))
    assert (search.blocks.purged, search.blocks.purged_pairs) == (2, 15)
    turned = code_search(many, few, None, bands=2, width=4, bits=8, max_bucket=4)
    assert len(asked(turned)) == 10
    assert (turned.blocks.count, turned.blocks.purged) == (2, 0)


def test_the_ten_largest_buckets_are_shown():
    codes = np.repeat(np.arange(20, dtype=np.uint64), np.arange(20) % 7 + 1)[:, None]
    largest = code_search(codes, None, 1, bands=1, width=64).blocks.largest
    assert [(block.key, block.left) for block in largest] == [
        (f"band 00: {key:016x}", size) for key, size in [(6, 7), (13, 7), (5, 6), (12, 6), (19, 6)]
    ] + [(f"band 00: {key:016x}", size) for key, size in [(4, 5), (11, 5), (18, 5), (3, 4), (10, 4)]]


def test_threads_change_nothing():
    rng = np.random.default_rng(8)
    values = rng.standard_normal((700, 64)).astype(np.float32)
    values[350:] = values[:350] + rng.standard_normal((350, 64)).astype(np.float32) / 8
    search = code_search(pack_signs(values), None, 3, bands=8, width=8, probes=4, values=values)
    one = found_pairs(search, records(700), None, threads=1)
    assert one == found_pairs(search, records(700), None, threads=4)
    pairs = zip(one["left_id"].to_pylist(), one["right_id"].to_pylist(), strict=True)
    assert sum(int(b) == int(a) + 350 for a, b in pairs) == 350


def test_empty_tables():
    some, none = np.zeros((2, 1), np.uint64), np.zeros((0, 1), np.uint64)
    for left, right in ((some, none), (none, some), (none, none), (none, None), (some[:1], None)):
        for k in (None, 3):
            search = code_search(left, right, k, bands=4, width=16, probes=2)
            assert asked(search) == []
            assert (search.blocks.count, search.blocks.largest) == (0, ())
            assert found_pairs(search, records(len(left)), None if right is None else records(len(right))).num_rows == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"k": 0}, "k is at least 1"),
        ({"bands": 5}, "a code of 64 bits has at least one band"),
        ({"bits": 60}, "a code of 60 bits has at least one band"),
        ({"probes": -1}, "0 or more buckets"),
        ({"max_bucket": 0}, "at least one row"),
    ],
)
def test_settings_that_cannot_be(wrong, said):
    with pytest.raises(ConfigError, match=said):
        code_search(np.zeros((2, 1), np.uint64), None, **{"k": 1, "bands": 4, "width": 16, **wrong})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bits": 65}, "codes of 65 bits are uint64"),
        ({"right": np.zeros((2, 2), np.uint64)}, "codes of 64 bits are uint64"),
        ({"values": np.zeros((2, 63), np.float32)}, "each bit of a code that asks has a value"),
        ({"values": np.full((2, 64), np.nan, np.float32)}, "a value of a code is a number"),
        ({"vectors": (np.zeros((1, 3), np.float32), None)}, "each code has a vector"),
        ({"vectors": (np.zeros((2, 0), np.float32), None)}, "each code has a vector"),
        ({"vectors": (np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32))}, "given once"),
        ({"vectors": (np.full((2, 3), np.inf, np.float32), None)}, "are finite"),
    ],
)
def test_arrays_that_do_not_fit(wrong, said):
    settings = {"right": None, "bands": 4, "width": 8, **wrong}
    with pytest.raises(InputError, match=said):
        code_search(np.zeros((2, 1), np.uint64), settings.pop("right"), 1, **settings)
