"""What models are trained on and measured by: texts cut into tokens, with what is held out apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from downstream_model import END, Piece, pieces
from downstream_texts import Row, drawn, held_out, rows_of, shuffled, telling, words_of
from numpy.typing import NDArray


@dataclass(frozen=True)
class Measure:
    """What a task is measured by.

    Attributes:
        pieces: of held-out rows.
        bytes: int64, (2,): of these rows, and of their completions.
    """

    pieces: list[Piece]
    bytes: NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """What models are trained on and measured by; lists are in the order of the rows of training.

    Attributes:
        names, sources, words: of the rows.
        tokens: of each: ``END``, its prompt, its completion.
        measures: of each task.
        told: how many rows were left out, as they tell of what is held out.
    """

    names: list[str]
    sources: list[str]
    words: list[int]
    tokens: list[list[int]]
    measures: dict[str, Measure]
    told: int

    @property
    def available(self) -> dict[str, int]:
        """Words of each source, in the order of their names."""
        found = dict.fromkeys(sorted(set(self.sources)), 0)
        for name, size in zip(self.sources, self.words, strict=True):
            found[name] += size
        return found

    def stream(self, seed: int, budgets: Mapping[str, int]) -> NDArray[np.int64]:
        """Return the tokens of what is drawn, rows in the order in which they are drawn: int64."""
        order = shuffled(self.names, seed)
        taken = {row for rows in drawn(order, self.sources, self.words, budgets).values() for row in rows}
        return np.array([token for row in order if row in taken for token in self.tokens[row]], np.int64)


def prepared(data: Path, pool: Path, *, vocabulary: int, context: int, measured: int) -> Material:
    """Read all texts, hold some out, write the rest to a Parquet file, and cut both into tokens.

    Args:
        data: folder of the sets.
        pool: the Parquet file: columns ``text`` and ``source``.
        vocabulary: tokens of the tokenizer, which learns from each text of training once.
        context: targets of a piece at most.
        measured: held-out tokens of each task; the last row may bring more.
    """
    everything = rows_of(data)
    held = held_out(everything)
    told = telling(everything, held)
    rows = [row for row, here in zip(everything, ~held & ~told, strict=True) if here]
    sources = [row.source for row in rows]
    pq.write_table(pa.table({"text": [row.text for row in rows], "source": sources}), pool)
    tokenizer = learned((row.text for row in rows), vocabulary)
    prompts = [found.ids for found in tokenizer.encode_batch_fast([row.prompt for row in rows])]
    completions = [found.ids for found in tokenizer.encode_batch_fast([row.completion for row in rows])]
    tokens = [[END, *prompt, *completion] for prompt, completion in zip(prompts, completions, strict=True)]
    kept = [row for row, here in zip(everything, held, strict=True) if here]
    measures = {
        name: _measure([row for row in kept if row.source == name], tokenizer, context, measured)
        for name in sorted(set(sources))
    }
    return Material([row.name for row in rows], sources, words_of(rows).tolist(), tokens, measures, int(told.sum()))


def learned(texts: Iterable[str], vocabulary: int) -> Any:
    """Return a tokenizer of pairs of bytes that has learned from texts; token 0 is ``END``."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=["END"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _measure(rows: Sequence[Row], tokenizer: Any, context: int, measured: int) -> Measure:
    found: list[Piece] = []
    size = np.zeros(2, np.int64)
    for place in shuffled([row.name for row in rows], 0):
        if sum(len(piece.tokens) for piece in found) >= measured:
            break
        row = rows[place]
        found += pieces(tokenizer.encode(row.prompt).ids, tokenizer.encode(row.completion).ids, context)
        size += [len(row.text.encode()), len(row.completion.encode())]
    return Measure(found, size)
