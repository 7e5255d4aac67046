"""Addresses: where a record stands in the inputs of one run.

A non-negative int64: file ordinal in the high 23 bits, record number in the low 40. Record numbers count every
physical record of a file: blank, bad and quarantined ones too. An address means nothing outside its run.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..hashing.errors import InputError

RECORD_BITS = 40
FILE_BITS = 23
MAX_FILES = 1 << FILE_BITS
MAX_RECORDS = 1 << RECORD_BITS

ADDRESS = "__address"
"""Reserved column of what readers yield."""


def address(file: int, record: int) -> int:
    """Return the address of a record.

    >>> address(1, 2) == (1 << 40) + 2
    True
    """
    if not 0 <= file < MAX_FILES or not 0 <= record < MAX_RECORDS:
        raise InputError(
            f"a run reads at most {MAX_FILES} files of at most {MAX_RECORDS} records",
            value=f"record {record} of file {file}",
            remedy="Merge small files or split the run.",
        )
    return file << RECORD_BITS | record


def addresses(file: int, first_record: int, count: int) -> NDArray[np.int64]:
    """Return the addresses of consecutive records: int64, shape (count,)."""
    start = address(file, first_record)
    address(file, first_record + max(count, 1) - 1)
    return np.arange(start, start + count, dtype=np.int64)


Addresses = TypeVar("Addresses", int, NDArray[np.int64])


def file_of(value: Addresses) -> Addresses:
    """Return the file ordinal of an address, or of each of some addresses."""
    return value >> RECORD_BITS


def record_of(value: int) -> int:
    """Return the record number of an address."""
    return value & (MAX_RECORDS - 1)
