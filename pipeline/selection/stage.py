"""The select stage: a few rows stand for all of them.

    rows -> vectors -> parts of groups -> chosen in each part -> candidates -> chosen of each group -> witnesses

A group of one part is chosen from at once. A larger one is dealt to parts by a keyed hash; each chooses more than its
share (GreeDi: Mirzasoleiman and others 2013), and the last choice is made among what they chose. For facility location
every row counts there, with the candidates nearest to it; other functions see the candidates alone. A row that was not
chosen goes, and its keeper is the chosen row of its group that is nearest to it. Where rows are there already, facility
location adds to what they stand for, and one of them may be nearer (``against.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ...hashing.errors import ConfigError, InputError
from ..counted import counted
from ..drops import DROPS
from ..engine import Engine, Table
from ..semantic.encoders import Encoder
from ..semantic.encoding import HASH, ReadTexts, write_vectors
from ..semantic.matrix import VECTORS, Matrix
from .against import COVERED, Cover, nearer
from .choose import CHOSEN, SIMILARITY_BYTES, UNITS, Choose
from .features import FEATURES, Counting
from .groups import DEALT, NAMED, Dealing, Groups, Naming, groups_of
from .nearest import NEAR, NEAR_BYTES, REPRESENTED, Candidates, Merge, Represent, some_of
from .rounds import Rounds, cells, rounds_of
from .settings import Select
from .values import ROW, with_values

STAGE = "select"
SHOWN_GROUPS, CURVE_POINTS = 1000, 50


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
        sources: all that the run read.
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
    sources: tuple[str, ...]

    def __call__(self, left: Table, old: Table | None = None) -> Selected:
        """Choose among ranked rows.

        Args:
            left: to choose from.
            old: ranked rows that are there already; None: there are none.

        Raises:
            ConfigError: a mixture does not fit the sources.
        """
        rows = left.select("row", "address", "source", "tokens", *HASH).save("select_rows")
        matrix, summary = self._vectors(rows, STAGE)
        valued = with_values(rows, self.stage.by, self.read_columns, "select_columns")
        named = valued.map(Naming(self.stage.apart), NAMED).save("select_named")
        groups = groups_of(named, self.stage, self.sources)
        covered = None
        if old is not None and self.stage.function == "facility-location":
            there, _ = self._vectors(old.select("row", "address", "source", *HASH).save("select_old"), "select_old")
            covered = named.select("row").map(Cover(matrix, there), COVERED).save("select_covered")
        dealt = self._dealt(named, rows, groups, covered).save("select_dealt")
        rounds = rounds_of(groups, _held(dealt, groups))
        chosen = self._chosen(dealt, matrix, groups, rounds).save("select_chosen")
        found = chosen.select("row", "tokens", "group", "part").collect()
        _check_some(found, groups)
        numbers = cells(found["group"].to_numpy(), found["part"].to_numpy(), rounds)
        rest = dealt.select("row", "group", "part").join(chosen.select("row"), on=["row"], how="anti")
        represent = Represent(matrix, self.engine.ship(some_of(found, numbers)), rounds)
        represented = rest.map(represent, REPRESENTED)
        if covered is not None:
            represented = nearer(represented, covered)
        represented = represented.save("select_represented")
        facts = {
            "function": self.stage.function,
            "model": self.encoder.facts,
            "encoded_rows": summary["rows"][0].as_py(),
            "cut_rows": summary["cut"][0].as_py(),
            "empty_rows": summary["empty"][0].as_py(),
            **_facts(groups, rounds, chosen, represented, covered is not None),
            "mean_similarity_before": None if covered is None else _mean(covered),
        }
        return Selected(represented.select(*DROPS.names), chosen, groups, facts)

    def _vectors(self, rows: Table, name: str) -> tuple[Matrix, pa.Table]:
        """Write the vectors of rows; return where they are, and the summary."""
        matrix = Matrix(str(self.work / f"{name.replace('_', '-')}-vectors"), self.encoder.dim)
        summary = write_vectors(
            self.engine,
            rows,
            self.encoder,
            matrix,
            read=self.read,
            text=self.text,
            asked=_any_similarity,
            once=self.once,
            name=name,
        )
        return matrix, summary.collect()

    def _dealt(self, named: Table, rows: Table, groups: Groups, covered: Table | None) -> Table:
        if covered is not None:
            named = named.join(covered.select("row", "covered"), on=["row"])
        if self.stage.function == "features":
            texts = self.read(rows.select("address", **{ROW: "row"}), "select_features")
            named = named.join(texts.map(Counting(self.text), FEATURES), on=["row"])
        return named.map(Dealing(groups, self.seed), DEALT)

    def _chosen(self, dealt: Table, matrix: Matrix, groups: Groups, rounds: Rounds) -> Table:
        """Return what is chosen of all groups: at once, or from candidates of parts."""
        largest = int(np.max(groups.rows / np.maximum(groups.parts, 1), initial=0))
        hold = min(4 * largest * largest, SIMILARITY_BYTES) + 20 * matrix.dim * largest
        choose = Choose(matrix, self.stage, "part", rounds.limits, groups.words, self.seed)
        first = dealt.group(by="part", sort=["row"], fn=choose, schema=CHOSEN, hold=hold)
        interleaved = Interleaved(groups.first_part, groups.parts)
        if not rounds.merged:
            return first.map(interleaved, CHOSEN)
        first = first.save("select_first")
        once = first.map(_Of(rounds.merged, inside=False), CHOSEN).map(interleaved, CHOSEN)
        candidates = first.map(_Of(rounds.merged, inside=True), CHOSEN)
        size = int(groups.rows[sorted(rounds.merged)].max())
        if self.stage.function != "facility-location":
            again = candidates.select(*DEALT.names)
            last = Choose(matrix, self.stage, "group", groups.limits, groups.words, self.seed)
            return once.union(again.group(by="group", sort=["row"], fn=last, schema=CHOSEN, hold=hold))
        found = candidates.select("row", "tokens", "group", "part").collect()
        ship = self.engine.ship(some_of(found, found["group"].to_numpy()))
        near = dealt.map(Candidates(matrix, ship), NEAR).save("select_near")
        merge = Merge(ship, self.stage, groups, self.seed)
        merged = near.group(by="group", sort=["row"], fn=merge, schema=CHOSEN, hold=2 * NEAR_BYTES * size)
        return once.union(merged)


@dataclass(frozen=True)
class Interleaved:
    """Gives the rows that parts chose for good a place in their group: the first of each part, the second ones ...

    Attributes:
        first_part, parts: int64, by number of the group.
    """

    first_part: NDArray[np.int64]
    parts: NDArray[np.int64]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``CHOSEN`` of rows whose places are those in their part."""
        group, part, place = (batch.column(name).to_numpy() for name in ("group", "part", "place"))
        places = place * self.parts[group] + part - self.first_part[group]
        return batch.set_column(CHOSEN.get_field_index("place"), CHOSEN.field("place"), pa.array(places))


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


