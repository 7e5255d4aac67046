"""A small evaluation with everything that its page can show."""

import numpy as np
import pyarrow as pa

from tamis.pipeline.blocking.evaluation import evaluate
from tamis.pipeline.blocking.page import Texts
from tamis.pipeline.blocking.pairs import pairs_of_one_table, pairs_table
from tamis.pipeline.blocking.planted import FoundCopies
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import Block, Blocks

ODD = ("<b>bold</b>", "\"quotes\" & 'more'", "</script><script>alert(1)</script>", "données 漢字 \u2028 \u202eevil")
WORDS = ("sony", "tv", "apple", "phone", "mill", "grain", "</pre>", "<i>", "été", "漢字", "a-rather-long-word-" * 6)


def records(ids, rng):
    texts = [" ".join(rng.choice(WORDS, int(rng.integers(0, 9)))) for _ in ids]
    return read_records(pa.table({"id": ids, "text": texts}), "id")


def random_pairs(rng, left, right, n, k):
    """Return a table of n random pairs, of ranks up to k, a quarter of them of equal ids."""
    some = set()
    some |= {tuple(pair) for pair in rng.integers(0, len(left), (n, 2)).tolist() if right or pair[0] != pair[1]}
    some |= {(i, i) for i in rng.integers(0, 60, n // 4).tolist()} if right else set()
    some = sorted(some)
    one = left.take(pa.array([i for i, _ in some]))
    other = (right or left).take(pa.array([j for _, j in some]))
    ranks = rng.integers(1, k + 1, len(some))
    scores = np.round(rng.random(len(some)), 2)
    return (pairs_table if right else pairs_of_one_table)(one, other, scores, "b", ranks)


def planted(*found):
    return tuple(FoundCopies(kind, copies, n, n / copies / 2, 1.0) for kind, copies, n in found)


def evaluated(dirty=False, known=True, blockers=3, **options):
    """Return (results, gold, left ids, right ids, evaluation, texts); the same for the same arguments."""
    rng = np.random.Generator(np.random.PCG64(5))
    left = pa.array([*ODD, *(f"l{i}" for i in range(76))])
    right = None if dirty else pa.array([*ODD, *(f"r{i}" for i in range(116))])
    results = {
        name: random_pairs(rng, left, right, 60 * (i + 1), i + 1)
        for i, name in enumerate(["lexical", "<i>rules</i> & more", *(f"a blocker of number {i}" for i in range(9))])
    }
    results = dict(list(results.items())[:blockers])
    gold = None
    if known:
        ends = rng.integers(0, 80, (120, 2)).tolist() if dirty else [(i, i) for i in range(60)]
        ends = [(i, j) for i, j in ends if not dirty or i != j]
        ids = left if right is None else right
        gold = pa.table({"left_id": left.take([i for i, _ in ends]), "right_id": ids.take([j for _, j in ends])})
    largest = (Block("<b>a & b</b>", 40, 30, True), Block("year 1999", 9, 7, False))
    evaluation = evaluate(
        results,
        gold,
        left,
        right,
        blocks={"<i>rules</i> & more": Blocks(12, 1, 1200, largest), "lexical": None},
        planted={"lexical": planted(("all", 40, 30), ("typo", 20, 18), ("missing value", 20, 12))},
        **options,
    )
    texts = Texts.of(records(left, rng), None if right is None else records(right, rng))
    return results, gold, left, right, evaluation, texts
