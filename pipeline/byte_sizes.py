"""Sizes in bytes, as people write them."""

import re

from ..hashing.errors import ConfigError

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip


def parse_size(value: object) -> object:
    """Return the bytes of a size like ``2GB`` or ``512MiB``; anything else as it is, for pydantic to judge.

    >>> parse_size("2GB")
    2000000000
    """
    if isinstance(value, str) and (match := re.fullmatch(r"\s*([0-9.]+)\s*([A-Za-z]*)\s*", value)):
        number, unit = match.groups()
        if unit.lower() in _UNITS and number.count(".") <= 1 and number != "." and len(number) < 20:
            return int(float(number) * _UNITS[unit.lower()])
    return value


def bytes_of(size: str) -> int:
    """Return a size in bytes, written as in configurations.

    Raises:
        ConfigError: if it is none.

    >>> bytes_of("2GB")
    2000000000
    """
    found = parse_size(size)
    if not isinstance(found, int) or found < 1:
        raise ConfigError("a size is a number of bytes", value=size, remedy="Write it as 2GB or 512MiB.")
    return found
