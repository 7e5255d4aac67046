"""Texts of many tasks: where each comes from, which are held out, which of the rest tell of those, and how to draw."""

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tamis.hashing.shingles import WORD, shingle_sequences, shingle_sets
from tamis.hashing.unicode_table import words_v1

END_MARK = "<|endoftext|>"
SLACK = 64
"""Bytes that the kernels may read behind the last text."""

_NAMES = """
adversarial_qa_dbert adversarial_qa_dbidaf adversarial_qa_droberta ag_news amazon_polarity app_reviews
cnn_dailymail_3_0_0 common_gen commonsense_qa cosmos_qa dbpedia_14 dream duorc_ParaphraseRC duorc_SelfRC gigaword
glue_mrpc glue_qqp imdb kilt_tasks_hotpotqa multi_news paws_labeled_final qasc quarel quartz quoref ropes
rotten_tomatoes samsum sciq social_i_qa trec wiki_bio wiki_hop_original wiki_qa wiqa xsum yelp_review_full
"""

DATASETS = tuple(_NAMES.split())
"""The data sets, with their configurations, that the templates of T0 are made for: names of templates begin so."""

GSM8K = "gsm8k"


@dataclass(frozen=True)
class Row:
    """A text of a task.

    Attributes:
        source: the data set.
        template: by which it was made.
        place: of the row among those of its template, 0 to 1.
        prompt, completion: the text.
    """

    source: str
    template: str
    place: float
    prompt: str
    completion: str

    @property
    def text(self) -> str:
        """Prompt and completion."""
        return self.prompt + self.completion

    @property
    def name(self) -> str:
        """What no other row is called."""
        return f"{self.template}\n{self.place!r}"


def rows_of(data: Path) -> list[Row]:
    """Return the rows of T0's mixture and of GSM8K."""
    found = pq.read_table(data / "D-t0-mixture" / "t0_train_50k_per_template.parquet").to_pylist()
    with gzip.open(data / "D-gsm8k" / "train.jsonl.gz", "rt", encoding="utf-8") as stream:
        for index, line in enumerate(stream):
            row = json.loads(line)
            found.append(
                {"template": GSM8K, "index": index, "prompt": row["question"] + "\n", "completion": row["answer"]}
            )
    last: dict[str, int] = {}
    for row in found:
        last[row["template"]] = max(row["index"], last.get(row["template"], 0))
    return [
        Row(
            dataset_of(row["template"]),
            row["template"],
            row["index"] / (last[row["template"]] + 1),
            row["prompt"],
            row["completion"].removesuffix(END_MARK),
        )
        for row in found
    ]


def dataset_of(template: str) -> str:
    """Return the data set that a template is made for.

    Raises:
        ValueError: it is of none.
    """
    for name in (*DATASETS, GSM8K):
        if template == name or template.startswith(name + "_"):
            return name
    raise ValueError(f"no data set has the template {template!r}")


def held_out(rows: Sequence[Row], share: float = 0.15) -> NDArray[np.bool_]:
    """Return which rows are held out: bool, shape (rows,).

    These are the last of each template. Templates of one data set go over the same passages in the same order, and
    rows of one passage are neighbours, so nearly all rows of a passage are on one side.
    """
    return np.array([row.place >= 1 - share for row in rows], np.bool_)


def telling(
    rows: Sequence[Row], held: NDArray[np.bool_], *, shingle: int = 8, common: float = 0.3, most: float = 0.1
) -> NDArray[np.bool_]:
    """Return which of the other rows tell of what is held out: bool, shape (rows,).

    A row tells if at least ``most`` of its runs of words stand in some held-out row, of whatever source. Runs that
    ``common`` of the rows of a template have are the template's, not the passage's, and are not looked at.

    Args:
        rows: all rows.
        held: bool, shape (rows,).
        shingle: words of a run; a shorter text is one run.
        common, most: shares.
    """
    values, bounds = shingle_sets(*_bytes_of(rows), WORD, shingle, words_v1())
    row = np.repeat(np.arange(len(rows)), np.diff(bounds))
    runs, run = np.unique(values[: bounds[-1]], return_inverse=True)
    names, template = np.unique([row.template for row in rows], return_inverse=True)
    sizes = np.bincount(template, minlength=len(names))
    cells, counts = np.unique(run * len(names) + template[row], return_counts=True)
    of_template = np.zeros(len(runs), np.bool_)
    of_template[cells[counts >= common * sizes[cells % len(names)]] // len(names)] = True
    looked_at = ~of_template[run]
    known = np.zeros(len(runs), np.bool_)
    known[run[looked_at & held[row]]] = True
    there = np.bincount(row[looked_at & known[run]], minlength=len(rows))
    all_runs = np.bincount(row[looked_at], minlength=len(rows))
    return ~held & (there > 0) & (there >= most * all_runs)


def words_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return the words of profile ``words-v1`` of each row, as ``tamis mix`` counts them: int64, shape (rows,)."""
    _, bounds = shingle_sequences(*_bytes_of(rows), WORD, 1, words_v1())
    return np.diff(bounds)


def _bytes_of(rows: Sequence[Row]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    texts = [row.text.encode() for row in rows]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return np.frombuffer(b"".join(texts) + bytes(SLACK), np.uint8), offsets


def shuffled(names: Sequence[str], seed: int) -> list[int]:
    """Return the places of names in the order of their keyed hashes: a row keeps its hash whatever else there is."""
    key = seed.to_bytes(8, "little")
    hashes = [hashlib.blake2b(name.encode(), key=key, digest_size=8).digest() for name in names]
    return sorted(range(len(names)), key=lambda place: (hashes[place], names[place]))


def drawn(
    order: Sequence[int], sources: Sequence[str], words: Sequence[int], budgets: Mapping[str, int]
) -> dict[str, list[int]]:
    """Draw rows of each source until its budget is met; the last is taken if that comes nearer to it.

    Args:
        order: in which rows are drawn.
        sources, words: of each row.
        budgets: words of each source.

    Returns:
        The rows of each source, in the order in which they were drawn.
    """
    left = dict(budgets)
    taken: dict[str, list[int]] = {name: [] for name in budgets}
    for row in order:
        name = sources[row]
        if left.get(name, 0) * 2 > words[row]:
            taken[name].append(row)
            left[name] -= words[row]
        else:
            left[name] = 0
    return taken
