"""Loads of a router, as a file says them: how many tokens of each source went to each expert, at one step or several.

JSON is ``{"web": [9, 1], "code": [2, 8]}``, or a list of ``{"step": 100, "loads": {...}}`` for several steps. CSV and
Parquet have a row for each source (and step): a column ``source``, a column ``step`` if there are several, and a column
of numbers for each expert.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ...hashing.errors import InputError
from ..counted import counted

SOURCE, STEP = "source", "step"
_SHAPE = 'Write {"SOURCE": [9, 1]}, or [{"step": 100, "loads": {"SOURCE": [9, 1]}}, ...].'

Row = tuple[int, str, Sequence[Any]]
"""Step, source, what went to each expert."""


@dataclass(frozen=True)
class Loads:
    """Tokens of each source that a router sent to each expert.

    Attributes:
        names: of the sources, ascending.
        steps: of the training, ascending, at which loads were measured.
        counts: float64, shape (sources, steps, experts), none of whose rows is all 0.
    """

    names: tuple[str, ...]
    steps: tuple[int, ...]
    counts: NDArray[np.float64]

    def of(self, names: Sequence[str], there: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the loads of some sources: float64, shape (sources, steps, experts); zeros where none are needed.

        Args:
            names: of the sources.
            there: bool, shape (sources,): whether a source holds something, and so needs loads.

        Raises:
            InputError: one that needs loads has none, or loads are of a source that there is not.
        """
        unknown = [name for name in self.names if name not in names]
        lacking = [name for name, needed in zip(names, there, strict=True) if needed and name not in self.names]
        for what, wrong, remedy in (
            ("loads are of sources that there are", unknown, "Correct the name, or take it out."),
            ("every source has loads", lacking, "Add its loads, under this very name."),
        ):
            if wrong:
                raise InputError(
                    what,
                    value=f"{', '.join(map(repr, wrong))}; sources are {', '.join(map(repr, names))}, "
                    f"loads of {', '.join(map(repr, self.names))}",
                    remedy=remedy,
                )
        found = np.zeros((len(names), *self.counts.shape[1:]))
        for place, name in enumerate(names):
            if name in self.names:
                found[place] = self.counts[self.names.index(name)]
        return found


def read_loads(path: Path) -> Loads:
    """Return the loads of a file: JSON, CSV or Parquet, by its ending.

    Raises:
        InputError: it cannot be read, or loads are unequally many, negative, none or all 0, or a source lacks a step.
    """
    readers = {".json": _of_json, ".csv": _of_csv, ".parquet": _of_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError("loads are JSON, CSV or Parquet", value=path.name, remedy=f"End it in {', '.join(readers)}.")
    try:
        return _checked(list(reader(path)))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, pa.ArrowInvalid) as error:
        raise InputError("loads can be read", value=f"{path}: {error}", remedy="Mend the file.") from error


def _of_json(path: Path) -> Iterator[Row]:
    found = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    if isinstance(found, dict):
        found = [{STEP: 0, "loads": found}]
    if not isinstance(found, list):
        raise InputError("loads are named by source", value=type(found).__name__, remedy=_SHAPE)
    for one in found:
        if not isinstance(one, dict) or set(one) != {STEP, "loads"} or not isinstance(one["loads"], dict):
            raise InputError("each step has its number and its loads", value=repr(one)[:80], remedy=_SHAPE)
        for name, row in one["loads"].items():
            if not isinstance(row, list):
                raise InputError("loads are a list of numbers", value=f"{name!r}: {row!r}"[:80], remedy=_SHAPE)
            yield one[STEP], name, row


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise InputError("loads name a source once", value=name, remedy="Take one out.")
    return dict(pairs)


def _of_csv(path: Path) -> Iterator[Row]:
    names = csv.ConvertOptions(column_types={SOURCE: pa.string()}, strings_can_be_null=False)
    yield from _of_table(csv.read_csv(path, convert_options=names))


def _of_parquet(path: Path) -> Iterator[Row]:
    yield from _of_table(pq.read_table(path))


def _of_table(table: pa.Table) -> Iterator[Row]:
    experts = [name for name in table.column_names if name not in (SOURCE, STEP)]
    wrong = [name for name in experts if not _is_number(table.schema.field(name).type)]
    if SOURCE not in table.column_names or not experts or wrong:
        raise InputError(
            f"loads have a column `{SOURCE}` and a column of numbers for each expert",
            value=", ".join(f"{field.name}: {field.type}" for field in table.schema),
            remedy="Name and convert the columns.",
        )
    steps = table[STEP].to_pylist() if STEP in table.column_names else [0] * table.num_rows
    columns = [table[name].to_pylist() for name in experts]
    yield from zip(steps, table[SOURCE].to_pylist(), zip(*columns, strict=True), strict=True)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind))


def _checked(rows: list[Row]) -> Loads:
    """Return rows as loads."""
    if not rows:
        raise InputError("loads are of a source", value="none", remedy=_SHAPE)
    known: dict[tuple[int, str], NDArray[np.float64]] = {}
    for step, name, row in rows:
        if not isinstance(step, int) or isinstance(step, bool) or step < 0 or not isinstance(name, str):
            raise InputError(
                "steps are whole numbers from 0 on, sources are names", value=f"{step!r}, {name!r}", remedy=_SHAPE
            )
        if (step, name) in known:
            raise InputError("loads name a source once a step", value=f"{name!r} at {step}", remedy="Take one out.")
        known[step, name] = _numbers(name, row)
    names, steps = tuple(sorted({name for _, name in known})), tuple(sorted({step for step, _ in known}))
    for key in ((step, name) for step in steps for name in names):
        if key not in known:
            raise InputError(
                "every source has loads at every step", value=f"{key[1]!r} has none at {key[0]}", remedy="Add them."
            )
    lengths = {name: len(known[steps[0], name]) for name in names}
    for (step, name), numbers in known.items():
        if len(numbers) != lengths[names[0]]:
            raise InputError(
                "loads of all sources are equally long",
                value=f"{counted(len(numbers), 'expert')} of {name!r} at {step}, {lengths[names[0]]} of {names[0]!r}",
                remedy="Count the same experts in all.",
            )
    return Loads(names, steps, np.array([[known[step, name] for step in steps] for name in names]))


def _numbers(name: str, row: Sequence[Any]) -> NDArray[np.float64]:
    for place, value in enumerate(row):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value < np.inf:
            raise InputError(
                "loads are numbers from 0 on", value=f"{value!r} of {name!r}, expert {place}", remedy="Mend it."
            )
    if not any(row):
        raise InputError(
            "loads of a source are not all 0", value=repr(name), remedy="Leave out a source without tokens."
        )
    return np.array(row, np.float64)
