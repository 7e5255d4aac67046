"""Signatures of kind ``minhash`` as sketches of datasketch 2 (https://github.com/ekzhu/datasketch), and back.

Both compute the same functions: scheme ``affine64`` where values have 64 bits, ``affine32`` where they have 32. So
values pass as they are, and texts share a band here where they share a bucket of ``MinHashLSH`` there. A sketch does
not tell what was hashed: it can be compared with a signature only if its elements were shingle hashes, as
``to_minhash`` arranges.

datasketch is imported when a function needs it.
"""

import struct
from collections.abc import Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..hashing.errors import ConfigError, InputError
from ..hashing.oph import EMPTY
from ..hashing.sketch import KINDS, MINHASH, SketchPlan

if TYPE_CHECKING:
    from datasketch import LeanMinHash, MinHash

MAX_SEED = 0xFFFFFFFF
"""The largest seed that datasketch draws functions from."""

_SCHEMES = {32: "affine32", 64: "affine64"}
_LOW_32 = np.uint64(0xFFFFFFFF)


class DatasketchSignatures(NamedTuple):
    """What sketches of datasketch hold.

    Attributes:
        values: uint64, shape (n, values); all ``EMPTY`` for an empty sketch.
        scheme: legacy, affine32 or affine64.
        seed: from which the functions were drawn.
    """

    values: NDArray[np.uint64]
    scheme: str
    seed: int

    @property
    def bits(self) -> int:
        """Bits of a value: 32, also of ``legacy``, or 64."""
        return 64 if self.scheme == "affine64" else 32

    def check_comparable(self, plan: SketchPlan) -> None:
        """Check that the values are of the functions of a plan; those of ``legacy`` never are.

        Whether they are of the same elements, shingles of the plan's unit and size, no sketch can tell.

        Raises:
            ConfigError: if the plan is not of kind minhash.
            InputError: if scheme, number of values or seed differ, naming both.
        """
        found = f"{self.scheme}, {self.values.shape[1]} values, seed {self.seed}"
        wanted = f"{_scheme_of(plan)}, {plan.values} values, seed {plan.seed}"
        if found != wanted:
            raise InputError(
                "sketches are compared with signatures of their scheme, number of values and seed",
                value=f"{found} beside {wanted}",
                remedy="Compare them among themselves, or sketch their texts again.",
            )


def shingle_hash_64(shingle: int) -> int:
    """Return a shingle hash as it is: the ``hashfunc`` of ``affine64``."""
    return int(shingle)


def shingle_hash_32(shingle: int) -> int:
    """Return the low half of a shingle hash: the ``hashfunc`` of ``affine32``."""
    return int(shingle) & 0xFFFFFFFF


def to_minhash(signatures: NDArray[np.uint64], plan: SketchPlan) -> "list[MinHash]":
    """Return signatures as ``MinHash`` objects, which can be updated further with shingle hashes.

    They share one array of functions. They can be pickled, and need Tamis where they are unpickled. A text without
    tokens becomes an empty one.

    Args:
        signatures: uint64, shape (n, values).
        plan: by which they were made.

    Raises:
        ConfigError: if the plan is not of kind minhash, if its seed is above ``MAX_SEED``, or without datasketch.
        InputError: if the signatures are not of the plan.

    >>> from tamis.hashing.sketch import sketch_plan, sketch_shingles
    >>> plan = sketch_plan("minhash", values=128)
    >>> (sketch,) = to_minhash(sketch_shingles(np.array([7, 8], np.uint64), plan)[None], plan)
    >>> sketch.scheme, len(sketch)
    ('affine64', 128)
    >>> sketch.update(9)
    >>> bool((sketch.hashvalues == sketch_shingles(np.array([7, 8, 9], np.uint64), plan)).all())
    True
    """
    library, scheme, seed = _library(), _scheme_of(plan), _seed_of(plan)
    values = _hash_values(signatures, plan)
    hashfunc = shingle_hash_64 if plan.bits == 64 else shingle_hash_32
    functions = plan.functions.astype(values.dtype)  # datasketch shares an array of its own type, and copies others
    return [
        library.MinHash(seed=seed, hashfunc=hashfunc, hashvalues=row, permutations=functions, scheme=scheme)
        for row in values
    ]


def to_lean(signatures: NDArray[np.uint64], plan: SketchPlan) -> "list[LeanMinHash]":
    """Return signatures as ``LeanMinHash`` objects; arguments and errors are those of ``to_minhash``."""
    library, scheme, seed = _library(), _scheme_of(plan), _seed_of(plan)
    return [library.LeanMinHash(seed=seed, hashvalues=row, scheme=scheme) for row in _hash_values(signatures, plan)]


