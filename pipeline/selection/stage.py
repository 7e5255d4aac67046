"""The select stage: a few rows stand for all of them.

    rows -> vectors -> parts of groups -> chosen in each part -> candidates -> chosen of each group -> witnesses

A group of one part is chosen from at once. A larger one is dealt to parts by a keyed hash; each chooses more than its
share (GreeDi: Mirzasoleiman and others 2013), and the last choice is made among what they chose. For facility location
every row counts there, with the candidates nearest to it; other functions see the candidates alone. A row that was not
chosen goes, and its keeper is the chosen row of its group that is nearest to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..drops import DROPS
from ..engine import Engine, Table
from ..semantic.encoders import Encoder
from ..semantic.encoding import HASH, ReadTexts, write_vectors
from ..semantic.matrix import VECTORS, Matrix
from .choose import CHOSEN, SIMILARITY_BYTES, Choose
from .features import FEATURES, Counting
from .groups import DEALT, NAMED, Dealing, Groups, Naming, groups_of
from .nearest import NEAR, NEAR_BYTES, REPRESENTED, Candidates, Merge, Represent, some_of
from .settings import Select

STAGE = "select"
SHOWN_GROUPS, CURVE_POINTS = 1000, 50
_UNITS = 2.0**30


@dataclass(frozen=True)
class Selected:
    """What the stage found.

    Attributes:
        drops: rows that were not chosen (``DROPS``), saved.
        chosen: those that were (``CHOSEN``), saved.
        groups: what they were chosen from.
        facts: for the report.
    """

    drops: Table
    chosen: Table
    groups: Groups
    facts: dict[str, Any]


@dataclass(frozen=True)
class Selecting:
    """What the stage needs of its run.

    Attributes:
        engine: what runs the verbs.
        stage: its settings.
        encoder: makes vectors.
        read: gives the texts of rows.
        read_columns: gives other columns of rows, in the same way.
        text: the column of texts.
        work: the run's work folder, on a disk that all tasks see.
        seed: of the run.
        once: whether no two rows are known to have one text.
    """

    engine: Engine
    stage: Select
    encoder: Encoder
    read: ReadTexts
    read_columns: ReadTexts
    text: str
    work: Path
    seed: int
    once: bool

    def __call__(self, left: Table) -> Selected:
        """Choose among ranked rows.

        Raises:
            ConfigError: a mixture does not fit the sources.
        """
        matrix = Matrix(str(self.work / "select-vectors"), self.encoder.dim)
        rows = left.select("row", "address", "source", "tokens", *HASH).save("select_rows")
        summary = write_vectors(
            self.engine,
            rows,
            self.encoder,
            matrix,
            read=self.read,
            text=self.text,
            asked=_any_similarity,
            once=self.once,
            name=STAGE,
        ).collect()
        named = self._named(rows).save("select_named")
        groups = groups_of(named, self.stage)
        dealt = self._dealt(named, rows, groups).save("select_dealt")
        chosen = self._chosen(dealt, matrix, groups).save("select_chosen")
        ship = self.engine.ship(some_of(chosen.select("row", "tokens", "group").collect()))
        rest = dealt.select("row", "group").join(chosen.select("row"), on=["row"], how="anti")
        represented = rest.map(Represent(matrix, ship), REPRESENTED).save("select_represented")
        facts = {
            "function": self.stage.function,
            "model": self.encoder.facts,
            "encoded_rows": summary["rows"][0].as_py(),
            "cut_rows": summary["cut"][0].as_py(),
            "empty_rows": summary["empty"][0].as_py(),
            **_facts(groups, chosen, represented),
        }
        return Selected(represented.select(*DROPS.names), chosen, groups, facts)

    def _named(self, rows: Table) -> Table:
        columns = tuple(self.stage.by)
        if columns:
            rows = self.read_columns(rows, "select_columns")
        return rows.map(Naming(self.stage.apart, columns), NAMED)

    def _dealt(self, named: Table, rows: Table, groups: Groups) -> Table:
        if self.stage.function == "features":
            texts = self.read(rows.select("row", "address"), "select_features")
            named = named.join(texts.map(Counting(self.text), FEATURES), on=["row"])
        return named.map(Dealing(groups, self.seed), DEALT)

    def _chosen(self, dealt: Table, matrix: Matrix, groups: Groups) -> Table:
        """Return what is chosen of all groups: at once, or from candidates of parts."""
        largest = int(np.max(groups.rows / np.maximum(groups.parts, 1), initial=0))
        hold = min(4 * largest * largest, SIMILARITY_BYTES) + 16 * matrix.dim * largest
        several = frozenset(np.flatnonzero(groups.parts > 1).tolist())
        choose = Choose(matrix, self.stage, groups, self.seed, last=not several)
        first = dealt.group(by="part", sort=["row"], fn=choose, schema=CHOSEN, hold=hold)
        if not several:
            return first
        first = first.save("select_first")
        once = first.map(_Of(several, inside=False), CHOSEN)
        candidates = first.map(_Of(several, inside=True), CHOSEN)
        size = int(groups.rows[list(several)].max())
        if self.stage.function != "facility-location":
            again = candidates.map(_as_dealt, DEALT)
            last = Choose(matrix, self.stage, groups, self.seed, last=True)
            return once.union(again.group(by="group", sort=["row"], fn=last, schema=CHOSEN, hold=hold))
        ship = self.engine.ship(some_of(candidates.select("row", "tokens", "group").collect()))
        near = dealt.map(Candidates(matrix, ship), NEAR).save("select_near")
        merge = Merge(ship, self.stage, groups, self.seed)
        merged = near.group(by="group", sort=["row"], fn=merge, schema=CHOSEN, hold=2 * NEAR_BYTES * size)
        return once.union(merged)


@dataclass(frozen=True)
class _Of:
    """Keeps rows of some groups, or those of the others; plain data."""

    groups: frozenset[int]
    inside: bool

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        kept = [(number in self.groups) == self.inside for number in batch.column("group").to_pylist()]
        return batch.filter(pa.array(kept, pa.bool_()))


def _any_similarity(batch: pa.RecordBatch) -> pa.RecordBatch:
    least = pa.array(np.zeros(batch.num_rows))
    columns = [batch.column("row"), least, batch.column("cut"), batch.column("vector")]
    return pa.RecordBatch.from_arrays(columns, schema=VECTORS)


def _as_dealt(batch: pa.RecordBatch) -> pa.RecordBatch:
    names = ("row", "tokens", "group", "group", "features")
    return pa.RecordBatch.from_arrays([batch.column(name) for name in names], schema=DEALT)


def _facts(groups: Groups, chosen: Table, represented: Table) -> Mapping[str, Any]:
    """Return what the report says of the choice, of the first groups one by one."""
    found = chosen.select("group", "place", "gain", "value", "bound", "tokens").collect()
    group = found["group"].to_numpy()
    covered = represented.aggregate(by=[], covered=("sum", "covered"), rows=("count", "row")).collect().to_pylist()[0]
    represents = (covered["covered"] or 0) / _UNITS + len(group)
    lines = []
    for number, name in enumerate(groups.names[:SHOWN_GROUPS]):
        mine = found.filter(pa.array(group == number)).sort_by("place")
        sums = np.cumsum(mine["gain"].to_numpy())
        points = np.unique(np.linspace(0, len(sums) - 1, min(len(sums), CURVE_POINTS)).astype(np.int64))
        lines.append(
            {
                "group": name,
                "rows": groups.rows[number].item(),
                "tokens": groups.tokens[number].item(),
                "limit": groups.limits[number].item(),
                "parts": groups.parts[number].item(),
                "chosen": mine.num_rows,
                "chosen_tokens": pc.sum(mine["tokens"]).as_py() or 0,
                "value": mine["value"][0].as_py() if mine.num_rows else 0.0,
                "bound": mine["bound"][0].as_py() if mine.num_rows else 0.0,
                "curve": [[int(at) + 1, float(sums[at])] for at in points.tolist()],
            }
        )
    return {
        "unit": "words" if groups.words else "rows",
        "groups": lines,
        "more_groups": max(0, len(groups.names) - SHOWN_GROUPS),
        "chosen": len(group),
        "mean_similarity": represents / max(1, len(group) + covered["rows"]),
    }
