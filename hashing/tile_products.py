"""Inner products of 16-bit vectors, a tile at a time: whole numbers, so the same on any machine.

Vectors lie in panels of ``PANEL``: int16, shape (pairs, PANEL, 2), so that each two components in turn of all vectors
lie side by side. Processors multiply such pairs and add both products in one instruction, twice as many a second as
floats of 32 bits; it is named here for those of x86, and elsewhere written out.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from .intrinsics import contiguous, pointer

PANEL = 32
"""Vectors side by side: two registers of AVX-512 of pairs."""

ROWS = 8
"""Vectors of one panel that ``tile_products`` multiplies by another: 16 registers of sums, enough to wait for none."""

_PAIRED = {"+avx512bw": ("llvm.x86.avx512.pmaddw.d.512", 16), "+avx2": ("llvm.x86.avx2.pmadd.wd", 8)}
"""By feature of a processor, best first: what multiplies pairs, and how many at once."""

_I16, _I32, _I64 = ir.IntType(16), ir.IntType(32), ir.IntType(64)
_NUMBERS, _SUMS = ir.VectorType(_I16, 2 * PANEL), ir.VectorType(_I32, PANEL)


def _chosen(builder: Any, one: Any, other: Any, places: list[int]) -> Any:
    """Return some of the numbers of two vectors."""
    mask = ir.Constant(ir.VectorType(_I32, len(places)), places)
    return builder.shuffle_vector(one, other, mask)


def _paired(context: Any, builder: Any, xs: Any, ys: Any) -> Any:
    """Return the sum of the products of both numbers of each pair."""
    features = context.codegen().magic_tuple()[2].split(",")
    for feature, (name, lanes) in _PAIRED.items():
        if feature in features:
            numbers, sums = ir.VectorType(_I16, 2 * lanes), ir.VectorType(_I32, lanes)
            declared: Any = cgutils.get_or_insert_function
            function = declared(builder.module, ir.FunctionType(sums, [numbers, numbers]), name)
            cuts = [list(range(first, first + 2 * lanes)) for first in range(0, 2 * PANEL, 2 * lanes)]
            parts = [builder.call(function, [_chosen(builder, side, side, cut) for side in (xs, ys)]) for cut in cuts]
            while len(parts) > 1:
                every = list(range(2 * parts[0].type.count))
                parts = [_chosen(builder, *two, every) for two in zip(parts[::2], parts[1::2], strict=True)]
            return parts[0]
    products = []
    for first in (0, 1):
        x, y = (_chosen(builder, side, side, list(range(first, 2 * PANEL, 2))) for side in (xs, ys))
        products.append(builder.mul(builder.sext(x, _SUMS), builder.sext(y, _SUMS)))
    return builder.add(*products)


def _tile_products(typing_context: Any, some: Any, first: Any, others: Any, pairs: Any, out: Any) -> Any:
    """Typing and code of ``tile_products``."""
    if not contiguous(some, others, out):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        held_in: Any = cgutils.alloca_once_value
        sums = [held_in(b, ir.Constant(_SUMS, [0] * PANEL)) for _ in range(ROWS)]
        step = ir.Constant(_I64, 4 * PANEL)
        start = b.mul(args[1], ir.Constant(_I64, 4))
        with cgutils.for_range(b, args[3]) as loop:
            offset = b.mul(loop.index, step)
            ys = b.load(pointer(context, b, sig.args[2], args[2], offset, _NUMBERS), align=4, typ=_NUMBERS)
            for r, held in enumerate(sums):
                place = b.add(b.add(offset, start), ir.Constant(_I64, 4 * r))
                x = b.load(pointer(context, b, sig.args[0], args[0], place, _I32), align=4, typ=_I32)
                one = b.insert_element(ir.Constant(_SUMS, ir.Undefined), x, ir.Constant(_I32, 0))
                xs = b.bitcast(_chosen(b, one, one, [0] * PANEL), _NUMBERS)
                b.store(b.add(b.load(held, typ=_SUMS), _paired(context, b, xs, ys)), held)
        for r, held in enumerate(sums):
            place = b.mul(b.add(args[1], ir.Constant(_I64, r)), step)
            b.store(b.load(held, typ=_SUMS), pointer(context, b, sig.args[4], args[4], place, _SUMS), align=4)
        return context.get_dummy_value()

    return types.void(some, types.intp, others, types.intp, out), codegen


tile_products = cast(
    Callable[[NDArray[np.int16], int, NDArray[np.int16], int, NDArray[np.int32]], None], intrinsic(_tile_products)
)
"""Write the products of ``ROWS`` vectors of a panel, from ``first``, and all of another to the same rows of ``out``.

Both panels have ``pairs`` pairs of components; ``out`` is int32, shape (PANEL, PANEL). A product that does not fit into
32 bits wraps around."""
