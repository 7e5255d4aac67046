"""Signatures of texts: one interface over the sketch kinds.

``SketchPlan`` is everything a kernel needs to sketch: kind, number of values, seeds and tables. It is plain
data, so the same plan serves every engine. The version names the hash functions: signatures of different versions
cannot be compared and artefacts that store them must carry it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .kernel import kernel
from .minhash import function_seeds, minhash_update
from .mix import derive_seed
from .oph import EMPTY, densify, donor_table, oph_update
from .shingles import next_shingles, short_shingle
from .tokens import BLOCK_TOKENS
from .unicode_table import CharacterTable, words_v1

SKETCH_VERSION = 1
"""Raised when any value of a signature changes."""

KINDS = ("oph", "minhash")
OPH, MINHASH = 0, 1


class SketchPlan(NamedTuple):
    """How texts are sketched; make one with ``sketch_plan``.

    Attributes:
        kind: ``OPH`` or ``MINHASH``.
        values: number of values of a signature.
        shingle: tokens of a shingle.
        seed: seed of the element hash (oph).
        donor_seed: seed of the probes (oph).
        donors: uint16, table of the first probes (oph).
        seeds: uint64, seeds of the functions (minhash).
        table: the character table of the text profile.
    """

    kind: int
    values: int
    shingle: int
    seed: np.uint64
    donor_seed: np.uint64
    donors: NDArray[np.uint16]
    seeds: NDArray[np.uint64]
    table: CharacterTable


def sketch_plan(kind: str = "oph", *, values: int = 256, shingle: int = 5, seed: int = 0) -> SketchPlan:
    """Return the plan of a sketch over word shingles of profile ``words-v1``.

    Raises:
        ConfigError: for an unknown kind, or numbers out of range.
    """
    if kind not in KINDS:
        raise ConfigError("a sketch is one of " + ", ".join(KINDS), value=repr(kind), remedy="Change `sketch`.")
    if not 1 <= values <= 4096:
        raise ConfigError("a sketch has 1 to 4096 values", value=values, remedy="Change `values`.")
    if not 1 <= shingle <= 64:
        raise ConfigError("a shingle has 1 to 64 tokens", value=shingle, remedy="Change `shingle.size`.")
    oph = kind == "oph"
    return SketchPlan(
        kind=OPH if oph else MINHASH,
        values=values,
        shingle=shingle,
        seed=np.uint64(derive_seed(seed, "oph")),
        donor_seed=np.uint64(derive_seed(seed, "donor")),
        donors=donor_table(seed, values) if oph else np.empty((0, 0), np.uint16),
        seeds=np.empty(0, np.uint64) if oph else function_seeds(seed, values),
        table=words_v1(),
    )


@kernel
def partial_sketch(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    plan: SketchPlan,
    tokens: NDArray[np.uint64],
    block: NDArray[np.uint64],
    partial: NDArray[np.uint64],
) -> tuple[int, int]:
    """Sketch one text into ``partial`` (uint64, shape (values,)), with ``EMPTY`` where oph has no shingle.

    Returns:
        (number of tokens, offset in ``data`` of the first byte that is not UTF-8 or -1).
    """
    partial[:] = EMPTY
    at, carried, total, made_any = start, 0, 0, False
    while at < end:
        made, read, carried, at, error = next_shingles(data, at, end, plan.shingle, carried, plan.table, tokens, block)
        total += read
        if error >= 0:
            return total, error
        if at >= end and made == 0 and not made_any:
            made = short_shingle(tokens, carried, block)
        made_any = made_any or made > 0
        if plan.kind == OPH:
            oph_update(partial, block, made, plan.seed)
        else:
            minhash_update(partial, block, made, plan.seeds)
    return total, -1


@kernel
def complete(partial: NDArray[np.uint64], plan: SketchPlan, out: NDArray[np.uint64]) -> None:
    """Write the first ``len(out)`` values of the signature of a text that has tokens."""
    if plan.kind == OPH:
        densify(partial, plan.donors, plan.donor_seed, out)
    else:
        out[:] = partial[: len(out)]


@kernel
def signatures(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signatures of texts: uint64, shape (n, values); all ``EMPTY`` for a text without tokens."""
    out = np.empty((len(offsets) - 1, plan.values), np.uint64)
    tokens = np.empty(BLOCK_TOKENS + plan.shingle, np.uint64)
    block = np.empty(BLOCK_TOKENS + plan.shingle, np.uint64)
    partial = np.empty(plan.values, np.uint64)
    for i in range(len(offsets) - 1):
        count, _ = partial_sketch(data, offsets[i], offsets[i + 1], plan, tokens, block, partial)
        if count > 0:
            complete(partial, plan, out[i])
        else:
            out[i] = EMPTY
    return out


@kernel
def sketch_shingles(shingles: NDArray[np.uint64], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signature of one non-empty set of shingle hashes: uint64, shape (values,)."""
    partial = np.full(plan.values, EMPTY)
    out = np.empty(plan.values, np.uint64)
    if plan.kind == OPH:
        oph_update(partial, shingles, len(shingles), plan.seed)
    else:
        minhash_update(partial, shingles, len(shingles), plan.seeds)
    complete(partial, plan, out)
    return out
