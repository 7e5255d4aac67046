import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.shingles import (
    BYTE,
    CHAR,
    MAX_BUCKET,
    MAX_SHINGLE,
    ROOM,
    UNITS,
    WORD,
    shingle_block,
    shingle_sequences,
    shingle_sets,
    sort_unique,
)
from tamis.hashing.unicode_table import words_v1

from . import oracle

WORDS = st.lists(st.sampled_from(["sift", "the", "Flour", "ΐ", "中文", "😀", "\0", "été", "12"]), max_size=30)


BLOCK_TOKENS = 4096  # some windows


def sets(texts, n, unit=WORD):
    values, bounds = shingle_sets(*oracle.packed(texts), unit, n, words_v1())
    assert bounds[0] == 0
    assert bounds[-1] == len(values)
    return [values[a:b].tolist() for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def random_words(count, seed, vocabulary=500):
    rng = np.random.default_rng(seed)
    return " ".join(f"w{i}" for i in rng.integers(0, vocabulary, count))


def test_golden():
    # Changing these is a format change: similarities and signatures are computed from them.
    text = "The tamis sifts flour"
    assert sets([text], 1) == [[0x650107C4856BF914, 0x71EC3923A0B50DF7, 0xB6793A1BAE31E95D, 0xF4C0D78FEC389F76]]
    assert sets([text], 2) == [[0x32D8D657280A5533, 0x521848C88DD93985, 0xAF78C9E364D5627B]]
    assert sets([text], 5) == [[0x00C89EBA4F5B3936]]


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_texts_shorter_than_a_shingle_have_one(n):
    for count in range(n):
        text = " ".join(f"w{i}" for i in range(count))
        expected = [oracle.shingle_hash(oracle.tokens(text))] if count else []
        assert sets([text], n) == [expected]


@pytest.mark.parametrize("n", [1, 2, 5, 64])
def test_a_text_of_exactly_one_shingle(n):
    text = " ".join(f"w{i}" for i in range(n))
    assert sets([text], n) == [[oracle.shingle_hash(oracle.tokens(text))]]
    assert len(sets([text + " more"], n)[0]) == 2


def test_the_number_of_tokens_is_part_of_a_shingle():
    # The short text's one shingle is none of the longer text's.
    short, longer = sets(["a b c", "a b c d e"], 5)
    assert not set(short) & set(longer)
    assert len({oracle.shingle_hash([0] * m) for m in range(1, 9)}) == 8
    for m in range(1, 9):
        assert block([0] * m, m) == [oracle.shingle_hash([0] * m)]


def test_order_matters():
    assert sets(["a b"], 2) != sets(["b a"], 2)
    assert len(set(map(tuple, sets(["a b c", "a c b", "b a c", "b c a", "c a b", "c b a"], 3)))) == 6


def test_sets_are_sorted_and_distinct():
    (values,) = sets(["row your boat " * 400], 3)
    assert values == sorted(set(values))
    assert len(values) == 3


@pytest.mark.parametrize("n", [1, 5, 64])
@pytest.mark.parametrize(
    "count", [BLOCK_TOKENS - 3, BLOCK_TOKENS - 2, BLOCK_TOKENS - 1, BLOCK_TOKENS, BLOCK_TOKENS + 70]
)
def test_texts_at_the_border_of_a_block(n, count):
    text = random_words(count, seed=count)
    assert sets([text], n) == sets([text + " ..."], n) == [oracle.shingle_set(text, n)]
    assert sets([text + " 中"], n) == [oracle.shingle_set(text + " 中", n)]


@pytest.mark.parametrize("n", [1, 5, 64])
def test_texts_much_longer_than_a_block(n):
    text = random_words(5 * BLOCK_TOKENS + 17, seed=n, vocabulary=10**6)
    assert sets([text], n) == [oracle.shingle_set(text, n)]


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(WORDS.map(" ".join), max_size=5), st.integers(1, 8))
def test_random_texts(texts, n):
    assert sets(texts, n) == [oracle.shingle_set(text, n) for text in texts]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(WORDS.map(" ".join), max_size=5), st.integers(1, 8), st.sampled_from(["word", "char", "byte"]))
def test_sequences_are_in_the_order_of_the_text(texts, n, unit):
    values, bounds = shingle_sequences(*oracle.packed(texts), UNITS.index(unit), n, words_v1())
    found = [values[a:b].tolist() for a, b in zip(bounds[:-1], bounds[1:], strict=True)]
    assert found == [oracle.shingles(oracle.units(text, unit), n) for text in texts]


