"""Paragraphs of texts: where they are, what they hold, and texts without some of them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .kernel import kernel
from .read_only import read_only

_NEWLINE = 10


class Paragraphs(NamedTuple):
    """Paragraphs of some texts, in order.

    Attributes:
        text: int64, which text each is of.
        start, stop: int64, its bytes in that text, the newline behind it included.
        data: uint8, contents one after another: without the spaces, tabs and returns around them.
        offsets: int64, shape (n + 1,): where each content starts in ``data``.
    """

    text: NDArray[np.int64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]


def paragraphs(data: NDArray[np.uint8], offsets: NDArray[np.int64], least: int) -> Paragraphs:
    """Return the lines of texts whose content has at least so many bytes.

    Args:
        data: uint8, UTF-8 texts one after another.
        offsets: int64, shape (n + 1,).
        least: bytes.

    >>> found = paragraphs(np.frombuffer(b"one line\\n\\n  another\\n", np.uint8), np.array([0, 20]), 3)
    >>> found.start.tolist(), found.stop.tolist(), bytes(found.data)
    ([0, 10], [9, 20], b'one lineanother')
    """
    text, start, stop, first, last = _lines(read_only(data), read_only(offsets), least)
    sizes = last - first
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Paragraphs(text, start, stop, _gathered(data, first, ends), ends)


@kernel
def _lines(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], least: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return text, start, stop, and where the content begins and ends in ``data``, of each line that is long enough."""
    room = np.empty((5, 64), np.int64)
    count = 0
    for i in range(len(offsets) - 1):
        begin = offsets[i]
        while begin < offsets[i + 1]:
            end = begin
            while end < offsets[i + 1] and data[end] != _NEWLINE:
                end += 1
            first, last = begin, end
            while first < last and (data[first] == 32 or data[first] == 9 or data[first] == 13):
                first += 1
            while last > first and (data[last - 1] == 32 or data[last - 1] == 9 or data[last - 1] == 13):
                last -= 1
            behind = min(end + 1, offsets[i + 1])
            if last - first >= least:
                if count == room.shape[1]:
                    larger = np.empty((5, 2 * count), np.int64)
                    larger[:, :count] = room
                    room = larger
                room[0, count], room[1, count], room[2, count] = i, begin - offsets[i], behind - offsets[i]
                room[3, count], room[4, count] = first, last
                count += 1
            begin = behind
    return (
        room[0, :count].copy(),
        room[1, :count].copy(),
        room[2, :count].copy(),
        room[3, :count].copy(),
        room[4, :count].copy(),
    )


@kernel
def _gathered(data: NDArray[np.uint8], first: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    out = np.empty(ends[-1], np.uint8)
    for i in range(len(first)):
        for j in range(ends[i + 1] - ends[i]):
            out[ends[i] + j] = data[first[i] + j]
    return out


@kernel
def without(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    bounds: NDArray[np.int64],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts without some of their bytes, as (data, offsets).

    Args:
        data, offsets: the texts.
        bounds: int64, shape (n + 1,): cuts of text i are ``bounds[i]:bounds[i + 1]``.
        starts, stops: int64, bytes of each cut in its text, ascending and apart within a text.
    """
    out, ends = np.empty(len(data), np.uint8), np.zeros(len(offsets), np.int64)
    to = 0
    for i in range(len(offsets) - 1):
        at = offsets[i]
        for cut in range(bounds[i], bounds[i + 1]):
            while at < offsets[i] + starts[cut]:
                out[to] = data[at]
                to += 1
                at += 1
            at = offsets[i] + stops[cut]
        while at < offsets[i + 1]:
            out[to] = data[at]
            to += 1
            at += 1
        ends[i + 1] = to
    return out[:to].copy(), ends


@kernel
def blank(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which texts hold nothing but ASCII white space: bool, shape (n,)."""
    found = np.ones(len(offsets) - 1, np.bool_)
    for i in range(len(offsets) - 1):
        for at in range(offsets[i], offsets[i + 1]):
            byte = data[at]
            if byte != 32 and not 9 <= byte <= 13:
                found[i] = False
                break
    return found
