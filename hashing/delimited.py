"""Delimited text to fields: where records and fields are, and the texts of some columns as Arrow lays them out.

Fields may be in quotes (``"``), a quote inside them doubled; lines end with ``\\n``, ``\\r\\n`` or ``\\r``, also inside
quotes, where they are text. Records and fields are those of Python's ``csv.reader(lines, strict=True)``: a quote that
is not the first byte of its field is text; text behind a closing quote makes a record bad, and the next one begins
with the next line.

Sixty-four bytes at a time are compared with the delimiter, the quote and the ends of lines; only these are looked at
one by one, as in simdjson and its likes (Langdale, Lemire, 2019), but quotes are followed in order, because a quote
means something only at the beginning of a field.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .intrinsics import BLOCK, count_ones, load64, mark_block, store64, trailing_zeros
from .kernel import inner_kernel, kernel
from .mix import signed
from .words import decode

GOOD, RAGGED, TEXT_AFTER_QUOTE, UNTERMINATED, NOT_UTF8, BLANK = range(6)
"""What became of a record: it has its fields; more or fewer than the header; text behind a closing quote; a quoted
field without an end; bytes that are not UTF-8; a line without a byte."""

PADDING = BLOCK
"""Bytes behind the text that kernels may read, whatever they hold."""

ALIGNMENT = 64
"""What offsets and texts of a column start at a multiple of, in bytes: Arrow's advice."""

_UNQUOTED, _QUOTED, _CLOSED, _BROKEN = range(4)
_QUOTE, _LF, _CR = np.uint8(34), np.uint8(10), np.uint8(13)
_0, _1 = np.uint64(0), np.uint64(1)
_ONES = np.uint64(0xFFFFFFFFFFFFFFFF)
_BYTE = np.uint64(0xFF)
_HIGH_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64(0x0101010101010101)
_QUOTES = np.uint64(0x2222222222222222)


class Cut(NamedTuple):
    """The records of a stretch of text.

    Attributes:
        rules: uint8, shape (records,): what became of each, blank lines too.
        widths: int32, shape (records,): how many fields each has; 0 for a blank line and where that is not known.
        edges: int32, shape (2 * good records * wanted columns,): of each wanted field where it starts, and its length;
            the bitwise complement of its length if quotes in it are doubled, which is without the second ones.
        stop: where the first record starts that does not end within the text.
        longest: bytes of the longest record, with its line end.
    """

    rules: NDArray[np.uint8]
    widths: NDArray[np.int32]
    edges: NDArray[np.int32]
    stop: int
    longest: int


@kernel
def cut_records(
    data: NDArray[np.uint8], at: int, end: int, final: bool, delimiter: int, wanted: NDArray[np.uint8]
) -> Cut:
    """Find the records of a stretch of text, and the fields of some of their columns.

    Args:
        data: uint8, the text and ``PADDING`` bytes, fewer than 2^31.
        at, end: where the text starts, at the start of a record, and ends.
        final: whether nothing follows, so that the last line needs no end.
        delimiter: a byte.
        wanted: uint8, one for each column: 1 for those to find, else 0.
    """
    room = _marks(data, at, end, delimiter) + 1
    rules, widths, edges = np.empty(room, np.uint8), np.empty(room, np.int32), np.empty(2 * room, np.int32)
    places = np.zeros(len(wanted) + 1, np.uint8)  # fields beyond the header are not wanted
    places[:-1] = wanted
    records, kept, stop, longest = _cut(
        data, at, end, final, delimiter, places, len(wanted), room, True, rules, widths, edges
    )
    return Cut(rules[:records], widths[:records], edges[: 2 * kept], stop, longest)


@kernel
def first_record(data: NDArray[np.uint8], at: int, end: int, final: bool, delimiter: int) -> tuple[int, int, int]:
    """Return (where the first record that is no blank line ends, its line end included; how many blank lines are
    before it; its rule). Where there is none, or it does not end within the text, the first number is -1.
    """
    room = _marks(data, at, end, delimiter) + 1
    rules, widths, edges = np.empty(room, np.uint8), np.empty(room, np.int32), np.empty(2, np.int32)
    places = np.zeros(1, np.uint8)
    records, _, stop, _ = _cut(data, at, end, final, delimiter, places, -1, 1, True, rules, widths, edges)
    if records == 0 or rules[records - 1] == BLANK:
        return -1, records, BLANK
    return stop, records - 1, signed(rules[records - 1])


