"""64-bit mixing: the small bijections that every hash here is made of.

``fmix64`` is the finaliser of MurmurHash3 (Austin Appleby, public domain): a bijection on 64 bits in
which every input bit reaches every output bit. Seeds of different purposes are derived from the one
seed of a run, so that no two steps share a random function.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from .kernel import kernel

U64 = (1 << 64) - 1
GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd: increments of splitmix64
_FMIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_FMIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_33 = np.uint64(33)
_32 = np.uint64(32)


@kernel
def fmix64(x: np.uint64) -> np.uint64:
    """Return the MurmurHash3 finaliser of a uint64."""
    x ^= x >> _33
    x *= _FMIX_1
    x ^= x >> _33
    x *= _FMIX_2
    return x ^ (x >> _33)


@kernel
def scale(x: np.uint64, n: np.uint64) -> np.uint64:
    """Map a uniform uint64 to 0..n-1 by its high bits, monotonically; n < 2^32."""
    return ((x >> _32) * n) >> _32


def derive_seed(seed: int, purpose: str) -> int:
    """Return the 64-bit seed of one purpose, derived from the seed of the run.

    The seed is mixed before the first byte and the length after the last, so that no purpose continues another.

    >>> derive_seed(0, "sketch") != derive_seed(0, "band") != derive_seed(1, "band")
    True
    """
    name = purpose.encode()
    state = _fmix64_int((seed + int(GOLDEN_GAMMA)) & U64)
    for byte in name:
        state = _fmix64_int((state + int(GOLDEN_GAMMA) + byte) & U64)
    return _fmix64_int(state ^ len(name))


def _fmix64_int(x: int) -> int:
    x ^= x >> 33
    x = x * int(_FMIX_1) & U64
    x ^= x >> 33
    x = x * int(_FMIX_2) & U64
    return x ^ x >> 33


def _load64(typing_context: Any, data: Any, offset: Any) -> Any:
    """Typing and code of ``load64``, in the form that Numba asks for."""
    signature = types.uint64(data, types.intp)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        array = context.make_array(sig.args[0])(context, builder, args[0])
        word = ir.IntType(64)
        pointer = builder.gep(array.data, [args[1]], inbounds=True, source_etype=ir.IntType(8))
        return builder.load(builder.bitcast(pointer, word.as_pointer()), align=1, typ=word)

    return signature, codegen


load64 = cast(Callable[[NDArray[np.uint8], int], np.uint64], intrinsic(_load64))
"""Read eight bytes of a uint8 array at any offset as a little-endian uint64, unchecked: the caller guarantees
``offset + 8 <= len(data)``. Only little-endian machines are supported, as by Arrow's own files."""


def _trailing_zeros(typing_context: Any, x: Any) -> Any:
    """Typing and code of ``trailing_zeros``."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


trailing_zeros = cast(Callable[[np.uint64], int], intrinsic(_trailing_zeros))
"""Return the number of zero bits below the lowest set bit of a uint64, 64 for zero."""
