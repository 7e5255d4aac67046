"""Time counting tokens: MB of text a second by threads, against a plain loop over ``encode``.

    python benchmarks/tokens.py --data DIR --json out/tokens.json

The tokenizers are trained on the text itself, so that nothing is downloaded: a byte-level BPE, once as a tokenizer.json
and once, with the same tokens, as a rank file of tiktoken.
"""

import argparse
import base64
import itertools
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import tiktoken
import tokenizers
from kernels_turns import Texts, load

from tamis.hashing.tokenizer import Tokenizer

PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
"""GPT-2's."""

VOCABULARY = 32_000
BATCH_BYTES = 1 << 18
"""About how much text a call is given: small enough that threads end together."""

Batches = Sequence[tuple[int, int]]
Work = Callable[[Batches], int]


def main() -> None:
    """Count with one and two threads, by turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = os.environ.get("TAMIS_DATA")
    parser.add_argument("--data", type=Path, default=Path(data) if data else None, help="folder of real text")
    parser.add_argument("--limit-mb", type=float, default=8, help="text of a set at most")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = []
    for texts in load(args.data, int(args.limit_mb * 1e6)):
        if texts.size >= 1e6:
            found += _measured(texts, args.threads, args.rounds)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


def _measured(texts: Texts, threads: Sequence[int], rounds: int) -> list[dict[str, object]]:
    batches = _batches(texts)
    with tempfile.TemporaryDirectory() as folder:
        contestants = _contestants(texts, Path(folder))
        spent: dict[tuple[str, int], list[float]] = {(name, n): [] for name in contestants for n in threads}
        totals = {}
        for turn in range(rounds + 1):  # the first is not counted: libraries load and fill their caches
            for name, n in sorted(spent, reverse=turn % 2 == 1):
                seconds, tokens = _run(contestants[name], batches, n)
                totals[name.partition(",")[0]] = tokens
                if turn:
                    spent[name, n].append(seconds)
    lines = []
    for (name, n), times in spent.items():
        speed = texts.size / 1e6 / median(times)
        tokens = totals[name.partition(",")[0]]
        lines.append({"text": texts.name, "counted by": name, "threads": n, "MB/s": round(speed, 1), "tokens": tokens})
        print(f"{texts.name:16s} {name:32s} {n} threads  {speed:7.1f} MB/s  {tokens:,} tokens", flush=True)
    return lines


def _contestants(texts: Texts, folder: Path) -> dict[str, Work]:
    """Return what counts the tokens of batches, each from a text to another."""
    strings = texts.column.to_pylist()
    trained = _trained(strings, folder)
    ranked = tiktoken.Encoding("plain", pat_str=PATTERN, mergeable_ranks=_ranks(trained), special_tokens={})
    (folder / "own.tiktoken").write_bytes(
        b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in _ranks(trained).items())
    )
    ours = {
        "tokenizers": Tokenizer("own", "tokenizers", str(folder / "own.json")),
        "tiktoken": Tokenizer("own", "tiktoken", str(folder / "own.tiktoken"), pattern=PATTERN),
    }
    plain = {
        "tokenizers": lambda text: len(trained.encode(text, add_special_tokens=False)),
        "tiktoken": lambda text: len(ranked.encode(text, disallowed_special=())),
    }
    return {f"{kind}, ours": _by_batches(tokenizer, texts) for kind, tokenizer in ours.items()} | {
        f"{kind}, a loop over encode": _by_texts(count, strings) for kind, count in plain.items()
    }


def _by_batches(tokenizer: Tokenizer, texts: Texts) -> Work:
    def work(batches: Batches) -> int:
        return sum(int(tokenizer.count(texts.data, texts.offsets[i : j + 1]).sum()) for i, j in batches)

    return work


def _by_texts(count: Callable[[str], int], strings: Sequence[str]) -> Work:
    def work(batches: Batches) -> int:
        return sum(count(text) for i, j in batches for text in strings[i:j])

    return work


def _batches(texts: Texts) -> Batches:
    places = np.searchsorted(texts.offsets, np.arange(texts.offsets[0], texts.offsets[-1], BATCH_BYTES))
    bounds = np.unique([*places.tolist(), texts.rows]).tolist()
    return list(itertools.pairwise(bounds))


def _run(work: Work, batches: Batches, threads: int) -> tuple[float, int]:
    """Return (seconds, tokens) of all batches, dealt to threads."""
    totals = [0] * threads

    def share(i: int) -> None:
        totals[i] = work(batches[i::threads])

    started = [threading.Thread(target=share, args=(i,)) for i in range(threads)]
    start = time.perf_counter()
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return time.perf_counter() - start, sum(totals)


def _trained(strings: Sequence[str], folder: Path) -> tokenizers.Tokenizer:
    """Return a byte-level BPE of the texts, which is also saved."""
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=VOCABULARY, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(strings, trainer)
    tokenizer.save(str(folder / "own.json"))
    return tokenizer


def _ranks(trained: tokenizers.Tokenizer) -> dict[bytes, int]:
    """Return the tokens of a byte-level BPE as bytes, in the order of their merges."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]  # GPT-2's letters for bytes
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
    return {bytes(byte_of[letter] for letter in token): rank for token, rank in trained.get_vocab().items()}


if __name__ == "__main__":
    main()