def test_sequences_of_long_texts():
    text = random_words(2 * BLOCK_TOKENS + 5, seed=3)
    values, bounds = shingle_sequences(*oracle.packed([text, "a", text]), WORD, 13, words_v1())
    expected = oracle.shingles(oracle.tokens(text), 13)
    assert bounds.tolist() == [0, len(expected), len(expected) + 1, 2 * len(expected) + 1]
    assert values[: len(expected)].tolist() == values[len(expected) + 1 :].tolist() == expected


def test_batches_do_not_matter():
    texts = [random_words(count, seed=count) for count in (0, 1, 4, 5, 6, 5000, 3, 0, 9000, 40)] + ["", "中文", "\0"]
    whole = sets(texts, 5)
    assert whole == [sets([text], 5)[0] for text in texts]
    assert whole == sets(texts[:4], 5) + sets(texts[4:9], 5) + sets(texts[9:], 5)
    assert whole[::-1] == sets(texts[::-1], 5)


def test_the_result_grows_with_its_texts():
    # One shingle per three bytes is more than the quarter that is reserved at first.
    texts = ["".join(map(chr, range(0x4E00, 0x4E00 + 3000))), "".join(map(chr, range(0x5E00, 0x5E00 + 9000)))]
    assert [len(values) for values in sets(texts, 1)] == [3000, 9000]
    assert sets(texts, 1) == [oracle.shingle_set(text, 1) for text in texts]


def test_no_texts():
    assert sets([], 5) == []


def test_bytes_that_are_not_utf8_end_their_text():
    good, bad, next_ = sets([b"a b c d e f ", b"a b c d e f \xff g h i", b"x y"], 5)
    assert bad == good
    assert next_ == oracle.shingle_set("x y", 5)


def block(token_hashes, n):
    """Return the shingles of a block by the kernel."""
    tokens, out = np.full(ROOM, 77, np.uint64), np.zeros(ROOM, np.uint64)
    tokens[: len(token_hashes)] = token_hashes
    made = shingle_block(tokens, len(token_hashes), n, np.zeros((2, ROOM), np.uint64), out)
    return out[:made].tolist()


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, oracle.M64), max_size=20), st.integers(1, 8))
def test_shingle_block_is_its_definition(token_hashes, n):
    expected = oracle.shingles(token_hashes, n) if len(token_hashes) >= n else []
    assert block(token_hashes, n) == expected


@pytest.mark.parametrize("n", range(1, MAX_SHINGLE + 1))
def test_shingles_of_every_size(n):
    token_hashes = [oracle.fmix64(i) for i in range(1, 100)]
    assert block(token_hashes, n) == oracle.shingles(token_hashes, n)


TEXTS = [
    "",
    "...",
    "a",
    "The tamis sifts",
    "中文没有空格",
    "Straße  ﬃ",
    "e\u0301 é",
    "x" * 5000,
    "ab " * 3000,
    "ΐ" * 2000,
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("n", [1, 3, 24, 64])
def test_sets_of_every_unit(unit, n):
    assert sets(TEXTS, n, UNITS.index(unit)) == [oracle.shingle_set(text, n, unit) for text in TEXTS]


def test_golden_of_other_units():
    # Changing these is a format change.
    assert sets(["Sift, it"], 7, CHAR) == [[0x15DCFCF5337B621B]]
    assert sets(["Sift, it"], 8, BYTE) == [[0x12690200C49FD0E4]]


# --- sorting


def sorted_unique(values):
    array = np.array([*values, 3, 1, 2], np.uint64)
    count = sort_unique(array[: len(values)])
    assert array[len(values) :].tolist() == [3, 1, 2]
    return array[:count].tolist()


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(st.integers(0, oracle.M64) | st.sampled_from([0, 1, 1 << 63, oracle.M64]), max_size=80))
def test_sort_unique(values):
    assert sorted_unique(values) == sorted(set(values))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 1023, 1024, 1025, 5000])
def test_sort_unique_of_uniform_values(size):
    values = np.random.default_rng(size).integers(0, oracle.M64, size, np.uint64, endpoint=True).tolist()
    assert sorted_unique(values) == sorted(values)
    assert sorted_unique(values[::-1] + values) == sorted(values)


@pytest.mark.parametrize("crowd", [MAX_BUCKET - 1, MAX_BUCKET, MAX_BUCKET + 1, 3000])
@pytest.mark.parametrize("prefix", [0, 0x7FFF, 0xFFFF])
def test_sort_unique_of_values_that_crowd_in_a_bucket(crowd, prefix):
    rng = np.random.default_rng(crowd)
    values = rng.integers(0, oracle.M64, 300, np.uint64).tolist()
    values += [prefix << 48 | int(low) for low in rng.integers(0, 1 << 48, crowd)]
    rng.shuffle(values)
    assert sorted_unique(values) == sorted(set(values))