def from_datasketch(sketches: "Iterable[MinHash]", *, seed: int | None = None) -> DatasketchSignatures:
    """Return the values of ``MinHash`` or ``LeanMinHash`` objects of one scheme, seed and number of values.

    Args:
        sketches: at least one.
        seed: which they must have, where it is known.

    Raises:
        ConfigError: without datasketch.
        InputError: if there is none, if one is something else, or if two differ, naming both.
    """
    library, found = _library(), list(sketches)
    if not found:
        raise InputError("there is at least one sketch to read", value="none", remedy="Leave out what has none.")
    for place, sketch in enumerate(found):
        _check_sketch(sketch, place, library)
    first = found[0]
    if seed is not None and first.seed != seed:
        raise InputError(
            "sketches have the seed that is asked for",
            value=f"{first.seed} instead of {seed}",
            remedy="Sketch their texts again, or change `seed`.",
        )
    _check_alike("scheme", [sketch.scheme for sketch in found])
    _check_alike("seed", [sketch.seed for sketch in found])
    _check_alike("number of values", [len(sketch) for sketch in found])
    values = np.array([sketch.hashvalues for sketch in found]).astype(np.uint64)
    read = DatasketchSignatures(values, first.scheme, int(first.seed))
    if read.bits == 32:
        values[(values == _LOW_32).all(axis=1)] = EMPTY
    return read


def write_lean(signatures: NDArray[np.uint64], plan: SketchPlan, *, byteorder: str = "@") -> list[bytes]:
    """Return each signature as ``LeanMinHash.serialize`` writes it; errors are those of ``to_minhash``.

    Args:
        signatures: uint64, shape (n, values).
        plan: by which they were made.
        byteorder: as in ``struct``; by default this machine's, with its padding, as in datasketch.
    """
    written = []
    for sketch in to_lean(signatures, plan):
        buffer = bytearray(sketch.bytesize(byteorder))
        sketch.serialize(buffer, byteorder)
        written.append(bytes(buffer))
    return written


def read_lean(buffers: Iterable[bytes], *, byteorder: str = "@") -> DatasketchSignatures:
    """Return the values of sketches that ``LeanMinHash.serialize`` wrote, of datasketch 1 (scheme ``legacy``) or 2.

    Args:
        buffers: at least one.
        byteorder: with which they were written.

    Raises:
        ConfigError: without datasketch.
        InputError: if one cannot be read, or has another length than its sketch; and as ``from_datasketch`` does.
    """
    lean = _library().LeanMinHash
    return from_datasketch(_deserialise(buffer, place, byteorder, lean) for place, buffer in enumerate(buffers))


def _library() -> Any:
    """Import datasketch."""
    rule, remedy = "sketches of datasketch need its version 2 or newer", 'Install it: pip install "datasketch>=2".'
    try:
        import datasketch

        found = version("datasketch")
    except ImportError as error:
        raise ConfigError(rule, value=str(error), remedy=remedy) from error
    if int(found.partition(".")[0]) < 2:
        raise ConfigError(rule, value=found, remedy=remedy)
    return datasketch


def _scheme_of(plan: SketchPlan) -> str:
    if plan.kind != MINHASH:
        raise ConfigError(
            "sketches of datasketch are of kind minhash", value=KINDS[plan.kind], remedy="Change `sketch` to minhash."
        )
    return _SCHEMES[plan.bits]


def _seed_of(plan: SketchPlan) -> int:
    if plan.seed > MAX_SEED:
        raise ConfigError(f"a seed of datasketch is at most {MAX_SEED}", value=int(plan.seed), remedy="Change `seed`.")
    return int(plan.seed)


def _hash_values(signatures: NDArray[np.uint64], plan: SketchPlan) -> NDArray[np.uint32] | NDArray[np.uint64]:
    """Return signatures in the type of their scheme, with its mark of an empty sketch: all bits set."""
    if signatures.ndim != 2 or signatures.shape[1] != plan.values:
        raise InputError(
            f"signatures of this plan have the shape (n, {plan.values})",
            value=signatures.shape,
            remedy="Pass the plan they were made by.",
        )
    if plan.bits == 64:
        return signatures
    empty = (signatures == EMPTY).all(axis=1, keepdims=True)
    values = np.where(empty, _LOW_32, signatures)
    if values.max(initial=0) > _LOW_32:
        raise InputError(
            "values of this plan have 32 bits", value=int(values.max()), remedy="Pass the plan they were made by."
        )
    return values.astype(np.uint32)


def _check_sketch(sketch: Any, place: int, library: Any) -> None:
    if not isinstance(sketch, library.MinHash):
        raise InputError(
            "a sketch is a MinHash or LeanMinHash of datasketch",
            value=f"{type(sketch).__name__} at place {place}",
            remedy="Leave it out.",
        )
    if not isinstance(sketch.seed, int | np.integer):  # None draws other functions each time
        raise InputError(
            "the seed of a sketch is an integer",
            value=f"{sketch.seed} at place {place}",
            remedy="Sketch its text again, with a seed.",
        )


def _check_alike(name: str, found: list[Any]) -> None:
    for place, other in enumerate(found):
        if other != found[0]:
            raise InputError(
                f"sketches that are read together have one {name}",
                value=f"{found[0]} at place 0 and {other} at place {place}",
                remedy="Read them apart.",
            )


def _deserialise(buffer: bytes, place: int, byteorder: str, lean: Any) -> "LeanMinHash":
    rule, remedy = "a serialised sketch is as LeanMinHash writes it", "Check the file, and `byteorder`."
    try:
        sketch = lean.deserialize(buffer, byteorder)
    except (struct.error, ValueError) as error:
        raise InputError(rule, value=f"at place {place}: {error}", remedy=remedy) from error
    expected = sketch.bytesize(byteorder)
    if expected != len(buffer):  # another padding would be read as shifted values
        raise InputError(rule, value=f"at place {place}: {len(buffer)} bytes, not {expected}", remedy=remedy)
    return sketch