@kernel
def field_counts(data: NDArray[np.uint8], at: int, end: int, delimiter: int) -> NDArray[np.int32]:
    """Return how many fields each record has: int32; 0 for one that does not parse. Blank lines are left out.

    A first record of one field, or one that does not parse, settles it: what follows is not looked at. Whether the
    text is UTF-8 is not asked.
    """
    room = _marks(data, at, end, delimiter) + 1
    rules, widths, edges = np.empty(room, np.uint8), np.empty(room, np.int32), np.empty(2, np.int32)
    places = np.zeros(1, np.uint8)
    records, _, _, _ = _cut(data, at, end, True, delimiter, places, -1, 1, False, rules, widths, edges)
    if records > 0 and widths[records - 1] > 1:
        records, _, _, _ = _cut(data, at, end, True, delimiter, places, -1, room, False, rules, widths, edges)
    counted = 0
    for i in range(records):
        widths[counted] = widths[i]
        counted += signed(rules[i] != BLANK)
    return widths[:counted].copy()


@kernel
def _marks(data: NDArray[np.uint8], at: int, end: int, delimiter: int) -> int:
    """Return how many delimiters, quotes and ends of lines a text has; some behind its end may count."""
    found = 0
    for base in range(at, end, BLOCK):
        marks, _ = mark_block(data, base, np.uint8(delimiter))
        found += count_ones(marks)
    return found


@kernel
def _cut(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    final: bool,
    delimiter: int,
    places: NDArray[np.uint8],
    width: int,
    most: int,
    checks_utf8: bool,
    rules: NDArray[np.uint8],
    widths: NDArray[np.int32],
    edges: NDArray[np.int32],
) -> tuple[int, int, int, int]:
    """Write what ``Cut`` holds, of at most ``most`` records that are no blank lines.

    Args:
        data, at, end, final, delimiter: as in ``cut_records``.
        places: uint8: for each column 1 if its fields are wanted, and a zero for those beyond.
        width: fields of a good record, or -1 if any number is good.
        most: records that are no blank lines.
        checks_utf8: whether records that are not UTF-8 are bad.
        rules, widths, edges: room for as many as the text has marks, and one.

    Returns:
        (records, wanted fields of good records, stop, longest).
    """
    mark = np.uint8(delimiter)
    last = len(places) - 1
    records, filled, kept, written, longest = 0, 0, 0, 0, 0
    start, field, fields, doubled = at, at, 0, 0  # of the record and its field; quotes doubled in this
    state, closed = _UNQUOTED, 0
    has_high = False
    unended = final and end > at and data[end - 1] != _LF and data[end - 1] != _CR
    limit = end + signed(unended)  # a text without an end of its last line gets one
    for base in range(at, limit, BLOCK):
        marks, high = mark_block(data, base, mark)
        if limit - base <= BLOCK:
            marks = (marks | np.uint64(unended) << np.uint64(end - base)) & _ONES >> np.uint64(BLOCK - (limit - base))
        while marks:
            bit = trailing_zeros(marks)
            marks &= marks - _1
            here = base + bit
            byte = data[here]
            if here == end:
                byte = _LF
            stop = here
            if state == _UNQUOTED:
                if byte == _QUOTE:
                    if here == field:
                        state, field, doubled = _QUOTED, here + 1, 0
                    continue
                if here < start:  # the line feed behind a carriage return
                    continue
            elif state == _QUOTED:
                if byte == _QUOTE:
                    state, closed = _CLOSED, here
                continue
            elif state == _CLOSED:
                if here != closed + 1:
                    state = _BROKEN
                elif byte == _QUOTE:
                    state = _QUOTED
                    doubled += 1
                    continue
                stop = closed
            if state != _BROKEN:
                edges[2 * written] = field
                length = stop - field - doubled
                edges[2 * written + 1] = ~length if doubled else length
                written += places[min(fields, last)]
                fields += 1
                doubled = 0
                if byte == mark:
                    state, field = _UNQUOTED, here + 1
                    continue
            elif byte not in (_LF, _CR):
                continue
            after = min(here + 1, end)
            if byte == _CR:
                if after < end:
                    after += signed(data[after] == _LF)
                elif not final:
                    break  # a line feed may follow
            below = (_1 << np.uint64(bit)) - _1
            has_high |= high & below != _0
            high &= ~below
            rule = GOOD
            if state == _BROKEN:
                rule, fields = TEXT_AFTER_QUOTE, 0
            elif here == start:
                rule, fields = BLANK, 0
            elif has_high and checks_utf8 and not _is_utf8(data, start, here):
                rule = NOT_UTF8
            elif width >= 0 and fields != width:
                rule = RAGGED
            rules[records], widths[records] = rule, fields
            records += 1
            filled += signed(rule != BLANK)
            if rule == GOOD:
                kept = written
            written = kept
            longest = max(longest, after - start)
            start, field, fields, doubled, state, has_high = after, after, 0, 0, _UNQUOTED, False
            if filled == most:
                return records, kept, start, longest
        has_high |= high != _0
    if final and start < end:
        rules[records], widths[records] = UNTERMINATED, 0
        return records + 1, kept, end, max(longest, end - start)
    return records, kept, start, longest


