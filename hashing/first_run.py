"""The first run on a machine compiles the large kernels, which takes some seconds: better said than felt."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .fingerprint import fingerprint, kernel_of_fingerprint
from .kernel import is_compiled
from .lsh import Banding
from .read_only import read_only
from .shingles import shingle_sets
from .sketch import SketchPlan

_LARGE: tuple[Callable[..., Any], ...] = (kernel_of_fingerprint, shingle_sets)


def must_compile() -> bool:
    """Return whether this machine has no machine code yet of the kernels that take longest."""
    return not all(is_compiled(function) for function in _LARGE)


def compile_kernels(plan: SketchPlan) -> None:
    """Compile the large kernels, or load them, for arrays of the types that stages hand to them."""
    data, offsets = np.frombuffer(b"the tamis sifts the flour", np.uint8), np.array([0, 25], np.int64)
    fingerprint(data, offsets, plan, banding=Banding(1, 1), seed=0)
    shingle_sets(data, read_only(offsets), plan.unit, plan.shingle, plan.table)
