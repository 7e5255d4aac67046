"""Small random corpora full of trouble: families, chains, hubs, templates, copies, short texts, missing values."""

import datetime
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from brute_force import EPOCH, Row

SOURCES = ("web", "books", "wiki", "forum")
QUALITIES = (None, math.nan, -math.inf, -1.5, -0.0, 0.0, 1e-300, 0.5, 0.75, 1.0, math.inf)
IDS = (None, "", "a", "b", "B", "10", "9", "é", "￿", "𝛼", "same", "same")
SEPARATORS = (" ", " ", " ", " ", ", ", ".\n", " - ", "\t", "…", "'")
VOCABULARY = (
    *(f"{first}{last}" for first in "bdgkmprstv" for last in ("a", "arn", "elo", "ish", "oth", "umber", "y_1", "ön")),
    *("straße", "ΣΊΣΥΦΟΣ", "naïve", "Ångström", "œuvre", "été", "2024", "x", "漢", "字", "語", "かな", "ไทย"),
)
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("quality", pa.float64()),
        ("time", pa.timestamp("us", "UTC")),
    ]
)
FILE_STRIDE = 1 << 40
"""Addresses of consecutive files are this far apart."""


def words(rng: Random, count: int) -> list[str]:
    return rng.choices(VOCABULARY, k=count)


def prose(rng: Random, tokens: Sequence[str]) -> str:
    """Write words down with some punctuation, some of them in another case."""
    written = "".join((word.upper() if rng.random() < 0.05 else word) + rng.choice(SEPARATORS) for word in tokens[:-1])
    return written + "".join(tokens[-1:])


def edited(rng: Random, tokens: Sequence[str], rate: float) -> list[str]:
    """Replace, drop or double each word with a probability."""
    changed: list[str] = []
    for word in tokens:
        if rng.random() >= rate:
            changed.append(word)
        else:
            changed += rng.choice([words(rng, 1), [], [word, word]])
    return changed


def family(rng: Random) -> list[str]:
    """A text and edits of it, some light and some heavy."""
    base = words(rng, rng.randint(8, 60))
    rates = rng.choices((0.0, 0.01, 0.03, 0.1, 0.3), k=rng.randint(2, 6))
    return [prose(rng, edited(rng, base, rate)) for rate in [0.0, *rates]]


def chain(rng: Random) -> list[str]:
    """Windows sliding over one text: neighbours are alike, the ends are not."""
    length, step, count = rng.randint(20, 40), rng.randint(1, 5), rng.randint(4, 9)
    long = words(rng, length + step * count)
    return [prose(rng, long[i * step : i * step + length]) for i in range(count)]


def hub(rng: Random) -> list[str]:
    """A text that resembles many others, each changed in another place and so not much like each other."""
    part, count = rng.randint(2, 12), rng.randint(4, 7)
    parts = [words(rng, part) for _ in range(count)]
    spokes = [[word for j, p in enumerate(parts) for word in (words(rng, part) if i == j else p)] for i in range(count)]
    return [prose(rng, [word for p in parts for word in p]), *(prose(rng, spoke) for spoke in spokes)]


def template(rng: Random) -> list[str]:
    """The same boilerplate around a few words of its own."""
    head, foot = words(rng, rng.randint(10, 25)), words(rng, rng.randint(10, 25))
    return [prose(rng, [*head, *words(rng, rng.randint(1, 5)), *foot]) for _ in range(rng.randint(3, 10))]


def short(rng: Random) -> list[str]:
    """Texts of none to six words out of a few, and texts of punctuation alone."""
    few = words(rng, 3)
    texts = [prose(rng, rng.choices(few, k=rng.randint(0, 6))) for _ in range(rng.randint(4, 12))]
    return [*texts, rng.choice(("", "...", " \n", "—!", "漢", "x"))]


def strangers(rng: Random) -> list[str]:
    """Texts that resemble nothing."""
    return [prose(rng, words(rng, rng.randint(1, 80))) for _ in range(rng.randint(2, 6))]


KINDS: tuple[Callable[[Random], list[str]], ...] = (family, chain, hub, template, short, strangers)


def random_texts(rng: Random) -> list[str]:
    """Some of each kind, a few of them copied exactly, shuffled."""
    texts = [text for kind in KINDS for _ in range(rng.randint(1, 3)) for text in kind(rng)]
    texts += rng.choices(texts, k=len(texts) // 6)
    rng.shuffle(texts)
    return texts


def random_rows(rng: Random) -> list[Row]:
    """Rows with values that are often missing or equal, as if they stood in one file."""
    return [with_values(rng, address, text) for address, text in enumerate(random_texts(rng))]


def with_values(rng: Random, address: int, text: str) -> Row:
    """Give a text an id, a source, a quality and a time."""
    time = rng.choice((None, *(EPOCH + datetime.timedelta(days=d, microseconds=d) for d in (-400, 0, 9_000, 20_000))))
    unique = f"row-{rng.getrandbits(40)}"
    name = unique if rng.random() < 0.5 else rng.choice(IDS)
    return Row(address, text, name, rng.choice(SOURCES), rng.choice(QUALITIES), time)


def dealt(rng: Random, rows: Sequence[Row], files: int) -> list[Row]:
    """Shuffle rows over files and give them their new addresses; a file may stay empty."""
    shuffled = rng.sample(list(rows), len(rows))
    cuts = sorted(rng.randint(0, len(rows)) for _ in range(files - 1))
    bounds = list(zip([0, *cuts], [*cuts, len(rows)], strict=True))
    return [
        row._replace(address=file * FILE_STRIDE + record)
        for file, (start, stop) in enumerate(bounds)
        for record, row in enumerate(shuffled[start:stop])
    ]


def by_file(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each file, in order."""
    count = max((row.address // FILE_STRIDE for row in rows), default=0) + 1
    files: list[list[Row]] = [[] for _ in range(count)]
    for row in sorted(rows):
        files[row.address // FILE_STRIDE].append(row)
    return files


def as_table(rows: Sequence[Row]) -> pa.Table:
    """Return the columns of some rows, without their addresses."""
    return pa.Table.from_pylist([row._asdict() for row in rows], schema=SCHEMA)


def parquet_folder(rows: Sequence[Row], folder: Path, *, group_rows: int | None = None) -> Path:
    """Write rows to the files that their addresses name; return the folder."""
    folder.mkdir()
    for number, file in enumerate(by_file(rows)):
        pq.write_table(as_table(file), folder / f"part-{number}.parquet", row_group_size=group_rows)
    return folder


def jsonl_folder(rows: Sequence[Row], folder: Path) -> Path:
    """Write rows to the files that their addresses name, times as ISO 8601; return the folder."""
    folder.mkdir()
    for number, file in enumerate(by_file(rows)):
        lines = [json.dumps(_jsonable(row), ensure_ascii=False) + "\n" for row in file]
        (folder / f"part-{number}.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def _jsonable(row: Row) -> dict[str, Any]:
    finite = row.quality is not None and math.isfinite(row.quality)
    time = row.time.isoformat() if row.time else None
    return {
        "text": row.text,
        "id": row.id,
        "source": row.source,
        "quality": row.quality if finite else None,
        "time": time,
    }