def _held(dealt: Table, groups: Groups) -> NDArray[np.int64]:
    """Return the rows, or words, of each part."""
    found = dealt.aggregate(by=["part"], rows=("count", "row"), tokens=("sum", "tokens")).collect()
    held = np.zeros(int(groups.parts.sum()), np.int64)
    held[found["part"].to_numpy()] = found["tokens" if groups.words else "rows"].to_numpy()
    return held


def _check_some(found: pa.Table, groups: Groups) -> None:
    """Make sure that something is chosen where there is something."""
    if not found.num_rows and groups.rows.sum():
        if not groups.tokens.sum():
            raise InputError(
                "a selection keeps a row", value="no row has a letter, mark or number", remedy="Check the texts."
            )
        raise ConfigError(
            "a selection keeps a row",
            value=f"none: {'words' if groups.words else 'rows'} to keep are {int(groups.limits.sum()):,},"
            f" the rows have {counted(int(groups.tokens.sum() / groups.rows.sum()), 'word')} on average",
            remedy="Raise the budget to at least one row.",
        )


def _mean(covered: Table) -> float:
    """Return how similar old rows are to new ones, on average."""
    total = covered.aggregate(by=[], covered=("sum", "covered"), rows=("count", "row")).collect().to_pylist()[0]
    return float((total["covered"] or 0) / UNITS / max(1, total["rows"]))


def _facts(groups: Groups, rounds: Rounds, chosen: Table, represented: Table, begun: bool) -> Mapping[str, Any]:
    """Return what the report says of the choice, of the first groups one by one.

    Values include what old rows stand for, where a choice has begun with it.
    """
    found = chosen.select("group", "part", "place", "gain", "value", "bound", "tokens").collect()
    group = found["group"].to_numpy()
    covered = represented.aggregate(by=[], covered=("sum", "covered"), rows=("count", "row")).collect().to_pylist()[0]
    represents = (covered["covered"] or 0) / UNITS + len(group)
    lines = []
    for number, name in enumerate(groups.names[:SHOWN_GROUPS]):
        mine = found.filter(pa.array(group == number)).sort_by("place")
        _, firsts = np.unique(mine["part"].to_numpy(), return_index=True)
        apart = firsts if number not in rounds.merged else firsts[:1]
        value = float(mine["value"].to_numpy()[apart].sum())
        sums = np.cumsum(mine["gain"].to_numpy())
        if begun and len(sums):
            sums += value - sums[-1]
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
                "merged": number in rounds.merged,
                "value": value,
                "bound": float(mine["bound"].to_numpy()[apart].sum()),
                "curve": [[int(at) + 1, float(sums[at])] for at in points.tolist()],
            }
        )
    return {
        "unit": "words" if groups.words else "rows",
        "groups": lines,
        "more_groups": max(0, len(groups.names) - SHOWN_GROUPS),
        "asked": groups.asked,
        "got": pc.sum(found["tokens"]).as_py() or 0 if groups.words else len(group),
        "chosen": len(group),
        "mean_similarity": represents / max(1, len(group) + covered["rows"]),
    }
