import csv
import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.delimited import PADDING, cut_records
from tamis.hashing.field_rows import field_rows
from tamis.pipeline.lake.canonical import cell_hashes, text_seed

texts = st.text(st.sampled_from('ab1-0. ",\né'), max_size=12) | st.integers(-(10**19), 10**19).map(str)


def rows_of(data, wanted, names, places, sets):
    padded = np.frombuffer(data + bytes(PADDING), np.uint8)
    cut = cut_records(padded, 0, len(data), True, ord(","), np.array(wanted, np.uint8))
    seeds = np.array([text_seed(name) for name in names], np.uint64)
    return field_rows(padded, cut.edges, sum(wanted), np.array(places), seeds, np.array(sets, np.bool_))


@given(st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=8))
@settings(max_examples=120, derandomize=True, deadline=None)
def test_as_the_hashes_of_columns(rows):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    found = rows_of(stream.getvalue().encode(), [1, 0, 1], ["x", "y", "z"], [0, 1, 1], [[1, 1, 0], [0, 0, 1], [0] * 3])
    x, y, z = (cell_hashes(name, pa.array([row[at] for row in rows])) for name, at in [("x", 0), ("y", 2), ("z", 2)])
    np.testing.assert_array_equal(found, [x + y, z, np.zeros_like(x)])


@pytest.mark.parametrize(("text", "of"), [(b"2.5", "2.5"), (b'"a""b"', 'a"b'), (b'""""', '"'), (b"", ""), (b'""', "")])
def test_single_fields(text, of):
    found = rows_of(b"k," + text + b"\n", [0, 1], ["c"], [0], [[1]])
    np.testing.assert_array_equal(found, [cell_hashes("c", pa.array([of]))])


def test_golden_values():
    found = rows_of(b'1,"a ""b"""\n', [1, 1], ["n", "t"], [0, 1], [[1, 1]])
    assert found.tolist() == [[[13826899861986747150, 8736325623047715284]]]
