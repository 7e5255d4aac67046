"""One side of ``blocking.py``: it blocks when it is told to, and says how long it took.

It reads lines of JSON, ``{"set", "k", "ngrams", "threads"}``, and answers with ``{"seconds", "pairs", "found"}``; the
seconds are those from the texts in memory to the ids, scores and ranks of pairs.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from blocking_sets import RecordSet, record_sets

from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.search import found_pairs

Pairs = tuple[list[str], list[str]]


class Tamis:
    """``lexical_search``, asked by threads."""

    def __init__(self, records: RecordSet) -> None:
        self.records = records

    def block(self, k: int, ngrams: tuple[int, int], threads: int) -> Any:
        """Return a table of pairs."""
        left, right = self.records.left, self.records.right
        return found_pairs(lexical_search(left, right, k, ngrams=ngrams), left, right, threads=threads)

    def pairs(self, found: Any) -> Pairs:
        """Return the ids of the pairs."""
        return found["left_id"].to_pylist(), found["right_id"].to_pylist()


class ScikitLearn:
    """TF-IDF of ``char_wb`` n-grams, the product of the two sparse matrices, and the best k of each row of it."""

    def __init__(self, records: RecordSet) -> None:
        if records.right is None:
            raise SystemExit("scikit-learn's side has two tables")
        self.left, self.right = records.left.texts.to_pylist(), records.right.texts.to_pylist()
        self.left_ids = np.array(records.left.ids.to_pylist(), object)
        self.right_ids = np.array(records.right.ids.to_pylist(), object)

    def block(self, k: int, ngrams: tuple[int, int], threads: int) -> Any:
        """Return (left ids, right ids, scores, ranks); it has one thread."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=ngrams, sublinear_tf=True)
        rows = vectors.fit_transform(self.left + self.right)
        scores = (rows[: len(self.left)] @ rows[len(self.left) :].T).tocsr()
        queries, places, ranks = [], [], []
        for i in range(len(self.left)):
            low, high = scores.indptr[i], scores.indptr[i + 1]
            values = scores.data[low:high]
            best = np.argpartition(-values, k - 1)[:k] if len(values) > k else np.arange(len(values))
            best = best[np.argsort(-values[best], kind="stable")]
            queries.append(np.full(len(best), i))
            places.append(low + best)
            ranks.append(np.arange(1, len(best) + 1))
        at = np.concatenate(places)
        return (
            self.left_ids[np.concatenate(queries)],
            self.right_ids[scores.indices[at]],
            scores.data[at],
            np.concatenate(ranks),
        )

    def pairs(self, found: Any) -> Pairs:
        """Return the ids of the pairs."""
        return found[0].tolist(), found[1].tolist()


SIDES = {"tamis": Tamis, "scikit-learn": ScikitLearn}


def main() -> None:
    """Answer until there is no further line: ``blocking_worker.py SIDE DATA``."""
    side, data = SIDES[sys.argv[1]], Path(sys.argv[2])
    ready: dict[str, tuple[Tamis | ScikitLearn, set[tuple[str, str]]]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["set"] not in ready:
            records = next(record_sets(data, asked["set"]))
            gold = zip(records.gold["left_id"].to_pylist(), records.gold["right_id"].to_pylist(), strict=True)
            ready[asked["set"]] = side(records), set(gold)
        blocker, matches = ready[asked["set"]]
        start = time.perf_counter()
        found = blocker.block(asked["k"], tuple(asked["ngrams"]), asked["threads"])
        seconds = time.perf_counter() - start
        pairs = set(zip(*blocker.pairs(found), strict=True))
        print(json.dumps({"seconds": seconds, "pairs": len(pairs), "found": len(pairs & matches)}), flush=True)


if __name__ == "__main__":
    main()
