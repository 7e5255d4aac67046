import doctest

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.reader import order as module
from tamis.reader.order import GROUPS, ROWS, SOURCES, Order, Sequence, Shape, keys

from . import oracle


@pytest.mark.parametrize(
    ("label", "seed", "epoch", "number", "expected"),
    # Changing these is a format change: order-v1 is what others implement, too.
    [
        (0, 0, 0, 0, 0xE220A8397B1DCDAF),  # the first number of SplitMix64 from state 0, as published
        (GROUPS, 0, 0, 0, 0x1A2A69903431E5B4),
        (ROWS, 0, 0, 0, 0xDF0B030B29566B62),
        (ROWS, 0, 0, 1, 0xB06BE6CA80F99E70),
        (ROWS, 7, 3, 123_456_789_012, 0xA32793EEC448E13F),
        (SOURCES, 2**64 - 1, 1, 5, 0x55C0344EA148CADB),
    ],
)
def test_keys_golden(label, seed, epoch, number, expected):
    assert keys(label, seed, epoch, np.array([number])).tolist() == [expected]


def test_the_order_golden():
    order = Order(Shape(5, 4, 3), seed=1, epoch=0, streams=2, window=2, chunk=2)
    assert order.groups.tolist() == [0, 1, 4, 3, 2]  # streams: 0 and 4, 1 and 3; 2 is left for the pool
    assert [order.permutation(part)[1].tolist() for part in range(order.parts)] == [
        [18, 19, 3, 17, 2, 1, 16, 0],
        [6, 5, 15, 13, 12, 4, 7, 14],
        [9, 11, 10, 8],
        [21, 20, 22],
    ]
    expected = [18, 19, 6, 5, 3, 17, 15, 13, 2, 1, 12, 4, 16, 0, 7, 14, 9, 11, 10, 8, 21, 20, 22]
    assert order.rows().tolist() == expected


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(1, 3), st.integers(0, 2**64 - 1), st.integers(0, 2**40), st.integers(0, 2**48))
def test_keys_are_their_definition(label, seed, epoch, number):
    assert int(keys(label, seed, epoch, np.array([number]))[0]) == oracle.key(label, seed, epoch, number)


@st.composite
def orders(draw):
    group_rows = draw(st.sampled_from([1, 2, 4, 8, 16]))
    files, groups = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    tail = draw(st.integers(0, max(1, files) * group_rows))
    return Order(
        Shape(files * groups, group_rows, tail),
        seed=draw(st.integers(0, 5)),
        epoch=draw(st.integers(0, 3)),
        streams=draw(st.sampled_from([1, 2, 3, 4, 6, 12])),
        window=draw(st.integers(1, 5)),
        chunk=draw(st.sampled_from([c for c in (1, 2, 4, 8) if group_rows % c == 0])),
    )


@settings(max_examples=200, derandomize=True, deadline=None)
@given(orders())
def test_an_order_is_the_permutation_that_its_specification_says(order):
    expected = oracle.sequence(
        groups=order.shape.groups,
        group_rows=order.shape.group_rows,
        tail_rows=order.shape.tail_rows,
        **{name: getattr(order, name) for name in ("seed", "epoch", "streams", "window", "chunk")},
    )
    assert order.rows().tolist() == expected
    assert sorted(expected) == list(range(order.shape.rows))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(orders())
def test_chunks_are_where_their_places_say(order):
    rows = order.rows()
    for chunk in range(order.chunks):
        part, start = order.place(chunk)
        found = order.permutation(part)[1][start : start + order.chunk_rows(chunk)]
        assert found.tolist() == rows[chunk * order.chunk :][: order.chunk].tolist()


def test_epochs_and_seeds_have_orders_of_their_own():
    shape = Shape(12, 16, 5)
    found = {
        tuple(Order(shape, seed=seed, epoch=epoch, streams=2, window=2, chunk=4).rows())
        for seed in range(3)
        for epoch in range(3)
    }
    assert len(found) == 9


def test_a_stream_reads_its_own_groups():
    order = Order(Shape(12, 8, 0), seed=0, epoch=0, streams=3, window=2, chunk=2)
    read = [set(), set(), set()]
    for chunk in range(order.stream_chunks):
        part, _ = order.place(chunk)
        read[chunk % 3] |= {first // 8 for first, _ in order.runs(part)}
    assert [len(groups) for groups in read] == [4, 4, 4]
    assert set.union(*read) == set(range(12))


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), st.sampled_from([1, 2, 4, 8]))
def test_sets_follow_one_another_but_for_the_rows_of_short_chunks(sizes, chunk):
    sequence = Sequence(tuple(sizes), chunk)
    found = [
        (piece.of, piece.chunk * chunk + piece.start + i)
        for piece in sequence.pieces(0, sequence.rows)
        for i in range(piece.rows)
    ]
    full = [(of, row) for of, rows in enumerate(sizes) for row in range(rows - rows % chunk)]
    short = [(of, row) for of, rows in enumerate(sizes) for row in range(rows - rows % chunk, rows)]
    assert found == full + short


def test_after_the_last_row_comes_the_first():
    sequence = Sequence((5,), 2)
    assert [(piece.chunk, piece.start, piece.rows) for piece in sequence.pieces(4, 8)] == [
        (2, 0, 1),
        (0, 0, 2),
        (1, 0, 1),
    ]


def test_examples():
    assert doctest.testmod(module).failed == 0
