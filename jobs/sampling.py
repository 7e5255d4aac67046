"""A sample of a corpus, and labelled pairs of its texts, read with the connectors of every run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..connectors.address import ADDRESS
from ..connectors.batches import RULE
from ..connectors.corpus import InputSpec, open_corpus, plan_splits
from ..connectors.split import SPLIT_BYTES, Split
from ..hashing.errors import InputError
from ..pipeline.config import Columns
from ..pipeline.documents import check_columns
from ..pipeline.engine import Engine
from ..pipeline.filters import plan_filters
from ..pipeline.keep import KeepPolicy
from ..pipeline.report.examples import address_hashes, choose_splits, read_texts
from ..pipeline.survey import survey

TEXT_BYTES = 64 << 20
"""Bytes of text that a sample has at most."""

CHARACTERS = 100_000
"""Characters of a text that count; longer ones are cut."""

LEFT, RIGHT, LABEL = "left", "right", "label"
_NAMED = pa.schema([(ADDRESS, pa.int64()), ("id", pa.string())])
_TRUE, _FALSE = {"1", "1.0", "true", "yes", "t", "y"}, {"0", "0.0", "false", "no", "f", "n"}


@dataclass(frozen=True)
class Named:
    """Leaves addresses of records that could be read, and their ids; plain data.

    Attributes:
        column: of the id; or of anything else, where ids are not wanted.
        wanted: whether they are.
    """

    column: str
    wanted: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return address and id."""
        good = batch.filter(pc.is_null(batch.column(RULE)))
        ids = good.column(self.column).cast(pa.string()) if self.wanted else pa.nulls(good.num_rows, pa.string())
        return pa.RecordBatch.from_arrays([good.column(ADDRESS), ids], schema=_NAMED)


class Corpus:
    """The inputs that a sample is drawn from.

    Args:
        engine: reads them.
        work: a folder for what was found about them.
        inputs, format, text, id: as of a run.
        seed: of the choice.

    Attributes:
        seen: records that a sample was drawn from, once it was.
    """

    def __init__(
        self,
        engine: Engine,
        work: Path,
        inputs: Iterable[str],
        *,
        format: str | None,
        text: str,
        id: str | None,
        seed: int,
    ) -> None:
        self._engine, self._text, self._id, self._seed = engine, text, id, seed
        self._splits, self._full = _opened(engine, inputs, format, work / "schema.json")
        check_columns(self._full, Columns(text=text, id=id), KeepPolicy(), plan_filters((), self._full))
        self.seen = 0

    def sample(self, rows: int) -> pa.Table:
        """Return (id, text) of some good records, chosen by a keyed hash of their address, in address order.

        They come from at most 64 MB of the inputs as they are stored (or one split), and have at most 64 MB of text.

        Raises:
            InputError: if there are fewer than two.
        """
        splits = choose_splits(self._splits, self._seed)
        named = self._named(splits)
        self.seen = named.num_rows
        addresses = named[ADDRESS].to_numpy()
        chosen = np.sort(np.argsort(address_hashes(addresses, self._seed), kind="stable")[:rows])
        named = named.take(pa.array(chosen))
        texts = self._texts(splits, named[ADDRESS].to_pylist())
        ids, found, left = [], [], TEXT_BYTES
        for address, name in zip(named[ADDRESS].to_pylist(), named["id"].to_pylist(), strict=True):
            text = texts.get(address)
            left -= len(text.encode()) if text else 0
            if left < 0:
                break
            if text:
                ids.append(name)
                found.append(text)
        if len(found) < 2:
            raise InputError(
                "a sample has two texts or more", value=f"{len(found)}", remedy="Name more inputs, or check --text."
            )
        return pa.table({"id": pa.array(ids, pa.string()), "text": pa.array(found, pa.large_string())})

    def texts_of(self, ids: Iterable[str]) -> dict[str, str]:
        """Return texts by id; ids that are nowhere are left out.

        Raises:
            InputError: if one names several records.
        """
        named = self._named(self._splits)
        named = named.filter(pc.is_in(named["id"], pa.array(sorted(set(ids)), pa.string())))
        names = dict(zip(named[ADDRESS].to_pylist(), named["id"].to_pylist(), strict=True))
        if len(set(names.values())) < len(names):
            counts = pc.value_counts(named["id"]).to_pylist()
            twice = min(line["values"] for line in counts if line["counts"] > 1)
            raise InputError(
                "the id of a labelled pair names one record", value=f"{twice!r} names several", remedy="Check --id."
            )
        texts = self._texts(self._splits, sorted(names))
        return {names[address]: text for address, text in texts.items()}

    def _named(self, splits: Sequence[Split]) -> pa.Table:
        name = self._id or self._text
        read = self._engine.read(splits, pa.schema([self._full.field(name)]), full=self._full)
        return read.map(Named(name, self._id is not None), _NAMED).collect().sort_by(ADDRESS)

    def _texts(self, splits: Sequence[Split], addresses: Sequence[int]) -> dict[int, str]:
        found = read_texts(
            self._engine, addresses, splits=splits, text=self._text, full=self._full, characters=CHARACTERS
        )
        return {address: text for address, (text, _) in found.items() if text}


