"""A compressed benchmark: its items, what tells the full score from them, and both as a JSON file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...hashing.compression.curves import Curves, right_on
from ...hashing.compression.matrix import as_scores
from ...hashing.compression.predicted import GRID, predicted_scores
from ...hashing.errors import ArtefactError, InputError
from ..state import write_atomically

Numbers = NDArray[np.float64]

FORMAT, FORMAT_VERSION = "tamis-compressed-benchmark", 1

_ARRAYS = ("items", "slopes", "levels", "on_grid", "weights")


@dataclass(frozen=True)
class Compressed:
    """Some items of a benchmark, and their predictor of the full score.

    Attributes:
        items: int64, shape (k,): numbers of the chosen items, ascending.
        weights: float64, shape (k,): by how much of the full score (0 to 1) a right answer in place of a wrong one
            raises the prediction for a model of middling ability.
        slopes, levels: float64, shape (k,): the items' curves.
        on_grid: float64: the full score at each ability of the predictor's grid.
        spread: of the prior of abilities.
        benchmark: how many items there were.
        removed: of these, how many were redundant.
        models: how many models were learned from.
        expected_error: RMSE in points that is to be expected for other models, if items go by their curves.
        seed: of the search.
    """

    items: NDArray[np.int64]
    weights: Numbers
    slopes: Numbers
    levels: Numbers
    on_grid: Numbers
    spread: float
    benchmark: int
    removed: int
    models: int
    expected_error: float
    seed: int

    def predict(self, answers: ArrayLike) -> Numbers:
        """Return the predicted full scores of models: float64, shape (models,), 0 to 1.

        Args:
            answers: shape (models, k): scores of the chosen items in their order, 0 to 1; NaN where there is none.

        Raises:
            InputError: it is no such matrix, or a model has no answer at all.
        """
        given = np.array(answers, np.float64)
        if given.ndim != 2 or given.shape[1] != len(self.items):
            raise InputError(
                "answers are a row for each model and a column for each chosen item",
                value=f"shape {given.shape} for {len(self.items)} items",
                remedy="Give the items in their order.",
            )
        there = ~np.isnan(given)
        if not (there.any(axis=1).all() and ((given[there] >= 0) & (given[there] <= 1)).all()):
            as_scores(given[:, there.any(axis=0)], "answers")
        return predicted_scores(given, Curves(self.slopes, self.levels), self.on_grid, self.spread)

    def save(self, path: Path) -> None:
        """Write this as JSON, whole or not at all; floats are written so that they are read the same."""
        facts = {name: value for name, value in vars(self).items() if name not in _ARRAYS}
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        document = {"format": FORMAT, "version": FORMAT_VERSION, **facts, **arrays}
        write_atomically(path, json.dumps(document, indent=1) + "\n")


def load_compressed(path: Path) -> Compressed:
    """Read what ``Compressed.save`` wrote.

    Raises:
        ArtefactError: it is no such file, of another version, or damaged.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unlike(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.get("version") != FORMAT_VERSION:
        raise _unlike(path, "another format or version")
    try:
        arrays: dict[str, Any] = {name: np.array(document[name], _kind(name)) for name in _ARRAYS}
        numbers: dict[str, Any] = {name: _number(name, document[name]) for name in _NUMBERS}
        found = Compressed(**arrays, **numbers)
    except (KeyError, TypeError, ValueError) as error:
        raise _unlike(path, f"{type(error).__name__}: {error}") from error
    k = len(found.items)
    sized = all(getattr(found, name).shape == (k,) for name in ("items", "weights", "slopes", "levels"))
    in_order = bool(k) and bool((np.diff(found.items) > 0).all()) and 0 <= found.items[0] <= found.items[-1]
    floats = (found.weights, found.slopes, found.levels, found.on_grid, np.array([found.spread, found.expected_error]))
    finite = all(np.isfinite(values).all() for values in floats)
    if not (sized and in_order and finite and found.items[-1] < found.benchmark and found.on_grid.shape == GRID.shape):
        raise _unlike(path, "numbers that do not belong together")
    return found


def weights_of(curves: Curves, rise: float, information: float) -> Numbers:
    """Return by how much the predicted score moves with each answer, about the mean ability: shape (items,)."""
    return np.asarray(rise * curves.slopes / information, np.float64)


def information_of(curves: Curves) -> float:
    """Return what items say of a model of mean ability: the sum of their squared slopes times p (1 - p)."""
    right = right_on(curves, np.zeros(1))[0]
    return float((curves.slopes * curves.slopes * right * (1.0 - right)).sum())


_NUMBERS = ("spread", "benchmark", "removed", "models", "expected_error", "seed")


def _kind(name: str) -> type[np.generic]:
    return np.int64 if name == "items" else np.float64


def _number(name: str, value: Any) -> Any:
    wanted = float if name in ("spread", "expected_error") else int
    if isinstance(value, bool) or not isinstance(value, wanted):
        raise ValueError(f"`{name}` is {value!r}")
    return value


def _unlike(path: Path, what: str) -> ArtefactError:
    return ArtefactError(
        "a compressed benchmark is a file that `tamis compress-benchmark` wrote",
        value=f"{path}: {what}",
        remedy="Compress the benchmark again.",
    )
