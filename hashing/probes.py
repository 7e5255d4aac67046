"""Multi-probe: which buckets beside its own a query looks into, the likeliest first.

A bit whose value is near 0 is the likeliest to differ in a similar record. So the buckets are taken in the order of the
sum of |value| over the bits that are flipped (query-directed probing: Lv, Josephson, Wang, Charikar and Li, VLDB 2007).
Of equal sums the set of bits comes first that is the smaller number, when bits are numbered by (|value|, place). With
equal values everywhere this is: one flip by place, then two, and so on.

Sets are found in this order without making the others: each set but the first is made of one before it, by moving its
highest bit up by one, or by adding the next one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .codes import check_bands
from .errors import ConfigError
from .kernel import inner_kernel, kernel


def probes_of(width: int, probes: int) -> int:
    """Return how many buckets can be probed beside a band's own, at most ``probes``.

    Raises:
        ConfigError: ``probes`` is below 0.
    """
    if probes < 0:
        raise ConfigError("a query probes 0 or more buckets of a band", value=probes, remedy="Mend the number.")
    return min(probes, (1 << width) - 1)


def flip_order(values: NDArray[np.float32], bands: int, width: int, probes: int) -> NDArray[np.uint64]:
    """Return for each band of each query the bits to flip for its probes, the likeliest first.

    Args:
        values: float32, shape (n, bits): whose signs the codes are; none is NaN.
        bands, width: as in ``codes.band_keys``.
        probes: how many; a band has 2^width - 1 at most.

    Returns:
        uint64, shape (n, bands, probes): what a key is combined with by exclusive or.

    Raises:
        ConfigError: there cannot be such bands or probes.

    >>> flip_order(np.array([[0.5, -0.25, 1.0]], np.float32), 1, 3, 4).tolist()
    [[[2, 1, 3, 4]]]
    """
    check_bands(bands, width, values.shape[1])
    flips = np.zeros((len(values), bands, probes_of(width, probes)), np.uint64)
    _write_flips(np.ascontiguousarray(values, np.float32), width, flips)
    return flips


def flips_by_place(width: int, probes: int) -> NDArray[np.uint64]:
    """Return the bits to flip where nothing is known but codes: one by place, then two, and so on.

    Returns:
        uint64, shape (probes,), for any band of any query; at most 2^width - 1.

    Raises:
        ConfigError: there cannot be such probes.

    >>> flips_by_place(3, 9).tolist()
    [1, 2, 4, 3, 5, 6, 7]
    """
    order: NDArray[np.uint64] = flip_order(np.ones((1, width), np.float32), 1, width, probes)[0, 0]
    return order


class _Sets(NamedTuple):
    """Sets of bits: those that were made, and a heap of those that were not given out.

    Attributes:
        sums: float64: their sums.
        before: float64: the sums without their highest bits.
        bits: uint64, in numbers by margin.
        highest: int64: their highest bits.
        heap: int64: places of sets, the first set at its top.
    """

    sums: NDArray[np.float64]
    before: NDArray[np.float64]
    bits: NDArray[np.uint64]
    highest: NDArray[np.int64]
    heap: NDArray[np.int64]


@kernel
def _write_flips(values: NDArray[np.float32], width: int, flips: NDArray[np.uint64]) -> None:
    room = 2 * flips.shape[2] + 2
    sets = _Sets(
        np.empty(room, np.float64),
        np.empty(room, np.float64),
        np.empty(room, np.uint64),
        np.empty(room, np.int64),
        np.empty(room, np.int64),
    )
    margins, places = np.empty(width, np.float64), np.empty(width, np.int64)
    for i in range(len(values)):
        for band in range(flips.shape[1]):
            _sort_margins(values[i, band * width : (band + 1) * width], margins, places)
            _write_band(margins, places, sets, flips[i, band])


@inner_kernel
def _sort_margins(values: NDArray[np.float32], margins: NDArray[np.float64], places: NDArray[np.int64]) -> None:
    """Write |value| in ascending order, equal ones in that of their places, and these places."""
    for i in range(len(values)):
        margin, j = abs(np.float64(values[i])), i
        while j > 0 and margins[j - 1] > margin:
            margins[j], places[j] = margins[j - 1], places[j - 1]
            j -= 1
        margins[j], places[j] = margin, i


@inner_kernel
def _write_band(margins: NDArray[np.float64], places: NDArray[np.int64], sets: _Sets, out: NDArray[np.uint64]) -> None:
    """Write the sets of a band in order.

    A set that is made of another has no smaller a sum, as sums are rounded, and is the larger number. So no set comes
    before the one it is made of, and the top of the heap is the next of all.
    """
    made = held = 0
    if len(out):
        made, held = _add(0.0, np.uint64(0), 0, margins, sets, made, held)
    for i in range(len(out)):
        top = sets.heap[0]
        held -= 1
        _sift_down(sets, held)
        bits, highest = sets.bits[top], sets.highest[top]
        out[i] = _at_their_places(bits, places)
        if highest + 1 < len(margins):
            rest = bits ^ (np.uint64(1) << np.uint64(highest))
            made, held = _add(sets.before[top], rest, highest + 1, margins, sets, made, held)
            made, held = _add(sets.sums[top], bits, highest + 1, margins, sets, made, held)


@inner_kernel
def _add(
    before: float, rest: np.uint64, highest: int, margins: NDArray[np.float64], sets: _Sets, made: int, held: int
) -> tuple[int, int]:
    """Add a set, whose bits but the highest are ``rest``; return how many there are, and how many in the heap."""
    sets.before[made], sets.sums[made] = before, before + margins[highest]
    sets.bits[made], sets.highest[made] = rest | (np.uint64(1) << np.uint64(highest)), highest
    place = held
    while place > 0 and _is_before(sets, made, sets.heap[(place - 1) // 2]):
        sets.heap[place] = sets.heap[(place - 1) // 2]
        place = (place - 1) // 2
    sets.heap[place] = made
    return made + 1, held + 1


@inner_kernel
def _sift_down(sets: _Sets, held: int) -> None:
    """Put the last set of the heap, which has ``held`` others, into the place of the top."""
    moved, place = sets.heap[held], 0
    while 2 * place + 1 < held:
        child = 2 * place + 1
        if child + 1 < held and _is_before(sets, sets.heap[child + 1], sets.heap[child]):
            child += 1
        if not _is_before(sets, sets.heap[child], moved):
            break
        sets.heap[place] = sets.heap[child]
        place = child
    sets.heap[place] = moved


@inner_kernel
def _is_before(sets: _Sets, one: int, other: int) -> bool:
    if sets.sums[one] != sets.sums[other]:
        return bool(sets.sums[one] < sets.sums[other])
    return bool(sets.bits[one] < sets.bits[other])


@inner_kernel
def _at_their_places(bits: np.uint64, places: NDArray[np.int64]) -> np.uint64:
    flips = np.uint64(0)
    for i in range(len(places)):
        flips |= (bits >> np.uint64(i) & np.uint64(1)) << np.uint64(places[i])
    return flips
