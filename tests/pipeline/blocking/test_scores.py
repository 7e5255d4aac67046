import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.pairs import pairs_table
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.scores import matched, ngram_scores, rescored, rows_of_pairs
from tamis.pipeline.blocking.search import found_pairs


def records(**texts):
    return read_records(pa.table({"id": list(texts), "text": pa.array(list(texts.values()), pa.string())}), "id")


def pairs(*some):
    """Return a table of (left, right, score, rank)."""
    left, right, scores, ranks = ([row[i] for row in some] for i in range(4))
    return pairs_table(
        pa.array(left, pa.string()), pa.array(right, pa.string()), np.array(scores, float), "b", np.array(ranks, int)
    )


SOME = pairs(("a", "x", 0.5, 1), ("a", "y", 0.25, 2), ("b", "x", 0.75, 1))


def grams(text, least=3, most=4):
    """Return the n-grams of words of plain letters."""
    padded = [f" {word} " for word in text.split()]
    return {word[i : i + n] for word in padded for n in range(least, most + 1) for i in range(len(word) - n + 1)}


def test_matches_have_the_score_or_the_rank():
    assert matched(SOME, 0.5).select(["left_id", "right_id"]).to_pylist() == [
        {"left_id": "a", "right_id": "x"},
        {"left_id": "b", "right_id": "x"},
    ]
    assert matched(SOME, 0.5000001)["left_id"].to_pylist() == ["b"]
    assert matched(SOME, 1, by="rank")["right_id"].to_pylist() == ["x", "x"]
    assert matched(SOME, -1.0) == SOME
    with pytest.raises(ConfigError, match="a threshold is a number"):
        matched(SOME, float("nan"))


def test_other_scores():
    assert rescored(SOME, np.array([1.0, 2.0, 3.0])).to_pylist() == [
        {**row, "score": score} for row, score in zip(SOME.to_pylist(), [1.0, 2.0, 3.0], strict=True)
    ]
    for wrong in (np.array([1.0]), np.array([1.0, np.nan, 2.0])):
        with pytest.raises(InputError, match="each pair has a score"):
            rescored(SOME, wrong)


WORDS = st.lists(st.text("abc", min_size=2, max_size=5), max_size=4).map(" ".join)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(WORDS, WORDS)
def test_jaccard_is_that_of_sets_of_ngrams(one, other):
    left, right, pair = records(a=one), records(x=other), pairs(("a", "x", 0.0, 1))
    a, b = grams(one), grams(other)
    expected = len(a & b) / len(a | b) if a | b else 0.0
    assert ngram_scores(pair, left, right).tolist() == [expected]


def test_by_hand():
    left, right = records(a="sony tv", b="apple", c=""), records(x="SONY  tv!", y="sony radio", z="")
    three = pairs(("a", "x", 0.0, 1), ("a", "y", 0.0, 2), ("c", "z", 0.0, 1))
    # " so", "son", "ony", "ny ", " tv", "tv ", " son", "sony", "ony ", " tv "; with "radio" 7 of 19 are common
    assert ngram_scores(three, left, right).tolist() == [1.0, 7 / 19, 0.0]
    assert ngram_scores(three, left, right, ngrams=(4, 4)).tolist() == [1.0, 3 / 8, 0.0]


def test_jaccard_does_not_depend_on_other_records_and_cosine_does():
    pair = pairs(("a", "b", 0.0, 1))
    few, many = records(a="sony tv", b="sony radio"), records(a="sony tv", b="sony radio", c="sony", d="sony")
    assert ngram_scores(pair, few, None).tolist() == ngram_scores(pair, many, None).tolist()
    assert ngram_scores(pair, few, None, "cosine")[0] > ngram_scores(pair, many, None, "cosine")[0]


def test_cosine_has_the_bits_of_the_lexical_blocker():
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list("abcdef"), size)) for size in rng.integers(2, 8, 30)]
    texts = {f"r{i}": " ".join(rng.choice(words, int(rng.integers(1, 9)))) for i in range(150)}
    left, right = records(**dict(list(texts.items())[:60])), records(**dict(list(texts.items())[60:]))
    for other in (right, None):
        found = found_pairs(lexical_search(left, other, 4), left, other, threads=1)
        assert ngram_scores(found, left, other, "cosine").tolist() == found["score"].to_pylist()


def test_rows():
    left, right = records(a="", b=""), records(x="", y="")
    assert [rows.tolist() for rows in rows_of_pairs(SOME, left, right)] == [[0, 0, 1], [2, 3, 2]]
    with pytest.raises(InputError, match="the ids of pairs are those of records"):
        rows_of_pairs(SOME, right, left)


@pytest.mark.parametrize("wrong", [{"measure": "dice"}, {"ngrams": (0, 3)}, {"ngrams": (4, 3)}, {"ngrams": (3, 17)}])
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match="records are measured by jaccard or cosine"):
        ngram_scores(SOME, records(a="", b=""), records(x="", y=""), **wrong)
