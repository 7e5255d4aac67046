"""Pairs of records with a label, in three splits: ``A-ditto-pairs`` of the folder of ``--data``.

A line is two records as ``COL name VAL value ...`` and a label, with tabs between. Records have no ids: what reads the
same is one record. So some pairs are labelled both ways; here these are matches, whichever split says 0.
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tamis.pipeline.blocking.augmentation import attributes_of
from tamis.pipeline.blocking.records import Records, read_records

SPLITS = ("train", "valid", "test")
FOLDERS = {"abt-buy": "Textual/Abt-Buy", "dblp-acm": "Structured/DBLP-ACM"}
COLUMNS = {"abt-buy": ("name", "description", "price"), "dblp-acm": ("title", "authors", "venue", "year")}


@dataclass(frozen=True)
class SplitSet:
    """Records of both sides, and labels of some of their pairs.

    Attributes:
        left, right: all records, of any split.
        labels: of each split, ``left_id``, ``right_id`` and ``label``.
    """

    left: Records
    right: Records
    labels: dict[str, pa.Table]

    def side(self, split: str, matched: bool) -> tuple[Records, Records]:
        """Return the records of a split: those in a match, or all but those in a match of another split."""
        found = []
        for records, name in ((self.left, "left_id"), (self.right, "right_id")):
            mine = self.gold(split)[name].to_pylist()
            if matched:
                found.append(_only(records, set(mine)))
                continue
            others = {one for other in SPLITS if other != split for one in self.gold(other)[name].to_pylist()}
            found.append(_only(records, set(self.labels[split][name].to_pylist()) - others | set(mine)))
        return found[0], found[1]

    def gold(self, split: str) -> pa.Table:
        """Return the matches of a split."""
        return self.labels[split].filter(self.labels[split]["label"])


def split_set(data: Path, name: str) -> SplitSet:
    """Read a set."""
    sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
    found = {}
    for split in SPLITS:
        rows = []
        path = data / "A-ditto-pairs/er_magellan" / FOLDERS[name] / f"{split}.txt.gz"
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
            for line in file:
                *pair, label = line.rstrip("\n").split("\t")
                ids = [side.setdefault(text, f"{len(side):05d}") for side, text in zip(sides, pair, strict=True)]
                rows.append((*ids, label == "1"))
        found[split] = rows
    matches = {row[:2] for rows in found.values() for row in rows if row[2]}
    labels = {}
    for split, rows in found.items():
        left, right, said = zip(*(row for row in rows if row[2] or row[:2] not in matches), strict=True)
        labels[split] = pa.table({"left_id": left, "right_id": right, "label": said})
    return SplitSet(*(_records(side, COLUMNS[name]) for side in sides), labels)


def _records(side: dict[str, str], columns: tuple[str, ...]) -> Records:
    found = [dict(attributes_of(text, columns)) for text in side]
    table = {"id": list(side.values())} | {name: [row.get(name) for row in found] for name in columns}
    return read_records(pa.table(table), "id")


def _only(records: Records, ids: set[str]) -> Records:
    kept = pa.array([one in ids for one in records.ids.to_pylist()], pa.bool_())
    return Records(*(part.filter(kept) for part in (records.ids, records.texts, records.marked)), records.columns)
