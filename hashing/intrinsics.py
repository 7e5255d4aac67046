"""What Numba has no name for: unaligned words, bit scans, and sixty-four bytes at a time.

Each is a few instructions of LLVM, written for vectors of 64 bytes; LLVM cuts them to what the processor has (one
register of AVX-512, two of AVX2, four of SSE2 or NEON), so there is one definition for all machines. All of them
read and write unchecked: the caller guarantees the room.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

BLOCK = 64
"""Bytes that ``sift_block`` and ``least_rows`` work on at a time."""

NUMBERS = BLOCK // 2
"""Numbers of 16 bits that ``higher`` compares at a time."""

STRIP = 4 * BLOCK
"""Columns that ``least_rows`` reduces: four registers of AVX-512."""

_I8, _I64 = ir.IntType(8), ir.IntType(64)
_BYTES = ir.VectorType(_I8, BLOCK)
_WORDS = ir.VectorType(_I64, BLOCK)
_SHORT = ir.VectorType(ir.IntType(16), NUMBERS)


def _every(byte: int) -> ir.Constant:
    return ir.Constant(_BYTES, [byte] * BLOCK)


def contiguous(*arrays: Any) -> bool:
    """Whether bytes lie where the kernels look for them; where they do not, Numba says that there is no such call."""
    return all(array.layout == "C" for array in arrays)


def pointer(context: Any, builder: Any, kind: Any, array: Any, offset: Any, to: Any) -> Any:
    """Return a pointer to ``offset`` bytes into the data of an array."""
    data = builder.bitcast(context.make_array(kind)(context, builder, array).data, _I8.as_pointer())
    place = builder.gep(data, [offset], inbounds=True, source_etype=_I8)
    return builder.bitcast(place, to.as_pointer())


def _load64(typing_context: Any, data: Any, offset: Any) -> Any:
    """Typing and code of ``load64``, in the form that Numba asks for."""
    if not contiguous(data):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(pointer(context, builder, sig.args[0], args[0], args[1], _I64), align=1, typ=_I64)

    return types.uint64(data, types.intp), codegen


load64 = cast(Callable[[NDArray[np.uint8], int], np.uint64], intrinsic(_load64))
"""Read eight bytes of a uint8 array at any offset as a little-endian uint64. Only little-endian machines are
supported, as by Arrow's own files."""


def _store64(typing_context: Any, data: Any, offset: Any, word: Any) -> Any:
    """Typing and code of ``store64``."""
    if not contiguous(data):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], pointer(context, builder, sig.args[0], args[0], args[1], _I64), align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), codegen


store64 = cast(Callable[[NDArray[np.uint8], int, np.uint64], None], intrinsic(_store64))
"""Write eight bytes to a uint8 array at any offset, the lowest first."""


def _trailing_zeros(typing_context: Any, x: Any) -> Any:
    """Typing and code of ``trailing_zeros``."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), codegen


trailing_zeros = cast(Callable[[np.uint64], int], intrinsic(_trailing_zeros))
"""Return the number of zero bits below the lowest set bit of a uint64, 64 for zero."""


def _count_ones(typing_context: Any, x: Any) -> Any:
    """Typing and code of ``count_ones``."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


count_ones = cast(Callable[[np.uint64], int], intrinsic(_count_ones))
"""Return how many bits of a uint64 are set."""


def _prefetch(typing_context: Any, data: Any, at: Any) -> Any:
    """Typing and code of ``prefetch``."""
    if not contiguous(data):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        offset = builder.mul(args[1], ir.Constant(_I64, 8))
        place = pointer(context, builder, sig.args[0], args[0], offset, _I8)
        kind, numbers = ir.IntType(32), [1, 3, 1]  # to write to, to keep in all caches, data
        call = ir.FunctionType(ir.VoidType(), [_I8.as_pointer(), kind, kind, kind])
        declared: Any = cgutils.get_or_insert_function
        function = declared(builder.module, call, "llvm.prefetch.p0")
        builder.call(function, [place, *(ir.Constant(kind, number) for number in numbers)])
        return context.get_dummy_value()

    return types.void(data, types.intp), codegen


prefetch = cast(Callable[[NDArray[np.uint64], int], None], intrinsic(_prefetch))
"""Ask for the cache line of ``words[at]`` of a uint64 array, and go on without it."""


def _sift_block(typing_context: Any, data: Any, at: Any, out: Any, to: Any) -> Any:
    """Typing and code of ``sift_block``."""
    if not contiguous(data, out):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        raw = b.load(pointer(context, b, sig.args[0], args[0], args[1], _BYTES), align=1, typ=_BYTES)
        small = b.or_(raw, _every(0x20))
        letter = b.icmp_unsigned("<", b.sub(small, _every(ord("a"))), _every(26))
        digit = b.icmp_unsigned("<", b.sub(raw, _every(ord("0"))), _every(10))
        underscore = b.icmp_unsigned("==", raw, _every(ord("_")))
        capital = b.icmp_unsigned("<", b.sub(raw, _every(ord("A"))), _every(26))
        folded = b.select(capital, small, raw)
        b.store(folded, pointer(context, b, sig.args[2], args[2], args[3], _BYTES), align=1)
        members = b.bitcast(b.or_(b.or_(letter, digit), underscore), _I64)
        high = b.bitcast(b.icmp_signed("<", raw, _every(0)), _I64)
        return context.make_tuple(b, sig.return_type, [members, high])

    several: Any = types.UniTuple
    return several(types.uint64, 2)(data, types.intp, out, types.intp), codegen


