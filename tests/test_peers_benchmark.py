"""The truth of the comparison with other tools: pairs by brute force, and what is said of a removal."""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import jaccard, shingles
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
similar_pairs = pytest.importorskip("similar_pairs", reason="benchmarks are not part of the source distribution")
peers_quality = pytest.importorskip("peers_quality")
peers_contestants = pytest.importorskip("peers_contestants")
peers = pytest.importorskip("peers")

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=14).map(" ".join), max_size=12)


def similar_sets(texts, least, file, cut=None):
    """The index of texts that come in two batches."""
    cut = len(texts) // 2 if cut is None else cut
    batches = [pa.array(part, pa.string()) for part in (texts[:cut], texts[cut:])]
    return similar_pairs.SimilarSets.of(batches, least, file)


def by_brute_force(texts, least):
    """Every two texts that have words and are at least that similar: {(first, second): similarity}."""
    sets = [shingles(text) for text in texts]
    return {
        (i, j): similarity
        for i, j in itertools.combinations(range(len(texts)), 2)
        if sets[i] and sets[j] and (similarity := jaccard(sets[i], sets[j])) >= least
    }


def listed(pairs):
    return dict(
        zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.similarity.tolist(), strict=True)
    )


@pytest.mark.parametrize("bits", [1, 28])
def test_all_similar_pairs_are_found_with_their_similarity(tmp_path, monkeypatch, bits):
    # With one bit nearly all shingles share a place in the table of counts.
    monkeypatch.setattr(similar_pairs, "LEAST_BITS", 1)
    monkeypatch.setattr(similar_pairs, "MOST_BITS", bits)

    @settings(max_examples=150, derandomize=True, deadline=None)
    @given(TEXTS, st.sampled_from((0.1, 0.5, 0.8, 1.0)), st.integers(0, 12))
    def holds(texts, least, cut):
        pairs = similar_sets(texts, least, tmp_path / "sets", cut).pairs()
        assert listed(pairs) == by_brute_force(texts, least)
        assert list(zip(pairs.second, pairs.first, strict=True)) == sorted(zip(pairs.second, pairs.first, strict=True))

    holds()


def test_partners_are_found_among_the_rows_that_stay(tmp_path):
    @settings(max_examples=150, derandomize=True, deadline=None)
    @given(TEXTS, st.sampled_from((0.1, 0.5, 0.8)), st.integers(0, 2**12 - 1))
    def holds(texts, least, mask):
        kept = np.array([mask >> i & 1 for i in range(len(texts))], np.bool_)
        found = similar_sets(texts, least, tmp_path / "sets").with_partner(np.arange(len(texts)), kept)
        wanted = np.zeros(len(texts), np.bool_)
        for i, j in by_brute_force(texts, least):
            wanted[i] |= kept[j]
            wanted[j] |= kept[i]
        assert found.tolist() == wanted.tolist()

    holds()


def test_shingles_more_frequent_than_are_counted(tmp_path):
    texts = ["the same few words again"] * 300
    pairs = similar_sets(texts, 0.8, tmp_path / "sets").pairs()
    assert listed(pairs) == dict.fromkeys(itertools.combinations(range(300), 2), 1.0)


PLAIN = [f"w{i}" for i in range(30)]
NUMBERS = ["it", "rose", "7", "in", "all", "of", "may", "and", "by", "12.5", "more", "on", "friday", "then", "fell"]
OTHER_NUMBERS = [{"7": "9", "12.5": "3", "may": "june", "friday": "monday"}.get(word, word) for word in NUMBERS]
ROWS = {
    "plain": " ".join(PLAIN),
    "copy": " ".join(PLAIN),
    "near": " ".join([*PLAIN[:-1], "other"]),  # 25 of 27 shingles
    "far": " ".join([*PLAIN[:-6], *"uvwxyz"]),  # 20 of 32
    "numbers": " ".join(NUMBERS),
    "renumbered": " ".join(OTHER_NUMBERS),
    "short": "word",
}
PLANTED = [("plain", "copy"), ("plain", "near"), ("plain", "far")]

JUDGED = {
    ("plain", "numbers"): (2, 5, 2, 3, 3, 1, 1),
    ("copy", "near", "far", "numbers", "renumbered", "short"): (6, 1, 2, 2, 0, 0, 0),
    ("far", "renumbered", "short"): (3, 4, 2, 3, 4, 1, 0),
    tuple(ROWS): (7, 0, 0, 0, 0, 0, 0),
}
"""By the rows that stay: kept, removed, planted and all pairs found, false removals, alike but for numbers, short."""


@pytest.fixture
def truth(tmp_path):
    files = []
    for i, ids in enumerate((list(ROWS)[:3], list(ROWS)[3:])):
        files.append(tmp_path / f"part-{i}.parquet")
        pq.write_table(pa.table({"id": ids, "text": [ROWS[key] for key in ids]}), files[-1])
    planted = pa.table({"original": [pair[0] for pair in PLANTED], "id": [pair[1] for pair in PLANTED]})
    return peers_quality.Truth.of(files, planted, 0.8, tmp_path)


def test_what_is_to_be_found(truth):
    assert truth.ids.to_pylist() == list(ROWS)
    assert listed(truth.pairs) == {(0, 1): 1.0, (0, 2): 25 / 27, (1, 2): 25 / 27}
    assert [ends.tolist() for ends in truth.planted] == [[0, 0], [1, 2]]  # "far" is below the threshold
    assert truth.copies.tolist() == [0, 0, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("kept", JUDGED)
def test_what_is_said_of_a_removal(truth, kept):
    kept_count, removed, planted, pairs, wrong, alike, short = JUDGED[kept]
    assert truth.judge(pa.array(kept)) == {
        "kept": kept_count,
        "removed": removed,
        "planted": 2,
        "planted_found": planted,
        "pairs": 3,
        "pairs_found": pairs,
        "false_removals": wrong,
        "false_alike": alike,
        "false_short": short,
    }


def test_rows_that_are_not_of_the_corpus_are_refused(truth):
    with pytest.raises(SystemExit, match="1 rows were kept that are not in the corpus"):
        truth.judge(pa.array(["plain", "stranger"]))


def test_the_memory_given_is_that_of_tamis_alone():
    args = argparse.Namespace(memory="3GB")
    others = [one for one in peers_contestants.CONTESTANTS if one is not peers_contestants.TAMIS]
    assert peers.settings_of(peers_contestants.TAMIS, args) == {"threshold": 0.8, "memory": "3GB"}
    assert [peers.settings_of(one, args) for one in others] == [one.settings for one in others]
