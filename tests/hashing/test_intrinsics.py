import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from tamis.hashing.intrinsics import (
    BLOCK,
    NUMBERS,
    STRIP,
    count_ones,
    higher,
    least_rows,
    load64,
    mark_block,
    sift_block,
    store64,
    trailing_zeros,
    unlike,
)

from . import oracle


@njit
def _load_all(data):
    words = np.empty(len(data) - 7, np.uint64)
    for i in range(len(words)):
        words[i] = load64(data, i)
    return words


def test_load64_reads_little_endian_words_at_any_offset():
    data = bytes(range(250, 256)) + bytes(range(40))
    expected = [int.from_bytes(data[i : i + 8], "little") for i in range(len(data) - 7)]
    assert _load_all(np.frombuffer(data, np.uint8)).tolist() == expected


def test_load64_reads_through_views():
    data = np.arange(64, dtype=np.uint8)
    assert _load_all(data[13:]).tolist() == _load_all(data).tolist()[13:]


@njit
def _store(data, at, word):
    store64(data, at, word)


@pytest.mark.parametrize("at", [0, 1, 5, 8])
def test_store64_writes_eight_bytes_and_no_others(at):
    data = np.full(16, 7, np.uint8)
    _store(data, at, np.uint64(0x0807060504030201))
    assert data.tolist() == [7] * at + [1, 2, 3, 4, 5, 6, 7, 8] + [7] * (8 - at)


@njit
def _trailing(x):
    return trailing_zeros(x)


def test_trailing_zeros():
    assert [_trailing(np.uint64(x)) for x in (0, 1, 8, 0xF0, 1 << 63)] == [64, 0, 3, 4, 63]


@njit
def _sift(data, at, out, to):
    return sift_block(data, at, out, to)


@pytest.mark.parametrize("at", [0, 3, 64])
def test_sift_block_classifies_and_folds_every_byte(at):
    for first in range(0, 256, BLOCK):
        block = bytes(range(first, first + BLOCK))
        data = np.frombuffer(bytes(at) + block + b"??", np.uint8)
        out = np.full(BLOCK + 10, 9, np.uint8)
        members, high = _sift(data, at, out, 4)
        ascii_word = [chr(byte).isascii() and (chr(byte).isalnum() or byte == 95) for byte in block]
        assert [members >> i & 1 for i in range(BLOCK)] == [*map(int, ascii_word)]
        assert [high >> i & 1 for i in range(BLOCK)] == [int(byte >= 128) for byte in block]
        folded = [byte + 32 if 65 <= byte <= 90 else byte for byte in block]
        assert out.tolist() == [9] * 4 + folded + [9] * 6


@njit
def _unlike(words, at, mark):
    return unlike(words, at, mark)


@pytest.mark.parametrize("mark", [0, oracle.M64, 12])
def test_unlike(mark):
    words = np.full(130, mark, np.uint64)
    for place in (1, 2, 40, 64, 65, 129):
        words[place] = mark ^ (1 << place % 64)
    for at in (0, 1, 64, 66):
        found = _unlike(words, at, np.uint64(mark))
        assert found == sum(1 << i for i in range(BLOCK) if words[at + i] != mark)


@njit
def _least(table, rows, count, out):
    least_rows(table, rows, count, out)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_least_rows(count):
    rng = np.random.default_rng(count)
    table = rng.integers(0, 256, (50, STRIP), np.uint8)
    rows = rng.choice(50, 45, replace=False).astype(np.uint16)
    out = np.zeros(STRIP, np.uint8)
    _least(table, rows, count, out)
    expected = table[rows[:count]].min(axis=0) if count else np.full(STRIP, 255)
    assert out.tolist() == expected.tolist()


def test_bytes_that_do_not_lie_together_are_refused():
    # The kernels read on from a pointer: a stride would be ignored in silence.
    with pytest.raises(TypingError):
        _load_all(np.arange(64, dtype=np.uint8)[::2])


@njit
def _mark(data, at, delimiter):
    return mark_block(data, at, np.uint8(delimiter))


@njit
def _count(x):
    return count_ones(x)


@pytest.mark.parametrize("delimiter", [ord(","), ord("\t"), 0xE9])
def test_mark_block_finds_what_ends_fields_and_bytes_above_ascii(delimiter):
    data = np.random.default_rng(5).permutation(np.arange(256, dtype=np.uint8))
    for at in (0, 1, 63, 192):
        block = data[at : at + BLOCK].tolist()
        marks, high = _mark(data, at, delimiter)
        assert marks == sum(1 << i for i, byte in enumerate(block) if byte in (delimiter, *b'"\n\r'))
        assert high == sum(1 << i for i, byte in enumerate(block) if byte > 127)


def test_count_ones():
    words = [0, 1, 2**63, 2**64 - 1, 0xF0F0]
    assert [_count(np.uint64(word)) for word in words] == [word.bit_count() for word in words]


@njit
def _maps_of_higher(some, others):
    return [higher(some, others, at) for at in range(len(some) - NUMBERS + 1)]


def test_higher_marks_each_number_that_is_above_the_other():
    made = np.random.Generator(np.random.PCG64(8))
    some = made.integers(-3, 4, 90).astype(np.int16)
    others = made.integers(-3, 4, 90).astype(np.int16)
    some[:4], others[:4] = [32767, -32768, -32768, 5], [-32768, 32767, -32768, 5]
    expected = [sum(1 << i for i in range(NUMBERS) if some[at + i] > others[at + i]) for at in range(90 - NUMBERS + 1)]
    assert [int(found) for found in _maps_of_higher(some, others)] == expected
    assert expected[0] & 15 == 1
