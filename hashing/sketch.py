"""Signatures of texts: one interface over the sketch kinds.

``SketchPlan`` is everything a kernel needs to sketch: kind, number of values, seeds and tables. It is plain
data, so the same plan serves every engine. The version names the hash functions: signatures of different versions
cannot be compared and artefacts that store them must carry it. Which kind to use when is in ``docs/sketches.md``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import ConfigError
from .fss import empty_bins, fss_fill, fss_round
from .intrinsics import STRIP
from .kernel import inner_kernel, kernel
from .minhash import minhash_update, permutations
from .mix import derive_seed
from .oph import EMPTY, Donors, densify, donors, oph_update
from .shingles import MAX_SHINGLE, UNITS, Scratch, next_shingles, no_scratch, sort_unique, start_of
from .tokens import padded
from .unicode_table import CharacterTable, words_v1

SKETCH_VERSION = 2
"""Raised when any value of a signature changes. 1 had other functions of ``minhash`` and was never released."""

KINDS = ("oph", "fss", "minhash")
OPH, FSS, MINHASH = 0, 1, 2

_LOW_32 = np.uint64(0xFFFFFFFF)
_HELD = 64
"""Shingles held for the later rounds of ``fss``, times the number of bins: if there are more, no bin is empty."""


class SketchPlan(NamedTuple):
    """How texts are sketched; make one with ``sketch_plan``.

    Attributes:
        kind: ``OPH``, ``FSS`` or ``MINHASH``.
        values: number of values of a signature.
        bits: of a value, 32 or 64.
        unit: what a shingle is made of: ``shingles.WORD``, ``CHAR`` or ``BYTE``.
        shingle: how many of them.
        seed: seed of the element hash (oph, fss), or of the run (minhash).
        donors: where empty bins take their values from (oph).
        functions: uint64, shape (2, values): the hash functions (minhash).
        table: the character table of the text profile.
    """

    kind: int
    values: int
    bits: int
    unit: int
    shingle: int
    seed: np.uint64
    donors: Donors
    functions: NDArray[np.uint64]
    table: CharacterTable

    @property
    def identity(self) -> tuple[str, int, int, str, int, int, int]:
        """What two signatures must have in common to be compared: kind, values, bits, unit, shingle, seed, version."""
        kind, unit = KINDS[self.kind], UNITS[self.unit]
        return kind, self.values, self.bits, unit, self.shingle, int(self.seed), SKETCH_VERSION


def sketch_plan(
    kind: str = "oph", *, values: int = 256, bits: int = 64, unit: str = "word", shingle: int = 5, seed: int = 0
) -> SketchPlan:
    """Return the plan of a sketch over shingles of profile ``words-v1``.

    Args:
        kind: oph, fss or minhash.
        values: of a signature.
        bits: of a value, 32 or 64.
        unit: word, char or byte.
        shingle: how many of them make a shingle.
        seed: of the run.

    Raises:
        ConfigError: for an unknown kind or unit, or numbers out of range.
    """
    if kind not in KINDS:
        raise ConfigError("a sketch is one of " + ", ".join(KINDS), value=repr(kind), remedy="Change `sketch`.")
    if not 1 <= values <= 4096:
        raise ConfigError("a sketch has 1 to 4096 values", value=values, remedy="Change `values`.")
    if bits not in (32, 64):
        raise ConfigError("a sketch value has 32 or 64 bits", value=bits, remedy="Change `bits`.")
    if unit not in UNITS:
        raise ConfigError("a shingle is made of " + ", ".join(UNITS), value=repr(unit), remedy="Change `shingle.unit`.")
    if not 0 <= seed < 1 << 64:
        raise ConfigError("a seed is 0 to 2^64 - 1", value=seed, remedy="Change `seed`.")
    if not 1 <= shingle <= MAX_SHINGLE:
        raise ConfigError(f"a shingle has 1 to {MAX_SHINGLE} tokens", value=shingle, remedy="Change `shingle.size`.")
    return SketchPlan(
        kind=KINDS.index(kind),
        values=values,
        bits=bits,
        unit=UNITS.index(unit),
        shingle=shingle,
        seed=np.uint64(seed if kind == "minhash" else derive_seed(seed, kind)),
        donors=donors(seed, values) if kind == "oph" else donors(0, 1),
        functions=permutations(seed, values, bits) if kind == "minhash" else np.empty((2, 0), np.uint64),
        table=words_v1(),
    )


class SketchScratch(NamedTuple):
    """What the kernels of sketches write on, made once for many texts.

    Attributes:
        text: what reading a text needs.
        filled: uint16, shape (values + 1,), and least: uint8, shape (STRIP,): for densification.
        held: uint64: shingles that later rounds need (fss).
        more: uint64, as long: hashes of them.
    """

    text: Scratch
    filled: NDArray[np.uint16]
    least: NDArray[np.uint8]
    held: NDArray[np.uint64]
    more: NDArray[np.uint64]


@kernel
def no_sketch_scratch(plan: SketchPlan) -> SketchScratch:
    """Return what the kernels of sketches write on."""
    held = _HELD * plan.values if plan.kind == FSS else 0
    return SketchScratch(
        no_scratch(),
        np.empty(plan.values + 1, np.uint16),
        np.empty(STRIP, np.uint8),
        np.empty(held, np.uint64),
        np.empty(held, np.uint64),
    )


@inner_kernel
def lower(
    partial: NDArray[np.uint64], shingles: NDArray[np.uint64], count: int, plan: SketchPlan, work: NDArray[np.uint64]
) -> None:
    """Lower a partial sketch by some shingle hashes: all that oph and minhash need, and the first round of fss."""
    if plan.kind == OPH:
        oph_update(partial, shingles, count, plan.seed, work)
    elif plan.kind == FSS:
        fss_round(partial, shingles, count, 0, plan.seed, work)
    else:
        minhash_update(partial, shingles, count, plan.functions, plan.bits, work)


@inner_kernel
def partial_sketch(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    plan: SketchPlan,
    scratch: SketchScratch,
    partial: NDArray[np.uint64],
) -> tuple[int, int]:
    """Sketch one text into ``partial`` (uint64, shape (values,)), with ``EMPTY`` where oph has no shingle.

    Returns:
        (number of words, offset in ``data`` of the first byte that is not UTF-8 or -1).
    """
    for i in range(len(partial)):
        partial[i] = EMPTY
    if plan.kind == FSS:
        return _sketch_in_rounds(data, start, end, plan, scratch, partial)
    text, cursor, words = scratch.text, start_of(start), 0
    while cursor.at < end:
        cursor, made, ended, error = next_shingles(data, cursor, end, plan.unit, plan.shingle, plan.table, text)
        words += ended
        if error >= 0:
            return words, error
        lower(partial, text.shingles, made, plan, text.work[0])
    return words, -1


@kernel
def _sketch_in_rounds(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    plan: SketchPlan,
    scratch: SketchScratch,
    partial: NDArray[np.uint64],
) -> tuple[int, int]:
    """Sketch one text by ``fss``: shingles are held for the later rounds until it is clear that there is none."""
    text, held, more = scratch.text, scratch.held, scratch.more
    cursor, words, used = start_of(start), 0, 0
    while cursor.at < end:
        cursor, made, ended, error = next_shingles(data, cursor, end, plan.unit, plan.shingle, plan.table, text)
        words += ended
        if error >= 0:
            return words, error
        lower(partial, text.shingles, made, plan, text.work[0])
        if used + made > len(held) and used >= 0:
            used = sort_unique(held[:used]) if empty_bins(partial) else -1
            if used + made > len(held):
                held, more = _longer(held, used + made), np.empty(2 * (used + made), np.uint64)
        if used >= 0:
            held[used : used + made] = text.shingles[:made]
            used += made
    if used > 0:
        fss_fill(partial, held, used, plan.seed, more)
    return words, -1


@kernel
def _longer(values: NDArray[np.uint64], room: int) -> NDArray[np.uint64]:
    longer = np.empty(2 * room, np.uint64)
    longer[: len(values)] = values
    return longer


@inner_kernel
def complete(partial: NDArray[np.uint64], plan: SketchPlan, scratch: SketchScratch, out: NDArray[np.uint64]) -> None:
    """Write the first ``len(out)`` values of the signature of a text that has tokens."""
    if plan.kind == OPH:
        densify(partial, plan.donors, scratch.filled, scratch.least, out)
    else:
        for i in range(len(out)):
            out[i] = partial[i]
    if plan.bits == 32:
        for i in range(len(out)):
            out[i] &= _LOW_32


@kernel
def signatures(data: NDArray[np.uint8], offsets: NDArray[np.int64], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signatures of texts: uint64, shape (n, values); all ``EMPTY`` for one without words, or not UTF-8.

    Values of 32 bits stand in the low halves.
    """
    out = np.empty((len(offsets) - 1, plan.values), np.uint64)
    partial = np.empty(plan.values, np.uint64)
    scratch = no_sketch_scratch(plan)
    for i in range(len(offsets) - 1):
        words, error = partial_sketch(data, offsets[i], offsets[i + 1], plan, scratch, partial)
        if words > 0 and error < 0:
            complete(partial, plan, scratch, out[i])
        else:
            out[i] = EMPTY
    return out


@kernel
def sketch_shingles(shingles: NDArray[np.uint64], plan: SketchPlan) -> NDArray[np.uint64]:
    """Return the signature of one non-empty set of shingle hashes: uint64, shape (values,)."""
    count = len(shingles)
    partial, out = np.full(plan.values, EMPTY), np.empty(plan.values, np.uint64)
    held, work = np.zeros(padded(count), np.uint64), np.empty(padded(count), np.uint64)
    held[:count] = shingles
    lower(partial, held, count, plan, work)
    if plan.kind == FSS:
        fss_fill(partial, held, count, plan.seed, work)
    complete(partial, plan, no_sketch_scratch(plan), out)
    return out