sift_block = cast(
    Callable[[NDArray[np.uint8], int, NDArray[np.uint8], int], tuple[np.uint64, np.uint64]], intrinsic(_sift_block)
)
"""Classify 64 bytes at ``data[at:]`` and copy them to ``out[to:]`` with the capital letters of ASCII made small.

Returns two maps, bit i for byte i: members of words of ASCII (letters, digits, underscore), and bytes above ASCII."""


def _mark_block(typing_context: Any, data: Any, at: Any, delimiter: Any) -> Any:
    """Typing and code of ``mark_block``."""
    if not contiguous(data):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        raw = b.load(pointer(context, b, sig.args[0], args[0], args[1], _BYTES), align=1, typ=_BYTES)
        one = b.insert_element(ir.Constant(_BYTES, ir.Undefined), args[2], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK)
        marks = b.icmp_unsigned("==", raw, b.shuffle_vector(one, one, mask))
        for byte in b'"\n\r':
            marks = b.or_(marks, b.icmp_unsigned("==", raw, _every(byte)))
        high = b.bitcast(b.icmp_signed("<", raw, _every(0)), _I64)
        return context.make_tuple(b, sig.return_type, [b.bitcast(marks, _I64), high])

    several: Any = types.UniTuple
    return several(types.uint64, 2)(data, types.intp, types.uint8), codegen


mark_block = cast(Callable[[NDArray[np.uint8], int, np.uint8], tuple[np.uint64, np.uint64]], intrinsic(_mark_block))
"""Find what may end a field of delimited text among 64 bytes at ``data[at:]``.

Returns two maps, bit i for byte i: delimiters, quotes (``"``) and ends of lines; and bytes above ASCII."""


def _unlike(typing_context: Any, words: Any, at: Any, mark: Any) -> Any:
    """Typing and code of ``unlike``."""
    if not contiguous(words):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        offset = b.mul(args[1], ir.Constant(_I64, 8))
        held = b.load(pointer(context, b, sig.args[0], args[0], offset, _WORDS), align=8, typ=_WORDS)
        marks = b.insert_element(ir.Constant(_WORDS, ir.Undefined), args[2], ir.Constant(ir.IntType(32), 0))
        mask = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK)
        return b.bitcast(b.icmp_unsigned("!=", held, b.shuffle_vector(marks, marks, mask)), _I64)

    return types.uint64(words, types.intp, types.uint64), codegen


unlike = cast(Callable[[NDArray[np.uint64], int, np.uint64], np.uint64], intrinsic(_unlike))
"""Return a map, bit i for ``words[at + i]``, of which of 64 words of a uint64 array differ from ``mark``."""


def _higher(typing_context: Any, some: Any, others: Any, at: Any) -> Any:
    """Typing and code of ``higher``."""
    if not contiguous(some, others):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        offset = b.mul(args[2], ir.Constant(_I64, 2))
        places = (pointer(context, b, sig.args[side], args[side], offset, _SHORT) for side in (0, 1))
        x, y = (b.load(place, align=2, typ=_SHORT) for place in places)
        return b.zext(b.bitcast(b.icmp_signed(">", x, y), ir.IntType(NUMBERS)), _I64)

    return types.uint64(some, others, types.intp), codegen


higher = cast(Callable[[NDArray[np.int16], NDArray[np.int16], int], np.uint64], intrinsic(_higher))
"""Return a map, bit i for ``some[at + i]``, of which of ``NUMBERS`` numbers of an int16 array are above the others."""


def _least_rows(typing_context: Any, table: Any, rows: Any, count: Any, out: Any) -> Any:
    """Typing and code of ``least_rows``."""
    if not contiguous(table, rows, out):
        return None

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        b = builder
        held_in: Any = cgutils.alloca_once_value
        least = [held_in(b, _every(255)) for _ in range(STRIP // BLOCK)]
        numbers = context.make_array(sig.args[1])(context, b, args[1]).data
        with cgutils.for_range(b, args[2]) as loop:
            row = b.zext(b.load(b.gep(numbers, [loop.index], inbounds=True)), _I64)
            start = b.mul(row, ir.Constant(_I64, STRIP))
            for part, held in enumerate(least):
                offset = b.add(start, ir.Constant(_I64, part * BLOCK))
                values = b.load(pointer(context, b, sig.args[0], args[0], offset, _BYTES), align=1, typ=_BYTES)
                before = b.load(held)
                b.store(b.select(b.icmp_unsigned("<", values, before), values, before), held)
        for part, held in enumerate(least):
            offset = ir.Constant(_I64, part * BLOCK)
            b.store(b.load(held), pointer(context, b, sig.args[3], args[3], offset, _BYTES), align=1)
        return context.get_dummy_value()

    return types.void(table, rows, types.intp, out), codegen


least_rows = cast(
    Callable[[NDArray[np.uint8], NDArray[np.uint16], int, NDArray[np.uint8]], None], intrinsic(_least_rows)
)
"""Write the least value of each column among some rows of a table to ``out``, 255 where there is no row.

``table`` is uint8 of shape (n, STRIP), contiguous; ``rows`` (uint16) holds ``count`` of its row numbers; ``out`` has
STRIP bytes."""
