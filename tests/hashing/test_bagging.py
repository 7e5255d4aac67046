"""Samples and folds by content: nested, disjoint, the same everywhere, and without the faults of published code."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tamis.hashing.bagging import below, draws, fold, part
from tamis.hashing.murmur3 import murmur3_all


def contents(count):
    """Return the hashes of texts ``row 0``, ``row 1`` ...: (high, low)."""
    texts = [f"row {i}".encode() for i in range(count)]
    data = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    hashes = murmur3_all(data, offsets, np.uint64(0)).view(np.int64)
    return np.ascontiguousarray(hashes[:, 0]), np.ascontiguousarray(hashes[:, 1])


HIGH, LOW = contents(20_000)


def numbers(purpose, seed=0):
    return draws(HIGH, LOW, seed=seed, purpose=purpose)


def test_golden():
    assert numbers("split")[:3].tolist() == [7424103919170078348, 15275105145737160356, 11787673555074912509]
    assert numbers("fold 0", seed=7)[:3].tolist() == [6233706746750964234, 16260334914910322518, 14696372654029182404]
    assert fold(numbers("fold 0", seed=7), 5)[:12].tolist() == [1, 4, 3, 3, 0, 4, 2, 0, 2, 3, 0, 4]


def test_a_larger_sample_holds_a_smaller_one():
    small, large = (below(numbers("sample"), share) for share in (0.01, 0.05))
    assert 0.007 < small.mean() < 0.013
    assert 0.045 < large.mean() < 0.055
    assert np.all(large[small])


def test_edges_of_shares():
    ends = np.array([0, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
    assert below(ends, 0.5).tolist() == [True, True, False, False]
    assert below(ends, 1.0).tolist() == [True] * 4
    assert below(ends, 0.0).tolist() == [False] * 4
    assert part(ends, [0.25, 0.25]).tolist() == [0, 1, 2, 2]
    assert fold(ends, 3).tolist() == [0, 1, 1, 2]


def test_no_row_moves_when_others_come_go_or_change_places():
    order = np.random.default_rng(0).permutation(len(HIGH))[:5000]
    chosen = draws(HIGH[order], LOW[order], seed=0, purpose="split")
    assert np.array_equal(chosen, numbers("split")[order])


def test_folds_of_a_round_are_disjoint_complete_and_even():
    counts = np.bincount(fold(numbers("fold 3"), 8), minlength=8)
    assert counts.sum() == 20_000
    expected = 20_000 / 8
    assert ((counts - expected) ** 2 / expected).sum() < 24.3  # chi-square, 7 degrees of freedom, one in a thousand


@pytest.mark.parametrize("other", ["fold 1", "fold 2", "split", "sample"])
def test_rounds_are_independent(other):
    """Rounds that hash a number plus the round are one partition under other labels: pairs would always meet again."""
    m = 10
    together = np.zeros((m, m))
    np.add.at(together, (fold(numbers("fold 0"), m), fold(numbers(other), m)), 1)
    expected = 20_000 / m**2
    assert ((together - expected) ** 2 / expected).sum() < 148.2  # 99 degrees of freedom, one in a thousand


def test_shifted_labels_would_be_noticed():
    m, values = 10, np.arange(20_000)
    together = np.zeros((m, m))
    np.add.at(together, (values % m, (values + 1) % m), 1)  # the fault: Python's hash of a number is the number
    assert ((together - 200) ** 2 / 200).sum() > 100_000


def test_every_process_gives_the_same_numbers():
    """Python's own hash of strings does not: it is salted anew in every process."""
    code = (
        "import numpy as np; from tamis.hashing.bagging import draws;"
        "print(draws(np.array([1]), np.array([2]), seed=0, purpose='split')[0], hash('split'))"
    )
    lines = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for salt in ("1", "2")
    ]
    assert lines[0][0] == lines[1][0]
    assert lines[0][1] != lines[1][1]
