"""Buckets against a dictionary of rows by key."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.band_index import asking_rows, band_index
from tamis.hashing.codes import band_keys
from tamis.hashing.errors import ConfigError

CODES = st.tuples(st.integers(0, 12), st.integers(1, 2)).flatmap(
    lambda shape: arrays(np.uint64, shape, elements=st.one_of(st.integers(0, 7), st.integers(0, 2**64 - 1)))
)


def by_key(keys):
    buckets = {}
    for row, some in enumerate(keys.tolist()):
        for band, key in enumerate(some):
            buckets.setdefault((band, key), []).append(row)
    return buckets


def listed(index):
    """Return the rows of each bucket that has some."""
    bounds = zip(index.starts, index.starts[1:], strict=False)
    places = [bucket for bucket, (a, b) in enumerate(bounds) if b > a]
    bands, keys = index.bucket_keys(np.array(places, np.int64))
    rows = [index.rows[index.starts[bucket] : index.starts[bucket + 1]].tolist() for bucket in places]
    return dict(zip(zip(bands.tolist(), keys.tolist(), strict=True), rows, strict=True))


@settings(max_examples=150, derandomize=True, deadline=None)
@given(CODES, st.integers(1, 64), CODES, st.data())
def test_rows_stand_in_their_buckets(codes, width, others, data):
    bands = data.draw(st.integers(1, 64 * codes.shape[1] // width))
    index = band_index(codes, bands, width, 5)
    expected = by_key(band_keys(codes, bands, width))
    assert list(listed(index).items()) == sorted(expected.items())
    if others.shape[1] >= codes.shape[1]:
        asking = band_keys(others, bands, width)
        counts = asking_rows(index, asking)
        bands_of, keys_of = index.bucket_keys(np.arange(len(counts)))
        wanted = by_key(asking)
        places = zip(bands_of.tolist(), keys_of.tolist(), strict=True)
        assert counts.tolist() == [len(wanted.get(place, [])) for place in places]


def test_few_keys_have_a_place_each_and_many_do_not():
    codes = np.arange(64, dtype=np.uint64)[:, None]
    assert band_index(codes, 2, 8, 1).whole
    assert not band_index(codes, 2, 9, 1).whole
    assert listed(band_index(codes[:3], 1, 64, 1)) == {(0, 0): [0], (0, 1): [1], (0, 2): [2]}


def test_a_bucket_has_room():
    with pytest.raises(ConfigError, match="at least one row"):
        band_index(np.zeros((1, 1), np.uint64), 1, 8, 0)