def _opened(engine: Engine, inputs: Iterable[str], format: str | None, memo: Path) -> tuple[list[Split], pa.Schema]:
    corpus = open_corpus([InputSpec(path, format=format) for path in inputs])
    splits = [split for file in corpus.files for split in plan_splits(file, split_bytes=SPLIT_BYTES)]
    return splits, survey(engine, splits, memo)


@dataclass(frozen=True)
class Labelled:
    """Pairs of texts that somebody has judged.

    Attributes:
        texts: left and right ones by turns: pair i is texts 2i and 2i + 1.
        labels: bool, shape (n,): which pairs are copies.
        missing: pairs left out, since they could not be read, or an id of theirs is nowhere.
    """

    texts: pa.Array
    labels: Any
    missing: int


def read_labelled(engine: Engine, work: Path, path: str, corpus: Corpus | None) -> Labelled:
    """Read labelled pairs: columns ``left``, ``right`` (ids of a corpus, or texts) and ``label``.

    Args:
        engine: reads them.
        work: a folder for what was found about the file.
        path: of the pairs, in any format that a run reads.
        corpus: that ids are looked up in; without one, left and right are texts.

    Raises:
        InputError: if a column is missing, a label is neither yes nor no, or no pair is left.
    """
    splits, full = _opened(engine, [path], None, work / "pairs.json")
    lacking = [name for name in (LEFT, RIGHT, LABEL) if name not in full.names]
    if lacking:
        raise InputError(
            f"labelled pairs have the columns {LEFT}, {RIGHT} and {LABEL}",
            value=f"{path} has {', '.join(full.names)}",
            remedy=f"Name them so: {', '.join(lacking)} is missing.",
        )
    wanted = pa.schema([full.field(name) for name in (LEFT, RIGHT, LABEL)])
    rows = engine.read(splits, wanted, full=full).collect().sort_by(ADDRESS)
    broken = rows.num_rows
    rows = rows.filter(pc.is_null(rows[RULE]))
    broken -= rows.num_rows
    labels = [_judged(value, path) for value in rows[LABEL].to_pylist()]
    sides = [rows[name].cast(pa.string()).to_pylist() for name in (LEFT, RIGHT)]
    if corpus is not None:
        texts = corpus.texts_of(name for side in sides for name in side if name is not None)
        sides = [[texts.get(name) for name in side] for side in sides]
    known = [(a, b, label) for a, b, label in zip(*sides, labels, strict=True) if a and b]
    if not known:
        raise InputError("labelled pairs have texts", value=f"none of {len(labels)} in {path}", remedy="Check --id.")
    both = [text for a, b, _ in known for text in (a[:CHARACTERS], b[:CHARACTERS])]
    return Labelled(
        pa.array(both, pa.large_string()), np.array([label for _, _, label in known]), broken + len(labels) - len(known)
    )


def _judged(value: object, path: str) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise InputError("a label is 1 or 0, true or false", value=f"{value!r} in {path}", remedy="Mend that label.")
