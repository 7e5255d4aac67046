"""Sets of records whose matches are known, in the folder of ``--data``.

``A-ditto-pairs`` is not among them: it has labelled pairs and no tables to block.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pyarrow as pa

from tamis.pipeline.blocking.records import Records, read_records


@dataclass(frozen=True)
class RecordSet:
    """Two tables of records, or one with duplicates in it, and the matches.

    Attributes:
        name: of the set.
        left: the records that are queried with.
        right: those that are searched; None: the same.
        gold: the matches, ``left_id`` and ``right_id``.
    """

    name: str
    left: Records
    right: Records | None
    gold: pa.Table


TWO_TABLES = {
    "abt-buy": ("A-abt-buy", "abt", "buy", "|"),
    "dblp-acm": ("A-dblp-acm", "dblp", "acm", "%"),
    "imdb-tmdb": ("A-imdb-tmdb", "imdb", "tmdb", "|"),
    "imdb-tvdb": ("A-imdb-tvdb", "imdb", "tvdb", "|"),
    "tmdb-tvdb": ("A-tmdb-tvdb", "tmdb", "tvdb", "|"),
    "restaurants": ("A-restaurants", "rest1", "rest2", "|"),
}
NAMES = (*TWO_TABLES, "cora", "febrl1", "febrl2", "febrl3", "febrl4", "autofj")


def record_sets(data: Path, name: str) -> Iterator[RecordSet]:
    """Yield the sets of a name: one, or the 25 of ``autofj``."""
    if name in TWO_TABLES:
        folder, one, other, mark = TWO_TABLES[name]
        gold = _lines(data / folder / "gt.csv.gz", mark)
        left, right = (_records(data / folder / f"{table}.csv.gz", mark, "id") for table in (one, other))
        yield RecordSet(name, left, right, _gold((line["D1"], line["D2"]) for line in gold))
    elif name == "cora":
        with gzip.open(data / "A-cora/cora_gt.csv.gz", "rt", encoding="utf-8") as file:
            gold = [line.rstrip("\r\n").split("|") for line in file]
        records = _records(data / "A-cora/cora.csv.gz", "|", "Entity Id", csv.QUOTE_NONE)
        yield RecordSet(name, records, None, _gold((a, b) for a, b in gold if a != b))
    elif name == "febrl4":
        left, right = (_records(data / f"A-febrl/dataset4{part}.csv.gz", ",", "rec_id") for part in "ab")
        entity = {_entity(one): one for one in left.ids.to_pylist()}
        yield RecordSet(name, left, right, _gold((entity[_entity(two)], two) for two in right.ids.to_pylist()))
    elif name.startswith("febrl"):
        records = _records(data / f"A-febrl/dataset{name[-1]}.csv.gz", ",", "rec_id")
        groups: dict[str, list[str]] = {}
        for one in records.ids.to_pylist():
            groups.setdefault(_entity(one), []).append(one)
        yield RecordSet(name, records, None, _gold(pair for some in groups.values() for pair in combinations(some, 2)))
    else:
        for folder in sorted((data / "A-autofj").iterdir()):
            left, right = (_records(folder / f"{side}.csv.gz", ",", "id") for side in ("right", "left"))
            gold = _lines(folder / "gt.csv.gz", ",")
            yield RecordSet(folder.name, left, right, _gold((line["id_r"], line["id_l"]) for line in gold))


def _entity(record: str) -> str:
    return record.split("-")[1]


def _gold(pairs: Iterable[tuple[str, str]]) -> pa.Table:
    found = list(pairs)
    return pa.table({"left_id": [a for a, _ in found], "right_id": [b for _, b in found]})


def _records(path: Path, mark: str, id_column: str, quoting: int = csv.QUOTE_MINIMAL) -> Records:
    lines = _lines(path, mark, quoting)
    return read_records(pa.table({name: [line[name] for line in lines] for name in lines[0]}), id_column)


def _lines(path: Path, mark: str, quoting: int = csv.QUOTE_MINIMAL) -> list[dict[str, str]]:
    """Return the lines of delimited text by the names of its columns."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter=mark, quoting=quoting, skipinitialspace=mark == ",")  # type: ignore[arg-type]
        return list(reader)