@inner_kernel
def _is_utf8(data: NDArray[np.uint8], at: int, end: int) -> bool:
    """Return whether some bytes are UTF-8 (Unicode 15.0, table 3-7); those behind them must be there."""
    while at < end:
        word = load64(data, at)
        high = word & _HIGH_BITS
        if high == _0:
            at += 8
            continue
        at += trailing_zeros(high) >> 3
        if at >= end:
            break
        _, size, valid = decode(load64(data, at), end - at)
        if not valid:
            return False
        at += size
    return True


@kernel
def gather_texts(
    data: NDArray[np.uint8], edges: NDArray[np.int32], columns: int
) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
    """Copy the texts of fields, column by column, quotes that were doubled single.

    Args:
        data: uint8, the text that was cut, with its padding.
        edges: of ``Cut``.
        columns: how many are wanted, at least one.

    Returns:
        (offsets: int32, shape (columns, a multiple of 16): offsets of column c from the start of its texts, as many as
        it has records, and one; texts: uint8; starts: int64, shape (columns + 1,): where the texts of each begin,
        and where the next ones would).
    """
    rows = len(edges) // (2 * columns)
    lanes = ALIGNMENT // 4
    offsets = np.zeros((columns, (rows + lanes) // lanes * lanes), np.int32)
    starts = np.zeros(columns + 1, np.int64)
    for c in range(columns):
        own = offsets[c]
        size = 0
        for i in range(rows):
            length = signed(edges[2 * (i * columns + c) + 1])
            size += length if length >= 0 else ~length
            own[i + 1] = size
        starts[c + 1] = (starts[c] + size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    texts = np.empty(starts[columns] + PADDING, np.uint8)
    for c in range(columns):
        own, to = offsets[c], texts[starts[c] :]
        for i in range(rows):
            source, at, stop = signed(edges[2 * (i * columns + c)]), signed(own[i]), signed(own[i + 1])
            if edges[2 * (i * columns + c) + 1] >= 0:
                while at < stop:
                    store64(to, at, load64(data, source))
                    at += 8
                    source += 8
            else:
                while at < stop:  # up to the next quote, the one behind which is left out
                    word = load64(data, source)
                    store64(to, at, word)
                    differs = word ^ _QUOTES
                    quotes = (differs - _LOW_BITS) & ~differs & _HIGH_BITS
                    taken = min(8, (trailing_zeros(quotes) >> 3) + 1)
                    at += taken
                    source += taken + signed(quotes != _0)
    return offsets, texts, starts
