"""Timestamps as text, ``2026-01-31T12:00:00.5Z``: by a kernel, as a cast and replacements take a microsecond each."""

import numpy as np
from numpy.typing import NDArray

from .kernel import inner_kernel, kernel

_MOST = 30
"""Bytes of the longest text."""

_DAY = 86_400
_FIRST, _AFTER = -62_167_219_200, 253_402_300_800
"""Seconds since 1970 of the years 0 and 10000: other years have not four digits."""


@inner_kernel
def _two(texts: NDArray[np.uint8], at: int, value: int) -> int:
    texts[at] = 48 + value // 10
    texts[at + 1] = 48 + value % 10
    return at + 2


@kernel
def instant_texts(
    values: NDArray[np.int64], in_second: int, zoned: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Return (bytes, offsets, which are left out: of years before 0 or after 9999).

    Days become dates by counting from the first of March of the year 0, as Howard Hinnant describes
    (https://howardhinnant.github.io/date_algorithms.html).

    Args:
        values: int64: since 1970.
        in_second: units of a second: 1, 10^3, 10^6 or 10^9.
        zoned: whether a ``Z`` follows.
    """
    texts = np.empty(_MOST * len(values), np.uint8)
    offsets = np.zeros(len(values) + 1, np.int64)
    left = np.zeros(len(values), np.bool_)
    at = 0
    for i in range(len(values)):
        seconds = values[i] // in_second
        rest = values[i] - seconds * in_second
        if seconds < _FIRST or seconds >= _AFTER:
            left[i] = True
            offsets[i + 1] = at
            continue
        days = seconds // _DAY
        clock = seconds - days * _DAY
        days += 719_468
        era = days // 146_097
        of_era = days - era * 146_097
        year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
        of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
        month = (5 * of_year + 2) // 153
        day = of_year - (153 * month + 2) // 5 + 1
        month = month + 3 if month < 10 else month - 9
        year = year_of_era + era * 400 + (1 if month <= 2 else 0)
        at = _two(texts, at, year // 100)
        at = _two(texts, at, year % 100)
        texts[at] = 45
        at = _two(texts, at + 1, month)
        texts[at] = 45
        at = _two(texts, at + 1, day)
        texts[at] = 84
        at = _two(texts, at + 1, clock // 3600)
        texts[at] = 58
        at = _two(texts, at + 1, clock // 60 % 60)
        texts[at] = 58
        at = _two(texts, at + 1, clock % 60)
        if rest:
            texts[at] = 46
            at += 1
            unit = in_second
            while rest:
                unit //= 10
                texts[at] = 48 + rest // unit
                rest -= rest // unit * unit
                at += 1
        if zoned:
            texts[at] = 90
            at += 1
        offsets[i + 1] = at
    return texts, offsets, left
